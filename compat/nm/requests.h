// What ApplicationMasters ask of a node, in the door's terms. Pure; fuzzed.
#pragma once

#include "base/resources.h"
#include "base/result.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/records/pb.h"
#include "compat/records/tokens.h"
#include "nodemanager/api/container.h"

namespace heddle::compat::node {

namespace door = ::heddle::nm;

/// The limits of compat/records/launch_context.h; also: a local resource without a type, a negative
/// size, or of type PATTERN without a pattern.
Result<door::LaunchContext> launch_from_wire(const pb::ContainerLaunchContextProto& wire);

door::ContainerGrant grant_of(const ContainerIdentifier& identifier);

}  // namespace heddle::compat::node
