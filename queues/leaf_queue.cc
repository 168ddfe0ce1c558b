// Users of a leaf queue, their limits, and the share of the queue that AMs may hold.
#include <algorithm>
#include <cmath>

#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

Resources scaled(const Resources& amount, double factor) {
  constexpr double kMost = 4e18;  // some way below 2^63
  Resources result;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    if (amount.amount[i] == 0) continue;  // most types are not in use
    // Rounded up; a call of std::ceil costs more than all the rest here.
    const double exact = static_cast<double>(amount.amount[i]) * factor - 1e-6;
    const double value = std::clamp(exact, -kMost, kMost);
    const auto whole = static_cast<std::int64_t>(value);
    result.amount[i] = whole + (static_cast<double>(whole) < value ? 1 : 0);
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

}  // namespace

double Scheduler::Impl::weight_of(const QueueRules& rules, const UserName& user) {
  const auto weight = rules.user_weights.find(user.value());
  return weight != rules.user_weights.end() ? weight->second : 1;
}

User& Scheduler::Impl::user_of(Queue& leaf, const UserName& name) {
  const auto found = leaf.leaf->users.find(name.value());
  if (found != leaf.leaf->users.end()) return *found->second;
  auto user = std::make_unique<User>();
  user->name = name;
  user->serial = leaf.leaf->next_user++;
  user->leaf = &leaf;
  user->weight = weight_of(leaf.spec, name);
  return *leaf.leaf->users.emplace(name.value(), std::move(user)).first->second;
}

void Scheduler::Impl::attach(App& app, Queue& queue) {
  Leaf& leaf = *queue.leaf;
  app.leaf = &queue;
  app.user = &user_of(queue, app.user_name);
  leaf.apps.emplace(app.turn(), &app);
  const bool is_new_user = ++app.user->apps == 1;
  count_in_user(app, 1);
  for (Queue* at = &queue; at != nullptr; at = at->parent) {
    ++at->apps;
    at->running_apps += app.running ? 1 : 0;
    at->pending_containers += app.pending_containers;
    for (PartitionId part = 0; part < app.parts.size(); ++part)
      add_asked(at->parts[part].pending, app.parts[part].pending, 1);
  }
  if (app.active) count_active(app, 1);
  sync_all_waiting(*app.user);
  add_containers(queue, app.containers);
  for (PartitionId part = 0; part < app.parts.size(); ++part)
    charge(app, part, std::exchange(app.parts[part].used, {}), 0);
  carry_leaving(app, true);
  set_all_demands(app);
  sync_all(app);
  if (is_new_user) recompute_all_am_limits(queue);
}

void Scheduler::Impl::detach(App& app) {
  Queue& queue = *app.leaf;
  Leaf& leaf = *queue.leaf;
  User& user = *app.user;
  stop_waiting(app);
  set_held(app, false);
  for (auto& [key, group] : app.groups)
    cancel_claims(*group);
  carry_leaving(app, false);
  const bool active = std::exchange(app.active, false);
  sync_all(app);
  set_all_demands(app);
  if (active) count_active(app, -1);
  sync_all_waiting(user);
  add_containers(queue, -app.containers);
  count_in_user(app, -1);
  for (PartitionId part = 0; part < app.parts.size(); ++part) {
    const Resources used = app.parts[part].used;
    charge(app, part, Resources{} - used, 0);
    app.parts[part].used = used;
  }
  for (Queue* at = &queue; at != nullptr; at = at->parent) {
    --at->apps;
    at->running_apps -= app.running ? 1 : 0;
    at->pending_containers -= app.pending_containers;
    for (PartitionId part = 0; part < app.parts.size(); ++part)
      add_asked(at->parts[part].pending, app.parts[part].pending, -1);
  }
  leaf.apps.erase(app.turn());
  app.active = active;
  app.user = nullptr;
  app.leaf = nullptr;
  if (--user.apps == 0) leaf.users.erase(std::string(user.name.value()));
  recompute_all_am_limits(queue);
}

void Scheduler::Impl::count_in_user(const App& app, std::int64_t sign) {
  User& user = *app.user;
  user.containers += sign * app.containers;
  user.pending_containers += sign * app.pending_containers;
  add_asked(user.pending, app.pending(), sign);
}

void Scheduler::Impl::add_containers(Queue& leaf, std::int64_t containers) {
  for (Queue* at = &leaf; at != nullptr; at = at->parent)
    at->containers += containers;
}

void Scheduler::Impl::charge(App& app, PartitionId partition, const Resources& amount,
                             std::int64_t containers) {
  Queue& queue = *app.leaf;
  User& user = *app.user;
  app.parts[partition].used += amount;
  app.containers += containers;
  if (queue.spec.app_order == AppOrder::kFair) sync_all(app);
  user.containers += containers;
  Resources& users_own = user.parts[partition].used;
  double& shares = queue.leaf->parts[partition].user_shares;
  if (types_ > 1) shares -= measure(users_own, partition);
  users_own += amount;
  if (types_ > 1) shares += measure(users_own, partition);
  if (user.parts[partition].tracked) retrack(user, partition, amount);
  for (Queue* at = &queue; at != nullptr; at = at->parent) {
    at->parts[partition].used += amount;
    at->containers += containers;
    set_ratio(*at, partition);
  }
  recompute_user_limit(queue, partition);
  for (Queue* at = &queue; at != nullptr; at = at->parent)
    sync_all(*at, partition);
  work_ = true;
}

void Scheduler::Impl::set_all_demands(App& app) {
  for (PartitionId part = 0; part < app.parts.size(); ++part)
    set_demands(app, part);
}

void Scheduler::Impl::set_demands(App& app, PartitionId partition) {
  AppPart& mine = app.parts[partition];
  const bool now = app.active && mine.pending_containers > 0;
  if (now == mine.demands) return;
  mine.demands = now;
  User& user = *app.user;
  UserPart& part = user.parts[partition];
  LeafPart& leaf = user.leaf->leaf->parts[partition];
  part.demanding += now ? 1 : -1;
  if (now && part.demanding == 1) {
    ++leaf.active_users;
    leaf.active_weight += user.weight;
    track(user, partition);
  } else if (!now && part.demanding == 0) {
    untrack(user, partition);
    --leaf.active_users;
    leaf.active_weight = leaf.active_users == 0 ? 0 : leaf.active_weight - user.weight;
    if (std::exchange(part.over, false)) sync_all(user);
  } else {
    return;
  }
  recompute_user_limit(*user.leaf, partition);
}

void Scheduler::Impl::track(User& user, PartitionId partition) {
  LeafPart& leaf = user.leaf->leaf->parts[partition];
  UserPart& part = user.parts[partition];
  part.tracked = true;
  part.tracked_at = use_of(user, partition);
  leaf.active_used += part.used;
  (part.over ? leaf.over_by_use : leaf.by_use).insert(part.tracked_at, &user);
}

void Scheduler::Impl::retrack(User& user, PartitionId partition, const Resources& change) {
  LeafPart& leaf = user.leaf->leaf->parts[partition];
  UserPart& part = user.parts[partition];
  leaf.active_used += change;
  const Place before = std::exchange(part.tracked_at, use_of(user, partition));
  (part.over ? leaf.over_by_use : leaf.by_use).move(before, part.tracked_at);
}

Place Scheduler::Impl::use_of(const User& user, PartitionId partition) const {
  return {0, measure(user.parts[partition].used, partition) / user.weight, user.serial};
}

void Scheduler::Impl::untrack(User& user, PartitionId partition) {
  LeafPart& leaf = user.leaf->leaf->parts[partition];
  UserPart& part = user.parts[partition];
  part.tracked = false;
  leaf.active_used -= part.used;
  (part.over ? leaf.over_by_use : leaf.by_use).erase(part.tracked_at);
}

// What the users that want more hold is shared out among them by weight, plus one container; or,
// if that is more, the minimum percentage of the queue (of what it holds, once above its
// guarantee). Never above the guarantee times the factor. Like Hadoop, a user AT the limit may
// still take one container: the limit is checked against what is held, not against what would be.
// Where several types count, what the queue holds is so much of everything as its users have of
// their largest ones in all: that of two users with other needs may be more than it really holds.
Resources Scheduler::Impl::user_limit_with(const Queue& queue, PartitionId partition,
                                           const Resources& used, double user_shares,
                                           const Resources& active_used,
                                           double active_weight) const {
  const QueuePart& part = queue.parts[partition];
  const auto size = [&](const Resources& amount) { return measure(amount, partition); };
  const Resources& step = limits_.minimum;
  const Resources guarantee = size(part.guaranteed) < size(step) ? step : part.guaranteed;
  const Resources held =
      types_ == 1 ? used : rounded_up(scaled(nodes_.total(partition), user_shares), step);
  const Resources current = size(held) < size(guarantee) ? guarantee : held + step;
  const double weights = active_weight > 0 ? active_weight : 1;
  const Resources even = scaled(active_used + step, 1 / weights);
  const Resources least = scaled(current, queue.spec.minimum_user_limit_percent / 100);
  const double factor = queue.spec.user_limit_factor;
  const Resources most = factor < 0 ? part.maximum : scaled(guarantee, factor);
  Resources limit = size(even) < size(least) ? least : even;
  if (size(most) < size(limit)) limit = most;
  return rounded_up(limit, step);
}

void Scheduler::Impl::recompute_user_limit(Queue& queue, PartitionId partition) {
  LeafPart& leaf = queue.leaf->parts[partition];
  const Resources& used = std::as_const(queue.parts)[partition].used;
  leaf.user_limit = user_limit_with(queue, partition, used, leaf.user_shares, leaf.active_used,
                                    leaf.active_weight);

  const double line = measure(leaf.user_limit, partition);
  while (!leaf.by_use.empty() && leaf.by_use.back().place.share > line) {
    const auto last = leaf.by_use.back();
    User& user = *last.child;
    leaf.by_use.erase(last.place);
    leaf.over_by_use.insert(last.place, &user);
    user.parts[partition].over = true;
    sync_all(user);
  }
  while (!leaf.over_by_use.empty() && leaf.over_by_use.front().place.share <= line) {
    const auto first = leaf.over_by_use.front();
    User& user = *first.child;
    leaf.over_by_use.erase(first.place);
    leaf.by_use.insert(first.place, &user);
    user.parts[partition].over = false;
    sync_all(user);
    work_ = true;
  }
}

/// Takes other settings: weights and the order of applications show in lists that are kept.
void Scheduler::Impl::take_rules(Queue& queue, const QueueRules& rules) {
  if (queue.spec == rules) return;
  queue.spec = rules;
  if (!queue.leaf) return;
  for (auto& [name, user] : queue.leaf->users)
    reweigh(*user, weight_of(rules, user->name));
  for (PartitionId at = 0; at < partitions_.size(); ++at) {
    double weights = 0;
    for (const auto& [name, user] : queue.leaf->users)
      weights += user->parts[at].demanding > 0 ? user->weight : 0;
    queue.leaf->parts[at].active_weight = weights;
  }
  for (const auto& [turn, app] : queue.leaf->apps)
    sync_all(*app);
}

void Scheduler::Impl::reweigh(User& user, double weight) {
  if (std::exchange(user.weight, weight) == weight) return;
  for (PartitionId at = 0; at < user.parts.size(); ++at) {
    if (user.parts[at].tracked) retrack(user, at, {});
  }
}

Resources Scheduler::Impl::user_limit_of(const User& user, PartitionId partition) const {
  const LeafPart& leaf = std::as_const(user.leaf->leaf->parts)[partition];
  return user.weight == 1 ? leaf.user_limit : scaled(leaf.user_limit, user.weight);
}

// Nobody is let in before the limits of all partitions are right.
void Scheduler::Impl::recompute_all_am_limits(Queue& queue) {
  for (PartitionId at = 0; at < partitions_.size(); ++at)
    recompute_am_limits(queue, at);
  activate_fitting(queue);
}

double Scheduler::Impl::maximum_am_share(const Queue& leaf, PartitionId partition) const {
  const auto label = leaf.spec.labels.find(partitions_[partition].name);
  const bool own = label != leaf.spec.labels.end() && label->second.maximum_am_share.has_value();
  return own ? *label->second.maximum_am_share : leaf.spec.maximum_am_share;
}

// The queue's limit is taken from its maximum, not from what its siblings leave free just now: it
// stays put while they come and go.
void Scheduler::Impl::recompute_am_limits(Queue& queue, PartitionId partition) {
  LeafPart& leaf = queue.leaf->parts[partition];
  const QueuePart& part = queue.parts[partition];
  const auto up = [&](const Resources& amount, double factor) {
    Resources result = rounded_up(scaled(amount, factor), limits_.minimum);
    if (config_->calculator == Calculator::kMemory) {
      result = Resources(result.memory_mb(), result.memory_mb() > 0 ? 1 : 0);
    }
    return result;
  };
  const double share = maximum_am_share(queue, partition);
  leaf.am_limit = up(part.maximum, share);
  const double users = static_cast<double>(std::max<std::size_t>(queue.leaf->users.size(), 1));
  const double each = std::max(queue.spec.minimum_user_limit_percent / 100, 1 / users);
  const double factor = std::abs(queue.spec.user_limit_factor);
  Resources per_user =
      queue.spec.user_limit_factor < 0 ? leaf.am_limit : up(part.guaranteed, share * each * factor);
  if (measure(leaf.am_limit, partition) < measure(per_user, partition)) per_user = leaf.am_limit;
  if (!(per_user == leaf.user_am_limit)) {
    leaf.user_am_limit = per_user;
    for (auto& [name, user] : queue.leaf->users)
      sync_all_waiting(*user);
  }
}

Resources Scheduler::Impl::user_am_limit_of(const User& user, PartitionId partition) const {
  const LeafPart& leaf = std::as_const(user.leaf->leaf->parts)[partition];
  return user.weight == 1 ? leaf.user_am_limit : scaled(leaf.user_am_limit, user.weight);
}

void Scheduler::Impl::start_waiting(App& app) {
  app.waiting = true;
  app.am_cap = caps_.acquire(app.am_partition, app.am_charge);
  app.user->waiting.get(app.am_cap).ready.insert(app.turn(), &app);
  sync_waiting(*app.user, app.am_cap);
}

void Scheduler::Impl::stop_waiting(App& app) {
  if (!app.waiting) return;
  app.waiting = false;
  app.user->waiting.get(app.am_cap).ready.erase(app.turn());
  sync_waiting(*app.user, app.am_cap);
  caps_.release(app.am_cap);
}

void Scheduler::Impl::sync_waiting(User& user, CapId cap) {
  Demand<App>* own = user.waiting.find(cap);
  if (own == nullptr) return;
  DemandTable<User>& table = user.leaf->leaf->waiting;
  own->shut = !user_am_fits(user, cap);
  const bool wanted = !own->shut && !own->ready.empty();
  const Place at = own->ready.empty() ? Place{} : own->ready.front().place;
  if (own->listed) table.get(cap).ready.erase(own->listed_at);
  if (wanted) table.get(cap).ready.insert(at, &user);
  own->listed = wanted;
  own->listed_at = at;
  table.drop_if_idle(cap);
  user.waiting.drop_if_idle(cap);
}

bool Scheduler::Impl::user_am_fits(const User& user, CapId cap) const {
  return user_am_fits(user, caps_.partition(cap), caps_.size(cap));
}

bool Scheduler::Impl::user_am_fits(const User& user, PartitionId partition,
                                   const Resources& size) const {
  const UserPart& part = user.parts[partition];
  return part.active_apps == 0 || measure(part.am_used + size, partition) <=
                                      measure(user_am_limit_of(user, partition), partition);
}

void Scheduler::Impl::sync_all_waiting(User& user) {
  for (std::size_t i = user.waiting.rows.size(); i-- > 0;)
    sync_waiting(user, user.waiting.rows[i].cap);
}

bool Scheduler::Impl::am_fits(const Queue& queue, CapId cap) const {
  return am_fits(queue, caps_.partition(cap), caps_.size(cap));
}

bool Scheduler::Impl::am_fits(const Queue& queue, PartitionId partition,
                              const Resources& size) const {
  // One application is always let in, or a small queue could never run anything.
  const LeafPart& leaf = std::as_const(queue.leaf->parts)[partition];
  return leaf.active_apps == 0 ||
         measure(leaf.am_used + size, partition) <= measure(leaf.am_limit, partition);
}

void Scheduler::Impl::activate_fitting(Queue& queue) {
  Leaf& leaf = *queue.leaf;
  for (;;) {
    User* user = nullptr;
    CapId cap = 0;
    Place best;
    for (const Demand<User>& row : leaf.waiting.rows) {
      if (row.ready.empty() || !am_fits(queue, row.cap)) continue;
      const auto head = row.ready.front();
      if (user != nullptr && !(head.place < best)) continue;
      best = head.place;
      user = head.child;
      cap = row.cap;
    }
    if (user == nullptr) return;
    activate(*user->waiting.find(cap)->ready.front().child);
  }
}

void Scheduler::Impl::count_active(App& app, int change) {
  Leaf& leaf = *app.leaf->leaf;
  LeafPart& part = leaf.parts[app.am_partition];
  UserPart& mine = app.user->parts[app.am_partition];
  leaf.active_apps += change;
  part.active_apps += change;
  app.user->active_apps += change;
  mine.active_apps += change;
  const Resources charge = change > 0 ? app.am_charge : Resources{} - app.am_charge;
  part.am_used += charge;
  mine.am_used += charge;
}

void Scheduler::Impl::activate(App& app) {
  stop_waiting(app);
  app.active = true;
  new_need_ = true;
  count_active(app, 1);
  sync_all_waiting(*app.user);
  set_all_demands(app);
  sync_all(app);
  work_ = true;
}

void Scheduler::Impl::deactivate(App& app) {
  if (!app.active) return;
  app.active = false;
  sync_all(app);
  set_all_demands(app);
  count_active(app, -1);
  sync_all_waiting(*app.user);
  activate_fitting(*app.leaf);
}

}  // namespace heddle::queues
