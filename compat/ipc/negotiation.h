// The server side of SASL on one connection: messages in, replies out. Pure but for the token
// lookup. Source: wire facts "ipc" section 4.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "compat/ipc/server.h"
#include "compat/ipc/wire.h"
#include "security/caller.h"
#include "security/digest_md5.h"

namespace heddle::compat::ipc {

/// Why a login ends the connection.
struct Refusal {
  const char* class_name;
  std::string message;
  hc::RpcResponseHeaderProto::RpcErrorCodeProto detail;
};

/// One way to log in with SASL: tokens today. Another mechanism adds an implementation.
class Mechanism {
 public:
  struct Step {
    std::string reply;
    bool done = false;
  };
  virtual ~Mechanism() = default;
  /// Method, mechanism, protocol and server id as the server offers them, without challenge.
  virtual hc::RpcSaslProto_SaslAuth offer() const = 0;
  /// Sent along with the offer; nothing for mechanisms where the client begins.
  virtual std::optional<std::string> initial_challenge() const = 0;
  virtual tl::expected<Step, Refusal> step(std::string_view token) = 0;
  /// After a step with done.
  virtual security::Caller caller() const = 0;
};

class Negotiation {
 public:
  struct Rules {
    bool simple_allowed = true;
    std::function<Result<TokenLogin>(std::string_view)> token_login;  // empty: no tokens
    std::function<std::string()> nonce = security::DigestMd5Server::random_nonce;
  };
  enum class Login { kNone, kSimple, kProven };

  explicit Negotiation(const Rules& rules);

  /// The answer to one SASL message; nothing: no answer is due.
  tl::expected<std::optional<hc::RpcSaslProto>, Refusal> handle(const hc::RpcSaslProto& message);

  Login login() const { return login_; }
  bool done() const { return login_ != Login::kNone; }
  /// Who logged in, when login() is kProven.
  const security::Caller& caller() const { return caller_; }

  /// "[TOKEN, SIMPLE]": what a client may use here.
  static std::string offered_text(const Rules& rules);

 private:
  using Reply = tl::expected<std::optional<hc::RpcSaslProto>, Refusal>;
  Reply offer();
  Reply initiate(const hc::RpcSaslProto& message);
  Reply step(std::string_view token);
  tl::unexpected<Refusal> refuse(const char* class_name, std::string message) const;

  const bool simple_allowed_;
  const std::string offered_;
  std::unique_ptr<Mechanism> token_;  // null: not offered
  Mechanism* chosen_ = nullptr;
  bool offer_sent_ = false;
  Login login_ = Login::kNone;
  security::Caller caller_;
};

}  // namespace heddle::compat::ipc
