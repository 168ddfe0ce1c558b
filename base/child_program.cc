#include "base/child_program.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/text.h"

namespace heddle {
namespace {

constexpr std::size_t kComplaintShown = 500;
constexpr Duration kLook = std::chrono::milliseconds(20);  // at a program that closed its outputs

Error child_error(const std::string& program, std::string_view what) {
  return {ErrorCode::kUnavailable, fmt::format("{}: {}", shortened(program), what)};
}

/// One of its outputs.
class Pipe {
 public:
  Pipe() = default;
  ~Pipe() {
    shut(ends_[0]);
    shut(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  bool open() { return ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void close_writer() { shut(ends_[1]); }
  /// Takes what is there. False: it is at its end, or `max` is reached.
  bool take(std::size_t max) {
    std::array<char, 4096> block;
    const ssize_t count = ::read(ends_[0], block.data(), block.size());
    if (count < 0) return errno == EINTR || errno == EAGAIN;
    text.append(block.data(), static_cast<std::size_t>(count));
    too_long = text.size() > max;
    return count > 0 && !too_long;
  }
  void close_reader() { shut(ends_[0]); }

  std::string text;
  bool too_long = false;

 private:
  static void shut(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

/// posix_spawn's own: a group of its own, default signals, none of our descriptors.
class SpawnRules {
 public:
  SpawnRules(int out, int err) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnRules() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnRules(const SpawnRules&) = delete;
  SpawnRules& operator=(const SpawnRules&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

int left_ms(Instant until) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - SystemClock().now().instant);
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

/// Until both outputs are at their ends. False: it took too long, or printed too much.
bool read_both(Pipe& out, Pipe& err, std::size_t max, Instant until) {
  while (out.reader() >= 0 || err.reader() >= 0) {
    std::array<pollfd, 2> waits{{{out.reader(), POLLIN, 0}, {err.reader(), POLLIN, 0}}};
    const int left = left_ms(until);
    if (left == 0) return false;
    if (::poll(waits.data(), waits.size(), left) < 0 && errno != EINTR) return false;
    if (waits[0].revents != 0 && !out.take(max)) out.close_reader();
    if (waits[1].revents != 0 && !err.take(max)) err.close_reader();
    if (out.too_long || err.too_long) return false;
  }
  return true;
}

/// Its status; nullopt: it does not end.
std::optional<int> status_of(pid_t child, Instant until) {
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) return std::nullopt;
    const int left = left_ms(until);
    if (left == 0) return std::nullopt;
    const auto look = std::chrono::duration_cast<std::chrono::milliseconds>(kLook).count();
    ::poll(nullptr, 0, static_cast<int>(std::min<std::int64_t>(left, look)));
  }
}

std::string complaint(std::string_view text) {
  text = trim(text);
  if (text.empty()) return "";
  const std::size_t skip = text.size() > kComplaintShown ? text.size() - kComplaintShown : 0;
  return ": " + shortened(text.substr(skip), kComplaintShown);
}

Result<std::string> result_of(const std::string& program, int status, Pipe& out, const Pipe& err) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::move(out.text);
  const std::string how = WIFEXITED(status)
                              ? fmt::format("ended with status {}", WEXITSTATUS(status))
                              : fmt::format("was ended by signal {}", WTERMSIG(status));
  return fail(child_error(program, how + complaint(err.text)));
}

}  // namespace

Result<std::string> output_of(const std::vector<std::string>& command,
                              const ChildProgramLimits& limits) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& part : command)
    arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  Pipe out;
  Pipe err;
  if (!out.open() || !err.open()) {
    return fail(child_error(command[0], std::system_category().message(errno)));
  }
  const Instant until = SystemClock().now().instant + limits.patience;
  pid_t child = 0;
  const SpawnRules rules(out.writer(), err.writer());
  if (const int error = ::posix_spawn(&child, arguments[0], &rules.actions, &rules.attributes,
                                      arguments.data(), environ)) {
    return fail(
        child_error(command[0], "cannot be started: " + std::system_category().message(error)));
  }
  out.close_writer();
  err.close_writer();
  const bool read = read_both(out, err, limits.output_max, until);
  const auto status = read ? status_of(child, until) : std::nullopt;
  if (status) return result_of(command[0], *status, out, err);
  ::kill(-child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  if (out.too_long || err.too_long) {
    return fail(
        child_error(command[0], fmt::format("printed more than {} bytes", limits.output_max)));
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limits.patience);
  return fail(child_error(
      command[0], fmt::format("did not end within {} s", seconds.count()) + complaint(err.text)));
}

}  // namespace heddle
