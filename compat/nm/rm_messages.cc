#include "compat/nm/rm_messages.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "compat/nm/requests.h"
#include "compat/nm/states.h"
#include "compat/records/exceptions.h"
#include "compat/records/ids.h"
#include "compat/records/resources.h"
#include "compat/records/tokens.h"

namespace heddle::compat::node {
namespace {

void health_to_wire(const door::Health& health, pb::NodeHealthStatusProto* wire) {
  wire->set_is_node_healthy(health.healthy);
  wire->set_health_report(health.report);
  wire->set_last_health_report_time(health.reported.ms);
}

void utilization_to_wire(const door::Utilization& utilization, pb::ResourceUtilizationProto* wire) {
  const auto narrow = [](std::int64_t value) {
    return static_cast<std::int32_t>(
        std::clamp<std::int64_t>(value, 0, std::numeric_limits<std::int32_t>::max()));
  };
  wire->set_pmem(narrow(utilization.physical_mb));
  wire->set_vmem(narrow(utilization.virtual_mb));
  wire->set_cpu(utilization.cpu);
}

void opportunistic_to_wire(const door::OpportunisticUse& use,
                           pb::OpportunisticContainersStatusProto* wire) {
  wire->set_running_opport_containers(use.running);
  wire->set_opport_memory_used(use.memory_mb);
  wire->set_opport_cores_used(use.vcores);
  wire->set_queued_opport_containers(use.queued);
  wire->set_wait_queue_length(use.queue_length);
  wire->set_opport_queue_capacity(use.queue_capacity);
}

void container_to_wire(const door::ContainerStatus& status, const ResourceTypes& types,
                       pb::NMContainerStatusProto* wire) {
  compat::to_wire(status.id, wire->mutable_container_id());
  wire->set_container_state(to_wire(status.state));
  compat::to_wire(status.resources, types, wire->mutable_resource());
  wire->mutable_priority()->set_priority(status.priority);
  wire->set_diagnostics(status.diagnostics);
  wire->set_container_exit_status(status.exit_status);
  wire->set_creation_time(status.created.ms);
  wire->set_nodelabelexpression("");
  wire->set_version(status.version);
  wire->set_executiontype(status.opportunistic ? pb::OPPORTUNISTIC : pb::GUARANTEED);
  wire->set_allocation_request_id(-1);
}

/// What the node says of itself, which is the same in both messages.
template <class Told, class Wire>
void told_to_wire(const Told& told, Wire& out) {
  if (told.labels) {
    auto* labels = out.mutable_nodelabels();
    for (const std::string& name : *told.labels) {
      auto* label = labels->add_nodelabels();
      label->set_name(name);
      label->set_isexclusive(true);
    }
  }
  if (told.attributes) {
    auto* attributes = out.mutable_nodeattributes();
    for (const door::NodeAttribute& one : *told.attributes) {
      auto* attribute = attributes->add_nodeattributes();
      attribute->mutable_attributekey()->set_attributeprefix("nm.yarn.io");
      attribute->mutable_attributekey()->set_attributename(one.name);
      attribute->set_attributetype(pb::STRING);
      attribute->set_attributevalue(one.value);
    }
  }
}

Result<void> ids_from_wire(const google::protobuf::RepeatedPtrField<pb::ContainerIdProto>& wire,
                           std::vector<ContainerId>& out) {
  for (const auto& entry : wire) {
    auto id = container_id_from_wire(entry);
    if (!id) return fail(std::move(id).error());
    out.push_back(*id);
  }
  return {};
}

}  // namespace

pb::RegisterNodeManagerRequestProto to_wire(const door::Registration& registration,
                                            const ResourceTypes& types) {
  pb::RegisterNodeManagerRequestProto out;
  compat::to_wire(registration.id, out.mutable_node_id());
  out.set_http_port(registration.http_port);
  compat::to_wire(registration.total, types, out.mutable_resource());
  out.set_nm_version(registration.version.empty() ? std::string(kHadoopVersion)
                                                  : registration.version);
  for (const auto& container : registration.containers) {
    container_to_wire(container, types, out.add_container_statuses());
  }
  for (const AppId& app : registration.running_apps) {
    compat::to_wire(app, out.add_runningapplications());
  }
  compat::to_wire(registration.total, types, out.mutable_physicalresource());
  auto* status = out.mutable_nodestatus();
  compat::to_wire(registration.id, status->mutable_node_id());
  status->set_response_id(0);
  health_to_wire(registration.health, status->mutable_nodehealthstatus());
  utilization_to_wire({}, status->mutable_containers_utilization());
  utilization_to_wire({}, status->mutable_node_utilization());
  opportunistic_to_wire(registration.opportunistic,
                        status->mutable_opportunistic_containers_status());
  told_to_wire(registration, out);
  return out;
}

pb::NodeHeartbeatRequestProto to_wire(const door::Heartbeat& heartbeat,
                                      const ResourceTypes& types) {
  pb::NodeHeartbeatRequestProto out;
  auto* status = out.mutable_node_status();
  compat::to_wire(heartbeat.id, status->mutable_node_id());
  status->set_response_id(heartbeat.response_id);
  for (const auto& container : heartbeat.containers) {
    to_wire(container, types, status->add_containersstatuses());
  }
  health_to_wire(heartbeat.health, status->mutable_nodehealthstatus());
  for (const AppId& app : heartbeat.keep_alive_apps) {
    compat::to_wire(app, status->add_keep_alive_applications());
  }
  utilization_to_wire(heartbeat.containers_utilization, status->mutable_containers_utilization());
  utilization_to_wire(heartbeat.node_utilization, status->mutable_node_utilization());
  for (const auto& [id, size] : heartbeat.increased) {
    auto* increased = status->add_increased_containers();
    compat::to_wire(id, increased->mutable_id());
    compat::to_wire(size, types, increased->mutable_resource());
  }
  opportunistic_to_wire(heartbeat.opportunistic, status->mutable_opportunistic_containers_status());
  out.mutable_last_known_container_token_master_key()->set_key_id(heartbeat.container_key_id);
  out.mutable_last_known_nm_token_master_key()->set_key_id(heartbeat.nm_key_id);
  for (const door::LogReport& report : heartbeat.log_reports) {
    auto* entry = out.add_log_aggregation_reports_for_apps();
    compat::to_wire(report.app, entry->mutable_application_id());
    pb::LogAggregationStatusProto log_status{};
    if (log_status_to_wire(report.status, &log_status)) {
      entry->set_log_aggregation_status(log_status);
    }
    entry->set_diagnostics(report.diagnostics);
  }
  out.set_tokensequenceno(0);
  told_to_wire(heartbeat, out);
  return out;
}

Result<door::Registered> registered_from_wire(const pb::RegisterNodeManagerResponseProto& wire,
                                              const ResourceTypes& types) {
  door::Registered out;
  out.shutdown = wire.nodeaction() == pb::SHUTDOWN;
  out.diagnostics = wire.diagnostics_message();
  out.rm_identifier = wire.rm_identifier();
  out.rm_version = wire.rm_version();
  out.labels_accepted = wire.arenodelabelsacceptedbyrm();
  out.attributes_accepted = wire.arenodeattributesacceptedbyrm();
  if (out.shutdown) return out;
  if (wire.container_token_master_key().bytes().empty() ||
      wire.nm_token_master_key().bytes().empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "the ResourceManager took the registration and sent no token keys");
  }
  out.container_key = master_key_from_wire(wire.container_token_master_key());
  out.nm_key = master_key_from_wire(wire.nm_token_master_key());
  if (wire.has_resource()) {
    auto total = resources_from_wire(wire.resource(), types, UnknownTypes::kIgnore);
    if (!total) return fail(std::move(total).error().within("registration answer"));
    out.total = *total;
  }
  return out;
}

Result<door::HeartbeatAnswer> heartbeat_answer_from_wire(const pb::NodeHeartbeatResponseProto& wire,
                                                         const ResourceTypes& types) {
  door::HeartbeatAnswer out;
  switch (wire.nodeaction()) {
    case pb::NORMAL: out.action = door::HeartbeatAction::kNormal; break;
    case pb::RESYNC: out.action = door::HeartbeatAction::kResync; break;
    case pb::SHUTDOWN: out.action = door::HeartbeatAction::kShutdown; break;
  }
  out.diagnostics = wire.diagnostics_message();
  out.response_id = wire.response_id();
  out.labels_accepted = wire.arenodelabelsacceptedbyrm();
  out.attributes_accepted = wire.arenodeattributesacceptedbyrm();
  RETURN_IF_ERROR(ids_from_wire(wire.containers_to_cleanup(), out.containers_to_clean_up));
  RETURN_IF_ERROR(ids_from_wire(wire.containers_to_be_removed_from_nm(), out.containers_to_forget));
  for (const auto& entry : wire.applications_to_cleanup()) {
    auto app = app_id_from_wire(entry);
    if (!app) return fail(std::move(app).error());
    out.apps_to_clean_up.push_back(*app);
  }
  for (const auto& entry : wire.containers_to_signal()) {
    auto id = container_id_from_wire(entry.container_id());
    if (!id) return fail(std::move(id).error());
    out.signals.emplace_back(*id, signal_from_wire(entry.command()));
  }
  for (const auto* updated : {&wire.containers_to_decrease(), &wire.containers_to_update()}) {
    for (const auto& entry : *updated) {
      const auto token = decode_container_identifier(entry.container_token().identifier(), types);
      // The rest of the answer holds: a node that took offence would end.
      if (token) out.updates.push_back(grant_of(*token));
    }
  }
  if (wire.container_queuing_limit().has_max_queue_length()) {
    out.queue_limit = wire.container_queuing_limit().max_queue_length();
  }
  // A ResourceManager that says nothing, or nonsense, gets a heartbeat each second.
  constexpr std::int64_t kLongest = 600'000;
  if (wire.nextheartbeatinterval() > 0) {
    out.next_heartbeat =
        std::chrono::milliseconds(std::min(wire.nextheartbeatinterval(), kLongest));
  }
  if (wire.has_container_token_master_key()) {
    out.container_key = master_key_from_wire(wire.container_token_master_key());
  }
  if (wire.has_nm_token_master_key()) {
    out.nm_key = master_key_from_wire(wire.nm_token_master_key());
  }
  return out;
}

Error refusal(const ipc::CallFailure& failure) {
  if (!failure.remote) return failure.error;
  const std::string& name = failure.remote->class_name;
  Error error{ErrorCode::kInvalidArgument, name + ": " + failure.remote->message,
              ErrorSubject::kNone};
  if (name.ends_with("StandbyException") || name.ends_with("RetriableException") ||
      name == java::kIo) {
    error.code = ErrorCode::kUnavailable;
  } else if (name.ends_with("AccessControlException") || name.ends_with("AuthorizationException") ||
             name.ends_with("InvalidToken")) {
    error.code = ErrorCode::kPermissionDenied;
  }
  return error;
}

}  // namespace heddle::compat::node
