// A look of preemption: what each queue should have, and who is owed something by other queues.
// docs/design/0008-preemption.md
#include "queues/preemption.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "queues/scheduler_impl.h"
#include "queues/shares.h"

namespace heddle::queues {
namespace {

// A guarantee that comes out a hair below whole containers is meant to be these.
constexpr double kNoMore = 1 + 1e-9;
// Of the asks of a leaf that wait for certain nodes so many are looked at, the oldest first.
constexpr int kParkedLookedAt = 16;
// In one look, besides the first of each leaf.
constexpr int kTriesInVain = 64;

}  // namespace

// What each queue and everything below it wants of a partition, at most its maximum; then what it
// should have, from the root down.
void Scheduler::Impl::compute_ideals(PartitionId partition) {
  for (auto it = queues_.rbegin(); it != queues_.rend(); ++it) {
    Queue& queue = **it;
    QueuePart& part = queue.parts[partition];
    for (std::size_t i = 0; i < types_; ++i) {
      double wanted = 0;
      if (queue.leaf) {
        wanted = static_cast<double>(part.used.amount[i]) +
                 std::max(0.0, static_cast<double>(part.pending.amount[i]));
      }
      for (const auto& child : queue.children)
        wanted += child->parts[partition].wanted[i];
      part.wanted[i] = std::min(wanted, static_cast<double>(part.maximum.amount[i]));
    }
  }
  for (std::size_t i = 0; i < types_; ++i)
    root_->parts[partition].ideal[i] = static_cast<double>(nodes_.total(partition).amount[i]);
  std::vector<Sharer> sharers;
  for (Queue* queue : queues_) {  // parents come first
    for (std::size_t i = 0; i < types_ && !queue->children.empty(); ++i) {
      sharers.clear();
      for (const auto& child : queue->children) {
        const QueuePart& part = child->parts[partition];
        sharers.push_back({part.guarantee[i], part.wanted[i], 0});
      }
      share_out(queue->parts[partition].ideal[i], sharers);
      for (std::size_t at = 0; at < sharers.size(); ++at)
        queue->children[at]->parts[partition].ideal[i] = sharers[at].share;
    }
  }
}

/// `used` over the guarantee, of the fullest type.
double Scheduler::Impl::ratio_of(const QueuePart& part, const Resources& used) const {
  double most = 0;
  for (std::size_t i = 0; i < types_; ++i) {
    if (used.amount[i] <= 0) continue;
    const double guarantee = part.guarantee[i];
    most = std::max(most, guarantee > 0 ? static_cast<double>(used.amount[i]) / guarantee
                                        : std::numeric_limits<double>::infinity());
  }
  return most;
}

/// Of what it should have, and wants, as one number.
double Scheduler::Impl::lacking(const Queue& leaf, PartitionId partition, Purpose purpose) const {
  const QueuePart& part = leaf.parts[partition];
  Resources missing;
  for (std::size_t i = 0; i < types_; ++i) {
    const double goal =
        purpose == Purpose::kBalance ? part.ideal[i] : std::min(part.guarantee[i], part.wanted[i]);
    const auto whole = static_cast<std::int64_t>(std::floor(goal + 1e-6));
    missing.amount[i] =
        std::max<std::int64_t>(whole - part.used.amount[i] - part.claimed.amount[i], 0);
  }
  return measure(missing, partition);
}

/// With one container more, and all that is claimed for it, it is no further than it should be.
bool Scheduler::Impl::may_grow(const Queue& queue, const Need& need) const {
  const QueuePart& part = queue.parts[caps_.partition(need.group->cap)];
  const Resources then = part.used + part.claimed + need.more;
  if (need.purpose != Purpose::kBalance) return ratio_of(part, then) <= kNoMore;
  for (std::size_t i = 0; i < types_; ++i) {
    if (static_cast<double>(then.amount[i]) > part.ideal[i] * kNoMore) return false;
  }
  return true;
}

/// The group that this leaf would serve next if there were room for it, and that a claim of its
/// keeps within its guarantee. `in_this_look`: of those that have not been passed by in it.
AskGroup* Scheduler::Impl::owed_group(Queue& queue, PartitionId partition, Purpose purpose,
                                      bool in_this_look) {
  AskGroup* found = nullptr;
  Place best;
  const auto is_owed = [&](AskGroup* group) {
    if (in_this_look && group->next_look > look_) return false;
    return std::cmp_less(group->claims.size(), group->total) &&
           may_grow(queue, {group, purpose, caps_.size(group->cap), {}});
  };
  for (Demand<User>& row : queue.leaf->demand.rows) {
    if (caps_.partition(row.cap) != partition || row.ready.empty() || !caps_.roomless(row.cap)) {
      continue;
    }
    const auto user = row.ready.front();
    if (found != nullptr && !(user.place < best)) continue;
    App* app = user.child->demand.find(row.cap)->ready.front().child;
    AskGroup* group = app->demand.find(row.cap)->ready.front().child;
    if (!is_owed(group)) continue;
    found = group;
    best = user.place;
  }
  const auto parked = parked_in_.find(&queue);
  if (parked == parked_in_.end()) return found;
  int looked_at = 0;
  for (const auto& [serial, group] : parked->second) {
    if (caps_.partition(group->cap) != partition) continue;
    if (in_this_look && group->next_look > look_) continue;
    if (++looked_at > kParkedLookedAt) break;
    const Place place = group->app->place();
    if (found != nullptr && !(place < best)) continue;
    if (!is_servable(*group) || !is_owed(group)) continue;
    found = group;
    best = place;
  }
  return found;
}

/// Those behind it come next. What waits for certain nodes is asked about less often each time.
void Scheduler::Impl::pass_by(AskGroup& group) {
  if (!group.parked && is_choosy(group)) park(group, names_of(group));
  group.next_look = look_ + (group.parked ? 1ULL << std::min(group.refused_looks, 3U) : 1ULL);
  ++group.refused_looks;
}

/// By the order of the children of the parent that both have, as the scheduler serves them.
bool Scheduler::Impl::is_served_before(const Queue* a, const Queue* b,
                                       PartitionId partition) const {
  const auto depth = [](const Queue* queue) {
    int count = 0;
    for (; queue->parent != nullptr; queue = queue->parent)
      ++count;
    return count;
  };
  int down_a = depth(a);
  int down_b = depth(b);
  for (; down_a > down_b; --down_a)
    a = a->parent;
  for (; down_b > down_a; --down_b)
    b = b->parent;
  for (; a->parent != b->parent; a = a->parent)
    b = b->parent;
  return a->place(partition) < b->place(partition);
}

void Scheduler::Impl::preempt_between(PartitionId partition, Purpose purpose,
                                      PreemptionRound& round) {
  std::vector<Queue*> owed;
  if (purpose == Purpose::kBalance) find_losers(partition);
  for (Queue* queue : queues_) {
    if (!queue->leaf) continue;
    LeafPart& leaf = queue->leaf->parts[partition];
    const bool is_owed = owed_group(*queue, partition, purpose, false) != nullptr;
    if (purpose == Purpose::kGuarantee) {
      if (!is_owed) leaf.owed_since_ms = -1;
      if (is_owed && leaf.owed_since_ms < 0) leaf.owed_since_ms = now_ms_;
      if (is_owed && now_ms_ - leaf.owed_since_ms < preemption_.patience_ms) continue;
    }
    if (is_owed) owed.push_back(queue);
  }
  if (owed.empty()) return;
  find_losers(partition);
  std::sort(owed.begin(), owed.end(),
            [&](const Queue* a, const Queue* b) { return is_served_before(a, b, partition); });
  const double part = preemption_.natural_termination;
  std::unordered_map<const Queue*, double> awaited;
  if (part < 1) awaited = awaited_by_leaf(partition);
  for (Queue* queue : owed) {
    // What somebody is going for already counts: as in Hadoop it is a part in each grace.
    double given = part < 1 ? awaited[queue] : 0;
    const double most = part * (lacking(*queue, partition, purpose) + given);
    bool in_vain = false;
    while (taken_this_round_ < round_limit_) {
      AskGroup* group = owed_group(*queue, partition, purpose, true);
      if (group == nullptr) break;
      const double size = measure(caps_.size(group->cap), partition);
      if (given > 0 && given * kNoMore >= most) break;
      if (preempt_for({group, purpose, caps_.size(group->cap), {}}, round)) {
        given += size;
        continue;
      }
      pass_by(*group);
      round.in_vain = true;
      if (std::exchange(in_vain, true) && --in_vain_left_ < 0) break;
    }
  }
}

/// Sizes of claims that somebody still has to go for.
std::unordered_map<const Queue*, double> Scheduler::Impl::awaited_by_leaf(
    PartitionId partition) const {
  std::unordered_map<const Queue*, double> out;
  for (const auto& [id, claim] : claims_) {
    const CapId cap = claim.group->cap;
    if (claim.purpose == Purpose::kInside || caps_.partition(cap) != partition) continue;
    if (awaits_victims(claim)) {
      out[claim.group->app->leaf] += measure(caps_.size(cap), partition);
    }
  }
  return out;
}

/// Room that is kept for a large container is completed by victims there.
void Scheduler::Impl::complete_reserved(PartitionId partition, PreemptionRound& round) {
  std::vector<ClaimId> reserved;
  for (const auto& [id, claim] : claims_) {
    if (claim.purpose == Purpose::kLarge && claim.victims.empty() &&
        caps_.partition(claim.group->cap) == partition)
      reserved.push_back(id);
  }
  if (!reserved.empty()) find_losers(partition);
  for (const ClaimId id : reserved) {
    if (taken_this_round_ >= round_limit_) return;
    const Claim& claim = claims_.at(id);
    const Need need{claim.group, Purpose::kGuarantee, {}, claim.held};
    if (!may_grow(*claim.group->app->leaf, need)) continue;
    const auto losses = losses_on(claim.node, need);
    if (!losses.empty()) warn_for(id, losses, round);
  }
}

/// What all should have and who may lose, once a look and only if somebody is owed something.
void Scheduler::Impl::find_losers(PartitionId partition) {
  if (std::exchange(losers_known_, true)) return;
  compute_ideals(partition);
  losers_.clear();
  for (Queue* queue : queues_) {
    QueuePart& part = queue->parts[partition];
    const Resources held = preemption_.count_reserved ? part.used + part.reserved : part.used;
    part.beyond_zone = ratio_of(part, held) > kNoMore + preemption_.ignored_over_capacity;
    if (queue->leaf && part.ratio > kNoMore) losers_.emplace_back(*queue);
  }
  std::sort(losers_.begin(), losers_.end(), [&](const Loser& a, const Loser& b) {
    return is_served_before(b.queue, a.queue, partition);
  });
}

void Scheduler::Impl::preempt_in(PartitionId partition, PreemptionRound& round) {
  losers_known_ = false;
  inside_loser_.reset();
  taken_this_round_ = 0;
  round_limit_ =
      preemption_.total_per_round * std::max(measure(nodes_.total(partition), partition), 1e-9);
  if (preemption_.for_reserved) complete_reserved(partition, round);
  preempt_between(partition, Purpose::kGuarantee, round);
  if (preemption_.balance) preempt_between(partition, Purpose::kBalance, round);
  if (preemption_.inside) preempt_inside(partition, round);
}

PreemptionRound Scheduler::Impl::preempt() {
  if (capacities_stale_) refresh_capacities();
  PreemptionRound round;
  ledger_.begin_look();
  ++look_;
  new_need_ = false;
  in_vain_left_ = kTriesInVain;
  if (preemption_.enabled) {
    for (PartitionId at = 0; at < partitions_.size(); ++at) {
      if (!nodes_.total(at).is_zero()) preempt_in(at, round);
    }
  }
  forget_observed();
  warned_before_.clear();
  for (const auto& [id, claim] : claims_) {
    const std::int64_t grace =
        claim.purpose == Purpose::kBalance ? preemption_.balance_grace_ms : preemption_.grace_ms;
    for (const HoldId victim : claim.victims) {
      const HoldTable::Index index = holds_.find(victim);
      if (index == HoldTable::kNone || now_ms_ - holds_.at(index).warned_ms < grace) continue;
      round.overdue.push_back(victim);
    }
  }
  round.spared = std::exchange(spared_, {});
  std::erase_if(round.spared, [&](HoldId hold) {  // ended since, or marked again
    const HoldTable::Index index = holds_.find(hold);
    return index == HoldTable::kNone || holds_.at(index).marked;
  });
  return round;
}

/// Claims that observe_only keeps from being.
void Scheduler::Impl::forget_observed() {
  for (const ClaimId id : std::exchange(observed_, {})) {
    Claim& claim = claims_.at(id);
    for (const HoldId victim : std::exchange(claim.victims, {}))
      set_leaving(holds_.find(victim), false);
    if (claim.purpose != Purpose::kLarge) drop_claim(id);
  }
}

void Scheduler::Impl::remember_warnings() {
  for (const auto& [id, claim] : claims_) {
    for (const HoldId victim : claim.victims) {
      const HoldTable::Index index = holds_.find(victim);
      if (index != HoldTable::kNone) warned_before_[victim] = holds_.at(index).warned_ms;
    }
  }
}

}  // namespace heddle::queues
