#include "queues/reservations/profile.h"

#include <iterator>

namespace heddle::queues::reservations {

Profile::Changes::iterator Profile::split(std::int64_t at_ms) {
  const auto after = changes_.upper_bound(at_ms);
  if (after == changes_.begin()) return changes_.emplace_hint(after, at_ms, Resources{});
  const auto before = std::prev(after);
  if (before->first == at_ms) return before;
  return changes_.emplace_hint(after, at_ms, before->second);
}

void Profile::join(std::int64_t at_ms) {
  const auto here = changes_.find(at_ms);
  if (here == changes_.end()) return;
  const Resources before = here == changes_.begin() ? Resources{} : std::prev(here)->second;
  if (here->second == before) changes_.erase(here);
}

void Profile::add(std::int64_t start_ms, std::int64_t end_ms, const Resources& amount) {
  if (start_ms >= end_ms || amount.is_zero()) return;
  const auto last = split(end_ms);
  for (auto at = split(start_ms); at != last; ++at)
    at->second += amount;
  join(end_ms);
  join(start_ms);
}

Piece Profile::at(std::int64_t at_ms) const {
  const auto after = changes_.upper_bound(at_ms);
  return {after == changes_.begin() ? Resources{} : std::prev(after)->second,
          after == changes_.end() ? kForever : after->first};
}

std::vector<Step> Profile::steps() const {
  std::vector<Step> steps;
  for (auto at = changes_.begin(); at != changes_.end() && std::next(at) != changes_.end(); ++at) {
    if (!at->second.is_zero()) steps.push_back({at->first, std::next(at)->first, at->second});
  }
  return steps;
}

}  // namespace heddle::queues::reservations
