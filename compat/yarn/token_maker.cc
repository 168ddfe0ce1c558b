#include "compat/yarn/token_maker.h"

#include <fmt/core.h>

#include "compat/records/ids.h"
#include "compat/records/resources.h"
#include "compat/records/tokens.h"
#include "compat/yarn/states.h"

namespace heddle::compat::yarn {

security::Token TokenMaker::amrm(const AttemptId& attempt) const {
  const security::TokenKeys& keys = context_->door.keys.amrm;
  const auto next = keys.next();
  const security::MasterKey key = next ? *next : keys.current();
  return sign(kAmrmTokenKind, encode(AmrmIdentifier{attempt, key.id}), key, "");
}

security::Token TokenMaker::nm(const AttemptId& attempt, const NodeId& node,
                               const std::string& user) const {
  const security::MasterKey key = context_->door.keys.nm.current();
  return sign(kNmTokenKind, encode(NmIdentifier{attempt, node, user, key.id}), key,
              service_of(node));
}

security::Token TokenMaker::container(const rm::GrantedContainer& grant) const {
  const security::MasterKey key = context_->door.keys.container.current();
  ContainerIdentifier identifier;
  identifier.container = grant.id;
  identifier.node_address = to_string(grant.node);
  identifier.user = grant.user;
  identifier.resources = grant.resources;
  identifier.expiry = grant.token_expiry;
  identifier.key_id = key.id;
  identifier.rm_identifier = context_->door.reports.info().started_ms;
  identifier.priority = grant.priority;
  identifier.created = grant.created;
  if (grant.log_aggregation_context) {
    identifier.log_aggregation_context = *grant.log_aggregation_context;
  }
  identifier.is_master = grant.is_master;
  identifier.version = grant.version;
  identifier.opportunistic = grant.execution_type == rm::ExecutionType::kOpportunistic;
  identifier.allocation_request_id = grant.allocation_request_id;
  if (grant.allocation_tags) identifier.allocation_tags = *grant.allocation_tags;
  return sign(kContainerTokenKind, encode(identifier, context_->types()), key,
              service_of(grant.node));
}

void TokenMaker::to_wire(const rm::GrantedContainer& grant, pb::ContainerProto* wire) const {
  compat::to_wire(grant.id, wire->mutable_id());
  compat::to_wire(grant.node, wire->mutable_nodeid());
  wire->set_node_http_address(grant.node_http_address);
  compat::to_wire(grant.resources, context_->types(), wire->mutable_resource());
  wire->mutable_priority()->set_priority(grant.priority);
  compat::to_wire(container(grant), wire->mutable_container_token());
  wire->set_execution_type(yarn::to_wire(grant.execution_type));
  wire->set_allocation_request_id(grant.allocation_request_id);
  if (grant.version != 0) wire->set_version(grant.version);
  if (!grant.allocation_tags) return;
  for (const std::string& tag : *grant.allocation_tags)
    wire->add_allocation_tags(tag);
}

void TokenMaker::nm_token_to_wire(const AttemptId& attempt, const NodeId& node,
                                  const std::string& user, pb::NMTokenProto* wire) const {
  compat::to_wire(node, wire->mutable_nodeid());
  compat::to_wire(nm(attempt, node, user), wire->mutable_token());
}

std::string TokenMaker::service_of(const NodeId& node) const {
  if (!context_->options.use_ip) return to_string(node);
  const auto address = context_->hosts.known(node.host);
  if (!address) return to_string(node);
  return fmt::format("{}:{}", *address, node.port);
}

Result<ipc::TokenLogin> master_login(const rm::Door& door, std::string_view identifier) {
  const auto decoded = decode_amrm_identifier(identifier);
  if (!decoded) return fail(decoded.error());
  if (!door.reports.attempt_may_log_in(decoded->attempt)) {
    return fail(ErrorCode::kUnauthenticated,
                to_string(decoded->attempt) + " not found in AMRMTokenSecretManager.",
                ErrorSubject::kToken);
  }
  const auto key = door.keys.amrm.find(decoded->key_id);
  if (!key) {
    return fail(ErrorCode::kUnauthenticated,
                fmt::format("Invalid AMRMToken from {}: key {} is not known (older than the last "
                            "two, or of another cluster)",
                            to_string(decoded->attempt), decoded->key_id),
                ErrorSubject::kToken);
  }
  ipc::TokenLogin login;
  login.password = security::Secret(security::token_password(*key, identifier));
  login.caller.user = to_string(decoded->attempt);
  login.caller.method = security::AuthMethod::kToken;
  login.caller.attempt = decoded->attempt;
  return login;
}

}  // namespace heddle::compat::yarn
