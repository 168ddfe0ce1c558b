// Who is owed something, who may lose it, and where. docs/design/0008-preemption.md
#include "queues/preemption.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "queues/scheduler_impl.h"
#include "queues/shares.h"

namespace heddle::queues {
namespace {

// A claim looks at this many nodes at most, those of the cheapest candidates, and takes the one
// where the least is lost.
constexpr std::size_t kNodesCompared = 16;
constexpr int kContainersLookedAt = 4096;
// A guarantee that comes out a hair below whole containers is meant to be these.
constexpr double kFull = 1 + 1e-9;
constexpr double kNotFull = 1 - 1e-9;

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

/// The group that this leaf would serve next if there were room for it, and that a claim of its
/// keeps within its guarantee.
AskGroup* Scheduler::Impl::owed_group(Queue& queue, PartitionId partition) {
  AskGroup* found = nullptr;
  Place best;
  for (Demand<User>& row : queue.leaf->demand.rows) {
    if (caps_.partition(row.cap) != partition || row.ready.empty() || !caps_.roomless(row.cap)) {
      continue;
    }
    const QueuePart& part = queue.parts[partition];
    if (ratio_of(part, part.used + part.claimed + caps_.size(row.cap)) > kFull) continue;
    const auto user = row.ready.front();
    if (found != nullptr && !(user.place < best)) continue;
    App* app = user.child->demand.find(row.cap)->ready.front().child;
    AskGroup* group = app->demand.find(row.cap)->ready.front().child;
    if (std::cmp_greater_equal(group->claims.size(), group->total)) continue;
    found = group;
    best = user.place;
  }
  return found;
}

// Up to where the two meet: the winner's queues stay within their guarantees, the loser's at or
// above what they should have. So nothing is ever owed back.
bool Scheduler::Impl::may_lose(const Hold& hold, const AskGroup& winner) const {
  if (hold.app == nullptr || hold.marked || hold.is_am || hold.app == winner.app) return false;
  if (!hold.app->attempt) return false;  // between two attempts: nobody there to be warned
  if (now_ms_ - hold.started_ms < preemption_.minimum_run_ms) return false;
  const std::int64_t since_loss = now_ms_ - hold.app->last_loss_ms;
  if (since_loss != 0 && since_loss < preemption_.cooldown_ms) return false;
  const auto holds_both = [&](const Queue* queue) {
    const Queue* at = winner.app->leaf;
    while (at != nullptr && at != queue)
      at = at->parent;
    return at != nullptr;
  };
  const Queue* loser = hold.app->leaf;
  for (; !holds_both(loser); loser = loser->parent) {
    if (loser->spec.disable_preemption || !may_shrink(*loser, hold)) return false;
  }
  if (loser->leaf) return false;  // the same leaf
  const Resources& size = caps_.size(winner.cap);
  for (const Queue* at = winner.app->leaf; at != loser; at = at->parent) {
    const QueuePart& part = at->parts[hold.partition];
    if (ratio_of(part, part.used + part.claimed + size) > kFull) return false;
  }
  return true;
}

bool Scheduler::Impl::may_shrink(const Queue& queue, const Hold& hold) const {
  const QueuePart& part = queue.parts[hold.partition];
  const Resources held = part.used - part.leaving;
  const Resources left = held - hold.size;
  if (ratio_of(part, held) <= kFull + preemption_.ignored_over_capacity) return false;
  if (ratio_of(part, left) < kNotFull) return false;
  for (std::size_t i = 0; i < types_; ++i) {
    if (static_cast<double>(left.amount[i]) >= part.ideal[i] - 1e-6) return true;
  }
  return false;
}

/// Work that is lost: size times the time it has run.
double Scheduler::Impl::cost_of(const Hold& hold) const {
  const double seconds = static_cast<double>(std::max<std::int64_t>(now_ms_ - hold.started_ms, 0));
  return measure(hold.size, hold.partition) * (1 + seconds / 1000);
}

/// What has to go on that node so that the size fits, the cheapest first; empty: it cannot be done.
std::vector<HoldTable::Index> Scheduler::Impl::losses_on(NodeIndex::Slot slot,
                                                         const AskGroup& group) {
  struct Candidate {
    std::int32_t app_priority = 0;
    double cost = 0;
    HoldTable::Index index = HoldTable::kNone;
  };
  std::vector<Candidate> candidates;
  for (auto at = holds_.first_on(slot); at != HoldTable::kNone; at = holds_.next_on_node(at)) {
    const Hold& hold = holds_.at(at);
    if (may_lose(hold, group)) candidates.push_back({hold.app->priority, cost_of(hold), at});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.app_priority != b.app_priority) return a.app_priority < b.app_priority;
    return a.cost != b.cost ? a.cost < b.cost : a.index > b.index;
  });
  const Resources& size = caps_.size(group.cap);
  Resources room = nodes_.at(slot).free();
  std::vector<HoldTable::Index> losses;
  for (const Candidate& candidate : candidates) {
    if (within(size, room)) break;
    // Each one counts before the next is looked at: what it leaves may be the last that may go.
    if (!may_lose(holds_.at(candidate.index), group)) continue;
    set_leaving(candidate.index, true);
    losses.push_back(candidate.index);
    room += holds_.at(candidate.index).size;
  }
  for (auto it = losses.begin(); it != losses.end();) {  // the first may not be needed after all
    const Resources& its = holds_.at(*it).size;
    if (within(size, room - its)) {
      room -= its;
      set_leaving(*it, false);
      it = losses.erase(it);
    } else {
      ++it;
    }
  }
  for (const HoldTable::Index index : losses)
    set_leaving(index, false);
  return within(size, room) ? losses : std::vector<HoldTable::Index>{};
}

void Scheduler::Impl::set_leaving(HoldTable::Index index, bool leaving) {
  const Hold& hold = holds_.at(index);
  holds_.mark(index, leaving);
  const Resources change = leaving ? hold.size : Resources{} - hold.size;
  for (Queue* at = hold.app->leaf; at != nullptr; at = at->parent)
    at->parts[hold.partition].leaving += change;
}

/// Nodes of the cheapest candidates: of the queues most above their share, their last served
/// applications, their newest containers.
std::vector<NodeIndex::Slot> Scheduler::Impl::nodes_to_compare(const AskGroup& group) const {
  const PartitionId partition = caps_.partition(group.cap);
  const Resources& size = caps_.size(group.cap);
  std::vector<const Queue*> losers;
  for (const Queue* queue : queues_) {
    const QueuePart& part = queue->parts[partition];
    if (queue->leaf && ratio_of(part, part.used - part.leaving) > kFull) losers.push_back(queue);
  }
  std::sort(losers.begin(), losers.end(), [&](const Queue* a, const Queue* b) {
    return b->place(partition) < a->place(partition);
  });
  std::vector<NodeIndex::Slot> nodes;
  int looks = kContainersLookedAt;
  for (const Queue* queue : losers) {
    const auto& apps = queue->leaf->apps;
    for (auto app = apps.rbegin(); app != apps.rend(); ++app) {
      for (auto at = app->second->holds; at != HoldTable::kNone; at = holds_.next_of_app(at)) {
        const Hold& hold = holds_.at(at);
        if (nodes.size() >= kNodesCompared) return nodes;
        if (hold.node == NodeIndex::kNone || hold.partition != partition) continue;
        const NodeIndex::Node& node = nodes_.at(hold.node);
        if (!node.usable || !within(size, node.total)) continue;
        if (--looks == 0) return nodes;
        if (!may_lose(hold, group)) continue;
        if (blacklisted(*group.app, node) || !wants(group, node)) continue;
        if (std::find(nodes.begin(), nodes.end(), hold.node) == nodes.end()) {
          nodes.push_back(hold.node);
        }
      }
    }
  }
  return nodes;
}

bool Scheduler::Impl::preempt_for(AskGroup& group, PreemptionRound& round) {
  NodeIndex::Slot best = NodeIndex::kNone;
  std::vector<HoldTable::Index> least;
  double least_cost = std::numeric_limits<double>::infinity();
  for (const NodeIndex::Slot slot : nodes_to_compare(group)) {
    auto losses = losses_on(slot, group);
    if (losses.empty()) continue;
    double cost = 0;
    for (const HoldTable::Index index : losses)
      cost += cost_of(holds_.at(index));
    if (cost >= least_cost) continue;
    best = slot;
    least = std::move(losses);
    least_cost = cost;
  }
  if (best == NodeIndex::kNone) return false;
  const PartitionId partition = caps_.partition(group.cap);
  for (const HoldTable::Index index : least) {
    const Hold& hold = holds_.at(index);
    taken_this_round_ += measure(hold.size, partition);
    const std::string& loser = hold.app->leaf->spec.path.value();
    round.marked.push_back(
        {holds_.id_of(index), *hold.app->attempt, nodes_.at(best).id, hold.size, group.app->id,
         fmt::format("queue {} is below its guarantee and {} of it waits for {}; queue {} is above "
                     "its own",
                     group.app->leaf->spec.path.value(), to_string(group.app->id),
                     to_string(caps_.size(group.cap)), loser)});
  }
  if (preemption_.observe_only) return false;
  Claim& claim = add_claim(group, best);
  claim.since_ms = now_ms_;
  for (const HoldTable::Index index : least) {
    set_leaving(index, true);
    holds_.at(index).app->last_loss_ms = now_ms_;
    claim.victims.push_back(holds_.id_of(index));
  }
  fill_claims(best);
  return true;
}

void Scheduler::Impl::preempt_in(PartitionId partition, PreemptionRound& round) {
  compute_ideals(partition);
  const double limit =
      preemption_.total_per_round * std::max(measure(nodes_.total(partition), partition), 1e-9);
  taken_this_round_ = 0;
  std::vector<Queue*> owed;
  for (Queue* queue : queues_) {
    if (!queue->leaf) continue;
    LeafPart& leaf = queue->leaf->parts[partition];
    if (owed_group(*queue, partition) == nullptr) {
      leaf.owed_since_ms = -1;
      continue;
    }
    if (leaf.owed_since_ms < 0) leaf.owed_since_ms = now_ms_;
    if (now_ms_ - leaf.owed_since_ms >= preemption_.patience_ms) owed.push_back(queue);
  }
  std::sort(owed.begin(), owed.end(), [&](const Queue* a, const Queue* b) {
    return a->place(partition) < b->place(partition);
  });
  for (Queue* queue : owed) {
    while (taken_this_round_ < limit) {
      AskGroup* group = owed_group(*queue, partition);
      if (group == nullptr || !preempt_for(*group, round)) break;
    }
  }
}

PreemptionRound Scheduler::Impl::preempt() {
  if (capacities_stale_) refresh_capacities();
  PreemptionRound round;
  if (preemption_.enabled) {
    for (PartitionId at = 0; at < partitions_.size(); ++at) {
      if (!nodes_.total(at).is_zero()) preempt_in(at, round);
    }
  }
  for (const auto& [id, claim] : claims_) {
    if (claim.victims.empty() || now_ms_ - claim.since_ms < preemption_.grace_ms) continue;
    for (const HoldId victim : claim.victims) {
      if (holds_.find(victim) != HoldTable::kNone) round.overdue.push_back(victim);
    }
  }
  round.spared = std::exchange(spared_, {});
  std::erase_if(round.spared, [&](HoldId hold) {  // ended since, or marked again
    const HoldTable::Index index = holds_.find(hold);
    return index == HoldTable::kNone || holds_.at(index).marked;
  });
  return round;
}

void Scheduler::Impl::carry_leaving(App& app, bool there) {
  for (auto at = app.holds; at != HoldTable::kNone; at = holds_.next_of_app(at)) {
    const Hold& hold = holds_.at(at);
    if (!hold.marked) continue;
    const Resources change = there ? hold.size : Resources{} - hold.size;
    for (Queue* queue = app.leaf; queue != nullptr; queue = queue->parent)
      queue->parts[hold.partition].leaving += change;
  }
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
