// States between Hadoop's wire and the NodeManager's door. Source: wire facts "states" section 4.
// Pure.
#pragma once

#include <string_view>

#include "compat/proto/yarn_protos.pb.h"
#include "compat/records/pb.h"
#include "nodemanager/api/container.h"
#include "nodemanager/api/rm_link.h"

namespace heddle::compat::node {

namespace door = ::heddle::nm;

pb::ContainerStateProto to_wire(door::ContainerState state);
pb::ContainerSubStateProto sub_state_to_wire(door::ContainerState state);
door::Signal signal_from_wire(pb::SignalContainerCommandProto wire);
/// "RUNNING" -> LOG_RUNNING; false: no such status.
bool log_status_to_wire(std::string_view status, pb::LogAggregationStatusProto* wire);

/// What an AM and a heartbeat are told about a container.
void to_wire(const door::ContainerStatus& status, const ResourceTypes& types,
             pb::ContainerStatusProto* wire);

}  // namespace heddle::compat::node
