// Containers that change their size.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::CoreDriver;
using testlib::CoreSetup;

class Updates : public testing::Test {
 protected:
  Updates() : node(cluster.add_node("n1", "8GB 8c")), attempt(cluster.running_app()) {}

  NodeContainer told(const ContainerId& id, const Resources& size) {
    NodeContainer out = testlib::running(id);
    out.resources = size;
    return out;
  }
  /// A container of 2 GB that runs; its AM has 1 GB.
  ContainerId started() {
    const auto answer = cluster.ask(attempt, 1, "2GB 1c");
    const ContainerId id = answer->containers.at(0).id;
    cluster.beat(node, {told(id, {2048, 1})});
    return id;
  }
  std::shared_ptr<const Allocated> update(const ContainerId& id, UpdateKind kind,
                                          std::optional<Resources> size, std::int32_t version = 0) {
    Allocate request;
    request.updates = {{id, version, kind, size, {}}};
    return cluster.allocate(attempt, request);
  }
  std::vector<std::string> reasons(const std::shared_ptr<const Allocated>& answer) {
    std::vector<std::string> out;
    for (const UpdateRefused& refused : answer->update_errors)
      out.push_back(refused.reason);
    return out;
  }
  Resources used() { return cluster.board->app(attempt.app)->usage.used; }

  CoreDriver cluster;
  const NodeId node;
  const AttemptId attempt;
};

TEST_F(Updates, AnIncreaseWithRoomIsAnsweredInTheCallThatBringsIt) {
  const ContainerId id = started();
  const auto answer = update(id, UpdateKind::kIncrease, Resources(5000, 2));
  ASSERT_THAT(answer->updated, SizeIs(1));
  EXPECT_EQ(answer->updated[0].kind, UpdateKind::kIncrease);
  EXPECT_EQ(answer->updated[0].container.resources, Resources(5120, 1)) << "normalized";
  EXPECT_EQ(answer->updated[0].container.version, 1);
  EXPECT_THAT(answer->update_errors, IsEmpty());
  EXPECT_THAT(answer->containers, IsEmpty());
  EXPECT_THAT(cluster.allocate(attempt)->updated, IsEmpty()) << "each update once";
  cluster.metrics();
  EXPECT_EQ(used().memory_mb(), 6144);
}

TEST_F(Updates, AnIncreaseWithoutRoomWaitsForIt) {
  const ContainerId id = started();
  const ContainerId other = cluster.ask(attempt, 1, "4GB 1c")->containers.at(0).id;
  EXPECT_THAT(update(id, UpdateKind::kIncrease, Resources(6144, 1))->updated, IsEmpty());
  Allocate request;
  request.releases = {other};
  const auto answer = cluster.allocate(attempt, request);
  ASSERT_THAT(answer->updated, SizeIs(1));
  EXPECT_EQ(answer->updated[0].container.resources.memory_mb(), 6144);
}

TEST_F(Updates, ADecreaseIsDoneAtOnceAndItsRoomGoesToOthers) {
  const ContainerId id = started();
  EXPECT_THAT(cluster.ask(attempt, 6, "1GB 1c")->containers, SizeIs(5));
  const auto answer = update(id, UpdateKind::kDecrease, Resources(1024, 1));
  ASSERT_THAT(answer->updated, SizeIs(1));
  EXPECT_EQ(answer->updated[0].kind, UpdateKind::kDecrease);
  EXPECT_EQ(answer->updated[0].container.version, 1);
  EXPECT_THAT(answer->containers, SizeIs(1));
}

TEST_F(Updates, ThatMakeNoSenseAreRefusedOneByOneWithHadoopsReasons) {
  const ContainerId id = started();
  const AttemptId stranger = cluster.running_app();
  ContainerId unknown = id;
  unknown.id = 99;
  struct Case {
    const char* what;
    UpdateContainer update;
    std::string reason;
    std::int32_t version;
  };
  using enum UpdateKind;
  const Case cases[] = {
      {"unknown", {unknown, 0, kIncrease, Resources(4096, 1), {}}, "INVALID_CONTAINER_ID", -1},
      {"of another application",
       {cluster.master_of(stranger), 0, kIncrease, Resources(4096, 1), {}},
       "INVALID_CONTAINER_ID",
       -1},
      {"later version",
       {id, 1, kIncrease, Resources(4096, 1), {}},
       "INCORRECT_CONTAINER_VERSION_ERROR",
       0},
      {"negative version",
       {id, -1, kDecrease, Resources(1024, 1), {}},
       "INCORRECT_CONTAINER_VERSION_ERROR",
       0},
      {"above the maximum",
       {id, 0, kIncrease, Resources(1 << 30, 1), {}},
       "RESOURCE_OUTSIDE_ALLOWED_RANGE",
       0},
      {"negative", {id, 0, kDecrease, Resources(-1, 1), {}}, "RESOURCE_OUTSIDE_ALLOWED_RANGE", 0},
      {"no size", {id, 0, kDecrease, std::nullopt, {}}, "RESOURCE_OUTSIDE_ALLOWED_RANGE", 0},
      {"increase to less",
       {id, 0, kIncrease, Resources(1024, 1), {}},
       "RESOURCE_OUTSIDE_ALLOWED_RANGE",
       0},
      {"increase to the same",
       {id, 0, kIncrease, Resources(2048, 1), {}},
       "RESOURCE_OUTSIDE_ALLOWED_RANGE",
       0},
      {"decrease to more",
       {id, 0, kDecrease, Resources(4096, 1), {}},
       "RESOURCE_OUTSIDE_ALLOWED_RANGE",
       0},
  };
  for (const Case& bad : cases) {
    SCOPED_TRACE(bad.what);
    Allocate request;
    request.updates = {bad.update};
    const auto answer = cluster.allocate(attempt, request);
    EXPECT_THAT(answer->updated, IsEmpty());
    ASSERT_THAT(answer->update_errors, SizeIs(1));
    EXPECT_EQ(answer->update_errors[0].reason, bad.reason);
    EXPECT_EQ(answer->update_errors[0].current_version, bad.version);
  }
}

TEST_F(Updates, OneContainerIsUpdatedOnceInACall) {
  const ContainerId id = started();
  const ContainerId other = cluster.ask(attempt, 1, "1GB 1c")->containers.at(0).id;
  using enum UpdateKind;
  Allocate request;
  request.updates = {{id, 0, kIncrease, Resources(3072, 1), {}},
                     {id, 0, kDecrease, Resources(1024, 1), {}},
                     {other, 0, kIncrease, Resources(2048, 1), {}}};
  const auto answer = cluster.allocate(attempt, request);
  EXPECT_THAT(reasons(answer), ElementsAre("UPDATE_OUTSTANDING_ERROR"));
  EXPECT_EQ(answer->update_errors[0].index, 1u);
  EXPECT_THAT(answer->updated, SizeIs(2)) << "the good ones are taken";
}

TEST_F(Updates, ADecreaseToNothingEndsAtTheSmallestContainer) {
  const ContainerId id = started();
  const auto answer = update(id, UpdateKind::kDecrease, Resources(0, 0));
  ASSERT_THAT(answer->updated, SizeIs(1));
  EXPECT_EQ(answer->updated[0].container.resources, Resources(1024, 1));
}

TEST_F(Updates, ALaterWishReplacesOneThatWaitsAndADecreaseTakesItBack) {
  const ContainerId id = started();
  const ContainerId full = cluster.ask(attempt, 1, "5GB 1c")->containers.at(0).id;
  EXPECT_THAT(update(id, UpdateKind::kIncrease, Resources(6144, 1))->updated, IsEmpty());
  EXPECT_THAT(update(id, UpdateKind::kIncrease, Resources(3072, 1))->updated, IsEmpty());
  const auto answer = update(id, UpdateKind::kDecrease, Resources(1024, 1));
  ASSERT_THAT(answer->updated, SizeIs(1));
  Allocate request;
  request.releases = {full};
  EXPECT_THAT(cluster.allocate(attempt, request)->updated, IsEmpty());
}

TEST_F(Updates, AnIncreaseThatTheNodeNeverHearsOfIsTakenBack) {
  const ContainerId id = started();
  ASSERT_THAT(update(id, UpdateKind::kIncrease, Resources(4096, 1))->updated, SizeIs(1));
  cluster.advance(9min);
  cluster.beat(node, {told(id, {2048, 1})});
  cluster.allocate(attempt);
  cluster.advance(61s);
  const auto answer = cluster.allocate(attempt);
  ASSERT_THAT(answer->updated, SizeIs(1));
  EXPECT_EQ(answer->updated[0].kind, UpdateKind::kDecrease);
  EXPECT_EQ(answer->updated[0].container.resources.memory_mb(), 2048);
  EXPECT_EQ(answer->updated[0].container.version, 2);
  cluster.metrics();
  EXPECT_EQ(used().memory_mb(), 3072);
}

TEST_F(Updates, AnIncreaseThatTheNodeReportsStays) {
  const ContainerId id = started();
  update(id, UpdateKind::kIncrease, Resources(4096, 1));
  cluster.beat(node, {told(id, {4096, 1})});
  cluster.advance(9min);
  cluster.beat(node, {told(id, {4096, 1})});
  cluster.allocate(attempt);
  cluster.advance(9min);
  EXPECT_THAT(cluster.allocate(attempt)->updated, IsEmpty());
}

TEST_F(Updates, ANodeThatKeepsMoreThanItMayIsTold) {
  const ContainerId id = started();
  update(id, UpdateKind::kDecrease, Resources(1024, 1));
  const auto first = cluster.beat(node, {told(id, {2048, 1})});
  EXPECT_THAT(first.containers_to_update, IsEmpty()) << "its AM has the token to do it";
  cluster.advance(9min);
  cluster.beat(node, {told(id, {2048, 1})});
  cluster.allocate(attempt);
  cluster.advance(61s);
  const auto answer = cluster.beat(node, {told(id, {2048, 1})});
  ASSERT_THAT(answer.containers_to_update, SizeIs(1));
  EXPECT_EQ(answer.containers_to_update[0].container.resources.memory_mb(), 1024);
  EXPECT_EQ(answer.containers_to_update[0].container.version, 1);
}

TEST_F(Updates, WhereNodesAreToHearOfUpdatesTheNextHeartbeatCarriesThem) {
  CoreSetup setup;
  setup.options.update_by_heartbeat = true;
  CoreDriver other(setup);
  const NodeId n1 = other.add_node("n1", "8GB 8c");
  const AttemptId master = other.running_app();
  const ContainerId id = other.ask(master, 1, "1GB 1c")->containers.at(0).id;
  other.beat(n1, {testlib::running(id)});
  Allocate request;
  request.updates = {{id, 0, UpdateKind::kIncrease, Resources(2048, 1), {}}};
  EXPECT_THAT(other.allocate(master, request)->updated, SizeIs(1));
  EXPECT_THAT(other.beat(n1, {testlib::running(id)}).containers_to_update, SizeIs(1));
  EXPECT_THAT(other.beat(n1, {testlib::running(id)}).containers_to_update, IsEmpty());
}

TEST_F(Updates, WhatWaitsIsForgottenWithItsContainerAndWithItsAttempt) {
  const ContainerId id = started();
  const ContainerId full = cluster.ask(attempt, 1, "5GB 1c")->containers.at(0).id;
  update(id, UpdateKind::kIncrease, Resources(6144, 1));
  cluster.beat(node, {testlib::finished(id)});
  update(full, UpdateKind::kIncrease, Resources(8192, 1));
  cluster.kill(attempt.app);
  cluster.commit();
  cluster.beat(node, {testlib::finished(cluster.master_of(attempt), 143)});
  cluster.commit();
  EXPECT_TRUE(is_final(cluster.state(attempt.app)));
}

TEST_F(Updates, ANodeThatLiesAboutSizesChangesNothingHere) {
  const ContainerId id = started();
  for (const Resources& lie : {Resources(-5, 1), Resources(1, -1), Resources(INT64_MAX, INT32_MAX),
                               Resources(INT64_MIN, INT32_MIN)}) {
    for (int i = 0; i < 3; ++i) {
      cluster.beat(node, {told(id, lie)});
      cluster.allocate(attempt);
      cluster.advance(6min);
    }
    cluster.metrics();
    EXPECT_EQ(used().memory_mb(), 3072);
  }
}

}  // namespace
}  // namespace heddle::rm
