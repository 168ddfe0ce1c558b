#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/scenario/runner.h"

namespace heddle::scenario {
namespace {

std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(HEDDLE_SCENARIOS)) {
    if (entry.path().extension() == ".scenario") names.push_back(entry.path().string());
  }
  std::ranges::sort(names);
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).stem().string();
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class Scenario : public testing::TestWithParam<std::string> {};

TEST_P(Scenario, GoesAsTheFileSays) {
  std::ifstream in(GetParam());
  ASSERT_TRUE(in) << GetParam();
  EXPECT_EQ(run_scenario(in, GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(Files, Scenario, testing::ValuesIn(files()), test_name);

std::string run_text(const std::string& text) {
  std::istringstream in("rule https://hadoop.apache.org/\n" + text);
  return run_scenario(in, "x");
}

TEST(ScenarioLanguage, AWrongExpectationFailsWithFileAndLine) {
  EXPECT_EQ(run_text("queue root.a capacity=100\nnodes 1 4GB,4c\napp one queue=a\n"
                     "ask one 2 1GB,1c\nplace\nexpect placed one 3\n"),
            "x:7: 2 placed, 3 expected; placed were one@n1 one@n1");
}

TEST(ScenarioLanguage, AnUnknownWordIsAFault) {
  EXPECT_EQ(run_text("preempt one\n"), "x:2: unknown word \"preempt\"");
}

TEST(ScenarioLanguage, ARefusalThatNobodyExpectsIsAFault) {
  const std::string fault = run_text(
      "queue root.a capacity=100\nnodes 1 4GB,4c\napp one queue=b\nplace\nexpect placed nothing\n");
  EXPECT_TRUE(fault.starts_with("x:5: the line before was refused: ")) << fault;
}

TEST(ScenarioLanguage, AFileWithoutExpectationsIsAFault) {
  EXPECT_EQ(run_text("queue root.a capacity=100\nnodes 1 4GB,4c\n"), "x:3: nothing is expected");
}

}  // namespace
}  // namespace heddle::scenario
