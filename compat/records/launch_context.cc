#include "compat/records/launch_context.h"

#include <fmt/core.h>

#include "base/text.h"
#include "compat/records/urls.h"
#include "security/token.h"

namespace heddle::compat {
namespace {

Failure refuse(std::string message) {
  return fail(ErrorCode::kInvalidArgument, "container launch context: " + std::move(message));
}

Result<void> check_count(std::string_view what, int count, int maximum) {
  if (count <= maximum) return {};
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("container launch context: {} {} are more than the limit of {}; put them "
                          "into a file or an archive",
                          count, what, maximum));
}

bool has_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

Result<void> check_environment(const pb::ContainerLaunchContextProto& wire) {
  for (const auto& variable : wire.environment()) {
    const std::string& name = variable.key();
    if (name.empty()) return refuse("an environment variable has no name");
    if (has_nul(name) || name.find('=') != std::string::npos) {
      return refuse(fmt::format("environment name '{}' holds '=' or NUL", shortened(name)));
    }
    if (has_nul(variable.value())) {
      return refuse(fmt::format("the value of environment variable {} holds NUL", shortened(name)));
    }
  }
  return {};
}

Result<void> check_local_resources(const pb::ContainerLaunchContextProto& wire) {
  for (const auto& entry : wire.localresources()) {
    const std::string& link = entry.key();
    if (link.empty() || has_nul(link)) {
      return refuse(fmt::format("'{}' is no link name for a local resource", shortened(link)));
    }
    if (!entry.has_value() || !entry.value().has_resource()) {
      return refuse(fmt::format("local resource '{}' has no URL", shortened(link)));
    }
    auto url = url_from_wire(entry.value().resource());
    if (!url) return fail(std::move(url).error().within(shortened(link)));
  }
  return {};
}

}  // namespace

Result<void> check_launch_context(const pb::ContainerLaunchContextProto& wire) {
  if (const std::size_t bytes = wire.ByteSizeLong(); bytes > kLaunchContextBytesMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the container launch context has {} bytes, the limit is {}; put large "
                            "things into local resources",
                            bytes, kLaunchContextBytesMax));
  }
  RETURN_IF_ERROR(check_count("local resources", wire.localresources_size(), kLocalResourcesMax));
  RETURN_IF_ERROR(check_count("environment variables", wire.environment_size(), kEnvironmentMax));
  RETURN_IF_ERROR(check_count("commands", wire.command_size(), kCommandsMax));
  RETURN_IF_ERROR(check_count("service data", wire.service_data_size(), kServiceDataMax));
  RETURN_IF_ERROR(check_environment(wire));
  RETURN_IF_ERROR(check_local_resources(wire));
  for (const std::string& command : wire.command()) {
    if (has_nul(command)) return refuse("a command holds NUL");
  }
  if (auto credentials = security::decode_credentials(wire.tokens()); !credentials) {
    return fail(std::move(credentials).error().within("container launch context: tokens"));
  }
  return {};
}

AppAcls acls_from_wire(const pb::ContainerLaunchContextProto& wire) {
  AppAcls out;
  for (const auto& entry : wire.application_acls()) {
    std::string& acl = entry.accesstype() == pb::APPACCESS_MODIFY_APP ? out.modify : out.view;
    acl = entry.acl() == " " ? "" : entry.acl();
  }
  return out;
}

void acl_to_wire(pb::ApplicationAccessTypeProto type, const std::string& acl,
                 pb::ApplicationACLMapProto* wire) {
  wire->set_accesstype(type);
  wire->set_acl(acl.empty() ? " " : acl);
}

}  // namespace heddle::compat
