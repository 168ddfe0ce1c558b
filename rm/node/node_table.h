// The life of a node. Names follow RMNodeImpl. Source: wire facts "states", machine RMNodeImpl.
#pragma once

#include "rm/api/types.h"
#include "rm/core/transition.h"

namespace heddle::rm {

enum class NodeEvent : std::uint8_t {
  kStartedHealthy,
  kStartedUnhealthy,
  kReportHealthy,
  kReportUnhealthy,
  kGracefulDecommission,
  kDecommission,
  kRecommission,
  kDrained,   // a draining node has no work left, or its time is up
  kExpire,    // silent for too long
  kShutdown,  // it said goodbye
  kReboot,    // it came back on another port
};

enum class NodeEffect : std::uint8_t {
  kNone,
  kAddRoom,      // the scheduler may use it
  kTakeRoom,     // no new work; what runs is ended
  kStopFilling,  // no new work; what runs goes on
};

using NodeTransition = Transition<NodeState, NodeEvent, NodeEffect>;

inline constexpr auto kNodeTransitions = [] {
  using enum NodeState;
  using enum NodeEffect;
  using E = NodeEvent;
  return std::to_array<NodeTransition>({
      // from             event                     to                effect
      {kNew, E::kStartedHealthy, kRunning, kAddRoom},
      {kNew, E::kStartedUnhealthy, kUnhealthy, kNone},
      {kRunning, E::kReportUnhealthy, kUnhealthy, kTakeRoom},
      {kRunning, E::kGracefulDecommission, kDecommissioning, kStopFilling},
      {kRunning, E::kDecommission, kDecommissioned, kTakeRoom},
      {kRunning, E::kExpire, kLost, kTakeRoom},
      {kRunning, E::kShutdown, kShutdown, kTakeRoom},
      {kRunning, E::kReboot, kRebooted, kTakeRoom},
      {kUnhealthy, E::kReportHealthy, kRunning, kAddRoom},
      {kUnhealthy, E::kGracefulDecommission, kDecommissioning, kNone},
      {kUnhealthy, E::kDecommission, kDecommissioned, kNone},
      {kUnhealthy, E::kExpire, kLost, kNone},
      {kUnhealthy, E::kShutdown, kShutdown, kNone},
      {kUnhealthy, E::kReboot, kRebooted, kNone},
      {kDecommissioning, E::kDrained, kDecommissioned, kTakeRoom},
      {kDecommissioning, E::kDecommission, kDecommissioned, kTakeRoom},
      {kDecommissioning, E::kRecommission, kRunning, kAddRoom},
      {kDecommissioning, E::kExpire, kLost, kTakeRoom},
      {kDecommissioning, E::kShutdown, kShutdown, kTakeRoom},
      {kDecommissioning, E::kReboot, kRebooted, kTakeRoom},
  });
}();
static_assert(is_deterministic(kNodeTransitions));

}  // namespace heddle::rm
