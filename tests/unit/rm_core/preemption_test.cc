// What preemption looks like from outside: warnings, the end, and the sums in reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/cluster_builder.h"
#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAreArray;
using testlib::CoreDriver;
using testlib::CoreSetup;

/// 10 GB: the application in `a` (guarantee 5 GB) holds an AM and 8 GB; the one in `b` has its AM
/// and asks for three of 1 GB.
class Preemption : public testing::Test {
 protected:
  static CoreSetup setup() {
    CoreSetup setup;
    setup.queues =
        "root.a capacity=50 user-limit-factor=-1 maximum-am-resource-percent=1\n"
        "root.b capacity=50 user-limit-factor=-1 maximum-am-resource-percent=1";
    setup.options.preemption.enabled = true;
    setup.options.preemption.total_per_round = 1;
    setup.options.preemption.natural_termination = 1;
    return setup;
  }
  Preemption() : cluster_(setup()) {
    node_ = cluster_.add_node("n1", "10GB 20c");
    a_ = in_queue("a");
    b_ = in_queue("b");
    held_ = cluster_.ask(a_, 20)->containers;
    EXPECT_THAT(held_, SizeIs(8));
    EXPECT_THAT(cluster_.ask(b_, 3)->containers, IsEmpty());
  }
  AttemptId in_queue(const std::string& queue) {
    Submission submission = cluster_.submission();
    submission.queue = queue;
    submission.am_resources = {1024, 1};
    return cluster_.running_app(submission);
  }
  AppReportPtr report(const AttemptId& attempt) { return cluster_.board->app(attempt.app); }

  CoreDriver cluster_;
  NodeId node_;
  AttemptId a_;
  AttemptId b_;
  std::vector<GrantedContainer> held_;
};

TEST_F(Preemption, SettingsThatComeWithTheQueuesHoldFromTheNextLookOn) {
  auto preemption = setup().options.preemption;
  preemption.observe_only = true;
  auto config = *queues::parse_capacity_config(testlib::queue_settings(setup().queues));
  config.preemption = preemption;
  Turn turn{cluster_.clock.now(), {}};
  ASSERT_TRUE(
      cluster_.core->configure_queues(std::make_shared<const queues::QueueConfig>(config), turn));
  cluster_.advance(3s);
  EXPECT_THAT(cluster_.allocate(a_)->losing, IsEmpty());
  queues::LedgerSums sums = cluster_.core->scheduler().preemption_ledger().sums();
  EXPECT_EQ(sums.observed_victims, 3);
  EXPECT_EQ(sums.victims, 0);
  config.preemption = setup().options.preemption;
  ASSERT_TRUE(
      cluster_.core->configure_queues(std::make_shared<const queues::QueueConfig>(config), turn));
  cluster_.advance(3s);
  EXPECT_THAT(cluster_.allocate(a_)->losing, SizeIs(3));
  sums = cluster_.core->scheduler().preemption_ledger().sums();
  EXPECT_EQ(sums.observed_victims, 0);
  EXPECT_EQ(sums.victims, 3);
}

TEST_F(Preemption, ANeedIsAnsweredWithAWarningIn50Ms) {
  cluster_.advance(50ms);
  EXPECT_THAT(cluster_.allocate(a_)->losing, SizeIs(3));
}

TEST_F(Preemption, NoMoreIsTakenInOneIntervalHoweverOftenSomebodyBeginsToWait) {
  auto config = *queues::parse_capacity_config(testlib::queue_settings(setup().queues));
  config.preemption = setup().options.preemption;
  config.preemption->total_per_round = 0.1;  // one container a look
  Turn turn{cluster_.clock.now(), {}};
  ASSERT_TRUE(
      cluster_.core->configure_queues(std::make_shared<const queues::QueueConfig>(config), turn));
  cluster_.ask(b_, 4);
  cluster_.advance(50ms);
  EXPECT_THAT(cluster_.allocate(a_)->losing, SizeIs(1));
  for (int i = 0; i < 10; ++i) {
    cluster_.ask(b_, 3 + i % 2);
    cluster_.advance(100ms);
  }
  EXPECT_THAT(cluster_.allocate(a_)->losing, SizeIs(1));
  cluster_.advance(3s);
  EXPECT_THAT(cluster_.allocate(a_)->losing, SizeIs(2));
}

TEST_F(Preemption, IsTakenBackWhereAChangeProtectsTheQueue) {
  cluster_.advance(3s);
  EXPECT_THAT(cluster_.allocate(a_)->losing, SizeIs(3));
  Turn turn{cluster_.clock.now(), {}};
  const auto config = queues::parse_capacity_config(
      testlib::queue_settings(
          "root.a capacity=50 user-limit-factor=-1 maximum-am-resource-percent=1 "
          "disable_preemption=true\n"
          "root.b capacity=50 user-limit-factor=-1 maximum-am-resource-percent=1"),
      cluster_.core->options().limits);
  ASSERT_TRUE(
      cluster_.core->configure_queues(std::make_shared<const queues::QueueConfig>(*config), turn));
  cluster_.advance(3s);
  EXPECT_THAT(cluster_.allocate(a_)->losing, IsEmpty());
  cluster_.advance(60s);
  EXPECT_EQ(report(a_)->preempted_containers, 0);
}

TEST_F(Preemption, WarnsTheMasterWithTheContainersAndWhatTheyHold) {
  EXPECT_THAT(cluster_.allocate(a_)->losing, IsEmpty());
  cluster_.advance(3s);
  const auto answer = cluster_.allocate(a_);
  EXPECT_THAT(answer->losing, SizeIs(3));
  EXPECT_EQ(answer->losing_resources.memory_mb(), 3072);
  EXPECT_THAT(cluster_.allocate(a_)->losing, SizeIs(3)) << "again, until they are gone";
}

TEST_F(Preemption, EndsThemWhenTheGraceIsOverAndGivesTheRoomToWhomItWasKeptFor) {
  cluster_.advance(3s);
  const auto losing = cluster_.allocate(a_)->losing;
  cluster_.advance(14s);
  EXPECT_THAT(cluster_.allocate(a_)->finished, IsEmpty());
  cluster_.advance(4s);
  const auto answer = cluster_.allocate(a_);
  std::vector<ContainerId> ended;
  for (const FinishedContainer& finished : answer->finished) {
    EXPECT_EQ(finished.exit_status, exit_status::kPreempted);
    EXPECT_EQ(finished.diagnostics, "Container preempted by scheduler");
    ended.push_back(finished.id);
  }
  EXPECT_THAT(ended, UnorderedElementsAreArray(losing));
  EXPECT_THAT(answer->losing, IsEmpty());
  EXPECT_THAT(answer->containers, IsEmpty()) << "it waits too, and does not get the room back";
  EXPECT_THAT(cluster_.allocate(b_)->containers, SizeIs(3));
  EXPECT_THAT(cluster_.beat(node_).containers_to_clean_up, SizeIs(3));
}

TEST_F(Preemption, WhatGoesByItselfInTimeIsNotKilled) {
  cluster_.advance(3s);
  Allocate gives_way;
  gives_way.releases = cluster_.allocate(a_)->losing;
  cluster_.allocate(a_, gives_way);
  EXPECT_THAT(cluster_.allocate(b_)->containers, SizeIs(3));
  cluster_.advance(60s);
  EXPECT_EQ(report(a_)->preempted_containers, 0);
}

TEST_F(Preemption, IsCountedForTheApplicationAndItsQueue) {
  cluster_.advance(3s);
  cluster_.advance(20s);
  const AppReportPtr app = report(a_);
  EXPECT_EQ(app->preempted_containers, 3);
  EXPECT_EQ(app->preempted_masters, 0);
  EXPECT_EQ(app->preempted.memory_mb(), 3072);
  EXPECT_EQ(app->usage.preempted_seconds.amount[kMemory], 3 * 1024 * 23);
  (void)cluster_.metrics();
  const QueueReport& a = cluster_.board->queues()->children.at(0);
  EXPECT_EQ(a.counts.preempted_containers, 3);
  EXPECT_EQ(a.counts.preempted.memory_mb(), 3072);
  EXPECT_FALSE(a.preemption_disabled);
}

TEST_F(Preemption, AWithdrawnAskTakesTheWarningBack) {
  cluster_.advance(3s);
  EXPECT_THAT(cluster_.allocate(a_)->losing, SizeIs(3));
  cluster_.ask(b_, 0);
  cluster_.advance(3s);
  EXPECT_THAT(cluster_.allocate(a_)->losing, IsEmpty());
  cluster_.advance(60s);
  EXPECT_EQ(report(a_)->preempted_containers, 0);
}

}  // namespace
}  // namespace heddle::rm
