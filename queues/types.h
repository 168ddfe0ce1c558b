// What goes into the scheduler and what comes out of it, as plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"

namespace heddle::queues {

/// Which resource types decide whether something fits and how full a queue is
/// (yarn.scheduler.capacity.resource-calculator).
enum class Calculator : std::uint8_t {
  kMemory,    // DefaultResourceCalculator: memory only; every container counts one vcore
  kDominant,  // DominantResourceCalculator: every type
};

/// Sizes of one container, for the whole cluster (yarn.scheduler.minimum-allocation-* and so on).
struct Limits {
  Resources minimum{1024, 1};
  Resources maximum{8192, 4};
  Resources increment{1024, 1};  // asks are rounded up to multiples; zero: no rounding
  std::size_t type_count = 2;    // types in use: ResourceTypes::all().size()
};

enum class ExecutionType : std::uint8_t { kGuaranteed, kOpportunistic };

inline constexpr std::string_view kAnyNode = "*";

/// One row of an application's table of outstanding asks. The rows of one (priority,
/// allocation_request_id) belong together: "*" carries the total and the size, "/rack" and host
/// rows say how many of these would like to be there. Numbers are absolute: a row replaces the one
/// it had before; zero takes it away.
struct Ask {
  std::int32_t priority = 0;            // a smaller number is served first
  std::string resource_name{kAnyNode};  // "*", "/rack", or a host name
  Resources capability;
  std::int32_t num_containers = 0;
  bool relax_locality = true;  // false: nothing further away than this row's children
  // Of "*" rows: a node label; "" = the default partition, nullopt = that of the queue.
  std::optional<std::string> label_expression;
  std::int64_t allocation_request_id = -1;
  ExecutionType execution_type = ExecutionType::kGuaranteed;
};

/// Names one container that holds room, for as long as it does and never another after it; 0 is
/// none.
using HoldId = std::uint64_t;

enum class Locality : std::uint8_t { kNodeLocal, kRackLocal, kOffSwitch };

/// One container given. The room is taken already; whoever cannot use it calls release().
struct Grant {
  HoldId hold = 0;
  AttemptId attempt;
  NodeId node;
  Resources resources;  // normalized
  std::int32_t priority = 0;
  std::int64_t allocation_request_id = -1;
  bool is_am = false;
  Locality locality = Locality::kOffSwitch;
  /// Its allocation tags; nullptr: it was a plain ask.
  std::shared_ptr<const std::vector<std::string>> tags = nullptr;
  std::uint64_t ticket = 0;  // of a Growth: `resources` is what has come to it; 0: a new container
};

/// Room on one node for a container that is there already: to grow, or to be counted from now on.
struct Growth {
  std::uint64_t ticket = 0;  // names it, for ever; not 0
  NodeId node;
  HoldId hold = 0;  // of the container; 0: it has none yet and gets one
  Resources more;
  std::int32_t priority = 0;
  HoldId bare =
      0;  // of demote(), while `hold` is 0: it goes, and its tags are those of the new one
};

/// How the AM's own container is asked for.
struct AmAsk {
  Resources capability;
  struct Wanted {
    std::string name;   // a host or "/rack"
    bool relax = true;  // of a rack: any of its nodes will do
  };
  std::vector<Wanted> places = {};        // where it would like to be; none: anywhere
  bool relax_locality = true;             // false: nowhere but there
  std::optional<std::string> label = {};  // node label, as in Ask
};

/// A node label that divides the cluster.
struct PartitionSpec {
  std::string name;
  bool exclusive = true;  // false: what its own asks leave serves asks without a label
};

enum class QueueState : std::uint8_t { kRunning, kStopped, kDraining };

/// What a queue gives to its applications.
struct QueueFacts {
  Resources maximum_allocation;
  double absolute_capacity = 0;  // share of the cluster
  std::int32_t default_app_priority = 0;
  std::int64_t maximum_app_lifetime_s = -1;
  std::int64_t default_app_lifetime_s = -1;
};

/// What a report shows of one user of a leaf queue.
struct UserReport {
  UserName name;
  Resources used;
  Resources am_used;
  Resources limit;
  Resources am_limit;
  std::int32_t active_apps = 0;
  std::int32_t pending_apps = 0;
  std::int64_t containers = 0;
  Resources pending;
  std::int64_t pending_containers = 0;
  double weight = 1.0;
  bool has_demand = false;
};

/// What a queue may have and has of one partition. Shares are fractions.
struct PartitionUse {
  std::string label;             // "" = the default partition
  double capacity = 0;           // of the parent
  double maximum_capacity = 0;   // of the parent
  double absolute_capacity = 0;  // of the partition
  double absolute_maximum_capacity = 0;
  double used_capacity = 0;           // used / guaranteed, or / smallest container if larger
  double absolute_used_capacity = 0;  // used / partition
  double maximum_am_share = 0;        // of a leaf, as the three below
  Resources guaranteed;
  Resources maximum;
  Resources used;
  Resources kept;  // below the maximum, for those who others had to leave for
  Resources pending;
  Resources am_used;
  Resources am_limit;
  Resources user_am_limit;
};

/// One queue as REST and RPC show it. Where nothing else is said, of the default partition; what
/// is used and pending, of all. Shares are fractions (0.6 = 60 %).
struct QueueReport {
  QueuePath path;
  std::string name;
  bool is_leaf = false;
  QueueState state = QueueState::kRunning;
  std::vector<QueuePath> children;  // in configuration order

  double capacity = 0;           // of the parent
  double maximum_capacity = 0;   // of the parent
  double absolute_capacity = 0;  // of the cluster
  double absolute_maximum_capacity = 0;
  double used_capacity = 0;           // used / guaranteed, or / smallest container if larger
  double absolute_used_capacity = 0;  // used / cluster
  double weight = -1;                 // -1: not configured by weight
  double normalized_weight = 0;
  std::string configured_capacity;  // as written: "60", "2w", "[memory=..]"

  Resources configured_minimum;  // only for absolute capacities
  Resources configured_maximum;
  Resources guaranteed;  // effective minimum now
  Resources maximum;     // effective maximum now
  Resources used;
  Resources reserved;  // kept for large containers, not among what is used
  Resources pending;
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  std::int32_t apps = 0;
  std::int32_t active_apps = 0;
  std::int32_t pending_apps = 0;
  std::int32_t priority = 0;
  std::string ordering_policy;  // as configured: "fifo", "fair", "utilization", ...
  std::int32_t maximum_parallel_apps = 0;
  Resources maximum_allocation;
  std::vector<PartitionUse> partitions;  // the default one first
  std::vector<std::string> labels;       // it may use; "*" = all
  std::string default_label;

  // leaves only
  std::int32_t maximum_apps = 0;
  std::int32_t maximum_apps_per_user = 0;
  double minimum_user_limit = 1.0;  // fraction
  double user_limit_factor = 1.0;   // -1: no limit
  double maximum_am_share = 0.1;
  Resources am_used;
  Resources am_limit;
  Resources user_am_limit;
  std::int32_t default_priority = 0;
  std::int64_t maximum_lifetime_s = -1;
  std::int64_t default_lifetime_s = -1;
  std::vector<UserReport> users;  // by name
};

/// What the scheduler counts for one node.
struct NodeReport {
  Resources total;
  Resources used;
  Resources reserved;  // kept for a large container
  Resources free;      // may be negative after a node shrank
  std::int64_t containers = 0;
  std::string rack;
  bool usable = true;
};

/// What the scheduler counts for one application.
struct AppReport {
  QueuePath queue;
  UserName user;
  std::int32_t priority = 0;
  bool active = false;  // false: waits for its share of AMs
  Resources used;
  Resources reserved;
  Resources pending;
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
};

}  // namespace heddle::queues
