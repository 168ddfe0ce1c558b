// When the calls of an open loop are due: so many a second, evenly, whatever the answers do. Pure.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace heddle::load {

class Pace {
 public:
  /// The first call is due at `start`. `per_second` is above zero.
  Pace(double per_second, Instant start) : per_second_(per_second), start_(start) {}

  /// How many calls fell due between the last call of this function and `now`.
  std::uint64_t take_due(Instant now);
  /// When call number `number` (from 0) is due.
  Instant due_at(std::uint64_t number) const;
  std::uint64_t taken() const { return taken_; }

 private:
  double per_second_;
  Instant start_;
  std::uint64_t taken_ = 0;
};

}  // namespace heddle::load
