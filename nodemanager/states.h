// The state machines of containers and applications on a node, as tables that can be printed.
// Names are those of Hadoop's ContainerImpl and ApplicationImpl, since REST and logs show them.
// Where Hadoop picks the target at run time, the agent decides first and raises a precise event.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "nodemanager/api/container.h"

namespace heddle::nm {

enum class ContainerEvent : std::uint8_t {
  kInit,             // the application is ready, resources are to be fetched
  kInitNothingToFetch,
  kInitFailed,
  kAllLocalized,
  kResourceFailed,
  kLaunched,         // the process runs
  kExitedSuccess,
  kExitedFailure,    // of its own, or it could not be started
  kExitedRetry,      // with a code that its retry policy forgives
  kExitedBySignal,   // 137 or 143
  kKill,
  kCleanedUp,
};
inline constexpr std::size_t kContainerEventCount = 12;

enum class ContainerEffect : std::uint8_t {
  kNone,
  kLocalize,
  kLaunch,
  kNoteLaunched,
  kRelaunchLater,
  kStopBeforeStart,  // no process yet: nothing to wait for
  kStopProcess,
  kCleanUp,          // lets go of resources and directories, then raises kCleanedUp
  kFinish,           // tells the application and the ResourceManager
};

struct ContainerTransition {
  ContainerState from;
  ContainerEvent event;
  ContainerState to;
  ContainerEffect effect;
};

inline constexpr auto kContainerTransitions = [] {
  using enum ContainerState;
  using V = ContainerEvent;
  using F = ContainerEffect;
  // clang-format off
  return std::to_array<ContainerTransition>({
      // from                 event                   to                      effect
      {kNew,                  V::kInit,               kLocalizing,            F::kLocalize},
      {kNew,                  V::kInitNothingToFetch, kScheduled,             F::kLaunch},
      {kNew,                  V::kInitFailed,         kLocalizationFailed,    F::kCleanUp},
      {kNew,                  V::kKill,               kDone,                  F::kFinish},
      {kLocalizing,           V::kAllLocalized,       kScheduled,             F::kLaunch},
      {kLocalizing,           V::kResourceFailed,     kLocalizationFailed,    F::kCleanUp},
      {kLocalizing,           V::kKill,               kKilling,               F::kStopBeforeStart},
      {kLocalizationFailed,   V::kCleanedUp,          kDone,                  F::kFinish},
      {kScheduled,            V::kLaunched,           kRunning,               F::kNoteLaunched},
      {kScheduled,            V::kExitedFailure,      kExitedWithFailure,     F::kCleanUp},
      {kScheduled,            V::kKill,               kKilling,               F::kStopProcess},
      {kRunning,              V::kExitedSuccess,      kExitedWithSuccess,     F::kCleanUp},
      {kRunning,              V::kExitedFailure,      kExitedWithFailure,     F::kCleanUp},
      {kRunning,              V::kExitedBySignal,     kExitedWithFailure,     F::kCleanUp},
      {kRunning,              V::kExitedRetry,        kRelaunching,           F::kRelaunchLater},
      {kRunning,              V::kKill,               kKilling,               F::kStopProcess},
      {kRelaunching,          V::kLaunched,           kRunning,               F::kNoteLaunched},
      {kRelaunching,          V::kExitedFailure,      kExitedWithFailure,     F::kCleanUp},
      {kRelaunching,          V::kKill,               kKilling,               F::kStopProcess},
      {kKilling,              V::kLaunched,           kKilling,               F::kStopProcess},
      {kKilling,              V::kExitedBySignal,     kCleanedUpAfterKill,    F::kCleanUp},
      {kKilling,              V::kExitedSuccess,      kExitedWithSuccess,     F::kCleanUp},
      {kKilling,              V::kExitedFailure,      kExitedWithFailure,     F::kCleanUp},
      {kKilling,              V::kCleanedUp,          kDone,                  F::kFinish},
      {kExitedWithSuccess,    V::kCleanedUp,          kDone,                  F::kFinish},
      {kExitedWithFailure,    V::kCleanedUp,          kDone,                  F::kFinish},
      {kCleanedUpAfterKill,   V::kCleanedUp,          kDone,                  F::kFinish},
  });
  // clang-format on
}();

enum class AppEvent : std::uint8_t {
  kInit,               // the first container has come
  kInited,             // its directories are there
  kFinishWithContainers,
  kFinishEmpty,        // the ResourceManager has ended it and nothing runs here
  kContainerDone,
  kLastContainerDone,
  kCleanedUp,
};
inline constexpr std::size_t kAppEventCount = 7;

enum class AppEffect : std::uint8_t { kNone, kPrepare, kStartContainers, kKillContainers, kCleanUp,
                                      kHandleLogs };

struct AppTransition {
  AppState from;
  AppEvent event;
  AppState to;
  AppEffect effect;
};

inline constexpr auto kAppTransitions = [] {
  using enum AppState;
  using V = AppEvent;
  using F = AppEffect;
  // clang-format off
  return std::to_array<AppTransition>({
      // from                    event                     to                        effect
      {kNew,                     V::kInit,                 kIniting,                 F::kPrepare},
      {kIniting,                 V::kInited,               kRunning,                 F::kStartContainers},
      {kIniting,                 V::kContainerDone,        kIniting,                 F::kNone},
      {kIniting,                 V::kFinishWithContainers, kFinishingContainersWait, F::kKillContainers},
      {kIniting,                 V::kFinishEmpty,          kResourcesCleaningUp,     F::kCleanUp},
      {kRunning,                 V::kContainerDone,        kRunning,                 F::kNone},
      {kRunning,                 V::kFinishWithContainers, kFinishingContainersWait, F::kKillContainers},
      {kRunning,                 V::kFinishEmpty,          kResourcesCleaningUp,     F::kCleanUp},
      {kFinishingContainersWait, V::kContainerDone,        kFinishingContainersWait, F::kNone},
      {kFinishingContainersWait, V::kLastContainerDone,    kResourcesCleaningUp,     F::kCleanUp},
      {kResourcesCleaningUp,     V::kCleanedUp,            kFinished,                F::kHandleLogs},
  });
  // clang-format on
}();

/// The row for (from, event), or nullptr: an event that means nothing in that state.
constexpr const ContainerTransition* find_transition(ContainerState from, ContainerEvent event) {
  const auto row = std::ranges::find_if(kContainerTransitions, [&](const auto& t) {
    return t.from == from && t.event == event;
  });
  return row == kContainerTransitions.end() ? nullptr : &*row;
}
constexpr const AppTransition* find_transition(AppState from, AppEvent event) {
  const auto row = std::ranges::find_if(
      kAppTransitions, [&](const auto& t) { return t.from == from && t.event == event; });
  return row == kAppTransitions.end() ? nullptr : &*row;
}
static_assert(std::ranges::all_of(kContainerTransitions, [](const auto& t) {
  return find_transition(t.from, t.event) == &t;  // no (state, event) pair twice
}));
static_assert(std::ranges::all_of(kAppTransitions, [](const auto& t) {
  return find_transition(t.from, t.event) == &t;
}));

std::string_view to_string(ContainerEvent event);
std::string_view to_string(AppEvent event);

}  // namespace heddle::nm
