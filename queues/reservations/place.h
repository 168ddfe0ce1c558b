// The agent: puts what is asked for where there is room, as early as it can. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "queues/reservations/check.h"
#include "queues/reservations/load.h"

namespace heddle::queues::reservations {

/// What is there to be given, and what of it is given already.
struct Room {
  const Load& taken;
  const Load& taken_by_user;
  Resources capacity;
  Resources user_capacity;  // at any one time
};

/// Times in a plan are multiples of a step.
struct Timing {
  std::int64_t now_ms = 0;
  std::int64_t step_ms = 1'000;
};
std::int64_t aligned_up(std::int64_t at_ms, std::int64_t step_ms);

/// Where the requests of a checked definition go, by time and apart from each other. Each gang gets
/// its room for the whole of its duration; gangs of one request may come one after the other. What
/// comes again finds its room in every period, for ever. Errors are those of planning;
/// kLimitExceeded after kLooksMax looks.
Result<std::vector<Step>> place(const Definition& definition, const Room& room,
                                const Bounds& bounds, const Timing& timing);

}  // namespace heddle::queues::reservations
