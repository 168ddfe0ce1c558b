// Containers' processes: starting them through heddle-container and learning of their end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace heddle::nm {

struct ProcessSpec {
  std::string supervisor;  // the program heddle-container
  std::string pid_file;    // the exit code comes to pid_file + ".exitcode"
  std::string work_dir;
  std::string script;
  std::int64_t grace_ms = 250;            // between SIGTERM and SIGKILL
  std::vector<std::string> cgroup_files;  // cgroup.procs files to join
  std::vector<std::string> environment;   // NAME=value
  std::string error_file;                 // what the supervisor itself has to complain about
};

/// What to ask of a supervisor; it does the rest even when the agent ends meanwhile.
enum class ProcessRequest : std::uint8_t {
  kStop,        // TERM to the group, after the grace KILL to every descendant
  kTerminate,   // TERM to the group, nothing more
  kThreadDump,  // QUIT to the group
  kKill,        // KILL to the group; what fled is killed once the container has ended
};

/// Starts supervisors and waits for them in one thread of its own. Any thread.
class Processes {
 public:
  Processes();
  ~Processes();  // stop()
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  /// Starts a container. `on_exit` comes once, from the waiting thread, when the container and all
  /// its descendants have ended, with its exit code. The result is the supervisor's pid.
  Result<pid_t> start(const ProcessSpec& spec, std::function<void(std::int32_t)> on_exit);
  /// False: that supervisor has ended already.
  bool request(pid_t supervisor, ProcessRequest what);
  /// Containers run on; nobody is told of an end afterwards, start() and request() fail. Again: no
  /// effect. Not from `on_exit`.
  void stop();

 private:
  struct Watched {
    int descriptor = -1;  // of pidfd_open
    std::string exit_code_file;
    std::function<void(std::int32_t)> on_exit;
  };
  void wait_loop();
  void collect(pid_t pid);
  void wake();

  int wake_descriptor_ = -1;
  std::mutex mutex_;
  std::map<pid_t, Watched> watched_;  // guarded by mutex_
  bool stopping_ = false;             // guarded by mutex_
  std::thread thread_;
};

/// The number in a pid or exit code file; nullopt while it is not there.
std::optional<std::int64_t> read_number_file(const std::string& path);

}  // namespace heddle::nm
