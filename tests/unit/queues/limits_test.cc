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

constexpr const char* kTwo = R"(
    root.prod capacity=75 user-limit-factor=-1
    root.dev  capacity=25 user-limit-factor=-1)";

std::string refusal(const Result<QueuePath>& result) {
  return result ? "accepted" : result.error().message;
}

// Found by the simulator's oracle: the share that the one who moved leaves was not looked at.
TEST(Queues, WhoMovesAwayLeavesHisShareOfMastersToHisOtherApplications) {
  auto cluster =
      ClusterBuilder{}
          .queues(R"(root.a capacity=50 user-limit-factor=1 maximum-am-resource-percent=0.5
                                root.b capacity=50 user-limit-factor=1)")
          .nodes(1, "8GB 8c")
          .build();
  const AppId first = cluster.app_with_am("a", "2GB 1c");
  const AppId second = cluster.app_with_am("a", "2GB 1c");
  EXPECT_EQ(count_for(cluster.schedule(), first), 1u);
  ASSERT_TRUE(cluster.scheduler.move_app(first, "b"));
  EXPECT_EQ(count_for(cluster.schedule(), second), 1u);
}

// Found by the simulator's oracle: his applications that waited there were not looked at again.
TEST(Queues, WhoMovesInCountsForHisUsersShareOfMasters) {
  auto cluster = ClusterBuilder{}
                     .queues(R"(root.a capacity=50
                                root.b capacity=50 maximum-am-resource-percent=0.25 minimum-user-limit-percent=50)")
                     .nodes(1, "16GB 16c")
                     .build();
  const AppId large = cluster.app_with_am("b", "4GB 1c", "ann");
  const AppId waits = cluster.app_with_am("b", "1GB 1c", "bob");
  EXPECT_FALSE(cluster.scheduler.app(waits)->active) << "the queue's share is used";
  ASSERT_TRUE(cluster.scheduler.move_app(cluster.app_with_am("a", "1GB 1c", "bob"), "b"));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  cluster.scheduler.end_attempt(testlib::first_attempt(large));
  EXPECT_FALSE(cluster.scheduler.app(waits)->active) << "bob's share is used";
}

TEST(Queues, ShareTheClusterByTheirCapacities) {
  auto cluster = ClusterBuilder{}.queues(kTwo).nodes(4, "4GB 8c").build();
  const AppId prod = cluster.running_app("prod");
  const AppId dev = cluster.running_app("dev");
  cluster.ask(prod, 100, "1GB 1c");
  cluster.ask(dev, 100, "1GB 1c");
  const auto grants = cluster.schedule();
  EXPECT_EQ(count_for(grants, prod), 12u);
  EXPECT_EQ(count_for(grants, dev), 4u);
}

TEST(Queues, UseWhatOthersLeaveIdle) {
  auto cluster = ClusterBuilder{}.queues(kTwo).nodes(4, "4GB 8c").build();
  const AppId dev = cluster.running_app("dev");
  cluster.ask(dev, 100, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(16));
}

TEST(Queues, StopAtTheirMaximumAndGoOnWhenRoomReturns) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=25 maximum-capacity=50 user-limit-factor=-1\n"
                         "root.b capacity=75")
                     .nodes(1, "8GB 8c")
                     .build();
  const AppId app = cluster.running_app("a");
  cluster.ask(app, 100, "1GB 1c");
  const auto grants = cluster.schedule();
  EXPECT_THAT(grants, SizeIs(4));
  EXPECT_THAT(cluster.scheduler.explain(app),
              HasSubstr("queue root.a uses <memory:4096, vCores:4> of at most"));
  cluster.release(grants[0]);
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
}

TEST(Queues, AParentsMaximumHoldsForAllItsChildrenTogether) {
  auto cluster = ClusterBuilder{}
                     .queues(R"(root.p   capacity=50 maximum-capacity=50
                                root.p.a capacity=50 user-limit-factor=-1
                                root.p.b capacity=50 user-limit-factor=-1
                                root.q   capacity=50)")
                     .nodes(2, "8GB 8c")
                     .build();
  const AppId a = cluster.running_app("a");
  const AppId b = cluster.running_app("b");
  cluster.ask(a, 100, "1GB 1c");
  cluster.ask(b, 100, "1GB 1c");
  const auto grants = cluster.schedule();
  EXPECT_EQ(count_for(grants, a), 4u);
  EXPECT_EQ(count_for(grants, b), 4u);
}

TEST(Queues, WeightsShareWhatTheParentHas) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=3w user-limit-factor=-1\n"
                         "root.b capacity=1w user-limit-factor=-1")
                     .nodes(1, "8GB 8c")
                     .build();
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.a"))->guaranteed.memory_mb(), 6144);
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.a"))->normalized_weight, 0.75);
}

TEST(Queues, AmountsShrinkWhenTheClusterIsSmaller) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=[memory=12288,vcores=4]\n"
                         "root.b capacity=[memory=4096,vcores=4]")
                     .nodes(1, "8GB 8c")
                     .build();
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.a"))->guaranteed, Resources(6144, 4));
  cluster.scheduler.add_node({"big", 1}, "/rack", {65536, 64});
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.a"))->guaranteed, Resources(12288, 4));
}

// The numbers of a recorded cluster of 8 GB: 60/30/10 %, AM share 0.5, user limit factor 2.
TEST(Queues, ShowTheNumbersThatHadoopShows) {
  auto cluster = ClusterBuilder{}
                     .queues(R"(
          root.default capacity=60 user-limit-factor=2 maximum-am-resource-percent=0.5
          root.alpha   capacity=30 user-limit-factor=2 maximum-am-resource-percent=0.5
          root.beta    capacity=10 user-limit-factor=2 maximum-am-resource-percent=0.5)")
                     .nodes(1, "8GB 8c")
                     .build();
  const AppId app = cluster.app_with_am("alpha", "2GB 1c", "root");
  cluster.schedule();
  cluster.ask(app, 3, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(3));
  const auto alpha = *cluster.scheduler.queue(QueuePath("root.alpha"));
  EXPECT_EQ(alpha.guaranteed, Resources(2457, 2));
  EXPECT_EQ(alpha.maximum, Resources(8192, 8));
  EXPECT_EQ(alpha.used, Resources(5120, 4));
  EXPECT_FLOAT_EQ(static_cast<float>(alpha.used_capacity), 2.083842F) << "of 2457 MB, not 2457.6";
  EXPECT_EQ(alpha.absolute_used_capacity, 0.625);
  EXPECT_EQ(alpha.maximum_apps, 3000);
  EXPECT_EQ(alpha.maximum_apps_per_user, 3000);
  EXPECT_EQ(alpha.am_limit, Resources(4096, 1));
  EXPECT_EQ(alpha.am_used, Resources(2048, 1));
  EXPECT_EQ(alpha.user_am_limit, Resources(3072, 1));
  ASSERT_THAT(alpha.users, SizeIs(1));
  EXPECT_EQ(alpha.users[0].limit.memory_mb(), 5120);
  const auto other = *cluster.scheduler.queue(QueuePath("root.default"));
  EXPECT_EQ(other.guaranteed, Resources(4915, 4));
  EXPECT_EQ(other.am_limit, Resources(4096, 1));
  EXPECT_EQ(other.maximum_apps, 6000);
}

TEST(Queues, UseOfATinyGuaranteeIsShownInSmallestContainers) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=1 maximum-capacity=100 user-limit-factor=-1\n"
                         "root.b capacity=99")
                     .nodes(1, "8GB 8c")
                     .build();
  cluster.ask(cluster.running_app("a"), 2, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(2));
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.a"))->used_capacity, 2);
}

TEST(Queues, ShowTheirUseByTheDominantResource) {
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=50 user-limit-factor=-1\nroot.b capacity=50")
                     .setting("resource-calculator", "DominantResourceCalculator")
                     .nodes(1, "8GB 7c")
                     .build();
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.a"))->used_capacity, 0);
  cluster.ask(cluster.running_app("a"), 1, "1GB 6c");
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
  const auto a = *cluster.scheduler.queue(QueuePath("root.a"));
  EXPECT_EQ(a.guaranteed, Resources(4096, 3));
  EXPECT_DOUBLE_EQ(a.used_capacity, (6.0 / 7) / 0.5) << "its dominant share: half of the memory";
  EXPECT_DOUBLE_EQ(a.absolute_used_capacity, 6.0 / 7);
}

TEST(Order, ApplicationsAreServedInOrderOfSubmission) {
  auto cluster = ClusterBuilder{}.nodes(1, "4GB 8c").build();
  const AppId first = cluster.running_app("default");
  const AppId second = cluster.running_app("default");
  cluster.ask(second, 3, "1GB 1c");
  cluster.ask(first, 3, "1GB 1c");
  const auto grants = cluster.schedule();
  EXPECT_EQ(count_for(grants, first), 3u);
  EXPECT_EQ(count_for(grants, second), 1u);
}

TEST(Order, HigherApplicationPriorityComesFirstAlsoWhenItIsGivenLater) {
  auto cluster = ClusterBuilder{}.nodes(1, "2GB 8c").build();
  const AppId first = cluster.running_app("default");
  const AppId second = cluster.running_app("default");
  const AppId urgent = cluster.running_app("default", "ann", 5);
  for (const AppId& app : {first, second, urgent})
    cluster.ask(app, 1, "1GB 1c");
  ASSERT_TRUE(cluster.scheduler.set_priority(second, 7));
  EXPECT_THAT(cluster.scheduler.apps_in(QueuePath("root.default")),
              ElementsAre(second, urgent, first));
  const auto grants = cluster.schedule();
  EXPECT_EQ(grants[0].attempt.app, second);
  EXPECT_EQ(grants[1].attempt.app, urgent);
}

TEST(UserLimit, OneUserMayTakeTheGuaranteeTimesTheFactor) {
  // 4 of 8 GB guaranteed. At the limit, one more container is let through, as Hadoop does.
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=50 user-limit-factor=1\nroot.b capacity=50")
                     .nodes(1, "8GB 8c")
                     .build();
  const AppId app = cluster.running_app("a");
  cluster.ask(app, 100, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(5));
  EXPECT_THAT(cluster.scheduler.explain(app), HasSubstr("more than its user limit"));
}

TEST(UserLimit, UsersThatWantMoreShareEvenlyToOneContainer) {
  auto cluster =
      ClusterBuilder{}
          .queues("root.a capacity=100 minimum-user-limit-percent=25 user-limit-factor=1")
          .nodes(4, "4GB 8c")
          .build();
  const AppId ann = cluster.running_app("a", "ann");
  const AppId bob = cluster.running_app("a", "bob");
  cluster.ask(ann, 100, "1GB 1c");
  cluster.ask(bob, 100, "1GB 1c");
  const auto grants = cluster.schedule();
  EXPECT_NEAR(static_cast<double>(count_for(grants, ann)), 8, 1);
  EXPECT_NEAR(static_cast<double>(count_for(grants, bob)), 8, 1);
}

TEST(UserLimit, AUserAboveItDoesNotHoldUpTheOthers) {
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=50 minimum-user-limit-percent=50\nroot.b capacity=50")
                     .nodes(1, "16GB 8c")
                     .build();
  const AppId greedy = cluster.running_app("a", "ann", 9);
  cluster.ask(greedy, 100, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(9));
  const AppId modest = cluster.running_app("a", "bob");
  cluster.ask(modest, 2, "1GB 1c");
  EXPECT_EQ(count_for(cluster.schedule(), modest), 2u);
}

TEST(UserLimit, AHeavierUserGetsMore) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=100 minimum-user-limit-percent=1 "
                         "user-settings.ann.weight=3")
                     .nodes(4, "4GB 8c")
                     .build();
  const AppId bob = cluster.running_app("a", "bob");
  const AppId ann = cluster.running_app("a", "ann");
  cluster.ask(bob, 100, "1GB 1c");
  cluster.ask(ann, 100, "1GB 1c");
  const auto grants = cluster.schedule();
  EXPECT_NEAR(static_cast<double>(count_for(grants, ann)), 12, 1);
  EXPECT_NEAR(static_cast<double>(count_for(grants, bob)), 4, 1);
}

TEST(AmShare, ApplicationsBeyondItWaitAndStartWhenOneEnds) {
  // 10 % of 40 GB = 4 GB of AMs.
  auto cluster = ClusterBuilder{}.nodes(5, "8GB 8c").build();
  std::vector<AppId> apps;
  apps.reserve(4);
  for (int i = 0; i < 4; ++i)
    apps.push_back(cluster.app_with_am("default", "2GB 1c"));
  const auto grants = cluster.schedule();
  EXPECT_THAT(grants, SizeIs(2));
  EXPECT_TRUE(grants[0].is_am);
  EXPECT_THAT(cluster.scheduler.explain(apps[2]), HasSubstr("Queue's AM resource limit exceeded"));
  cluster.release(grants[0]);
  cluster.scheduler.remove_app(apps[0]);
  EXPECT_EQ(count_for(cluster.schedule(), apps[2]), 1u);
  EXPECT_FALSE(cluster.scheduler.app(apps[3])->active);
}

TEST(AmShare, OneApplicationIsAlwaysLetIn) {
  auto cluster = ClusterBuilder{}.nodes(1, "8GB 8c").build();
  cluster.app_with_am("default", "4GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
}

TEST(AmShare, ASmallAmPassesALargeOneThatDoesNotFit) {
  auto cluster = ClusterBuilder{}.nodes(5, "8GB 8c").build();
  cluster.app_with_am("default", "2GB 1c");
  const AppId large = cluster.app_with_am("default", "8GB 1c");
  const AppId small = cluster.app_with_am("default", "1GB 1c");
  cluster.schedule();
  EXPECT_FALSE(cluster.scheduler.app(large)->active);
  EXPECT_TRUE(cluster.scheduler.app(small)->active);
}

TEST(AmShare, MoreNodesLetMoreApplicationsIn) {
  auto cluster = ClusterBuilder{}.nodes(1, "8GB 8c").build();
  cluster.app_with_am("default", "1GB 1c");
  const AppId second = cluster.app_with_am("default", "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
  cluster.scheduler.add_node({"big", 1}, "/rack", {65536, 64});
  EXPECT_EQ(count_for(cluster.schedule(), second), 1u);
}

TEST(Admission, SaysWhatHadoopSays) {
  auto cluster = ClusterBuilder{}
                     .queues(R"(root.p      capacity=90
                                root.p.leaf capacity=100
                                root.old    capacity=10 state=STOPPED)")
                     .build();
  const AppId app{1, 1};
  const UserName ann("ann");
  auto& scheduler = cluster.scheduler;
  EXPECT_EQ(refusal(scheduler.add_app(app, "nosuch", ann, 0)),
            "Application application_1_0001 submitted by user ann to unknown queue: nosuch");
  EXPECT_EQ(refusal(scheduler.add_app(app, "root.p", ann, 0)),
            "Application application_1_0001 submitted by user : ann to non-leaf queue : root.p");
  EXPECT_EQ(refusal(scheduler.add_app(app, "old", ann, 0)),
            "Queue root.old is STOPPED. Cannot accept submission of application: "
            "application_1_0001");
  EXPECT_EQ(scheduler.add_app(app, "leaf", ann, 0)->value(), "root.p.leaf");
  EXPECT_EQ(refusal(scheduler.add_app(app, "leaf", ann, 0)),
            "application_1_0001 is in a queue already");
}

TEST(Admission, OddQueueNamesAreUnknownQueues) {
  auto cluster = ClusterBuilder{}.build();
  for (const char* name : {"", "root..default", "root.default.*", "default ", "root."}) {
    const auto result = cluster.scheduler.add_app({1, 1}, name, UserName("ann"), 0);
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().code, ErrorCode::kNotFound) << name;
  }
}

TEST(Admission, ALeafNameThatTwoQueuesShareNeedsThePath) {
  auto cluster = ClusterBuilder{}
                     .queues(R"(root.a   capacity=50
                                root.a.x capacity=100
                                root.b   capacity=50
                                root.b.x capacity=100)")
                     .build();
  EXPECT_THAT(refusal(cluster.scheduler.add_app({1, 1}, "x", UserName("ann"), 0)),
              HasSubstr("ambiguous queue: x"));
  EXPECT_TRUE(cluster.scheduler.add_app({1, 1}, "root.b.x", UserName("ann"), 0));
}

TEST(Admission, CountsApplicationsPerQueuePerUserAndInAll) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=50 maximum-applications=4 "
                         "minimum-user-limit-percent=50\nroot.b capacity=50")
                     .setting("maximum-applications", "5")
                     .build();
  cluster.app("a", "ann");
  cluster.app("a", "ann");
  EXPECT_THAT(refusal(cluster.scheduler.add_app({1, 9}, "a", UserName("ann"), 0)),
              HasSubstr("already has 2 applications from user ann cannot accept"));
  cluster.app("a", "bob");
  cluster.app("a", "bob");
  EXPECT_THAT(refusal(cluster.scheduler.add_app({1, 9}, "a", UserName("eve"), 0)),
              HasSubstr("Queue root.a already has 4 applications, cannot accept"));
  cluster.app("b", "bob");
  EXPECT_THAT(refusal(cluster.scheduler.add_app({1, 9}, "b", UserName("eve"), 0)),
              HasSubstr("Maximum system application limit reached"));
  EXPECT_TRUE(cluster.scheduler.add_app({1, 9}, "b", UserName("eve"), 0, true))
      << "what was accepted once is recovered";
}

TEST(Move, TakesEverythingAlong) {
  auto cluster = ClusterBuilder{}.queues(kTwo).nodes(2, "8GB 8c").build();
  const AppId app = cluster.running_app("prod");
  cluster.ask(app, 3, "1GB 1c");
  cluster.schedule();
  cluster.ask(app, 2, "9GB 1c");
  ASSERT_TRUE(cluster.scheduler.move_app(app, "dev"));
  EXPECT_TRUE(cluster.used("prod").is_zero());
  EXPECT_EQ(cluster.used("dev").memory_mb(), 3072);
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.dev"))->pending_containers, 2);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Move, IsRefusedWhereItWouldBreakTheMaximum) {
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=50\nroot.b capacity=50 maximum-capacity=50")
                     .nodes(1, "4GB 8c")
                     .build();
  const AppId app = cluster.running_app("a");
  cluster.ask(app, 3, "1GB 1c");
  cluster.schedule();
  const auto result = cluster.scheduler.move_app(app, "b");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(cluster.scheduler.app(app)->queue.value(), "root.a");
}

TEST(Refresh, KeepsApplicationsAndAppliesNewCapacities) {
  auto cluster = ClusterBuilder{}.queues(kTwo).nodes(1, "8GB 8c").build();
  const AppId app = cluster.running_app("dev");
  cluster.ask(app, 3, "1GB 1c");
  cluster.schedule();
  const auto config = parse_capacity_config(
      testlib::queue_settings("root.prod capacity=10\nroot.dev capacity=80\nroot.new capacity=10"));
  ASSERT_TRUE(config);
  ASSERT_TRUE(cluster.scheduler.configure(*config, {}));
  EXPECT_EQ(cluster.used("dev").memory_mb(), 3072);
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.dev"))->guaranteed.memory_mb(), 6553);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Refresh, ThatWouldLoseAQueueWithApplicationsChangesNothing) {
  auto cluster = ClusterBuilder{}.queues(kTwo).nodes(1, "8GB 8c").build();
  cluster.running_app("dev");
  const auto result = cluster.scheduler.configure(default_queue_config(), {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("queue root.dev has 1 applications"));
  EXPECT_TRUE(cluster.scheduler.find_queue("prod"));
}

TEST(Headroom, IsTheLeastOfUserLimitQueueMaximumAndFreeNodes) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=50 user-limit-factor=1\n"
                         "root.b capacity=50 maximum-capacity=75 user-limit-factor=-1")
                     .nodes(1, "16GB 8c")
                     .build();
  const AppId a = cluster.running_app("a");
  const AppId b = cluster.running_app("b");
  EXPECT_EQ(cluster.scheduler.headroom(first_attempt(a)).memory_mb(), 8192);
  EXPECT_EQ(cluster.scheduler.headroom(first_attempt(b)).memory_mb(), 8192)
      << "of 12 GB the user limit leaves the guarantee";
  cluster.ask(a, 3, "4GB 1c");
  cluster.schedule();
  EXPECT_EQ(cluster.scheduler.headroom(first_attempt(a)).memory_mb(), 0);
  EXPECT_EQ(cluster.scheduler.headroom(first_attempt(b)).memory_mb(), 4096);
}

TEST(Reports, AStoppedQueueDrainsWhileItHoldsApplications) {
  auto cluster = ClusterBuilder{}.queues(kTwo).build();
  const AppId app = cluster.running_app("dev");
  QueueConfig config = cluster.scheduler.config();
  config.root.children[1].state = QueueState::kStopped;
  ASSERT_TRUE(cluster.scheduler.configure(config, {}));
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.dev"))->state, QueueState::kDraining);
  cluster.scheduler.remove_app(app);
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.dev"))->state, QueueState::kStopped);
}

}  // namespace
}  // namespace heddle::queues
