// Ids between their wire form and ours. Pure.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/records/pb.h"

namespace heddle::compat {

/// kInvalidArgument when a part is absent or out of range; the message names the part.
Result<AppId> app_id_from_wire(const pb::ApplicationIdProto& wire);
Result<AttemptId> attempt_id_from_wire(const pb::ApplicationAttemptIdProto& wire);
Result<ContainerId> container_id_from_wire(const pb::ContainerIdProto& wire);
/// The host must be a plausible host name or address (at most 255 letters, digits and ".-_:").
Result<NodeId> node_id_from_wire(const pb::NodeIdProto& wire);

void to_wire(const AppId& id, pb::ApplicationIdProto* wire);
void to_wire(const AttemptId& id, pb::ApplicationAttemptIdProto* wire);
void to_wire(const ContainerId& id, pb::ContainerIdProto* wire);
void to_wire(const NodeId& id, pb::NodeIdProto* wire);

}  // namespace heddle::compat
