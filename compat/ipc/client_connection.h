// One client connection: opened on first use, logged in, pipelined, closed when idle. Loop thread
// only, except where said.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/net/connection.h"
#include "compat/ipc/client.h"
#include "compat/ipc/wire.h"
#include "security/digest_md5.h"

namespace heddle::compat::ipc {

/// What makes two calls share a connection.
struct Destination {
  std::string host;
  std::uint16_t port = 0;
  std::string protocol;
  Login login;
};

struct OutgoingCall {
  using Done = std::function<void(tl::expected<std::string, CallFailure>)>;
  std::int32_t id = 0;
  std::string frame;
  Done done;
};

class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  /// `on_gone` is called once, on the loop thread, before the calls that were under way fail.
  ClientConnection(net::EventLoop& loop, const ClientOptions& options, std::string client_id,
                   Destination destination, std::function<void()> on_gone);

  net::EventLoop& loop() const { return loop_; }  // any thread

  /// Takes the call, unless the connection is gone: then it is left as it was.
  bool submit(OutgoingCall& call);
  void close(const std::string& reason);

 private:
  class Wire;  // the handler of the socket
  enum class State { kNew, kConnecting, kNegotiating, kReady, kGone };
  struct Waiting {
    OutgoingCall::Done done;
    net::EventLoop::Timer timeout;
  };

  void open();
  void connected(Result<std::shared_ptr<net::Connection>> connection);
  void begin_login();
  void send_context(bool with_user);
  void on_bytes(std::string_view bytes);
  void process_frame(std::string_view frame);
  void process_sasl(std::string_view rest);
  void answer_offer(const hc::RpcSaslProto& offer);
  void send_sasl(const hc::RpcSaslProto& message);
  void continue_as_simple();
  void process_answer(const hc::RpcResponseHeaderProto& header, std::string_view rest);
  void finish_call(std::int32_t id, tl::expected<std::string, CallFailure> result);
  void call_timed_out(std::int32_t id, std::uint64_t heard_before);
  void fail_all(CallFailure failure);
  void arm_idle();
  void arm_ping();
  std::string name() const;

  net::EventLoop& loop_;
  const ClientOptions options_;
  const std::string client_id_;
  const Destination destination_;
  std::function<void()> on_gone_;

  State state_ = State::kNew;
  std::shared_ptr<net::Connection> wire_;
  FrameReader reader_;
  std::optional<security::DigestMd5Client> digest_;
  std::string unsent_;  // frames of calls that wait for the login
  std::map<std::int32_t, Waiting> waiting_;
  net::EventLoop::Timer idle_timer_;
  net::EventLoop::Timer ping_timer_;
  std::uint64_t bytes_heard_ = 0;
};

}  // namespace heddle::compat::ipc
