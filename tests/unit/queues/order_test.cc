// Who is served first: ordering policies, priorities of queues, and how many may run at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::count_for;
using testlib::first_attempt;

std::vector<AppId> apps_of(const std::vector<Grant>& grants) {
  std::vector<AppId> apps;
  apps.reserve(grants.size());
  for (const Grant& grant : grants)
    apps.push_back(grant.attempt.app);
  return apps;
}

Cluster by_priority(std::string_view policy) {
  const std::string line = "root.p capacity=100 ordering-policy=" + std::string(policy);
  return ClusterBuilder{}
      .queues(line + R"(
          root.p.low  capacity=50 user-limit-factor=-1
          root.p.high capacity=50 user-limit-factor=-1 priority=3)")
      .nodes(1, "8GB 8c")
      .build();
}

TEST(PriorityUtilization, TheHigherPriorityComesFirstWhileBothAreBelowTheirGuarantee) {
  auto cluster = by_priority("priority-utilization");
  const AppId low = cluster.running_app("low");
  const AppId high = cluster.running_app("high");
  cluster.ask(low, 8, "1GB 1c");
  cluster.ask(high, 8, "1GB 1c");
  EXPECT_EQ(count_for(cluster.schedule(4), high), 4u);
}

TEST(PriorityUtilization, WhoeverIsBelowItsGuaranteeComesBeforeAHigherPriorityAboveIt) {
  auto cluster = by_priority("priority-utilization");
  const AppId low = cluster.running_app("low");
  const AppId high = cluster.running_app("high");
  cluster.ask(high, 4, "1GB 1c");
  cluster.schedule();
  cluster.ask(low, 8, "1GB 1c");
  cluster.ask(high, 8, "1GB 1c");
  EXPECT_EQ(count_for(cluster.schedule(), low), 4u);
}

TEST(PriorityUtilization, AboveTheirGuaranteesTheHigherPriorityComesFirstAgain) {
  auto cluster = by_priority("priority-utilization");
  const AppId low = cluster.running_app("low");
  const AppId high = cluster.running_app("high");
  cluster.ask(low, 4, "1GB 1c");
  cluster.ask(high, 4, "1GB 1c");
  cluster.schedule();
  cluster.scheduler.add_node({"late", 1}, "/rack", {1024, 8});
  // 9 GB: 4.5 each are guaranteed, so one more each is within reach; the ninth goes up first.
  cluster.ask(low, 4, "1GB 1c");
  cluster.ask(high, 4, "1GB 1c");
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{high}));
}

TEST(Utilization, DoesNotLookAtPriorities) {
  auto cluster = by_priority("utilization");
  const AppId low = cluster.running_app("low");
  const AppId high = cluster.running_app("high");
  cluster.ask(low, 8, "1GB 1c");
  cluster.ask(high, 8, "1GB 1c");
  const auto grants = cluster.schedule(4);
  EXPECT_EQ(count_for(grants, low), 2u);
  EXPECT_EQ(count_for(grants, high), 2u);
}

TEST(FairOrder, ServesWhoHoldsTheLeast) {
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=100 user-limit-factor=-1 ordering-policy=fair")
                     .nodes(1, "9GB 9c")
                     .build();
  const AppId first = cluster.running_app("a");
  const AppId second = cluster.running_app("a");
  cluster.ask(first, 5, "1GB 1c");
  EXPECT_THAT(cluster.schedule(3), SizeIs(3));
  cluster.ask(second, 9, "1GB 1c");
  EXPECT_EQ(apps_of(cluster.schedule(3)), (std::vector{second, second, second}));
  EXPECT_EQ(apps_of(cluster.schedule(3)), (std::vector{first, second, first}))
      << "equal ones by submission";
}

TEST(FairOrder, ReleasesCountToo) {
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=100 user-limit-factor=-1 ordering-policy=fair")
                     .nodes(1, "4GB 4c")
                     .build();
  const AppId first = cluster.running_app("a");
  const AppId second = cluster.running_app("a");
  cluster.ask(first, 9, "1GB 1c");
  cluster.ask(second, 9, "1GB 1c");
  for (const Grant& grant : cluster.schedule()) {
    if (grant.attempt.app == second) cluster.release(grant);
  }
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{second, second}));
}

// 4 GB held and 4 wanted: 4096 / log2(8193) = 315; 3 GB held and none wanted any more but one:
// 3072 / log2(4097) = 256. With sizes the large application goes on while it holds 4 to 3.
TEST(FairOrder, BySizeLetsTheLargerDemandHoldMore) {
  const auto order = [](std::string_view by_size) {
    auto cluster = ClusterBuilder{}
                       .queues(
                           "root.a capacity=100 user-limit-factor=-1 ordering-policy=fair "
                           "ordering-policy.fair.enable-size-based-weight=" +
                           std::string(by_size))
                       .nodes(1, "64GB 64c")
                       .build();
    const AppId small = cluster.running_app("a");
    const AppId large = cluster.running_app("a");
    cluster.ask(small, 10, "1GB 1c");
    cluster.schedule();
    cluster.ask(large, 11, "1GB 1c");
    cluster.schedule();
    cluster.ask(small, 1, "1GB 1c");
    cluster.ask(large, 1000, "1GB 1c");
    return apps_of(cluster.schedule(1)) == std::vector{large} ? "large" : "small";
  };
  EXPECT_EQ(order("false"), std::string("small"));
  EXPECT_EQ(order("true"), std::string("large"));
}

TEST(ParallelApps, WaitUntilOneOfTheQueueEnds) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=100 user-limit-factor=-1 "
                         "maximum-am-resource-percent=1 max-parallel-apps=2")
                     .nodes(1, "8GB 8c")
                     .build();
  const AppId one = cluster.app_with_am("a", "1GB 1c");
  const AppId two = cluster.app_with_am("a", "1GB 1c");
  const AppId three = cluster.app_with_am("a", "1GB 1c");
  const AppId four = cluster.app_with_am("a", "1GB 1c");
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{one, two}));
  EXPECT_THAT(cluster.scheduler.explain(three),
              HasSubstr("queue root.a runs 2 applications at a time and no more"));
  cluster.scheduler.end_attempt(first_attempt(one));
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{three})) << "in order of submission";
  cluster.scheduler.remove_app(two);
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{four}));
}

TEST(ParallelApps, OfAParentCountThoseOfAllItsLeaves) {
  auto cluster = ClusterBuilder{}
                     .queues(R"(root.p   capacity=100 max-parallel-apps=1
                                root.p.a capacity=50 maximum-am-resource-percent=1
                                root.p.b capacity=50 maximum-am-resource-percent=1)")
                     .nodes(1, "8GB 8c")
                     .build();
  const AppId one = cluster.app_with_am("a", "1GB 1c");
  const AppId two = cluster.app_with_am("b", "1GB 1c");
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{one}));
  cluster.scheduler.remove_app(one);
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{two}));
}

TEST(ParallelApps, OfAUserCountThoseOfAllQueuesAndHoldNobodyElseBack) {
  auto cluster = ClusterBuilder{}
                     .queues(R"(root.a capacity=50 maximum-am-resource-percent=1
                                root.b capacity=50 maximum-am-resource-percent=1)")
                     .setting("user.ann.max-parallel-apps", "1")
                     .nodes(1, "8GB 8c")
                     .build();
  const AppId one = cluster.app_with_am("a", "1GB 1c", "ann");
  const AppId two = cluster.app_with_am("b", "1GB 1c", "ann");
  const AppId bob = cluster.app_with_am("b", "1GB 1c", "bob");
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{one, bob}));
  EXPECT_THAT(cluster.scheduler.explain(two), HasSubstr("user ann may run 1 applications"));
  cluster.scheduler.remove_app(one);
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{two}));
}

TEST(ParallelApps, AHeldApplicationMayMoveToAQueueThatLetsItRun) {
  auto cluster = ClusterBuilder{}
                     .queues(R"(root.a capacity=50 maximum-am-resource-percent=1 max-parallel-apps=1
                                root.b capacity=50 maximum-am-resource-percent=1)")
                     .nodes(1, "8GB 8c")
                     .build();
  cluster.app_with_am("a", "1GB 1c");
  const AppId held = cluster.app_with_am("a", "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
  ASSERT_TRUE(cluster.scheduler.move_app(held, "b"));
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{held}));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(ParallelApps, ALargerLimitLetsTheHeldOnesGoAtTheRefresh) {
  const auto with = [](std::string_view limit) {
    return ClusterBuilder{}
        .queues("root.a capacity=100 maximum-am-resource-percent=1 max-parallel-apps=" +
                std::string(limit))
        .nodes(1, "8GB 8c")
        .build();
  };
  auto cluster = with("1");
  cluster.app_with_am("a", "1GB 1c");
  const AppId two = cluster.app_with_am("a", "1GB 1c");
  cluster.schedule();
  Limits limits{.minimum = {1024, 1}, .maximum = {1 << 20, 1 << 10}, .increment = {1024, 1}};
  ASSERT_TRUE(cluster.scheduler.configure(with("2").scheduler.config(), limits));
  EXPECT_EQ(apps_of(cluster.schedule()), (std::vector{two}));
}

}  // namespace
}  // namespace heddle::queues
