// capacity-scheduler.xml, read and checked. Pure: the file itself is read elsewhere.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/resources.h"
#include "base/result.h"
#include "base/settings.h"
#include "queues/plan_settings.h"
#include "queues/preemption.h"
#include "queues/types.h"

namespace heddle::queues {

inline constexpr std::int32_t kNoAppLimit = std::numeric_limits<std::int32_t>::max();

namespace rules {
struct Placement;
}

/// kMixed: each resource type has its own of the others, in `parts`.
enum class CapacityMode : std::uint8_t { kPercent, kWeight, kAbsolute, kMixed };

/// Of one resource type.
struct CapacityPart {
  CapacityMode mode = CapacityMode::kAbsolute;
  double value = 0;  // percent, weight or amount
  friend bool operator==(const CapacityPart&, const CapacityPart&) = default;
};

/// "60", "2w", "[memory=10240,vcores=12]"; "[memory=50%,vcores=2w]" where modes may be mixed.
struct Capacity {
  CapacityMode mode = CapacityMode::kPercent;
  double value = 0;                      // percent (60.0) or weight
  Resources absolute;                    // kAbsolute only
  std::string text;                      // as configured
  std::vector<CapacityPart> parts = {};  // kMixed: of every type in use
  CapacityPart part(std::size_t type) const {
    if (mode == CapacityMode::kMixed) return type < parts.size() ? parts[type] : CapacityPart{};
    if (mode != CapacityMode::kAbsolute) return {mode, value};
    return {mode, static_cast<double>(absolute.amount[type])};
  }
  friend bool operator==(const Capacity&, const Capacity&) = default;
};

/// What a queue has of a node label.
struct LabelSpec {
  Capacity capacity;
  Capacity maximum_capacity{CapacityMode::kPercent, 100, {}, "100"};
  std::optional<double> maximum_am_share;  // unset: that of the queue
  friend bool operator==(const LabelSpec&, const LabelSpec&) = default;
};

/// Whose applications may have which priorities in a leaf.
struct PriorityAcl {
  std::string who;  // an access list: "ann,bob staff"
  std::int32_t max_priority = 0;
  std::int32_t default_priority = 0;
  friend bool operator==(const PriorityAcl&, const PriorityAcl&) = default;
};

/// "[user=ann group=staff max_priority=5 default_priority=3] [...]", the lowest maximum first.
/// kInvalidArgument says what is wrong.
Result<std::vector<PriorityAcl>> parse_priority_acls(std::string_view text);

/// Which of a leaf's applications is served first.
enum class AppOrder : std::uint8_t {
  kFifo,  // priority, then submission
  kFair,  // the one that holds the least memory
};

/// How a queue gets children that no "queues" list names.
enum class AutoCreation : std::uint8_t {
  kOff,
  kFlexible,  // auto-queue-creation-v2: parents and leaves, by weight
  kManaged,   // auto-create-child-queue: leaves, all by one template
  kPlan,      // reservable: leaves, by its plan of reservations and never for an application
};

/// Where a queue comes from.
enum class Origin : std::uint8_t {
  kListed,
  kFlexible,  // made for an application, below a kFlexible parent
  kManaged,   // the same below a kManaged one
  kReserved,  // made for a reservation, below a kPlan parent
};

/// What a queue gives to the children that are made below it.
struct AutoParent {
  std::int32_t children_max = 1000;   // of any origin
  std::int32_t depth_max = 2;         // levels below the nearest listed queue
  bool fail_beyond_capacity = false;  // kManaged: no more than their parent is guaranteed
  // Settings by the name behind the path: of all, of parents, of leaves.
  std::map<std::string, std::string, std::less<>> common, of_parents, of_leaves;
  friend bool operator==(const AutoParent&, const AutoParent&) = default;
};

/// Shared, and equal when what it points to is.
struct AutoParentPtr : std::shared_ptr<const AutoParent> {
  using shared_ptr::shared_ptr;
  AutoParentPtr(std::shared_ptr<const AutoParent> other) : shared_ptr(std::move(other)) {}
  friend bool operator==(const AutoParentPtr& a, const AutoParentPtr& b) {
    return a.get() == b.get() || (a && b && *a == *b);
  }
};

/// What the settings say of one queue, everything resolved (defaults and inheritance applied).
struct QueueRules {
  QueuePath path;
  std::string name;  // last part of the path
  Origin origin = Origin::kListed;
  AutoCreation auto_creation = AutoCreation::kOff;
  bool auto_removal = true;          // Origin::kFlexible: goes when it was idle long enough
  bool at_zero = false;              // Origin::kManaged: is guaranteed nothing for now
  AutoParentPtr auto_parent;         // of kFlexible and kManaged
  std::optional<PlanSettings> plan;  // of kPlan
  Capacity capacity;
  Capacity maximum_capacity;
  QueueState state = QueueState::kRunning;
  std::int32_t priority = 0;
  bool disable_preemption = false;         // nothing is taken from it for other queues; handed down
  bool disable_inside_preemption = false;  // nor for others in it; handed down
  std::string ordering_policy = "fifo";    // as configured; of a parent "utilization" or
                                           // "priority-utilization"
  AppOrder app_order = AppOrder::kFifo;    // leaves
  bool fair_by_size = false;               // kFair: what is held over the logarithm of the demand
  bool children_by_priority = false;       // parents
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
  std::vector<PriorityAcl> priority_acls;  // of leaves; none: everybody, everything
  friend bool operator==(const QueueRules&, const QueueRules&) = default;
};

/// What a reservation is guaranteed just now, below its plan queue.
struct PlanShare {
  std::string name;  // of its queue
  Resources amount;
  bool only = false;  // no more than that, whatever is free: part of a gang is of no use
};

/// A queue with those below it.
struct QueueSpec : QueueRules {
  std::vector<QueueSpec> children;
  bool is_leaf() const { return children.empty() && auto_creation == AutoCreation::kOff; }
};

class QueueTemplates;

struct QueueConfig {
  QueueSpec root;
  // Applications that a user may run at one time in all queues together.
  std::int32_t maximum_parallel_apps_per_user = kNoAppLimit;
  std::map<std::string, std::int32_t, std::less<>> maximum_parallel_apps_of_user;
  Calculator calculator = Calculator::kMemory;
  std::int32_t maximum_apps = 10000;                // whole cluster, running and pending
  std::int64_t auto_expiry_s = 300;                 // how long a queue that was made may be idle
  bool mixed_modes = false;                         // legacy-queue-mode.enabled=false
  bool user_metrics = false;                        // user-metrics.enable
  bool app_fail_fast = false;                       // application.fail-fast, at recovery
  std::shared_ptr<const QueueTemplates> templates;  // nullptr: no queue makes others
  /// Settings that are present and not honoured yet, one sentence each. Log them at start.
  std::vector<std::string> warnings;
  /// What preemption may do from now on; taken together with the queues. Whoever reads the settings
  /// adds it; nullopt: it stays as it is.
  std::optional<PreemptionSettings> preemption;
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
