#include "queues/reservations/quota.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace heddle::queues::reservations {
namespace {

__extension__ using Wide = __int128;  // amounts times milliseconds
using Integral = std::array<Wide, kResourceTypesMax>;

void add(Integral& sum, const Resources& amount, std::int64_t ms) {
  for (std::size_t i = 0; i < kResourceTypesMax; ++i)
    sum[i] += static_cast<Wide>(amount.amount[i]) * ms;
}

/// As Java prints it: "1.0".
std::string float_text(float value) {
  std::string text = fmt::format("{}", value);
  if (text.find('.') == text.npos && text.find('e') == text.npos) text += ".0";
  return text;
}

Failure exceeded(const PlanQuota& quota, const ReservationId& id) {
  return refused(fmt::format("{}Integral (avg over time) quota capacity {} over a window of {} "
                             "seconds,  would be exceeded by accepting reservation: {}",
                             kQuotaException, float_text(quota.average), quota.window_ms / 1000,
                             to_string(id)),
                 ErrorCode::kLimitExceeded);
}

}  // namespace

Resources share_of(const Resources& whole, float share) {
  Resources part;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    part.amount[i] = static_cast<std::int64_t>(
        std::floor(static_cast<double>(whole.amount[i]) * static_cast<double>(share) + 1e-6));
  }
  return part;
}

Result<void> check_average(const Use& use, const PlanQuota& quota, const Resources& capacity,
                           std::size_t type_count, const ReservationId& id) {
  const std::int64_t window_ms = quota.window_ms;
  if (!quota.over_time || window_ms <= 0) return {};
  const Resources average = share_of(capacity, quota.average);
  // The windows that end at `end`, from the first that may reach into the reservation on. What a
  // window holds changes evenly between the times where either of its ends meets a change.
  const std::int64_t first_end = use.start_ms;
  const std::int64_t last_end = use.end_ms + window_ms;
  Integral held{};
  std::int64_t looks = 0;
  for (std::int64_t end = first_end - window_ms; end < last_end;) {
    if (++looks > kLooksMax) {
      return refused(fmt::format("{}the average over {} ms needs more than {} looks at the plan; "
                                 "give a longer recurrence",
                                 kQuotaException, window_ms, kLooksMax),
                     ErrorCode::kLimitExceeded);
    }
    const bool whole = end >= first_end;
    const Piece lead = use.load.at(end);
    const Piece tail = whole ? use.load.at(end - window_ms) : Piece{};
    std::int64_t next = std::min(lead.until_ms, whole ? last_end : first_end);
    if (whole && tail.until_ms < kForever - window_ms) {
      next = std::min(next, tail.until_ms + window_ms);
    }
    add(held, lead.amount, next - end);
    add(held, Resources{} - tail.amount, next - end);
    end = next;
    for (std::size_t i = 0; whole && i < type_count; ++i) {
      if (held[i] > static_cast<Wide>(average.amount[i]) * window_ms) return exceeded(quota, id);
    }
  }
  return {};
}

}  // namespace heddle::queues::reservations
