// Containers that are there and want more room on their node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/cluster_builder.h"
#include "tests/unit/queues/tagged_asks.h"

namespace heddle::queues {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::sizes;

class Growing : public testing::Test {
 protected:
  Growing()
      : cluster_(ClusterBuilder{}
                     .queues("root.a capacity=50 user-limit-factor=-1 maximum-capacity=75\n"
                             "root.b capacity=50 user-limit-factor=-1")
                     .nodes(2, "8GB 8c")
                     .build()),
        app_(cluster_.running_app("a")) {}
  Grant one_on(const std::string& host, std::string_view size) {
    cluster_.ask(app_, 1, size, {.at = host});
    cluster_.ask(app_, 1, size, {.relax = false});
    const auto grants = cluster_.schedule();
    EXPECT_THAT(grants, SizeIs(1));
    return grants.at(0);
  }
  Result<void> grow(const Grant& grant, std::string_view more, std::uint64_t ticket = 1) {
    return cluster_.scheduler.ask_growth(
        grant.attempt, {ticket, grant.node, grant.hold, sizes(more), grant.priority});
  }
  void expect_right() { EXPECT_EQ(cluster_.scheduler.check_invariants(), ""); }

  Cluster cluster_;
  AppId app_;
};

TEST_F(Growing, TakesTheDifferenceOnItsOwnNodeAndKeepsItsHold) {
  const Grant grant = one_on("n1", "2GB 1c");
  ASSERT_TRUE(grow(grant, "3GB 1c"));
  const auto grown = cluster_.schedule();
  ASSERT_THAT(grown, SizeIs(1));
  EXPECT_EQ(grown[0].hold, grant.hold);
  EXPECT_EQ(grown[0].ticket, 1u);
  EXPECT_EQ(grown[0].resources, sizes("3GB 1c"));
  EXPECT_EQ(cluster_.used("root.a").memory_mb(), 5120);
  EXPECT_EQ(cluster_.containers(app_), 1u) << "no container more";
  EXPECT_EQ(cluster_.scheduler.node({"n1", 1})->used.memory_mb(), 5120);
  expect_right();
  cluster_.release(grant);
  EXPECT_EQ(cluster_.used("root"), Resources());
  expect_right();
}

TEST_F(Growing, IsServedWhenAChangeOfQueuesGivesUpTheRoomThatWasKeptOnItsNode) {
  const Grant grant = one_on("n1", "2GB 1c");
  cluster_.scheduler.set_node_usable({"n2", grant.node.port}, false);
  const AppId small = cluster_.running_app("b");
  const AppId large = cluster_.running_app("b");
  cluster_.ask(small, 100, "2GB 1c");
  std::vector<Grant> running = cluster_.schedule();
  cluster_.ask(large, 1, "6GB 1c");
  const auto kept = [&] { return cluster_.scheduler.node(grant.node)->reserved.memory_mb(); };
  for (int i = 0; kept() == 0; ++i) {  // until so much has passed the large one by
    ASSERT_LT(i, 10);
    ASSERT_FALSE(running.empty());
    cluster_.release(running.front());
    running.erase(running.begin());
    std::ranges::move(cluster_.schedule(), std::back_inserter(running));
  }
  cluster_.ask(small, 0, "2GB 1c");
  cluster_.scheduler.add_node({"n3", grant.node.port}, "/default-rack", sizes("4GB 4c"));
  ASSERT_TRUE(grow(grant, "2GB 1c"));
  ASSERT_THAT(cluster_.schedule(), IsEmpty()) << "what is free on its node is kept";
  const QueueConfig same = cluster_.scheduler.config();
  ASSERT_TRUE(cluster_.scheduler.configure(same, {}));
  const auto grown = cluster_.schedule();
  ASSERT_FALSE(grown.empty());
  EXPECT_EQ(grown[0].hold, grant.hold);
  expect_right();
}

TEST_F(Growing, WaitsForItsNodeThoughAnotherHasRoom) {
  const Grant grant = one_on("n1", "2GB 1c");
  const Grant other = one_on("n1", "5GB 1c");
  ASSERT_TRUE(grow(grant, "2GB 1c"));
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  expect_right();
  EXPECT_EQ(cluster_.scheduler.app(app_)->pending.memory_mb(), 2048);
  cluster_.release(other);
  EXPECT_THAT(cluster_.schedule(), SizeIs(1));
  expect_right();
}

TEST_F(Growing, NeverBeyondTheMaximumOfItsQueue) {
  const Grant grant = one_on("n1", "6GB 1c");
  const Grant other = one_on("n2", "6GB 1c");  // 12 of 12 GB that root.a may have
  ASSERT_TRUE(grow(grant, "1GB 1c"));
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  cluster_.release(other);
  EXPECT_THAT(cluster_.schedule(), SizeIs(1));
  expect_right();
}

TEST_F(Growing, GoesBeforeNewContainersOfTheSamePriority) {
  const Grant grant = one_on("n1", "2GB 1c");
  cluster_.ask(app_, 1, "6GB 1c", {.at = "n1"});
  cluster_.ask(app_, 1, "6GB 1c", {.relax = false});
  ASSERT_TRUE(grow(grant, "6GB 1c"));
  const auto grants = cluster_.schedule();
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].ticket, 1u);
}

TEST_F(Growing, IsForgottenWithItsContainerItsAttemptAndWhenItIsCancelled) {
  const Grant grant = one_on("n1", "2GB 1c");
  const Grant full = one_on("n1", "6GB 1c");
  ASSERT_TRUE(grow(grant, "2GB 1c"));
  cluster_.scheduler.cancel_growth(1);
  EXPECT_EQ(cluster_.scheduler.app(app_)->pending, Resources());
  ASSERT_TRUE(grow(grant, "2GB 1c", 2));
  cluster_.release(grant);
  EXPECT_EQ(cluster_.scheduler.app(app_)->pending, Resources());
  expect_right();
  ASSERT_TRUE(grow(full, "1GB 1c", 3));
  cluster_.scheduler.end_attempt(full.attempt);
  expect_right();
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
}

TEST_F(Growing, IsForgottenWithItsNodeThoughOneOfThatNameComesBack) {
  const Grant grant = one_on("n1", "2GB 1c");
  ASSERT_TRUE(grow(grant, "7GB 1c"));
  cluster_.scheduler.remove_node({"n1", 1});
  EXPECT_EQ(cluster_.scheduler.app(app_)->pending, Resources());
  cluster_.scheduler.add_node({"n1", 1}, "/rack", {16384, 16});
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  expect_right();
}

TEST_F(Growing, ALaterWishOfAContainerReplacesAnEarlierOne) {
  const Grant grant = one_on("n1", "2GB 1c");
  ASSERT_TRUE(grow(grant, "2GB 1c", 1));
  ASSERT_TRUE(grow(grant, "1GB 1c", 2));
  const auto grown = cluster_.schedule();
  ASSERT_THAT(grown, SizeIs(1));
  EXPECT_EQ(grown[0].ticket, 2u);
  EXPECT_EQ(cluster_.used("root.a").memory_mb(), 3072);
}

TEST_F(Growing, AContainerThatIsCountedFromNowOnGetsAHold) {
  ASSERT_TRUE(cluster_.scheduler.ask_growth({app_, 1}, {7, {"n2", 1}, 0, sizes("2GB 1c"), 1}));
  const auto grants = cluster_.schedule();
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_NE(grants[0].hold, 0u);
  EXPECT_EQ(grants[0].node, (NodeId{"n2", 1}));
  EXPECT_EQ(cluster_.containers(app_), 1u);
  expect_right();
}

TEST_F(Growing, TheTagsOfADemotedContainerCountOnAndThoseOfAPromotedOneOnce) {
  ASSERT_TRUE(send(cluster_, app_, tagged(2, {"zk"}, "notin,node,zk", 1, "1GB 1c")));
  const auto both = cluster_.schedule();
  ASSERT_THAT(both, SizeIs(2));
  ASSERT_TRUE(send(cluster_, app_, tagged(1, {"zk"}, "notin,node,zk", 2, "1GB 1c")));
  const HoldId bare = cluster_.scheduler.demote(both[0].hold);
  EXPECT_NE(bare, 0u);
  expect_right();
  EXPECT_THAT(cluster_.schedule(), IsEmpty()) << "its tag is still there";
  EXPECT_EQ(cluster_.containers(app_), 1u);
  EXPECT_EQ(cluster_.used("root.a").memory_mb(), 1024);
  ASSERT_TRUE(cluster_.scheduler.ask_growth(both[0].attempt,
                                            {1, both[0].node, 0, sizes("1GB 1c"), 1, bare}));
  const auto promoted = cluster_.schedule();
  ASSERT_THAT(promoted, SizeIs(1));
  expect_right();
  cluster_.scheduler.release(bare);  // it is gone already
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  cluster_.release(promoted[0]);
  expect_right();
  EXPECT_THAT(cluster_.schedule(), SizeIs(1)) << "now it is not";
}

TEST_F(Growing, WhatADemotedContainerLeavesGoesWithItsEndAndItsNode) {
  ASSERT_TRUE(send(cluster_, app_, tagged(1, {"zk"}, "", 1, "1GB 1c")));
  const Grant first = cluster_.schedule().at(0);
  const HoldId bare = cluster_.scheduler.demote(first.hold);
  cluster_.scheduler.set_node_label(first.node, "");
  cluster_.scheduler.add_node(first.node, "/elsewhere", {8192, 8});
  expect_right();
  ASSERT_TRUE(send(cluster_, app_, tagged(1, {}, "in,rack,zk", 2, "1GB 1c")));
  ASSERT_THAT(cluster_.schedule(), SizeIs(1));
  cluster_.scheduler.release(bare);
  expect_right();
  ASSERT_TRUE(send(cluster_, app_, tagged(1, {}, "in,rack,zk", 3, "1GB 1c")));
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  EXPECT_EQ(cluster_.scheduler.demote(one_on("n1", "1GB 1c").hold), 0u) << "it has no tags";
  EXPECT_EQ(cluster_.scheduler.demote(12345), 0u);
  cluster_.scheduler.remove_app(app_);
  expect_right();
}

TEST_F(Growing, FollowsItsNodeIntoAnotherPartition) {
  const std::vector<PartitionSpec> labels{{"red", false}};
  cluster_.scheduler.set_partitions(labels);
  const Grant grant = one_on("n1", "2GB 1c");
  const Grant other = one_on("n1", "6GB 1c");
  ASSERT_TRUE(grow(grant, "2GB 1c"));
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  cluster_.scheduler.set_node_label({"n1", 1}, "red");
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  expect_right();
  cluster_.scheduler.set_node_label({"n1", 1}, "");
  cluster_.release(other);
  EXPECT_THAT(cluster_.schedule(), SizeIs(1)) << cluster_.scheduler.explain(app_);
  expect_right();
}

TEST_F(Growing, WhatIsNotThereCannotGrow) {
  const Grant grant = one_on("n1", "2GB 1c");
  auto& scheduler = cluster_.scheduler;
  EXPECT_FALSE(scheduler.ask_growth({app_, 9}, {1, grant.node, grant.hold, sizes("1GB 1c"), 1}));
  EXPECT_FALSE(scheduler.ask_growth({app_, 1}, {1, {"n9", 1}, 0, sizes("1GB 1c"), 1}));
  EXPECT_FALSE(scheduler.ask_growth({app_, 1}, {1, {"n2", 1}, grant.hold, sizes("1GB 1c"), 1}));
  EXPECT_FALSE(scheduler.ask_growth({app_, 1}, {1, grant.node, 12345, sizes("1GB 1c"), 1}));
  expect_right();
}

}  // namespace
}  // namespace heddle::queues
