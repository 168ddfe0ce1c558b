// Tags and constraints, and containers that are there and change.
#include <algorithm>
#include <cstdint>

#include "tests/sim/naive_scheduler.h"

namespace heddle::naive {

/// Containers with the tag on the node, or in its rack, whose owners count.
std::int64_t Scheduler::tags_near(const queues::Constraint& part, const std::string& tag,
                                  const App& app, const Node& node) const {
  using queues::TagOwners;
  std::int64_t count = 0;
  for (const auto& [id, hold] : holds_) {
    if (!hold.node || std::ranges::count(hold.tags, tag) == 0) continue;
    const bool near = part.scope == queues::Constraint::Scope::kNode
                          ? *hold.node == node.id
                          : find_node(*hold.node)->rack == node.rack;
    bool counts = part.owners == TagOwners::kAll;
    if (part.owners == TagOwners::kSelf) counts = hold.app == app.id;
    if (part.owners == TagOwners::kNotSelf) counts = !(hold.app == app.id);
    if (part.owners == TagOwners::kApp) counts = hold.app == part.app;
    if (part.owners == TagOwners::kAppTag) counts = hold.app_tag == part.app_tag;
    count += near && counts ? 1 : 0;
  }
  return count;
}

bool Scheduler::holds(const queues::Constraint& part, const App& app, const Node& node,
                      std::int64_t waited_ms) const {
  using Kind = queues::Constraint::Kind;
  std::int64_t from_ms = 0;
  bool all = true;
  bool any = false;
  for (std::size_t i = 0; i < part.parts.size(); ++i) {
    const bool one = holds(part.parts[i], app, node, waited_ms);
    all = all && one;
    any = any || (one && waited_ms >= from_ms);
    if (!part.delays.empty()) from_ms += part.delays[i].amount;
  }
  if (part.kind == Kind::kAnd) return all;
  if (part.kind == Kind::kOr || part.kind == Kind::kDelayedOr) return any;
  if (part.kind == Kind::kPartition) return part.values[0] == node.label;
  if (part.kind == Kind::kAttribute) {
    const auto found = node.attributes.find(part.key);
    const bool same =
        found != node.attributes.end() && std::ranges::count(part.values, found->second) > 0;
    return same == part.equal;
  }
  std::int64_t most = 0;
  std::int64_t least = INT64_MAX;
  for (const std::string& tag : part.values) {
    const std::int64_t there = tags_near(part, tag, app, node);
    most = std::max(most, there);
    least = std::min(least, there);
  }
  return most >= part.minimum && least <= part.maximum;
}

bool Scheduler::suits(const Node& node, const App& app, const Group& group) const {
  if (!node.usable || app.blacklist.contains(node.id.host) || app.blacklist.contains(node.rack)) {
    return false;
  }
  if (group.ticket != 0) return node.id == group.only_on && node.label == group.label;
  const auto rack = group.racks.find(node.rack);
  const bool wanted = group.relax || group.hosts.contains(node.id.host) ||
                      (rack != group.racks.end() && rack->second.relax);
  return wanted &&
         (!group.constraint || holds(*group.constraint, app, node, now_ms_ - group.waits_since_ms));
}

void Scheduler::set_attributes(const NodeId& id, const queues::NodeAttributes& attributes) {
  if (Node* node = find_node(id)) node->attributes = attributes;
}

std::optional<ErrorCode> Scheduler::update_tagged(const AppId& id, const queues::TaggedAsk& ask) {
  App& app = apps_.at(id);
  const std::vector<Queue> all = queues();
  const QueueSpec& leaf = *leaf_of(all, app.leaf)->spec;
  auto at = std::ranges::find_if(app.groups, [&](const Group& group) {
    return group.tagged && group.priority == ask.priority && group.request_id == ask.request_id;
  });
  const Resources size = normalize(ask.capability, leaf.maximum_allocation);
  if (at != app.groups.end() && !(at->size == size)) return ErrorCode::kInvalidArgument;
  if (ask.num_allocations == 0) {
    if (at != app.groups.end()) app.groups.erase(at);
    return std::nullopt;
  }
  if (at == app.groups.end()) {
    Group group;
    group.priority = ask.priority;
    group.request_id = ask.request_id;
    group.sized = group.tagged = true;
    group.serial = next_serial_++;
    group.label = home_of(leaf.default_label);
    group.size = size;
    group.tags = ask.tags;
    group.constraint = ask.constraint;
    app.groups.push_back(std::move(group));
    at = std::prev(app.groups.end());
  }
  if (ask.num_allocations > at->total) at->waits_since_ms = now_ms_;
  at->total = ask.num_allocations;
  return std::nullopt;
}

void Scheduler::ask_growth(const AppId& id, const queues::Growth& growth) {
  App& app = apps_.at(id);
  if (growth.hold != 0) {
    std::erase_if(app.groups,
                  [&](const Group& one) { return one.ticket != 0 && one.hold == growth.hold; });
  }
  Group group;
  group.priority = growth.priority;
  group.sized = true;
  group.ticket = growth.ticket;
  group.hold = growth.hold;
  group.bare = growth.bare;
  group.only_on = growth.node;
  group.hosts[growth.node.host] = {1, false};
  group.relax = false;
  group.total = 1;
  group.label = find_node(growth.node)->label;
  group.size = growth.more;
  app.groups.push_back(std::move(group));
}

void Scheduler::cancel_growth(std::uint64_t ticket) {
  for (auto& [id, app] : apps_)
    std::erase_if(app.groups, [&](const Group& one) { return one.ticket == ticket; });
}

void Scheduler::demote(HoldId id, HoldId bare) {
  Hold left = holds_.at(id);
  left.size = {};
  left.marked = left.is_am = false;
  left.bare = true;
  if (bare != 0) holds_.emplace(bare, left);
  release(id);
}

}  // namespace heddle::naive
