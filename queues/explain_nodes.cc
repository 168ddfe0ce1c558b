// Which nodes would do for a container, and why the others do not.
#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "queues/explainer.h"

namespace heddle::queues {
namespace {

std::string having(std::int64_t nodes) {
  return nodes == 1 ? std::string("a node has") : fmt::format("{} nodes have", nodes);
}

}  // namespace

std::string_view code_of(NodeVerdict verdict) {
  switch (verdict) {
    case NodeVerdict::kFits: return "fits";
    case NodeVerdict::kNoRoom: return "no-room";
    case NodeVerdict::kKept: return "kept-for-other";
    case NodeVerdict::kKeptForThis: return "kept-for-this";
    case NodeVerdict::kLabelBusy: return "label-busy";
    case NodeVerdict::kTooSmall: return "too-small";
    case NodeVerdict::kOtherLabel: return "other-label";
    case NodeVerdict::kBlacklisted: return "blacklisted";
    case NodeVerdict::kConstraint: return "placement-constraint";
    case NodeVerdict::kNotUsable: return "not-usable";
    case NodeVerdict::kNotAmongAsked: return "not-among-asked";
  }
  return "";
}

std::int64_t Scheduler::Impl::Explainer::NodeLook::count(NodeVerdict verdict) const {
  std::int64_t sum = 0;
  for (const NodeGroup& group : groups)
    sum += group.verdict == verdict ? group.count : 0;
  return sum;
}

std::uint32_t Scheduler::Impl::Explainer::short_types(const Resources& size,
                                                      const Resources& room) const {
  std::uint32_t types = 0;
  for (std::size_t i = 0; i < impl_.types_; ++i) {
    if (size.amount[i] > room.amount[i]) types |= std::uint32_t{1} << i;
  }
  return types;
}

double Scheduler::Impl::Explainer::lack_share(const Resources& need, const Resources& room) const {
  double most = 0;
  for (std::size_t i = 0; i < impl_.types_; ++i) {
    const std::int64_t less = need.amount[i] - room.amount[i];
    if (less > 0) {
      most = std::max(most, static_cast<double>(less) / static_cast<double>(need.amount[i]));
    }
  }
  return most;
}

/// What find_spot() asks, one question after the other. `taken`: by a container that comes before.
NodeVerdict Scheduler::Impl::Explainer::judge(NodeIndex::Slot slot, const AskGroup& group,
                                              PartitionId partition, const Resources& size,
                                              const Resources& taken) const {
  const NodeIndex::Node& node = impl_.nodes_.at(slot);
  if (!wants(group, node)) return NodeVerdict::kNotAmongAsked;
  if (!impl_.serves(node.partition, partition)) return NodeVerdict::kOtherLabel;
  if (!node.usable) return NodeVerdict::kNotUsable;
  if (impl_.blacklisted(*group.app, node)) return NodeVerdict::kBlacklisted;
  if (!impl_.satisfied(group, slot)) return NodeVerdict::kConstraint;
  if (!impl_.within(size, node.total)) return NodeVerdict::kTooSmall;
  const Resources free = node.free() - taken;
  if (impl_.within(size, free)) {
    return impl_.may_serve(node.partition, partition) ? NodeVerdict::kFits
                                                      : NodeVerdict::kLabelBusy;
  }
  for (const ClaimId claim : group.claims) {
    if (impl_.claims_.at(claim).node == slot) return NodeVerdict::kKeptForThis;
  }
  return impl_.within(size, free + impl_.claimed_on(slot)) ? NodeVerdict::kKept
                                                           : NodeVerdict::kNoRoom;
}

Scheduler::Impl::Explainer::NodeLook Scheduler::Impl::Explainer::look(const AskGroup& group,
                                                                      PartitionId partition,
                                                                      const Resources& size,
                                                                      const Before& before) const {
  NodeLook out;
  const auto& nodes = impl_.nodes_.all();
  for (NodeIndex::Slot slot = 0; slot < nodes.size(); ++slot) {
    if (!nodes[slot].present) continue;
    const Resources taken = slot == before.slot ? before.size : Resources{};
    const NodeVerdict verdict = judge(slot, group, partition, size, taken);
    take_node(slot, verdict, size, nodes[slot].free() - taken, out);
  }
  std::ranges::sort(out.groups, [](const NodeGroup& a, const NodeGroup& b) {
    return a.verdict != b.verdict ? a.verdict < b.verdict : a.short_of < b.short_of;
  });
  return out;
}

void Scheduler::Impl::Explainer::take_node(NodeIndex::Slot slot, NodeVerdict verdict,
                                           const Resources& size, const Resources& free,
                                           NodeLook& out) const {
  const NodeIndex::Node& node = impl_.nodes_.at(slot);
  std::uint32_t missing = 0;
  const auto keep_nearest = [&](std::optional<Resources>& best, const Resources& room) {
    if (!best || lack_share(size, room) < lack_share(size, *best)) best = room;
  };
  if (verdict == NodeVerdict::kFits) {
    std::int64_t most = std::numeric_limits<std::int32_t>::max();
    for (std::size_t i = 0; i < impl_.types_; ++i) {
      if (size.amount[i] > 0) most = std::min(most, free.amount[i] / size.amount[i]);
    }
    out.room_for += most;
  } else if (verdict == NodeVerdict::kTooSmall) {
    missing = short_types(size, node.total);
    keep_nearest(out.most_large, node.total);
  } else if (verdict == NodeVerdict::kNoRoom || verdict == NodeVerdict::kKept) {
    missing = short_types(size, free);
    out.free += componentwise_max(free, Resources{});
    keep_nearest(out.most_free, free);
  } else if (verdict == NodeVerdict::kBlacklisted) {
    out.blacklisted_room += impl_.within(size, free) ? 1 : 0;
  } else if (verdict == NodeVerdict::kConstraint) {
    out.constrained_room += impl_.within(size, free) ? 1 : 0;
  }
  auto group = std::ranges::find_if(out.groups, [&](const NodeGroup& one) {
    return one.verdict == verdict && one.short_of == missing;
  });
  if (group == out.groups.end()) {
    group = out.groups.insert(out.groups.end(), NodeGroup{verdict, missing, 0, {}});
  }
  ++group->count;
  if (options_.node ? node.id == *options_.node : group->examples.size() < options_.examples_max) {
    group->examples.push_back({node.id, node.total, free});
  }
}

bool Scheduler::Impl::Explainer::may_look() {
  const bool first = looks_ == 0;
  looks_ += std::max<std::size_t>(impl_.nodes_.all().size(), 1);
  return first || looks_ <= options_.looks_max;
}

ExplainedAsk Scheduler::Impl::Explainer::explained(const AskGroup& group) {
  const PartitionId partition = impl_.caps_.partition(group.cap);
  ExplainedAsk out;
  out.priority = group.is_am ? 0 : group.priority;
  out.request_id = group.shown_id();
  out.is_am = group.is_am;
  out.size = impl_.caps_.size(group.cap);
  out.count = group.total;
  out.label = impl_.partitions_[partition].name;
  out.nodes_left_out = !may_look();
  NodeLook nodes;
  if (!out.nodes_left_out) nodes = look(group, partition, out.size, Before{});
  if (!group.app->active) {
    out.wait = start_wait(*group.app);
  } else if (out.nodes_left_out) {
    out.wait = wait_of(group);
  } else if (auto limit = limit_wait(wanted_by(group))) {
    out.wait = *std::move(limit);
  } else if (!group.claims.empty()) {
    out.wait = claim_wait(group);
  } else {
    out.wait = node_wait(group, partition, out.size, nodes);
  }
  out.nodes = std::move(nodes.groups);
  return out;
}

Wait Scheduler::Impl::Explainer::node_wait(const AskGroup& group, PartitionId partition,
                                           const Resources& size, const NodeLook& nodes) const {
  Wait wait;
  if (nodes.count(NodeVerdict::kFits) > 0) {
    wait.verdict = Verdict::kWaitsTurn;
    wait.sentence = fmt::format("{} room for {}; it waits for its turn",
                                having(nodes.count(NodeVerdict::kFits)), amount(size));
    wait.action = "wait: those before it are served first";
    return wait;
  }
  if (const auto busy = nodes.count(NodeVerdict::kLabelBusy); busy > 0) {
    wait.verdict = Verdict::kLabelBusy;
    wait.sentence =
        fmt::format("{} room for {}, and requests for their shared node labels come first",
                    having(busy), amount(size));
    wait.action = "wait until these are served, or ask for the label";
    return wait;
  }
  if (nodes.blacklisted_room > 0) {
    wait.verdict = Verdict::kBlacklisted;
    wait.scope = "application";
    wait.sentence = fmt::format(
        "{} nodes have room for {}, and the application has blacklisted "
        "them",
        nodes.blacklisted_room, amount(size));
    wait.action = "wait for room elsewhere; its ApplicationMaster may take nodes off its blacklist";
    return wait;
  }
  if (nodes.constrained_room > 0) return constraint_wait(group, size, nodes);
  if (const auto kept = nodes.count(NodeVerdict::kKept); kept > 0) {
    wait.verdict = Verdict::kRoomKeptForOther;
    wait.sentence = fmt::format(
        "no node has room for {}: on {} that would do, room is kept for "
        "larger containers of others",
        amount(size), kept);
    if (nodes.most_free) wait.missing = lack(size, *nodes.most_free);
    wait.action = "wait: this room goes to those who have waited longer";
    return wait;
  }
  if (nodes.count(NodeVerdict::kNoRoom) > 0) return no_room_wait(group, partition, size, nodes);
  if (nodes.count(NodeVerdict::kTooSmall) > 0) return too_small_wait(partition, size, nodes);
  return no_node_wait(group, partition, nodes);
}

Wait Scheduler::Impl::Explainer::no_room_wait(const AskGroup& group, PartitionId partition,
                                              const Resources& size, const NodeLook& nodes) const {
  const std::int64_t full =
      nodes.count(NodeVerdict::kNoRoom) + nodes.count(NodeVerdict::kKeptForThis);
  Wait wait;
  wait.missing = lack(size, nodes.most_free.value_or(Resources{}));
  const bool choosy = !group.relax || nodes.count(NodeVerdict::kBlacklisted) > 0 ||
                      nodes.count(NodeVerdict::kConstraint) > 0;
  const std::string where =
      choosy ? std::string("no node that the application accepts") : std::string("no node");
  wait.sentence = fmt::format("{} has room for {}{}: ", where, amount(size), place_text(partition));
  if (impl_.within(size, nodes.free) && full > 1) {
    wait.verdict = group.relax ? Verdict::kFragmented : Verdict::kPlacesFull;
    wait.sentence += fmt::format("{} are free, in pieces on {} nodes, {} at most on one",
                                 amount(nodes.free), full, amount(*nodes.most_free));
    wait.action = "ask for smaller containers, or wait until one of these nodes has room";
    return wait;
  }
  wait.verdict = group.relax ? Verdict::kClusterFull : Verdict::kPlacesFull;
  wait.sentence += fmt::format("{} nodes are full, {} at most is free on one", full,
                               amount(nodes.most_free.value_or(Resources{})));
  wait.action = group.relax ? "wait until containers end, or add nodes"
                            : "wait until containers there end, or let relaxLocality be true";
  return wait;
}

Wait Scheduler::Impl::Explainer::constraint_wait(const AskGroup& group, const Resources& size,
                                                 const NodeLook& nodes) const {
  const std::string text = shortened(to_text(*group.tagged->all), 200);
  Wait wait;
  wait.verdict = Verdict::kConstraint;
  wait.scope = "application";
  wait.sentence =
      nodes.constrained_room > 0
          ? fmt::format("{} room for {}, and the placement constraint {} holds on none of them",
                        having(nodes.constrained_room), amount(size), text)
          : fmt::format("the placement constraint {} holds on none of the nodes that it could use",
                        text);
  wait.action =
      "wait until containers with these tags start or end, or node attributes change; its "
      "ApplicationMaster may ask with another constraint";
  return wait;
}

Wait Scheduler::Impl::Explainer::wait_of(const AskGroup& group) const {
  if (auto wait = limit_wait(wanted_by(group))) return *std::move(wait);
  if (!group.claims.empty()) return claim_wait(group);
  const bool constrained = group.parked && group.tagged && group.tagged->all;
  if (!constrained || impl_.caps_.roomless(group.cap)) return shallow_wait(group);
  return constraint_wait(group, impl_.caps_.size(group.cap), NodeLook{});
}

Wait Scheduler::Impl::Explainer::too_small_wait(PartitionId partition, const Resources& size,
                                                const NodeLook& nodes) const {
  Wait wait;
  wait.verdict = Verdict::kLargerThanNodes;
  wait.missing = lack(size, *nodes.most_large);
  wait.sentence = fmt::format("no node{} is large enough for {}, even empty: the nearest has {}",
                              place_text(partition), amount(size), amount(*nodes.most_large));
  wait.action = "ask for smaller containers, or add a larger node";
  return wait;
}

Wait Scheduler::Impl::Explainer::no_node_wait(const AskGroup& group, PartitionId partition,
                                              const NodeLook& nodes) const {
  Wait wait;
  if (impl_.nodes_.count() == 0) {
    wait.verdict = Verdict::kNoNodes;
    wait.sentence = "the cluster has no nodes";
    wait.action = "start a NodeManager; `heddle node list --all` shows those that were there";
    return wait;
  }
  if (const auto shunned = nodes.count(NodeVerdict::kBlacklisted); shunned > 0) {
    wait.verdict = Verdict::kBlacklisted;
    wait.scope = "application";
    wait.sentence =
        fmt::format("the application has blacklisted all {} nodes that it could use", shunned);
    wait.action = "its ApplicationMaster may take nodes off its blacklist";
    return wait;
  }
  if (nodes.count(NodeVerdict::kConstraint) > 0) {
    return constraint_wait(group, impl_.caps_.size(group.cap), nodes);
  }
  if (const auto unusable = nodes.count(NodeVerdict::kNotUsable); unusable > 0) {
    wait.verdict = Verdict::kNoUsableNode;
    wait.sentence = fmt::format("all {} nodes{} that it could use are unhealthy or draining",
                                unusable, place_text(partition));
    wait.action = "mend them: `heddle node list --all` shows why";
    return wait;
  }
  if (const auto other = nodes.count(NodeVerdict::kOtherLabel); other > 0) {
    wait.verdict = Verdict::kNoNodeOfLabel;
    wait.scope = impl_.partitions_[partition].name;
    wait.sentence =
        partition == kDefaultPartition
            ? fmt::format("all {} nodes that it could use have a node label, and it asks for none",
                          other)
            : fmt::format("none of the {} nodes that it could use has the node label {}", other,
                          wait.scope);
    wait.action = "ask for another label, or label nodes: `yarn rmadmin -replaceLabelsOnNode`";
    return wait;
  }
  std::vector<std::string> names;
  for (const auto& [host, row] : group.hosts)
    names.push_back(shortened(host));
  for (const auto& [rack, row] : group.racks) {
    if (row.relax) names.push_back(shortened(rack));
  }
  wait.verdict = Verdict::kNoSuchPlace;
  wait.scope = names.empty() ? "" : names.front();
  const std::size_t all = names.size();
  if (all > 3) names.resize(3);
  wait.sentence = fmt::format("no such node: {}{}; will wait for it, since relaxLocality is false",
                              join(names, ", "), all > 3 ? ", ..." : "");
  wait.action = "let relaxLocality be true, or start a NodeManager there";
  return wait;
}

}  // namespace heddle::queues
