#include "nodemanager/states.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace heddle::nm {
namespace {

constexpr std::size_t kContainerStateCount = 11;
constexpr std::size_t kAppStateCount = 6;

/// Where the agent raises an event that means something; late answers of workers and second kills
/// come in other states and mean nothing there.
std::set<ContainerState> states_of(ContainerEvent event) {
  using enum ContainerState;
  switch (event) {
    case ContainerEvent::kInit:
    case ContainerEvent::kInitNothingToFetch:
    case ContainerEvent::kInitFailed: return {kNew};
    case ContainerEvent::kAllLocalized:
    case ContainerEvent::kResourceFailed: return {kLocalizing};
    case ContainerEvent::kLaunched: return {kScheduled, kRelaunching, kKilling};
    case ContainerEvent::kExitedSuccess:
    case ContainerEvent::kExitedBySignal: return {kRunning, kKilling};
    case ContainerEvent::kExitedFailure: return {kScheduled, kRunning, kRelaunching, kKilling};
    case ContainerEvent::kExitedRetry: return {kRunning};
    case ContainerEvent::kKill: return {kNew, kLocalizing, kScheduled, kRunning, kRelaunching};
    case ContainerEvent::kCleanedUp:
      return {kLocalizationFailed, kKilling, kExitedWithSuccess, kExitedWithFailure,
              kCleanedUpAfterKill};
  }
  return {};
}

TEST(ContainerStates, AnEventHasARowInEachStateWhereItMeansSomethingAndInNoOther) {
  for (std::size_t s = 0; s < kContainerStateCount; ++s) {
    for (std::size_t e = 0; e < kContainerEventCount; ++e) {
      const auto state = static_cast<ContainerState>(s);
      const auto event = static_cast<ContainerEvent>(e);
      EXPECT_EQ(find_transition(state, event) != nullptr, states_of(event).contains(state))
          << to_string(state) << " " << to_string(event);
    }
  }
}

TEST(ContainerStates, EveryStateLeadsToDone) {
  std::set<ContainerState> reaches{ContainerState::kDone};
  for (std::size_t round = 0; round < kContainerStateCount; ++round) {
    for (const ContainerTransition& row : kContainerTransitions) {
      if (reaches.contains(row.to)) reaches.insert(row.from);
    }
  }
  EXPECT_EQ(reaches.size(), kContainerStateCount);
}

TEST(ContainerStates, ALiveContainerCanAlwaysBeKilled) {
  using enum ContainerState;
  for (const ContainerState state : {kNew, kLocalizing, kScheduled, kRunning, kRelaunching}) {
    EXPECT_NE(find_transition(state, ContainerEvent::kKill), nullptr) << to_string(state);
  }
}

TEST(ContainerStates, WhoeverReachesDoneIsFinishedOnce) {
  for (const ContainerTransition& row : kContainerTransitions) {
    EXPECT_EQ(row.to == ContainerState::kDone, row.effect == ContainerEffect::kFinish)
        << to_string(row.from) << " " << to_string(row.event);
    EXPECT_NE(row.from, ContainerState::kDone);
  }
}

TEST(AppStates, EveryStateLeadsToFinished) {
  std::set<AppState> reaches{AppState::kFinished};
  for (std::size_t round = 0; round < kAppStateCount; ++round) {
    for (const AppTransition& row : kAppTransitions) {
      if (reaches.contains(row.to)) reaches.insert(row.from);
    }
  }
  EXPECT_EQ(reaches.size(), kAppStateCount);
}

TEST(AppStates, AnApplicationCanEndWhereverContainersRun) {
  for (const AppState state : {AppState::kIniting, AppState::kRunning}) {
    EXPECT_NE(find_transition(state, AppEvent::kFinishEmpty), nullptr);
    EXPECT_NE(find_transition(state, AppEvent::kFinishWithContainers), nullptr);
  }
}

}  // namespace
}  // namespace heddle::nm
