// The deterministic core of the ResourceManager. One thread; reads no clock, does no I/O, and given
// equal inputs in equal order takes equal decisions.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "queues/scheduler.h"
#include "rm/api/commands.h"
#include "rm/api/door.h"
#include "rm/api/reports.h"
#include "rm/api/reservations.h"
#include "rm/app/app_table.h"
#include "rm/attempt/attempt_table.h"
#include "rm/container/container_table.h"
#include "rm/core/records.h"
#include "rm/core/reservation_table.h"
#include "rm/core/state.h"
#include "rm/label/attribute_table.h"
#include "rm/label/label_table.h"
#include "rm/node/node_table.h"
#include "security/caller.h"

namespace heddle::rm {

/// Who places containers with tags and constraints (SchedulingRequest). Both do it alike; they
/// differ in what a repeated request means, and in whether one is given up.
enum class ConstraintHandler : std::uint8_t { kDisabled, kProcessor, kScheduler };

/// Containers beyond what queues guarantee, on nodes that let them wait.
struct OpportunisticOptions {
  bool enabled = false;
  std::size_t nodes_used = 10;           // least loaded ones that are looked at for one container
  std::int32_t given_per_call_max = -1;  // to one AM; -1: as many as there is room for
  // What a node may let wait: the mean of all nodes plus so many standard deviations, within:
  float queue_stdev = 1.0F;
  std::int32_t queue_min = 5;
  std::int32_t queue_max = 15;
};

struct CoreOptions {
  std::int64_t cluster_start_ms = 0;
  std::int32_t epoch = 0;         // goes into container ids
  std::int32_t max_attempts = 2;  // yarn.resourcemanager.am.max-attempts
  std::int32_t max_attempts_limit = 2;
  Duration master_expiry = std::chrono::minutes(15);
  Duration node_expiry = std::chrono::minutes(10);
  Duration container_expiry = std::chrono::minutes(10);
  std::chrono::milliseconds heartbeat{1000};
  std::int32_t max_app_priority = 0;
  queues::Limits limits;
  queues::PreemptionSettings preemption;
  ResourceTypes resource_types;
  std::size_t attempt_diagnostics_max = 64_KiB;
  std::size_t finished_apps_max = 1000;
  bool log_aggregation = false;
  std::string web_url;               // "http://host:port", for diagnostics
  Resources node_minimum{0, 0};      // smaller nodes are refused
  std::string node_minimum_version;  // older ones are refused; "" = none is
  bool labels_enabled = false;
  bool labels_distributed = false;  // nodes tell their own, operators do not
  bool remove_idle_queues = false;  // those that were made for applications
  ReservationOptions reservations;
  std::string master_default_label;  // of AMs that ask for none; "" = that of their application
  ConstraintHandler constraint_handler = ConstraintHandler::kDisabled;
  std::int32_t constraint_tries = 3;  // of kProcessor
  bool update_by_heartbeat = false;   // nodes hear of updated containers from here, not from AMs
  OpportunisticOptions opportunistic;
};

/// What one turn of the core leaves to do, as plain data and replies. Nothing has happened yet.
struct Effects {
  std::vector<Record> records;
  std::vector<Saved> saved;                    // fed back once the records are durable
  std::vector<std::function<void()>> replies;  // at once
  /// After the records are durable; or with the reason why they will not be, at the end of the
  /// process.
  std::vector<std::function<void(const Result<void>&)>> durable_replies;
  std::vector<MasterLaunch> launches;
  struct CleanUp {
    AttemptId attempt;
    ContainerId container;
    NodeId node;
  };
  std::vector<CleanUp> clean_ups;
};

/// One turn: the time it happens at, and what comes out.
struct Turn {
  Now now;
  Effects effects;

  /// Answers `value` once the records of this turn and of all before it are durable.
  template <class T>
  void reply_when_durable(ReplyTo<T> reply, Result<T> value) {
    effects.durable_replies.push_back(
        [reply = std::move(reply), value = std::move(value)](const Result<void>& saved) {
          reply(saved ? value : Result<T>(fail(saved.error())));
        });
  }
};

/// Takes the reports that changed. Implemented by the report board.
class ReportSink {
 public:
  virtual ~ReportSink() = default;
  virtual void put(AppReportPtr report) = 0;
  virtual void forget_app(const AppId& id) = 0;
  virtual void put(AttemptReportPtr report) = 0;
  virtual void put(ContainerReportPtr report) = 0;
  virtual void forget_container(const ContainerId& id) = 0;
  virtual void put(NodeReportPtr report) = 0;
  virtual void forget_node(const NodeId& id) = 0;
  virtual void put(QueueReportPtr root) = 0;
  virtual void put(const ClusterMetrics& metrics) = 0;
  virtual void put(LabelsReportPtr report) = 0;
  virtual void put(AttributesReportPtr report) = 0;
  virtual void allow_login(const AttemptId& id, bool allowed) = 0;
};

class Core {
 public:
  /// `scheduler` is configured already.
  Core(CoreOptions options, queues::Scheduler scheduler);

  /// What the last run left: finished applications are listed, others get a new attempt, or are
  /// killed where their queue is gone. With application.fail-fast that is kWrongState, naming all
  /// of them, and neither the core nor the turn may be used any further.
  [[nodiscard]] Result<void> recover(const StoredState& state, Turn& turn);

  // Applications.
  void submit(const security::Caller& caller, Submission submission, ReplyTo<void> reply,
              Turn& turn);
  void kill(const security::Caller& caller, const AppId& id, const std::string& diagnostics,
            const ReplyTo<KillProgress>& reply, Turn& turn);
  void fail_attempt(const AttemptId& id, const ReplyTo<void>& reply, Turn& turn);
  void move(const AppId& id, const std::string& queue, const ReplyTo<void>& reply, Turn& turn);
  void update_priority(const AppId& id, std::int32_t priority, const ReplyTo<std::int32_t>& reply,
                       Turn& turn);
  void update_lifetime(const AppId& id, WallTime expiry, const ReplyTo<WallTime>& reply,
                       Turn& turn);
  void signal_container(const ContainerId& id, SignalCommand command, const ReplyTo<void>& reply,
                        Turn& turn);

  // ApplicationMasters.
  void register_master(const AttemptId& id, const RegisterMaster& request,
                       const ReplyTo<MasterRegistered>& reply, Turn& turn);
  void allocate(const AttemptId& id, const Allocate& request,
                const ReplyTo<std::shared_ptr<const Allocated>>& reply, Turn& turn);
  void finish_master(const AttemptId& id, const FinishMaster& request, const ReplyTo<bool>& reply,
                     Turn& turn);
  void master_launched(const AttemptId& id, const Result<void>& outcome, Turn& turn);

  // Nodes.
  void register_node(const RegisterNode& request, const ReplyTo<NodeRegistered>& reply, Turn& turn);
  void heartbeat(const NodeHeartbeat& request, const ReplyTo<NodeHeartbeatAnswer>& reply,
                 Turn& turn);
  void unregister_node(const NodeId& id, const ReplyTo<void>& reply, Turn& turn);

  // Administration.
  Result<void> configure_queues(std::shared_ptr<const queues::QueueConfig> config, Turn& turn);
  /// To be asked only; what it says holds for this turn.
  const queues::Scheduler& scheduler() const { return scheduler_; }
  /// What the application waits for, in whatever state it is. kNotFound.
  Result<queues::Explanation> explain(const AppId& id, const queues::ExplainOptions& options) const;
  void set_node_lists(NodeLists lists, std::optional<std::chrono::seconds> graceful, Turn& turn);
  Result<void> update_node_resources(const NodeId& id, const Resources& total, Turn& turn);
  /// Sizes that hold whatever nodes say; nodes that are not listed keep what they have.
  void set_node_sizes(NodeSizes sizes, Turn& turn);
  void set_max_app_priority(std::int32_t priority);

  // Node labels and attributes; answered when durable.
  void add_labels(const std::vector<NodeLabel>& labels, const ReplyTo<void>& reply, Turn& turn);
  void remove_labels(const std::set<std::string>& names, const ReplyTo<void>& reply, Turn& turn);
  void replace_labels(const ReplaceLabels& request, const ReplyTo<void>& reply, Turn& turn);
  void map_attributes(const MapAttributes& request, const ReplyTo<void>& reply, Turn& turn);

  // Reservations. `on_list` is asked where the lists of queues count.
  void submit_reservation(const security::Caller& caller, const OnList& on_list,
                          const SubmitReservation& request, const ReplyTo<void>& reply, Turn& turn);
  void update_reservation(const security::Caller& caller, const OnList& on_list,
                          const UpdateReservation& request, const ReplyTo<void>& reply, Turn& turn);
  void delete_reservation(const security::Caller& caller, const OnList& on_list,
                          const std::optional<ReservationId>& id, const ReplyTo<void>& reply,
                          Turn& turn);
  Result<ReservationList> list_reservations(const security::Caller& caller, const OnList& on_list,
                                            const ListReservations& request);

  /// The AMRM key rolled: attempts get a fresh token with their next answer.
  void amrm_key_rolled(std::int32_t key_id) { amrm_key_ = key_id; }

  /// The records before it are durable.
  void saved(const Saved& what, Turn& turn);

  /// Deadlines that have passed: silent nodes and AMs, unused containers, lifetimes.
  void tick(Turn& turn);
  /// When tick() next has something to do; nullopt = not until something happens.
  std::optional<Instant> next_deadline() const;

  /// Hands over every report that changed since the last call, but for those of applications and
  /// nodes where nothing changed but what they use.
  void publish(const Now& now, ReportSink& sink);
  bool totals_changed() const {
    return queues_changed_ || labels_changed_ || attributes_changed_ || lately_.any() ||
           last_second_.any() || !used_apps_.empty() || !used_nodes_.empty();
  }
  /// Hands over those as well, and the sums of queues and cluster, if they changed: O(queues +
  /// nodes), so rarer.
  void publish_totals(const Now& now, ReportSink& sink);
  void publish_use(const Now& now, ReportSink& sink);

  /// For tests: every sum and cross reference is right. Empty, or what is wrong.
  std::string check_invariants() const;

  const queues::QueueConfig& queue_config() const { return scheduler_.config(); }
  const CoreOptions& options() const { return options_; }

 private:
  // Lookups.
  App* find_app(const AppId& id);
  Attempt* find_attempt(const AttemptId& id);
  Node* find_node(const NodeId& id);
  Container* find_container(const ContainerId& id);
  Result<App*> known_app(const AppId& id);
  Result<App*> live_app(const AppId& id);

  // State machines: look up the row, move, carry out the effect. False: ignored in that state.
  bool raise(App& app, AppEvent event, Turn& turn);
  bool raise(App& app, Attempt& attempt, AttemptEvent event, Turn& turn);
  bool raise(Node& node, NodeEvent event, Turn& turn);
  void carry_out(App& app, AppEffect effect, Turn& turn);
  void carry_out(App& app, Attempt& attempt, AttemptEvent event, AttemptEffect effect, Turn& turn);
  void carry_out(Node& node, NodeEffect effect, Turn& turn);

  // Applications.
  Result<void> check_submission(const Submission& submission) const;
  void record_rejected(App& app, const Error& error, Turn& turn);
  void ask_queue(App& app, Turn& turn);
  void save_final(App& app, Turn& turn);
  void complete(App& app, Turn& turn);
  void final_saved(App& app, Turn& turn);
  void age_out_finished(Turn& turn);
  void recover_app(const StoredApp& stored, Turn& turn);
  void recover_attempt(App& app, const StoredAttempt& past, bool app_ended, Turn& turn);
  void resume_app(App& app, bool attempt_ended, Turn& turn);
  Result<void> check_queues_are_there() const;  // of unfinished applications
  void apply_queue_defaults(App& app, const QueuePath& queue, const Now& now);
  void count_running(App& app, bool running);

  // Attempts.
  void start_attempt(App& app, Turn& turn);
  void ask_for_master(App& app, Attempt& attempt, Turn& turn);
  void launch_master(App& app, Attempt& attempt, Turn& turn);
  void save_attempt_final(App& app, Attempt& attempt, AttemptEvent event, Turn& turn);
  void attempt_final_saved(App& app, Attempt& attempt, Turn& turn);
  void attempt_over(App& app, Attempt& attempt, AppEvent event, Turn& turn);
  void attempt_failed(App& app, Attempt& attempt, Turn& turn);
  bool out_of_attempts(App& app, const Attempt& attempt, const Now& now) const;
  void hand_back_reports(Attempt& attempt);
  void end_containers(App& app, Attempt& attempt, bool keep, Turn& turn);
  void describe_failure(const App& app, Attempt& attempt, const FinishedContainer& finished);
  std::string tracking_page(const AppId& id) const;

  // AM protocol.
  Result<void> check_asks(const App& app, const Allocate& request) const;
  Result<void> check_size(const Resources& asked, const Resources& maximum) const;
  Result<void> take_asks(App& app, Attempt& attempt, const Allocate& request);
  Result<void> check_constraints_on(const AttemptId& id, std::string_view what,
                                    std::string_view where, std::string_view operation) const;
  Result<void> take_app_constraints(const AttemptId& id, const RegisterMaster& request);
  Result<void> check_tagged_asks(const App& app, const Allocate& request) const;
  Result<void> take_tagged_asks(App& app, Attempt& attempt, const Allocate& request);
  Result<std::vector<UpdateRefused>> take_requests(App& app, Attempt& attempt,
                                                   const Allocate& request, Turn& turn);
  void give_up_tagged_asks(App& app, Attempt& attempt);
  void tell_attributes(const NodeId& node);
  void watch_constraints(const Now& now);
  void acknowledge(const std::vector<std::pair<NodeId, FinishedContainer>>& told);
  void take_releases(App& app, Attempt& attempt, const Allocate& request, Turn& turn);
  std::shared_ptr<const Allocated> make_answer(App& app, Attempt& attempt, const Allocate& request,
                                               std::vector<UpdateRefused> refused, Turn& turn);

  // Updates of containers.
  std::vector<UpdateRefused> take_updates(App& app, Attempt& attempt, const Allocate& request,
                                          Turn& turn);
  std::string_view take_update(App& app, Attempt& attempt, Container& container,
                               const UpdateContainer& update, Turn& turn);
  std::string_view take_increase(App& app, Attempt& attempt, Container& container,
                                 const Resources& target);
  std::string_view take_decrease(App& app, Attempt& attempt, Container& container,
                                 const Resources& target, Turn& turn);
  std::string_view take_execution_type(App& app, Attempt& attempt, Container& container,
                                       const UpdateContainer& update, Turn& turn);
  Result<void> wait_for_growth(const Attempt& attempt, Container& container, const Resources& more);
  void stop_growing(Container& container);
  void take_growth(const queues::Grant& grant, Turn& turn);
  void set_size(App& app, Container& container, const Resources& size, const Now& now);
  void set_execution_type(App& app, Container& container, ExecutionType type, const Now& now);
  void note_update(Attempt& attempt, Container& container, UpdateKind kind);
  void tell_updates(Attempt& attempt, Allocated& answer, const Now& now);
  void note_told_size(Node& node, Container& container, const Resources& told, const Now& now);
  void expire_update(Container& container, Turn& turn);
  std::string check_updates() const;

  // Opportunistic containers.
  void take_opportunistic(Attempt& attempt, const Ask& ask, std::string label);
  void give_opportunistic(App& app, Attempt& attempt, Turn& turn);
  Node* opportunistic_spot(const Attempt& attempt, const Ask& any);
  bool takes_opportunistic(const Node& node) const;
  void note_opportunistic(Node& node, const OpportunisticUse& told);
  void list_by_load(Node& node);
  std::int32_t queue_limit() const;
  std::string check_loads() const;

  // Containers.
  void run_scheduler(Turn& turn);
  void take_grant(const queues::Grant& grant, Turn& turn);
  ContainerId add_container(App& app, Attempt& attempt, Node& node, const queues::Grant& grant,
                            ExecutionType type, Turn& turn);
  /// To what its application and its node are seen to use.
  void charge(App* app, Node* node, ExecutionType type, const Resources& change, const Now& now);
  void free_room(queues::HoldId hold);
  /// Moves the container, frees its room, tells its attempt (and forgets it).
  void finish_container(const ContainerId& id, ContainerEvent event, std::int32_t exit_status,
                        const std::string& diagnostics, Turn& turn);
  void account(App& app, const Now& now);
  using AskRows = std::map<std::tuple<std::int32_t, std::int64_t, std::string>, Ask>;
  static void lower_outstanding(AskRows& rows, const queues::Grant& grant, const Node& node);

  // Nodes.
  bool host_allowed(const NodeId& id) const;
  void forget_old_selves(const NodeId& id);
  void reconcile(Node& known, const RegisterNode& request, Turn& turn);
  std::optional<std::string> refusal(const RegisterNode& request) const;
  void note_use(Node& node, const NodeHeartbeat& request);
  void take_log_reports(const Node& node, const NodeHeartbeat& request);
  void take_reports(Node& node, const std::vector<NodeContainer>& containers, Turn& turn);
  void end_node_containers(Node& node, const std::string& why, Turn& turn);
  void note_change(Node& node);
  void forget_node(const NodeId& id);
  void check_drained(Node& node, Turn& turn);
  NodeHeartbeatAnswer make_node_answer(Node& node);
  /// Fills last_answer; `why`: what is wrong with the heartbeat, if anything.
  void answer_heartbeat(Node& node, const NodeHeartbeat& request, std::string why, Turn& turn);

  // Node labels and attributes.
  /// Where the row of asks, or the AM, is to go; "" = the default partition.
  std::string label_of(const Ask& ask, const Submission& submission,
                       const queues::QueueRules* queue) const;
  std::string master_label(const Submission& submission, const queues::QueueRules* queue) const;
  Result<void> check_label(const queues::QueueRules* queue, const std::string& place,
                           std::string_view label) const;
  Result<void> check_unused(const std::set<std::string>& names) const;
  bool is_known(const NodeId& id) const;  // port 0: any node of the host, of whatever state
  void take_change(LabelChange change, Turn& turn);
  void take_change(AttributeChange change, Turn& turn);
  /// What the node says of itself. True: taken; else `why` may say more.
  bool take_told(const NodeId& node, const std::optional<std::set<std::string>>& labels,
                 std::string& why, Turn& turn);
  bool take_told(const NodeId& node, const std::optional<std::vector<NodeAttribute>>& attributes,
                 std::string& why, Turn& turn);
  void set_partitions();
  LabelsReportPtr labels_report() const;

  // Time.
  enum class DeadlineKind : std::uint8_t {
    kNode,
    kMaster,
    kLifetime,
    kDrain,
    kPreemption,
    kIdleQueues,
    kConstraints,
    kPlan  // `node.host` is the path of its queue
  };
  struct Deadline {
    Instant at;
    DeadlineKind kind;
    ContainerId id;  // the part that `kind` needs
    NodeId node;
    friend bool operator<(const Deadline& a, const Deadline& b) {
      return std::tie(a.at, a.kind, a.id, a.node) < std::tie(b.at, b.kind, b.id, b.node);
    }
  };
  /// An owner has one pending deadline at most; `armed` is the owner's note of it.
  void arm(std::optional<Instant>& armed, const Deadline& deadline);
  void disarm(std::optional<Instant>& armed, Deadline deadline);
  void watch_node(Node& node);
  void stop_watching(Node& node);
  void watch_master(Attempt& attempt);
  void stop_watching(Attempt& attempt);
  WallTime token_expiry(const Now& now) const;
  void watch_start(const ContainerId& id, Container& container, const Now& now);
  void stop_watching(Container& container);
  void watch_lifetime(App& app, const Now& now);
  void stop_watching(App& app);
  void expire_node(const NodeId& id, Turn& turn);
  void expire_master(const AttemptId& id, Turn& turn);
  void expire_container(const ContainerId& id, Turn& turn);
  void expire_lifetime(const AppId& id, Turn& turn);
  void expire(const Deadline& deadline, Turn& turn);

  // Queues that are made for applications.
  Result<QueuePath> leaf_for(const App& app, Turn& turn);
  bool is_managed(const std::string& queue) const;
  void make_again(const App& app, const Now& now);  // at recovery
  void watch_idle_queues(const Now& now);
  void remove_idle_queues(Turn& turn);
  void keep_counters(const QueuePath& gone);

  // Reservations.
  enum class PlanRight : std::uint8_t { kSubmit, kAdminister, kList };
  void take_plan_queues();
  Result<PlanState*> find_plan(const std::string& queue);
  Result<PlanState*> find_plan(const std::optional<ReservationId>& id);
  static Result<void> check_definition(const queues::reservations::Plan& plan,
                                       const std::optional<ReservationDefinition>& definition,
                                       const Now& now);
  Result<void> check_access(const PlanState& state, const std::string& user, const OnList& on_list,
                            PlanRight right, const std::optional<ReservationId>& id) const;
  Result<void> take_reservation(const std::string& user, const OnList& on_list,
                                const SubmitReservation& request, Turn& turn);
  void forget_reservation(const ReservationId& id, Turn& turn);
  bool plans_are_stale() const;
  void follow_plans(Turn& turn);
  void follow_plan(PlanState& state, Turn& turn);
  void repair_plan(PlanState& state, std::int64_t at_ms, Turn& turn);
  void watch_plan(PlanState& state, std::int64_t at_ms, const Now& now);
  void plan_is_due(const std::string& queue, Turn& turn);
  void empty_reserved(const QueuePath& queue, const PlanState& state, Turn& turn);
  Result<void> place_in_plan(App& app, Turn& turn);
  std::string move_target(const std::string& queue) const;
  void recover_reservations(const StoredState& state, Turn& turn);
  void leave_expired(App& app);  // at recovery
  void note_moved(App& app, const QueuePath& queue, Turn& turn);
  std::string check_plans() const;

  // Preemption.
  void set_preemption(const queues::PreemptionSettings& settings, const Now& now);
  void watch_preemption(const Now& now);
  void hurry_preemption(const Now& now);
  void run_preemption(Turn& turn);
  void note_preempted(const ContainerId& id, const Now& now);
  void warn_of_losses(const App& app, Allocated& answer);
  void set_scheduler_time(const Now& now);

  // Reports.
  void touch(const App& app) { touched_apps_.insert(app.id); }
  void touch(const Attempt& attempt) { touched_attempts_.insert(attempt.id); }
  void touch(const Node& node) { touched_nodes_.insert(node.id); }
  void touch(Container& container) {
    if (!std::exchange(container.touched, true)) {
      touched_containers_.push_back(container.grant.id);
    }
  }
  /// What it uses changed, which happens with each container: shown with the sums.
  void touch_use(App& app) {
    if (!std::exchange(app.use_untold, true)) used_apps_.push_back(app.id);
  }
  void touch_use(Node& node) {
    if (!std::exchange(node.use_untold, true)) used_nodes_.push_back(node.id);
  }
  AppReportPtr report(const App& app, const Now& now) const;
  AttemptReportPtr report(const App& app, const Attempt& attempt) const;
  NodeReportPtr report(const Node& node) const;
  ResourceUsage usage_of(const App& app, const Now& now) const;
  QueueReport report(const queues::QueueSpec& spec) const;
  void take_vector(const queues::Capacity& capacity, QueueReport& out) const;
  void add_counters(const queues::QueueReport& queue, QueueReport& out) const;
  void sum_nodes(ClusterMetrics& out) const;
  void note_allocation(const queues::Grant& grant, const ContainerId& id, const App& app,
                       const Now& now);
  void note_release(const GrantedContainer& grant, const App& app, const Now& now);
  void note_first_container(const App& app, Attempt& attempt, const Now& now);
  static void end_step(Attempt& attempt, Delays& delays, const Now& now);
  std::string check_containers() const;
  std::string check_apps() const;
  std::string check_nodes() const;
  std::string check_deadlines() const;
  ClusterMetrics metrics() const;

  /// What the scheduler did within a second.
  struct Activity {
    std::int64_t allocations = 0, releases = 0;
    Resources allocated, released;
    bool any() const { return allocations > 0 || releases > 0; }
  };

  struct Counters {
    QueueCounts all;
    std::map<std::string, QueueCounts> of_users;  // where user_metrics_
  };
  template <class Change>
  void count(const std::string& queue, const std::string& user, Change change) {
    Counters& counters = counters_[queue];
    change(counters.all);
    if (user_metrics_) change(counters.of_users[user]);
  }
  template <class Change>
  void count_apps(const App& app, Change change) {
    count(app.queue, app.user, [&](QueueCounts& counts) {
      change(counts.apps);
      if (app.submission->unmanaged) change(counts.unmanaged);
    });
  }

  CoreOptions options_;
  queues::Scheduler scheduler_;
  std::unordered_map<AppId, App> apps_;
  std::vector<AppId> finished_order_;  // oldest first; its head ages out
  std::size_t finished_head_ = 0;
  std::unordered_map<ContainerId, Container> containers_;
  std::unordered_map<queues::HoldId, ContainerId> by_hold_;
  std::unordered_map<std::uint64_t, ContainerId> growing_;  // by ticket: they wait for room
  std::uint64_t last_ticket_ = 0;
  /// Nodes that let another opportunistic container wait, by how many wait.
  std::set<std::pair<std::int32_t, NodeId>> by_load_;
  std::int64_t load_nodes_ = 0, load_sum_ = 0, load_squares_ = 0;  // of all that have a queue
  std::map<NodeId, Node> nodes_;
  std::unordered_map<NodeId, Node*> nodes_by_id_;  // the same: found in each heartbeat and grant
  struct HostList {
    std::unordered_set<std::string> include;  // empty = everybody
    std::unordered_set<std::string> exclude;
  };
  HostList hosts_;
  std::map<std::uint64_t, NodeId> node_changes_;  // each node once, by its last change
  std::uint64_t last_node_change_ = 0;
  std::int32_t amrm_key_ = 0;
  std::set<Deadline> deadlines_;
  std::optional<Instant> preemption_due_;
  Instant early_look_from_;  // none before, however many needs come about
  Duration early_pause_ = std::chrono::milliseconds(50);
  std::optional<Instant> idle_queues_due_;
  std::optional<Instant> constraints_due_;
  std::list<StartDeadline> starts_due_;  // all wait equally long: the soonest is in front
  std::unordered_map<std::string, Counters> counters_;  // by queue path
  bool user_metrics_ = false;                           // as configured at the start
  Delays master_allocation_, master_launch_, master_registration_;
  std::int64_t containers_assigned_ = 0;
  Activity lately_, last_second_;
  Instant second_ends_;  // of lately_
  SchedulerHealth health_;
  NodeSizes node_sizes_;
  ReservationTable reservations_;
  LabelTable labels_;
  AttributeTable attributes_;

  std::unordered_set<AppId> touched_apps_;
  std::vector<AppId> forgotten_apps_;
  std::unordered_set<AttemptId> touched_attempts_;
  std::vector<ContainerId> touched_containers_;  // each once, some of them gone
  std::vector<ContainerId> forgotten_containers_;
  std::unordered_set<NodeId> touched_nodes_;
  std::vector<NodeId> forgotten_nodes_;
  std::vector<AppId> used_apps_;  // whose use changed; each once
  std::vector<NodeId> used_nodes_;
  std::vector<std::pair<AttemptId, bool>> logins_;
  bool queues_changed_ = true;
  bool labels_changed_ = true;
  bool attributes_changed_ = true;
};

}  // namespace heddle::rm
