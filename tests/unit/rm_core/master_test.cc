// The protocol between ApplicationMasters and the core.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "queues/config.h"
#include "tests/testlib/cluster_builder.h"
#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::CoreDriver;
using testlib::finished;
using testlib::running;

class Master : public testing::Test {
 protected:
  Master() : node(cluster.add_node("n1", "8GB 8c")), attempt(cluster.running_app()) {}

  std::vector<ContainerId> ids(const std::shared_ptr<const Allocated>& answer) const {
    std::vector<ContainerId> out;
    for (const GrantedContainer& one : answer->containers)
      out.push_back(one.id);
    return out;
  }

  CoreDriver cluster;
  const NodeId node;
  const AttemptId attempt;
};

TEST_F(Master, AskIsAnsweredInTheCallThatBringsIt) {
  const auto answer = cluster.ask(attempt, 3);
  ASSERT_THAT(answer->containers, SizeIs(3));
  EXPECT_EQ(answer->containers[0].node, node);
  EXPECT_EQ(answer->containers[0].resources, Resources(1024, 1));
  EXPECT_EQ(answer->response_id, 1);
  EXPECT_EQ(answer->cluster_nodes, 1);
  EXPECT_THAT(cluster.allocate(attempt)->containers, IsEmpty()) << "each container once";
}

TEST_F(Master, SameResponseIdAgainGetsTheSameAnswerAgain) {
  const auto one = cluster.ask(attempt, 2);
  const auto two = cluster.try_allocate(attempt, {});
  EXPECT_EQ(two.value(), one);
}

TEST_F(Master, AnyOtherResponseIdIsRefusedByName) {
  for (int i = 0; i < 5; ++i)
    cluster.allocate(attempt);
  for (const std::int32_t id : {0, 3, 6, -1, INT32_MAX}) {
    Allocate request;
    request.response_id = id;
    const auto answer = cluster.try_allocate(attempt, request);
    EXPECT_EQ(answer.error(), "Invalid responseId in AllocateRequest from application attempt: " +
                                  to_string(attempt) + " expect responseId to be 5 but get " +
                                  std::to_string(id));
  }
}

TEST_F(Master, AllocateBeforeRegisterIsRefused) {
  const AppId other = cluster.submit();
  const auto answer = cluster.try_allocate({other, 1}, {});
  EXPECT_EQ(
      answer.error(),
      "AM is not registered for known application attempt: " + to_string(AttemptId{other, 1}) +
          " or RM had restarted after AM registered.  AM should re-register.");
  const auto finish = cluster.finish({other, 1});
  EXPECT_EQ(finish.error(), "Application Master is trying to unregister before registering for: " +
                                to_string(other));
}

TEST_F(Master, AllocateOfAnEndedOrUnknownAttemptIsRefused) {
  cluster.kill(attempt.app);
  cluster.commit();
  const std::string text = "Application attempt " + to_string(attempt) +
                           " doesn't exist in ApplicationMasterService cache.";
  EXPECT_EQ(cluster.try_allocate(attempt, {}).error(), text);
  EXPECT_EQ(cluster.register_master(attempt).error(), text);
  EXPECT_FALSE(cluster.try_allocate({{1, 1}, 1}, {}).ok());
}

TEST_F(Master, SecondRegistrationIsRefused) {
  EXPECT_EQ(cluster.register_master(attempt).error(),
            "Application Master is already registered : " + to_string(attempt.app));
}

TEST_F(Master, RegistrationAgainIsAllowedForAnUnmanagedOneThatKeepsContainers) {
  Submission job = cluster.submission();
  job.unmanaged = job.keep_containers = true;
  const AttemptId unmanaged = cluster.running_app(job);
  const auto given = ids(cluster.ask(unmanaged, 1));
  cluster.beat(node, {finished(given.at(0), 3)});
  EXPECT_THAT(cluster.allocate(unmanaged)->finished, SizeIs(1));
  EXPECT_TRUE(cluster.register_master(unmanaged).ok());
  EXPECT_THAT(cluster.allocate(unmanaged)->finished, SizeIs(1)) << "it may have missed it";
}

TEST_F(Master, GoodbyeIsTrueOnceDurableAlsoWhenRepeated) {
  const auto one = cluster.finish(attempt);
  const auto two = cluster.finish(attempt);
  EXPECT_FALSE(one.came() || two.came());
  cluster.commit();
  EXPECT_TRUE(one.value() && two.value());
  EXPECT_TRUE(cluster.finish(attempt).value());
}

TEST_F(Master, GoodbyeOfOneThatIsBeingKilledIsRefusedAndNotForgotten) {
  cluster.kill(attempt.app);
  const auto goodbye = cluster.finish(attempt);
  EXPECT_TRUE(goodbye.came());
  EXPECT_FALSE(goodbye.ok());
}

TEST_F(Master, FinishedContainerIsToldOnceAndForgottenAfterTheNextCall) {
  const auto given = ids(cluster.ask(attempt, 1));
  cluster.beat(node, {running(given[0])});
  EXPECT_THAT(cluster.beat(node, {finished(given[0], 7, "why")}).containers_to_forget, IsEmpty());
  const auto told = cluster.allocate(attempt);
  ASSERT_THAT(told->finished, SizeIs(1));
  EXPECT_EQ(told->finished[0].exit_status, 7);
  EXPECT_EQ(told->finished[0].diagnostics, "why");
  EXPECT_THAT(cluster.beat(node, {finished(given[0], 7)}).containers_to_forget, IsEmpty());
  EXPECT_THAT(cluster.allocate(attempt)->finished, IsEmpty());
  EXPECT_THAT(cluster.beat(node, {finished(given[0], 7)}).containers_to_forget,
              ElementsAre(given[0]));
}

TEST_F(Master, ReportsThatNobodyWillAskForAreForgottenWithTheAttempt) {
  const auto given = ids(cluster.ask(attempt, 2));
  cluster.beat(node, {finished(given[0], 7)});
  cluster.allocate(attempt);  // told, not yet acknowledged
  cluster.beat(node, {finished(given[1], 7)});
  cluster.kill(attempt.app);
  cluster.commit();
  const auto answer = cluster.beat(node, {finished(given[0]), finished(given[1])});
  EXPECT_THAT(answer.containers_to_forget, testing::IsSupersetOf(given));
}

TEST_F(Master, ReleasedContainerComesBackWithTheTextOfHadoop) {
  const auto given = ids(cluster.ask(attempt, 2));
  Allocate release;
  release.releases = {given[0]};
  const auto told = cluster.allocate(attempt, release);
  ASSERT_THAT(told->finished, SizeIs(1));
  EXPECT_EQ(told->finished[0].id, given[0]);
  EXPECT_EQ(told->finished[0].exit_status, -100);
  EXPECT_EQ(told->finished[0].diagnostics, "Container released by application");
  EXPECT_THAT(cluster.beat(node).containers_to_clean_up, Contains(given[0]));
  EXPECT_THAT(cluster.allocate(attempt, release)->finished, IsEmpty()) << "released already";
}

TEST_F(Master, ReleaseOfAStrangersContainerIsRefused) {
  const AttemptId other = cluster.running_app();
  Allocate release;
  release.releases = {cluster.master_of(other)};
  const auto answer = cluster.try_allocate(attempt, release);
  EXPECT_THAT(answer.error(), HasSubstr("not belonging to this application attempt"));
  EXPECT_EQ(cluster.state(other), AttemptState::kRunning);
}

TEST_F(Master, ReportedContainerThatItsMasterHasNotHeardOfIsToldAllTheSame) {
  ASSERT_TRUE(cluster.resize_node(node, "1GB 8c"));
  cluster.ask(attempt, 1);
  ASSERT_TRUE(cluster.resize_node(node, "8GB 8c"));  // granted, and waits for the next call
  const ContainerId guessed{attempt, 2};
  cluster.beat(node, {running(guessed)});
  EXPECT_THAT(ids(cluster.allocate(attempt)), ElementsAre(guessed));
}

TEST_F(Master, BlacklistedNodeGivesNothing) {
  Allocate avoid;
  avoid.blacklist_additions = {"n1"};
  cluster.allocate(attempt, avoid);
  EXPECT_THAT(cluster.ask(attempt, 1)->containers, IsEmpty());
  EXPECT_THAT(cluster.board->attempt(attempt)->blacklisted, ElementsAre("n1"));
  Allocate again;
  again.blacklist_removals = {"n1"};
  EXPECT_THAT(cluster.allocate(attempt, again)->containers, SizeIs(1));
  Allocate both;
  both.blacklist_additions = both.blacklist_removals = {"n2"};
  cluster.allocate(attempt, both);
  EXPECT_THAT(cluster.board->attempt(attempt)->blacklisted, IsEmpty()) << "removals come last";
  Allocate all;
  all.response_id = cluster.allocate(attempt)->response_id;
  all.blacklist_additions = {"*"};
  EXPECT_EQ(cluster.try_allocate(attempt, all).error(), "Cannot add * to the blacklist!");
}

TEST_F(Master, TokenOfANodeComesOncePerAttempt) {
  EXPECT_THAT(cluster.ask(attempt, 2)->nm_tokens_for, ElementsAre(node));
  EXPECT_THAT(cluster.ask(attempt, 2)->nm_tokens_for, IsEmpty());
  const NodeId other = cluster.add_node("n2", "8GB 8c");
  EXPECT_THAT(cluster.ask(attempt, 8)->nm_tokens_for, ElementsAre(other));
  cluster.fail_attempt(attempt);
  cluster.commit();
  const AttemptId next{attempt.app, 2};
  cluster.bring_up(next);
  EXPECT_THAT(cluster.ask(next, 20)->nm_tokens_for, SizeIs(2));
}

TEST_F(Master, KeptContainersGoToTheNextAttempt) {
  Submission job = cluster.submission();
  job.keep_containers = true;
  const AttemptId keeper = cluster.running_app(job);
  const auto given = ids(cluster.ask(keeper, 3));
  cluster.beat(node, {running(given[0]), running(given[1]), finished(given[2], 5)});
  cluster.beat(node, {finished(cluster.master_of(keeper), 1)});
  cluster.commit();
  const AttemptId next{job.id, 2};
  cluster.launched(next);
  const auto registered = cluster.register_master(next);
  ASSERT_THAT(registered.value().previous_containers, SizeIs(2));
  EXPECT_EQ(registered.value().previous_containers[0].id, given[0]);
  const auto first = cluster.allocate(next);
  ASSERT_THAT(first->finished, SizeIs(1)) << "what the first attempt was never told";
  EXPECT_EQ(first->finished[0].id, given[2]);
  cluster.beat(node, {finished(given[0], 0)});
  EXPECT_THAT(cluster.allocate(next)->finished, SizeIs(1));
  Allocate release;
  release.releases = {given[1]};
  EXPECT_THAT(cluster.allocate(next, release)->finished, SizeIs(1));
  cluster.kill(job.id);
  cluster.commit();
}

TEST_F(Master, ContainersThatAreNotKeptEndWithTheirAttempt) {
  const auto given = ids(cluster.ask(attempt, 2));
  cluster.beat(node, {running(given[0])});
  cluster.fail_attempt(attempt);
  cluster.commit();
  EXPECT_THAT(cluster.beat(node).containers_to_clean_up, testing::IsSupersetOf(given));
  const AttemptId next{attempt.app, 2};
  cluster.bring_up(next);
  EXPECT_THAT(cluster.allocate(next)->finished, IsEmpty());
}

TEST_F(Master, ContainerThatIsNotStartedInTimeExpires) {
  const auto given = ids(cluster.ask(attempt, 2));
  cluster.beat(node, {running(given[0])});
  for (int minute = 0; minute < 10; ++minute) {
    cluster.advance(1min);
    cluster.beat(node, {running(given[0])});
  }
  const auto told = cluster.allocate(attempt);
  ASSERT_THAT(told->finished, SizeIs(1));
  EXPECT_EQ(told->finished[0].id, given[1]);
  EXPECT_EQ(told->finished[0].exit_status, -100);
  EXPECT_EQ(told->finished[0].diagnostics, "Container expired since it was unused");
}

TEST_F(Master, AsksThatCannotBeAreRefusedByName) {
  const auto refused = [&](Resources size, std::int32_t count) {
    Allocate request;
    Ask ask;
    ask.resources = size;
    ask.containers = count;
    request.asks = {ask};
    return cluster.try_allocate(attempt, request).error();
  };
  EXPECT_THAT(refused({-1, 1}, 1),
              HasSubstr("is less than 0! Requested resource type=[memory-mb]"));
  EXPECT_THAT(refused({1024, -1}, 1), HasSubstr("[vcores]"));
  EXPECT_THAT(refused({INT64_MAX, 1}, 1), HasSubstr("greater than maximum allowed allocation"));
  EXPECT_THAT(refused({9000, 1}, 1), HasSubstr("<memory:9000, vCores:1>"));
  EXPECT_THAT(refused({1024, 1}, -5), HasSubstr("number of containers -5"));
  EXPECT_EQ(refused({0, 0}, 1), "") << "rounded up to the minimum";
}

TEST_F(Master, AsksForBillionsOfContainersAreServedAsFarAsThereIsRoom) {
  EXPECT_THAT(cluster.ask(attempt, INT32_MAX)->containers, SizeIs(7));
  EXPECT_THAT(cluster.ask(attempt, 0)->containers, IsEmpty());
}

TEST_F(Master, MoreContainersThanClientsCanCountAreShownAsTheMostTheyCan) {
  Allocate request;
  Ask ask;
  ask.resources = {1024, 1};
  ask.containers = INT32_MAX;
  for (ask.priority = 1; ask.priority <= 300; ++ask.priority)
    request.asks.push_back(ask);
  cluster.allocate(attempt, request);
  EXPECT_EQ(cluster.metrics().containers_pending, INT32_MAX);
  EXPECT_EQ(cluster.board->queues()->pending_containers, INT32_MAX);
}

TEST_F(Master, TableOfAsksIsBounded) {
  Allocate request;
  Ask ask;
  ask.resources = {1024, 1};
  ask.containers = 1;
  request.asks.assign(200'001, ask);
  const auto answer = cluster.try_allocate(attempt, request);
  EXPECT_EQ(answer.code(), ErrorCode::kLimitExceeded);
  EXPECT_THAT(answer.error(), HasSubstr("200000 are the most"));
}

TEST_F(Master, ProgressThatIsNotANumberCountsAsNone) {
  for (const auto& [told, kept] :
       {std::pair{NAN, 0.0F}, {-3.0F, 0.0F}, {7.0F, 1.0F}, {0.25F, 0.25F}}) {
    Allocate request;
    request.progress = told;
    cluster.allocate(attempt, request);
    EXPECT_EQ(cluster.board->app(attempt.app)->progress, kept);
  }
}

TEST_F(Master, WhoHasUnregisteredHasDoneAllThoughItsContainerStillRuns) {
  Allocate request;
  request.progress = 0.95F;
  cluster.allocate(attempt, request);
  cluster.finish(attempt);
  cluster.commit();
  ASSERT_EQ(cluster.state(attempt.app), AppState::kFinishing);
  EXPECT_EQ(cluster.board->app(attempt.app)->progress, 1.0F);
  cluster.allocate(attempt, request);  // sent before, come after
  EXPECT_EQ(cluster.board->app(attempt.app)->progress, 1.0F);
}

TEST_F(Master, RolledKeyBringsAFreshTokenOnce) {
  EXPECT_FALSE(cluster.allocate(attempt)->renew_amrm_token);
  cluster.core->amrm_key_rolled(77);
  EXPECT_TRUE(cluster.allocate(attempt)->renew_amrm_token);
  EXPECT_FALSE(cluster.allocate(attempt)->renew_amrm_token);
}

TEST_F(Master, UpdatesAreRefusedOneByOne) {
  Allocate request;
  request.updates = {
      {cluster.master_of(attempt), 7, UpdateKind::kIncrease, Resources(2048, 1), {}}};
  EXPECT_THAT(cluster.allocate(attempt, request)->update_errors, SizeIs(1));
}

TEST_F(Master, MayLogInFromItsLaunchToItsEnd) {
  EXPECT_TRUE(cluster.board->attempt_may_log_in(attempt));
  cluster.finish(attempt);
  cluster.commit();
  EXPECT_TRUE(cluster.board->attempt_may_log_in(attempt)) << "it may repeat its goodbye";
  cluster.beat(node, {finished(cluster.master_of(attempt))});
  EXPECT_FALSE(cluster.board->attempt_may_log_in(attempt));
}

TEST(MasterTexts, ThatAreTooLongAreRefusedAtRegistrationNamingTheLimit) {
  struct Case {
    std::string host, url, says;
  };
  const Case cases[] = {
      {std::string(256, 'h'), "", "the host 'hhhh"},
      {std::string(1 << 20, 'h'), "", "has 1048576 bytes; 255 are the most"},
      {"h", std::string(8193, 'u'), "tracking URL 'uuuu"},
      {"h", std::string(1 << 20, 'u'), "has 1048576 bytes; 8192 are the most"},
  };
  for (const Case& bad : cases) {
    CoreDriver cluster;
    cluster.add_node("n1", "8GB 8c");
    cluster.submit();
    const AttemptId attempt = cluster.launches.at(0).attempt;
    cluster.launched(attempt);
    Turn turn{cluster.clock.now(), {}};
    testlib::Answer<MasterRegistered> answer;
    cluster.core->register_master(attempt, {bad.host, 1, bad.url}, answer.taker(), turn);
    for (auto& reply : turn.effects.replies)
      reply();
    EXPECT_EQ(answer.code(), ErrorCode::kLimitExceeded) << bad.says;
    EXPECT_THAT(answer.error(), HasSubstr(bad.says));
    EXPECT_LT(answer.error().size(), 300U);
    EXPECT_TRUE(cluster.register_master(attempt).ok()) << "it may try again";
  }
}

TEST_F(Master, TrackingUrlThatIsTooLongIsRefusedByAllocateAndTheAskWithIt) {
  Allocate request;
  request.tracking_url = std::string(8193, 'u');
  Ask one;
  one.resources = {1024, 1};
  one.containers = 1;
  request.asks = {one};
  EXPECT_EQ(cluster.try_allocate(attempt, request).code(), ErrorCode::kLimitExceeded);
  EXPECT_THAT(cluster.allocate(attempt)->containers, IsEmpty());
}

TEST_F(Master, GoodbyeWithAnEndlessTrackingUrlStillEndsWell) {
  const auto answer =
      cluster.finish(attempt, {FinalStatus::kSucceeded, "all is well", std::string(8193, 'u')});
  cluster.commit();
  EXPECT_TRUE(answer.value());
  EXPECT_EQ(cluster.board->app(attempt.app)->final_status, FinalStatus::kSucceeded);
  EXPECT_THAT(cluster.diagnostics(attempt.app),
              HasSubstr("all is well\nThe tracking URL had 8193 bytes and was dropped"));
}

TEST_F(Master, IsToldWhetherVcoresCount) {
  Turn turn{cluster.clock.now(), {}};
  auto settings =
      testlib::queue_settings("root.default capacity=100 maximum-am-resource-percent=1");
  for (const bool counts : {false, true}) {
    settings.set("yarn.scheduler.capacity.resource-calculator",
                 {counts ? "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator"
                         : "org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator",
                  "test", false});
    const auto config = queues::parse_capacity_config(settings, cluster.core->options().limits);
    ASSERT_TRUE(config) << config.error().message;
    ASSERT_TRUE(
        cluster.core->configure_queues(std::make_shared<const queues::QueueConfig>(*config), turn));
    Submission unmanaged = cluster.submission();
    unmanaged.unmanaged = unmanaged.keep_containers = true;
    cluster.submit(unmanaged);
    cluster.commit();
    EXPECT_EQ(cluster.register_master({unmanaged.id, 1}).value().counts_vcores, counts);
  }
}

}  // namespace
}  // namespace heddle::rm
