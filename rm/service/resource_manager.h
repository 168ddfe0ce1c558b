// The ResourceManager as a running service: it takes commands from any thread, runs the core on one
// thread of its own, commits records on another, and answers when what it says is durable.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/worker_pool.h"
#include "queues/rules/placement.h"
#include "rm/api/door.h"
#include "rm/api/explain.h"
#include "rm/api/reservations.h"
#include "rm/core/core.h"
#include "rm/service/racks.h"
#include "rm/service/report_board.h"
#include "rm/store/store.h"
#include "security/acl.h"
#include "security/groups.h"

namespace heddle::rm {

/// Settings of the queues, and what they mean.
struct LoadedQueues {
  QueueSettings settings;
  queues::QueueConfig config;
};

/// How changes of the queues are kept, and who may make them.
struct QueueConfigOptions {
  QueueStore store = QueueStore::kFile;  // yarn.scheduler.configuration.store.class
  std::int64_t versions_max = 100;       // yarn.scheduler.configuration.max.version
  /// Administrators of a queue may change it, not only those of the cluster.
  bool queue_admins_may_change = false;
  queues::Limits limits;
  /// What settings mean, beside all others of this daemon. Called as the loaders are.
  std::function<Result<queues::QueueConfig>(const QueueSettings&)> parse;
  /// What the scheduler was configured with, and the version that this is.
  QueueVersion started;
  bool save_started = false;  // it is not in the store yet
  std::string fault;          // why the file is not what serves, if so
};

using PlacementPtr = std::shared_ptr<const queues::rules::Placement>;
using MadeQueuesPtr = std::shared_ptr<const queues::rules::QueueTree>;

struct ServiceOptions {
  bool acl_enabled = false;                          // yarn.acl.enable
  security::Acl admins = security::Acl::parse("*");  // yarn.admin.acl
  /// Of callers that lists name by their groups; stopped with the service. Made where not given.
  std::shared_ptr<security::Groups> user_groups;
  /// Of nodes that register; stopped with the service. All in one where not given.
  std::shared_ptr<Racks> racks;
  std::size_t commands_max = 100'000;   // waiting for the core; more are refused
  std::size_t records_max = 1'000'000;  // waiting for the disk; then submissions are refused
  Duration key_roll_interval = std::chrono::hours(24);
  Duration amrm_key_activation = std::chrono::milliseconds(1'350'000);
  Duration node_key_activation = std::chrono::minutes(15);
  Duration totals_interval = std::chrono::milliseconds(100);  // queue and cluster sums
  Duration commit_retry_pause = std::chrono::seconds(1);      // while the disk is full
  /// Read configuration again; called on a thread of the service's own, one at a time.
  std::function<Result<LoadedQueues>()> load_queues;  // of the file
  std::function<Result<queues::PreemptionSettings>()> load_preemption;
  std::function<Result<NodeLists>()> load_node_lists;
  std::function<Result<std::int32_t>()> load_max_priority;
  std::function<Result<NodeSizes>()> load_node_sizes;
  QueueConfigOptions queues;
  /// The storage is broken: nothing more may be acknowledged. Called on the writer's thread.
  std::function<void(const Error&)> on_fatal;
};

class ResourceManager final : public ApplicationService,
                              public MasterService,
                              public NodeService,
                              public AdminService,
                              public QueueConfigService,
                              public ExplainService,
                              public ReservationService {
 public:
  /// `clock` and `store` are used from start() on. `board` must be the one in the Door.
  ResourceManager(ServiceOptions options, std::unique_ptr<Core> core, std::unique_ptr<Store> store,
                  ReportBoard& board, TokenSigners& keys, const Clock& clock);
  ~ResourceManager() override;

  /// Brings back what `state` holds and starts both threads. `launcher` must outlive stop().
  [[nodiscard]] Result<void> start(const StoredState& state, MasterLauncher& launcher);
  /// Commits what is pending, then ends the threads. What cannot be made durable, since the disk
  /// is full, is answered with that error. Commands that come later are refused.
  void stop();

  // ApplicationService
  AppId new_application_id() override;
  void submit(const security::Caller& caller, Submission submission, ReplyTo<void> reply) override;
  void kill(const security::Caller& caller, const AppId& app, std::string diagnostics,
            ReplyTo<KillProgress> reply) override;
  void fail_attempt(const security::Caller& caller, const AttemptId& attempt,
                    ReplyTo<void> reply) override;
  void move(const security::Caller& caller, const AppId& app, std::string queue,
            ReplyTo<void> reply) override;
  void update_priority(const security::Caller& caller, const AppId& app, std::int32_t priority,
                       ReplyTo<std::int32_t> reply) override;
  void update_lifetime(const security::Caller& caller, const AppId& app, WallTime expiry,
                       ReplyTo<WallTime> reply) override;
  void signal_container(const security::Caller& caller, const ContainerId& container,
                        SignalCommand command, ReplyTo<void> reply) override;

  // MasterService
  void register_master(const AttemptId& attempt, RegisterMaster request,
                       ReplyTo<MasterRegistered> reply) override;
  void allocate(const AttemptId& attempt, Allocate request,
                ReplyTo<std::shared_ptr<const Allocated>> reply) override;
  void finish_master(const AttemptId& attempt, FinishMaster request, ReplyTo<bool> reply) override;

  // NodeService
  void register_node(RegisterNode request, ReplyTo<NodeRegistered> reply) override;
  void heartbeat(NodeHeartbeat request, ReplyTo<NodeHeartbeatAnswer> reply) override;
  void unregister_node(const NodeId& node, ReplyTo<void> reply) override;

  // AdminService
  void refresh_queues(const security::Caller& caller, ReplyTo<void> reply) override;
  void refresh_nodes(const security::Caller& caller,
                     std::optional<std::chrono::seconds> graceful_timeout,
                     ReplyTo<void> reply) override;
  void update_node_resources(const security::Caller& caller, const NodeId& node, Resources total,
                             ReplyTo<void> reply) override;
  void refresh_max_priority(const security::Caller& caller, ReplyTo<void> reply) override;
  void refresh_node_sizes(const security::Caller& caller, ReplyTo<void> reply) override;
  void add_labels(const security::Caller& caller, std::vector<NodeLabel> labels,
                  ReplyTo<void> reply) override;
  void remove_labels(const security::Caller& caller, std::set<std::string> names,
                     ReplyTo<void> reply) override;
  void replace_labels(const security::Caller& caller, ReplaceLabels request,
                      ReplyTo<void> reply) override;
  void map_attributes(const security::Caller& caller, MapAttributes request,
                      ReplyTo<void> reply) override;
  void check_admin(const security::Caller& caller, ReplyTo<void> reply) override;

  // QueueConfigService
  QueueConfigState queue_config() const override;
  void change_queues(const security::Caller& caller, QueueChange change,
                     ReplyTo<QueueChangeOutcome> reply) override;
  void reset_queues(const security::Caller& caller, ReplyTo<void> reply) override;
  void queue_history(const security::Caller& caller,
                     ReplyTo<std::vector<QueueVersion>> reply) override;
  void queue_version(const security::Caller& caller, std::int64_t number,
                     ReplyTo<QueueVersion> reply) override;
  void check_may_read_queues(const security::Caller& caller, ReplyTo<void> reply) override;

  // ExplainService
  void explain_app(const AppId& app, ExplainOptions options, ReplyTo<Explanation> reply) override;
  void explain_request(WhatIf what, ExplainOptions options, ReplyTo<Explanation> reply) override;
  void activity(ExplainOptions options, ReplyTo<QueueActivity> reply) override;

  // ReservationService
  Result<ReservationId> new_reservation_id() override;
  void submit_reservation(const security::Caller& caller, SubmitReservation request,
                          ReplyTo<void> reply) override;
  void update_reservation(const security::Caller& caller, UpdateReservation request,
                          ReplyTo<void> reply) override;
  void delete_reservation(const security::Caller& caller, std::optional<ReservationId> id,
                          ReplyTo<void> reply) override;
  void list_reservations(const security::Caller& caller, ListReservations request,
                         ReplyTo<ReservationList> reply) override;

  /// Reads the file again without being asked by anybody: it has changed.
  void reload_queues(const std::string& why, const ReplyTo<void>& reply);

 private:
  /// What waits for the core. Made once and never copied, whatever it carries.
  struct Command {
    virtual ~Command() = default;
    virtual void run(Core& core, Turn& turn) = 0;
  };
  using CommandPtr = std::unique_ptr<Command>;
  template <class Run>
  static CommandPtr make_command(Run run) {
    struct Made final : Command {
      explicit Made(Run run_in) : body(std::move(run_in)) {}
      void run(Core& core, Turn& turn) override { body(core, turn); }
      Run body;
    };
    return std::make_unique<Made>(std::move(run));
  }
  /// What one turn left for the disk.
  struct Group {
    std::vector<Record> records;
    std::vector<Saved> saved;
    std::vector<std::function<void(const Result<void>&)>> replies;
    std::vector<std::function<void(Store*)>> reads =
        {};  // nullptr: the store is not served any more
  };

  /// False: overloaded or stopping; the command is left where it was.
  bool enqueue(CommandPtr& command);
  /// For what belongs to work that was taken already: never refused.
  void enqueue_follow_up(CommandPtr command);
  /// Why nothing more can be made durable now, if so.
  std::optional<Error> behind() const;
  template <class T, class Run>
  void run_durable_command(ReplyTo<T> reply, Run run);
  template <class T, class Run>
  void run_command(ReplyTo<T> reply, Run run);
  /// Loads on the thread for files, then applies on the core's.
  template <class T, class Apply>
  void reload(const security::Caller& caller, const std::function<Result<T>()>& load,
              ReplyTo<void> reply, Apply apply);
  /// For administrators: a durable change of labels or attributes, visible when it is answered.
  template <class Request>
  void change_labels(const security::Caller& caller, Request request,
                     void (Core::*change)(const Request&, const ReplyTo<void>&, Turn&),
                     ReplyTo<void> reply);
  using GroupNames = security::Groups::Names;
  /// Runs `next` with the reply where `rule` allows it for the groups of the caller, which may be
  /// later and on another thread; else answers what the rule says. More groups never take a right
  /// away: they are looked up only where the rule refuses somebody without any.
  template <class T, class Rule, class Next>
  void if_allowed(const security::Caller& caller, ReplyTo<T> reply, Rule rule, Next next);
  /// The same for whoever may change the application.
  template <class T, class Next>
  void if_may_modify(const security::Caller& caller, const AppId& app, ReplyTo<T> reply, Next next);
  template <class T>
  void with_lists(const security::Caller& caller, ReplyTo<T> reply,
                  std::function<void(ReplyTo<T>, OnList)> next);
  template <class T, class Run>
  void run_reservation(const security::Caller& caller, ReplyTo<T> reply, Run run);
  struct Arrival;  // a submission on its way to the core
  PlacementPtr placement() const;
  MadeQueuesPtr made_queues() const;
  void take_made_queues();
  /// The rules that came with the queues in force.
  void take_placement();
  /// Runs `next` with the groups of the user, which may be later and on another thread.
  void with_groups(const std::shared_ptr<Arrival>& arrival, const std::string& user, bool needed,
                   std::function<void(const GroupNames&)> next);
  void place(const std::shared_ptr<Arrival>& arrival);
  void place_by_caller(const std::shared_ptr<Arrival>& arrival);
  void follow(const std::shared_ptr<Arrival>& arrival, const queues::rules::Decision& decision);
  /// To the core, if the queue lets the caller in.
  void hand_in(const security::Caller& caller, Submission submission, ReplyTo<void> reply);

  bool queue_lets_submit(const std::string& user, const std::string& queue,
                         const GroupNames& groups) const;
  /// Whether a queue, or one above it, gives the right. An unknown queue: the core says so.
  Result<void> check_may_submit(const security::Caller& caller, const AppId& app,
                                const std::string& queue, const GroupNames& groups) const;
  /// Whether a list of the queue lets the user have the priority there; -1: none was asked for.
  Result<void> check_priority(const std::string& user, const AppId& app, const std::string& queue,
                              std::int32_t priority, const GroupNames& groups) const;
  /// The default of the list that the user is on. nullopt: on none.
  std::optional<std::int32_t> default_priority_of(const std::string& user, const std::string& queue,
                                                  const GroupNames& groups) const;
  std::vector<PriorityRight> priority_rights_of(const std::string& queue) const;
  bool may_administer(const security::Caller& caller, const std::string& queue,
                      const GroupNames& groups) const;
  Result<void> check_may_modify(const security::Caller& caller, const AppId& app,
                                const GroupNames& groups) const;
  Result<void> check_is_admin(const security::Caller& caller, const GroupNames& groups) const;

  /// The same without templates: `next` is told whether `rule` allows it.
  using RightsRule = std::function<Result<void>(const GroupNames&)>;
  void when_allowed(const security::Caller& caller, RightsRule rule, ReplyTo<void> next);
  Result<void> check_may_change(const security::Caller& caller, const QueueChange& change,
                                const GroupNames& groups) const;
  Result<void> check_may_read(const security::Caller& caller, const GroupNames& groups) const;
  bool administers_way_to(const security::Caller& caller, std::string_view queue,
                          const GroupNames& groups) const;

  /// A configuration on its way into force.
  struct NextQueues {
    QueueVersion version;  // number and settings; the time comes when it is in force
    std::shared_ptr<const queues::QueueConfig> config;
    bool dry_run = false;
    bool keep = true;   // a version of its own, and a record of it
    std::string fault;  // of the file, from now on
    QueueChangeOutcome outcome;
  };
  // The thread for files only, one change at a time.
  void make_change(const std::string& user, const QueueChange& change,
                   const ReplyTo<QueueChangeOutcome>& reply);
  Result<NextQueues> next_queues(const std::string& user, const QueueChange& change);
  Result<QueueSettings> version_settings(std::int64_t number);
  void load_file_again(const std::string& user, const std::string& what, bool as_store,
                       const ReplyTo<void>& reply);
  /// Checks against what runs and configures, on the core's thread; comes back when that is over,
  /// which is before the answer.
  void put_into_force(NextQueues next, const ReplyTo<QueueChangeOutcome>& reply);
  void post_change(std::function<void()> work, const ReplyTo<void>& refused);
  /// What would have less than it uses, by the reports.
  std::vector<QueueShrink> shrinks_of(const QueueConfigDiff& diff) const;
  void read_store(std::function<void(Store*)> read);
  struct ServedQueues {
    QueueConfigState state;
    std::shared_ptr<const queues::QueueConfig> config;
    std::vector<QueueVersion> earlier;  // QueueStore::kMemory: those that are not in the store
  };
  ServedQueues served_queues() const;

  /// Runs `ask` on the core's thread, if not too many do already.
  template <class T>
  void ask_core(ReplyTo<T> reply, std::function<Result<T>(const Core&)> ask);

  void core_loop();
  std::vector<CommandPtr> next_batch(bool& stopping, Instant totals_at);
  void finish_turn(Turn& turn, Instant& totals_at);
  /// The next question, if the core has had its rest since the last; all of them when stopping.
  void answer_question(bool stopping);
  void launch(MasterLaunch launch);
  void roll_keys(const Now& now, Effects& effects);

  void writer_loop();
  /// kUnavailable: stopping, and the disk is full. kInternal: the storage is broken.
  Result<void> commit(const std::vector<Record>& records);
  void give_up(std::vector<Group> groups, const Error& why);
  void set_store_trouble(std::string what);

  const ServiceOptions options_;
  const std::shared_ptr<security::Groups> user_groups_;
  const std::shared_ptr<Racks> racks_;
  std::unique_ptr<Core> core_;    // the core's thread only, once started
  std::unique_ptr<Store> store_;  // the writer's thread only, once started
  ReportBoard& board_;
  TokenSigners& keys_;
  const Clock& clock_;
  MasterLauncher* launcher_ = nullptr;
  std::atomic<std::int32_t> last_sequence_{0};
  std::atomic<int> questions_{0};  // of the ExplainService, not answered yet
  const std::int64_t cluster_start_ms_;
  const ReservationOptions reservations_ = core_->options().reservations;
  std::atomic<std::int64_t> last_reservation_{0};

  std::mutex commands_mutex_;
  std::condition_variable commands_arrived_;
  std::deque<CommandPtr> commands_;  // guarded by commands_mutex_
  bool stopping_ = false;            // likewise

  std::mutex groups_mutex_;
  std::condition_variable groups_arrived_;
  std::vector<Group> groups_;     // guarded by groups_mutex_
  bool writer_stopping_ = false;  // likewise
  std::atomic<std::size_t> records_waiting_{0};
  mutable std::mutex trouble_mutex_;
  std::string store_trouble_;  // guarded by trouble_mutex_; "" = commits succeed

  mutable std::mutex queues_mutex_;
  ServedQueues queues_;  // guarded by queues_mutex_

  mutable std::mutex placement_mutex_;
  PlacementPtr placement_;  // guarded by placement_mutex_; changed by the core's thread alone
  MadeQueuesPtr made_queues_ = std::make_shared<const queues::rules::QueueTree>();  // likewise
  std::uint64_t made_version_ = 0;                                                  // likewise

  bool totals_due_ = false;                  // the core's thread only, as all below
  std::deque<std::function<void()>> asked_;  // questions of the ExplainService
  Instant question_at_;                      // not before: questions get a tenth of the thread
  Instant keys_roll_at_;
  Instant amrm_activate_at_;
  Instant node_keys_activate_at_;

  WorkerPool files_{"configuration reader", 1, 16};
  std::thread core_thread_;
  std::thread writer_thread_;
};

}  // namespace heddle::rm
