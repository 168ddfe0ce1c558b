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
using testlib::hosts_of;

TEST(Placement, AnAskIsServedByTheVeryNextSchedule) {
  auto cluster = ClusterBuilder{}.nodes(2, "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 3, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(3));
  EXPECT_FALSE(cluster.scheduler.has_work());
}

TEST(Placement, GoesRoundTheNodes) {
  auto cluster = ClusterBuilder{}.nodes(3, "8GB 8c").build();
  cluster.ask(cluster.running_app("default"), 4, "1GB 1c");
  EXPECT_THAT(hosts_of(cluster.schedule()), ElementsAre("n1", "n2", "n3", "n1"));
}

TEST(Placement, PrefersTheListedHostThenItsRackThenAnyNode) {
  auto cluster = ClusterBuilder{}
                     .node("far", "8GB 8c", "/r2")
                     .node("near", "1GB 8c", "/r1")
                     .node("mate", "1GB 8c", "/r1")
                     .build();
  cluster.ask_near(cluster.running_app("default"), 3, "1GB 1c", "near", "/r1");
  const auto grants = cluster.schedule();
  EXPECT_THAT(hosts_of(grants), ElementsAre("near", "mate", "far"));
  EXPECT_EQ(grants[0].locality, Locality::kNodeLocal);
  EXPECT_EQ(grants[1].locality, Locality::kRackLocal);
  EXPECT_EQ(grants[2].locality, Locality::kOffSwitch);
}

TEST(Placement, AHostWithoutRelaxedLocalityIsWaitedFor) {
  auto cluster = ClusterBuilder{}.node("near", "1GB 8c").node("far", "8GB 8c").build();
  const AppId first = cluster.running_app("default");
  cluster.ask(first, 1, "1GB 1c", {.at = "near"});
  cluster.ask(first, 1, "1GB 1c", {.relax = false});
  const auto held = cluster.schedule();
  ASSERT_THAT(hosts_of(held), ElementsAre("near"));

  const AppId second = cluster.running_app("default");
  cluster.ask(second, 1, "1GB 1c", {.at = "near"});
  cluster.ask(second, 1, "1GB 1c", {.relax = false});
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  EXPECT_THAT(cluster.scheduler.explain(second), HasSubstr("no node that the application accepts"));
  cluster.release(held[0]);
  EXPECT_THAT(hosts_of(cluster.schedule()), ElementsAre("near"));
}

TEST(Placement, AHostThatDoesNotExistIsDiagnosedAndWaitedFor) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "1GB 1c", {.at = "ghost"});
  cluster.ask(app, 1, "1GB 1c", {.relax = false});
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  EXPECT_THAT(cluster.scheduler.explain(app), HasSubstr("no such node: ghost; will wait"));
  cluster.scheduler.add_node({"ghost", 1}, "/rack", {4096, 4});
  EXPECT_THAT(hosts_of(cluster.schedule()), ElementsAre("ghost"));
}

TEST(Placement, ARackWithoutRelaxedLocalityKeepsOthersOut) {
  auto cluster = ClusterBuilder{}.node("a", "8GB 8c", "/r1").node("b", "2GB 8c", "/r2").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 5, "1GB 1c", {.at = "/r2"});
  cluster.ask(app, 5, "1GB 1c", {.relax = false});
  EXPECT_THAT(hosts_of(cluster.schedule()), ElementsAre("b", "b"));
}

TEST(Placement, NeverUsesABlacklistedHostOrRack) {
  auto cluster = ClusterBuilder{}
                     .node("a", "8GB 8c", "/r1")
                     .node("b", "8GB 8c", "/r2")
                     .node("c", "2GB 8c", "/r3")
                     .build();
  const AppId app = cluster.running_app("default");
  const std::vector<std::string> bad = {"a", "/r2"};
  cluster.scheduler.update_blacklist(first_attempt(app), bad, {});
  cluster.ask(app, 4, "1GB 1c");
  EXPECT_THAT(hosts_of(cluster.schedule()), ElementsAre("c", "c"));
  cluster.scheduler.update_blacklist(first_attempt(app), {}, std::vector<std::string>{"a"});
  EXPECT_THAT(hosts_of(cluster.schedule()), ElementsAre("a", "a"));
}

TEST(Placement, OneApplicationsBlacklistDoesNotHinderAnother) {
  auto cluster = ClusterBuilder{}.node("a", "8GB 8c").build();
  const AppId picky = cluster.running_app("default");
  const AppId other = cluster.running_app("default");
  cluster.scheduler.update_blacklist(first_attempt(picky), std::vector<std::string>{"a"}, {});
  cluster.ask(picky, 1, "1GB 1c");
  cluster.ask(other, 1, "1GB 1c");
  const auto grants = cluster.schedule();
  EXPECT_EQ(count_for(grants, other), 1u);
  EXPECT_EQ(count_for(grants, picky), 0u);
}

TEST(Placement, SmallerPriorityNumbersComeFirst) {
  auto cluster = ClusterBuilder{}.node("n1", "1GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "1GB 1c", {.priority = 20});
  cluster.ask(app, 1, "1GB 1c", {.priority = 5});
  const auto grants = cluster.schedule();
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].priority, 5);
}

TEST(Placement, AskThatFitsPassesOneOfTheSameApplicationThatDoesNot) {
  auto cluster = ClusterBuilder{}.node("n1", "2GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "4GB 1c", {.priority = 1});
  cluster.ask(app, 1, "1GB 1c", {.priority = 2});
  const auto grants = cluster.schedule();
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].priority, 2);
}

TEST(Placement, GrantsCarryTheAllocationRequestId) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "1GB 1c", {.request_id = 8});
  cluster.ask(app, 1, "2GB 1c", {.request_id = 7});
  const auto grants = cluster.schedule();
  ASSERT_THAT(grants, SizeIs(2));
  EXPECT_EQ(grants[0].allocation_request_id, 7);
  EXPECT_EQ(grants[0].resources.memory_mb(), 2048);
  EXPECT_EQ(grants[1].allocation_request_id, 8);
}

TEST(Placement, ANewNumberReplacesTheOldOne) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 5, "1GB 1c");
  cluster.ask(app, 2, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(2));
  cluster.ask(app, 3, "1GB 1c");
  cluster.ask(app, 0, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  EXPECT_EQ(cluster.scheduler.app(app)->pending_containers, 0);
}

TEST(Placement, SizesAreRoundedUpAndCutToTheLargest) {
  auto cluster = ClusterBuilder{}.limits("1GB 1c", "8GB 4c").node("n1", "64GB 8c").build();
  const QueuePath queue("root.default");
  const auto& scheduler = cluster.scheduler;
  EXPECT_EQ(scheduler.normalize({1, 1}, queue).memory_mb(), 1024);
  EXPECT_EQ(scheduler.normalize({1025, 1}, queue).memory_mb(), 2048);
  EXPECT_EQ(scheduler.normalize({9000, 1}, queue).memory_mb(), 8192);
  EXPECT_EQ(scheduler.normalize({INT64_MAX, 1}, queue).memory_mb(), 8192);
  EXPECT_EQ(scheduler.normalize({-5, 1}, queue).memory_mb(), 1024);
}

TEST(Placement, MemoryOnlyCountsOneVcoreAndIgnoresVcoresOfNodes) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 1c").build();
  cluster.ask(cluster.running_app("default"), 3, "1GB 4c");
  const auto grants = cluster.schedule();
  ASSERT_THAT(grants, SizeIs(3));
  EXPECT_EQ(grants[0].resources, Resources(1024, 1));
}

TEST(Placement, DominantCountsEveryType) {
  auto cluster = ClusterBuilder{}
                     .setting("resource-calculator",
                              "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator")
                     .node("n1", "8GB 8c")
                     .build();
  cluster.ask(cluster.running_app("default"), 3, "1GB 4c");
  EXPECT_THAT(cluster.schedule(), SizeIs(2));
}

TEST(Placement, AnUnknownLabelIsRefusedByNameAndChangesNothing) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  std::vector<Ask> asks(2);
  asks[0].num_containers = asks[1].num_containers = 1;
  asks[0].capability = asks[1].capability = {1024, 1};
  asks[1].label_expression = "gpu";
  const auto result = cluster.scheduler.update_asks(first_attempt(app), asks);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(cluster.schedule(), IsEmpty());
}

TEST(Placement, AHugeNumberOfContainersIsHarmless) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, INT32_MAX, "1000GB 1c");
  cluster.ask(app, INT32_MIN, "1000GB 1c", {.priority = 2});
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Placement, AHugeAmountOfATypeWithoutAMaximumIsHarmless) {
  Limits limits{.minimum = {1024, 1}, .maximum = {8192, 8}, .increment = {1024, 1}};
  limits.type_count = 3;
  limits.maximum.amount[2] = INT64_MAX;
  auto cluster = ClusterBuilder{}
                     .setting("resource-calculator", "DominantResourceCalculator")
                     .node("n1", "8GB 8c")
                     .build();
  auto config = cluster.scheduler.config();
  config.root.children[0].maximum_allocation = limits.maximum;
  ASSERT_TRUE(cluster.scheduler.configure(config, limits));
  Ask ask;
  ask.num_containers = INT32_MAX;
  ask.capability = {1024, 1};
  ask.capability.amount[2] = INT64_MAX;
  const auto kept = cluster.scheduler.normalize(ask.capability, QueuePath("root.default"));
  EXPECT_LT(kept.amount[2], std::int64_t{1} << 42);
  EXPECT_GT(kept.amount[2], std::int64_t{1} << 40) << "what a node may have at most";
  const AppId app = cluster.running_app("default");
  ASSERT_TRUE(cluster.scheduler.update_asks(first_attempt(app), std::vector<Ask>{ask}));
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  ask.num_containers = 0;
  ASSERT_TRUE(cluster.scheduler.update_asks(first_attempt(app), std::vector<Ask>{ask}));
  EXPECT_TRUE(cluster.scheduler.app(app)->pending.is_zero());
}

TEST(Placement, UnusableNodesGetNothingUntilTheyAreUsableAgain) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 8c").build();
  cluster.scheduler.set_node_usable({"n1", 1}, false);
  cluster.ask(cluster.running_app("default"), 1, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  cluster.scheduler.set_node_usable({"n1", 1}, true);
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
}

TEST(Placement, ANodeThatGrowsServesWhatWaited) {
  auto cluster = ClusterBuilder{}.node("n1", "1GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "2GB 1c");
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  cluster.scheduler.update_node({"n1", 1}, {4096, 8});
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
}

TEST(Placement, ARemovedNodesContainersStayChargedUntilReleased) {
  auto cluster = ClusterBuilder{}.nodes(2, "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "1GB 1c");
  const auto grants = cluster.schedule();
  cluster.scheduler.remove_node(grants[0].node);
  EXPECT_EQ(cluster.containers(app), 1u);
  cluster.release(grants[0]);
  EXPECT_EQ(cluster.containers(app), 0u);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Placement, LateNewsOfUnknownThingsAreIgnored) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 8c").build();
  const AttemptId nobody{{1, 99}, 1};
  cluster.scheduler.release(0);
  cluster.scheduler.release(12345);
  cluster.scheduler.resize_container(12345, {1024, 1});
  cluster.scheduler.remove_node({"ghost", 1});
  cluster.scheduler.remove_app(nobody.app);
  cluster.scheduler.end_attempt(nobody);
  EXPECT_EQ(cluster.scheduler.node({"n1", 1})->free.memory_mb(), 8192);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Placement, RecoveredContainersAreCharged) {
  auto cluster = ClusterBuilder{}.node("n1", "4GB 8c").build();
  const AppId app = cluster.running_app("default");
  const HoldId hold = cluster.scheduler.recover_container(first_attempt(app), {"n1", 1}, {3072, 1});
  cluster.ask(app, 5, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
  cluster.scheduler.release(hold);
  EXPECT_THAT(cluster.schedule(), SizeIs(3));
}

TEST(Placement, AContainerIsReleasedOnce) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "1GB 1c");
  const auto grants = cluster.schedule();
  cluster.release(grants[0]);
  cluster.ask(app, 1, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
  cluster.release(grants[0]);  // its place is another container's now
  EXPECT_EQ(cluster.containers(app), 1u);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Placement, AContainerThatGrowsTakesTheRoomOnItsNode) {
  auto cluster = ClusterBuilder{}.node("n1", "4GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "1GB 1c");
  const auto grants = cluster.schedule();
  cluster.scheduler.resize_container(grants[0].hold, {3072, 1});
  cluster.ask(app, 5, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
  cluster.scheduler.resize_container(grants[0].hold, {2048, 1});
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Placement, GrantsMaxCutsShortAndWorkGoesOn) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 8c").build();
  cluster.ask(cluster.running_app("default"), 5, "1GB 1c");
  EXPECT_THAT(cluster.schedule(2), SizeIs(2));
  EXPECT_TRUE(cluster.scheduler.has_work());
  EXPECT_THAT(cluster.schedule(), SizeIs(3));
}

TEST(Placement, EndOfAnAttemptDropsItsAsksButNotItsContainers) {
  auto cluster = ClusterBuilder{}.node("n1", "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "1GB 1c");
  const auto grants = cluster.schedule();
  cluster.ask(app, 9, "1GB 1c");
  cluster.scheduler.end_attempt(first_attempt(app));
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  EXPECT_EQ(cluster.containers(app), 1u);
  cluster.release(grants[0]);
  EXPECT_EQ(cluster.containers(app), 0u);
}

}  // namespace
}  // namespace heddle::queues
