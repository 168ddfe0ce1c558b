#include "nodemanager/agent.h"

#include <fmt/core.h>

#include "base/log.h"
#include "nodemanager/launch/layout.h"

namespace heddle::nm {
namespace {

constexpr std::size_t kWaitingTasksMax = 100'000;
constexpr Duration kStopDeadline = std::chrono::seconds(15);

/// Puts an earlier run's directory aside, to be deleted while the node already works.
Result<std::string> put_aside(const std::string& path, WallTime now) {
  const std::string aside = fmt::format("{}_DEL_{}", path, now.ms);
  if (rename(path.c_str(), aside.c_str()) == 0) return aside;
  RETURN_IF_ERROR(remove_tree(path));
  return std::string();
}

}  // namespace

Agent::Agent(AgentConfig config, AgentParts parts)
    : config_(std::move(config)),
      parts_(std::move(parts)),
      total_(config_.total),
      fetchers_("localizer", config_.fetch_threads, kWaitingTasksMax),
      workers_("agent", config_.worker_threads, kWaitingTasksMax) {}

Agent::~Agent() {
  fetchers_.stop();
  workers_.stop();
}

Result<std::unique_ptr<Agent>> Agent::create(AgentConfig config, AgentParts parts) {
  std::unique_ptr<Agent> agent(new Agent(std::move(config), std::move(parts)));
  RETURN_IF_ERROR(agent->make_node_dirs());
  const CgroupSetup& setup = agent->config_.cgroups;
  if (setup.memory || setup.cpu || agent->config_.cgroups_required) {
    auto groups = open_cgroups(setup);
    if (groups) {
      agent->cgroups_ = *std::move(groups);
      log::info("cgroups: {}", agent->cgroups_->describe());
    } else if (agent->config_.cgroups_required) {
      return fail(std::move(groups).error().within("heddle.nodemanager.cgroups.enabled = true"));
    } else {
      log::warn("containers run without cgroups: {}", groups.error().message);
    }
  }
  return agent;
}

Result<void> Agent::make_node_dirs() {
  const WallTime at = now().wall;
  std::vector<std::string> left;
  for (const std::string& local : config_.local_dirs) {
    RETURN_IF_ERROR(make_dirs(local, 0755));
    for (const std::string& name : list_dir(local)) {
      if (name.find("_DEL_") != std::string::npos) left.push_back(local + "/" + name);
    }
    for (const char* name : {"usercache", "filecache", "nmPrivate"}) {
      auto aside = put_aside(local + "/" + name, at);
      if (!aside) return fail(std::move(aside).error());
      if (!aside->empty()) left.push_back(*std::move(aside));
    }
    RETURN_IF_ERROR(make_dir(local + "/usercache", 0755));
    RETURN_IF_ERROR(make_dir(local + "/filecache", 0755));
    RETURN_IF_ERROR(make_dir(local + "/nmPrivate", 0700));
  }
  for (const std::string& logs : config_.log_dirs)
    RETURN_IF_ERROR(make_dirs(logs, 0755));
  delete_now(std::move(left));
  const DiskCheck disks = check_disks(config_.local_dirs, config_.log_dirs, config_.disk_rules);
  good_local_dirs_ = disks.good_local_dirs;
  good_log_dirs_ = disks.good_log_dirs;
  health_ = {disks.healthy, disks.report, at};
  return {};
}

void Agent::add_service(AuxService* service) {
  services_.push_back(service);
}

void Agent::start(NodeId id, std::string http_host, std::int32_t http_port) {
  post([this, id = std::move(id), http_host = std::move(http_host), http_port]() mutable {
    id_ = std::move(id);
    http_port_ = http_port;
    http_address_ = fmt::format("{}:{}", http_host, http_port);
    started_ = now().wall;
    measured_at_ = now().instant;
    publish_facts();
    start_monitors();
    register_node();
  });
}

void Agent::stop(std::function<void()> done) {
  post([this, done = std::move(done)]() mutable {
    if (stopping_) return;
    stopping_ = true;
    on_stopped_ = std::move(done);
    stop_timer_ = parts_.loop->run_after(kStopDeadline, [this] {
      log::warn("stopping although {} applications are not finished", apps_.size());
      if (on_stopped_) std::exchange(on_stopped_, nullptr)();
    });
    std::vector<AppId> ids;
    for (const auto& [app_id, app] : apps_)
      ids.push_back(app_id);
    for (const AppId& app_id : ids)
      finish_app(app_id, "NodeManager is stopping");
    continue_stop();
  });
}

void Agent::continue_stop() {
  if (!stopping_ || !on_stopped_ || !apps_.empty() || unregistered_) return;
  unregistered_ = true;
  const bool known = link_state_ == LinkState::kBeating;
  link_state_ = LinkState::kOver;
  heartbeat_timer_ = {};
  const auto finished = [this] {
    if (on_stopped_) std::exchange(on_stopped_, nullptr)();
  };
  if (!known) return finished();
  parts_.link->unregister_node(id_, [this, finished](Result<void> result) {
    if (!result) log::warn("the ResourceManager was not told: {}", result.error().message);
    post(finished);
  });
}

}  // namespace heddle::nm
