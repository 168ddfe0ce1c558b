// Who makes a request. Made by a front end from the authenticated connection, never from the
// request itself.
#pragma once

#include <optional>
#include <string>

#include "base/ids.h"

namespace heddle::security {

enum class AuthMethod : std::uint8_t { kSimple, kToken, kKerberos };

struct Caller {
  std::string user;       // short name; the effective user. "" = the client named none
  std::string real_user;  // who acts on behalf of `user`; "" = nobody
  AuthMethod method = AuthMethod::kSimple;
  std::string address;  // numeric address of the peer
  /// The authenticated attempt of an AMRM or NM token.
  std::optional<AttemptId> attempt;
};

}  // namespace heddle::security
