// What reservations take together: those that come once, and those that come again and again.
#pragma once

#include <cstdint>
#include <map>

#include "queues/reservations/profile.h"

namespace heddle::queues::reservations {

/// `at` within a period, from 0 on.
std::int64_t phase_of(std::int64_t at_ms, std::int64_t period_ms);

/// What comes again does so for ever, before its first time, too: one period says all of it.
class Load {
 public:
  void add(const std::vector<Step>& steps, std::int64_t period_ms) { change(steps, period_ms, 1); }
  void remove(const std::vector<Step>& steps, std::int64_t period_ms) {
    change(steps, period_ms, -1);
  }
  /// O(periods * log changes).
  Piece at(std::int64_t at_ms) const;
  bool empty() const { return once_.empty() && by_period_.empty(); }
  bool has_periods() const { return !by_period_.empty(); }
  std::int64_t once_end_ms() const { return once_.end_ms(); }
  std::int64_t cost() const { return 1 + static_cast<std::int64_t>(by_period_.size()); }

 private:
  void change(const std::vector<Step>& steps, std::int64_t period_ms, int sign);

  Profile once_;
  std::map<std::int64_t, Profile> by_period_;  // of [0, period)
};

}  // namespace heddle::queues::reservations
