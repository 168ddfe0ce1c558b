// What others may know about queues, applications and nodes.
#include <algorithm>

#include "queues/scheduler_impl.h"

namespace heddle::queues {

/// Of the parent, as a fraction.
double Scheduler::Impl::relative_maximum(const Queue& queue, PartitionId partition) const {
  const Capacity& most = maximum_of(queue, partition);
  if (most.mode == CapacityMode::kPercent) return most.value / 100;
  const double above = queue.parent != nullptr ? queue.parent->parts[partition].absolute_max : 0;
  return above > 0 ? queue.parts[partition].absolute_max / above : 1;
}

// As Hadoop divides: by the guarantee in whole units, and by one smallest container at least.
void Scheduler::Impl::take_use(const Queue& queue, PartitionId partition, double& of_queue,
                               double& of_cluster) const {
  const double whole = measure(nodes_.total(partition), partition);
  if (whole <= 0) return;
  const QueuePart& part = queue.parts[partition];
  const double guarantee =
      std::max(measure(part.guaranteed, partition), measure(limits_.minimum, partition));
  of_queue = guarantee > 0 ? measure(part.used, partition) / guarantee : 0;
  of_cluster = measure(part.used, partition) / whole;
}

PartitionUse Scheduler::Impl::partition_report(const Queue& queue, PartitionId partition) const {
  const QueuePart& part = queue.parts[partition];
  PartitionUse out;
  out.label = partitions_[partition].name;
  out.capacity = part.share;
  out.maximum_capacity = relative_maximum(queue, partition);
  out.absolute_capacity = part.absolute;
  out.absolute_maximum_capacity = part.absolute_max;
  take_use(queue, partition, out.used_capacity, out.absolute_used_capacity);
  out.guaranteed = part.guaranteed;
  out.maximum = part.maximum;
  out.used = part.used;
  out.kept = part.kept;
  out.pending = part.pending;
  if (queue.leaf) {
    const LeafPart& leaf = std::as_const(queue.leaf->parts)[partition];
    out.maximum_am_share = maximum_am_share(queue, partition);
    out.am_used = leaf.am_used;
    out.am_limit = leaf.am_limit;
    out.user_am_limit = leaf.user_am_limit;
  }
  return out;
}

QueueReport Scheduler::Impl::report(const Queue& queue) const {
  QueueReport out;
  const QueueRules& spec = queue.spec;
  out.path = spec.path;
  out.name = spec.name;
  out.is_leaf = queue.leaf != nullptr;
  out.state = spec.state;
  for (const Queue* at = &queue; at != nullptr; at = at->parent) {
    if (at->spec.state == QueueState::kRunning) continue;
    out.state = queue.apps > 0 ? QueueState::kDraining : QueueState::kStopped;
  }
  for (const auto& child : queue.children)
    out.children.push_back(child->spec.path);
  const QueuePart& part = queue.parts[kDefaultPartition];
  out.capacity = part.share;
  out.absolute_capacity = part.absolute;
  out.absolute_maximum_capacity = part.absolute_max;
  out.maximum_capacity = relative_maximum(queue, kDefaultPartition);
  take_use(queue, kDefaultPartition, out.used_capacity, out.absolute_used_capacity);
  if (spec.capacity.mode == CapacityMode::kWeight) {
    out.weight = spec.capacity.value;
    out.normalized_weight = config_->mixed_modes ? 0 : part.share;
  }
  out.configured_capacity = spec.capacity.text;
  if (spec.capacity.mode == CapacityMode::kAbsolute) {
    out.configured_minimum = spec.capacity.absolute;
  }
  if (spec.maximum_capacity.mode == CapacityMode::kAbsolute) {
    out.configured_maximum = spec.maximum_capacity.absolute;
  }
  out.guaranteed = part.guaranteed;
  out.maximum = part.maximum;
  for (PartitionId at = 0; at < partitions_.size(); ++at) {
    out.used += queue.parts[at].used;
    add_asked(out.pending, queue.parts[at].pending, 1);
    if (at == kDefaultPartition || partitions_[at].present) {
      out.partitions.push_back(partition_report(queue, at));
    }
  }
  for (PartitionId at = 0; at < partitions_.size(); ++at)
    out.reserved += queue.parts[at].held;
  out.containers = queue.containers;
  out.pending_containers = queue.pending_containers;
  out.apps = queue.apps;
  out.priority = spec.priority;
  out.ordering_policy = spec.ordering_policy;
  out.maximum_parallel_apps = spec.maximum_parallel_apps;
  out.maximum_allocation = spec.maximum_allocation;
  out.labels.assign(spec.accessible_labels.begin(), spec.accessible_labels.end());
  if (spec.all_labels) out.labels = {"*"};
  out.default_label = spec.default_label;
  if (!queue.leaf) return out;

  take_leaf(queue, out);
  return out;
}

void Scheduler::Impl::take_leaf(const Queue& queue, QueueReport& out) const {
  const QueueRules& spec = queue.spec;
  const Leaf& leaf = *queue.leaf;
  const LeafPart& part = leaf.parts[kDefaultPartition];
  out.active_apps = leaf.active_apps;
  out.pending_apps = queue.apps - leaf.active_apps;
  out.maximum_apps = maximum_apps(queue);
  out.maximum_apps_per_user = maximum_apps_per_user(queue);
  out.minimum_user_limit = spec.minimum_user_limit_percent / 100;
  out.user_limit_factor = spec.user_limit_factor;
  out.maximum_am_share = spec.maximum_am_share;
  out.am_used = part.am_used;
  out.am_limit = part.am_limit;
  out.user_am_limit = part.user_am_limit;
  out.default_priority = spec.default_app_priority;
  out.maximum_lifetime_s = spec.maximum_app_lifetime_s;
  out.default_lifetime_s = spec.default_app_lifetime_s;
  for (const auto& [name, user] : leaf.users) {
    const UserPart& mine = user->parts[kDefaultPartition];
    UserReport one;
    one.name = user->name;
    for (PartitionId at = 0; at < user->parts.size(); ++at)
      one.used += user->parts[at].used;
    one.am_used = mine.am_used;
    one.limit = user_limit_of(*user, kDefaultPartition);
    one.am_limit = user_am_limit_of(*user, kDefaultPartition);
    one.active_apps = user->active_apps;
    one.pending_apps = user->apps - user->active_apps;
    one.containers = user->containers;
    one.pending = user->pending;
    one.pending_containers = user->pending_containers;
    one.weight = user->weight;
    one.has_demand = mine.demanding > 0;
    out.users.push_back(std::move(one));
  }
}

Resources Scheduler::Impl::headroom(const App& app) const {
  const PartitionId at = home_of(app.leaf->spec.default_label);
  Resources room = nodes_.total(at) - nodes_.used(at);
  room = componentwise_min(room, user_limit_of(*app.user, at) - app.user->parts[at].used);
  for (const Queue* queue = app.leaf; queue != nullptr; queue = queue->parent) {
    room = componentwise_min(room, queue->parts[at].maximum - queue->parts[at].used);
  }
  return componentwise_max(room, Resources{});
}

// --- the public face: answers

Resources Scheduler::normalize(const Resources& asked, const QueuePath& path) const {
  const Queue* queue = impl_->find_queue(path.value());
  return impl_->normalize(
      asked, queue != nullptr ? queue->spec.maximum_allocation : impl_->limits_.maximum);
}

Resources Scheduler::headroom(const AttemptId& attempt) const {
  const App* app = impl_->find_app(attempt.app);
  if (app == nullptr) return {};
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  return impl_->headroom(*app);
}

std::optional<QueueReport> Scheduler::queue(const QueuePath& path) const {
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  const auto it = impl_->by_path_.find(path.value());
  if (it == impl_->by_path_.end()) return std::nullopt;
  return impl_->report(*it->second);
}

const QueueRules* Scheduler::rules(const QueuePath& path) const {
  const auto queue = impl_->by_path_.find(path.value());
  return queue != impl_->by_path_.end() ? &queue->second->spec : nullptr;
}

std::optional<QueueFacts> Scheduler::facts(const QueuePath& path) const {
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  const auto it = impl_->by_path_.find(path.value());
  if (it == impl_->by_path_.end()) return std::nullopt;
  const QueueRules& spec = it->second->spec;
  return QueueFacts{spec.maximum_allocation, it->second->parts[kDefaultPartition].absolute,
                    spec.default_app_priority, spec.maximum_app_lifetime_s,
                    spec.default_app_lifetime_s};
}

std::optional<QueuePath> Scheduler::find_queue(std::string_view path_or_name) const {
  const Queue* queue = impl_->find_queue(path_or_name);
  if (queue == nullptr) return std::nullopt;
  return queue->spec.path;
}

std::vector<QueuePath> Scheduler::queue_paths() const {
  std::vector<QueuePath> paths;
  for (const Queue* queue : impl_->queues_)
    paths.push_back(queue->spec.path);
  return paths;
}

std::vector<AppId> Scheduler::apps_in(const QueuePath& path) const {
  std::vector<AppId> ids;
  const auto it = impl_->by_path_.find(path.value());
  if (it == impl_->by_path_.end() || !it->second->leaf) return ids;
  for (const auto& [place, app] : it->second->leaf->apps)
    ids.push_back(app->id);
  return ids;
}

std::optional<AppReport> Scheduler::app(const AppId& id) const {
  const App* app = impl_->find_app(id);
  if (app == nullptr) return std::nullopt;
  AppReport out;
  out.queue = app->leaf->spec.path;
  out.user = app->user_name;
  out.priority = app->priority;
  out.active = app->active;
  out.used = app->used();
  out.reserved = app->held_by_claims;
  out.pending = app->pending();
  out.containers = app->containers;
  out.pending_containers = app->pending_containers;
  return out;
}

std::optional<NodeReport> Scheduler::node(const NodeId& id) const {
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(id);
  if (slot == NodeIndex::kNone) return std::nullopt;
  const NodeIndex::Node& node = impl_->nodes_.at(slot);
  const Resources kept = impl_->claimed_on(slot);
  return NodeReport{node.total,      node.used - kept, kept,       node.free(),
                    node.containers, node.rack,        node.usable};
}

std::size_t Scheduler::node_count() const {
  return impl_->nodes_.count();
}
Resources Scheduler::cluster_total() const {
  return impl_->nodes_.total();
}
Resources Scheduler::cluster_used() const {
  Resources used = impl_->nodes_.used();
  for (PartitionId at = 0; at < impl_->partitions_.size(); ++at)
    used -= std::as_const(impl_->root_->parts)[at].held;
  return used;
}
const QueueConfig& Scheduler::config() const {
  return *impl_->config_;
}

std::string Scheduler::check_invariants() const {
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  return impl_->check();
}

}  // namespace heddle::queues
