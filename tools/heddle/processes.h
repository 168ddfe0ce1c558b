// Child processes of `heddle dev`, and the signals it waits for. One thread only.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "tools/heddle/outcome.h"

namespace heddle::cli {

struct Child {
  pid_t pid = -1;
  std::string name;  // "heddle-nm 2"
  std::string log;   // where its output goes
};

/// Where a program of ours lies: beside this one.
Outcome<std::string> program(const std::string& name);

/// Starts programs, and ends them all when it goes.
class Processes {
 public:
  Processes() = default;
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;
  ~Processes() { stop_all(); }

  /// Output to `log`. The child gets SIGTERM should this process vanish.
  Outcome<void> start(const std::string& name, const std::vector<std::string>& command,
                      const std::string& log);
  /// The first that has ended by itself; it is no longer counted. nullptr name: none.
  std::vector<Child> take_ended();
  /// The last started first: SIGTERM, and SIGKILL when it does not go within ten seconds.
  void stop_all();

 private:
  std::vector<Child> children_;
};

/// Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD, so that wait_for_signal() gets them.
void catch_signals();
/// The signal, or 0 when none came within `timeout`.
int wait_for_signal(Duration timeout);

}  // namespace heddle::cli
