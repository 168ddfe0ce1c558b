// The scheduler alone: no heartbeats, no state machines. What happens is known at once.
#include <algorithm>
#include <queue>
#include <tuple>
#include <unordered_map>

#include "queues/scheduler.h"
#include "tools/sim/engine.h"
#include "tools/sim/preemption_counters.h"

namespace heddle::sim {
namespace {

constexpr std::size_t kGrantsMax = 10'000;
constexpr std::int32_t kAttemptsMax = 2;

class SchedulerEngine final : public Engine {
 public:
  SchedulerEngine(const EngineSetup& setup, std::span<const NodeSpec> nodes, World& world)
      : setup_(setup), nodes_(nodes), world_(world), held_(nodes.size()) {
    for (NodeNumber i = 0; i < nodes_.size(); ++i)
      numbers_.emplace(id_of(i), i);
  }

  Result<void> start() {
    scheduler_.set_preemption(setup_.core.preemption);
    return scheduler_.configure(setup_.queues, setup_.core.limits);
  }

  void run_until(Millis now) override {
    now_ = now;
    scheduler_.set_time(now);
    if (preempts() && next_preemption_ <= now) preempt();
    while (!starts_.empty() && std::get<0>(starts_.top()) <= now) {
      const auto [at, order, job, attempt] = starts_.top();
      starts_.pop();
      const auto found = apps_.find(job);
      if (found == apps_.end() || found->second.attempt != attempt) continue;
      found->second.up = true;
      world_.master_up(job);
    }
  }

  std::optional<Millis> next_time() const override {
    std::optional<Millis> next;
    if (!starts_.empty()) next = std::get<0>(starts_.top());
    if (preempts() && (!next || next_preemption_ < *next)) next = next_preemption_;
    return next;
  }

  void settle() override {
    while (scheduler_.has_work()) {
      const auto grants = scheduler_.schedule(kGrantsMax);
      if (grants.empty()) return;
      for (const queues::Grant& grant : grants)
        take(grant);
    }
  }

  void node_up(NodeNumber node) override {
    ++commands_;
    scheduler_.add_node(id_of(node), nodes_[node].rack, nodes_[node].size);
    ++nodes_up_;
  }

  void node_down(NodeNumber node) override {
    ++commands_;
    --nodes_up_;
    scheduler_.remove_node(id_of(node));
    std::vector<Held> gone = std::exchange(held_[node], {});
    std::vector<JobNumber> headless;
    for (const Held& held : gone) {
      free_room(held.hold);
      if (held.is_master) {
        headless.push_back(held.key.job);
      } else {
        world_.lost(held.key, Loss::kNode);
      }
    }
    for (const JobNumber job : headless)
      restart(job);
  }

  Result<void> submit(JobNumber number, const Job& job) override {
    ++commands_;
    RETURN_IF_ERROR(check_size(job.am_size));
    const auto added =
        scheduler_.add_app(app_id(number), job.queue, UserName(job.user), job.priority);
    if (!added) return fail(added.error());
    apps_[number] = App{job.am_size, 0, false};
    start_attempt(number);
    return {};
  }

  void ask(JobNumber job, std::span<const AskRow> rows) override {
    const auto found = apps_.find(job);
    if (found == apps_.end()) return;
    std::vector<queues::Ask> asks;
    for (const AskRow& row : rows) {
      if (const auto fits = check_size(row.size); !fits) return end(job, fits.error().message);
      for (const std::string* place : {&row.host, &row.rack}) {
        if (place->empty()) continue;
        asks.push_back({row.priority, *place, row.size, row.count, true, "", row.group});
      }
      asks.push_back(
          {row.priority, std::string(queues::kAnyNode), row.size, row.count, true, "", row.group});
    }
    ++commands_;
    const auto taken = scheduler_.update_asks({app_id(job), found->second.attempt}, asks);
    if (!taken) end(job, taken.error().message);
  }

  void container_ended(const ContainerKey& key, NodeNumber node) override {
    auto& list = held_[node];
    const auto at = std::ranges::find(list, key, &Held::key);
    if (at == list.end()) return;
    ++commands_;
    free_room(at->hold);
    *at = list.back();
    list.pop_back();
  }

  void release(const ContainerKey& key, NodeNumber node) override { container_ended(key, node); }

  void master_done(JobNumber job) override { end(job, ""); }

  ClusterSample sample() override {
    ClusterSample out;
    out.total = scheduler_.cluster_total();
    out.used = scheduler_.cluster_used();
    out.nodes = nodes_up_;
    for (const QueuePath& path : scheduler_.queue_paths()) {
      const auto queue = scheduler_.queue(path);
      if (!queue) continue;
      if (path.value() == "root") {
        out.containers = queue->containers;
        out.pending_containers = queue->pending_containers;
      }
      if (!queue->is_leaf) continue;
      out.leaves.push_back({path.value(), queue->guaranteed, queue->maximum, queue->used,
                            queue->pending, queue->containers, queue->pending_containers,
                            queue->apps});
    }
    return out;
  }

  std::string check() const override { return scheduler_.check_invariants(); }

  std::vector<std::pair<std::string, std::int64_t>> counters() const override {
    std::vector<std::pair<std::string, std::int64_t>> out{{"commands", commands_}};
    add_preemption(scheduler_.preemption_ledger().sums(), out);
    return out;
  }

 private:
  struct App {
    Resources am_size;
    std::int32_t attempt = 0;
    bool up = false;
    NodeNumber am_node = 0;
    ContainerKey am_key = {};
  };
  struct Held {
    ContainerKey key;
    queues::HoldId hold = 0;
    bool is_master = false;
  };
  using Start = std::tuple<Millis, std::int64_t, JobNumber, std::int32_t>;

  static AppId app_id(JobNumber job) { return {1, job}; }
  NodeId id_of(NodeNumber node) const { return {nodes_[node].host, 45454}; }

  /// As the ResourceManager does; the scheduler itself would cut it down.
  Result<void> check_size(const Resources& size) const {
    if (size.fits_in(setup_.core.limits.maximum)) return {};
    return fail(ErrorCode::kInvalidArgument, "Invalid resource request! " + to_string(size) +
                                                 " is greater than maximum allowed allocation " +
                                                 to_string(setup_.core.limits.maximum));
  }

  void start_attempt(JobNumber job) {
    App& app = apps_[job];
    ++app.attempt;
    app.up = false;
    scheduler_.start_attempt({app_id(job), app.attempt}, queues::AmAsk{.capability = app.am_size});
  }

  void take(const queues::Grant& grant) {
    const JobNumber job = grant.attempt.app.sequence;
    const NodeNumber node = numbers_.at(grant.node);
    const ContainerKey key{job, grant.attempt.number, ++containers_};
    held_[node].push_back({key, grant.hold, grant.is_am});
    if (!grant.is_am) {
      world_.granted(key, static_cast<std::int32_t>(grant.allocation_request_id), node,
                     grant.resources);
      return;
    }
    App& app = apps_[job];
    app.am_node = node;
    app.am_key = key;
    starts_.emplace(now_ + setup_.master_start, ++order_, job, app.attempt);
  }

  void free_room(queues::HoldId hold) {
    scheduler_.release(hold);
    if (!marked_on_.empty()) marked_on_.erase(hold);
  }

  bool preempts() const { return setup_.core.preemption.enabled; }

  /// A simulated AM gives nothing back by itself: what is marked ends with its grace, if not
  /// before.
  void preempt() {
    ++commands_;
    next_preemption_ = now_ + std::max<Millis>(setup_.core.preemption.interval_ms, 1);
    const queues::PreemptionRound round = scheduler_.preempt();
    for (const queues::Victim& victim : round.marked)
      if (!setup_.core.preemption.observe_only)
        marked_on_.insert_or_assign(victim.hold, numbers_.at(victim.node));
    for (const queues::HoldId hold : round.spared)
      marked_on_.erase(hold);
    for (const queues::HoldId hold : round.overdue) {
      const auto marked = marked_on_.find(hold);
      if (marked == marked_on_.end()) continue;
      const NodeNumber node = marked->second;
      const auto at = std::ranges::find(held_[node], hold, &Held::hold);
      if (at == held_[node].end()) continue;
      const ContainerKey key = at->key;
      container_ended(key, node);
      world_.lost(key, Loss::kPreempted);
    }
  }

  /// The AM's node is gone.
  void restart(JobNumber job) {
    const auto found = apps_.find(job);
    if (found == apps_.end()) return;
    const std::int32_t attempt = found->second.attempt;
    release_all(job);
    scheduler_.end_attempt({app_id(job), attempt});
    if (attempt >= kAttemptsMax) {
      found->second.am_key = {};
      return end(job, "its ApplicationMasters were lost with their nodes");
    }
    start_attempt(job);
  }

  void release_all(JobNumber job) {
    for (NodeNumber node = 0; node < held_.size(); ++node) {  // rare: an AM was lost
      std::erase_if(held_[node], [&](const Held& held) {
        if (held.key.job != job) return false;
        free_room(held.hold);
        return true;
      });
    }
  }

  void end(JobNumber job, const std::string& why) {
    const auto found = apps_.find(job);
    if (found == apps_.end()) return;
    ++commands_;
    if (!why.empty()) release_all(job);
    const App app = found->second;
    if (app.am_key.job != 0) container_ended(app.am_key, app.am_node);
    scheduler_.end_attempt({app_id(job), app.attempt});
    scheduler_.remove_app(app_id(job));
    apps_.erase(found);
    world_.job_over(job, why);
  }

  EngineSetup setup_;
  std::span<const NodeSpec> nodes_;
  World& world_;
  queues::Scheduler scheduler_;
  std::unordered_map<NodeId, NodeNumber> numbers_;
  std::vector<std::vector<Held>> held_;  // by node
  std::unordered_map<queues::HoldId, NodeNumber> marked_on_;
  std::unordered_map<JobNumber, App> apps_;
  std::priority_queue<Start, std::vector<Start>, std::greater<>> starts_;
  Millis now_ = 0;
  Millis next_preemption_ = 0;
  std::int64_t order_ = 0;
  std::int64_t containers_ = 0;
  std::int64_t nodes_up_ = 0;
  std::int64_t commands_ = 0;
};

}  // namespace

Result<std::unique_ptr<Engine>> make_scheduler_engine(const EngineSetup& setup,
                                                      std::span<const NodeSpec> nodes,
                                                      World& world) {
  auto engine = std::make_unique<SchedulerEngine>(setup, nodes, world);
  RETURN_IF_ERROR(engine->start());
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace heddle::sim
