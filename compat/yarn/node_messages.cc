#include "compat/yarn/node_messages.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"
#include "compat/records/ids.h"
#include "compat/records/resources.h"
#include "compat/records/tokens.h"
#include "compat/yarn/context.h"
#include "compat/yarn/labels.h"
#include "compat/yarn/states.h"

namespace heddle::compat::yarn {
namespace {

constexpr int kContainersMax = 100'000;  // in one message of one node
constexpr std::size_t kDiagnosticsMax = 64_KiB;

/// Its end, which says what went wrong, from the beginning of a character.
std::string end_of(const std::string& text) {
  if (text.size() <= kDiagnosticsMax) return text;
  std::size_t start = text.size() - kDiagnosticsMax;
  while (start < text.size() && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U)
    ++start;
  return text.substr(start);
}

Result<void> check_count(std::string_view what, int count) {
  if (count <= kContainersMax) return {};
  return fail(
      ErrorCode::kLimitExceeded,
      fmt::format("the node reports {} {}, at most {} are taken", count, what, kContainersMax),
      ErrorSubject::kNode);
}

rm::NodeHealth health_from_wire(const pb::NodeHealthStatusProto& wire) {
  rm::NodeHealth out;
  if (wire.has_is_node_healthy()) out.healthy = wire.is_node_healthy();
  out.report = end_of(wire.health_report());
  out.reported = {wire.last_health_report_time()};
  return out;
}

rm::NodeUtilization utilization_from_wire(const pb::ResourceUtilizationProto& wire) {
  return {wire.pmem(), wire.vmem(), wire.cpu()};
}

Result<rm::NodeContainer> container_from_wire(const pb::NMContainerStatusProto& wire,
                                              const ResourceTypes& types) {
  auto id = container_id_from_wire(wire.container_id());
  if (!id) return fail(std::move(id).error());
  auto resources = resources_from_wire(wire.resource(), types, UnknownTypes::kIgnore);
  if (!resources) return fail(std::move(resources).error());
  rm::NodeContainer out;
  out.id = *id;
  out.finished = wire.container_state() == pb::C_COMPLETE;
  out.running = wire.container_state() == pb::C_RUNNING;
  out.resources = *resources;
  out.priority = wire.priority().priority();
  out.created = {wire.creation_time()};
  out.exit_status = wire.container_exit_status();
  out.diagnostics = end_of(wire.diagnostics());
  return out;
}

Result<rm::NodeContainer> container_from_wire(const pb::ContainerStatusProto& wire) {
  auto id = container_id_from_wire(wire.container_id());
  if (!id) return fail(std::move(id).error());
  rm::NodeContainer out;
  out.id = *id;
  out.finished = wire.state() == pb::C_COMPLETE;
  out.running = wire.state() == pb::C_RUNNING && !(wire.has_container_sub_state() &&
                                                   wire.container_sub_state() == pb::CSS_SCHEDULED);
  out.exit_status = wire.exit_status();
  out.diagnostics = end_of(wire.diagnostics());
  // In each heartbeat for each container: the two that every node tells, and no look at names.
  out.resources = {wire.capability().memory(), wire.capability().virtual_cores()};
  return out;
}

rm::OpportunisticUse opportunistic_from_wire(const pb::OpportunisticContainersStatusProto& wire) {
  const auto count = [](std::int32_t told) { return std::max(told, 0); };
  return {count(wire.running_opport_containers()),
          count(wire.queued_opport_containers()),
          count(wire.wait_queue_length()),
          count(wire.opport_queue_capacity()),
          std::max<std::int64_t>(wire.opport_memory_used(), 0),
          count(wire.opport_cores_used())};
}

Result<void> apps_from_wire(const google::protobuf::RepeatedPtrField<pb::ApplicationIdProto>& wire,
                            std::vector<AppId>& out) {
  for (const auto& id : wire) {
    auto app = app_id_from_wire(id);
    if (!app) return fail(std::move(app).error());
    out.push_back(*app);
  }
  return {};
}

/// Labels and attributes, which are the same in both messages.
template <class Wire, class Out>
Result<void> told_from_wire(const Wire& wire, Out& out) {
  if (wire.has_nodelabels()) {
    auto labels = labels_from_wire(wire.nodelabels());
    if (!labels) return fail(std::move(labels).error().about(ErrorSubject::kNode));
    out.labels = *std::move(labels);
  }
  if (wire.has_nodeattributes()) {
    auto attributes = attributes_from_wire(wire.nodeattributes());
    if (!attributes) return fail(std::move(attributes).error().about(ErrorSubject::kNode));
    out.attributes = *std::move(attributes);
  }
  return {};
}

}  // namespace

Result<rm::RegisterNode> register_node_from_wire(const pb::RegisterNodeManagerRequestProto& wire,
                                                 const ResourceTypes& types, std::string address) {
  auto id = node_id_from_wire(wire.node_id());
  if (!id) return fail(std::move(id).error());
  auto total = resources_from_wire(wire.resource(), types, UnknownTypes::kIgnore);
  if (!total) return fail(std::move(total).error().within("node " + to_string(*id)));
  RETURN_IF_ERROR(check_count("containers", wire.container_statuses_size()));
  RETURN_IF_ERROR(check_count("applications", wire.runningapplications_size()));
  if (wire.http_port() < 0 || wire.http_port() > 65535) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("node {}: http port {} is not within 0 to 65535", to_string(*id),
                            wire.http_port()),
                ErrorSubject::kNode);
  }
  rm::RegisterNode out;
  out.id = *id;
  out.http_port = wire.http_port();
  out.total = *total;
  out.version = shortened(wire.nm_version());
  out.address = std::move(address);
  for (const auto& status : wire.container_statuses()) {
    auto container = container_from_wire(status, types);
    if (!container) return fail(std::move(container).error().within("node " + to_string(*id)));
    out.containers.push_back(*std::move(container));
  }
  RETURN_IF_ERROR(apps_from_wire(wire.runningapplications(), out.running_apps));
  if (wire.nodestatus().has_nodehealthstatus()) {
    out.health = health_from_wire(wire.nodestatus().nodehealthstatus());
  }
  out.opportunistic = opportunistic_from_wire(wire.nodestatus().opportunistic_containers_status());
  RETURN_IF_ERROR(told_from_wire(wire, out));
  return out;
}

Result<rm::NodeHeartbeat> heartbeat_from_wire(const pb::NodeHeartbeatRequestProto& wire,
                                              const ResourceTypes& /*types*/) {
  const pb::NodeStatusProto& status = wire.node_status();
  auto id = node_id_from_wire(status.node_id());
  if (!id) return fail(std::move(id).error());
  RETURN_IF_ERROR(check_count("containers", status.containersstatuses_size()));
  RETURN_IF_ERROR(check_count("log reports", wire.log_aggregation_reports_for_apps_size()));
  rm::NodeHeartbeat out;
  out.id = *id;
  out.response_id = status.response_id();
  out.containers.reserve(static_cast<std::size_t>(status.containersstatuses_size()));
  for (const auto& entry : status.containersstatuses()) {
    auto container = container_from_wire(entry);
    if (!container) return fail(std::move(container).error().within("node " + to_string(*id)));
    out.containers.push_back(*std::move(container));
  }
  out.health = health_from_wire(status.nodehealthstatus());
  RETURN_IF_ERROR(apps_from_wire(status.keep_alive_applications(), out.keep_alive_apps));
  for (const auto& report : wire.log_aggregation_reports_for_apps()) {
    auto app = app_id_from_wire(report.application_id());
    if (!app) return fail(std::move(app).error());
    out.log_aggregation.push_back(
        {*app, std::string(log_status_from_wire(report.log_aggregation_status())),
         end_of(report.diagnostics())});
  }
  out.containers_utilization = utilization_from_wire(status.containers_utilization());
  out.node_utilization = utilization_from_wire(status.node_utilization());
  out.opportunistic = opportunistic_from_wire(status.opportunistic_containers_status());
  RETURN_IF_ERROR(told_from_wire(wire, out));
  return out;
}

pb::RegisterNodeManagerResponseProto to_wire(const rm::NodeRegistered& answer,
                                             const security::MasterKey& container_key,
                                             const security::MasterKey& nm_key) {
  pb::RegisterNodeManagerResponseProto out;
  out.set_nodeaction(answer.shutdown ? pb::SHUTDOWN : pb::NORMAL);
  out.set_rm_identifier(answer.rm_identifier);
  out.set_rm_version(std::string(kHadoopVersion));
  if (!answer.diagnostics.empty()) out.set_diagnostics_message(answer.diagnostics);
  if (answer.labels_accepted) out.set_arenodelabelsacceptedbyrm(true);
  if (answer.attributes_accepted) out.set_arenodeattributesacceptedbyrm(true);
  if (!answer.shutdown) {
    compat::to_wire(container_key, out.mutable_container_token_master_key());
    compat::to_wire(nm_key, out.mutable_nm_token_master_key());
  }
  return out;
}

pb::NodeHeartbeatResponseProto to_wire(const rm::NodeHeartbeatAnswer& answer,
                                       const std::optional<security::MasterKey>& container_key,
                                       const std::optional<security::MasterKey>& nm_key) {
  pb::NodeHeartbeatResponseProto out;
  out.set_response_id(answer.response_id);
  out.set_nodeaction(to_wire(answer.action));
  out.set_nextheartbeatinterval(answer.next_heartbeat.count());
  if (!answer.diagnostics.empty()) out.set_diagnostics_message(answer.diagnostics);
  if (container_key) compat::to_wire(*container_key, out.mutable_container_token_master_key());
  if (nm_key) compat::to_wire(*nm_key, out.mutable_nm_token_master_key());
  if (answer.labels_accepted) out.set_arenodelabelsacceptedbyrm(true);
  if (answer.attributes_accepted) out.set_arenodeattributesacceptedbyrm(true);
  for (const ContainerId& id : answer.containers_to_clean_up) {
    compat::to_wire(id, out.add_containers_to_cleanup());
  }
  for (const ContainerId& id : answer.containers_to_forget) {
    compat::to_wire(id, out.add_containers_to_be_removed_from_nm());
  }
  for (const AppId& id : answer.apps_to_clean_up) {
    compat::to_wire(id, out.add_applications_to_cleanup());
  }
  for (const rm::SignalRequest& signal : answer.signals) {
    auto* entry = out.add_containers_to_signal();
    compat::to_wire(signal.container, entry->mutable_container_id());
    entry->set_command(to_wire(signal.command));
  }
  if (answer.queue_limit) {
    out.mutable_container_queuing_limit()->set_max_queue_length(*answer.queue_limit);
    out.mutable_container_queuing_limit()->set_max_queue_wait_time_in_ms(-1);
  }
  return out;
}

}  // namespace heddle::compat::yarn
