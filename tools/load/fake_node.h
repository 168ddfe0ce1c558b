// What a NodeManager remembers between heartbeats, and what it says and hears. Pure: no socket, no
// clock. Rules: wire facts "states" section 4.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"
#include "base/result.h"
#include "compat/proto/yarn_server_common_service_protos.pb.h"
#include "compat/records/pb.h"

namespace heddle::load {

namespace pb = ::hadoop::yarn;

class FakeNode {
 public:
  explicit FakeNode(NodeId id) : id_(std::move(id)) {}

  const NodeId& id() const { return id_; }
  /// Not until the ResourceManager took the registration, and not after it said RESYNC.
  bool registered() const { return registered_; }

  /// An ApplicationMaster starts a container here. The next heartbeat tells that it runs, the one
  /// after it that it has ended.
  void launch(const pb::ContainerIdProto& container) { starting_.push_back(container); }

  /// Makes `message` a registration, or the next heartbeat, of this node. What an earlier node left
  /// in it is overwritten, so that one message serves many nodes.
  void fill(pb::RegisterNodeManagerRequestProto& message, const Resources& total) const;
  void fill(pb::NodeHeartbeatRequestProto& message);

  /// kWrongState: SHUTDOWN, with the reason.
  Result<void> take(const pb::RegisterNodeManagerResponseProto& answer);
  /// What an answer to a heartbeat means. After kResync the node has to register again: it has
  /// forgotten its containers, as an agent that starts afresh.
  enum class Heard : std::uint8_t { kNormal, kResync, kShutdown };
  Heard take(const pb::NodeHeartbeatResponseProto& answer);

  std::uint64_t started() const { return started_; }    // containers told of as running
  std::uint64_t finished() const { return finished_; }  // likewise as ended

 private:
  const NodeId id_;
  bool registered_ = false;
  std::int32_t response_id_ = 0;
  std::int32_t container_key_ = 0;  // the keys themselves are of no use here
  std::int32_t nm_key_ = 0;
  std::vector<pb::ContainerIdProto> starting_;
  std::vector<pb::ContainerIdProto> running_;
  std::uint64_t started_ = 0;
  std::uint64_t finished_ = 0;
};

/// Host number `number` of a cluster of fake nodes. Addresses of the loopback network need no
/// name server, and differ, so that each node is a host of its own to the scheduler.
NodeId fake_node_id(std::uint32_t number);

}  // namespace heddle::load
