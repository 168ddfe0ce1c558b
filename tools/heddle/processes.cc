#include "tools/heddle/processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace heddle::cli {
namespace {

constexpr Duration kStopPatience = std::chrono::seconds(10);
constexpr Duration kLook = std::chrono::milliseconds(50);

sigset_t caught() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD})
    ::sigaddset(&set, signal);
  return set;
}

/// Only calls that are allowed after fork.
[[noreturn]] void become(char* const* arguments, int log, pid_t parent) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::setpgid(0, 0);  // Ctrl-C is for heddle, which ends the others in order
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (::getppid() == parent && nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 &&
      ::dup2(log, STDOUT_FILENO) >= 0 && ::dup2(log, STDERR_FILENO) >= 0) {
    ::execv(arguments[0], arguments);
  }
  ::_exit(127);
}

bool has_ended(pid_t pid) {
  return ::waitpid(pid, nullptr, WNOHANG) != 0;
}

}  // namespace

Outcome<std::string> program(const std::string& name) {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto path = own.parent_path() / name;
  if (::access(path.c_str(), X_OK) != 0) {
    return stop(kExitFailed, fmt::format("{} is not there", path.string()),
                "build it: tools/build programs");
  }
  return path.string();
}

Outcome<void> Processes::start(const std::string& name, const std::vector<std::string>& command,
                               const std::string& log) {
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) {
    return stop(kExitFailed, fmt::format("{}: {}", log, std::strerror(errno)),
                "give a folder that may be written: --dir DIR");
  }
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& part : command)
    arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(arguments.data(), file, parent);
  ::close(file);
  if (pid < 0) {
    return stop(kExitFailed, fmt::format("{} cannot be started: {}", name, std::strerror(errno)),
                "end other processes, or use fewer --nodes");
  }
  children_.push_back({pid, name, log});
  return {};
}

std::vector<Child> Processes::take_ended() {
  std::vector<Child> ended;
  for (const Child& child : children_) {
    if (has_ended(child.pid)) ended.push_back(child);
  }
  std::erase_if(children_, [&](const Child& child) {
    return std::ranges::find(ended, child.pid, &Child::pid) != ended.end();
  });
  return ended;
}

void Processes::stop_all() {
  const SystemClock clock;
  while (!children_.empty()) {
    const pid_t pid = children_.back().pid;
    ::kill(pid, SIGTERM);
    const Instant patience = clock.now().instant + kStopPatience;
    bool ended = has_ended(pid);
    while (!ended && clock.now().instant < patience) {
      wait_for_signal(kLook);
      ended = has_ended(pid);
    }
    if (!ended) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    children_.pop_back();
  }
}

void catch_signals() {
  const sigset_t set = caught();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

int wait_for_signal(Duration timeout) {
  const sigset_t set = caught();
  const auto ns = timeout.count();
  const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
  const int got = ::sigtimedwait(&set, nullptr, &time);
  return got > 0 ? got : 0;
}

}  // namespace heddle::cli
