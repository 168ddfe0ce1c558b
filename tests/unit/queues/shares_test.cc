#include "queues/shares.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace heddle::queues {
namespace {

std::vector<double> shares(double total, std::vector<Sharer> sharers) {
  share_out(total, sharers);
  std::vector<double> result;
  result.reserve(sharers.size());
  for (const Sharer& one : sharers)
    result.push_back(one.share);
  return result;
}

TEST(ShareOut, GivesEverybodyItsGuaranteeFirst) {
  EXPECT_EQ(shares(100, {{60, 1000, 0}, {40, 1000, 0}}), (std::vector<double>{60, 40}));
}

TEST(ShareOut, HandsWhatOneLeavesToTheOthersByTheirGuarantees) {
  EXPECT_EQ(shares(100, {{50, 20, 0}, {30, 1000, 0}, {20, 1000, 0}}),
            (std::vector<double>{20, 48, 32}));
}

TEST(ShareOut, GivesNobodyMoreThanItWants) {
  EXPECT_EQ(shares(100, {{50, 20, 0}, {30, 40, 0}, {20, 1000, 0}}),
            (std::vector<double>{20, 40, 40}));
  EXPECT_EQ(shares(100, {{50, 20, 0}, {50, 10, 0}}), (std::vector<double>{20, 10}));
}

TEST(ShareOut, ThoseWithoutAGuaranteeShareTheRestEqually) {
  EXPECT_EQ(shares(100, {{50, 60, 0}, {0, 1000, 0}, {0, 10, 0}}),
            (std::vector<double>{60, 30, 10}));
}

TEST(ShareOut, GuaranteesOfMoreThanThereIsGiveWayInProportion) {
  EXPECT_EQ(shares(50, {{60, 1000, 0}, {40, 1000, 0}}), (std::vector<double>{30, 20}));
}

TEST(ShareOut, CutsNothingOff) {
  const auto parts = shares(1, {{1.0 / 3, 9, 0}, {1.0 / 3, 9, 0}, {1.0 / 3, 9, 0}});
  EXPECT_DOUBLE_EQ(std::accumulate(parts.begin(), parts.end(), 0.0), 1);
}

TEST(ShareOut, NeverGivesMoreThanThereIsNorLeavesWhatSomebodyWants) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> amount(0, 100);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Sharer> sharers(1 + random() % 8);
    double demand = 0;
    for (Sharer& one : sharers) {
      one.guarantee = random() % 4 == 0 ? 0 : amount(random);
      one.demand = random() % 4 == 0 ? 0 : amount(random);
      demand += one.demand;
    }
    const double total = amount(random) * 3;
    share_out(total, sharers);
    double given = 0;
    for (const Sharer& one : sharers) {
      ASSERT_GE(one.share, 0);
      ASSERT_LE(one.share, one.demand + 1e-9);
      given += one.share;
    }
    ASSERT_NEAR(given, std::min(total, demand), 1e-6);
  }
}

}  // namespace
}  // namespace heddle::queues
