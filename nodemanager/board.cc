#include "nodemanager/board.h"

#include "nodemanager/logs/aggregation.h"

namespace heddle::nm {
namespace {

Failure unknown(const ContainerId& container) {
  return fail(ErrorCode::kNotFound,
              "no logs of container " + to_string(container) + " on this node",
              ErrorSubject::kContainer);
}

}  // namespace

NodeFacts Board::facts() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

std::vector<AppStatus> Board::apps() const {
  const std::lock_guard lock(mutex_);
  std::vector<AppStatus> all;
  for (const auto& [id, app] : apps_)
    all.push_back(app);
  return all;
}

std::vector<ContainerStatus> Board::containers() const {
  const std::lock_guard lock(mutex_);
  std::vector<ContainerStatus> all;
  for (const auto& [id, container] : containers_)
    all.push_back(container);
  return all;
}

Result<std::vector<LogFile>> Board::log_files(const ContainerId& container) const {
  std::vector<std::string> folders;
  {
    const std::lock_guard lock(mutex_);
    const auto found = logs_.find(container);
    if (found == logs_.end()) return unknown(container);
    folders = found->second.folders;
  }
  return files_in(folders);
}

Result<std::string> Board::container_user(const ContainerId& container) const {
  const std::lock_guard lock(mutex_);
  const auto logs = logs_.find(container);
  if (logs != logs_.end()) return logs->second.user;
  const auto found = containers_.find(container);
  if (found == containers_.end()) return unknown(container);
  return found->second.user;
}

void Board::set_facts(NodeFacts facts) {
  const std::lock_guard lock(mutex_);
  facts_ = std::move(facts);
}

void Board::set_app(AppStatus app) {
  const std::lock_guard lock(mutex_);
  apps_[app.id] = std::move(app);
}

void Board::remove_app(const AppId& app) {
  const std::lock_guard lock(mutex_);
  apps_.erase(app);
  std::erase_if(logs_, [&](const auto& entry) { return entry.first.attempt.app == app; });
}

void Board::set_container(ContainerStatus container) {
  const std::lock_guard lock(mutex_);
  containers_[container.id] = std::move(container);
}

void Board::remove_container(const ContainerId& container) {
  const std::lock_guard lock(mutex_);
  containers_.erase(container);
}

void Board::set_logs(const ContainerId& container, std::string user,
                     std::vector<std::string> folders) {
  const std::lock_guard lock(mutex_);
  logs_[container] = {std::move(user), std::move(folders)};
}

}  // namespace heddle::nm
