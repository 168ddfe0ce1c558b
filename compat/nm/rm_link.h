// The agent's link to its ResourceManager over Hadoop's ResourceTracker protocol. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/resources.h"
#include "compat/ipc/client.h"
#include "nodemanager/api/rm_link.h"

namespace heddle::compat::node {

struct RmAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string user;  // who the agent says it is (SIMPLE)
};

/// `client` outlives the link and every call made on it.
std::unique_ptr<::heddle::nm::RmLink> make_rm_link(ipc::Client& client, RmAddress rm,
                                                   ResourceTypes types);

}  // namespace heddle::compat::node
