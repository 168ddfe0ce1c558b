#include "nodemanager/cgroup/cgroup.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

const ContainerId kContainer{{{1700000000000, 1}, 1}, 1};
constexpr const char* kName = "/container_1700000000000_0001_01_000001";

/// Folders with the files that the kernel would make.
class CgroupFiles : public testing::Test {
 protected:
  void make(const std::string& folder, std::initializer_list<const char*> files) {
    std::filesystem::create_directories(dir_.path() + "/" + folder);
    for (const char* file : files)
      std::ofstream(dir_.path() + "/" + folder + "/" + file);
  }
  std::string content(const std::string& file) const { return read_file(dir_.path() + "/" + file); }

  TempDir dir_;
};

TEST_F(CgroupFiles, Version1LimitsMemoryAndCpuInTheirOwnTrees) {
  make(std::string("memory/yarn") + kName, {"memory.limit_in_bytes", "memory.soft_limit_in_bytes"});
  make(std::string("cpu/yarn") + kName, {"cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us"});
  auto groups = open_cgroups(
      {.root = dir_.path(), .hierarchy = "/yarn", .memory = true, .cpu = true, .strict_cpu = true});
  ASSERT_TRUE(groups) << groups.error().message;
  const auto joined = (*groups)->create(kContainer, {.memory_mb = 100, .vcores = 2});
  ASSERT_TRUE(joined) << joined.error().message;
  EXPECT_EQ(joined->size(), 2U);
  EXPECT_EQ(content(std::string("memory/yarn") + kName + "/memory.limit_in_bytes"), "104857600");
  EXPECT_EQ(content(std::string("memory/yarn") + kName + "/memory.soft_limit_in_bytes"),
            "94371840");
  EXPECT_EQ(content(std::string("cpu/yarn") + kName + "/cpu.shares"), "2048");
  EXPECT_EQ(content(std::string("cpu/yarn") + kName + "/cpu.cfs_quota_us"), "200000");
  ASSERT_TRUE((*groups)->resize(kContainer, {.memory_mb = 300, .vcores = 4}));
  EXPECT_EQ(content(std::string("memory/yarn") + kName + "/memory.limit_in_bytes"), "314572800");
  EXPECT_EQ(content(std::string("cpu/yarn") + kName + "/cpu.shares"), "4096");
}

TEST_F(CgroupFiles, Version2LimitsBothInOneGroup) {
  make("", {"cgroup.controllers", "cgroup.subtree_control"});
  make("yarn", {"cgroup.subtree_control"});
  make(std::string("yarn") + kName, {"memory.max", "memory.low", "cpu.weight", "memory.events"});
  auto groups =
      open_cgroups({.root = dir_.path(), .hierarchy = "/yarn", .memory = true, .cpu = true});
  ASSERT_TRUE(groups) << groups.error().message;
  ASSERT_TRUE((*groups)->create(kContainer, {.memory_mb = 100, .vcores = 2}));
  EXPECT_EQ(content("cgroup.subtree_control"), "+memory +cpu");
  EXPECT_EQ(content(std::string("yarn") + kName + "/memory.max"), "104857600");
  EXPECT_EQ(content(std::string("yarn") + kName + "/cpu.weight"), "200");
  ASSERT_TRUE((*groups)->resize(kContainer, {.memory_mb = 300, .vcores = 4}));
  EXPECT_EQ(content(std::string("yarn") + kName + "/memory.max"), "314572800");
  EXPECT_EQ(content(std::string("yarn") + kName + "/cpu.weight"), "400");
  EXPECT_FALSE((*groups)->out_of_memory(kContainer));
  std::ofstream(dir_.path() + "/yarn" + kName + "/memory.events") << "low 0\noom_kill 1\n";
  EXPECT_TRUE((*groups)->out_of_memory(kContainer));
}

TEST_F(CgroupFiles, ATreeThatCannotBeWrittenIsRefusedWithTheFile) {
  const auto groups = open_cgroups({.root = dir_.path(), .hierarchy = "/yarn", .memory = true});
  ASSERT_FALSE(groups);
  EXPECT_THAT(groups.error().message, testing::HasSubstr(dir_.path() + "/memory/yarn"));
}

TEST_F(CgroupFiles, AHierarchyThatLeavesTheTreeIsRefused) {
  EXPECT_FALSE(open_cgroups({.root = dir_.path(), .hierarchy = "/../x", .memory = true}));
}

TEST_F(NodeTest, TheKernelEndsAContainerOverItsMemoryAndItsGroupGoes) {
  config_.cgroups.memory = true;
  config_.cgroups.hierarchy = "/heddle-test-" + std::to_string(getpid());
  const auto possible = open_cgroups(config_.cgroups);
  if (!possible) GTEST_SKIP() << "no cgroups here: " << possible.error().message;
  start();
  auto hungry = request(1, "x=\\$(head -c 200000000 /dev/zero | tr '\\\\0' a); sleep 1000");
  hungry.grant.resources = Resources(32, 1);
  const auto ended = run_to_end(hungry);
  EXPECT_EQ(ended.exit_status, 137) << ended.diagnostics;
  EXPECT_THAT(ended.diagnostics, testing::HasSubstr("Memory limit of 32 MB"));
  const std::string group = config_.cgroups.root + "/memory" + config_.cgroups.hierarchy;
  EXPECT_NE(access((group + kName).c_str(), F_OK), 0) << "its group is still there";
  rmdir(group.c_str());
}

}  // namespace
}  // namespace heddle::nm
