// Asks that only certain nodes can serve: room is kept for them there, and others go for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "queues/explain.h"
#include "tests/testlib/cluster_builder.h"
#include "tests/unit/queues/tagged_asks.h"

namespace heddle::queues {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::count_for;

/// n1 is full of small containers that others like them wait for; n2 is empty, and nobody wants it.
class CertainNodes : public testing::Test {
 protected:
  CertainNodes()
      : cluster_(ClusterBuilder{}
                     .queues("root.small capacity=50 user-limit-factor=-1\n"
                             "root.large capacity=50 user-limit-factor=-1")
                     .nodes(2, "8GB 8c")
                     .build()),
        small_(cluster_.running_app("small")),
        large_(cluster_.running_app("large")) {
    cluster_.scheduler.set_node_attributes({"n1", 1}, {{"rm.yarn.io/disk", "ssd"}});
    ask_on_n1(small_, 1000, "1GB 1c");
    take(cluster_.schedule());
    EXPECT_THAT(running_, SizeIs(8));
  }
  void ask_on_n1(const AppId& app, std::int32_t count, std::string_view size) {
    cluster_.ask(app, count, size, {.at = "n1"});
    cluster_.ask(app, count, size, {.relax = false});
  }
  void take(const std::vector<Grant>& grants) {
    for (const Grant& grant : grants)
      (grant.attempt.app == small_ ? running_ : large_running_).push_back(grant);
  }
  void end_one() {
    cluster_.release(running_.front());
    running_.pop_front();
    take(cluster_.schedule());
    EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
  }
  int ends_until_large_runs() {
    for (int ends = 1; ends <= 100; ++ends) {
      end_one();
      if (!large_running_.empty()) return ends;
    }
    return -1;
  }
  Resources kept_on_n1() const { return cluster_.scheduler.node({"n1", 1})->reserved; }

  Cluster cluster_;
  AppId small_;
  AppId large_;
  std::deque<Grant> running_;
  std::deque<Grant> large_running_;
};

TEST_F(CertainNodes, AStrictAskIsPassedOverByItsOwnSizeAtMostAndThenTheRoomIsKept) {
  ask_on_n1(large_, 1, "4GB 4c");
  EXPECT_EQ(ends_until_large_runs(), 8) << "four pass it, four make the room";
  EXPECT_EQ(large_running_.front().node.host, "n1");
  EXPECT_EQ(kept_on_n1(), Resources());
}

TEST_F(CertainNodes, AnAskBoundToARackIsHelpedThere) {
  cluster_.scheduler.add_node({"n3", 1}, "/other", {8192, 8});
  const AppId app = cluster_.running_app("large");
  cluster_.ask(app, 20, "1GB 1c", {.at = "n2"});
  cluster_.ask(app, 20, "1GB 1c", {.relax = false});
  EXPECT_THAT(cluster_.schedule(), SizeIs(8));
  cluster_.ask(large_, 1, "4GB 4c", {.at = "/rack"});
  cluster_.ask(large_, 1, "4GB 4c", {.relax = false});
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  EXPECT_EQ(ends_until_large_runs(), 8);
}

TEST_F(CertainNodes, AnAskWithAConstraintIsHelpedWhereItHolds) {
  ASSERT_TRUE(send(cluster_, large_, tagged(1, {}, "disk=ssd", 1, "4GB 4c")));
  EXPECT_EQ(ends_until_large_runs(), 8);
  EXPECT_EQ(large_running_.front().node.host, "n1");
}

TEST_F(CertainNodes, WhoHasBlacklistedTheOtherNodesIsHelped) {
  const std::vector<std::string> shunned{"n2"};
  cluster_.scheduler.update_blacklist({large_, 1}, shunned, {});
  cluster_.ask(large_, 1, "4GB 4c");
  EXPECT_EQ(ends_until_large_runs(), 8);
}

TEST_F(CertainNodes, WhatIsKeptIsExplained) {
  ask_on_n1(large_, 1, "4GB 4c");
  for (int i = 0; i < 6; ++i)
    end_one();
  EXPECT_EQ(kept_on_n1().memory_mb(), 2048);
  EXPECT_THAT(cluster_.scheduler.explain(large_),
              HasSubstr("room for <memory:4096, vCores:1> is kept on n1:1"));
  const auto told = cluster_.scheduler.explain(large_, ExplainOptions{});
  EXPECT_EQ(told->wait.verdict, Verdict::kRoomKept);
}

TEST_F(CertainNodes, EqualSizesMakeNoClaims) {
  ask_on_n1(large_, 4, "1GB 1c");
  for (int i = 0; i < 8; ++i) {
    cluster_.release(running_.front());
    running_.pop_front();
    take(cluster_.schedule());
    ASSERT_EQ(kept_on_n1(), Resources());
  }
}

TEST_F(CertainNodes, TheRoomIsGivenBackWhenTheConstraintDoesNotHoldThereAnyMore) {
  ASSERT_TRUE(send(cluster_, large_, tagged(1, {}, "disk=ssd", 1, "4GB 4c")));
  for (int i = 0; i < 6; ++i)
    end_one();
  EXPECT_EQ(kept_on_n1().memory_mb(), 2048);
  cluster_.scheduler.set_node_attributes({"n1", 1}, {});
  EXPECT_EQ(kept_on_n1(), Resources());
  EXPECT_EQ(count_for(cluster_.schedule(), small_), 2u);
  EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
}

TEST_F(CertainNodes, TheRoomIsGivenBackWhenATagComesThatItMustNotMeet) {
  ASSERT_TRUE(
      send(cluster_, large_, tagged(1, {"x"}, "and(disk=ssd:notin,node,all/y)", 1, "4GB 4c")));
  for (int i = 0; i < 5; ++i)
    end_one();
  EXPECT_EQ(kept_on_n1().memory_mb(), 1024);
  cluster_.scheduler.update_node({"n1", 1}, {9216, 9});
  take(cluster_.schedule());
  ASSERT_TRUE(send(cluster_, small_, tagged(1, {"y"}, "disk=ssd", 2, "1GB 1c")));
  cluster_.ask(small_, 0, "1GB 1c", {.relax = false});
  end_one();
  EXPECT_EQ(kept_on_n1(), Resources());
}

TEST_F(CertainNodes, WhoseConstraintHoldsNowhereDoesNotStopThoseBehindIt) {
  const AppId first = cluster_.running_app("large");
  ASSERT_TRUE(send(cluster_, first, tagged(1, {}, "disk=none", 1, "4GB 4c")));
  ASSERT_TRUE(send(cluster_, large_, tagged(1, {}, "disk=ssd", 1, "4GB 4c")));
  EXPECT_EQ(ends_until_large_runs(), 8);
}

// --- preemption

PreemptionSettings looks_at_once() {
  PreemptionSettings settings;
  settings.enabled = true;
  settings.total_per_round = 1;
  settings.natural_termination = 1;
  settings.grace_ms = 0;
  settings.ignored_over_capacity = 0;
  return settings;
}

/// `a` holds all of n1 and half of n2, 12 of 16 GB; `b` holds nothing.
class TakenNodes : public testing::Test {
 protected:
  TakenNodes()
      : cluster_(ClusterBuilder{}
                     .queues("root.a capacity=50 user-limit-factor=-1\n"
                             "root.b capacity=50 user-limit-factor=-1")
                     .nodes(2, "8GB 8c")
                     .build()),
        a_(cluster_.running_app("a")),
        b_(cluster_.running_app("b")) {
    cluster_.scheduler.set_preemption(looks_at_once());
    cluster_.scheduler.set_node_attributes({"n1", 1}, {{"rm.yarn.io/disk", "ssd"}});
    hold(a_, 8, "n1");
    hold(a_, 4, "n2");
  }
  void hold(const AppId& app, std::int32_t count, const std::string& host) {
    strict(app, count, "1GB 1c", host);
    EXPECT_THAT(cluster_.schedule(), SizeIs(count));
  }
  void strict(const AppId& app, std::int32_t count, std::string_view size,
              const std::string& host) {
    cluster_.ask(app, count, size, {.at = host});
    cluster_.ask(app, count, size, {.relax = false});
  }
  std::vector<Grant> end(const PreemptionRound& round) {
    for (const HoldId one : round.overdue)
      cluster_.scheduler.release(one);
    EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
    return cluster_.schedule();
  }
  Cluster cluster_;
  AppId a_;
  AppId b_;
};

TEST_F(TakenNodes, OthersGoForAStrictAskOnItsNode) {
  strict(b_, 1, "2GB 1c", "n1");
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  const auto round = cluster_.scheduler.preempt();
  ASSERT_THAT(round.marked, SizeIs(2));
  EXPECT_EQ(round.marked[0].node.host, "n1");
  EXPECT_EQ(cluster_.scheduler.explain(b_, ExplainOptions{})->wait.verdict, Verdict::kPreempting);
  const auto grants = end(round);
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].attempt.app, b_);
  EXPECT_EQ(grants[0].node.host, "n1");
  EXPECT_THAT(cluster_.scheduler.preempt().marked, IsEmpty());
}

TEST_F(TakenNodes, OthersGoForAnAskWhoseConstraintHoldsThere) {
  ASSERT_TRUE(send(cluster_, b_, tagged(1, {}, "disk=ssd", 1, "2GB 1c")));
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  const auto grants = end(cluster_.scheduler.preempt());
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].node.host, "n1");
}

TEST_F(TakenNodes, NobodyGoesWhereTheConstraintHoldsOnlyAsLongAsTheyRun) {
  const AppId app = cluster_.running_app("a");
  cluster_.scheduler.add_node({"n3", 1}, "/rack", {2048, 2});
  ASSERT_TRUE(send(cluster_, app, tagged(1, {"db"}, "", 1, "2GB 2c")));
  const auto grants = cluster_.schedule();
  ASSERT_THAT(grants, SizeIs(1));
  const std::string near = grants[0].node.host;
  ASSERT_TRUE(
      send(cluster_, b_, tagged(1, {}, "in,node,all/db", 1, near == "n3" ? "2GB 1c" : "8GB 1c")));
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  EXPECT_THAT(cluster_.scheduler.preempt().marked, IsEmpty());
}

TEST_F(TakenNodes, AnAskThatNobodyCanGoForDoesNotStopThoseBehindIt) {
  const AppId other = cluster_.running_app("b");
  strict(b_, 1, "2GB 1c", "n9");
  strict(other, 1, "2GB 1c", "n1");
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  const auto round = cluster_.scheduler.preempt();
  ASSERT_THAT(round.marked, SizeIs(2));
  EXPECT_EQ(round.marked[0].beneficiary, other);
}

TEST_F(TakenNodes, InAFullClusterItDoesNotEither) {
  const AppId other = cluster_.running_app("b");
  hold(a_, 4, "n2");
  strict(b_, 1, "2GB 1c", "n9");
  cluster_.ask(other, 1, "2GB 1c");
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  const auto round = cluster_.scheduler.preempt();
  ASSERT_THAT(round.marked, SizeIs(2));
  EXPECT_EQ(round.marked[0].beneficiary, other);
  EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
}

TEST_F(TakenNodes, WhoWaitsForItsPlaceMovesToAnotherQueueAndIsOwedThere) {
  const AppId app = cluster_.running_app("a");
  strict(app, 1, "2GB 1c", "n1");
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  EXPECT_THAT(cluster_.scheduler.preempt().marked, IsEmpty());
  ASSERT_TRUE(cluster_.scheduler.move_app(app, "b"));
  EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  EXPECT_THAT(cluster_.scheduler.preempt().marked, SizeIs(2));
}

TEST_F(TakenNodes, InsideAQueueOthersGoForAStrictAskToo) {
  PreemptionSettings settings = looks_at_once();
  settings.inside = true;
  settings.inside_per_round = 1;
  settings.inside_order = InsideOrder::kPriorityFirst;
  cluster_.scheduler.set_preemption(settings);
  const AppId urgent = cluster_.running_app("a", "ann", 5);
  strict(urgent, 1, "2GB 1c", "n1");
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  const auto round = cluster_.scheduler.preempt();
  ASSERT_THAT(round.marked, SizeIs(2));
  EXPECT_EQ(count_for(end(round), urgent), 1u);
}

}  // namespace
}  // namespace heddle::queues
