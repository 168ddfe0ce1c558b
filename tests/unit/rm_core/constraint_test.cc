// Scheduling requests and placement constraints in the protocol of ApplicationMasters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/cluster_builder.h"
#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::CoreDriver;
using testlib::CoreSetup;

CoreSetup handled_by(ConstraintHandler handler) {
  CoreSetup setup;
  setup.options.constraint_handler = handler;
  return setup;
}

queues::ConstraintPtr constraint(std::string_view text) {
  return std::make_shared<const queues::Constraint>(*queues::parse_constraint(text));
}

Allocate request(std::int32_t count, const std::string& tag, std::string_view text,
                 std::int64_t id = 1) {
  queues::TaggedAsk ask;
  ask.priority = 1;
  ask.request_id = id;
  ask.capability = testlib::sizes("1GB 1c");
  ask.num_allocations = count;
  ask.tags = {tag};
  if (!text.empty()) ask.constraint = constraint(text);
  ask.asked = std::make_shared<const std::string>("as asked");
  Allocate out;
  out.scheduling_requests = {ask};
  return out;
}

class Constraints : public testing::TestWithParam<ConstraintHandler> {
 protected:
  Constraints() : cluster(handled_by(GetParam())) {
    for (const char* host : {"n1", "n2", "n3"})
      cluster.add_node(host, "8GB 8c");
    attempt = cluster.running_app();
  }
  CoreDriver cluster;
  AttemptId attempt;
};

TEST_P(Constraints, ContainersCarryTheirTagsAndTheIdOfTheRequest) {
  const auto answer = cluster.allocate(attempt, request(2, "zk", "notin,node,zk", 42));
  ASSERT_THAT(answer->containers, SizeIs(2));
  EXPECT_NE(answer->containers[0].node, answer->containers[1].node);
  for (const GrantedContainer& container : answer->containers) {
    ASSERT_NE(container.allocation_tags, nullptr);
    EXPECT_THAT(*container.allocation_tags, ElementsAre("zk"));
    EXPECT_EQ(container.allocation_request_id, 42);
  }
  EXPECT_THAT(answer->rejected_requests, IsEmpty());
}

TEST_P(Constraints, APlainRequestWithTheSameIdIsAnother) {
  Allocate both = request(1, "zk", "in,node,db", 0);
  Ask plain;
  plain.priority = 1;
  plain.resources = testlib::sizes("1GB 1c");
  plain.containers = 2;
  plain.allocation_request_id = 0;
  both.asks = {plain};
  EXPECT_THAT(cluster.allocate(attempt, both)->containers, SizeIs(2));
}

TEST_P(Constraints, AttributesThatOperatorsGiveDecide) {
  EXPECT_THAT(cluster.allocate(attempt, request(1, "x", "rm.yarn.io/disk=ssd"))->containers,
              IsEmpty());
  MapAttributes attributes;
  attributes.hosts["n2"] = {{std::string(kCentralAttributes), "disk", "ssd"}};
  const auto mapped = cluster.map_attributes(attributes);
  cluster.commit();
  ASSERT_TRUE(mapped.ok());
  const auto answer = cluster.allocate(attempt);
  ASSERT_THAT(answer->containers, SizeIs(1));
  EXPECT_EQ(answer->containers[0].node.host, "n2");
}

TEST_P(Constraints, ThoseOfTheRegistrationHoldForTheirTag) {
  const AppId app = cluster.submit();
  const AttemptId other{app, 1};
  cluster.launched(other);
  RegisterMaster registration;
  registration.host = "h";
  registration.constraints = {{{"zk"}, constraint("notin,node,zk")}};
  const auto registered = cluster.register_master(other, registration);
  ASSERT_TRUE(registered.ok()) << registered.error();
  EXPECT_THAT(cluster.allocate(other, request(5, "zk", ""))->containers, SizeIs(3));
}

TEST_P(Constraints, AnOversizedOneIsRefusedAndTheMasterLivesOn) {
  Allocate large = request(1, "x", "");
  large.scheduling_requests[0].capability = testlib::sizes("900GB 1c");
  EXPECT_THAT(cluster.try_allocate(attempt, large).error(),
              HasSubstr("greater than maximum allowed allocation"));
  Allocate negative = request(-1, "x", "");
  EXPECT_THAT(cluster.try_allocate(attempt, negative).error(), HasSubstr("must be >= 0"));
  EXPECT_THAT(cluster.allocate(attempt, request(1, "x", ""))->containers, SizeIs(1));
}

TEST_P(Constraints, ALaterPartBecomesGoodEnoughByItself) {
  EXPECT_THAT(
      cluster.allocate(attempt, request(1, "x", "delayed-or(a/b=c@5s:notin,node,x@0)"))->containers,
      IsEmpty());
  cluster.advance(4s);
  EXPECT_THAT(cluster.allocate(attempt)->containers, IsEmpty());
  cluster.advance(1s);
  const auto answer = cluster.allocate(attempt);
  EXPECT_THAT(answer->containers, SizeIs(1));
  EXPECT_THAT(answer->rejected_requests, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Handlers, Constraints,
                         testing::Values(ConstraintHandler::kProcessor,
                                         ConstraintHandler::kScheduler));

TEST(ConstraintsOff, RequestsAreRefusedInHadoopsWords) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  const auto answer = cluster.try_allocate(attempt, request(1, "x", ""));
  EXPECT_EQ(
      answer.error(),
      "Found non empty SchedulingRequest in AllocateRequest for application=" + to_string(attempt) +
          ", but the configured yarn.resourcemanager.placement-constraints.handler cannot "
          "handle placement constraints. Rejecting this allocate operation");
  EXPECT_THAT(cluster.ask(attempt, 1)->containers, SizeIs(1)) << "it lives on";
}

TEST(ConstraintProcessor, GivesUpAfterSoManyHeartbeats) {
  CoreDriver cluster(handled_by(ConstraintHandler::kProcessor));
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  const auto first = cluster.allocate(attempt, request(2, "zk", "notin,node,zk"));
  EXPECT_THAT(first->containers, SizeIs(1));
  EXPECT_THAT(first->rejected_requests, IsEmpty());
  EXPECT_THAT(cluster.allocate(attempt)->rejected_requests, IsEmpty());
  const auto third = cluster.allocate(attempt);
  ASSERT_THAT(third->rejected_requests, SizeIs(1));
  EXPECT_EQ(third->rejected_requests[0].left, 1);
  EXPECT_EQ(*third->rejected_requests[0].asked, "as asked");
  EXPECT_THAT(cluster.allocate(attempt)->rejected_requests, IsEmpty()) << "told once";
}

TEST(ConstraintScheduler, WaitsForAsLongAsItTakes) {
  CoreDriver cluster(handled_by(ConstraintHandler::kScheduler));
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = cluster.running_app();
  ASSERT_THAT(cluster.allocate(attempt, request(2, "zk", "notin,node,zk"))->containers, SizeIs(1));
  for (int i = 0; i < 10; ++i)
    EXPECT_THAT(cluster.allocate(attempt)->rejected_requests, IsEmpty());
  cluster.add_node("n2", "8GB 8c");
  EXPECT_THAT(cluster.allocate(attempt)->containers, SizeIs(1));
}

}  // namespace
}  // namespace heddle::rm
