// Tokens, their identifiers and master keys between their wire form and ours. Source: wire facts
// "tokens" sections 4 to 6. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/resources.h"
#include "base/result.h"
#include "compat/proto/Security.pb.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/proto/yarn_security_token.pb.h"
#include "compat/proto/yarn_server_common_protos.pb.h"
#include "compat/records/pb.h"
#include "security/token.h"
#include "security/token_keys.h"

namespace heddle::compat {

inline constexpr std::string_view kAmrmTokenKind = "YARN_AM_RM_TOKEN";
inline constexpr std::string_view kNmTokenKind = "NMToken";
inline constexpr std::string_view kContainerTokenKind = "ContainerToken";

security::Token token_from_wire(const pbc::TokenProto& wire);
void to_wire(const security::Token& token, pbc::TokenProto* wire);

security::MasterKey master_key_from_wire(const pb::MasterKeyProto& wire);
void to_wire(const security::MasterKey& key, pb::MasterKeyProto* wire);

/// Who an ApplicationMaster is at its ResourceManager.
struct AmrmIdentifier {
  AttemptId attempt;
  std::int32_t key_id = 0;
};
std::string encode(const AmrmIdentifier& identifier);
/// kUnauthenticated (subject kToken) for bytes that are no such identifier; never quotes them.
Result<AmrmIdentifier> decode_amrm_identifier(std::string_view bytes);

/// Who an attempt is at one node.
struct NmIdentifier {
  AttemptId attempt;
  NodeId node;
  std::string user;
  std::int32_t key_id = 0;
};
std::string encode(const NmIdentifier& identifier);
Result<NmIdentifier> decode_nm_identifier(std::string_view bytes);

/// What a node is told about a container, signed by the ResourceManager.
struct ContainerIdentifier {
  ContainerId container;
  std::string node_address;  // host:port as the node registered
  std::string user;
  Resources resources;
  WallTime expiry;
  std::int32_t key_id = 0;
  std::int64_t rm_identifier = 0;
  std::int32_t priority = 0;
  WallTime created;
  std::string log_aggregation_context;  // LogAggregationContextProto bytes; "" = none
  bool is_master = false;
  bool opportunistic = false;
  std::int32_t version = 0;
  std::int64_t allocation_request_id = -1;
  std::vector<std::string> allocation_tags = {};
};
std::string encode(const ContainerIdentifier& identifier, const ResourceTypes& types);
/// Resource types that this daemon does not count are ignored.
Result<ContainerIdentifier> decode_container_identifier(std::string_view bytes,
                                                        const ResourceTypes& types);

/// A signed token.
security::Token sign(std::string_view kind, std::string identifier, const security::MasterKey& key,
                     std::string service);

}  // namespace heddle::compat
