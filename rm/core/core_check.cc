// Recomputes what is kept up to date elsewhere. For tests; O(everything).
#include <algorithm>

#include "rm/core/core.h"

namespace heddle::rm {

std::string Core::check_invariants() const {
  if (std::string wrong = scheduler_.check_invariants(); !wrong.empty()) return wrong;
  if (std::string wrong = check_containers(); !wrong.empty()) return wrong;
  if (std::string wrong = check_nodes(); !wrong.empty()) return wrong;
  if (std::string wrong = check_updates(); !wrong.empty()) return wrong;
  if (std::string wrong = check_loads(); !wrong.empty()) return wrong;
  if (std::string wrong = check_apps(); !wrong.empty()) return wrong;
  if (std::string wrong = check_plans(); !wrong.empty()) return wrong;
  return check_deadlines();
}

std::string Core::check_containers() const {
  for (const auto& [id, container] : containers_) {
    const auto node = nodes_.find(container.grant.node);
    if (node == nodes_.end() || !node->second.containers.contains(id)) {
      return to_string(id) + " runs on a node that does not know it";
    }
    if (container.node != &node->second) return to_string(id) + " is found on another node";
    const auto app = apps_.find(id.attempt.app);
    if (app == apps_.end()) continue;  // aged out while its node has not reported yet
    const auto owns = [&wanted = id](const auto& entry) {
      return entry.second.containers.contains(wanted);
    };
    const bool owned = std::ranges::any_of(app->second.attempts, owns);
    if (!owned) return to_string(id) + " belongs to no attempt";
  }
  return {};
}

std::string Core::check_nodes() const {
  if (nodes_by_id_.size() != nodes_.size()) return "nodes are not found by their ids";
  std::map<NodeId, Resources> used;
  for (const auto& [id, container] : containers_) {
    const bool counted = container.grant.execution_type == ExecutionType::kGuaranteed;
    if (counted != (container.hold != 0)) return to_string(id) + " has room for nothing";
    if (counted) used[container.grant.node] += container.grant.resources;
  }
  const bool memory_only = scheduler_.config().calculator == queues::Calculator::kMemory;
  std::size_t held = 0;
  for (const auto& [id, node] : nodes_) {
    held += node.containers.size();
    const auto by_id = nodes_by_id_.find(id);
    if (by_id == nodes_by_id_.end() || by_id->second != &node) {
      return "node " + to_string(id) + " is not found by its id";
    }
    if (node.used != used[id]) return "node " + to_string(id) + " does not sum up";
    const bool fits = memory_only ? node.used.memory_mb() <= node.total.memory_mb()
                                  : node.used.fits_in(node.total);
    if (!fits && !node.shrunk) return "node " + to_string(id) + " is over-full";
    if (!node.serves() && !node.containers.empty()) {
      return "node " + to_string(id) + " is gone, yet holds containers";
    }
    if (node.serves() != node.watched.has_value()) {
      return "node " + to_string(id) + " is watched wrongly";
    }
    const auto change = node_changes_.find(node.changed);
    if (change == node_changes_.end() || change->second != id) {
      return "node " + to_string(id) + " has changed, and nobody is told";
    }
    for (const ContainerId& finished : node.unacknowledged) {
      const auto app = apps_.find(finished.attempt.app);
      const auto names = [&](const auto& entry) { return entry.second.id == finished; };
      const Attempt* attempt = app == apps_.end() ? nullptr : app->second.current();
      if (attempt == nullptr || (std::ranges::none_of(attempt->finished, names) &&
                                 std::ranges::none_of(attempt->told_finished, names))) {
        return "node " + to_string(id) + " keeps " + to_string(finished) + " for nobody";
      }
    }
  }
  if (held != containers_.size()) return "nodes hold containers that are unknown";
  return node_changes_.size() == nodes_.size() ? "" : "changes of nodes that are gone are kept";
}

std::string Core::check_apps() const {
  std::unordered_map<AppId, std::pair<Resources, std::int32_t>> used;
  std::unordered_map<AppId, Resources> opportunistic;
  for (const auto& [id, container] : containers_) {
    auto& sum = used[id.attempt.app];
    const bool counted = container.grant.execution_type == ExecutionType::kGuaranteed;
    (counted ? sum.first : opportunistic[id.attempt.app]) += container.grant.resources;
    ++sum.second;
  }
  std::map<std::string, std::int32_t> running;
  std::size_t finished = 0;
  for (const auto& [id, app] : apps_) {
    if (app.used != used[id].first || app.used_containers != used[id].second ||
        app.opportunistic != opportunistic[id]) {
      return to_string(id) + " does not sum up";
    }
    finished += is_final(app.state) ? 1 : 0;
    if (is_final(app.state) && (app.in_scheduler || app.lifetime_watched)) {
      return to_string(id) + " is final, yet scheduled or watched";
    }
    if (app.counted_running) ++running[app.queue];
    for (const auto& [number, attempt] : app.attempts) {
      const bool over = is_final(attempt.state);
      if (over &&
          (attempt.watched || !attempt.granted.empty() || !attempt.updated.empty() ||
           !attempt.asks.empty() || !attempt.opportunistic.empty() || !attempt.finished.empty() ||
           !attempt.told_finished.empty() || attempt.last_answer ||
           !attempt.nm_tokens_given.empty() || !attempt.transferred.empty())) {
        return to_string(attempt.id) + " is over, yet something is kept for it";
      }
      if (!over && number != app.attempts.rbegin()->first) {
        return to_string(attempt.id) + " lives beside a later attempt";
      }
      for (const ContainerId& container : attempt.containers) {
        if (!containers_.contains(container)) return to_string(container) + " is a ghost";
      }
    }
  }
  for (const auto& [queue, counters] : counters_) {
    if (counters.all.apps.running != running[queue]) return queue + ": running applications differ";
  }
  const bool all_listed = finished_order_.size() - finished_head_ == finished;
  return all_listed ? "" : "finished applications are not those that may age out";
}

std::string Core::check_deadlines() const {
  std::size_t starting = 0;
  for (const auto& [id, container] : containers_) {
    if (!container.watched) continue;
    ++starting;
    if ((*container.watched)->id != id) return to_string(id) + " waits for another's start";
  }
  const auto earlier = [](const StartDeadline& a, const StartDeadline& b) { return a.by < b.by; };
  if (starting != starts_due_.size() ||
      !std::is_sorted(starts_due_.begin(), starts_due_.end(), earlier)) {
    return "starts are waited for wrongly";
  }
  std::size_t armed = 0;
  const auto count = [&](const std::optional<Instant>& one) { armed += one ? 1 : 0; };
  for (const auto& [id, node] : nodes_) {
    count(node.watched);
    count(node.drain_deadline);
  }
  for (const auto& [id, app] : apps_) {
    count(app.lifetime_watched);
    for (const auto& [number, attempt] : app.attempts)
      count(attempt.watched);
  }
  count(preemption_due_);
  count(idle_queues_due_);
  count(constraints_due_);
  for (const auto& [path, state] : reservations_.plans)
    count(state.due);
  return armed == deadlines_.size() ? "" : "deadlines are pending that nobody waits for";
}

}  // namespace heddle::rm
