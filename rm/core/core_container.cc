// Containers: from grant to end.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "rm/core/core.h"

namespace heddle::rm {
namespace {

constexpr std::size_t kGrantsPerTurnMax = 10'000;

/// Shares the submission's own text; nothing is copied.
LaunchBlob log_context(const App& app) {
  const std::string& text = app.submission->log_aggregation_context;
  return text.empty() ? nullptr : LaunchBlob(app.submission, &text);
}

}  // namespace

void Core::run_scheduler(Turn& turn) {
  if (!scheduler_.has_work()) return;
  set_scheduler_time(turn.now);
  watch_preemption(turn.now);
  while (scheduler_.has_work()) {
    const std::vector<queues::Grant> grants = scheduler_.schedule(kGrantsPerTurnMax);
    if (grants.empty()) return;
    for (const queues::Grant& grant : grants)
      take_grant(grant, turn);
    queues_changed_ = true;
  }
}

void Core::take_grant(const queues::Grant& grant, Turn& turn) {
  Attempt* attempt = find_attempt(grant.attempt);
  Node* node = find_node(grant.node);
  if (attempt == nullptr || node == nullptr) {
    scheduler_.release(grant.hold);
    return;
  }
  App& app = *find_app(grant.attempt.app);
  const ContainerId id{grant.attempt,
                       (std::int64_t{options_.epoch} << 40) | ++attempt->containers_made};
  Container& container = containers_[id];
  container.state = ContainerState::kAllocated;
  container.hold = grant.hold;
  by_hold_[grant.hold] = id;
  container.grant = GrantedContainer{
      .id = id,
      .node = grant.node,
      .node_http_address = node->http_address,
      .resources = grant.resources,
      .priority = grant.priority,
      .execution_type = ExecutionType::kGuaranteed,
      .allocation_request_id = grant.allocation_request_id,
      .created = turn.now.wall,
      .token_expiry =
          WallTime{turn.now.wall.ms +
                   std::chrono::duration_cast<std::chrono::milliseconds>(options_.container_expiry)
                       .count()},
      .user = app.user,
      .is_master = grant.is_am,
      .log_aggregation_context = log_context(app)};
  account(app, turn.now);
  app.used += grant.resources;
  ++app.used_containers;
  node->used += grant.resources;
  node->containers.insert(id);
  if (node->apps.insert(app.id).second) app.nodes.insert(grant.node);
  attempt->containers.insert(id);
  note_allocation(grant, id, app, turn.now);
  touch_use(app);
  touch_use(*node);
  touched_containers_.insert(id);
  watch_start(id, container, turn.now);
  if (!grant.is_am) {
    note_first_container(app, *attempt, turn.now);
    lower_outstanding(*attempt, grant, *node);
    attempt->granted.push_back(id);
    return;
  }
  end_step(*attempt, master_allocation_, turn.now);
  attempt->master_container = id;
  attempt->master_node = grant.node;
  attempt->master_node_http = node->http_address;
  if (!raise(app, *attempt, AttemptEvent::kAllocated, turn)) {
    finish_container(id, ContainerEvent::kKill, exit_status::kAborted, "Not needed any more", turn);
  }
}

void Core::lower_outstanding(Attempt& attempt, const queues::Grant& grant, const Node& node) {
  if (attempt.asks.empty()) return;
  for (const std::string& name : {std::string(queues::kAnyNode), node.rack, node.id.host}) {
    const auto row =
        attempt.asks.find(std::tuple(grant.priority, grant.allocation_request_id, name));
    if (row != attempt.asks.end() && --row->second.containers <= 0) attempt.asks.erase(row);
  }
}

void Core::free_room(queues::HoldId hold) {
  by_hold_.erase(hold);
  scheduler_.release(hold);
  queues_changed_ = true;
}

void Core::finish_container(const ContainerId& id, ContainerEvent event, std::int32_t exit_status,
                            const std::string& diagnostics, Turn& turn) {
  const auto found = containers_.find(id);
  if (found == containers_.end()) return;
  Container& container = found->second;
  const ContainerTransition* row = find_transition(kContainerTransitions, container.state, event);
  if (row == nullptr) return;
  const bool reported_by_node = event == ContainerEvent::kFinished;
  const bool untold = container.state == ContainerState::kAllocated;
  stop_watching(container);
  free_room(container.hold);
  const auto taken_out = containers_.extract(found);
  const GrantedContainer& grant = container.grant;  // lives as long as taken_out
  forgotten_containers_.push_back(id);
  touched_containers_.erase(id);

  Node* node = find_node(grant.node);
  if (node != nullptr) {
    node->containers.erase(id);
    node->used -= grant.resources;
    if (!reported_by_node) node->to_clean_up.insert(id);
    if (node->used.fits_in(node->total)) node->shrunk = false;
    touch_use(*node);
  }
  App* app = find_app(id.attempt.app);
  if (app == nullptr) return;
  account(*app, turn.now);
  app->used -= grant.resources;
  --app->used_containers;
  app->losing.erase(id);
  note_release(grant, *app, turn.now);
  touch_use(*app);

  if (Attempt* owner = find_attempt(id.attempt)) {
    owner->containers.erase(id);
    if (untold) {
      std::erase(owner->granted, id);
    }
  }
  Attempt* attempt = app->current();  // kept containers report to the successor
  attempt->containers.erase(id);
  FinishedContainer finished{id, exit_status, diagnostics};
  const bool is_master = attempt->master_container && *attempt->master_container == id;
  if (is_master) {
    attempt->master_gone = true;
    if (node != nullptr && reported_by_node) node->to_forget.insert(id);
    if (attempt->state != AttemptState::kFinishing && !is_final(attempt->state) &&
        attempt->state != AttemptState::kFinalSaving) {
      describe_failure(*app, *attempt, finished);
    }
    raise(*app, *attempt, AttemptEvent::kContainerFinished, turn);
  } else if (!is_final(attempt->state) && !is_final(app->state)) {
    attempt->finished.emplace_back(grant.node, std::move(finished));
    if (node != nullptr && reported_by_node) node->unacknowledged.insert(id);
  } else if (node != nullptr && reported_by_node) {
    node->to_forget.insert(id);
  }
  if (node != nullptr) check_drained(*node, turn);
}

}  // namespace heddle::rm
