// What NodeManagers send and get, in the door's terms. Pure; fuzzed.
#pragma once

#include <optional>
#include <string>

#include "base/resources.h"
#include "base/result.h"
#include "compat/proto/yarn_server_common_service_protos.pb.h"
#include "compat/records/pb.h"
#include "rm/api/commands.h"
#include "security/token_keys.h"

namespace heddle::compat::yarn {

/// `address`: of the connection.
Result<rm::RegisterNode> register_node_from_wire(const pb::RegisterNodeManagerRequestProto& wire,
                                                 const ResourceTypes& types, std::string address);
Result<rm::NodeHeartbeat> heartbeat_from_wire(const pb::NodeHeartbeatRequestProto& wire,
                                              const ResourceTypes& types);

/// Keys go out with an accepted registration only.
pb::RegisterNodeManagerResponseProto to_wire(const rm::NodeRegistered& answer,
                                             const security::MasterKey& container_key,
                                             const security::MasterKey& nm_key);
/// A key goes out only while a next one exists and the node does not know it yet.
pb::NodeHeartbeatResponseProto to_wire(const rm::NodeHeartbeatAnswer& answer,
                                       const std::optional<security::MasterKey>& container_key,
                                       const std::optional<security::MasterKey>& nm_key);

}  // namespace heddle::compat::yarn
