#include "tools/load/histogram.h"

#include <gtest/gtest.h>

namespace heddle::load {
namespace {

TEST(Histogram, OfNothingIsAllZero) {
  const Histogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_EQ(empty.mean(), Duration(0));
  EXPECT_EQ(empty.percentile(99), Duration(0));
  EXPECT_EQ(empty.maximum(), Duration(0));
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram samples;
  for (int i = 1; i <= 60; ++i)
    samples.record(Duration(i));
  EXPECT_EQ(samples.percentile(50), Duration(30));
  EXPECT_EQ(samples.percentile(100), Duration(60));
  EXPECT_EQ(samples.percentile(0), Duration(1));
}

TEST(Histogram, APercentileIsNeverBelowTheTrueOneAndAtMostOne32ndAbove) {
  for (std::int64_t value = 1; value < (std::int64_t{1} << 50); value = value * 5 / 3 + 1) {
    Histogram samples;
    samples.record(Duration(value));
    samples.record(Duration(value * 4));  // so that the maximum does not bound the median
    const std::int64_t median = samples.percentile(50).count();
    EXPECT_GE(median, value);
    EXPECT_LE(median, value + value / 32);
  }
}

TEST(Histogram, TakesTheLongestDurationThereIs) {
  Histogram samples;
  samples.record(Duration::max());
  EXPECT_EQ(samples.percentile(50), Duration::max());
}

TEST(Histogram, BelowZeroCountsAsZero) {
  Histogram samples;
  samples.record(Duration(-5));
  EXPECT_EQ(samples.count(), 1U);
  EXPECT_EQ(samples.maximum(), Duration(0));
}

TEST(Histogram, AddedOnesGiveThePercentilesOfAllSamples) {
  Histogram low;
  Histogram high;
  for (int i = 0; i < 99; ++i)
    low.record(Duration(10));
  high.record(std::chrono::milliseconds(7));
  low.add(high);
  EXPECT_EQ(low.count(), 100U);
  EXPECT_EQ(low.percentile(99), Duration(10));
  EXPECT_EQ(low.percentile(99.9), std::chrono::milliseconds(7));
  EXPECT_EQ(low.mean(), Duration((99 * 10 + 7'000'000) / 100));
}

}  // namespace
}  // namespace heddle::load
