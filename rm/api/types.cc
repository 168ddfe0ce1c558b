#include "rm/api/types.h"

#include <cstdlib>

namespace heddle::rm {

std::string_view to_string(AppState state) {
  switch (state) {
    case AppState::kNew: return "NEW";
    case AppState::kNewSaving: return "NEW_SAVING";
    case AppState::kSubmitted: return "SUBMITTED";
    case AppState::kAccepted: return "ACCEPTED";
    case AppState::kRunning: return "RUNNING";
    case AppState::kFinalSaving: return "FINAL_SAVING";
    case AppState::kFinishing: return "FINISHING";
    case AppState::kFinished: return "FINISHED";
    case AppState::kFailed: return "FAILED";
    case AppState::kKilling: return "KILLING";
    case AppState::kKilled: return "KILLED";
  }
  std::abort();
}

std::string_view to_string(FinalStatus status) {
  switch (status) {
    case FinalStatus::kUndefined: return "UNDEFINED";
    case FinalStatus::kSucceeded: return "SUCCEEDED";
    case FinalStatus::kFailed: return "FAILED";
    case FinalStatus::kKilled: return "KILLED";
    case FinalStatus::kEnded: return "ENDED";
  }
  std::abort();
}

std::string_view to_string(AttemptState state) {
  switch (state) {
    case AttemptState::kNew: return "NEW";
    case AttemptState::kSubmitted: return "SUBMITTED";
    case AttemptState::kScheduled: return "SCHEDULED";
    case AttemptState::kAllocatedSaving: return "ALLOCATED_SAVING";
    case AttemptState::kLaunchedUnmanagedSaving: return "LAUNCHED_UNMANAGED_SAVING";
    case AttemptState::kAllocated: return "ALLOCATED";
    case AttemptState::kLaunched: return "LAUNCHED";
    case AttemptState::kRunning: return "RUNNING";
    case AttemptState::kFinalSaving: return "FINAL_SAVING";
    case AttemptState::kFinishing: return "FINISHING";
    case AttemptState::kFinished: return "FINISHED";
    case AttemptState::kFailed: return "FAILED";
    case AttemptState::kKilled: return "KILLED";
  }
  std::abort();
}

std::string_view to_string(ContainerState state) {
  switch (state) {
    case ContainerState::kNew: return "NEW";
    case ContainerState::kReserved: return "RESERVED";
    case ContainerState::kAllocated: return "ALLOCATED";
    case ContainerState::kAcquired: return "ACQUIRED";
    case ContainerState::kRunning: return "RUNNING";
    case ContainerState::kCompleted: return "COMPLETED";
    case ContainerState::kReleased: return "RELEASED";
    case ContainerState::kExpired: return "EXPIRED";
    case ContainerState::kKilled: return "KILLED";
  }
  std::abort();
}

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::kNew: return "NEW";
    case NodeState::kRunning: return "RUNNING";
    case NodeState::kUnhealthy: return "UNHEALTHY";
    case NodeState::kDecommissioned: return "DECOMMISSIONED";
    case NodeState::kLost: return "LOST";
    case NodeState::kRebooted: return "REBOOTED";
    case NodeState::kDecommissioning: return "DECOMMISSIONING";
    case NodeState::kShutdown: return "SHUTDOWN";
  }
  std::abort();
}

std::string_view to_string(ExecutionType type) {
  switch (type) {
    case ExecutionType::kGuaranteed: return "GUARANTEED";
    case ExecutionType::kOpportunistic: return "OPPORTUNISTIC";
  }
  std::abort();
}

}  // namespace heddle::rm
