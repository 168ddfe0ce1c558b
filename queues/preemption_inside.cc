// Inside a queue: a user below its limit, or an application of higher priority, is owed something
// by others in the queue. docs/design/0008-preemption.md
#include <algorithm>
#include <limits>

#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

// So many waiters of a queue that get nothing are looked at in one look.
constexpr int kRefusedMax = 16;

}  // namespace

void Scheduler::Impl::preempt_inside(PartitionId partition, PreemptionRound& round) {
  for (Queue* queue : queues_) {
    if (!queue->leaf) continue;
    if (queue->spec.disable_inside_preemption ||
        queue->parts[partition].ratio < preemption_.inside_threshold ||
        !has_losers(*queue, partition)) {
      queue->leaf->parts[partition].inside_since_ms = -1;
    } else {
      preempt_inside(*queue, partition, round);
    }
  }
}

/// O(users), so that waiting applications of equals are not looked at.
bool Scheduler::Impl::has_losers(const Queue& queue, PartitionId partition) const {
  const auto& apps = queue.leaf->apps;
  if (queue.spec.app_order == AppOrder::kFifo && !apps.empty() &&
      apps.begin()->second->priority != apps.rbegin()->second->priority) {
    return true;
  }
  if (preemption_.inside_order == InsideOrder::kPriorityFirst) return false;
  const double limit = measure(std::as_const(queue.leaf->parts)[partition].user_limit, partition);
  return std::ranges::any_of(queue.leaf->users, [&](const auto& entry) {
    const UserPart& part = std::as_const(entry.second->parts)[partition];
    return measure(part.used, partition) / entry.second->weight > limit;
  });
}

void Scheduler::Impl::preempt_inside(Queue& queue, PartitionId partition, PreemptionRound& round) {
  LeafPart& leaf = queue.leaf->parts[partition];
  const std::vector<AskGroup*> waiting = waiting_inside(queue, partition);
  if (waiting.empty()) leaf.inside_since_ms = -1;
  if (waiting.empty()) return;
  if (leaf.inside_since_ms < 0) leaf.inside_since_ms = now_ms_;
  if (now_ms_ - leaf.inside_since_ms < preemption_.patience_ms) return;
  const QueuePart& part = queue.parts[partition];
  const Resources& whole = part.guaranteed.is_zero() ? part.used : part.guaranteed;
  const double limit = std::min(
      round_limit_, taken_this_round_ + preemption_.inside_per_round * measure(whole, partition));
  int refused = 0;
  for (AskGroup* group : waiting) {
    const Need need{group, Purpose::kInside, caps_.size(group->cap), {}};
    bool given = false;
    while (taken_this_round_ < limit && is_owed_inside(*group) && preempt_for(need, round))
      given = true;
    if (taken_this_round_ >= limit || (!given && ++refused == kRefusedMax)) return;
  }
}

/// Asks that find no room and are owed it by somebody in the queue, in the order in which their
/// applications are served.
std::vector<AskGroup*> Scheduler::Impl::waiting_inside(const Queue& queue,
                                                       PartitionId partition) const {
  for (const auto& [name, user] : queue.leaf->users)
    user->lowest_holding = std::numeric_limits<std::int32_t>::max();
  for (const auto& [place, app] : queue.leaf->apps) {
    if (app->containers > 0) {
      app->user->lowest_holding = std::min(app->user->lowest_holding, app->priority);
    }
  }
  std::vector<AskGroup*> waiting;
  for (const auto& [name, user] : queue.leaf->users) {
    for (const Demand<App>& row : user->demand.rows) {
      if (caps_.partition(row.cap) != partition) continue;
      for (const auto& [place, app] : row.ready.entries()) {
        AskGroup* group = app->demand.find(row.cap)->ready.front().child;
        if (is_blocked(*group) && is_owed_inside(*group)) waiting.push_back(group);
      }
    }
  }
  const auto parked = parked_in_.find(&queue);
  if (parked != parked_in_.end()) {
    int looked_at = 0;
    for (const auto& [serial, group] : parked->second) {
      if (caps_.partition(group->cap) != partition || !group->app->active) continue;
      if (++looked_at > kRefusedMax) break;
      if (is_owed_inside(*group)) waiting.push_back(group);
    }
  }
  std::sort(waiting.begin(), waiting.end(), [](const AskGroup* a, const AskGroup* b) {
    if (a->app != b->app) return a->app->place() < b->app->place();
    return a->place() < b->place();
  });
  return waiting;
}

bool Scheduler::Impl::is_blocked(const AskGroup& group) const {
  const PartitionId partition = caps_.partition(group.cap);
  bool blocked = caps_.roomless(group.cap) || std::as_const(group.app->user->parts)[partition].over;
  for (const Queue* at = group.app->leaf; at != nullptr; at = at->parent)
    blocked = blocked || !has_room(*at, partition, caps_.size(group.cap));
  return blocked;
}

/// With one container more, and all that is claimed for it, its user is no further than its limit.
bool Scheduler::Impl::gains_within_limit(const AskGroup& group) const {
  const PartitionId partition = caps_.partition(group.cap);
  const UserPart& user = std::as_const(group.app->user->parts)[partition];
  const LeafPart& leaf = std::as_const(group.app->leaf->leaf->parts)[partition];
  const Resources then = user.used + user.claimed + caps_.size(group.cap);
  return measure(then, partition) / group.app->user->weight <= measure(leaf.user_limit, partition);
}

bool Scheduler::Impl::is_owed_inside(const AskGroup& group) const {
  if (std::cmp_greater_equal(group.claims.size(), group.total)) return false;
  if (gains_within_limit(group)) return true;
  // At its limit already: only what others of its own applications hold can be for it.
  const App& app = *group.app;
  if (app.leaf->spec.app_order != AppOrder::kFifo) return false;
  return app.user->lowest_holding < app.priority;
}

/// A user never falls below its limit, but for an application of its own.
bool Scheduler::Impl::may_lose_inside(const Hold& hold, const AskGroup& winner) const {
  const App& app = *winner.app;
  const App& loser = *hold.app;
  if (loser.leaf != app.leaf) return false;
  const bool by_priority =
      app.leaf->spec.app_order == AppOrder::kFifo && loser.priority < app.priority;
  if (loser.user == app.user) return by_priority;
  if (preemption_.inside_order == InsideOrder::kPriorityFirst && !by_priority) return false;
  const UserPart& user = std::as_const(loser.user->parts)[hold.partition];
  const LeafPart& leaf = std::as_const(loser.leaf->leaf->parts)[hold.partition];
  const Resources left = user.used - user.leaving - hold.size;
  return gains_within_limit(winner) && measure(left, hold.partition) / loser.user->weight >=
                                           measure(leaf.user_limit, hold.partition);
}

/// Its queues are within their maxima and its user is at its limit at most when all who are marked
/// have gone and all who are claimed for have come.
bool Scheduler::Impl::limits_allow(const Need& need) const {
  if (need.purpose != Purpose::kInside) return true;
  const PartitionId partition = caps_.partition(need.group->cap);
  const UserPart& user = std::as_const(need.group->app->user->parts)[partition];
  const LeafPart& leaf = std::as_const(need.group->app->leaf->leaf->parts)[partition];
  for (const Queue* at = need.group->app->leaf; at != nullptr; at = at->parent) {
    const QueuePart& part = at->parts[partition];
    if (within(part.used - part.leaving + part.claimed + need.more, part.maximum)) continue;
    if (!within(nodes_.total(partition), part.maximum)) return false;
  }
  return measure(user.used - user.leaving + user.claimed, partition) /
             need.group->app->user->weight <=
         measure(leaf.user_limit, partition);
}

}  // namespace heddle::queues
