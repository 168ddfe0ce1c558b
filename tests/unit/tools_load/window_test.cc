#include "tools/load/window.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace heddle::load {
namespace {

struct Borders {
  int begun = 0;
  int ended = 0;
  Window window(std::uint64_t warm_up, std::uint64_t measured) {
    return {warm_up, measured, [this] { ++begun; }, [this] { ++ended; }};
  }
};

TEST(Window, OpensAfterTheWarmUpAndClosesAfterTheCount) {
  Borders borders;
  Window window = borders.window(10, 100);
  window.start();
  window.add(9);
  EXPECT_FALSE(window.open());
  window.add(1);
  EXPECT_TRUE(window.open());
  window.add(99);
  EXPECT_FALSE(window.over());
  window.add(1);
  EXPECT_TRUE(window.over());
  EXPECT_EQ(window.measured(), 100U);
  EXPECT_EQ(borders.begun, 1);
  EXPECT_EQ(borders.ended, 1);
}

TEST(Window, OpensAtOnceWhereNothingWarmsUp) {
  Borders borders;
  Window window = borders.window(0, 5);
  EXPECT_FALSE(window.open());
  window.start();
  EXPECT_TRUE(window.open());
  window.add(5);
  EXPECT_EQ(window.measured(), 5U);
}

TEST(Window, CountsWhatCrossedABorderToItsOwnSide) {
  Borders borders;
  Window window = borders.window(10, 100);
  window.start();
  window.add(64);  // the warm-up ends within
  window.add(64);
  window.add(64);
  EXPECT_TRUE(window.over());
  EXPECT_EQ(window.measured(), 128U);
  window.add(64);  // late ones
  EXPECT_EQ(window.measured(), 128U);
  EXPECT_EQ(window.done(), 256U);
}

TEST(Window, HasOneBeginningAndOneEndHoweverManyThreadsCrossThem) {
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  Window window(
      1'000, 10'000, [&] { ++begun; }, [&] { ++ended; });
  window.start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5'000; ++n)
        window.add(1);
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(ended, 1);
  EXPECT_GE(window.measured(), 10'000U);
  EXPECT_EQ(window.done(), 20'000U);
}

}  // namespace
}  // namespace heddle::load
