// heddle-debug-files beside the commands that Hadoop's launch script runs for the same files.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <utime.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

namespace fs = std::filesystem;

class DebugFiles : public testing::Test {
 protected:
  DebugFiles() {
    fs::create_directories(work_ + "/tmp");
    fs::create_directories(theirs_);
    fs::create_directories(ours_);
    write(work_ + "/launch_container.sh", "#!/bin/bash\necho\n");
    chmod((work_ + "/launch_container.sh").c_str(), 0700);
  }

  static void write(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
  }

  /// The lines of a recorded launch script that keep the debug files, for another log directory.
  static std::string recorded_commands(const std::string& log_dir) {
    std::string text = read_file(std::string(HEDDLE_TEST_DATA) + "/launch-mr-am.sh");
    constexpr std::string_view kFirst = "cp \"launch_container.sh\" \"";
    text = text.substr(text.find(kFirst));
    text = text.substr(0, text.find("echo \"Launching container\""));
    const std::string recorded_dir =
        text.substr(kFirst.size(), text.find("/launch_container.sh\"\n") - kFirst.size());
    for (auto at = text.find(recorded_dir); at != std::string::npos; at = text.find(recorded_dir)) {
      text.replace(at, recorded_dir.size(), log_dir);
    }
    return text;
  }

  /// Runs a program in the work directory; its exit code.
  int run(std::vector<std::string> arguments, const std::string& complaints = "/dev/null") {
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      const int file = open(complaints.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      dup2(file, STDERR_FILENO);
      if (chdir(work_.c_str()) != 0) _exit(99);
      execv(argv[0], argv.data());
      _exit(98);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int run_ours(const std::string& complaints = "/dev/null") {
    return run({program_dir() + "/heddle-debug-files", ours_}, complaints);
  }
  void run_theirs() { run({"/bin/bash", "-c", recorded_commands(theirs_)}); }

  TempDir dir_;
  const std::string work_ = dir_.path() + "/work";
  const std::string theirs_ = dir_.path() + "/theirs";
  const std::string ours_ = dir_.path() + "/ours";
};

TEST_F(DebugFiles, AreThoseThatTheRecordedCommandsWrite) {
  fs::create_directories(work_ + "/a/b/c/d/e/f");  // deeper than what is listed
  write(work_ + "/a/b/c/d/e/f/unseen", "");
  write(work_ + "/large", std::string(3'000'000, 'x'));
  write(work_ + "/a name with blanks", "x");
  write(work_ + "/\xc3\xa9 \"\\\n\b\r\t\f\x01", "x");
  write(work_ + "/.hidden", "x");
  write(work_ + "/old", "x");
  const utimbuf long_ago{1'000'000'000, 1'000'000'000};
  utime((work_ + "/old").c_str(), &long_ago);
  write(work_ + "/odd-mode", "x");
  chmod((work_ + "/odd-mode").c_str(), 07640);
  chmod((work_ + "/tmp").c_str(), 01777);
  mkfifo((work_ + "/pipe").c_str(), 0600);
  write(dir_.path() + "/target", "localized");
  fs::create_directories(dir_.path() + "/archive/lib");
  write(dir_.path() + "/archive/lib/a.jar", "jar");
  fs::create_symlink(dir_.path() + "/target", work_ + "/job.xml");
  fs::create_symlink(dir_.path() + "/archive", work_ + "/archive");
  fs::create_symlink("/no/such/file", work_ + "/broken");
  fs::create_symlink("nowhere", work_ + "/a/broken too");

  run_theirs();
  EXPECT_EQ(run_ours(), 0);
  EXPECT_EQ(read_file(ours_ + "/directory.info"), read_file(theirs_ + "/directory.info"));
  EXPECT_EQ(read_file(ours_ + "/launch_container.sh"), "#!/bin/bash\necho\n");
  struct stat info {};
  ASSERT_EQ(stat((ours_ + "/launch_container.sh").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0640U);
}

TEST_F(DebugFiles, LeaveOutADirectoryThatIsAboveItself) {
  fs::create_directory(work_ + "/a");
  fs::create_symlink("..", work_ + "/a/up");
  fs::create_symlink("itself", work_ + "/itself");
  run_theirs();
  EXPECT_EQ(run_ours(dir_.path() + "/said"), 0);
  EXPECT_EQ(read_file(ours_ + "/directory.info"), read_file(theirs_ + "/directory.info"));
  EXPECT_THAT(read_file(dir_.path() + "/said"), testing::HasSubstr("leaves out ./a/up"));
}

TEST_F(DebugFiles, ThatCannotBeWrittenFailNothing) {
  fs::remove_all(ours_);
  EXPECT_EQ(run_ours(dir_.path() + "/said"), 0);
  EXPECT_THAT(read_file(dir_.path() + "/said"), testing::HasSubstr("cannot write"));
}

TEST_F(DebugFiles, DoNotFollowALinkInTheLogDirectory) {
  write(dir_.path() + "/precious", "kept");
  fs::create_symlink(dir_.path() + "/precious", ours_ + "/directory.info");
  fs::create_symlink(dir_.path() + "/precious", ours_ + "/launch_container.sh");
  EXPECT_EQ(run_ours(), 0);
  EXPECT_EQ(read_file(dir_.path() + "/precious"), "kept");
}

}  // namespace
}  // namespace heddle::nm
