// What anybody may know about the node, kept apart from the agent's own state so that asking never
// waits for its work. The agent's thread writes, any thread reads.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "nodemanager/api/door.h"

namespace heddle::nm {

class Board final : public NodeReports {
 public:
  NodeFacts facts() const override;
  std::vector<AppStatus> apps() const override;
  std::vector<ContainerStatus> containers() const override;
  Result<std::vector<LogFile>> log_files(const ContainerId& container) const override;
  Result<std::string> container_user(const ContainerId& container) const override;

  void set_facts(NodeFacts facts);
  void set_app(AppStatus app);
  /// Also forgets the logs of its containers.
  void remove_app(const AppId& app);
  void set_container(ContainerStatus container);
  void remove_container(const ContainerId& container);
  /// The folders stay known after the container is forgotten, until its application is.
  void set_logs(const ContainerId& container, std::string user, std::vector<std::string> folders);

 private:
  struct Logs {
    std::string user;
    std::vector<std::string> folders;
  };
  mutable std::mutex mutex_;  // guards all below
  NodeFacts facts_;
  std::map<AppId, AppStatus> apps_;
  std::map<ContainerId, ContainerStatus> containers_;
  std::map<ContainerId, Logs> logs_;
};

}  // namespace heddle::nm
