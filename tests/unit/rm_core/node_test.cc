// Nodes: registration, heartbeats, loss, draining, and what they report that cannot be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::CoreDriver;
using testlib::CoreSetup;
using testlib::finished;
using testlib::running;

RegisterNode registration(const NodeId& id, Resources total = {8192, 8}) {
  RegisterNode request;
  request.id = id;
  request.http_port = 8042;
  request.total = total;
  return request;
}

TEST(Node, LostOneEndsItsContainersWithTheTextOfHadoop) {
  CoreDriver cluster;
  const NodeId am_node = cluster.add_node("n1", "1GB 8c");
  const AttemptId attempt = cluster.running_app();
  const NodeId node = cluster.add_node("n2", "4GB 8c");
  const auto given = cluster.ask(attempt, 2);
  ASSERT_EQ(given->containers.size(), 2u);
  cluster.beat(node, {running(given->containers[0].id)});
  cluster.advance(9min);
  cluster.beat(am_node);
  cluster.allocate(attempt);
  cluster.advance(1min);
  EXPECT_EQ(cluster.state(node), NodeState::kLost);
  EXPECT_EQ(cluster.state(am_node), NodeState::kRunning);
  const auto told = cluster.allocate(attempt);
  ASSERT_EQ(told->finished.size(), 2u);
  for (const FinishedContainer& one : told->finished) {
    EXPECT_EQ(one.exit_status, -100);
    EXPECT_EQ(one.diagnostics, "Container released on a *lost* node");
  }
  ASSERT_EQ(told->updated_nodes.size(), 1u);
  EXPECT_EQ(told->updated_nodes[0].node, node);
  EXPECT_EQ(told->updated_nodes[0].state, NodeState::kLost);
  EXPECT_EQ(cluster.beat(node).action, NodeAction::kResync);
}

TEST(Node, LossOfTheMasterIsNoFailureOfTheApplication) {
  CoreSetup setup;
  setup.options.max_attempts = setup.options.max_attempts_limit = 1;
  CoreDriver cluster(setup);
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.advance(11min);
  EXPECT_EQ(cluster.state(node), NodeState::kLost);
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt), AttemptState::kFailed);
  EXPECT_EQ(cluster.state(attempt.app), AppState::kAccepted);
  EXPECT_THAT(cluster.board->attempt(attempt)->diagnostics,
              HasSubstr("exited with  exitCode: -100\nFailing this attempt.Diagnostics: Container "
                        "released on a *lost* node"));
}

TEST(Node, ThatRegistersAgainWithItsContainersKeepsThem) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  RegisterNode again = registration(node);
  again.containers = {running(cluster.master_of(attempt))};
  cluster.register_node(again);
  EXPECT_EQ(cluster.state(attempt), AttemptState::kRunning);
  EXPECT_EQ(cluster.board->node(node)->containers, 1);
  EXPECT_EQ(cluster.beat(node).action, NodeAction::kNormal) << "response ids start over";
}

TEST(Node, ThatRegistersAgainInAnotherRackKeepsItsContainersAndIsFoundThere) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  RegisterNode again = registration(node);
  again.rack = "/r2";
  again.containers = {running(cluster.master_of(attempt))};
  cluster.register_node(again);
  EXPECT_EQ(cluster.board->node(node)->rack, "/r2");
  EXPECT_EQ(cluster.board->node(node)->containers, 1);
  Ask in_rack;
  in_rack.resource_name = "/r2";
  in_rack.resources = {1024, 1};
  in_rack.containers = 1;
  Ask anywhere = in_rack;
  anywhere.resource_name = "*";
  anywhere.relax_locality = false;
  Allocate request;
  request.asks = {in_rack, anywhere};
  EXPECT_EQ(cluster.allocate(attempt, request)->containers.size(), 1U);
}

TEST(Node, ThatRegistersAgainWithoutItsContainersHasLostThem) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.register_node(registration(node));
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt), AttemptState::kFailed);
  EXPECT_EQ(cluster.state(AttemptId{attempt.app, 2}), AttemptState::kAllocated);
}

TEST(Node, ThatComesBackOnAnotherPortReplacesItsOldSelf) {
  CoreDriver cluster;
  const NodeId old = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  const NodeId young{"n1", 50000};
  cluster.register_node(registration(young));
  cluster.commit();
  EXPECT_EQ(cluster.state(old), NodeState::kRebooted);
  EXPECT_EQ(cluster.state(attempt), AttemptState::kFailed);
  EXPECT_EQ(cluster.metrics().total, Resources(8192, 8));
}

TEST(Node, ThatComesBackOnAnotherPortAgainAndAgainLeavesFewTraces) {
  CoreDriver cluster;
  for (int port = 1; port <= 100; ++port) {
    cluster.register_node(registration({"n1", 40000 + port}));
    cluster.advance(1s);
  }
  EXPECT_LE(cluster.board->nodes({}).size(), 20u);
  EXPECT_EQ(cluster.metrics().nodes_active, 1);
}

TEST(Node, ThatFlapsPilesUpNothing) {
  CoreDriver cluster;  // the invariants count deadlines and changes
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.add_node("n2", "8GB 8c");
  for (int i = 0; i < 50; ++i) {
    cluster.unregister_node({"n2", 45454});
    cluster.advance(1s);
    cluster.add_node("n2", "8GB 8c");
  }
  const auto told = cluster.allocate(attempt);
  ASSERT_EQ(told->updated_nodes.size(), 1u) << "only how it stands now";
  EXPECT_EQ(told->updated_nodes[0].state, NodeState::kRunning);
  EXPECT_THAT(cluster.allocate(attempt)->updated_nodes, IsEmpty());
  EXPECT_EQ(cluster.state(node), NodeState::kRunning);
}

TEST(Node, SameHeartbeatAgainGetsTheSameAnswerAgain) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.kill(attempt.app);
  cluster.commit();
  const auto one = cluster.beat(node);
  NodeHeartbeat again;
  again.id = node;
  again.response_id = one.response_id - 1;
  const auto two = cluster.heartbeat(again).value();
  EXPECT_FALSE(one.containers_to_clean_up.empty());
  EXPECT_EQ(two.containers_to_clean_up, one.containers_to_clean_up);
  EXPECT_EQ(two.apps_to_clean_up, one.apps_to_clean_up);
  EXPECT_EQ(two.response_id, one.response_id);
}

TEST(Node, HeartbeatThatIsTooFarBehindOrAheadMustResync) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  for (int i = 0; i < 3; ++i)
    cluster.beat(node);
  for (const std::int32_t id : {1, 4, -1, INT32_MAX, INT32_MIN}) {
    NodeHeartbeat request;
    request.id = node;
    request.response_id = id;
    const auto answer = cluster.heartbeat(request).value();
    EXPECT_EQ(answer.action, NodeAction::kResync);
    EXPECT_EQ(answer.diagnostics,
              "Too far behind rm response id:3 nm response id:" + std::to_string(id));
  }
}

TEST(Node, UnknownOneMustResync) {
  CoreDriver cluster;
  const auto answer = cluster.beat({"n9", 1});
  EXPECT_EQ(answer.action, NodeAction::kResync);
  EXPECT_EQ(answer.diagnostics, "Node not found resyncing n9:1");
}

TEST(Node, ExcludedHostIsRefusedAtRegistrationAndAtHeartbeat) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  cluster.set_node_lists({{}, {"n1"}});
  EXPECT_EQ(cluster.state(node), NodeState::kDecommissioned);
  const auto beat = cluster.beat(node);
  EXPECT_EQ(beat.action, NodeAction::kShutdown);
  EXPECT_EQ(beat.diagnostics, "Disallowed NodeManager nodeId: n1:45454 hostname: n1");
  const auto refused = cluster.register_node(registration(node)).value();
  EXPECT_TRUE(refused.shutdown);
  EXPECT_EQ(refused.diagnostics,
            "Disallowed NodeManager from  n1, Sending SHUTDOWN signal to the NodeManager.");
}

TEST(Node, HostThatIsNotIncludedIsRefused) {
  CoreDriver cluster;
  cluster.set_node_lists({{"n1", "n2:45454"}, {}});
  EXPECT_FALSE(cluster.register_node(registration({"n1", 45454})).value().shutdown);
  EXPECT_FALSE(cluster.register_node(registration({"n2", 45454})).value().shutdown);
  EXPECT_TRUE(cluster.register_node(registration({"n2", 45455})).value().shutdown);
  EXPECT_TRUE(cluster.register_node(registration({"n3", 45454})).value().shutdown);
}

TEST(Node, DecommissionedOneMayComeBackOnceItIsAllowed) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  cluster.set_node_lists({{}, {"n1"}});
  cluster.set_node_lists({});
  EXPECT_EQ(cluster.beat(node).action, NodeAction::kShutdown);
  EXPECT_FALSE(cluster.register_node(registration(node)).value().shutdown);
  EXPECT_EQ(cluster.state(node), NodeState::kRunning);
}

TEST(Node, DrainsUntilItsApplicationsAreDone) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.set_node_lists({{}, {"n1"}}, 3600s);
  EXPECT_EQ(cluster.state(node), NodeState::kDecommissioning);
  EXPECT_TRUE(cluster.beat(node).decommissioning);
  EXPECT_THAT(cluster.ask(attempt, 1)->containers, IsEmpty()) << "nothing new goes there";
  cluster.finish(attempt);
  cluster.commit();
  cluster.beat(node, {finished(cluster.master_of(attempt))});
  EXPECT_EQ(cluster.state(node), NodeState::kDecommissioned);
  const auto last = cluster.beat(node);
  EXPECT_EQ(last.action, NodeAction::kShutdown);
}

TEST(Node, DrainEndsAtItsDeadline) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.set_node_lists({{}, {"n1"}}, 60s);
  cluster.advance(59s);
  EXPECT_EQ(cluster.state(node), NodeState::kDecommissioning);
  cluster.advance(1s);
  EXPECT_EQ(cluster.state(node), NodeState::kDecommissioned);
  cluster.commit();
  EXPECT_EQ(cluster.state(attempt), AttemptState::kFailed);
}

TEST(Node, RecommissionedOneIsUsedAgainAndForgetsItsDeadline) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.set_node_lists({{}, {"n1"}}, 60s);
  cluster.set_node_lists({});
  EXPECT_EQ(cluster.state(node), NodeState::kRunning);
  cluster.advance(2min);
  EXPECT_EQ(cluster.state(node), NodeState::kRunning);
  EXPECT_EQ(cluster.ask(attempt, 1)->containers.size(), 1u);
}

TEST(Node, DrainingOneMayRegisterAgain) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  cluster.set_node_lists({{}, {"n1"}}, 3600s);
  RegisterNode again = registration(node);
  again.containers = {running(cluster.master_of(attempt))};
  EXPECT_FALSE(cluster.register_node(again).value().shutdown);
  EXPECT_EQ(cluster.state(node), NodeState::kDecommissioning);
  EXPECT_EQ(cluster.state(attempt), AttemptState::kRunning);
}

TEST(Node, UnhealthyOneLosesItsContainersAndIsUsedAgainWhenWell) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  NodeHeartbeat sick;
  sick.id = node;
  sick.response_id = 1;
  sick.health = {false, "disk is gone", {}};
  cluster.heartbeat(sick);
  cluster.commit();
  EXPECT_EQ(cluster.state(node), NodeState::kUnhealthy);
  EXPECT_EQ(cluster.board->node(node)->health.report, "disk is gone");
  EXPECT_EQ(cluster.state(attempt), AttemptState::kFailed);
  cluster.beat(node);
  EXPECT_EQ(cluster.state(node), NodeState::kRunning);
  cluster.commit();
  EXPECT_EQ(cluster.state(AttemptId{attempt.app, 2}), AttemptState::kAllocated);
}

TEST(Node, TooSmallOneIsRefused) {
  CoreSetup setup;
  setup.options.node_minimum = {1024, 1};
  CoreDriver cluster(setup);
  const auto answer = cluster.register_node(registration({"n1", 1}, {512, 1})).value();
  EXPECT_TRUE(answer.shutdown);
  EXPECT_EQ(answer.diagnostics,
            "NodeManager from  n1 doesn't satisfy minimum allocations, Sending SHUTDOWN signal to "
            "the NodeManager. Node capabilities are <memory:512, vCores:1>; minimums are 1024mb "
            "and 1 vcores");
}

TEST(Node, OfImpossibleSizeIsRefused) {
  CoreDriver cluster;
  for (const std::int64_t memory : {std::int64_t{-5120}, INT64_MIN, INT64_MAX}) {
    const auto answer = cluster.register_node(registration({"n1", 1}, {memory, 1})).value();
    EXPECT_TRUE(answer.shutdown);
    EXPECT_THAT(answer.diagnostics, HasSubstr("impossible resources"));
  }
  EXPECT_EQ(cluster.board->node({"n1", 1}), nullptr);
}

TEST(Node, RegistrationWithTenMillionContainersIsRefused) {
  CoreDriver cluster;
  RegisterNode request = registration({"n1", 1});
  request.containers.resize(100'001);
  const auto answer = cluster.register_node(request).value();
  EXPECT_TRUE(answer.shutdown);
  EXPECT_THAT(answer.diagnostics, HasSubstr("reports 100001 containers"));
}

TEST(Node, HeartbeatWithTooManyContainersMakesItUnhealthyByName) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const auto answer = cluster.beat(node, std::vector<NodeContainer>(100'001));
  EXPECT_THAT(answer.diagnostics, HasSubstr("bad report: 100001 containers"));
  EXPECT_THAT(answer.containers_to_clean_up, IsEmpty());
  EXPECT_EQ(cluster.state(node), NodeState::kUnhealthy);
  EXPECT_EQ(cluster.board->node(node)->health.report, answer.diagnostics);
  cluster.beat(node);
  EXPECT_EQ(cluster.state(node), NodeState::kRunning);
}

TEST(Node, HeartbeatWithImpossibleUseMakesItUnhealthyByName) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  for (const NodeUtilization& used :
       {NodeUtilization{-5120, 0, 0}, NodeUtilization{0, -5120, 0}, NodeUtilization{0, 0, NAN},
        NodeUtilization{INT64_MAX, 0, 0}, NodeUtilization{0, 0, INFINITY}}) {
    NodeHeartbeat request;
    request.id = node;
    request.response_id = cluster.beat(node).response_id;
    request.node_utilization = used;
    EXPECT_THAT(cluster.heartbeat(request).value().diagnostics, HasSubstr("bad report: "));
    EXPECT_EQ(cluster.state(node), NodeState::kUnhealthy);
  }
  NodeHeartbeat unknown;
  unknown.id = node;
  unknown.response_id = cluster.beat(node).response_id;
  unknown.node_utilization = {-1, -1, -1};
  EXPECT_EQ(cluster.heartbeat(unknown).value().diagnostics, "") << "-1 is not known, not wrong";
}

TEST(Node, ItsUseAndTheTimeOfItsHealthCheckAreShownAsItTellsThem) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  NodeHeartbeat request;
  request.id = node;
  for (int i = 1; i <= 4; ++i) {  // one of them changes at a time
    (i % 2 == 0 ? request.node_utilization : request.containers_utilization).physical_mb = 100L * i;
    if (i > 2) request.health.reported = WallTime{1000L * i};
    cluster.heartbeat(request);
    ++request.response_id;
    const NodeReportPtr report = cluster.board->node(node);
    EXPECT_EQ(report->containers_utilization.physical_mb,
              request.containers_utilization.physical_mb);
    EXPECT_EQ(report->node_utilization.physical_mb, request.node_utilization.physical_mb);
    EXPECT_EQ(report->health.reported, request.health.reported);
  }
  const NodeReportPtr before = cluster.board->node(node);
  cluster.heartbeat(request);
  EXPECT_EQ(cluster.board->node(node), before) << "nothing new: no new report";
}

TEST(Node, ContainerItWasNeverGivenIsToBeStopped) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const ContainerId stray{{{1, 1}, 1}, 1};
  EXPECT_THAT(cluster.beat(node, {running(stray)}).containers_to_clean_up, Contains(stray));
  EXPECT_THAT(cluster.beat(node, {finished(stray)}).containers_to_forget, Contains(stray));
}

TEST(Node, ContainerOfAnotherNodeIsToBeStoppedAndTheTrueOneGoesOn) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  const NodeId liar = cluster.add_node("n2", "8GB 8c");
  const ContainerId master = cluster.master_of(attempt);
  EXPECT_THAT(cluster.beat(liar, {running(master)}).containers_to_clean_up, Contains(master));
  cluster.beat(liar, {finished(master, 1)});
  EXPECT_EQ(cluster.state(attempt), AttemptState::kRunning);
}

TEST(Node, LongDiagnosticsAreCutToTheirEnd) {
  CoreSetup setup;
  setup.options.attempt_diagnostics_max = 1024;
  CoreDriver cluster(setup);
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  const auto given = cluster.ask(attempt, 1);
  cluster.beat(node, {finished(given->containers.at(0).id, 1, std::string(1 << 20, 'x') + "why")});
  const auto told = cluster.allocate(attempt);
  EXPECT_EQ(told->finished.at(0).diagnostics.size(), 1024u);
  EXPECT_TRUE(told->finished.at(0).diagnostics.ends_with("why"));
}

TEST(Node, MadeSmallerThanWhatRunsKeepsItAndGetsNothingNew) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  EXPECT_EQ(cluster.ask(attempt, 4)->containers.size(), 4u);
  EXPECT_TRUE(cluster.resize_node(node, "2GB 8c"));
  EXPECT_THAT(cluster.ask(attempt, 1)->containers, IsEmpty());
  EXPECT_EQ(cluster.board->node(node)->containers, 5);
  EXPECT_FALSE(cluster.resize_node({"n9", 1}, "2GB 8c"));
}

TEST(Node, GetsEachSignalOnce) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  const ContainerId master = cluster.master_of(attempt);
  for (int i = 0; i < 10; ++i)
    cluster.signal(master, SignalCommand::kThreadDump);
  EXPECT_EQ(cluster.beat(node).signals.size(), 1u);
  EXPECT_EQ(cluster.beat(node).signals.size(), 0u);
  const auto unknown = cluster.signal({attempt, 99}, SignalCommand::kThreadDump);
  EXPECT_EQ(unknown.code(), ErrorCode::kNotFound);
}

TEST(Node, ThatSaysGoodbyeIsShutDown) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  EXPECT_TRUE(cluster.unregister_node(node).ok());
  EXPECT_EQ(cluster.state(node), NodeState::kShutdown);
  EXPECT_EQ(cluster.metrics().nodes_shutdown, 1);
  EXPECT_EQ(cluster.metrics().total, Resources());
}

TEST(Node, SizeOfAnOperatorHoldsWhateverTheNodeSays) {
  CoreDriver cluster;
  const NodeId known = cluster.add_node("n1", "8GB 8c");
  Turn turn{cluster.clock.now(), {}};
  cluster.core->set_node_sizes({{known, {4096, 4}}, {{"n2", 1}, {2048, 2}}}, turn);
  cluster.register_node(registration({"n2", 1}, {65536, 64}));
  cluster.register_node(registration({"n3", 1}, {1024, 1}));
  EXPECT_EQ(cluster.board->node(known)->total, Resources(4096, 4));
  EXPECT_EQ(cluster.board->node({"n2", 1})->total, Resources(2048, 2));
  EXPECT_EQ(cluster.board->node({"n3", 1})->total, Resources(1024, 1)) << "not listed";
}

TEST(Node, OfAnOldVersionIsRefused) {
  struct Case {
    std::string oldest, version;
    bool refused;
  };
  const Case cases[] = {
      {"3.4.2", "3.4.2", false},  {"3.4.2", "3.4.2-SNAPSHOT", false},
      {"3.4.2", "3.10.0", false}, {"3.4.2", "3.4.1", true},
      {"3.4.2", "2.10.2", true},  {"3.4.2", "", true},
      {"3.4.2", "x", true},       {"3", "2.9", true},
      {"3", "3.0", false},        {"", "1", false},
  };
  for (const Case& one : cases) {
    CoreSetup setup;
    setup.options.node_minimum_version = one.oldest;
    CoreDriver cluster(setup);
    RegisterNode request = registration({"n1", 1}, {8192, 8});
    request.version = one.version;
    const auto answer = cluster.register_node(request).value();
    EXPECT_EQ(answer.shutdown, one.refused) << one.version;
    if (!one.refused) continue;
    EXPECT_EQ(answer.diagnostics, "Disallowed NodeManager Version " + one.version +
                                      ", is less than the minimum version " + one.oldest +
                                      " sending SHUTDOWN signal to NodeManager.");
  }
}

}  // namespace
}  // namespace heddle::rm
