#include "queues/constraint_check.h"

#include <algorithm>
#include <limits>

namespace heddle::queues {
namespace {

TagKey key_of(const Constraint& part, const AppId& app, const std::string& tag) {
  switch (part.owners) {
    case TagOwners::kSelf: return {TagOwners::kApp, app, "", tag};
    case TagOwners::kApp: return {TagOwners::kApp, part.app, "", tag};
    case TagOwners::kAppTag: return {TagOwners::kAppTag, {}, part.app_tag, tag};
    case TagOwners::kNotSelf:
    case TagOwners::kAll: break;
  }
  return {TagOwners::kAll, {}, "", tag};
}

template <class Visit>
void visit_tags(const Constraint& part, const Visit& visit) {
  if (part.kind == Constraint::Kind::kTags) visit(part);
  for (const Constraint& one : part.parts)
    visit_tags(one, visit);
}

/// After how long of waiting the next part will do. An opportunity is a node that is offered, and
/// every node is offered once a second.
std::int64_t lasts_ms(const Constraint::Delay& delay, std::int64_t nodes) {
  const std::int64_t amount = std::max<std::int64_t>(delay.amount, 0);
  if (delay.unit == Constraint::Delay::Unit::kMilliseconds) return amount;
  const std::int64_t each = std::max<std::int64_t>(nodes, 1);
  const std::int64_t seconds = amount / each + (amount % each != 0 ? 1 : 0);
  return std::min(seconds, std::numeric_limits<std::int64_t>::max() / 4000) * 1000;
}

std::int64_t later(std::int64_t at, std::int64_t more) {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max() / 2;
  return at >= kNever || more >= kNever ? kNever : at + more;
}

std::int64_t on_node(const TagIndex::Counts* counts, NodeIndex::Slot slot) {
  if (counts == nullptr) return 0;
  const auto found = counts->nodes.find(slot);
  return found == counts->nodes.end() ? 0 : found->second;
}

std::int64_t in_rack(const TagIndex::Counts* counts, const std::string& rack) {
  if (counts == nullptr) return 0;
  const auto found = counts->racks.find(rack);
  return found == counts->racks.end() ? 0 : found->second;
}

}  // namespace

ConstraintCheck::ConstraintCheck(const Constraint& constraint, const AppId& app,
                                 const TagIndex& tags, const Waited& waited)
    : constraint_(constraint), waited_(waited) {
  find_counts(constraint, app, tags);
}

void ConstraintCheck::find_counts(const Constraint& part, const AppId& app, const TagIndex& tags) {
  visit_tags(part, [&](const Constraint& one) {
    for (const std::string& tag : one.values) {
      Counted counted{tags.find(key_of(one, app, tag)), nullptr};
      if (one.owners == TagOwners::kNotSelf) {
        counted.minus = tags.find({TagOwners::kApp, app, "", tag});
      }
      counted_.push_back(counted);
    }
  });
}

bool ConstraintCheck::holds(const Node& node) const {
  std::size_t next = 0;
  return holds(constraint_, node, next);
}

// Every part is walked through, also when the answer is known: `next` counts the tags passed.
bool ConstraintCheck::holds(const Constraint& part, const Node& node, std::size_t& next) const {
  switch (part.kind) {
    case Constraint::Kind::kTags: {
      const bool holds = holds_tags(part, node, next);
      next += part.values.size();
      return holds;
    }
    case Constraint::Kind::kAttribute: return holds_attribute(part, node);
    case Constraint::Kind::kPartition: return node.label == part.values.front();
    case Constraint::Kind::kAnd: {
      bool all = true;
      for (const Constraint& one : part.parts)
        all = holds(one, node, next) && all;
      return all;
    }
    case Constraint::Kind::kOr: {
      bool any = false;
      for (const Constraint& one : part.parts)
        any = holds(one, node, next) || any;
      return any;
    }
    case Constraint::Kind::kDelayedOr: break;
  }
  bool any = false;
  std::int64_t from_ms = 0;
  for (std::size_t i = 0; i < part.parts.size(); ++i) {
    any = (holds(part.parts[i], node, next) && waited_.ms >= from_ms) || any;
    from_ms = later(from_ms, lasts_ms(part.delays[i], waited_.nodes));
  }
  return any;
}

bool ConstraintCheck::holds_tags(const Constraint& part, const Node& node, std::size_t next) const {
  std::int64_t most = 0;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const Counted& counted = counted_[next + i];
    const std::int64_t there =
        part.scope == Constraint::Scope::kNode
            ? on_node(counted.of, node.slot) - on_node(counted.minus, node.slot)
            : in_rack(counted.of, node.rack) - in_rack(counted.minus, node.rack);
    most = std::max(most, there);
    least = std::min(least, there);
  }
  return most >= part.minimum && (part.maximum == Constraint::kAnyNumber || least <= part.maximum);
}

bool ConstraintCheck::holds_attribute(const Constraint& part, const Node& node) {
  if (node.attributes == nullptr) return !part.equal;
  const auto found = node.attributes->find(part.key);
  if (found == node.attributes->end()) return !part.equal;
  const bool listed = std::ranges::find(part.values, found->second) != part.values.end();
  return listed == part.equal;
}

/// The first part that has to hold in any case and demands a tag.
const Constraint* ConstraintCheck::demanded(const Constraint& part, std::size_t& next) const {
  if (part.kind == Constraint::Kind::kTags) {
    if (part.minimum > 0) return &part;
    next += part.values.size();
    return nullptr;
  }
  for (const Constraint& one : part.parts) {
    if (part.kind == Constraint::Kind::kAnd) {
      if (const Constraint* found = demanded(one, next)) return found;
    } else {
      visit_tags(one, [&next](const Constraint& tags) { next += tags.values.size(); });
    }
  }
  return nullptr;
}

std::optional<ConstraintCheck::Only> ConstraintCheck::only() const {
  std::size_t next = 0;
  const Constraint* part = demanded(constraint_, next);
  if (part == nullptr) return std::nullopt;
  Only out;
  out.of_racks = part->scope == Constraint::Scope::kRack;
  for (std::size_t i = 0; i < part->values.size(); ++i) {
    const TagIndex::Counts* counts = counted_[next + i].of;
    if (counts == nullptr) continue;
    for (const auto& [rack, count] : counts->racks) {
      if (out.of_racks) out.racks.push_back(rack);
    }
    for (const auto& [slot, count] : counts->nodes) {
      if (!out.of_racks) out.nodes.push_back(slot);
    }
  }
  return out;
}

std::vector<TagKey> watched_keys(const Constraint& constraint, const AppId& app) {
  std::vector<TagKey> keys;
  visit_tags(constraint, [&](const Constraint& part) {
    for (const std::string& tag : part.values)
      keys.push_back(key_of(part, app, tag));
  });
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

bool looks_at_racks(const Constraint& constraint) {
  bool any = false;
  visit_tags(constraint, [&any](const Constraint& part) {
    any = any || part.scope == Constraint::Scope::kRack;
  });
  return any;
}

std::optional<std::int64_t> next_part_ms(const Constraint& constraint,
                                         const ConstraintCheck::Waited& waited) {
  std::optional<std::int64_t> soonest;
  const auto take = [&soonest](std::optional<std::int64_t> at) {
    if (at && (!soonest || *at < *soonest)) soonest = at;
  };
  std::int64_t from_ms = 0;
  for (std::size_t i = 0; i < constraint.parts.size(); ++i) {
    take(next_part_ms(constraint.parts[i], waited));
    if (constraint.kind != Constraint::Kind::kDelayedOr) continue;
    if (from_ms > waited.ms) take(from_ms);
    from_ms = later(from_ms, lasts_ms(constraint.delays[i], waited.nodes));
  }
  return soonest;
}

}  // namespace heddle::queues
