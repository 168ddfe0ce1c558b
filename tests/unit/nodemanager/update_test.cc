// Containers that change while they run, and those that wait for room.
#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

using testing::HasSubstr;

class Changing : public NodeTest {
 protected:
  Changing() { config_.total = Resources(4096, 8); }

  Result<void> update(const AttemptId& attempt, ContainerGrant target) {
    std::promise<Result<void>> answer;
    agent_->update(attempt, std::move(target),
                   [&](const Result<void>& result) { answer.set_value(result); });
    return answer.get_future().get();
  }
  StartContainer sleeper(std::int64_t number, std::int64_t memory_mb, bool opportunistic) {
    auto start = request(number, "sleep 1000");
    start.grant.resources = Resources(memory_mb, 1);
    start.grant.opportunistic = opportunistic;
    return start;
  }
  void run_and_wait(const StartContainer& start) {
    ASSERT_TRUE(run(start));
    rm_.wait_for_state(start.grant.id, ContainerState::kRunning);
  }
  void wait_for_use(const std::function<bool(const OpportunisticUse&)>& right) {
    rm_.wait_until([&](const FakeRm& rm) {
      return !rm.requests_.empty() && right(rm.requests_.back().opportunistic);
    });
  }
};

TEST_F(Changing, ALaterTokenChangesTheSizeAndTheNextHeartbeatTellsIt) {
  start();
  auto container = sleeper(1, 1024, false);
  run_and_wait(container);
  container.grant.version = 1;
  container.grant.resources = Resources(2048, 2);
  ASSERT_TRUE(update(container.grant.id.attempt, container.grant));
  EXPECT_EQ(status(id(1))->resources, Resources(2048, 2));
  EXPECT_EQ(status(id(1))->version, 1);
  rm_.wait_until([&](const FakeRm& rm) {
    return std::ranges::any_of(rm.requests_, [&](const Heartbeat& beat) {
      return beat.increased == std::vector{std::pair(id(1), Resources(2048, 2))};
    });
  });
  rm_.wait_until(
      [&](const FakeRm& rm) { return rm.latest_.at(id(1)).resources == Resources(2048, 2); });
}

TEST_F(Changing, UpdatesThatMakeNoSenseAreRefusedByName) {
  start();
  auto container = sleeper(1, 1024, false);
  container.grant.version = 3;
  run_and_wait(container);
  const AttemptId own = container.grant.id.attempt;
  struct Case {
    const char* what;
    std::function<void(ContainerGrant&, AttemptId&)> spoil;
    std::string says;
  };
  const Case cases[] = {
      {"the same version", [](ContainerGrant&, AttemptId&) {},
       "has update version [3] >= requested version [3]"},
      {"an earlier one", [](ContainerGrant& grant, AttemptId&) { grant.version = -1; },
       "has update version [3] >= requested version [-1]"},
      {"unknown", [](ContainerGrant& grant, AttemptId&) { grant.id.id = 99; },
       "is not handled by this NodeManager"},
      {"of another application", [](ContainerGrant&, AttemptId& who) { who.app.sequence = 77; },
       "Unauthorized request to increase container resource."},
      {"expired", [](ContainerGrant& grant, AttemptId&) { grant.expiry = WallTime{1}; },
       "This token is expired."},
  };
  for (const Case& bad : cases) {
    SCOPED_TRACE(bad.what);
    ContainerGrant target = container.grant;
    AttemptId who = own;
    bad.spoil(target, who);
    const auto refused = update(who, target);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr(bad.says));
  }
  ASSERT_TRUE(stop(id(1)));
  rm_.wait_for_state(id(1), ContainerState::kDone);
  container.grant.version = 4;
  EXPECT_FALSE(update(own, container.grant));
}

TEST_F(Changing, TheResourceManagerMayUpdateWithAnAnswer) {
  start();
  auto container = sleeper(1, 2048, false);
  run_and_wait(container);
  container.grant.version = 1;
  container.grant.resources = Resources(1024, 1);
  rm_.tell([&](HeartbeatAnswer& answer) { answer.updates = {container.grant}; });
  rm_.wait_until(
      [&](const FakeRm& rm) { return rm.latest_.at(id(1)).resources == Resources(1024, 1); });
}

TEST_F(Changing, OpportunisticContainersAreNotTakenWithoutAQueue) {
  start();
  const auto ended = run_to_end(sleeper(1, 1024, true));
  EXPECT_EQ(ended.exit_status, exit_status::kKilledByContainerScheduler);
  EXPECT_THAT(ended.diagnostics, HasSubstr("Opportunistic container queue is full."));
}

TEST_F(Changing, OpportunisticContainersRunWhereThereIsRoomAndWaitWhereThereIsNone) {
  config_.opportunistic_queue_max = 2;
  start();
  run_and_wait(sleeper(1, 3072, true));
  ASSERT_TRUE(run(sleeper(2, 2048, true)));
  ASSERT_TRUE(run(sleeper(3, 1024, true)));
  wait_for_use([](const OpportunisticUse& use) {
    return use.running == 1 && use.queued == 2 && use.queue_length == 2 &&
           use.queue_capacity == 2 && use.memory_mb == 3072;
  });
  EXPECT_EQ(status(id(3))->state, ContainerState::kScheduled) << "the one before it holds it up";
  const auto ended = run_to_end(sleeper(4, 1024, true));
  EXPECT_THAT(ended.diagnostics, HasSubstr("Opportunistic container queue is full."));
  ASSERT_TRUE(stop(id(1)));
  rm_.wait_for_state(id(2), ContainerState::kRunning);
  rm_.wait_for_state(id(3), ContainerState::kRunning);
}

TEST_F(Changing, TheNewestOpportunisticOnesGoForWhatIsGuaranteed) {
  config_.opportunistic_queue_max = 5;
  start();
  run_and_wait(sleeper(1, 1024, true));
  run_and_wait(sleeper(2, 2048, true));
  ASSERT_TRUE(run(sleeper(3, 3072, false)));
  const auto ended = rm_.wait_for_state(id(2), ContainerState::kDone);
  EXPECT_EQ(ended.exit_status, exit_status::kKilledByContainerScheduler);
  EXPECT_THAT(ended.diagnostics,
              HasSubstr("Container Killed to make room for Guaranteed Container."));
  rm_.wait_for_state(id(3), ContainerState::kRunning);
  EXPECT_EQ(status(id(1))->state, ContainerState::kRunning) << "no more go than is needed";
}

TEST_F(Changing, WhatIsGuaranteedStartsBeyondTheRoomWhereNothingElseIsInItsWay) {
  config_.opportunistic_queue_max = 5;
  start();
  run_and_wait(sleeper(1, 4096, false));
  run_and_wait(sleeper(2, 4096, false));
}

TEST_F(Changing, ALongQueueIsCutWhenTheResourceManagerSaysSo) {
  config_.opportunistic_queue_max = 5;
  start();
  run_and_wait(sleeper(1, 4096, true));
  for (int number = 2; number <= 4; ++number)
    ASSERT_TRUE(run(sleeper(number, 4096, true)));
  wait_for_use([](const OpportunisticUse& use) { return use.queued == 3; });
  rm_.tell([](HeartbeatAnswer& answer) { answer.queue_limit = 1; });
  const auto ended = rm_.wait_for_state(id(4), ContainerState::kDone);
  EXPECT_THAT(ended.diagnostics, HasSubstr("Container De-queued to meet NM queuing limits."));
  rm_.wait_for_state(id(3), ContainerState::kDone);
  EXPECT_EQ(status(id(2))->state, ContainerState::kScheduled);
}

TEST_F(Changing, AContainerThatWaitsIsPromotedAndTakesTheRoomOfOthers) {
  config_.opportunistic_queue_max = 5;
  start();
  run_and_wait(sleeper(1, 4096, true));
  auto promoted = sleeper(2, 2048, true);
  ASSERT_TRUE(run(promoted));
  wait_for_use([](const OpportunisticUse& use) { return use.queued == 1; });
  promoted.grant.version = 1;
  promoted.grant.opportunistic = false;
  ASSERT_TRUE(update(promoted.grant.id.attempt, promoted.grant));
  rm_.wait_for_state(id(1), ContainerState::kDone);
  EXPECT_FALSE(rm_.wait_for_state(id(2), ContainerState::kRunning).opportunistic);
}

TEST_F(Changing, AContainerThatIsDemotedMayHaveToGo) {
  config_.opportunistic_queue_max = 5;
  start();
  auto demoted = sleeper(1, 4096, false);
  run_and_wait(demoted);
  demoted.grant.version = 1;
  demoted.grant.opportunistic = true;
  ASSERT_TRUE(update(demoted.grant.id.attempt, demoted.grant));
  ASSERT_TRUE(run(sleeper(2, 1024, false)));
  EXPECT_EQ(rm_.wait_for_state(id(1), ContainerState::kDone).exit_status,
            exit_status::kKilledByContainerScheduler);
  rm_.wait_for_state(id(2), ContainerState::kRunning);
}

}  // namespace
}  // namespace heddle::nm
