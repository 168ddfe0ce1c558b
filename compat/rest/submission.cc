#include "compat/rest/submission.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/records/launch_context.h"
#include "compat/records/submission_limits.h"
#include "rm/api/reservations.h"
#include "security/token.h"

namespace heddle::compat::rest {
namespace {

constexpr std::size_t kEntriesMax = 100'000;  // of any map; check_launch_context() asks for less
constexpr std::size_t kLogContextMax = 64_KiB;

Failure bad(const Body& at, std::string message) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("{}, at {}", message, at.where()));
}

// entry[] {key, value} of a map; Jersey's form.
Result<std::vector<std::pair<std::string, const Body*>>> entries(const Body* map,
                                                                 std::string_view what) {
  std::vector<std::pair<std::string, const Body*>> result;
  if (map == nullptr) return result;
  for (const Body* entry : map->all("entry")) {
    auto key = entry->text_of("key");
    if (!key) return fail(std::move(key).error());
    const Body* value = entry->find("value");
    if (key->empty() || value == nullptr) {
      return bad(*entry, fmt::format("an entry of {} needs a key and a value", what));
    }
    result.emplace_back(std::move(*key), value);
    if (result.size() > kEntriesMax) {
      return bad(*entry, fmt::format("{} has more than {} entries", what, kEntriesMax));
    }
  }
  return result;
}

Result<std::string> base64_value(const Body& value, std::string_view what) {
  auto bytes = base64_decode(trim(value.text));
  if (!bytes) return bad(value, fmt::format("{} is not base64", what));
  return std::move(*bytes);
}

// scheme://user@host:port/file
Result<void> set_url(hadoop::yarn::URLProto& url, const Body& where) {
  const std::string_view text = trim(where.text);
  const auto scheme = text.find(':');
  if (text.empty()) return bad(where, "a local resource needs a resource (its URL)");
  std::string_view rest = text;
  if (scheme != text.npos && scheme < text.find('/')) {
    url.set_scheme(std::string(text.substr(0, scheme)));
    rest.remove_prefix(scheme + 1);
  }
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    std::string_view authority = rest.substr(0, rest.find('/'));
    rest.remove_prefix(authority.size());
    if (const auto at = authority.rfind('@'); at != authority.npos) {
      url.set_userinfo(std::string(authority.substr(0, at)));
      authority.remove_prefix(at + 1);
    }
    const auto colon = authority.rfind(':');
    if (colon != authority.npos && authority.find(']', colon) == authority.npos) {
      const auto port = parse_int(authority.substr(colon + 1));
      if (!port || *port < 0 || *port > 65535) {
        return bad(where, fmt::format("'{}' has no valid port", shortened(text)));
      }
      url.set_port(static_cast<std::int32_t>(*port));
      authority = authority.substr(0, colon);
    }
    url.set_host(std::string(authority));
  }
  url.set_file(std::string(rest));
  return {};
}

Result<void> add_local_resources(const Body& spec, hadoop::yarn::ContainerLaunchContextProto& out) {
  auto resources = entries(spec.find("local-resources"), "local-resources");
  if (!resources) return fail(std::move(resources).error());
  for (const auto& [key, value] : *resources) {
    auto* added = out.add_localresources();
    added->set_key(key);
    auto* resource = added->mutable_value();
    const Body* url = value->find("resource");
    if (url == nullptr) return bad(*value, "a local resource needs a resource (its URL)");
    RETURN_IF_ERROR(set_url(*resource->mutable_resource(), *url));
    auto size = value->number_of("size", -1);
    auto timestamp = value->number_of("timestamp", 0);
    auto type = value->text_of("type", "FILE");
    auto visibility = value->text_of("visibility", "APPLICATION");
    auto pattern = value->text_of("pattern");
    if (!size) return fail(std::move(size).error());
    if (!timestamp) return fail(std::move(timestamp).error());
    if (!type) return fail(std::move(type).error());
    if (!visibility) return fail(std::move(visibility).error());
    if (!pattern) return fail(std::move(pattern).error());
    resource->set_size(*size);
    resource->set_timestamp(*timestamp);
    hadoop::yarn::LocalResourceTypeProto type_value{};
    if (!hadoop::yarn::LocalResourceTypeProto_Parse(to_upper(*type), &type_value)) {
      return bad(*value,
                 fmt::format("type '{}' is none of ARCHIVE, FILE, PATTERN", shortened(*type)));
    }
    resource->set_type(type_value);
    hadoop::yarn::LocalResourceVisibilityProto visibility_value{};
    if (!hadoop::yarn::LocalResourceVisibilityProto_Parse(to_upper(*visibility),
                                                          &visibility_value)) {
      return bad(*value, fmt::format("visibility '{}' is none of PUBLIC, PRIVATE, APPLICATION",
                                     shortened(*visibility)));
    }
    resource->set_visibility(visibility_value);
    if (!pattern->empty()) resource->set_pattern(*pattern);
  }
  return {};
}

// The messages never show a token.
Result<void> add_credentials(const Body& spec, hadoop::yarn::ContainerLaunchContextProto& out) {
  const Body* given = spec.find("credentials");
  if (given == nullptr) return {};
  security::Credentials credentials;
  auto tokens = entries(given->find("tokens"), "credentials.tokens");
  if (!tokens) return fail(std::move(tokens).error());
  for (const auto& [alias, value] : *tokens) {
    auto bytes = base64_value(*value, "a token");
    if (!bytes) return fail(std::move(bytes).error());
    auto token = security::decode_token(*bytes);
    if (!token) return bad(*value, "not the URL form of a token");
    credentials.tokens.insert_or_assign(alias, std::move(*token));
  }
  auto secrets = entries(given->find("secrets"), "credentials.secrets");
  if (!secrets) return fail(std::move(secrets).error());
  for (const auto& [alias, value] : *secrets) {
    auto bytes = base64_value(*value, "a secret");
    if (!bytes) return fail(std::move(bytes).error());
    credentials.secrets.insert_or_assign(alias, security::Secret(std::move(*bytes)));
  }
  if (!credentials.tokens.empty() || !credentials.secrets.empty()) {
    out.set_tokens(security::encode_credentials(credentials));
  }
  return {};
}

Result<void> add_acls(const Body& spec, hadoop::yarn::ContainerLaunchContextProto& out,
                      rm::Submission& submission) {
  auto acls = entries(spec.find("application-acls"), "application-acls");
  if (!acls) return fail(std::move(acls).error());
  for (const auto& [key, value] : *acls) {
    auto* added = out.add_application_acls();
    added->set_acl(value->text);
    if (key == "VIEW_APP") {
      added->set_accesstype(hadoop::yarn::APPACCESS_VIEW_APP);
      submission.view_acl = value->text;
    } else if (key == "MODIFY_APP") {
      added->set_accesstype(hadoop::yarn::APPACCESS_MODIFY_APP);
      submission.modify_acl = value->text;
    } else {
      return bad(*value, fmt::format("application-acls key '{}' is none of VIEW_APP, MODIFY_APP",
                                     shortened(key)));
    }
  }
  return {};
}

Result<void> add_launch(const Body& spec, rm::Submission& submission) {
  hadoop::yarn::ContainerLaunchContextProto launch;
  RETURN_IF_ERROR(add_local_resources(spec, launch));
  auto environment = entries(spec.find("environment"), "environment");
  if (!environment) return fail(std::move(environment).error());
  for (const auto& [key, value] : *environment) {
    if (key.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      return bad(*value, fmt::format("'{}' is not a name for a variable", shortened(key)));
    }
    auto* variable = launch.add_environment();
    variable->set_key(key);
    variable->set_value(value->text);
  }
  if (const Body* commands = spec.find("commands"); commands != nullptr) {
    for (const Body* command : commands->all("command"))
      launch.add_command(command->text);
    if (!commands->text.empty() && commands->children.empty()) launch.add_command(commands->text);
  }
  auto services = entries(spec.find("service-data"), "service-data");
  if (!services) return fail(std::move(services).error());
  for (const auto& [key, value] : *services) {
    auto bytes = base64_value(*value, "service-data");
    if (!bytes) return fail(std::move(bytes).error());
    auto* data = launch.add_service_data();
    data->set_key(key);
    data->set_value(std::move(*bytes));
  }
  RETURN_IF_ERROR(add_credentials(spec, launch));
  RETURN_IF_ERROR(add_acls(spec, launch, submission));
  RETURN_IF_ERROR(check_launch_context(launch));
  submission.launch = std::make_shared<const std::string>(launch.SerializeAsString());
  return {};
}

Result<void> add_log_aggregation(const Body& given, rm::Submission& submission) {
  hadoop::yarn::LogAggregationContextProto context;
  std::optional<Error> failed;
  const auto copy = [&](std::string_view name, const auto& set) {
    auto value = given.text_of(name);
    if (!value) {
      failed = std::move(value).error();
    } else if (!value->empty()) {
      set(*value);
    }
  };
  copy("log-include-pattern", [&](const auto& v) { context.set_include_pattern(v); });
  copy("log-exclude-pattern", [&](const auto& v) { context.set_exclude_pattern(v); });
  copy("rolled-log-include-pattern",
       [&](const auto& v) { context.set_rolled_logs_include_pattern(v); });
  copy("rolled-log-exclude-pattern",
       [&](const auto& v) { context.set_rolled_logs_exclude_pattern(v); });
  copy("log-aggregation-policy-class-name",
       [&](const auto& v) { context.set_log_aggregation_policy_class_name(v); });
  copy("log-aggregation-policy-parameters",
       [&](const auto& v) { context.set_log_aggregation_policy_parameters(v); });
  if (failed) return fail(std::move(*failed));
  submission.log_aggregation_context = context.SerializeAsString();
  if (submission.log_aggregation_context.size() > kLogContextMax) {
    return bad(given, fmt::format("log-aggregation-context has {} bytes, the limit is {}",
                                  submission.log_aggregation_context.size(), kLogContextMax));
  }
  return {};
}

// Limits are those of RPC: who submits may choose the way.
Result<void> take_texts(const Body& body, rm::Submission& submission) {
  RETURN_IF_ERROR(check_submission_texts(submission.name, submission.type, submission.queue));
  submission.type = submission.type.substr(0, kTypeKept);
  const Body* tags = body.find("application-tags");
  if (tags == nullptr) return {};
  std::vector<std::string> given;
  for (const Body* tag : tags->all("tag"))
    given.emplace_back(trim(tag->text));
  auto checked = checked_tags(given, TagLimits{});
  if (!checked) return fail(std::move(checked).error());
  submission.tags = *std::move(checked);
  return {};
}

}  // namespace

Result<Resources> resources_from_body(const Body& body, const ResourceTypes& types) {
  Resources result;
  auto memory = body.number_of("memory", 0);
  auto cores = body.number_of("vCores", 0);
  if (!memory) return fail(std::move(memory).error());
  if (!cores) return fail(std::move(cores).error());
  result.amount[kMemory] = *memory;
  result.amount[kVcores] = *cores;
  const Body* others = body.find("resourceInformations");
  if (others == nullptr) return result;
  for (const Body* other : others->all("resourceInformation")) {
    auto name = other->text_of("name");
    auto units = other->text_of("units");
    auto value = other->number_of("value", 0);
    if (!name) return fail(std::move(name).error());
    if (!units) return fail(std::move(units).error());
    if (!value) return fail(std::move(value).error());
    const auto index = types.index_of(*name);
    if (!index) {
      return bad(*other, fmt::format("'{}' is not a resource of this cluster", shortened(*name)));
    }
    auto amount = convert_unit(*value, *units, types.all()[*index].unit);
    if (!amount) return bad(*other, amount.error().message);
    result.amount[*index] = *amount;
  }
  return result;
}

Result<rm::Submission> submission_from_body(const Body& body, const ResourceTypes& types) {
  rm::Submission result;
  std::optional<Error> failed;
  const auto text = [&](std::string_view name, std::string_view fallback) {
    auto value = body.text_of(name, fallback);
    if (!value && !failed) failed = value.error();
    return value ? *value : std::string();
  };
  const auto number = [&](std::string_view name, std::int64_t fallback, std::int64_t max) {
    auto value = body.number_of(name, fallback);
    if (value && (*value > max || *value < -max)) {
      value = bad(*body.find(name), fmt::format("{} is out of range: {}", name, *value));
    }
    if (!value && !failed) failed = value.error();
    return value ? *value : 0;
  };
  const auto flag = [&](std::string_view name, bool fallback) {
    auto value = body.flag_of(name, fallback);
    if (!value && !failed) failed = value.error();
    return value ? *value : false;
  };
  const std::string id = text("application-id", "");
  result.name = text("application-name", "N/A");
  result.queue = text("queue", "default");
  result.type = text("application-type", "YARN");
  result.priority = static_cast<std::int32_t>(number("priority", -1, INT32_MAX));
  result.max_attempts = static_cast<std::int32_t>(number("max-app-attempts", 0, INT32_MAX));
  result.attempt_failures_validity_ms = number("attempt-failures-validity-interval", -1, INT64_MAX);
  result.unmanaged = flag("unmanaged-AM", false);
  result.cancel_tokens_when_complete = flag("cancel-tokens-when-complete", true);
  result.keep_containers = flag("keep-containers-across-application-attempts", false);
  result.label_expression = text("app-node-label-expression", "");  // none is "" in Hadoop
  const std::string am_label = text("am-container-node-label-expression", "");
  const std::string reservation = text("reservation-id", "");
  if (failed) return fail(std::move(*failed));
  if (!reservation.empty()) {
    const auto wanted = rm::parse_reservation_id(reservation);
    if (!wanted) return fail(wanted.error());
    result.reservation = *wanted;
  }
  auto parsed = parse_app_id(id);
  if (!parsed) return fail(std::move(parsed).error().within("application-id"));
  result.id = *parsed;
  RETURN_IF_ERROR(take_texts(body, result));
  if (const Body* resource = body.find("resource"); resource != nullptr) {
    auto resources = resources_from_body(*resource, types);
    if (!resources) return fail(std::move(resources).error());
    result.am_resources = *resources;
  }
  if (!am_label.empty()) {
    rm::Ask ask;
    ask.resources = result.am_resources;
    ask.containers = 1;
    ask.label_expression = am_label;
    result.am_asks.push_back(std::move(ask));
  }
  static const Body kNoSpec;
  const Body* spec = body.find("am-container-spec");
  RETURN_IF_ERROR(add_launch(spec == nullptr ? kNoSpec : *spec, result));
  if (const Body* logs = body.find("log-aggregation-context"); logs != nullptr) {
    RETURN_IF_ERROR(add_log_aggregation(*logs, result));
  }
  return result;
}

}  // namespace heddle::compat::rest
