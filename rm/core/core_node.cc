// Nodes: registration, heartbeats, draining, loss. Rules and texts: wire facts "states" section 6.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "rm/core/core.h"

namespace heddle::rm {
namespace {

constexpr std::string_view kLostNode = "Container released on a *lost* node";
constexpr std::int64_t kResourceMax = std::int64_t{1} << 40;

bool plausible(const Resources& total) {
  return std::ranges::all_of(total.amount, [](std::int64_t amount) {
    return amount >= 0 && amount <= kResourceMax;
  });
}

}  // namespace

bool Core::host_allowed(const NodeId& id) const {
  const auto listed = [&](const std::vector<std::string>& list) {
    return std::ranges::find(list, id.host) != list.end() ||
           std::ranges::find(list, to_string(id)) != list.end();
  };
  if (listed(node_lists_.exclude)) return false;
  return node_lists_.include.empty() || listed(node_lists_.include);
}

void Core::register_node(const RegisterNode& request, const ReplyTo<NodeRegistered>& reply,
                         Turn& turn) {
  NodeRegistered answer;
  answer.rm_identifier = options_.cluster_start_ms;
  const auto refuse = [&](std::string why) {
    answer.shutdown = true;
    answer.diagnostics = std::move(why);
    turn.effects.replies.push_back([reply, answer] { reply(answer); });
  };
  if (!host_allowed(request.id)) {
    return refuse(fmt::format(
        "Disallowed NodeManager from  {}, Sending SHUTDOWN signal to the NodeManager.",
        request.id.host));
  }
  if (!plausible(request.total)) {
    return refuse(fmt::format("NodeManager from  {} reports impossible resources {}",
                              request.id.host, to_string(request.total)));
  }
  if (!options_.node_minimum.fits_in(request.total)) {
    return refuse(fmt::format(
        "NodeManager from  {} doesn't satisfy minimum allocations, Sending SHUTDOWN signal to the "
        "NodeManager. Node capabilities are {}; minimums are {}mb and {} vcores",
        request.id.host, to_string(request.total), options_.node_minimum.memory_mb(),
        options_.node_minimum.vcores()));
  }
  for (auto& [id, other] : nodes_) {
    // The same host on another port is the same agent, started again.
    const bool reborn = id.host == request.id.host && id.port != request.id.port &&
                        other.http_address == fmt::format("{}:{}", id.host, request.http_port);
    if (reborn) raise(other, NodeEvent::kReboot, turn);
  }
  if (Node* known = find_node(request.id)) {
    // An agent that starts afresh, or comes back after RESYNC: what it does not report is gone.
    std::unordered_set<ContainerId> reported;
    for (const NodeContainer& container : request.containers) reported.insert(container.id);
    const std::vector<ContainerId> live(known->containers.begin(), known->containers.end());
    for (const ContainerId& id : live) {
      if (!reported.contains(id)) {
        finish_container(id, ContainerEvent::kKill, exit_status::kAborted, std::string(kLostNode),
                         turn);
      }
    }
    if (known->state == NodeState::kLost || known->state == NodeState::kShutdown ||
        known->state == NodeState::kRebooted || known->state == NodeState::kDecommissioned) {
      nodes_.erase(request.id);
    }
  }
  Node& node = nodes_[request.id];
  node.id = request.id;
  node.http_address = fmt::format("{}:{}", request.id.host, request.http_port);
  node.version = request.version;
  node.total = request.total;
  node.health = request.health;
  node.last_heard = turn.now.instant;
  node.response_id = 0;
  node.last_answer = {};
  node.to_clean_up.clear();
  touch(node);
  watch_node(node);
  if (node.state == NodeState::kNew) {
    raise(node, request.health.healthy ? NodeEvent::kStartedHealthy : NodeEvent::kStartedUnhealthy,
          turn);
  } else {
    scheduler_.update_node(node.id, node.total);
  }
  for (const AppId& id : request.running_apps) {
    const App* app = find_app(id);
    if (app == nullptr || is_final(app->state)) node.apps_to_clean_up.push_back(id);
  }
  take_reports(node, request.containers, turn);
  run_scheduler(turn);
  queues_changed_ = true;
  turn.effects.replies.push_back([reply, answer] { reply(answer); });
}

void Core::carry_out(Node& node, NodeEffect effect, Turn& turn) {
  queues_changed_ = true;
  switch (effect) {
    case NodeEffect::kNone: return;
    case NodeEffect::kAddRoom:
      scheduler_.add_node(node.id, node.rack, node.total);
      scheduler_.set_node_usable(node.id, true);
      return;
    case NodeEffect::kStopFilling:
      scheduler_.set_node_usable(node.id, false);
      return;
    case NodeEffect::kTakeRoom:
      end_node_containers(node, std::string(kLostNode), turn);
      scheduler_.remove_node(node.id);
      return;
  }
}

void Core::end_node_containers(Node& node, const std::string& why, Turn& turn) {
  std::vector<ContainerId> ids(node.containers.begin(), node.containers.end());
  std::ranges::sort(ids);
  for (const ContainerId& id : ids) {
    finish_container(id, ContainerEvent::kKill, exit_status::kAborted, why, turn);
  }
}

void Core::tell_masters(const Node& node) {
  const NodeChange change{node.id,    node.http_address, node.rack,
                          node.state, node.total,        node.used,
                          static_cast<std::int32_t>(node.containers.size())};
  for (auto& [id, app] : apps_) {
    if (app.state != AppState::kRunning) continue;
    Attempt* attempt = app.current();
    if (attempt != nullptr && attempt->registered) attempt->node_changes.push_back(change);
  }
}

void Core::take_reports(Node& node, const std::vector<NodeContainer>& containers, Turn& turn) {
  for (const NodeContainer& reported : containers) {
    Container* container = find_container(reported.id);
    if (container != nullptr && container->grant.node == node.id) {
      if (reported.finished) {
        finish_container(reported.id, ContainerEvent::kFinished, reported.exit_status,
                         reported.diagnostics, turn);
      } else if (const auto* row = find_transition(kContainerTransitions, container->state,
                                                   ContainerEvent::kLaunched)) {
        container->state = row->to;
        touched_containers_.insert(reported.id);
      }
      continue;
    }
    if (reported.finished) {
      if (!node.unacknowledged.contains(reported.id)) node.to_forget.push_back(reported.id);
    } else if (std::ranges::find(node.to_clean_up, reported.id) == node.to_clean_up.end()) {
      node.to_clean_up.push_back(reported.id);
    }
  }
}

void Core::heartbeat(const NodeHeartbeat& request, const ReplyTo<NodeHeartbeatAnswer>& reply,
                     Turn& turn) {
  const auto answer_with = [&](NodeAction action, std::string why) {
    NodeHeartbeatAnswer answer;
    answer.action = action;
    answer.diagnostics = std::move(why);
    turn.effects.replies.push_back([reply, answer = std::move(answer)] { reply(answer); });
  };
  Node* node = find_node(request.id);
  if (!host_allowed(request.id) &&
      (node == nullptr || node->state != NodeState::kDecommissioning)) {
    if (node != nullptr) raise(*node, NodeEvent::kDecommission, turn);
    run_scheduler(turn);
    return answer_with(NodeAction::kShutdown,
                       fmt::format("Disallowed NodeManager nodeId: {} hostname: {}",
                                   to_string(request.id), request.id.host));
  }
  const bool serving = node != nullptr && (node->state == NodeState::kRunning ||
                                           node->state == NodeState::kUnhealthy ||
                                           node->state == NodeState::kDecommissioning);
  if (node != nullptr && node->state == NodeState::kDecommissioned) {
    return answer_with(NodeAction::kShutdown,
                       fmt::format("DECOMMISSIONING {} is ready to be decommissioned",
                                   to_string(request.id)));
  }
  if (!serving) {
    return answer_with(NodeAction::kResync,
                       fmt::format("Node not found resyncing {}", to_string(request.id)));
  }
  node->last_heard = turn.now.instant;
  if (request.response_id + 1 == node->response_id) {
    turn.effects.replies.push_back([reply, answer = node->last_answer] { reply(answer); });
    return;
  }
  if (request.response_id != node->response_id) {
    return answer_with(NodeAction::kResync,
                       fmt::format("Too far behind rm response id:{} nm response id:{}",
                                   node->response_id, request.response_id));
  }
  if (request.health.healthy != node->health.healthy ||
      request.health.report != node->health.report) {
    touch(*node);
  }
  node->health = request.health;
  node->containers_utilization = request.containers_utilization;
  node->node_utilization = request.node_utilization;
  raise(*node, request.health.healthy ? NodeEvent::kReportHealthy : NodeEvent::kReportUnhealthy,
        turn);
  take_reports(*node, request.containers, turn);
  for (const LogAggregationReport& report : request.log_aggregation) {
    if (App* app = find_app(report.app)) {
      app->log_aggregation[node->id] = report;
      touch(*app);
    }
  }
  check_drained(*node, turn);
  run_scheduler(turn);
  node->last_answer = make_node_answer(*node);
  turn.effects.replies.push_back([reply, answer = node->last_answer] { reply(answer); });
}

NodeHeartbeatAnswer Core::make_node_answer(Node& node) {
  NodeHeartbeatAnswer answer;
  answer.response_id = ++node.response_id;
  answer.containers_to_clean_up = std::exchange(node.to_clean_up, {});
  answer.containers_to_forget = std::exchange(node.to_forget, {});
  answer.apps_to_clean_up = std::exchange(node.apps_to_clean_up, {});
  answer.signals = std::exchange(node.signals, {});
  answer.next_heartbeat = options_.heartbeat;
  answer.decommissioning = node.state == NodeState::kDecommissioning;
  return answer;
}

void Core::unregister_node(const NodeId& id, const ReplyTo<void>& reply, Turn& turn) {
  if (Node* node = find_node(id)) {
    raise(*node, NodeEvent::kShutdown, turn);
    run_scheduler(turn);
  }
  turn.effects.replies.push_back([reply] { reply({}); });
}

void Core::check_drained(Node& node, Turn& turn) {
  if (node.state == NodeState::kDecommissioning && node.containers.empty() && node.apps.empty()) {
    raise(node, NodeEvent::kDrained, turn);
  }
}

void Core::set_node_lists(NodeLists lists, std::optional<std::chrono::seconds> graceful,
                          Turn& turn) {
  node_lists_ = std::move(lists);
  for (auto& [id, node] : nodes_) {
    if (host_allowed(id)) {
      if (raise(node, NodeEvent::kRecommission, turn)) node.drain_deadline.reset();
      continue;
    }
    if (!graceful) {
      raise(node, NodeEvent::kDecommission, turn);
      continue;
    }
    if (!raise(node, NodeEvent::kGracefulDecommission, turn)) continue;
    node.drain_timeout_seconds = static_cast<std::int32_t>(graceful->count());
    if (graceful->count() >= 0) {
      node.drain_deadline = turn.now.instant + *graceful;
      deadlines_.push({*node.drain_deadline, DeadlineKind::kDrain, {}, id});
    }
    check_drained(node, turn);
  }
  run_scheduler(turn);
}

Result<void> Core::update_node_resources(const NodeId& id, const Resources& total, Turn& turn) {
  Node* node = find_node(id);
  if (node == nullptr) {
    return fail(ErrorCode::kNotFound, fmt::format("Node {} is not known", to_string(id)),
                ErrorSubject::kNode);
  }
  if (!plausible(total)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Resources {} for node {} are out of range", to_string(total),
                            to_string(id)),
                ErrorSubject::kNode);
  }
  node->total = total;
  scheduler_.update_node(id, total);
  queues_changed_ = true;
  touch(*node);
  run_scheduler(turn);
  return {};
}

Result<void> Core::configure_queues(const queues::QueueConfig& config, Turn& turn) {
  RETURN_IF_ERROR(scheduler_.configure(config, options_.limits));
  queues_changed_ = true;
  run_scheduler(turn);
  return {};
}

}  // namespace heddle::rm
