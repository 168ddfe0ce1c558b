#include "compat/nm/service.h"

#include <fmt/core.h>

#include <atomic>
#include <optional>
#include <utility>

#include "compat/nm/attempt_keys.h"
#include "compat/nm/requests.h"
#include "compat/nm/states.h"
#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/exceptions.h"
#include "compat/records/ids.h"
#include "compat/records/protobuf_log.h"
#include "compat/records/tokens.h"

namespace heddle::compat::node {
namespace {

using ipc::CallContext;
using ipc::Reply;

constexpr int kRequestsMax = 10'000;  // containers in one call

struct Port {
  explicit Port(NodeDoor to) : door(std::move(to)) {}
  NodeDoor door;
  AttemptKeys attempt_keys;
};
using PortPtr = std::shared_ptr<Port>;

Failure invalid_token(std::string message) {
  return fail(ErrorCode::kUnauthenticated, std::move(message), ErrorSubject::kToken);
}

Failure too_many(int count) {
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("{} containers in one call, the limit is {}", count, kRequestsMax));
}

/// The results of several requests of the door; `finish` gets them once, in the order asked.
template <class Value>
class Gather : public std::enable_shared_from_this<Gather<Value>> {
 public:
  using Results = std::vector<std::pair<ContainerId, Result<Value>>>;
  using Finish = std::function<void(Results&)>;
  Gather(const std::vector<ContainerId>& ids, Finish finish)
      : finish_(std::move(finish)), left_(ids.size()) {
    for (const ContainerId& id : ids) {
      results_.emplace_back(id, fail(ErrorCode::kInternal, "no answer"));
    }
  }
  /// The reply for request `index`; each writes its own place.
  ::heddle::nm::ReplyTo<Value> slot(std::size_t index) {
    return [self = this->shared_from_this(), index](Result<Value> result) {
      self->results_[index].second = std::move(result);
      if (--self->left_ == 0) self->finish_(self->results_);
    };
  }

 private:
  Finish finish_;
  Results results_;
  std::atomic<std::size_t> left_;
};

template <class Response>
void add_failure(const ContainerId& id, const Error& error, Response& response) {
  auto* failed = response.add_failed_requests();
  compat::to_wire(id, failed->mutable_container_id());
  exception_to_wire(node_exception(error), error.message, failed->mutable_exception());
}

Result<AttemptId> caller_attempt(const CallContext& call) {
  if (call.caller.attempt) return *call.caller.attempt;
  return invalid_token("Invalid NMToken: no attempt is logged in on this connection");
}

Result<std::vector<ContainerId>> ids_from_wire(
    const google::protobuf::RepeatedPtrField<pb::ContainerIdProto>& wire) {
  if (wire.size() > kRequestsMax) return too_many(wire.size());
  std::vector<ContainerId> out;
  for (const auto& entry : wire) {
    auto id = container_id_from_wire(entry);
    if (!id) return fail(std::move(id).error().about(ErrorSubject::kNone));
    out.push_back(*id);
  }
  return out;
}

/// Checks 1 and 2 of wire facts "tokens" section 8; a failure fails the whole call.
Result<ContainerIdentifier> verified(const NodeDoor& node, const pbc::TokenProto& token) {
  auto identifier = decode_container_identifier(token.identifier(), node.types);
  if (!identifier) return fail(std::move(identifier).error());
  const auto key = node.keys.container.find(identifier->key_id);
  const std::string id = to_string(identifier->container);
  if (!key || !security::Secret(security::token_password(*key, token.identifier()))
                   .equals(token.password())) {
    return invalid_token(
        fmt::format("Given Container {} seems to have an illegally generated token.", id));
  }
  const std::string here = to_string(node.reports.facts().id);
  if (identifier->node_address != here) {
    return invalid_token(fmt::format(
        "Given Container {} identifier is not valid for current Node manager. Expected : {} Found "
        ": {}",
        id, here, identifier->node_address));
  }
  return identifier;
}

void aux_to_wire(const NodeDoor& node, pb::StartContainersResponseProto& response) {
  for (const door::AuxService* service : node.aux_services) {
    auto* entry = response.add_services_meta_data();
    entry->set_key(std::string(service->name()));
    entry->set_value(service->metadata());
  }
}

void start(const PortPtr& port, const CallContext& call,
           const pb::StartContainersRequestProto& request,
           Reply<pb::StartContainersResponseProto> reply) {
  const auto attempt = caller_attempt(call);
  if (!attempt) return reply(fail(attempt.error()));
  if (request.start_container_request_size() > kRequestsMax) {
    return reply(too_many(request.start_container_request_size()));
  }
  std::vector<ContainerIdentifier> identifiers;
  std::vector<ContainerId> ids;
  for (const auto& entry : request.start_container_request()) {
    if (!entry.has_container_token()) return reply(invalid_token("a container has no token"));
    auto identifier = verified(port->door, entry.container_token());
    if (!identifier) return reply(fail(std::move(identifier).error()));
    ids.push_back(identifier->container);
    identifiers.push_back(*std::move(identifier));
  }
  port->attempt_keys.remember(*attempt, port->door.keys.nm, port->door.reports);
  auto shared = std::make_shared<Reply<pb::StartContainersResponseProto>>(std::move(reply));
  const auto finish = [port, shared](Gather<void>::Results& results) {
    pb::StartContainersResponseProto out;
    aux_to_wire(port->door, out);
    for (const auto& [id, result] : results) {
      if (result)
        compat::to_wire(id, out.add_succeeded_requests());
      else
        add_failure(id, result.error(), out);
    }
    (*shared)(std::move(out));
  };
  Gather<void>::Results none;
  if (ids.empty()) return finish(none);
  const auto gather = std::make_shared<Gather<void>>(ids, finish);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& entry = request.start_container_request(static_cast<int>(i));
    auto launch = launch_from_wire(entry.container_launch_context());
    if (!launch) {
      gather->slot(i)(fail(std::move(launch).error()));
      continue;
    }
    port->door.containers.start(*attempt, {grant_of(identifiers[i]), *std::move(launch)},
                                gather->slot(i));
  }
}

void stop(const PortPtr& port, const CallContext& call,
          const pb::StopContainersRequestProto& request,
          Reply<pb::StopContainersResponseProto> reply) {
  const auto attempt = caller_attempt(call);
  if (!attempt) return reply(fail(attempt.error()));
  const auto ids = ids_from_wire(request.container_id());
  if (!ids) return reply(fail(ids.error()));
  auto shared = std::make_shared<Reply<pb::StopContainersResponseProto>>(std::move(reply));
  if (ids->empty()) return (*shared)(pb::StopContainersResponseProto{});
  const auto gather =
      std::make_shared<Gather<void>>(*ids, [shared](Gather<void>::Results& results) {
        pb::StopContainersResponseProto out;
        for (const auto& [id, result] : results) {
          if (result)
            compat::to_wire(id, out.add_succeeded_requests());
          else
            add_failure(id, result.error(), out);
        }
        (*shared)(std::move(out));
      });
  for (std::size_t i = 0; i < ids->size(); ++i) {
    port->door.containers.stop(*attempt, (*ids)[i], gather->slot(i));
  }
}

void statuses(const PortPtr& port, const CallContext& call,
              const pb::GetContainerStatusesRequestProto& request,
              Reply<pb::GetContainerStatusesResponseProto> reply) {
  const auto attempt = caller_attempt(call);
  if (!attempt) return reply(fail(attempt.error()));
  const auto ids = ids_from_wire(request.container_id());
  if (!ids) return reply(fail(ids.error()));
  auto shared = std::make_shared<Reply<pb::GetContainerStatusesResponseProto>>(std::move(reply));
  if (ids->empty()) return (*shared)(pb::GetContainerStatusesResponseProto{});
  using Statuses = Gather<door::ContainerStatus>;
  const auto gather = std::make_shared<Statuses>(*ids, [port, shared](Statuses::Results& results) {
    pb::GetContainerStatusesResponseProto out;
    for (const auto& [id, result] : results) {
      if (result)
        to_wire(*result, port->door.types, out.add_status());
      else
        add_failure(id, result.error(), out);
    }
    (*shared)(std::move(out));
  });
  for (std::size_t i = 0; i < ids->size(); ++i) {
    port->door.containers.status(*attempt, (*ids)[i], gather->slot(i));
  }
}

void signal(const PortPtr& port, const CallContext& call,
            const pb::SignalContainerRequestProto& request,
            Reply<pb::SignalContainerResponseProto> reply) {
  const auto attempt = caller_attempt(call);
  if (!attempt) return reply(fail(attempt.error()));
  const auto id = container_id_from_wire(request.container_id());
  if (!id) return reply(fail(id.error()));
  auto shared = std::make_shared<Reply<pb::SignalContainerResponseProto>>(std::move(reply));
  port->door.containers.signal(*attempt, *id, signal_from_wire(request.command()),
                               [shared](Result<void> result) {
                                 if (!result) return (*shared)(fail(std::move(result).error()));
                                 (*shared)(pb::SignalContainerResponseProto{});
                               });
}

/// The two methods that do it differ in their messages only. What is wrong with one container
/// fails that one, but a token that was not made here fails the call.
template <class Response, class Tokens>
void update_all(const PortPtr& port, const CallContext& call, const Tokens& tokens,
                Reply<Response> reply) {
  const auto attempt = caller_attempt(call);
  if (!attempt) return reply(fail(attempt.error()));
  if (tokens.size() > kRequestsMax) return reply(too_many(tokens.size()));
  std::vector<ContainerIdentifier> identifiers;
  std::vector<ContainerId> ids;
  for (const auto& token : tokens) {
    auto identifier = verified(port->door, token);
    if (!identifier) return reply(fail(std::move(identifier).error()));
    ids.push_back(identifier->container);
    identifiers.push_back(*std::move(identifier));
  }
  port->attempt_keys.remember(*attempt, port->door.keys.nm, port->door.reports);
  auto shared = std::make_shared<Reply<Response>>(std::move(reply));
  if (ids.empty()) return (*shared)(Response{});
  const auto gather = std::make_shared<Gather<void>>(ids, [shared](Gather<void>::Results& results) {
    Response out;
    for (const auto& [id, result] : results) {
      if (result)
        compat::to_wire(id, out.add_succeeded_requests());
      else
        add_failure(id, result.error(), out);
    }
    (*shared)(std::move(out));
  });
  for (std::size_t i = 0; i < ids.size(); ++i)
    port->door.containers.update(*attempt, grant_of(identifiers[i]), gather->slot(i));
}

void update(const PortPtr& port, const CallContext& call,
            const pb::ContainerUpdateRequestProto& request,
            Reply<pb::ContainerUpdateResponseProto> reply) {
  update_all(port, call, request.update_container_token(), std::move(reply));
}

void increase(const PortPtr& port, const CallContext& call,
              const pb::IncreaseContainersResourceRequestProto& request,
              Reply<pb::IncreaseContainersResourceResponseProto> reply) {
  update_all(port, call, request.increase_containers(), std::move(reply));
}

template <class Request, class Response>
void add(ipc::ProtocolService& service, const PortPtr& port, std::string method,
         void (*handler)(const PortPtr&, const CallContext&, const Request&, Reply<Response>)) {
  service.on<Request, Response>(
      std::move(method),
      [port, handler](const CallContext& call, const Request& request, Reply<Response> reply) {
        handler(port, call, request, std::move(reply));
      });
}

template <class Request, class Response>
void refuse(ipc::ProtocolService& service, const std::string& method, std::string_view feature) {
  service.on<Request, Response>(
      method, [text = std::string(feature) + " is not supported yet by this NodeManager"](
                  const CallContext&, const Request&, Reply<Response> reply) {
        reply(fail(ErrorCode::kUnsupported, text));
      });
}

void add_refused(ipc::ProtocolService& service) {
  refuse<pb::ResourceLocalizationRequestProto, pb::ResourceLocalizationResponseProto>(
      service, "localize", "Localizing into a running container");
  refuse<pb::ReInitializeContainerRequestProto, pb::ReInitializeContainerResponseProto>(
      service, "reInitializeContainer", "Initializing a container again");
  refuse<pb::ContainerIdProto, pb::RestartContainerResponseProto>(service, "restartContainer",
                                                                  "Restarting a container");
  refuse<pb::ContainerIdProto, pb::RollbackResponseProto>(service, "rollbackLastReInitialization",
                                                          "Initializing a container again");
  refuse<pb::ContainerIdProto, pb::CommitResponseProto>(service, "commitLastReInitialization",
                                                        "Initializing a container again");
  refuse<pb::GetLocalizationStatusesRequestProto, pb::GetLocalizationStatusesResponseProto>(
      service, "getLocalizationStatuses", "The state of localizations");
}

Result<ipc::TokenLogin> login(const Port& port, std::string_view identifier) {
  const auto decoded = decode_nm_identifier(identifier);
  if (!decoded) return fail(decoded.error());
  const std::string attempt = to_string(decoded->attempt);
  const NodeId here = port.door.reports.facts().id;
  if (decoded->node != here) {
    return invalid_token(fmt::format(
        "Given NMToken for application : {} is not valid for current node manager.expected : {} "
        "found : {}",
        attempt, to_string(here), to_string(decoded->node)));
  }
  auto key = port.door.keys.nm.find(decoded->key_id);
  if (!key) key = port.attempt_keys.find(decoded->attempt, decoded->key_id);
  if (!key) {
    return invalid_token(fmt::format(
        "Given NMToken for application : {} seems to have been generated illegally.", attempt));
  }
  ipc::TokenLogin out;
  out.password = security::Secret(security::token_password(*key, identifier));
  out.caller.user = attempt;
  out.caller.method = security::AuthMethod::kToken;
  out.caller.attempt = decoded->attempt;
  return out;
}

}  // namespace

ContainerPort make_container_port(NodeDoor door) {
  silence_protobuf_log();
  const auto port = std::make_shared<Port>(std::move(door));
  auto service = std::make_shared<ipc::ProtocolService>(
      std::string(kContainerProtocol), 1, [](const Error& error) {
        return ipc::JavaException{std::string(node_exception(error)), error.message};
      });
  add(*service, port, "startContainers", start);
  add(*service, port, "stopContainers", stop);
  add(*service, port, "getContainerStatuses", statuses);
  add(*service, port, "signalToContainer", signal);
  add(*service, port, "increaseContainersResource", increase);
  add(*service, port, "updateContainer", update);
  add_refused(*service);
  return {service, [port](std::string_view identifier) { return login(*port, identifier); }};
}

}  // namespace heddle::compat::node
