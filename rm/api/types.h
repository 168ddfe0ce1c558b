// States and small values that commands and reports share. Names are Hadoop's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/resources.h"

namespace heddle::rm {

// RMAppState. compat/ folds it into the YarnApplicationState that clients see.
enum class AppState : std::uint8_t {
  kNew,
  kNewSaving,
  kSubmitted,
  kAccepted,
  kRunning,
  kFinalSaving,
  kFinishing,
  kFinished,
  kFailed,
  kKilling,
  kKilled
};

// FinalApplicationStatus.
enum class FinalStatus : std::uint8_t { kUndefined, kSucceeded, kFailed, kKilled, kEnded };

// RMAppAttemptState.
enum class AttemptState : std::uint8_t {
  kNew,
  kSubmitted,
  kScheduled,
  kAllocatedSaving,
  kLaunchedUnmanagedSaving,
  kAllocated,
  kLaunched,
  kRunning,
  kFinalSaving,
  kFinishing,
  kFinished,
  kFailed,
  kKilled
};

// RMContainerState.
enum class ContainerState : std::uint8_t {
  kNew,
  kReserved,
  kAllocated,
  kAcquired,
  kRunning,
  kCompleted,
  kReleased,
  kExpired,
  kKilled
};

// NodeState.
enum class NodeState : std::uint8_t {
  kNew,
  kRunning,
  kUnhealthy,
  kDecommissioned,
  kLost,
  kRebooted,
  kDecommissioning,
  kShutdown
};

// ExecutionType.
enum class ExecutionType : std::uint8_t { kGuaranteed, kOpportunistic };

// SignalContainerCommand.
enum class SignalCommand : std::uint8_t { kThreadDump, kGracefulShutdown, kForcefulShutdown };

// ContainerExitStatus: the values a ResourceManager gives itself.
namespace exit_status {
inline constexpr std::int32_t kSuccess = 0;
inline constexpr std::int32_t kInvalid = -1000;
inline constexpr std::int32_t kAborted = -100;
inline constexpr std::int32_t kDisksFailed = -101;
inline constexpr std::int32_t kPreempted = -102;
inline constexpr std::int32_t kKilledByResourceManager = -106;
inline constexpr std::int32_t kKilledAfterAppCompletion = -107;
}  // namespace exit_status

// The constant's name in Hadoop: "NEW_SAVING", "SUCCEEDED", ...
std::string_view to_string(AppState state);
std::string_view to_string(FinalStatus status);
std::string_view to_string(AttemptState state);
std::string_view to_string(ContainerState state);
std::string_view to_string(NodeState state);
std::string_view to_string(ExecutionType type);

constexpr bool is_final(AppState state) {
  return state == AppState::kFinished || state == AppState::kFailed || state == AppState::kKilled;
}
constexpr bool is_final(AttemptState state) {
  return state == AttemptState::kFinished || state == AttemptState::kFailed ||
         state == AttemptState::kKilled;
}

}  // namespace heddle::rm
