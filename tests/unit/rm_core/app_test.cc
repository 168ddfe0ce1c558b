// The life of applications and their attempts.
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

AttemptId first(const AppId& app) {
  return {app, 1};
}
AttemptId second(const AppId& app) {
  return {app, 2};
}

TEST(Application, GoesItsMainLineToFinished) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const Submission job = cluster.submission();
  const auto submitted = cluster.submit(job);
  EXPECT_FALSE(submitted.came()) << "answered before it is durable";
  EXPECT_EQ(cluster.state(job.id), AppState::kNewSaving);
  cluster.commit();
  EXPECT_TRUE(submitted.ok());
  EXPECT_EQ(cluster.state(job.id), AppState::kAccepted);
  ASSERT_EQ(cluster.launches.size(), 1u);
  EXPECT_EQ(*cluster.launches[0].submission->launch, "how to start it");
  EXPECT_EQ(cluster.state(first(job.id)), AttemptState::kAllocated);

  cluster.launched(first(job.id));
  EXPECT_EQ(cluster.state(first(job.id)), AttemptState::kLaunched);
  cluster.bring_up(first(job.id));
  EXPECT_EQ(cluster.state(job.id), AppState::kRunning);
  EXPECT_EQ(cluster.metrics().apps_running, 1);

  const auto goodbye =
      cluster.finish(first(job.id), {FinalStatus::kSucceeded, "all well", "http://h"});
  EXPECT_FALSE(goodbye.came()) << "the final state is not durable yet";
  EXPECT_EQ(cluster.state(job.id), AppState::kFinalSaving);
  cluster.commit();
  EXPECT_TRUE(goodbye.ok() && goodbye.value());
  EXPECT_EQ(cluster.state(job.id), AppState::kFinishing);

  const ContainerId master = cluster.master_of(first(job.id));
  const NodeHeartbeatAnswer told = cluster.beat(node, {finished(master)});
  EXPECT_THAT(told.apps_to_clean_up, testing::Contains(job.id));
  EXPECT_THAT(told.containers_to_forget, testing::Contains(master));
  EXPECT_EQ(cluster.state(job.id), AppState::kFinished);
  EXPECT_EQ(cluster.state(first(job.id)), AttemptState::kFinished);
  const AppReportPtr report = cluster.board->app(job.id);
  EXPECT_EQ(report->final_status, FinalStatus::kSucceeded);
  EXPECT_EQ(report->diagnostics, "all well");
  EXPECT_EQ(report->original_tracking_url, "http://h");
  const ClusterMetrics metrics = cluster.metrics();
  EXPECT_EQ(metrics.apps_completed, 1);
  EXPECT_EQ(metrics.apps_running, 0);
  EXPECT_EQ(metrics.apps_pending, 0);
}

TEST(Application, GetsASecondAttemptWhenItsFirstMasterFails) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.beat(node, {finished(cluster.master_of(attempt), 1, "boom")});
  EXPECT_EQ(cluster.state(attempt), AttemptState::kFinalSaving);
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt), AttemptState::kFailed);
  EXPECT_EQ(cluster.state(attempt.app), AppState::kAccepted);
  EXPECT_EQ(cluster.metrics().apps_running, 0);
  cluster.bring_up(second(attempt.app));
  EXPECT_EQ(cluster.state(attempt.app), AppState::kRunning);
  const auto goodbye = cluster.finish(second(attempt.app));
  cluster.commit();
  EXPECT_TRUE(goodbye.ok());
  cluster.beat(node, {finished(cluster.master_of(second(attempt.app)))});
  EXPECT_EQ(cluster.state(attempt.app), AppState::kFinished);
}

TEST(Application, FailsWithTheTextOfHadoopAfterItsLastAttempt) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const std::string why =
      "[2026-11-22 01:46:41.430]Exception from container-launch.\nContainer id: c\nExit code: 7\n\n"
      "[2026-11-22 01:46:41.433]Container exited with a non-zero exit code 7. Error file: "
      "prelaunch.err.\nLast 4096 bytes of prelaunch.err :\nboom\n";
  const AppId app = cluster.submit();
  for (const AttemptId& attempt : {first(app), second(app)}) {
    cluster.launched(attempt);
    cluster.beat(node, {finished(cluster.master_of(attempt), 7, why)});
    cluster.commit();
    EXPECT_EQ(cluster.state(attempt), AttemptState::kFailed);
  }
  EXPECT_EQ(cluster.state(app), AppState::kFailed);
  const std::string attempt_text =
      "AM Container for " + to_string(second(app)) + " exited with  exitCode: 7\n" +
      "Failing this attempt.Diagnostics: " + why +
      "\nFor more detailed output, check the application tracking page: "
      "http://rm:8088/cluster/app/" +
      to_string(app) + " Then click on links to logs of each attempt.\n";
  EXPECT_EQ(cluster.board->attempt(second(app))->diagnostics, attempt_text);
  EXPECT_EQ(cluster.diagnostics(app), "Application " + to_string(app) + " failed 2 times due to " +
                                          attempt_text + ". Failing the application.");
  const AppReportPtr report = cluster.board->app(app);
  EXPECT_EQ(report->host, "N/A");
  EXPECT_EQ(report->rpc_port, -1);
  EXPECT_EQ(report->final_status, FinalStatus::kFailed);
}

TEST(Application, OldFailuresDoNotCountOutsideTheValidityInterval) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  Submission job = cluster.submission();
  job.attempt_failures_validity_ms = 60'000;
  cluster.submit(job);
  cluster.commit();
  for (int number = 1; number <= 3; ++number) {
    const AttemptId attempt{job.id, number};
    cluster.launched(attempt);
    cluster.beat(node, {finished(cluster.master_of(attempt), 1)});
    cluster.commit();
    EXPECT_EQ(cluster.state(job.id), AppState::kAccepted) << number;
    cluster.advance(61s);
  }
}

TEST(Application, LaunchThatFailsFailsTheAttempt) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AppId app = cluster.submit();
  cluster.launched(first(app), fail(ErrorCode::kUnavailable, "connection refused"));
  cluster.commit();
  EXPECT_EQ(cluster.board->attempt(first(app))->diagnostics,
            "Error launching " + to_string(first(app)) + ". Got exception: connection refused");
  EXPECT_EQ(cluster.state(second(app)), AttemptState::kAllocated);
}

TEST(Application, LaunchThatIsSaidToHaveFailedAfterItsMasterRegisteredChangesNothing) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.launched(attempt, fail(ErrorCode::kUnavailable, "no answer in time"));
  Allocate request;
  request.blacklist_additions = {"n9"};  // has the report made anew
  cluster.allocate(attempt, request);
  EXPECT_EQ(cluster.state(attempt), AttemptState::kRunning);
  EXPECT_EQ(cluster.board->attempt(attempt)->diagnostics, "");
}

TEST(Application, KilledBeforeItIsDurableEndsKilled) {
  CoreDriver cluster;
  const Submission job = cluster.submission();
  const auto submitted = cluster.submit(job);
  EXPECT_FALSE(cluster.kill(job.id).value().completed);
  EXPECT_EQ(cluster.state(job.id), AppState::kFinalSaving);
  cluster.commit();
  EXPECT_TRUE(submitted.ok());
  EXPECT_EQ(cluster.state(job.id), AppState::kKilled);
  EXPECT_TRUE(cluster.kill(job.id).value().completed);
}

TEST(Application, KilledWhileItsMasterWaitsForRoomEndsKilled) {
  CoreDriver cluster;
  const AppId app = cluster.submit();
  EXPECT_EQ(cluster.state(first(app)), AttemptState::kScheduled);
  EXPECT_FALSE(cluster.kill(app, "bob").value().completed);
  EXPECT_EQ(cluster.state(app), AppState::kKilling);
  EXPECT_EQ(cluster.board->app(app)->state_before_saving, AppState::kAccepted);
  EXPECT_FALSE(cluster.kill(app).value().completed) << "asked again while it goes on";
  cluster.commit();
  EXPECT_EQ(cluster.state(app), AppState::kKilled);
  EXPECT_EQ(cluster.diagnostics(app),
            "Application " + to_string(app) + " was killed by user bob at 10.0.0.9");
  EXPECT_EQ(cluster.board->attempt(first(app))->diagnostics, "");
  EXPECT_EQ(cluster.metrics().apps_pending, 0);
}

TEST(Application, AttemptThatWasKilledOrFailedIsReportedWithoutAnAddress) {
  for (const bool killed : {true, false}) {
    CoreDriver cluster;
    cluster.add_node("n1", "8GB 8c");
    const AttemptId attempt = cluster.running_app();
    EXPECT_EQ(cluster.board->attempt(attempt)->host, "amhost");
    if (killed)
      cluster.kill(attempt.app);
    else
      cluster.fail_attempt(attempt);
    cluster.commit();
    for (const bool restarted : {false, true}) {
      if (restarted) cluster.restart();
      const AttemptReportPtr report = cluster.board->attempt(attempt);
      EXPECT_EQ(report->state, killed ? AttemptState::kKilled : AttemptState::kFailed);
      EXPECT_EQ(report->host, "N/A");
      EXPECT_EQ(report->rpc_port, -1);
      EXPECT_EQ(report->diagnostics.empty(), killed) << report->diagnostics;
    }
  }
}

TEST(Application, KilledInEachStateOfItsAttemptFreesItsRoom) {
  for (int step = 0; step < 5; ++step) {
    SCOPED_TRACE(step);
    CoreDriver cluster;
    const NodeId node = cluster.add_node("n1", "8GB 8c");
    const Submission job = cluster.submission();
    cluster.submit(job);
    cluster.commit_once();  // step 0: ALLOCATED_SAVING
    if (step >= 1) cluster.commit();
    if (step >= 2) cluster.launched(first(job.id));
    if (step >= 3) cluster.bring_up(first(job.id));
    if (step >= 4) cluster.ask(first(job.id), 3);
    const ContainerId master = cluster.master_of(first(job.id));
    cluster.kill(job.id);
    cluster.commit();
    EXPECT_EQ(cluster.state(job.id), AppState::kKilled);
    EXPECT_EQ(cluster.board->node(node)->used, Resources());
    EXPECT_EQ(cluster.metrics().apps_running, 0);
    EXPECT_EQ(cluster.metrics().apps_pending, 0);
    EXPECT_THAT(cluster.beat(node).containers_to_clean_up, testing::Contains(master));
    EXPECT_FALSE(cluster.board->attempt_may_log_in(first(job.id)));
  }
}

TEST(Application, KilledWhileItsGoodbyeIsSavedStaysFinished) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.finish(attempt);
  EXPECT_FALSE(cluster.kill(attempt.app).value().completed);
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt.app), AppState::kFinishing);
  EXPECT_TRUE(cluster.kill(attempt.app).value().completed)
      << "a client asks until it is true, and the AM may stay for long";
  cluster.beat(node, {finished(cluster.master_of(attempt))});
  EXPECT_EQ(cluster.state(attempt.app), AppState::kFinished);
}

TEST(Application, KilledWhileAFailureIsSavedEndsKilledWithTheFailureOnItsAttempt) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.beat(node, {finished(cluster.master_of(attempt), 1, "boom")});
  cluster.kill(attempt.app);
  EXPECT_EQ(cluster.state(attempt.app), AppState::kKilling);
  cluster.commit_once();  // the attempt's end is durable, the application's is not
  EXPECT_EQ(cluster.state(attempt.app), AppState::kFinalSaving);
  EXPECT_EQ(cluster.board->app(attempt.app)->state_before_saving, AppState::kRunning);
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt.app), AppState::kKilled);
  EXPECT_THAT(cluster.board->attempt(attempt)->diagnostics, HasSubstr("boom"));
  EXPECT_THAT(cluster.diagnostics(attempt.app), HasSubstr("was killed by user ann"));
  EXPECT_EQ(cluster.metrics().apps_running, 0) << "the number of running ones has leaked";
}

TEST(Application, KillOfAnUnknownOneIsNotFound) {
  CoreDriver cluster;
  const auto answer = cluster.kill({1, 1});
  EXPECT_EQ(answer.error(), "Application with id 'application_1_0001' doesn't exist in RM.");
  EXPECT_EQ(answer.code(), ErrorCode::kNotFound);
}

TEST(Application, LivesNoLongerThanItsLifetime) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  Submission job = cluster.submission();
  job.lifetime_seconds = 30;
  const AttemptId attempt = cluster.running_app(job);
  cluster.advance(29s);
  EXPECT_EQ(cluster.state(attempt.app), AppState::kRunning);
  cluster.advance(1s);
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt.app), AppState::kKilled);
  EXPECT_EQ(cluster.diagnostics(attempt.app),
            "Application is killed by ResourceManager as it has exceeded the lifetime period.");
}

TEST(Application, LifetimeMayBeMovedWithoutPilingUpDeadlines) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  Submission job = cluster.submission();
  job.lifetime_seconds = 30;
  const AttemptId attempt = cluster.running_app(job);
  for (int i = 1; i <= 100; ++i) {  // the invariants count the pending deadlines
    const auto moved =
        cluster.update_lifetime(job.id, WallTime{cluster.clock.now().wall.ms + 60'000 + i});
    cluster.commit();
    EXPECT_TRUE(moved.ok());
  }
  cluster.advance(40s);
  EXPECT_EQ(cluster.state(attempt.app), AppState::kRunning);
  cluster.advance(21s);
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt.app), AppState::kKilled);
}

TEST(Application, AbsurdLifetimeIsNeverReached) {
  CoreDriver cluster;
  Submission job = cluster.submission();
  job.lifetime_seconds = INT64_MAX;
  cluster.submit(job);
  cluster.commit();
  cluster.update_lifetime(job.id, WallTime{INT64_MAX});
  cluster.advance(std::chrono::hours(24 * 365));
  cluster.commit();
  EXPECT_EQ(cluster.state(job.id), AppState::kAccepted);
}

TEST(Application, LifetimeInThePastIsRefused) {
  CoreDriver cluster;
  const AppId app = cluster.submit();
  const auto answer = cluster.update_lifetime(app, WallTime{1});
  EXPECT_THAT(answer.error(), HasSubstr("lies in the past"));
}

TEST(Application, QueueGivesAndLimitsTheLifetime) {
  CoreSetup setup;
  setup.queues =
      "root.default capacity=100 maximum-application-lifetime=100 "
      "default-application-lifetime=50 maximum-am-resource-percent=1";
  CoreDriver cluster(setup);
  const std::int64_t now = cluster.clock.now().wall.ms;
  EXPECT_EQ(cluster.board->app(cluster.submit())->lifetime_expiry.ms, now + 50'000);
  Submission longer = cluster.submission();
  longer.lifetime_seconds = 1000;
  cluster.submit(longer);
  EXPECT_EQ(cluster.board->app(longer.id)->lifetime_expiry.ms, now + 100'000);
}

TEST(Application, SilentMasterExpires) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  const ContainerId master = cluster.master_of(attempt);
  for (int minute = 0; minute < 16; ++minute) {
    cluster.advance(1min);
    cluster.beat(node, {running(master)});
  }
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt), AttemptState::kFailed);
  EXPECT_EQ(cluster.board->attempt(attempt)->diagnostics,
            "ApplicationMaster for attempt " + to_string(attempt) + " timed out");
  EXPECT_THAT(cluster.beat(node, {running(master)}).containers_to_clean_up,
              testing::Contains(master));
}

TEST(Application, MasterThatTalksDoesNotExpire) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  for (int minute = 0; minute < 40; ++minute) {
    cluster.advance(1min);
    cluster.beat(node);
    cluster.allocate(attempt);
  }
  EXPECT_EQ(cluster.state(attempt), AttemptState::kRunning);
}

TEST(Application, MasterThatHangsAfterItsGoodbyeIsEndedByExpiry) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.finish(attempt);
  cluster.commit();
  for (int minute = 0; minute < 16; ++minute) {
    cluster.advance(1min);
    cluster.beat(node);
  }
  EXPECT_EQ(cluster.state(attempt.app), AppState::kFinished);
}

TEST(Application, FailAttemptStartsTheNext) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  EXPECT_TRUE(cluster.fail_attempt(attempt).ok());
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt), AttemptState::kFailed);
  EXPECT_EQ(cluster.state(second(attempt.app)), AttemptState::kAllocated);
}

TEST(Application, FailOfAFinishedAttemptChangesNothing) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.finish(attempt, {FinalStatus::kSucceeded, "all well", ""});
  cluster.commit();
  cluster.beat(node, {finished(cluster.master_of(attempt))});
  EXPECT_TRUE(cluster.fail_attempt(attempt).ok());
  cluster.kill(attempt.app);  // has the reports made anew
  EXPECT_EQ(cluster.board->attempt(attempt)->diagnostics, "all well");
  EXPECT_THAT(cluster.fail_attempt({attempt.app, 9}).error(), HasSubstr("doesn't exist in RM"));
}

TEST(Application, UnmanagedOneRunsWithoutAContainerAndHasOneAttempt) {
  CoreDriver cluster;
  Submission job = cluster.submission();
  job.unmanaged = true;
  const AttemptId attempt = cluster.running_app(job);
  EXPECT_EQ(cluster.state(job.id), AppState::kRunning);
  EXPECT_TRUE(cluster.launches.empty());
  cluster.fail_attempt(attempt);
  cluster.commit();
  EXPECT_EQ(cluster.state(job.id), AppState::kFailed);
  EXPECT_EQ(cluster.diagnostics(job.id), "Unmanaged application " + to_string(job.id) +
                                             " failed due to Attempt failed by user request: " +
                                             to_string(attempt) + ". Failing the application.");
}

TEST(Application, UnmanagedOneIsFinishedAsSoonAsThatIsDurable) {
  CoreDriver cluster;
  Submission job = cluster.submission();
  job.unmanaged = true;
  const AttemptId attempt = cluster.running_app(job);
  cluster.finish(attempt);
  cluster.commit();
  EXPECT_EQ(cluster.state(job.id), AppState::kFinished);
}

TEST(Application, MovesWithItsNumbersToAnotherQueue) {
  CoreSetup setup;
  setup.queues =
      "root.a capacity=50 maximum-am-resource-percent=1\n"
      "root.b capacity=50 maximum-am-resource-percent=1";
  CoreDriver cluster(setup);
  cluster.add_node("n1", "8GB 8c");
  Submission job = cluster.submission();
  job.queue = "a";
  const AttemptId attempt = cluster.running_app(job);
  const auto moved = cluster.move(job.id, "b");
  EXPECT_FALSE(moved.came());
  cluster.commit();
  EXPECT_TRUE(moved.ok()) << moved.error();
  EXPECT_EQ(cluster.board->app(job.id)->queue, "root.b");
  cluster.metrics();
  EXPECT_EQ(cluster.board->queues()->children[0].counts.apps.running, 0);
  EXPECT_EQ(cluster.board->queues()->children[1].counts.apps.running, 1);
  EXPECT_EQ(cluster.move(job.id, "nosuch").error(), "The specified Queue: nosuch doesn't exist");
  EXPECT_EQ(cluster.move(job.id, "root").error(),
            "The specified Queue: root is not a Leaf Queue. Move is supported only between Leaf "
            "Queues.");
  EXPECT_EQ(cluster.board->app(job.id)->queue, "root.b");
  cluster.kill(attempt.app);
  cluster.commit();
  EXPECT_EQ(cluster.move(job.id, "a").code(), ErrorCode::kWrongState);
}

TEST(Application, PriorityIsCutToTheMaximum) {
  CoreSetup setup;
  setup.options.max_app_priority = 10;
  CoreDriver cluster(setup);
  const AppId app = cluster.submit();
  for (const auto& [asked, given] : {std::pair{1'000'000'000, 10}, {-1, 0}, {7, 7}}) {
    const auto answer = cluster.update_priority(app, asked);
    cluster.commit();
    EXPECT_EQ(answer.value(), given);
    EXPECT_EQ(cluster.board->app(app)->priority, given);
  }
}

TEST(Application, TakesTheDefaultPriorityOfItsQueueWhenItAsksForNone) {
  CoreSetup setup;
  setup.options.max_app_priority = 10;
  setup.queues = "root.default capacity=100 default-application-priority=4";
  CoreDriver cluster(setup);
  EXPECT_EQ(cluster.board->app(cluster.submit())->priority, 4);
}

TEST(Application, OldestFinishedOnesAgeOut) {
  CoreSetup setup;
  setup.options.finished_apps_max = 2;
  CoreDriver cluster(setup);
  std::vector<AppId> apps;
  for (int i = 0; i < 4; ++i) {
    apps.push_back(cluster.submit());
    cluster.kill(apps.back());
    cluster.commit();
    cluster.advance(1s);
  }
  EXPECT_EQ(cluster.board->app(apps[0]), nullptr);
  EXPECT_EQ(cluster.board->app(apps[1]), nullptr);
  EXPECT_EQ(cluster.state(apps[2]), AppState::kKilled);
  EXPECT_EQ(cluster.disk.apps().size(), 2u);
}

TEST(Application, AgedOutOneWhoseMasterStillRunsLeavesNoTrace) {
  CoreSetup setup;
  setup.options.finished_apps_max = 1;
  CoreDriver cluster(setup);
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  const ContainerId master = cluster.master_of(attempt);
  cluster.finish(attempt);
  cluster.commit();
  for (int minute = 0; minute < 16; ++minute) {
    cluster.advance(1min);
    cluster.beat(node, {running(master)});
  }
  cluster.kill(cluster.submit());
  cluster.commit();
  EXPECT_EQ(cluster.board->app(attempt.app), nullptr);
  cluster.beat(node, {finished(master)});
  EXPECT_EQ(cluster.board->node(node)->used, Resources());
}

TEST(Application, UseIsCountedInSecondsAndNeverWraps) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.advance(10s);
  Allocate half;
  half.progress = 0.5F;
  cluster.allocate(attempt, half);
  const AppReportPtr report = cluster.board->app(attempt.app);
  EXPECT_EQ(report->usage.seconds.amount[kMemory], 10 * 1024);
  EXPECT_EQ(report->usage.seconds.amount[kVcores], 10);
  EXPECT_FLOAT_EQ(report->usage.cluster_percentage, 12.5F);
  EXPECT_FLOAT_EQ(report->progress, 0.5F);
}

TEST(Application, UseOfAnIdleOneGoesOnToAddUpWhereItIsShown) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  const auto shown = [&] { return cluster.board->app(attempt.app)->usage.seconds.amount[kMemory]; };
  cluster.advance(10s);
  cluster.allocate(attempt);
  EXPECT_EQ(shown(), 10 * 1024);
  cluster.advance(1s);
  cluster.allocate(attempt);
  EXPECT_EQ(shown(), 10 * 1024) << "a heartbeat that changes nothing costs no report";
  cluster.advance(2s);
  cluster.allocate(attempt);
  EXPECT_EQ(shown(), 13 * 1024);
}

TEST(Application, PriorityMayBeRaisedToANewMaximum) {
  CoreDriver cluster;
  const AppId app = cluster.submit();
  cluster.core->set_max_app_priority(20);
  const auto answer = cluster.update_priority(app, 15);
  cluster.commit();
  EXPECT_EQ(answer.value(), 15);
  EXPECT_EQ(cluster.metrics().max_app_priority, 20);
}

TEST(Application, KillOfAFinishedOneIsASuccessAndChangesNothing) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.kill(attempt.app);
  cluster.commit();
  const std::string before = cluster.diagnostics(attempt.app);
  const auto again = cluster.kill(attempt.app, "bob");
  EXPECT_TRUE(again.value().completed);
  EXPECT_EQ(cluster.state(attempt.app), AppState::kKilled);
  EXPECT_EQ(cluster.diagnostics(attempt.app), before);
}

}  // namespace
}  // namespace heddle::rm
