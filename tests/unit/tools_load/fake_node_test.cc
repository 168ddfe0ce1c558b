#include "tools/load/fake_node.h"

#include <gtest/gtest.h>

#include <set>

namespace heddle::load {
namespace {

pb::NodeHeartbeatResponseProto answer(pb::NodeActionProto action, std::int32_t response_id = 0) {
  pb::NodeHeartbeatResponseProto out;
  out.set_nodeaction(action);
  out.set_response_id(response_id);
  return out;
}

FakeNode registered_node() {
  FakeNode node(fake_node_id(7));
  pb::RegisterNodeManagerResponseProto taken;
  taken.set_nodeaction(pb::NORMAL);
  taken.mutable_container_token_master_key()->set_key_id(11);
  taken.mutable_nm_token_master_key()->set_key_id(22);
  EXPECT_TRUE(node.take(taken));
  return node;
}

pb::ContainerIdProto container(std::int64_t number) {
  pb::ContainerIdProto out;
  out.set_id(number);
  return out;
}

TEST(FakeNode, HeartbeatsBeginAtResponseIdZeroAndRepeatWhatTheyHeard) {
  FakeNode node = registered_node();
  pb::NodeHeartbeatRequestProto beat;
  node.fill(beat);
  EXPECT_EQ(beat.node_status().response_id(), 0);
  EXPECT_EQ(node.take(answer(pb::NORMAL, 1)), FakeNode::Heard::kNormal);
  node.fill(beat);
  EXPECT_EQ(beat.node_status().response_id(), 1);
  EXPECT_EQ(beat.node_status().node_id().host(), node.id().host);
  EXPECT_EQ(beat.last_known_container_token_master_key().key_id(), 11);
  EXPECT_EQ(beat.last_known_nm_token_master_key().key_id(), 22);
  EXPECT_TRUE(beat.node_status().nodehealthstatus().is_node_healthy());
}

TEST(FakeNode, OneMessageServesManyNodes) {
  FakeNode first = registered_node();
  FakeNode second(fake_node_id(8));
  first.launch(container(1));
  pb::NodeHeartbeatRequestProto beat;
  first.fill(beat);
  EXPECT_EQ(beat.node_status().containersstatuses_size(), 1);
  second.fill(beat);
  EXPECT_EQ(beat.node_status().node_id().host(), second.id().host);
  EXPECT_EQ(beat.node_status().containersstatuses_size(), 0);
}

TEST(FakeNode, ReportsAContainerAsRunningThenAsEndedThenNoMore) {
  FakeNode node = registered_node();
  node.launch(container(5));
  pb::NodeHeartbeatRequestProto beat;
  node.fill(beat);
  ASSERT_EQ(beat.node_status().containersstatuses_size(), 1);
  EXPECT_EQ(beat.node_status().containersstatuses(0).state(), pb::C_RUNNING);
  node.fill(beat);
  ASSERT_EQ(beat.node_status().containersstatuses_size(), 1);
  EXPECT_EQ(beat.node_status().containersstatuses(0).state(), pb::C_COMPLETE);
  EXPECT_EQ(beat.node_status().containersstatuses(0).exit_status(), 0);
  EXPECT_EQ(beat.node_status().containersstatuses(0).container_id().id(), 5);
  node.fill(beat);
  EXPECT_EQ(beat.node_status().containersstatuses_size(), 0);
  EXPECT_EQ(node.started(), 1U);
  EXPECT_EQ(node.finished(), 1U);
}

TEST(FakeNode, AfterResyncItRegistersAgainAndStartsAfresh) {
  FakeNode node = registered_node();
  node.take(answer(pb::NORMAL, 9));
  node.launch(container(5));
  EXPECT_EQ(node.take(answer(pb::RESYNC)), FakeNode::Heard::kResync);
  EXPECT_FALSE(node.registered());
  pb::RegisterNodeManagerResponseProto taken;
  taken.set_nodeaction(pb::NORMAL);
  ASSERT_TRUE(node.take(taken));
  pb::NodeHeartbeatRequestProto beat;
  node.fill(beat);
  EXPECT_EQ(beat.node_status().response_id(), 0);
  EXPECT_EQ(beat.node_status().containersstatuses_size(), 0);
}

TEST(FakeNode, ARefusedRegistrationIsAnErrorWithTheReason) {
  FakeNode node(fake_node_id(0));
  pb::RegisterNodeManagerResponseProto refused;
  refused.set_nodeaction(pb::SHUTDOWN);
  refused.set_diagnostics_message("Disallowed NodeManager");
  const auto taken = node.take(refused);
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("Disallowed NodeManager"), std::string::npos);
  EXPECT_FALSE(node.registered());
}

TEST(FakeNode, TellsThatItIsToldToShutDown) {
  FakeNode node = registered_node();
  EXPECT_EQ(node.take(answer(pb::SHUTDOWN)), FakeNode::Heard::kShutdown);
}

TEST(FakeNode, RegistersWithItsSizeAndName) {
  const FakeNode node(fake_node_id(300));
  pb::RegisterNodeManagerRequestProto message;
  node.fill(message, Resources{4096, 8});
  EXPECT_EQ(message.node_id().host(), "127.1.1.51");
  EXPECT_EQ(message.resource().memory(), 4096);
  EXPECT_EQ(message.resource().virtual_cores(), 8);
  EXPECT_TRUE(message.nodestatus().nodehealthstatus().is_node_healthy());
}

TEST(FakeNode, HostsAreDistinctAddressesOfTheLoopbackNetwork) {
  std::set<std::string> hosts;
  for (std::uint32_t i = 0; i < 60'000; ++i)
    hosts.insert(fake_node_id(i).host);
  EXPECT_EQ(hosts.size(), 60'000U);
  EXPECT_EQ(fake_node_id(0).host, "127.1.0.1");
  EXPECT_EQ(fake_node_id(59'999).host, "127.1.239.250");
  EXPECT_EQ(fake_node_id(64'000).host, "127.2.0.1");
}

}  // namespace
}  // namespace heddle::load
