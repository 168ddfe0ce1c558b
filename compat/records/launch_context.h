// What is refused in a ContainerLaunchContext before anything is done with it, and the parts of it
// that both daemons read. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/records/pb.h"

namespace heddle::compat {

inline constexpr std::size_t kLaunchContextBytesMax = 8_MiB;
inline constexpr int kLocalResourcesMax = 20'000;
inline constexpr int kEnvironmentMax = 5'000;
inline constexpr int kCommandsMax = 1'000;
inline constexpr int kServiceDataMax = 100;

/// kLimitExceeded names the limit; kInvalidArgument: an environment name that is empty or holds
/// '=' or NUL, a value or command with NUL, a local resource without a usable URL or link name,
/// credentials that do not parse.
Result<void> check_launch_context(const pb::ContainerLaunchContextProto& wire);

struct AppAcls {
  std::string view;  // "user1,user2 group1"; "" = owner and admins only
  std::string modify;
};
AppAcls acls_from_wire(const pb::ContainerLaunchContextProto& wire);
void acl_to_wire(pb::ApplicationAccessTypeProto type, const std::string& acl,
                 pb::ApplicationACLMapProto* wire);

}  // namespace heddle::compat
