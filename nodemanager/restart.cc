// What an agent finds of an earlier one: containers to end, folders to keep or to delete, and with
// yarn.nodemanager.recovery.enabled the applications that it goes on with.
#include <fmt/core.h>
#include <sys/stat.h>

#include <cstdio>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "nodemanager/agent.h"
#include "nodemanager/launch/layout.h"

namespace heddle::nm {
namespace {

constexpr std::string_view kAside = "_DEL_";

bool is_folder(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

/// Moves what is to be deleted to the top of a local dir at once, so that the deletion itself may
/// take its time; a later start finds by the name what was not deleted.
class AsidePutter {
 public:
  AsidePutter(std::string local, WallTime now) : local_(std::move(local)), now_(now) {
    for (const std::string& name : list_dir(local_)) {
      if (name.find(kAside) != std::string::npos) put_.push_back(local_ + "/" + name);
    }
  }
  Result<void> put(const std::string& path) {
    const std::string aside = fmt::format("{}/{}{}{}_{}", local_, path.substr(path.rfind('/') + 1),
                                          kAside, now_.ms, put_.size());
    if (std::rename(path.c_str(), aside.c_str()) != 0) return remove_tree(path);
    put_.push_back(aside);
    return {};
  }
  std::vector<std::string> take() { return std::move(put_); }

 private:
  const std::string local_;
  const WallTime now_;
  std::vector<std::string> put_;
};

/// Everything in `folder` but what `keep` says; that which is kept is a folder, not a link to one.
template <class Keep>
Result<void> put_aside_but(const std::string& folder, AsidePutter& putter, const Keep& keep) {
  for (const std::string& name : list_dir(folder)) {
    const std::string path = fmt::format("{}/{}", folder, name);
    if (!is_folder(path) || !keep(name)) RETURN_IF_ERROR(putter.put(path));
  }
  return {};
}

using KeptApps = std::map<std::string, std::set<std::string>>;  // of each user

/// Leaves of each kept application what its tasks have written, map outputs above all.
Result<void> clear_user_cache(const std::string& local, const KeptApps& kept, AsidePutter& putter) {
  const std::string users = local + "/usercache";
  RETURN_IF_ERROR(
      put_aside_but(users, putter, [&](const auto& user) { return kept.contains(user); }));
  for (const auto& [user, apps] : kept) {
    const std::string folder = fmt::format("{}/{}", users, user);
    if (!is_folder(folder)) continue;
    RETURN_IF_ERROR(
        put_aside_but(folder, putter, [](const auto& name) { return name == "appcache"; }));
    if (!is_folder(folder + "/appcache")) continue;
    RETURN_IF_ERROR(put_aside_but(folder + "/appcache", putter, [&of_user = apps](const auto& app) {
      return of_user.contains(app);
    }));
    for (const std::string& app : list_dir(folder + "/appcache")) {
      const std::string app_folder = fmt::format("{}/appcache/{}", folder, app);
      for (const std::string& name : list_dir(app_folder)) {
        if (name != "filecache" && !parse_container_id(name)) continue;
        RETURN_IF_ERROR(putter.put(fmt::format("{}/{}", app_folder, name)));
      }
    }
  }
  return {};
}

Result<void> clear_local_dir(const std::string& local, const KeptApps& kept, AsidePutter& putter) {
  RETURN_IF_ERROR(make_dirs(local, 0755));
  for (const char* name : {"filecache", "nmPrivate"}) {
    if (is_folder(local + "/" + name)) RETURN_IF_ERROR(putter.put(local + "/" + name));
  }
  RETURN_IF_ERROR(clear_user_cache(local, kept, putter));
  return make_node_dirs(local);
}

/// One bad disk does not keep a node with good ones from starting: the health check tells of it.
template <class Prepare>
Result<void> for_each_that_can(const std::vector<std::string>& dirs, const Prepare& prepare) {
  Result<void> problem;
  bool any = false;
  for (const std::string& dir : dirs) {
    Result<void> prepared = prepare(dir);
    any = any || prepared;
    if (prepared) continue;
    log::error("{} is not used for now: {}", dir, prepared.error().message);
    problem = std::move(prepared);
  }
  if (any) return {};
  return problem;
}

}  // namespace

void Agent::end_earlier_containers() {
  leftovers_ = find_leftovers(config_.local_dirs);
  if (leftovers_.empty()) return;
  const EndedLeftovers ended = end_leftovers(leftovers_, config_.kill_delay);
  log::info("{} containers of an earlier agent: {} were running and ended, {} processes killed",
            leftovers_.size(), ended.supervisors, ended.strays);
  if (ended.living.empty()) return;
  std::vector<std::string> pids;
  for (const pid_t pid : ended.living)
    pids.push_back(std::to_string(pid));
  log::error("processes of an earlier agent's containers cannot be ended: {}", join(pids, ", "));
}

void Agent::remove_earlier_cgroups() {
  if (cgroups_ == nullptr) return;
  for (const Leftover& leftover : leftovers_) {
    if (auto removed = cgroups_->remove(leftover.id); !removed) {
      log::warn("{}", removed.error().message);
    }
  }
}

Result<void> Agent::make_node_dirs() {
  KeptApps kept;
  for (const StoredApp& app : parts_.restored) {
    if (check_user_name(app.user)) kept[app.user].insert(to_string(app.id));
  }
  const WallTime at = now().wall;
  RETURN_IF_ERROR(for_each_that_can(config_.local_dirs, [&](const std::string& local) {
    AsidePutter putter(local, at);
    auto cleared = clear_local_dir(local, kept, putter);
    if (auto left = putter.take(); !left.empty()) delete_now(std::move(left));
    return cleared;
  }));
  RETURN_IF_ERROR(
      for_each_that_can(config_.log_dirs, [](const auto& logs) { return make_dirs(logs, 0755); }));
  for (const std::string& logs : config_.log_dirs) {
    for (const std::string& name : list_dir(logs)) {
      if (parse_app_id(name)) earlier_logs_.push_back(fmt::format("{}/{}", logs, name));
    }
  }
  const DiskCheck disks = check_disks(config_.local_dirs, config_.log_dirs, config_.disk_rules);
  good_local_dirs_ = disks.good_local_dirs;
  good_log_dirs_ = disks.good_log_dirs;
  health_ = {disks.healthy, disks.report, at};
  return {};
}

void Agent::restore_apps() {
  std::map<ContainerId, const Leftover*> found;
  for (const Leftover& leftover : leftovers_)
    found[leftover.id] = &leftover;
  for (const StoredApp& stored : parts_.restored) {
    if (auto name = check_user_name(stored.user); !name) {
      log::error("{} is not taken up again: {}", to_string(stored.id), name.error().message);
      continue;
    }
    App& app = apps_[stored.id];
    app.id = stored.id;
    app.user = stored.user;
    app.view_acl = stored.view_acl;
    app.modify_acl = stored.modify_acl;
    app.log_rules = stored.log_rules;
    for (const StoredContainer& container : stored.containers) {
      const auto leftover = found.find(container.id);
      restore_container(app, container, leftover == found.end() ? nullptr : leftover->second);
    }
    std::erase_if(earlier_logs_, [name = "/" + to_string(app.id)](const std::string& path) {
      return path.ends_with(name);
    });
    publish(app);
  }
  leftovers_.clear();
  if (!apps_.empty()) log::info("{} applications are taken up again", apps_.size());
}

void Agent::restore_container(App& app, const StoredContainer& stored, const Leftover* leftover) {
  std::optional<std::int32_t> status = stored.exit_status;
  if (!status && leftover != nullptr) status = leftover->exit_code;
  const bool cut_off = !status.has_value();
  if (!stored.exit_status) {
    remember(parts_.store->container_ended(stored.id, status.value_or(exit_status::kAborted)));
  }
  std::vector<std::string> logs;
  for (const std::string& root : config_.log_dirs) {
    if (is_folder(log_dir(root, stored.id))) logs.push_back(log_dir(root, stored.id));
  }
  if (!logs.empty()) {
    app.ended.push_back({stored.id, status.value_or(exit_status::kAborted), stored.is_master});
    board_.set_logs(stored.id, app.user, std::move(logs));
  }
  if (stored.forgotten) {
    recently_stopped_[stored.id] = now().instant;
    return;
  }
  Container& container = containers_[stored.id];
  container.grant.id = stored.id;
  container.grant.user = app.user;
  container.grant.is_master = stored.is_master;
  container.state = ContainerState::kDone;
  container.exit_status = status.value_or(exit_status::kAborted);
  container.done_at = now().instant;
  if (cut_off) note(container, "Container ended because the NodeManager was started again.");
  publish(container);
}

Result<void> Agent::record(const StartContainer& request) {
  if (parts_.store == nullptr) return {};
  const ContainerGrant& grant = request.grant;
  if (!apps_.contains(grant.id.attempt.app)) {
    RETURN_IF_ERROR(parts_.store->save_app({grant.id.attempt.app,
                                            grant.user,
                                            request.launch.view_acl,
                                            request.launch.modify_acl,
                                            rules_of(grant),
                                            {}}));
  }
  return parts_.store->save_container(grant.id, grant.is_master);
}

void Agent::remember(const Result<void>& stored) {
  if (!stored && !store_failing_) {
    log::error("a restart would not know what happens from now on: {}", stored.error().message);
  }
  store_failing_ = !stored;
}

}  // namespace heddle::nm
