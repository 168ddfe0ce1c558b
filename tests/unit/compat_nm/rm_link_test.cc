#include "compat/nm/rm_link.h"

#include <gtest/gtest.h>

#include "compat/nm/rm_messages.h"
#include "compat/records/ids.h"
#include "compat/records/tokens.h"
#include "tests/testlib/fake_doors.h"
#include "tests/testlib/ipc_calls.h"
#include "tests/testlib/recorded.h"

namespace heddle::compat::node {
namespace {

class RmLinkTest : public ::testing::Test {
 protected:
  template <class Value>
  auto keep(std::optional<Result<Value>>& into) {
    return [&into](Result<Value> result) { into = std::move(result); };
  }
  testlib::FakeClient client_;
  std::unique_ptr<door::RmLink> link_ = make_rm_link(client_, {"rm", 8031, "yarn"}, {});
};

door::Registration registration() {
  door::Registration out;
  out.id = {"localhost", 41041};
  out.http_port = 41042;
  out.total = Resources(6144, 4);
  out.health.reported = {1795309997871};
  return out;
}

TEST_F(RmLinkTest, RegistrationIsTheRecordedRequestButForTheMachine) {
  link_->register_node(registration(), [](const Result<door::Registered>&) {});
  ASSERT_EQ(client_.calls.size(), 1U);
  EXPECT_EQ(client_.calls[0].method, "registerNodeManager");
  EXPECT_EQ(client_.calls[0].login.user, "yarn");
  pb::RegisterNodeManagerRequestProto sent, expected;
  ASSERT_TRUE(sent.ParseFromString(client_.calls[0].request));
  ASSERT_TRUE(expected.ParseFromString(recorded::bytes(recorded::kRegisterNodeRequest)));
  *expected.mutable_physicalresource() = sent.physicalresource();
  *expected.mutable_nodestatus()->mutable_node_utilization() = sent.nodestatus().node_utilization();
  EXPECT_EQ(hex_encode(sent.SerializeAsString()), hex_encode(expected.SerializeAsString()));
}

TEST_F(RmLinkTest, RunningContainerIsReportedAsRecorded) {
  pb::RegisterNodeManagerRequestProto expected;
  ASSERT_TRUE(expected.ParseFromString(recorded::bytes(recorded::kRegisterNodeAgainRequest)));
  door::Registration again = registration();
  door::ContainerStatus container;
  container.id = {{{1795310003435, 20}, 1}, 1};
  container.state = door::ContainerState::kRunning;
  container.resources = Resources(128, 1);
  container.priority = 5;
  container.created = {expected.container_statuses(0).creation_time()};
  again.containers = {container};
  again.running_apps = {{1795310003435, 20}};
  const auto sent = to_wire(again, ResourceTypes{});
  EXPECT_EQ(hex_encode(sent.container_statuses(0).SerializeAsString()),
            hex_encode(expected.container_statuses(0).SerializeAsString()));
  EXPECT_EQ(sent.runningapplications(0).SerializeAsString(),
            expected.runningapplications(0).SerializeAsString());
}

TEST_F(RmLinkTest, LabelsAndAttributesAreSentOnlyWhereThereIsSomethingToSay) {
  EXPECT_FALSE(to_wire(registration(), ResourceTypes{}).has_nodelabels());
  door::Registration labelled = registration();
  labelled.labels = std::vector<std::string>{};
  labelled.attributes = std::vector<door::NodeAttribute>{{"os", "debian"}};
  const auto sent = to_wire(labelled, ResourceTypes{});
  EXPECT_TRUE(sent.has_nodelabels()) << "none is not the same as nothing said";
  EXPECT_EQ(sent.nodelabels().nodelabels_size(), 0);
  ASSERT_EQ(sent.nodeattributes().nodeattributes_size(), 1);
  const auto& attribute = sent.nodeattributes().nodeattributes(0);
  EXPECT_EQ(attribute.attributekey().attributeprefix(), "nm.yarn.io");
  EXPECT_EQ(attribute.attributekey().attributename(), "os");
  EXPECT_EQ(attribute.attributevalue(), "debian");
  door::Heartbeat beat;
  beat.id = labelled.id;
  beat.labels = std::vector<std::string>{"gpu"};
  EXPECT_EQ(to_wire(beat, ResourceTypes{}).nodelabels().nodelabels(0).name(), "gpu");
}

TEST_F(RmLinkTest, WhetherLabelsWereAcceptedIsRead) {
  pb::NodeHeartbeatResponseProto answer;
  answer.set_arenodelabelsacceptedbyrm(true);
  EXPECT_TRUE(heartbeat_answer_from_wire(answer)->labels_accepted);
  EXPECT_FALSE(heartbeat_answer_from_wire(answer)->attributes_accepted);
}

TEST(RmMessages, AnAnswerCarriesUpdatedContainersAndTheLengthOfTheQueue) {
  ContainerIdentifier identifier;
  identifier.container = {{{1795310003435, 2}, 1}, 3};
  identifier.resources = Resources(3072, 2);
  identifier.version = 4;
  pb::NodeHeartbeatResponseProto answer;
  answer.add_containers_to_update()->mutable_container_token()->set_identifier(
      encode(identifier, {}));
  answer.add_containers_to_update()->mutable_container_token()->set_identifier("nonsense");
  answer.mutable_container_queuing_limit()->set_max_queue_length(7);
  const auto read = heartbeat_answer_from_wire(answer);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->updates.size(), 1U) << "what is no token is left out";
  EXPECT_EQ(read->updates[0].id, identifier.container);
  EXPECT_EQ(read->updates[0].resources, Resources(3072, 2));
  EXPECT_EQ(read->updates[0].version, 4);
  EXPECT_EQ(read->queue_limit, 7);
}

TEST(RmMessages, AHeartbeatTellsWhatGrewAndWhatIsOpportunistic) {
  door::Heartbeat heartbeat;
  heartbeat.increased.emplace_back(ContainerId{{{1795310003435, 2}, 1}, 3}, Resources(3072, 2));
  heartbeat.opportunistic = {1, 2, 3, 10, 1024, 1};
  const auto wire = to_wire(heartbeat, ResourceTypes{});
  ASSERT_EQ(wire.node_status().increased_containers_size(), 1);
  EXPECT_EQ(wire.node_status().increased_containers(0).resource().memory(), 3072);
  const auto& told = wire.node_status().opportunistic_containers_status();
  EXPECT_EQ(told.running_opport_containers(), 1);
  EXPECT_EQ(told.queued_opport_containers(), 2);
  EXPECT_EQ(told.wait_queue_length(), 3);
  EXPECT_EQ(told.opport_queue_capacity(), 10);
}

TEST_F(RmLinkTest, RecordedRegistrationAnswerIsRead) {
  std::optional<Result<door::Registered>> result;
  link_->register_node(registration(), keep(result));
  client_.calls[0].done(recorded::bytes(recorded::kRegisterNodeAnswer));
  ASSERT_TRUE(result && result->has_value());
  EXPECT_FALSE((*result)->shutdown);
  EXPECT_EQ((*result)->rm_identifier, 1795310003435);
  EXPECT_EQ((*result)->rm_version, "3.4.2");
  EXPECT_EQ((*result)->container_key.id, 878007234);
  EXPECT_EQ(hex_encode((*result)->nm_key.bytes.reveal_bytes()), "36dccb515fbe60a2");
  EXPECT_FALSE((*result)->total.has_value());
}

TEST_F(RmLinkTest, RegistrationWithoutKeysIsAnError) {
  std::optional<Result<door::Registered>> result;
  link_->register_node(registration(), keep(result));
  client_.calls[0].done(std::string());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().code, ErrorCode::kInvalidArgument);
}

TEST_F(RmLinkTest, HeartbeatAnswerIsRead) {
  std::optional<Result<door::HeartbeatAnswer>> result;
  door::Heartbeat heartbeat;
  heartbeat.id = {"localhost", 41041};
  heartbeat.container_key_id = 878007234;
  heartbeat.log_reports = {{{1, 2}, "SUCCEEDED", "ok"}};
  link_->heartbeat(heartbeat, keep(result));
  pb::NodeHeartbeatRequestProto sent;
  ASSERT_TRUE(sent.ParseFromString(client_.calls[0].request));
  EXPECT_EQ(sent.last_known_container_token_master_key().key_id(), 878007234);
  EXPECT_EQ(sent.log_aggregation_reports_for_apps(0).log_aggregation_status(), pb::LOG_SUCCEEDED);
  client_.calls[0].done(recorded::bytes(recorded::kHeartbeatAnswer));
  ASSERT_TRUE(result && result->has_value());
  EXPECT_EQ((*result)->action, door::HeartbeatAction::kNormal);
  EXPECT_EQ((*result)->response_id, 1);
  EXPECT_EQ((*result)->next_heartbeat, std::chrono::milliseconds(1000));
}

TEST_F(RmLinkTest, FailuresSayWhetherToTryAgain) {
  const auto code = [](std::optional<ipc::RemoteException> remote) {
    return refusal({{ErrorCode::kUnavailable, "m", ErrorSubject::kNone}, std::move(remote)}).code;
  };
  EXPECT_EQ(code({}), ErrorCode::kUnavailable);
  EXPECT_EQ(code(ipc::RemoteException{"org.apache.hadoop.ipc.StandbyException", "m"}),
            ErrorCode::kUnavailable);
  EXPECT_EQ(code(ipc::RemoteException{"org.apache.hadoop.security.AccessControlException", "m"}),
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(code(ipc::RemoteException{"org.apache.hadoop.yarn.exceptions.YarnException", "m"}),
            ErrorCode::kInvalidArgument);
}

TEST_F(RmLinkTest, UnregisterNamesTheNode) {
  std::optional<Result<void>> result;
  link_->unregister_node({"localhost", 41041}, keep(result));
  EXPECT_EQ(client_.calls[0].method, "unRegisterNodeManager");
  client_.calls[0].done(std::string());
  EXPECT_TRUE(result && result->has_value());
}

}  // namespace
}  // namespace heddle::compat::node
