// Which of Hadoop's RPC methods are there. docs/compatibility.md is printed from this table.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace heddle::compat::yarn {

enum class Support : std::uint8_t {
  kWorks,    // does what Hadoop does
  kEmpty,    // answers that there is none: the feature is off
  kRefused,  // answers a named error: off, or not there yet
};

struct MethodSupport {
  std::string_view protocol;
  std::string_view method;
  Support support;
  std::string_view note;
};

namespace protocol {
inline constexpr std::string_view kClient = "ApplicationClientProtocol";
inline constexpr std::string_view kMaster = "ApplicationMasterProtocol";
inline constexpr std::string_view kTracker = "ResourceTracker";
inline constexpr std::string_view kAdmin = "ResourceManagerAdministrationProtocol";
inline constexpr std::string_view kGroups = "GetUserMappingsProtocol";
inline constexpr std::string_view kHa = "HAServiceProtocol";
inline constexpr std::string_view kContainers = "ContainerManagementProtocol";
}  // namespace protocol

inline constexpr auto kCompatibility = [] {
  using enum Support;
  using namespace protocol;
  return std::to_array<MethodSupport>({
      {kClient, "getNewApplication", kWorks, ""},
      {kClient, "submitApplication", kWorks, ""},
      {kClient, "getApplicationReport", kWorks, ""},
      {kClient, "getApplications", kWorks, "all filters"},
      {kClient, "forceKillApplication", kWorks, ""},
      {kClient, "failApplicationAttempt", kWorks, ""},
      {kClient, "getApplicationAttemptReport", kWorks, ""},
      {kClient, "getApplicationAttempts", kWorks, ""},
      {kClient, "getContainerReport", kWorks, ""},
      {kClient, "getContainers", kWorks, ""},
      {kClient, "moveApplicationAcrossQueues", kWorks, ""},
      {kClient, "updateApplicationPriority", kWorks, ""},
      {kClient, "updateApplicationTimeouts", kWorks, "LIFETIME, the only type there is"},
      {kClient, "signalToContainer", kWorks, ""},
      {kClient, "getClusterMetrics", kWorks, ""},
      {kClient, "getClusterNodes", kWorks, ""},
      {kClient, "getQueueInfo", kWorks, ""},
      {kClient, "getQueueUserAcls", kWorks, ""},
      {kClient, "getResourceTypeInfo", kWorks, ""},
      {kClient, "getResourceProfiles", kRefused, "resource profiles are off"},
      {kClient, "getResourceProfile", kRefused, "resource profiles are off"},
      {kClient, "getNodeToLabels", kWorks, ""},
      {kClient, "getLabelsToNodes", kWorks, ""},
      {kClient, "getClusterNodeLabels", kWorks, ""},
      {kClient, "getClusterNodeAttributes", kWorks, ""},
      {kClient, "getAttributesToNodes", kWorks, ""},
      {kClient, "getNodesToAttributes", kWorks, ""},
      {kClient, "getNewReservation", kWorks, "where reservations are on"},
      {kClient, "submitReservation", kWorks, "where reservations are on"},
      {kClient, "updateReservation", kWorks, "where reservations are on"},
      {kClient, "deleteReservation", kWorks, "where reservations are on"},
      {kClient, "listReservations", kWorks, "where reservations are on"},
      {kClient, "getDelegationToken", kRefused, "needs Kerberos, which is not there yet"},
      {kClient, "renewDelegationToken", kRefused, "needs Kerberos, which is not there yet"},
      {kClient, "cancelDelegationToken", kRefused, "needs Kerberos, which is not there yet"},
      {kMaster, "registerApplicationMaster", kWorks, ""},
      {kMaster, "allocate", kWorks, ""},
      {kMaster, "finishApplicationMaster", kWorks, ""},
      {kTracker, "registerNodeManager", kWorks, ""},
      {kTracker, "nodeHeartbeat", kWorks, ""},
      {kTracker, "unRegisterNodeManager", kWorks, ""},
      {kAdmin, "refreshQueues", kWorks, ""},
      {kAdmin, "refreshNodes", kWorks, "normal, graceful and forceful"},
      {kAdmin, "refreshSuperUserGroupsConfiguration", kWorks, "checks rights; nothing is cached"},
      {kAdmin, "refreshUserToGroupsMappings", kWorks, ""},
      {kAdmin, "refreshAdminAcls", kWorks, "checks rights; lists are read at start"},
      {kAdmin, "refreshServiceAcls", kRefused, "service authorization is off"},
      {kAdmin, "getGroupsForUser", kWorks, ""},
      {kAdmin, "updateNodeResource", kWorks, ""},
      {kAdmin, "refreshNodesResources", kWorks, "dynamic-resources.xml; nodes are not told"},
      {kAdmin, "addToClusterNodeLabels", kWorks, ""},
      {kAdmin, "removeFromClusterNodeLabels", kWorks, ""},
      {kAdmin, "replaceLabelsOnNodes", kWorks, "centralized configuration"},
      {kAdmin, "checkForDecommissioningNodes", kWorks, ""},
      {kAdmin, "refreshClusterMaxPriority", kWorks, ""},
      {kAdmin, "mapAttributesToNodes", kWorks, ""},
      {kAdmin, "deregisterSubCluster", kRefused, "no federation"},
      {kAdmin, "saveFederationQueuePolicy", kRefused, "no federation"},
      {kAdmin, "batchSaveFederationQueuePolicies", kRefused, "no federation"},
      {kAdmin, "listFederationQueuePolicies", kRefused, "no federation"},
      {kAdmin, "deleteFederationApplication", kRefused, "no federation"},
      {kAdmin, "getFederationSubClusters", kRefused, "no federation"},
      {kAdmin, "deleteFederationPoliciesByQueues", kRefused, "no federation"},
      {kGroups, "getGroupsForUser", kWorks, "on the admin port"},
      {kHa, "monitorHealth", kWorks, ""},
      {kHa, "getServiceStatus", kWorks, "always active: one ResourceManager"},
      {kHa, "transitionToActive", kRefused, "no high availability yet"},
      {kHa, "transitionToStandby", kRefused, "no high availability yet"},
      {kHa, "transitionToObserver", kRefused, "no high availability yet"},
      {kContainers, "startContainers", kWorks, ""},
      {kContainers, "stopContainers", kWorks, ""},
      {kContainers, "getContainerStatuses", kWorks, ""},
      {kContainers, "signalToContainer", kWorks, ""},
      {kContainers, "increaseContainersResource", kWorks, "as updateContainer"},
      {kContainers, "updateContainer", kWorks, "size and execution type"},
      {kContainers, "localize", kRefused, "not yet in a running container"},
      {kContainers, "reInitializeContainer", kRefused, "not yet"},
      {kContainers, "restartContainer", kRefused, "not yet"},
      {kContainers, "rollbackLastReInitialization", kRefused, "not yet"},
      {kContainers, "commitLastReInitialization", kRefused, "not yet"},
      {kContainers, "getLocalizationStatuses", kRefused, "not yet"},
  });
}();

/// The page for docs/.
std::string compatibility_page();

}  // namespace heddle::compat::yarn
