// From a container's launch context to its process, and from the process's end to what is said.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "nodemanager/agent.h"
#include "nodemanager/launch/layout.h"
#include "security/token.h"

namespace heddle::nm {
namespace {

constexpr std::int32_t kKilledCode = 137;
constexpr std::int32_t kTerminatedCode = 143;

/// Java gives out the whole array behind a buffer, 32 bytes at least; scripts were seen with it.
std::string metadata_variable(std::string metadata) {
  if (metadata.size() < 32) metadata.resize(32, '\0');
  return base64_encode(metadata);
}

std::string host_of(const NodeId& id) {
  return id.host;
}

}  // namespace

void Agent::take_disk(Container& container) {
  container.counters.ms = container.launch.resources.empty()
                              ? 0
                              : std::chrono::duration_cast<std::chrono::milliseconds>(
                                    now().instant - container.localizing_since)
                                    .count();
  container.disk = next_disk_++;
  container.local_dir = good_local_dirs_[container.disk % good_local_dirs_.size()];
  const std::size_t first = container.disk % good_log_dirs_.size();
  for (std::size_t i = 0; i < good_log_dirs_.size(); ++i) {
    container.log_dirs.push_back(
        log_dir(good_log_dirs_[(first + i) % good_log_dirs_.size()], container.id()));
  }
  board_.set_logs(container.id(), container.grant.user, container.log_dirs);
}

void Agent::launch_container(Container& container) {
  if (container.local_dir.empty()) {
    if (good_local_dirs_.empty() || good_log_dirs_.empty()) {
      container.exit_status = exit_status::kDisksFailed;
      note(container,
           "no local or log directory of this node can be used any more: " + health_.report);
      return raise(container, ContainerEvent::kExitedFailure);
    }
    take_disk(container);
  }
  container.starting = true;
  container.cancel_start = std::make_shared<std::atomic<bool>>(false);
  const ContainerId id = container.id();
  const std::uint32_t number = ++container.start_number;
  LaunchJob job = make_job(container);
  const std::string complaint_file = complaint_file_of(job);
  const std::string pid_file = pid_file_of(job);
  const std::string logs = job.script.log_dir;
  auto on_exit = [this, id, number, complaint_file, pid_file, logs](std::int32_t code) {
    auto report = [this, id, number, code, complaint_file, pid_file, logs] {
      end_what_lost_its_supervisor(id, pid_file);
      std::string text = code == 0 ? "" : exit_report(code, logs);
      if (cgroups_ != nullptr) {
        if (cgroups_->out_of_memory(id)) {
          text += "The kernel ended a process of the container: its memory limit was reached.\n";
        }
        if (auto removed = cgroups_->remove(id); !removed) log::warn("{}", removed.error().message);
      }
      post([this, id, number, code, text = std::move(text),
            complaint = read_tail(complaint_file, 4096)] {
        container_exited(id, number, code, text, complaint);
      });
    };
    if (workers_.post(report)) return;
    post(
        [this, id, number, code] { container_exited(id, number, code, exited_plainly(code), ""); });
  };
  auto posted =
      workers_.post([this, id, number, job = std::move(job), on_exit, local = container.local_dir,
                     user = container.grant.user, log_roots = good_log_dirs_]() mutable {
        Result<std::optional<pid_t>> result;
        auto ready = make_missing_app_dirs(local, log_roots, user, id.attempt.app);
        result = ready ? nm::launch(std::move(job), processes_, cgroups_.get(), on_exit)
                       : fail(std::move(ready).error());
        post([this, id, number, result = std::move(result)]() mutable {
          container_started(id, number, std::move(result));
        });
      });
  if (posted) return;
  post([this, id, number, error = std::move(posted).error()] {
    container_started(id, number, fail(error));
  });
}

void Agent::end_what_lost_its_supervisor(const ContainerId& id, const std::string& pid_file) const {
  if (read_number_file(pid_file + ".exitcode")) return;  // it has ended them, and then written that
  const EndedLeftovers ended = end_leftovers({{id, pid_file, {}}}, config_.kill_delay);
  if (ended.strays == 0) return;
  log::warn("the supervisor of container {} was killed: {} processes of the container ended",
            to_string(id), ended.strays);
}

LaunchJob Agent::make_job(Container& container) {
  const std::string& logs = container.log_dirs.front();
  LaunchJob job;
  job.id = container.id();
  job.work_dir = work_dir(container.local_dir, container.grant.user, container.id());
  job.private_dir = private_dir(container.local_dir, container.id());
  job.log_dirs = container.log_dirs;
  job.credentials = container.launch.credentials.empty()
                        ? security::encode_credentials(security::Credentials{})
                        : container.launch.credentials;
  container.launched_with = container.grant.resources;
  job.limits = {container.grant.resources.memory_mb(), container.grant.resources.vcores()};
  job.cancelled = container.cancel_start;
  LaunchScript& script = job.script;
  script.log_dir = logs;
  if (config_.keep_debug_files) script.debug_program = config_.debug_program;
  script.node = node_variables(container, job.work_dir);
  script.container = container_variables(container);
  std::set<std::string_view> own;
  for (const auto& [name, value] : container.launch.environment)
    own.insert(name);
  for (const auto& [name, value] : config_.inherited_environment) {
    if (!own.contains(name)) script.inherited.emplace_back(name, value);
  }
  for (const Container::Resource& resource : container.resources) {
    script.links.emplace_back(resource.path, resource.link);
  }
  for (const std::string& command : container.launch.commands) {
    script.commands.push_back(expand_tokens(command, logs, config_.java_17));
  }
  job.process.supervisor = config_.supervisor;
  job.process.grace_ms = config_.kill_delay.count();
  for (const auto& [name, value] : script.inherited) {
    job.process.environment.push_back(fmt::format("{}={}", name, value));
  }
  return job;
}

Variables Agent::node_variables(const Container& container, const std::string& pwd) const {
  const std::string& user = container.grant.user;
  std::vector<std::string> app_dirs;
  std::vector<std::string> user_dirs;
  for (const std::string& local : good_local_dirs_) {
    app_dirs.push_back(app_dir(local, user, container.app()));
    user_dirs.push_back(user_dir(local, user) + "/");
  }
  const Container::Counters& counters = container.counters;
  Variables variables{{"HADOOP_TOKEN_FILE_LOCATION", pwd + "/container_tokens"},
                      {"CONTAINER_ID", to_string(container.id())},
                      {"NM_PORT", std::to_string(id_.port)},
                      {"NM_HOST", host_of(id_)},
                      {"NM_HTTP_PORT", std::to_string(http_port_)},
                      {"LOCAL_DIRS", join(app_dirs, ",")},
                      {"LOCAL_USER_DIRS", join(user_dirs, ",")},
                      {"LOG_DIRS", join(container.log_dirs, ",")},
                      {"USER", user},
                      {"LOGNAME", user},
                      {"HOME", config_.user_home},
                      {"PWD", pwd},
                      {"LOCALIZATION_COUNTERS",
                       fmt::format("{},{},{},{},{}", counters.bytes_missed, counters.bytes_cached,
                                   counters.files_missed, counters.files_cached, counters.ms)},
                      {"JVM_PID", "$$"}};
  for (const AuxService* service : services_) {
    variables.emplace_back(fmt::format("NM_AUX_SERVICE_{}", service->name()),
                           metadata_variable(service->metadata()));
  }
  return variables;
}

Variables Agent::container_variables(const Container& container) const {
  static const std::set<std::string_view> kOfTheNode{"HADOOP_TOKEN_FILE_LOCATION",
                                                     "CONTAINER_ID",
                                                     "NM_PORT",
                                                     "NM_HOST",
                                                     "NM_HTTP_PORT",
                                                     "LOCAL_DIRS",
                                                     "LOCAL_USER_DIRS",
                                                     "LOG_DIRS",
                                                     "USER",
                                                     "LOGNAME",
                                                     "HOME",
                                                     "PWD",
                                                     "LOCALIZATION_COUNTERS",
                                                     "JVM_PID"};
  Variables variables;
  std::set<std::string> names;
  for (const auto& [name, value] : container.launch.environment) {
    if (kOfTheNode.contains(name) || name.starts_with("NM_AUX_SERVICE_")) continue;
    if (!names.insert(name).second) continue;
    variables.emplace_back(name, expand_tokens(value, container.log_dirs.front(), config_.java_17));
  }
  for (const auto& [name, value] : config_.admin_environment) {
    if (names.insert(name).second) variables.emplace_back(name, value);
  }
  if (!config_.force_path.empty()) {
    const auto path = std::ranges::find(variables, "PATH", &Variables::value_type::first);
    if (path != variables.end()) {
      path->second = config_.force_path + ":" + path->second;
    } else {
      variables.emplace_back("PATH", config_.force_path + ":$PATH");
    }
  }
  return order_by_use(std::move(variables));
}

void Agent::container_started(const ContainerId& id, std::uint32_t number,
                              Result<std::optional<pid_t>> result) {
  const auto found = containers_.find(id);
  if (found == containers_.end() || found->second.start_number != number) return;
  Container& container = found->second;
  if (!container.starting) return;  // its end was faster than this message
  container.starting = false;
  if (!result) {
    note(container, launch_exception(id, -1, result.error().message));
    if (container.kill_status == 0) container.exit_status = -1;
    return raise(container, ContainerEvent::kExitedFailure);
  }
  if (!result->has_value()) return clean_up(container);  // cancelled
  container.supervisor = **result;
  container.started = now().instant;
  if (container.launched_with != container.grant.resources) limit_again(container);
  raise(container, ContainerEvent::kLaunched);
}

void Agent::container_exited(const ContainerId& id, std::uint32_t number, std::int32_t code,
                             const std::string& report, const std::string& complaint) {
  const auto found = containers_.find(id);
  if (found == containers_.end() || found->second.start_number != number) return;
  Container& container = found->second;
  if (container.starting) {
    container.starting = false;
    raise(container, ContainerEvent::kLaunched);
  }
  container.supervisor = -1;
  const bool killed_here = container.state == ContainerState::kKilling;
  if (code == 0) {
    container.exit_status = 0;
    return raise(container, ContainerEvent::kExitedSuccess);
  }
  if (container.kill_status == 0) container.exit_status = code;
  if (code == kKilledCode || code == kTerminatedCode) {
    note(container, killed_on_request(code));
    note(container, exited_plainly(code));
    if (!killed_here) note(container, "Killed by external signal");
    const bool said_more = report.find("memory limit was reached") != std::string::npos;
    if (said_more)
      note(container,
           fmt::format("Memory limit of {} MB: {}", container.grant.resources.memory_mb(), report));
    return raise(container, ContainerEvent::kExitedBySignal);
  }
  note(container, launch_exception(id, code, complaint));
  const bool has_policy = container.launch.retry.policy != RetryPolicy::kNever;
  if (has_policy) note(container, "Diagnostic message from attempt : ");
  note(container, report);
  if (!killed_here && takes_retry(container, code)) {
    return raise(container, ContainerEvent::kExitedRetry);
  }
  note(container, report);  // once for the try, once for the end: clients see it twice
  raise(container, ContainerEvent::kExitedFailure);
}

bool Agent::takes_retry(Container& container, std::int32_t code) {
  const Retry& retry = container.launch.retry;
  const bool by_policy = retry.policy == RetryPolicy::kOnAllErrors ||
                         (retry.policy == RetryPolicy::kOnSpecificErrors &&
                          std::ranges::find(retry.error_codes, code) != retry.error_codes.end());
  if (!by_policy) return false;
  if (retry.retries_max < 0) return true;
  if (retry.failures_validity_ms <= 0) return container.retries_used++ < retry.retries_max;
  const Instant at = now().instant;
  const Instant oldest = at - std::chrono::milliseconds(retry.failures_validity_ms);
  std::deque<Instant>& failures = container.failures;
  while (!failures.empty() && failures.front() < oldest)
    failures.pop_front();
  if (failures.size() >= static_cast<std::size_t>(retry.retries_max)) return false;
  failures.push_back(at);
  return true;
}

}  // namespace heddle::nm
