// Counts of durations in buckets that are at most 1/32 of their value wide, so that a percentile
// costs no memory per sample and is right to about three in a hundred. Not thread safe.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace heddle::load {

class Histogram {
 public:
  void record(Duration value);  // below zero counts as zero
  void add(const Histogram& other);

  std::uint64_t count() const { return count_; }
  Duration maximum() const { return Duration(static_cast<std::int64_t>(maximum_)); }
  Duration mean() const;
  /// A value that `percent` (0 to 100) of the samples do not exceed: the upper end of its bucket,
  /// never above maximum(). Zero when there are no samples.
  Duration percentile(double percent) const;

 private:
  // Values below 64 have a bucket each; from there on every power of two has 32.
  static constexpr unsigned kSubBits = 5;
  static constexpr std::size_t kBuckets = ((64 - kSubBits) << kSubBits) + (1U << kSubBits);
  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t upper_end(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t maximum_ = 0;
};

}  // namespace heddle::load
