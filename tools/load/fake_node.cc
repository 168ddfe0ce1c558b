#include "tools/load/fake_node.h"

#include <fmt/core.h>

#include <utility>

#include "compat/nm/rm_messages.h"
#include "compat/records/ids.h"
#include "nodemanager/api/rm_link.h"

namespace heddle::load {
namespace {

constexpr std::int32_t kPort = 45454;
constexpr std::int32_t kHttpPort = 8042;
constexpr std::uint32_t kHostsPerNetwork = 250;

/// As heddle-nm says it; all nodes say the same but for their names.
const pb::NodeHeartbeatRequestProto& heartbeat_of_any_node() {
  static const auto* message = [] {
    nm::Heartbeat heartbeat;
    heartbeat.health.reported = {1};
    return new pb::NodeHeartbeatRequestProto(compat::node::to_wire(heartbeat, ResourceTypes()));
  }();
  return *message;
}

void add_status(pb::NodeStatusProto& status, const pb::ContainerIdProto& id, bool ended) {
  auto* container = status.add_containersstatuses();
  *container->mutable_container_id() = id;
  container->set_state(ended ? pb::C_COMPLETE : pb::C_RUNNING);
  container->set_diagnostics("");
  container->set_exit_status(ended ? 0 : -1000);
  container->set_executiontype(pb::GUARANTEED);
  container->set_container_sub_state(ended ? pb::CSS_DONE : pb::CSS_RUNNING);
  auto* size = container->mutable_capability();
  size->set_memory(1024);
  size->set_virtual_cores(1);
}

}  // namespace

NodeId fake_node_id(std::uint32_t number) {
  const std::uint32_t network = number / kHostsPerNetwork;
  return {
      fmt::format("127.{}.{}.{}", 1 + network / 256, network % 256, 1 + number % kHostsPerNetwork),
      kPort};
}

void FakeNode::fill(pb::RegisterNodeManagerRequestProto& message, const Resources& total) const {
  nm::Registration registration;
  registration.id = id_;
  registration.http_port = kHttpPort;
  registration.total = total;
  registration.health.reported = {1};
  message = compat::node::to_wire(registration, ResourceTypes());
}

void FakeNode::fill(pb::NodeHeartbeatRequestProto& message) {
  if (!message.has_node_status()) message = heartbeat_of_any_node();
  auto* status = message.mutable_node_status();
  status->mutable_node_id()->set_host(id_.host);
  status->mutable_node_id()->set_port(id_.port);
  status->set_response_id(response_id_);
  message.mutable_last_known_container_token_master_key()->set_key_id(container_key_);
  message.mutable_last_known_nm_token_master_key()->set_key_id(nm_key_);
  status->clear_containersstatuses();
  for (const auto& id : running_)
    add_status(*status, id, true);
  for (const auto& id : starting_)
    add_status(*status, id, false);
  finished_ += running_.size();
  started_ += starting_.size();
  running_ = std::exchange(starting_, {});
}

Result<void> FakeNode::take(const pb::RegisterNodeManagerResponseProto& answer) {
  if (answer.nodeaction() == pb::SHUTDOWN) {
    return fail(ErrorCode::kWrongState,
                fmt::format("{} is refused: {}", to_string(id_), answer.diagnostics_message()));
  }
  registered_ = true;
  response_id_ = 0;
  container_key_ = answer.container_token_master_key().key_id();
  nm_key_ = answer.nm_token_master_key().key_id();
  return {};
}

FakeNode::Heard FakeNode::take(const pb::NodeHeartbeatResponseProto& answer) {
  if (answer.nodeaction() == pb::SHUTDOWN) return Heard::kShutdown;
  if (answer.nodeaction() == pb::RESYNC) {
    registered_ = false;
    starting_.clear();
    running_.clear();
    return Heard::kResync;
  }
  response_id_ = answer.response_id();
  return Heard::kNormal;
}

}  // namespace heddle::load
