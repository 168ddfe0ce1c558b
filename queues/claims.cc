// Room that is kept together for a large container, so that small ones do not take it away for
// ever. docs/design/0004-placement-index.md says when.
#include <algorithm>

#include "queues/scheduler_impl.h"

namespace heddle::queues {

// Somebody was served while larger ones find no node with room enough.
void Scheduler::Impl::note_bypass(NodeIndex::Slot slot, const Resources& given) {
  const NodeIndex::Node& node = nodes_.at(slot);
  const PartitionId partition = node.partition;
  for (const Demand<Queue>& row : root_->demand.rows) {
    if (row.shut || row.ready.empty() || !caps_.roomless(row.cap)) continue;
    if (caps_.partition(row.cap) != partition || within(caps_.size(row.cap), given)) continue;
    const double passed = caps_.pass_over(row.cap, measure(given, partition));
    if (passed >= measure(caps_.size(row.cap), partition)) claims_due_ = true;
  }
  if (!lots_.anywhere.groups.empty()) pass_over("", lots_.anywhere, slot, given);
  if (lots_.by_name.empty()) return;
  for (const std::string* name : {&node.id.host, &node.rack}) {
    const auto lot = lots_.by_name.find(*name);
    if (lot != lots_.by_name.end()) pass_over(*name, lot->second, slot, given);
  }
}

std::size_t Scheduler::Impl::claims_max() const {
  return std::max<std::size_t>(1, nodes_.count() / 10);
}

void Scheduler::Impl::make_claims() {
  std::vector<CapId> due;
  for (const Demand<Queue>& row : root_->demand.rows) {
    if (row.shut || row.ready.empty() || !caps_.roomless(row.cap)) continue;
    const double size = measure(caps_.size(row.cap), caps_.partition(row.cap));
    if (caps_.pass_over(row.cap, 0) >= size) due.push_back(row.cap);
  }
  for (const CapId cap : due) {
    if (claims_.size() >= claims_max()) return;
    caps_.forget_passed(cap);
    AskGroup* group = first_waiting(cap);
    if (group == nullptr || !group->claims.empty()) continue;
    bool all_taken = false;
    const NodeIndex::Slot slot = best_to_claim(*group, all_taken);
    if (slot == NodeIndex::kNone && is_choosy(*group)) {
      park(*group, names_of(*group));  // it does not stand in the way of those behind it
    } else if (slot == NodeIndex::kNone && !all_taken) {
      caps_.give_up_claims(cap);
    } else if (slot != NodeIndex::kNone) {
      add_claim(*group, slot, Purpose::kLarge);
      fill_claims(slot);
    }
  }
}

/// Who would be served next if there were room for the size.
AskGroup* Scheduler::Impl::first_waiting(CapId cap) {
  caps_.open(cap);  // queues have not moved in its lists meanwhile
  if (caps_.has_reopened()) settle_reopened();
  caps_.set_roomless(cap);
  const auto first = [cap](auto& table) {
    auto* row = table.find(cap);
    return row == nullptr || row->ready.empty() ? nullptr : row->ready.front().child;
  };
  Queue* queue = root_.get();
  while (queue != nullptr && !queue->leaf)
    queue = first(queue->demand);
  User* user = queue != nullptr ? first(queue->leaf->demand) : nullptr;
  App* app = user != nullptr ? first(user->demand) : nullptr;
  return app != nullptr ? first(app->demand) : nullptr;
}

/// Of the nodes that are large enough the one with the most room; kNone and `all_taken`: others
/// have claims on all of them. O(nodes); see pass_over().
NodeIndex::Slot Scheduler::Impl::best_to_claim(const AskGroup& group, bool& all_taken) const {
  NodeIndex::Slot best = NodeIndex::kNone;
  for (NodeIndex::Slot slot = 0; slot < nodes_.all().size(); ++slot) {
    const NodeIndex::Node& node = nodes_.at(slot);
    if (!may_go_to(group, slot)) continue;
    all_taken = all_taken || claims_on_.contains(slot);
    if (claims_on_.contains(slot)) continue;
    if (best == NodeIndex::kNone || nodes_.at(best).free().memory_mb() < node.free().memory_mb()) {
      best = slot;
    }
  }
  return best;
}

bool Scheduler::Impl::wants(const AskGroup& group, const NodeIndex::Node& node) {
  if (group.ticket != 0) return node.id == group.only_on;
  if (group.relax || group.hosts.contains(node.id.host)) return true;
  const auto rack = group.racks.find(node.rack);
  return rack != group.racks.end() && rack->second.relax;
}

ClaimId Scheduler::Impl::add_claim(AskGroup& group, NodeIndex::Slot slot, Purpose purpose) {
  const ClaimId id = ++last_claim_;
  group.claims.push_back(id);
  claims_on_[slot].push_back(id);
  Claim& claim = claims_[id];
  claim.group = &group;
  claim.node = slot;
  claim.purpose = purpose;
  count_claim(claim, 1);
  return id;
}

void Scheduler::Impl::count_claim(const Claim& claim, int change) {
  const PartitionId partition = caps_.partition(claim.group->cap);
  const Resources& size = caps_.size(claim.group->cap);
  const Resources more = change > 0 ? size : Resources{} - size;
  claim.group->app->user->parts[partition].claimed += more;
  for (Queue* at = claim.group->app->leaf; at != nullptr; at = at->parent)
    at->parts[partition].claimed += more;
}

/// Takes it on its node, or gives it back.
void Scheduler::Impl::hold_for(Claim& claim, const Resources& more) {
  App& app = *claim.group->app;
  claim.held += more;
  app.held_by_claims += more;
  for (Queue* at = app.leaf; at != nullptr; at = at->parent) {
    QueuePart& part = at->parts[caps_.partition(claim.group->cap)];
    part.held += more;
    if (claim.purpose == Purpose::kLarge) part.reserved += more;
  }
  nodes_.charge(claim.node, more, 0);
}

/// What a victim leaves below the limits of its queues is not for others in them.
void Scheduler::Impl::keep_for(Claim& claim, const Resources& more) {
  const Resources before = claim.credit;
  const Resources& size = caps_.size(claim.group->cap);
  for (std::size_t i = 0; i < kResourceTypesMax; ++i)
    claim.credit.amount[i] =
        std::clamp<std::int64_t>(before.amount[i] + more.amount[i], 0, size.amount[i]);
  const int change =
      static_cast<int>(!claim.credit.is_zero()) - static_cast<int>(!before.is_zero());
  for (Queue* at = claim.group->app->leaf; at != nullptr; at = at->parent) {
    QueuePart& part = at->parts[caps_.partition(claim.group->cap)];
    part.kept += claim.credit - before;
    part.keeping += change;
  }
}

// Those that came first are filled first.
void Scheduler::Impl::fill_claims(NodeIndex::Slot slot) {
  const auto here = claims_on_.find(slot);
  if (here == claims_on_.end()) return;
  for (const ClaimId id : here->second) {
    Claim& claim = claims_.at(id);
    const Resources& size = caps_.size(claim.group->cap);
    const Resources free = nodes_.at(slot).free();
    Resources more;
    for (std::size_t i = 0; i < types_; ++i) {
      more.amount[i] = std::clamp<std::int64_t>(size.amount[i] - claim.held.amount[i], 0,
                                                std::max<std::int64_t>(free.amount[i], 0));
    }
    hold_for(claim, more);
    if (!within(size, claim.held)) return;
    full_claims_.push_back(id);
    work_ = true;
  }
}

void Scheduler::Impl::drop_claim(ClaimId id, bool served) {
  const auto found = claims_.find(id);
  if (found == claims_.end()) return;
  Claim& claim = found->second;
  spare(claim);
  ledger_.close(id, served, now_ms_);
  count_claim(claim, -1);
  std::erase(claim.group->claims, id);
  hold_for(claim, Resources{} - claim.held);
  if (!claim.credit.is_zero()) {
    keep_for(claim, Resources{} - claim.credit);
    for (Queue* at = claim.group->app->leaf; at != nullptr; at = at->parent)
      sync_all(*at, caps_.partition(claim.group->cap));
    work_ = true;
  }
  std::vector<ClaimId>& here = claims_on_.at(claim.node);
  std::erase(here, id);
  if (here.empty()) claims_on_.erase(claim.node);
  claims_.erase(found);
}

void Scheduler::Impl::drop_claims_on(NodeIndex::Slot slot) {
  const auto here = claims_on_.find(slot);
  if (here == claims_on_.end()) return;
  for (const ClaimId id : std::vector<ClaimId>(here->second))
    drop_claim(id);
}

void Scheduler::Impl::cancel_claims(AskGroup& group) {
  while (!group.claims.empty()) {
    const NodeIndex::Slot slot = claims_.at(group.claims.back()).node;
    drop_claim(group.claims.back());
    fill_claims(slot);
    wake_for(slot);
  }
}

/// Room came elsewhere, or it wants less: those go that the most still run for.
void Scheduler::Impl::trim_claims(AskGroup& group) {
  while (std::cmp_greater(group.claims.size(), std::max(group.total, 0))) {
    const auto running = [&](ClaimId id) {
      return std::ranges::count_if(claims_.at(id).victims, [&](HoldId victim) {
        return holds_.find(victim) != HoldTable::kNone;
      });
    };
    const ClaimId least = *std::ranges::max_element(group.claims, {}, running);
    const NodeIndex::Slot slot = claims_.at(least).node;
    drop_claim(least);
    fill_claims(slot);
    wake_for(slot);
  }
}

/// Its rows have changed.
void Scheduler::Impl::drop_unwanted_claims(AskGroup& group) {
  const bool all = std::all_of(group.claims.begin(), group.claims.end(), [&](ClaimId id) {
    return wants(group, nodes_.at(claims_.at(id).node));
  });
  if (!all) cancel_claims(group);
}

// What is full becomes the container, unless a limit stands in its way by now.
std::optional<Grant> Scheduler::Impl::take_claimed(ClaimId id) {
  const auto found = claims_.find(id);
  if (found == claims_.end()) return std::nullopt;
  const NodeIndex::Slot slot = found->second.node;
  AskGroup& group = *found->second.group;
  const Resources& size = caps_.size(group.cap);
  const PartitionId partition = caps_.partition(group.cap);
  bool limited = std::as_const(group.app->user->parts)[partition].over;
  for (const Queue* at = group.app->leaf; at != nullptr; at = at->parent)
    limited = limited || !has_room(*at, partition, size - found->second.credit);
  // Those who still have to go leave room below the limits, too.
  if (limited && awaits_victims(found->second)) return std::nullopt;
  const bool may = !limited && group.app->active && group.total > 0 &&
                   within(size, nodes_.at(slot).free() + found->second.held) &&
                   wants(group, nodes_.at(slot)) && satisfied(group, slot);
  drop_claim(id, may);
  if (!may) {
    fill_claims(slot);
    wake_for(slot);
    return std::nullopt;
  }
  const NodeIndex::Node& node = nodes_.at(slot);
  unpark(group);
  return take(group, {slot, group.hosts.contains(node.id.host) ? Locality::kNodeLocal
                            : group.racks.contains(node.rack)  ? Locality::kRackLocal
                                                               : Locality::kOffSwitch});
}

bool Scheduler::Impl::awaits_victims(const Claim& claim) const {
  return std::ranges::any_of(
      claim.victims, [&](HoldId victim) { return holds_.find(victim) != HoldTable::kNone; });
}

Resources Scheduler::Impl::claimed_on(NodeIndex::Slot slot) const {
  Resources sum;
  const auto here = claims_on_.find(slot);
  if (here == claims_on_.end()) return sum;
  for (const ClaimId id : here->second)
    sum += claims_.at(id).held;
  return sum;
}

}  // namespace heddle::queues
