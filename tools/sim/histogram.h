// Durations counted in bounded memory: each is known to within 1.6 %.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace heddle::sim {

class Histogram {
 public:
  void add(std::int64_t value, std::int64_t times = 1) {
    value = std::max<std::int64_t>(value, 0);
    const std::size_t bucket = bucket_of(value);
    if (bucket >= counts_.size()) counts_.resize(bucket + 1);
    counts_[bucket] += times;
    count_ += times;
    sum_ += static_cast<double>(value) * static_cast<double>(times);
    most_ = std::max(most_, value);
  }
  std::int64_t count() const { return count_; }
  std::int64_t most() const { return most_; }
  double mean() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : 0; }
  /// The smallest value that `share` of all do not exceed, 0 when there are none.
  std::int64_t quantile(double share) const {
    const double wanted = share * static_cast<double>(count_);
    double seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += static_cast<double>(counts_[bucket]);
      if (counts_[bucket] > 0 && seen >= wanted) return std::min(top_of(bucket), most_);
    }
    return most_;
  }
  void add_all(const Histogram& other) {
    if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
    for (std::size_t i = 0; i < other.counts_.size(); ++i)
      counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    most_ = std::max(most_, other.most_);
  }

 private:
  static constexpr int kBits = 6;  // 64 buckets for each power of two

  static std::size_t bucket_of(std::int64_t value) {
    const auto number = static_cast<std::uint64_t>(value);
    const int shift = std::max(0, static_cast<int>(std::bit_width(number)) - kBits - 1);
    return (static_cast<std::size_t>(shift) << kBits) + static_cast<std::size_t>(number >> shift);
  }
  static std::int64_t top_of(std::size_t bucket) {
    if (bucket < (std::size_t{2} << kBits)) return static_cast<std::int64_t>(bucket);
    const std::size_t shift = (bucket >> kBits) - 1;
    const std::uint64_t head = bucket - (shift << kBits);
    return static_cast<std::int64_t>(((head + 1) << shift) - 1);
  }

  std::vector<std::int64_t> counts_;
  std::int64_t count_ = 0;
  std::int64_t most_ = 0;
  double sum_ = 0;
};

}  // namespace heddle::sim
