// WHO GETS WHAT: events go in, grants come out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"
#include "base/result.h"
#include "queues/config.h"
#include "queues/constraints.h"
#include "queues/preemption.h"
#include "queues/preemption_ledger.h"
#include "queues/types.h"

namespace heddle::queues {

struct Explanation;  // explain.h
struct ExplainOptions;
struct QueueActivity;
struct WhatIf;
struct TaggedAsk;  // tagged_ask.h
struct GivenUp;
enum class Repeat : std::uint8_t;

/// The scheduler. Pure and single-threaded: no I/O, clock, lock or log; never throws. Equal calls
/// in equal order give equal grants: ties are broken by path, submission order and node order.
///
/// Event-driven: each call below notes what changed, schedule() then matches what the changes made
/// possible. What cannot be served is parked under the reason and not looked at again until an
/// event that could unblock it; what that still costs is in docs/design/0004-placement-index.md.
///
/// Locality: Hadoop counts missed heartbeats (node-locality-delay) since it sees one node at a
/// time. Here the whole cluster is in sight at the decision, so there is nothing to wait for: a
/// listed host with room wins, else a listed rack with room, else any node. The delay settings are
/// accepted and have no effect.
///
/// Unknown applications, attempts, holds and nodes in notifications (release, remove, ...) are
/// ignored: these are late news, not faults.
class Scheduler {
 public:
  Scheduler();
  ~Scheduler();
  Scheduler(Scheduler&&) noexcept;
  Scheduler& operator=(Scheduler&&) noexcept;

  // --- configuration

  /// First configuration, or a refresh. All or nothing: on error nothing has changed.
  /// kWrongState: a queue that holds applications would vanish or stop being a leaf.
  /// What the change leaves as it was is hardly touched. Room kept for a container, by
  /// preemption too, is let go.
  Result<void> configure(const QueueConfig& config, const Limits& limits);
  Result<void> configure(std::shared_ptr<const QueueConfig> config, const Limits& limits);

  // --- queues that are made for applications, and those that go by themselves

  /// The leaf of that path, made where it is missing and a queue above it makes queues by itself.
  /// kNotFound: nobody would make it; kLimitExceeded, kWrongState, kInvalidArgument: it may not be
  /// made. `recovering`: no limit counts.
  Result<QueuePath> make_leaf(std::string_view queue, bool recovering = false);
  /// Takes away what was made, holds nothing and was idle for auto_expiry_s. Children first.
  std::vector<QueuePath> remove_idle_queues();
  /// When remove_idle_queues() may find the next one, in the time of set_time(). nullopt: none is
  /// idle.
  std::optional<std::int64_t> next_idle_ms() const;
  /// What was made and is there, parents first.
  std::vector<QueuePath> made_queues() const;
  bool has_made_queues() const;
  /// Grows with each change of that.
  std::uint64_t made_version() const;
  /// The configuration with what was made as it would be then; nullptr: nothing would be.
  std::shared_ptr<QueueConfig> with_made(const QueueConfig& config) const;

  // --- queues of reservations, below those that are reservable

  /// Queues that are reservable.
  std::vector<QueuePath> plan_queues() const;
  /// The children of a plan queue, besides its default one, become these. One that is not among
  /// them goes once it holds no application; until then it is guaranteed nothing. kNotFound: there
  /// is no such plan queue.
  Result<void> set_plan_shares(const QueuePath& plan, std::span<const PlanShare> shares);
  std::vector<QueuePath> reserved_queues(const QueuePath& plan) const;
  /// Of the default partition, as nodes are now; nothing where there is no such queue.
  Resources guaranteed(const QueuePath& path) const;

  // --- nodes

  /// All node labels, besides the default partition (""). Nodes of a label that is not there any
  /// more are in the default partition, with what runs on them.
  void set_partitions(std::span<const PartitionSpec> partitions);
  /// A node that is known already takes the new rack and size and keeps its containers. `label`:
  /// its partition; one that is not known is the default one.
  void add_node(const NodeId& node, std::string_view rack, const Resources& total,
                std::string_view label = {});
  /// With its containers, which count in the new partition from now on.
  void set_node_label(const NodeId& node, std::string_view label);
  void update_node(const NodeId& node, const Resources& total);
  /// Not usable (unhealthy, draining): nothing new goes there, what runs stays counted. Its size
  /// still counts for the cluster.
  void set_node_usable(const NodeId& node, bool usable);
  /// Its containers stay charged to their applications until release() is called for each.
  void remove_node(const NodeId& node);

  // --- applications

  /// The full path of a leaf from its path or its name. kNotFound: no such queue, or a name that
  /// several leaves share; kInvalidArgument: not a leaf. The texts are those of Hadoop.
  Result<QueuePath> resolve_leaf(const AppId& app, const UserName& user,
                                 std::string_view queue) const;
  /// Adds an application to a leaf queue, named by path or leaf name; gives the path. `priority`:
  /// larger is served first. kNotFound, kInvalidArgument (not a leaf), kWrongState (stopped),
  /// kLimitExceeded (maximum-applications), kAlreadyExists. The texts are those of Hadoop.
  /// `recovering` skips the checks of state and number: what was accepted once stays accepted.
  Result<QueuePath> add_app(const AppId& app, std::string_view queue, const UserName& user,
                            std::int32_t priority, bool recovering = false);
  void remove_app(const AppId& app);
  /// To another leaf, with everything it holds. Same errors as add_app, and kLimitExceeded when
  /// what it holds would break the maximum capacity there. The application is untouched on error.
  Result<QueuePath> move_app(const AppId& app, std::string_view queue);
  Result<void> set_priority(const AppId& app, std::int32_t priority);

  /// The attempt waits for its share of AMs, then for the AM's container, which comes as a Grant
  /// with is_am. nullopt: unmanaged, or recovered and running already: no container is asked for;
  /// `am_charge` then still counts against the AM share.
  void start_attempt(const AttemptId& attempt, const std::optional<AmAsk>& am,
                     const Resources& am_charge = {});
  /// Drops its asks and blacklist. Containers stay charged until released, also beyond the attempt.
  void end_attempt(const AttemptId& attempt);

  /// Sets rows of the ask table; see Ask. Sizes are normalized to the queue's limits here. All or
  /// nothing. kNotFound: no such live attempt, or no such node label. kPermissionDenied: the queue
  /// may not use it (looked at first). kUnsupported: opportunistic execution.
  Result<void> update_asks(const AttemptId& attempt, std::span<const Ask> asks);
  /// Hosts or "/rack" names where this application wants nothing.
  void update_blacklist(const AttemptId& attempt, std::span<const std::string> additions,
                        std::span<const std::string> removals);

  // --- tags and placement constraints; docs/design/0010-placement-constraints.md

  /// Attributes of a node, instead of those it had.
  void set_node_attributes(const NodeId& node, NodeAttributes attributes);
  /// Tags of an application, for constraints of others that name them. Before its first tagged ask.
  void set_app_tags(const AppId& app, const std::vector<std::string>& tags);
  /// What has to hold for each later tagged ask whose only tag it is; instead of what was set
  /// before.
  void set_app_constraints(const AppId& app,
                           std::map<std::string, ConstraintPtr, std::less<>> by_tag);
  /// Asks for containers with tags, where their constraints allow them. All or nothing. kNotFound:
  /// no such live attempt, or no such node label. kInvalidArgument: of kReplaces, anything but the
  /// number differs. kLimitExceeded: too many of them. kUnsupported: opportunistic execution.
  Result<void> update_tagged_asks(const AttemptId& attempt, std::span<const TaggedAsk> asks,
                                  Repeat repeat);
  /// Counts one try for each tagged ask of the attempt that still waits, and drops those that have
  /// had `tries_max`. Parts of a constraint that come later are waited for. O(its tagged asks).
  std::vector<GivenUp> give_up_tagged(const AttemptId& attempt, std::int32_t tries_max);
  /// When a part of a constraint becomes good enough that was not, in the time of set_time():
  /// schedule() is to be called then. nullopt: nobody waits for that.
  std::optional<std::int64_t> next_part_due_ms() const;

  // --- containers

  /// A container has ended, or a grant was not used: its room is free again.
  void release(HoldId hold);
  /// A container that runs already (work-preserving restart): charges it without an ask, to the
  /// application and the node as far as they are known.
  HoldId recover_container(const AttemptId& attempt, const NodeId& node,
                           const Resources& resources);
  /// A running container changed its size (the difference is charged; no check is made).
  void resize_container(HoldId hold, const Resources& size);
  /// A container runs on without being counted: its room is free again. Its allocation tags count
  /// on: they have a hold that holds nothing else, to be released when the container ends; 0: it
  /// had none. Unknown holds: 0.
  HoldId demote(HoldId hold);
  /// Asks for room, on that node and nowhere else, under all limits; it comes as a Grant with the
  /// ticket. Before other asks of its priority. Forgotten when the hold or the attempt ends, or its
  /// node goes.
  /// kNotFound: no such live attempt, hold, or node.
  Result<void> ask_growth(const AttemptId& attempt, const Growth& growth);
  void cancel_growth(std::uint64_t ticket);

  // --- preemption

  /// The time it is, in ms from any fixed point: the start of what is granted from now on, and what
  /// preempt() goes by.
  void set_time(std::int64_t now_ms);
  void set_preemption(const PreemptionSettings& settings);
  /// One look at who is owed something; to be called every `interval_ms`. Nothing is taken here:
  /// the caller warns, ends what is overdue and calls release(), and the room goes to whom it was
  /// kept for, as a Grant of schedule().
  PreemptionRound preempt();
  /// Somebody may have begun to be owed something since the last look: one before the interval is
  /// over may be worth while.
  bool has_new_need() const;
  const PreemptionLedger& preemption_ledger() const;

  // --- decisions

  /// Matches everything that is eligible now, at most `grants_max`. Asks that came just before are
  /// answered here. O(1) when nothing has changed.
  std::vector<Grant> schedule(std::size_t grants_max);
  /// Whether schedule() might give something: true after grants_max cut it short, too.
  bool has_work() const;

  // --- answers; they change no decision

  /// What the size of an ask becomes in this queue (the cluster's limits when the queue is
  /// unknown).
  Resources normalize(const Resources& asked, const QueuePath& queue) const;
  /// Room the application may still count on: the least of user limit, queue maxima and free nodes.
  Resources headroom(const AttemptId& attempt) const;
  /// Why the application waits, as reports show it; empty when it does not. O(its asks).
  std::string explain(const AppId& app) const;
  /// The same in full; what it costs says explainer.h. nullopt: no such application.
  std::optional<Explanation> explain(const AppId& app, const ExplainOptions& options) const;
  /// What would become of an application if it came now. kNotFound: no such queue;
  /// kInvalidArgument: no leaf, or amounts that make no sense. What would be refused at submission
  /// is a verdict, too.
  Result<Explanation> explain(const WhatIf& what, const ExplainOptions& options) const;
  /// The tree of queues and those that wait in it, at most `apps_max` of them.
  QueueActivity activity(const ExplainOptions& options, std::size_t apps_max) const;

  std::optional<QueueReport> queue(const QueuePath& path) const;
  /// The few numbers that are needed often, without making a report.
  std::optional<QueueFacts> facts(const QueuePath& path) const;
  /// nullptr: no such queue. Until the next configure().
  const QueueRules* rules(const QueuePath& path) const;
  /// By path or by name that only one queue has.
  std::optional<QueuePath> find_queue(std::string_view path_or_name) const;
  std::vector<QueuePath> queue_paths() const;                // depth first, configuration order
  std::vector<AppId> apps_in(const QueuePath& queue) const;  // a leaf's, in serving order
  std::optional<AppReport> app(const AppId& app) const;
  std::optional<NodeReport> node(const NodeId& node) const;
  std::size_t node_count() const;
  Resources cluster_total() const;  // every node, usable or not
  Resources cluster_used() const;
  const QueueConfig& config() const;

  /// For tests: recomputes every sum and every list. The first difference found, or empty.
  std::string check_invariants() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heddle::queues
