#include "compat/nm/requests.h"

#include <fmt/core.h>

#include "base/text.h"
#include "compat/records/launch_context.h"
#include "compat/records/urls.h"

namespace heddle::compat::node {
namespace {

constexpr int kErrorCodesMax = 10'000;

Result<door::LocalResource> local_resource_from_wire(const std::string& link,
                                                     const pb::LocalResourceProto& wire) {
  const auto refuse = [&link](std::string_view why) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("local resource '{}' {}", shortened(link), why));
  };
  auto url = url_from_wire(wire.resource());
  if (!url) return fail(std::move(url).error().within(shortened(link)));
  door::LocalResource out;
  out.url = *std::move(url);
  if (!wire.has_type()) return refuse("has no type; FILE, ARCHIVE or PATTERN is needed");
  if (wire.size() < -1) return refuse("has a negative size");
  out.size = wire.has_size() ? wire.size() : -1;
  out.timestamp_ms = wire.timestamp();
  switch (wire.type()) {
    case pb::ARCHIVE: out.type = door::ResourceType::kArchive; break;
    case pb::FILE: out.type = door::ResourceType::kFile; break;
    case pb::PATTERN: out.type = door::ResourceType::kPattern; break;
  }
  if (out.type == door::ResourceType::kPattern && wire.pattern().empty()) {
    return refuse("is of type PATTERN and has no pattern");
  }
  out.pattern = wire.pattern();
  out.visibility = door::Visibility::kApplication;
  if (wire.has_visibility() && wire.visibility() == pb::PUBLIC) {
    out.visibility = door::Visibility::kPublic;
  }
  if (wire.has_visibility() && wire.visibility() == pb::PRIVATE) {
    out.visibility = door::Visibility::kPrivate;
  }
  return out;
}

Result<door::Retry> retry_from_wire(const pb::ContainerRetryContextProto& wire) {
  if (wire.error_codes_size() > kErrorCodesMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("retry context: {} error codes, the limit is {}",
                            wire.error_codes_size(), kErrorCodesMax));
  }
  door::Retry out;
  switch (wire.retry_policy()) {
    case pb::NEVER_RETRY: out.policy = door::RetryPolicy::kNever; break;
    case pb::RETRY_ON_ALL_ERRORS: out.policy = door::RetryPolicy::kOnAllErrors; break;
    case pb::RETRY_ON_SPECIFIC_ERROR_CODES:
      out.policy = door::RetryPolicy::kOnSpecificErrors;
      break;
  }
  out.error_codes.assign(wire.error_codes().begin(), wire.error_codes().end());
  out.retries_max = wire.max_retries();
  out.interval_ms = wire.retry_interval() < 0 ? 0 : wire.retry_interval();
  out.failures_validity_ms = wire.failures_validity_interval();
  return out;
}

}  // namespace

Result<door::LaunchContext> launch_from_wire(const pb::ContainerLaunchContextProto& wire) {
  RETURN_IF_ERROR(check_launch_context(wire));
  door::LaunchContext out;
  for (const auto& entry : wire.localresources()) {
    auto resource = local_resource_from_wire(entry.key(), entry.value());
    if (!resource) return fail(std::move(resource).error());
    out.resources.insert_or_assign(entry.key(), *std::move(resource));
  }
  for (const auto& variable : wire.environment()) {
    out.environment.emplace_back(variable.key(), variable.value());
  }
  out.commands.assign(wire.command().begin(), wire.command().end());
  for (const auto& data : wire.service_data()) {
    out.service_data.insert_or_assign(data.key(), data.value());
  }
  out.credentials = wire.tokens();
  AppAcls acls = acls_from_wire(wire);
  out.view_acl = std::move(acls.view);
  out.modify_acl = std::move(acls.modify);
  auto retry = retry_from_wire(wire.container_retry_context());
  if (!retry) return fail(std::move(retry).error());
  out.retry = *std::move(retry);
  return out;
}

door::ContainerGrant grant_of(const ContainerIdentifier& identifier) {
  door::ContainerGrant out;
  out.id = identifier.container;
  out.node_address = identifier.node_address;
  out.user = identifier.user;
  out.resources = identifier.resources;
  out.expiry = identifier.expiry;
  out.created = identifier.created;
  out.rm_identifier = identifier.rm_identifier;
  out.priority = identifier.priority;
  out.is_master = identifier.is_master;
  out.opportunistic = identifier.opportunistic;
  out.version = identifier.version;
  pb::LogAggregationContextProto logs;
  if (!identifier.log_aggregation_context.empty() &&
      logs.ParseFromString(identifier.log_aggregation_context)) {
    if (logs.include_pattern() != ".*") out.log_include_pattern = logs.include_pattern();
    out.log_exclude_pattern = logs.exclude_pattern();
    out.log_policy_class = logs.log_aggregation_policy_class_name();
    out.log_policy_parameters = logs.log_aggregation_policy_parameters();
    // A missing one keeps nothing back, whatever the declared default says: Java asks for presence.
    if (logs.has_rolled_logs_include_pattern()) {
      out.log_rolled_include_pattern = logs.rolled_logs_include_pattern();
    }
    if (logs.has_rolled_logs_exclude_pattern()) {
      out.log_rolled_exclude_pattern = logs.rolled_logs_exclude_pattern();
    }
  }
  return out;
}

}  // namespace heddle::compat::node
