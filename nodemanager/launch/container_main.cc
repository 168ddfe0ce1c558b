// heddle-container: stands between the agent and one container's process, so that its exit code and
// its descendants are accounted for even when the agent is away. Uses libc alone, parses nothing.
//
//   heddle-container PIDFILE WORKDIR GRACE_MS SCRIPT [CGROUP_PROCS_FILE ...]
//
// Starts `/bin/bash SCRIPT` in its own session, writes its pid to PIDFILE and, at its end, its exit
// code (128 + n for signal n) to PIDFILE.exitcode; both by rename. Then ends what is left of its
// descendants, wherever they fled, and exits with the same code.
// SIGTERM: ends the container (TERM, after GRACE_MS KILL). SIGUSR1, SIGQUIT, SIGUSR2: pass TERM,
// QUIT, KILL on to its process group.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace {

constexpr int kExitUsage = 64;
constexpr int kExitCannotStart = 126;
constexpr long kGraceMaxMs = 600'000;
constexpr int kKillRoundsMax = 3000;  // of 20 ms: a process in the kernel's hands may take long

struct Options {
  const char* pid_file;
  const char* work_dir;
  long grace_ms;
  char* script;
  char** cgroup_files;  // ends with a null pointer
};

void complain(const char* what, const char* detail) {
  dprintf(STDERR_FILENO, "heddle-container: %s %s: %s\n", what, detail, strerror(errno));
}

/// Descriptors 0 to 2 exist afterwards, all others are closed.
bool tidy_descriptors() {
  int fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO)
    fd = open("/dev/null", O_RDWR);
  if (fcntl(STDERR_FILENO, F_GETFD) < 0) return false;
  return close_range(STDERR_FILENO + 1, ~0U, 0) == 0;
}

/// Writes number and line end to path.tmp, then renames it to path.
bool write_number(const char* path, long number) {
  char temporary[4200];
  if (snprintf(temporary, sizeof temporary, "%s.tmp", path) >= static_cast<int>(sizeof temporary)) {
    errno = ENAMETOOLONG;
    return false;
  }
  const int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  const bool written = dprintf(fd, "%ld\n", number) > 0;
  return close(fd) == 0 && written && rename(temporary, path) == 0;
}

bool join_cgroup(const char* procs_file) {
  const int fd = open(procs_file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool joined = write(fd, "0", 1) == 1;
  close(fd);
  return joined;
}

[[noreturn]] void run_container(const Options& options, int stdin_pipe) {
  sigset_t none;
  sigemptyset(&none);
  setsid();
  dup2(stdin_pipe, STDIN_FILENO);
  umask(022);
  for (char** file = options.cgroup_files; *file != nullptr; ++file) {
    if (!join_cgroup(*file)) {
      complain("cannot join cgroup", *file);
      _exit(kExitCannotStart);
    }
  }
  if (chdir(options.work_dir) != 0) {
    complain("cannot enter", options.work_dir);
    _exit(kExitCannotStart);
  }
  if (!write_number(options.pid_file, getpid())) {
    complain("cannot write", options.pid_file);
    _exit(kExitCannotStart);
  }
  char shell[] = "/bin/bash";
  char* arguments[] = {shell, options.script, nullptr};
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(shell, arguments);
  complain("cannot start", shell);
  _exit(errno == ENOENT ? 127 : kExitCannotStart);
}

struct Process {
  pid_t pid;
  pid_t parent;
};

std::vector<Process> all_processes() {
  std::vector<Process> found;
  DIR* directory = opendir("/proc");
  if (directory == nullptr) return found;
  while (const dirent* entry = readdir(directory)) {
    char* end = nullptr;
    const long pid = strtol(entry->d_name, &end, 10);
    if (pid <= 0 || *end != '\0') continue;
    char path[64];
    char text[512];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    const ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) continue;
    text[size] = '\0';
    const char* name_end = strrchr(text, ')');  // the name may hold anything
    int parent = 0;
    char state = 0;
    if (name_end != nullptr && sscanf(name_end + 1, " %c %d", &state, &parent) == 2) {
      found.push_back({static_cast<pid_t>(pid), static_cast<pid_t>(parent)});
    }
  }
  closedir(directory);
  return found;
}

std::vector<pid_t> descendants() {
  std::vector<Process> all = all_processes();
  const auto by_parent = [](const Process& a, const Process& b) { return a.parent < b.parent; };
  std::sort(all.begin(), all.end(), by_parent);
  std::vector<pid_t> result{getpid()};
  for (std::size_t i = 0; i < result.size() && result.size() <= all.size(); ++i) {
    const auto [first, last] =
        std::equal_range(all.begin(), all.end(), Process{0, result[i]}, by_parent);
    for (auto process = first; process != last; ++process)
      result.push_back(process->pid);
  }
  result.erase(result.begin());
  return result;
}

void signal_all(int number) {
  for (const pid_t pid : descendants())
    kill(pid, number);
}

/// A process that forks faster than it is found is first brought to a halt.
void kill_all() {
  std::size_t before = 0;
  for (int round = 0; round < 100; ++round) {
    const std::vector<pid_t> found = descendants();
    if (found.size() <= before) break;
    before = found.size();
    for (const pid_t pid : found)
      kill(pid, SIGSTOP);
  }
  signal_all(SIGKILL);
}

long now_ms() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

class Supervisor {
 public:
  Supervisor(const Options& options, pid_t container) : options_(options), container_(container) {
    sigemptyset(&awaited_);
    for (const int number : {SIGCHLD, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2}) {
      sigaddset(&awaited_, number);
    }
  }

  int run() {
    while (running_) {
      take_signal(kill_at_ms_ == 0 ? 60'000 : kill_at_ms_ - now_ms());
      if (kill_at_ms_ != 0 && now_ms() >= kill_at_ms_ && running_) {
        kill_all();
        kill_at_ms_ = now_ms() + 1000;
      }
    }
    end_the_rest();
    return code_;
  }

 private:
  /// Waits for a signal, at most `wait_ms`, and acts on it.
  void take_signal(long wait_ms) {
    if (wait_ms < 0) wait_ms = 0;
    const timespec wait{wait_ms / 1000, wait_ms % 1000 * 1'000'000};
    switch (sigtimedwait(&awaited_, nullptr, &wait)) {
      case SIGTERM: stop(); break;
      case SIGQUIT: pass_on(SIGQUIT); break;
      case SIGUSR1: pass_on(SIGTERM); break;
      case SIGUSR2: pass_on(SIGKILL); break;
      default: break;
    }
    reap();
  }

  // The container's pid is not reaped before running_ ends, so the group is still its own.
  void pass_on(int number) {
    if (running_ && kill(-container_, number) != 0) kill(container_, number);
  }

  void stop() {
    if (kill_at_ms_ != 0) return;
    if (options_.grace_ms > 0) pass_on(SIGTERM);
    kill_at_ms_ = now_ms() + options_.grace_ms;
  }

  void reap() {
    int status = 0;
    while (true) {
      const pid_t pid = waitpid(-1, &status, WNOHANG);
      if (pid == 0 || (pid < 0 && errno == EINTR)) return;
      if (pid < 0) {
        alone_ = true;
        return;
      }
      if (pid != container_) continue;
      running_ = false;
      code_ = exit_code_of(status);
      char path[4200];
      snprintf(path, sizeof path, "%s.exitcode", options_.pid_file);
      if (!write_number(path, code_)) complain("cannot write", path);
    }
  }

  void end_the_rest() {
    reap();
    long until = kill_at_ms_;  // whoever was asked to stop has its grace until then
    if (!alone_ && until == 0 && options_.grace_ms > 0) {
      signal_all(SIGTERM);
      until = now_ms() + options_.grace_ms;
    }
    while (!alone_ && now_ms() < until)
      take_signal(until - now_ms());
    for (int round = 0; !alone_ && round < kKillRoundsMax; ++round) {
      kill_all();
      take_signal(20);
    }
  }

  const Options& options_;
  const pid_t container_;
  sigset_t awaited_;
  bool running_ = true;
  bool alone_ = false;   // no child is left
  long kill_at_ms_ = 0;  // 0: nobody asked to stop
  int code_ = 0;
};

bool parse(int argc, char** argv, Options& options) {
  if (argc < 5) return false;
  char* end = nullptr;
  options = {argv[1], argv[2], strtol(argv[3], &end, 10), argv[4], argv + 5};
  if (end == argv[3] || *end != '\0' || options.grace_ms < 0 || options.grace_ms > kGraceMaxMs) {
    return false;
  }
  return options.pid_file[0] == '/' && options.work_dir[0] == '/' && options.script[0] == '/';
}

}  // namespace

int main(int argc, char** argv) {
  Options options{};
  if (!tidy_descriptors()) return kExitUsage;
  if (!parse(argc, argv, options)) {
    dprintf(STDERR_FILENO,
            "usage: heddle-container PIDFILE WORKDIR GRACE_MS SCRIPT [CGROUP_PROCS_FILE ...]\n"
            "Started by heddle-nm; paths are absolute, GRACE_MS is 0 to %ld.\n",
            kGraceMaxMs);
    return kExitUsage;
  }
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  setsid();
  int input[2];
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0 || pipe2(input, O_CLOEXEC) != 0) {
    complain("cannot prepare", options.pid_file);
    return kExitCannotStart;
  }
  const pid_t container = fork();
  if (container < 0) {
    complain("cannot fork for", options.script);
    return kExitCannotStart;
  }
  if (container == 0) run_container(options, input[0]);
  close(input[0]);  // input[1] stays open: the container's standard input is a pipe that is empty
  return Supervisor(options, container).run();
}
