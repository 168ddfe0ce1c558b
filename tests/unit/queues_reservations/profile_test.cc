#include "queues/reservations/profile.h"

#include <gtest/gtest.h>

#include <random>

#include "queues/reservations/load.h"
#include "queues/reservations/types.h"

namespace heddle::queues::reservations {
namespace {

TEST(Profile, HasNothingBeforeItsFirstAndAfterItsLastChange) {
  Profile profile;
  profile.add(10, 20, {1024, 1});
  profile.add(15, 30, {1024, 2});
  EXPECT_EQ(profile.at(9).amount, Resources());
  EXPECT_EQ(profile.at(9).until_ms, 10);
  EXPECT_EQ(profile.at(10).amount, Resources(1024, 1));
  EXPECT_EQ(profile.at(19).amount, Resources(2048, 3));
  EXPECT_EQ(profile.at(20).amount, Resources(1024, 2));
  EXPECT_EQ(profile.at(30).amount, Resources());
  EXPECT_EQ(profile.at(30).until_ms, kForever);
}

TEST(Profile, WhatIsTakenAwayAgainLeavesNoTrace) {
  Profile profile;
  profile.add(10, 20, {1024, 1});
  profile.add(12, 18, {1024, 1});
  profile.add(12, 18, {-1024, -1});
  EXPECT_EQ(profile.size(), 2U);
  profile.add(10, 20, {-1024, -1});
  EXPECT_TRUE(profile.empty());
}

TEST(LoadOfAPlan, IsKnownOfTimesBeforeZeroToo) {  // quotas look back over their window
  Load load;
  load.add({{1'000'000, 2'000'000, {1024, 1}}}, 86'400'000);
  EXPECT_EQ(load.at(-85'000'000).amount, Resources(1024, 1));
  EXPECT_EQ(load.at(-85'000'000).until_ms, -84'400'000);
}

TEST(Profile, IsTheSumOfWhatWasAddedWhateverTheOrder) {
  std::mt19937 random(20261123);
  Profile profile;
  std::vector<std::int64_t> naive(200);
  for (int i = 0; i < 500; ++i) {
    const std::int64_t start = static_cast<std::int64_t>(random() % 190);
    const std::int64_t end = start + 1 + static_cast<std::int64_t>(random() % 10);
    const std::int64_t amount = static_cast<std::int64_t>(random() % 7) - 3;
    profile.add(start, end, {amount, 0});
    for (std::int64_t at = start; at < end; ++at)
      naive[static_cast<std::size_t>(at)] += amount;
  }
  for (std::size_t at = 0; at < naive.size(); ++at) {
    const Piece piece = profile.at(static_cast<std::int64_t>(at));
    ASSERT_EQ(piece.amount.memory_mb(), naive[at]) << at;
    if (at + 1 < naive.size()) {
      ASSERT_EQ(piece.until_ms == static_cast<std::int64_t>(at + 1), naive[at] != naive[at + 1]);
    }
  }
}

TEST(Load, WhatComesAgainIsThereInEveryPeriod) {
  Load load;
  load.add({{25, 32, {1024, 1}}}, 10);  // wraps around its period
  for (const std::int64_t at : {25, 29, 30, 31, 35, 41, 1'000'005, -5})
    EXPECT_EQ(load.at(at).amount, Resources(1024, 1)) << at;
  for (const std::int64_t at : {32, 34, 42, 1'000'004, -6})
    EXPECT_EQ(load.at(at).amount, Resources()) << at;
  EXPECT_EQ(load.at(32).until_ms, 35);
  EXPECT_EQ(load.at(30).until_ms, 32);
  load.remove({{25, 32, {1024, 1}}}, 10);
  EXPECT_TRUE(load.empty());
}

TEST(ReservationIds, AreWrittenAndReadAsHadoopDoes) {
  const ReservationId id{1700000000000, 7};
  EXPECT_EQ(to_string(id), "reservation_1700000000000_0007");
  EXPECT_EQ(*parse_reservation_id(to_string(id)), id);
  EXPECT_EQ(parse_reservation_id("reservation_1_12345")->sequence, 12345);
  for (const char* text :
       {"", "reservation_", "reservation_1", "reservation_1_", "reservation_x_1",
        "reservation_1_-1", "application_1_0001", "reservation_99999999999999999999_1"}) {
    const auto parsed = parse_reservation_id(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message, std::string("The specified reservation id is invalid: ") +
                                          text +
                                          "; the form is reservation_<cluster start>_<number>");
  }
}

}  // namespace
}  // namespace heddle::queues::reservations
