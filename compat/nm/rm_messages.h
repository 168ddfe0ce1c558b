// What the agent tells its ResourceManager and hears from it, in Hadoop's form. Pure; the answers
// are fuzzed.
#pragma once

#include "base/resources.h"
#include "base/result.h"
#include "compat/ipc/client.h"
#include "compat/proto/yarn_server_common_service_protos.pb.h"
#include "compat/records/pb.h"
#include "nodemanager/api/rm_link.h"

namespace heddle::compat::node {

namespace door = ::heddle::nm;

/// The release that nodes and their ResourceManager take each other for.
inline constexpr std::string_view kHadoopVersion = "3.4.2";

pb::RegisterNodeManagerRequestProto to_wire(const door::Registration& registration,
                                            const ResourceTypes& types);
pb::NodeHeartbeatRequestProto to_wire(const door::Heartbeat& heartbeat, const ResourceTypes& types);

/// kInvalidArgument: an accepted registration without keys, or ids that make no sense.
Result<door::Registered> registered_from_wire(const pb::RegisterNodeManagerResponseProto& wire,
                                              const ResourceTypes& types);
Result<door::HeartbeatAnswer> heartbeat_answer_from_wire(const pb::NodeHeartbeatResponseProto& wire,
                                                         const ResourceTypes& types = {});

/// kUnavailable: try again; otherwise the ResourceManager refused.
Error refusal(const ipc::CallFailure& failure);

}  // namespace heddle::compat::node
