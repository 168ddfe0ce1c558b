// Users of a leaf queue, their limits, and the share of the queue that AMs may hold.
#include <algorithm>
#include <cmath>

#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

Resources scaled(const Resources& amount, double factor) {
  Resources result;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    if (amount.amount[i] == 0) continue;  // most types are not in use
    const double value = static_cast<double>(amount.amount[i]) * factor;
    result.amount[i] = static_cast<std::int64_t>(std::ceil(value - 1e-6));
  }
  return result;
}

Resources rounded_up(const Resources& amount, const Resources& step) {
  Resources result;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    const std::int64_t by = step.amount[i];
    const std::int64_t value = amount.amount[i];
    result.amount[i] = by > 0 && value > 0 ? (value + by - 1) / by * by : value;
  }
  return result;
}

void add(Queue* from, const Resources& amount, std::int64_t containers) {
  for (Queue* queue = from; queue != nullptr; queue = queue->parent) {
    queue->used += amount;
    queue->containers += containers;
  }
}

}  // namespace

User& Scheduler::Impl::user_of(Queue& leaf, const UserName& name) {
  const auto found = leaf.leaf->users.find(name.value());
  if (found != leaf.leaf->users.end()) return *found->second;
  auto user = std::make_unique<User>();
  user->name = name;
  user->serial = leaf.leaf->next_user++;
  user->leaf = &leaf;
  const auto weight = leaf.spec.user_weights.find(name.value());
  if (weight != leaf.spec.user_weights.end()) user->weight = weight->second;
  return *leaf.leaf->users.emplace(name.value(), std::move(user)).first->second;
}

void Scheduler::Impl::attach(App& app, Queue& queue) {
  Leaf& leaf = *queue.leaf;
  app.leaf = &queue;
  app.user = &user_of(queue, app.user_name);
  leaf.apps.emplace(app.place(), &app);
  const bool is_new_user = ++app.user->apps == 1;
  for (Queue* at = &queue; at != nullptr; at = at->parent) {
    ++at->apps;
    add_asked(at->pending, app.pending, 1);
    at->pending_containers += app.pending_containers;
  }
  if (app.active) {
    ++leaf.active_apps;
    ++app.user->active_apps;
    leaf.am_used += app.am_charge;
    app.user->am_used += app.am_charge;
  }
  const Resources used = app.used;
  const std::int64_t containers = app.containers;
  app.used = {};
  app.containers = 0;
  charge(app, used, containers);
  set_demands(app);
  sync_all(app);
  if (is_new_user) recompute_am_limits(queue);
}

void Scheduler::Impl::detach(App& app) {
  Queue& queue = *app.leaf;
  Leaf& leaf = *queue.leaf;
  User& user = *app.user;
  stop_waiting(app);
  const bool active = std::exchange(app.active, false);
  sync_all(app);
  set_demands(app);
  if (active) {
    --leaf.active_apps;
    --user.active_apps;
    leaf.am_used -= app.am_charge;
    user.am_used -= app.am_charge;
  }
  const Resources used = app.used;
  const std::int64_t containers = app.containers;
  charge(app, Resources{} - used, -containers);
  app.used = used;
  app.containers = containers;
  for (Queue* at = &queue; at != nullptr; at = at->parent) {
    --at->apps;
    add_asked(at->pending, app.pending, -1);
    at->pending_containers -= app.pending_containers;
  }
  leaf.apps.erase(app.place());
  app.active = active;
  app.user = nullptr;
  app.leaf = nullptr;
  if (--user.apps == 0) leaf.users.erase(std::string(user.name.value()));
  recompute_am_limits(queue);
}

void Scheduler::Impl::charge(App& app, const Resources& amount, std::int64_t containers) {
  Queue& queue = *app.leaf;
  User& user = *app.user;
  app.used += amount;
  app.containers += containers;
  user.used += amount;
  if (user.tracked) retrack(user, amount);
  add(&queue, amount, containers);
  set_ratio(queue);
  for (Queue* at = queue.parent; at != nullptr; at = at->parent)
    set_ratio(*at);
  recompute_user_limit(queue);
  for (Queue* at = &queue; at != nullptr; at = at->parent)
    sync_all(*at);
  work_ = true;
}

void Scheduler::Impl::set_demands(App& app) {
  const bool now = app.active && app.pending_containers > 0;
  if (now == app.demands) return;
  app.demands = now;
  User& user = *app.user;
  Leaf& leaf = *user.leaf->leaf;
  user.demanding += now ? 1 : -1;
  if (now && user.demanding == 1) {
    ++leaf.active_users;
    leaf.active_weight += user.weight;
    track(user);
  } else if (!now && user.demanding == 0) {
    untrack(user);
    --leaf.active_users;
    leaf.active_weight = leaf.active_users == 0 ? 0 : leaf.active_weight - user.weight;
    if (std::exchange(user.over, false)) sync_all(user);
  } else {
    return;
  }
  recompute_user_limit(*user.leaf);
}

void Scheduler::Impl::track(User& user) {
  Leaf& leaf = *user.leaf->leaf;
  user.tracked = true;
  user.tracked_at = use_of(user);
  leaf.active_used += user.used;
  (user.over ? leaf.over_by_use : leaf.by_use).emplace(user.tracked_at, &user);
}

void Scheduler::Impl::retrack(User& user, const Resources& change) {
  Leaf& leaf = *user.leaf->leaf;
  leaf.active_used += change;
  auto& list = user.over ? leaf.over_by_use : leaf.by_use;
  auto entry = list.extract(user.tracked_at);
  entry.key() = user.tracked_at = use_of(user);
  list.insert(std::move(entry));
}

Place Scheduler::Impl::use_of(const User& user) const {
  return {measure(user.used) / user.weight, user.serial};
}

void Scheduler::Impl::untrack(User& user) {
  Leaf& leaf = *user.leaf->leaf;
  user.tracked = false;
  leaf.active_used -= user.used;
  (user.over ? leaf.over_by_use : leaf.by_use).erase(user.tracked_at);
}

// What the users that want more hold is shared out among them by weight, plus one container; or,
// if that is more, the minimum percentage of the queue (of what it holds, once above its
// guarantee). Never above the guarantee times the factor. Like Hadoop, a user AT the limit may
// still take one container: the limit is checked against what is held, not against what would be.
void Scheduler::Impl::recompute_user_limit(Queue& queue) {
  Leaf& leaf = *queue.leaf;
  const Resources& step = limits_.minimum;
  const Resources guarantee = measure(queue.guaranteed) < measure(step) ? step : queue.guaranteed;
  const Resources current =
      measure(queue.used) < measure(guarantee) ? guarantee : queue.used + step;
  const double weights = leaf.active_weight > 0 ? leaf.active_weight : 1;
  const Resources even = scaled(leaf.active_used + step, 1 / weights);
  const Resources least = scaled(current, queue.spec.minimum_user_limit_percent / 100);
  const double factor = queue.spec.user_limit_factor;
  const Resources most = factor < 0 ? queue.maximum : scaled(guarantee, factor);
  Resources limit = measure(even) < measure(least) ? least : even;
  if (measure(most) < measure(limit)) limit = most;
  leaf.user_limit = rounded_up(limit, step);

  const double line = measure(leaf.user_limit);
  while (!leaf.by_use.empty() && leaf.by_use.rbegin()->first.first > line) {
    auto entry = leaf.by_use.extract(std::prev(leaf.by_use.end()));
    User& user = *entry.mapped();
    leaf.over_by_use.insert(std::move(entry));
    user.over = true;
    sync_all(user);
  }
  while (!leaf.over_by_use.empty() && leaf.over_by_use.begin()->first.first <= line) {
    auto entry = leaf.over_by_use.extract(leaf.over_by_use.begin());
    User& user = *entry.mapped();
    leaf.by_use.insert(std::move(entry));
    user.over = false;
    sync_all(user);
    work_ = true;
  }
}

Resources Scheduler::Impl::user_limit_of(const User& user) const {
  if (user.weight == 1) return user.leaf->leaf->user_limit;
  return scaled(user.leaf->leaf->user_limit, user.weight);
}

// The queue's limit is taken from its maximum, not from what its siblings leave free just now: it
// stays put while they come and go.
void Scheduler::Impl::recompute_am_limits(Queue& queue) {
  Leaf& leaf = *queue.leaf;
  const auto up = [&](const Resources& amount, double factor) {
    Resources result = rounded_up(scaled(amount, factor), limits_.minimum);
    if (config_.calculator == Calculator::kMemory) {
      result = Resources(result.memory_mb(), result.memory_mb() > 0 ? 1 : 0);
    }
    return result;
  };
  leaf.am_limit = up(queue.maximum, queue.spec.maximum_am_share);
  const double users = static_cast<double>(std::max<std::size_t>(leaf.users.size(), 1));
  const double each = std::max(queue.spec.minimum_user_limit_percent / 100, 1 / users);
  const double factor = std::abs(queue.spec.user_limit_factor);
  Resources per_user = queue.spec.user_limit_factor < 0
                           ? leaf.am_limit
                           : up(queue.guaranteed, queue.spec.maximum_am_share * each * factor);
  if (measure(leaf.am_limit) < measure(per_user)) per_user = leaf.am_limit;
  if (!(per_user == leaf.user_am_limit)) {
    leaf.user_am_limit = per_user;
    for (auto& [name, user] : leaf.users) {
      for (std::size_t i = user->waiting.rows.size(); i-- > 0;) {
        sync_waiting(*user, user->waiting.rows[i].cap);
      }
    }
  }
  activate_fitting(queue);
}

Resources Scheduler::Impl::user_am_limit_of(const User& user) const {
  if (user.weight == 1) return user.leaf->leaf->user_am_limit;
  return scaled(user.leaf->leaf->user_am_limit, user.weight);
}

void Scheduler::Impl::start_waiting(App& app) {
  app.waiting = true;
  app.am_cap = caps_.acquire(app.am_charge);
  app.user->waiting.get(app.am_cap).ready.emplace(app.place(), &app);
  sync_waiting(*app.user, app.am_cap);
}

void Scheduler::Impl::stop_waiting(App& app) {
  if (!app.waiting) return;
  app.waiting = false;
  app.user->waiting.get(app.am_cap).ready.erase(app.place());
  sync_waiting(*app.user, app.am_cap);
  caps_.release(app.am_cap);
}

void Scheduler::Impl::sync_waiting(User& user, CapId cap) {
  Demand<App>* own = user.waiting.find(cap);
  if (own == nullptr) return;
  DemandTable<User>& table = user.leaf->leaf->waiting;
  own->shut = user.active_apps > 0 &&
              measure(user.am_used + caps_.size(cap)) > measure(user_am_limit_of(user));
  const bool wanted = !own->shut && !own->ready.empty();
  const Place at = own->ready.empty() ? Place{} : own->ready.begin()->first;
  if (own->listed) table.get(cap).ready.erase(own->listed_at);
  if (wanted) table.get(cap).ready.emplace(at, &user);
  own->listed = wanted;
  own->listed_at = at;
  table.drop_if_idle(cap);
  user.waiting.drop_if_idle(cap);
}

bool Scheduler::Impl::am_fits(const Queue& queue, CapId cap) const {
  // One application is always let in, or a small queue could never run anything.
  const Leaf& leaf = *queue.leaf;
  return leaf.active_apps == 0 || measure(leaf.am_used + caps_.size(cap)) <= measure(leaf.am_limit);
}

void Scheduler::Impl::activate_fitting(Queue& queue) {
  Leaf& leaf = *queue.leaf;
  for (;;) {
    User* user = nullptr;
    CapId cap = 0;
    Place best;
    for (const Demand<User>& row : leaf.waiting.rows) {
      if (row.ready.empty() || !am_fits(queue, row.cap)) continue;
      const auto& [place, head] = *row.ready.begin();
      if (user != nullptr && !(place < best)) continue;
      best = place;
      user = head;
      cap = row.cap;
    }
    if (user == nullptr) return;
    activate(*user->waiting.find(cap)->ready.begin()->second);
  }
}

void Scheduler::Impl::activate(App& app) {
  stop_waiting(app);
  app.active = true;
  Leaf& leaf = *app.leaf->leaf;
  ++leaf.active_apps;
  ++app.user->active_apps;
  leaf.am_used += app.am_charge;
  app.user->am_used += app.am_charge;
  for (std::size_t i = app.user->waiting.rows.size(); i-- > 0;) {
    sync_waiting(*app.user, app.user->waiting.rows[i].cap);
  }
  set_demands(app);
  sync_all(app);
  work_ = true;
}

void Scheduler::Impl::deactivate(App& app) {
  if (!app.active) return;
  app.active = false;
  sync_all(app);
  set_demands(app);
  Leaf& leaf = *app.leaf->leaf;
  --leaf.active_apps;
  --app.user->active_apps;
  leaf.am_used -= app.am_charge;
  app.user->am_used -= app.am_charge;
  for (std::size_t i = app.user->waiting.rows.size(); i-- > 0;) {
    sync_waiting(*app.user, app.user->waiting.rows[i].cap);
  }
  activate_fitting(*app.leaf);
}

}  // namespace heddle::queues
