#include "queues/reservations/load.h"

#include <algorithm>

namespace heddle::queues::reservations {

std::int64_t phase_of(std::int64_t at_ms, std::int64_t period_ms) {
  const std::int64_t rest = at_ms % period_ms;
  return rest < 0 ? rest + period_ms : rest;
}

void Load::change(const std::vector<Step>& steps, std::int64_t period_ms, int sign) {
  for (const Step& step : steps) {
    const Resources amount = sign > 0 ? step.amount : Resources{} - step.amount;
    if (period_ms == 0) {
      once_.add(step.start_ms, step.end_ms, amount);
      continue;
    }
    Profile& profile = by_period_[period_ms];
    const std::int64_t start = phase_of(step.start_ms, period_ms);
    const std::int64_t end = start + (step.end_ms - step.start_ms);  // no longer than the period
    profile.add(start, std::min(end, period_ms), amount);
    if (end > period_ms) profile.add(0, end - period_ms, amount);
  }
  const auto own = by_period_.find(period_ms);
  if (own != by_period_.end() && own->second.empty()) by_period_.erase(own);
}

Piece Load::at(std::int64_t at_ms) const {
  Piece sum = once_.at(at_ms);
  for (const auto& [period, profile] : by_period_) {
    const std::int64_t phase = phase_of(at_ms, period);
    const Piece piece = profile.at(phase);
    sum.amount += piece.amount;
    const std::int64_t stays = std::min(piece.until_ms, period) - phase;
    const bool ends = at_ms < 0 || stays < kForever - at_ms;  // before the last time there is
    if (ends) sum.until_ms = std::min(sum.until_ms, at_ms + stays);
  }
  return sum;
}

}  // namespace heddle::queues::reservations
