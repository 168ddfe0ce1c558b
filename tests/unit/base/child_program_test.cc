// Programs that are run for what they print. /bin/sh stands for any program.
#include "base/child_program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace heddle {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Result<std::string> run(const std::string& script, const ChildProgramLimits& limits = {}) {
  return output_of({"/bin/sh", "-c", script, "sh", "one", "two words"}, limits);
}

TEST(ChildProgram, GivesWhatItPrints) {
  EXPECT_EQ(run("echo \"$#:$2\"; echo aside >&2").value(), "2:two words\n");
}

TEST(ChildProgram, ThatFailsIsAnErrorWithItsLastWords) {
  const auto failed = run("echo useless; echo 'no such host' >&2; exit 3");
  EXPECT_EQ(failed.error().message, "/bin/sh: ended with status 3: no such host");
}

TEST(ChildProgram, ThatIsKilledIsAnError) {
  EXPECT_THAT(run("kill -9 $$").error().message, HasSubstr("was ended by signal 9"));
}

TEST(ChildProgram, ThatIsNotThereIsAnError) {
  EXPECT_THAT(output_of({"/no/such/program"}).error().message,
              HasSubstr("cannot be started: No such file"));
}

TEST(ChildProgram, ThatPrintsWithoutEndIsEnded) {
  EXPECT_THAT(run("while :; do echo again; done", {.output_max = 1000}).error().message,
              HasSubstr("printed more than 1000 bytes"));
  EXPECT_THAT(run("while :; do echo again >&2; done", {.output_max = 1000}).error().message,
              HasSubstr("printed more than 1000 bytes"));
}

TEST(ChildProgram, ThatDoesNotEndIsEnded) {
  EXPECT_THAT(run("read forever </dev/zero", {.patience = 20ms}).error().message,
              HasSubstr("did not end within 0 s"));
  EXPECT_THAT(run("exec >&- 2>&-; while :; do :; done", {.patience = 20ms}).error().message,
              HasSubstr("did not end within"))
      << "its outputs are closed";
}

TEST(ChildProgram, HasNoneOfOurDescriptorsAndNothingToRead) {
  const int ours = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  const std::string there = "[ -e /proc/self/fd/" + std::to_string(ours) + " ] && echo there; ";
  EXPECT_EQ(run(there + "cat").value(), "");
  ::close(ours);
}

TEST(ChildProgram, MayWriteMuchToBothOutputs) {
  const auto said = run("head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero");
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_EQ(said->size(), 300'000U);
}

}  // namespace
}  // namespace heddle
