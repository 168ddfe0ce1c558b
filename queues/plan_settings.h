// What the settings of a queue say of its plan of reservations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace heddle::queues {

/// How much of a plan one user may have: CapacityOverTimePolicy. NoOverCommitPolicy has no quota.
struct PlanQuota {
  bool over_time = true;                // false: NoOverCommitPolicy
  float instantaneous = 1;              // at any one time; fraction of the plan
  float average = 1;                    // over each window; likewise
  std::int64_t window_ms = 86'400'000;  // 0: no average
  friend bool operator==(const PlanQuota&, const PlanQuota&) = default;
};

struct PlanSettings {
  PlanQuota quota;
  bool move_on_expiry = true;  // false: what is left in an expired reservation is killed
  bool show_as_queues = false;
  std::int64_t enforcement_window_ms = 3'600'000;  // how far ahead the replanner looks
  // Access lists as written; nullopt: everybody.
  std::optional<std::string> acl_submit, acl_administer, acl_list;
  friend bool operator==(const PlanSettings&, const PlanSettings&) = default;
};

}  // namespace heddle::queues
