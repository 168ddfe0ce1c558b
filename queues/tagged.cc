// Asks with allocation tags and placement constraints: where they may go, and when it is worth
// looking again.
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/text.h"
#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

constexpr std::int32_t kAllocationsMax = 10'000'000;  // as of rows
constexpr std::size_t kTaggedMax = 10'000;            // outstanding ones of an application
constexpr std::size_t kSameIdMax = 100;               // of one priority and request id

Failure refuse_tagged(ErrorCode code, std::string message) {
  return fail(code, std::move(message), ErrorSubject::kResourceRequest);
}

}  // namespace

// --- what is asked

AskGroup* Scheduler::Impl::find_tagged(const App& app, const TaggedAsk& ask, Repeat repeat) const {
  const Resources size = normalize(ask.capability, app.leaf->spec.maximum_allocation);
  const auto [from, to] = app.tagged.equal_range({ask.priority, ask.request_id});
  std::size_t looked_at = 0;
  for (auto at = from; at != to && looked_at < kSameIdMax; ++at, ++looked_at) {
    const Tagged& known = *at->second->tagged;
    const bool same_constraint = known.own == ask.constraint ||
                                 (known.own && ask.constraint && *known.own == *ask.constraint);
    const bool same = same_constraint && *tags_.tags_of(known.tags) == ask.tags &&
                      caps_.size(at->second->cap) == size;
    if (same || repeat == Repeat::kReplaces) return same ? at->second : nullptr;
  }
  return nullptr;
}

Result<void> Scheduler::Impl::check_tagged(const App& app, std::span<const TaggedAsk> asks,
                                           Repeat repeat) const {
  for (const TaggedAsk& ask : asks) {
    if (!ask.guaranteed) {
      return refuse_tagged(ErrorCode::kUnsupported, "Only GUARANTEED execution type is supported.");
    }
    if (ask.num_allocations < 0) {
      return refuse_tagged(
          ErrorCode::kInvalidArgument,
          fmt::format("numAllocation in ResourceSizing field must be >= 0, updating "
                      "schedulingRequest failed. It is {}",
                      ask.num_allocations));
    }
    RETURN_IF_ERROR(check_tags(ask.tags));
    if (ask.constraint) {
      RETURN_IF_ERROR(queues::check(*ask.constraint));
      if (const auto label = partition_of(*ask.constraint)) {
        RETURN_IF_ERROR(check_label(*app.leaf, *label));
      }
    }
    const std::pair key{ask.priority, ask.request_id};
    const std::size_t known = app.tagged.count(key);
    if (repeat == Repeat::kReplaces && known > 0 && find_tagged(app, ask, repeat) == nullptr) {
      return refuse_tagged(
          ErrorCode::kInvalidArgument,
          fmt::format("Invalid updated SchedulingRequest added to scheduler,  we only allows "
                      "changing numAllocations for the updated SchedulingRequest. Priority {} and "
                      "allocation request id {} are in use, if any fields need to be updated, "
                      "please cancel the old request (by setting numAllocations to 0) and send a "
                      "SchedulingRequest with different combination of priority/allocationId",
                      ask.priority, ask.request_id));
    }
    if (known >= kSameIdMax && find_tagged(app, ask, repeat) == nullptr) {
      return refuse_tagged(
          ErrorCode::kLimitExceeded,
          fmt::format("{} scheduling requests have the priority {} and the allocation request id "
                      "{}, no more may; give each its own id",
                      known, ask.priority, ask.request_id));
    }
  }
  if (app.tagged.size() + asks.size() > kTaggedMax) {
    return refuse_tagged(
        ErrorCode::kLimitExceeded,
        fmt::format("{} has {} outstanding scheduling requests and sends {} more; {} are the most",
                    to_string(app.id), app.tagged.size(), asks.size(), kTaggedMax));
  }
  return {};
}

AskGroup& Scheduler::Impl::add_tagged(App& app, const TaggedAsk& ask) {
  // Ids below those of plain asks: no two groups are one.
  const auto own_id =
      std::numeric_limits<std::int64_t>::min() + 1 + static_cast<std::int64_t>(next_serial_);
  AskGroup& group = group_of(app, ask.priority, own_id);
  group.tagged = std::make_unique<Tagged>();
  Tagged& tagged = *group.tagged;
  tagged.request_id = ask.request_id;
  tagged.own = ask.constraint;
  tagged.all = ask.constraint;
  if (ask.tags.size() == 1) {
    const auto of_app = app.constraints.find(ask.tags.front());
    if (of_app != app.constraints.end()) tagged.all = both(ask.constraint, of_app->second);
  }
  tagged.tags =
      tags_.make(app.id, std::make_shared<const std::vector<std::string>>(ask.tags), app.tags);
  app.tagged.emplace(std::pair{ask.priority, ask.request_id}, &group);
  const auto label = tagged.all ? partition_of(*tagged.all) : std::nullopt;
  group.cap = caps_.acquire(partition_for(*app.leaf, label),
                            normalize(ask.capability, app.leaf->spec.maximum_allocation));
  group.has_cap = true;
  return group;
}

void Scheduler::Impl::take_tagged(App& app, const TaggedAsk& ask, Repeat repeat) {
  AskGroup* group = find_tagged(app, ask, repeat);
  const std::int32_t before =
      group != nullptr && repeat == Repeat::kAdds ? group->total : std::int32_t{0};
  const std::int32_t total =
      std::min(kAllocationsMax, std::min(ask.num_allocations, kAllocationsMax) + before);
  if (group == nullptr && total == 0) return;
  if (group != nullptr && total == 0) return erase_group(*group);
  if (group == nullptr) group = &add_tagged(app, ask);
  unpark(*group);
  if (total > group->total) group->waits_since_ms = now_ms_;
  group->total = total;
  group->tagged->tries = 0;
  group->tagged->asked = ask.asked;
  new_need_ = new_need_ || caps_.roomless(group->cap);
  trim_claims(*group);
  sync_group(*group);
  count_pending(*group);
}

Result<void> Scheduler::Impl::update_tagged(App& app, std::span<const TaggedAsk> asks,
                                            Repeat repeat) {
  RETURN_IF_ERROR(check_tagged(app, asks, repeat));
  for (const TaggedAsk& ask : asks)
    take_tagged(app, ask, repeat);
  return {};
}

void Scheduler::Impl::forget_tagged(AskGroup& group) {
  tags_.let_go(group.tagged->tags);
  auto& all = group.app->tagged;
  const auto [from, to] = all.equal_range({group.priority, group.tagged->request_id});
  const auto mine = std::find_if(from, to, [&](const auto& one) { return one.second == &group; });
  if (mine != to) all.erase(mine);
}

std::vector<GivenUp> Scheduler::Impl::give_up(App& app, std::int32_t tries_max) {
  std::vector<AskGroup*> over;
  for (const auto& [key, group] : app.tagged) {
    Tagged& tagged = *group->tagged;
    if (tagged.all && next_part_ms(*tagged.all, waited(*group))) continue;
    if (++tagged.tries >= tries_max) over.push_back(group);
  }
  std::vector<GivenUp> out;
  for (AskGroup* group : over) {
    const bool placeable = find_spot(*group).slot != NodeIndex::kNone;
    out.push_back({group->tagged->asked, group->total, placeable});
    erase_group(*group);
  }
  return out;
}

// --- where it may go

ConstraintCheck::Waited Scheduler::Impl::waited(const AskGroup& group) const {
  return {std::max<std::int64_t>(now_ms_ - group.waits_since_ms, 0),
          static_cast<std::int64_t>(nodes_.count())};
}

ConstraintCheck Scheduler::Impl::check_for(const AskGroup& group) const {
  return {*group.tagged->all, group.app->id, tags_, waited(group)};
}

ConstraintCheck::Node Scheduler::Impl::facts_of(NodeIndex::Slot slot) const {
  const NodeIndex::Node& node = nodes_.at(slot);
  const auto attributes = attributes_.find(slot);
  return {slot, node.rack, partitions_[node.partition].name,
          attributes == attributes_.end() ? nullptr : &attributes->second};
}

bool Scheduler::Impl::satisfied(const AskGroup& group, NodeIndex::Slot slot) const {
  return !group.tagged || !group.tagged->all || check_for(group).holds(facts_of(slot));
}

NodeIndex::Slot Scheduler::Impl::find_among(const AskGroup& group,
                                            const ConstraintCheck& constraint,
                                            const ConstraintCheck::Only& only) const {
  const Resources& size = caps_.size(group.cap);
  const auto allowed = [&](const NodeIndex::Node& node) {
    return !blacklisted(*group.app, node) && may_use(node.partition, group.cap) &&
           constraint.holds(facts_of(nodes_.slot_at(node)));
  };
  for (const NodeIndex::Slot slot : only.nodes) {
    if (nodes_.fits(slot, size) && allowed(nodes_.at(slot))) return slot;
  }
  for (const std::string& rack : only.racks) {
    const NodeIndex::Slot slot = nodes_.find_in_rack(rack, size, allowed);
    if (slot != NodeIndex::kNone) return slot;
  }
  return NodeIndex::kNone;
}

// --- when to look again

void Scheduler::Impl::watch_constraint(AskGroup& group) {
  Tagged& tagged = *group.tagged;
  if (!tagged.all) return;
  tagged.watched = watched_keys(*tagged.all, group.app->id);
  for (const TagKey& key : tagged.watched)
    lots_.by_tag[key].emplace(group.serial, &group);
  if (const auto next = next_part_ms(*tagged.all, waited(group))) {
    tagged.due_ms = group.waits_since_ms + *next;
    lots_.by_time.emplace(std::pair{*tagged.due_ms, group.serial}, &group);
  }
}

void Scheduler::Impl::unwatch_constraint(AskGroup& group) {
  Tagged& tagged = *group.tagged;
  for (const TagKey& key : std::exchange(tagged.watched, {})) {
    const auto watchers = lots_.by_tag.find(key);
    if (watchers == lots_.by_tag.end()) continue;
    watchers->second.erase(group.serial);
    if (watchers->second.empty()) lots_.by_tag.erase(watchers);
  }
  if (tagged.due_ms) lots_.by_time.erase({*tagged.due_ms, group.serial});
  tagged.due_ms.reset();
}

void Scheduler::Impl::wake_delayed() {
  while (!lots_.by_time.empty() && lots_.by_time.begin()->first.first <= now_ms_)
    unpark(*lots_.by_time.begin()->second);
}

void Scheduler::Impl::wake_all_delayed() {
  while (!lots_.by_time.empty())
    unpark(*lots_.by_time.begin()->second);
}

void Scheduler::Impl::count_tags(TagSetId tags, NodeIndex::Slot slot, int change) {
  tags_.count(tags, slot, nodes_.at(slot).rack, change);
}

void Scheduler::Impl::count_tags_on(NodeIndex::Slot slot, int change) {
  for (auto at = holds_.first_on(slot); at != HoldTable::kNone; at = holds_.next_on_node(at)) {
    if (holds_.at(at).tags != 0) count_tags(holds_.at(at).tags, slot, change);
  }
}

void Scheduler::Impl::tags_on_changed(const std::vector<HoldTable::Index>& holds,
                                      NodeIndex::Slot slot, const std::string& rack) {
  for (const HoldTable::Index hold : holds) {
    if (holds_.at(hold).tags != 0) tags_changed(holds_.at(hold).tags, slot, rack);
  }
}

/// One of them came or went: whoever looks at it may go there now, or into that rack.
void Scheduler::Impl::tags_changed(TagSetId tags, NodeIndex::Slot slot, const std::string& rack) {
  if (lots_.by_tag.empty()) return;
  std::map<std::uint64_t, AskGroup*> woken;
  std::map<std::uint64_t, AskGroup*> claiming;
  for (const TagKey& key : tags_.keys_of(tags)) {
    const auto watchers = lots_.by_tag.find(key);
    if (watchers == lots_.by_tag.end()) continue;
    for (const auto& [serial, group] : watchers->second) {
      if (!group->claims.empty()) claiming.emplace(serial, group);
      if (!woken.contains(serial) && may_go_now(*group, slot, rack)) woken.emplace(serial, group);
    }
  }
  for (const auto& [serial, group] : woken)
    unpark(*group);
  for (const auto& [serial, group] : claiming)
    drop_claims_without_place(*group);
}

bool Scheduler::Impl::may_go_now(const AskGroup& group, NodeIndex::Slot slot,
                                 const std::string& rack) const {
  const Resources& size = caps_.size(group.cap);
  const ConstraintCheck constraint = check_for(group);
  const auto allowed = [&](const NodeIndex::Node& node) {
    return serves(node.partition, caps_.partition(group.cap)) && !blacklisted(*group.app, node) &&
           constraint.holds(facts_of(nodes_.slot_at(node)));
  };
  if (slot != NodeIndex::kNone && nodes_.fits(slot, size) && allowed(nodes_.at(slot))) return true;
  return looks_at_racks(*group.tagged->all) &&
         nodes_.find_in_rack(rack, size, allowed) != NodeIndex::kNone;
}

void Scheduler::Impl::set_attributes(NodeIndex::Slot slot, NodeAttributes attributes) {
  if (attributes.empty()) {
    attributes_.erase(slot);
  } else {
    attributes_[slot] = std::move(attributes);
  }
  const auto claims = claims_on_.find(slot);
  std::vector<AskGroup*> claiming;
  if (claims != claims_on_.end()) {
    for (const ClaimId id : claims->second)
      claiming.push_back(claims_.at(id).group);
  }
  for (AskGroup* group : claiming)
    drop_claims_without_place(*group);
  wake_for(slot);
}

// --- the public face

void Scheduler::set_node_attributes(const NodeId& node, NodeAttributes attributes) {
  const NodeIndex::Slot slot = impl_->nodes_.slot_of(node);
  if (slot != NodeIndex::kNone) impl_->set_attributes(slot, std::move(attributes));
}

void Scheduler::set_app_tags(const AppId& id, const std::vector<std::string>& tags) {
  App* app = impl_->find_app(id);
  if (app == nullptr) return;
  app->tags = tags.empty() ? nullptr : std::make_shared<const std::vector<std::string>>(tags);
}

void Scheduler::set_app_constraints(const AppId& id,
                                    std::map<std::string, ConstraintPtr, std::less<>> by_tag) {
  if (App* app = impl_->find_app(id)) app->constraints = std::move(by_tag);
}

Result<void> Scheduler::update_tagged_asks(const AttemptId& attempt,
                                           std::span<const TaggedAsk> asks, Repeat repeat) {
  App* app = impl_->find_attempt(attempt);
  if (app == nullptr) {
    return fail(ErrorCode::kNotFound, to_string(attempt) + " is not running",
                ErrorSubject::kAttempt);
  }
  return impl_->update_tagged(*app, asks, repeat);
}

std::vector<GivenUp> Scheduler::give_up_tagged(const AttemptId& attempt, std::int32_t tries_max) {
  App* app = impl_->find_attempt(attempt);
  return app == nullptr || app->tagged.empty() ? std::vector<GivenUp>{}
                                               : impl_->give_up(*app, tries_max);
}

std::optional<std::int64_t> Scheduler::next_part_due_ms() const {
  if (impl_->lots_.by_time.empty()) return std::nullopt;
  return impl_->lots_.by_time.begin()->first.first;
}

}  // namespace heddle::queues
