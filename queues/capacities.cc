// The queue tree, and what each queue may have of the cluster.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

Resources floored(const std::array<double, kResourceTypesMax>& exact) {
  Resources result;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    result.amount[i] = static_cast<std::int64_t>(std::floor(exact[i] + 1e-6));
  }
  return result;
}

std::array<double, kResourceTypesMax> part_of(const Resources& whole, double share) {
  std::array<double, kResourceTypesMax> result{};
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    result[i] = static_cast<double>(whole.amount[i]) * share;
  }
  return result;
}

void collect_leaves(const QueueSpec& spec, std::vector<std::string>& leaves) {
  if (spec.children.empty()) leaves.push_back(spec.path.value());
  for (const QueueSpec& child : spec.children)
    collect_leaves(child, leaves);
}

double over(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

}  // namespace

Scheduler::Impl::Impl() {
  config_ = default_queue_config();
  root_ = build(config_.root, nullptr);
  index_queues(*root_);
  refresh_capacities();
}

std::unique_ptr<Queue> Scheduler::Impl::build(const QueueSpec& spec, Queue* parent) {
  auto queue = std::make_unique<Queue>();
  queue->spec = spec;
  queue->spec.children.clear();
  queue->parent = parent;
  if (spec.children.empty()) queue->leaf = std::make_unique<Leaf>();
  for (const QueueSpec& child : spec.children) {
    queue->children.push_back(build(child, queue.get()));
  }
  return queue;
}

void Scheduler::Impl::index_queues(Queue& queue) {
  by_path_[queue.spec.path.value()] = &queue;
  by_name_[queue.spec.name].push_back(&queue);
  queues_.push_back(&queue);
  for (const auto& child : queue.children)
    index_queues(*child);
}

Result<void> Scheduler::Impl::configure(const QueueConfig& config, const Limits& limits) {
  if (config.root.children.empty()) {
    return fail(ErrorCode::kInvalidArgument, "queue root has no children", ErrorSubject::kQueue);
  }
  std::vector<std::string> leaves;
  collect_leaves(config.root, leaves);
  std::sort(leaves.begin(), leaves.end());
  std::vector<std::string> faults;
  for (const Queue* queue : queues_) {
    if (!queue->leaf || queue->apps == 0) continue;
    if (std::binary_search(leaves.begin(), leaves.end(), queue->spec.path.value())) continue;
    faults.push_back(fmt::format(
        "queue {} has {} applications and is not a leaf queue in the new configuration; stop it "
        "and wait for them, or move them first",
        queue->spec.path.value(), queue->apps));
  }
  if (!faults.empty()) {
    return fail(ErrorCode::kWrongState, join(faults, "\n"), ErrorSubject::kQueue);
  }

  std::vector<App*> apps;
  for (const auto& [id, app] : apps_)
    apps.push_back(app.get());
  std::sort(apps.begin(), apps.end(),
            [](const App* a, const App* b) { return a->sequence < b->sequence; });
  std::vector<std::pair<std::string, bool>> homes;  // path, was waiting
  for (App* app : apps)
    homes.emplace_back(app->leaf->spec.path.value(), app->waiting);
  // Nothing may be let in half-way, while limits of the old and the new tree are mixed.
  for (App* app : apps)
    stop_waiting(*app);
  for (App* app : apps)
    detach(*app);

  config_ = config;
  limits_ = limits;
  types_ = config.calculator == Calculator::kMemory ? 1 : limits.type_count;
  nodes_.set_type_count(types_);
  caps_.forget_deferred();
  by_path_.clear();
  by_name_.clear();
  queues_.clear();
  root_ = build(config_.root, nullptr);
  index_queues(*root_);
  refresh_capacities();
  for (std::size_t i = 0; i < apps.size(); ++i)
    attach(*apps[i], *by_path_[homes[i].first]);
  for (std::size_t i = 0; i < apps.size(); ++i) {
    if (homes[i].second) start_waiting(*apps[i]);
  }
  caps_.open_all();
  cluster_changed();
  return {};
}

Queue* Scheduler::Impl::find_queue(std::string_view path_or_name) const {
  const auto path = by_path_.find(path_or_name);
  if (path != by_path_.end()) return path->second;
  const auto name = by_name_.find(path_or_name);
  return name != by_name_.end() && name->second.size() == 1 ? name->second.front() : nullptr;
}

Queue* Scheduler::Impl::find_leaf(std::string_view path_or_name) const {
  Queue* queue = find_queue(path_or_name);
  return queue != nullptr && queue->leaf ? queue : nullptr;
}

// Percentages and weights are shares of the parent; absolute amounts stand as written, and shrink
// in proportion where they do not fit into the parent.
void Scheduler::Impl::compute_shares(Queue& parent) {
  const Resources& cluster = nodes_.total();
  double weights = 0;
  Resources wanted;
  for (const auto& child : parent.children) {
    if (child->spec.capacity.mode == CapacityMode::kWeight) weights += child->spec.capacity.value;
    if (child->spec.capacity.mode == CapacityMode::kAbsolute) {
      wanted += child->spec.capacity.absolute;
    }
  }
  for (const auto& child : parent.children) {
    const Capacity& capacity = child->spec.capacity;
    if (capacity.mode == CapacityMode::kAbsolute) {
      for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
        const double fits =
            wanted.amount[i] > 0
                ? std::min(1.0, parent.guarantee[i] / static_cast<double>(wanted.amount[i]))
                : 0;
        child->guarantee[i] = static_cast<double>(capacity.absolute.amount[i]) * fits;
      }
      child->guaranteed = floored(child->guarantee);
      child->share = over(child->guaranteed.memory_mb(), parent.guaranteed.memory_mb());
    } else {
      child->share = capacity.mode == CapacityMode::kWeight
                         ? (weights > 0 ? capacity.value / weights : 0)
                         : capacity.value / 100;
      for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
        child->guarantee[i] = parent.guarantee[i] * child->share;
      }
      child->guaranteed = floored(child->guarantee);
    }
    child->absolute = parent.absolute * child->share;
    const Capacity& most = child->spec.maximum_capacity;
    if (most.mode == CapacityMode::kAbsolute) {
      child->maximum = componentwise_min(most.absolute, parent.maximum);
      child->absolute_max = over(child->maximum.memory_mb(), cluster.memory_mb());
    } else {
      child->absolute_max = parent.absolute_max * most.value / 100;
      child->maximum =
          componentwise_min(floored(part_of(cluster, child->absolute_max)), parent.maximum);
    }
  }
}

void Scheduler::Impl::refresh_capacities() {
  capacities_stale_ = false;
  root_->guaranteed = root_->maximum = nodes_.total();
  root_->guarantee = part_of(nodes_.total(), 1);
  for (Queue* queue : queues_)
    compute_shares(*queue);  // parents come first

  std::vector<Queue*> by_rank = queues_;
  std::sort(by_rank.begin(), by_rank.end(), [](const Queue* a, const Queue* b) {
    if (a->absolute != b->absolute) return a->absolute > b->absolute;
    return a->spec.path < b->spec.path;
  });
  for (std::size_t i = 0; i < by_rank.size(); ++i) {
    // Unlisted before the rank changes, so that no list ever holds two children at one place.
    by_rank[i]->rank = static_cast<std::int64_t>(i);
  }
  for (Queue* queue : queues_)
    set_ratio(*queue);
  for (Queue* queue : queues_)
    queue->demand.rows.clear();
  for (auto it = queues_.rbegin(); it != queues_.rend(); ++it) {
    Queue& queue = **it;
    if (queue.leaf) {
      for (auto& row : queue.leaf->demand.rows)
        row.listed = false;
    }
    sync_all(queue);
  }
  for (Queue* queue : queues_) {
    if (!queue->leaf) continue;
    for (auto& [name, user] : queue->leaf->users) {
      if (!user->tracked) continue;
      untrack(*user);
      track(*user);
    }
    recompute_user_limit(*queue);
    recompute_am_limits(*queue);
  }
  work_ = true;
}

void Scheduler::Impl::set_ratio(Queue& queue) const {
  // A queue without a guarantee comes after all others once it holds anything.
  constexpr double kNoGuarantee = 1e12;
  queue.ratio = 0;
  for (std::size_t i = 0; i < types_; ++i) {
    const double used = static_cast<double>(queue.used.amount[i]);
    if (used <= 0) continue;
    const double guarantee = queue.guarantee[i];
    queue.ratio = std::max(queue.ratio, guarantee > 0 ? used / guarantee : kNoGuarantee + used);
  }
}

double Scheduler::Impl::measure(const Resources& amount) const {
  if (types_ == 1) return static_cast<double>(amount.memory_mb());
  const Resources& cluster = nodes_.total();
  double most = 0;
  for (std::size_t i = 0; i < types_; ++i) {
    if (amount.amount[i] <= 0) continue;
    most = std::max(most, static_cast<double>(amount.amount[i]) /
                              static_cast<double>(std::max<std::int64_t>(cluster.amount[i], 1)));
  }
  return most;
}

bool Scheduler::Impl::within(const Resources& amount, const Resources& room) const {
  for (std::size_t i = 0; i < types_; ++i) {
    if (amount.amount[i] > room.amount[i]) return false;
  }
  return true;
}

Resources Scheduler::Impl::normalize(const Resources& asked, const Resources& maximum) const {
  // No node is larger. A type without a maximum has one here, so that use plus size cannot wrap.
  constexpr std::int64_t kSizeMax = std::int64_t{1} << 41;
  Resources result;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    if (i >= types_) continue;
    std::int64_t value = std::max(asked.amount[i], limits_.minimum.amount[i]);
    const std::int64_t most = std::min(maximum.amount[i], kSizeMax);
    const std::int64_t step = limits_.increment.amount[i];
    value = std::min(value, most);  // first: rounding must not overflow
    if (step > 0 && value % step != 0 && value <= most - (step - value % step)) {
      value += step - value % step;
    } else if (step > 0 && value % step != 0) {
      value = most;
    }
    result.amount[i] = value;
  }
  // DefaultResourceCalculator knows memory only: every container shows one vcore.
  if (config_.calculator == Calculator::kMemory) result.amount[kVcores] = 1;
  return result;
}

}  // namespace heddle::queues
