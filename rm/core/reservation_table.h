// The plans of all reservable queues, as the core holds them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "queues/reservations/plan.h"

namespace heddle::rm {

struct ReservationOptions {
  bool enabled = false;
  bool acls = false;  // the lists of the queues count
  std::int64_t step_ms = 1'000;
  std::int64_t max_period_ms = 86'400'000;
  /// After a start nothing is taken back for so long: nodes are still coming.
  Duration replan_pause = std::chrono::seconds(10);
};

/// Whether the caller, with all groups, is on an access list.
using OnList = std::function<bool(const std::string& list)>;

struct PlanState {
  QueuePath queue;
  queues::reservations::Plan plan;
  std::optional<Instant> due;  // the pending deadline of its next change
};

struct ReservationTable {
  std::map<std::string, PlanState> plans;  // by path of their queue
  std::map<queues::reservations::ReservationId, std::string> plan_of;
  Instant replan_from;
  Resources followed;  // the size of the cluster that the plans know
  bool stale = false;  // queues of plans have to be brought up to date
};

}  // namespace heddle::rm
