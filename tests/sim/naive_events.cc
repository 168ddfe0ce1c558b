// What happens to the naive scheduler's nodes and applications.
#include <algorithm>
#include <limits>
#include <utility>

#include "tests/sim/naive_scheduler.h"

namespace heddle::naive {
namespace {

constexpr std::int32_t kAmPriority = std::numeric_limits<std::int32_t>::min();  // before all else

}  // namespace

void Scheduler::configure(const QueueConfig& config, const Limits& limits) {
  config_ = config;
  limits_ = limits;
  types_ = config.calculator == queues::Calculator::kMemory ? 1 : limits.type_count;
  for (auto& [id, hold] : holds_)
    hold.marked = false;  // with the tree all claims go
  let_run();
  activate();
}

void Scheduler::follow_queues(const QueueConfig& config) {
  config_ = config;
  activate();
}

/// With its containers: from now on they count in the other partition.
void Scheduler::relabel(Node& node, const Label& label) {
  if (node.label == label) return;
  node.label = label;
  for (auto& [id, app] : apps_) {
    for (Group& group : app.groups)
      if (group.ticket != 0 && group.only_on == node.id) group.label = label;
  }
  for (auto& [id, hold] : holds_) {
    if (hold.node != node.id) continue;
    if (!hold.app_gone) {
      App& app = apps_.at(hold.app);
      app.used[hold.label] -= hold.size;
      app.used[label] += hold.size;
    }
    hold.label = label;
  }
}

void Scheduler::set_partitions(std::span<const queues::PartitionSpec> specs) {
  for (auto& [label, partition] : partitions_)
    partition.present = label.empty();
  for (const queues::PartitionSpec& spec : specs)
    partitions_[spec.name] = {true, spec.exclusive};
  for (Node& node : nodes_) {
    if (!partitions_.at(node.label).present) relabel(node, "");
  }
  activate();
}

void Scheduler::add_node(const NodeId& id, const std::string& rack, const Resources& total,
                         const Label& label) {
  if (Node* known = find_node(id)) {
    relabel(*known, home_of(label));
    known->rack = rack;
    known->total = total;
  } else {
    nodes_.push_back({id, rack, home_of(label), total, {}, {}, 0, true});
  }
  activate();
}

void Scheduler::set_node_label(const NodeId& id, const Label& label) {
  if (Node* node = find_node(id)) relabel(*node, home_of(label));
  activate();
}

void Scheduler::resize_node(const NodeId& id, const Resources& total) {
  if (Node* node = find_node(id)) node->total = total;
  activate();
}

void Scheduler::set_usable(const NodeId& id, bool usable) {
  if (Node* node = find_node(id)) node->usable = usable;
}

void Scheduler::remove_node(const NodeId& id) {
  std::erase_if(nodes_, [&](const Node& node) { return node.id == id; });
  for (auto& [hold_id, hold] : holds_) {
    if (hold.node != id) continue;
    hold.node.reset();
    for (auto& [app_id, app] : apps_)
      std::erase_if(app.groups, [&, its = hold_id](const Group& one) {
        return one.ticket != 0 && one.hold == its;
      });
  }
  activate();
}

std::int32_t Scheduler::maximum_apps(const Queue& leaf) const {
  if (leaf.spec->maximum_apps) return *leaf.spec->maximum_apps;
  const double share = leaf.parts.at("").absolute;
  if (cluster().is_zero() && share == 0) return config_.maximum_apps;
  return std::max(1, static_cast<std::int32_t>(config_.maximum_apps * share + 1e-6));
}

std::optional<ErrorCode> Scheduler::check_room(const Queue& leaf, const std::string& user) const {
  for (const Queue* queue = &leaf; queue != nullptr; queue = queue->parent) {
    if (queue->spec->state != queues::QueueState::kRunning) return ErrorCode::kWrongState;
  }
  const std::int32_t all = maximum_apps(leaf);
  if (leaf.apps >= all) return ErrorCode::kLimitExceeded;
  std::int32_t mine = 0;
  for (const auto& [id, app] : apps_)
    mine += app.leaf == leaf.path() && app.user == user ? 1 : 0;
  double most = all;
  if (leaf.spec->user_limit_factor >= 0) {
    most = all * (leaf.spec->minimum_user_limit_percent / 100) * leaf.spec->user_limit_factor;
  }
  if (mine >= static_cast<std::int32_t>(std::min<double>(most, all))) {
    return ErrorCode::kLimitExceeded;
  }
  return std::nullopt;
}

std::optional<ErrorCode> Scheduler::add_app(const AppId& id, const std::string& leaf,
                                            const std::string& user, std::int32_t priority) {
  if (apps_.contains(id)) return ErrorCode::kAlreadyExists;
  const std::vector<Queue> all = queues();
  const auto queue =
      std::ranges::find_if(all, [&](const Queue& one) { return one.spec->path.value() == leaf; });
  if (queue == all.end()) return ErrorCode::kNotFound;
  if (!queue->spec->is_leaf()) return ErrorCode::kInvalidArgument;
  if (static_cast<std::int32_t>(apps_.size()) >= config_.maximum_apps) {
    return ErrorCode::kLimitExceeded;
  }
  if (const auto refused = check_room(*queue, user)) return refused;
  App app;
  app.id = id;
  app.user = user;
  app.leaf = leaf;
  app.priority = priority;
  app.sequence = next_sequence_++;
  apps_.emplace(id, std::move(app));
  activate();
  return std::nullopt;
}

void Scheduler::remove_app(const AppId& id) {
  end_attempt(id);
  for (auto& [hold_id, hold] : holds_) {
    if (!hold.app_gone && hold.app == id) hold.app_gone = true;
  }
  apps_.erase(id);
  activate();
}

std::optional<ErrorCode> Scheduler::move_app(const AppId& id, const std::string& leaf) {
  App* app = find(id);
  if (app == nullptr) return ErrorCode::kNotFound;
  const std::vector<Queue> all = queues();
  const auto queue =
      std::ranges::find_if(all, [&](const Queue& one) { return one.spec->path.value() == leaf; });
  if (queue == all.end()) return ErrorCode::kNotFound;
  if (!queue->spec->is_leaf()) return ErrorCode::kInvalidArgument;
  if (app->leaf == leaf) return std::nullopt;
  if (const auto refused = check_room(*queue, app->user)) return refused;
  for (const Queue* at = &*queue; at != nullptr; at = at->parent) {
    if (is_below(app->leaf, at->path())) break;  // holds it already
    for (const auto& [label, used] : app->used) {
      const Part& part = at->parts.at(label);
      if (!used.is_zero() && !within(part.used + used, part.maximum)) {
        return ErrorCode::kLimitExceeded;
      }
    }
  }
  // It leaves; then it comes; then it waits again, if it did.
  App moved = *app;
  apps_.erase(id);
  activate();
  const bool waiting = std::exchange(moved.waiting, false);
  const auto held = std::exchange(moved.held, std::nullopt);
  moved.leaf = leaf;
  apps_.emplace(id, moved);
  activate();
  apps_.at(id).waiting = waiting;
  activate();
  apps_.at(id).held = held;
  let_run();
  activate();
  return std::nullopt;
}

void Scheduler::set_priority(const AppId& id, std::int32_t priority) {
  if (App* app = find(id)) app->priority = priority;
  activate();
}

void Scheduler::start_attempt(const AttemptId& attempt, const std::optional<AmAsk>& am) {
  App* app = find(attempt.app);
  if (app == nullptr) return;
  end_attempt(attempt.app);
  app->attempt = attempt;
  app->am_label = "";
  const std::vector<Queue> all = queues();
  if (!am) {
    if (may_run(*app, all)) {
      app->running = app->active = true;
    } else {
      app->held.emplace(std::nullopt);
    }
    return activate();
  }
  const Queue& leaf = *leaf_of(all, app->leaf);
  app->am_charge = normalize(am->capability, leaf.spec->maximum_allocation);
  app->am_label = home_of(am->label.value_or(leaf.spec->default_label));
  if (may_run(*app, all)) {
    ask_for_am(*app, *am);
  } else {
    app->held.emplace(am);
    ++seen_.held;
  }
}

void Scheduler::ask_for_am(App& app, const AmAsk& am) {
  Group group;
  group.priority = kAmPriority;
  group.request_id = 0;
  group.is_am = group.sized = true;
  group.label = app.am_label;
  group.size = app.am_charge;
  group.total = 1;
  group.relax = am.relax_locality || am.places.empty();
  for (const AmAsk::Wanted& place : am.places) {
    (place.name.starts_with('/') ? group.racks : group.hosts)[place.name] = {1, place.relax};
  }
  app.groups.push_back(std::move(group));
  app.running = true;
  app.waiting = true;
  activate_in(&app.leaf);
}

void Scheduler::end_attempt(const AppId& id) {
  App* app = find(id);
  if (app == nullptr || !app->attempt) return;
  app->groups.clear();
  app->active = app->waiting = false;
  app->am_charge = {};
  app->blacklist.clear();
  app->attempt.reset();
  activate();
  app->held.reset();
  if (!std::exchange(app->running, false)) return;
  let_run();
  activate();
}

std::optional<ErrorCode> Scheduler::update_asks(const AppId& id, const std::vector<Ask>& asks) {
  App* app = find(id);
  if (app == nullptr || !app->attempt) return ErrorCode::kNotFound;
  const std::vector<Queue> all = queues();
  const QueueSpec& leaf = *leaf_of(all, app->leaf)->spec;
  for (const Ask& ask : asks) {
    const Label label = ask.label_expression.value_or("");
    if (label.empty()) continue;
    if (!leaf.may_use_label(label)) return ErrorCode::kPermissionDenied;
    if (home_of(label) != label) return ErrorCode::kNotFound;
  }
  for (const Ask& ask : asks) {
    auto at = std::ranges::find_if(app->groups, [&](const Group& group) {
      return group.is_plain() && group.priority == ask.priority &&
             group.request_id == ask.allocation_request_id;
    });
    if (at == app->groups.end()) {
      app->groups.emplace_back();
      at = std::prev(app->groups.end());
      at->priority = ask.priority;
      at->request_id = ask.allocation_request_id;
    }
    if (ask.resource_name == queues::kAnyNode) {
      at->sized = true;
      at->size = normalize(ask.capability, leaf.maximum_allocation);
      at->label = home_of(ask.label_expression.value_or(leaf.default_label));
      at->total = ask.num_containers;
      at->relax = ask.relax_locality;
      continue;
    }
    auto& rows = ask.resource_name.starts_with('/') ? at->racks : at->hosts;
    if (ask.num_containers == 0) {
      rows.erase(ask.resource_name);
    } else {
      rows[ask.resource_name] = {ask.num_containers, ask.relax_locality};
    }
  }
  std::erase_if(app->groups, [](const Group& group) {
    return group.is_plain() && group.total == 0 && group.hosts.empty() && group.racks.empty();
  });
  return std::nullopt;
}

void Scheduler::update_blacklist(const AppId& id, const std::vector<std::string>& add,
                                 const std::vector<std::string>& remove) {
  App* app = find(id);
  if (app == nullptr || !app->attempt) return;
  app->blacklist.insert(add.begin(), add.end());
  for (const std::string& name : remove)
    app->blacklist.erase(name);
}

void Scheduler::charge(const Hold& hold, const Resources& amount, std::int64_t containers) {
  if (!hold.app_gone) {
    App& app = apps_.at(hold.app);
    app.used[hold.label] += amount;
    app.containers += containers;
  }
  if (!hold.node) return;
  Node& node = *find_node(*hold.node);
  node.used += amount;
  node.containers += containers;
}

void Scheduler::release(HoldId id) {
  const auto found = holds_.find(id);
  if (found == holds_.end()) return;
  const Hold& hold = found->second;
  charge(hold, Resources{} - hold.size, hold.bare ? 0 : -1);
  if (App* app = hold.app_gone ? nullptr : find(hold.app)) {
    std::erase_if(app->groups, [&](const Group& one) { return one.ticket != 0 && one.hold == id; });
  }
  holds_.erase(found);
}

void Scheduler::recover(HoldId id, const AppId& app, const NodeId& node, const Resources& size) {
  const Hold hold{app, false, node, find_node(node)->label, size, false, false, now_ms_};
  holds_.emplace(id, hold);
  charge(hold, size, 1);
}

void Scheduler::resize(HoldId id, const Resources& size) {
  const auto found = holds_.find(id);
  if (found == holds_.end()) return;
  charge(found->second, size - found->second.size, 0);
  found->second.size = size;
}

}  // namespace heddle::naive
