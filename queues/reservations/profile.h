// An amount that changes with time, as the times where it changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "base/resources.h"
#include "queues/reservations/types.h"

namespace heddle::queues::reservations {

inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

/// An amount, and until when it stays (not with that time).
struct Piece {
  Resources amount;
  std::int64_t until_ms = kForever;
};

/// Nothing at first; what is added and taken away again leaves no trace.
class Profile {
 public:
  /// Adds `amount`, which may be negative, from start up to end. O(log n + changes between).
  void add(std::int64_t start_ms, std::int64_t end_ms, const Resources& amount);
  Piece at(std::int64_t at_ms) const;  // O(log n)
  bool empty() const { return changes_.empty(); }
  std::size_t size() const { return changes_.size(); }
  std::int64_t end_ms() const { return changes_.empty() ? 0 : changes_.rbegin()->first; }
  /// By time, apart from each other, without those of nothing.
  std::vector<Step> steps() const;

 private:
  using Changes = std::map<std::int64_t, Resources>;
  Changes::iterator split(std::int64_t at_ms);
  void join(std::int64_t at_ms);

  Changes changes_;  // the amount from that time on; nothing before the first, nothing after the
                     // last
};

}  // namespace heddle::queues::reservations
