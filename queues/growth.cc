// Containers that are there already and want more room on their node, or to be counted from now on.
// Such a wish is an ask group of its own: it waits, is limited and may have room kept for it like
// any other, but for one node only.
#include <fmt/core.h>

#include <utility>

#include "queues/scheduler_impl.h"

namespace heddle::queues {

Result<void> Scheduler::Impl::ask_growth(const AttemptId& attempt, const Growth& growth) {
  App* app = find_attempt(attempt);
  if (app == nullptr) {
    return fail(ErrorCode::kNotFound, to_string(attempt) + " is not running",
                ErrorSubject::kAttempt);
  }
  const NodeIndex::Slot slot = nodes_.slot_of(growth.node);
  const HoldTable::Index index = holds_.find(growth.hold);
  const bool its_own =
      growth.hold == 0 ||
      (index != HoldTable::kNone && holds_.at(index).app == app && holds_.at(index).node == slot);
  if (slot == NodeIndex::kNone || !its_own || growths_.contains(growth.ticket)) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format("{} has no such container on {}", to_string(attempt), to_string(growth.node)),
        ErrorSubject::kContainer);
  }
  if (growth.hold != 0 && holds_.at(index).ticket != 0) erase_growth(holds_.at(index).ticket);
  auto made = std::make_unique<AskGroup>();
  AskGroup& group = *made;
  group.app = app;
  group.priority = growth.priority;
  group.serial = next_serial_++;
  group.ticket = growth.ticket;
  group.hold = growth.hold;
  group.bare = growth.hold == 0 ? growth.bare : 0;
  group.only_on = growth.node;
  group.hosts[growth.node.host] = AskRow{1, false};
  group.relax = false;
  group.total = 1;
  group.waits_since_ms = now_ms_;
  group.cap = caps_.acquire(nodes_.at(slot).partition, growth.more);
  group.has_cap = true;
  app->groups.emplace(group.key(), std::move(made));
  growths_.emplace(growth.ticket, &group);
  if (growth.hold != 0) holds_.set_ticket(index, growth.ticket);
  sync_group(group);
  count_pending(group);
  return {};
}

void Scheduler::Impl::erase_growth(std::uint64_t ticket) {
  const auto found = growths_.find(ticket);
  if (found != growths_.end()) erase_group(*found->second);
}

void Scheduler::Impl::forget_growth(const AskGroup& group) {
  growths_.erase(group.ticket);
  const HoldTable::Index index = holds_.find(group.hold);
  if (index != HoldTable::kNone) holds_.set_ticket(index, 0);
}

/// O(all that wait), at a change of a node's label only.
void Scheduler::Impl::rehome_growths(NodeIndex::Slot slot) {
  const NodeIndex::Node& node = nodes_.at(slot);
  for (const auto& [ticket, group] : growths_) {
    if (group->only_on != node.id || caps_.partition(group->cap) == node.partition) continue;
    cancel_claims(*group);
    unpark(*group);
    const CapId old = group->cap;
    const Resources size = caps_.size(old);  // a copy: the table may move
    group->total = 0;
    sync_group(*group);
    count_pending(*group);
    group->cap = caps_.acquire(node.partition, size);
    caps_.release(old);
    group->total = 1;
    sync_group(*group);
    count_pending(*group);
  }
}

Scheduler::Impl::Spot Scheduler::Impl::growth_spot(const AskGroup& group) const {
  const NodeIndex::Slot slot = nodes_.slot_of(group.only_on);
  if (slot == NodeIndex::kNone) return {};
  const NodeIndex::Node& node = nodes_.at(slot);
  const bool may = node.usable && !blacklisted(*group.app, node) &&
                   node.partition == caps_.partition(group.cap) &&
                   within(caps_.size(group.cap), node.free());
  return {may ? slot : NodeIndex::kNone, Locality::kNodeLocal};
}

void Scheduler::Impl::grow(HoldTable::Index index, const Resources& more) {
  const Hold& hold = holds_.at(index);
  const bool leaving = hold.marked && hold.app != nullptr;
  if (leaving) set_leaving(index, false);
  holds_.resize(index, hold.size + more);
  if (leaving) set_leaving(index, true);
  if (hold.app != nullptr) charge(*hold.app, hold.partition, more, 0);
}

void Scheduler::Impl::resize(HoldTable::Index index, const Resources& size) {
  const Resources change = size - holds_.at(index).size;
  grow(index, change);
  const NodeIndex::Slot node = holds_.at(index).node;
  if (node == NodeIndex::kNone) return;
  const Resources had = nodes_.at(node).free();
  nodes_.charge(node, change, 0);
  fill_claims(node);
  wake_for(node, &had);
}

HoldId Scheduler::Impl::demote(HoldTable::Index index) {
  const Hold hold = holds_.at(index);
  HoldId bare = 0;
  if (hold.tags != 0 && hold.app != nullptr && hold.node != NodeIndex::kNone) {
    bare = holds_.add({.app = hold.app,
                       .node = hold.node,
                       .partition = hold.partition,
                       .size = {},
                       .bare = true,
                       .tags = hold.tags,
                       .started_ms = hold.started_ms},
                      hold.app->holds);
    tags_.hold(hold.tags);
    count_tags(hold.tags, hold.node, 1);
  }
  release(index);
  return bare;
}

/// Those of its next container, which holds them too from now on; 0: none.
TagSetId Scheduler::Impl::tags_for(const AskGroup& group) {
  TagSetId tags = group.tagged ? group.tagged->tags : 0;
  const HoldTable::Index bare = group.bare != 0 ? holds_.find(group.bare) : HoldTable::kNone;
  if (bare != HoldTable::kNone && holds_.at(bare).app == group.app) tags = holds_.at(bare).tags;
  if (tags != 0) tags_.hold(tags);
  return tags;
}

HoldId Scheduler::demote(HoldId id) {
  const HoldTable::Index index = impl_->holds_.find(id);
  return index == HoldTable::kNone ? 0 : impl_->demote(index);
}

Result<void> Scheduler::ask_growth(const AttemptId& attempt, const Growth& growth) {
  return impl_->ask_growth(attempt, growth);
}

void Scheduler::cancel_growth(std::uint64_t ticket) {
  impl_->erase_growth(ticket);
}

}  // namespace heddle::queues
