#include "tools/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace heddle::load {

std::size_t Histogram::bucket_of(std::uint64_t value) {
  if (value < (2U << kSubBits)) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - kSubBits - 1;
  return (std::size_t{shift} << kSubBits) + (value >> shift);
}

std::uint64_t Histogram::upper_end(std::size_t bucket) {
  if (bucket < (2U << kSubBits)) return bucket;
  const std::size_t shift = (bucket >> kSubBits) - 1;
  const std::uint64_t sub = bucket - (shift << kSubBits);
  return ((sub + 1) << shift) - 1;
}

void Histogram::record(Duration value) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
  ++buckets_[bucket_of(ns)];
  ++count_;
  sum_ += ns;
  maximum_ = std::max(maximum_, ns);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i)
    buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  maximum_ = std::max(maximum_, other.maximum_);
}

Duration Histogram::mean() const {
  return count_ == 0 ? Duration{0} : Duration(static_cast<std::int64_t>(sum_ / count_));
}

Duration Histogram::percentile(double percent) const {
  if (count_ == 0) return Duration{0};
  const double share = std::clamp(percent, 0.0, 100.0) / 100;
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= wanted) {
      return Duration(static_cast<std::int64_t>(std::min(upper_end(i), maximum_)));
    }
  }
  return maximum();
}

}  // namespace heddle::load
