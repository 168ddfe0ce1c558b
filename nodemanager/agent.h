// The NodeManager agent: containers and applications of one node, and its talk with the
// ResourceManager. docs/design/0005-container-life.md draws it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/net/event_loop.h"
#include "base/worker_pool.h"
#include "nodemanager/api/door.h"
#include "nodemanager/board.h"
#include "nodemanager/config.h"
#include "nodemanager/launch/launcher.h"
#include "nodemanager/launch/leftovers.h"
#include "nodemanager/launch/process.h"
#include "nodemanager/launch/process_tree.h"
#include "nodemanager/localize/cache.h"
#include "nodemanager/localize/fetch.h"
#include "nodemanager/localize/fetch_queue.h"
#include "nodemanager/model.h"
#include "nodemanager/states.h"
#include "nodemanager/store/store.h"

namespace heddle::nm {

/// Why the node has nothing to go on with.
enum class NodeEnd : std::uint8_t {
  kDismissed,  // a node that had registered was told to end: decommissioned, drained, excluded
  kFailed,     // the ResourceManager refused it, or was away for too long
};

/// What the agent needs from outside; everything must outlive it.
struct AgentParts {
  net::EventLoop* loop = nullptr;  // the agent's thread
  const Clock* clock = nullptr;
  RmLink* link = nullptr;
  TokenVerifiers* verifiers = nullptr;
  RemoteFs* files = nullptr;                  // resources come from it, logs go to it
  const LogFileFormat* log_format = nullptr;  // null: logs cannot be aggregated
  NodeStore* store = nullptr;                 // null: nothing is known after a restart
  std::vector<StoredApp> restored;            // what the store held at the start
  std::function<void(NodeEnd)> on_end;        // once, in the agent's thread
};

/// State changes happen on the loop's thread alone; what blocks runs in workers and comes back as
/// an event. Destroy it only after the loops have stopped.
class Agent final : public ContainerService {
 public:
  /// Ends the containers that an earlier agent left, makes the node's directories (what is of no
  /// restored application is deleted), opens the cgroups. Blocks, seconds at the worst.
  static Result<std::unique_ptr<Agent>> create(AgentConfig config, AgentParts parts);
  ~Agent() override;

  /// Before start(); the service must outlive the agent.
  void add_service(AuxService* service);
  /// Registers and begins to serve. Any thread.
  void start(NodeId id, std::string http_host, std::int32_t http_port);
  /// Ends all containers and applications, says good-bye to the ResourceManager and calls `done`
  /// once, on the agent's thread; after 15 s at the latest. With AgentConfig::supervised the
  /// applications stay, for the next agent, and nobody is told.
  void stop(std::function<void()> done);

  // ContainerService.
  void start(const AttemptId& attempt, StartContainer request, ReplyTo<void> reply) override;
  void stop(const AttemptId& attempt, const ContainerId& container, ReplyTo<void> reply) override;
  void status(const AttemptId& attempt, const ContainerId& container,
              ReplyTo<ContainerStatus> reply) override;
  void signal(const AttemptId& attempt, const ContainerId& container, Signal signal,
              ReplyTo<void> reply) override;
  void update(const AttemptId& attempt, ContainerGrant target, ReplyTo<void> reply) override;

  const NodeReports& reports() const { return board_; }
  const AgentConfig& config() const { return config_; }

 private:
  Agent(AgentConfig config, AgentParts parts);
  void post(std::function<void()> task) { parts_.loop->post(std::move(task)); }
  Now now() const { return parts_.clock->now(); }

  // restart.cc: what an earlier agent left.
  void end_earlier_containers();
  void remove_earlier_cgroups();
  Result<void> make_node_dirs();
  void restore_apps();
  void restore_container(App& app, const StoredContainer& stored, const Leftover* leftover);
  Result<void> record(const StartContainer& request);
  void remember(const Result<void>& stored);  // of an event: it cannot be refused any more

  // services.cc: the requests of AMs.
  Result<void> admit(const AttemptId& attempt, StartContainer request);
  Result<void> check_request(const AttemptId& attempt, const StartContainer& request) const;
  App& app_of(const StartContainer& request);
  static LogRules rules_of(const ContainerGrant& grant);
  Result<Container*> owned(const AttemptId& attempt, const ContainerId& id);
  void send_signal(Container& container, Signal signal);

  // containers.cc: the life of containers.
  void raise(Container& container, ContainerEvent event);
  void carry_out(Container& container, ContainerEffect effect);
  void init_container(const ContainerId& id);
  Result<void> init_services(Container& container, App& app);
  void localize(Container& container);
  void fetch_resource(const ResourceKey& key, const LocalResource& resource, std::int64_t number,
                      const Container& container);
  bool is_lost(const std::string& path) const;
  void resource_fetched(const ResourceKey& key, std::int64_t number, const AppId& app,
                        Result<Fetched> result);
  void drop_late(const ResourceKey& key, const AppId& app, const Result<Fetched>& result);
  void kill(Container& container, std::int32_t status, std::string_view reason);
  void stop_process(Container& container);
  void clean_up(Container& container);
  void finish(Container& container);
  void note(Container& container, std::string_view text);
  void publish(const Container& container);
  ContainerStatus status_of(const Container& container) const;

  // updates.cc: running containers that change.
  Result<void> check_update(const AttemptId& attempt, const ContainerGrant& target) const;
  Result<void> take_update(const ContainerGrant& target);
  void limit_again(Container& container);

  // room.cc: who starts at once, who waits, who has to go.
  void ask_for_room(Container& container);
  void wait_for_room(Container& container);
  void stop_waiting(Container& container);
  bool has_room_for(const Container& container) const;
  void start_waiting();
  void give_room(Container& container);
  void count_room(Container& container, bool has);
  void leave_room(Container& container);
  void make_room();
  void room_changed(Container& container, bool was_opportunistic);
  void shorten_queue(std::int32_t limit);
  OpportunisticUse opportunistic_use() const;

  // launching.cc: their processes.
  void take_disk(Container& container);
  void launch_container(Container& container);
  LaunchJob make_job(Container& container);
  Variables node_variables(const Container& container, const std::string& work_dir) const;
  Variables container_variables(const Container& container) const;
  void container_started(const ContainerId& id, std::uint32_t number,
                         Result<std::optional<pid_t>> result);
  void container_exited(const ContainerId& id, std::uint32_t number, std::int32_t code,
                        const std::string& report, const std::string& complaint);
  bool takes_retry(Container& container, std::int32_t code);
  void end_what_lost_its_supervisor(const ContainerId& id, const std::string& pid_file) const;

  // apps.cc: the life of applications.
  void raise(App& app, AppEvent event);
  void carry_out(App& app, AppEffect effect);
  void prepare(App& app);
  void finish_app(const AppId& id, std::string reason);
  void kill_containers(App& app);
  void clean_up(App& app);
  void handle_logs(App& app);
  void logs_handled(const AppId& id, Result<void> result);
  AggregationJob make_log_job(const App& app) const;
  bool logs_roll(const App& app) const;
  void roll_later(App& app);
  void roll_logs(const AppId& id);
  void logs_rolled(const AppId& id, const Result<void>& result);
  void drop(const AppId& id);
  void prepared(const AppId& id, const std::string& user, std::string error);
  void publish(const App& app);
  void delete_later(std::vector<std::string> paths, std::chrono::seconds delay);
  void delete_now(std::vector<std::string> paths);

  // heartbeats.cc: the ResourceManager.
  void register_node();
  void registered(Result<Registered> result);
  void schedule_heartbeat(Duration delay);
  void heartbeat_soon();  // something has finished
  void send_heartbeat();
  void fill_heartbeat();
  void heartbeat_answered(Result<HeartbeatAnswer> result);
  void heartbeat_taken();
  /// Labels or attributes were told: says so in the log when they are refused, or not any more.
  static void note_acceptance(std::string_view what, bool accepted, const std::string& why,
                              bool& refused);
  void obey(HeartbeatAnswer answer);
  void retry_later(const Error& error, std::string_view what, std::function<void()> again);
  void forget(const ContainerId& id);
  void forget_old_containers();
  void end(NodeEnd how, const std::string& reason);

  // agent.cc: the end.
  void finish_apps();
  void cut_off_containers();
  void continue_stop();

  // monitor.cc: what containers use, how the disks are, what the cache holds.
  void start_monitors();
  void monitor_containers();
  void measured(const std::vector<struct Measurement>& measurements, Utilization node);
  void monitor_disks();
  void disks_checked(DiskCheck result);
  void trim_cache();
  void publish_facts();

  const AgentConfig config_;
  const AgentParts parts_;
  std::vector<AuxService*> services_;
  std::unique_ptr<Cgroups> cgroups_;  // null: no limits by the kernel

  // The agent's thread only.
  NodeId id_;
  std::string http_address_;
  std::int32_t http_port_ = 0;
  std::map<AppId, App> apps_;
  std::map<ContainerId, Container> containers_;
  std::map<ContainerId, Instant> recently_stopped_;
  /// Containers by turn; see room.cc.
  using Turns = std::map<std::uint64_t, ContainerId>;
  Turns waiting_;  // guaranteed
  Turns waiting_opportunistic_;
  Turns running_opportunistic_;  // in the order of their start
  std::uint64_t next_turn_ = 0;
  Resources room_taken_;
  Resources room_opportunistic_;                              // of that, by opportunistic ones
  std::vector<std::pair<ContainerId, Resources>> increased_;  // not told yet
  ResourceCache cache_;
  std::map<std::int64_t, std::shared_ptr<std::atomic<bool>>> fetching_;  // set: give it up
  std::size_t next_disk_ = 0;
  std::vector<std::string> good_local_dirs_;
  std::vector<std::string> good_log_dirs_;

  enum class LinkState : std::uint8_t { kIdle, kRegistering, kBeating, kOver };
  LinkState link_state_ = LinkState::kIdle;
  /// A heartbeat that is not answered is sent again as it was: the ResourceManager may have taken
  /// it and lost only the answer, and does not look into one that it takes for a repetition.
  struct Unanswered {
    Heartbeat request;
    std::vector<ContainerId> ends;
    std::size_t log_reports = 0;
  };
  std::optional<Unanswered> unanswered_;
  bool in_flight_ = false;   // a heartbeat waits for its answer
  bool beat_again_ = false;  // something finished meanwhile
  std::int64_t rm_identifier_ = 0;
  std::int32_t response_id_ = 0;
  std::int32_t container_key_id_ = 0;
  std::int32_t nm_key_id_ = 0;
  std::vector<LogReport> log_reports_;
  Instant labels_told_at_;      // since the registration
  Instant attributes_told_at_;  // likewise
  bool labels_refused_ = false;
  bool attributes_refused_ = false;
  std::optional<Instant> unreachable_since_;
  Duration retry_pause_{0};
  Health health_;
  Utilization containers_use_;
  Utilization node_use_;
  std::map<ContainerId, std::uint64_t> cpu_ticks_;  // at the last measurement
  Instant measured_at_;
  bool measuring_ = false;
  bool checking_disks_ = false;
  WallTime started_;
  WallTime last_update_;
  Resources total_;
  std::function<void()> on_stopped_;  // set while stopping
  bool stopping_ = false;
  bool keeps_apps_ = false;  // while stopping: the next agent goes on with them
  bool unregistered_ = false;

  net::EventLoop::Timer heartbeat_timer_;
  net::EventLoop::Timer monitor_timer_;
  net::EventLoop::Timer disk_timer_;
  net::EventLoop::Timer cache_timer_;
  net::EventLoop::Timer stop_timer_;
  std::map<std::uint64_t, net::EventLoop::Timer> delete_timers_;
  std::uint64_t next_timer_ = 0;

  std::vector<Leftover> leftovers_;        // until the applications are restored
  std::vector<std::string> earlier_logs_;  // of applications that are not restored
  bool store_failing_ = false;

  std::atomic<bool> abandoned_{false};  // logs are not to be moved any more; any thread
  Board board_;
  Processes processes_;
  FetchQueue fetchers_;
  // Apart from each other, so that a slow file system far away holds up no start of a container.
  WorkerPool deleters_;
  WorkerPool log_movers_;
  WorkerPool workers_;  // last: its tasks use everything above
};

}  // namespace heddle::nm
