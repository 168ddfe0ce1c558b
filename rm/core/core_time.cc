// Deadlines. A heartbeat only notes the time; the one pending deadline of its sender is re-armed when
// it comes due, so that a heartbeat costs nothing here.
#include <fmt/core.h>

#include <utility>

#include "rm/core/core.h"

namespace heddle::rm {

void Core::watch_node(Node& node) {
  if (std::exchange(node.watched, true)) return;
  deadlines_.push({node.last_heard + options_.node_expiry, DeadlineKind::kNode, {}, node.id});
}

void Core::watch_master(const Attempt& attempt) {
  deadlines_.push({attempt.last_heard + options_.master_expiry,
                   DeadlineKind::kMaster,
                   ContainerId{attempt.id, 0},
                   {}});
}

void Core::watch_lifetime(const App& app, const Now& now) {
  if (app.lifetime_expiry.ms == 0) return;
  const auto left = std::chrono::milliseconds(app.lifetime_expiry.ms - now.wall.ms);
  deadlines_.push({now.instant + std::max<Duration>(left, Duration::zero()),
                   DeadlineKind::kLifetime,
                   ContainerId{AttemptId{app.id, 0}, 0},
                   {}});
}

std::optional<Instant> Core::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.top().at;
}

void Core::tick(Turn& turn) {
  while (!deadlines_.empty() && deadlines_.top().at <= turn.now.instant) {
    const Deadline deadline = deadlines_.top();
    deadlines_.pop();
    expire(deadline, turn);
  }
  run_scheduler(turn);
}

void Core::expire(const Deadline& deadline, Turn& turn) {
  switch (deadline.kind) {
    case DeadlineKind::kNode: {
      Node* node = find_node(deadline.node);
      if (node != nullptr) node->watched = false;
      const bool serving = node != nullptr && (node->state == NodeState::kRunning ||
                                               node->state == NodeState::kUnhealthy ||
                                               node->state == NodeState::kDecommissioning);
      if (!serving) return;
      if (node->last_heard + options_.node_expiry > turn.now.instant) return watch_node(*node);
      raise(*node, NodeEvent::kExpire, turn);
      return;
    }
    case DeadlineKind::kMaster: {
      Attempt* attempt = find_attempt(deadline.id.attempt);
      if (attempt == nullptr || is_final(attempt->state)) return;
      if (attempt->last_heard + options_.master_expiry > turn.now.instant) {
        return watch_master(*attempt);
      }
      if (!raise(*find_app(deadline.id.attempt.app), *attempt, AttemptEvent::kExpired, turn)) {
        attempt->last_heard = turn.now.instant;  // its end is being saved: look again later
        watch_master(*attempt);
      }
      return;
    }
    case DeadlineKind::kContainer: {
      const Container* container = find_container(deadline.id);
      if (container == nullptr || container->state == ContainerState::kRunning) return;
      finish_container(deadline.id, ContainerEvent::kExpire, exit_status::kAborted,
                       "Container expired since it was unused", turn);
      return;
    }
    case DeadlineKind::kLifetime: {
      App* app = find_app(deadline.id.attempt.app);
      if (app == nullptr || is_final(app->state) || app->lifetime_expiry.ms == 0) return;
      if (app->lifetime_expiry.ms > turn.now.wall.ms) return watch_lifetime(*app, turn.now);
      if (app->kill_requested) return;
      app->kill_requested = true;
      app->kill_diagnostics = fmt::format(
          "Application is killed by ResourceManager as it has exceeded the lifetime period.");
      raise(*app, AppEvent::kKill, turn);
      return;
    }
    case DeadlineKind::kDrain: {
      Node* node = find_node(deadline.node);
      if (node != nullptr && node->drain_deadline && *node->drain_deadline <= turn.now.instant) {
        raise(*node, NodeEvent::kDrained, turn);
      }
      return;
    }
  }
}

}  // namespace heddle::rm
