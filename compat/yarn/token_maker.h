// Tokens that the ResourceManager hands out. Source: wire facts "tokens" sections 4 to 8. Any
// thread.
#pragma once

#include <optional>
#include <string>

#include "compat/proto/yarn_protos.pb.h"
#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/pb.h"
#include "compat/yarn/context.h"
#include "rm/api/commands.h"
#include "security/token.h"

namespace heddle::compat::yarn {

class TokenMaker {
 public:
  explicit TokenMaker(ContextPtr context) : context_(std::move(context)) {}

  /// Signed with the next key while a roll is under way; its service is empty.
  security::Token amrm(const AttemptId& attempt) const;
  security::Token nm(const AttemptId& attempt, const NodeId& node, const std::string& user) const;
  security::Token container(const rm::GrantedContainer& grant) const;

  /// The grant as an AM sees it, with its token.
  void to_wire(const rm::GrantedContainer& grant, pb::ContainerProto* wire) const;
  void nm_token_to_wire(const AttemptId& attempt, const NodeId& node, const std::string& user,
                        pb::NMTokenProto* wire) const;

  /// "ip:port", or "host:port" where use_ip is off or the address is not known.
  std::string service_of(const NodeId& node) const;

 private:
  ContextPtr context_;
};

/// Logs ApplicationMasters in: the token's attempt must be running and its key known.
Result<ipc::TokenLogin> master_login(const rm::Door& door, std::string_view identifier);

}  // namespace heddle::compat::yarn
