// What others may know about queues, applications and nodes.
#include <fmt/core.h>

#include <algorithm>

#include "queues/scheduler_impl.h"

namespace heddle::queues {

QueueReport Scheduler::Impl::report(const Queue& queue) const {
  QueueReport out;
  const QueueSpec& spec = queue.spec;
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
  out.capacity = queue.share;
  out.absolute_capacity = queue.absolute;
  out.absolute_maximum_capacity = queue.absolute_max;
  out.maximum_capacity = spec.maximum_capacity.mode == CapacityMode::kAbsolute
                             ? (queue.parent != nullptr && queue.parent->absolute_max > 0
                                    ? queue.absolute_max / queue.parent->absolute_max
                                    : 1)
                             : spec.maximum_capacity.value / 100;
  if (const double cluster = measure(nodes_.total()); cluster > 0) {
    // As Hadoop divides: by the guarantee in whole units, and by one smallest container at least.
    const double guarantee = std::max(measure(queue.guaranteed), measure(limits_.minimum));
    out.used_capacity = guarantee > 0 ? measure(queue.used) / guarantee : 0;
    out.absolute_used_capacity = measure(queue.used) / cluster;
  }
  if (spec.capacity.mode == CapacityMode::kWeight) {
    out.weight = spec.capacity.value;
    out.normalized_weight = queue.share;
  }
  out.configured_capacity = spec.capacity.text;
  if (spec.capacity.mode == CapacityMode::kAbsolute) {
    out.configured_minimum = spec.capacity.absolute;
  }
  if (spec.maximum_capacity.mode == CapacityMode::kAbsolute) {
    out.configured_maximum = spec.maximum_capacity.absolute;
  }
  out.guaranteed = queue.guaranteed;
  out.maximum = queue.maximum;
  out.used = queue.used;
  out.pending = queue.pending;
  out.containers = queue.containers;
  out.pending_containers = queue.pending_containers;
  out.apps = queue.apps;
  out.priority = spec.priority;
  out.maximum_allocation = spec.maximum_allocation;
  if (!queue.leaf) return out;

  const Leaf& leaf = *queue.leaf;
  out.active_apps = leaf.active_apps;
  out.pending_apps = queue.apps - leaf.active_apps;
  out.maximum_apps = maximum_apps(queue);
  out.maximum_apps_per_user = maximum_apps_per_user(queue);
  out.minimum_user_limit = spec.minimum_user_limit_percent / 100;
  out.user_limit_factor = spec.user_limit_factor;
  out.maximum_am_share = spec.maximum_am_share;
  out.am_used = leaf.am_used;
  out.am_limit = leaf.am_limit;
  out.user_am_limit = leaf.user_am_limit;
  out.default_priority = spec.default_app_priority;
  out.maximum_lifetime_s = spec.maximum_app_lifetime_s;
  out.default_lifetime_s = spec.default_app_lifetime_s;
  for (const auto& [name, user] : leaf.users) {
    UserReport one;
    one.name = user->name;
    one.used = user->used;
    one.am_used = user->am_used;
    one.limit = user_limit_of(*user);
    one.am_limit = user_am_limit_of(*user);
    one.active_apps = user->active_apps;
    one.pending_apps = user->apps - user->active_apps;
    one.weight = user->weight;
    one.has_demand = user->demanding > 0;
    out.users.push_back(std::move(one));
  }
  return out;
}

Resources Scheduler::Impl::headroom(const App& app) const {
  Resources room = nodes_.total() - nodes_.used();
  room = componentwise_min(room, user_limit_of(*app.user) - app.user->used);
  for (const Queue* queue = app.leaf; queue != nullptr; queue = queue->parent) {
    room = componentwise_min(room, queue->maximum - queue->used);
  }
  return componentwise_max(room, Resources{});
}

std::string Scheduler::Impl::explain(const App& app) const {
  if (!app.attempt) return "";
  const Queue& queue = *app.leaf;
  const Leaf& leaf = *queue.leaf;
  if (!app.active) {
    const bool queue_full = !am_fits(queue, app.am_cap);
    return fmt::format(
        "Application is added to the scheduler and is not yet activated. {} Details : AM Partition "
        "= <DEFAULT_PARTITION>; AM Resource Request = {}; Queue Resource Limit for AM = {}; User "
        "AM Resource Limit of the queue = {}; Queue AM Resource Usage = {}; ",
        queue_full ? "Queue's AM resource limit exceeded. " : "User's AM resource limit exceeded. ",
        to_string(app.am_charge), to_string(leaf.am_limit), to_string(user_am_limit_of(*app.user)),
        to_string(leaf.am_used));
  }
  if (app.pending_containers == 0) return "";
  if (app.user->over) {
    return fmt::format("user {} holds {} in queue {}, more than its user limit {}",
                       app.user->name.value(), to_string(app.user->used), queue.spec.path.value(),
                       to_string(user_limit_of(*app.user)));
  }
  for (const auto& [key, group] : app.groups) {
    if (group->total == 0) continue;
    const Resources& size = caps_.size(group->cap);
    for (const Queue* at = &queue; at != nullptr; at = at->parent) {
      if (within(at->used + size, at->maximum)) continue;
      return fmt::format("queue {} uses {} of at most {}; {} does not fit", at->spec.path.value(),
                         to_string(at->used), to_string(at->maximum), to_string(size));
    }
    if (caps_.roomless(group->cap)) {
      return fmt::format("no node has room for {}", to_string(size));
    }
    if (!group->parked) continue;
    for (const auto& [host, row] : group->hosts) {
      if (!group->relax && !nodes_.knows_host(host)) {
        return fmt::format("no such node: {}; will wait for it, since relaxLocality is false",
                           host);
      }
    }
    return fmt::format("no node that the application accepts has room for {}", to_string(size));
  }
  return "";
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

std::string Scheduler::explain(const AppId& id) const {
  const App* app = impl_->find_app(id);
  return app == nullptr ? "" : impl_->explain(*app);
}

std::optional<QueueReport> Scheduler::queue(const QueuePath& path) const {
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  const auto it = impl_->by_path_.find(path.value());
  if (it == impl_->by_path_.end()) return std::nullopt;
  return impl_->report(*it->second);
}

std::optional<QueueFacts> Scheduler::facts(const QueuePath& path) const {
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  const auto it = impl_->by_path_.find(path.value());
  if (it == impl_->by_path_.end()) return std::nullopt;
  const QueueSpec& spec = it->second->spec;
  return QueueFacts{spec.maximum_allocation, it->second->absolute, spec.default_app_priority,
                    spec.maximum_app_lifetime_s, spec.default_app_lifetime_s};
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
  out.used = app->used;
  out.pending = app->pending;
  out.containers = app->containers;
  out.pending_containers = app->pending_containers;
  return out;
}

std::optional<NodeReport> Scheduler::node(const NodeId& id) const {
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(id);
  if (slot == NodeIndex::kNone) return std::nullopt;
  const NodeIndex::Node& node = impl_->nodes_.at(slot);
  return NodeReport{node.total, node.used, node.free(), node.containers, node.rack, node.usable};
}

std::size_t Scheduler::node_count() const {
  return impl_->nodes_.count();
}
Resources Scheduler::cluster_total() const {
  return impl_->nodes_.total();
}
Resources Scheduler::cluster_used() const {
  return impl_->nodes_.used();
}
const QueueConfig& Scheduler::config() const {
  return impl_->config_;
}

std::string Scheduler::check_invariants() const {
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  return impl_->check();
}

}  // namespace heddle::queues
