#include "tools/load/channel.h"

#include <fmt/core.h>

#include <utility>

#include "base/bytes.h"
#include "base/text.h"
#include "compat/proto/IpcConnectionContext.pb.h"
#include "security/secret.h"

namespace heddle::load {
namespace {

namespace ipc = compat::ipc;

constexpr std::size_t kClientIdSize = 16;
constexpr std::uint32_t kAnswerMax = 128_MiB;
constexpr auto kConnectTimeout = std::chrono::seconds(60);
constexpr std::size_t kPendingAtFirst = 8;

void fill_header(hc::RpcRequestHeaderProto& header, std::int32_t call_id,
                 const std::string& client_id, std::int32_t retry_count) {
  header.set_rpckind(hc::RPC_PROTOCOL_BUFFER);
  header.set_rpcop(hc::RpcRequestHeaderProto::RPC_FINAL_PACKET);
  header.set_callid(call_id);
  header.set_clientid(client_id);
  header.set_retrycount(retry_count);
}

}  // namespace

class Channel::Wire final : public net::ConnectionHandler {
 public:
  explicit Wire(std::weak_ptr<Channel> owner) : owner_(std::move(owner)) {}
  void on_bytes(std::string_view bytes) override {
    if (const auto owner = owner_.lock()) owner->on_bytes(bytes);
  }
  void on_closed(std::string_view reason) override {
    if (const auto owner = owner_.lock()) owner->end(std::string(reason));
  }

 private:
  std::weak_ptr<Channel> owner_;
};

Channel::Channel(net::EventLoop& loop, Options options,
                 std::function<void(const std::string&)> broken)
    : loop_(loop),
      options_(std::move(options)),
      client_id_(security::random_secret(kClientIdSize).reveal_bytes()),
      broken_(std::move(broken)),
      reader_(kAnswerMax),
      pending_(kPendingAtFirst) {
  request_header_.set_declaringclassprotocolname(options_.protocol);
  request_header_.set_clientprotocolversion(1);
}

// ---- opening and logging in

void Channel::open(std::function<void(Result<void>)> ready) {
  ready_ = std::move(ready);
  net::connect(
      loop_, options_.server.host, options_.server.port, kConnectTimeout,
      [weak = weak_from_this()](const std::shared_ptr<net::Connection>&) {
        return std::make_unique<Wire>(weak);
      },
      [self = shared_from_this()](auto connection) { self->connected(std::move(connection)); });
}

void Channel::connected(Result<std::shared_ptr<net::Connection>> connection) {
  if (!connection) return end(connection.error().message);
  wire_ = *std::move(connection);
  std::string header(ipc::kMagic);
  header += static_cast<char>(ipc::kVersion);
  header += '\0';  // service class
  header += options_.token ? ipc::kAuthSasl : ipc::kAuthNone;
  wire_->send(std::move(header));
  if (!options_.token) return send_context();
  state_ = State::kNegotiating;
  hc::RpcSaslProto message;
  message.set_state(hc::RpcSaslProto::NEGOTIATE);
  send_out_of_band(ipc::kSaslCallId, message);
}

void Channel::send_out_of_band(std::int32_t call_id, const google::protobuf::MessageLite& message) {
  const bool sasl = call_id == ipc::kSaslCallId;
  fill_header(header_, call_id, sasl ? std::string() : client_id_, ipc::kNoRetryCount);
  wire_->send(ipc::encode_frame(header_, &message));
}

void Channel::send_context() {
  hc::IpcConnectionContextProto context;
  auto* user = context.mutable_userinfo();
  if (!options_.token) user->set_effectiveuser(options_.user);
  context.set_protocol(options_.protocol);
  send_out_of_band(ipc::kContextCallId, context);
  state_ = State::kReady;
  if (auto ready = std::exchange(ready_, nullptr)) ready({});
}

void Channel::process_sasl(std::string_view rest) {
  hc::RpcSaslProto message;
  if (state_ != State::kNegotiating || !ipc::take_message(rest, message)) {
    return end("an unexpected or broken SASL message");
  }
  if (message.state() == hc::RpcSaslProto::NEGOTIATE && !digest_) return answer_offer(message);
  if (message.state() != hc::RpcSaslProto::SUCCESS || !digest_) {
    return end("the server does not take the token");
  }
  if (auto verified = digest_->verify(message.token()); !verified) {
    return end(verified.error().message);
  }
  send_context();
}

void Channel::answer_offer(const hc::RpcSaslProto& offer) {
  for (const auto& auth : offer.auths()) {
    if (auth.method() != "TOKEN" || auth.mechanism() != "DIGEST-MD5") continue;
    hc::RpcSaslProto reply;
    reply.set_state(hc::RpcSaslProto::INITIATE);
    *reply.add_auths() = auth;
    reply.mutable_auths(0)->clear_challenge();
    digest_.emplace(options_.token->identifier, options_.token->password,
                    security::DigestMd5Server::random_nonce());
    auto response = digest_->respond(auth.challenge());
    if (!response) return end(response.error().message);
    reply.set_token(*std::move(response));
    return send_out_of_band(ipc::kSaslCallId, reply);
  }
  end("the server offers no login by token");
}

// ---- calls

/// Ids go up for ever, as those of real clients do.
std::int32_t Channel::take_id(std::uint32_t tag, Caller& caller) {
  const std::int32_t id = next_id_;
  next_id_ = next_id_ == INT32_MAX ? 0 : next_id_ + 1;
  while (true) {
    Pending& place = pending_[static_cast<std::size_t>(id) & (pending_.size() - 1)];
    if (place.id < 0) {
      place = {id, tag, &caller};
      return id;
    }
    std::vector<Pending> larger(pending_.size() * 2);
    for (const Pending& old : pending_) {
      if (old.id >= 0) larger[static_cast<std::size_t>(old.id) & (larger.size() - 1)] = old;
    }
    pending_ = std::move(larger);
  }
}

void Channel::call(const char* method, const google::protobuf::MessageLite& request, Caller& caller,
                   std::uint32_t tag) {
  const std::int32_t id = take_id(tag, caller);
  if (state_ != State::kReady) return;  // broken: the measurement ends anyway
  fill_header(header_, id, client_id_, 0);
  request_header_.set_methodname(method);
  wire_->send(ipc::encode_frame(header_, &request_header_, &request));
}

void Channel::on_bytes(std::string_view bytes) {
  const auto keep = shared_from_this();
  while (state_ != State::kClosed) {
    const auto event = reader_.next(bytes);
    if (event == ipc::FrameReader::Event::kNeedMore) return;
    if (event == ipc::FrameReader::Event::kBadLength) return end("an answer of impossible length");
    process_frame(reader_.frame());
  }
}

void Channel::process_frame(std::string_view frame) {
  if (!ipc::take_message(frame, response_)) return end("an answer's header does not parse");
  const auto id = static_cast<std::int32_t>(response_.callid());
  if (response_.status() == hc::RpcResponseHeaderProto::FATAL) {
    return end(fmt::format("refused: {}: {}", response_.exceptionclassname(),
                           shortened(response_.errormsg(), 400)));
  }
  if (id == ipc::kSaslCallId) return process_sasl(frame);
  if (response_.status() == hc::RpcResponseHeaderProto::ERROR) {
    return finish(id, {false,
                       {},
                       fmt::format("{}: {}", response_.exceptionclassname(),
                                   shortened(response_.errormsg(), 400))});
  }
  const auto body = ipc::take_delimited(frame);
  if (!body) return end("an answer's length does not fit its content");
  finish(id, {true, *body, {}});
}

void Channel::finish(std::int32_t id, const Answer& answer) {
  Pending& place = pending_[static_cast<std::size_t>(id) & (pending_.size() - 1)];
  if (id < 0 || place.id != id) return end(fmt::format("an answer to call {}, never made", id));
  const Pending pending = std::exchange(place, {});
  pending.caller->answered(pending.tag, answer);
}

// ---- ends

void Channel::end(const std::string& why) {
  if (std::exchange(state_, State::kClosed) == State::kClosed) return;
  if (wire_ != nullptr) wire_->close("done");
  const std::string what =
      fmt::format("{}:{}: {}", options_.server.host, options_.server.port, why);
  if (auto ready = std::exchange(ready_, nullptr)) {
    ready(fail(ErrorCode::kUnavailable, what));
  } else if (auto broken = std::exchange(broken_, nullptr)) {
    broken(what);
  }
}

void Channel::close() {
  broken_ = nullptr;
  ready_ = nullptr;
  end("closed");
}

}  // namespace heddle::load
