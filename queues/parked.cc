// Asks that only certain nodes can serve (strict locality, blacklists, constraints): where they may
// go, and room that is kept for them there. docs/design/0004-placement-index.md
#include <algorithm>

#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

constexpr std::size_t kPlacesMax = 64;           // of one ask that are looked at
constexpr int kLookedAt = 16;                    // asks of a lot, for one claim
constexpr NodeIndex::Slot kNodesLookedAt = 512;  // for one that may go anywhere
constexpr int kSearches = 4;                     // of such
constexpr int kMissesMax = 6;                    // after each a lot waits twice as long

}  // namespace

bool Scheduler::Impl::is_choosy(const AskGroup& group) {
  return !group.relax || !group.app->blacklist.empty() || (group.tagged && group.tagged->all);
}

/// Where it is parked; none: anywhere.
std::vector<std::string> Scheduler::Impl::names_of(const AskGroup& group) {
  std::vector<std::string> names;
  if (group.relax) return names;
  for (const auto& [host, row] : group.hosts)
    names.push_back(host);
  for (const auto& [rack, row] : group.racks) {
    if (row.relax) names.push_back(rack);
  }
  if (names.empty()) names.emplace_back();  // nowhere: until its rows change
  return names;
}

bool Scheduler::Impl::is_servable(const AskGroup& group) const {
  const App& app = *group.app;
  const PartitionId partition = caps_.partition(group.cap);
  bool may = app.active && group.total > 0 && !std::as_const(app.user->parts)[partition].over;
  for (const Queue* at = app.leaf; may && at != nullptr; at = at->parent)
    may = has_room(*at, partition, caps_.size(group.cap));
  return may;
}

bool Scheduler::Impl::may_go_to(const AskGroup& group, NodeIndex::Slot slot) const {
  const NodeIndex::Node& node = nodes_.at(slot);
  return node.present && node.usable && node.partition == caps_.partition(group.cap) &&
         within(caps_.size(group.cap), node.total) && !blacklisted(*group.app, node) &&
         wants(group, node) && satisfied(group, slot);
}

/// Nodes outside of which it cannot go, not all where they are many; nullopt: it names none.
std::optional<std::vector<NodeIndex::Slot>> Scheduler::Impl::named_places(
    const AskGroup& group) const {
  std::vector<NodeIndex::Slot> out;
  const Resources nothing;
  const auto note = [&](const NodeIndex::Node& node) {
    const NodeIndex::Slot slot = nodes_.slot_at(node);
    if (std::ranges::find(out, slot) == out.end()) out.push_back(slot);
    return out.size() >= kPlacesMax;
  };
  if (group.ticket != 0) {
    const NodeIndex::Slot slot = nodes_.slot_of(group.only_on);
    if (slot != NodeIndex::kNone) out.push_back(slot);
    return out;
  }
  if (!group.relax) {
    for (const auto& [host, row] : group.hosts) {
      if (out.size() < kPlacesMax) nodes_.find_on_host(host, nothing, note);
    }
    for (const auto& [rack, row] : group.racks) {
      if (row.relax && out.size() < kPlacesMax) nodes_.find_in_rack(rack, nothing, note);
    }
    return out;
  }
  if (!group.tagged || !group.tagged->all) return std::nullopt;
  const auto only = check_for(group).only();
  if (!only) return std::nullopt;
  for (const NodeIndex::Slot slot : only->nodes) {
    if (out.size() < kPlacesMax) out.push_back(slot);
  }
  for (const std::string& rack : only->racks) {
    if (out.size() < kPlacesMax) nodes_.find_in_rack(rack, nothing, note);
  }
  return out;
}

// --- claims

/// Somebody was served on a node of the lot.
void Scheduler::Impl::pass_over(const std::string& name, Lots::Lot& lot, NodeIndex::Slot slot,
                                const Resources& given) {
  const PartitionId partition = nodes_.at(slot).partition;
  const double amount = measure(given, partition);
  for (auto at = lot.groups.begin(); at != lot.groups.end();
       at = lot.groups.lower_bound({at->first.first + 1, 0})) {
    const CapId cap = at->first.first;
    if (caps_.partition(cap) != partition || within(caps_.size(cap), given)) continue;
    Lots::Passed& passed = lot.passed[cap];
    passed.amount += amount;
    passed.where = slot;
    if (passed.amount < measure(caps_.size(cap), partition)) continue;
    parked_due_.emplace(name, cap);
    claims_due_ = true;
  }
}

void Scheduler::Impl::make_parked_claims() {
  for (const auto& [name, cap] : std::exchange(parked_due_, {})) {
    if (claims_.size() >= claims_max()) return;  // due again when more passes them
    Lots::Lot* lot = &lots_.anywhere;
    if (!name.empty()) {
      const auto named = lots_.by_name.find(name);
      if (named == lots_.by_name.end()) continue;
      lot = &named->second;
    }
    const auto passed = lot->passed.find(cap);
    if (passed == lot->passed.end()) continue;
    const double size = measure(caps_.size(cap), caps_.partition(cap));
    const int misses = claim_for_parked(*lot, cap) ? 0 : passed->second.misses + 1;
    passed->second.misses = std::min(misses, kMissesMax);
    passed->second.amount = -size * ((1 << passed->second.misses) - 1);
  }
}

/// The oldest that can have one, of as many as are looked at; the others come next time.
bool Scheduler::Impl::claim_for_parked(Lots::Lot& lot, CapId cap) {
  Lots::Passed& passed = lot.passed[cap];
  auto at = lot.groups.lower_bound({cap, passed.from});
  int searches = 0;
  for (int looked = 0; looked < kLookedAt && searches < kSearches; ++looked, ++at) {
    if (at == lot.groups.end() || at->first.first != cap) {
      passed.from = 0;
      return false;
    }
    AskGroup& group = *at->second;
    passed.from = group.serial + 1;
    if (!group.claims.empty() || !is_servable(group)) continue;
    const auto named = named_places(group);
    searches += named ? 0 : 1;
    const NodeIndex::Slot slot = place_to_claim(group, named, passed.where);
    if (slot == NodeIndex::kNone) continue;
    passed.from = 0;
    add_claim(group, slot, Purpose::kLarge);
    fill_claims(slot);
    return true;
  }
  return false;
}

/// Of those that would do, the `named` ones or any, the one with the most room; before
/// equals the one where things end.
NodeIndex::Slot Scheduler::Impl::place_to_claim(
    const AskGroup& group, const std::optional<std::vector<NodeIndex::Slot>>& named,
    NodeIndex::Slot busy) {
  NodeIndex::Slot best = NodeIndex::kNone;
  const auto look = [&](NodeIndex::Slot slot) {
    if (claims_on_.contains(slot) || !may_go_to(group, slot)) return;
    const std::int64_t free_mb = nodes_.at(slot).free().memory_mb();
    if (best == NodeIndex::kNone || nodes_.at(best).free().memory_mb() < free_mb) best = slot;
  };
  const auto is_among = [&] { return !named || std::ranges::find(*named, busy) != named->end(); };
  if (busy != NodeIndex::kNone && is_among()) look(busy);
  if (named) {
    std::ranges::for_each(*named, look);
    return best;
  }
  const auto count = static_cast<NodeIndex::Slot>(nodes_.all().size());
  for (NodeIndex::Slot i = 0; i < std::min(count, kNodesLookedAt); ++i)
    look((next_claimed_ + i) % count);
  next_claimed_ = (next_claimed_ + std::min(count, kNodesLookedAt)) % count;
  return best;
}

/// Where it cannot go any more no room is kept for it, and nobody has to go.
void Scheduler::Impl::drop_claims_without_place(AskGroup& group) {
  for (const ClaimId id : std::vector<ClaimId>(group.claims)) {
    const auto claim = claims_.find(id);
    if (claim == claims_.end() || may_go_to(group, claim->second.node)) continue;
    const NodeIndex::Slot slot = claim->second.node;
    drop_claim(id);
    fill_claims(slot);
    wake_for(slot);
  }
}

/// Its constraint holds there once these have gone, with their tags.
bool Scheduler::Impl::holds_without(const AskGroup& group, NodeIndex::Slot slot,
                                    std::span<const HoldTable::Index> losses) {
  if (!group.tagged || !group.tagged->all) return true;
  const auto count = [&](int change) {
    for (const HoldTable::Index index : losses) {
      if (holds_.at(index).tags != 0) count_tags(holds_.at(index).tags, slot, change);
    }
  };
  count(-1);
  const bool holds = satisfied(group, slot);
  count(1);
  return holds;
}

}  // namespace heddle::queues
