// What containers cannot start, and the helper programs in the wrong hands.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

using testing::HasSubstr;

TEST_F(NodeTest, AProgramThatCannotBeStartedSaysWhy) {
  start();
  struct Row {
    const char* name;
    std::string content;  // "" = the file is not there
    mode_t mode;
    std::int32_t code;
    const char* message;
  };
  const Row table[] = {
      {"missing", "", 0, 127, "No such file or directory"},
      {"not-executable", "#!/bin/sh\n", 0644, 126, "Permission denied"},
      {"other-machine",
       std::string("\x7f"
                   "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\xff\xff\1\0\0\0",
                   24),
       0755, 126, "Exec format error"},
      {"interpreter", "#!/no/such/interpreter\n", 0755, 127, "required file not found"},
  };
  std::int64_t number = 0;
  for (const Row& row : table) {
    const std::string path = dir_.path() + "/" + row.name;
    if (row.mode != 0) {
      std::ofstream(path, std::ios::binary) << row.content;
      chmod(path.c_str(), row.mode);
    }
    const auto ended =
        run_to_end(request(++number, path + " 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr"));
    EXPECT_EQ(ended.exit_status, row.code) << row.name << ": " << ended.diagnostics;
    EXPECT_THAT(ended.diagnostics, HasSubstr(row.message)) << row.name;
  }
}

TEST_F(NodeTest, AWorkDirectoryThatIsGoneFailsTheContainerWithTheReason) {
  start();
  run_to_end(request(1, "true"));
  // Its place is taken by a file: the container's directory cannot be made.
  std::ofstream(work_dir(config_.local_dirs[0], config_.own_user, id(2))) << "in the way";
  const auto ended = run_to_end(request(2, "true"));
  EXPECT_EQ(ended.exit_status, -1);
  EXPECT_THAT(ended.diagnostics, HasSubstr("Not a directory"));
}

// As few as there are open ones; sanitizers cannot start without some of their own.
#if defined(__has_feature)
constexpr rlim_t kDescriptors =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ? 16 : 3;
#else
constexpr rlim_t kDescriptors = 3;
#endif

class HelperTest : public testing::Test {
 protected:
  struct Ended {
    int code = -1;
    std::string said;
  };
  /// Runs a helper with closed standard input, few descriptors and a hostile environment.
  Ended run(const std::string& program, std::vector<std::string> arguments, bool closed = false) {
    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::string environment[] = {"PATH=/nowhere", "BASH_ENV=/etc/passwd", "LC_ALL=xx_XX", "=",
                                 "no equals sign"};
    char* envp[] = {environment[0].data(), environment[1].data(), environment[2].data(),
                    environment[3].data(), environment[4].data(), nullptr};
    const std::string output = dir_.path() + "/said";
    const pid_t child = fork();
    if (child == 0) {
      const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      for (int descriptor = 0; descriptor < 3; ++descriptor)
        close(descriptor);
      if (!closed) dup2(file, STDERR_FILENO);
      close(file);
      const rlimit few{kDescriptors, kDescriptors};
      setrlimit(RLIMIT_NOFILE, &few);
      if (chdir(dir_.path().c_str()) != 0) _exit(99);
      execve(program.c_str(), argv.data(), envp);
      _exit(98);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(output)};
  }
  TempDir dir_;
};

TEST_F(HelperTest, WildArgumentsGetTheUsageAndNothingIsDone) {
  struct Row {
    const char* program;
    std::vector<std::string> arguments;
  };
  const std::string file = dir_.path() + "/pid";
  const std::string long_name = "/" + std::string(100'000, 'x');
  const Row table[] = {
      {"heddle-container", {}},
      {"heddle-container", {""}},
      {"heddle-container", {file, "/", "250"}},
      {"heddle-container", {"pid", "/", "250", "/x"}},
      {"heddle-container", {file, ".", "250", "/x"}},
      {"heddle-container", {file, "/", "250", "x"}},
      {"heddle-container", {file, "/", "-1", "/x"}},
      {"heddle-container", {file, "/", "600001", "/x"}},
      {"heddle-container", {file, "/", "99999999999999999999", "/x"}},
      {"heddle-container", {file, "/", "", "/x"}},
      {"heddle-container", {file, "/", "1e3", "/x"}},
      {"heddle-container", {"-rf", "--help", "%n%n", "$(reboot)"}},
      {"heddle-debug-files", {}},
      {"heddle-debug-files", {"-rf", "/"}},
      {"heddle-unpack", {}},
      {"heddle-unpack", {"zip"}},
      {"heddle-unpack", {"rar", "1", "1", ""}},
      {"heddle-unpack", {"zip", "-1", "1", ""}},
      {"heddle-unpack", {"zip", "1", "99999999999999999999", ""}},
      {"heddle-unpack", {"tar", "1", "1", "", "more"}},
      {"heddle-unpack", {long_name, long_name, long_name, long_name}},
  };
  for (const Row& row : table) {
    const std::string program = program_dir() + "/" + row.program;
    const Ended ended = run(program, row.arguments);
    EXPECT_EQ(ended.code, 64) << row.program << " " << testing::PrintToString(row.arguments);
    EXPECT_THAT(ended.said, HasSubstr(std::string("usage: ") + row.program));
    EXPECT_EQ(run(program, row.arguments, true).code, 64) << "without standard error";
  }
  EXPECT_EQ(list_dir(dir_.path()), std::vector<std::string>{"said"});
}

}  // namespace
}  // namespace heddle::nm
