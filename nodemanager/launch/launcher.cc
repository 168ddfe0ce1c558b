#include "nodemanager/launch/launcher.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "nodemanager/launch/layout.h"

namespace heddle::nm {
namespace {

constexpr std::string_view kScriptName = "launch_container.sh";

void resolve_links(LaunchScript& script) {
  Variables links;
  for (auto& [target, link] : script.links) {
    if (link != "*") {
      links.emplace_back(std::move(target), std::move(link));
      continue;
    }
    for (const std::string& name : list_dir(target))
      links.emplace_back(fmt::format("{}/{}", target, name), name);
  }
  script.links = std::move(links);
}

Result<void> prepare(const LaunchJob& job) {
  const auto slash = job.private_dir.rfind('/');
  RETURN_IF_ERROR(make_dir(job.private_dir.substr(0, slash), 0755));
  RETURN_IF_ERROR(make_dir(job.private_dir, 0755));
  for (const std::string& dir : job.log_dirs)
    RETURN_IF_ERROR(make_dir(dir, 0710));
  RETURN_IF_ERROR(make_dir(job.work_dir, 0710));
  RETURN_IF_ERROR(make_dir(job.work_dir + "/tmp", 0710));
  const std::string text = to_text(job.script);
  const std::string tokens = to_string(job.id) + ".tokens";
  RETURN_IF_ERROR(write_file(fmt::format("{}/{}", job.private_dir, kScriptName), text, 0700));
  RETURN_IF_ERROR(write_file(job.private_dir + "/" + tokens, job.credentials, 0600));
  RETURN_IF_ERROR(write_file(fmt::format("{}/{}", job.work_dir, kScriptName), text, 0700));
  return write_file(job.work_dir + "/container_tokens", job.credentials, 0600);
}

}  // namespace

std::string pid_file_of(const LaunchJob& job) {
  return fmt::format("{}/{}.pid", job.private_dir, to_string(job.id));
}

std::string complaint_file_of(const LaunchJob& job) {
  return fmt::format("{}/{}.launch.err", job.private_dir, to_string(job.id));
}

Result<std::optional<pid_t>> launch(LaunchJob job, Processes& processes, Cgroups* cgroups,
                                    std::function<void(std::int32_t)> on_exit) {
  if (job.cancelled->load()) return std::optional<pid_t>();
  resolve_links(job.script);
  RETURN_IF_ERROR(prepare(job));
  if (cgroups != nullptr) {
    auto files = cgroups->create(job.id, job.limits);
    if (!files) {
      (void)cgroups->remove(job.id);  // those of its groups that could be made
      return fail(std::move(files).error());
    }
    job.process.cgroup_files = *std::move(files);
  }
  job.process.work_dir = job.work_dir;
  job.process.pid_file = pid_file_of(job);
  job.process.script = fmt::format("{}/{}", job.work_dir, kScriptName);
  job.process.error_file = complaint_file_of(job);
  if (job.cancelled->load()) {
    if (cgroups != nullptr) RETURN_IF_ERROR(cgroups->remove(job.id));
    return std::optional<pid_t>();
  }
  auto pid = processes.start(job.process, std::move(on_exit));
  if (!pid) {
    if (cgroups != nullptr) (void)cgroups->remove(job.id);
    return fail(std::move(pid).error());
  }
  return std::optional<pid_t>(*pid);
}

Result<void> make_node_dirs(const std::string& local_dir) {
  RETURN_IF_ERROR(make_dir(local_dir + "/usercache", 0755));
  RETURN_IF_ERROR(make_dir(public_cache_dir(local_dir), 0755));
  return make_dir(local_dir + "/nmPrivate", 0700);
}

Result<void> make_user_dirs(const std::string& local_dir, const std::string& user) {
  RETURN_IF_ERROR(check_user_name(user));
  RETURN_IF_ERROR(make_node_dirs(local_dir));
  RETURN_IF_ERROR(make_dir(user_dir(local_dir, user), 0750));
  RETURN_IF_ERROR(make_dir(user_cache_dir(local_dir, user), 0710));
  return make_dir(user_dir(local_dir, user) + "/appcache", 0710);
}

Result<void> make_app_dirs(const std::vector<std::string>& local_dirs,
                           const std::vector<std::string>& log_dirs, const std::string& user,
                           const AppId& app) {
  RETURN_IF_ERROR(check_user_name(user));
  for (const std::string& local : local_dirs) {
    RETURN_IF_ERROR(make_user_dirs(local, user));
    RETURN_IF_ERROR(make_dir(app_dir(local, user, app), 0710));
    RETURN_IF_ERROR(make_dir(app_cache_dir(local, user, app), 0710));
  }
  for (const std::string& log : log_dirs)
    RETURN_IF_ERROR(make_dir(app_log_dir(log, app), 0710));
  return {};
}

Result<void> make_missing_app_dirs(const std::string& local_dir,
                                   const std::vector<std::string>& log_dirs,
                                   const std::string& user, const AppId& app) {
  const auto there = [](const std::string& path) { return access(path.c_str(), F_OK) == 0; };
  const bool all =
      there(app_cache_dir(local_dir, user, app)) && there(local_dir + "/nmPrivate") &&
      std::ranges::all_of(log_dirs, [&](const auto& log) { return there(app_log_dir(log, app)); });
  if (all) return {};
  return make_app_dirs({local_dir}, log_dirs, user, app);
}

}  // namespace heddle::nm
