#include "queues/reservations/place.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace heddle::queues::reservations {
namespace {

/// Places one definition.
class Placer {
 public:
  Placer(const Definition& definition, const Room& room, const Bounds& bounds,
         const Timing& timing);
  Result<std::vector<Step>> run();

 private:
  struct Span {
    std::int64_t start_ms = 0;
    std::int64_t end_ms = 0;
  };
  enum class Outcome : std::uint8_t { kPlaced, kNoRoom, kGap };

  Piece free_at(std::int64_t at_ms);
  std::int64_t fitting(const Resources& free, const Resources& gang, std::int64_t most) const;
  std::optional<Span> place_request(const Request& request, Span window);
  Result<bool> place_any();
  Result<bool> place_all();
  Result<bool> place_in_order();
  Outcome place_chain(std::int64_t from_ms, std::int64_t& gap_ms);
  bool out_of_looks() const { return looks_ > kLooksMax; }
  std::int64_t aligned(std::int64_t at_ms) const { return aligned_up(at_ms, timing_.step_ms); }

  const Definition& definition_;
  const Room& room_;
  const Bounds& bounds_;
  const Timing& timing_;
  Span window_;
  std::int64_t period_ms_ = 0;
  std::int64_t repeats_ = 1;
  Profile mine_;
  std::int64_t looks_ = 0;
  bool left_a_gap_ = false;
};

Placer::Placer(const Definition& definition, const Room& room, const Bounds& bounds,
               const Timing& timing)
    : definition_(definition), room_(room), bounds_(bounds), timing_(timing) {
  const std::int64_t step_ms = timing.step_ms;
  const std::int64_t horizon_ms = timing.now_ms + kHorizonMs;
  window_.start_ms = aligned(std::clamp(definition.arrival_ms, timing.now_ms, horizon_ms));
  window_.end_ms = std::min(definition.deadline_ms, horizon_ms) / step_ms * step_ms;
  period_ms_ = period_of(definition);
  if (period_ms_ == 0) return;
  // One round of all periods, and whatever comes once.
  const std::int64_t once_ms =
      std::max(room.taken.once_end_ms(), room.taken_by_user.once_end_ms()) - window_.start_ms;
  repeats_ = std::max(bounds.max_period_ms, once_ms) / period_ms_ + 1;
}

/// What is left at that time in every period.
Piece Placer::free_at(std::int64_t at_ms) {
  Piece free{room_.capacity, kForever};
  looks_ += repeats_ * (room_.taken.cost() + room_.taken_by_user.cost());
  if (out_of_looks()) return {Resources{}, kForever};
  for (std::int64_t i = 0; i < repeats_; ++i) {
    const std::int64_t later_ms = i * period_ms_;
    const Piece all = room_.taken.at(at_ms + later_ms);
    const Piece own = room_.taken_by_user.at(at_ms + later_ms);
    free.amount = componentwise_min(free.amount, room_.capacity - all.amount);
    free.amount = componentwise_min(free.amount, room_.user_capacity - own.amount);
    const std::int64_t until_ms = std::min(all.until_ms, own.until_ms);
    if (until_ms != kForever) free.until_ms = std::min(free.until_ms, until_ms - later_ms);
  }
  const Piece mine = mine_.at(at_ms);
  free.amount -= mine.amount;
  free.until_ms = std::min(free.until_ms, mine.until_ms);
  return free;
}

std::int64_t Placer::fitting(const Resources& free, const Resources& gang,
                             std::int64_t most) const {
  for (std::size_t i = 0; i < bounds_.type_count; ++i) {
    if (gang.amount[i] > 0) {
      most = std::min(most, std::max<std::int64_t>(free.amount[i], 0) / gang.amount[i]);
    }
  }
  return most;
}

std::optional<Placer::Span> Placer::place_request(const Request& request, Span window) {
  if (request.duration_ms > window.end_ms - window.start_ms) return std::nullopt;
  const std::int64_t duration_ms = aligned(request.duration_ms);
  const Resources gang = times(request.capability, request.concurrency);
  std::int64_t gangs = request.containers / request.concurrency;
  std::optional<Span> placed;
  for (std::int64_t start = window.start_ms;
       gangs > 0 && start + duration_ms <= window.end_ms && !out_of_looks();) {
    const std::int64_t end = start + duration_ms;
    std::int64_t fit = gangs;
    std::int64_t next = end;  // where more may fit
    for (std::int64_t at = start; at < end && fit > 0;) {
      const Piece free = free_at(at);
      const std::int64_t here = fitting(free.amount, gang, gangs);
      if (here <= fit) {
        fit = here;
        next = std::min(free.until_ms, end);
      }
      at = free.until_ms;
    }
    if (fit > 0) {
      mine_.add(start, end, times(gang, fit));
      gangs -= fit;
      if (!placed) placed = Span{start, end};
      placed->end_ms = end;
    }
    start = aligned(next);
  }
  if (gangs > 0) return std::nullopt;
  return placed;
}

Result<bool> Placer::place_any() {
  for (const Request& request : definition_.requests) {
    RETURN_IF_ERROR(check_request(request, bounds_));
    if (place_request(request, window_)) return true;
    mine_ = {};
  }
  return false;
}

Result<bool> Placer::place_all() {
  for (const Request& request : definition_.requests) {
    RETURN_IF_ERROR(check_request(request, bounds_));
    if (!place_request(request, window_)) return false;
  }
  return true;
}

Placer::Outcome Placer::place_chain(std::int64_t from_ms, std::int64_t& gap_ms) {
  std::int64_t later_ms = 0;  // for all that follow
  for (const Request& request : definition_.requests) {
    if (request.duration_ms > kHorizonMs) return Outcome::kNoRoom;  // and no sum wraps
    later_ms += aligned(request.duration_ms);
  }
  bool first = true;
  for (const Request& request : definition_.requests) {
    later_ms -= aligned(request.duration_ms);
    const auto span = place_request(request, {from_ms, window_.end_ms - later_ms});
    if (!span) return Outcome::kNoRoom;
    const bool gap = !first && span->start_ms > from_ms;
    if (gap && definition_.interpreter == Interpreter::kOrderNoGap) {
      gap_ms = span->start_ms - from_ms;
      return Outcome::kGap;
    }
    from_ms = span->end_ms;
    first = false;
  }
  return Outcome::kPlaced;
}

Result<bool> Placer::place_in_order() {
  for (const Request& request : definition_.requests)
    RETURN_IF_ERROR(check_request(request, bounds_));
  std::int64_t gap_ms = 0;
  for (std::int64_t from_ms = window_.start_ms; !out_of_looks(); from_ms += gap_ms) {
    mine_ = {};
    switch (place_chain(from_ms, gap_ms)) {
      case Outcome::kPlaced: return true;
      case Outcome::kNoRoom: return false;
      case Outcome::kGap: left_a_gap_ = true; break;
    }
  }
  return false;
}

Result<std::vector<Step>> Placer::run() {
  auto placed = definition_.interpreter == Interpreter::kAny   ? place_any()
                : definition_.interpreter == Interpreter::kAll ? place_all()
                                                               : place_in_order();
  if (!placed) return fail(std::move(placed).error());
  if (out_of_looks()) {
    return refused(fmt::format("{}The request cannot be satisfied: no room was found within {} "
                               "looks at the plan; give a time between arrival and deadline that "
                               "is shorter, fewer requests or a longer recurrence",
                               kPlanningException, kLooksMax),
                   ErrorCode::kLimitExceeded);
  }
  auto steps = mine_.steps();
  if (*placed && steps.size() > kStepsMax) {
    return refused(fmt::format("{}The request cannot be satisfied: the allocation would have {} "
                               "steps; {} are the most",
                               kPlanningException, steps.size(), kStepsMax),
                   ErrorCode::kLimitExceeded);
  }
  if (*placed && !steps.empty()) return steps;
  return refused(fmt::format("{}{}: there is not enough room between {} and {}", kPlanningException,
                             left_a_gap_ ? "The allocation found does not respect ORDER_NO_GAP"
                                         : "The request cannot be satisfied",
                             window_.start_ms, window_.end_ms));
}

}  // namespace

std::int64_t aligned_up(std::int64_t at_ms, std::int64_t step_ms) {
  if (at_ms <= 0) return at_ms / step_ms * step_ms;
  return (at_ms - 1) / step_ms * step_ms + step_ms;
}

Result<std::vector<Step>> place(const Definition& definition, const Room& room,
                                const Bounds& bounds, const Timing& timing) {
  return Placer(definition, room, bounds, timing).run();
}

}  // namespace heddle::queues::reservations
