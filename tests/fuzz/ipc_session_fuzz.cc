// Any bytes into the server side of an IPC connection, in pieces of varying size.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "compat/ipc/session.h"
#include "compat/proto/yarn_service_protos.pb.h"

namespace {

using namespace heddle;
using namespace heddle::compat::ipc;

class NullHost final : public SessionHost {
 public:
  void send(std::string bytes) override { sent_ += bytes.size(); }
  std::uint64_t pending_bytes() const override { return 0; }
  void pause_reading() override {}
  void resume_reading() override {}
  void close(std::string_view) override {}
  void close_after_flush(std::string_view) override {}

 private:
  std::size_t sent_ = 0;
};

using ReportReply = Reply<hadoop::yarn::SubmitApplicationResponseProto>;

std::shared_ptr<ProtocolService> make_service(std::vector<ReportReply>& held) {
  auto service = std::make_shared<ProtocolService>(
      "org.apache.hadoop.yarn.api.ApplicationClientProtocolPB", 1, nullptr);
  service->on<hadoop::yarn::SubmitApplicationRequestProto,
              hadoop::yarn::SubmitApplicationResponseProto>(
      "submitApplication", [&held](const CallContext& context, const auto&, ReportReply reply) {
        if (context.call_id % 2 == 0) {
          reply(hadoop::yarn::SubmitApplicationResponseProto{});
        } else {
          held.push_back(std::move(reply));
        }
      });
  service->on<hadoop::yarn::GetNewApplicationRequestProto,
              hadoop::yarn::GetNewApplicationResponseProto>(
      "getNewApplication",
      [](const CallContext&, const auto&, Reply<hadoop::yarn::GetNewApplicationResponseProto> r) {
        r(hadoop::yarn::GetNewApplicationResponseProto{});
      });
  return service;
}

ServerOptions make_options(bool simple) {
  ServerOptions options;
  options.simple_allowed = simple;
  options.frame_max = 1024 * 1024;
  options.queued_calls_max = 4;
  options.retry_cache_max = 64;
  options.token_login = [](std::string_view) -> Result<TokenLogin> {
    TokenLogin login;
    login.password = security::Secret("p");
    login.caller.user = "u";
    return login;
  };
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = (data[0] & 0x7FU) + 1U;
  std::vector<ReportReply> held;
  auto rules = std::make_shared<SessionRules>(
      make_options((data[0] & 0x80U) == 0),
      std::vector<std::shared_ptr<const ProtocolService>>{make_service(held)});
  rules->login.nonce = [] { return std::string(40, 'n'); };
  NullHost host;
  auto session = std::make_shared<Session>(rules, host, net::Endpoint{"127.0.0.1", 1},
                                           [](std::function<void()> task) { task(); });
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  while (!input.empty()) {
    session->on_bytes(input.substr(0, piece));
    input.remove_prefix(std::min(piece, input.size()));
    while (held.size() >= 4) {  // answers may bring further calls
      auto now = std::exchange(held, {});
      for (auto& reply : now)
        reply(hadoop::yarn::SubmitApplicationResponseProto{});
    }
  }
  session->on_drained();
  session->on_closed();
  return 0;
}
