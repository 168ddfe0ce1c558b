// Chance from a seed, the same on every machine; those of the standard library are not.
#pragma once

#include <cmath>
#include <cstdint>

namespace heddle::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {  // SplitMix64
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// At least 0, less than 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Both ends are possible.
  std::int64_t between(std::int64_t least, std::int64_t most) {
    const auto range = static_cast<std::uint64_t>(most - least) + 1;
    return least + static_cast<std::int64_t>(range == 0 ? next() : next() % range);
  }
  bool chance(double probability) { return unit() < probability; }
  double exponential(double mean) { return -mean * std::log(1 - unit()); }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - unit()));
    return radius * std::cos(6.283185307179586 * unit());
  }
  /// Of this mean; `spread` is the standard deviation of its logarithm.
  double lognormal(double mean, double spread) {
    return mean * std::exp(spread * normal() - spread * spread / 2);
  }

 private:
  std::uint64_t state_;
};

}  // namespace heddle::sim
