// The live objects of the core. Plain structs; the rules are in core_*.cc and the state tables.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/resources.h"
#include "queues/types.h"
#include "rm/api/commands.h"
#include "rm/api/door.h"
#include "rm/api/reports.h"
#include "rm/core/records.h"

namespace heddle::rm {

/// A container that has to be started by then.
struct StartDeadline {
  Instant by;
  ContainerId id;
};

struct Node;

struct Container {
  GrantedContainer grant;
  Node* node = nullptr;          // where it is, and listed as long as it lives
  queues::HoldId hold = 0;       // its room in the scheduler
  queues::HoldId bare_hold = 0;  // of one that was demoted: its allocation tags count on
  ContainerState state = ContainerState::kNew;
  std::optional<std::list<StartDeadline>::iterator> watched;  // its pending deadline
  Resources confirmed;       // the last of its sizes that its node had
  std::uint64_t ticket = 0;  // of the growth that it waits for
  bool touched = false;      // listed in Core::touched_containers_
};

struct Attempt {
  AttemptId id;
  AttemptState state = AttemptState::kNew;
  AttemptState state_before_saving = AttemptState::kNew;
  FinishAttempt end;  // filled when it is known how the attempt ends
  WallTime started;

  std::optional<ContainerId> master_container;
  NodeId master_node;
  std::string master_node_http;
  bool master_gone = false;  // its container has finished
  bool launch_answered = false;
  std::string host = "N/A";
  std::int32_t rpc_port = -1;
  std::string tracking_url;
  float progress = 0;
  bool registered = false;
  Instant step_began;                  // on the way to being registered
  std::optional<Instant> first_asked;  // for containers of its own
  bool has_containers = false;         // or had
  Instant last_heard;
  Instant use_shown;               // when what it uses was last reported for its heartbeat's sake
  std::optional<Instant> watched;  // its pending deadline

  std::int64_t containers_made = 0;                            // the last container number given
  std::unordered_set<ContainerId> containers;                  // live
  std::vector<ContainerId> granted;                            // not yet told
  std::map<ContainerId, UpdateKind> updated;                   // not yet told
  std::vector<std::pair<NodeId, FinishedContainer>> finished;  // not yet told
  /// Told with the last answer; forgotten on their nodes when the next allocate shows that it came.
  std::vector<std::pair<NodeId, FinishedContainer>> told_finished;
  std::vector<ContainerId> transferred;  // kept from earlier attempts
  std::unordered_set<NodeId> nm_tokens_given;
  std::uint64_t node_changes_seen = 0;  // number of the last change it was told of
  std::map<std::tuple<std::int32_t, std::int64_t, std::string>, Ask> asks;  // outstanding rows
  std::map<std::tuple<std::int32_t, std::int64_t, std::string>, Ask> opportunistic;  // likewise
  std::set<std::string> blacklist;
  bool has_tagged_asks = false;           // it sent some, and they may be outstanding
  std::vector<queues::GivenUp> given_up;  // not yet told
  std::shared_ptr<const Allocated> last_answer;
  std::int32_t amrm_key_told = 0;  // key id of the last fresh token
};

/// What the cluster did to an AM is not its failure.
constexpr bool counts_as_failure(std::int32_t exit_status) {
  return exit_status != exit_status::kPreempted && exit_status != exit_status::kAborted &&
         exit_status != exit_status::kDisksFailed &&
         exit_status != exit_status::kKilledByResourceManager;
}

struct App {
  AppId id;
  std::shared_ptr<const Submission> submission;
  std::string user;
  std::string queue;
  std::string master_label;  // where its AM goes; "" = the default partition
  AppState state = AppState::kNew;
  AppState state_before_saving = AppState::kNew;
  FinishApp end;
  std::int32_t priority = 0;
  std::int32_t max_attempts = 1;
  std::string diagnostics;
  WallTime submitted;
  WallTime started;
  WallTime launched;
  WallTime lifetime_expiry;
  std::optional<Instant> lifetime_watched;  // its pending deadline
  bool in_scheduler = false;
  bool queue_lost = false;       // at recovery
  bool counted = false;          // in the counters of its queue
  bool counted_running = false;  // as running, too
  bool kill_requested = false;
  std::string kill_diagnostics;
  std::vector<WallTime> failures;  // counted ones
  std::map<std::int32_t, Attempt> attempts;
  std::set<NodeId> nodes;  // where it ran containers
  std::map<NodeId, LogAggregationReport> log_aggregation;

  // Usage: `used` since `accounted`, in `seconds` before.
  Resources used;
  Resources opportunistic;  // beside that
  std::int32_t used_containers = 0;
  ResourceSeconds millis;        // resource-milliseconds; reports divide
  std::set<ContainerId> losing;  // to be preempted
  Resources preempted;
  std::int32_t preempted_containers = 0;
  std::int32_t preempted_masters = 0;
  ResourceSeconds preempted_millis;
  WallTime accounted;
  bool use_untold = false;  // its report waits for the next sums

  Attempt* current() { return attempts.empty() ? nullptr : &attempts.rbegin()->second; }
  const Attempt* current() const { return attempts.empty() ? nullptr : &attempts.rbegin()->second; }
};

/// Resource-milliseconds used until `now`.
ResourceSeconds millis_at(const App& app, const Now& now);

/// The number of the next heartbeat, of a node or an AM, after the one numbered `id`.
inline std::int32_t next_response_id(std::int32_t id) {
  return id == INT32_MAX ? 0 : id + 1;
}

struct Node {
  NodeId id;
  NodeState state = NodeState::kNew;
  std::string http_address;
  std::string rack = "/default-rack";
  std::string version;
  Resources total;
  Resources used;
  bool use_untold = false;  // its report waits for the next sums
  NodeHealth health;
  NodeUtilization containers_utilization;
  NodeUtilization node_utilization;
  Instant last_heard;
  std::optional<Instant> watched;  // its pending deadline
  std::uint64_t changed = 0;       // number of its last change, for AMs
  bool shrunk = false;             // made smaller than what runs on it
  std::int32_t response_id = 0;
  NodeHeartbeatAnswer last_answer;
  std::unordered_set<ContainerId> containers;      // live
  std::unordered_set<ContainerId> unacknowledged;  // finished, their AM not yet told
  std::vector<ContainerId> to_clean_up;            // some of them twice
  std::vector<ContainerId> to_forget;              // likewise
  std::set<AppId> apps_to_clean_up;
  std::vector<SignalRequest> signals;
  std::map<ContainerId, UpdateKind> to_update;
  OpportunisticUse opportunistic;           // as it told last
  std::int32_t load = 0;                    // that wait there, with those given since
  std::optional<std::int32_t> listed_load;  // in Core::by_load_
  bool load_counted = false;                // in the sums over all nodes
  std::unordered_set<AppId> apps;           // with containers here since registration
  std::optional<Instant> drain_deadline;
  std::optional<std::int32_t> drain_timeout_seconds;

  bool serves() const {
    return state == NodeState::kRunning || state == NodeState::kUnhealthy ||
           state == NodeState::kDecommissioning;
  }
};

}  // namespace heddle::rm
