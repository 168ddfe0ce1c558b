// Who is owed something and who may lose it, as docs/design/0008 says.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "tests/sim/naive_scheduler.h"

namespace heddle::naive {
namespace {

constexpr double kHair = 1e-9;  // shares this close count as equal

struct Wish {
  double guarantee = 0;
  double demand = 0;
};

/// What each gets at a level: so much for each unit of guarantee, or of heads where nobody has any.
double at_level(const Wish& wish, double level, bool heads) {
  const double first = std::min(wish.demand, wish.guarantee);
  if (heads) return wish.guarantee > 0 ? wish.demand : std::min(wish.demand, level);
  if (wish.guarantee <= 0) return 0;
  return std::max(first, std::min(wish.demand, wish.guarantee * (1 + level)));
}

/// The level is found by trial: everybody has the least of demand and guarantee, what is left goes
/// to those that want more, in proportion to their guarantees; those without one come last.
std::vector<double> share_out(double total, const std::vector<Wish>& wishes) {
  double guaranteed = 0;
  double wanted = 0;  // by those with a guarantee
  for (const Wish& wish : wishes) {
    guaranteed += std::min(wish.demand, wish.guarantee);
    wanted += wish.guarantee > 0 ? wish.demand : 0;
  }
  std::vector<double> out;
  if (guaranteed > total) {
    for (const Wish& wish : wishes)
      out.push_back(std::min(wish.demand, wish.guarantee) * total / guaranteed);
    return out;
  }
  const bool heads = wanted <= total;
  double low = 0;
  double high = 1e15;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    double sum = 0;
    for (const Wish& wish : wishes)
      sum += at_level(wish, middle, heads);
    (sum > total ? high : low) = middle;
  }
  for (const Wish& wish : wishes)
    out.push_back(at_level(wish, low, heads));
  return out;
}

}  // namespace

std::map<std::string, Amounts> Scheduler::ideals(const std::vector<Queue>& queues,
                                                 const Label& label) const {
  std::map<std::string, Amounts> wanted;
  for (auto queue = queues.rbegin(); queue != queues.rend(); ++queue) {
    const Part& part = queue->parts.at(label);
    for (std::size_t i = 0; i < types_; ++i) {
      double sum = 0;
      if (queue->spec->is_leaf()) {
        sum =
            static_cast<double>(part.used.amount[i]) + static_cast<double>(part.pending.amount[i]);
      }
      for (const QueueSpec& child : queue->spec->children)
        sum += wanted.at(child.path.value())[i];
      wanted[queue->path()][i] = std::min(sum, static_cast<double>(part.maximum.amount[i]));
    }
  }
  std::map<std::string, Amounts> out;
  for (std::size_t i = 0; i < types_; ++i)
    out["root"][i] = static_cast<double>(cluster(label).amount[i]);
  for (const Queue& queue : queues) {
    for (std::size_t i = 0; i < types_; ++i) {
      std::vector<Wish> wishes;
      std::vector<std::string> names;
      for (const Queue& child : queues) {
        if (child.parent != &queue) continue;
        wishes.push_back({child.parts.at(label).guarantee[i], wanted.at(child.path())[i]});
        names.push_back(child.path());
      }
      const auto shares = share_out(out.at(queue.path())[i], wishes);
      for (std::size_t at = 0; at < names.size(); ++at)
        out[names[at]][i] = shares[at];
    }
  }
  return out;
}

/// Of the fullest type.
double Scheduler::ratio_of(const Part& part, const Resources& used) const {
  double most = 0;
  for (std::size_t i = 0; i < types_; ++i) {
    if (used.amount[i] <= 0) continue;
    most = std::max(most, part.guarantee[i] > 0
                              ? static_cast<double>(used.amount[i]) / part.guarantee[i]
                              : std::numeric_limits<double>::infinity());
  }
  return most;
}

Resources Scheduler::leaving(const Queue& queue, const Label& label) const {
  Resources sum;
  for (const auto& [id, hold] : holds_) {
    if (!hold.marked || hold.app_gone || hold.label != label) continue;
    if (is_below(apps_.at(hold.app).leaf, queue.path())) sum += hold.size;
  }
  return sum;
}

/// It has more than its guarantee and more than what it should have; afterwards it has its
/// guarantee and, for those above their own, what it should have.
bool Scheduler::may_shrink(const Queue& queue, const Hold& hold, queues::Purpose purpose,
                           const std::vector<Queue>& queues) const {
  if (queue.spec->disable_preemption) return false;
  const Part& part = queue.parts.at(hold.label);
  const Resources held = part.used - leaving(queue, hold.label);
  const Resources left = held - hold.size;
  if (ratio_of(part, part.used) <= 1 + kHair + preemption_.ignored_over_capacity) return false;
  if (ratio_of(part, held) <= 1 + kHair) return false;
  bool is_guaranteed = false;
  for (std::size_t i = 0; i < types_; ++i)
    is_guaranteed = is_guaranteed || part.guarantee[i] > 0;
  if (is_guaranteed && ratio_of(part, left) < 1 - kHair) return false;
  if (beyond_shares_) return true;
  const Amounts ideal = ideals(queues, hold.label).at(queue.path());
  for (std::size_t i = 0; i < types_; ++i) {
    const auto before = static_cast<double>(held.amount[i]);
    const auto after = static_cast<double>(left.amount[i]);
    const bool above =
        purpose == queues::Purpose::kBalance ? after >= ideal[i] - 1e-3 : before > ideal[i] - 1e-3;
    if (above) return true;
  }
  return false;
}

bool Scheduler::is_endable(const Hold& hold, const App& winner) const {
  if (hold.marked || hold.app_gone || hold.bare || hold.app == winner.id) return false;
  const App& loser = apps_.at(hold.app);
  if (!loser.attempt) return false;
  if (now_ms_ - hold.started_ms < preemption_.minimum_run_ms) return false;
  const std::int64_t since_loss = now_ms_ - loser.last_loss_ms;
  return since_loss == 0 || since_loss >= preemption_.cooldown_ms;
}

/// AMs beyond the share of AMs, never the last.
bool Scheduler::master_may_go(const Hold& hold, const Queue& leaf) const {
  Resources left = leaf.parts.at(hold.label).am_used - hold.size;
  for (const auto& [id, other] : holds_) {
    const bool counts = other.marked && other.is_am && !other.app_gone &&
                        other.label == hold.label && apps_.at(other.app).leaf == leaf.path();
    if (counts) left = left - other.size;
  }
  const double measured = measure(left, hold.label);
  return measured > 0 && measured >= measure(am_limit_of(leaf, hold.label), hold.label);
}

bool Scheduler::may_lose(const Hold& hold, const App& winner, const Resources& size,
                         const Label& label, queues::Purpose purpose,
                         const std::vector<Queue>& queues) const {
  if (!is_endable(hold, winner) || hold.label != label) return false;
  if (purpose == queues::Purpose::kInside)
    return may_lose_inside(hold, winner, size, label, queues);
  const App& loser = apps_.at(hold.app);
  if (loser.leaf == winner.leaf) return false;
  if (hold.is_am && !master_may_go(hold, *leaf_of(queues, loser.leaf))) return false;
  for (const Queue& queue : queues) {
    const bool loses = is_below(loser.leaf, queue.path());
    const bool wins = is_below(winner.leaf, queue.path());
    if (loses && !wins && !may_shrink(queue, hold, purpose, queues)) return false;
    const Part& part = queue.parts.at(label);
    if (!wins || loses) continue;
    if (purpose == queues::Purpose::kBalance) {
      const Amounts ideal = ideals(queues, label).at(queue.path());
      for (std::size_t i = 0; i < types_; ++i) {
        const auto then = static_cast<double>(part.used.amount[i] + size.amount[i]);
        if (then > ideal[i] * (1 + kHair) + 1e-3) return false;
      }
    } else if (ratio_of(part, part.used + size) > 1 + kHair) {
      return false;
    }
  }
  return true;
}

/// In one leaf: a user below its limit takes from one above it, who stays at it at least; an
/// application of higher priority takes from others of its user, too. With priority_first the
/// loser is of lower priority in any case.
bool Scheduler::may_lose_inside(const Hold& hold, const App& winner, const Resources& size,
                                const Label& label, const std::vector<Queue>& queues) const {
  const App& loser = apps_.at(hold.app);
  if (!preemption_.inside || hold.is_am || loser.leaf != winner.leaf) return false;
  const Queue& leaf = *leaf_of(queues, loser.leaf);
  if (leaf.spec->disable_inside_preemption) return false;
  if (leaf.parts.at(label).ratio < preemption_.inside_threshold) return false;
  const bool lower =
      leaf.spec->app_order == queues::AppOrder::kFifo && loser.priority < winner.priority;
  if (loser.user == winner.user) return lower;
  if (preemption_.inside_order == queues::InsideOrder::kPriorityFirst && !lower) return false;
  const auto weight = [&](const std::string& user) {
    const auto own = leaf.spec->user_weights.find(user);
    return own == leaf.spec->user_weights.end() ? 1.0 : own->second;
  };
  const double limit = measure(limits_of(leaf, "\n", label).limit, label);
  Resources left = user_used(leaf.path(), loser.user, label) - hold.size;
  for (const auto& [id, other] : holds_) {
    if (!other.marked || other.app_gone || other.label != label) continue;
    const App& its = apps_.at(other.app);
    if (its.leaf == loser.leaf && its.user == loser.user) left = left - other.size;
  }
  const Resources then = user_used(leaf.path(), winner.user, label) + size;
  return measure(left, label) / weight(loser.user) >= limit &&
         measure(then, label) / weight(winner.user) <= limit;
}

std::string Scheduler::refuse_victim(const queues::Victim& victim,
                                     const std::vector<Queue>& queues) {
  const auto found = holds_.find(victim.hold);
  if (found == holds_.end()) return "what does not run is marked";
  const Hold& hold = found->second;
  if (hold.app_gone || !(hold.app == victim.attempt.app)) return "marked as another's";
  const bool there = hold.node == victim.node && find_node(victim.node) != nullptr;
  if (!there || !(hold.size == victim.resources)) return "marked elsewhere";
  const auto winner = apps_.find(victim.beneficiary);
  if (winner == apps_.end() || !winner->second.active) return "marked for nobody";
  bool due = false;
  for (const Group& group : winner->second.groups) {
    if (!group.sized || group.total <= 0 || group.label != hold.label) continue;
    if (!suits(*find_node(victim.node), winner->second, group)) continue;
    beyond_shares_ = victim.beyond_shares;
    due = due || may_lose(hold, winner->second, group.size, group.label, victim.purpose, queues);
  }
  beyond_shares_ = false;
  return due ? "" : "it may not be taken";
}

std::string Scheduler::take_round(const queues::PreemptionRound& round) {
  for (const HoldId hold : round.spared) {
    const auto found = holds_.find(hold);
    if (found == holds_.end()) return "spares what does not run";
    found->second.marked = false;
  }
  // Who was spared since the last look and is marked again is not told as spared.
  std::set<HoldId> victims;
  for (const queues::Victim& victim : round.marked) {
    if (!victims.insert(victim.hold).second) return "marks a container twice";
    const auto found = holds_.find(victim.hold);
    if (found != holds_.end()) found->second.marked = false;
  }
  const std::vector<Queue> all = queues();
  for (const queues::Victim& victim : round.marked) {
    const std::string fault = refuse_victim(victim, all);
    if (!fault.empty()) {
      return fmt::format("{} on {} is marked for {}: {}", to_string(victim.attempt),
                         to_string(victim.node), to_string(victim.beneficiary), fault);
    }
    ++seen_.marked;
    seen_.inside += victim.purpose == queues::Purpose::kInside ? 1 : 0;
    if (preemption_.observe_only) continue;
    Hold& hold = holds_.at(victim.hold);
    hold.marked = true;
    apps_.at(hold.app).last_loss_ms = now_ms_;
  }
  for (const HoldId hold : round.overdue) {
    const auto found = holds_.find(hold);
    if (found == holds_.end() || !found->second.marked) return "what was not marked is overdue";
  }
  return "";
}

// Of equal containers, which this is asked for only: one that goes makes room for one.
std::string Scheduler::owed(const Told& told) {
  take_told(told);
  beyond_shares_ = true;
  const std::vector<Queue> all = queues();
  for (const auto& [id, app] : apps_) {
    const Queue& leaf = *leaf_of(all, app.leaf);
    for (const Group& group : app.groups) {
      if (!limits_allow(leaf, app, group) || best_place(app, group, {group.label})) continue;
      std::set<AppId> looked_at;  // one container of each is as good as another
      for (const auto& [hold_id, hold] : holds_) {
        if (hold.marked || !looked_at.insert(hold.app).second) continue;
        const bool between =
            may_lose(hold, app, group.size, group.label, queues::Purpose::kGuarantee, all);
        const bool inside = preemption_.inside && may_lose(hold, app, group.size, group.label,
                                                           queues::Purpose::kInside, all);
        if (!between && !inside) continue;
        beyond_shares_ = false;
        return fmt::format("{} is owed {}, and {} could lose it", to_string(id),
                           to_string(group.size), to_string(hold.app));
      }
    }
  }
  beyond_shares_ = false;
  return "";
}

}  // namespace heddle::naive
