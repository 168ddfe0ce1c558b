#include "compat/yarn/compatibility.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/text.h"
#include "tests/unit/compat_yarn/services.h"

namespace heddle::compat::yarn {
namespace {

/// Every method of Hadoop 3.4.2, by protocol.
const std::map<std::string_view, std::string> kHadoop = {
    {protocol::kClient,
     "getNewApplication getApplicationReport submitApplication failApplicationAttempt "
     "forceKillApplication getClusterMetrics getApplications getClusterNodes getQueueInfo "
     "getQueueUserAcls getDelegationToken renewDelegationToken cancelDelegationToken "
     "moveApplicationAcrossQueues getApplicationAttemptReport getApplicationAttempts "
     "getContainerReport getContainers getNewReservation submitReservation updateReservation "
     "deleteReservation listReservations getNodeToLabels getLabelsToNodes getClusterNodeLabels "
     "updateApplicationPriority signalToContainer updateApplicationTimeouts getResourceProfiles "
     "getResourceProfile getResourceTypeInfo getClusterNodeAttributes getAttributesToNodes "
     "getNodesToAttributes"},
    {protocol::kMaster, "registerApplicationMaster finishApplicationMaster allocate"},
    {protocol::kTracker, "registerNodeManager nodeHeartbeat unRegisterNodeManager"},
    {protocol::kAdmin,
     "refreshQueues refreshNodes refreshSuperUserGroupsConfiguration refreshUserToGroupsMappings "
     "refreshAdminAcls refreshServiceAcls getGroupsForUser updateNodeResource "
     "refreshNodesResources addToClusterNodeLabels removeFromClusterNodeLabels "
     "replaceLabelsOnNodes checkForDecommissioningNodes refreshClusterMaxPriority "
     "mapAttributesToNodes deregisterSubCluster saveFederationQueuePolicy "
     "batchSaveFederationQueuePolicies listFederationQueuePolicies deleteFederationApplication "
     "getFederationSubClusters deleteFederationPoliciesByQueues"},
    {protocol::kGroups, "getGroupsForUser"},
    {protocol::kHa,
     "monitorHealth transitionToActive transitionToStandby transitionToObserver "
     "getServiceStatus"},
    {protocol::kContainers,
     "startContainers stopContainers getContainerStatuses increaseContainersResource "
     "updateContainer signalToContainer localize reInitializeContainer restartContainer "
     "rollbackLastReInitialization commitLastReInitialization getLocalizationStatuses"},
};

std::set<std::string> methods_of(std::string_view protocol) {
  std::set<std::string> out;
  for (const std::string& method : split_list(kHadoop.at(protocol), ' '))
    out.insert(method);
  return out;
}

std::set<std::string> registered(const ServicePtr& service) {
  std::set<std::string> out;
  for (const auto& [name, method] : service->methods())
    out.insert(name);
  return out;
}

TEST(Compatibility, TableNamesEveryMethodOnce) {
  for (const auto& [protocol, unused] : kHadoop) {
    std::multiset<std::string> listed;
    for (const MethodSupport& entry : kCompatibility) {
      if (entry.protocol == protocol) listed.insert(std::string(entry.method));
    }
    const auto expected = methods_of(protocol);
    EXPECT_EQ(listed, std::multiset<std::string>(expected.begin(), expected.end())) << protocol;
  }
}

class CompatibilityOfServices : public Services {};

TEST_F(CompatibilityOfServices, EveryMethodIsServed) {
  EXPECT_EQ(registered(make_client_service(context_)), methods_of(protocol::kClient));
  EXPECT_EQ(registered(make_master_service(context_)), methods_of(protocol::kMaster));
  EXPECT_EQ(registered(make_tracker_service(context_)), methods_of(protocol::kTracker));
  EXPECT_EQ(registered(make_admin_service(context_)), methods_of(protocol::kAdmin));
  EXPECT_EQ(registered(make_groups_service(context_)), methods_of(protocol::kGroups));
  EXPECT_EQ(registered(make_ha_service()), methods_of(protocol::kHa));
}

TEST_F(CompatibilityOfServices, WhatIsListedAsRefusedAnswersANamedError) {
  // A body that parses for every method: no required field is missing where none is checked.
  const auto client = make_client_service(context_);
  for (const MethodSupport& entry : kCompatibility) {
    if (entry.protocol != protocol::kClient || entry.support != Support::kRefused) continue;
    EXPECT_FALSE(testlib::call_bytes(*client, std::string(entry.method), "", alice_).ok())
        << entry.method;
  }
}

TEST(Compatibility, PageInDocsIsTheTable) {
  const auto root = (std::filesystem::path(HEDDLE_TEST_DATA) / "../../../..").lexically_normal();
  std::ifstream file(root / "docs/compatibility.md");
  std::stringstream page;
  page << file.rdbuf();
  constexpr std::string_view kNext = "\n## CapacityScheduler properties\n";  // of another table
  const std::string text = page.str();
  ASSERT_NE(text.find(kNext), std::string::npos) << "run tools/capacity-properties";
  EXPECT_EQ(text.substr(0, text.find(kNext)), compatibility_page())
      << "run gen-compatibility > docs/compatibility.md, then tools/capacity-properties";
}

}  // namespace
}  // namespace heddle::compat::yarn
