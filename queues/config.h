// capacity-scheduler.xml, read and checked. Pure: the file itself is read elsewhere.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/resources.h"
#include "base/result.h"
#include "base/settings.h"
#include "queues/types.h"

namespace heddle::queues {

enum class CapacityMode : std::uint8_t { kPercent, kWeight, kAbsolute };

/// "60", "2w" or "[memory=10240,vcores=12]".
struct Capacity {
  CapacityMode mode = CapacityMode::kPercent;
  double value = 0;    // percent (60.0) or weight
  Resources absolute;  // kAbsolute only
  std::string text;    // as configured
};

/// One queue, everything resolved (defaults and inheritance applied).
struct QueueSpec {
  QueuePath path;
  std::string name;  // last part of the path
  std::vector<QueueSpec> children;
  Capacity capacity;
  Capacity maximum_capacity;
  QueueState state = QueueState::kRunning;
  std::int32_t priority = 0;
  double minimum_user_limit_percent = 100;
  double user_limit_factor = 1;
  std::map<std::string, double> user_weights;
  std::optional<std::int32_t> maximum_apps;  // unset: share of the cluster's number
  double maximum_am_share = 0.1;
  Resources maximum_allocation;  // never above the cluster's
  std::int32_t default_app_priority = 0;
  std::int64_t maximum_app_lifetime_s = -1;
  std::int64_t default_app_lifetime_s = -1;
  // Access lists as written ("*", "u1,u2 g1"); resolved by security/. nullopt: not configured.
  std::optional<std::string> acl_submit;
  std::optional<std::string> acl_administer;
  std::optional<std::string> acl_max_priority;
};

struct QueueConfig {
  QueueSpec root;
  Calculator calculator = Calculator::kMemory;
  std::int32_t maximum_apps = 10000;  // whole cluster, running and pending
  std::string queue_mappings;         // as written; not applied here
  bool queue_mappings_override = false;
  /// Settings that are present and not honoured yet, one sentence each. Log them at start.
  std::vector<std::string> warnings;
};

/// Reads yarn.scheduler.capacity.*. On failure kInvalidArgument with ALL faults, one a line, each
/// with its queue path and setting.
Result<QueueConfig> parse_capacity_config(const Settings& settings, const Limits& limits = {},
                                          const ResourceTypes& types = {});

/// One queue "default" with 100 %: what Hadoop's own sample file says.
QueueConfig default_queue_config();

}  // namespace heddle::queues
