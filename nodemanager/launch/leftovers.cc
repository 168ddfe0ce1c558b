#include "nodemanager/launch/leftovers.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

extern "C" {  // which the header of glibc 2.36 forgets
#include <sys/pidfd.h>
}

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "base/text.h"
#include "nodemanager/launch/layout.h"
#include "nodemanager/launch/process.h"
#include "nodemanager/launch/process_tree.h"

namespace heddle::nm {
namespace {

constexpr const char* kProc = "/proc";  // never a fixture: what is found here is killed
constexpr std::string_view kSupervisorName = "heddle-container";
constexpr std::size_t kProcFileMax = 1_MiB;
constexpr int kStepMs = 20;
constexpr int kRoundsMax = 500;  // of a step each
constexpr std::int64_t kClockSlackSeconds = 2;

std::string read_all(const std::string& path, std::size_t bytes_max) {
  std::string text;
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return text;
  char block[16_KiB];
  while (text.size() < bytes_max) {
    const ssize_t got = read(descriptor, block, sizeof block);
    if (got <= 0) break;
    text.append(block, static_cast<std::size_t>(got));
  }
  close(descriptor);
  return text;
}

/// The texts in a file like cmdline and environ, each ended by a NUL.
std::vector<std::string> texts_of(pid_t pid, std::string_view name) {
  const std::string all = read_all(fmt::format("{}/{}/{}", kProc, pid, name), kProcFileMax);
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\0', at), all.size());
    texts.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return texts;
}

/// When the machine started, in seconds since 1970; 0 when that is not known.
std::int64_t boot_seconds() {
  const std::string all = read_all(std::string(kProc) + "/stat", kProcFileMax);
  constexpr std::string_view kName = "\nbtime ";
  const auto at = all.find(kName);
  if (at == std::string::npos) return 0;
  const auto end = all.find('\n', at + 1);
  return parse_int(trim(std::string_view(all).substr(at + kName.size(), end - at - kName.size())))
      .value_or(0);
}

class Hunt {
 public:
  explicit Hunt(const std::vector<Leftover>& leftovers) : boot_(boot_seconds()) {
    for (const Leftover& leftover : leftovers) {
      pid_files_.insert(leftover.pid_file);
      ids_.insert("CONTAINER_ID=" + to_string(leftover.id));
      struct stat info {};
      const auto pid = read_number_file(leftover.pid_file);
      if (pid && *pid > 1 && stat(leftover.pid_file.c_str(), &info) == 0) {
        named_[static_cast<pid_t>(*pid)] = info.st_mtim.tv_sec;
      }
    }
  }

  bool is_supervisor(pid_t pid) const {
    const auto words = texts_of(pid, "cmdline");
    return words.size() >= 5 && words[0].ends_with(kSupervisorName) &&
           pid_files_.contains(words[1]);
  }

  bool is_stray(const ProcessInfo& process) const {
    const auto named = named_.find(process.pid);
    if (named != named_.end() && boot_ > 0) {
      static const auto ticks = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
      const auto started = boot_ + static_cast<std::int64_t>(process.start_ticks / ticks);
      if (started <= named->second + kClockSlackSeconds) return true;
    }
    return std::ranges::any_of(texts_of(process.pid, "environ"),
                               [this](const std::string& entry) { return ids_.contains(entry); });
  }

 private:
  const std::int64_t boot_;
  std::set<std::string> pid_files_;
  std::set<std::string> ids_;            // entries of an environment
  std::map<pid_t, std::int64_t> named_;  // by a pid file; when that was written
};

/// Processes that are neither this one nor dead already.
std::vector<ProcessInfo> living_processes() {
  std::vector<ProcessInfo> all = ProcessTable::read(kProc).all();
  std::erase_if(all, [](const ProcessInfo& process) {
    return process.pid <= 1 || process.pid == getpid() || process.state == 'Z';
  });
  return all;
}

/// A process that stays the one it was found to be.
class Held {
 public:
  explicit Held(pid_t pid) : pid_(pid), descriptor_(pidfd_open(pid, 0)) {}
  Held(Held&& other) noexcept
      : pid_(other.pid_), descriptor_(std::exchange(other.descriptor_, -1)) {}
  Held& operator=(Held&&) = delete;
  ~Held() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  bool there() const { return descriptor_ >= 0; }
  void signal(int number) const { (void)pidfd_send_signal(descriptor_, number, nullptr, 0); }
  bool ends_within(int ms) const {
    pollfd entry{descriptor_, POLLIN, 0};
    return poll(&entry, 1, ms) > 0;
  }
  pid_t pid() const { return pid_; }

 private:
  const pid_t pid_;
  int descriptor_;
};

/// Ends a supervisor that does not hear, after everything below it.
void end_tree(const Held& supervisor) {
  for (int round = 0; round < kRoundsMax; ++round) {
    const auto tree = ProcessTable::read(kProc).tree(supervisor.pid());
    bool alone = true;
    for (const ProcessInfo& process : tree) {
      if (process.pid == supervisor.pid() || process.state == 'Z') continue;
      kill(process.pid, SIGKILL);
      alone = false;
    }
    if (alone) break;
    poll(nullptr, 0, kStepMs);
  }
  supervisor.signal(SIGKILL);
  supervisor.ends_within(kStepMs * kRoundsMax);
}

std::size_t end_supervisors(const Hunt& hunt, std::chrono::milliseconds grace) {
  std::vector<Held> supervisors;
  for (const ProcessInfo& process : living_processes()) {
    if (!hunt.is_supervisor(process.pid)) continue;
    Held held(process.pid);
    if (!held.there() || !hunt.is_supervisor(process.pid)) continue;
    held.signal(SIGTERM);
    held.signal(SIGCONT);  // one that was halted cannot hear
    supervisors.push_back(std::move(held));
  }
  int left_ms = static_cast<int>(grace.count()) + kStepMs * kRoundsMax;
  for (const Held& supervisor : supervisors) {
    bool ended = false;
    while (!(ended = supervisor.ends_within(kStepMs)) && left_ms > 0)
      left_ms -= kStepMs;
    if (!ended) end_tree(supervisor);
  }
  return supervisors.size();
}

}  // namespace

std::vector<Leftover> find_leftovers(const std::vector<std::string>& local_dirs) {
  std::map<ContainerId, Leftover> found;
  for (const std::string& local : local_dirs) {
    const std::string root = local + "/nmPrivate";
    for (const std::string& app : list_dir(root)) {
      if (!parse_app_id(app)) continue;
      for (const std::string& name : list_dir(fmt::format("{}/{}", root, app))) {
        const auto id = parse_container_id(name);
        if (!id) continue;
        Leftover leftover{*id, fmt::format("{}/{}/{}/{}.pid", root, app, name, name), {}};
        if (const auto code = read_number_file(leftover.pid_file + ".exitcode")) {
          leftover.exit_code = static_cast<std::int32_t>(*code);
        }
        found.emplace(*id, std::move(leftover));
      }
    }
  }
  std::vector<Leftover> all;
  all.reserve(found.size());
  for (auto& [id, leftover] : found)
    all.push_back(std::move(leftover));
  return all;
}

EndedLeftovers end_leftovers(const std::vector<Leftover>& leftovers,
                             std::chrono::milliseconds grace) {
  EndedLeftovers result;
  if (leftovers.empty()) return result;
  const Hunt hunt(leftovers);
  result.supervisors = end_supervisors(hunt, grace);
  std::set<pid_t> strays;
  for (int round = 0; round < kRoundsMax; ++round) {
    result.living.clear();
    for (const ProcessInfo& process : living_processes()) {
      if (!hunt.is_supervisor(process.pid) && !hunt.is_stray(process)) continue;
      const Held held(process.pid);
      if (!held.there() || (!hunt.is_supervisor(process.pid) && !hunt.is_stray(process))) continue;
      held.signal(SIGKILL);
      strays.insert(process.pid);
      result.living.push_back(process.pid);
    }
    if (result.living.empty()) break;
    poll(nullptr, 0, kStepMs);
  }
  result.strays = strays.size();
  return result;
}

}  // namespace heddle::nm
