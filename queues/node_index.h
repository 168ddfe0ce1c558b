// Nodes by free room: the first node from a rotating cursor that fits, in a partition, in a rack,
// on a host. See docs/design/0004-placement-index.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/resources.h"

namespace heddle::queues {

/// A segment tree over positions; each inner node holds, per resource type, the most that is free
/// in any position below it. Finding costs O(log positions) for one type. For several types a
/// subtree may promise in its maxima what no single position has; such a search goes on.
class FitTree {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  explicit FitTree(std::size_t type_count = 1) : types_(type_count) {}
  std::size_t size() const { return positions_; }
  void resize(std::size_t positions);  // grows only; new positions are shut
  void set(std::size_t position, const Resources& free);
  void shut(std::size_t position);  // nothing fits there
  /// False: `need` fits nowhere. True: somewhere it may. O(1).
  bool may_fit(const Resources& need) const { return positions_ > 0 && fits(1, need); }
  /// The first position >= `from` where `need` fits, or kNone.
  std::size_t find(std::size_t from, const Resources& need) const;

 private:
  bool fits(std::size_t at, const Resources& need) const;
  bool pull_up(std::size_t at);        // whether it changed
  void changed_below(std::size_t at);  // brings what is above in line, as far as it changes

  std::size_t types_;
  std::size_t positions_ = 0;
  std::size_t leaves_ = 0;            // a power of two
  std::vector<std::int64_t> maxima_;  // types_ numbers a tree node; root at 1
};

/// A node label that divides the cluster; 0 is the default partition, of the nodes without one.
using PartitionId = std::uint32_t;
inline constexpr PartitionId kDefaultPartition = 0;

class NodeIndex {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = static_cast<Slot>(-1);

  struct Node {
    Resources total;
    Resources used;
    std::int64_t containers = 0;
    bool usable = true;
    bool present = false;
    PartitionId partition = kDefaultPartition;
    std::uint32_t partition_position = 0;
    std::uint32_t rack_group = 0;
    std::uint32_t rack_position = 0;
    std::uint32_t host_group = 0;
    std::uint32_t host_position = 0;
    bool shares_host = false;  // or did once: most are alone there, and leave their group as it is
    NodeId id;
    std::string rack;
    Resources free() const { return total - used; }
  };

  /// `type_count`: how many leading resource types decide whether something fits.
  explicit NodeIndex(std::size_t type_count = 1);
  void set_type_count(std::size_t type_count);  // rebuilds; O(nodes)

  /// Not known yet.
  Slot add(const NodeId& id, std::string_view rack, const Resources& total,
           PartitionId partition = kDefaultPartition);
  void set_partition(Slot slot, PartitionId partition);  // with all it holds
  void remove(Slot slot);
  void set_total(Slot slot, const Resources& total);
  void set_usable(Slot slot, bool usable);
  void charge(Slot slot, const Resources& amount, std::int64_t containers);  // negative: gives back

  Slot slot_of(const NodeId& id) const;
  const Node& at(Slot slot) const { return nodes_[slot]; }
  Slot slot_at(const Node& node) const { return static_cast<Slot>(&node - nodes_.data()); }
  const std::vector<Node>& all() const { return nodes_; }  // absent ones among them
  std::size_t count() const { return by_id_.size(); }
  const Resources& total() const { return total_; }
  const Resources& used() const { return used_; }
  const Resources& total(PartitionId partition) const { return partition_of(partition).total; }
  const Resources& used(PartitionId partition) const { return partition_of(partition).used; }

  /// A usable node where `need` fits and `allowed(node)` holds, going round from the last one
  /// taken. Costs one search a refused node. kNone: there is none.
  template <class Allowed>
  Slot find_any(PartitionId partition, const Resources& need, const Allowed& allowed) const {
    return search(partition_of(partition).group, need, allowed);
  }
  template <class Allowed>
  Slot find_in_rack(std::string_view rack, const Resources& need, const Allowed& allowed) const {
    return find_in(racks_, rack, need, allowed);
  }
  template <class Allowed>
  Slot find_on_host(std::string_view host, const Resources& need, const Allowed& allowed) const {
    return find_in(hosts_, host, need, allowed);
  }
  /// The next searches begin behind this node.
  void took(Slot slot);
  bool fits(Slot slot, const Resources& need) const;
  bool may_fit(PartitionId partition, const Resources& need) const {
    const Group& group = partition_of(partition).group;
    if (group.has_tree()) return group.tree.may_fit(need);
    return scan(group, need, [](const Node&) { return true; }) != kNone;
  }
  bool knows_host(std::string_view host) const { return hosts_.find(host) != kNone; }
  bool knows_rack(std::string_view rack) const { return racks_.find(rack) != kNone; }

 private:
  /// Up to this many nodes are looked at one by one; a tree would cost more at every change. Most
  /// hosts have one.
  static constexpr std::size_t kScannedMax = 8;
  struct Group {
    FitTree tree{1};            // of more than kScannedMax members
    std::vector<Slot> members;  // by position; kNone = free position
    std::vector<std::uint32_t> holes;
    std::size_t cursor = 0;
    std::uint32_t live = 0;
    bool has_tree() const { return members.size() > kScannedMax; }
  };
  struct Partition {
    Group group;
    Resources total;
    Resources used;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Groups {
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> by_name;
    std::vector<Group> all;
    std::vector<std::uint32_t> holes;
    std::uint32_t find(std::string_view name) const {
      const auto it = by_name.find(name);
      return it == by_name.end() ? kNone : it->second;
    }
  };

  template <class Allowed>
  Slot search(const Group& group, const Resources& need, const Allowed& allowed) const {
    if (!group.has_tree()) return scan(group, need, allowed);
    const std::size_t start = group.cursor;
    for (std::size_t at = group.tree.find(start, need); at != FitTree::kNone;
         at = group.tree.find(at + 1, need)) {
      if (allowed(nodes_[group.members[at]])) return group.members[at];
    }
    for (std::size_t at = group.tree.find(0, need); at != FitTree::kNone && at < start;
         at = group.tree.find(at + 1, need)) {
      if (allowed(nodes_[group.members[at]])) return group.members[at];
    }
    return kNone;
  }
  template <class Allowed>
  Slot scan(const Group& group, const Resources& need, const Allowed& allowed) const {
    for (std::size_t i = 0; i < group.members.size(); ++i) {
      const Slot slot = group.members[(group.cursor + i) % group.members.size()];
      if (slot != kNone && fits(slot, need) && allowed(nodes_[slot])) return slot;
    }
    return kNone;
  }
  template <class Allowed>
  Slot find_in(const Groups& groups, std::string_view name, const Resources& need,
               const Allowed& allowed) const {
    const std::uint32_t group = groups.find(name);
    return group == kNone ? kNone : search(groups.all[group], need, allowed);
  }
  std::uint32_t join(Groups& groups, const std::string& name, Slot slot, std::uint32_t& position);
  void leave(Groups& groups, const std::string& name, std::uint32_t group, std::uint32_t position);
  std::uint32_t take_position(Group& group, Slot slot) const;
  Partition& open_partition(PartitionId partition);
  const Partition& partition_of(PartitionId partition) const {
    static const Partition kNobody;
    return partition < partitions_.size() ? partitions_[partition] : kNobody;
  }
  static void vacate(Group& group, std::uint32_t position);
  void leave_partition(const Node& node);
  void refresh(Slot slot);
  void enter(Group& group, std::size_t position, const Node& node) const;  // into its tree

  std::size_t types_;
  std::vector<Node> nodes_;
  std::unordered_map<NodeId, Slot> by_id_;
  std::vector<Slot> free_slots_;
  std::vector<Partition> partitions_;
  Groups racks_;
  Groups hosts_;
  Resources total_;
  Resources used_;
};

}  // namespace heddle::queues
