// The SASL mechanism DIGEST-MD5 (RFC 2831) as Hadoop uses it for tokens: the user name is the
// base64 of the token identifier, the password the base64 of the token password, the realm
// "default", the digest-uri "/default", qop auth. Source: wire facts "ipc" section 4.1.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "security/secret.h"

namespace heddle::security {

/// Server side of one negotiation. Not shared between threads.
class DigestMd5Server {
 public:
  /// The token password that belongs to an identifier, or why there is none.
  using PasswordLookup = std::function<Result<Secret>(std::string_view identifier)>;

  explicit DigestMd5Server(
      std::string nonce);  // 40 base64 characters; random_nonce() outside tests
  static std::string random_nonce();

  /// The first message, sent along with the list of mechanisms.
  std::string challenge() const;
  /// Checks the client's response. On success: the identifier that proved itself and the rspauth
  /// message to send back. kUnauthenticated with subject kToken: the lookup refused; without: the
  /// digest is wrong or the response is malformed.
  struct Success {
    std::string identifier;
    std::string rspauth;
  };
  Result<Success> evaluate(std::string_view response, const PasswordLookup& lookup) const;

 private:
  std::string nonce_;
};

/// Client side.
class DigestMd5Client {
 public:
  DigestMd5Client(std::string identifier, Secret password, std::string cnonce);

  /// The answer to a challenge. kUnauthenticated: a challenge this client cannot use.
  Result<std::string> respond(std::string_view challenge);
  /// Checks the server's proof.
  Result<void> verify(std::string_view rspauth) const;

 private:
  std::string identifier_;
  Secret password_;
  std::string cnonce_;
  std::string expected_rspauth_;
};

}  // namespace heddle::security
