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

constexpr std::size_t kReportedContainersMax = 100'000;
constexpr std::chrono::seconds kDrainMax = std::chrono::hours(24 * 365);
// Records of one host under former ports: an agent with port 0 makes one at each start.
constexpr std::size_t kOldSelvesMax = 16;

bool plausible(const Resources& total) {
  return std::ranges::all_of(
      total.amount, [](std::int64_t amount) { return amount >= 0 && amount <= kResourceMax; });
}

/// Why a heartbeat cannot be true; empty = it may be. Agents send -1 for what they do not know.
std::string fault_in(const NodeHeartbeat& request) {
  if (request.containers.size() > kReportedContainersMax) {
    return fmt::format("bad report: {} containers, the most a node may report is {}",
                       request.containers.size(), kReportedContainersMax);
  }
  for (const NodeUtilization* used : {&request.containers_utilization, &request.node_utilization}) {
    const bool known = used->physical_mb >= -1 && used->virtual_mb >= -1 && used->cpu >= -1;
    if (known && used->physical_mb <= kResourceMax && used->cpu <= float{kResourceMax}) continue;
    return fmt::format("bad report: {} MB of memory, {} MB of virtual memory and {} cores in use",
                       used->physical_mb, used->virtual_mb, used->cpu);
  }
  return {};
}

/// By the numbers in front: "3.4.2-SNAPSHOT" is as old as "3.4.2". What has none is older than all.
bool is_older(std::string_view version, std::string_view than) {
  const auto next = [](std::string_view& text) -> std::int64_t {
    const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::int64_t number = end == 0 ? -1 : parse_int(text.substr(0, end)).value_or(INT64_MAX);
    const bool more = end < text.size() && text[end] == '.' && end > 0;
    text.remove_prefix(more ? end + 1 : text.size());
    return number;
  };
  while (!than.empty()) {
    const std::int64_t ours = version.empty() ? -1 : next(version);
    const std::int64_t theirs = next(than);
    if (ours != theirs) return ours < theirs;
  }
  return false;
}

std::vector<ContainerId> sorted_once(std::vector<ContainerId> ids) {
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

/// The end of a text is what says why.
std::string tail_of(const std::string& text, std::size_t size_max) {
  return text.size() <= size_max ? text : text.substr(text.size() - size_max);
}

}  // namespace

bool Core::host_allowed(const NodeId& id) const {
  if (hosts_.exclude.empty() && hosts_.include.empty()) return true;
  const std::string with_port = to_string(id);
  const auto listed = [&](const std::unordered_set<std::string>& list) {
    return list.contains(id.host) || list.contains(with_port);
  };
  if (listed(hosts_.exclude)) return false;
  return hosts_.include.empty() || listed(hosts_.include);
}

std::optional<std::string> Core::refusal(const RegisterNode& request) const {
  const auto known = nodes_.find(request.id);
  const bool draining = known != nodes_.end() && known->second.state == NodeState::kDecommissioning;
  if (!host_allowed(request.id) && !draining) {
    return fmt::format(
        "Disallowed NodeManager from  {}, Sending SHUTDOWN signal to the NodeManager.",
        request.id.host);
  }
  const std::string& oldest = options_.node_minimum_version;
  if (!oldest.empty() && is_older(request.version, oldest)) {
    return fmt::format(
        "Disallowed NodeManager Version {}, is less than the minimum version {} sending SHUTDOWN "
        "signal to NodeManager.",
        shortened(request.version), oldest);
  }
  if (!plausible(request.total)) {
    return fmt::format(
        "NodeManager from  {} reports impossible resources {}; each must lie between 0 and {}",
        request.id.host, to_string(request.total), kResourceMax);
  }
  const std::size_t reported = std::max(request.containers.size(), request.running_apps.size());
  if (reported > kReportedContainersMax) {
    return fmt::format(
        "NodeManager from  {} reports {} containers or applications; the most a node may report "
        "is {}",
        request.id.host, reported, kReportedContainersMax);
  }
  if (!options_.node_minimum.fits_in(request.total)) {
    return fmt::format(
        "NodeManager from  {} doesn't satisfy minimum allocations, Sending SHUTDOWN signal to the "
        "NodeManager. Node capabilities are {}; minimums are {}mb and {} vcores",
        request.id.host, to_string(request.total), options_.node_minimum.memory_mb(),
        options_.node_minimum.vcores());
  }
  return std::nullopt;
}

void Core::register_node(const RegisterNode& request, const ReplyTo<NodeRegistered>& reply,
                         Turn& turn) {
  NodeRegistered answer;
  answer.rm_identifier = options_.cluster_start_ms;
  if (auto why = refusal(request)) {
    answer.shutdown = true;
    answer.diagnostics = *std::move(why);
    turn.effects.replies.push_back([reply, answer] { reply(answer); });
    return;
  }
  const std::string http_address = fmt::format("{}:{}", request.id.host, request.http_port);
  for (auto at = nodes_.lower_bound(NodeId{request.id.host, INT32_MIN});
       at != nodes_.end() && at->first.host == request.id.host; ++at) {
    // The same host on another port is the same agent, started again.
    const bool reborn =
        at->first.port != request.id.port && at->second.http_address == http_address;
    if (reborn) raise(at->second, NodeEvent::kReboot, turn);
  }
  if (Node* known = find_node(request.id)) reconcile(*known, request, turn);
  Node& node = nodes_[request.id];
  nodes_by_id_.insert_or_assign(request.id, &node);
  node.id = request.id;
  node.http_address = http_address;
  node.version = request.version;
  node.rack = request.rack;
  const auto size = node_sizes_.find(request.id);
  node.total = size == node_sizes_.end() ? request.total : size->second;
  node.shrunk = !node.used.fits_in(node.total);
  node.health = request.health;
  node.last_heard = turn.now.instant;
  node.response_id = 0;
  node.last_answer = {};
  node.to_clean_up.clear();
  node.to_forget = sorted_once(std::move(node.to_forget));
  node.to_update.clear();
  touch(node);
  watch_node(node);
  answer.labels_accepted = take_told(node.id, request.labels, answer.diagnostics, turn);
  answer.attributes_accepted = take_told(node.id, request.attributes, answer.diagnostics, turn);
  if (node.state == NodeState::kNew) {
    raise(node, request.health.healthy ? NodeEvent::kStartedHealthy : NodeEvent::kStartedUnhealthy,
          turn);
    forget_old_selves(node.id);
  } else {
    if (scheduler_.node(node.id)) {
      scheduler_.add_node(node.id, node.rack, node.total, labels_.label_of(node.id));
    }
    note_change(node);
  }
  for (const AppId& id : request.running_apps) {
    App* app = find_app(id);
    if (app == nullptr || is_final(app->state)) {
      node.apps_to_clean_up.insert(id);
      continue;
    }
    app->nodes.insert(node.id);  // it keeps folders and logs of it, though no container runs
    node.apps.insert(id);
  }
  take_reports(node, request.containers, turn);
  note_opportunistic(node, request.opportunistic);
  check_drained(node, turn);
  run_scheduler(turn);
  queues_changed_ = true;
  turn.effects.replies.push_back([reply, answer] { reply(answer); });
}

void Core::reconcile(Node& known, const RegisterNode& request, Turn& turn) {
  // An agent that starts afresh, or comes back after RESYNC: what it does not report is gone.
  std::unordered_set<ContainerId> reported;
  for (const NodeContainer& container : request.containers)
    reported.insert(container.id);
  std::vector<ContainerId> live(known.containers.begin(), known.containers.end());
  std::ranges::sort(live);
  for (const ContainerId& id : live) {
    if (reported.contains(id)) continue;
    finish_container(id, ContainerEvent::kKill, exit_status::kAborted, std::string(kLostNode),
                     turn);
  }
  std::erase_if(known.unacknowledged,
                [&](const ContainerId& id) { return !reported.contains(id); });
  if (!known.serves()) forget_node(known.id);
}

void Core::forget_old_selves(const NodeId& id) {
  std::vector<std::pair<Instant, NodeId>> gone;
  for (auto at = nodes_.lower_bound(NodeId{id.host, INT32_MIN});
       at != nodes_.end() && at->first.host == id.host; ++at) {
    if (!at->second.serves()) gone.emplace_back(at->second.last_heard, at->first);
  }
  if (gone.size() <= kOldSelvesMax) return;
  std::ranges::sort(gone);
  gone.resize(gone.size() - kOldSelvesMax);
  for (const auto& [heard, old] : gone) {
    forget_node(old);
    forgotten_nodes_.push_back(old);
  }
}

void Core::forget_node(const NodeId& id) {
  const auto found = nodes_.find(id);
  if (found == nodes_.end()) return;
  stop_watching(found->second);
  found->second.opportunistic = {};
  list_by_load(found->second);
  node_changes_.erase(found->second.changed);
  nodes_by_id_.erase(id);
  touched_nodes_.erase(id);
  nodes_.erase(found);  // last: the node often holds the argument
}

void Core::carry_out(Node& node, NodeEffect effect, Turn& turn) {
  queues_changed_ = labels_changed_ = true;
  switch (effect) {
    case NodeEffect::kNone: return;
    case NodeEffect::kAddRoom:
      labels_.activate(node.id);
      scheduler_.add_node(node.id, node.rack, node.total, labels_.label_of(node.id));
      tell_attributes(node.id);
      scheduler_.set_node_usable(node.id, true);
      return;
    case NodeEffect::kStopFilling: scheduler_.set_node_usable(node.id, false); return;
    case NodeEffect::kTakeRoom:
      end_node_containers(node, std::string(kLostNode), turn);
      scheduler_.remove_node(node.id);
      labels_.deactivate(node.id);
      if (options_.labels_distributed) labels_.forget(node.id);
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

void Core::note_change(Node& node) {
  node_changes_.erase(node.changed);
  node.changed = ++last_node_change_;
  node_changes_.emplace(node.changed, node.id);
}

void Core::take_reports(Node& node, const std::vector<NodeContainer>& containers, Turn& turn) {
  for (const NodeContainer& reported : containers) {
    Container* container = find_container(reported.id);
    if (container != nullptr && container->node == &node) {
      if (reported.finished) {
        finish_container(reported.id, ContainerEvent::kFinished, reported.exit_status,
                         tail_of(reported.diagnostics, options_.attempt_diagnostics_max), turn);
        continue;
      }
      if (const auto* row =
              find_transition(kContainerTransitions, container->state, ContainerEvent::kLaunched)) {
        container->state = row->to;
        stop_watching(*container);
        touch(*container);
      }
      note_told_size(node, *container, reported.resources, turn.now);
      continue;
    }
    if (reported.finished) {
      if (!node.unacknowledged.contains(reported.id)) node.to_forget.push_back(reported.id);
    } else {
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
  if (node != nullptr && node->state == NodeState::kDecommissioned) {
    return answer_with(
        NodeAction::kShutdown,
        fmt::format("DECOMMISSIONING {} is ready to be decommissioned", to_string(request.id)));
  }
  if (node == nullptr || !node->serves()) {
    return answer_with(NodeAction::kResync,
                       fmt::format("Node not found resyncing {}", to_string(request.id)));
  }
  node->last_heard = turn.now.instant;
  if (next_response_id(request.response_id) == node->response_id) {
    turn.effects.replies.push_back([reply, answer = node->last_answer] { reply(answer); });
    return;
  }
  if (request.response_id != node->response_id) {
    return answer_with(NodeAction::kResync,
                       fmt::format("Too far behind rm response id:{} nm response id:{}",
                                   node->response_id, request.response_id));
  }
  const std::string fault = fault_in(request);
  NodeHealth health = fault.empty() ? request.health : NodeHealth{false, fault, turn.now.wall};
  health.report = tail_of(health.report, options_.attempt_diagnostics_max);
  const auto facts = [](const NodeHealth& of) { return std::tie(of.healthy, of.report); };
  if (facts(health) != facts(node->health)) touch(*node);
  if (health.reported != node->health.reported) touch_use(*node);
  node->health = std::move(health);
  raise(*node, node->health.healthy ? NodeEvent::kReportHealthy : NodeEvent::kReportUnhealthy,
        turn);
  if (fault.empty()) {
    note_use(*node, request);
    note_opportunistic(*node, request.opportunistic);
    take_reports(*node, request.containers, turn);
    take_log_reports(*node, request);
  }
  answer_heartbeat(*node, request, fault, turn);
  turn.effects.replies.push_back([reply, answer = node->last_answer] { reply(answer); });
}

void Core::answer_heartbeat(Node& node, const NodeHeartbeat& request, std::string why, Turn& turn) {
  const bool labels_taken = take_told(node.id, request.labels, why, turn);
  const bool attributes_taken = take_told(node.id, request.attributes, why, turn);
  check_drained(node, turn);
  run_scheduler(turn);
  node.last_answer = make_node_answer(node);
  node.last_answer.diagnostics = std::move(why);
  node.last_answer.labels_accepted = labels_taken;
  node.last_answer.attributes_accepted = attributes_taken;
}

void Core::note_use(Node& node, const NodeHeartbeat& request) {
  const auto facts = [](const NodeUtilization& of) {
    return std::tie(of.physical_mb, of.virtual_mb, of.cpu);
  };
  if (facts(request.containers_utilization) == facts(node.containers_utilization) &&
      facts(request.node_utilization) == facts(node.node_utilization)) {
    return;
  }
  node.containers_utilization = request.containers_utilization;
  node.node_utilization = request.node_utilization;
  touch_use(node);
}

void Core::take_log_reports(const Node& node, const NodeHeartbeat& request) {
  for (const LogAggregationReport& report : request.log_aggregation) {
    App* app = find_app(report.app);
    if (app == nullptr) continue;
    LogAggregationReport& kept = app->log_aggregation[node.id];
    kept = report;
    kept.diagnostics = tail_of(report.diagnostics, options_.attempt_diagnostics_max);
    touch(*app);
  }
}

NodeHeartbeatAnswer Core::make_node_answer(Node& node) {
  NodeHeartbeatAnswer answer;
  answer.response_id = node.response_id = next_response_id(node.response_id);
  answer.containers_to_clean_up = sorted_once(std::exchange(node.to_clean_up, {}));
  answer.containers_to_forget = sorted_once(std::exchange(node.to_forget, {}));
  answer.apps_to_clean_up.assign(node.apps_to_clean_up.begin(), node.apps_to_clean_up.end());
  node.apps_to_clean_up.clear();
  answer.signals = std::exchange(node.signals, {});
  for (const auto& [id, kind] : std::exchange(node.to_update, {})) {
    if (const Container* container = find_container(id)) {
      answer.containers_to_update.push_back({kind, container->grant});
    }
  }
  if (options_.opportunistic.enabled) answer.queue_limit = queue_limit();
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
  hosts_ = {{lists.include.begin(), lists.include.end()},
            {lists.exclude.begin(), lists.exclude.end()}};
  for (auto& [id, node] : nodes_) {
    if (host_allowed(id)) {
      if (raise(node, NodeEvent::kRecommission, turn)) {
        disarm(node.drain_deadline, {{}, DeadlineKind::kDrain, {}, id});
        node.drain_timeout_seconds.reset();
      }
      continue;
    }
    if (!graceful) {
      raise(node, NodeEvent::kDecommission, turn);
      continue;
    }
    raise(node, NodeEvent::kGracefulDecommission, turn);
    if (node.state != NodeState::kDecommissioning) continue;
    // A refresh with another time counts from now, as for a node that begins to drain.
    const auto timeout = std::min<std::chrono::seconds>(*graceful, kDrainMax);
    node.drain_timeout_seconds = static_cast<std::int32_t>(timeout.count());
    disarm(node.drain_deadline, {{}, DeadlineKind::kDrain, {}, id});
    if (timeout.count() >= 0) {
      arm(node.drain_deadline, {turn.now.instant + timeout, DeadlineKind::kDrain, {}, id});
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
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("Resources {} for node {} are out of range", to_string(total), to_string(id)),
        ErrorSubject::kNode);
  }
  node->total = total;
  node->shrunk = !node->used.fits_in(total);
  scheduler_.update_node(id, total);
  queues_changed_ = labels_changed_ = true;
  touch(*node);
  note_change(*node);
  run_scheduler(turn);
  return {};
}

void Core::set_node_sizes(NodeSizes sizes, Turn& turn) {
  node_sizes_ = std::move(sizes);
  for (const auto& [id, total] : node_sizes_) {
    // Out of range, or not here yet: told at its registration, or never.
    if (const auto updated = update_node_resources(id, total, turn); !updated) continue;
  }
}

void Core::set_max_app_priority(std::int32_t priority) {
  options_.max_app_priority = priority;
  queues_changed_ = true;
}

Result<void> Core::configure_queues(std::shared_ptr<const queues::QueueConfig> config, Turn& turn) {
  const auto preemption = config->preemption;
  RETURN_IF_ERROR(scheduler_.configure(std::move(config), options_.limits));
  if (preemption) set_preemption(*preemption, turn.now);
  take_plan_queues();
  queues_changed_ = true;
  run_scheduler(turn);
  return {};
}

}  // namespace heddle::rm
