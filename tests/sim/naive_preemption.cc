// Who is owed something and who may lose it, as docs/design/0008 says.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

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
      if (queue->spec->children.empty()) {
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

/// It has more than its guarantee and more than what it should have, and not less afterwards.
bool Scheduler::may_shrink(const Queue& queue, const Hold& hold,
                           const std::vector<Queue>& queues) const {
  if (queue.spec->disable_preemption) return false;
  const Part& part = queue.parts.at(hold.label);
  const Resources held = part.used - leaving(queue, hold.label);
  const Resources left = held - hold.size;
  if (ratio_of(part, held) <= 1 + kHair + preemption_.ignored_over_capacity) return false;
  if (ratio_of(part, left) < 1 - kHair) return false;
  const Amounts ideal = ideals(queues, hold.label).at(queue.path());
  for (std::size_t i = 0; i < types_; ++i) {
    if (static_cast<double>(left.amount[i]) >= ideal[i] - 1e-3) return true;
  }
  return false;
}

bool Scheduler::may_lose(const Hold& hold, const App& winner, const Resources& size,
                         const Label& label, const std::vector<Queue>& queues) const {
  if (hold.marked || hold.app_gone || hold.is_am || hold.label != label) return false;
  const App& loser = apps_.at(hold.app);
  if (!loser.attempt || loser.leaf == winner.leaf) return false;
  if (now_ms_ - hold.started_ms < preemption_.minimum_run_ms) return false;
  const std::int64_t since_loss = now_ms_ - loser.last_loss_ms;
  if (since_loss != 0 && since_loss < preemption_.cooldown_ms) return false;
  for (const Queue& queue : queues) {
    const bool loses = is_below(loser.leaf, queue.path());
    const bool wins = is_below(winner.leaf, queue.path());
    if (loses && !wins && !may_shrink(queue, hold, queues)) return false;
    const Part& part = queue.parts.at(label);
    if (wins && !loses && ratio_of(part, part.used + size) > 1 + kHair) return false;
  }
  return true;
}

std::string Scheduler::refuse_victim(const queues::Victim& victim,
                                     const std::vector<Queue>& queues) const {
  const auto found = holds_.find(victim.hold);
  if (found == holds_.end()) return "what does not run is marked";
  const Hold& hold = found->second;
  if (hold.app_gone || !(hold.app == victim.attempt.app)) return "marked as another's";
  if (hold.node != victim.node || !(hold.size == victim.resources)) return "marked elsewhere";
  const auto winner = apps_.find(victim.beneficiary);
  if (winner == apps_.end() || !winner->second.active) return "marked for nobody";
  bool due = false;
  for (const Group& group : winner->second.groups) {
    if (!group.sized || group.total <= 0 || group.label != hold.label) continue;
    due = due || may_lose(hold, winner->second, group.size, group.label, queues);
  }
  return due ? "" : "it may not be taken";
}

std::string Scheduler::take_round(const queues::PreemptionRound& round) {
  for (const HoldId hold : round.spared) {
    const auto found = holds_.find(hold);
    if (found == holds_.end()) return "spares what does not run";
    found->second.marked = false;
  }
  const std::vector<Queue> all = queues();
  for (const queues::Victim& victim : round.marked) {
    const std::string fault = refuse_victim(victim, all);
    if (!fault.empty()) {
      return fmt::format("{} on {} is marked for {}: {}", to_string(victim.attempt),
                         to_string(victim.node), to_string(victim.beneficiary), fault);
    }
    ++seen_.marked;
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
  const std::vector<Queue> all = queues();
  for (const auto& [id, app] : apps_) {
    const Queue& leaf = *leaf_of(all, app.leaf);
    for (const Group& group : app.groups) {
      if (!limits_allow(leaf, app, group) || best_place(app, group, {group.label})) continue;
      std::set<AppId> looked_at;  // one container of each is as good as another
      for (const auto& [hold_id, hold] : holds_) {
        if (hold.marked || !looked_at.insert(hold.app).second) continue;
        if (!may_lose(hold, app, group.size, group.label, all)) continue;
        return fmt::format("{} is owed {}, and {} could lose it", to_string(id),
                           to_string(group.size), to_string(hold.app));
      }
    }
  }
  return "";
}

}  // namespace heddle::naive
