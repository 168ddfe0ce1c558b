// What there is and what is allowed, counted anew each time.
#include "tests/sim/naive_scheduler.h"

#include <algorithm>
#include <cmath>

namespace heddle::naive {
namespace {

Resources floored(const Amounts& exact) {
  Resources out;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i)
    out.amount[i] = static_cast<std::int64_t>(std::floor(exact[i] + 1e-6));
  return out;
}

Amounts times(const Resources& amount, double factor) {
  Amounts out{};
  for (std::size_t i = 0; i < kResourceTypesMax; ++i)
    out[i] = static_cast<double>(amount.amount[i]) * factor;
  return out;
}

/// Rounded up to whole units.
Resources scaled(const Resources& amount, double factor) {
  Resources out;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    out.amount[i] =
        static_cast<std::int64_t>(std::ceil(static_cast<double>(amount.amount[i]) * factor - 1e-6));
  }
  return out;
}

Resources rounded_up(const Resources& amount, const Resources& step) {
  Resources out = amount;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    const std::int64_t by = step.amount[i];
    if (by > 0 && out.amount[i] > 0) out.amount[i] = (out.amount[i] + by - 1) / by * by;
  }
  return out;
}

double weight_of(const Queue& leaf, const std::string& user) {
  const auto found = leaf.spec->user_weights.find(user);
  return found == leaf.spec->user_weights.end() ? 1 : found->second;
}

double over(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

const queues::Capacity& capacity_of(const QueueSpec& spec, const Label& label) {
  static const queues::Capacity kNone;
  if (label.empty()) return spec.capacity;
  const auto own = spec.labels.find(label);
  return own == spec.labels.end() ? kNone : own->second.capacity;
}

const queues::Capacity& maximum_of(const QueueSpec& spec, const Label& label) {
  static const queues::Capacity kAll{queues::CapacityMode::kPercent, 100, {}, "100"};
  if (label.empty()) return spec.maximum_capacity;
  const auto own = spec.labels.find(label);
  return own == spec.labels.end() ? kAll : own->second.maximum_capacity;
}

}  // namespace

std::int64_t App::pending_containers(const Label& label) const {
  std::int64_t sum = 0;
  for (const Group& group : groups)
    sum += group.sized && group.label == label ? group.total : 0;
  return sum;
}

std::int64_t App::pending_containers() const {
  std::int64_t sum = 0;
  for (const Group& group : groups)
    sum += group.sized ? group.total : 0;
  return sum;
}

Resources App::pending(const Label& label) const {
  Resources sum;
  for (const Group& group : groups) {
    for (std::int32_t i = 0; group.sized && group.label == label && i < group.total; ++i)
      sum += group.size;
  }
  return sum;
}

Resources App::all_pending() const {
  Resources sum;
  for (const Group& group : groups) {
    for (std::int32_t i = 0; group.sized && i < group.total; ++i)
      sum += group.size;
  }
  return sum;
}

Resources App::used_in(const Label& label) const {
  const auto found = used.find(label);
  return found == used.end() ? Resources{} : found->second;
}

Resources App::all_used() const {
  Resources sum;
  for (const auto& [label, amount] : used)
    sum += amount;
  return sum;
}

// --- what there is

Resources Scheduler::cluster() const {
  Resources sum;
  for (const Node& node : nodes_)
    sum += node.total;
  return sum;
}

Resources Scheduler::cluster(const Label& label) const {
  Resources sum;
  for (const Node& node : nodes_)
    sum += node.label == label ? node.total : Resources{};
  return sum;
}

std::set<Label> Scheduler::labels() const {
  std::set<Label> out;
  for (const auto& [label, partition] : partitions_)
    out.insert(label);
  return out;
}

Label Scheduler::home_of(const Label& label) const {
  const auto found = partitions_.find(label);
  return found != partitions_.end() && found->second.present ? label : "";
}

double Scheduler::measure(const Resources& amount, const Label& label) const {
  if (types_ == 1) return static_cast<double>(amount.memory_mb());
  const Resources all = cluster(label);
  double most = 0;
  for (std::size_t i = 0; i < types_; ++i) {
    const double part = static_cast<double>(amount.amount[i]) /
                        static_cast<double>(std::max<std::int64_t>(all.amount[i], 1));
    most = std::max(most, part);
  }
  return most;
}

bool Scheduler::within(const Resources& amount, const Resources& room) const {
  for (std::size_t i = 0; i < types_; ++i) {
    if (amount.amount[i] > room.amount[i]) return false;
  }
  return true;
}

Resources Scheduler::normalize(const Resources& asked, const Resources& most) const {
  Resources out;
  for (std::size_t i = 0; i < types_; ++i) {
    std::int64_t value = std::max(asked.amount[i], limits_.minimum.amount[i]);
    const std::int64_t step = limits_.increment.amount[i];
    if (step > 0) value = (value + step - 1) / step * step;
    out.amount[i] = std::min(value, most.amount[i]);
  }
  if (config_.calculator == queues::Calculator::kMemory) out.amount[kVcores] = 1;
  return out;
}

Node* Scheduler::find_node(const NodeId& id) {
  const auto found = std::ranges::find(nodes_, id, &Node::id);
  return found == nodes_.end() ? nullptr : &*found;
}
const Node* Scheduler::find_node(const NodeId& id) const {
  const auto found = std::ranges::find(nodes_, id, &Node::id);
  return found == nodes_.end() ? nullptr : &*found;
}

App* Scheduler::find(const AppId& id) {
  const auto found = apps_.find(id);
  return found == apps_.end() ? nullptr : &found->second;
}

const Queue* Scheduler::leaf_of(const std::vector<Queue>& queues, const std::string& path) const {
  const auto found =
      std::ranges::find_if(queues, [&](const Queue& queue) { return queue.path() == path; });
  return found == queues.end() ? nullptr : &*found;
}

// --- queues

/// What its applications hold and want of a partition, and how full that makes it.
void Scheduler::count(Queue& queue, const Label& label) const {
  Part& part = queue.parts[label];
  for (const auto& [id, app] : apps_) {
    if (!is_below(app.leaf, queue.path())) continue;
    part.used += app.used_in(label);
    part.pending += app.pending(label);
    if (!app.active || app.am_label != label) continue;
    part.am_used += app.am_charge;
    ++part.active_apps;
  }
  for (std::size_t i = 0; i < types_; ++i) {
    const double used = static_cast<double>(part.used.amount[i]);
    if (used <= 0) continue;
    const bool none = part.guarantee[i] <= 0;  // behind all others once it holds anything
    part.ratio = std::max(part.ratio, none ? 1e12 + used : used / part.guarantee[i]);
  }
}

// Percentages and weights are parts of the parent; amounts stand as written and shrink in
// proportion where together they are more than the parent has.
void Scheduler::divide(Queue& queue, const Label& label) const {
  Part& part = queue.parts[label];
  const Resources all = cluster(label);
  if (queue.parent == nullptr) {
    part.guaranteed = part.maximum = all;
    part.guarantee = times(all, 1);
    part.absolute = part.absolute_max = 1;
    return;
  }
  const Part& parent = queue.parent->parts.at(label);
  bool several = false;  // ways of saying it
  for (const QueueSpec& sibling : queue.parent->spec->children) {
    several = several || capacity_of(sibling, label).mode != capacity_of(*queue.spec, label).mode;
  }
  if (config_.mixed_modes || queue.parent->spec->plan || several) {
    return divide_mixed(queue, label);
  }
  double weights = 0;
  Resources wanted;
  for (const QueueSpec& sibling : queue.parent->spec->children) {
    const queues::Capacity& capacity = capacity_of(sibling, label);
    if (capacity.mode == queues::CapacityMode::kWeight) weights += capacity.value;
    wanted += capacity.absolute;
  }
  const queues::Capacity& own = capacity_of(*queue.spec, label);
  double share = own.value / 100;
  if (own.mode == queues::CapacityMode::kWeight) share = weights > 0 ? own.value / weights : 0;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    part.guarantee[i] = parent.guarantee[i] * share;
    if (own.mode != queues::CapacityMode::kAbsolute) continue;
    const double sum = static_cast<double>(wanted.amount[i]);
    const double fits = sum > 0 ? std::min(1.0, parent.guarantee[i] / sum) : 0;
    part.guarantee[i] = static_cast<double>(own.absolute.amount[i]) * fits;
  }
  part.guaranteed = floored(part.guarantee);
  if (own.mode == queues::CapacityMode::kAbsolute) {
    share = over(part.guaranteed.memory_mb(), parent.guaranteed.memory_mb());
  }
  part.absolute = parent.absolute * share;
  const queues::Capacity& most = maximum_of(*queue.spec, label);
  if (most.mode == queues::CapacityMode::kAbsolute) {
    part.maximum = componentwise_min(most.absolute, parent.maximum);
    part.absolute_max = over(part.maximum.memory_mb(), all.memory_mb());
  } else {
    part.absolute_max = parent.absolute_max * most.value / 100;
    part.maximum = componentwise_min(floored(times(all, part.absolute_max)), parent.maximum);
  }
}

// Of each resource: amounts first, percentages of the rest, weights of what these leave.
void Scheduler::divide_mixed(Queue& queue, const Label& label) const {
  using queues::CapacityMode;
  Part& part = queue.parts[label];
  const Part& parent = queue.parent->parts.at(label);
  const queues::Capacity& most = maximum_of(*queue.spec, label);
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    std::map<CapacityMode, double> sums;
    for (const QueueSpec& sibling : queue.parent->spec->children) {
      const queues::CapacityPart one = capacity_of(sibling, label).part(i);
      sums[one.mode] += one.value;
    }
    const double amounts = sums[CapacityMode::kAbsolute];
    const double percent = sums[CapacityMode::kPercent];
    const double fits = amounts > 0 ? std::min(1.0, parent.guarantee[i] / amounts) : 0;
    const double rest = amounts > 0 ? parent.guarantee[i] - amounts * fits : parent.guarantee[i];
    const queues::CapacityPart own = capacity_of(*queue.spec, label).part(i);
    switch (own.mode) {
      case CapacityMode::kAbsolute: part.guarantee[i] = own.value * fits; break;
      case CapacityMode::kPercent:
        part.guarantee[i] =
            rest * (own.value / (config_.mixed_modes ? std::max(percent, 100.0) : 100.0));
        break;
      default: {
        const double left = percent > 0 ? std::max(rest * (1 - percent / 100), 0.0) : rest;
        const double weights = sums[CapacityMode::kWeight];
        part.guarantee[i] = left * (weights > 0 ? own.value / weights : 0);
      }
    }
    const double above = static_cast<double>(parent.maximum.amount[i]);
    const queues::CapacityPart top = most.part(i);
    const double limit = top.mode == CapacityMode::kAbsolute ? top.value : above * top.value / 100;
    part.maximum.amount[i] = static_cast<std::int64_t>(std::floor(std::min(limit, above) + 1e-6));
  }
  const double all = measure(cluster(label), label);
  part.absolute_max = all > 0 ? measure(part.maximum, label) / all : 0;
  if (most.mode == CapacityMode::kAbsolute) {
    part.maximum = componentwise_min(most.absolute, parent.maximum);
    part.absolute_max = over(part.maximum.memory_mb(), cluster(label).memory_mb());
  } else if (most.mode != CapacityMode::kMixed) {
    part.absolute_max = parent.absolute_max * most.value / 100;
    part.maximum =
        componentwise_min(floored(times(cluster(label), part.absolute_max)), parent.maximum);
  }
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    part.guarantee[i] = std::min(part.guarantee[i], static_cast<double>(part.maximum.amount[i]));
  }
  part.guaranteed = floored(part.guarantee);
  const double of_parent = measure(parent.guaranteed, label);
  part.absolute =
      parent.absolute * (of_parent > 0 ? measure(part.guaranteed, label) / of_parent : 0);
}

void Scheduler::add_queues(const QueueSpec& spec, const Queue* parent,
                           std::vector<Queue>& out) const {
  Queue& queue = out.emplace_back();
  queue.spec = &spec;
  queue.parent = parent;
  for (const Label& label : labels()) {
    divide(queue, label);
    count(queue, label);
  }
  for (const auto& [id, app] : apps_) {
    if (!is_below(app.leaf, queue.path())) continue;
    queue.containers += app.containers;
    queue.pending_containers += app.pending_containers();
    queue.apps += 1;
    queue.active_apps += app.active ? 1 : 0;
    queue.running_apps += app.running ? 1 : 0;
  }
  for (const QueueSpec& child : spec.children)
    add_queues(child, &queue, out);
}

/// The larger guarantee first, then by path.
void Scheduler::rank(std::vector<Queue>& queues, const Label& label) const {
  for (Queue& queue : queues) {
    Part& mine = queue.parts.at(label);
    for (const Queue& other : queues) {
      const double its = other.parts.at(label).absolute;
      const bool before =
          its != mine.absolute ? its > mine.absolute : other.spec->path < queue.spec->path;
      mine.rank += before ? 1 : 0;
    }
  }
}

std::vector<Queue> Scheduler::queues() const {
  std::vector<Queue> out;
  out.reserve(1000);  // parents are pointed to
  add_queues(config_.root, nullptr, out);
  for (const Label& label : labels())
    rank(out, label);
  return out;
}

// --- users

std::set<std::string> Scheduler::users_of(const std::string& leaf) const {
  std::set<std::string> users;
  for (const auto& [id, app] : apps_) {
    if (app.leaf == leaf) users.insert(app.user);
  }
  return users;
}

Resources Scheduler::user_used(const std::string& leaf, const std::string& user,
                               const Label& label) const {
  Resources sum;
  for (const auto& [id, app] : apps_) {
    if (app.leaf == leaf && app.user == user) sum += app.used_in(label);
  }
  return sum;
}

Resources Scheduler::am_limit_of(const Queue& leaf, const Label& label) const {
  const auto own = leaf.spec->labels.find(label);
  const double share = own != leaf.spec->labels.end() && own->second.maximum_am_share
                           ? *own->second.maximum_am_share
                           : leaf.spec->maximum_am_share;
  Resources out = rounded_up(scaled(leaf.parts.at(label).maximum, share), limits_.minimum);
  if (config_.calculator == queues::Calculator::kMemory) {
    out = Resources(out.memory_mb(), out.memory_mb() > 0 ? 1 : 0);
  }
  return out;
}

// Hadoop's user limit: what the active users hold is shared out by weight, with one container more;
// at least the minimum percentage of the queue, or of what it holds once it is above its
// guarantee; at most the guarantee times the factor. Active in a partition is who wants something
// there.
UserLimits Scheduler::limits_of(const Queue& leaf, const std::string& user,
                                const Label& label) const {
  const Part& part = leaf.parts.at(label);
  const auto size = [&](const Resources& amount) { return measure(amount, label); };
  const Resources& step = limits_.minimum;
  std::set<std::string> active;
  for (const auto& [id, app] : apps_) {
    if (app.leaf == leaf.path() && app.active && app.pending_containers(label) > 0) {
      active.insert(app.user);
    }
  }
  Resources held;
  double weights = 0;
  for (const std::string& name : active) {
    held += user_used(leaf.path(), name, label);
    weights += weight_of(leaf, name);
  }
  const Resources guarantee = size(part.guaranteed) < size(step) ? step : part.guaranteed;
  Resources all_held = part.used;
  if (types_ > 1) {
    double shares = 0;
    for (const std::string& name : users_of(leaf.path()))
      shares += size(user_used(leaf.path(), name, label));
    all_held = rounded_up(scaled(cluster(label), shares), step);
  }
  const Resources now = size(all_held) < size(guarantee) ? guarantee : all_held + step;
  const Resources even = scaled(held + step, 1 / (weights > 0 ? weights : 1));
  const Resources least = scaled(now, leaf.spec->minimum_user_limit_percent / 100);
  const double factor = leaf.spec->user_limit_factor;
  const Resources most = factor < 0 ? part.maximum : scaled(guarantee, factor);
  Resources limit = size(even) < size(least) ? least : even;
  if (size(most) < size(limit)) limit = most;
  const double weight = weight_of(leaf, user);

  const auto own = leaf.spec->labels.find(label);
  const double am_share = own != leaf.spec->labels.end() && own->second.maximum_am_share
                              ? *own->second.maximum_am_share
                              : leaf.spec->maximum_am_share;
  const Resources am_limit = am_limit_of(leaf, label);
  const double users = static_cast<double>(std::max<std::size_t>(users_of(leaf.path()).size(), 1));
  const double each = std::max(leaf.spec->minimum_user_limit_percent / 100, 1 / users);
  Resources of_user = am_limit;
  if (factor >= 0) {
    of_user = rounded_up(scaled(part.guaranteed, am_share * each * factor), step);
    if (config_.calculator == queues::Calculator::kMemory) {
      of_user = Resources(of_user.memory_mb(), of_user.memory_mb() > 0 ? 1 : 0);
    }
  }
  if (size(am_limit) < size(of_user)) of_user = am_limit;
  UserLimits out{rounded_up(limit, step), of_user};
  if (weight != 1) out = {scaled(out.limit, weight), scaled(out.am_limit, weight)};
  return out;
}

bool Scheduler::over_limit(const Queue& leaf, const std::string& user, const Label& label) const {
  // The line is that of a user of weight 1: both sides are divided by the weight.
  const Resources used = user_used(leaf.path(), user, label);
  const UserLimits of_one = limits_of(leaf, "\n", label);  // nobody: weight 1
  return measure(used, label) / weight_of(leaf, user) > measure(of_one.limit, label);
}

// --- the share of AMs

bool Scheduler::may_activate(const Queue& leaf, const App& app) const {
  const Label& label = app.am_label;
  const Part& part = leaf.parts.at(label);
  Resources of_user = app.am_charge;
  std::int32_t active = 0;
  for (const auto& [id, other] : apps_) {
    const bool same = other.leaf == leaf.path() && other.user == app.user;
    if (!same || !other.active || other.am_label != label) continue;
    of_user += other.am_charge;
    ++active;
  }
  const UserLimits limits = limits_of(leaf, app.user, label);
  if (active > 0 && measure(of_user, label) > measure(limits.am_limit, label)) return false;
  return part.active_apps == 0 ||
         measure(part.am_used + app.am_charge, label) <= measure(am_limit_of(leaf, label), label);
}

void Scheduler::activate() {
  activate_in(nullptr);
}

/// nullptr: in all of them.
void Scheduler::activate_in(const std::string* only) {
  const bool anybody =
      std::ranges::any_of(apps_, [](const auto& one) { return one.second.waiting; });
  for (bool again = anybody; again;) {
    again = false;
    const std::vector<Queue> all = queues();
    for (const Queue& leaf : all) {
      if (only != nullptr && leaf.path() != *only) continue;
      App* first = nullptr;
      for (auto& [id, app] : apps_) {
        if (!app.waiting || app.leaf != leaf.path()) continue;
        const bool before = first == nullptr || app.priority > first->priority ||
                            (app.priority == first->priority && app.sequence < first->sequence);
        if (before && may_activate(leaf, app)) first = &app;
      }
      if (first == nullptr) continue;
      first->waiting = false;
      first->active = true;
      again = true;
    }
  }
}

// --- max-parallel-apps

bool Scheduler::may_run(const App& app, const std::vector<Queue>& queues) const {
  for (const Queue* at = leaf_of(queues, app.leaf); at != nullptr; at = at->parent) {
    if (at->running_apps >= at->spec->maximum_parallel_apps) return false;
  }
  std::int32_t mine = 0;
  for (const auto& [id, other] : apps_)
    mine += other.running && other.user == app.user ? 1 : 0;
  const auto own = config_.maximum_parallel_apps_of_user.find(app.user);
  return mine < (own != config_.maximum_parallel_apps_of_user.end()
                     ? own->second
                     : config_.maximum_parallel_apps_per_user);
}

/// In order of submission.
void Scheduler::let_run() {
  for (;;) {
    App* first = nullptr;
    const std::vector<Queue> all = queues();
    for (auto& [id, app] : apps_) {
      if (!app.held || !may_run(app, all)) continue;
      if (first == nullptr || app.sequence < first->sequence) first = &app;
    }
    if (first == nullptr) return;
    const std::optional<AmAsk> am = *first->held;
    first->held.reset();
    if (am) {
      ask_for_am(*first, *am);
    } else {
      first->running = first->active = true;
      activate();
    }
  }
}

}  // namespace heddle::naive
