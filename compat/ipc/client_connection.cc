#include "compat/ipc/client_connection.h"

#include <fmt/format.h>

#include "base/text.h"
#include "compat/proto/IpcConnectionContext.pb.h"

namespace heddle::compat::ipc {
namespace {

hc::RpcRequestHeaderProto out_of_band_header(std::int32_t call_id, std::string_view client_id) {
  hc::RpcRequestHeaderProto header;
  header.set_rpckind(hc::RPC_PROTOCOL_BUFFER);
  header.set_rpcop(hc::RpcRequestHeaderProto::RPC_FINAL_PACKET);
  header.set_callid(call_id);
  header.set_clientid(client_id.data(), client_id.size());
  header.set_retrycount(kNoRetryCount);
  return header;
}

CallFailure unavailable(std::string message) {
  return {{ErrorCode::kUnavailable, std::move(message)}, std::nullopt};
}

std::string random_cnonce() {
  return security::DigestMd5Server::random_nonce();
}

}  // namespace

class ClientConnection::Wire final : public net::ConnectionHandler {
 public:
  explicit Wire(std::weak_ptr<ClientConnection> owner) : owner_(std::move(owner)) {}
  void on_bytes(std::string_view bytes) override {
    if (const auto owner = owner_.lock()) owner->on_bytes(bytes);
  }
  void on_closed(std::string_view reason) override {
    if (const auto owner = owner_.lock()) owner->close(std::string(reason));
  }

 private:
  std::weak_ptr<ClientConnection> owner_;
};

ClientConnection::ClientConnection(net::EventLoop& loop, const ClientOptions& options,
                                   std::string client_id, Destination destination,
                                   std::function<void()> on_gone)
    : loop_(loop),
      options_(options),
      client_id_(std::move(client_id)),
      destination_(std::move(destination)),
      on_gone_(std::move(on_gone)),
      reader_(options.response_max) {}

std::string ClientConnection::name() const {
  return fmt::format("{}:{}", shortened(destination_.host), destination_.port);
}

bool ClientConnection::submit(OutgoingCall& call) {
  if (state_ == State::kGone) return false;
  idle_timer_ = {};
  Waiting waiting;
  waiting.done = std::move(call.done);
  waiting.timeout = loop_.run_after(options_.call_timeout,
                                    [weak = weak_from_this(), id = call.id, heard = bytes_heard_] {
                                      if (const auto self = weak.lock())
                                        self->call_timed_out(id, heard);
                                    });
  waiting_.insert_or_assign(call.id, std::move(waiting));
  if (state_ == State::kReady) {
    wire_->send(std::move(call.frame));
    if (waiting_.size() == 1) arm_ping();
  } else {
    unsent_ += call.frame;
    if (state_ == State::kNew) open();
  }
  return true;
}

// ---- opening and logging in

void ClientConnection::open() {
  state_ = State::kConnecting;
  net::connect(
      loop_, destination_.host, destination_.port, options_.connect_timeout,
      [weak = weak_from_this()](const std::shared_ptr<net::Connection>&) {
        return std::make_unique<Wire>(weak);
      },
      [self = shared_from_this()](auto connection) { self->connected(std::move(connection)); });
}

void ClientConnection::connected(Result<std::shared_ptr<net::Connection>> connection) {
  if (state_ == State::kGone) {
    if (connection) (*connection)->close("not needed any more");
    return;
  }
  if (!connection) {
    close(connection.error().message);
    return;
  }
  wire_ = *std::move(connection);
  begin_login();
}

void ClientConnection::begin_login() {
  std::string header(kMagic);
  header += static_cast<char>(kVersion);
  header += '\0';  // service class
  header += destination_.login.token ? kAuthSasl : kAuthNone;
  wire_->send(std::move(header));
  if (!destination_.login.token) {
    send_context(true);
    return;
  }
  state_ = State::kNegotiating;
  hc::RpcSaslProto message;
  message.set_state(hc::RpcSaslProto::NEGOTIATE);
  send_sasl(message);
}

void ClientConnection::send_context(bool with_user) {
  hc::IpcConnectionContextProto context;
  auto* user = context.mutable_userinfo();
  if (with_user) user->set_effectiveuser(destination_.login.user);
  context.set_protocol(destination_.protocol);
  wire_->send(encode_frame(out_of_band_header(kContextCallId, client_id_), &context));
  state_ = State::kReady;
  if (!unsent_.empty()) wire_->send(std::exchange(unsent_, {}));
  if (waiting_.empty()) {
    arm_idle();
  } else {
    arm_ping();
  }
}

void ClientConnection::send_sasl(const hc::RpcSaslProto& message) {
  wire_->send(encode_frame(out_of_band_header(kSaslCallId, ""), &message));
}

void ClientConnection::process_sasl(std::string_view rest) {
  hc::RpcSaslProto message;
  if (state_ != State::kNegotiating || !take_message(rest, message)) {
    close("an unexpected or broken SASL message");
    return;
  }
  switch (message.state()) {
    case hc::RpcSaslProto::NEGOTIATE: answer_offer(message); return;
    case hc::RpcSaslProto::SUCCESS:
      if (!digest_) {
        continue_as_simple();
      } else if (auto verified = digest_->verify(message.token()); !verified) {
        close(verified.error().message);
      } else {
        send_context(false);
      }
      return;
    default:
      close(fmt::format("an unexpected SASL state {}",
                        hc::RpcSaslProto::SaslState_Name(message.state())));
  }
}

void ClientConnection::answer_offer(const hc::RpcSaslProto& offer) {
  if (digest_) {
    close("SASL NEGOTIATE came twice");
    return;
  }
  for (const auto& auth : offer.auths()) {
    hc::RpcSaslProto reply;
    reply.set_state(hc::RpcSaslProto::INITIATE);
    *reply.add_auths() = auth;
    reply.mutable_auths(0)->clear_challenge();
    if (auth.method() == "TOKEN" && auth.mechanism() == "DIGEST-MD5") {
      const security::Token& token = *destination_.login.token;
      digest_.emplace(token.identifier, token.password, random_cnonce());
      auto response = digest_->respond(auth.challenge());
      if (!response) {
        close(response.error().message);
        return;
      }
      reply.set_token(*std::move(response));
      send_sasl(reply);
      return;
    }
    if (auth.method() == "SIMPLE" && !destination_.login.user.empty()) {
      send_sasl(reply);
      send_context(true);
      return;
    }
  }
  close("the server offers no way to log in that this client has");
}

void ClientConnection::continue_as_simple() {
  if (destination_.login.user.empty()) {
    close("the server does not take the token, and there is no user name to go on with");
    return;
  }
  send_context(true);
}

// ---- answers

void ClientConnection::on_bytes(std::string_view bytes) {
  const auto keep = shared_from_this();
  bytes_heard_ += bytes.size();
  while (state_ != State::kGone) {
    const FrameReader::Event event = reader_.next(bytes);
    if (event == FrameReader::Event::kNeedMore) return;
    if (event == FrameReader::Event::kBadLength) {
      close(fmt::format("a response of {} bytes; the limit is {} (ipc.maximum.response.length)",
                        reader_.length(), options_.response_max));
      return;
    }
    process_frame(reader_.frame());
  }
}

void ClientConnection::process_frame(std::string_view frame) {
  hc::RpcResponseHeaderProto header;
  if (!take_message(frame, header)) {
    close("a response header does not parse");
    return;
  }
  if (!header.clientid().empty() && header.clientid() != client_id_) {
    close("a response for another client");
    return;
  }
  const auto id = static_cast<std::int32_t>(header.callid());
  if (header.status() == hc::RpcResponseHeaderProto::FATAL) {
    CallFailure failure = unavailable(fmt::format("{} refused the connection: {}: {}", name(),
                                                  shortened(header.exceptionclassname()),
                                                  shortened(header.errormsg(), 400)));
    failure.remote = RemoteException{header.exceptionclassname(), header.errormsg(), true};
    fail_all(failure);
  } else if (id == kSaslCallId) {
    process_sasl(frame);
  } else {
    process_answer(header, frame);
  }
}

void ClientConnection::process_answer(const hc::RpcResponseHeaderProto& header,
                                      std::string_view rest) {
  const auto id = static_cast<std::int32_t>(header.callid());
  if (header.status() == hc::RpcResponseHeaderProto::ERROR) {
    CallFailure failure = unavailable(fmt::format("{} answered {}: {}", name(),
                                                  shortened(header.exceptionclassname()),
                                                  shortened(header.errormsg(), 400)));
    failure.error.code = ErrorCode::kInternal;
    failure.remote = RemoteException{header.exceptionclassname(), header.errormsg(), false};
    finish_call(id, tl::unexpected(std::move(failure)));
    return;
  }
  const auto body = take_delimited(rest);
  if (!body || !rest.empty()) {
    close("the length of a response does not match its content");
    return;
  }
  finish_call(id, std::string(*body));
}

void ClientConnection::finish_call(std::int32_t id, tl::expected<std::string, CallFailure> result) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;  // timed out before
  const auto keep = shared_from_this();
  Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  if (waiting_.empty() && state_ == State::kReady) arm_idle();
  waiting.done(std::move(result));
}

// ---- ends

/// A peer that has been silent since the call went out is taken for dead: the kernel may need a
/// quarter of an hour to notice, and each further call would wait its timeout. One that is slow
/// with this call alone keeps its connection.
void ClientConnection::call_timed_out(std::int32_t id, std::uint64_t heard_before) {
  const CallFailure failure =
      unavailable(fmt::format("no answer from {} within the call timeout", name()));
  if (state_ != State::kReady || bytes_heard_ == heard_before) {
    fail_all(failure);
  } else {
    finish_call(id, tl::unexpected(failure));
  }
}

void ClientConnection::close(const std::string& reason) {
  fail_all(unavailable(fmt::format("connection to {}: {}", name(), reason)));
}

void ClientConnection::fail_all(CallFailure failure) {
  if (state_ == State::kGone) return;
  const auto keep = shared_from_this();
  failure.never_sent = state_ != State::kReady;
  state_ = State::kGone;
  idle_timer_ = {};
  ping_timer_ = {};
  unsent_ = {};
  if (wire_ != nullptr) wire_->close("done");
  wire_ = nullptr;
  if (const auto on_gone = std::exchange(on_gone_, nullptr)) on_gone();
  const auto calls = std::exchange(waiting_, {});
  for (const auto& [id, waiting] : calls)
    waiting.done(tl::unexpected(failure));
}

void ClientConnection::arm_idle() {
  ping_timer_ = {};
  idle_timer_ = loop_.run_after(options_.idle_timeout, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->close("idle");
  });
}

void ClientConnection::arm_ping() {
  ping_timer_ =
      loop_.run_after(options_.ping_interval, [weak = weak_from_this(), heard = bytes_heard_] {
        const auto self = weak.lock();
        if (!self || self->state_ != State::kReady) return;
        if (self->bytes_heard_ == heard) {
          self->wire_->send(encode_frame(out_of_band_header(kPingCallId, self->client_id_)));
        }
        self->arm_ping();
      });
}

}  // namespace heddle::compat::ipc
