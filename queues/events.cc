// What happens to applications, attempts, nodes and containers.
#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

// Keeps every sum of containers far from 2^63, whatever applications ask for.
constexpr std::int32_t kContainersPerRowMax = 10'000'000;
constexpr std::int32_t kAmPriority = std::numeric_limits<std::int32_t>::min();  // before all else

}  // namespace

App* Scheduler::Impl::find_app(const AppId& id) const {
  const auto it = apps_.find(id);
  return it == apps_.end() ? nullptr : it->second.get();
}

App* Scheduler::Impl::find_attempt(const AttemptId& attempt) const {
  App* app = find_app(attempt.app);
  return app != nullptr && app->attempt == attempt ? app : nullptr;
}

Result<Queue*> Scheduler::Impl::check_leaf(const AppId& app, const UserName& user,
                                           std::string_view name) const {
  Queue* queue = find_queue(name);
  if (queue == nullptr) {
    const bool ambiguous = by_name_.find(name) != by_name_.end();
    return fail(ErrorCode::kNotFound,
                fmt::format("Application {} submitted by user {} to {} queue: {}{}", to_string(app),
                            user.value(), ambiguous ? "ambiguous" : "unknown", shortened(name),
                            ambiguous ? " please use full queue path instead." : ""),
                ErrorSubject::kQueue);
  }
  if (!queue->leaf) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Application {} submitted by user : {} to non-leaf queue : {}",
                            to_string(app), user.value(), shortened(name)),
                ErrorSubject::kQueue);
  }
  return queue;
}

std::int32_t Scheduler::Impl::maximum_apps(const Queue& leaf) const {
  if (leaf.spec.maximum_apps) return *leaf.spec.maximum_apps;
  const bool unknown_share = nodes_.total().is_zero() && leaf.absolute == 0;
  if (unknown_share) return config_.maximum_apps;
  return std::max(1, static_cast<std::int32_t>(config_.maximum_apps * leaf.absolute + 1e-6));
}

std::int32_t Scheduler::Impl::maximum_apps_per_user(const Queue& leaf) const {
  const std::int32_t all = maximum_apps(leaf);
  if (leaf.spec.user_limit_factor < 0) return all;
  const double mine =
      all * (leaf.spec.minimum_user_limit_percent / 100) * leaf.spec.user_limit_factor;
  return mine >= all ? all : static_cast<std::int32_t>(mine);
}

Result<void> Scheduler::Impl::check_room(const Queue& leaf, const AppId& app,
                                         const UserName& user) const {
  const std::string& path = leaf.spec.path.value();
  for (const Queue* queue = &leaf; queue != nullptr; queue = queue->parent) {
    if (queue->spec.state == QueueState::kRunning) continue;
    return fail(ErrorCode::kWrongState,
                fmt::format("Queue {} is STOPPED. Cannot accept submission of application: {}",
                            queue->spec.path.value(), to_string(app)),
                ErrorSubject::kQueue);
  }
  if (leaf.apps >= maximum_apps(leaf)) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("Queue {} already has {} applications, cannot accept submission of "
                            "application: {}",
                            path, leaf.apps, to_string(app)),
                ErrorSubject::kQueue);
  }
  const auto known = leaf.leaf->users.find(user.value());
  const std::int32_t mine = known == leaf.leaf->users.end() ? 0 : known->second->apps;
  if (mine >= maximum_apps_per_user(leaf)) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("Queue {} already has {} applications from user {} cannot accept "
                            "submission of application: {}",
                            path, mine, user.value(), to_string(app)),
                ErrorSubject::kQueue);
  }
  return {};
}

void Scheduler::Impl::end_attempt(App& app) {
  if (!app.attempt) return;
  while (!app.groups.empty())
    erase_group(*app.groups.begin()->second);
  stop_waiting(app);
  deactivate(app);
  app.am_charge = {};
  app.blacklist.clear();
  app.attempt.reset();
}

AskGroup& Scheduler::Impl::group_of(App& app, std::int32_t priority, std::int64_t request_id) {
  auto& group = app.groups[{priority, request_id}];
  if (!group) {
    group = std::make_unique<AskGroup>();
    group->app = &app;
    group->priority = priority;
    group->request_id = request_id;
    group->serial = next_serial_++;
  }
  return *group;
}

void Scheduler::Impl::set_row(AskGroup& group, const Ask& ask, const Resources& size) {
  unpark(group);
  const std::int32_t count = std::clamp(ask.num_containers, 0, kContainersPerRowMax);
  if (ask.resource_name != kAnyNode) {
    auto& rows = ask.resource_name.starts_with('/') ? group.racks : group.hosts;
    if (count == 0) {
      rows.erase(ask.resource_name);
    } else {
      rows[ask.resource_name] = AskRow{count, ask.relax_locality};
    }
    return;
  }
  if (!group.has_cap || !(caps_.size(group.cap) == size)) {
    group.total = 0;
    if (group.has_cap) {
      sync_group(group);
      count_pending(group);
      caps_.release(group.cap);
    }
    group.cap = caps_.acquire(size);
    group.has_cap = true;
  }
  group.total = count;
  group.relax = ask.relax_locality;
}

// --- the public face: configuration and nodes

Scheduler::Scheduler() : impl_(std::make_unique<Impl>()) {}
Scheduler::~Scheduler() = default;
Scheduler::Scheduler(Scheduler&&) noexcept = default;
Scheduler& Scheduler::operator=(Scheduler&&) noexcept = default;

Result<void> Scheduler::configure(const QueueConfig& config, const Limits& limits) {
  return impl_->configure(config, limits);
}

void Scheduler::add_node(const NodeId& id, std::string_view rack, const Resources& total) {
  NodeIndex& nodes = impl_->nodes_;
  const NodeIndex::Slot known = nodes.slot_of(id);
  if (known != NodeIndex::kNone) {
    if (nodes.at(known).rack == rack) return update_node(id, total);
    const NodeIndex::Node old = nodes.at(known);  // another rack: moves with what it holds
    nodes.remove(known);
    const NodeIndex::Slot slot = nodes.add(id, rack, total);
    nodes.charge(slot, old.used, old.containers);
    nodes.set_usable(slot, old.usable);
  } else {
    nodes.add(id, rack, total);
  }
  impl_->cluster_changed();
  impl_->wake_for(nodes.slot_of(id));
}

void Scheduler::update_node(const NodeId& id, const Resources& total) {
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(id);
  if (slot == NodeIndex::kNone || impl_->nodes_.at(slot).total == total) return;
  impl_->nodes_.set_total(slot, total);
  impl_->cluster_changed();
  impl_->wake_for(slot);
}

void Scheduler::set_node_usable(const NodeId& id, bool usable) {
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(id);
  if (slot == NodeIndex::kNone || impl_->nodes_.at(slot).usable == usable) return;
  impl_->nodes_.set_usable(slot, usable);
  impl_->wake_for(slot);
}

void Scheduler::remove_node(const NodeId& id) {
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(id);
  if (slot == NodeIndex::kNone) return;
  impl_->nodes_.remove(slot);
  impl_->cluster_changed();
}

// --- applications

Result<QueuePath> Scheduler::resolve_leaf(const AppId& app, const UserName& user,
                                          std::string_view queue) const {
  const auto leaf = impl_->check_leaf(app, user, queue);
  if (!leaf) return fail(leaf.error());
  return (*leaf)->spec.path;
}

Result<QueuePath> Scheduler::add_app(const AppId& id, std::string_view queue, const UserName& user,
                                     std::int32_t priority, bool recovering) {
  if (impl_->find_app(id) != nullptr) {
    return fail(ErrorCode::kAlreadyExists, to_string(id) + " is in a queue already",
                ErrorSubject::kApplication);
  }
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  const auto leaf = impl_->check_leaf(id, user, queue);
  if (!leaf) return fail(leaf.error());
  if (!recovering) {
    if (impl_->root_->apps >= impl_->config_.maximum_apps) {
      return fail(ErrorCode::kLimitExceeded,
                  "Maximum system application limit reached,cannot accept submission of "
                  "application: " +
                      to_string(id),
                  ErrorSubject::kQueue);
    }
    RETURN_IF_ERROR(impl_->check_room(**leaf, id, user));
  }
  auto app = std::make_unique<App>();
  app->id = id;
  app->user_name = user;
  app->priority = priority;
  app->sequence = impl_->next_sequence_++;
  impl_->attach(*app, **leaf);
  impl_->apps_.emplace(id, std::move(app));
  return (*leaf)->spec.path;
}

void Scheduler::remove_app(const AppId& id) {
  App* app = impl_->find_app(id);
  if (app == nullptr) return;
  impl_->end_attempt(*app);
  impl_->detach(*app);
  impl_->apps_.erase(id);
}

Result<QueuePath> Scheduler::move_app(const AppId& id, std::string_view target) {
  App* app = impl_->find_app(id);
  if (app == nullptr) {
    return fail(ErrorCode::kNotFound, to_string(id) + " is in no queue",
                ErrorSubject::kApplication);
  }
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  const auto leaf = impl_->check_leaf(id, app->user_name, target);
  if (!leaf) return fail(leaf.error());
  if (*leaf == app->leaf) return app->leaf->spec.path;
  RETURN_IF_ERROR(impl_->check_room(**leaf, id, app->user_name));
  const auto holds_already = [&](const Queue* queue) {
    for (const Queue* at = app->leaf; at != nullptr; at = at->parent) {
      if (at == queue) return true;
    }
    return false;
  };
  for (const Queue* queue = *leaf; !holds_already(queue); queue = queue->parent) {
    if (impl_->within(queue->used + app->used, queue->maximum)) continue;
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} holds {}, which does not fit into queue {}: it uses {} of at most "
                            "{} (its maximum-capacity)",
                            to_string(id), to_string(app->used), queue->spec.path.value(),
                            to_string(queue->used), to_string(queue->maximum)),
                ErrorSubject::kQueue);
  }
  const bool waiting = app->waiting;
  impl_->detach(*app);
  impl_->attach(*app, **leaf);
  if (waiting) {
    impl_->start_waiting(*app);
    impl_->activate_fitting(**leaf);
  }
  return (*leaf)->spec.path;
}

Result<void> Scheduler::set_priority(const AppId& id, std::int32_t priority) {
  App* app = impl_->find_app(id);
  if (app == nullptr) {
    return fail(ErrorCode::kNotFound, to_string(id) + " is in no queue",
                ErrorSubject::kApplication);
  }
  if (app->priority == priority) return {};
  const bool waiting = app->waiting;
  impl_->stop_waiting(*app);
  const bool active = std::exchange(app->active, false);
  impl_->sync_all(*app);  // out of all lists
  app->leaf->leaf->apps.erase(app->place());
  app->priority = priority;
  app->leaf->leaf->apps.emplace(app->place(), app);
  app->active = active;
  impl_->sync_all(*app);
  if (waiting) {
    impl_->start_waiting(*app);
    impl_->activate_fitting(*app->leaf);
  }
  impl_->work_ = true;
  return {};
}

void Scheduler::start_attempt(const AttemptId& attempt, const std::optional<AmAsk>& am,
                              const Resources& am_charge) {
  App* app = impl_->find_app(attempt.app);
  if (app == nullptr) return;
  impl_->end_attempt(*app);
  app->attempt = attempt;
  if (!am) {
    app->am_charge = am_charge;
    impl_->activate(*app);
    return;
  }
  app->am_charge = impl_->normalize(am->capability, app->leaf->spec.maximum_allocation);
  AskGroup& group = impl_->group_of(*app, kAmPriority, 0);
  group.is_am = true;
  group.cap = impl_->caps_.acquire(app->am_charge);
  group.has_cap = true;
  group.total = 1;
  group.relax = am->relax_locality || am->places.empty();
  for (const AmAsk::Wanted& place : am->places) {
    (place.name.starts_with('/') ? group.racks : group.hosts)[place.name] = {1, place.relax};
  }
  impl_->sync_group(group);
  impl_->count_pending(group);
  impl_->start_waiting(*app);
  impl_->activate_fitting(*app->leaf);
}

void Scheduler::end_attempt(const AttemptId& attempt) {
  if (App* app = impl_->find_attempt(attempt)) impl_->end_attempt(*app);
}

Result<void> Scheduler::update_asks(const AttemptId& attempt, std::span<const Ask> asks) {
  App* app = impl_->find_attempt(attempt);
  if (app == nullptr) {
    return fail(ErrorCode::kNotFound, to_string(attempt) + " is not running",
                ErrorSubject::kAttempt);
  }
  for (const Ask& ask : asks) {
    if (!trim(ask.label_expression).empty()) {
      return fail(ErrorCode::kUnsupported,
                  fmt::format("node label expression \"{}\": node labels are not supported yet; "
                              "ask without one",
                              shortened(ask.label_expression)),
                  ErrorSubject::kLabel);
    }
    if (ask.execution_type != ExecutionType::kGuaranteed) {
      return fail(ErrorCode::kUnsupported,
                  "opportunistic containers are not supported yet; ask for guaranteed ones",
                  ErrorSubject::kResourceRequest);
    }
  }
  std::vector<AskGroup*> touched;
  for (const Ask& ask : asks) {
    const std::int32_t priority = std::max(ask.priority, kAmPriority + 1);
    AskGroup& group = impl_->group_of(*app, priority, ask.allocation_request_id);
    impl_->set_row(group, ask,
                   impl_->normalize(ask.capability, app->leaf->spec.maximum_allocation));
    if (touched.empty() || touched.back() != &group) touched.push_back(&group);
  }
  std::sort(touched.begin(), touched.end(),
            [](const AskGroup* a, const AskGroup* b) { return a->serial < b->serial; });
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (AskGroup* group : touched) {
    if (group->total == 0 && group->hosts.empty() && group->racks.empty()) {
      impl_->erase_group(*group);
    } else if (group->has_cap) {
      impl_->sync_group(*group);
      impl_->count_pending(*group);
    }
  }
  return {};
}

void Scheduler::update_blacklist(const AttemptId& attempt, std::span<const std::string> additions,
                                 std::span<const std::string> removals) {
  App* app = impl_->find_attempt(attempt);
  if (app == nullptr || (additions.empty() && removals.empty())) return;
  app->blacklist.insert(additions.begin(), additions.end());
  for (const std::string& name : removals)
    app->blacklist.erase(name);
  for (auto& [key, group] : app->groups)
    impl_->unpark(*group);
}

// --- containers

void Scheduler::release(const AttemptId& attempt, const NodeId& node, const Resources& resources) {
  App* app = impl_->find_app(attempt.app);
  if (app != nullptr && app->containers > 0) impl_->charge(*app, Resources{} - resources, -1);
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(node);
  // A node that came back under its old name holds nothing of what ran on it before.
  if (slot == NodeIndex::kNone || impl_->nodes_.at(slot).containers == 0) return;
  impl_->nodes_.charge(slot, Resources{} - resources, -1);
  impl_->wake_for(slot);
}

void Scheduler::recover_container(const AttemptId& attempt, const NodeId& node,
                                  const Resources& resources) {
  if (App* app = impl_->find_app(attempt.app)) impl_->charge(*app, resources, 1);
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(node);
  if (slot != NodeIndex::kNone) impl_->nodes_.charge(slot, resources, 1);
}

void Scheduler::resize_container(const AttemptId& attempt, const NodeId& node,
                                 const Resources& before, const Resources& after) {
  if (App* app = impl_->find_app(attempt.app)) impl_->charge(*app, after - before, 0);
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(node);
  if (slot == NodeIndex::kNone) return;
  impl_->nodes_.charge(slot, after - before, 0);
  impl_->wake_for(slot);
}

// --- decisions

std::vector<Grant> Scheduler::schedule(std::size_t grants_max) {
  return impl_->schedule(grants_max);
}

bool Scheduler::has_work() const {
  return impl_->work_;
}

}  // namespace heddle::queues
