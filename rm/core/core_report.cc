// What becomes visible: reports are made anew for what changed in a turn, and for nothing else.
#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "rm/core/core.h"

namespace heddle::rm {
namespace {

std::int64_t whole_ms(Duration time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

/// What is asked for may be more than clients can be told.
std::int32_t narrowed(std::int64_t count) {
  return static_cast<std::int32_t>(std::min<std::int64_t>(count, INT32_MAX));
}

std::string log_status(const CoreOptions& options, const App& app) {
  if (!options.log_aggregation) return "DISABLED";
  if (app.log_aggregation.empty()) return "NOT_START";
  bool running = false;
  bool failed = false;
  for (const auto& [node, report] : app.log_aggregation) {
    running = running || report.status == "RUNNING" || report.status == "NOT_START";
    failed = failed || report.status == "FAILED";
  }
  const bool complete = app.log_aggregation.size() >= app.nodes.size();
  if (running || !complete) return "RUNNING";
  return failed ? "FAILED" : "SUCCEEDED";
}

PartitionReport partition_report(const queues::PartitionUse& use) {
  const auto narrow = [](double share) { return static_cast<float>(share); };
  PartitionReport out;
  out.label = use.label;
  out.capacity = narrow(use.capacity);
  out.max_capacity = narrow(use.maximum_capacity);
  out.absolute_capacity = narrow(use.absolute_capacity);
  out.absolute_max_capacity = narrow(use.absolute_maximum_capacity);
  out.used_capacity = narrow(use.used_capacity);
  out.absolute_used_capacity = narrow(use.absolute_used_capacity);
  out.max_master_share = narrow(use.maximum_am_share);
  out.guaranteed = use.guaranteed;
  out.maximum = use.maximum;
  out.used = use.used;
  out.pending = use.pending;
  out.master_used = use.am_used;
  out.master_limit = use.am_limit;
  out.user_master_limit = use.user_am_limit;
  return out;
}

PreemptionSums preemption_sums(const queues::LedgerSums& sums) {
  PreemptionSums out;
  out.claims = sums.claims;
  out.served = sums.served;
  out.withdrawn = sums.withdrawn;
  out.in_vain = sums.in_vain;
  out.victims = sums.victims;
  out.victims_gone = sums.victims_gone;
  out.victims_in_vain = sums.victims_in_vain;
  out.observed_claims = sums.observed_claims;
  out.observed_victims = sums.observed_victims;
  out.observed_victims_total = sums.observed_total;
  out.wait_ms = sums.wait_ms;
  out.wait_max_ms = sums.wait_max_ms;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    out.lost.amount[i] = static_cast<std::int64_t>(sums.lost[i]);
    out.lost_in_vain.amount[i] = static_cast<std::int64_t>(sums.lost_in_vain[i]);
  }
  return out;
}

void take_preemption(const queues::PreemptionSettings& preemption, const queues::QueueSpec& spec,
                     QueueReport& out) {
  out.preemption_disabled = !preemption.enabled || spec.disable_preemption;
  out.intra_preemption_disabled =
      !preemption.enabled || !preemption.inside || spec.disable_inside_preemption;
}

/// Sorted by name, each user once.
void add_users(std::vector<UserMetrics>& users, const std::vector<UserMetrics>& more) {
  if (more.empty()) return;
  std::vector<UserMetrics> all;
  all.reserve(users.size() + more.size());
  std::ranges::merge(users, more, std::back_inserter(all), {}, &UserMetrics::user,
                     &UserMetrics::user);
  users.clear();
  for (UserMetrics& one : all) {
    if (users.empty() || users.back().user != one.user) {
      users.push_back(std::move(one));
      continue;
    }
    UserMetrics& sum = users.back();
    sum.counts += one.counts;
    sum.used += one.used;
    sum.pending += one.pending;
    sum.containers += one.containers;
    sum.pending_containers += one.pending_containers;
    sum.active_apps += one.active_apps;
  }
}

/// A queue counts what happens below it.
void count_below(QueueReport& queue, const QueueReport& child) {
  queue.active_apps += child.active_apps;
  queue.pending_apps += child.pending_apps;
  queue.counts += child.counts;
  queue.counts.first_container = {};  // of leaves only, as in Hadoop
  add_users(queue.user_metrics, child.user_metrics);
}

/// What is configured: priorities, how the queue came and how its children come.
void take_rules(const queues::QueueSpec& spec, QueueReport& out) {
  out.priority = spec.priority;
  out.ordering_policy = spec.ordering_policy;
  switch (spec.auto_creation) {
    case queues::AutoCreation::kOff:
    case queues::AutoCreation::kPlan: break;
    case queues::AutoCreation::kFlexible: out.creation = QueueCreation::kFlexible; break;
    case queues::AutoCreation::kManaged: out.creation = QueueCreation::kManaged; break;
  }
  out.origin = spec.origin == queues::Origin::kFlexible   ? QueueCreation::kFlexible
               : spec.origin == queues::Origin::kManaged  ? QueueCreation::kManaged
               : spec.origin == queues::Origin::kReserved ? QueueCreation::kManaged
                                                          : QueueCreation::kOff;
  out.plan = spec.plan.has_value();
  out.hides_reservations = spec.plan && !spec.plan->show_as_queues;
  if (spec.auto_parent) {
    out.templates = {spec.auto_parent->common, spec.auto_parent->of_parents,
                     spec.auto_parent->of_leaves};
  }
  for (const queues::PriorityAcl& acl : spec.priority_acls)
    out.priority_rights.push_back({acl.who, acl.max_priority, acl.default_priority});
}

}  // namespace

AppReportPtr Core::report(const App& app, const Now& now) const {
  auto out = std::make_shared<AppReport>();
  const Attempt* attempt = app.current();
  out->id = app.id;
  out->user = app.user;
  out->name = app.submission->name;
  out->type = app.submission->type;
  out->queue = app.queue;
  out->tags = app.submission->tags;
  out->state = app.state;
  out->state_before_saving = app.state_before_saving;
  out->final_status = is_final(app.state) || app.state == AppState::kFinishing
                          ? app.end.final_status
                          : FinalStatus::kUndefined;
  out->priority = app.priority;
  out->diagnostics = app.diagnostics;
  out->submitted = app.submitted;
  out->started = app.started;
  out->launched = app.launched;
  out->finished = app.end.finished;
  out->unmanaged = app.submission->unmanaged;
  out->log_aggregation_status = log_status(options_, app);
  out->lifetime_expiry = app.lifetime_expiry;
  out->preempted = app.preempted;
  out->preempted_containers = app.preempted_containers;
  out->preempted_masters = app.preempted_masters;
  out->label_expression = app.submission->label_expression;
  out->master_label_expression = app.master_label;
  out->view_acl = app.submission->view_acl;
  out->modify_acl = app.submission->modify_acl;
  out->original_tracking_url = app.end.tracking_url;
  if (out->diagnostics.empty() && app.in_scheduler && app.state == AppState::kAccepted) {
    out->diagnostics = scheduler_.explain(app.id);
    if (attempt != nullptr && attempt->state == AttemptState::kLaunched) {
      out->diagnostics = "AM container is launched, waiting for AM container to Register with RM";
    }
  }
  if (is_final(app.state)) out->progress = 1;
  if (attempt != nullptr) {
    out->current_attempt = attempt->id;
    out->master_container = attempt->master_container;
    out->master_node = attempt->master_node;
    out->master_node_http = attempt->master_node_http;
    const bool reachable =
        attempt->registered && app.state != AppState::kFailed && app.state != AppState::kKilled;
    if (reachable) {
      out->host = attempt->host;
      out->rpc_port = attempt->rpc_port;
      if (out->original_tracking_url.empty()) out->original_tracking_url = attempt->tracking_url;
    }
    if (!is_final(app.state)) out->progress = attempt->progress;
    for (const auto& [key, ask] : attempt->asks)
      out->asks.push_back(ask);
  }
  out->usage = usage_of(app, now);
  return out;
}

ResourceUsage Core::usage_of(const App& app, const Now& now) const {
  ResourceUsage usage;
  usage.used_containers = app.used_containers;
  usage.used = usage.needed = app.used;
  usage.seconds = to_seconds(millis_at(app, now));
  usage.preempted_seconds = to_seconds(app.preempted_millis);
  const std::int64_t cluster_mb = scheduler_.cluster_total().memory_mb();
  if (cluster_mb <= 0) return usage;
  usage.cluster_percentage =
      100 * static_cast<float>(app.used.memory_mb()) / static_cast<float>(cluster_mb);
  const auto queue = scheduler_.facts(QueuePath(app.queue));
  if (queue && queue->absolute_capacity > 0) {
    usage.queue_percentage =
        usage.cluster_percentage / static_cast<float>(queue->absolute_capacity);
  }
  return usage;
}

AttemptReportPtr Core::report(const App& app, const Attempt& attempt) const {
  auto out = std::make_shared<AttemptReport>();
  out->id = attempt.id;
  out->state = attempt.state;
  out->state_before_saving = attempt.state_before_saving;
  out->user = app.user;
  out->host = attempt.host;
  out->rpc_port = attempt.rpc_port;
  out->original_tracking_url =
      attempt.end.tracking_url.empty() ? attempt.tracking_url : attempt.end.tracking_url;
  // Who killed it, and when, Hadoop tells of the application only.
  if (attempt.end.state != AttemptState::kKilled) out->diagnostics = attempt.end.diagnostics;
  out->master_container = attempt.master_container;
  out->master_node = attempt.master_node;
  out->master_node_http = attempt.master_node_http;
  out->started = attempt.started;
  out->finished = attempt.end.finished;
  out->final_status = attempt.end.final_status;
  out->blacklisted.assign(attempt.blacklist.begin(), attempt.blacklist.end());
  return out;
}

NodeReportPtr Core::report(const Node& node) const {
  auto out = std::make_shared<NodeReport>();
  out->id = node.id;
  out->state = node.state;
  out->http_address = node.http_address;
  out->rack = node.rack;
  out->version = node.version;
  out->total = node.total;
  out->used = node.used;
  out->containers = static_cast<std::int32_t>(node.containers.size());
  out->health = node.health;
  out->containers_utilization = node.containers_utilization;
  out->node_utilization = node.node_utilization;
  out->decommission_timeout_seconds = node.drain_timeout_seconds;
  out->opportunistic = node.opportunistic;
  out->label = labels_.label_of(node.id);
  out->attributes = attributes_.of(node.id.host);
  return out;
}

void Core::add_counters(const queues::QueueReport& queue, QueueReport& out) const {
  if (const auto found = counters_.find(out.path.value()); found != counters_.end()) {
    out.counts = found->second.all;
    for (const auto& [user, counts] : found->second.of_users)
      out.user_metrics.push_back({.user = user, .counts = counts});
  }
  if (!user_metrics_) return;
  std::vector<UserMetrics> users;
  for (const queues::UserReport& user : queue.users) {
    users.push_back({.user = user.name.value(),
                     .used = user.used,
                     .pending = user.pending,
                     .containers = user.containers,
                     .pending_containers = user.pending_containers,
                     .active_apps = user.active_apps});
  }
  add_users(out.user_metrics, users);
}

/// As Hadoop writes it where kinds may be mixed: "50.0%", "2.0w", "4096.0".
void Core::take_vector(const queues::Capacity& capacity, QueueReport& out) const {
  using queues::CapacityMode;
  std::set<CapacityMode> modes;
  for (std::size_t i = 0; i < options_.resource_types.all().size(); ++i) {
    const queues::CapacityPart part = capacity.part(i);
    modes.insert(part.mode);
    std::string text = fmt::format("{}", part.value);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    if (part.mode == CapacityMode::kPercent) text += "%";
    if (part.mode == CapacityMode::kWeight) text += "w";
    out.capacity_vector.push_back(std::move(text));
  }
  const CapacityMode first = modes.empty() ? CapacityMode::kPercent : *modes.begin();
  out.capacity_mode = modes.size() > 1                   ? "mixed"
                      : first == CapacityMode::kWeight   ? "weight"
                      : first == CapacityMode::kAbsolute ? "absolute"
                                                         : "percentage";
  out.absolute = modes.size() == 1 && first == CapacityMode::kAbsolute;
}

QueueReport Core::report(const queues::QueueSpec& spec) const {
  QueueReport out;
  const auto queue = scheduler_.queue(spec.path);
  if (!queue) return out;
  // Rights come down from the parents; below root none are given unless they are configured.
  const std::string_view unset = spec.path.value() == "root" ? "*" : " ";
  out.submit_acl = spec.acl_submit.value_or(std::string(unset));
  out.administer_acl = spec.acl_administer.value_or(std::string(unset));
  out.path = queue->path;
  out.name = queue->name;
  out.leaf = queue->is_leaf;
  out.running = queue->state == queues::QueueState::kRunning;
  out.capacity = static_cast<float>(queue->capacity);
  out.max_capacity = static_cast<float>(queue->maximum_capacity);
  out.absolute_capacity = static_cast<float>(queue->absolute_capacity);
  out.absolute_max_capacity = static_cast<float>(queue->absolute_maximum_capacity);
  out.used_capacity = static_cast<float>(queue->used_capacity);
  out.absolute_used_capacity = static_cast<float>(queue->absolute_used_capacity);
  out.weight = static_cast<float>(queue->weight);
  out.normalized_weight = static_cast<float>(queue->normalized_weight);
  out.absolute = queue->configured_capacity.starts_with('[');
  out.configured_minimum = queue->configured_minimum;
  out.configured_maximum = queue->configured_maximum;
  take_rules(spec, out);
  if (scheduler_.config().mixed_modes) take_vector(spec.capacity, out);
  out.max_parallel_apps = queue->maximum_parallel_apps;
  take_preemption(options_.preemption, spec, out);
  out.guaranteed = queue->guaranteed;
  out.maximum = queue->maximum;
  out.used = queue->used;
  out.pending = queue->pending;
  out.max_allocation = queue->maximum_allocation;
  out.apps = queue->apps;
  out.active_apps = queue->active_apps;
  out.pending_apps = queue->pending_apps;
  out.containers = narrowed(queue->containers);
  out.pending_containers = narrowed(queue->pending_containers);
  out.max_apps = queue->maximum_apps;
  out.max_apps_per_user = queue->maximum_apps_per_user;
  out.user_limit_percent = static_cast<float>(queue->minimum_user_limit * 100);
  out.user_limit_factor = static_cast<float>(queue->user_limit_factor);
  out.max_master_share = static_cast<float>(queue->maximum_am_share);
  out.master_limit = queue->am_limit;
  out.user_master_limit = queue->user_am_limit;
  out.master_used = queue->am_used;
  out.default_priority = queue->default_priority;
  out.max_lifetime_seconds = queue->maximum_lifetime_s;
  out.default_lifetime_seconds = queue->default_lifetime_s;
  for (const queues::UserReport& user : queue->users) {
    out.users.push_back({user.name.value(), user.used, user.am_used, user.active_apps,
                         user.pending_apps, user.limit});
  }
  out.labels = queue->labels;
  out.default_label = queue->default_label;
  for (const queues::PartitionUse& use : queue->partitions) {
    const bool configured = use.label.empty() || spec.labels.contains(use.label);
    if (!configured && use.used.is_zero() && use.pending.is_zero()) continue;
    out.partitions.push_back(partition_report(use));
  }
  add_counters(*queue, out);
  for (const queues::QueueSpec& child : spec.children) {
    out.children.push_back(report(child));
    count_below(out, out.children.back());
  }
  return out;
}

ClusterMetrics Core::metrics() const {
  ClusterMetrics out;
  AppCounts apps;
  for (const auto& [queue, counters] : counters_) {
    apps += counters.all.apps;
  }
  out.apps_submitted = apps.submitted;
  out.apps_completed = apps.completed;
  out.apps_failed = apps.failed;
  out.apps_killed = apps.killed;
  out.apps_running = apps.running;
  out.apps_pending = static_cast<std::int32_t>(apps.pending());
  out.master_allocation = master_allocation_;
  out.master_launch = master_launch_;
  out.master_registration = master_registration_;
  out.containers_allocated = static_cast<std::int32_t>(containers_.size());
  if (const auto root = scheduler_.queue(QueuePath("root"))) {
    out.pending = root->pending;
    out.containers_pending = narrowed(root->pending_containers);
  }
  sum_nodes(out);
  out.available = out.total - out.allocated;
  out.containers_assigned_total = containers_assigned_;
  out.max_app_priority = options_.max_app_priority;
  out.preemption = preemption_sums(scheduler_.preemption_ledger().sums());
  out.health = health_;
  out.health.allocations = last_second_.allocations;
  out.health.releases = last_second_.releases;
  out.health.allocated = last_second_.allocated;
  out.health.released = last_second_.released;
  return out;
}

void Core::note_allocation(const queues::Grant& grant, const ContainerId& id, const App& app,
                           const Now& now) {
  ++containers_assigned_;
  count(app.queue, app.user, [&](QueueCounts& counts) {
    ++counts.allocated;
    switch (grant.locality) {
      case queues::Locality::kNodeLocal: ++counts.node_local; break;
      case queues::Locality::kRackLocal: ++counts.rack_local; break;
      case queues::Locality::kOffSwitch: ++counts.off_switch; break;
    }
  });
  ++lately_.allocations;
  lately_.allocated += grant.resources;
  health_.last_allocation = {grant.node, id, app.queue};
  health_.last_change = now.wall;
}

/// As in Hadoop: what did not take a millisecond is not counted.
void Core::note_first_container(const App& app, Attempt& attempt, const Now& now) {
  if (std::exchange(attempt.has_containers, true) || !attempt.first_asked) return;
  const std::int64_t waited = whole_ms(now.instant - *attempt.first_asked);
  if (waited <= 0) return;
  count(app.queue, app.user, [&](QueueCounts& counts) { counts.first_container.add(waited); });
}

void Core::end_step(Attempt& attempt, Delays& delays, const Now& now) {
  delays.add(whole_ms(now.instant - std::exchange(attempt.step_began, now.instant)));
}

void Core::note_release(const GrantedContainer& grant, const App& app, const Now& now) {
  count(app.queue, app.user, [](QueueCounts& counts) { ++counts.released; });
  ++lately_.releases;
  lately_.released += grant.resources;
  health_.last_release = {grant.node, grant.id, app.queue};
  health_.last_change = now.wall;
}

void Core::sum_nodes(ClusterMetrics& out) const {
  for (const auto& [id, node] : nodes_) {
    const bool counted =
        node.state == NodeState::kRunning || node.state == NodeState::kDecommissioning;
    if (counted) {
      out.total += node.total;
      out.allocated += node.used;
    }
    switch (node.state) {
      case NodeState::kNew: break;
      case NodeState::kRunning: ++out.nodes_active; break;
      case NodeState::kUnhealthy: ++out.nodes_unhealthy; break;
      case NodeState::kDecommissioned: ++out.nodes_decommissioned; break;
      case NodeState::kLost: ++out.nodes_lost; break;
      case NodeState::kRebooted: ++out.nodes_rebooted; break;
      case NodeState::kDecommissioning: ++out.nodes_decommissioning; break;
      case NodeState::kShutdown: ++out.nodes_shutdown; break;
    }
  }
}

void Core::publish(const Now& now, ReportSink& sink) {
  for (const auto& [id, allowed] : std::exchange(logins_, {}))
    sink.allow_login(id, allowed);
  for (const AttemptId& id : std::exchange(touched_attempts_, {})) {
    if (const Attempt* attempt = find_attempt(id)) sink.put(report(*find_app(id.app), *attempt));
  }
  for (const AppId& id : std::exchange(touched_apps_, {})) {
    if (const App* app = find_app(id)) sink.put(report(*app, now));
  }
  for (const AppId& id : std::exchange(forgotten_apps_, {}))
    sink.forget_app(id);
  for (const ContainerId& id : std::exchange(touched_containers_, {})) {
    Container* container = find_container(id);
    if (container == nullptr) continue;
    container->touched = false;
    auto out = std::make_shared<ContainerReport>();
    out->id = id;
    out->state = container->state;
    out->resources = container->grant.resources;
    out->node = container->grant.node;
    out->node_http_address = container->grant.node_http_address;
    out->priority = container->grant.priority;
    out->execution_type = container->grant.execution_type;
    out->created = container->grant.created;
    out->user = container->grant.user;
    sink.put(std::move(out));
  }
  for (const ContainerId& id : std::exchange(forgotten_containers_, {}))
    sink.forget_container(id);
  for (const NodeId& id : std::exchange(forgotten_nodes_, {}))
    sink.forget_node(id);
  for (const NodeId& id : std::exchange(touched_nodes_, {})) {
    if (const Node* node = find_node(id)) sink.put(report(*node));
  }
}

void Core::publish_use(const Now& now, ReportSink& sink) {
  for (const AppId& id : std::exchange(used_apps_, {})) {
    App* app = find_app(id);
    if (app == nullptr || !std::exchange(app->use_untold, false)) continue;
    sink.put(report(*app, now));
  }
  for (const NodeId& id : std::exchange(used_nodes_, {})) {
    Node* node = find_node(id);
    if (node == nullptr || !std::exchange(node->use_untold, false)) continue;
    sink.put(report(*node));
  }
}

void Core::publish_totals(const Now& now, ReportSink& sink) {
  publish_use(now, sink);
  bool changed = queues_changed_;
  if (now.instant >= second_ends_) {
    changed = changed || lately_.any() || last_second_.any();
    last_second_ = std::exchange(lately_, {});
    second_ends_ = now.instant + std::chrono::seconds(1);
  }
  if (std::exchange(queues_changed_, false)) {
    sink.put(std::make_shared<const QueueReport>(report(scheduler_.config().root)));
  }
  if (changed) sink.put(metrics());
  if (std::exchange(labels_changed_, false)) sink.put(labels_report());
  if (std::exchange(attributes_changed_, false)) {
    sink.put(std::make_shared<const AttributesReport>(AttributesReport{attributes_.all()}));
  }
}

}  // namespace heddle::rm
