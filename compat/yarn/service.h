// The protocols of the ResourceManager's four ports, ready for ipc::Server::listen. Everything in
// the context outlives them.
#pragma once

#include <memory>

#include "compat/ipc/server.h"
#include "compat/yarn/context.h"

namespace heddle::compat::yarn {

inline constexpr std::string_view kClientProtocol =
    "org.apache.hadoop.yarn.api.ApplicationClientProtocolPB";
inline constexpr std::string_view kMasterProtocol =
    "org.apache.hadoop.yarn.api.ApplicationMasterProtocolPB";
inline constexpr std::string_view kTrackerProtocol =
    "org.apache.hadoop.yarn.server.api.ResourceTrackerPB";
inline constexpr std::string_view kAdminProtocol =
    "org.apache.hadoop.yarn.server.api.ResourceManagerAdministrationProtocolPB";
inline constexpr std::string_view kGroupsProtocol =
    "org.apache.hadoop.tools.GetUserMappingsProtocol";
inline constexpr std::string_view kHaProtocol = "org.apache.hadoop.ha.HAServiceProtocol";

using ServicePtr = std::shared_ptr<ipc::ProtocolService>;

ServicePtr make_client_service(const ContextPtr& context);   // 8032
ServicePtr make_master_service(const ContextPtr& context);   // 8030, with make_master_login
ServicePtr make_tracker_service(const ContextPtr& context);  // 8031
ServicePtr make_admin_service(const ContextPtr& context);    // 8033
ServicePtr make_ha_service();                                // 8033
ServicePtr make_groups_service(const ContextPtr& context);   // 8033

/// For ServerOptions::token_login of the ApplicationMasters' port (simple_allowed = false there).
std::function<Result<ipc::TokenLogin>(std::string_view identifier)> make_master_login(
    const ContextPtr& context);

}  // namespace heddle::compat::yarn
