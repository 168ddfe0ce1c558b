#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queues/preemption.h"
#include "queues/preemption_ledger.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::count_for;

PreemptionSettings inside(InsideOrder order) {
  PreemptionSettings settings;
  settings.enabled = true;
  settings.total_per_round = 1;
  settings.natural_termination = 1;
  settings.inside = true;
  settings.inside_order = order;
  settings.inside_per_round = 1;
  return settings;
}

std::vector<Grant> end_all(Cluster& cluster, const PreemptionRound& round) {
  for (const Victim& victim : round.marked)
    cluster.scheduler.release(victim.hold);
  return cluster.schedule();
}

/// 8 GB on one node in one queue.
class OneQueue : public testing::Test {
 protected:
  explicit OneQueue(std::string_view queue = "root.a capacity=100 minimum-user-limit-percent=50",
                    int nodes = 1)
      : cluster_(
            ClusterBuilder{}.queues(queue).nodes(nodes, nodes == 1 ? "8GB 8c" : "4GB 4c").build()) {
  }
  AppId fill(std::string_view user, std::int32_t priority, int count = 8) {
    const AppId app = cluster_.running_app("a", user, priority);
    cluster_.ask(app, count, "1GB 1c");
    EXPECT_THAT(cluster_.schedule(), SizeIs(count));
    return app;
  }
  AppId waiter(std::string_view user, std::int32_t priority, int count,
               std::string_view size = "1GB 1c") {
    const AppId app = cluster_.running_app("a", user, priority);
    cluster_.ask(app, count, size);
    EXPECT_THAT(cluster_.schedule(), IsEmpty());
    return app;
  }
  PreemptionRound look(const PreemptionSettings& settings) {
    cluster_.scheduler.set_preemption(settings);
    PreemptionRound round = cluster_.scheduler.preempt();
    EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
    return round;
  }
  Cluster cluster_;
};

using InsideAQueue = OneQueue;

TEST_F(InsideAQueue, NothingIsTakenUnlessItIsSwitchedOn) {
  fill("ann", 0);
  waiter("bob", 0, 8);
  auto settings = inside(InsideOrder::kUserLimitFirst);
  settings.inside = false;
  EXPECT_THAT(look(settings).marked, IsEmpty());
}

TEST_F(InsideAQueue, AUserBelowItsLimitTakesFromOneAboveItAndNeitherPassesIt) {
  const AppId ann = fill("ann", 0);
  const AppId bob = waiter("bob", 0, 8);
  const auto settings = inside(InsideOrder::kUserLimitFirst);
  const auto round = look(settings);
  EXPECT_THAT(round.marked, Each(Field(&Victim::purpose, Purpose::kInside)));
  // The limit of each is half of what they hold and of one container more, in whole GB: five.
  ASSERT_THAT(round.marked, SizeIs(3));
  EXPECT_THAT(round.marked[0].reason, HasSubstr("user bob is below its limit"));
  EXPECT_EQ(count_for(end_all(cluster_, round), bob), 3u);
  EXPECT_EQ(cluster_.containers(ann), 5u);
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(look(settings).marked, IsEmpty()) << "nothing goes back";
}

TEST_F(InsideAQueue, AUserWhoWantsMoreAndIsBelowItsLimitLosesNothingToAnother) {
  fill("ann", 0, 4);
  fill("bob", 0, 4);
  waiter("ann", 0, 4);
  EXPECT_THAT(look(inside(InsideOrder::kUserLimitFirst)).marked, IsEmpty());
}

TEST_F(InsideAQueue, PriorityFirstTakesFromLowerPriorityOnly) {
  fill("ann", 3);
  waiter("bob", 3, 4);
  EXPECT_THAT(look(inside(InsideOrder::kPriorityFirst)).marked, IsEmpty());
}

TEST_F(InsideAQueue, PriorityFirstTakesFromAnotherUserDownToItsLimit) {
  const AppId ann = fill("ann", 1);
  const AppId bob = waiter("bob", 3, 8);
  const auto round = look(inside(InsideOrder::kPriorityFirst));
  ASSERT_THAT(round.marked, SizeIs(3));
  EXPECT_EQ(count_for(end_all(cluster_, round), bob), 3u);
  EXPECT_EQ(cluster_.containers(ann), 5u) << "what its limit is stays";
}

TEST_F(InsideAQueue, AnApplicationOfHigherPriorityTakesAllFromOthersOfItsUser) {
  const AppId low = fill("ann", 1);
  const AppId high = waiter("ann", 3, 6);
  const auto round = look(inside(InsideOrder::kPriorityFirst));
  ASSERT_THAT(round.marked, SizeIs(6));
  EXPECT_THAT(round.marked[0].reason, HasSubstr("of priority 3"));
  EXPECT_EQ(count_for(end_all(cluster_, round), high), 6u);
  EXPECT_EQ(cluster_.containers(low), 2u);
  EXPECT_THAT(look(inside(InsideOrder::kPriorityFirst)).marked, IsEmpty());
}

TEST_F(InsideAQueue, TheSmallestPriorityLosesFirst) {
  const AppId middle = fill("ann", 2, 4);
  const AppId low = fill("ann", 1, 4);
  waiter("ann", 3, 5);
  const auto round = look(inside(InsideOrder::kPriorityFirst));
  ASSERT_THAT(round.marked, SizeIs(5));
  EXPECT_EQ(
      std::ranges::count(round.marked, low, [](const Victim& one) { return one.attempt.app; }), 4);
  EXPECT_EQ(
      std::ranges::count(round.marked, middle, [](const Victim& one) { return one.attempt.app; }),
      1);
}

TEST_F(InsideAQueue, ALookTakesTheMostAllowedShareOfTheQueue) {
  fill("ann", 1);
  waiter("ann", 3, 8);
  auto settings = inside(InsideOrder::kPriorityFirst);
  settings.inside_per_round = 0.25;
  EXPECT_THAT(look(settings).marked, SizeIs(2));
  EXPECT_THAT(look(settings).marked, SizeIs(2));
}

TEST_F(InsideAQueue, SeveralSmallContainersGoForALargeOne) {
  fill("ann", 1);
  const AppId high = waiter("ann", 3, 1, "3GB 3c");
  const auto round = look(inside(InsideOrder::kPriorityFirst));
  ASSERT_THAT(round.marked, SizeIs(3));
  EXPECT_EQ(count_for(end_all(cluster_, round), high), 1u);
}

TEST_F(InsideAQueue, MastersAndTheWaiterItselfLoseNothing) {
  const AppId app = cluster_.running_app("a", "ann", 1);
  cluster_.ask(app, 8, "1GB 1c", {.priority = 5});
  EXPECT_THAT(cluster_.schedule(), SizeIs(8));
  cluster_.ask(app, 2, "1GB 1c", {.priority = 1});
  EXPECT_THAT(cluster_.schedule(), IsEmpty());
  EXPECT_THAT(look(inside(InsideOrder::kPriorityFirst)).marked, IsEmpty());
}

class BelowTheThreshold : public OneQueue {
 protected:
  BelowTheThreshold()
      : OneQueue(
            "root.a capacity=50 maximum-capacity=50 minimum-user-limit-percent=50\n"
            "root.b capacity=50 user-limit-factor=-1") {}
};

TEST_F(BelowTheThreshold, AQueueThatHoldsLittleOfItsGuaranteeIsLeftAlone) {
  const AppId other = cluster_.running_app("b");
  cluster_.ask(other, 5, "1GB 1c");
  EXPECT_THAT(cluster_.schedule(), SizeIs(5));
  fill("ann", 1, 3);  // of 4 GB
  waiter("ann", 3, 1);
  auto settings = inside(InsideOrder::kPriorityFirst);
  settings.ignored_over_capacity = 10;  // nothing between the queues
  settings.inside_threshold = 0.8;
  EXPECT_THAT(look(settings).marked, IsEmpty());
  settings.inside_threshold = 0.7;
  EXPECT_THAT(look(settings).marked, SizeIs(1));
}

// The node has room; the queue has not. What two victims leave below the maximum is for the waiter.
TEST_F(BelowTheThreshold, WhatVictimsLeaveBelowTheMaximumOfTheQueueIsKeptToo) {
  const AppId low = fill("ann", 1, 4);
  const AppId high = waiter("ann", 3, 1, "2GB 2c");
  const auto round = look(inside(InsideOrder::kPriorityFirst));
  ASSERT_THAT(round.marked, SizeIs(2));
  cluster_.ask(low, 2, "1GB 1c");
  cluster_.scheduler.release(round.marked[0].hold);
  EXPECT_THAT(cluster_.schedule(), IsEmpty()) << "another took what was kept";
  EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
  cluster_.scheduler.release(round.marked[1].hold);
  EXPECT_EQ(count_for(cluster_.schedule(), high), 1u);
  EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
}

TEST_F(BelowTheThreshold, WhatIsKeptBelowTheMaximumIsFreeAgainWhenTheWaiterGoes) {
  const AppId low = fill("ann", 1, 4);
  const AppId high = waiter("ann", 3, 1, "2GB 2c");
  const auto round = look(inside(InsideOrder::kPriorityFirst));
  ASSERT_THAT(round.marked, SizeIs(2));
  cluster_.scheduler.release(round.marked[0].hold);
  cluster_.ask(low, 1, "1GB 1c");
  cluster_.scheduler.remove_app(high);
  EXPECT_EQ(count_for(cluster_.schedule(), low), 1u);
  EXPECT_EQ(cluster_.scheduler.check_invariants(), "");
  const LedgerSums& sums = cluster_.scheduler.preemption_ledger().sums();
  EXPECT_EQ(sums.in_vain, 1);
  EXPECT_EQ(sums.victims_in_vain, 1);
}

class Disabled : public OneQueue {
 protected:
  Disabled()
      : OneQueue(
            "root.p capacity=100 intra-queue-preemption.disable_preemption=true\n"
            "root.p.a capacity=100") {}
};

TEST_F(Disabled, TheParentSwitchesItOffForItsLeaves) {
  fill("ann", 1);
  waiter("ann", 3, 4);
  EXPECT_THAT(look(inside(InsideOrder::kPriorityFirst)).marked, IsEmpty());
}

class Fair : public OneQueue {
 protected:
  Fair() : OneQueue("root.a capacity=100 ordering-policy=fair minimum-user-limit-percent=50") {}
};

TEST_F(Fair, PrioritiesCountNothingInAFairQueueAndLimitsDo) {
  fill("ann", 1);
  waiter("ann", 3, 4);
  EXPECT_THAT(look(inside(InsideOrder::kPriorityFirst)).marked, IsEmpty());
  waiter("bob", 0, 4);
  EXPECT_THAT(look(inside(InsideOrder::kUserLimitFirst)).marked, testing::Not(IsEmpty()));
}

TEST_F(InsideAQueue, ObserveOnlyTellsAllThatItWouldTakeAndTakesNothing) {
  fill("ann", 1);
  waiter("ann", 3, 6);
  auto settings = inside(InsideOrder::kPriorityFirst);
  settings.observe_only = true;
  EXPECT_THAT(look(settings).marked, SizeIs(6));
  EXPECT_THAT(look(settings).marked, SizeIs(6));
  cluster_.scheduler.set_time(1'000'000);
  EXPECT_THAT(look(settings).overdue, IsEmpty());
  const PreemptionLedger& ledger = cluster_.scheduler.preemption_ledger();
  EXPECT_EQ(ledger.sums().observed_victims, 6);
  EXPECT_EQ(ledger.sums().observed_total, 6) << "each is counted once";
  EXPECT_EQ(ledger.sums().victims, 0);
  ASSERT_THAT(ledger.closed(), SizeIs(6));
  EXPECT_EQ(ledger.closed().front().end, ClaimEnd::kObserved);
}

TEST_F(InsideAQueue, TheLedgerCountsWhatWasLostAndForWhom) {
  cluster_.scheduler.set_time(10'000);
  fill("ann", 1);
  cluster_.scheduler.set_time(20'000);
  const AppId high = waiter("ann", 3, 2);
  cluster_.scheduler.set_time(23'000);
  const auto round = look(inside(InsideOrder::kPriorityFirst));
  ASSERT_THAT(round.marked, SizeIs(2));
  cluster_.scheduler.set_time(30'000);
  EXPECT_EQ(count_for(end_all(cluster_, round), high), 2u);
  const PreemptionLedger& ledger = cluster_.scheduler.preemption_ledger();
  EXPECT_EQ(ledger.sums().claims, 2);
  EXPECT_EQ(ledger.sums().served, 2);
  EXPECT_EQ(ledger.sums().victims_gone, 2);
  EXPECT_EQ(ledger.sums().victims_in_vain, 0);
  EXPECT_EQ(ledger.sums().wait_max_ms, 3'000) << "from need to warning";
  EXPECT_DOUBLE_EQ(ledger.sums().lost[kMemory], 2 * 1024 * 20.0);
  ASSERT_THAT(ledger.closed(), SizeIs(2));
  EXPECT_EQ(ledger.closed()[0].waiter, high);
  EXPECT_THAT(ledger.open_claims(), IsEmpty());
}

// --- the other knobs, between queues

class TwoQueues : public OneQueue {
 protected:
  explicit TwoQueues(std::string_view queues =
                         "root.a capacity=50 user-limit-factor=-1\n"
                         "root.b capacity=50 user-limit-factor=-1")
      : OneQueue(queues) {}
  PreemptionSettings between() {
    auto settings = inside(InsideOrder::kUserLimitFirst);
    settings.inside = false;
    return settings;
  }
  AppId wait_in(std::string_view queue, int count, std::string_view size = "1GB 1c") {
    const AppId app = cluster_.running_app(queue);
    cluster_.ask(app, count, size);
    EXPECT_THAT(cluster_.schedule(), IsEmpty());
    return app;
  }
};

TEST_F(TwoQueues, TheNaturalTerminationFactorOfWhatIsMissingIsTakenAtATime) {
  fill("ann", 0);
  wait_in("b", 8);
  auto settings = between();
  settings.natural_termination = 0.5;  // of four
  EXPECT_THAT(look(settings).marked, SizeIs(2));
  EXPECT_THAT(look(settings).marked, IsEmpty()) << "two are told to go already";
}

TEST_F(TwoQueues, ANaturalTerminationFactorOfNothingStillTakesOneAtATime) {
  fill("ann", 0);
  wait_in("b", 8);
  auto settings = between();
  settings.natural_termination = 0;
  EXPECT_THAT(look(settings).marked, SizeIs(1));
  EXPECT_THAT(look(settings).marked, IsEmpty());
}

TEST_F(TwoQueues, NewSettingsBeforeTheGraceIsOverDoNotStartItAgain) {
  fill("ann", 0);
  wait_in("b", 4);
  const auto settings = between();
  cluster_.scheduler.set_time(100'000);
  EXPECT_THAT(look(settings).marked, SizeIs(4));
  const auto config = std::make_shared<const QueueConfig>(cluster_.scheduler.config());
  const Limits limits{
      .minimum = {1024, 1}, .maximum = {1 << 20, 1 << 10}, .increment = {1024, 1}, .type_count = 2};
  for (const std::int64_t at : {104'000, 108'000, 112'000}) {
    cluster_.scheduler.set_time(at);
    ASSERT_TRUE(cluster_.scheduler.configure(config, limits));
    cluster_.schedule();
    EXPECT_THAT(look(settings).overdue, IsEmpty());
  }
  cluster_.scheduler.set_time(115'000);
  EXPECT_THAT(look(settings).overdue, SizeIs(4));
}

TEST_F(TwoQueues, AnAskThatBecomesLessSparesWhatItDoesNotNeed) {
  fill("ann", 0);
  const AppId b = wait_in("b", 4);
  const auto settings = between();
  EXPECT_THAT(look(settings).marked, SizeIs(4));
  cluster_.ask(b, 1, "1GB 1c");
  EXPECT_THAT(look(settings).spared, SizeIs(3));
}

class ThreeQueues : public TwoQueues {
 protected:
  ThreeQueues()
      : TwoQueues(
            "root.a capacity=25 user-limit-factor=-1\n"
            "root.b capacity=25 user-limit-factor=-1\n"
            "root.c capacity=50 user-limit-factor=-1") {}
};

TEST_F(ThreeQueues, QueuesAboveTheirGuaranteesAreEvenedOutOnlyIfThatIsSwitchedOn) {
  const AppId b = cluster_.running_app("b");
  cluster_.ask(b, 2, "1GB 1c");
  cluster_.schedule();
  fill("ann", 0, 6);
  wait_in("b", 8);
  auto settings = between();
  EXPECT_THAT(look(settings).marked, IsEmpty());
  settings.balance = true;
  const auto round = look(settings);
  ASSERT_THAT(round.marked, SizeIs(2)) << "four for each";
  EXPECT_EQ(round.marked[0].purpose, Purpose::kBalance);
  cluster_.scheduler.set_time(settings.grace_ms);
  EXPECT_THAT(look(settings).overdue, IsEmpty()) << "it has a grace of its own";
  cluster_.scheduler.set_time(settings.balance_grace_ms);
  EXPECT_THAT(look(settings).overdue, SizeIs(2));
  end_all(cluster_, round);
  EXPECT_THAT(look(settings).marked, IsEmpty());
}

TEST_F(TwoQueues, VictimsCompleteTheRoomKeptForALargeContainerIfThatIsSwitchedOn) {
  const AppId a = cluster_.running_app("a");
  cluster_.ask(a, 20, "1GB 1c");
  auto running = cluster_.schedule();
  const AppId b = wait_in("b", 1, "4GB 4c");
  // Small ones pass the large one over until room is kept for it.
  while (cluster_.scheduler.node({"n1", 1})->reserved.is_zero()) {
    ASSERT_FALSE(running.empty());
    cluster_.release(running.back());
    running.pop_back();
    cluster_.schedule();
  }
  auto settings = between();
  EXPECT_THAT(look(settings).marked, IsEmpty());
  settings.for_reserved = true;
  const auto round = look(settings);
  EXPECT_THAT(round.marked, SizeIs(3)) << "a container of it is there already";
  EXPECT_EQ(count_for(end_all(cluster_, round), b), 1u);
  EXPECT_EQ(cluster_.scheduler.preemption_ledger().sums().served, 1);
}

TEST(Masters, GoLastAndOnlyBeyondTheirShareAndNotAllOfThem) {
  const std::string lines =
      "root.a capacity=25 user-limit-factor=-1 maximum-am-resource-percent={}\n"
      "root.b capacity=75 user-limit-factor=-1";
  const auto with_share = [&](const std::string& share) {
    std::string text = lines;
    return text.replace(text.find("{}"), 2, share);
  };
  auto cluster = ClusterBuilder{}.queues(with_share("1")).nodes(1, "4GB 8c").build();
  PreemptionSettings settings = inside(InsideOrder::kUserLimitFirst);
  settings.ignored_over_capacity = 0;
  cluster.scheduler.set_preemption(settings);
  for (int i = 0; i < 3; ++i)
    cluster.app_with_am("a", "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(3));
  const AppId plain = cluster.running_app("a");
  cluster.ask(plain, 1, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
  cluster.ask(cluster.running_app("b"), 3, "1GB 1c");
  cluster.schedule();
  auto round = cluster.scheduler.preempt();
  ASSERT_THAT(round.marked, SizeIs(1)) << "masters within their share stay";
  EXPECT_EQ(round.marked[0].attempt.app, plain);
  const Limits limits{
      .minimum = {1024, 1}, .maximum = {1 << 20, 1 << 10}, .increment = {1024, 1}, .type_count = 2};
  ASSERT_TRUE(cluster.scheduler.configure(
      *parse_capacity_config(testlib::queue_settings(with_share("0.1"))), limits));
  cluster.schedule();
  round = cluster.scheduler.preempt();
  EXPECT_THAT(round.marked, SizeIs(3)) << "one master is left";
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(EveryType, StaysAtItsGuaranteeWhereThatIsAskedFor) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=50 user-limit-factor=-1\n"
                         "root.b capacity=50 user-limit-factor=-1")
                     .setting("resource-calculator", "DominantResourceCalculator")
                     .nodes(1, "8GB 16c")
                     .build();
  PreemptionSettings settings = inside(InsideOrder::kUserLimitFirst);
  settings.every_type = true;
  cluster.scheduler.set_preemption(settings);
  cluster.ask(cluster.running_app("a"), 8, "1GB 1c");  // eight vcores are its guarantee
  EXPECT_THAT(cluster.schedule(), SizeIs(8));
  cluster.ask(cluster.running_app("b"), 8, "1GB 1c");
  cluster.schedule();
  EXPECT_THAT(cluster.scheduler.preempt().marked, IsEmpty());
  settings.every_type = false;
  cluster.scheduler.set_preemption(settings);
  EXPECT_THAT(cluster.scheduler.preempt().marked, SizeIs(4));
}

// Each of them has a fifth of a container more than its share.
TEST(Preemption, AQueueGetsItsGuaranteeFromManyThatAreAPartOfAContainerAboveTheirShares) {
  std::string lines;
  for (int i = 0; i < 20; ++i)
    lines += "root.q" + std::to_string(i) + " capacity=5 user-limit-factor=-1\n";
  auto cluster = ClusterBuilder{}.queues(lines).nodes(4, "50GB 50c").build();
  PreemptionSettings settings = inside(InsideOrder::kUserLimitFirst);
  cluster.scheduler.set_preemption(settings);
  for (int i = 0; i < 10; ++i)
    cluster.ask(cluster.running_app("q" + std::to_string(i)), 30, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(200));
  const AppId owed = cluster.running_app("q19");
  cluster.ask(owed, 2, "1GB 1c");
  cluster.schedule();
  const auto round = cluster.scheduler.preempt();
  ASSERT_THAT(round.marked, SizeIs(2));
  EXPECT_EQ(count_for(end_all(cluster, round), owed), 2u);
  EXPECT_THAT(cluster.scheduler.preempt().marked, IsEmpty());
}

}  // namespace
}  // namespace heddle::queues
