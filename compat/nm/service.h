// ContainerManagementProtocol, and the logins of its port.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/resources.h"
#include "compat/ipc/server.h"
#include "nodemanager/api/door.h"

namespace heddle::compat::node {

namespace door = ::heddle::nm;

inline constexpr std::string_view kContainerProtocol =
    "org.apache.hadoop.yarn.api.ContainerManagementProtocolPB";

/// What the service calls; all of it outlives the service.
struct NodeDoor {
  door::ContainerService& containers;
  const door::NodeReports& reports;
  const door::TokenVerifiers& keys;
  std::vector<const door::AuxService*> aux_services;
  ResourceTypes types;
};

/// The service and the login of one port: they share the keys that attempts keep using.
struct ContainerPort {
  std::shared_ptr<ipc::ProtocolService> service;
  /// For ServerOptions::token_login, with simple_allowed = false.
  std::function<Result<ipc::TokenLogin>(std::string_view identifier)> login;
};
ContainerPort make_container_port(NodeDoor door);

}  // namespace heddle::compat::node
