// The services of the ResourceManager. compat/ and api/ call them; rm/service/ implements them.
// Every call returns at once; its reply comes once, from a thread of the service, after what it
// promises is durable. A reply callback must not block: it posts to its own loop.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "rm/api/commands.h"
#include "rm/api/queue_changes.h"
#include "rm/api/reports.h"
#include "security/caller.h"
#include "security/token_keys.h"

namespace heddle::rm {

template <class T>
using ReplyTo = std::function<void(Result<T>)>;

/// What users ask for.
class ApplicationService {
 public:
  virtual ~ApplicationService() = default;
  /// A fresh id. Any thread; not durable: ids restart with the cluster timestamp.
  virtual AppId new_application_id() = 0;
  /// Durable when answered. The same id again from the same user is success without effect.
  virtual void submit(const security::Caller& caller, Submission submission,
                      ReplyTo<void> reply) = 0;
  virtual void kill(const security::Caller& caller, const AppId& app, std::string diagnostics,
                    ReplyTo<KillProgress> reply) = 0;
  virtual void fail_attempt(const security::Caller& caller, const AttemptId& attempt,
                            ReplyTo<void> reply) = 0;
  virtual void move(const security::Caller& caller, const AppId& app, std::string queue,
                    ReplyTo<void> reply) = 0;
  /// Answers the priority in force: clamped to the cluster's maximum.
  virtual void update_priority(const security::Caller& caller, const AppId& app,
                               std::int32_t priority, ReplyTo<std::int32_t> reply) = 0;
  /// The LIFETIME timeout; answers the expiry in force.
  virtual void update_lifetime(const security::Caller& caller, const AppId& app, WallTime expiry,
                               ReplyTo<WallTime> reply) = 0;
  virtual void signal_container(const security::Caller& caller, const ContainerId& container,
                                SignalCommand command, ReplyTo<void> reply) = 0;
};

/// What ApplicationMasters ask for. The attempt comes from the authenticated token.
class MasterService {
 public:
  virtual ~MasterService() = default;
  virtual void register_master(const AttemptId& attempt, RegisterMaster request,
                               ReplyTo<MasterRegistered> reply) = 0;
  /// The same response id again gives the same answer again.
  virtual void allocate(const AttemptId& attempt, Allocate request,
                        ReplyTo<std::shared_ptr<const Allocated>> reply) = 0;
  /// True: the final state is durable. False: ask again.
  virtual void finish_master(const AttemptId& attempt, FinishMaster request,
                             ReplyTo<bool> reply) = 0;
};

/// What NodeManagers tell.
class NodeService {
 public:
  virtual ~NodeService() = default;
  virtual void register_node(RegisterNode request, ReplyTo<NodeRegistered> reply) = 0;
  virtual void heartbeat(NodeHeartbeat request, ReplyTo<NodeHeartbeatAnswer> reply) = 0;
  virtual void unregister_node(const NodeId& node, ReplyTo<void> reply) = 0;
};

/// What operators change. All are refused to callers that are not administrators.
class AdminService {
 public:
  virtual ~AdminService() = default;
  /// Reads capacity-scheduler.xml again; a broken file changes nothing.
  virtual void refresh_queues(const security::Caller& caller, ReplyTo<void> reply) = 0;
  /// Reads the include and exclude files again. `graceful_timeout` set: drain instead of stop.
  virtual void refresh_nodes(const security::Caller& caller,
                             std::optional<std::chrono::seconds> graceful_timeout,
                             ReplyTo<void> reply) = 0;
  virtual void update_node_resources(const security::Caller& caller, const NodeId& node,
                                     Resources total, ReplyTo<void> reply) = 0;
  /// Reads yarn.cluster.max-application-priority again.
  virtual void refresh_max_priority(const security::Caller& caller, ReplyTo<void> reply) = 0;
  /// Reads dynamic-resources.xml again: the sizes there hold for nodes that run or will register.
  virtual void refresh_node_sizes(const security::Caller& caller, ReplyTo<void> reply) = 0;
  /// Node labels. Durable when answered; the errors carry the texts of Hadoop, subject kLabel.
  virtual void add_labels(const security::Caller& caller, std::vector<NodeLabel> labels,
                          ReplyTo<void> reply) = 0;
  virtual void remove_labels(const security::Caller& caller, std::set<std::string> names,
                             ReplyTo<void> reply) = 0;
  virtual void replace_labels(const security::Caller& caller, ReplaceLabels request,
                              ReplyTo<void> reply) = 0;
  /// Node attributes, likewise.
  virtual void map_attributes(const security::Caller& caller, MapAttributes request,
                              ReplyTo<void> reply) = 0;
  /// Checks admin rights only: for refreshes that have nothing to reload yet.
  virtual void check_admin(const security::Caller& caller, ReplyTo<void> reply) = 0;
};

/// How the queues are configured while the ResourceManager runs.
class QueueConfigService {
 public:
  virtual ~QueueConfigService() = default;
  /// What is in force. Any thread, at once.
  virtual QueueConfigState queue_config() const = 0;
  /// Checks, puts into force and keeps, all or nothing; durable when answered. kInvalidArgument
  /// with all faults, one a line; kPermissionDenied by the policy for changes; kUnsupported where
  /// the file rules, except for dry runs; kNotFound: no such version.
  virtual void change_queues(const security::Caller& caller, QueueChange change,
                             ReplyTo<QueueChangeOutcome> reply) = 0;
  /// Forgets all changes: capacity-scheduler.xml is in force, as after a first start.
  virtual void reset_queues(const security::Caller& caller, ReplyTo<void> reply) = 0;
  /// Versions that are kept, newest first, without their settings.
  virtual void queue_history(const security::Caller& caller,
                             ReplyTo<std::vector<QueueVersion>> reply) = 0;
  /// One of them with its settings; kNotFound.
  virtual void queue_version(const security::Caller& caller, std::int64_t number,
                             ReplyTo<QueueVersion> reply) = 0;
  /// Whether the caller may read settings, among them access lists.
  virtual void check_may_read_queues(const security::Caller& caller, ReplyTo<void> reply) = 0;
};

/// Starts and stops ApplicationMasters on nodes; implemented by a front end. Called on the core's
/// thread; must not block.
class MasterLauncher {
 public:
  virtual ~MasterLauncher() = default;
  virtual void launch(MasterLaunch launch, ReplyTo<void> reply) = 0;
  /// Stops the container; nobody waits for the outcome.
  virtual void clean_up(const AttemptId& attempt, const ContainerId& container,
                        const NodeId& node) = 0;
};

/// The master keys of the tokens this ResourceManager signs.
struct TokenSigners {
  security::TokenKeys amrm;
  security::TokenKeys nm;
  security::TokenKeys container;
};

class ExplainService;      // rm/api/explain.h
class ReservationService;  // rm/api/reservations.h

/// All services together, as wired in main().
struct Door {
  ApplicationService& applications;
  MasterService& masters;
  NodeService& nodes;
  AdminService& admin;
  const Reports& reports;
  TokenSigners& keys;
  QueueConfigService* queue_config = nullptr;  // nullptr: there is none to ask
  ExplainService* explain = nullptr;           // likewise
  ReservationService* reservations = nullptr;  // likewise
};

}  // namespace heddle::rm
