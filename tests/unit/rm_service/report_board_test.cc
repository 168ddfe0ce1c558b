// Listings by index, in slices, while reports change.
#include "rm/service/report_board.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace heddle::rm {
namespace {

AppReportPtr app(std::int32_t number, AppState state = AppState::kRunning) {
  auto out = std::make_shared<AppReport>();
  out->id = {1, number};
  out->user = number % 2 == 0 ? "ann" : "bob";
  out->queue = number % 3 == 0 ? "root.prod" : "root.dev";
  out->type = "SPARK";
  out->tags = {"Tag" + std::to_string(number % 10)};
  out->state = state;
  return out;
}

class Board : public testing::Test {
 protected:
  Board() {
    for (std::int32_t i = 1; i <= 2500; ++i) {
      board.put(app(i, i <= 2000 ? AppState::kFinished : AppState::kRunning));
    }
  }
  ReportBoard board{ClusterInfo{}};
};

TEST_F(Board, ListsEverythingByIdAcrossSlices) {
  const auto all = board.apps({});
  ASSERT_EQ(all.size(), 2500u);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i]->id.sequence, static_cast<std::int32_t>(i) + 1);
  }
}

TEST_F(Board, FiltersByEachIndex) {
  AppFilter filter;
  filter.states = {AppState::kRunning};
  EXPECT_EQ(board.apps(filter).size(), 500u);
  filter = {};
  filter.users = {"ann"};
  EXPECT_EQ(board.apps(filter).size(), 1250u);
  filter.queues = {"prod"};
  EXPECT_EQ(board.apps(filter).size(), 416u);
  filter = {};
  filter.tags = {"tag3"};
  EXPECT_EQ(board.apps(filter).size(), 250u);
  filter = {};
  filter.types = {"SPARK"};
  EXPECT_EQ(board.apps(filter).size(), 2500u);
  filter.types = {"TEZ"};
  EXPECT_TRUE(board.apps(filter).empty());
}

TEST_F(Board, FindsWhatIsBeingKilledUnderTheStateBefore) {
  auto killed = std::make_shared<AppReport>(*app(2500, AppState::kKilling));
  killed->state_before_saving = AppState::kAccepted;
  board.put(killed);
  AppFilter filter;
  filter.states = {AppState::kAccepted, AppState::kFinalSaving, AppState::kKilling};
  ASSERT_EQ(board.apps(filter).size(), 1u);
  EXPECT_EQ(board.apps(filter)[0]->id.sequence, 2500);
  filter.states = {AppState::kRunning, AppState::kFinalSaving, AppState::kKilling};
  EXPECT_EQ(board.apps(filter).size(), 499u);
}

TEST_F(Board, StopsAtTheLimit) {
  AppFilter filter;
  filter.limit = 1200;
  EXPECT_EQ(board.apps(filter).size(), 1200u);
  filter.users = {"ann"};
  EXPECT_EQ(board.apps(filter).size(), 1200u);
}

TEST_F(Board, ForgetsAnApplicationInEveryIndex) {
  board.forget_app({1, 3});
  AppFilter filter;
  filter.tags = {"tag3"};
  EXPECT_EQ(board.apps(filter).size(), 249u);
  EXPECT_EQ(board.app({1, 3}), nullptr);
}

TEST_F(Board, FollowsAnApplicationToAnotherQueueAndToItsEnd) {
  auto moved = std::make_shared<AppReport>(*app(2500));
  moved->queue = "root.other";
  moved->state = AppState::kFinished;
  board.put(moved);
  AppFilter filter;
  filter.queues = {"other"};
  EXPECT_EQ(board.apps(filter).size(), 1u);
  filter = {};
  filter.states = {AppState::kRunning};
  EXPECT_EQ(board.apps(filter).size(), 499u);
}

TEST_F(Board, GoesOnAfterTheLastOneOfAPage) {
  AppFilter filter;
  filter.users = {"ann"};
  filter.limit = 300;
  std::vector<std::int32_t> seen;
  for (auto page = board.apps(filter); !page.empty(); page = board.apps(filter)) {
    for (const auto& report : page)
      seen.push_back(report->id.sequence);
    filter.after = page.back()->id;
  }
  ASSERT_EQ(seen.size(), 1250u);
  for (std::size_t i = 0; i < seen.size(); ++i)
    EXPECT_EQ(seen[i], static_cast<std::int32_t>(i) * 2 + 2);
}

TEST_F(Board, ListsTheNewestFirstByIndexAndWithout) {
  AppFilter filter;
  filter.newest_first = true;
  filter.limit = 600;
  const auto newest = [&] {
    std::vector<std::int32_t> seen;
    for (auto page = board.apps(filter); !page.empty(); page = board.apps(filter)) {
      for (const auto& report : page)
        seen.push_back(report->id.sequence);
      filter.after = page.back()->id;
    }
    filter.after.reset();
    return seen;
  };
  const auto all = newest();
  ASSERT_EQ(all.size(), 2500u);
  EXPECT_EQ(all.front(), 2500);
  EXPECT_TRUE(std::ranges::is_sorted(all, std::greater<>()));
  filter.users = {"ann"};
  const auto hers = newest();
  ASSERT_EQ(hers.size(), 1250u);
  EXPECT_EQ(hers.front(), 2500);
  filter.users = {"ann", "bob"};
  EXPECT_EQ(newest(), all);
}

TEST_F(Board, SeveralKeysOfAnIndexGiveEachApplicationOnceAndInOrder) {
  AppFilter filter;
  filter.queues = {"root.prod", "prod", "dev", "nosuch"};
  const auto all = board.apps(filter);
  ASSERT_EQ(all.size(), 2500u);
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(all[i]->id.sequence, static_cast<std::int32_t>(i) + 1);
}

}  // namespace
}  // namespace heddle::rm
