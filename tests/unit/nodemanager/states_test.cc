#include "nodemanager/states.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace heddle::nm {
namespace {

constexpr std::size_t kContainerStateCount = 11;
constexpr std::size_t kAppStateCount = 6;

/// Pairs that may happen and mean nothing: late answers of workers, second kills.
bool container_ignores(ContainerState state, ContainerEvent event) {
  using S = ContainerState;
  using E = ContainerEvent;
  const bool over = state == S::kDone || state == S::kExitedWithFailure ||
                    state == S::kExitedWithSuccess || state == S::kLocalizationFailed ||
                    state == S::kCleanedUpAfterKill;
  if (over) return event != E::kCleanedUp || state == S::kDone;
  if (event == E::kKill) return state == S::kKilling;
  if (event == E::kAllLocalized || event == E::kResourceFailed) return state != S::kLocalizing;
  return true;  // raised from the one state that has a row for it
}

TEST(ContainerStates, EveryStateAndEventHasARowOrIsIgnoredOnPurpose) {
  for (std::size_t s = 0; s < kContainerStateCount; ++s) {
    for (std::size_t e = 0; e < kContainerEventCount; ++e) {
      const auto state = static_cast<ContainerState>(s);
      const auto event = static_cast<ContainerEvent>(e);
      EXPECT_TRUE(find_transition(state, event) != nullptr || container_ignores(state, event))
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
