#include "compat/ipc/negotiation.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"

namespace heddle::compat::ipc {
namespace {

constexpr std::size_t kTokenMax = 64_KiB;
constexpr auto kUnauthorized = hc::RpcResponseHeaderProto::FATAL_UNAUTHORIZED;

hc::RpcSaslProto_SaslAuth simple_offer() {
  hc::RpcSaslProto_SaslAuth auth;
  auth.set_method("SIMPLE");
  auth.set_mechanism("");
  return auth;
}

bool same_auth(const hc::RpcSaslProto_SaslAuth& a, const hc::RpcSaslProto_SaslAuth& b) {
  return a.method() == b.method() && a.mechanism() == b.mechanism() &&
         a.has_protocol() == b.has_protocol() && a.protocol() == b.protocol() &&
         a.has_serverid() == b.has_serverid() && a.serverid() == b.serverid() && !a.has_challenge();
}

hc::RpcSaslProto message_of(hc::RpcSaslProto::SaslState state) {
  hc::RpcSaslProto message;
  message.set_state(state);
  return message;
}

class TokenMechanism final : public Mechanism {
 public:
  TokenMechanism(std::function<Result<TokenLogin>(std::string_view)> login, std::string nonce)
      : login_(std::move(login)), digest_(std::move(nonce)) {}

  hc::RpcSaslProto_SaslAuth offer() const override {
    hc::RpcSaslProto_SaslAuth auth;
    auth.set_method("TOKEN");
    auth.set_mechanism("DIGEST-MD5");
    auth.set_protocol("");
    auth.set_serverid("default");
    return auth;
  }

  std::optional<std::string> initial_challenge() const override { return digest_.challenge(); }

  tl::expected<Step, Refusal> step(std::string_view token) override {
    if (token.empty()) return Step{digest_.challenge(), false};
    auto success = digest_.evaluate(
        token, [this](std::string_view identifier) { return password_of(identifier); });
    if (!success) {
      const bool by_token = success.error().subject == ErrorSubject::kToken;
      return tl::unexpected(Refusal{by_token ? java::kInvalidToken : java::kSaslException,
                                    success.error().message, kUnauthorized});
    }
    return Step{success->rspauth, true};
  }

  security::Caller caller() const override { return caller_; }

 private:
  Result<security::Secret> password_of(std::string_view identifier) {
    auto login = login_(identifier);
    if (!login) return fail(std::move(login).error());
    caller_ = std::move(login->caller);
    return std::move(login->password);
  }

  const std::function<Result<TokenLogin>(std::string_view)> login_;
  const security::DigestMd5Server digest_;
  security::Caller caller_;
};

}  // namespace

Negotiation::Negotiation(const Rules& rules)
    : simple_allowed_(rules.simple_allowed), offered_(offered_text(rules)) {
  if (rules.token_login) {
    token_ = std::make_unique<TokenMechanism>(rules.token_login, rules.nonce());
  }
}

std::string Negotiation::offered_text(const Rules& rules) {
  std::vector<std::string> methods;
  if (rules.token_login) methods.emplace_back("TOKEN");
  if (rules.simple_allowed) methods.emplace_back("SIMPLE");
  return "[" + join(methods, ", ") + "]";
}

tl::unexpected<Refusal> Negotiation::refuse(const char* class_name, std::string message) const {
  return tl::unexpected(
      Refusal{class_name, std::move(message) + "; available: " + offered_, kUnauthorized});
}

Negotiation::Reply Negotiation::handle(const hc::RpcSaslProto& message) {
  if (done()) return refuse(java::kSaslException, "the SASL negotiation is already complete");
  if (message.token().size() > kTokenMax) {
    return refuse(java::kSaslException, fmt::format("a SASL token has {} bytes, the limit is {}",
                                                    message.token().size(), kTokenMax));
  }
  switch (message.state()) {
    case hc::RpcSaslProto::NEGOTIATE:
      if (offer_sent_) return refuse(java::kAccessControl, "SASL NEGOTIATE came twice");
      return offer();
    case hc::RpcSaslProto::INITIATE: return initiate(message);
    case hc::RpcSaslProto::RESPONSE:
      if (chosen_ == nullptr) {
        return refuse(java::kSaslException, "SASL RESPONSE came before a mechanism was chosen");
      }
      return step(message.token());
    case hc::RpcSaslProto::SUCCESS:
    case hc::RpcSaslProto::CHALLENGE:
    case hc::RpcSaslProto::WRAP: break;
  }
  return refuse(java::kSaslException,
                fmt::format("a client does not send SASL {} during the negotiation",
                            hc::RpcSaslProto::SaslState_Name(message.state())));
}

Negotiation::Reply Negotiation::offer() {
  offer_sent_ = true;
  if (token_ == nullptr) {
    login_ = Login::kSimple;
    return message_of(hc::RpcSaslProto::SUCCESS);
  }
  hc::RpcSaslProto reply = message_of(hc::RpcSaslProto::NEGOTIATE);
  auto* auth = reply.add_auths();
  *auth = token_->offer();
  if (auto challenge = token_->initial_challenge()) auth->set_challenge(*std::move(challenge));
  if (simple_allowed_) *reply.add_auths() = simple_offer();
  return reply;
}

Negotiation::Reply Negotiation::initiate(const hc::RpcSaslProto& message) {
  if (chosen_ != nullptr) return refuse(java::kSaslException, "SASL INITIATE came twice");
  if (message.auths_size() != 1) {
    return refuse(java::kSaslException,
                  fmt::format("SASL INITIATE names {} mechanisms, not one", message.auths_size()));
  }
  const auto& auth = message.auths(0);
  if (simple_allowed_ && same_auth(auth, simple_offer())) {
    login_ = Login::kSimple;
    return std::nullopt;
  }
  if (token_ != nullptr && same_auth(auth, token_->offer())) {
    chosen_ = token_.get();
    return step(message.token());
  }
  if (!offer_sent_) return offer();
  return refuse(java::kAccessControl,
                fmt::format("{} authentication is not enabled", shortened(auth.method(), 40)));
}

Negotiation::Reply Negotiation::step(std::string_view token) {
  auto stepped = chosen_->step(token);
  if (!stepped) return tl::unexpected(std::move(stepped).error());
  hc::RpcSaslProto reply =
      message_of(stepped->done ? hc::RpcSaslProto::SUCCESS : hc::RpcSaslProto::CHALLENGE);
  reply.set_token(std::move(stepped->reply));
  if (stepped->done) {
    login_ = Login::kProven;
    caller_ = chosen_->caller();
  }
  return reply;
}

}  // namespace heddle::compat::ipc
