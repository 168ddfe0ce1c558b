// The life of an application. Names follow RMAppImpl; where Hadoop picks a target at run time the
// core raises a more precise event, so that this table stays deterministic.
// Source: wire facts "states", machine RMAppImpl.
#pragma once

#include "rm/api/types.h"
#include "rm/core/transition.h"

namespace heddle::rm {

enum class AppEvent : std::uint8_t {
  kStart,
  kSaved,     // the submission is durable
  kAccepted,  // the queue took it
  kRejected,  // the queue refused it
  kKill,
  kAttemptRegistered,
  kAttemptUnregistered,  // its AM finished; the final state is being saved with it
  kAttemptFinished,
  kAttemptFailed,      // and another attempt is allowed
  kAttemptFailedLast,  // and none is
  kAttemptKilled,
  kFinalSavedFinishing,  // the final state is durable: AM still runs
  kFinalSavedFinished,   //                              AM is gone
  kFinalSavedFailed,
  kFinalSavedKilled,
};

enum class AppEffect : std::uint8_t {
  kNone,
  kSaveSubmission,
  kAskQueue,
  kStartAttempt,
  kNoteRunning,
  kSaveFinal,
  kKillAttempt,
  kComplete,  // leaves the scheduler, told to nodes, listed as finished
};

using AppTransition = Transition<AppState, AppEvent, AppEffect>;

inline constexpr auto kAppTransitions = [] {
  using enum AppState;
  using enum AppEffect;
  using E = AppEvent;
  return std::to_array<AppTransition>({
      // from        event                     to            effect
      {kNew, E::kStart, kNewSaving, kSaveSubmission},
      {kNew, E::kRejected, kFinalSaving, kSaveFinal},
      {kNewSaving, E::kSaved, kSubmitted, kAskQueue},
      {kNewSaving, E::kKill, kFinalSaving, kSaveFinal},
      {kSubmitted, E::kAccepted, kAccepted, kStartAttempt},
      {kSubmitted, E::kRejected, kFinalSaving, kSaveFinal},
      {kSubmitted, E::kKill, kFinalSaving, kSaveFinal},
      {kAccepted, E::kAttemptRegistered, kRunning, kNoteRunning},
      {kAccepted, E::kAttemptFailed, kAccepted, kStartAttempt},
      {kAccepted, E::kAttemptFailedLast, kFinalSaving, kSaveFinal},
      {kAccepted, E::kAttemptFinished, kFinalSaving, kSaveFinal},
      {kAccepted, E::kAttemptKilled, kFinalSaving, kSaveFinal},
      {kAccepted, E::kKill, kKilling, kKillAttempt},
      {kRunning, E::kAttemptUnregistered, kFinalSaving, kSaveFinal},
      {kRunning, E::kAttemptFinished, kFinalSaving, kSaveFinal},
      {kRunning, E::kAttemptFailed, kAccepted, kStartAttempt},
      {kRunning, E::kAttemptFailedLast, kFinalSaving, kSaveFinal},
      {kRunning, E::kAttemptKilled, kFinalSaving, kSaveFinal},
      {kRunning, E::kKill, kKilling, kKillAttempt},
      {kKilling, E::kAttemptKilled, kFinalSaving, kSaveFinal},
      {kKilling, E::kAttemptFailed, kFinalSaving, kSaveFinal},
      {kKilling, E::kAttemptFailedLast, kFinalSaving, kSaveFinal},
      {kKilling, E::kAttemptUnregistered, kFinalSaving, kSaveFinal},
      {kKilling, E::kAttemptFinished, kFinalSaving, kSaveFinal},
      {kFinalSaving, E::kFinalSavedFinishing, kFinishing, kNone},
      {kFinalSaving, E::kFinalSavedFinished, kFinished, kComplete},
      {kFinalSaving, E::kFinalSavedFailed, kFailed, kComplete},
      {kFinalSaving, E::kFinalSavedKilled, kKilled, kComplete},
      {kFinishing, E::kAttemptFinished, kFinished, kComplete},
  });
}();
static_assert(is_deterministic(kAppTransitions));

}  // namespace heddle::rm
