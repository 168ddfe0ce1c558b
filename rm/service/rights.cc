// Who may do what, by the lists of queues, applications and the cluster.
#include <fmt/core.h>

#include <algorithm>

#include "rm/service/resource_manager.h"

namespace heddle::rm {
namespace {

/// From the root to the queue of that path or name; empty when there is none, or several.
std::vector<const QueueReport*> way_to(const QueueReport& queue, const std::string& name) {
  if (queue.path.value() == name || (queue.leaf && queue.name == name)) return {&queue};
  std::vector<const QueueReport*> found;
  for (const QueueReport& child : queue.children) {
    auto way = way_to(child, name);
    if (way.empty()) continue;
    if (!found.empty()) return {};
    found = std::move(way);
    found.insert(found.begin(), &queue);
  }
  return found;
}

}  // namespace

bool ResourceManager::may_administer(const security::Caller& caller, const std::string& queue,
                                     const GroupNames& groups) const {
  const QueueReportPtr root = board_.queues();
  // A list of everybody is what root has when nobody configured it: no right over others' work.
  return std::ranges::any_of(way_to(*root, queue), [&](const QueueReport* at) {
    const auto acl = security::Acl::parse(at->administer_acl);
    return !acl.allows_everybody() && acl.allows(caller.user, groups);
  });
}

bool ResourceManager::queue_lets_submit(const std::string& user, const std::string& queue,
                                        const GroupNames& groups) const {
  const QueueReportPtr root = board_.queues();
  return std::ranges::any_of(way_to(*root, queue), [&](const QueueReport* at) {
    return security::Acl::parse(at->submit_acl).allows(user, groups) ||
           security::Acl::parse(at->administer_acl).allows(user, groups);
  });
}

Result<void> ResourceManager::check_may_submit(const security::Caller& caller, const AppId& app,
                                               const std::string& queue,
                                               const GroupNames& groups) const {
  if (!options_.acl_enabled) return {};
  const QueueReportPtr root = board_.queues();
  if (way_to(*root, queue).empty()) return {};
  if (queue_lets_submit(caller.user, queue, groups)) return {};
  if (options_.admins.allows(caller.user, groups)) return {};
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("User {} does not have permission to submit {} to queue {} "
                          "(SUBMIT_APPLICATIONS: acl_submit_applications of the queue or of one "
                          "above it)",
                          caller.user, to_string(app), queue),
              ErrorSubject::kQueue);
}

Result<void> ResourceManager::check_may_modify(const security::Caller& caller, const AppId& id,
                                               const GroupNames& groups) const {
  if (!options_.acl_enabled) return {};
  const AppReportPtr app = board_.app(id);
  if (app == nullptr || app->user == caller.user) return {};
  if (options_.admins.allows(caller.user, groups) ||
      security::Acl::parse(app->modify_acl).allows(caller.user, groups) ||
      may_administer(caller, app->queue, groups)) {
    return {};
  }
  return fail(
      ErrorCode::kPermissionDenied,
      fmt::format("User {} cannot perform operation MODIFY_APP on {}", caller.user, to_string(id)),
      ErrorSubject::kApplication);
}

Result<void> ResourceManager::check_is_admin(const security::Caller& caller,
                                             const GroupNames& groups) const {
  if (options_.admins.allows(caller.user, groups)) return {};
  return fail(
      ErrorCode::kPermissionDenied,
      fmt::format("User {} doesn't have permission to call this admin operation", caller.user));
}

}  // namespace heddle::rm
