#include "tools/load/limit_server.h"

#include <atomic>
#include <utility>

#include "base/text.h"
#include "compat/nm/rm_messages.h"
#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/ids.h"
#include "compat/records/resources.h"
#include "compat/records/tokens.h"
#include "tools/load/fake_node.h"
#include "tools/load/submission.h"

namespace heddle::load {
namespace {

namespace ipc = compat::ipc;
using ipc::CallContext;
using ipc::Reply;

constexpr char kPassword[] = "01234567890123456789";  // as long as real ones
constexpr std::uint32_t kNodes = 1'000;               // that containers are granted on, in turn

template <class Request, class Response, class Handler>
void on(ipc::ProtocolService& service, const char* method, Handler handler) {
  service.on<Request, Response>(
      method, [handler](const CallContext& call, const Request& request, Reply<Response> reply) {
        reply(handler(call, request));
      });
}

ipc::ExceptionMapper plain_exceptions() {
  return [](const Error& error) {
    return ipc::JavaException{"org.apache.hadoop.yarn.exceptions.YarnException", error.message};
  };
}

std::shared_ptr<ipc::ProtocolService> service_named(const char* name) {
  return std::make_shared<ipc::ProtocolService>(name, 1, plain_exceptions());
}

std::shared_ptr<const ipc::ProtocolService> tracker_service() {
  auto service = service_named("org.apache.hadoop.yarn.server.api.ResourceTrackerPB");
  on<pb::RegisterNodeManagerRequestProto, pb::RegisterNodeManagerResponseProto>(
      *service, "registerNodeManager", [](const CallContext&, const auto&) {
        pb::RegisterNodeManagerResponseProto out;
        out.set_nodeaction(pb::NORMAL);
        out.set_rm_identifier(1);
        out.set_rm_version(std::string(compat::node::kHadoopVersion));
        for (auto* key :
             {out.mutable_container_token_master_key(), out.mutable_nm_token_master_key()}) {
          key->set_key_id(1);
          key->set_bytes("12345678");
        }
        return out;
      });
  on<pb::NodeHeartbeatRequestProto, pb::NodeHeartbeatResponseProto>(
      *service, "nodeHeartbeat", [](const CallContext&, const auto& request) {
        pb::NodeHeartbeatResponseProto out;
        out.set_response_id(request.node_status().response_id() + 1);
        out.set_nodeaction(pb::NORMAL);
        out.set_nextheartbeatinterval(1000);
        return out;
      });
  return service;
}

/// A container as a ResourceManager grants it, token and all, but for its number and its node.
pb::ContainerProto container_of_any_master() {
  const ResourceTypes types;
  compat::ContainerIdentifier identifier;
  identifier.container = {{{1'700'000'000'000, 1}, 1}, 1};
  identifier.node_address = to_string(fake_node_id(0));
  identifier.user = "root";
  identifier.resources = {1024, 1};
  identifier.key_id = 1'234'567'890;
  identifier.expiry = identifier.created = {1'700'000'000'000};
  identifier.rm_identifier = 1'700'000'000'000;
  pb::ContainerProto out;
  compat::to_wire(identifier.container, out.mutable_id());
  compat::to_wire(fake_node_id(0), out.mutable_nodeid());
  out.set_node_http_address("127.1.0.1:8042");
  compat::to_wire(identifier.resources, types, out.mutable_resource());
  out.mutable_priority()->set_priority(1);
  compat::to_wire(security::Token{encode(identifier, types), security::Secret(kPassword),
                                  std::string(compat::kContainerTokenKind), "127.1.0.1:45454"},
                  out.mutable_container_token());
  out.set_execution_type(pb::GUARANTEED);
  out.set_allocation_request_id(-1);
  return out;
}

pb::AllocateResponseProto grant_all(const pb::AllocateRequestProto& request,
                                    const pb::ContainerProto& container,
                                    std::atomic<std::int64_t>& number) {
  pb::AllocateResponseProto out;
  out.set_response_id(request.response_id() + 1);
  for (const auto& ask : request.ask()) {
    for (std::int32_t i = 0; i < ask.num_containers(); ++i) {
      auto* granted = out.add_allocated_containers();
      *granted = container;
      const std::int64_t id = ++number;
      granted->mutable_id()->set_id(id);
      granted->mutable_nodeid()->set_host(
          fake_node_id(static_cast<std::uint32_t>(id) % kNodes).host);
    }
  }
  for (const auto& released : request.release()) {
    auto* ended = out.add_completed_container_statuses();
    *ended->mutable_container_id() = released;
    ended->set_state(pb::C_COMPLETE);
    ended->set_diagnostics("Container released by application");
    ended->set_exit_status(-100);
  }
  compat::to_wire(Resources{1024, 1}, ResourceTypes(), out.mutable_limit());
  out.set_num_cluster_nodes(1);
  out.mutable_application_priority()->set_priority(0);
  return out;
}

std::shared_ptr<const ipc::ProtocolService> master_service() {
  auto service = service_named("org.apache.hadoop.yarn.api.ApplicationMasterProtocolPB");
  on<pb::RegisterApplicationMasterRequestProto, pb::RegisterApplicationMasterResponseProto>(
      *service, "registerApplicationMaster",
      [](const CallContext&, const auto&) { return pb::RegisterApplicationMasterResponseProto(); });
  const auto number = std::make_shared<std::atomic<std::int64_t>>(0);
  on<pb::AllocateRequestProto, pb::AllocateResponseProto>(
      *service, "allocate",
      [number, container = container_of_any_master()](const CallContext&, const auto& request) {
        return grant_all(request, container, *number);
      });
  on<pb::FinishApplicationMasterRequestProto, pb::FinishApplicationMasterResponseProto>(
      *service, "finishApplicationMaster", [](const CallContext&, const auto&) {
        pb::FinishApplicationMasterResponseProto out;
        out.set_isunregistered(true);
        return out;
      });
  return service;
}

std::shared_ptr<const ipc::ProtocolService> client_service() {
  auto service = service_named(kClientProtocol);
  const auto number = std::make_shared<std::atomic<std::int32_t>>(0);
  on<pb::GetNewApplicationRequestProto, pb::GetNewApplicationResponseProto>(
      *service, "getNewApplication", [number](const CallContext&, const auto&) {
        pb::GetNewApplicationResponseProto out;
        compat::to_wire(AppId{1, ++*number}, out.mutable_application_id());
        return out;
      });
  on<pb::SubmitApplicationRequestProto, pb::SubmitApplicationResponseProto>(
      *service, "submitApplication",
      [](const CallContext&, const auto&) { return pb::SubmitApplicationResponseProto(); });
  on<pb::GetApplicationReportRequestProto, pb::GetApplicationReportResponseProto>(
      *service, "getApplicationReport", [](const CallContext&, const auto& request) {
        pb::GetApplicationReportResponseProto out;
        auto* report = out.mutable_application_report();
        *report->mutable_applicationid() = request.application_id();
        report->set_yarn_application_state(pb::ACCEPTED);
        const auto app = compat::app_id_from_wire(request.application_id());
        const AttemptId attempt{app ? *app : AppId{}, 1};
        compat::to_wire(
            security::Token{compat::encode(compat::AmrmIdentifier{attempt, 1}),
                            security::Secret(kPassword), std::string(compat::kAmrmTokenKind), ""},
            report->mutable_am_rm_token());
        compat::to_wire(attempt, report->mutable_currentapplicationattemptid());
        return out;
      });
  on<pb::GetApplicationAttemptReportRequestProto, pb::GetApplicationAttemptReportResponseProto>(
      *service, "getApplicationAttemptReport", [](const CallContext&, const auto&) {
        pb::GetApplicationAttemptReportResponseProto out;
        out.mutable_application_attempt_report()->set_yarn_application_attempt_state(
            pb::APP_ATTEMPT_LAUNCHED);
        return out;
      });
  return service;
}

Result<ipc::TokenLogin> anybody(std::string_view) {
  ipc::TokenLogin login;
  login.password = security::Secret(kPassword);
  login.caller.user = "load";
  return login;
}

}  // namespace

Result<LimitServer> start_limit_server(net::EventLoops& loops) {
  ipc::ServerOptions options;
  options.host = "127.0.0.1";
  options.connections.connections_max = options.connections.connections_per_peer_max = 100'000;
  auto tracker = ipc::Server::listen(loops, options, {tracker_service()});
  if (!tracker) return fail(std::move(tracker).error());
  auto client = ipc::Server::listen(loops, options, {client_service()});
  if (!client) return fail(std::move(client).error());
  options.simple_allowed = false;
  options.token_login = anybody;
  auto scheduler = ipc::Server::listen(loops, options, {master_service()});
  if (!scheduler) return fail(std::move(scheduler).error());
  return LimitServer{*std::move(tracker), *std::move(scheduler), *std::move(client)};
}

}  // namespace heddle::load
