// Containers beyond what queues guarantee.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using testing::Each;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::CoreDriver;
using testlib::CoreSetup;

CoreSetup switched_on() {
  CoreSetup setup;
  setup.options.opportunistic.enabled = true;
  return setup;
}

class Opportunistic : public testing::Test {
 protected:
  Opportunistic()
      : cluster(switched_on()),
        node(cluster.add_node("n1", "4GB 4c")),
        attempt(cluster.running_app()) {
    beat(node, 0, 10);
  }
  NodeHeartbeatAnswer beat(const NodeId& id, std::int32_t waiting, std::int32_t capacity,
                           std::vector<NodeContainer> containers = {}) {
    NodeHeartbeat request;
    request.id = id;
    request.response_id = ids_[id];
    request.containers = std::move(containers);
    request.opportunistic.queue_length = waiting;
    request.opportunistic.queue_capacity = capacity;
    const auto answer = cluster.heartbeat(request).value();
    ids_[id] = answer.response_id;
    return answer;
  }
  std::vector<GrantedContainer> ask(int count, const std::string& where = "*",
                                    ExecutionType type = ExecutionType::kOpportunistic) {
    Allocate request;
    Ask one;
    one.priority = 1;
    one.resources = {1024, 1};
    one.containers = count;
    one.execution_type = type;
    request.asks = {one};
    if (where != "*") {
      one.resource_name = where;
      request.asks.push_back(one);
    }
    return cluster.allocate(attempt, request)->containers;
  }
  std::shared_ptr<const Allocated> update(const ContainerId& id, UpdateKind kind,
                                          std::int32_t version = 0) {
    Allocate request;
    request.updates = {{id, version, kind, std::nullopt, {}}};
    return cluster.allocate(attempt, request);
  }
  std::int64_t queue_used() { return cluster.metrics().allocated.memory_mb(); }

  CoreDriver cluster;
  const NodeId node;
  std::map<NodeId, std::int32_t> ids_{{node, 1}};  // the AM's start was the first heartbeat
  const AttemptId attempt;
};

TEST_F(Opportunistic, ContainersComeBeyondTheRoomOfTheNodeAndCountForNoQueue) {
  const auto given = ask(6);
  ASSERT_THAT(given, SizeIs(6));
  for (const GrantedContainer& one : given)
    EXPECT_EQ(one.execution_type, ExecutionType::kOpportunistic);
  EXPECT_EQ(queue_used(), 1024) << "its AM alone";
  EXPECT_THAT(ask(3, "*", ExecutionType::kGuaranteed), SizeIs(3)) << "their room is still there";
}

TEST_F(Opportunistic, ANodeGetsAsManyAsMayWaitThereAndTheRestWaitsHere) {
  EXPECT_THAT(ask(25), SizeIs(10));
  EXPECT_THAT(cluster.allocate(attempt)->containers, IsEmpty());
  beat(node, 7, 10);
  EXPECT_THAT(cluster.allocate(attempt)->containers, SizeIs(3));
}

TEST_F(Opportunistic, TheLeastLoadedNodeComesFirst) {
  const NodeId n2 = cluster.add_node("n2", "4GB 4c");
  beat(node, 4, 10);
  beat(n2, 1, 10);
  const auto given = ask(4);
  ASSERT_THAT(given, SizeIs(4));
  EXPECT_EQ(given[0].node, n2);
  EXPECT_EQ(given[2].node, n2);
  EXPECT_EQ(given[3].node, node) << "both have four by then";
}

TEST_F(Opportunistic, AHostThatIsAskedForGoesBeforeLess) {
  const NodeId n2 = cluster.add_node("n2", "4GB 4c");
  beat(node, 0, 10);
  beat(n2, 5, 10);
  const auto given = ask(2, "n2");
  ASSERT_THAT(given, SizeIs(2));
  EXPECT_EQ(given[0].node, n2);
}

TEST_F(Opportunistic, ANodeWithoutAQueueOrOnTheBlacklistGetsNone) {
  beat(node, 0, 0);
  EXPECT_THAT(ask(1), IsEmpty());
  beat(node, 0, 10);
  Allocate request;
  request.blacklist_additions = {"n1"};
  EXPECT_THAT(cluster.allocate(attempt, request)->containers, IsEmpty());
}

TEST_F(Opportunistic, NodesHearHowManyMayWait) {
  EXPECT_EQ(beat(node, 0, 10).queue_limit, 5) << "never less than the minimum";
  EXPECT_EQ(beat(node, 9, 10).queue_limit, 9);
  EXPECT_EQ(beat(node, 90, 100).queue_limit, 15);
}

TEST_F(Opportunistic, ANodeThatLiesAboutItsQueueDoesNoHarm) {
  beat(node, INT32_MAX, INT32_MAX);
  beat(node, INT32_MIN, INT32_MAX);
  EXPECT_THAT(ask(5), SizeIs(5));
  beat(node, 0, INT32_MIN);
  EXPECT_THAT(ask(5), IsEmpty());
}

TEST_F(Opportunistic, AContainerIsPromotedWhenItsNodeHasRoomAndCountsFromThenOn) {
  const auto given = ask(1);
  const auto full = ask(3, "*", ExecutionType::kGuaranteed);
  beat(node, 0, 10, {testlib::running(given.at(0).id)});
  EXPECT_THAT(update(given.at(0).id, UpdateKind::kPromote)->updated, IsEmpty());
  EXPECT_THAT(update(given.at(0).id, UpdateKind::kPromote)->update_errors, SizeIs(1))
      << "it waits already";
  Allocate request;
  request.releases = {full.at(0).id};
  const auto answer = cluster.allocate(attempt, request);
  ASSERT_THAT(answer->updated, SizeIs(1));
  EXPECT_EQ(answer->updated[0].kind, UpdateKind::kPromote);
  EXPECT_EQ(answer->updated[0].container.execution_type, ExecutionType::kGuaranteed);
  EXPECT_EQ(answer->updated[0].container.version, 1);
  EXPECT_EQ(queue_used(), 4096);
}

TEST_F(Opportunistic, OneThatIsDemotedWasReleasedAndPromotedItIsAllocatedAgain) {
  const auto given = ask(1, "*", ExecutionType::kGuaranteed);
  const auto counts = [&] {
    (void)cluster.metrics();  // brings the reports up to date
    const QueueCounts& all = cluster.board->queues()->counts;
    return std::pair(static_cast<int>(all.allocated), static_cast<int>(all.released));
  };
  EXPECT_EQ(counts(), std::pair(2, 0)) << "with the AM";
  update(given.at(0).id, UpdateKind::kDemote);
  EXPECT_EQ(counts(), std::pair(2, 1));
  update(given.at(0).id, UpdateKind::kPromote, 1);
  EXPECT_EQ(counts(), std::pair(3, 1));
  cluster.kill(attempt.app);
  cluster.commit();
  EXPECT_EQ(counts(), std::pair(3, 3));
}

TEST_F(Opportunistic, AContainerIsDemotedAtOnceAndItsRoomIsFree) {
  const auto given = ask(3, "*", ExecutionType::kGuaranteed);
  const auto answer = update(given.at(0).id, UpdateKind::kDemote);
  ASSERT_THAT(answer->updated, SizeIs(1));
  EXPECT_EQ(answer->updated[0].container.execution_type, ExecutionType::kOpportunistic);
  EXPECT_EQ(queue_used(), 3072);
  const auto again = update(given.at(0).id, UpdateKind::kPromote, 1);
  ASSERT_THAT(again->updated, SizeIs(1));
  EXPECT_EQ(again->updated[0].container.version, 2);
  EXPECT_EQ(queue_used(), 4096);
}

TEST_F(Opportunistic, AnApplicationMasterStaysGuaranteed) {
  const auto answer = update(cluster.master_of(attempt), UpdateKind::kDemote);
  ASSERT_THAT(answer->update_errors, SizeIs(1));
  EXPECT_EQ(answer->update_errors[0].reason, "APPLICATION_MASTER_IS_GUARANTEED");
}

TEST_F(Opportunistic, ContainersThatEndGiveNothingBack) {
  const auto given = ask(2);
  beat(node, 0, 10,
       {testlib::finished(given.at(0).id, -108, "Opportunistic container queue is full.")});
  Allocate request;
  request.releases = {given.at(1).id};
  const auto answer = cluster.allocate(attempt, request);
  EXPECT_THAT(answer->finished, SizeIs(2));
  EXPECT_EQ(queue_used(), 1024);
}

TEST(OpportunisticLabels, ANodeOfAnotherLabelGetsNone) {
  CoreSetup setup = switched_on();
  setup.options.labels_enabled = true;
  CoreDriver cluster(setup);
  cluster.auto_commit = true;
  const NodeId node = cluster.add_node("n1", "4GB 4c");
  const NodeId red = cluster.add_node("n2", "4GB 4c");
  const AttemptId attempt = cluster.running_app();
  ASSERT_TRUE(cluster.add_labels({{"red", true}}).ok());
  ReplaceLabels replace;
  const NodeId master = cluster.board->attempt(attempt)->master_node;
  const NodeId other = master == node ? red : node;
  replace.nodes[other] = {"red"};
  ASSERT_TRUE(cluster.replace_labels(replace).ok());
  NodeHeartbeat beat;
  beat.id = other;
  beat.opportunistic.queue_capacity = 10;
  ASSERT_EQ(cluster.heartbeat(beat).value().action, NodeAction::kNormal);
  Allocate request;
  Ask one;
  one.priority = 1;
  one.resources = {1024, 1};
  one.containers = 3;
  one.execution_type = ExecutionType::kOpportunistic;
  request.asks = {one};
  EXPECT_THAT(cluster.allocate(attempt, request)->containers, IsEmpty());
}

TEST(OpportunisticOff, WhatIsAskedForAsOpportunisticIsGuaranteed) {
  CoreDriver cluster;
  cluster.add_node("n1", "4GB 4c");
  const AttemptId attempt = cluster.running_app();
  Allocate request;
  Ask one;
  one.priority = 1;
  one.resources = {1024, 1};
  one.containers = 9;
  one.execution_type = ExecutionType::kOpportunistic;
  request.asks = {one};
  const auto answer = cluster.allocate(attempt, request);
  ASSERT_THAT(answer->containers, SizeIs(3));
  EXPECT_EQ(answer->containers[0].execution_type, ExecutionType::kGuaranteed);
  Allocate demote;
  demote.updates = {{answer->containers[0].id, 0, UpdateKind::kDemote, std::nullopt, {}}};
  EXPECT_THAT(cluster.allocate(attempt, demote)->update_errors, SizeIs(1));
}

}  // namespace
}  // namespace heddle::rm
