// The production core: every submission, heartbeat and tick goes through rm::Core. Heartbeats that
// would tell nothing and hear nothing are left out, but for a sign of life now and then; they are
// sent at the times at which a node or an AM of that phase would send them.
#include <algorithm>
#include <queue>
#include <tuple>
#include <unordered_map>

#include "rm/core/core.h"
#include "tools/sim/engine.h"
#include "tools/sim/preemption_counters.h"

namespace heddle::sim {
namespace {

constexpr std::int64_t kClusterStartMs = 1'000'000'000'000;

class CoreEngine final : public Engine, private rm::ReportSink {
 public:
  CoreEngine(const EngineSetup& setup, std::span<const NodeSpec> nodes, World& world,
             queues::Scheduler scheduler)
      : setup_(setup), specs_(nodes), world_(world), nodes_(nodes.size()) {
    rm::CoreOptions options = setup_.core;
    options.cluster_start_ms = kClusterStartMs;
    core_ = std::make_unique<rm::Core>(options, std::move(scheduler));
    turn([](rm::Core& core, rm::Turn& now) {
      static_cast<void>(core.recover({}, now));  // of nothing, which cannot be refused
    });
    for (NodeNumber i = 0; i < specs_.size(); ++i)
      numbers_.emplace(id_of(i), i);
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    node_alive_ = duration_cast<milliseconds>(options.node_expiry).count() * 4 / 5;
    master_alive_ = duration_cast<milliseconds>(options.master_expiry).count() * 4 / 5;
  }

  void run_until(Millis now) override {
    while (!events_.empty() && std::get<0>(events_.top()) <= now) {
      const auto [at, order, kind, id, attempt] = events_.top();
      events_.pop();
      tick_until(at);
      now_ = std::max(now_, at);
      switch (kind) {
        case Kind::kNodeBeat: beat_node(static_cast<NodeNumber>(id), at); break;
        case Kind::kMasterBeat: beat_master(static_cast<JobNumber>(id), at); break;
        case Kind::kMasterStart: start_master(static_cast<JobNumber>(id), attempt); break;
      }
    }
    tick_until(now);
    now_ = std::max(now_, now);
  }

  std::optional<Millis> next_time() const override {
    std::optional<Millis> next;
    if (!events_.empty()) next = std::get<0>(events_.top());
    if (const auto deadline = next_tick(); deadline && (!next || *deadline < *next)) {
      next = deadline;
    }
    return next;
  }

  void settle() override {}  // each command is answered in its own turn

  void node_up(NodeNumber number) override {
    Node& node = nodes_[number];
    node = Node{};
    node.up = true;
    rm::RegisterNode request;
    request.id = id_of(number);
    request.http_port = 8042;
    request.total = specs_[number].size;
    request.version = "3.4.2";
    std::string refused;
    turn([&](rm::Core& core, rm::Turn& now) {
      core.register_node(
          request,
          [&refused](Result<rm::NodeRegistered> answer) {
            if (answer && answer->shutdown) refused = answer->diagnostics;
          },
          now);
    });
    if (!refused.empty()) {
      node.up = false;
      warn(refused);
      return;
    }
    plan_node(number, now_ + node_alive_);
  }

  void node_down(NodeNumber number) override { nodes_[number] = Node{}; }  // it falls silent

  Result<void> submit(JobNumber number, const Job& job) override {
    rm::Submission submission;
    submission.id = app_id(number);
    submission.name = job.name.empty() ? "job" : job.name.substr(0, 100);
    submission.queue = job.queue;
    submission.priority = job.priority;
    submission.am_resources = job.am_size;
    submission.launch = launch_;
    security::Caller caller;
    caller.user = job.user;
    caller.address = "127.0.0.1";
    Result<void> outcome;
    submitting_ = number;
    turn([&](rm::Core& core, rm::Turn& now) {
      core.submit(
          caller, std::move(submission), [&](Result<void> answer) { outcome = std::move(answer); },
          now);
    });
    submitting_ = 0;
    if (outcome && !rejected_.empty()) {
      outcome = fail(ErrorCode::kLimitExceeded, rejected_);
    } else if (outcome) {
      jobs_.try_emplace(number);
    }
    rejected_.clear();
    return outcome;
  }

  void ask(JobNumber number, std::span<const AskRow> rows) override {
    const auto found = jobs_.find(number);
    if (found == jobs_.end()) return;
    for (const AskRow& row : rows) {
      rm::Ask ask;
      ask.priority = row.priority;
      ask.resources = row.size;
      ask.containers = row.count;
      ask.allocation_request_id = row.group;
      for (const std::string* place : {&row.host, &row.rack}) {
        if (place->empty()) continue;
        ask.resource_name = *place;
        found->second.outgoing.asks.push_back(ask);
      }
      ask.resource_name = "*";
      found->second.outgoing.asks.push_back(ask);
    }
    wake_master(number, found->second);
  }

  void container_ended(const ContainerKey& key, NodeNumber number) override {
    Node& node = nodes_[number];
    if (!node.up) return;
    report(node, number, key, true);
  }

  void release(const ContainerKey& key, NodeNumber) override {
    const auto found = jobs_.find(key.job);
    if (found == jobs_.end()) return;
    found->second.outgoing.releases.push_back(id_of(key));
    wake_master(key.job, found->second);
  }

  void master_done(JobNumber number) override {
    const auto found = jobs_.find(number);
    if (found == jobs_.end() || found->second.leaving) return;
    MasterState& master = found->second;
    master.leaving = true;
    const AttemptId attempt{app_id(number), master.attempt};
    const ContainerKey key = key_of(master.container);
    const NodeNumber node = master.node;
    turn([&](rm::Core& core, rm::Turn& now) {
      core.finish_master(
          attempt, {rm::FinalStatus::kSucceeded, "", ""}, [](const Result<bool>&) {}, now);
    });
    if (nodes_[node].up) report(nodes_[node], node, key, true);
  }

  ClusterSample sample() override {
    rm::Turn now{clock(), {}};
    core_->publish_totals(now.now, *this);
    ClusterSample out;
    out.total = metrics_.total;
    out.used = metrics_.allocated;
    out.nodes = metrics_.nodes_active;
    out.containers = metrics_.containers_allocated;
    out.pending_containers = metrics_.containers_pending;
    if (root_) collect(*root_, out.leaves);
    return out;
  }

  std::string check() const override { return core_->check_invariants(); }

  std::vector<std::pair<std::string, std::int64_t>> counters() const override {
    std::vector<std::pair<std::string, std::int64_t>> out{{"commands", commands_},
                                                          {"node heartbeats", node_beats_},
                                                          {"allocate calls", master_beats_},
                                                          {"records", records_}};
    add_preemption(core_->scheduler().preemption_ledger().sums(), out);
    return out;
  }

  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  enum class Kind : std::uint8_t { kNodeBeat, kMasterBeat, kMasterStart };
  using Event = std::tuple<Millis, std::int64_t, Kind, std::int64_t, std::int32_t>;

  struct Node {
    bool up = false;
    std::int32_t response_id = 0;
    Millis next_beat = -1;
    std::vector<rm::NodeContainer> reports;
  };
  struct MasterState {
    std::int32_t attempt = 0;  // of the AM that runs; 0 = none yet
    bool up = false;
    bool leaving = false;
    std::int32_t response_id = 0;
    Millis next_beat = -1;
    ContainerId container;
    NodeNumber node = 0;
    rm::Allocate outgoing;
    std::shared_ptr<const rm::Allocated> unread;  // with masters_as_sls
  };

  static AppId app_id(JobNumber job) { return {kClusterStartMs, job}; }
  static ContainerId id_of(const ContainerKey& key) {
    return {AttemptId{app_id(key.job), key.attempt}, key.number};
  }
  static ContainerKey key_of(const ContainerId& id) {
    return {id.attempt.app.sequence, id.attempt.number, id.id};
  }
  NodeId id_of(NodeNumber node) const { return {specs_[node].host, 45454}; }

  Now clock() const {
    return {Instant{std::chrono::milliseconds(now_)}, WallTime{kClusterStartMs + now_}};
  }

  /// One command, and everything that follows from it; the disk is as fast as can be.
  template <class Run>
  void turn(const Run& run) {
    ++commands_;
    std::vector<rm::Saved> saved;
    const auto finish = [&](rm::Turn& one) {
      core_->publish(one.now, *this);
      records_ += static_cast<std::int64_t>(one.effects.records.size());
      for (auto& reply : one.effects.replies)
        reply();
      for (auto& reply : one.effects.durable_replies)
        reply({});
      for (auto& launch : one.effects.launches)
        plan_start(launch);
      std::ranges::move(one.effects.saved, std::back_inserter(saved));
    };
    rm::Turn first{clock(), {}};
    run(*core_, first);
    finish(first);
    while (!saved.empty()) {
      rm::Turn next{clock(), {}};
      for (const rm::Saved& one : std::exchange(saved, {}))
        core_->saved(one, next);
      finish(next);
    }
  }

  // Deadlines of the core: silent nodes and AMs, containers that nobody started.
  std::optional<Millis> next_tick() const {
    const auto deadline = core_->next_deadline();
    if (!deadline) return std::nullopt;
    const auto ns = deadline->since_zero.count();
    return std::max<Millis>(now_, (ns + 999'999) / 1'000'000);
  }
  void tick_until(Millis now) {
    for (auto next = next_tick(); next && *next <= now; next = next_tick()) {
      now_ = std::max(now_, *next);
      turn([](rm::Core& core, rm::Turn& one) { core.tick(one); });
    }
  }

  /// The next time a sender of this phase would send.
  static Millis beat_after(Millis at, Millis interval, std::int64_t id) {
    if (interval <= 0) return at;
    const Millis phase = static_cast<Millis>(static_cast<std::uint64_t>(id) * 2654435761U %
                                             static_cast<std::uint64_t>(interval));
    return at + interval - 1 - (at + interval - 1 - phase) % interval;
  }
  void plan(Millis at, Kind kind, std::int64_t id, std::int32_t attempt = 0) {
    events_.emplace(at, ++order_, kind, id, attempt);
  }
  void plan_node(NodeNumber number, Millis at) {
    Node& node = nodes_[number];
    if (node.next_beat >= 0 && node.next_beat <= at) return;
    node.next_beat = at;
    plan(at, Kind::kNodeBeat, number);
  }
  void plan_master(JobNumber number, MasterState& master, Millis at) {
    if (master.next_beat >= 0 && master.next_beat <= at) return;
    master.next_beat = at;
    plan(at, Kind::kMasterBeat, number);
  }
  void wake_master(JobNumber number, MasterState& master) {
    if (master.up) plan_master(number, master, beat_after(now_, setup_.master_heartbeat, number));
  }
  void plan_start(const rm::MasterLaunch& launch) {
    plan(now_ + setup_.master_start, Kind::kMasterStart, launch.attempt.app.sequence,
         launch.attempt.number);
    MasterState& master = jobs_[launch.attempt.app.sequence];
    master = MasterState{};
    master.attempt = launch.attempt.number;
    master.container = launch.container.id;
    master.node = numbers_.at(launch.container.node);
  }

  void report(Node& node, NodeNumber number, const ContainerKey& key, bool finished) {
    rm::NodeContainer one;
    one.id = id_of(key);
    one.finished = finished;
    one.running = !finished;
    one.exit_status = finished ? 0 : rm::exit_status::kInvalid;
    // Started and ended between two heartbeats: only its end is told.
    if (finished) {
      std::erase_if(node.reports, [&](const rm::NodeContainer& told) { return told.id == one.id; });
    }
    node.reports.push_back(std::move(one));
    plan_node(number, beat_after(now_, setup_.node_heartbeat, number));
  }

  void start_master(JobNumber number, std::int32_t attempt) {
    const auto found = jobs_.find(number);
    if (found == jobs_.end() || found->second.attempt != attempt) return;
    const ContainerId container = found->second.container;
    const NodeNumber node = found->second.node;
    const AttemptId id{app_id(number), attempt};
    const bool up = nodes_[node].up;
    turn([&](rm::Core& core, rm::Turn& now) {
      Result<void> outcome;
      if (!up) outcome = fail(ErrorCode::kUnavailable, "the node does not answer");
      core.master_launched(id, outcome, now);
    });
    if (!up) return;
    report(nodes_[node], node, key_of(container), false);
    bool registered = false;
    turn([&](rm::Core& core, rm::Turn& now) {
      core.register_master(
          id, {"am", 1, ""},
          [&](const Result<rm::MasterRegistered>& answer) { registered = answer.has_value(); },
          now);
    });
    if (!registered) return;
    const auto again = jobs_.find(number);
    if (again == jobs_.end() || again->second.attempt != attempt) return;
    again->second.up = true;
    plan_master(number, again->second, now_ + master_alive_);
    world_.master_up(number);
  }

  void beat_node(NodeNumber number, Millis at) {
    Node& node = nodes_[number];
    if (!node.up || node.next_beat != at) return;
    node.next_beat = -1;
    ++node_beats_;
    rm::NodeHeartbeat request;
    request.id = id_of(number);
    request.response_id = node.response_id;
    request.containers = std::exchange(node.reports, {});
    rm::NodeHeartbeatAnswer answer;
    turn([&](rm::Core& core, rm::Turn& now) {
      core.heartbeat(
          request,
          [&](Result<rm::NodeHeartbeatAnswer> given) {
            if (given) answer = *std::move(given);
          },
          now);
    });
    if (answer.action != rm::NodeAction::kNormal) return node_up(number);  // lost: registers again
    node.response_id = answer.response_id;
    plan_node(number, now_ + node_alive_);
  }

  void beat_master(JobNumber number, Millis at) {
    const auto found = jobs_.find(number);
    if (found == jobs_.end() || !found->second.up || found->second.next_beat != at) return;
    if (!nodes_[found->second.node].up) return;  // it has gone with its node
    const std::int32_t attempt = found->second.attempt;
    if (const auto unread = std::exchange(found->second.unread, nullptr)) hand_on(*unread);
    const auto present = jobs_.find(number);
    if (present == jobs_.end() || present->second.attempt != attempt) return;
    MasterState& master = present->second;
    master.next_beat = -1;
    if (master.leaving) return;
    ++master_beats_;
    rm::Allocate request = std::exchange(master.outgoing, {});
    request.response_id = master.response_id;
    Result<std::shared_ptr<const rm::Allocated>> answer;
    turn([&](rm::Core& core, rm::Turn& now) {
      core.allocate(
          {app_id(number), attempt}, request,
          [&](Result<std::shared_ptr<const rm::Allocated>> given) { answer = std::move(given); },
          now);
    });
    if (!answer) return refused(number, attempt, answer.error());
    if (*answer == nullptr) return;
    const auto again = jobs_.find(number);
    if (again == jobs_.end() || again->second.attempt != attempt) return;
    again->second.response_id = (*answer)->response_id;
    plan_master(number, again->second, now_ + master_alive_);
    if (!setup_.masters_as_sls) return hand_on(**answer);
    if ((*answer)->containers.empty() && (*answer)->finished.empty()) return;
    again->second.unread = *answer;
    plan_master(number, again->second, now_ + std::max<Millis>(1, setup_.master_heartbeat));
  }

  void hand_on(const rm::Allocated& answer) {
    for (const rm::GrantedContainer& grant : answer.containers) {
      const NodeNumber node = numbers_.at(grant.node);
      if (nodes_[node].up) report(nodes_[node], node, key_of(grant.id), false);
      world_.granted(key_of(grant.id), static_cast<std::int32_t>(grant.allocation_request_id), node,
                     grant.resources);
    }
    for (const rm::FinishedContainer& finished : answer.finished) {
      if (finished.exit_status == 0) {
        world_.finished(key_of(finished.id));
        continue;
      }
      world_.lost(key_of(finished.id), finished.exit_status == rm::exit_status::kPreempted
                                           ? Loss::kPreempted
                                           : Loss::kNode);
    }
  }

  /// An AM that is told of an error ends with it.
  void refused(JobNumber number, std::int32_t attempt, const Error& error) {
    const auto found = jobs_.find(number);
    if (found == jobs_.end() || found->second.attempt != attempt || found->second.leaving) return;
    found->second.leaving = true;
    const ContainerKey key = key_of(found->second.container);
    const NodeNumber node = found->second.node;
    turn([&](rm::Core& core, rm::Turn& now) {
      core.finish_master(
          {app_id(number), attempt}, {rm::FinalStatus::kFailed, error.message, ""},
          [](const Result<bool>&) {}, now);
    });
    if (nodes_[node].up) report(nodes_[node], node, key, true);
  }

  void warn(const std::string& text) {
    if (warnings_.size() < 20) warnings_.push_back(text);
  }

  // What the core shows.
  void put(rm::AppReportPtr report) override {
    if (!rm::is_final(report->state)) return;
    const JobNumber number = report->id.sequence;
    const bool well = report->state == rm::AppState::kFinished &&
                      report->final_status == rm::FinalStatus::kSucceeded;
    const std::string why =
        well ? "" : (report->diagnostics.empty() ? "failed" : report->diagnostics);
    if (number == submitting_) {
      rejected_ = why.empty() ? "refused" : why;
      return;
    }
    if (jobs_.erase(number) > 0) world_.job_over(number, why);
  }
  void forget_app(const AppId&) override {}
  void put(rm::AttemptReportPtr) override {}
  void put(rm::ContainerReportPtr report) override {
    if (report->state == rm::ContainerState::kAllocated) wake_owner(report->id);
  }
  void forget_container(const ContainerId& id) override { wake_owner(id); }
  void put(rm::NodeReportPtr) override {}
  void forget_node(const NodeId&) override {}
  void put(rm::QueueReportPtr root) override { root_ = std::move(root); }
  void put(const rm::ClusterMetrics& metrics) override { metrics_ = metrics; }
  void put(rm::LabelsReportPtr) override {}
  void put(rm::AttributesReportPtr) override {}
  void allow_login(const AttemptId&, bool) override {}

  void wake_owner(const ContainerId& id) {
    const auto found = jobs_.find(id.attempt.app.sequence);
    if (found != jobs_.end()) wake_master(found->first, found->second);
  }

  static void collect(const rm::QueueReport& queue, std::vector<QueueSample>& out) {
    if (queue.leaf) {
      out.push_back({queue.path.value(), queue.guaranteed, queue.maximum, queue.used, queue.pending,
                     queue.containers, queue.pending_containers, queue.apps});
    }
    for (const rm::QueueReport& child : queue.children)
      collect(child, out);
  }

  EngineSetup setup_;
  std::span<const NodeSpec> specs_;
  World& world_;
  std::unique_ptr<rm::Core> core_;
  std::vector<Node> nodes_;
  std::unordered_map<NodeId, NodeNumber> numbers_;
  std::unordered_map<JobNumber, MasterState> jobs_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  rm::LaunchBlob launch_ = std::make_shared<const std::string>("simulated");
  std::shared_ptr<const rm::QueueReport> root_;
  rm::ClusterMetrics metrics_;
  Millis now_ = 0;
  Millis node_alive_ = 0;
  Millis master_alive_ = 0;
  JobNumber submitting_ = 0;
  std::string rejected_;
  std::int64_t order_ = 0;
  std::int64_t commands_ = 0;
  std::int64_t node_beats_ = 0;
  std::int64_t master_beats_ = 0;
  std::int64_t records_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace

Result<std::unique_ptr<Engine>> make_core_engine(const EngineSetup& setup,
                                                 std::span<const NodeSpec> nodes, World& world) {
  queues::Scheduler scheduler;
  if (auto taken = scheduler.configure(setup.queues, setup.core.limits); !taken) {
    return fail(std::move(taken).error());
  }
  return std::unique_ptr<Engine>(
      std::make_unique<CoreEngine>(setup, nodes, world, std::move(scheduler)));
}

}  // namespace heddle::sim
