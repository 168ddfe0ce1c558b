// What a change of the queues reaches while applications run, and what it leaves alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queues/preemption.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::count_for;
using testlib::first_attempt;
using testlib::hosts_of;

const Limits kLimits{
    .minimum = {1024, 1}, .maximum = {1 << 20, 1 << 10}, .increment = {1024, 1}, .type_count = 2};

Cluster cluster_of(std::string_view queues, std::string_view size) {
  return ClusterBuilder{}.queues(queues).nodes(1, size).build();
}

Result<void> change(Cluster& cluster, std::string_view queues) {
  const auto config = parse_capacity_config(testlib::queue_settings(queues));
  EXPECT_TRUE(config) << config.error().message;
  return cluster.scheduler.configure(*config, kLimits);
}

/// 8 GB held by `a`, of which `b` is owed half.
class Owed : public testing::Test {
 protected:
  Owed() {
    settings_.enabled = true;
    settings_.total_per_round = 1;
    settings_.natural_termination = 1;
    settings_.grace_ms = 15'000;
    cluster_.scheduler.set_preemption(settings_);
    const AppId a = cluster_.running_app("a");
    cluster_.ask(a, 20, "1GB 1c");
    EXPECT_THAT(cluster_.schedule(), SizeIs(8));
    b_ = cluster_.running_app("b");
    cluster_.ask(b_, 4, "1GB 1c");
    EXPECT_THAT(cluster_.schedule(), IsEmpty());
  }
  PreemptionRound look(std::int64_t now_ms = 0) {
    cluster_.scheduler.set_time(now_ms);
    EXPECT_THAT(cluster_.schedule(), IsEmpty());
    EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
    return cluster_.scheduler.preempt();
  }
  static constexpr const char* kOpen =
      "root.a capacity=50 user-limit-factor=-1\n"
      "root.b capacity=50 user-limit-factor=-1";
  static constexpr const char* kProtected =
      "root.a capacity=50 user-limit-factor=-1 disable_preemption=true\n"
      "root.b capacity=50 user-limit-factor=-1";
  static constexpr const char* kProtectedFromAbove =
      "root disable_preemption=true\n"
      "root.a capacity=50 user-limit-factor=-1\n"
      "root.b capacity=50 user-limit-factor=-1";
  PreemptionSettings settings_;
  Cluster cluster_ = cluster_of(kOpen, "8GB 8c");
  AppId b_{};
};

TEST_F(Owed, AQueueThatIsProtectedFromNowOnKeepsWhatWasToGo) {
  EXPECT_THAT(look().marked, SizeIs(4));
  ASSERT_TRUE(change(cluster_, kProtected));
  const PreemptionRound after = look(60'000);
  EXPECT_THAT(after.spared, SizeIs(4));
  EXPECT_THAT(after.marked, IsEmpty());
  EXPECT_THAT(after.overdue, IsEmpty());
}

TEST_F(Owed, AQueueThatIsNotProtectedAnyMoreGivesBack) {
  ASSERT_TRUE(change(cluster_, kProtected));
  EXPECT_THAT(look().marked, IsEmpty());
  ASSERT_TRUE(change(cluster_, kOpen));
  EXPECT_THAT(look().marked, SizeIs(4));
}

TEST_F(Owed, ProtectionComesDownFromTheParent) {
  ASSERT_TRUE(change(cluster_, kProtectedFromAbove));
  EXPECT_THAT(look().marked, IsEmpty());
}

TEST_F(Owed, WhatAQueueIsOwedFollowsItsCapacity) {
  ASSERT_TRUE(change(cluster_,
                     "root.a capacity=75 user-limit-factor=-1\n"
                     "root.b capacity=25 user-limit-factor=-1"));
  EXPECT_THAT(look().marked, SizeIs(2));
}

TEST_F(Owed, AChangeDoesNotBeginThePatienceAnew) {
  settings_.patience_ms = 10'000;
  cluster_.scheduler.set_preemption(settings_);
  EXPECT_THAT(look(1'000).marked, IsEmpty());
  ASSERT_TRUE(change(cluster_, kOpen));
  EXPECT_THAT(look(11'000).marked, SizeIs(4));
}

TEST_F(Owed, ARefusedChangeLeavesEverythingAsItWas) {
  EXPECT_THAT(look().marked, SizeIs(4));
  const auto refused = change(cluster_, "root.a capacity=100 disable_preemption=true");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kWrongState);
  EXPECT_THAT(refused.error().message, HasSubstr("queue root.b has 1 applications"));
  EXPECT_THAT(cluster_.scheduler.queue_paths(), SizeIs(3));
  EXPECT_EQ(cluster_.scheduler.config().root.children.size(), 2U);
  const PreemptionRound after = look(15'000);
  EXPECT_THAT(after.spared, IsEmpty());
  EXPECT_THAT(after.overdue, SizeIs(4));
}

TEST(LiveChange, TheOrderOfApplicationsFollows) {
  constexpr const char* kFifo = "root.a capacity=100 user-limit-factor=-1";
  constexpr const char* kFair = "root.a capacity=100 user-limit-factor=-1 ordering-policy=fair";
  auto cluster = cluster_of(kFifo, "12GB 12c");
  const AppId first = cluster.running_app("a");
  const AppId second = cluster.running_app("a");
  cluster.ask(first, 20, "1GB 1c");
  cluster.ask(second, 20, "1GB 1c");
  EXPECT_EQ(count_for(cluster.schedule(4), first), 4u);
  ASSERT_TRUE(change(cluster, kFair));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  EXPECT_EQ(count_for(cluster.schedule(4), second), 4u);
  ASSERT_TRUE(change(cluster, kFifo));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  EXPECT_EQ(count_for(cluster.schedule(4), first), 4u);
}

TEST(LiveChange, TheOrderOfQueuesFollows) {
  auto cluster = cluster_of(
      "root.low capacity=50 user-limit-factor=-1\n"
      "root.high capacity=50 user-limit-factor=-1 priority=5",
      "8GB 8c");
  const AppId low = cluster.running_app("low");
  const AppId high = cluster.running_app("high");
  cluster.ask(low, 8, "1GB 1c");
  cluster.ask(high, 8, "1GB 1c");
  EXPECT_EQ(count_for(cluster.schedule(2), high), 1u) << "in turn";
  ASSERT_TRUE(change(cluster,
                     "root ordering-policy=priority-utilization\n"
                     "root.low capacity=50 user-limit-factor=-1\n"
                     "root.high capacity=50 user-limit-factor=-1 priority=5"));
  EXPECT_EQ(count_for(cluster.schedule(2), high), 2u);
}

TEST(LiveChange, ASmallerNumberOfParallelApplicationsHoldsTheNextOnes) {
  auto cluster = cluster_of("root.a capacity=100 maximum-am-resource-percent=1", "8GB 8c");
  for (int i = 0; i < 3; ++i)
    cluster.app_with_am("a", "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(3));
  ASSERT_TRUE(
      change(cluster, "root.a capacity=100 maximum-am-resource-percent=1 max-parallel-apps=2"));
  const AppId held = cluster.app_with_am("a", "1GB 1c");
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  EXPECT_THAT(cluster.scheduler.explain(held), HasSubstr("max-parallel-apps"));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(LiveChange, TheWeightOfAUserFollows) {
  constexpr const char* kEqual = "root.a capacity=100 minimum-user-limit-percent=10";
  constexpr const char* kHeavy =
      "root.a capacity=100 minimum-user-limit-percent=10 user-settings.ann.weight=3";
  const auto share_of_ann = [](Cluster cluster, bool change_later) {
    const AppId bob = cluster.running_app("a", "bob");
    const AppId ann = cluster.running_app("a", "ann");
    cluster.ask(bob, 20, "1GB 1c");
    cluster.ask(ann, 20, "1GB 1c");
    if (change_later) {
      EXPECT_TRUE(change(cluster, kHeavy));
    }
    const auto grants = cluster.schedule();
    EXPECT_EQ(cluster.scheduler.check_invariants(), "");
    return count_for(grants, ann);
  };
  const auto heavy = share_of_ann(cluster_of(kHeavy, "12GB 12c"), false);
  EXPECT_GT(heavy, share_of_ann(cluster_of(kEqual, "12GB 12c"), false));
  EXPECT_EQ(heavy, share_of_ann(cluster_of(kEqual, "12GB 12c"), true));
}

/// One node without a label, one with gpu.
class LiveLabels : public testing::Test {
 protected:
  LiveLabels() {
    const PartitionSpec gpu{"gpu", true};
    cluster_.scheduler.set_partitions({&gpu, 1});
    cluster_.scheduler.add_node({"g1", 1}, "/rack", {8192, 8}, "gpu");
    app_ = cluster_.running_app("a");
  }
  Result<void> ask(std::optional<std::string> label, std::int32_t priority = 1) {
    Ask one;
    one.priority = priority;
    one.capability = {1024, 1};
    one.num_containers = 2;
    one.label_expression = std::move(label);
    return cluster_.scheduler.update_asks(first_attempt(app_), {&one, 1});
  }
  static constexpr const char* kBoth =
      "root.a capacity=50 user-limit-factor=-1 accessible-node-labels=gpu "
      "accessible-node-labels.gpu.capacity=75\n"
      "root.b capacity=50 accessible-node-labels=gpu accessible-node-labels.gpu.capacity=25";
  Cluster cluster_ = cluster_of(kBoth, "8GB 8c");
  AppId app_{};
};

TEST_F(LiveLabels, TheShareOfAPartitionFollows) {
  ASSERT_TRUE(change(cluster_,
                     "root.a capacity=50 user-limit-factor=-1 accessible-node-labels=gpu "
                     "accessible-node-labels.gpu.capacity=25 "
                     "accessible-node-labels.gpu.maximum-capacity=50\n"
                     "root.b capacity=50 accessible-node-labels=gpu "
                     "accessible-node-labels.gpu.capacity=75"));
  const auto use = cluster_.scheduler.queue(QueuePath("root.a"))->partitions.at(1);
  EXPECT_EQ(use.guaranteed, Resources(2048, 2));
  EXPECT_EQ(use.maximum, Resources(4096, 4));
}

TEST_F(LiveLabels, AccessThatIsTakenAwayHoldsForTheNextAsks) {
  ASSERT_TRUE(ask("gpu"));
  EXPECT_THAT(hosts_of(cluster_.schedule()), AllOf(SizeIs(2), Each("g1")));
  ASSERT_TRUE(change(cluster_,
                     "root.a capacity=50 user-limit-factor=-1 accessible-node-labels=none\n"
                     "root.b capacity=50 accessible-node-labels=gpu "
                     "accessible-node-labels.gpu.capacity=100"));
  EXPECT_THAT(ask("gpu").error().message, HasSubstr("doesn't have permission"));
  EXPECT_EQ(cluster_.containers(app_), 2u) << "what runs there goes on";
  EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
}

TEST_F(LiveLabels, TheDefaultLabelHoldsForTheNextAsks) {
  ASSERT_TRUE(ask(std::nullopt));
  EXPECT_THAT(hosts_of(cluster_.schedule()), Each("n1"));
  ASSERT_TRUE(change(cluster_,
                     "root.a capacity=50 user-limit-factor=-1 accessible-node-labels=gpu "
                     "accessible-node-labels.gpu.capacity=75 default-node-label-expression=gpu\n"
                     "root.b capacity=50 accessible-node-labels=gpu "
                     "accessible-node-labels.gpu.capacity=25"));
  ASSERT_TRUE(ask(std::nullopt, 2));
  EXPECT_THAT(hosts_of(cluster_.schedule()), AllOf(SizeIs(2), Each("g1")));
}

TEST(LiveChange, QueuesComeGoAndChangeTheirOrderAroundThoseThatWork) {
  auto cluster = cluster_of(
      "root.a capacity=50 user-limit-factor=-1\n"
      "root.b capacity=50\n"
      "root.b.x capacity=50 user-limit-factor=-1\n"
      "root.b.y capacity=50",
      "8GB 8c");
  const AppId in_a = cluster.running_app("a");
  const AppId in_x = cluster.running_app("x");
  cluster.ask(in_a, 3, "1GB 1c");
  cluster.ask(in_x, 20, "1GB 1c");
  EXPECT_THAT(cluster.schedule(6), SizeIs(6));
  ASSERT_TRUE(change(cluster,
                     "root.c capacity=20\n"
                     "root.c.d capacity=100\n"
                     "root.b capacity=30\n"
                     "root.b.z capacity=40\n"
                     "root.b.x capacity=60 user-limit-factor=-1\n"
                     "root.a capacity=50 user-limit-factor=-1"));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  std::vector<std::string> paths;
  for (const QueuePath& path : cluster.scheduler.queue_paths())
    paths.push_back(path.value());
  EXPECT_THAT(paths, testing::ElementsAre("root", "root.c", "root.c.d", "root.b", "root.b.z",
                                          "root.b.x", "root.a"));
  EXPECT_EQ(cluster.used("root.b"), Resources(3072, 3));
  EXPECT_THAT(cluster.schedule(), SizeIs(2));
  EXPECT_EQ(cluster.used("root.b.x"), Resources(5120, 5));
  ASSERT_TRUE(change(cluster,
                     "root.c capacity=20\n"
                     "root.b capacity=30\n"
                     "root.b.x capacity=100 user-limit-factor=-1\n"
                     "root.a capacity=50 user-limit-factor=-1"))
      << "a parent may become a leaf";
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  cluster.ask(cluster.running_app("c"), 1, "1GB 1c");
  cluster.scheduler.add_node({"n2", 1}, "/rack", {8192, 8});
  EXPECT_FALSE(cluster.schedule().empty());
  EXPECT_EQ(cluster.used("root.c"), Resources(1024, 1));
}

}  // namespace
}  // namespace heddle::queues
