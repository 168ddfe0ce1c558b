// The life of an application attempt. Names follow RMAppAttemptImpl.
// Source: wire facts "states", machine RMAppAttemptImpl.
#pragma once

#include "rm/api/types.h"
#include "rm/core/transition.h"

namespace heddle::rm {

enum class AttemptEvent : std::uint8_t {
  kStart,
  kAddedManaged,    // the scheduler knows it; its AM needs a container
  kAddedUnmanaged,  // its AM runs somewhere already
  kAllocated,       // the AM's container has a place
  kSaved,           // the attempt is durable
  kLaunched,        // the node took the AM
  kLaunchFailed,
  kRegistered,
  kUnregistered,
  kContainerFinished,  // the AM's own container
  kExpired,            // the AM fell silent
  kFail,               // somebody asked for it
  kKill,
  kFinalSavedFinishing,
  kFinalSavedFinished,
  kFinalSavedFailed,
  kFinalSavedKilled,
};

enum class AttemptEffect : std::uint8_t {
  kNone,
  kAddToScheduler,
  kAskForMaster,
  kSaveAttempt,
  kLaunch,
  kNoteRegistered,
  kSaveFinal,
  kTellFinishing,
  kTellFinished,
  kTellFailed,
  kTellKilled,
};

using AttemptTransition = Transition<AttemptState, AttemptEvent, AttemptEffect>;

inline constexpr auto kAttemptTransitions = [] {
  using enum AttemptState;
  using enum AttemptEffect;
  using E = AttemptEvent;
  return std::to_array<AttemptTransition>({
      // from                    event                    to                       effect
      {kNew, E::kStart, kSubmitted, kAddToScheduler},
      {kNew, E::kKill, kFinalSaving, kSaveFinal},
      {kNew, E::kFail, kFinalSaving, kSaveFinal},
      {kSubmitted, E::kAddedManaged, kScheduled, kAskForMaster},
      {kSubmitted, E::kAddedUnmanaged, kLaunchedUnmanagedSaving, kSaveAttempt},
      {kSubmitted, E::kKill, kFinalSaving, kSaveFinal},
      {kSubmitted, E::kFail, kFinalSaving, kSaveFinal},
      {kScheduled, E::kAllocated, kAllocatedSaving, kSaveAttempt},
      {kScheduled, E::kKill, kFinalSaving, kSaveFinal},
      {kScheduled, E::kFail, kFinalSaving, kSaveFinal},
      {kAllocatedSaving, E::kSaved, kAllocated, kLaunch},
      {kAllocatedSaving, E::kContainerFinished, kFinalSaving, kSaveFinal},
      {kAllocatedSaving, E::kKill, kFinalSaving, kSaveFinal},
      {kAllocatedSaving, E::kFail, kFinalSaving, kSaveFinal},
      {kLaunchedUnmanagedSaving, E::kSaved, kLaunched, kNone},
      {kLaunchedUnmanagedSaving, E::kKill, kFinalSaving, kSaveFinal},
      {kLaunchedUnmanagedSaving, E::kFail, kFinalSaving, kSaveFinal},
      {kAllocated, E::kLaunched, kLaunched, kNone},
      {kAllocated, E::kLaunchFailed, kFinalSaving, kSaveFinal},
      {kAllocated, E::kRegistered, kRunning, kNoteRegistered},
      {kAllocated, E::kContainerFinished, kFinalSaving, kSaveFinal},
      {kAllocated, E::kExpired, kFinalSaving, kSaveFinal},
      {kAllocated, E::kKill, kFinalSaving, kSaveFinal},
      {kAllocated, E::kFail, kFinalSaving, kSaveFinal},
      {kLaunched, E::kRegistered, kRunning, kNoteRegistered},
      {kLaunched, E::kContainerFinished, kFinalSaving, kSaveFinal},
      {kLaunched, E::kExpired, kFinalSaving, kSaveFinal},
      {kLaunched, E::kKill, kFinalSaving, kSaveFinal},
      {kLaunched, E::kFail, kFinalSaving, kSaveFinal},
      {kRunning, E::kUnregistered, kFinalSaving, kSaveFinal},
      {kRunning, E::kContainerFinished, kFinalSaving, kSaveFinal},
      {kRunning, E::kExpired, kFinalSaving, kSaveFinal},
      {kRunning, E::kKill, kFinalSaving, kSaveFinal},
      {kRunning, E::kFail, kFinalSaving, kSaveFinal},
      {kFinalSaving, E::kFinalSavedFinishing, kFinishing, kTellFinishing},
      {kFinalSaving, E::kFinalSavedFinished, kFinished, kTellFinished},
      {kFinalSaving, E::kFinalSavedFailed, kFailed, kTellFailed},
      {kFinalSaving, E::kFinalSavedKilled, kKilled, kTellKilled},
      {kFinishing, E::kContainerFinished, kFinished, kTellFinished},
      {kFinishing, E::kExpired, kFinished, kTellFinished},
  });
}();
static_assert(is_deterministic(kAttemptTransitions));

}  // namespace heddle::rm
