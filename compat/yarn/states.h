// States between Hadoop's wire and the ResourceManager's door. Folding: wire facts "states"
// sections 2 to 6. Pure.
#pragma once

#include <set>
#include <string_view>

#include "base/result.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/proto/yarn_server_common_protos.pb.h"
#include "compat/records/pb.h"
#include "rm/api/commands.h"
#include "rm/api/reports.h"
#include "rm/api/types.h"

namespace heddle::compat::yarn {

/// What clients see: `before` replaces kFinalSaving.
pb::YarnApplicationStateProto to_wire(rm::AppState state, rm::AppState before);
/// Every state that may be shown as `wire`; kFinalSaving always, since it shows the one before.
std::set<rm::AppState> states_shown_as(pb::YarnApplicationStateProto wire);

/// The final status clients see in a state: kUndefined is read as the state's own outcome.
pb::FinalApplicationStatusProto to_wire(rm::FinalStatus status, rm::AppState state);
rm::FinalStatus final_status_from_wire(pb::FinalApplicationStatusProto wire);

pb::YarnApplicationAttemptStateProto to_wire(rm::AttemptState state, rm::AttemptState before);

pb::ContainerStateProto to_wire(rm::ContainerState state);

pb::NodeStateProto to_wire(rm::NodeState state);
rm::NodeState node_state_from_wire(pb::NodeStateProto wire);
pb::NodeUpdateTypeProto update_type_for(rm::NodeState state);

pb::ExecutionTypeProto to_wire(rm::ExecutionType type);
rm::ExecutionType execution_type_from_wire(pb::ExecutionTypeProto wire);

pb::ContainerUpdateTypeProto to_wire(rm::UpdateKind kind);
rm::UpdateKind update_kind_from_wire(pb::ContainerUpdateTypeProto wire);

pb::SignalContainerCommandProto to_wire(rm::SignalCommand command);
rm::SignalCommand signal_from_wire(pb::SignalContainerCommandProto wire);

pb::NodeActionProto to_wire(rm::NodeAction action);

/// "RUNNING" <-> LOG_RUNNING and so on; false: no such status.
bool log_status_to_wire(std::string_view status, pb::LogAggregationStatusProto* wire);
std::string_view log_status_from_wire(pb::LogAggregationStatusProto wire);

}  // namespace heddle::compat::yarn
