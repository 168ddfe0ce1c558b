// How much of a plan one user may have: at any one time, and on average over a window of time.
#pragma once

#include <cstdint>

#include "queues/plan_settings.h"
#include "queues/reservations/load.h"

namespace heddle::queues::reservations {

Resources share_of(const Resources& whole, float share);

/// What the user has after the reservation was added, over every window that reaches into it.
struct Use {
  const Load& load;
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
};
/// kLimitExceeded, about kReservation.
Result<void> check_average(const Use& use, const PlanQuota& quota, const Resources& capacity,
                           std::size_t type_count, const ReservationId& id);

}  // namespace heddle::queues::reservations
