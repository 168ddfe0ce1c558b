// Room kept together for a large container.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::count_for;

/// A full node of 8 GB; small containers of 1 GB end one after the other and others wait for their
/// room, as does a large one.
class SmallAndLarge : public testing::Test {
 protected:
  SmallAndLarge()
      : cluster_(ClusterBuilder{}
                     .queues("root.small capacity=50 user-limit-factor=-1\n"
                             "root.large capacity=50 user-limit-factor=-1")
                     .nodes(1, "8GB 8c")
                     .build()),
        small_(cluster_.running_app("small")),
        large_(cluster_.running_app("large")) {
    cluster_.ask(small_, 1000, "1GB 1c");
    take(cluster_.schedule());
  }
  void take(const std::vector<Grant>& grants) {
    for (const Grant& grant : grants)
      (grant.attempt.app == small_ ? running_ : large_running_).push_back(grant);
  }
  /// How many small ones have to end until the large one runs.
  int ends_until_large_runs() {
    for (int ends = 1; ends <= 100; ++ends) {
      cluster_.release(running_.front());
      running_.pop_front();
      take(cluster_.schedule());
      EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
      if (!large_running_.empty()) return ends;
    }
    return -1;
  }
  Resources reserved() const { return cluster_.scheduler.node({"n1", 1})->reserved; }

  Cluster cluster_;
  AppId small_;
  AppId large_;
  std::deque<Grant> running_;
  std::deque<Grant> large_running_;
};

TEST_F(SmallAndLarge, TheLargeOneIsPassedOverByItsOwnSizeAtMostAndThenTheRoomIsKept) {
  cluster_.ask(large_, 1, "4GB 4c");
  EXPECT_EQ(ends_until_large_runs(), 8) << "four pass it, four make the room";
  EXPECT_EQ(reserved(), Resources());
}

TEST_F(SmallAndLarge, WhatIsKeptIsShownAndExplained) {
  cluster_.ask(large_, 1, "4GB 4c");
  for (int i = 0; i < 6; ++i) {
    cluster_.release(running_.front());
    running_.pop_front();
    take(cluster_.schedule());
  }
  EXPECT_EQ(reserved().memory_mb(), 2048);
  EXPECT_EQ(cluster_.scheduler.app(large_)->reserved.memory_mb(), 2048);
  EXPECT_EQ(cluster_.scheduler.queue(QueuePath("root.large"))->reserved.memory_mb(), 2048);
  EXPECT_EQ(cluster_.scheduler.queue(QueuePath("root.small"))->reserved.memory_mb(), 0);
  EXPECT_EQ(cluster_.scheduler.cluster_used().memory_mb(), 6144);
  EXPECT_THAT(cluster_.scheduler.explain(large_),
              HasSubstr("room for <memory:4096, vCores:1> is kept on n1:1"));
}

TEST_F(SmallAndLarge, WhoNeedsNoMoreThanWhatComesFreeIsNotHelped) {
  cluster_.ask(large_, 100, "1GB 1c");
  for (int i = 0; i < 50; ++i) {
    cluster_.release(running_.front());
    running_.pop_front();
    for (const Grant& grant : cluster_.schedule())
      running_.push_back(grant);
    ASSERT_EQ(reserved(), Resources());
  }
}

TEST_F(SmallAndLarge, TheRoomIsGivenBackWhenNobodyWantsItAnyMore) {
  cluster_.ask(large_, 1, "4GB 4c");
  for (int i = 0; i < 6; ++i) {
    cluster_.release(running_.front());
    running_.pop_front();
    take(cluster_.schedule());
  }
  cluster_.ask(large_, 0, "4GB 4c");
  EXPECT_EQ(count_for(cluster_.schedule(), small_), 2u);
  EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
}

TEST_F(SmallAndLarge, RoomThatAppearsElsewhereServesItSooner) {
  cluster_.ask(large_, 1, "4GB 4c");
  for (int i = 0; i < 6; ++i) {
    cluster_.release(running_.front());
    running_.pop_front();
    take(cluster_.schedule());
  }
  cluster_.scheduler.add_node({"n2", 1}, "/rack", {8192, 8});
  const auto grants = cluster_.schedule();
  EXPECT_EQ(count_for(grants, large_), 1u);
  EXPECT_EQ(count_for(grants, small_), 6u) << "four beside it, and the two kept on n1";
}

TEST_F(SmallAndLarge, TheClaimGoesWithItsNode) {
  cluster_.ask(large_, 1, "4GB 4c");
  for (int i = 0; i < 6; ++i) {
    cluster_.release(running_.front());
    running_.pop_front();
    take(cluster_.schedule());
  }
  cluster_.scheduler.remove_node({"n1", 1});
  EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  cluster_.scheduler.add_node({"n1", 1}, "/rack", {8192, 8});
  EXPECT_EQ(count_for(cluster_.schedule(), large_), 1u);
}

TEST_F(SmallAndLarge, TheRoomIsGivenBackWhenTheNodeWillNotDoAnyMore) {
  cluster_.ask(large_, 1, "4GB 4c");
  for (int i = 0; i < 6; ++i) {
    cluster_.release(running_.front());
    running_.pop_front();
    take(cluster_.schedule());
  }
  EXPECT_EQ(reserved().memory_mb(), 2048);
  cluster_.ask(large_, 1, "4GB 4c", {.at = "n9"});
  cluster_.ask(large_, 1, "4GB 4c", {.relax = false});
  EXPECT_EQ(reserved(), Resources());
  EXPECT_EQ(count_for(cluster_.schedule(), small_), 2u);
  EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
}

TEST_F(SmallAndLarge, NoRoomIsKeptForWhatFitsNowhere) {
  cluster_.ask(large_, 1, "9GB 1c");
  for (int i = 0; i < 50; ++i) {
    cluster_.release(running_.front());
    running_.pop_front();
    const auto grants = cluster_.schedule();
    ASSERT_THAT(grants, SizeIs(1));
    running_.push_back(grants[0]);
  }
}

}  // namespace
}  // namespace heddle::queues
