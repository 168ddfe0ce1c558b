// Whose turn it is, and whether a grant is one that the rules allow.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "tests/sim/naive_scheduler.h"

namespace heddle::naive {
namespace {

constexpr double kClose = 1e-9;  // ratios this close count as equal

/// By memory held, or that over the binary logarithm of held and wanted.
double fair_share(const App& app, const QueueSpec& leaf) {
  const double held = static_cast<double>(app.all_used().memory_mb());
  if (!leaf.fair_by_size) return held;
  const double wanted = static_cast<double>(app.all_pending().memory_mb());
  return held / std::max(std::log2(1 + held + wanted), 1.0);
}

/// Of one priority: containers that are there, those with tags as they came, then by request id.
auto order_of(const Group& group) {
  return std::tuple(group.priority, group.ticket == 0, group.ticket, !group.tagged,
                    group.tagged ? group.serial : group.request_id);
}

}  // namespace

bool Scheduler::comes_before(const App& a, const App& b, const QueueSpec& leaf) {
  if (leaf.app_order == queues::AppOrder::kFair) {
    const double mine = fair_share(a, leaf);
    const double other = fair_share(b, leaf);
    if (mine != other) return mine < other;
  } else if (a.priority != b.priority) {
    return a.priority > b.priority;
  }
  return a.sequence < b.sequence;
}

// --- where

bool Scheduler::takes(const Node& node, const App& app, const Resources& size) const {
  return node.usable && within(size, node.total - node.used - node.reserved) &&
         !app.blacklist.contains(node.id.host) && !app.blacklist.contains(node.rack);
}

bool Scheduler::legal(const Node& node, const App& app, const Group& group, Locality locality,
                      const std::set<Label>& in) const {
  if (!in.contains(node.label) || !takes(node, app, group.size)) return false;
  if (!suits(node, app, group)) return false;
  switch (locality) {
    case Locality::kNodeLocal: return group.hosts.contains(node.id.host);
    case Locality::kRackLocal: {
      const auto rack = group.racks.find(node.rack);
      return rack != group.racks.end() && rack->second.relax;
    }
    case Locality::kOffSwitch: break;
  }
  return group.relax;
}

std::optional<Locality> Scheduler::best_place(const App& app, const Group& group,
                                              const std::set<Label>& in) const {
  for (const Locality locality :
       {Locality::kNodeLocal, Locality::kRackLocal, Locality::kOffSwitch}) {
    for (const Node& node : nodes_) {
      if (legal(node, app, group, locality, in)) return locality;
    }
  }
  return std::nullopt;
}

// A maximum of the whole partition is no limit: there the nodes decide.
bool Scheduler::has_room(const Queue& queue, const Label& label, const Resources& size) const {
  const Part& part = queue.parts.at(label);
  const auto kept = kept_.find({queue.path(), label});
  const Resources held = kept == kept_.end() ? part.used : part.used + kept->second;
  return within(held + size, part.maximum) || within(cluster(label), part.maximum);
}

bool Scheduler::limits_allow(const Queue& leaf, const App& app, const Group& group) const {
  if (!app.active || !group.sized || group.total <= 0) return false;
  for (const Queue* at = &leaf; at != nullptr; at = at->parent) {
    if (!has_room(*at, group.label, group.size)) return false;
  }
  return !over_limit(leaf, app.user, group.label);
}

/// Partitions whose own asks could be served now: they lend nothing. `perhaps`: or whose asks may
/// only not have been looked at yet.
std::set<Label> Scheduler::busy(const std::vector<Queue>& queues, bool perhaps) const {
  std::set<Label> out;
  for (const auto& [id, app] : apps_) {
    const Queue& leaf = *leaf_of(queues, app.leaf);
    for (const Group& group : app.groups) {
      if (group.label.empty() || out.contains(group.label)) continue;
      if (!limits_allow(leaf, app, group)) continue;
      if (perhaps || best_place(app, group, {group.label})) {
        out.insert(group.label);
      }
    }
  }
  return out;
}

std::set<Label> Scheduler::reach(const Group& group, const std::set<Label>& busy) const {
  std::set<Label> out{group.label};
  for (const auto& [label, partition] : partitions_) {
    const bool lends = group.label.empty() && !partition.exclusive && !busy.contains(label);
    if (lends) out.insert(label);
  }
  return out;
}

// --- who

std::vector<Scheduler::Choice> Scheduler::servable(const std::vector<Queue>& queues) const {
  const std::set<Label> lend_nothing = busy(queues);
  std::vector<Choice> out;
  for (const auto& [id, app] : apps_) {
    const Queue& leaf = *leaf_of(queues, app.leaf);
    for (const Group& group : app.groups) {
      if (!limits_allow(leaf, app, group)) continue;
      if (!best_place(app, group, reach(group, lend_nothing))) continue;
      const bool at_home = best_place(app, group, {group.label}).has_value();
      out.push_back({&app, &group, &leaf, !at_home});
    }
  }
  return out;
}

/// Of a leaf: the first application, and of that its first group of asks.
std::vector<Scheduler::Choice> Scheduler::first_in(const Queue& leaf,
                                                   std::vector<Choice> among) const {
  const auto first = std::ranges::min_element(among, [&](const Choice& a, const Choice& b) {
    if (a.app != b.app) return comes_before(*a.app, *b.app, *leaf.spec);
    return order_of(*a.group) < order_of(*b.group);
  });
  return {*first};
}

/// Whether `a` may be served although `b` wants something, too. By what is used of the guarantee,
/// then the larger guarantee, then the path; by priority first where the parent says so, and then
/// those below their guarantee before the others. Arithmetic may leave open which comes first.
bool Scheduler::may_go_first(const Queue& a, const Queue& b, const Label& label) {
  const Part& mine = a.parts.at(label);
  const Part& other = b.parts.at(label);
  if (a.parent->spec->children_by_priority) {
    const bool above = mine.ratio >= 1;
    const bool other_above = other.ratio >= 1;
    if (above != other_above) return !above;
    if (a.spec->priority != b.spec->priority) return a.spec->priority > b.spec->priority;
  }
  const double apart = std::abs(mine.ratio - other.ratio);
  if (apart > kClose * std::max(1.0, mine.ratio)) return mine.ratio < other.ratio;
  const bool cannot_tell = apart > 0 || (mine.absolute != other.absolute &&
                                         std::abs(mine.absolute - other.absolute) < kClose);
  return cannot_tell || mine.rank < other.rank;
}

std::vector<Scheduler::Choice> Scheduler::next_below(const std::vector<Queue>& queues,
                                                     const Queue& at, const Label& label,
                                                     std::vector<Choice> among) const {
  if (among.empty()) return {};
  if (at.spec->is_leaf()) return first_in(at, std::move(among));
  std::vector<std::pair<const Queue*, std::vector<Choice>>> children;
  for (const Queue& queue : queues) {
    if (queue.parent != &at) continue;
    std::vector<Choice> below = among;
    std::erase_if(
        below, [&](const Choice& choice) { return !is_below(choice.leaf->path(), queue.path()); });
    if (!below.empty()) children.emplace_back(&queue, std::move(below));
  }
  std::vector<Choice> out;
  for (const auto& child : children) {
    const bool allowed = std::ranges::all_of(children, [&](const auto& other) {
      return other.first == child.first || may_go_first(*child.first, *other.first, label);
    });
    if (!allowed) continue;
    for (const Choice& choice : next_below(queues, *child.first, label, child.second))
      out.push_back(choice);
  }
  return out;
}

/// A decision is about one partition; which of them comes first is open.
std::vector<Scheduler::Choice> Scheduler::next(const std::vector<Queue>& queues,
                                               const std::vector<Choice>& among) const {
  std::vector<Choice> out;
  for (const Label& label : labels()) {
    std::vector<Choice> of_it = among;
    std::erase_if(of_it, [&](const Choice& choice) { return choice.group->label != label; });
    for (const Choice& choice : next_below(queues, queues.front(), label, std::move(of_it)))
      out.push_back(choice);
  }
  return out;
}

// --- grants

void Scheduler::take_told(const Told& told) {
  for (Node& node : nodes_) {
    const auto found = told.on_node.find(node.id);
    node.reserved = found == told.on_node.end() ? Resources{} : found->second;
  }
  kept_ = told.in_queue;
}

std::string Scheduler::left_over(const Told& told) {
  take_told(told);
  const std::vector<Queue> all = queues();
  const auto could = next(all, servable(all));
  if (could.empty()) return "";
  return fmt::format("{} could have {} (priority {})", to_string(could[0].app->id),
                     to_string(could[0].group->size), could[0].group->priority);
}

const Group* Scheduler::group_of(const Grant& grant) const {
  const auto app = apps_.find(grant.attempt.app);
  if (app == apps_.end()) return nullptr;
  for (const Group& group : app->second.groups) {
    const bool plain = group.is_plain() && grant.ticket == 0 && !grant.tags;
    const bool tagged = group.tagged && grant.tags && *grant.tags == group.tags;
    const bool named = !group.is_am && group.priority == grant.priority &&
                       group.request_id == grant.allocation_request_id;
    const bool same = grant.ticket != 0 ? group.ticket == grant.ticket
                      : grant.is_am     ? group.is_am
                                        : named && (plain || tagged);
    if (same && group.sized && group.total > 0) return &group;
  }
  return nullptr;
}

/// Empty: it is their turn, and the node is a right one. Asks that only a shared partition could
/// serve wait until there is nothing else to decide, so others may go before them.
std::string Scheduler::refuse(const Grant& grant) const {
  const Group* group = group_of(grant);
  if (group == nullptr) return to_string(grant.attempt) + " is served without asking";
  const std::vector<Queue> all = queues();
  const std::vector<Choice> every = servable(all);
  const auto is_it = [&](const Choice& choice) { return choice.group == group; };
  bool its_turn = false;
  for (const Hidden hidden : {Hidden::kNothing, Hidden::kOtherSizes, Hidden::kAllOthers}) {
    std::vector<Choice> among = every;
    std::erase_if(among, [&](const Choice& choice) {
      if (!choice.only_shared || is_it(choice) || hidden == Hidden::kNothing) return false;
      return hidden == Hidden::kAllOthers || !(choice.group->size == group->size);
    });
    its_turn = its_turn || std::ranges::any_of(next(all, among), is_it);
  }
  if (!its_turn) {
    const auto could = next(all, every);
    if (could.empty()) return to_string(grant.attempt) + " is served though nothing may be given";
    return fmt::format("{} (priority {}) is served; the next is {} (priority {}){}",
                       to_string(grant.attempt), grant.priority, to_string(could[0].app->id),
                       could[0].group->priority, could.size() > 1 ? " or an equal one" : "");
  }
  if (!(group->size == grant.resources)) return to_string(grant.attempt) + ": another size";
  const App& app = apps_.at(grant.attempt.app);
  const Node* node = find_node(grant.node);
  const std::set<Label> in = reach(*group, busy(all));
  if (node == nullptr || !legal(*node, app, *group, grant.locality, in)) {
    return fmt::format("{}: node {} may not be taken", to_string(grant.attempt),
                       to_string(grant.node));
  }
  const auto at_home = best_place(app, *group, {group->label});
  const auto from_idle = best_place(app, *group, reach(*group, busy(all, true)));
  if (best_place(app, *group, in) != grant.locality && at_home != grant.locality &&
      from_idle != grant.locality) {
    return fmt::format("{}: there is a nearer node than {} for {} of priority {}{}",
                       to_string(grant.attempt), to_string(grant.node), to_string(grant.resources),
                       grant.priority, grant.tags ? " with tags" : "");
  }
  if (grant.locality == Locality::kOffSwitch && node->label != group->label && at_home) {
    return fmt::format("{}: node {} is lent though there is one of its own",
                       to_string(grant.attempt), to_string(grant.node));
  }
  return "";
}

/// Empty: the room was kept for it.
std::string Scheduler::refuse_claimed(const Grant& grant, const Told& before) const {
  const Group* group = group_of(grant);
  const Node* node = find_node(grant.node);
  const auto on_node = before.on_node.find(grant.node);
  const auto for_app = before.for_app.find(grant.attempt.app);
  const bool kept = on_node != before.on_node.end() && for_app != before.for_app.end() &&
                    within(grant.resources, on_node->second) &&
                    within(grant.resources, for_app->second);
  if (group == nullptr || node == nullptr || !kept) return "no room was kept for it";
  const App& app = apps_.at(grant.attempt.app);
  const std::vector<Queue> all = queues();
  if (!(group->size == grant.resources)) return "another size than was kept";
  // What is kept below the limits may be kept for this one.
  Scheduler without(*this);
  without.kept_.clear();
  if (!without.limits_allow(*leaf_of(all, app.leaf), app, *group)) return "kept beyond a limit";
  if (node->label != group->label) return "kept on a wrong node";
  return suits(*node, app, *group) ? "" : "kept where it does not want to be";
}

void Scheduler::carry_out(const Grant& grant) {
  App& app = apps_.at(grant.attempt.app);
  Group& group = const_cast<Group&>(*group_of(grant));
  Node* node = find_node(grant.node);
  const auto grown = grant.ticket != 0 ? holds_.find(group.hold) : holds_.end();
  seen_.grown += grant.ticket != 0 ? 1 : 0;
  seen_.constrained += group.constraint ? 1 : 0;
  const std::vector<Queue> all = queues();
  const queues::Origin origin = leaf_of(all, app.leaf)->spec->origin;
  seen_.reserved += origin == queues::Origin::kReserved ? 1 : 0;
  seen_.made += origin == queues::Origin::kFlexible || origin == queues::Origin::kManaged ? 1 : 0;
  const bool is_there = grown != holds_.end();
  Hold hold{app.id, false, node->id, node->label, grant.resources, grant.is_am, false, now_ms_};
  if (is_there) {
    grown->second.size += grant.resources;
  } else {
    const auto bare = holds_.find(group.bare);
    hold.tags = bare != holds_.end() ? bare->second.tags : group.tags;
    hold.app_tag = app.tag;
    if (bare != holds_.end()) holds_.erase(bare);
    holds_.emplace(grant.hold, hold);
  }
  charge(hold, grant.resources, is_there ? 0 : 1);
  seen_.lent += hold.label == group.label ? 0 : 1;
  const auto count_down = [](std::map<std::string, Group::Row>& rows, const std::string& name) {
    const auto row = rows.find(name);
    if (row != rows.end() && --row->second.count <= 0) rows.erase(row);
  };
  if (grant.locality == Locality::kNodeLocal) count_down(group.hosts, node->id.host);
  if (grant.locality != Locality::kOffSwitch) count_down(group.racks, node->rack);
  group.waits_since_ms = now_ms_;
  if (--group.total == 0) {
    std::erase_if(app.groups, [&](const Group& one) { return &one == &group; });
  }
  activate();
}

std::string Scheduler::take(const Grant& grant, const Told& before, const Told& after) {
  if (grant.ticket == 0 && holds_.contains(grant.hold)) {
    return to_string(grant.attempt) + ": a hold is given twice";
  }
  // Room that was kept may have become free on the way, or because of the grant.
  std::string fault = refuse_claimed(grant, before);
  seen_.kept += fault.empty() ? 1 : 0;
  for (const Told* told : {&before, &after}) {
    if (fault.empty()) break;
    take_told(*told);
    fault = refuse(grant);
  }
  if (!fault.empty()) return fault;
  carry_out(grant);
  take_told(after);
  return "";
}

}  // namespace heddle::naive
