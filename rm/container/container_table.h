// The life of a container as the ResourceManager sees it. Names follow RMContainerImpl.
// Source: wire facts "states", machine RMContainerImpl.
#pragma once

#include "rm/api/types.h"
#include "rm/core/transition.h"

namespace heddle::rm {

enum class ContainerEvent : std::uint8_t {
  kStart,     // the scheduler gave it a place
  kAcquired,  // an allocate answer carried it
  kLaunched,  // its node reports it
  kFinished,  // its node reports its end
  kReleased,  // its AM gave it back
  kKill,      // the ResourceManager takes it
  kExpire,    // nobody started it in time
  kRecover,   // found running after a restart
};

enum class ContainerEffect : std::uint8_t { kNone, kFreeRoom };

using ContainerTransition = Transition<ContainerState, ContainerEvent, ContainerEffect>;

inline constexpr auto kContainerTransitions = [] {
  using enum ContainerState;
  using enum ContainerEffect;
  using E = ContainerEvent;
  return std::to_array<ContainerTransition>({
      // from      event         to          effect
      {kNew, E::kStart, kAllocated, kNone},
      {kNew, E::kRecover, kRunning, kNone},
      {kAllocated, E::kAcquired, kAcquired, kNone},
      {kAllocated, E::kLaunched, kRunning, kNone},
      {kAllocated, E::kFinished, kCompleted, kFreeRoom},
      {kAllocated, E::kReleased, kReleased, kFreeRoom},
      {kAllocated, E::kExpire, kExpired, kFreeRoom},
      {kAllocated, E::kKill, kKilled, kFreeRoom},
      {kAcquired, E::kLaunched, kRunning, kNone},
      {kAcquired, E::kFinished, kCompleted, kFreeRoom},
      {kAcquired, E::kReleased, kReleased, kFreeRoom},
      {kAcquired, E::kExpire, kExpired, kFreeRoom},
      {kAcquired, E::kKill, kKilled, kFreeRoom},
      {kRunning, E::kAcquired, kRunning, kNone},  // reported before its AM heard of it
      {kRunning, E::kFinished, kCompleted, kFreeRoom},
      {kRunning, E::kReleased, kReleased, kFreeRoom},
      {kRunning, E::kKill, kKilled, kFreeRoom},
  });
}();
static_assert(is_deterministic(kContainerTransitions));

}  // namespace heddle::rm
