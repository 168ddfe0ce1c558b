#include "nodemanager/launch/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {  // which the header of glibc 2.36 forgets
#include <sys/pidfd.h>
}

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "nodemanager/api/container.h"

namespace heddle::nm {
namespace {

/// Releases what posix_spawn needs, whatever happens.
class SpawnSetup {
 public:
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts)
    out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

int signal_of(ProcessRequest what) {
  switch (what) {
    case ProcessRequest::kStop: return SIGTERM;
    case ProcessRequest::kTerminate: return SIGUSR1;
    case ProcessRequest::kThreadDump: return SIGQUIT;
    case ProcessRequest::kKill: return SIGUSR2;
  }
  return SIGTERM;
}

}  // namespace

std::optional<std::int64_t> read_number_file(const std::string& path) {
  // Not blocking: a container of the agent's own user could put a pipe there.
  const int descriptor = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  char text[32];
  const ssize_t size = read(descriptor, text, sizeof text);
  close(descriptor);
  if (size <= 0) return std::nullopt;
  return parse_int(trim(std::string_view(text, static_cast<std::size_t>(size))));
}

Processes::Processes() : wake_descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  thread_ = std::thread([this] { wait_loop(); });
}

Processes::~Processes() {
  stop();
  close(wake_descriptor_);
}

void Processes::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  for (const auto& [pid, watched] : watched_)
    close(watched.descriptor);
  watched_.clear();
}

void Processes::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_descriptor_, &one, sizeof one);
}

Result<pid_t> Processes::start(const ProcessSpec& spec, std::function<void(std::int32_t)> on_exit) {
  std::vector<std::string> arguments{spec.supervisor, spec.pid_file, spec.work_dir,
                                     std::to_string(spec.grace_ms), spec.script};
  arguments.insert(arguments.end(), spec.cgroup_files.begin(), spec.cgroup_files.end());
  std::vector<std::string> environment = spec.environment;
  const std::string exit_code_file = spec.pid_file + ".exitcode";
  unlink(spec.pid_file.c_str());
  unlink(exit_code_file.c_str());
  SpawnSetup setup;
  posix_spawn_file_actions_addopen(&setup.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&setup.actions, STDOUT_FILENO, spec.error_file.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&setup.actions, STDOUT_FILENO, STDERR_FILENO);

  // Held during the start, so that the waiting thread cannot miss a container that ends at once.
  const std::lock_guard lock(mutex_);
  if (stopping_) return fail(ErrorCode::kUnavailable, "the agent stops");
  pid_t pid = -1;
  const int error = posix_spawn(&pid, spec.supervisor.c_str(), &setup.actions, &setup.attributes,
                                pointers(arguments).data(), pointers(environment).data());
  if (error != 0) {
    return fail(ErrorCode::kInternal,
                fmt::format("cannot start {}: {}", spec.supervisor, std::strerror(error)));
  }
  const int descriptor = pidfd_open(pid, 0);
  if (descriptor < 0) {
    const int cause = errno;
    kill(pid, SIGTERM);
    waitpid(pid, nullptr, 0);
    return fail(ErrorCode::kInternal,
                fmt::format("cannot watch process {}: {}", pid, std::strerror(cause)));
  }
  watched_[pid] = {descriptor, exit_code_file, std::move(on_exit)};
  wake();
  return pid;
}

bool Processes::request(pid_t supervisor, ProcessRequest what) {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(supervisor);
  if (found == watched_.end()) return false;
  return pidfd_send_signal(found->second.descriptor, signal_of(what), nullptr, 0) == 0;
}

void Processes::wait_loop() {
  std::vector<pollfd> polled;
  std::vector<pid_t> pids;
  while (true) {
    polled.assign(1, {wake_descriptor_, POLLIN, 0});
    pids.assign(1, 0);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      for (const auto& [pid, watched] : watched_) {
        polled.push_back({watched.descriptor, POLLIN, 0});
        pids.push_back(pid);
      }
    }
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = read(wake_descriptor_, &count, sizeof count);
    for (std::size_t i = 1; i < polled.size(); ++i) {
      if (polled[i].revents != 0) collect(pids[i]);
    }
  }
}

void Processes::collect(pid_t pid) {
  Watched watched;
  std::int32_t code = 0;
  {
    const std::lock_guard lock(mutex_);
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0) {
      code = exit_status::kLost;
    } else {
      code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    }
    auto node = watched_.extract(pid);
    watched = std::move(node.mapped());
    close(watched.descriptor);
  }
  // Written by the supervisor; absent when it could not start the container, or was killed itself.
  if (const auto recorded = read_number_file(watched.exit_code_file)) {
    code = static_cast<std::int32_t>(*recorded);
  }
  watched.on_exit(code);
}

}  // namespace heddle::nm
