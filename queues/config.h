// capacity-scheduler.xml, read and checked. Pure: the file itself is read elsewhere.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/resources.h"
#include "base/result.h"
#include "base/settings.h"
#include "queues/types.h"

namespace heddle::queues {

inline constexpr std::int32_t kNoAppLimit = std::numeric_limits<std::int32_t>::max();

namespace rules {
struct Placement;
}

enum class CapacityMode : std::uint8_t { kPercent, kWeight, kAbsolute };

/// "60", "2w" or "[memory=10240,vcores=12]".
struct Capacity {
  CapacityMode mode = CapacityMode::kPercent;
  double value = 0;    // percent (60.0) or weight
  Resources absolute;  // kAbsolute only
  std::string text;    // as configured
  friend bool operator==(const Capacity&, const Capacity&) = default;
};

/// What a queue has of a node label.
struct LabelSpec {
  Capacity capacity;
  Capacity maximum_capacity{CapacityMode::kPercent, 100, {}, "100"};
  std::optional<double> maximum_am_share;  // unset: that of the queue
  friend bool operator==(const LabelSpec&, const LabelSpec&) = default;
};

/// Which of a leaf's applications is served first.
enum class AppOrder : std::uint8_t {
  kFifo,  // priority, then submission
  kFair,  // the one that holds the least memory
};

/// What the settings say of one queue, everything resolved (defaults and inheritance applied).
struct QueueRules {
  QueuePath path;
  std::string name;  // last part of the path
  Capacity capacity;
  Capacity maximum_capacity;
  QueueState state = QueueState::kRunning;
  std::int32_t priority = 0;
  bool disable_preemption = false;       // nothing is taken from it for other queues; handed down
  std::string ordering_policy = "fifo";  // as configured; of a parent "utilization" or
                                         // "priority-utilization"
  AppOrder app_order = AppOrder::kFifo;  // leaves
  bool fair_by_size = false;             // kFair: what is held over the logarithm of the demand
  bool children_by_priority = false;     // parents
  double minimum_user_limit_percent = 100;
  double user_limit_factor = 1;
  std::map<std::string, double> user_weights;
  std::optional<std::int32_t> maximum_apps;  // unset: share of the cluster's number
  std::int32_t maximum_parallel_apps = kNoAppLimit;
  double maximum_am_share = 0.1;
  Resources maximum_allocation;  // never above the cluster's
  std::int32_t default_app_priority = 0;
  std::int64_t maximum_app_lifetime_s = -1;
  std::int64_t default_app_lifetime_s = -1;
  bool all_labels = false;  // accessible-node-labels is "*"
  std::set<std::string, std::less<>> accessible_labels;
  std::map<std::string, LabelSpec, std::less<>> labels;  // those with settings of their own
  std::string default_label;  // of applications that name none; "" = the default partition
  bool may_use_label(std::string_view label) const {
    return label.empty() || all_labels || accessible_labels.contains(label);
  }
  // Access lists as written ("*", "u1,u2 g1"); resolved by security/. nullopt: not configured.
  std::optional<std::string> acl_submit;
  std::optional<std::string> acl_administer;
  std::optional<std::string> acl_max_priority;
  friend bool operator==(const QueueRules&, const QueueRules&) = default;
};

/// A queue with those below it.
struct QueueSpec : QueueRules {
  std::vector<QueueSpec> children;
};

struct QueueConfig {
  QueueSpec root;
  // Applications that a user may run at one time in all queues together.
  std::int32_t maximum_parallel_apps_per_user = kNoAppLimit;
  std::map<std::string, std::int32_t, std::less<>> maximum_parallel_apps_of_user;
  Calculator calculator = Calculator::kMemory;
  std::int32_t maximum_apps = 10000;  // whole cluster, running and pending
  /// Settings that are present and not honoured yet, one sentence each. Log them at start.
  std::vector<std::string> warnings;
  /// What places submissions into these queues: taken together with them or not at all. Whoever
  /// reads the settings adds it; nothing here looks into it. nullptr: no rules.
  std::shared_ptr<const rules::Placement> placement;
};

/// Reads yarn.scheduler.capacity.*. On failure kInvalidArgument with ALL faults, one a line, each
/// with its queue path and setting.
Result<QueueConfig> parse_capacity_config(const Settings& settings, const Limits& limits = {},
                                          const ResourceTypes& types = {});

/// One queue "default" with 100 %: what Hadoop's own sample file says.
QueueConfig default_queue_config();

}  // namespace heddle::queues
