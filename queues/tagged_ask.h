// What an application asks for by tags and constraints (SchedulingRequest), as plain values.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/resources.h"
#include "queues/constraints.h"

namespace heddle::queues {

/// Request ids of plain asks are not below it.
inline constexpr std::int64_t kPlainRequestIdMin = std::numeric_limits<std::int64_t>::min() / 2;

struct TaggedAsk {
  std::int32_t priority = 0;
  std::int64_t request_id = 0;
  Resources capability;
  std::int32_t num_allocations = 0;
  bool guaranteed = true;
  std::vector<std::string> tags;             // of its containers; sorted, each once
  ConstraintPtr constraint;                  // nullptr: none of its own
  std::shared_ptr<const std::string> asked;  // comes back unread when it is given up
};

/// What a tagged ask means for one with the same priority, id, tags and constraint.
enum class Repeat : std::uint8_t {
  kAdds,      // that many more
  kReplaces,  // so many are wanted now; and of one priority and id there is only one
};

/// A tagged ask that found no place in time, and is not asked for any more.
struct GivenUp {
  std::shared_ptr<const std::string> asked;
  std::int32_t left = 0;       // of its containers
  bool was_placeable = false;  // a node would do: it is a limit that stands in the way
};

}  // namespace heddle::queues
