// Calls a method of a protocol in this thread, with bytes in and out as on the wire.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "compat/ipc/client.h"
#include "compat/ipc/server.h"

namespace heddle::testlib {

/// The answer's bytes, or what the exception mapper makes of the error, as "class: message".
struct Answered {
  std::string bytes;
  std::string exception_class;
  std::string message;
  bool ok() const { return exception_class.empty(); }
};

inline Answered call_bytes(const compat::ipc::ProtocolService& service, const std::string& method,
                           const std::string& body, const security::Caller& caller) {
  const auto* found = service.find(method);
  if (found == nullptr) return {"", "no such method", method};
  std::optional<Answered> out;
  const compat::ipc::CallContext context{caller, "0123456789abcdef", 1, 0};
  (*found)(context, body, [&](Result<compat::ipc::ProtocolService::MessagePtr> answer) {
    if (answer) {
      out = Answered{(*answer)->SerializePartialAsString(), "", ""};
      return;
    }
    const compat::ipc::JavaException java = service.exceptions()(answer.error());
    out = Answered{"", java.class_name, java.message};
  });
  return out.value_or(Answered{"", "no answer", method});
}

template <class Request>
Answered call(const compat::ipc::ProtocolService& service, const std::string& method,
              const Request& request, const security::Caller& caller = {}) {
  return call_bytes(service, method, request.SerializePartialAsString(), caller);
}

/// Notes the one call made and lets the test answer it.
class FakeClient final : public compat::ipc::Client {
 public:
  using Done = std::function<void(tl::expected<std::string, compat::ipc::CallFailure>)>;
  struct Call {
    std::string host;
    std::uint16_t port;
    compat::ipc::Login login;
    std::string protocol;
    std::string method;
    std::string request;
    Done done;
  };
  void call(const std::string& host, std::uint16_t port, const compat::ipc::Login& login,
            const std::string& protocol, const std::string& method,
            const google::protobuf::MessageLite& request, Done done) override {
    calls.push_back(
        {host, port, login, protocol, method, request.SerializeAsString(), std::move(done)});
  }
  std::vector<Call> calls;
};

}  // namespace heddle::testlib
