// How the agent talks to its ResourceManager. compat/nm implements RmLink over Hadoop RPC.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"
#include "base/result.h"
#include "nodemanager/api/container.h"
#include "security/token_keys.h"

namespace heddle::nm {

struct Health {
  bool healthy = true;
  std::string report;
  WallTime reported;
};

struct Utilization {
  std::int64_t physical_mb = 0;
  std::int64_t virtual_mb = 0;
  float cpu = 0;  // cores
};

struct LogReport {
  AppId app;
  std::string status;  // LogAggregationStatus: "RUNNING", "SUCCEEDED", "FAILED", ...
  std::string diagnostics;
};

/// What opportunistic containers have of this node.
struct OpportunisticUse {
  std::int32_t running = 0;
  std::int32_t queued = 0;
  std::int32_t queue_length = 0;    // of all containers that wait for room
  std::int32_t queue_capacity = 0;  // 0: none may wait
  std::int64_t memory_mb = 0;       // of those that run
  std::int32_t vcores = 0;
};

/// A fact about this node, under the prefix nm.yarn.io.
struct NodeAttribute {
  std::string name;
  std::string value;
  friend bool operator==(const NodeAttribute&, const NodeAttribute&) = default;
};

struct Registration {
  NodeId id;
  std::int32_t http_port = 0;
  Resources total;
  std::string version;
  std::vector<ContainerStatus> containers;
  std::vector<AppId> running_apps;
  Health health;
  OpportunisticUse opportunistic;
  std::optional<std::vector<std::string>> labels;        // unset: nothing is said of them
  std::optional<std::vector<NodeAttribute>> attributes;  // likewise
};

struct Registered {
  bool shutdown = false;  // refused: stop, `diagnostics` says why
  std::string diagnostics;
  std::int64_t rm_identifier = 0;
  std::string rm_version;
  security::MasterKey container_key;
  security::MasterKey nm_key;
  std::optional<Resources> total;  // set when the ResourceManager overrides it
  bool labels_accepted = false;
  bool attributes_accepted = false;
};

struct Heartbeat {
  NodeId id;
  std::int32_t response_id = 0;
  std::vector<ContainerStatus> containers;
  Health health;
  std::vector<AppId> keep_alive_apps;
  std::vector<LogReport> log_reports;
  Utilization containers_utilization;
  Utilization node_utilization;
  OpportunisticUse opportunistic;
  std::vector<std::pair<ContainerId, Resources>> increased;  // since the last one
  std::int32_t container_key_id = 0;
  std::int32_t nm_key_id = 0;
  std::optional<std::vector<std::string>> labels;        // unset: as before
  std::optional<std::vector<NodeAttribute>> attributes;  // likewise
};

enum class HeartbeatAction : std::uint8_t { kNormal, kResync, kShutdown };
// SignalContainerCommand.
enum class Signal : std::uint8_t { kThreadDump, kGracefulShutdown, kForcefulShutdown };

struct HeartbeatAnswer {
  HeartbeatAction action = HeartbeatAction::kNormal;
  std::string diagnostics;
  std::int32_t response_id = 0;
  std::vector<ContainerId> containers_to_clean_up;
  std::vector<ContainerId> containers_to_forget;
  std::vector<AppId> apps_to_clean_up;
  std::vector<std::pair<ContainerId, Signal>> signals;
  std::vector<ContainerGrant> updates;
  std::optional<std::int32_t> queue_limit;  // of opportunistic containers that wait
  std::chrono::milliseconds next_heartbeat{1000};
  std::optional<security::MasterKey> container_key;
  std::optional<security::MasterKey> nm_key;
  bool labels_accepted = false;
  bool attributes_accepted = false;
};

/// Calls return at once; `done` comes once, on any thread. kUnavailable: nobody answered, try
/// again. kPermissionDenied, kInvalidArgument: the ResourceManager refused.
class RmLink {
 public:
  virtual ~RmLink() = default;
  virtual void register_node(Registration request,
                             std::function<void(Result<Registered>)> done) = 0;
  virtual void heartbeat(Heartbeat request, std::function<void(Result<HeartbeatAnswer>)> done) = 0;
  virtual void unregister_node(const NodeId& node, std::function<void(Result<void>)> done) = 0;
};

/// Keys that verify container and NM tokens; filled by registration and heartbeats. Any thread.
struct TokenVerifiers {
  security::TokenKeys container;
  security::TokenKeys nm;
};

}  // namespace heddle::nm
