// Amounts of resources between their wire form and ours, and the types a cluster counts. Pure.
#pragma once

#include "base/resources.h"
#include "base/result.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/records/pb.h"

namespace heddle::compat {

/// What to do with a resource type this cluster does not count.
enum class UnknownTypes : std::uint8_t {
  kRefuse,  // a user's request: it would wait for ever
  kIgnore,  // a node's report: it may count more than the cluster does
};

/// Units are converted to the cluster's. The fields memory and virtual_cores win over entries of
/// the map with those names, as in Hadoop. kInvalidArgument (subject kResourceRequest): a negative
/// amount, an unknown type (the message lists the known ones) or unit, an amount too large.
Result<Resources> resources_from_wire(const pb::ResourceProto& wire, const ResourceTypes& types,
                                      UnknownTypes unknown = UnknownTypes::kRefuse);

/// All types of the cluster go into the map, as Hadoop's records do it.
void to_wire(const Resources& resources, const ResourceTypes& types, pb::ResourceProto* wire);

/// `amount` in every type: -1 is how Hadoop says "not known".
Resources every_type(const ResourceTypes& types, std::int64_t amount);

void type_to_wire(const ResourceTypes::Type& type, pb::ResourceTypeInfoProto* wire);

}  // namespace heddle::compat
