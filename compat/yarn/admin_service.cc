#include <fmt/core.h>

#include <atomic>
#include <limits>

#include "base/text.h"
#include "compat/proto/GetUserMappingsProtocol.pb.h"
#include "compat/proto/yarn_server_resourcemanager_service_protos.pb.h"
#include "compat/records/exceptions.h"
#include "compat/records/ids.h"
#include "compat/records/resources.h"
#include "compat/yarn/labels.h"
#include "compat/yarn/service.h"

namespace heddle::compat::yarn {
namespace {

using ipc::CallContext;
using ipc::Reply;

constexpr int kNodesMax = 10'000;  // in one updateNodeResource

void refresh_queues(const ContextPtr& context, const CallContext& call,
                    const pb::RefreshQueuesRequestProto&,
                    Reply<pb::RefreshQueuesResponseProto> reply) {
  context->door.admin.refresh_queues(call.caller, answer_empty(std::move(reply)));
}

/// A graceful timeout below zero means: wait as long as it takes.
std::optional<std::chrono::seconds> graceful_timeout(const pb::RefreshNodesRequestProto& request) {
  constexpr std::chrono::seconds kForEver{std::numeric_limits<std::int32_t>::max()};
  constexpr std::chrono::seconds kDefault{3600};
  if (request.decommissiontype() != pb::DECOMMISSION_GRACEFUL) return std::nullopt;
  if (!request.has_decommissiontimeout()) return kDefault;
  if (request.decommissiontimeout() < 0) return kForEver;
  return std::chrono::seconds(request.decommissiontimeout());
}

void refresh_nodes(const ContextPtr& context, const CallContext& call,
                   const pb::RefreshNodesRequestProto& request,
                   Reply<pb::RefreshNodesResponseProto> reply) {
  context->door.admin.refresh_nodes(call.caller, graceful_timeout(request),
                                    answer_empty(std::move(reply)));
}

void refresh_node_sizes(const ContextPtr& context, const CallContext& call,
                        const pb::RefreshNodesResourcesRequestProto&,
                        Reply<pb::RefreshNodesResourcesResponseProto> reply) {
  context->door.admin.refresh_node_sizes(call.caller, answer_empty(std::move(reply)));
}

void refresh_max_priority(const ContextPtr& context, const CallContext& call,
                          const pb::RefreshClusterMaxPriorityRequestProto&,
                          Reply<pb::RefreshClusterMaxPriorityResponseProto> reply) {
  context->door.admin.refresh_max_priority(call.caller, answer_empty(std::move(reply)));
}

/// Counts the nodes of one request down; the first error is the answer.
struct PendingUpdates {
  explicit PendingUpdates(Reply<pb::UpdateNodeResourceResponseProto> to) : reply(std::move(to)) {}
  Reply<pb::UpdateNodeResourceResponseProto> reply;
  std::atomic<std::size_t> left{0};
  std::atomic<bool> answered{false};
};

void update_node_resource(const ContextPtr& context, const CallContext& call,
                          const pb::UpdateNodeResourceRequestProto& request,
                          Reply<pb::UpdateNodeResourceResponseProto> reply) {
  if (request.node_resource_map_size() > kNodesMax) {
    return reply(fail(ErrorCode::kLimitExceeded,
                      fmt::format("{} nodes in one updateNodeResource, the limit is {}",
                                  request.node_resource_map_size(), kNodesMax)));
  }
  std::vector<std::pair<NodeId, Resources>> updates;
  for (const auto& entry : request.node_resource_map()) {
    auto node = node_id_from_wire(entry.node_id());
    if (!node) return reply(fail(std::move(node).error()));
    auto total = resources_from_wire(entry.resource_option().resource(), context->types());
    if (!total) return reply(fail(std::move(total).error().within("node " + to_string(*node))));
    updates.emplace_back(*node, *total);
  }
  if (updates.empty()) return reply(pb::UpdateNodeResourceResponseProto{});
  auto pending = std::make_shared<PendingUpdates>(std::move(reply));
  pending->left = updates.size();
  for (const auto& [node, total] : updates) {
    context->door.admin.update_node_resources(
        call.caller, node, total, [pending](Result<void> result) {
          const bool last = --pending->left == 0;
          if (result && !last) return;
          if (pending->answered.exchange(true)) return;
          if (!result) return pending->reply(fail(std::move(result).error()));
          pending->reply(pb::UpdateNodeResourceResponseProto{});
        });
  }
}

Result<pb::CheckForDecommissioningNodesResponseProto> decommissioning_nodes(
    const Context& context) {
  pb::CheckForDecommissioningNodesResponseProto out;
  for (const auto& node : context.door.reports.nodes({rm::NodeState::kDecommissioning})) {
    compat::to_wire(node->id, out.add_decommissioningnodes());
  }
  return out;
}

constexpr std::size_t kUserNameMax = 256;

/// The same message is in two protocols.
template <class Request, class Response>
void groups_for_user(const ContextPtr& context, const CallContext&, const Request& request,
                     Reply<Response> reply) {
  if (!context->options.groups) return reply(fail(not_yet("Looking up the groups of users")));
  const std::string& user = request.user();
  if (user.empty() || user.size() > kUserNameMax || user.find('\0') != std::string::npos) {
    return reply(fail(ErrorCode::kInvalidArgument,
                      fmt::format("'{}' is not a user name; give one of at most {} bytes",
                                  shortened(user), kUserNameMax)));
  }
  auto shared = std::make_shared<Reply<Response>>(std::move(reply));
  context->options.groups->find(user, [shared](const Result<security::Groups::Names>& groups) {
    if (!groups) return (*shared)(fail(groups.error()));
    Response out;
    for (const std::string& group : *groups)
      out.add_groups(group);
    (*shared)(std::move(out));
  });
}

/// Registers a method for administrators that answers at once; others are told that they may not.
template <class Request, class Response, class Handler>
void add_for_admins(ipc::ProtocolService& service, const ContextPtr& context, std::string method,
                    Handler handler) {
  service.on<Request, Response>(
      std::move(method), [context, handler = std::move(handler)](
                             const CallContext& call, const Request&, Reply<Response> reply) {
        auto shared = std::make_shared<Reply<Response>>(std::move(reply));
        context->door.admin.check_admin(call.caller, [shared, handler](Result<void> allowed) {
          if (!allowed) return (*shared)(fail(std::move(allowed).error()));
          (*shared)(handler());
        });
      });
}

/// A refresh of something that is read afresh each time anyway: admin rights are all it needs.
template <class Request, class Response>
void add_checked(ipc::ProtocolService& service, const ContextPtr& context, std::string method) {
  add_for_admins<Request, Response>(service, context, std::move(method),
                                    []() -> Result<Response> { return Response{}; });
}

template <class Request, class Response>
void add_refused(ipc::ProtocolService& service, const ContextPtr& context, std::string method,
                 Error error) {
  add_for_admins<Request, Response>(
      service, context, std::move(method),
      [error = std::move(error)]() -> Result<Response> { return fail(error); });
}

template <class Request, class Response>
void add(ipc::ProtocolService& service, const ContextPtr& context, std::string method,
         void (*handler)(const ContextPtr&, const CallContext&, const Request&, Reply<Response>)) {
  service.on<Request, Response>(
      std::move(method),
      [context, handler](const CallContext& call, const Request& request, Reply<Response> reply) {
        handler(context, call, request, std::move(reply));
      });
}

void add_refreshes(ipc::ProtocolService& service, const ContextPtr& context) {
  add(service, context, "refreshQueues", refresh_queues);
  add(service, context, "refreshNodes", refresh_nodes);
  add_checked<pb::RefreshSuperUserGroupsConfigurationRequestProto,
              pb::RefreshSuperUserGroupsConfigurationResponseProto>(
      service, context, "refreshSuperUserGroupsConfiguration");
  add_for_admins<pb::RefreshUserToGroupsMappingsRequestProto,
                 pb::RefreshUserToGroupsMappingsResponseProto>(
      service, context, "refreshUserToGroupsMappings",
      [context]() -> Result<pb::RefreshUserToGroupsMappingsResponseProto> {
        if (context->options.groups) context->options.groups->forget_all();
        return pb::RefreshUserToGroupsMappingsResponseProto{};
      });
  add_checked<pb::RefreshAdminAclsRequestProto, pb::RefreshAdminAclsResponseProto>(
      service, context, "refreshAdminAcls");
  add_refused<pb::RefreshServiceAclsRequestProto, pb::RefreshServiceAclsResponseProto>(
      service, context, "refreshServiceAcls",
      {ErrorCode::kUnsupported,
       "Service Authorization (hadoop.security.authorization) not enabled.", ErrorSubject::kNone});
  add(service, context, "refreshNodesResources", refresh_node_sizes);
  add(service, context, "refreshClusterMaxPriority", refresh_max_priority);
}

/// Hadoop wraps the exception of its label manager, so its class is in the text.
template <class Response>
rm::ReplyTo<void> answer_label_change(Reply<Response> reply) {
  auto shared = std::make_shared<Reply<Response>>(std::move(reply));
  return [shared](Result<void> result) {
    if (result) return (*shared)(Response{});
    Error error = std::move(result).error();
    if (error.subject == ErrorSubject::kLabel) {
      error = {error.code, "java.io.IOException: " + error.message, ErrorSubject::kNone};
    }
    (*shared)(fail(std::move(error)));
  };
}

/// Registers an operation of the door that takes what `from_wire` makes of the request.
template <class Request, class Response, class Value>
void add_label_change(ipc::ProtocolService& service, const ContextPtr& context, std::string method,
                      Result<Value> (*from_wire)(const Request&),
                      void (rm::AdminService::*change)(const security::Caller&, Value,
                                                       rm::ReplyTo<void>)) {
  service.on<Request, Response>(
      std::move(method),
      [context, from_wire, change](const CallContext& call, const Request& request,
                                   Reply<Response> reply) {
        auto value = from_wire(request);
        if (!value) return reply(fail(std::move(value).error().about(ErrorSubject::kNone)));
        (context->door.admin.*change)(call.caller, *std::move(value),
                                      answer_label_change<Response>(std::move(reply)));
      });
}

void add_labels(ipc::ProtocolService& service, const ContextPtr& context) {
  add_label_change<pb::AddToClusterNodeLabelsRequestProto, pb::AddToClusterNodeLabelsResponseProto,
                   std::vector<rm::NodeLabel>>(service, context, "addToClusterNodeLabels",
                                               labels_from_wire, &rm::AdminService::add_labels);
  add_label_change<pb::RemoveFromClusterNodeLabelsRequestProto,
                   pb::RemoveFromClusterNodeLabelsResponseProto, std::set<std::string>>(
      service, context, "removeFromClusterNodeLabels", label_names_from_wire,
      &rm::AdminService::remove_labels);
  add_label_change<pb::ReplaceLabelsOnNodeRequestProto, pb::ReplaceLabelsOnNodeResponseProto,
                   rm::ReplaceLabels>(service, context, "replaceLabelsOnNodes",
                                      replace_labels_from_wire, &rm::AdminService::replace_labels);
  add_label_change<pb::NodesToAttributesMappingRequestProto,
                   pb::NodesToAttributesMappingResponseProto, rm::MapAttributes>(
      service, context, "mapAttributesToNodes", map_attributes_from_wire,
      &rm::AdminService::map_attributes);
}

void add_federation(ipc::ProtocolService& service, const ContextPtr& context) {
  const Error off = not_yet("YARN federation (yarn.federation.enabled)");
  add_refused<pb::DeregisterSubClusterRequestProto, pb::DeregisterSubClusterResponseProto>(
      service, context, "deregisterSubCluster", off);
  add_refused<pb::SaveFederationQueuePolicyRequestProto,
              pb::SaveFederationQueuePolicyResponseProto>(service, context,
                                                          "saveFederationQueuePolicy", off);
  add_refused<pb::BatchSaveFederationQueuePoliciesRequestProto,
              pb::BatchSaveFederationQueuePoliciesResponseProto>(
      service, context, "batchSaveFederationQueuePolicies", off);
  add_refused<pb::QueryFederationQueuePoliciesRequestProto,
              pb::QueryFederationQueuePoliciesResponseProto>(service, context,
                                                             "listFederationQueuePolicies", off);
  add_refused<pb::DeleteFederationApplicationRequestProto,
              pb::DeleteFederationApplicationResponseProto>(service, context,
                                                            "deleteFederationApplication", off);
  add_refused<pb::GetSubClustersRequestProto, pb::GetSubClustersResponseProto>(
      service, context, "getFederationSubClusters", off);
  add_refused<pb::DeleteFederationQueuePoliciesRequestProto,
              pb::DeleteFederationQueuePoliciesResponseProto>(
      service, context, "deleteFederationPoliciesByQueues", off);
}

}  // namespace

ServicePtr make_admin_service(const ContextPtr& context) {
  auto service = std::make_shared<ipc::ProtocolService>(std::string(kAdminProtocol), 1,
                                                        mapper(admin_exception));
  add_refreshes(*service, context);
  add_labels(*service, context);
  add_federation(*service, context);
  add(*service, context, "updateNodeResource", update_node_resource);
  on_now<pb::CheckForDecommissioningNodesRequestProto,
         pb::CheckForDecommissioningNodesResponseProto>(
      *service, "checkForDecommissioningNodes",
      [context](const CallContext&, const auto&) { return decommissioning_nodes(*context); });
  add<pb::GetGroupsForUserRequestProto, pb::GetGroupsForUserResponseProto>(
      *service, context, "getGroupsForUser", groups_for_user);
  return service;
}

ServicePtr make_groups_service(const ContextPtr& context) {
  auto service = std::make_shared<ipc::ProtocolService>(std::string(kGroupsProtocol), 1,
                                                        mapper(admin_exception));
  add<pbc::GetGroupsForUserRequestProto, pbc::GetGroupsForUserResponseProto>(
      *service, context, "getGroupsForUser", groups_for_user);
  return service;
}

}  // namespace heddle::compat::yarn
