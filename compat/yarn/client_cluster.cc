#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/resources.h"
#include "compat/yarn/client_parts.h"
#include "compat/yarn/states.h"
#include "security/acl.h"

namespace heddle::compat::yarn {
namespace {

using ipc::CallContext;

Result<pb::GetClusterMetricsResponseProto> cluster_metrics(
    const Context& context, const CallContext&, const pb::GetClusterMetricsRequestProto&) {
  const rm::ClusterMetrics metrics = context.door.reports.metrics();
  pb::GetClusterMetricsResponseProto out;
  auto* wire = out.mutable_cluster_metrics();
  wire->set_num_node_managers(metrics.nodes_active + metrics.nodes_unhealthy +
                              metrics.nodes_decommissioning);
  wire->set_num_decommissioned_nms(metrics.nodes_decommissioned);
  wire->set_num_active_nms(metrics.nodes_active);
  wire->set_num_lost_nms(metrics.nodes_lost);
  wire->set_num_unhealthy_nms(metrics.nodes_unhealthy);
  wire->set_num_rebooted_nms(metrics.nodes_rebooted);
  wire->set_num_decommissioning_nms(metrics.nodes_decommissioning);
  wire->set_num_shutdown_nms(metrics.nodes_shutdown);
  return out;
}

Result<pb::GetClusterNodesResponseProto> cluster_nodes(
    const Context& context, const CallContext&, const pb::GetClusterNodesRequestProto& request) {
  std::set<rm::NodeState> states;
  for (const int state : request.nodestates()) {
    states.insert(node_state_from_wire(static_cast<pb::NodeStateProto>(state)));
  }
  pb::GetClusterNodesResponseProto out;
  const ReportView view = view_of(context);
  for (const rm::NodeReportPtr& node : context.door.reports.nodes(states)) {
    to_wire(*node, view, out.add_nodereports());
  }
  return out;
}

/// An unknown queue is answered without a queue, as in Hadoop: the CLI says so itself.
Result<pb::GetQueueInfoResponseProto> queue_info(const Context& context, const CallContext&,
                                                 const pb::GetQueueInfoRequestProto& request) {
  pb::GetQueueInfoResponseProto out;
  const rm::QueueReportPtr root = context.door.reports.queues();
  const rm::QueueReport* queue = root ? find_queue(*root, request.queuename()) : nullptr;
  if (queue == nullptr) return out;
  const ReportView view = view_of(context);
  to_wire(*queue, view, request.includechildqueues(), request.recursive(), out.mutable_queueinfo());
  if (request.includeapplications()) {
    rm::AppFilter filter;
    filter.queues = {queue->path.value()};
    filter.states = {rm::AppState::kSubmitted,   rm::AppState::kAccepted,  rm::AppState::kRunning,
                     rm::AppState::kFinalSaving, rm::AppState::kFinishing, rm::AppState::kKilling};
    for (const rm::AppReportPtr& app : context.door.reports.apps(filter)) {
      to_wire(*app, view, out.mutable_queueinfo()->add_applications());
    }
  }
  return out;
}

struct UserWithGroups {
  std::string name;
  security::Groups::Names groups;
};

void queue_acls(const rm::QueueReport& queue, const UserWithGroups& user, bool may_submit,
                bool may_administer, pb::GetQueueUserAclsInfoResponseProto& out) {
  const auto allows = [&user](const std::string& list) {
    return security::Acl::parse(list).allows(user.name, user.groups);
  };
  may_submit = may_submit || allows(queue.submit_acl);
  may_administer = may_administer || allows(queue.administer_acl);
  auto* entry = out.add_queueuseracls();
  entry->set_queuename(queue.path.value());
  if (may_submit) entry->add_useracls(pb::QACL_SUBMIT_APPLICATIONS);
  if (may_administer) entry->add_useracls(pb::QACL_ADMINISTER_QUEUE);
  for (const rm::QueueReport& child : queue.children) {
    queue_acls(child, user, may_submit, may_administer, out);
  }
}

pb::GetQueueUserAclsInfoResponseProto acls_of(const Context& context, const UserWithGroups& user) {
  pb::GetQueueUserAclsInfoResponseProto out;
  if (const rm::QueueReportPtr root = context.door.reports.queues()) {
    queue_acls(*root, user, false, false, out);
  }
  return out;
}

void queue_user_acls(const ContextPtr& context, const std::string& user,
                     ipc::Reply<pb::GetQueueUserAclsInfoResponseProto> reply) {
  if (!context->options.groups) return reply(acls_of(*context, {user, {}}));
  using Shared = ipc::Reply<pb::GetQueueUserAclsInfoResponseProto>;
  auto shared = std::make_shared<Shared>(std::move(reply));
  context->options.groups->find(
      user, [context, user, shared](const Result<security::Groups::Names>& groups) {
        if (!groups) return (*shared)(fail(groups.error()));
        (*shared)(acls_of(*context, {user, *groups}));
      });
}

Result<pb::GetAllResourceTypeInfoResponseProto> resource_types(
    const Context& context, const CallContext&, const pb::GetAllResourceTypeInfoRequestProto&) {
  pb::GetAllResourceTypeInfoResponseProto out;
  for (const auto& type : context.types().all())
    type_to_wire(type, out.add_resource_type_info());
  return out;
}

}  // namespace

void add_cluster_methods(ipc::ProtocolService& service, const ContextPtr& context) {
  add(service, context, "getClusterMetrics", cluster_metrics);
  add(service, context, "getClusterNodes", cluster_nodes);
  add(service, context, "getQueueInfo", queue_info);
  service.on<pb::GetQueueUserAclsInfoRequestProto, pb::GetQueueUserAclsInfoResponseProto>(
      "getQueueUserAcls",
      [context](const CallContext& call, const pb::GetQueueUserAclsInfoRequestProto&,
                ipc::Reply<pb::GetQueueUserAclsInfoResponseProto> reply) {
        queue_user_acls(context, call.caller.user, std::move(reply));
      });
  add(service, context, "getResourceTypeInfo", resource_types);
  const Error profiles_off{
      ErrorCode::kUnsupported,
      "Resource profile is not enabled, please enable resource profile feature "
      "before using its functions. (by setting "
      "yarn.resourcemanager.resource-profiles.enabled to true)",
      ErrorSubject::kResourceProfile};
  refuse<pb::GetAllResourceProfilesRequestProto, pb::GetAllResourceProfilesResponseProto>(
      service, "getResourceProfiles", profiles_off);
  refuse<pb::GetResourceProfileRequestProto, pb::GetResourceProfileResponseProto>(
      service, "getResourceProfile", profiles_off);
}

}  // namespace heddle::compat::yarn
