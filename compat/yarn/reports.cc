#include "compat/yarn/reports.h"

#include <algorithm>
#include <limits>

#include "compat/records/ids.h"
#include "compat/records/resources.h"
#include "compat/yarn/labels.h"
#include "compat/yarn/states.h"
#include "compat/yarn/times.h"

namespace heddle::compat::yarn {
namespace {

/// The application's and its attempts' tracking pages: through the proxy while there is something
/// to see, the ResourceManager's own page once they failed or were killed.
struct Tracking {
  std::string shown;
  std::string original;
};
Tracking tracking_of(const AppId& app, const std::string& original, bool unmanaged,
                     bool ended_badly, const std::string& web_url) {
  if (ended_badly) {
    const std::string page = app_page_url(web_url, app);
    return {page, page};
  }
  if (unmanaged && !original.empty()) return {original, original};
  return {proxy_url(web_url, app), original.empty() ? "N/A" : original};
}

void seconds_to_wire(const rm::ResourceSeconds& seconds, const ResourceTypes& types,
                     google::protobuf::RepeatedPtrField<pb::StringLongMapProto>* wire) {
  for (std::size_t i = 0; i < types.all().size(); ++i) {
    auto* entry = wire->Add();
    entry->set_key(types.all()[i].name);
    entry->set_value(seconds.amount[i]);
  }
}

void usage_to_wire(const rm::AppReport& app, const ReportView& view,
                   pb::ApplicationResourceUsageReportProto* wire) {
  const rm::ResourceUsage& usage = app.usage;
  const ResourceTypes& types = view.types;
  if (!app.current_attempt || rm::is_final(app.state)) {
    const Resources unknown = every_type(types, -1);
    wire->set_num_used_containers(-1);
    wire->set_num_reserved_containers(-1);
    compat::to_wire(unknown, types, wire->mutable_used_resources());
    compat::to_wire(unknown, types, wire->mutable_reserved_resources());
    compat::to_wire(unknown, types, wire->mutable_needed_resources());
  } else {
    wire->set_num_used_containers(usage.used_containers);
    wire->set_num_reserved_containers(usage.reserved_containers);
    compat::to_wire(usage.used, types, wire->mutable_used_resources());
    compat::to_wire(usage.reserved, types, wire->mutable_reserved_resources());
    compat::to_wire(usage.needed, types, wire->mutable_needed_resources());
    wire->set_queue_usage_percentage(usage.queue_percentage);
    wire->set_cluster_usage_percentage(usage.cluster_percentage);
  }
  wire->set_memory_seconds(usage.seconds.amount[kMemory]);
  wire->set_vcore_seconds(usage.seconds.amount[kVcores]);
  wire->set_preempted_memory_seconds(usage.preempted_seconds.amount[kMemory]);
  wire->set_preempted_vcore_seconds(usage.preempted_seconds.amount[kVcores]);
  seconds_to_wire(usage.seconds, types, wire->mutable_application_resource_usage_map());
  seconds_to_wire(usage.preempted_seconds, types,
                  wire->mutable_application_preempted_resource_usage_map());
}

void timeout_to_wire(const rm::AppReport& app, WallTime now, pb::AppTimeoutsMapProto* wire) {
  wire->set_application_timeout_type(pb::APP_TIMEOUT_LIFETIME);
  auto* timeout = wire->mutable_application_timeout();
  timeout->set_application_timeout_type(pb::APP_TIMEOUT_LIFETIME);
  if (app.lifetime_expiry.ms == 0) {
    timeout->set_expire_time("UNLIMITED");
    timeout->set_remaining_time(-1);
    return;
  }
  timeout->set_expire_time(iso8601(app.lifetime_expiry));
  const bool over = rm::is_final(app.state);
  timeout->set_remaining_time(
      over ? 0 : std::max<std::int64_t>(0, (app.lifetime_expiry.ms - now.ms) / 1000));
}

void utilization_to_wire(const rm::NodeUtilization& utilization,
                         pb::ResourceUtilizationProto* wire) {
  const auto narrow = [](std::int64_t value) {
    return static_cast<std::int32_t>(
        std::clamp<std::int64_t>(value, 0, std::numeric_limits<std::int32_t>::max()));
  };
  wire->set_pmem(narrow(utilization.physical_mb));
  wire->set_vmem(narrow(utilization.virtual_mb));
  wire->set_cpu(utilization.cpu);
}

void statistics_to_wire(const rm::QueueReport& queue, pb::QueueStatisticsProto* wire) {
  wire->set_numappssubmitted(queue.counts.apps.submitted);
  wire->set_numappsrunning(queue.counts.apps.running);
  wire->set_numappspending(queue.pending_apps);
  wire->set_numappscompleted(queue.counts.apps.completed);
  wire->set_numappskilled(queue.counts.apps.killed);
  wire->set_numappsfailed(queue.counts.apps.failed);
  wire->set_numactiveusers(std::ranges::count_if(
      queue.users, [](const rm::QueueUserReport& user) { return user.active_apps > 0; }));
  // As in Hadoop: of its guarantee, not of what it may borrow.
  const Resources available =
      componentwise_max(queue.guaranteed - queue.used - queue.reserved, Resources{});
  wire->set_availablememorymb(available.memory_mb());
  wire->set_allocatedmemorymb(queue.used.memory_mb());
  wire->set_pendingmemorymb(queue.pending.memory_mb());
  wire->set_reservedmemorymb(queue.reserved.memory_mb());
  wire->set_availablevcores(available.vcores());
  wire->set_allocatedvcores(queue.used.vcores());
  wire->set_pendingvcores(queue.pending.vcores());
  wire->set_reservedvcores(queue.reserved.vcores());
  wire->set_allocatedcontainers(queue.containers);
  wire->set_pendingcontainers(queue.pending_containers);
  wire->set_reservedcontainers(queue.reserved_containers);
}

void configuration_to_wire(const rm::PartitionReport& partition, const ReportView& view,
                           pb::QueueConfigurationsMapProto* wire) {
  wire->set_partitionname(partition.label);
  auto* out = wire->mutable_queueconfigurations();
  out->set_capacity(partition.capacity);
  out->set_absolutecapacity(partition.absolute_capacity);
  out->set_maxcapacity(partition.max_capacity);
  out->set_absolutemaxcapacity(partition.absolute_max_capacity);
  out->set_maxampercentage(partition.max_master_share);
  compat::to_wire(partition.guaranteed, view.types, out->mutable_effectivemincapacity());
  compat::to_wire(partition.maximum, view.types, out->mutable_effectivemaxcapacity());
  compat::to_wire(Resources{}, view.types, out->mutable_configuredmincapacity());
  compat::to_wire(Resources{}, view.types, out->mutable_configuredmaxcapacity());
}

}  // namespace

std::string proxy_url(const std::string& web_url, const AppId& app) {
  return web_url + "/proxy/" + to_string(app) + "/";
}

std::string app_page_url(const std::string& web_url, const AppId& app) {
  return web_url + "/cluster/app/" + to_string(app);
}

void to_wire(const rm::AppReport& app, const ReportView& view, pb::ApplicationReportProto* wire) {
  compat::to_wire(app.id, wire->mutable_applicationid());
  wire->set_user(app.user);
  wire->set_queue(app.queue);
  wire->set_name(app.name);
  wire->set_host(app.host);
  wire->set_rpc_port(app.rpc_port);
  wire->set_yarn_application_state(to_wire(app.state, app.state_before_saving));
  const bool ended_badly = app.state == rm::AppState::kFailed || app.state == rm::AppState::kKilled;
  const Tracking tracking =
      tracking_of(app.id, app.original_tracking_url, app.unmanaged, ended_badly, view.web_url);
  wire->set_trackingurl(tracking.shown);
  wire->set_originaltrackingurl(tracking.original);
  wire->set_diagnostics(app.diagnostics);
  wire->set_starttime(app.started.ms);
  wire->set_finishtime(app.finished.ms);
  wire->set_launchtime(app.launched.ms);
  wire->set_final_application_status(to_wire(app.final_status, app.state));
  usage_to_wire(app, view, wire->mutable_app_resource_usage());
  compat::to_wire(app.current_attempt.value_or(AttemptId{app.id, -1}),
                  wire->mutable_currentapplicationattemptid());
  wire->set_progress(app.progress);
  wire->set_applicationtype(app.type);
  for (const std::string& tag : app.tags)
    wire->add_applicationtags(tag);
  pb::LogAggregationStatusProto log_status{};
  if (log_status_to_wire(app.log_aggregation_status, &log_status)) {
    wire->set_log_aggregation_status(log_status);
  }
  wire->set_unmanaged_application(app.unmanaged);
  wire->mutable_priority()->set_priority(app.priority);
  const auto shown = [](const std::string& label) {
    return label.empty() ? "<DEFAULT_PARTITION>" : label;
  };
  wire->set_appnodelabelexpression(app.label_expression ? shown(*app.label_expression)
                                                        : "<Not set>");
  if (!app.unmanaged) wire->set_amnodelabelexpression(shown(app.master_label_expression));
  timeout_to_wire(app, view.now, wire->add_apptimeouts());
}

void to_wire(const rm::AttemptReport& attempt, const ReportView& view,
             pb::ApplicationAttemptReportProto* wire) {
  compat::to_wire(attempt.id, wire->mutable_application_attempt_id());
  wire->set_host(attempt.host);
  wire->set_rpc_port(attempt.rpc_port);
  const bool ended_badly =
      attempt.state == rm::AttemptState::kFailed || attempt.state == rm::AttemptState::kKilled;
  const Tracking tracking =
      tracking_of(attempt.id.app, attempt.original_tracking_url, false, ended_badly, view.web_url);
  wire->set_tracking_url(tracking.shown);
  wire->set_original_tracking_url(tracking.original);
  wire->set_diagnostics(attempt.diagnostics);
  wire->set_yarn_application_attempt_state(to_wire(attempt.state, attempt.state_before_saving));
  if (attempt.master_container) {
    compat::to_wire(*attempt.master_container, wire->mutable_am_container_id());
  }
  wire->set_starttime(attempt.started.ms);
  wire->set_finishtime(attempt.finished.ms);
}

void to_wire(const rm::ContainerReport& container, const ReportView& view,
             pb::ContainerReportProto* wire) {
  compat::to_wire(container.id, wire->mutable_container_id());
  compat::to_wire(container.resources, view.types, wire->mutable_resource());
  compat::to_wire(container.node, wire->mutable_node_id());
  wire->mutable_priority()->set_priority(container.priority);
  wire->set_creation_time(container.created.ms);
  wire->set_finish_time(container.finished.ms);
  if (!container.diagnostics.empty()) wire->set_diagnostics_info(container.diagnostics);
  if (!container.node_http_address.empty()) {
    const std::string node = "http://" + container.node_http_address;
    wire->set_log_url(node + "/node/containerlogs/" + to_string(container.id) + "/" +
                      container.user);
    wire->set_node_http_address(node);
  }
  wire->set_container_exit_status(container.exit_status);
  wire->set_container_state(to_wire(container.state));
  wire->set_executiontype(to_wire(container.execution_type));
}

void to_wire(const rm::NodeReport& node, const ReportView& view, pb::NodeReportProto* wire) {
  compat::to_wire(node.id, wire->mutable_nodeid());
  wire->set_httpaddress(node.http_address);
  wire->set_rackname(node.rack);
  compat::to_wire(node.used, view.types, wire->mutable_used());
  compat::to_wire(node.total, view.types, wire->mutable_capability());
  if (node.containers != 0) wire->set_numcontainers(node.containers);
  wire->set_node_state(to_wire(node.state));
  wire->set_health_report(node.health.report);
  wire->set_last_health_report_time(node.health.reported.ms);
  utilization_to_wire(node.containers_utilization, wire->mutable_containers_utilization());
  utilization_to_wire(node.node_utilization, wire->mutable_node_utilization());
  if (!node.label.empty()) wire->add_node_labels(node.label);
  for (const rm::NodeAttribute& attribute : node.attributes)
    to_wire(attribute, wire->add_node_attributes());
  if (node.decommission_timeout_seconds) {
    wire->set_decommissioning_timeout(
        static_cast<std::uint32_t>(std::max(0, *node.decommission_timeout_seconds)));
  }
}

void to_wire(const rm::NodeChange& node, const ReportView& view, pb::NodeReportProto* wire) {
  compat::to_wire(node.node, wire->mutable_nodeid());
  wire->set_httpaddress(node.http_address);
  wire->set_rackname(node.rack);
  compat::to_wire(node.used, view.types, wire->mutable_used());
  compat::to_wire(node.total, view.types, wire->mutable_capability());
  if (node.containers != 0) wire->set_numcontainers(node.containers);
  wire->set_node_state(to_wire(node.state));
  wire->set_health_report("");
  wire->set_node_update_type(update_type_for(node.state));
}

void to_wire(const rm::QueueReport& queue, const ReportView& view, bool children, bool recursive,
             pb::QueueInfoProto* wire) {
  wire->set_queuename(queue.name);
  wire->set_queuepath(queue.path.value());
  wire->set_capacity(queue.capacity);
  wire->set_maximumcapacity(queue.max_capacity);
  wire->set_currentcapacity(queue.used_capacity);
  wire->set_state(queue.running ? pb::Q_RUNNING : pb::Q_STOPPED);
  for (const std::string& label : queue.labels)
    wire->add_accessiblenodelabels(label);
  if (!queue.default_label.empty()) wire->set_defaultnodelabelexpression(queue.default_label);
  statistics_to_wire(queue, wire->mutable_queuestatistics());
  wire->set_preemptiondisabled(queue.preemption_disabled);
  wire->set_intraqueuepreemptiondisabled(queue.intra_preemption_disabled);
  for (const rm::PartitionReport& partition : queue.partitions) {
    if (!rm::may_use(queue, partition.label)) continue;
    configuration_to_wire(partition, view, wire->add_queueconfigurationsmap());
  }
  wire->set_weight(-1);
  wire->set_maxparallelapps(queue.max_parallel_apps);
  wire->set_schedulertype("CapacityScheduler");
  if (!children) return;
  for (const rm::QueueReport& child : queue.children) {
    to_wire(child, view, recursive, recursive, wire->add_childqueues());
  }
}

const rm::QueueReport* find_queue(const rm::QueueReport& root, const std::string& name) {
  if (root.path.value() == name || root.name == name) return &root;
  for (const rm::QueueReport& child : root.children) {
    if (const rm::QueueReport* found = find_queue(child, name)) return found;
  }
  return nullptr;
}

}  // namespace heddle::compat::yarn
