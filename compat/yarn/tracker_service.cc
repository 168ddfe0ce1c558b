#include "compat/proto/yarn_server_common_service_protos.pb.h"
#include "compat/records/exceptions.h"
#include "compat/records/ids.h"
#include "compat/records/protobuf_log.h"
#include "compat/yarn/node_messages.h"
#include "compat/yarn/service.h"
#include "compat/yarn/token_maker.h"

namespace heddle::compat::yarn {
namespace {

using ipc::CallContext;
using ipc::Reply;

void register_node(const ContextPtr& context, const CallContext& call,
                   const pb::RegisterNodeManagerRequestProto& request,
                   Reply<pb::RegisterNodeManagerResponseProto> reply) {
  auto command = register_node_from_wire(request, context->types(), call.caller.address);
  if (!command) return reply(fail(std::move(command).error()));
  auto shared = std::make_shared<Reply<pb::RegisterNodeManagerResponseProto>>(std::move(reply));
  auto node = std::make_shared<rm::RegisterNode>(*std::move(command));
  // Tokens for this node name its address, so it is looked up before the node is taken.
  context->hosts.resolve(node->id.host, call.caller.address, [context, node, shared] {
    context->door.nodes.register_node(
        std::move(*node),
        answer<rm::NodeRegistered>(std::move(*shared), [context](const rm::NodeRegistered& answer) {
          const rm::TokenSigners& keys = context->door.keys;
          return to_wire(answer, keys.container.current(), keys.nm.current());
        }));
  });
}

/// The announced key, unless the node knows it.
std::optional<security::MasterKey> news(const security::TokenKeys& keys,
                                        const std::optional<std::int32_t>& known) {
  auto next = keys.next();
  if (next && known && *known == next->id) return std::nullopt;
  return next;
}

std::optional<std::int32_t> key_id(bool present, const pb::MasterKeyProto& key) {
  if (!present) return std::nullopt;
  return key.key_id();
}

void heartbeat(const ContextPtr& context, const CallContext&,
               const pb::NodeHeartbeatRequestProto& request,
               Reply<pb::NodeHeartbeatResponseProto> reply) {
  auto command = heartbeat_from_wire(request, context->types());
  if (!command) return reply(fail(std::move(command).error()));
  const auto container_key = key_id(request.has_last_known_container_token_master_key(),
                                    request.last_known_container_token_master_key());
  const auto nm_key = key_id(request.has_last_known_nm_token_master_key(),
                             request.last_known_nm_token_master_key());
  context->door.nodes.heartbeat(
      *std::move(command),
      answer<rm::NodeHeartbeatAnswer>(std::move(reply), [context, container_key, nm_key](
                                                            const rm::NodeHeartbeatAnswer& answer) {
        const rm::TokenSigners& keys = context->door.keys;
        auto out = to_wire(answer, news(keys.container, container_key), news(keys.nm, nm_key));
        if (answer.containers_to_update.empty()) return out;
        const TokenMaker tokens(context);
        for (const rm::UpdatedContainer& updated : answer.containers_to_update)
          tokens.to_wire(updated.container, out.add_containers_to_update());
        return out;
      }));
}

void unregister(const ContextPtr& context, const CallContext&,
                const pb::UnRegisterNodeManagerRequestProto& request,
                Reply<pb::UnRegisterNodeManagerResponseProto> reply) {
  const auto node = node_id_from_wire(request.node_id());
  if (!node) return reply(fail(node.error()));
  context->door.nodes.unregister_node(*node, answer_empty(std::move(reply)));
}

template <class Request, class Response>
void add(ipc::ProtocolService& service, const ContextPtr& context, std::string method,
         void (*handler)(const ContextPtr&, const CallContext&, const Request&, Reply<Response>),
         ipc::Repeats repeats = ipc::Repeats::kAnswered) {
  service.on<Request, Response>(
      std::move(method),
      [context, handler](const CallContext& call, const Request& request, Reply<Response> reply) {
        handler(context, call, request, std::move(reply));
      },
      repeats);
}

}  // namespace

ServicePtr make_tracker_service(const ContextPtr& context) {
  silence_protobuf_log();
  auto service = std::make_shared<ipc::ProtocolService>(std::string(kTrackerProtocol), 1,
                                                        mapper(tracker_exception));
  add(*service, context, "registerNodeManager", register_node);
  // Its response id tells a repeat: it gets the previous answer again.
  add(*service, context, "nodeHeartbeat", heartbeat, ipc::Repeats::kRunAgain);
  add(*service, context, "unRegisterNodeManager", unregister);
  return service;
}

}  // namespace heddle::compat::yarn
