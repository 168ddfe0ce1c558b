// What a restart brings back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testlib::CoreDriver;
using testlib::CoreSetup;
using testlib::finished;
using testlib::running;

TEST(Recovery, FinishedApplicationIsListedAsBefore) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.advance(10s);
  cluster.finish(attempt, {FinalStatus::kSucceeded, "all well", "http://history"});
  cluster.commit();
  cluster.beat(node, {finished(cluster.master_of(attempt))});
  const AppReport before = *cluster.board->app(attempt.app);
  const AttemptReport attempt_before = *cluster.board->attempt(attempt);
  cluster.restart();
  const AppReport after = *cluster.board->app(attempt.app);
  EXPECT_EQ(after.state, AppState::kFinished);
  EXPECT_EQ(after.final_status, before.final_status);
  EXPECT_EQ(after.diagnostics, before.diagnostics);
  EXPECT_EQ(after.original_tracking_url, before.original_tracking_url);
  EXPECT_EQ(after.queue, before.queue);
  EXPECT_EQ(after.user, before.user);
  EXPECT_EQ(after.submitted, before.submitted);
  EXPECT_EQ(after.launched, before.launched);
  EXPECT_EQ(after.finished, before.finished);
  EXPECT_EQ(after.usage.seconds.amount[kMemory], before.usage.seconds.amount[kMemory]);
  EXPECT_EQ(after.current_attempt, before.current_attempt);
  EXPECT_EQ(after.master_container, before.master_container);
  const AttemptReport attempt_after = *cluster.board->attempt(attempt);
  EXPECT_EQ(attempt_after.state, AttemptState::kFinished);
  EXPECT_EQ(attempt_after.diagnostics, attempt_before.diagnostics);
  EXPECT_EQ(attempt_after.host, attempt_before.host);
  EXPECT_EQ(attempt_after.finished, attempt_before.finished);
}

TEST(Recovery, UnfinishedApplicationGetsANewAttemptInTheNextEpoch) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.restart();
  EXPECT_EQ(cluster.state(attempt), AttemptState::kFailed);
  EXPECT_EQ(cluster.state(attempt.app), AppState::kAccepted);
  cluster.add_node("n1", "8GB 8c");
  cluster.commit();
  const AttemptId next{attempt.app, 2};
  EXPECT_EQ(cluster.state(next), AttemptState::kAllocated);
  EXPECT_EQ(cluster.master_of(next).epoch(), 1);
  EXPECT_EQ(cluster.master_of(next).number(), 1);
}

TEST(Recovery, RestartsDoNotCountAsFailures) {
  CoreDriver cluster;
  const AppId app = cluster.submit();
  for (int number = 1; number <= 4; ++number) {
    cluster.add_node("n1", "8GB 8c");
    cluster.commit();
    cluster.bring_up({app, number});
    cluster.restart();
    cluster.commit();
  }
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  cluster.commit();
  cluster.beat(node, {finished(cluster.master_of({app, 5}), 1)});
  cluster.commit();
  EXPECT_EQ(cluster.state(app), AppState::kAccepted) << "one true failure of two allowed";
}

TEST(Recovery, WhatWasNotAnsweredMayBeLostAndNothingElse) {
  CoreDriver cluster;
  const AppId kept = cluster.submit();
  const Submission lost = cluster.submission();
  const auto answer = cluster.submit(lost);
  cluster.restart();
  EXPECT_FALSE(answer.came());
  EXPECT_EQ(cluster.state(kept), AppState::kAccepted);
  EXPECT_EQ(cluster.board->app(lost.id), nullptr);
}

TEST(Recovery, KillWhoseAttemptIsDurableIsCarriedThrough) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.kill(attempt.app);
  cluster.commit_once();  // the attempt's end, not the application's
  EXPECT_FALSE(is_final(cluster.state(attempt.app)));
  cluster.restart();
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt.app), AppState::kKilled);
  EXPECT_EQ(cluster.diagnostics(attempt.app),
            "Application " + to_string(attempt.app) + " was killed by user ann at 10.0.0.9");
}

TEST(Recovery, LastFailureWhoseApplicationIsNotDurableFailsIt) {
  CoreSetup setup;
  setup.options.max_attempts = setup.options.max_attempts_limit = 1;
  CoreDriver cluster(setup);
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.beat(node, {finished(cluster.master_of(attempt), 3, "boom")});
  cluster.commit_once();
  cluster.restart();
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt.app), AppState::kFailed);
  EXPECT_THAT(cluster.diagnostics(attempt.app), HasSubstr("failed 1 times due to AM Container"));
}

TEST(Recovery, EveryCutBetweenCommitsLeavesAStateThatGoesOn) {
  for (int cut = 0; cut < 8; ++cut) {
    SCOPED_TRACE(cut);
    CoreDriver cluster;
    NodeId node = cluster.add_node("n1", "8GB 8c");
    const Submission job = cluster.submission();
    const auto submitted = cluster.submit(job);
    for (int step = 0; step < cut; ++step) {
      if (cluster.uncommitted() > 0)
        cluster.commit_once();
      else if (cluster.state(job.id) == AppState::kAccepted)
        cluster.bring_up({job.id, 1});
      else
        cluster.finish({job.id, 1});
    }
    cluster.restart();
    node = cluster.add_node("n1", "8GB 8c");
    cluster.commit();
    if (!submitted.came()) {
      cluster.submit(job);  // as a client does that had no answer
      cluster.commit();
    }
    const AppReportPtr report = cluster.board->app(job.id);
    ASSERT_NE(report, nullptr) << "an acknowledged submission is lost";
    if (is_final(report->state)) continue;
    cluster.bring_up(*report->current_attempt);
    cluster.finish(*report->current_attempt);
    cluster.commit();
    cluster.beat(node, {finished(cluster.master_of(*report->current_attempt))});
    EXPECT_EQ(cluster.state(job.id), AppState::kFinished);
  }
}

TEST(Recovery, RejectedApplicationStaysFailed) {
  CoreDriver cluster;
  Submission job = cluster.submission();
  job.queue = "nosuch";
  cluster.submit(job);
  cluster.commit();
  cluster.restart();
  EXPECT_EQ(cluster.state(job.id), AppState::kFailed);
  EXPECT_THAT(cluster.diagnostics(job.id), HasSubstr("unknown queue: nosuch"));
}

TEST(Recovery, AnApplicationWhoseQueueIsGoneIsKilled) {
  CoreSetup setup;
  setup.queues = "root.a capacity=50\nroot.b capacity=50";
  CoreDriver cluster(setup);
  Submission job = cluster.submission();
  job.queue = "b";
  cluster.submit(job);
  Submission other = cluster.submission();
  other.queue = "a";
  cluster.submit(other);
  cluster.commit();
  ASSERT_EQ(cluster.restart_with("root.a capacity=100"), "");
  cluster.commit();
  EXPECT_EQ(cluster.state(job.id), AppState::kKilled);
  EXPECT_EQ(cluster.diagnostics(job.id),
            "Application killed on recovery as it was submitted to queue root.b which no longer "
            "exists after restart.");
  EXPECT_EQ(cluster.state(other.id), AppState::kAccepted);
}

TEST(Recovery, AnApplicationWhoseQueueIsAParentNowIsKilled) {
  CoreSetup setup;
  setup.queues = "root.a capacity=100";
  CoreDriver cluster(setup);
  Submission job = cluster.submission();
  job.queue = "a";
  cluster.submit(job);
  cluster.commit();
  ASSERT_EQ(cluster.restart_with("root.a capacity=100\nroot.a.b capacity=100"), "");
  cluster.commit();
  EXPECT_EQ(cluster.state(job.id), AppState::kKilled);
  EXPECT_THAT(cluster.diagnostics(job.id), HasSubstr("which is no longer a leaf queue after"));
}

TEST(Recovery, WithFailFastALostQueueStopsTheStartAndNothingIsLost) {
  CoreSetup setup;
  setup.queues = "root.a capacity=50\nroot.b capacity=50";
  CoreDriver cluster(setup);
  Submission job = cluster.submission();
  job.queue = "b";
  cluster.submit(job);
  cluster.commit();
  const std::string refused =
      cluster.restart_with("+application fail-fast=true\nroot.a capacity=100");
  EXPECT_THAT(refused, HasSubstr("yarn.scheduler.capacity.application.fail-fast"));
  EXPECT_THAT(refused, HasSubstr("root.b: " + to_string(job.id)));
  ASSERT_EQ(cluster.restart_with(setup.queues), "");
  EXPECT_EQ(cluster.state(job.id), AppState::kAccepted);
}

TEST(Recovery, WhereRulesPutASubmissionIsKeptThoughItAskedForAnotherQueue) {
  CoreSetup setup;
  setup.options.max_app_priority = 10;
  setup.queues =
      "root.a capacity=50 maximum-am-resource-percent=1\n"
      "root.b capacity=50 maximum-am-resource-percent=1";
  CoreDriver cluster(setup);
  Submission job = cluster.submission();
  job.queue = "a";
  job.priority = 1;
  job.placed = {"root.b", 3};
  cluster.submit(job);
  cluster.commit();
  cluster.restart();
  EXPECT_EQ(cluster.board->app(job.id)->queue, "root.b");
  EXPECT_EQ(cluster.board->app(job.id)->priority, 3);
  job.placed = {};
  const auto retried = cluster.submit(job);
  cluster.commit();
  EXPECT_TRUE(retried.ok()) << "the same submission, wherever it was put";
}

TEST(Recovery, ChangedPriorityAndLifetimeAreKept) {
  CoreSetup setup;
  setup.options.max_app_priority = 10;
  CoreDriver cluster(setup);
  const AppId app = cluster.submit();
  cluster.update_priority(app, 7);
  cluster.update_lifetime(app, WallTime{cluster.clock.now().wall.ms + 60'000});
  cluster.commit();
  cluster.restart();
  EXPECT_EQ(cluster.board->app(app)->priority, 7);
  cluster.advance(61s);
  cluster.commit();
  EXPECT_EQ(cluster.state(app), AppState::kKilled);
}

TEST(Recovery, AgesOutInTheOrderOfTheEnds) {
  CoreSetup setup;
  setup.options.finished_apps_max = 2;
  CoreDriver cluster(setup);
  std::vector<AppId> apps = {cluster.submit(), cluster.submit()};
  cluster.kill(apps[1]);
  cluster.commit();
  cluster.advance(1s);
  cluster.kill(apps[0]);
  cluster.commit();
  cluster.restart();
  const AppId third = cluster.submit();
  cluster.kill(third);
  cluster.commit();
  EXPECT_EQ(cluster.board->app(apps[1]), nullptr);
  EXPECT_EQ(cluster.state(apps[0]), AppState::kKilled);
}

TEST(Recovery, ContainersOfTheLastRunAreStoppedOnTheirNodes) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  const ContainerId master = cluster.master_of(attempt);
  cluster.restart();
  EXPECT_EQ(cluster.beat({"n1", 45454}).action, NodeAction::kResync);
  RegisterNode again;
  again.id = {"n1", 45454};
  again.total = {8192, 8};
  again.containers = {running(master)};
  again.running_apps = {attempt.app};
  cluster.register_node(again);
  EXPECT_THAT(cluster.beat(again.id).containers_to_clean_up, testing::Contains(master));
}

TEST(Recovery, ANodeThatKeptAnApplicationHearsOfItsEndThoughItRanNothingSince) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.commit();
  cluster.restart();
  RegisterNode again;
  again.id = {"n1", 45454};
  again.total = {1, 1};  // too small for the next attempt
  again.running_apps = {attempt.app};
  cluster.register_node(again);
  EXPECT_THAT(cluster.beat(again.id).apps_to_clean_up, testing::IsEmpty());
  cluster.kill(attempt.app);
  cluster.commit();
  EXPECT_THAT(cluster.beat(again.id).apps_to_clean_up, testing::Contains(attempt.app));
}

}  // namespace
}  // namespace heddle::rm
