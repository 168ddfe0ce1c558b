#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/exceptions.h"
#include "compat/records/ids.h"
#include "compat/records/launch_context.h"
#include "compat/records/resources.h"
#include "compat/records/tokens.h"
#include "compat/yarn/client_parts.h"
#include "compat/yarn/constraints.h"
#include "compat/yarn/requests.h"
#include "compat/yarn/service.h"
#include "compat/yarn/states.h"
#include "compat/yarn/token_maker.h"

namespace heddle::compat::yarn {
namespace {

using ipc::CallContext;
using ipc::Reply;

/// The services of one port share this; replies may come after the service is gone.
struct Masters {
  ContextPtr context;
  TokenMaker tokens;
};
using MastersPtr = std::shared_ptr<const Masters>;

Failure no_attempt() {
  return fail(ErrorCode::kUnauthenticated,
              "no application attempt is logged in on this connection; an AMRMToken is needed",
              ErrorSubject::kToken);
}

pb::RegisterApplicationMasterResponseProto registered_to_wire(const Masters& masters,
                                                              const AttemptId& attempt,
                                                              const rm::MasterRegistered& answer) {
  const ResourceTypes& types = masters.context->types();
  pb::RegisterApplicationMasterResponseProto out;
  compat::to_wire(answer.maximum, types, out.mutable_maximumcapability());
  acl_to_wire(pb::APPACCESS_VIEW_APP, answer.view_acl, out.add_application_acls());
  acl_to_wire(pb::APPACCESS_MODIFY_APP, answer.modify_acl, out.add_application_acls());
  out.set_queue(answer.queue.value());
  out.add_scheduler_resource_types(pb::MEMORY);
  if (answer.counts_vcores) out.add_scheduler_resource_types(pb::CPU);
  for (const auto& type : types.all())
    type_to_wire(type, out.add_resource_types());
  std::set<NodeId> nodes;
  for (const rm::GrantedContainer& container : answer.previous_containers) {
    masters.tokens.to_wire(container, out.add_containers_from_previous_attempts());
    if (nodes.insert(container.node).second) {
      masters.tokens.nm_token_to_wire(attempt, container.node, container.user,
                                      out.add_nm_tokens_from_previous_attempts());
    }
  }
  return out;
}

void register_master(const MastersPtr& masters, const CallContext& call,
                     const pb::RegisterApplicationMasterRequestProto& request,
                     Reply<pb::RegisterApplicationMasterResponseProto> reply) {
  if (!call.caller.attempt) return reply(no_attempt());
  auto command = register_from_wire(request);
  if (!command) return reply(fail(std::move(command).error()));
  const AttemptId attempt = *call.caller.attempt;
  masters->context->door.masters.register_master(
      attempt, *std::move(command),
      answer<rm::MasterRegistered>(std::move(reply),
                                   [masters, attempt](const rm::MasterRegistered& answer) {
                                     return registered_to_wire(*masters, attempt, answer);
                                   }));
}

/// Update requests as they came: a refusal quotes the request it refuses.
using Updates = std::vector<pb::UpdateContainerRequestProto>;

void nm_tokens_to_wire(const Masters& masters, const AttemptId& attempt,
                       const rm::Allocated& answer, pb::AllocateResponseProto& out) {
  for (const NodeId& node : answer.nm_tokens_for) {
    std::string user;
    for (const rm::GrantedContainer& container : answer.containers) {
      if (container.node == node) user = container.user;
    }
    if (user.empty()) {
      if (const auto app = masters.context->door.reports.app(attempt.app)) user = app->user;
    }
    masters.tokens.nm_token_to_wire(attempt, node, user, out.add_nm_tokens());
  }
}

// As Hadoop's CapacityScheduler warns: these containers, or as many of the smallest as hold the
// same.
void losses_to_wire(const Masters& masters, const rm::Allocated& answer,
                    pb::PreemptionContractProto* contract) {
  for (const ContainerId& id : answer.losing)
    compat::to_wire(id, contract->add_container()->mutable_id());
  const Resources smallest = masters.context->door.reports.info().minimum_allocation;
  std::int64_t count = 1;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    const std::int64_t one = smallest.amount[i];
    if (one > 0) count = std::max(count, (answer.losing_resources.amount[i] + one - 1) / one);
  }
  auto* request = contract->add_resource()->mutable_resource();
  request->mutable_priority()->set_priority(-1);
  request->set_resource_name("*");
  compat::to_wire(smallest, masters.context->types(), request->mutable_capability());
  request->set_num_containers(static_cast<std::int32_t>(std::min<std::int64_t>(count, INT32_MAX)));
}

std::shared_ptr<pb::AllocateResponseProto> allocated_to_wire(const Masters& masters,
                                                             const AttemptId& attempt,
                                                             const Updates& updates,
                                                             const rm::Allocated& answer) {
  const ResourceTypes& types = masters.context->types();
  auto message = ipc::make_on_arena<pb::AllocateResponseProto>();
  pb::AllocateResponseProto& out = *message;
  out.set_response_id(answer.response_id);
  for (const rm::GrantedContainer& container : answer.containers) {
    masters.tokens.to_wire(container, out.add_allocated_containers());
  }
  for (const rm::FinishedContainer& container : answer.finished) {
    auto* status = out.add_completed_container_statuses();
    compat::to_wire(container.id, status->mutable_container_id());
    status->set_state(pb::C_COMPLETE);
    status->set_diagnostics(container.diagnostics);
    status->set_exit_status(container.exit_status);
  }
  compat::to_wire(answer.headroom, types, out.mutable_limit());
  if (!answer.updated_nodes.empty()) {
    const ReportView view = view_of(*masters.context);
    for (const rm::NodeChange& node : answer.updated_nodes) {
      to_wire(node, view, out.add_updated_nodes());
    }
  }
  out.set_num_cluster_nodes(answer.cluster_nodes);
  if (!answer.losing.empty()) {
    losses_to_wire(masters, answer, out.mutable_preempt()->mutable_contract());
  }
  nm_tokens_to_wire(masters, attempt, answer, out);
  if (answer.renew_amrm_token) {
    compat::to_wire(masters.tokens.amrm(attempt), out.mutable_am_rm_token());
  }
  out.mutable_application_priority()->set_priority(answer.priority);
  for (const rm::UpdatedContainer& updated : answer.updated) {
    auto* entry = out.add_updated_containers();
    entry->set_update_type(to_wire(updated.kind));
    masters.tokens.to_wire(updated.container, entry->mutable_container());
  }
  for (const rm::UpdateRefused& refused : answer.update_errors) {
    auto* error = out.add_update_errors();
    error->set_reason(refused.reason);
    if (refused.index < updates.size()) {
      *error->mutable_update_request() = updates[refused.index];
    }
    error->set_current_container_version(refused.current_version);
  }
  for (const queues::GivenUp& given_up : answer.rejected_requests)
    rejected_to_wire(given_up, out.add_rejected_scheduling_requests());
  return message;
}

void allocate(const MastersPtr& masters, const CallContext& call,
              const pb::AllocateRequestProto& request, Reply<pb::AllocateResponseProto> reply) {
  if (!call.caller.attempt) return reply(no_attempt());
  auto command = allocate_from_wire(request, masters->context->types());
  if (!command) return reply(fail(std::move(command).error()));
  const AttemptId attempt = *call.caller.attempt;
  Updates updates(request.update_requests().begin(), request.update_requests().end());
  using Answer = std::shared_ptr<const rm::Allocated>;
  masters->context->door.masters.allocate(
      attempt, *std::move(command),
      answer<Answer>(std::move(reply),
                     [masters, attempt, updates = std::move(updates)](const Answer& allocated) {
                       return allocated_to_wire(*masters, attempt, updates, *allocated);
                     }));
}

void finish_master(const MastersPtr& masters, const CallContext& call,
                   const pb::FinishApplicationMasterRequestProto& request,
                   Reply<pb::FinishApplicationMasterResponseProto> reply) {
  if (!call.caller.attempt) return reply(no_attempt());
  auto command = finish_from_wire(request);
  if (!command) return reply(fail(std::move(command).error()));
  masters->context->door.masters.finish_master(*call.caller.attempt, *std::move(command),
                                               answer<bool>(std::move(reply), [](bool done) {
                                                 pb::FinishApplicationMasterResponseProto out;
                                                 out.set_isunregistered(done);
                                                 return out;
                                               }));
}

template <class Request, class Response>
void add(ipc::ProtocolService& service, const MastersPtr& masters, std::string method,
         void (*handler)(const MastersPtr&, const CallContext&, const Request&, Reply<Response>),
         ipc::Repeats repeats = ipc::Repeats::kAnswered) {
  service.on<Request, Response>(
      std::move(method),
      [masters, handler](const CallContext& call, const Request& request, Reply<Response> reply) {
        handler(masters, call, request, std::move(reply));
      },
      repeats);
}

}  // namespace

ServicePtr make_master_service(const ContextPtr& context) {
  auto service = std::make_shared<ipc::ProtocolService>(std::string(kMasterProtocol), 1,
                                                        mapper(master_exception));
  const auto masters = std::make_shared<const Masters>(Masters{context, TokenMaker(context)});
  add(*service, masters, "registerApplicationMaster", register_master);
  // Its response id tells a repeat: it gets the previous answer again.
  add(*service, masters, "allocate", allocate, ipc::Repeats::kRunAgain);
  add(*service, masters, "finishApplicationMaster", finish_master);
  return service;
}

std::function<Result<ipc::TokenLogin>(std::string_view identifier)> make_master_login(
    const ContextPtr& context) {
  return [context](std::string_view identifier) { return master_login(context->door, identifier); };
}

}  // namespace heddle::compat::yarn
