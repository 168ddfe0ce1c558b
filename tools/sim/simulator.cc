#include "tools/sim/simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"
#include "base/text.h"

namespace heddle::sim {
namespace {

constexpr Millis kNever = std::numeric_limits<Millis>::max();
/// Longer than any silence after which the core still does something by itself.
constexpr Millis kPatience = 7'200'000;
constexpr std::size_t kSamplesMax = 1'000'000;
constexpr std::size_t kWarningsMax = 20;

class Simulation final : public World {
 public:
  Simulation(Trace& trace, const SimulationOptions& options) : trace_(trace), options_(options) {}

  Result<Results> run() {
    const SystemClock clock;
    const Instant start = clock.now().instant;
    RETURN_IF_ERROR(begin());
    RETURN_IF_ERROR(loop());
    finish();
    results_.wall_seconds = std::chrono::duration<double>(clock.now().instant - start).count();
    return std::move(results_);
  }

  void master_up(JobNumber number) override;
  void granted(const ContainerKey& key, std::int32_t group, NodeNumber node,
               const Resources& size) override;
  void finished(const ContainerKey& key) override;
  void lost(const ContainerKey& key, Loss loss) override;
  void job_over(JobNumber number, const std::string& why) override;

 private:
  struct Group {
    std::int64_t left = 0;     // not done
    std::int64_t waiting = 0;  // asked for, not given
    bool asked = false;
    Millis asked_at = 0;
    std::vector<Millis> again;  // when those were asked for that were lost
  };
  struct LiveJob {
    Job job;
    std::size_t queue = 0;
    std::int64_t left = 0;        // tasks not done
    std::int64_t stage_left = 0;  // of this stage
    std::int32_t stage = -1;
    bool up = false;
    bool leaving = false;
    std::vector<Group> groups;
    std::unordered_set<std::uint32_t> slots;  // running containers
    // Groups of tasks that are over, which the AM has not heard.
    std::unordered_map<ContainerKey, std::int32_t, KeyHash> unheard;
  };
  struct Slot {
    ContainerKey key;
    std::int32_t group = 0;
    NodeNumber node = 0;
    std::uint32_t turn = 0;  // how often the slot was used: an end of an earlier use is void
    bool used = false;
    bool dead = false;  // its node is down, and nobody has heard yet
  };
  enum class Kind : std::uint8_t { kTaskEnd, kAsk, kNodeBack };
  struct Event {
    Millis at;
    std::int64_t order;
    Kind kind;
    std::uint32_t id;
    std::uint32_t turn;
    friend bool operator>(const Event& a, const Event& b) {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };

  Result<void> begin();
  Result<void> loop();
  void finish();
  Millis next_time() const;
  Result<void> take_trace();
  void take(TraceEvent event);
  void submit(Job job);
  void fail_node(const NodeFailure& failure);
  void handle(const Event& event);
  void ask_what_is_due(JobNumber number);
  void begin_stage(JobNumber number, LiveJob& live);
  void ask(JobNumber number, LiveJob& live, std::int32_t group);
  void task_done(std::uint32_t slot);
  void count_done(JobNumber number, std::int32_t group);
  void free_slot(std::uint32_t slot);
  void advance_job(JobNumber number, LiveJob& live);
  void note_place(const TaskGroup& group, NodeNumber node);
  void look(Millis at);
  std::size_t queue_number(const std::string& name);
  JobResult* result_of(JobNumber number) {
    return options_.details ? &results_.job_results[static_cast<std::size_t>(number) - 1] : nullptr;
  }
  void plan(Millis at, Kind kind, std::uint32_t id, std::uint32_t turn = 0) {
    events_.push({at, ++order_, kind, id, turn});
  }
  void warn(std::string text) {
    if (results_.warnings.size() < kWarningsMax) results_.warnings.push_back(std::move(text));
  }

  Trace& trace_;
  const SimulationOptions& options_;
  std::unique_ptr<Engine> engine_;
  Results results_;
  std::optional<TraceEvent> ahead_;  // the next of the trace
  Millis now_ = 0;
  Millis moved_at_ = 0;  // when something last went forward
  Millis next_look_ = 0;
  std::int64_t order_ = 0;
  JobNumber jobs_ = 0;
  std::unordered_map<JobNumber, LiveJob> live_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::unordered_map<ContainerKey, std::uint32_t, KeyHash> by_key_;
  std::vector<std::unordered_set<std::uint32_t>> on_node_;
  std::vector<std::uint32_t> failures_of_;  // by node: an earlier plan to come back is void
  std::vector<bool> node_is_up_;
  std::unordered_map<std::string, NodeNumber> hosts_;
  std::unordered_set<std::string> racks_;
  std::unordered_map<std::string, std::string> leaf_by_name_;
  std::unordered_map<std::string, std::size_t> queue_numbers_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

Result<void> Simulation::begin() {
  const std::vector<NodeSpec>& nodes = trace_.cluster().nodes;
  auto engine = options_.engine == EngineKind::kCore
                    ? make_core_engine(options_.setup, nodes, *this)
                    : make_scheduler_engine(options_.setup, nodes, *this);
  if (!engine) return fail(std::move(engine).error());
  engine_ = *std::move(engine);
  results_.engine = options_.engine == EngineKind::kCore ? "core" : "scheduler";
  results_.nodes = static_cast<std::int64_t>(nodes.size());
  collect_leaves(options_.setup.queues.root, leaf_by_name_);
  on_node_.resize(nodes.size());
  failures_of_.resize(nodes.size());
  node_is_up_.resize(nodes.size(), true);
  for (NodeNumber i = 0; i < nodes.size(); ++i) {
    hosts_.emplace(nodes[i].host, i);
    racks_.insert(nodes[i].rack);
    engine_->node_up(i);
  }
  engine_->settle();
  auto first = trace_.next();
  if (!first) return fail(std::move(first).error());
  ahead_ = *std::move(first);
  return {};
}

Millis Simulation::next_time() const {
  Millis next = ahead_ ? time_of(*ahead_) : kNever;
  if (!events_.empty()) next = std::min(next, events_.top().at);
  if (const auto planned = engine_->next_time()) next = std::min(next, *planned);
  return next;
}

Result<void> Simulation::loop() {
  for (;;) {
    if (!ahead_ && live_.empty()) return {};
    const Millis next = std::max(next_time(), now_);
    const bool stuck = !ahead_ && events_.empty() && next - moved_at_ > kPatience;
    if (next == kNever || stuck) return {};
    if (options_.until && next > *options_.until) {
      while (next_look_ <= *options_.until)
        look(next_look_);
      now_ = *options_.until;
      return {};
    }
    while (next_look_ <= next)
      look(next_look_);
    now_ = next;
    engine_->run_until(now_);
    while (!events_.empty() && events_.top().at <= now_) {
      const Event event = events_.top();
      events_.pop();
      handle(event);
    }
    RETURN_IF_ERROR(take_trace());
    engine_->settle();
    if (!options_.check) continue;
    if (std::string broken = engine_->check(); !broken.empty()) {
      results_.broken = fmt::format("at {} ms: {}", now_, broken);
      return {};
    }
  }
}

Result<void> Simulation::take_trace() {
  while (ahead_ && time_of(*ahead_) <= now_) {
    take(*std::exchange(ahead_, std::nullopt));
    auto next = trace_.next();
    if (!next) return fail(std::move(next).error());
    ahead_ = *std::move(next);
  }
  return {};
}

void Simulation::take(TraceEvent event) {
  moved_at_ = now_;
  if (Job* job = std::get_if<Job>(&event)) return submit(std::move(*job));
  fail_node(std::get<NodeFailure>(event));
}

void Simulation::submit(Job job) {
  const JobNumber number = ++jobs_;
  const std::size_t queue = queue_number(job.queue);
  QueueResult& result = results_.queues[queue];
  ++result.jobs;
  ++results_.jobs;
  LiveJob live;
  live.queue = queue;
  live.groups.resize(job.groups.size());
  for (std::size_t i = 0; i < job.groups.size(); ++i) {
    live.groups[i].left = job.groups[i].count;
    live.left += job.groups[i].count;
  }
  if (options_.details) results_.job_results.push_back({result.path, job.submitted});
  const auto taken = engine_->submit(number, job);
  if (!taken) {
    ++result.jobs_refused;
    warn(fmt::format("job {} at {} ms is refused: {}", number, job.submitted,
                     taken.error().message));
    return;
  }
  live.job = std::move(job);
  live_.emplace(number, std::move(live));
}

void Simulation::fail_node(const NodeFailure& failure) {
  const auto found = hosts_.find(failure.host);
  if (found == hosts_.end()) {
    return warn(
        fmt::format("a failure of node \"{}\", which is not there", shortened(failure.host, 40)));
  }
  const NodeNumber node = found->second;
  ++results_.node_failures;
  const std::uint32_t turn = ++failures_of_[node];
  if (failure.down > 0) plan(now_ + failure.down, Kind::kNodeBack, node, turn);
  if (!node_is_up_[node]) return;
  node_is_up_[node] = false;
  for (const std::uint32_t slot : on_node_[node])
    slots_[slot].dead = true;
  engine_->node_down(node);
}

void Simulation::handle(const Event& event) {
  moved_at_ = now_;
  switch (event.kind) {
    case Kind::kTaskEnd: {
      const Slot& slot = slots_[event.id];
      if (slot.used && !slot.dead && slot.turn == event.turn) task_done(event.id);
      return;
    }
    case Kind::kNodeBack:
      if (failures_of_[event.id] != event.turn) return;
      node_is_up_[event.id] = true;
      return engine_->node_up(event.id);
    case Kind::kAsk: return ask_what_is_due(static_cast<JobNumber>(event.id));
  }
}

/// Rows whose delay is over by now. An ask that is refused may end the job.
void Simulation::ask_what_is_due(JobNumber number) {
  for (std::size_t i = 0;; ++i) {
    const auto found = live_.find(number);
    if (found == live_.end() || !found->second.up || i >= found->second.groups.size()) return;
    LiveJob& live = found->second;
    const Group& group = live.groups[i];
    const bool due = !group.asked && group.asked_at <= now_ && group.left > 0 &&
                     live.job.groups[i].stage == live.stage;
    if (due) ask(number, live, static_cast<std::int32_t>(i));
  }
}

// The AM runs: all that is not done is asked for, stage after stage.
void Simulation::master_up(JobNumber number) {
  const auto found = live_.find(number);
  if (found == live_.end()) return;
  moved_at_ = now_;
  ++results_.placements;
  LiveJob& live = found->second;
  if (live.stage < 0) {
    results_.queues[live.queue].master_wait.add(now_ - live.job.submitted);
    if (JobResult* result = result_of(number)) result->master_up = now_;
  }
  live.unheard.clear();
  const std::vector<std::uint32_t> old(live.slots.begin(), live.slots.end());
  for (const std::uint32_t slot : old)
    free_slot(slot);
  live.up = true;
  live.leaving = false;  // the goodbye of the one before may not have arrived
  live.stage = -1;
  advance_job(number, live);
}

/// Goes on to the first stage that has something left, or ends the job.
void Simulation::advance_job(JobNumber number, LiveJob& live) {
  if (live.left == 0) {
    if (std::exchange(live.leaving, true)) return;
    return engine_->master_done(number);
  }
  std::int32_t stage = std::numeric_limits<std::int32_t>::max();
  for (std::size_t i = 0; i < live.groups.size(); ++i) {
    if (live.groups[i].left > 0) stage = std::min(stage, live.job.groups[i].stage);
  }
  live.stage = stage;
  begin_stage(number, live);
}

void Simulation::begin_stage(JobNumber number, LiveJob& live) {
  live.stage_left = 0;
  std::vector<Millis> later;
  for (std::size_t i = 0; i < live.groups.size(); ++i) {
    Group& group = live.groups[i];
    if (live.job.groups[i].stage != live.stage || group.left == 0) continue;
    live.stage_left += group.left;
    group.asked = false;
    group.waiting = 0;
    group.again.clear();
    group.asked_at = now_ + live.job.groups[i].delay;
    later.push_back(group.asked_at);
  }
  std::ranges::sort(later);
  later.erase(std::unique(later.begin(), later.end()), later.end());
  for (const Millis at : later)
    plan(at, Kind::kAsk, static_cast<std::uint32_t>(number));
}

void Simulation::ask(JobNumber number, LiveJob& live, std::int32_t index) {
  Group& group = live.groups[static_cast<std::size_t>(index)];
  const TaskGroup& wanted = live.job.groups[static_cast<std::size_t>(index)];
  if (!std::exchange(group.asked, true)) {
    group.asked_at = now_;
    group.waiting = group.left;
  }
  AskRow row;
  row.group = index;
  row.priority = wanted.priority;
  row.count = static_cast<std::int32_t>(group.waiting);
  row.size = wanted.size;
  const std::string& place = wanted.place;
  if (!place.empty()) {
    const std::size_t slash = place.rfind('/');
    const std::string host = slash == std::string::npos ? place : place.substr(slash + 1);
    if (const auto node = racks_.contains(place) ? hosts_.end() : hosts_.find(host);
        node != hosts_.end()) {
      row.host = host;
      row.rack = trace_.cluster().nodes[node->second].rack;
    } else {
      row.rack = place.starts_with('/') ? place : "";
    }
  }
  engine_->ask(number, {&row, 1});
}

void Simulation::granted(const ContainerKey& key, std::int32_t index, NodeNumber node,
                         const Resources&) {
  moved_at_ = now_;
  ++results_.placements;
  const auto found = live_.find(key.job);
  const bool known = found != live_.end() && index >= 0 &&
                     static_cast<std::size_t>(index) < found->second.groups.size();
  if (!known || found->second.groups[static_cast<std::size_t>(index)].waiting <= 0) {
    return engine_->release(key, node);  // more than was wanted in the end
  }
  LiveJob& live = found->second;
  Group& group = live.groups[static_cast<std::size_t>(index)];
  const TaskGroup& task = live.job.groups[static_cast<std::size_t>(index)];
  --group.waiting;
  QueueResult& queue = results_.queues[live.queue];
  ++queue.containers;
  Millis asked_at = group.asked_at;
  if (!group.again.empty()) {
    asked_at = group.again.back();
    group.again.pop_back();
  }
  queue.wait.add(now_ - asked_at);
  note_place(task, node);
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  Slot& taken = slots_[slot];
  taken.key = key;
  taken.group = index;
  taken.node = node;
  taken.used = true;
  taken.dead = !node_is_up_[node];  // given on a node whose loss is not known yet
  ++taken.turn;
  by_key_[key] = slot;
  live.slots.insert(slot);
  on_node_[node].insert(slot);
  plan(now_ + task.duration, Kind::kTaskEnd, slot, taken.turn);
}

void Simulation::note_place(const TaskGroup& group, NodeNumber node) {
  if (group.place.empty()) return;
  const NodeSpec& spec = trace_.cluster().nodes[node];
  const std::size_t slash = group.place.rfind('/');
  const std::string host = slash == std::string::npos ? group.place : group.place.substr(slash + 1);
  const auto wanted = hosts_.find(host);
  if (spec.host == host) {
    ++results_.on_node;
  } else if (spec.rack == group.place ||
             (wanted != hosts_.end() && trace_.cluster().nodes[wanted->second].rack == spec.rack)) {
    ++results_.in_rack;
  } else {
    ++results_.elsewhere;
  }
}

void Simulation::free_slot(std::uint32_t number) {
  Slot& slot = slots_[number];
  if (!slot.used) return;
  slot.used = false;
  slot.dead = false;
  by_key_.erase(slot.key);
  on_node_[slot.node].erase(number);
  if (const auto job = live_.find(slot.key.job); job != live_.end()) {
    job->second.slots.erase(number);
  }
  free_slots_.push_back(number);
}

void Simulation::task_done(std::uint32_t number) {
  const Slot slot = slots_[number];
  free_slot(number);
  engine_->container_ended(slot.key, slot.node);
  const auto found = live_.find(slot.key.job);
  if (options_.setup.masters_as_sls && found != live_.end()) {
    found->second.unheard.emplace(slot.key, slot.group);
    return;
  }
  count_done(slot.key.job, slot.group);
}

void Simulation::count_done(JobNumber number, std::int32_t group) {
  ++results_.tasks_done;
  const auto found = live_.find(number);
  if (found == live_.end()) return;
  LiveJob& live = found->second;
  --live.groups[static_cast<std::size_t>(group)].left;
  --live.left;
  if (--live.stage_left == 0 && live.up) advance_job(number, live);
}

void Simulation::finished(const ContainerKey& key) {
  const auto job = live_.find(key.job);
  if (job == live_.end()) return;
  const auto told = job->second.unheard.find(key);
  if (told == job->second.unheard.end()) return;
  const std::int32_t group = told->second;
  job->second.unheard.erase(told);
  moved_at_ = now_;
  count_done(key.job, group);
}

void Simulation::lost(const ContainerKey& key, Loss loss) {
  const auto found = live_.find(key.job);
  std::int32_t index = -1;
  if (const auto at = by_key_.find(key); at != by_key_.end()) {
    index = slots_[at->second].group;
    free_slot(at->second);
  } else if (found != live_.end()) {  // over on its node, but not for the cluster?
    const auto told = found->second.unheard.find(key);
    if (told == found->second.unheard.end()) return;
    index = told->second;
    found->second.unheard.erase(told);
  }
  moved_at_ = now_;
  if (found == live_.end()) return;
  QueueResult& queue = results_.queues[found->second.queue];
  ++(loss == Loss::kPreempted ? queue.preempted : queue.lost);
  Group& group = found->second.groups[static_cast<std::size_t>(index)];
  ++group.waiting;
  group.again.push_back(now_);
  if (found->second.up) ask(key.job, found->second, index);
}

void Simulation::job_over(JobNumber number, const std::string& why) {
  const auto found = live_.find(number);
  if (found == live_.end()) return;
  moved_at_ = now_;
  LiveJob& live = found->second;
  QueueResult& queue = results_.queues[live.queue];
  if (JobResult* result = result_of(number)) {
    result->ended = now_;
    result->succeeded = why.empty();
  }
  if (why.empty()) {
    ++queue.jobs_ok;
    queue.turnaround.add(now_ - live.job.submitted);
  } else {
    ++queue.jobs_failed;
    warn(fmt::format("job {} failed at {} ms: {}", number, now_, shortened(why, 300)));
  }
  const std::vector<std::uint32_t> old(live.slots.begin(), live.slots.end());
  for (const std::uint32_t slot : old)
    free_slot(slot);
  live_.erase(found);
}

std::size_t Simulation::queue_number(const std::string& name) {
  const auto leaf = leaf_by_name_.find(name);
  const std::string& path = leaf == leaf_by_name_.end() ? name : leaf->second;
  const auto [it, is_new] = queue_numbers_.try_emplace(path, results_.queues.size());
  if (is_new) {
    results_.queues.emplace_back();
    results_.queues.back().path = path;
  }
  return it->second;
}

// How much of its guarantee each queue lacks that it would use.
void Simulation::look(Millis at) {
  next_look_ += options_.sample_every;
  if (results_.samples.size() >= kSamplesMax) {
    next_look_ = kNever;
    return;
  }
  const ClusterSample seen = engine_->sample();
  Sample sample;
  sample.at = at;
  sample.total = seen.total;
  sample.used = seen.used;
  sample.nodes = seen.nodes;
  sample.containers = seen.containers;
  sample.pending = seen.pending_containers;
  const bool first = results_.leaves.empty();
  for (const QueueSample& leaf : seen.leaves) {
    if (first) results_.leaves.push_back(leaf.path);
    QueueResult& queue = results_.queues[queue_number(leaf.path)];
    const std::int64_t wanted =
        leaf.used.memory_mb() + std::max<std::int64_t>(0, leaf.pending.memory_mb());
    const std::int64_t due =
        std::min({leaf.guaranteed.memory_mb(), leaf.maximum.memory_mb(), wanted});
    const double lacks =
        static_cast<double>(std::max<std::int64_t>(0, due - leaf.used.memory_mb()));
    queue.guaranteed_mb += static_cast<double>(leaf.guaranteed.memory_mb());
    queue.used_mb += static_cast<double>(leaf.used.memory_mb());
    queue.shortfall_mb += lacks;
    queue.shortfall_most_mb = std::max(queue.shortfall_most_mb, lacks);
    sample.shortfall_mb += lacks;
    sample.queues.push_back(leaf.used.memory_mb());
    if (options_.details) {
      sample.leaves.push_back({leaf.guaranteed.memory_mb(), leaf.maximum.memory_mb(),
                               leaf.used.memory_mb(), leaf.pending.memory_mb()});
    }
  }
  results_.samples.push_back(std::move(sample));
}

void Simulation::finish() {
  results_.ended_at = now_;
  results_.jobs_unfinished = static_cast<std::int64_t>(live_.size());
  if (results_.samples.empty() || results_.samples.back().at < now_) look(now_);
  const double looks = static_cast<double>(std::max<std::size_t>(results_.samples.size(), 1));
  for (QueueResult& queue : results_.queues) {
    queue.guaranteed_mb /= looks;
    queue.used_mb /= looks;
    queue.shortfall_mb /= looks;
  }
  std::ranges::sort(results_.queues, {}, &QueueResult::path);
  results_.counters = engine_->counters();
  for (std::vector<std::string> more : {trace_.warnings(), engine_->warnings()}) {
    for (std::string& text : more)
      warn(std::move(text));
  }
}

}  // namespace

Result<Results> simulate(Trace& trace, const SimulationOptions& options) {
  return Simulation(trace, options).run();
}

}  // namespace heddle::sim
