// Whether a constraint holds on a node. Internal to queues/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "queues/constraints.h"
#include "queues/tag_index.h"

namespace heddle::queues {

/// A constraint of one application, with the counts that it looks at: valid until one of these
/// changes. Made in O(its tags * log tags in use), asked in O(its tags * log nodes).
class ConstraintCheck {
 public:
  struct Node {
    NodeIndex::Slot slot = NodeIndex::kNone;
    const std::string& rack;
    std::string_view label;
    const NodeAttributes* attributes = nullptr;  // nullptr: none
  };
  /// How long the container has been waited for, and the nodes of the cluster: each of them is one
  /// opportunity a second.
  struct Waited {
    std::int64_t ms = 0;
    std::int64_t nodes = 1;
  };

  /// `constraint` must outlive it.
  ConstraintCheck(const Constraint& constraint, const AppId& app, const TagIndex& tags,
                  const Waited& waited);

  bool holds(const Node& node) const;

  /// Nodes, or racks, outside of which it cannot hold: those that have a tag which it demands.
  struct Only {
    std::vector<NodeIndex::Slot> nodes;
    std::vector<std::string> racks;
    bool of_racks = false;
  };
  std::optional<Only> only() const;

 private:
  struct Counted {
    const TagIndex::Counts* of = nullptr;     // nullptr: none
    const TagIndex::Counts* minus = nullptr;  // of the application itself, for kNotSelf
  };
  void find_counts(const Constraint& part, const AppId& app, const TagIndex& tags);
  bool holds(const Constraint& part, const Node& node, std::size_t& next) const;
  bool holds_tags(const Constraint& part, const Node& node, std::size_t next) const;
  static bool holds_attribute(const Constraint& part, const Node& node);
  const Constraint* demanded(const Constraint& part, std::size_t& next) const;

  const Constraint& constraint_;
  Waited waited_;
  std::vector<Counted> counted_;  // of all tags, in order of the parts
};

/// The keys under which the tags that it looks at are counted.
std::vector<TagKey> watched_keys(const Constraint& constraint, const AppId& app);
/// Whether a part looks at racks.
bool looks_at_racks(const Constraint& constraint);
/// When a part of it will do that does not yet, by the time waited; nullopt: never again.
std::optional<std::int64_t> next_part_ms(const Constraint& constraint,
                                         const ConstraintCheck::Waited& waited);

}  // namespace heddle::queues
