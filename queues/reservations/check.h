// Whether a definition makes sense at all, before anybody looks for room. The texts are Hadoop's
// where it refuses the same.
#pragma once

#include <cstdint>

#include "queues/reservations/types.h"

namespace heddle::queues::reservations {

/// What a definition is checked against.
struct Bounds {
  Resources capacity;           // of the plan
  Resources largest_container;  // of the cluster
  std::size_t type_count = 2;
  std::int64_t max_period_ms = 86'400'000;
};

/// kInvalidArgument or kLimitExceeded, about kReservation.
Result<void> check_definition(const Definition& definition, const Bounds& bounds,
                              std::int64_t now_ms);
/// What the agent looks at before it places a request: its numbers and the size of a container.
Result<void> check_request(const Request& request, const Bounds& bounds);
/// Of a definition that was checked.
std::int64_t period_of(const Definition& definition);

/// `size` times `count`; what does not fit into 63 bits is the most that does.
Resources times(const Resources& size, std::int64_t count);
bool is_within(const Resources& amount, const Resources& room, std::size_t type_count);

}  // namespace heddle::queues::reservations
