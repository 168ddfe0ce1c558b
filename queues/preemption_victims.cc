// Where a container that is owed could go, and who has to go there. docs/design/0008-preemption.md
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <span>
#include <tuple>

#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

// A claim looks at this many nodes at most, those of the cheapest candidates, and takes the one
// where the least is lost.
constexpr std::size_t kNodesCompared = 16;
constexpr int kContainersLookedAt = 4096;
// A guarantee that comes out a hair above whole containers is meant to be these.
constexpr double kFull = 1 + 1e-9;
constexpr double kNotFull = 1 - 1e-9;

}  // namespace

/// Whatever else is taken in this look, it stays, or is marked already.
bool Scheduler::Impl::is_settled(const Hold& hold, Purpose purpose) const {
  if (hold.app == nullptr || hold.marked || hold.bare) return true;
  if (!hold.app->attempt) return true;  // between two attempts: nobody there to be warned
  if (now_ms_ - hold.started_ms < preemption_.minimum_run_ms) return true;
  const std::int64_t since_loss = now_ms_ - hold.app->last_loss_ms;
  if (since_loss != 0 && since_loss < preemption_.cooldown_ms) return true;
  return hold.is_am && (purpose == Purpose::kInside || !master_may_go(hold));
}

// Between queues, up to where the two meet: the winner's queues stay within what they should have,
// the loser's at or above it. So nothing is ever owed back.
bool Scheduler::Impl::may_lose(const Hold& hold, const Need& need) const {
  const App& winner = *need.group->app;
  if (is_settled(hold, need.purpose) || hold.app == &winner) return false;
  if (need.purpose == Purpose::kInside) return may_lose_inside(hold, *need.group);
  const auto holds_both = [&](const Queue* queue) {
    const Queue* at = winner.leaf;
    while (at != nullptr && at != queue)
      at = at->parent;
    return at != nullptr;
  };
  const Queue* loser = hold.app->leaf;
  for (; !holds_both(loser); loser = loser->parent) {
    if (loser->spec.disable_preemption || !may_shrink(*loser, hold, need.purpose)) return false;
  }
  if (loser->leaf) return false;  // the same leaf
  for (const Queue* at = winner.leaf; at != loser; at = at->parent) {
    if (!may_grow(*at, need)) return false;
  }
  return true;
}

/// In a look that found it above by more than is ignored, as in Hadoop: from there it is taken down
/// to the guarantee.
bool Scheduler::Impl::is_above_guarantee(const QueuePart& part, const Resources& held) const {
  return part.beyond_zone && ratio_of(part, held) > kFull;
}

/// And above its share, unless that is not asked for just now.
bool Scheduler::Impl::has_too_much(const QueuePart& part, const Resources& held) const {
  if (!is_above_guarantee(part, held)) return false;
  if (beyond_shares_) return true;
  for (std::size_t i = 0; i < types_; ++i) {
    if (static_cast<double>(held.amount[i]) > part.ideal[i] + 1e-6) return true;
  }
  return false;
}

Resources Scheduler::Impl::staying(const QueuePart& part) const {
  const Resources held = part.used - part.leaving;
  return preemption_.count_reserved ? held + part.reserved : held;
}

// For a guarantee the last one that goes may lie across the share: what is left is the guarantee at
// least, so nothing is owed back. Of many that are a part of one container above their shares none
// could lose anything else.
bool Scheduler::Impl::may_shrink(const Queue& queue, const Hold& hold, Purpose purpose) const {
  const QueuePart& part = queue.parts[hold.partition];
  const Resources held = staying(part);
  const Resources left = held - hold.size;
  if (!has_too_much(part, held)) return false;
  const auto types = std::span(part.guarantee).first(types_);
  const bool is_guaranteed = std::ranges::any_of(types, [](double one) { return one > 0; });
  if (is_guaranteed && ratio_of(part, left) < kNotFull) return false;
  for (std::size_t i = 0; i < types_ && preemption_.every_type; ++i) {
    if (static_cast<double>(left.amount[i]) < part.guarantee[i] * kNotFull) return false;
  }
  bool above = purpose != Purpose::kBalance;
  for (std::size_t i = 0; i < types_ && !above; ++i)
    above = static_cast<double>(left.amount[i]) >= part.ideal[i] - 1e-6;
  return above;
}

/// AMs beyond the share of AMs only, as they are after that share was made smaller; never the last.
bool Scheduler::Impl::master_may_go(const Hold& hold) const {
  const LeafPart& leaf = std::as_const(hold.app->leaf->leaf->parts)[hold.partition];
  const Resources left = leaf.am_used - leaf.am_leaving - hold.size;
  return measure(left, hold.partition) > 0 &&
         measure(left, hold.partition) >= measure(leaf.am_limit, hold.partition);
}

/// Work that is lost: size times the time it has run.
double Scheduler::Impl::cost_of(const Hold& hold) const {
  const double seconds = static_cast<double>(std::max<std::int64_t>(now_ms_ - hold.started_ms, 0));
  return measure(hold.size, hold.partition) * (1 + seconds / 1000);
}

/// What has to go on that node so that the size fits, the cheapest first; empty: it cannot be done.
std::vector<HoldTable::Index> Scheduler::Impl::losses_on(NodeIndex::Slot slot, const Need& need) {
  struct Candidate {
    bool is_am = false;
    std::int32_t app_priority = 0;
    double cost = 0;
    HoldTable::Index index = HoldTable::kNone;
  };
  std::vector<Candidate> candidates;
  for (auto at = holds_.first_on(slot); at != HoldTable::kNone; at = holds_.next_on_node(at)) {
    const Hold& hold = holds_.at(at);
    if (may_lose(hold, need))
      candidates.push_back({hold.is_am, hold.app->priority, cost_of(hold), at});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.is_am, a.app_priority, a.cost, b.index) <
           std::tie(b.is_am, b.app_priority, b.cost, a.index);
  });
  const Resources& size = caps_.size(need.group->cap);
  Resources room = nodes_.at(slot).free() + need.held;
  const auto is_enough = [&] { return within(size, room) && limits_allow(need); };
  std::vector<HoldTable::Index> losses;
  for (const Candidate& candidate : candidates) {
    if (is_enough()) break;
    // Each one counts before the next is looked at: what it leaves may be the last that may go.
    if (!may_lose(holds_.at(candidate.index), need)) continue;
    set_leaving(candidate.index, true);
    losses.push_back(candidate.index);
    room += holds_.at(candidate.index).size;
  }
  for (auto it = losses.begin(); it != losses.end();) {  // the first may not be needed after all
    const Resources& its = holds_.at(*it).size;
    room -= its;
    set_leaving(*it, false);
    if (is_enough()) {
      it = losses.erase(it);
    } else {
      room += its;
      set_leaving(*it, true);
      ++it;
    }
  }
  const bool enough = is_enough();
  for (const HoldTable::Index index : losses)
    set_leaving(index, false);
  if (enough && !holds_without(*need.group, slot, losses)) return {};
  // The next container of a user above its limit would take what the first of several leaves.
  const PartitionId partition = caps_.partition(need.group->cap);
  const bool at_limit = std::as_const(need.group->app->user->parts)[partition].over;
  return enough && (!at_limit || losses.size() == 1) ? losses : std::vector<HoldTable::Index>{};
}

void Scheduler::Impl::set_leaving(HoldTable::Index index, bool leaving) {
  const Hold& hold = holds_.at(index);
  holds_.mark(index, leaving);
  count_leaving(*hold.app, hold, leaving);
}

void Scheduler::Impl::count_leaving(App& app, const Hold& hold, bool leaving) {
  const Resources change = leaving ? hold.size : Resources{} - hold.size;
  app.user->parts[hold.partition].leaving += change;
  if (hold.is_am) app.leaf->leaf->parts[hold.partition].am_leaving += change;
  for (Queue* at = app.leaf; at != nullptr; at = at->parent)
    at->parts[hold.partition].leaving += change;
}

Scheduler::Impl::Loser::Loser(const Queue& queue_in)
    : queue(&queue_in), app(queue_in.leaf->apps.rbegin()) {
  if (app != queue->leaf->apps.rend()) next = app->second->holds;
}

/// Past those of which none can be a candidate again in this look.
void Scheduler::Impl::skip_settled(Loser& loser, Purpose purpose) const {
  const auto end = loser.queue->leaf->apps.rend();
  while (loser.app != end) {
    while (loser.next != HoldTable::kNone && is_settled(holds_.at(loser.next), purpose))
      loser.next = holds_.next_of_app(loser.next);
    if (loser.next != HoldTable::kNone) return;
    if (++loser.app != end) loser.next = loser.app->second->holds;
  }
}

/// Compares nodes of this loser's candidates: its last served applications, their newest
/// containers. False: enough of them.
bool Scheduler::Impl::compare_nodes(Loser& loser, const Need& need, Comparison& so_far) {
  const AskGroup& group = *need.group;
  const PartitionId partition = caps_.partition(group.cap);
  skip_settled(loser, need.purpose);
  const auto end = loser.queue->leaf->apps.rend();
  auto at = loser.next;
  for (auto app = loser.app; app != end;) {
    for (; at != HoldTable::kNone; at = holds_.next_of_app(at)) {
      const Hold& hold = holds_.at(at);
      if (so_far.nodes.size() >= kNodesCompared) return false;
      if (hold.node == NodeIndex::kNone || hold.partition != partition) continue;
      if (++so_far.looks == kContainersLookedAt) return false;
      if (!may_lose(hold, need) || !may_go_to(group, hold.node)) continue;
      if (std::ranges::find(so_far.nodes, hold.node) != so_far.nodes.end()) continue;
      so_far.nodes.push_back(hold.node);
      if (!compare_node(hold.node, need, so_far)) return false;
    }
    if (++app != end) at = app->second->holds;
  }
  return true;
}

/// False: none can be cheaper. The cheapest candidates come first: where no more goes than is
/// needed, no other has to be looked at.
bool Scheduler::Impl::compare_node(NodeIndex::Slot slot, const Need& need, Comparison& so_far) {
  auto losses = losses_on(slot, need);
  if (losses.empty()) return true;
  const bool is_first = so_far.best == NodeIndex::kNone;
  double cost = 0;
  Resources lost;
  for (const HoldTable::Index index : losses) {
    cost += cost_of(holds_.at(index));
    lost += holds_.at(index).size;
  }
  if (cost >= so_far.cost) return true;
  so_far.best = slot;
  so_far.losses = std::move(losses);
  so_far.cost = cost;
  return !is_first || !within(lost, caps_.size(need.group->cap));
}

/// Nodes of those who may lose.
void Scheduler::Impl::compare_losers(const Need& need, Comparison& found) {
  if (need.purpose == Purpose::kInside) {
    const Queue& own = *need.group->app->leaf;
    if (!inside_loser_ || inside_loser_->queue != &own) inside_loser_.emplace(own);
    compare_nodes(*inside_loser_, need, found);
  } else {
    const PartitionId partition = caps_.partition(need.group->cap);
    for (auto loser = losers_.begin(); loser != losers_.end();) {
      const QueuePart& part = loser->queue->parts[partition];
      if (!is_above_guarantee(part, staying(part))) {
        loser = losers_.erase(loser);  // nor will it be in this look
        continue;
      }
      if (has_too_much(part, staying(part)) && !compare_nodes(*loser, need, found)) break;
      ++loser;
    }
  }
}

/// Where the least is lost.
Scheduler::Impl::Comparison Scheduler::Impl::compare(const Need& need) {
  Comparison found;
  const auto named = named_places(*need.group);
  if (!named) {
    compare_losers(need, found);
    return found;
  }
  int compared = 0;
  for (const NodeIndex::Slot slot : *named) {
    if (!may_go_to(*need.group, slot)) continue;
    if (!compare_node(slot, need, found) || std::cmp_equal(++compared, kNodesCompared)) break;
  }
  return found;
}

// Those above their shares come first. Where none of them can go (protected, elsewhere, parts of
// one container), a guarantee still comes before whatever others have beyond theirs.
bool Scheduler::Impl::preempt_for(const Need& need, PreemptionRound& round) {
  Comparison found = compare(need);
  if (found.best == NodeIndex::kNone && need.purpose == Purpose::kGuarantee) {
    beyond_shares_ = true;
    found = compare(need);
  }
  const bool beyond_shares = std::exchange(beyond_shares_, false);
  if (found.best == NodeIndex::kNone) return false;
  const std::size_t before = round.marked.size();
  warn_for(add_claim(*need.group, found.best, need.purpose), found.losses, round);
  for (std::size_t i = before; i < round.marked.size(); ++i)
    round.marked[i].beyond_shares = beyond_shares;
  return true;
}

/// They have to go for the claim.
void Scheduler::Impl::warn_for(ClaimId id, const std::vector<HoldTable::Index>& losses,
                               PreemptionRound& round) {
  Claim& claim = claims_.at(id);
  const AskGroup& group = *claim.group;
  const NodeId& node = nodes_.at(claim.node).id;
  LedgerEntry entry{.claim = id,
                    .waiter = group.app->id,
                    .node = node,
                    .size = caps_.size(group.cap),
                    .purpose = claim.purpose,
                    .needed_ms = group.waits_since_ms,
                    .warned_ms = now_ms_,
                    .victims = {}};
  for (const HoldTable::Index index : losses) {
    const Hold& hold = holds_.at(index);
    const HoldId victim = holds_.id_of(index);
    taken_this_round_ += measure(hold.size, hold.partition);
    round.marked.push_back({victim, *hold.app->attempt, node, hold.size, group.app->id,
                            claim.purpose,
                            reason_for({claim.group, claim.purpose, {}, {}}, *hold.app)});
    entry.victims.push_back(
        {victim, *hold.app->attempt, hold.size, now_ms_ - hold.started_ms, false});
    set_leaving(index, true);
    claim.victims.push_back(victim);
    if (preemption_.observe_only) continue;
    const auto before = warned_before_.find(victim);
    holds_.warn(index, id, before == warned_before_.end() ? now_ms_ : before->second);
    hold.app->last_loss_ms = now_ms_;
  }
  if (preemption_.observe_only) {
    ledger_.observe(std::move(entry));
    observed_.push_back(id);
    return;
  }
  ledger_.open(std::move(entry));
  fill_claims(claim.node);
}

std::string Scheduler::Impl::reason_for(const Need& need, const App& loser) const {
  const App& winner = *need.group->app;
  const std::string waits = fmt::format("{} of it waits for {}", to_string(winner.id),
                                        to_string(caps_.size(need.group->cap)));
  const std::string& queue = winner.leaf->spec.path.value();
  if (need.purpose == Purpose::kInside && loser.user == winner.user) {
    return fmt::format("in queue {} of priority {} {}", queue, winner.priority, waits);
  }
  if (need.purpose == Purpose::kInside) {
    return fmt::format("user {} is below its limit in queue {} and {}; user {} is above it",
                       winner.user_name.value(), queue, waits, loser.user_name.value());
  }
  return fmt::format("queue {} is below its {} and {}; queue {} is above its own", queue,
                     need.purpose == Purpose::kBalance ? "share" : "guarantee", waits,
                     loser.leaf->spec.path.value());
}

void Scheduler::Impl::carry_leaving(App& app, bool there) {
  for (auto at = app.holds; at != HoldTable::kNone; at = holds_.next_of_app(at)) {
    if (holds_.at(at).marked) count_leaving(app, holds_.at(at), there);
  }
}

/// It ended while it was marked.
void Scheduler::Impl::note_loss(HoldTable::Index index) {
  const Hold& hold = holds_.at(index);
  const auto found = claims_.find(hold.claim);
  if (!hold.marked || found == claims_.end()) return;
  Claim& claim = found->second;
  ledger_.lost(hold.claim, holds_.id_of(index), now_ms_ - hold.started_ms);
  if (claim.purpose != Purpose::kInside || hold.app == nullptr) return;
  if (hold.app->leaf == claim.group->app->leaf) keep_for(claim, hold.size);
}

/// The claim is gone; whoever still runs and was to go for it stays.
void Scheduler::Impl::spare(const Claim& claim) {
  for (const HoldId victim : claim.victims) {
    const HoldTable::Index index = holds_.find(victim);
    if (index == HoldTable::kNone || !holds_.at(index).marked) continue;
    if (holds_.at(index).app != nullptr) set_leaving(index, false);
    spared_.push_back(victim);
  }
}

}  // namespace heddle::queues
