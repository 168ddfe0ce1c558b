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
  if (plans_are_stale()) follow_plans(turn);
  if (!scheduler_.has_work()) return;
  set_scheduler_time(turn.now);
  watch_preemption(turn.now);
  while (scheduler_.has_work()) {
    const std::vector<queues::Grant> grants = scheduler_.schedule(kGrantsPerTurnMax);
    if (grants.empty()) break;
    for (const queues::Grant& grant : grants)
      take_grant(grant, turn);
    queues_changed_ = true;
  }
  watch_constraints(turn.now);
  hurry_preemption(turn.now);
}

void Core::take_grant(const queues::Grant& grant, Turn& turn) {
  if (grant.ticket != 0) return take_growth(grant, turn);
  Attempt* attempt = find_attempt(grant.attempt);
  Node* node = find_node(grant.node);
  if (attempt == nullptr || node == nullptr) {
    scheduler_.release(grant.hold);
    return;
  }
  App& app = *find_app(grant.attempt.app);
  const ContainerId id =
      add_container(app, *attempt, *node, grant, ExecutionType::kGuaranteed, turn);
  note_allocation(grant, id, app, turn.now);
  if (!grant.is_am) {
    note_first_container(app, *attempt, turn.now);
    if (!grant.tags) lower_outstanding(attempt->asks, grant, *node);
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

ContainerId Core::add_container(App& app, Attempt& attempt, Node& node, const queues::Grant& grant,
                                ExecutionType type, Turn& turn) {
  const ContainerId id{attempt.id,
                       (std::int64_t{options_.epoch} << 40) | ++attempt.containers_made};
  Container& container = containers_[id];
  container.node = &node;
  container.state = ContainerState::kAllocated;
  container.hold = grant.hold;
  if (grant.hold != 0) by_hold_[grant.hold] = id;
  container.grant = GrantedContainer{.id = id,
                                     .node = node.id,
                                     .node_http_address = node.http_address,
                                     .resources = grant.resources,
                                     .priority = grant.priority,
                                     .execution_type = type,
                                     .allocation_request_id = grant.allocation_request_id,
                                     .created = turn.now.wall,
                                     .token_expiry = token_expiry(turn.now),
                                     .user = app.user,
                                     .is_master = grant.is_am,
                                     .log_aggregation_context = log_context(app),
                                     .allocation_tags = grant.tags};
  container.confirmed = grant.resources;
  charge(&app, &node, type, grant.resources, turn.now);
  ++app.used_containers;
  node.containers.insert(id);
  if (node.apps.insert(app.id).second) app.nodes.insert(node.id);
  attempt.containers.insert(id);
  if (!grant.is_am) attempt.granted.push_back(id);
  touch(container);
  watch_start(id, container, turn.now);
  return id;
}

void Core::charge(App* app, Node* node, ExecutionType type, const Resources& change,
                  const Now& now) {
  const bool guaranteed = type == ExecutionType::kGuaranteed;
  if (app != nullptr) {
    account(*app, now);
    (guaranteed ? app->used : app->opportunistic) += change;
    touch_use(*app);
  }
  if (node == nullptr) return;
  if (guaranteed) node->used += change;
  if (node->shrunk && node->used.fits_in(node->total)) node->shrunk = false;
  touch_use(*node);
}

void Core::lower_outstanding(AskRows& rows, const queues::Grant& grant, const Node& node) {
  if (rows.empty()) return;
  for (const std::string& name : {std::string(queues::kAnyNode), node.rack, node.id.host}) {
    const auto row = rows.find(std::tuple(grant.priority, grant.allocation_request_id, name));
    if (row != rows.end() && --row->second.containers <= 0) rows.erase(row);
  }
}

void Core::free_room(queues::HoldId hold) {
  if (hold == 0) return;
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
  stop_growing(container);
  free_room(container.hold);
  free_room(container.bare_hold);
  const auto taken_out = containers_.extract(found);
  const GrantedContainer& grant = container.grant;  // lives as long as taken_out
  forgotten_containers_.push_back(id);

  Node& node = *container.node;
  node.containers.erase(id);
  node.to_update.erase(id);
  if (!reported_by_node) node.to_clean_up.push_back(id);
  App* app = find_app(id.attempt.app);
  charge(app, &node, grant.execution_type, Resources{} - grant.resources, turn.now);
  if (app == nullptr) return;
  --app->used_containers;
  app->losing.erase(id);
  if (grant.execution_type == ExecutionType::kGuaranteed) note_release(grant, *app, turn.now);

  const auto owner = app->attempts.find(id.attempt.number);
  if (owner != app->attempts.end()) {
    owner->second.containers.erase(id);
    if (untold) std::erase(owner->second.granted, id);
  }
  Attempt* attempt = app->current();  // kept containers report to the successor
  if (attempt->id != id.attempt) attempt->containers.erase(id);
  attempt->updated.erase(id);
  FinishedContainer finished{id, exit_status, diagnostics};
  const bool is_master = attempt->master_container && *attempt->master_container == id;
  if (is_master) {
    attempt->master_gone = true;
    if (reported_by_node) node.to_forget.push_back(id);
    if (attempt->state != AttemptState::kFinishing && !is_final(attempt->state) &&
        attempt->state != AttemptState::kFinalSaving) {
      describe_failure(*app, *attempt, finished);
    }
    raise(*app, *attempt, AttemptEvent::kContainerFinished, turn);
  } else if (!is_final(attempt->state) && !is_final(app->state)) {
    attempt->finished.emplace_back(grant.node, std::move(finished));
    if (reported_by_node) node.unacknowledged.insert(id);
  } else if (reported_by_node) {
    node.to_forget.push_back(id);
  }
  check_drained(node, turn);
}

}  // namespace heddle::rm
