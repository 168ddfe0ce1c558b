// Deadlines. A heartbeat only notes the time; the one pending deadline of its sender is re-armed
// when it comes due, so that a heartbeat costs nothing here. Each owner has one pending deadline at
// most and takes it back when it ends, so that their number is that of their owners.
#include <algorithm>
#include <utility>

#include "rm/core/core.h"

namespace heddle::rm {
namespace {

// Beyond this, sums of nanoseconds would not fit; nobody waits that long.
constexpr std::int64_t kLifetimeWatchMaxMs = std::int64_t{100} * 365 * 24 * 3600 * 1000;

}  // namespace

void Core::arm(std::optional<Instant>& armed, const Deadline& deadline) {
  disarm(armed, deadline);
  armed = deadline.at;
  deadlines_.insert(deadline);
}

void Core::disarm(std::optional<Instant>& armed, Deadline deadline) {
  if (!armed) return;
  deadline.at = *armed;
  deadlines_.erase(deadline);
  armed.reset();
}

void Core::watch_node(Node& node) {
  if (node.watched) return;
  arm(node.watched, {node.last_heard + options_.node_expiry, DeadlineKind::kNode, {}, node.id});
}

void Core::stop_watching(Node& node) {
  disarm(node.watched, {{}, DeadlineKind::kNode, {}, node.id});
  disarm(node.drain_deadline, {{}, DeadlineKind::kDrain, {}, node.id});
}

void Core::watch_master(Attempt& attempt) {
  arm(attempt.watched, {attempt.last_heard + options_.master_expiry,
                        DeadlineKind::kMaster,
                        ContainerId{attempt.id, 0},
                        {}});
}

void Core::stop_watching(Attempt& attempt) {
  disarm(attempt.watched, {{}, DeadlineKind::kMaster, ContainerId{attempt.id, 0}, {}});
}

/// Of a token that is handed out now.
WallTime Core::token_expiry(const Now& now) const {
  using std::chrono::milliseconds;
  const auto valid = std::chrono::duration_cast<milliseconds>(options_.container_expiry);
  return WallTime{now.wall.ms + valid.count()};
}

void Core::watch_start(const ContainerId& id, Container& container, const Now& now) {
  const Instant by = now.instant + options_.container_expiry;
  if (container.watched) {
    starts_due_.splice(starts_due_.end(), starts_due_, *container.watched);
    starts_due_.back().by = by;
  } else {
    container.watched = starts_due_.insert(starts_due_.end(), {by, id});
  }
}

void Core::stop_watching(Container& container) {
  if (!container.watched) return;
  starts_due_.erase(*container.watched);
  container.watched.reset();
}

void Core::watch_lifetime(App& app, const Now& now) {
  stop_watching(app);
  if (app.lifetime_expiry.ms == 0) return;
  const std::int64_t left_ms =
      std::clamp<std::int64_t>(app.lifetime_expiry.ms - now.wall.ms, 0, kLifetimeWatchMaxMs);
  arm(app.lifetime_watched, {now.instant + std::chrono::milliseconds(left_ms),
                             DeadlineKind::kLifetime,
                             ContainerId{AttemptId{app.id, 0}, 0},
                             {}});
}

void Core::stop_watching(App& app) {
  disarm(app.lifetime_watched,
         {{}, DeadlineKind::kLifetime, ContainerId{AttemptId{app.id, 0}, 0}, {}});
}

std::optional<Instant> Core::next_deadline() const {
  if (deadlines_.empty() && starts_due_.empty()) return std::nullopt;
  if (deadlines_.empty()) return starts_due_.front().by;
  if (starts_due_.empty()) return deadlines_.begin()->at;
  return std::min(starts_due_.front().by, deadlines_.begin()->at);
}

void Core::tick(Turn& turn) {
  while (!deadlines_.empty() && deadlines_.begin()->at <= turn.now.instant) {
    const Deadline deadline = *deadlines_.begin();
    deadlines_.erase(deadlines_.begin());
    expire(deadline, turn);
  }
  while (!starts_due_.empty() && starts_due_.front().by <= turn.now.instant) {
    const ContainerId id = starts_due_.front().id;
    expire_container(id, turn);
  }
  run_scheduler(turn);
}

void Core::expire(const Deadline& deadline, Turn& turn) {
  switch (deadline.kind) {
    case DeadlineKind::kNode: return expire_node(deadline.node, turn);
    case DeadlineKind::kMaster: return expire_master(deadline.id.attempt, turn);
    case DeadlineKind::kLifetime: return expire_lifetime(deadline.id.attempt.app, turn);
    case DeadlineKind::kPreemption: return run_preemption(turn);
    case DeadlineKind::kIdleQueues: return remove_idle_queues(turn);
    case DeadlineKind::kConstraints:
      constraints_due_.reset();
      set_scheduler_time(turn.now);
      return watch_constraints(turn.now);
    case DeadlineKind::kPlan: return plan_is_due(deadline.node.host, turn);
    case DeadlineKind::kDrain:
      if (Node* node = find_node(deadline.node)) {
        node->drain_deadline.reset();
        raise(*node, NodeEvent::kDrained, turn);
      }
      return;
  }
}

void Core::expire_node(const NodeId& id, Turn& turn) {
  Node* node = find_node(id);
  if (node == nullptr) return;
  node->watched.reset();
  if (node->last_heard + options_.node_expiry > turn.now.instant) return watch_node(*node);
  raise(*node, NodeEvent::kExpire, turn);
}

void Core::expire_master(const AttemptId& id, Turn& turn) {
  Attempt* attempt = find_attempt(id);
  if (attempt == nullptr) return;
  attempt->watched.reset();
  if (attempt->last_heard + options_.master_expiry > turn.now.instant) {
    return watch_master(*attempt);
  }
  if (raise(*find_app(id.app), *attempt, AttemptEvent::kExpired, turn)) return;
  attempt->last_heard = turn.now.instant;  // its end is being saved: look again later
  watch_master(*attempt);
}

void Core::expire_container(const ContainerId& id, Turn& turn) {
  Container* container = find_container(id);
  if (container == nullptr) return;
  stop_watching(*container);
  if (container->state == ContainerState::kRunning) return expire_update(*container, turn);
  finish_container(id, ContainerEvent::kExpire, exit_status::kAborted,
                   "Container expired since it was unused", turn);
}

void Core::expire_lifetime(const AppId& id, Turn& turn) {
  App* app = find_app(id);
  if (app == nullptr) return;
  app->lifetime_watched.reset();
  if (app->lifetime_expiry.ms > turn.now.wall.ms) return watch_lifetime(*app, turn.now);
  if (std::exchange(app->kill_requested, true)) return;
  app->kill_diagnostics =
      "Application is killed by ResourceManager as it has exceeded the lifetime period.";
  raise(*app, AppEvent::kKill, turn);
}

}  // namespace heddle::rm
