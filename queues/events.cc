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
  const double share = leaf.parts[kDefaultPartition].absolute;
  const bool unknown_share = nodes_.total().is_zero() && share == 0;
  if (unknown_share) return config_->maximum_apps;
  return std::max(1, static_cast<std::int32_t>(config_->maximum_apps * share + 1e-6));
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
  set_held(app, false);
  app.held_am.reset();
  if (!app.running) return;
  set_running(app, false);
  let_held_run();
}

void Scheduler::Impl::ask_for_am(App& app, const AmAsk& am) {
  set_running(app, true);
  AskGroup& group = group_of(app, kAmPriority, 0);
  group.is_am = true;
  group.cap = caps_.acquire(app.am_partition, app.am_charge);
  group.has_cap = true;
  group.total = 1;
  group.waits_since_ms = now_ms_;
  group.relax = am.relax_locality || am.places.empty();
  for (const AmAsk::Wanted& place : am.places) {
    (place.name.starts_with('/') ? group.racks : group.hosts)[place.name] = {1, place.relax};
  }
  sync_group(group);
  count_pending(group);
  start_waiting(app);
  activate_fitting(*app.leaf);
}

AskGroup& Scheduler::Impl::group_of(App& app, std::int32_t priority, std::int64_t request_id) {
  auto& group = app.groups[{priority, request_id, 0}];
  if (!group) {
    group = std::make_unique<AskGroup>();
    group->app = &app;
    group->priority = priority;
    group->request_id = request_id;
    group->serial = next_serial_++;
  }
  return *group;
}

PartitionId Scheduler::Impl::partition_named(std::string_view label) {
  const auto known = std::find_if(partitions_.begin(), partitions_.end(),
                                  [&](const Partition& one) { return one.name == label; });
  const auto at = static_cast<PartitionId>(known - partitions_.begin());
  if (known == partitions_.end()) {
    partitions_.push_back({std::string(label), true, false});
    capacities_stale_ = true;
  }
  return at;
}

PartitionId Scheduler::Impl::partition_for(const Queue& leaf,
                                           const std::optional<std::string>& label) const {
  return home_of(label ? trim(*label) : std::string_view(leaf.spec.default_label));
}

Result<void> Scheduler::Impl::check_ask(const Queue& leaf, const Ask& ask) const {
  if (ask.execution_type != ExecutionType::kGuaranteed) {
    return fail(ErrorCode::kUnsupported,
                "opportunistic containers are not supported yet; ask for guaranteed ones",
                ErrorSubject::kResourceRequest);
  }
  if (ask.allocation_request_id < kPlainRequestIdMin) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Invalid resource request: the allocation request id {} is below {}",
                            ask.allocation_request_id, kPlainRequestIdMin),
                ErrorSubject::kResourceRequest);
  }
  const std::string_view label =
      ask.label_expression ? trim(*ask.label_expression) : std::string_view();
  if (label.empty()) return {};
  if (ask.resource_name != kAnyNode) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Invalid resource request: a node label (\"{}\") belongs to the row of "
                            "\"*\", not to {}",
                            shortened(label), shortened(ask.resource_name)),
                ErrorSubject::kLabel);
  }
  return check_label(leaf, label);
}

Result<void> Scheduler::Impl::check_label(const Queue& leaf, std::string_view label) const {
  if (label.empty()) return {};
  if (leaf.spec.may_use_label(label)) {
    if (find_partition(label) != kNoPartition) return {};
    return fail(ErrorCode::kNotFound,
                fmt::format("Invalid label resource request, cluster do not contain , label= {}",
                            shortened(label)),
                ErrorSubject::kLabel);
  }
  const std::vector<std::string> labels(leaf.spec.accessible_labels.begin(),
                                        leaf.spec.accessible_labels.end());
  return fail(
      ErrorCode::kPermissionDenied,
      fmt::format("Invalid resource request, queue={} doesn't have permission to access all "
                  "labels in resource request. labelExpression of resource request={}. "
                  "Queue labels={}",
                  leaf.spec.path.value(), shortened(label), join(labels, ",")),
      ErrorSubject::kLabel);
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
  const PartitionId partition = partition_for(*group.app->leaf, ask.label_expression);
  if (!group.has_cap || caps_.partition(group.cap) != partition ||
      !(caps_.size(group.cap) == size)) {
    cancel_claims(group);
    group.total = 0;
    if (group.has_cap) {
      sync_group(group);
      count_pending(group);
      caps_.release(group.cap);
    }
    group.cap = caps_.acquire(partition, size);
    group.has_cap = true;
  }
  if (count > group.total) group.waits_since_ms = now_ms_;
  group.total = count;
  group.relax = ask.relax_locality;
}

// --- the public face: configuration and nodes

Scheduler::Scheduler() : impl_(std::make_unique<Impl>()) {}
Scheduler::~Scheduler() = default;
Scheduler::Scheduler(Scheduler&&) noexcept = default;
Scheduler& Scheduler::operator=(Scheduler&&) noexcept = default;

Result<void> Scheduler::configure(const QueueConfig& config, const Limits& limits) {
  return impl_->configure(std::make_shared<const QueueConfig>(config), limits);
}
Result<void> Scheduler::configure(std::shared_ptr<const QueueConfig> config, const Limits& limits) {
  return impl_->configure(std::move(config), limits);
}

void Scheduler::set_partitions(std::span<const PartitionSpec> partitions) {
  impl_->set_partitions(partitions);
}

void Scheduler::set_node_label(const NodeId& id, std::string_view label) {
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(id);
  if (slot != NodeIndex::kNone) impl_->move_node(slot, impl_->home_of(label));
}

void Scheduler::add_node(const NodeId& id, std::string_view rack, const Resources& total,
                         std::string_view label) {
  NodeIndex& nodes = impl_->nodes_;
  const NodeIndex::Slot known = nodes.slot_of(id);
  if (known != NodeIndex::kNone) {
    impl_->move_node(known, impl_->home_of(label));
    if (nodes.at(known).rack == rack) return update_node(id, total);
    impl_->drop_claims_on(known);
    const NodeIndex::Node old = nodes.at(known);  // another rack: moves with what it holds
    impl_->count_tags_on(known, -1);
    const auto holds = impl_->holds_.detach_node(known);
    nodes.remove(known);
    auto attributes = impl_->attributes_.extract(known);
    const NodeIndex::Slot slot = nodes.add(id, rack, total, old.partition);
    impl_->holds_.attach_node(holds, slot);
    nodes.charge(slot, old.used, old.containers);
    nodes.set_usable(slot, old.usable);
    if (attributes) impl_->attributes_[slot] = std::move(attributes.mapped());
    impl_->count_tags_on(slot, 1);
    impl_->tags_on_changed(holds, NodeIndex::kNone, old.rack);
    impl_->tags_on_changed(holds, slot, nodes.at(slot).rack);
  } else {
    nodes.add(id, rack, total, impl_->home_of(label));
    impl_->wake_all_delayed();  // with one more, opportunities come faster
  }
  impl_->cluster_changed();
  impl_->wake_for(nodes.slot_of(id));
}

void Scheduler::update_node(const NodeId& id, const Resources& total) {
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(id);
  if (slot == NodeIndex::kNone || impl_->nodes_.at(slot).total == total) return;
  impl_->drop_claims_on(slot);
  impl_->nodes_.set_total(slot, total);
  impl_->cluster_changed();
  impl_->wake_for(slot);
}

void Scheduler::set_node_usable(const NodeId& id, bool usable) {
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(id);
  if (slot == NodeIndex::kNone || impl_->nodes_.at(slot).usable == usable) return;
  impl_->drop_claims_on(slot);
  impl_->nodes_.set_usable(slot, usable);
  impl_->caps_.hope_again();
  impl_->wake_for(slot);
}

void Scheduler::remove_node(const NodeId& id) {
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(id);
  if (slot == NodeIndex::kNone) return;
  impl_->drop_claims_on(slot);
  impl_->count_tags_on(slot, -1);
  const std::string rack = impl_->nodes_.at(slot).rack;
  const auto holds = impl_->holds_.detach_node(slot);
  for (const HoldTable::Index hold : holds) {
    if (impl_->holds_.at(hold).ticket != 0) impl_->erase_growth(impl_->holds_.at(hold).ticket);
  }
  impl_->nodes_.remove(slot);
  impl_->attributes_.erase(slot);
  impl_->cluster_changed();
  impl_->tags_on_changed(holds, NodeIndex::kNone, rack);
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
    if (impl_->root_->apps >= impl_->config_->maximum_apps) {
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
  impl_->note_idle(**leaf);
  return (*leaf)->spec.path;
}

void Scheduler::remove_app(const AppId& id) {
  App* app = impl_->find_app(id);
  if (app == nullptr) return;
  impl_->end_attempt(*app);
  Queue& leaf = *app->leaf;
  impl_->detach(*app);
  impl_->holds_.forget_app(app->holds);
  impl_->apps_.erase(id);
  impl_->note_idle(leaf);
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
    for (PartitionId at = 0; at < app->parts.size(); ++at) {
      const QueuePart& part = queue->parts[at];
      const Resources& used = app->parts[at].used;
      if (used.is_zero() || impl_->within(part.used + used, part.maximum)) continue;
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("{} holds {}, which does not fit into queue {}: it uses {} of at "
                              "most {} (its maximum-capacity)",
                              to_string(id), to_string(used), queue->spec.path.value(),
                              to_string(part.used), to_string(part.maximum)),
                  ErrorSubject::kQueue);
    }
  }
  const bool waiting = app->waiting;
  const bool held = app->held;
  for (auto& [key, group] : app->groups)
    impl_->unpark(*group);
  Queue& before = *app->leaf;
  impl_->detach(*app);
  impl_->attach(*app, **leaf);
  if (waiting) {
    impl_->start_waiting(*app);
    impl_->activate_fitting(**leaf);
  }
  impl_->set_held(*app, held);
  impl_->let_held_run();  // here, or where it was
  impl_->note_idle(before);
  impl_->note_idle(**leaf);
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
  app->leaf->leaf->apps.erase(app->turn());
  app->priority = priority;
  app->leaf->leaf->apps.emplace(app->turn(), app);
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
  app->am_partition = kDefaultPartition;
  if (!am) {
    app->am_charge = am_charge;
    impl_->may_run(*app) ? impl_->run_without_am(*app) : impl_->set_held(*app, true);
    return;
  }
  app->am_charge = impl_->normalize(am->capability, app->leaf->spec.maximum_allocation);
  app->am_partition = am->label && !am->label->empty()
                          ? impl_->partition_named(*am->label)
                          : impl_->partition_for(*app->leaf, am->label);
  if (impl_->may_run(*app)) {
    impl_->ask_for_am(*app, *am);
  } else {
    app->held_am = am;
    impl_->set_held(*app, true);
  }
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
  for (const Ask& ask : asks)
    RETURN_IF_ERROR(impl_->check_ask(*app->leaf, ask));
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
      impl_->new_need_ = impl_->new_need_ || impl_->caps_.roomless(group->cap);
      impl_->drop_unwanted_claims(*group);
      impl_->trim_claims(*group);
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
  for (auto& [key, group] : app->groups) {
    impl_->cancel_claims(*group);
    impl_->unpark(*group);
  }
}

// --- containers

void Scheduler::Impl::release(HoldTable::Index index) {
  const Hold hold = holds_.at(index);
  const Resources had = hold.node != NodeIndex::kNone ? nodes_.at(hold.node).free() : Resources{};
  note_loss(index);
  if (hold.marked && hold.app != nullptr) set_leaving(index, false);
  if (hold.ticket != 0) erase_growth(hold.ticket);
  HoldTable::Index none = HoldTable::kNone;
  holds_.remove(index, hold.app != nullptr ? hold.app->holds : none);
  const std::int64_t containers = hold.bare ? 0 : -1;
  if (hold.app != nullptr) charge(*hold.app, hold.partition, Resources{} - hold.size, containers);
  if (hold.node != NodeIndex::kNone) {
    nodes_.charge(hold.node, Resources{} - hold.size, containers);
    if (hold.tags != 0) count_tags(hold.tags, hold.node, -1);
    fill_claims(hold.node);
    wake_for(hold.node, &had);
    if (hold.tags != 0) tags_changed(hold.tags, hold.node, nodes_.at(hold.node).rack);
  }
  if (hold.tags != 0) tags_.let_go(hold.tags);
}

void Scheduler::release(HoldId hold) {
  const HoldTable::Index index = impl_->holds_.find(hold);
  if (index != HoldTable::kNone) impl_->release(index);
}

HoldId Scheduler::recover_container(const AttemptId& attempt, const NodeId& node,
                                    const Resources& resources) {
  App* app = impl_->find_app(attempt.app);
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(node);
  if (app == nullptr && slot == NodeIndex::kNone) return 0;
  const PartitionId partition =
      slot == NodeIndex::kNone ? kDefaultPartition : impl_->nodes_.at(slot).partition;
  HoldTable::Index none = HoldTable::kNone;
  const HoldId hold = impl_->holds_.add({.app = app,
                                         .node = slot,
                                         .partition = partition,
                                         .size = resources,
                                         .started_ms = impl_->now_ms_},
                                        app != nullptr ? app->holds : none);
  if (app != nullptr) impl_->charge(*app, partition, resources, 1);
  if (slot != NodeIndex::kNone) impl_->nodes_.charge(slot, resources, 1);
  return hold;
}

void Scheduler::resize_container(HoldId id, const Resources& size) {
  const HoldTable::Index index = impl_->holds_.find(id);
  if (index != HoldTable::kNone) impl_->resize(index, size);
}

// --- decisions

void Scheduler::set_time(std::int64_t now_ms) {
  impl_->now_ms_ = now_ms;
  impl_->wake_delayed();
}

void Scheduler::set_preemption(const PreemptionSettings& settings) {
  impl_->preemption_ = settings;
}

PreemptionRound Scheduler::preempt() {
  return impl_->preempt();
}

bool Scheduler::has_new_need() const {
  return impl_->new_need_;
}

const PreemptionLedger& Scheduler::preemption_ledger() const {
  return impl_->ledger_;
}

std::vector<Grant> Scheduler::schedule(std::size_t grants_max) {
  return impl_->schedule(grants_max);
}

bool Scheduler::has_work() const {
  return impl_->work_;
}

}  // namespace heddle::queues
