#include "compat/yarn/states.h"

#include <array>
#include <cstdlib>
#include <utility>

namespace heddle::compat::yarn {

using rm::AppState;
using rm::AttemptState;
using rm::ContainerState;
using rm::FinalStatus;
using rm::NodeState;

pb::YarnApplicationStateProto to_wire(AppState state, AppState before) {
  switch (state) {
    case AppState::kNew: return pb::NEW;
    case AppState::kNewSaving: return pb::NEW_SAVING;
    case AppState::kSubmitted: return pb::SUBMITTED;
    case AppState::kAccepted: return pb::ACCEPTED;
    case AppState::kRunning: return pb::RUNNING;
    case AppState::kKilling:
    case AppState::kFinalSaving: {
      const bool known = before != AppState::kKilling && before != AppState::kFinalSaving;
      return known ? to_wire(before, before) : pb::RUNNING;
    }
    case AppState::kFinishing:
    case AppState::kFinished: return pb::FINISHED;
    case AppState::kFailed: return pb::FAILED;
    case AppState::kKilled: return pb::KILLED;
  }
  std::abort();
}

std::set<AppState> states_shown_as(pb::YarnApplicationStateProto wire) {
  std::set<AppState> out = {AppState::kFinalSaving, AppState::kKilling};
  for (const AppState state : {AppState::kNew, AppState::kNewSaving, AppState::kSubmitted,
                               AppState::kAccepted, AppState::kRunning, AppState::kFinishing,
                               AppState::kFinished, AppState::kFailed, AppState::kKilled}) {
    if (to_wire(state, state) == wire) out.insert(state);
  }
  return out;
}

pb::FinalApplicationStatusProto to_wire(FinalStatus status, AppState state) {
  switch (status) {
    case FinalStatus::kSucceeded: return pb::APP_SUCCEEDED;
    case FinalStatus::kFailed: return pb::APP_FAILED;
    case FinalStatus::kKilled: return pb::APP_KILLED;
    case FinalStatus::kEnded: return pb::APP_ENDED;
    case FinalStatus::kUndefined: break;
  }
  switch (state) {
    case AppState::kFinishing:
    case AppState::kFinished:
    case AppState::kFailed: return pb::APP_FAILED;
    case AppState::kKilled: return pb::APP_KILLED;
    case AppState::kNew:
    case AppState::kNewSaving:
    case AppState::kSubmitted:
    case AppState::kAccepted:
    case AppState::kRunning:
    case AppState::kFinalSaving:
    case AppState::kKilling: return pb::APP_UNDEFINED;
  }
  std::abort();
}

FinalStatus final_status_from_wire(pb::FinalApplicationStatusProto wire) {
  switch (wire) {
    case pb::APP_UNDEFINED: return FinalStatus::kUndefined;
    case pb::APP_SUCCEEDED: return FinalStatus::kSucceeded;
    case pb::APP_FAILED: return FinalStatus::kFailed;
    case pb::APP_KILLED: return FinalStatus::kKilled;
    case pb::APP_ENDED: return FinalStatus::kEnded;
  }
  return FinalStatus::kUndefined;
}

pb::YarnApplicationAttemptStateProto to_wire(AttemptState state, AttemptState before) {
  switch (state) {
    case AttemptState::kNew: return pb::APP_ATTEMPT_NEW;
    case AttemptState::kSubmitted: return pb::APP_ATTEMPT_SUBMITTED;
    case AttemptState::kScheduled: return pb::APP_ATTEMPT_SCHEDULED;
    case AttemptState::kAllocatedSaving:
    case AttemptState::kLaunchedUnmanagedSaving: return pb::APP_ATTEMPT_ALLOCATED_SAVING;
    case AttemptState::kAllocated: return pb::APP_ATTEMPT_ALLOCATED;
    case AttemptState::kLaunched: return pb::APP_ATTEMPT_LAUNCHED;
    case AttemptState::kRunning: return pb::APP_ATTEMPT_RUNNING;
    case AttemptState::kFinalSaving:
      return before == AttemptState::kFinalSaving ? pb::APP_ATTEMPT_RUNNING
                                                  : to_wire(before, before);
    case AttemptState::kFinishing: return pb::APP_ATTEMPT_FINISHING;
    case AttemptState::kFinished: return pb::APP_ATTEMPT_FINISHED;
    case AttemptState::kFailed: return pb::APP_ATTEMPT_FAILED;
    case AttemptState::kKilled: return pb::APP_ATTEMPT_KILLED;
  }
  std::abort();
}

pb::ContainerStateProto to_wire(ContainerState state) {
  switch (state) {
    case ContainerState::kNew:
    case ContainerState::kReserved:
    case ContainerState::kAllocated:
    case ContainerState::kAcquired:
    case ContainerState::kRunning: return pb::C_RUNNING;
    case ContainerState::kCompleted:
    case ContainerState::kReleased:
    case ContainerState::kExpired:
    case ContainerState::kKilled: return pb::C_COMPLETE;
  }
  std::abort();
}

pb::NodeStateProto to_wire(NodeState state) {
  switch (state) {
    case NodeState::kNew: return pb::NS_NEW;
    case NodeState::kRunning: return pb::NS_RUNNING;
    case NodeState::kUnhealthy: return pb::NS_UNHEALTHY;
    case NodeState::kDecommissioned: return pb::NS_DECOMMISSIONED;
    case NodeState::kLost: return pb::NS_LOST;
    case NodeState::kRebooted: return pb::NS_REBOOTED;
    case NodeState::kDecommissioning: return pb::NS_DECOMMISSIONING;
    case NodeState::kShutdown: return pb::NS_SHUTDOWN;
  }
  std::abort();
}

NodeState node_state_from_wire(pb::NodeStateProto wire) {
  switch (wire) {
    case pb::NS_NEW: return NodeState::kNew;
    case pb::NS_RUNNING: return NodeState::kRunning;
    case pb::NS_UNHEALTHY: return NodeState::kUnhealthy;
    case pb::NS_DECOMMISSIONED: return NodeState::kDecommissioned;
    case pb::NS_LOST: return NodeState::kLost;
    case pb::NS_REBOOTED: return NodeState::kRebooted;
    case pb::NS_DECOMMISSIONING: return NodeState::kDecommissioning;
    case pb::NS_SHUTDOWN: return NodeState::kShutdown;
  }
  return NodeState::kNew;
}

pb::NodeUpdateTypeProto update_type_for(NodeState state) {
  switch (state) {
    case NodeState::kNew:
    case NodeState::kRunning: return pb::NODE_USABLE;
    case NodeState::kDecommissioning: return pb::NODE_DECOMMISSIONING;
    case NodeState::kUnhealthy:
    case NodeState::kDecommissioned:
    case NodeState::kLost:
    case NodeState::kRebooted:
    case NodeState::kShutdown: return pb::NODE_UNUSABLE;
  }
  std::abort();
}

pb::ExecutionTypeProto to_wire(rm::ExecutionType type) {
  return type == rm::ExecutionType::kOpportunistic ? pb::OPPORTUNISTIC : pb::GUARANTEED;
}

rm::ExecutionType execution_type_from_wire(pb::ExecutionTypeProto wire) {
  return wire == pb::OPPORTUNISTIC ? rm::ExecutionType::kOpportunistic
                                   : rm::ExecutionType::kGuaranteed;
}

pb::ContainerUpdateTypeProto to_wire(rm::UpdateKind kind) {
  switch (kind) {
    case rm::UpdateKind::kIncrease: return pb::INCREASE_RESOURCE;
    case rm::UpdateKind::kDecrease: return pb::DECREASE_RESOURCE;
    case rm::UpdateKind::kPromote: return pb::PROMOTE_EXECUTION_TYPE;
    case rm::UpdateKind::kDemote: return pb::DEMOTE_EXECUTION_TYPE;
  }
  std::abort();
}

rm::UpdateKind update_kind_from_wire(pb::ContainerUpdateTypeProto wire) {
  switch (wire) {
    case pb::INCREASE_RESOURCE: return rm::UpdateKind::kIncrease;
    case pb::DECREASE_RESOURCE: return rm::UpdateKind::kDecrease;
    case pb::PROMOTE_EXECUTION_TYPE: return rm::UpdateKind::kPromote;
    case pb::DEMOTE_EXECUTION_TYPE: return rm::UpdateKind::kDemote;
  }
  return rm::UpdateKind::kIncrease;
}

pb::SignalContainerCommandProto to_wire(rm::SignalCommand command) {
  switch (command) {
    case rm::SignalCommand::kThreadDump: return pb::OUTPUT_THREAD_DUMP;
    case rm::SignalCommand::kGracefulShutdown: return pb::GRACEFUL_SHUTDOWN;
    case rm::SignalCommand::kForcefulShutdown: return pb::FORCEFUL_SHUTDOWN;
  }
  std::abort();
}

rm::SignalCommand signal_from_wire(pb::SignalContainerCommandProto wire) {
  switch (wire) {
    case pb::OUTPUT_THREAD_DUMP: return rm::SignalCommand::kThreadDump;
    case pb::GRACEFUL_SHUTDOWN: return rm::SignalCommand::kGracefulShutdown;
    case pb::FORCEFUL_SHUTDOWN: return rm::SignalCommand::kForcefulShutdown;
  }
  return rm::SignalCommand::kThreadDump;
}

pb::NodeActionProto to_wire(rm::NodeAction action) {
  switch (action) {
    case rm::NodeAction::kNormal: return pb::NORMAL;
    case rm::NodeAction::kResync: return pb::RESYNC;
    case rm::NodeAction::kShutdown: return pb::SHUTDOWN;
  }
  std::abort();
}

namespace {
constexpr std::array<std::pair<std::string_view, pb::LogAggregationStatusProto>, 7> kLogStatuses{{
    {"DISABLED", pb::LOG_DISABLED},
    {"NOT_START", pb::LOG_NOT_START},
    {"RUNNING", pb::LOG_RUNNING},
    {"SUCCEEDED", pb::LOG_SUCCEEDED},
    {"FAILED", pb::LOG_FAILED},
    {"TIME_OUT", pb::LOG_TIME_OUT},
    {"RUNNING_WITH_FAILURE", pb::LOG_RUNNING_WITH_FAILURE},
}};
}  // namespace

bool log_status_to_wire(std::string_view status, pb::LogAggregationStatusProto* wire) {
  for (const auto& [name, value] : kLogStatuses) {
    if (name != status) continue;
    *wire = value;
    return true;
  }
  return false;
}

std::string_view log_status_from_wire(pb::LogAggregationStatusProto wire) {
  for (const auto& [name, value] : kLogStatuses) {
    if (value == wire) return name;
  }
  return "NOT_START";
}

}  // namespace heddle::compat::yarn
