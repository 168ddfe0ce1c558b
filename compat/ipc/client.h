// A Hadoop IPC (version 9) client: what the RM needs towards NodeManagers, a NodeManager towards
// its RM, and our own tools. One connection per (address, protocol, login), pipelined, closed when
// idle.
#pragma once

#include <google/protobuf/message_lite.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/net/event_loop.h"
#include "base/result.h"
#include "security/token.h"

namespace heddle::compat::ipc {

/// An exception that the server answered. The class name tells what to do about it.
struct RemoteException {
  std::string class_name;
  std::string message;
  bool fatal = false;  // the server closed the connection after it
};

/// Why a call failed: the network, or the server's own answer.
struct CallFailure {
  Error error;                            // kUnavailable: no connection, timeout, broken off
  std::optional<RemoteException> remote;  // set when the server answered
  bool never_sent = false;                // the server cannot have seen the call
};

struct ClientOptions {
  Duration connect_timeout = std::chrono::seconds(20);
  /// From the call to its answer. When the server sent nothing at all meanwhile, the connection
  /// ends, and with it all calls that wait on it.
  Duration call_timeout = std::chrono::seconds(120);
  Duration idle_timeout = std::chrono::seconds(10);
  Duration ping_interval = std::chrono::seconds(60);
  std::uint32_t response_max = 128_MiB;
};

/// Who the client is at one server.
struct Login {
  std::string user;                      // SIMPLE: effectiveUser of the context
  std::optional<security::Token> token;  // when set: SASL DIGEST-MD5 with it
};

class Client {
 public:
  virtual ~Client() = default;
  static std::unique_ptr<Client> create(net::EventLoops& loops, ClientOptions options);

  /// Sends one call; `done` comes once, on a loop thread, with the bytes of the response message.
  /// Any thread. `protocol` is the declaringClassProtocolName; version 1.
  virtual void call(const std::string& host, std::uint16_t port, const Login& login,
                    const std::string& protocol, const std::string& method,
                    const google::protobuf::MessageLite& request,
                    std::function<void(tl::expected<std::string, CallFailure>)> done) = 0;
};

}  // namespace heddle::compat::ipc
