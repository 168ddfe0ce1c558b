// What can be known about the cluster. Immutable values, replaced on change; readers never wait for
// the core.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/resources.h"
#include "rm/api/commands.h"
#include "rm/api/queue_counts.h"
#include "rm/api/types.h"

namespace heddle::rm {

struct ResourceUsage {
  std::int32_t used_containers = 0;
  std::int32_t reserved_containers = 0;
  Resources used;
  Resources reserved;
  Resources needed;  // used + reserved
  ResourceSeconds seconds;
  ResourceSeconds preempted_seconds;
  float queue_percentage = 0;
  float cluster_percentage = 0;
};

struct AppReport {
  AppId id;
  std::string user;
  std::string name;
  std::string type;
  std::string queue;  // full path once accepted
  std::set<std::string> tags;
  AppState state = AppState::kNew;
  AppState state_before_saving = AppState::kNew;  // what clients see in kKilling, kFinalSaving
  FinalStatus final_status = FinalStatus::kUndefined;
  float progress = 0;  // fraction of 1
  std::int32_t priority = 0;
  std::string diagnostics;
  /// What the AM registered; "" until then. The door turns it into a proxied URL.
  std::string original_tracking_url;
  std::string host = "N/A";
  std::int32_t rpc_port = -1;
  WallTime submitted;
  WallTime started;
  WallTime launched;
  WallTime finished;  // 0 = not yet
  std::optional<AttemptId> current_attempt;
  std::optional<ContainerId> master_container;
  NodeId master_node;            // empty host = none yet
  std::string master_node_http;  // host:port
  bool unmanaged = false;
  std::string log_aggregation_status;  // "DISABLED", "NOT_START", "RUNNING", "SUCCEEDED", ...
  WallTime lifetime_expiry;            // 0 = no lifetime
  std::optional<std::string> label_expression;  // as submitted
  std::string master_label_expression;
  std::string view_acl;
  std::string modify_acl;
  ResourceUsage usage;
  std::vector<Ask> asks;  // outstanding
  Resources preempted;
  std::int32_t preempted_containers = 0;
  std::int32_t preempted_masters = 0;
};

struct AttemptReport {
  AttemptId id;
  AttemptState state = AttemptState::kNew;
  AttemptState state_before_saving = AttemptState::kNew;
  std::string user;
  std::string host = "N/A";
  std::int32_t rpc_port = -1;
  std::string original_tracking_url;
  std::string diagnostics;
  std::optional<ContainerId> master_container;
  NodeId master_node;
  std::string master_node_http;
  WallTime started;
  WallTime finished;
  FinalStatus final_status = FinalStatus::kUndefined;
  std::vector<std::string> blacklisted;
};

struct ContainerReport {
  ContainerId id;
  ContainerState state = ContainerState::kNew;
  Resources resources;
  NodeId node;
  std::string node_http_address;
  std::int32_t priority = 0;
  ExecutionType execution_type = ExecutionType::kGuaranteed;
  WallTime created;
  WallTime finished;
  std::int32_t exit_status = 0;
  std::string diagnostics;
  std::string user;
};

struct NodeReport {
  NodeId id;
  NodeState state = NodeState::kNew;
  std::string http_address;
  std::string rack;
  std::string version;
  Resources total;
  Resources used;
  std::int32_t containers = 0;
  NodeHealth health;
  NodeUtilization containers_utilization;
  NodeUtilization node_utilization;
  std::optional<std::int32_t> decommission_timeout_seconds;
  OpportunisticUse opportunistic;
  std::string label;                      // "" = none
  std::vector<NodeAttribute> attributes;  // of its host, by prefix and name
};

/// The node labels there are, and who has them.
struct LabelsReport {
  struct Label {
    std::string name;
    bool exclusive = true;
    std::int32_t active_nodes = 0;
    Resources total;  // of them
  };
  std::vector<Label> labels;            // by name, without the default partition
  Label unlabelled;                     // the default partition
  std::map<NodeId, std::string> nodes;  // hosts (port 0) and nodes that have one
};

/// Attributes by host, each host's by prefix and name.
struct AttributesReport {
  std::map<std::string, std::vector<NodeAttribute>> hosts;
};

struct QueueUserReport {
  std::string user;
  Resources used;
  Resources master_used;
  std::int32_t active_apps = 0;
  std::int32_t pending_apps = 0;
  Resources limit;
};

/// A user in a queue, or in those below it, for as long as the ResourceManager runs.
struct UserMetrics {
  std::string user;
  QueueCounts counts = {};
  Resources used = {};
  Resources pending = {};
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  std::int32_t active_apps = 0;
};

/// What a queue may have and has of one partition. Shares are fractions of 1.
struct PartitionReport {
  std::string label;                // "" = the default partition
  float capacity = 0;               // of the parent
  float max_capacity = 1;           // of the parent
  float absolute_capacity = 0;      // of the partition
  float absolute_max_capacity = 1;  // likewise
  float used_capacity = 0;
  float absolute_used_capacity = 0;
  float max_master_share = 0;
  Resources guaranteed;
  Resources maximum;
  Resources used;
  Resources pending;
  Resources reserved;
  Resources master_used;
  Resources master_limit;
  Resources user_master_limit;
};

/// How queues come that nobody listed (kFlexible: auto-queue-creation-v2; kManaged:
/// auto-create-child-queue).
enum class QueueCreation : std::uint8_t { kOff, kFlexible, kManaged };

/// Whose applications may have which priorities.
struct PriorityRight {
  std::string who;  // an access list
  std::int32_t max_priority = 0;
  std::int32_t default_priority = 0;
};

/// What they get, by the name behind their path.
struct QueueTemplates {
  std::map<std::string, std::string, std::less<>> common, of_parents, of_leaves;
};

/// Shares are fractions of 1. A child list makes a parent.
struct QueueReport {
  QueuePath path;
  std::string name;
  bool leaf = true;
  bool running = true;
  float capacity = 0;           // of the parent
  float max_capacity = 1;       // of the parent
  float absolute_capacity = 0;  // of the cluster
  float absolute_max_capacity = 1;
  float used_capacity = 0;  // of this queue's capacity
  float absolute_used_capacity = 0;
  float weight = -1;  // where capacity is configured so
  float normalized_weight = 0;
  bool absolute = false;  // capacity is configured as amounts, the next two
  Resources configured_minimum;
  Resources configured_maximum;
  QueueCreation creation = QueueCreation::kOff;  // of children, when applications need them
  QueueCreation origin = QueueCreation::kOff;    // how it came itself; kOff: it is listed
  bool plan = false;                             // reservable: its children are reservations
  bool hides_reservations = false;               // to people
  QueueTemplates templates;
  std::vector<PriorityRight> priority_rights;  // of a leaf, the lowest maximum first; none: all may
  std::vector<std::string> capacity_vector;    // of each resource type, where kinds may be mixed
  std::string capacity_mode;                   // the same; "" = as weight and absolute say
  std::int32_t priority = 0;
  Resources guaranteed;
  Resources maximum;
  Resources used;
  Resources pending;
  Resources reserved;
  Resources max_allocation;
  std::int32_t apps = 0;
  std::int32_t active_apps = 0;
  std::int32_t pending_apps = 0;
  std::int32_t containers = 0;
  std::int32_t pending_containers = 0;
  std::int32_t reserved_containers = 0;
  std::int32_t max_apps = 0;
  std::int32_t max_apps_per_user = 0;
  float user_limit_percent = 100;
  float user_limit_factor = 1;
  float max_master_share = 0.1F;
  Resources master_limit;
  Resources user_master_limit;
  Resources master_used;
  std::int32_t default_priority = 0;
  std::int64_t max_lifetime_seconds = -1;
  std::int64_t default_lifetime_seconds = -1;
  std::string ordering_policy = "fifo";  // of a parent "utilization" or "priority-utilization"
  std::int32_t max_parallel_apps = INT32_MAX;
  bool preemption_disabled = true;
  bool intra_preemption_disabled = true;
  std::string submit_acl = "*";
  std::string administer_acl = "*";
  std::vector<std::string> labels;  // it may use; "*" = all
  std::string default_label;
  std::vector<PartitionReport> partitions;  // the default one first
  QueueCounts counts;
  std::vector<QueueUserReport> users;
  std::vector<UserMetrics> user_metrics;  // by name; none where user-metrics.enable is off
  std::vector<QueueReport> children;
};

inline bool may_use(const QueueReport& queue, const std::string& label) {
  return label.empty() || std::ranges::any_of(queue.labels, [&](const std::string& one) {
           return one == "*" || one == label;
         });
}

/// What the scheduler did lately.
struct SchedulerHealth {
  struct Place {
    NodeId node;
    ContainerId container;
    std::string queue;
  };
  std::optional<Place> last_allocation, last_release;
  WallTime last_change;  // of the last allocation or release; 0 = none yet
  // In the last full second.
  std::int64_t allocations = 0, releases = 0;
  Resources allocated, released;
};

/// The preemption ledger since the start of this ResourceManager. A claim is one container of a
/// waiter for which others have to go.
struct PreemptionSums {
  std::int64_t claims = 0, served = 0, withdrawn = 0, in_vain = 0;
  std::int64_t victims = 0, victims_gone = 0, victims_in_vain = 0;
  // With observe_only: what the last look would have made, and all containers so far.
  std::int64_t observed_claims = 0, observed_victims = 0, observed_victims_total = 0;
  std::int64_t wait_ms = 0, wait_max_ms = 0;  // from need to warning: of all claims, the longest
  ResourceSeconds lost, lost_in_vain;         // what had run, times its size
};

struct ClusterMetrics {
  std::int64_t apps_submitted = 0, apps_completed = 0, apps_failed = 0, apps_killed = 0;
  std::int32_t apps_pending = 0, apps_running = 0;
  std::int32_t containers_allocated = 0, containers_reserved = 0, containers_pending = 0;
  Resources total, available, allocated, reserved, pending;
  std::int32_t nodes_active = 0, nodes_lost = 0, nodes_unhealthy = 0, nodes_decommissioning = 0,
               nodes_decommissioned = 0, nodes_rebooted = 0, nodes_shutdown = 0;
  std::int64_t containers_assigned_total = 0;
  std::int32_t max_app_priority = 0;  // yarn.cluster.max-application-priority
  // AMs: until they have a container, until it is started, until they register.
  Delays master_allocation, master_launch, master_registration;
  SchedulerHealth health;
  PreemptionSums preemption;
  std::size_t event_queue_size = 0;
};

/// Facts that never change while the daemon runs.
struct ClusterInfo {
  std::int64_t started_ms = 0;  // the cluster timestamp in ids
  ResourceTypes resource_types;
  Resources minimum_allocation;
  Resources maximum_allocation;
  std::int32_t max_attempts = 2;
  std::string store_name;
};

/// Which applications a listing wants. Empty sets and unset bounds mean: any.
struct AppFilter {
  std::set<AppState> states;
  std::set<FinalStatus> final_statuses;
  std::set<std::string> users;
  std::set<std::string> queues;  // full path or last name
  std::set<std::string> types;
  std::set<std::string> tags;  // any of them; lower case
  std::string name;            // exact; "" = any
  std::int64_t started_from_ms = 0, started_to_ms = INT64_MAX;
  std::int64_t finished_from_ms = 0, finished_to_ms = INT64_MAX;
  std::int64_t limit = INT64_MAX;
  std::optional<AppId> after;  // only what a listing shows after this one
  bool newest_first = false;   // by id downwards
};

using AppReportPtr = std::shared_ptr<const AppReport>;
using AttemptReportPtr = std::shared_ptr<const AttemptReport>;
using ContainerReportPtr = std::shared_ptr<const ContainerReport>;
using NodeReportPtr = std::shared_ptr<const NodeReport>;
using QueueReportPtr = std::shared_ptr<const QueueReport>;  // the root
using LabelsReportPtr = std::shared_ptr<const LabelsReport>;
using AttributesReportPtr = std::shared_ptr<const AttributesReport>;

/// Every call from any thread, without waiting for the core.
class Reports {
 public:
  virtual ~Reports() = default;
  virtual const ClusterInfo& info() const = 0;
  virtual ClusterMetrics metrics() const = 0;

  virtual AppReportPtr app(const AppId& id) const = 0;                        // nullptr = not known
  virtual std::vector<AppReportPtr> apps(const AppFilter& filter) const = 0;  // by id
  virtual AttemptReportPtr attempt(const AttemptId& id) const = 0;
  virtual std::vector<AttemptReportPtr> attempts(const AppId& id) const = 0;
  virtual ContainerReportPtr container(const ContainerId& id) const = 0;
  virtual std::vector<ContainerReportPtr> containers(const AttemptId& id) const = 0;
  virtual NodeReportPtr node(const NodeId& id) const = 0;
  virtual std::vector<NodeReportPtr> nodes(
      const std::set<NodeState>& states) const = 0;  // by id; empty = all
  virtual QueueReportPtr queues() const = 0;
  virtual LabelsReportPtr labels() const = 0;          // never nullptr
  virtual AttributesReportPtr attributes() const = 0;  // never nullptr

  /// The outstanding AM of that attempt may still log in with its AMRM token.
  virtual bool attempt_may_log_in(const AttemptId& id) const = 0;
};

}  // namespace heddle::rm
