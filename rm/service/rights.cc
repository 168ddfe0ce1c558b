// Who may do what, by the lists of queues, applications and the cluster.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "rm/service/resource_manager.h"

namespace heddle::rm {
namespace {

/// From the root to the queue of that path or name; empty when there is none, or several.
std::vector<const QueueReport*> way_to(const QueueReport& queue, const std::string& name) {
  const bool by_name = queue.leaf || queue.plan;
  if (queue.path.value() == name || (by_name && queue.name == name)) return {&queue};
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

void count_named(const QueueReport& queue, std::string_view name,
                 std::vector<const QueueReport*>& found) {
  if (queue.name == name) found.push_back(&queue);
  for (const QueueReport& child : queue.children)
    count_named(child, name, found);
}

/// A path may begin with the name of one queue alone: "users.ann" for root.users.ann.
std::string full_path(const QueueReport& root, const std::string& queue) {
  const std::string first = queue.substr(0, queue.find('.'));
  if (first.size() == queue.size() || first == root.name) return queue;
  std::vector<const QueueReport*> found;
  count_named(root, first, found);
  return found.size() == 1 ? found.front()->path.value() + queue.substr(first.size()) : queue;
}

/// The queue that makes one that is not there.
struct Maker {
  std::vector<const QueueReport*> way = {};  // from the root to it; empty: nobody makes it
  bool its_child = true;                     // else a parent is made between them
};

Maker maker_of(const QueueReport& root, const std::string& queue) {
  Maker maker;
  for (std::string above = queue; above.find('.') != above.npos; maker.its_child = false) {
    const bool is_first = above.size() == queue.size();
    above.resize(above.rfind('.'));
    maker.its_child = is_first;
    maker.way = way_to(root, above);
    if (maker.way.empty()) continue;
    if (maker.way.back()->creation == QueueCreation::kOff) maker.way.clear();
    break;
  }
  return maker;
}

/// Whether the templates give the right to what is made first.
bool template_lets_submit(const Maker& maker, const std::string& user,
                          const security::Groups::Names& groups) {
  const QueueTemplates& all = maker.way.back()->templates;
  const auto& own = maker.its_child ? all.of_leaves : all.of_parents;
  return std::ranges::any_of(
      std::array{"acl_submit_applications", "acl_administer_queue"}, [&](std::string_view name) {
        const auto of_kind = own.find(name);
        const auto common = all.common.find(name);
        if (of_kind == own.end() && common == all.common.end()) return false;
        const std::string& list = of_kind != own.end() ? of_kind->second : common->second;
        return security::Acl::parse(list).allows(user, groups);
      });
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

bool ResourceManager::queue_lets_submit(const std::string& user, const std::string& name,
                                        const GroupNames& groups) const {
  const QueueReportPtr root = board_.queues();
  const std::string queue = full_path(*root, name);
  auto way = way_to(*root, queue);
  if (way.empty()) {  // it is made for the application: by what it will be
    const Maker maker = maker_of(*root, queue);
    if (maker.way.empty() || template_lets_submit(maker, user, groups)) return !maker.way.empty();
    way = maker.way;
  }
  return std::ranges::any_of(way, [&](const QueueReport* at) {
    return security::Acl::parse(at->submit_acl).allows(user, groups) ||
           security::Acl::parse(at->administer_acl).allows(user, groups);
  });
}

Result<void> ResourceManager::check_may_submit(const security::Caller& caller, const AppId& app,
                                               const std::string& queue,
                                               const GroupNames& groups) const {
  if (!options_.acl_enabled) return {};
  const QueueReportPtr root = board_.queues();
  const std::string path = full_path(*root, queue);
  if (way_to(*root, path).empty() && maker_of(*root, path).way.empty()) return {};
  if (queue_lets_submit(caller.user, queue, groups)) return {};
  if (options_.admins.allows(caller.user, groups)) return {};
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("User {} does not have permission to submit {} to queue {} "
                          "(SUBMIT_APPLICATIONS: acl_submit_applications of the queue or of one "
                          "above it)",
                          caller.user, to_string(app), queue),
              ErrorSubject::kQueue);
}

std::vector<PriorityRight> ResourceManager::priority_rights_of(const std::string& name) const {
  if (!options_.acl_enabled) return {};
  const QueueReportPtr root = board_.queues();
  const std::string queue = full_path(*root, name);
  if (const auto way = way_to(*root, queue); !way.empty()) return way.back()->priority_rights;
  const Maker maker = maker_of(*root, queue);
  if (maker.way.empty() || !maker.its_child) return {};
  const QueueTemplates& all = maker.way.back()->templates;
  constexpr std::string_view kList = "acl_application_max_priority";
  auto list = all.of_leaves.find(kList);
  if (list == all.of_leaves.end()) list = all.common.find(kList);
  if (list == all.of_leaves.end() || list == all.common.end()) return {};
  std::vector<PriorityRight> rights;
  if (const auto acls = queues::parse_priority_acls(list->second)) {
    for (const queues::PriorityAcl& acl : *acls)
      rights.push_back({acl.who, acl.max_priority, acl.default_priority});
  }
  return rights;
}

std::optional<std::int32_t> ResourceManager::default_priority_of(const std::string& user,
                                                                 const std::string& queue,
                                                                 const GroupNames& groups) const {
  std::optional<std::int32_t> priority;  // of the list with the highest maximum
  for (const PriorityRight& right : priority_rights_of(queue)) {
    if (security::Acl::parse(right.who).allows(user, groups)) priority = right.default_priority;
  }
  return priority;
}

Result<void> ResourceManager::check_priority(const std::string& user, const AppId& app,
                                             const std::string& queue, std::int32_t priority,
                                             const GroupNames& groups) const {
  const std::vector<PriorityRight> rights = priority_rights_of(queue);
  if (rights.empty()) return {};
  if (priority < 0) priority = default_priority_of(user, queue, groups).value_or(-1);
  if (priority < 0) {
    const QueueReportPtr root = board_.queues();
    const auto way = way_to(*root, full_path(*root, queue));
    priority = way.empty() ? 0 : way.back()->default_priority;
  }
  priority = std::clamp(priority, 0, board_.metrics().max_app_priority);
  if (std::ranges::any_of(rights, [&](const PriorityRight& right) {
        return priority <= right.max_priority &&
               security::Acl::parse(right.who).allows(user, groups);
      })) {
    return {};
  }
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("User {} does not have permission to submit/update {} for {} "
                          "(acl_application_max_priority of queue {})",
                          user, to_string(app), priority, queue),
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
