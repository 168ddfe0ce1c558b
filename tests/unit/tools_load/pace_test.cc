#include "tools/load/pace.h"

#include <gtest/gtest.h>

namespace heddle::load {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kStart{seconds(100)};

TEST(Pace, TheFirstCallIsDueAtTheStartAndNoneBefore) {
  Pace pace(1000, kStart);
  EXPECT_EQ(pace.take_due(kStart - milliseconds(1)), 0U);
  EXPECT_EQ(pace.take_due(kStart), 1U);
  EXPECT_EQ(pace.take_due(kStart), 0U);
}

TEST(Pace, CallsFallDueEvenly) {
  Pace pace(1000, kStart);
  std::uint64_t all = 0;
  for (int tick = 0; tick < 4000; ++tick) {
    const std::uint64_t due = pace.take_due(kStart + microseconds(250) * tick);
    EXPECT_LE(due, 1U);
    all += due;
  }
  EXPECT_EQ(all, 1000U);
}

TEST(Pace, WhatALongPauseLeftUndoneIsDueAfterwards) {
  Pace pace(200, kStart);
  EXPECT_EQ(pace.take_due(kStart), 1U);
  EXPECT_EQ(pace.take_due(kStart + seconds(10)), 2000U);
  EXPECT_EQ(pace.taken(), 2001U);
}

TEST(Pace, ACallIsTakenAtTheVeryMomentItIsDue) {
  for (const double rate : {0.3, 7.0, 333.0, 100'000.0}) {
    Pace pace(rate, kStart);
    for (std::uint64_t number = 0; number < 50; ++number)
      EXPECT_EQ(pace.take_due(pace.due_at(number)), 1U) << rate << ", call " << number;
  }
}

TEST(Pace, DueTimesDoNotDriftFromTheRate) {
  const Pace pace(3, kStart);
  EXPECT_EQ(pace.due_at(3'000'000), kStart + seconds(1'000'000));
}

}  // namespace
}  // namespace heddle::load
