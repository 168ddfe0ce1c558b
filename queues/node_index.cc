#include "queues/node_index.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace heddle::queues {
namespace {
constexpr std::int64_t kShut = std::numeric_limits<std::int64_t>::min();
}

void FitTree::resize(std::size_t positions) {
  if (positions <= positions_) return;
  const std::size_t leaves = std::bit_ceil(positions);
  if (leaves != leaves_) {
    std::vector<std::int64_t> grown(2 * leaves * types_, kShut);
    std::copy_n(maxima_.begin() + static_cast<std::ptrdiff_t>(leaves_ * types_),
                positions_ * types_, grown.begin() + static_cast<std::ptrdiff_t>(leaves * types_));
    maxima_ = std::move(grown);
    leaves_ = leaves;
    for (std::size_t at = leaves_ - 1; at >= 1; --at)
      pull_up(at);
  }
  positions_ = positions;
}

bool FitTree::pull_up(std::size_t at) {
  bool changed = false;
  for (std::size_t type = 0; type < types_; ++type) {
    std::int64_t& most = maxima_[at * types_ + type];
    const std::int64_t now =
        std::max(maxima_[2 * at * types_ + type], maxima_[(2 * at + 1) * types_ + type]);
    changed = changed || now != most;
    most = now;
  }
  return changed;
}

void FitTree::set(std::size_t position, const Resources& free) {
  const std::size_t at = leaves_ + position;
  for (std::size_t type = 0; type < types_; ++type) {
    maxima_[at * types_ + type] = free.amount[type];
  }
  changed_below(at);
}

void FitTree::shut(std::size_t position) {
  const std::size_t at = leaves_ + position;
  for (std::size_t type = 0; type < types_; ++type)
    maxima_[at * types_ + type] = kShut;
  changed_below(at);
}

void FitTree::changed_below(std::size_t at) {
  for (at /= 2; at >= 1 && pull_up(at);)
    at /= 2;
}

bool FitTree::fits(std::size_t at, const Resources& need) const {
  for (std::size_t type = 0; type < types_; ++type) {
    if (need.amount[type] > maxima_[at * types_ + type]) return false;
  }
  return true;
}

std::size_t FitTree::find(std::size_t from, const Resources& need) const {
  if (from >= positions_ || !may_fit(need)) return kNone;
  std::size_t at = leaves_ + from;
  for (;;) {
    if (fits(at, need)) {
      if (at >= leaves_) return at - leaves_;
      at *= 2;  // into the left half; if that fails, the walk below comes to the right one
      continue;
    }
    while (at & 1)
      at /= 2;  // up while on the right side; 0 once the whole tree is behind us
    if (at == 0) return kNone;
    ++at;
  }
}

NodeIndex::NodeIndex(std::size_t type_count) : types_(type_count) {}

void NodeIndex::set_type_count(std::size_t type_count) {
  if (type_count == types_) return;
  types_ = type_count;
  const auto rebuild = [this](Group& group) {
    group.tree = FitTree(types_);
    if (group.has_tree()) group.tree.resize(group.members.size());
  };
  for (Partition& partition : partitions_)
    rebuild(partition.group);
  for (Group& group : racks_.all)
    rebuild(group);
  for (Group& group : hosts_.all)
    rebuild(group);
  for (Slot slot = 0; slot < nodes_.size(); ++slot) {
    if (nodes_[slot].present) refresh(slot);
  }
}

std::uint32_t NodeIndex::take_position(Group& group, Slot slot) const {
  std::uint32_t position = static_cast<std::uint32_t>(group.members.size());
  if (!group.holes.empty()) {
    position = group.holes.back();
    group.holes.pop_back();
    group.members[position] = slot;
  } else {
    const bool had_tree = group.has_tree();
    group.members.push_back(slot);
    if (group.has_tree()) group.tree.resize(group.members.size());
    for (std::size_t at = 0; !had_tree && group.has_tree() && at < position; ++at) {
      if (group.members[at] != kNone) enter(group, at, nodes_[group.members[at]]);
    }
  }
  ++group.live;
  return position;
}

std::uint32_t NodeIndex::join(Groups& groups, const std::string& name, Slot slot,
                              std::uint32_t& position) {
  std::uint32_t index = groups.find(name);
  if (index == kNone) {
    if (!groups.holes.empty()) {
      index = groups.holes.back();
      groups.holes.pop_back();
    } else {
      index = static_cast<std::uint32_t>(groups.all.size());
      groups.all.emplace_back();
    }
    groups.all[index] = Group{};
    groups.all[index].tree = FitTree(types_);
    groups.by_name.emplace(name, index);
  }
  position = take_position(groups.all[index], slot);
  return index;
}

void NodeIndex::vacate(Group& group, std::uint32_t position) {
  if (group.has_tree()) group.tree.shut(position);
  group.members[position] = kNone;
  group.holes.push_back(position);
  --group.live;
}

void NodeIndex::leave(Groups& groups, const std::string& name, std::uint32_t group,
                      std::uint32_t position) {
  Group& left = groups.all[group];
  vacate(left, position);
  if (left.live > 0) return;
  left = Group{};
  groups.by_name.erase(name);
  groups.holes.push_back(group);
}

NodeIndex::Partition& NodeIndex::open_partition(PartitionId partition) {
  while (partition >= partitions_.size()) {
    partitions_.emplace_back();
    partitions_.back().group.tree = FitTree(types_);
  }
  return partitions_[partition];
}

NodeIndex::Slot NodeIndex::add(const NodeId& id, std::string_view rack, const Resources& total,
                               PartitionId partition) {
  auto slot = static_cast<Slot>(nodes_.size());
  if (free_slots_.empty()) {
    nodes_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  Node& node = nodes_[slot];
  node = Node{};
  node.id = id;
  node.rack = rack;
  node.total = total;
  node.present = true;
  node.partition = partition;
  Partition& home = open_partition(partition);
  node.partition_position = take_position(home.group, slot);
  home.total += total;
  node.rack_group = join(racks_, node.rack, slot, node.rack_position);
  node.host_group = join(hosts_, node.id.host, slot, node.host_position);
  const std::vector<Slot>& on_host = hosts_.all[node.host_group].members;
  node.shares_host = on_host.size() > 1;
  if (node.shares_host && on_host[0] != kNone) nodes_[on_host[0]].shares_host = true;
  by_id_.emplace(id, slot);
  total_ += total;
  refresh(slot);
  return slot;
}

void NodeIndex::remove(Slot slot) {
  Node& node = nodes_[slot];
  total_ -= node.total;
  used_ -= node.used;
  leave_partition(node);
  leave(racks_, node.rack, node.rack_group, node.rack_position);
  leave(hosts_, node.id.host, node.host_group, node.host_position);
  by_id_.erase(node.id);
  node = Node{};
  free_slots_.push_back(slot);
}

void NodeIndex::leave_partition(const Node& node) {
  Partition& left = partitions_[node.partition];
  left.total -= node.total;
  left.used -= node.used;
  vacate(left.group, node.partition_position);
}

void NodeIndex::set_partition(Slot slot, PartitionId partition) {
  Node& node = nodes_[slot];
  leave_partition(node);
  Partition& home = open_partition(partition);
  node.partition = partition;
  node.partition_position = take_position(home.group, slot);
  home.total += node.total;
  home.used += node.used;
  refresh(slot);
}

void NodeIndex::set_total(Slot slot, const Resources& total) {
  Node& node = nodes_[slot];
  total_ += total - node.total;
  partitions_[node.partition].total += total - node.total;
  node.total = total;
  refresh(slot);
}

void NodeIndex::set_usable(Slot slot, bool usable) {
  nodes_[slot].usable = usable;
  refresh(slot);
}

void NodeIndex::charge(Slot slot, const Resources& amount, std::int64_t containers) {
  Node& node = nodes_[slot];
  node.used += amount;
  node.containers += containers;
  used_ += amount;
  partitions_[node.partition].used += amount;
  refresh(slot);
}

NodeIndex::Slot NodeIndex::slot_of(const NodeId& id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? kNone : it->second;
}

void NodeIndex::refresh(Slot slot) {
  const Node& node = nodes_[slot];
  const auto refresh_in = [&](Group& group, std::size_t position) {
    if (group.has_tree()) enter(group, position, node);
  };
  refresh_in(partitions_[node.partition].group, node.partition_position);
  refresh_in(racks_.all[node.rack_group], node.rack_position);
  if (node.shares_host) refresh_in(hosts_.all[node.host_group], node.host_position);
}

void NodeIndex::enter(Group& group, std::size_t position, const Node& node) const {
  node.usable ? group.tree.set(position, node.free()) : group.tree.shut(position);
}

void NodeIndex::took(Slot slot) {
  const Node& node = nodes_[slot];
  const auto pass = [](Group& group, std::size_t position) {
    group.cursor = position + 1 < group.members.size() ? position + 1 : 0;
  };
  pass(partitions_[node.partition].group, node.partition_position);
  pass(racks_.all[node.rack_group], node.rack_position);
  if (node.shares_host) pass(hosts_.all[node.host_group], node.host_position);
}

bool NodeIndex::fits(Slot slot, const Resources& need) const {
  const Node& node = nodes_[slot];
  if (!node.present || !node.usable) return false;
  const Resources free = node.free();
  for (std::size_t type = 0; type < types_; ++type) {
    if (need.amount[type] > free.amount[type]) return false;
  }
  return true;
}

}  // namespace heddle::queues
