#include "compat/rest/records.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdio>

#include "base/text.h"
#include "compat/rest/web.h"

namespace heddle::compat::rest {
namespace {

std::string_view app_state_name(rm::AppState state) {
  switch (state) {
    case rm::AppState::kNew: return "NEW";
    case rm::AppState::kNewSaving: return "NEW_SAVING";
    case rm::AppState::kSubmitted: return "SUBMITTED";
    case rm::AppState::kAccepted: return "ACCEPTED";
    case rm::AppState::kRunning: return "RUNNING";
    case rm::AppState::kFinishing:
    case rm::AppState::kFinished: return "FINISHED";
    case rm::AppState::kFailed: return "FAILED";
    case rm::AppState::kKilled: return "KILLED";
    case rm::AppState::kFinalSaving:
    case rm::AppState::kKilling: return "RUNNING";  // only without a state before
  }
  return "NEW";
}

std::string_view attempt_state_name(rm::AttemptState state) {
  switch (state) {
    case rm::AttemptState::kNew: return "NEW";
    case rm::AttemptState::kSubmitted: return "SUBMITTED";
    case rm::AttemptState::kScheduled: return "SCHEDULED";
    case rm::AttemptState::kAllocatedSaving: return "ALLOCATED_SAVING";
    case rm::AttemptState::kLaunchedUnmanagedSaving: return "LAUNCHED_UNMANAGED_SAVING";
    case rm::AttemptState::kAllocated: return "ALLOCATED";
    case rm::AttemptState::kLaunched: return "LAUNCHED";
    case rm::AttemptState::kRunning: return "RUNNING";
    case rm::AttemptState::kFinalSaving: return "FINAL_SAVING";
    case rm::AttemptState::kFinishing: return "FINISHING";
    case rm::AttemptState::kFinished: return "FINISHED";
    case rm::AttemptState::kFailed: return "FAILED";
    case rm::AttemptState::kKilled: return "KILLED";
  }
  return "NEW";
}

// ContainerState as reports show it.
std::string_view container_state_name(rm::ContainerState state) {
  switch (state) {
    case rm::ContainerState::kNew:
    case rm::ContainerState::kReserved:
    case rm::ContainerState::kAllocated:
    case rm::ContainerState::kAcquired: return "NEW";
    case rm::ContainerState::kRunning: return "RUNNING";
    case rm::ContainerState::kCompleted:
    case rm::ContainerState::kReleased:
    case rm::ContainerState::kExpired:
    case rm::ContainerState::kKilled: return "COMPLETE";
  }
  return "NEW";
}

std::int64_t elapsed(WallTime from, WallTime to, WallTime now) {
  if (from.ms == 0) return 0;
  return std::max<std::int64_t>((to.ms > 0 ? to.ms : now.ms) - from.ms, 0);
}

int percent(std::int64_t part, std::int64_t whole) {
  return whole <= 0 ? 0 : static_cast<int>(part * 100 / whole);
}

void write_seconds_map(Writer& out, std::string_view name, const rm::ResourceSeconds& seconds,
                       const ResourceTypes& types, bool when_zero) {
  out.begin_object(name);
  bool any = when_zero;
  for (const std::int64_t amount : seconds.amount)
    any = any || amount != 0;
  for (std::size_t i = 0; any && i < types.all().size(); ++i) {
    out.begin_object("entry");  // the name repeats, as Jersey writes maps
    out.text("key", types.all()[i].name);
    out.number_as_text("value", seconds.amount[i]);
    out.end_object();
  }
  out.end_object();
}

void write_ask(Writer& out, const rm::Ask& ask, const ResourceTypes& types) {
  out.begin_object("resourceRequests");
  out.number("priority", ask.priority);
  out.text("resourceName", ask.resource_name);
  write_resource(out, "capability", ask.resources, types);
  out.number("numContainers", ask.containers);
  out.flag("relaxLocality", ask.relax_locality);
  out.text("nodeLabelExpression", ask.label_expression.value_or(""));
  out.begin_object("executionTypeRequest");
  out.text("executionType", rm::to_string(ask.execution_type));
  out.flag("enforceExecutionType", false);
  out.end_object();
  out.number("allocationRequestId", ask.allocation_request_id);
  out.end_object();
}

void write_app_usage(Writer& out, const rm::AppReport& app, const ResourceTypes& types) {
  const bool gone = rm::is_final(app.state);
  const auto live = [&](std::int64_t value) { return gone ? -1 : value; };
  const rm::ResourceUsage& usage = app.usage;
  out.number("allocatedMB", live(usage.used.memory_mb()));
  out.number("allocatedVCores", live(usage.used.vcores()));
  out.number("reservedMB", live(usage.reserved.memory_mb()));
  out.number("reservedVCores", live(usage.reserved.vcores()));
  out.number("runningContainers", live(usage.used_containers));
  out.number("memorySeconds", usage.seconds.amount[kMemory]);
  out.number("vcoreSeconds", usage.seconds.amount[kVcores]);
  out.real("queueUsagePercentage", gone ? 0.0F : usage.queue_percentage);
  out.real("clusterUsagePercentage", gone ? 0.0F : usage.cluster_percentage);
  write_seconds_map(out, "resourceSecondsMap", usage.seconds, types, true);
  out.number("preemptedResourceMB", app.preempted.memory_mb());
  out.number("preemptedResourceVCores", app.preempted.vcores());
  out.number("numNonAMContainerPreempted", app.preempted_containers);
  out.number("numAMContainerPreempted", app.preempted_masters);
  out.number("preemptedMemorySeconds", usage.preempted_seconds.amount[kMemory]);
  out.number("preemptedVcoreSeconds", usage.preempted_seconds.amount[kVcores]);
  write_seconds_map(out, "preemptedResourceSecondsMap", usage.preempted_seconds, types, false);
}

// What the AM itself holds is in the report of its container.
void write_app_resource_info(Writer& out, const rm::AppReport& app, const RecordContext& context) {
  const ResourceTypes& types = context.reports.info().resource_types;
  Resources master;
  if (app.master_container) {
    const auto container = context.reports.container(*app.master_container);
    if (container) master = container->resources;
  }
  Resources pending;
  for (const rm::Ask& ask : app.asks) {
    if (ask.resource_name != "*") continue;
    for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
      pending.amount[i] += ask.resources.amount[i] * ask.containers;
    }
  }
  out.begin_object("resourceInfo");
  out.begin_list("resourceUsagesByPartition");
  out.begin_object("");
  out.text("partitionName", "");
  write_resource(out, "used", app.usage.used, types);
  write_resource(out, "reserved", app.usage.reserved, types);
  write_resource(out, "pending", pending, types);
  write_resource(out, "amUsed", master, types);
  write_resource(out, "amLimit", {}, types);
  write_resource(out, "userAmLimit", {}, types);
  out.end_object();
  out.end_list();
  out.end_object();
}

}  // namespace

std::string_view public_state(const rm::AppReport& app) {
  const bool between =
      app.state == rm::AppState::kFinalSaving || app.state == rm::AppState::kKilling;
  const bool known = app.state_before_saving != rm::AppState::kNew;
  return app_state_name(between && known ? app.state_before_saving : app.state);
}

std::string_view public_state(const rm::AttemptReport& attempt) {
  return attempt_state_name(attempt.state == rm::AttemptState::kFinalSaving
                                ? attempt.state_before_saving
                                : attempt.state);
}

std::string iso_time(WallTime time) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(time.ms)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+0000",
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::string java_date(WallTime time) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(time.ms)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{at - day};
  constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                     "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02} UTC {}", kDays[weekday(day).c_encoding()],
                     kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(),
                     static_cast<int>(date.year()));
}

Result<WallTime> parse_iso_time(std::string_view text) {
  using namespace std::chrono;
  const auto refuse = [&] {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("expiryTime '{}' is not of the form yyyy-MM-dd'T'HH:mm:ss.SSSZ, such as "
                    "2030-12-05T17:21:00.104+0000",
                    shortened(text)));
  };
  const std::string copy(trim(text));
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, ms = 0, used = 0;
  if (copy.size() > 40 || std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3d%n", &y, &mo, &d,
                                      &h, &mi, &s, &ms, &used) != 7) {
    return refuse();
  }
  std::int64_t offset_minutes = 0;
  std::string zone = copy.substr(static_cast<std::size_t>(used));
  if (zone != "Z") {
    std::erase(zone, ':');
    const auto digits = zone.size() == 5 ? parse_int(zone.substr(1)) : std::nullopt;
    if (!digits || (zone[0] != '+' && zone[0] != '-')) return refuse();
    offset_minutes = (*digits / 100 * 60 + *digits % 100) * (zone[0] == '-' ? -1 : 1);
  }
  const year_month_day date{year(y), month(static_cast<unsigned>(mo)),
                            day(static_cast<unsigned>(d))};
  if (!date.ok() || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 60 || ms < 0) {
    return refuse();
  }
  const auto time =
      sys_days(date) + hours(h) + minutes(mi - offset_minutes) + seconds(s) + milliseconds(ms);
  return WallTime{time.time_since_epoch().count()};
}

std::string_view tracking_ui(const rm::AppReport& app) {
  if (app.finished.ms > 0 || rm::is_final(app.state)) return "History";
  return app.original_tracking_url.empty() ? "UNASSIGNED" : "ApplicationMaster";
}

std::string tracking_url(const rm::AppReport& app, const WebOptions& options) {
  if (!app.original_tracking_url.empty()) {
    return absolute(options, "/proxy/" + to_string(app.id) + "/");
  }
  if (rm::is_final(app.state)) return absolute(options, "/cluster/app/" + to_string(app.id));
  return "";
}

std::string container_log_url(std::string_view node_http, const ContainerId& container,
                              std::string_view user) {
  return fmt::format("http://{}/node/containerlogs/{}/{}", node_http, to_string(container),
                     percent_encode(user));
}

void write_resource(Writer& out, std::string_view name, const Resources& value,
                    const ResourceTypes& types, bool with_bounds) {
  out.begin_object(name);
  out.number("memory", value.memory_mb());
  out.number("vCores", value.vcores());
  out.begin_object("resourceInformations");
  out.begin_list("resourceInformation");
  for (std::size_t i = 0; i < types.all().size(); ++i) {
    const ResourceTypes::Type& type = types.all()[i];
    out.begin_object("");
    out.begin_object("attributes");
    out.end_object();
    out.number("maximumAllocation", with_bounds ? type.maximum : INT64_MAX);
    out.number("minimumAllocation", with_bounds ? type.minimum : 0);
    out.text("name", type.name);
    out.text("resourceType", "COUNTABLE");
    out.text("units", type.unit);
    out.number("value", value.amount[i]);
    out.end_object();
  }
  out.end_list();
  out.end_object();
  out.end_object();
}

void write_cluster_info(Writer& out, const RecordContext& context) {
  const rm::ClusterInfo& info = context.reports.info();
  out.begin_root("clusterInfo");
  out.number("id", info.started_ms);
  out.number("startedOn", info.started_ms);
  out.text("state", "STARTED");
  out.text("haState", "ACTIVE");
  out.text("rmStateStoreName", info.store_name);
  out.text("resourceManagerVersion", kHadoopVersion);
  out.text("resourceManagerBuildVersion", kBuildVersion);
  out.text("resourceManagerVersionBuiltOn", kBuiltOn);
  out.text("hadoopVersion", kHadoopVersion);
  out.text("hadoopBuildVersion", kBuildVersion);
  out.text("hadoopVersionBuiltOn", kBuiltOn);
  out.text("haZooKeeperConnectionState",
           "Could not find leader elector. Verify both HA and automatic failover are enabled.");
  out.end_root();
}

void write_cluster_metrics(Writer& out, const RecordContext& context) {
  const rm::ClusterMetrics m = context.reports.metrics();
  const ResourceTypes& types = context.reports.info().resource_types;
  std::int64_t used_mb = 0;
  double used_cores = 0;
  for (const auto& node : context.reports.nodes({rm::NodeState::kRunning})) {
    used_mb += node->node_utilization.physical_mb;
    used_cores += node->node_utilization.cpu;
  }
  const int nodes = m.nodes_active + m.nodes_lost + m.nodes_unhealthy + m.nodes_decommissioned +
                    m.nodes_decommissioning + m.nodes_rebooted + m.nodes_shutdown;
  out.begin_root("clusterMetrics");
  out.number("appsSubmitted", m.apps_submitted);
  out.number("appsCompleted", m.apps_completed);
  out.number("appsPending", m.apps_pending);
  out.number("appsRunning", m.apps_running);
  out.number("appsFailed", m.apps_failed);
  out.number("appsKilled", m.apps_killed);
  out.number("reservedMB", m.reserved.memory_mb());
  out.number("availableMB", m.available.memory_mb());
  out.number("allocatedMB", m.allocated.memory_mb());
  out.number("pendingMB", m.pending.memory_mb());
  out.number("reservedVirtualCores", m.reserved.vcores());
  out.number("availableVirtualCores", m.available.vcores());
  out.number("allocatedVirtualCores", m.allocated.vcores());
  out.number("pendingVirtualCores", m.pending.vcores());
  out.number("containersAllocated", m.containers_allocated);
  out.number("containersReserved", m.containers_reserved);
  out.number("containersPending", m.containers_pending);
  out.number("totalMB", m.total.memory_mb());
  out.number("utilizedMB", used_mb);
  out.number("totalVirtualCores", m.total.vcores());
  out.number("utilizedVirtualCores", static_cast<std::int64_t>(used_cores));
  out.number("utilizedMBPercent", percent(used_mb, m.total.memory_mb()));
  out.number("utilizedVirtualCoresPercent",
             percent(static_cast<std::int64_t>(used_cores), m.total.vcores()));
  out.number("rmSchedulerBusyPercent", 0);
  out.number("totalNodes", nodes);
  out.number("lostNodes", m.nodes_lost);
  out.number("unhealthyNodes", m.nodes_unhealthy);
  out.number("decommissioningNodes", m.nodes_decommissioning);
  out.number("decommissionedNodes", m.nodes_decommissioned);
  out.number("rebootedNodes", m.nodes_rebooted);
  out.number("activeNodes", m.nodes_active);
  out.number("shutdownNodes", m.nodes_shutdown);
  out.number("containerAssignedPerSecond", m.health.allocations);
  write_resource(out, "totalUsedResourcesAcrossPartition", m.allocated, types);
  write_resource(out, "totalClusterResourcesAcrossPartition", m.total, types);
  write_resource(out, "totalReservedResourcesAcrossPartition", m.reserved, types);
  out.number("totalAllocatedContainersAcrossPartition", m.containers_allocated);
  out.flag("crossPartitionMetricsAvailable", true);
  out.number("rmEventQueueSize", static_cast<std::int64_t>(m.event_queue_size));
  out.number("schedulerEventQueueSize", 0);
  out.end_root();
}

void write_text_resource(Writer& out, std::string_view name, const Resources& value,
                         const ResourceTypes& types) {
  out.begin_object(name);
  out.number_as_text("memory", value.memory_mb());
  out.number_as_text("vCores", value.vcores());
  out.begin_object("resourceInformations");
  out.begin_list("resourceInformation");
  for (std::size_t i = 0; i < types.all().size(); ++i) {
    out.begin_object("");
    out.null("attributes");
    out.number_as_text("maximumAllocation", INT64_MAX);
    out.number_as_text("minimumAllocation", 0);
    out.text("name", types.all()[i].name);
    out.text("resourceType", "COUNTABLE");
    out.text("units", types.all()[i].unit);
    out.number_as_text("value", value.amount[i]);
    out.end_object();
  }
  out.end_list();
  out.end_object();
  out.end_object();
}

namespace {
std::string types_text(const ResourceTypes& types, std::string_view separator) {
  std::string text;
  for (const ResourceTypes::Type& type : types.all()) {
    if (!text.empty()) text += separator;
    text += type.name;
    if (!type.unit.empty()) text += " (unit=" + type.unit + ")";
  }
  return text;
}
}  // namespace

void write_scheduler_overview(Writer& out, const RecordContext& context) {
  const rm::ClusterInfo& info = context.reports.info();
  out.begin_root("scheduler", false);
  out.text("schedulerType", "Capacity Scheduler");
  out.text("schedulingResourceType", types_text(info.resource_types, ","));
  write_text_resource(out, "minimumAllocation", info.minimum_allocation, info.resource_types);
  write_text_resource(out, "maximumAllocation", info.maximum_allocation, info.resource_types);
  out.number_as_text("applicationPriority", context.reports.metrics().max_app_priority);
  out.number_as_text("schedulerBusy", 0);
  out.number_as_text("rmDispatcherEventQueueSize",
                     static_cast<std::int64_t>(context.reports.metrics().event_queue_size));
  out.number_as_text("schedulerDispatcherEventQueueSize", 0);
  out.end_root();
}

void write_timeout(Writer& out, const rm::AppReport& app, WallTime now) {
  out.text("type", "LIFETIME");
  if (app.lifetime_expiry.ms == 0) {
    out.text("expiryTime", "UNLIMITED");
    out.number("remainingTimeInSeconds", -1);
    return;
  }
  const std::int64_t left = (app.lifetime_expiry.ms - now.ms) / 1000;
  out.text("expiryTime", iso_time(app.lifetime_expiry));
  out.number("remainingTimeInSeconds",
             rm::is_final(app.state) ? 0 : std::max<std::int64_t>(left, 0));
}

void write_app(Writer& out, const rm::AppReport& app, const RecordContext& context,
               const Deselected& deselected) {
  const ResourceTypes& types = context.reports.info().resource_types;
  const bool gone = rm::is_final(app.state);
  const bool has_master = app.master_container.has_value() && !app.master_node_http.empty();
  out.text("id", to_string(app.id));
  out.text("user", app.user);
  out.text("name", app.name);
  out.text("queue", app.queue);
  out.text("state", public_state(app));
  out.text("finalStatus", rm::to_string(app.final_status));
  out.real("progress", gone ? 100.0F : app.progress * 100.0F);
  out.text("trackingUI", tracking_ui(app));
  if (const std::string url = tracking_url(app, context.options); !url.empty()) {
    out.text("trackingUrl", url);
  }
  out.text("diagnostics", app.diagnostics);
  out.number("clusterId", app.id.cluster_start_ms);
  out.text("applicationType", app.type);
  out.text("applicationTags", fmt::format("{}", fmt::join(app.tags, ",")));
  out.number("priority", app.priority);
  out.number("startedTime", app.started.ms);
  out.number("launchTime", app.launched.ms == 0 ? -1 : app.launched.ms);
  out.number("finishedTime", app.finished.ms);
  out.number("elapsedTime", elapsed(app.started, app.finished, context.now));
  if (has_master) {
    out.text("amContainerLogs",
             container_log_url(app.master_node_http, *app.master_container, app.user));
    out.text("amHostHttpAddress", app.master_node_http);
    if (app.rpc_port > 0) out.text("amRPCAddress", fmt::format("{}:{}", app.host, app.rpc_port));
  }
  out.text("masterNodeId", app.master_node.host.empty() ? "" : to_string(app.master_node));
  write_app_usage(out, app, types);
  if (!deselected.resource_requests && !gone && !app.asks.empty()) {
    out.begin_list("resourceRequests");
    for (const rm::Ask& ask : app.asks)
      write_ask(out, ask, types);
    out.end_list();
  }
  out.text("logAggregationStatus", app.log_aggregation_status);
  out.flag("unmanagedApplication", app.unmanaged);
  if (!deselected.app_label && app.label_expression) {
    out.text("appNodeLabelExpression", *app.label_expression);
  }
  if (!deselected.am_label && !app.unmanaged) {
    out.text("amNodeLabelExpression", app.master_label_expression);
  }
  if (!deselected.resource_info && !gone) write_app_resource_info(out, app, context);
  if (!deselected.timeouts) {
    out.begin_object("timeouts");
    out.begin_list("timeout");
    out.begin_object("");
    write_timeout(out, app, context.now);
    out.end_object();
    out.end_list();
    out.end_object();
  }
}

void write_attempt_row(Writer& out, const rm::AttemptReport& attempt) {
  out.number("id", attempt.id.number);
  out.number("startTime", attempt.started.ms);
  out.number("finishedTime", attempt.finished.ms);
  out.text("containerId", attempt.master_container ? to_string(*attempt.master_container) : "");
  out.text("nodeHttpAddress", attempt.master_node_http);
  out.text("nodeId", attempt.master_node.host.empty() ? "" : to_string(attempt.master_node));
  out.text("logsLink", attempt.master_container && !attempt.master_node_http.empty()
                           ? container_log_url(attempt.master_node_http, *attempt.master_container,
                                               attempt.user)
                           : "");
  out.text("blacklistedNodes", join(attempt.blacklisted, ", "));
  out.text("nodesBlacklistedBySystem", "");
  out.text("appAttemptId", to_string(attempt.id));
  out.text("exportPorts", "null");  // the text, as Hadoop writes it
  out.text("appAttemptState", rm::to_string(attempt.state));
}

void write_attempt(Writer& out, const rm::AttemptReport& attempt, const RecordContext& context) {
  out.begin_root("appAttempt", false);
  out.text("appAttemptId", to_string(attempt.id));
  out.text("host", attempt.host);
  out.number_as_text("rpcPort", attempt.rpc_port);
  if (!attempt.original_tracking_url.empty()) {
    out.text("trackingUrl", absolute(context.options, "/proxy/" + to_string(attempt.id.app) + "/"));
  }
  out.text("originalTrackingUrl",
           attempt.original_tracking_url.empty() ? "N/A" : attempt.original_tracking_url);
  out.text("diagnosticsInfo", attempt.diagnostics);
  out.text("appAttemptState", public_state(attempt));
  if (attempt.master_container) out.text("amContainerId", to_string(*attempt.master_container));
  out.number_as_text("startedTime", attempt.started.ms);
  out.number_as_text("finishedTime", attempt.finished.ms);
  out.end_root();
}

void write_container(Writer& out, const rm::ContainerReport& container,
                     const RecordContext& context) {
  const ResourceTypes& types = context.reports.info().resource_types;
  out.text("containerId", to_string(container.id));
  out.number_as_text("allocatedMB", container.resources.memory_mb());
  out.number_as_text("allocatedVCores", container.resources.vcores());
  out.text("assignedNodeId", to_string(container.node));
  out.number_as_text("priority", container.priority);
  out.number_as_text("startedTime", container.created.ms);
  out.number_as_text("finishedTime", container.finished.ms);
  out.number_as_text("elapsedTime", elapsed(container.created, container.finished, context.now));
  if (!container.diagnostics.empty()) out.text("diagnosticsInfo", container.diagnostics);
  out.text("logUrl", container_log_url(container.node_http_address, container.id, container.user));
  out.number_as_text("containerExitStatus", container.exit_status);
  out.text("containerState", container_state_name(container.state));
  out.text("nodeHttpAddress", "http://" + container.node_http_address);
  out.text("nodeId", to_string(container.node));
  out.begin_object("allocatedResources");
  out.begin_list("entry");
  for (std::size_t i = 0; i < types.all().size(); ++i) {
    out.begin_object("");
    out.text("key", types.all()[i].name);
    out.number_as_text("value", container.resources.amount[i]);
    out.end_object();
  }
  out.end_list();
  out.end_object();
  out.text("exposedPorts", "");
}

}  // namespace heddle::compat::rest
