#include <gmock/gmock.h>

#include "nodemanager/health/disks.h"
#include "nodemanager/launch/process_tree.h"
#include "nodemanager/logs/aggregation.h"
#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

EndedContainer ended(std::int32_t exit_status, bool is_master = false) {
  return {ContainerId{}, exit_status, is_master};
}
LogRules policy(const std::string& name) {
  return {"", "",
          "org.apache.hadoop.yarn.server.nodemanager.containermanager.logaggregation." + name, ""};
}

TEST(LogPolicy, ChoosesContainersByHowTheyEnded) {
  EXPECT_TRUE(wants_logs({}, ended(0)));
  EXPECT_FALSE(wants_logs(policy("NoneContainerLogAggregationPolicy"), ended(1)));
  EXPECT_TRUE(wants_logs(policy("AMOnlyLogAggregationPolicy"), ended(0, true)));
  EXPECT_FALSE(wants_logs(policy("AMOnlyLogAggregationPolicy"), ended(1)));
  EXPECT_TRUE(wants_logs(policy("FailedContainerLogAggregationPolicy"), ended(1)));
  EXPECT_FALSE(wants_logs(policy("FailedContainerLogAggregationPolicy"), ended(137)));
  EXPECT_FALSE(wants_logs(policy("FailedContainerLogAggregationPolicy"), ended(143)));
  EXPECT_TRUE(wants_logs(policy("FailedContainerLogAggregationPolicy"), ended(-104)))
      << "as Hadoop judges: only what a signal ended counts as killed";
  EXPECT_TRUE(wants_logs(policy("FailedOrKilledContainerLogAggregationPolicy"), ended(-105)));
  EXPECT_TRUE(wants_logs(policy("FailedOrKilledContainerLogAggregationPolicy"), ended(143)));
  EXPECT_FALSE(wants_logs(policy("FailedOrKilledContainerLogAggregationPolicy"), ended(0)));
  EXPECT_TRUE(wants_logs(policy("AMOrFailedContainerLogAggregationPolicy"), ended(143, true)));
  EXPECT_TRUE(wants_logs(policy("AMOrFailedContainerLogAggregationPolicy"), ended(-105)));
  EXPECT_FALSE(wants_logs(policy("AMOrFailedContainerLogAggregationPolicy"), ended(143)));
}

TEST(LogFiles, AreTheRegularFilesSortedByName) {
  TempDir dir;
  std::ofstream(dir.path() + "/syslog") << "abc";
  std::ofstream(dir.path() + "/stdout");
  std::filesystem::create_directory(dir.path() + "/folder");
  std::filesystem::create_symlink("/etc/passwd", dir.path() + "/link");
  const auto files = files_in({dir.path()});
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name, "stdout");
  EXPECT_EQ(files[1].size, 3U);
}

TEST(Disks, AMissingDirectoryIsToldAndTheOthersAreUsed) {
  TempDir dir;
  const DiskRules rules{.utilization_max_percent = 100, .healthy_min_share = 0.5};
  const auto result = check_disks({dir.path(), "/nowhere/a"}, {dir.path()}, rules);
  EXPECT_TRUE(result.healthy);
  EXPECT_EQ(result.good_local_dirs, std::vector<std::string>{dir.path()});
  EXPECT_THAT(result.report, testing::HasSubstr("1/2 local-dirs are bad: /nowhere/a"));
}

TEST(Disks, TooFewGoodDirectoriesMakeTheNodeUnhealthy) {
  TempDir dir;
  const auto result = check_disks({"/nowhere/a"}, {dir.path()}, {.utilization_max_percent = 100});
  EXPECT_FALSE(result.healthy);
}

TEST(Disks, AFullDiskIsNotUsed) {
  TempDir dir;
  const auto result = check_disks({dir.path()}, {dir.path()}, {.utilization_max_percent = -1});
  EXPECT_FALSE(result.healthy);
  EXPECT_THAT(result.report, testing::HasSubstr("max-disk-utilization-per-disk-percentage"));
}

TEST(ProcessTree, HoldsDescendantsAndMembersOfTheSessionThatLostTheirParent) {
  TempDir proc;
  const auto add = [&](int pid, int parent, int session, const std::string& name) {
    std::filesystem::create_directory(proc.path() + "/" + std::to_string(pid));
    std::ofstream(proc.path() + "/" + std::to_string(pid) + "/stat")
        << pid << " (" << name << ") S " << parent << " " << session << " " << session
        << " 0 -1 0 0 0 0 0 2 3 0 0 20 0 1 0 50 4096 7 0 0\n";
  };
  add(10, 1, 10, "bash");
  add(11, 10, 10, "a) b (c");
  add(12, 11, 12, "fled");
  add(13, 1, 10, "orphan");
  add(14, 1, 14, "other");
  const auto tree = ProcessTable::read(proc.path()).tree(10);
  ASSERT_EQ(tree.size(), 4U);
  EXPECT_EQ(tree[0].pid, 10);
  const TreeUsage usage = usage_of(tree, 49);
  EXPECT_EQ(usage.virtual_bytes, 4 * 4096);
  EXPECT_EQ(usage.old_virtual_bytes, 0) << "all started after tick 49";
  EXPECT_EQ(usage.cpu_ticks, 20U);
}

}  // namespace
}  // namespace heddle::nm
