#include "compat/records/tokens.h"

#include "base/bytes.h"
#include "compat/records/ids.h"
#include "compat/records/resources.h"

namespace heddle::compat {
namespace {

constexpr std::size_t kIdentifierMax = 64_KiB;

Failure no_identifier(std::string_view kind) {
  return fail(ErrorCode::kUnauthenticated,
              "the token is no " + std::string(kind) + ": its identifier does not parse",
              ErrorSubject::kToken);
}

template <class Message>
bool parse(std::string_view bytes, Message& message) {
  return bytes.size() <= kIdentifierMax &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

security::Token token_from_wire(const pbc::TokenProto& wire) {
  return {wire.identifier(), security::Secret(wire.password()), wire.kind(), wire.service()};
}

void to_wire(const security::Token& token, pbc::TokenProto* wire) {
  wire->set_identifier(token.identifier);
  wire->set_password(std::string(token.password.reveal_bytes()));
  wire->set_kind(token.kind);
  wire->set_service(token.service);
}

security::MasterKey master_key_from_wire(const pb::MasterKeyProto& wire) {
  return {wire.key_id(), security::Secret(wire.bytes())};
}

void to_wire(const security::MasterKey& key, pb::MasterKeyProto* wire) {
  wire->set_key_id(key.id);
  wire->set_bytes(std::string(key.bytes.reveal_bytes()));
}

std::string encode(const AmrmIdentifier& identifier) {
  pb::AMRMTokenIdentifierProto wire;
  to_wire(identifier.attempt, wire.mutable_appattemptid());
  wire.set_keyid(identifier.key_id);
  return wire.SerializeAsString();
}

Result<AmrmIdentifier> decode_amrm_identifier(std::string_view bytes) {
  pb::AMRMTokenIdentifierProto wire;
  if (!parse(bytes, wire)) return no_identifier(kAmrmTokenKind);
  const auto attempt = attempt_id_from_wire(wire.appattemptid());
  if (!attempt) return no_identifier(kAmrmTokenKind);
  return AmrmIdentifier{*attempt, wire.keyid()};
}

std::string encode(const NmIdentifier& identifier) {
  pb::NMTokenIdentifierProto wire;
  to_wire(identifier.attempt, wire.mutable_appattemptid());
  to_wire(identifier.node, wire.mutable_nodeid());
  wire.set_appsubmitter(identifier.user);
  wire.set_keyid(identifier.key_id);
  return wire.SerializeAsString();
}

Result<NmIdentifier> decode_nm_identifier(std::string_view bytes) {
  pb::NMTokenIdentifierProto wire;
  if (!parse(bytes, wire)) return no_identifier(kNmTokenKind);
  const auto attempt = attempt_id_from_wire(wire.appattemptid());
  const auto node = node_id_from_wire(wire.nodeid());
  if (!attempt || !node) return no_identifier(kNmTokenKind);
  return NmIdentifier{*attempt, *node, wire.appsubmitter(), wire.keyid()};
}

std::string encode(const ContainerIdentifier& identifier, const ResourceTypes& types) {
  pb::ContainerTokenIdentifierProto wire;
  to_wire(identifier.container, wire.mutable_containerid());
  wire.set_nmhostaddr(identifier.node_address);
  wire.set_appsubmitter(identifier.user);
  to_wire(identifier.resources, types, wire.mutable_resource());
  wire.set_expirytimestamp(identifier.expiry.ms);
  wire.set_masterkeyid(identifier.key_id);
  wire.set_rmidentifier(identifier.rm_identifier);
  wire.mutable_priority()->set_priority(identifier.priority);
  wire.set_creationtime(identifier.created.ms);
  if (!identifier.log_aggregation_context.empty()) {
    pb::LogAggregationContextProto context;
    if (context.ParseFromString(identifier.log_aggregation_context)) {
      *wire.mutable_logaggregationcontext() = std::move(context);
    }
  }
  wire.set_nodelabelexpression("");
  wire.set_containertype(identifier.is_master ? pb::APPLICATION_MASTER : pb::TASK);
  wire.set_executiontype(identifier.opportunistic ? pb::OPPORTUNISTIC : pb::GUARANTEED);
  wire.set_version(identifier.version);
  wire.set_allocation_request_id(identifier.allocation_request_id);
  for (const std::string& tag : identifier.allocation_tags)
    wire.add_allocation_tags(tag);
  return wire.SerializeAsString();
}

Result<ContainerIdentifier> decode_container_identifier(std::string_view bytes,
                                                        const ResourceTypes& types) {
  pb::ContainerTokenIdentifierProto wire;
  if (!parse(bytes, wire)) return no_identifier(kContainerTokenKind);
  auto container = container_id_from_wire(wire.containerid());
  auto resources = resources_from_wire(wire.resource(), types, UnknownTypes::kIgnore);
  if (!container || !resources) return no_identifier(kContainerTokenKind);
  ContainerIdentifier out;
  out.container = *container;
  out.node_address = wire.nmhostaddr();
  out.user = wire.appsubmitter();
  out.resources = *resources;
  out.expiry = {wire.expirytimestamp()};
  out.key_id = wire.masterkeyid();
  out.rm_identifier = wire.rmidentifier();
  out.priority = wire.priority().priority();
  out.created = {wire.creationtime()};
  if (wire.has_logaggregationcontext()) {
    out.log_aggregation_context = wire.logaggregationcontext().SerializeAsString();
  }
  out.is_master = wire.containertype() == pb::APPLICATION_MASTER;
  out.opportunistic = wire.executiontype() == pb::OPPORTUNISTIC;
  out.version = wire.version();
  out.allocation_request_id = wire.allocation_request_id();
  out.allocation_tags.assign(wire.allocation_tags().begin(), wire.allocation_tags().end());
  return out;
}

security::Token sign(std::string_view kind, std::string identifier, const security::MasterKey& key,
                     std::string service) {
  security::Token token;
  token.password = security::Secret(security::token_password(key, identifier));
  token.identifier = std::move(identifier);
  token.kind = kind;
  token.service = std::move(service);
  return token;
}

}  // namespace heddle::compat
