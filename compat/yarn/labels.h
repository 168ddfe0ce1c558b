// Node labels and attributes between their wire form and the door's. Pure; nothing is decided here.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/proto/yarn_server_common_service_protos.pb.h"
#include "compat/proto/yarn_server_resourcemanager_service_protos.pb.h"
#include "compat/records/pb.h"
#include "rm/api/commands.h"

namespace heddle::compat::yarn {

inline constexpr int kLabelsInMessage = 10'000;  // labels or attributes of one message
inline constexpr int kLabelledNodesMax = 200'000;

/// kLimitExceeded: too many of them. What names may be the door says.
Result<std::vector<rm::NodeLabel>> labels_from_wire(
    const pb::AddToClusterNodeLabelsRequestProto& wire);
Result<std::set<std::string>> label_names_from_wire(
    const pb::RemoveFromClusterNodeLabelsRequestProto& wire);
/// kInvalidArgument: a node without a host, or with a port that is none.
Result<rm::ReplaceLabels> replace_labels_from_wire(const pb::ReplaceLabelsOnNodeRequestProto& wire);
Result<rm::MapAttributes> map_attributes_from_wire(
    const pb::NodesToAttributesMappingRequestProto& wire);

/// What a node says of itself.
Result<std::set<std::string>> labels_from_wire(const pb::NodeLabelsProto& wire);
Result<std::vector<rm::NodeAttribute>> attributes_from_wire(const pb::NodeAttributesProto& wire);

void to_wire(const rm::NodeAttribute& attribute, pb::NodeAttributeProto* wire);

}  // namespace heddle::compat::yarn
