// What each queue may have of the cluster.
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

double over(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

}  // namespace

const Capacity& Scheduler::Impl::capacity_of(const Queue& queue, PartitionId partition) const {
  if (partition == kDefaultPartition) return queue.spec.capacity;
  static const Capacity kNone;
  const auto label = queue.spec.labels.find(partitions_[partition].name);
  return label != queue.spec.labels.end() ? label->second.capacity : kNone;
}

const Capacity& Scheduler::Impl::maximum_of(const Queue& queue, PartitionId partition) const {
  if (partition == kDefaultPartition) return queue.spec.maximum_capacity;
  static const Capacity kAll{CapacityMode::kPercent, 100, {}, "100"};
  const auto label = queue.spec.labels.find(partitions_[partition].name);
  return label != queue.spec.labels.end() ? label->second.maximum_capacity : kAll;
}

// Of each resource type: amounts stand as written, and shrink in proportion where they do not fit
// into the parent; percentages are of what these leave, weights share what is left then. Without
// mixed modes all children of a queue use one of them.
void Scheduler::Impl::compute_guarantees(Queue& parent_queue, PartitionId partition) {
  const QueuePart& parent = parent_queue.parts[partition];
  std::vector<const Capacity*> capacities;  // of the children
  for (const auto& child : parent_queue.children)
    capacities.push_back(&capacity_of(*child, partition));
  double weights = 0;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    double amounts = 0;
    double percent = 0;
    double of_type = 0;  // weights
    for (const Capacity* capacity : capacities) {
      const CapacityPart own = capacity->part(i);
      if (own.mode == CapacityMode::kAbsolute) amounts += own.value;
      if (own.mode == CapacityMode::kPercent) percent += own.value;
      if (own.mode == CapacityMode::kWeight) of_type += own.value;
    }
    if (i == 0) weights = of_type;
    const double fits = amounts > 0 ? std::min(1.0, parent.guarantee[i] / amounts) : 0;
    const double rest = amounts > 0 ? parent.guarantee[i] - amounts * fits : parent.guarantee[i];
    const double whole = config_->mixed_modes ? std::max(percent, 100.0) : 100;
    const double left = percent > 0 ? std::max(rest * (1 - percent / 100), 0.0) : rest;
    for (std::size_t at = 0; at < capacities.size(); ++at) {
      const CapacityPart own = capacities[at]->part(i);
      QueuePart& part = parent_queue.children[at]->parts[partition];
      double& guarantee = part.guarantee[i];
      if (own.mode == CapacityMode::kAbsolute) guarantee = own.value * fits;
      if (own.mode == CapacityMode::kPercent) guarantee = rest * (own.value / whole);
      if (own.mode == CapacityMode::kWeight) {
        guarantee = left * (of_type > 0 ? own.value / of_type : 0);
      }
      // What the maximum cuts off is nobody's, as in Hadoop.
      if (config_->mixed_modes) {
        guarantee = std::min(guarantee, static_cast<double>(part.maximum.amount[i]));
      }
    }
  }
  const bool several = std::ranges::any_of(capacities, [&](const Capacity* capacity) {
    return capacity->mode != capacities.front()->mode;  // where what was made stays
  });
  const bool mixed = config_->mixed_modes || parent_queue.spec.plan || several;
  for (std::size_t at = 0; at < capacities.size(); ++at) {
    const Capacity& capacity = *capacities[at];
    QueuePart& part = parent_queue.children[at]->parts[partition];
    part.guaranteed = floored(part.guarantee);
    if (mixed) {
      const double whole = measure(parent.guaranteed, partition);
      part.share = whole > 0 ? measure(part.guaranteed, partition) / whole : 0;
    } else if (capacity.mode == CapacityMode::kAbsolute) {
      part.share = over(part.guaranteed.memory_mb(), parent.guaranteed.memory_mb());
    } else {
      part.share = capacity.mode == CapacityMode::kWeight
                       ? (weights > 0 ? capacity.value / weights : 0)
                       : capacity.value / 100;
    }
    part.absolute = parent.absolute * part.share;
  }
}

void Scheduler::Impl::compute_maxima(Queue& parent_queue, PartitionId partition) {
  const QueuePart& parent = parent_queue.parts[partition];
  const Resources& whole = nodes_.total(partition);
  for (const auto& child : parent_queue.children) {
    const Capacity& most = maximum_of(*child, partition);
    QueuePart& part = child->parts[partition];
    if (most.mode == CapacityMode::kMixed) {
      for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
        const CapacityPart own = most.part(i);
        const auto above = static_cast<double>(parent.maximum.amount[i]);
        const double value =
            own.mode == CapacityMode::kAbsolute ? own.value : above * own.value / 100;
        part.maximum.amount[i] =
            static_cast<std::int64_t>(std::floor(std::min(value, above) + 1e-6));
      }
      const double cluster = measure(whole, partition);
      part.absolute_max = cluster > 0 ? measure(part.maximum, partition) / cluster : 0;
    } else if (most.mode == CapacityMode::kAbsolute) {
      part.maximum = componentwise_min(most.absolute, parent.maximum);
      part.absolute_max = over(part.maximum.memory_mb(), whole.memory_mb());
    } else {
      part.absolute_max = parent.absolute_max * most.value / 100;
      part.maximum = componentwise_min(floored(part_of(whole, part.absolute_max)), parent.maximum);
    }
  }
}

void Scheduler::Impl::rank_queues(PartitionId partition) {
  std::vector<Queue*> by_rank = queues_;
  std::sort(by_rank.begin(), by_rank.end(), [partition](const Queue* a, const Queue* b) {
    const double mine = a->parts[partition].absolute;
    const double other = b->parts[partition].absolute;
    if (mine != other) return mine > other;
    return a->spec.path < b->spec.path;
  });
  for (std::size_t i = 0; i < by_rank.size(); ++i)
    by_rank[i]->parts[partition].rank = static_cast<std::int64_t>(i);
}

void Scheduler::Impl::refresh_capacities() {
  refresh_limits();
  activate_everywhere();
}

void Scheduler::Impl::activate_everywhere() {
  for (Queue* queue : queues_) {
    if (queue->leaf) activate_fitting(*queue);
  }
}

void Scheduler::Impl::refresh_limits() {
  capacities_stale_ = false;
  for (PartitionId at = 0; at < partitions_.size(); ++at) {
    QueuePart& root = root_->parts[at];
    root.share = root.absolute = root.absolute_max = 1;
    root.guaranteed = root.maximum = nodes_.total(at);
    root.guarantee = part_of(nodes_.total(at), 1);
    for (Queue* queue : queues_) {  // parents come first
      compute_maxima(*queue, at);
      compute_guarantees(*queue, at);
    }
    rank_queues(at);
    for (Queue* queue : queues_)
      set_ratio(*queue, at);
  }
  // Listed anew from below: no list ever holds two children at one place while ranks change.
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
    for (PartitionId at = 0; at < partitions_.size(); ++at) {
      double& shares = queue->leaf->parts[at].user_shares = 0;
      for (auto& [name, user] : queue->leaf->users) {
        if (types_ > 1) shares += measure(user->parts[at].used, at);
        if (!user->parts[at].tracked) continue;
        untrack(*user, at);
        track(*user, at);
      }
      recompute_user_limit(*queue, at);
      recompute_am_limits(*queue, at);
    }
    // A limit of the same amount may be another share of a cluster of another size.
    for (auto& [name, user] : queue->leaf->users)
      sync_all_waiting(*user);
  }
  work_ = true;
}

void Scheduler::Impl::set_ratio(Queue& queue, PartitionId partition) const {
  // A queue without a guarantee comes after all others once it holds anything.
  constexpr double kNoGuarantee = 1e12;
  QueuePart& part = queue.parts[partition];
  part.ratio = 0;
  for (std::size_t i = 0; i < types_; ++i) {
    const double used = static_cast<double>(part.used.amount[i]);
    if (used <= 0) continue;
    const double guarantee = part.guarantee[i];
    part.ratio = std::max(part.ratio, guarantee > 0 ? used / guarantee : kNoGuarantee + used);
  }
}

double Scheduler::Impl::measure(const Resources& amount, PartitionId partition) const {
  if (types_ == 1) return static_cast<double>(amount.memory_mb());
  const Resources& whole = nodes_.total(partition);
  double most = 0;
  for (std::size_t i = 0; i < types_; ++i) {
    if (amount.amount[i] <= 0) continue;
    most = std::max(most, static_cast<double>(amount.amount[i]) /
                              static_cast<double>(std::max<std::int64_t>(whole.amount[i], 1)));
  }
  return most;
}

// A maximum of the whole partition is no limit: there the nodes decide, shared ones among them.
bool Scheduler::Impl::has_room(const Queue& queue, PartitionId partition,
                               const Resources& size) const {
  const QueuePart& part = queue.parts[partition];
  const auto is_below = [&](std::size_t type) {
    const std::int64_t kept = part.keeping > 0 ? part.kept.amount[type] : 0;
    return part.used.amount[type] + size.amount[type] + kept <= part.maximum.amount[type];
  };
  std::size_t type = 0;
  while (type < types_ && is_below(type))
    ++type;
  return type == types_ || within(nodes_.total(partition), part.maximum);
}

bool Scheduler::Impl::within(const Resources& amount, const Resources& room) const {
  for (std::size_t i = 0; i < types_; ++i) {
    if (amount.amount[i] > room.amount[i]) return false;
  }
  return true;
}

// --- partitions

PartitionId Scheduler::Impl::find_partition(std::string_view name) const {
  for (PartitionId at = 0; at < partitions_.size(); ++at) {
    if (partitions_[at].present && partitions_[at].name == name) return at;
  }
  return kNoPartition;
}

void Scheduler::Impl::set_partitions(std::span<const PartitionSpec> specs) {
  for (PartitionId at = 1; at < partitions_.size(); ++at)
    partitions_[at].present = false;
  for (const PartitionSpec& spec : specs) {
    const auto known = std::find_if(partitions_.begin() + 1, partitions_.end(),
                                    [&](const auto& one) { return one.name == spec.name; });
    Partition& partition = known != partitions_.end() ? *known : partitions_.emplace_back();
    partition = {spec.name, spec.exclusive, true};
  }
  for (NodeIndex::Slot slot = 0; slot < nodes_.all().size(); ++slot) {
    const NodeIndex::Node& node = nodes_.at(slot);
    if (node.present && !partitions_[node.partition].present) move_node(slot, kDefaultPartition);
  }
  refresh_capacities();
  caps_.open_all();
  wake_everywhere();
}

/// With its containers: from now on they count in the other partition.
void Scheduler::Impl::move_node(NodeIndex::Slot slot, PartitionId partition) {
  const PartitionId from = nodes_.at(slot).partition;
  if (from == partition) return;
  drop_claims_on(slot);
  for (auto at = holds_.first_on(slot); at != HoldTable::kNone; at = holds_.next_on_node(at)) {
    const Hold hold = holds_.at(at);
    holds_.set_partition(at, partition);
    if (hold.app == nullptr) continue;
    charge(*hold.app, hold.partition, Resources{} - hold.size, 0);
    charge(*hold.app, partition, hold.size, 0);
  }
  nodes_.set_partition(slot, partition);
  rehome_growths(slot);
  cluster_changed();
  wake_for(slot);
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
  if (config_->calculator == Calculator::kMemory) result.amount[kVcores] = 1;
  return result;
}

}  // namespace heddle::queues
