// What is in a heartbeat, and what becomes of it when answers are lost.
#include <gmock/gmock.h>

#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

class HeartbeatTest : public NodeTest {
 protected:
  HeartbeatTest() { config_.connect_interval = std::chrono::milliseconds(200); }

  static bool has(const Heartbeat& request, const ContainerId& container, ContainerState state) {
    return std::ranges::any_of(request.containers, [&](const ContainerStatus& status) {
      return status.id == container && status.state == state;
    });
  }
  bool agent_has(const ContainerId& container, ContainerState state) const {
    return std::ranges::any_of(agent_->reports().containers(), [&](const ContainerStatus& status) {
      return status.id == container && status.state == state;
    });
  }
};

TEST_F(HeartbeatTest, AnEndIsToldOnceButWhatRunsIsToldEachTime) {
  start();
  ASSERT_TRUE(run(request(1, "sleep 1000")));
  rm_.wait_for_state(id(1), ContainerState::kRunning);
  run_to_end(request(2, "true"));
  rm_.wait_for_heartbeats(5);
  std::size_t ends = 0;
  std::size_t missing = 0;
  bool runs = false;
  rm_.wait_until([&](const FakeRm& rm) {
    for (const Heartbeat& request : rm.requests_) {
      ends += has(request, id(2), ContainerState::kDone) ? 1 : 0;
      runs = runs || has(request, id(1), ContainerState::kRunning);
      missing += runs && !has(request, id(1), ContainerState::kRunning) ? 1 : 0;
    }
    return true;
  });
  EXPECT_EQ(ends, 1U);
  EXPECT_EQ(missing, 0U);
}

TEST_F(HeartbeatTest, AnEndBetweenALostAnswerAndTheRepetitionWasNeverTaken) {
  start();
  rm_.lose_answers(true);
  const auto started = run(request(1, "true"));
  ASSERT_TRUE(started) << started.error().message;
  rm_.wait_until([&](const FakeRm&) { return agent_has(id(1), ContainerState::kDone); });
  rm_.lose_answers(false);
  EXPECT_EQ(rm_.wait_for_state(id(1), ContainerState::kDone).exit_status, 0);
}

TEST_F(HeartbeatTest, AnEndIsToldHoweverLongTheResourceManagerWasAway) {
  config_.connect_max_wait = std::chrono::milliseconds(-1);
  start();
  rm_.lose_answers(true);
  const auto started = run(request(1, "exit 4"));
  ASSERT_TRUE(started) << started.error().message;
  rm_.wait_until([&](const FakeRm&) { return agent_has(id(1), ContainerState::kDone); });
  clock_.skip(std::chrono::minutes(11));
  rm_.lose_answers(false);
  EXPECT_EQ(rm_.wait_for_state(id(1), ContainerState::kDone).exit_status, 4);
}

TEST_F(HeartbeatTest, ALogReportBetweenALostAnswerAndTheRepetitionWasNeverTaken) {
  config_.log_aggregation = true;
  start();
  run_to_end(request(1, "echo hello 1><LOG_DIR>/stdout"));
  rm_.tell([&](HeartbeatAnswer& answer) { answer.apps_to_clean_up.push_back(id(1).attempt.app); });
  rm_.wait_until([&](const FakeRm&) {
    const auto apps = agent_->reports().apps();
    return apps.empty() || apps[0].state == AppState::kFinished;
  });
  rm_.lose_answers(true);
  rm_.wait_until([&](const FakeRm&) { return agent_->reports().apps().empty(); });
  rm_.lose_answers(false);
  rm_.wait_until([](const FakeRm& rm) {
    return !rm.log_reports_.empty() && rm.log_reports_.back().status == "SUCCEEDED";
  });
  int succeeded = 0;
  rm_.wait_until([&](const FakeRm& rm) {
    for (const LogReport& report : rm.log_reports_)
      succeeded += report.status == "SUCCEEDED" ? 1 : 0;
    return true;
  });
  EXPECT_EQ(succeeded, 1);
}

TEST_F(HeartbeatTest, ARepetitionIsTheSameHeartbeat) {
  start();
  rm_.lose_answers(true);
  rm_.wait_for_heartbeats(3);
  ASSERT_TRUE(run(request(1, "sleep 1000")));
  rm_.wait_for_heartbeats(3);
  rm_.wait_until([&](const FakeRm& rm) {
    EXPECT_TRUE(rm.requests_.back().containers.empty()) << "it would never be looked into";
    EXPECT_EQ(rm.requests_.back().response_id,
              rm.requests_.at(rm.requests_.size() - 2).response_id);
    return true;
  });
  rm_.lose_answers(false);
  rm_.wait_for_state(id(1), ContainerState::kRunning);
}

TEST_F(HeartbeatTest, AfterAResyncEndsAreToldAgain) {
  start();
  run_to_end(request(1, "true"));
  rm_.tell([](HeartbeatAnswer& answer) { answer.action = HeartbeatAction::kResync; });
  rm_.wait_until([&](const FakeRm& rm) {
    if (rm.registrations_.size() < 2 || rm.requests_.size() <= rm.requests_before_) return false;
    EXPECT_EQ(rm.registrations_.back().containers.size(), 1U);
    EXPECT_TRUE(has(rm.requests_.at(rm.requests_before_), id(1), ContainerState::kDone))
        << "a Java ResourceManager that knew the node does not read the registration";
    return true;
  });
}

TEST_F(HeartbeatTest, EndsOfAFinishedApplicationAreForgottenOnceTold) {
  start();
  run_to_end(request(1, "true"));
  rm_.tell([&](HeartbeatAnswer& answer) { answer.apps_to_clean_up.push_back(id(1).attempt.app); });
  rm_.wait_until([&](const FakeRm&) { return agent_->reports().containers().empty(); });
}

TEST_F(HeartbeatTest, TheLabelIsToldAtTheRegistrationAndAgainAfterItsInterval) {
  config_.self_report.labels = std::vector<std::string>{"gpu"};
  config_.self_report.attributes = std::vector<NodeAttribute>{{"os", "debian"}};
  config_.self_report.labels_again = std::chrono::milliseconds(1);
  start();
  rm_.wait_until([](const FakeRm& rm) {
    return std::ranges::any_of(rm.requests_,
                               [](const Heartbeat& one) { return one.labels.has_value(); });
  });
  rm_.wait_until([](const FakeRm& rm) {
    EXPECT_EQ(rm.registrations_[0].labels, std::vector<std::string>{"gpu"});
    EXPECT_EQ(rm.registrations_[0].attributes, (std::vector<NodeAttribute>{{"os", "debian"}}));
    for (const Heartbeat& one : rm.requests_)
      EXPECT_FALSE(one.attributes) << "their interval is two minutes";
    return true;
  });
}

}  // namespace
}  // namespace heddle::nm
