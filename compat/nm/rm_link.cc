#include "compat/nm/rm_link.h"

#include <utility>

#include "compat/nm/rm_messages.h"
#include "compat/records/ids.h"

namespace heddle::compat::node {
namespace {

constexpr std::string_view kTrackerProtocol = "org.apache.hadoop.yarn.server.api.ResourceTrackerPB";

class RmLinkClient final : public door::RmLink {
 public:
  RmLinkClient(ipc::Client& client, RmAddress rm, ResourceTypes types)
      : client_(client), rm_(std::move(rm)), types_(std::move(types)) {}

  void register_node(door::Registration request,
                     std::function<void(Result<door::Registered>)> done) override {
    call<pb::RegisterNodeManagerResponseProto>(
        "registerNodeManager", to_wire(request, types_), std::move(done),
        [types = types_](const auto& answer) { return registered_from_wire(answer, types); });
  }

  void heartbeat(door::Heartbeat request,
                 std::function<void(Result<door::HeartbeatAnswer>)> done) override {
    call<pb::NodeHeartbeatResponseProto>(
        "nodeHeartbeat", to_wire(request, types_), std::move(done),
        [types = types_](const auto& answer) { return heartbeat_answer_from_wire(answer, types); });
  }

  void unregister_node(const NodeId& node, std::function<void(Result<void>)> done) override {
    pb::UnRegisterNodeManagerRequestProto request;
    compat::to_wire(node, request.mutable_node_id());
    call<pb::UnRegisterNodeManagerResponseProto>("unRegisterNodeManager", request, std::move(done),
                                                 [](const auto&) { return Result<void>{}; });
  }

 private:
  template <class Response, class Value, class FromWire>
  void call(const std::string& method, const google::protobuf::MessageLite& request,
            std::function<void(Result<Value>)> done, FromWire from_wire) {
    client_.call(
        rm_.host, rm_.port, ipc::Login{rm_.user, std::nullopt}, std::string(kTrackerProtocol),
        method, request,
        [method, done = std::move(done),
         from_wire = std::move(from_wire)](tl::expected<std::string, ipc::CallFailure> bytes) {
          if (!bytes) return done(fail(refusal(bytes.error())));
          Response answer;
          if (!answer.ParseFromString(*bytes)) {
            return done(fail(ErrorCode::kInvalidArgument,
                             "the ResourceManager's answer to " + method + " does not parse"));
          }
          done(from_wire(answer));
        });
  }

  ipc::Client& client_;
  const RmAddress rm_;
  const ResourceTypes types_;
};

}  // namespace

std::unique_ptr<::heddle::nm::RmLink> make_rm_link(ipc::Client& client, RmAddress rm,
                                                   ResourceTypes types) {
  return std::make_unique<RmLinkClient>(client, std::move(rm), std::move(types));
}

}  // namespace heddle::compat::node
