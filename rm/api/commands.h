// What front ends ask of the ResourceManager, and its answers. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/resources.h"
#include "queues/reservations/types.h"
#include "queues/tagged_ask.h"
#include "rm/api/types.h"

namespace heddle::rm {

/// How a container is to be started, in the format of the front end that submitted it. The core
/// keeps and stores it unread; the launcher of the same front end decodes it.
using LaunchBlob = std::shared_ptr<const std::string>;

/// One line of an AM's ask table. `containers` is absolute: it replaces what was asked under the
/// same key (priority, allocation_request_id, resource_name), of whatever size.
struct Ask {
  std::int32_t priority = 0;        // lower is served first
  std::string resource_name = "*";  // host, "/rack" or "*"
  Resources resources;
  std::int32_t containers = 0;
  bool relax_locality = true;
  /// Of "*" rows. nullopt: that of the application, else that of the queue; "": the default
  /// partition.
  std::optional<std::string> label_expression;
  ExecutionType execution_type = ExecutionType::kGuaranteed;
  std::int64_t allocation_request_id = -1;
};

/// Where placement rules put a submission: instead of what it asks for. Set by the service before
/// the core sees it, never by a front end.
struct PlacedByRules {
  std::string queue;                     // full path; "" = the queue it names
  std::optional<std::int32_t> priority;  // of its workflow
};

/// ApplicationSubmissionContext.
struct Submission {
  AppId id;
  std::string name = "N/A";
  std::string type = "YARN";
  std::string queue = "default";
  std::set<std::string> tags;
  std::int32_t priority = -1;  // -1 = not given
  Resources am_resources;
  std::vector<Ask> am_asks;  // locality of the AM; empty = anywhere
  bool unmanaged = false;
  bool keep_containers = false;  // across attempts
  bool cancel_tokens_when_complete = true;
  std::int32_t max_attempts = 0;  // 0 = the cluster's setting
  std::int64_t attempt_failures_validity_ms = -1;
  std::int64_t lifetime_seconds = -1;           // ApplicationTimeoutType.LIFETIME; -1 = none
  std::optional<std::string> label_expression;  // nullopt: that of the queue
  std::string view_acl;                         // "user1,user2 group1"; "" = owner and admins only
  std::string modify_acl;
  LaunchBlob launch;                    // ContainerLaunchContext
  std::string log_aggregation_context;  // as submitted, unread; "" = none
  PlacedByRules placed;
  std::optional<queues::reservations::ReservationId> reservation;  // to run in

  const std::string& target_queue() const { return placed.queue.empty() ? queue : placed.queue; }
  /// -1 = the queue's.
  std::int32_t wanted_priority() const { return placed.priority.value_or(priority); }
};

struct KillProgress {
  bool completed = false;  // false: ask again
};

// --- ApplicationMaster ------------------------------------------------------------------------

struct RegisterMaster {
  std::string host;
  std::int32_t rpc_port = -1;
  std::string tracking_url;
  /// Placement constraints of the application, each for the requests with these allocation tags.
  std::vector<std::pair<std::vector<std::string>, queues::ConstraintPtr>> constraints = {};
};

/// A container as its owner needs to see it. Tokens are made from it at the door.
struct GrantedContainer {
  ContainerId id;
  NodeId node;
  std::string node_http_address;  // host:port
  Resources resources;
  std::int32_t priority = 0;
  ExecutionType execution_type = ExecutionType::kGuaranteed;
  std::int64_t allocation_request_id = -1;
  WallTime created;
  WallTime token_expiry;
  std::string user;
  bool is_master = false;
  LaunchBlob log_aggregation_context = nullptr;  // of the submission, unread; nullptr = none
  /// nullptr = none.
  std::shared_ptr<const std::vector<std::string>> allocation_tags = nullptr;
  std::int32_t version = 0;  // how often it was updated
};

// ContainerUpdateType.
enum class UpdateKind : std::uint8_t { kIncrease, kDecrease, kPromote, kDemote };

struct UpdateContainer {
  ContainerId container;
  std::int32_t version = 0;  // that the AM knows
  UpdateKind kind = UpdateKind::kIncrease;
  std::optional<Resources> resources;           // none, or none that make sense
  std::optional<ExecutionType> execution_type;  // nullopt: what `kind` says
};

struct UpdatedContainer {
  UpdateKind kind = UpdateKind::kIncrease;
  GrantedContainer container;
};

struct FinishedContainer {
  ContainerId id;
  std::int32_t exit_status = exit_status::kInvalid;
  std::string diagnostics;
};

struct MasterRegistered {
  QueuePath queue;
  Resources maximum;
  std::string view_acl;
  std::string modify_acl;
  bool counts_vcores = true;                          // the scheduler looks at more than memory
  std::vector<GrantedContainer> previous_containers;  // of earlier attempts, kept
};

struct Allocate {
  std::int32_t response_id = 0;
  float progress = 0;
  std::vector<Ask> asks;
  std::vector<ContainerId> releases;
  std::vector<std::string> blacklist_additions;
  std::vector<std::string> blacklist_removals;
  std::vector<UpdateContainer> updates;  // refused one by one, with a reason
  std::optional<std::string> tracking_url;
  std::vector<queues::TaggedAsk> scheduling_requests = {};
};

struct NodeChange {
  NodeId node;
  std::string http_address;
  std::string rack;
  NodeState state = NodeState::kRunning;
  Resources total;
  Resources used;
  std::int32_t containers = 0;
};

struct UpdateRefused {
  ContainerId container;
  std::string reason;                 // "UPDATE_OUTSTANDING_ERROR" and so on
  std::int32_t current_version = -1;  // -1: there is no such container
  std::size_t index = 0;              // of the request in Allocate::updates
};

struct Allocated {
  std::int32_t response_id = 0;
  std::vector<GrantedContainer> containers;
  /// Nodes of `containers` for which this attempt has no valid NM token yet.
  std::vector<NodeId> nm_tokens_for;
  std::vector<FinishedContainer> finished;
  std::vector<NodeChange> updated_nodes;
  std::vector<UpdatedContainer> updated;
  std::vector<UpdateRefused> update_errors;
  /// Containers that will be preempted unless as much is given back in time.
  std::vector<ContainerId> losing;
  Resources losing_resources;
  Resources headroom;
  std::int32_t cluster_nodes = 0;
  std::int32_t priority = 0;  // of the application
  /// The AMRM key rolled: the door puts a fresh AMRM token into the answer.
  bool renew_amrm_token = false;
  /// Scheduling requests that found no place in time.
  std::vector<queues::GivenUp> rejected_requests = {};
};

struct FinishMaster {
  FinalStatus status = FinalStatus::kUndefined;
  std::string diagnostics;
  std::string tracking_url;
};

// --- Node labels and attributes ---------------------------------------------------------------

/// A partition of the cluster.
struct NodeLabel {
  std::string name;
  bool exclusive = true;  // false: what its own asks leave serves asks without a label
  friend bool operator==(const NodeLabel&, const NodeLabel&) = default;
};

/// Port 0 stands for the host and all its nodes.
using NodeLabelSets = std::map<NodeId, std::set<std::string>>;

struct ReplaceLabels {
  NodeLabelSets nodes;
  bool fail_on_unknown_nodes = false;
};

inline constexpr std::string_view kCentralAttributes = "rm.yarn.io";  // given by operators
inline constexpr std::string_view kNodeAttributes = "nm.yarn.io";     // told by the nodes

/// A fact about a host. Attributes are told apart by prefix and name; the type is always STRING.
struct NodeAttribute {
  std::string prefix{kCentralAttributes};
  std::string name;
  std::string value;
  friend auto operator<=>(const NodeAttribute&, const NodeAttribute&) = default;
};

struct MapAttributes {
  enum class Operation : std::uint8_t { kReplace, kAdd, kRemove };
  Operation operation = Operation::kReplace;
  std::map<std::string, std::vector<NodeAttribute>> hosts;  // by host name
  bool fail_on_unknown_nodes = false;
};

// --- NodeManager ------------------------------------------------------------------------------

/// A container as its node reports it (NMContainerStatus, ContainerStatus).
struct NodeContainer {
  ContainerId id;
  bool finished = false;
  bool running = true;        // false while queued or localizing
  Resources resources;        // of a heartbeat: memory and vcores; zero: not told
  std::int32_t priority = 0;  // registration only
  WallTime created;           // registration only
  std::int32_t exit_status = exit_status::kInvalid;
  std::string diagnostics;
};

struct LogAggregationReport {
  AppId app;
  std::string status;  // "RUNNING", "SUCCEEDED", ... (LogAggregationStatus)
  std::string diagnostics;
};

struct NodeHealth {
  bool healthy = true;
  std::string report;
  WallTime reported;
};

struct NodeUtilization {
  std::int64_t physical_mb = 0;
  std::int64_t virtual_mb = 0;
  float cpu = 0;  // cores
};

/// What opportunistic containers have of a node (OpportunisticContainersStatus).
struct OpportunisticUse {
  std::int32_t running = 0;
  std::int32_t queued = 0;
  std::int32_t queue_length = 0;    // of all containers that wait
  std::int32_t queue_capacity = 0;  // 0: none may wait there
  std::int64_t memory_mb = 0;
  std::int32_t vcores = 0;
  friend bool operator==(const OpportunisticUse&, const OpportunisticUse&) = default;
};

struct RegisterNode {
  NodeId id;
  std::int32_t http_port = 0;
  Resources total;
  std::string version;
  std::string address;  // of the connection
  std::string rack = "/default-rack";
  std::vector<NodeContainer> containers;
  std::vector<AppId> running_apps;
  NodeHealth health;
  OpportunisticUse opportunistic;
  std::optional<std::set<std::string>> labels;           // unset: it says nothing of them
  std::optional<std::vector<NodeAttribute>> attributes;  // likewise
};

struct NodeRegistered {
  bool shutdown = false;  // refused; `diagnostics` says why
  std::string diagnostics;
  std::int64_t rm_identifier = 0;  // cluster start, ms
  bool labels_accepted = false;
  bool attributes_accepted = false;
};

struct NodeHeartbeat {
  NodeId id;
  std::int32_t response_id = 0;
  std::vector<NodeContainer> containers;
  NodeHealth health;
  std::vector<AppId> keep_alive_apps;
  std::vector<LogAggregationReport> log_aggregation;
  NodeUtilization containers_utilization;
  NodeUtilization node_utilization;
  OpportunisticUse opportunistic;
  std::optional<std::set<std::string>> labels;           // unset: as before
  std::optional<std::vector<NodeAttribute>> attributes;  // likewise
};

enum class NodeAction : std::uint8_t { kNormal, kResync, kShutdown };

struct SignalRequest {
  ContainerId container;
  SignalCommand command;
};

struct NodeHeartbeatAnswer {
  NodeAction action = NodeAction::kNormal;
  std::string diagnostics;
  std::int32_t response_id = 0;
  std::vector<ContainerId> containers_to_clean_up;
  std::vector<ContainerId> containers_to_forget;  // containers_to_be_removed_from_nm
  std::vector<AppId> apps_to_clean_up;
  std::vector<SignalRequest> signals;
  std::vector<UpdatedContainer> containers_to_update;
  std::optional<std::int32_t> queue_limit;  // of opportunistic containers that wait; unset: its own
  std::chrono::milliseconds next_heartbeat{1000};
  bool decommissioning = false;
  bool labels_accepted = false;
  bool attributes_accepted = false;
};

// --- Administration ---------------------------------------------------------------------------

struct NodeLists {
  std::vector<std::string> include;  // empty = everybody
  std::vector<std::string> exclude;
};

/// Sizes that an operator sets for nodes, whatever the nodes say of themselves.
using NodeSizes = std::map<NodeId, Resources>;

// --- What the core asks of others -------------------------------------------------------------

/// Everything needed to start an ApplicationMaster's container.
struct MasterLaunch {
  AttemptId attempt;
  GrantedContainer container;
  std::shared_ptr<const Submission> submission;
  std::string user;
  WallTime submitted;
};

}  // namespace heddle::rm
