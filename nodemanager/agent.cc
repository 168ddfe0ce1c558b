#include "nodemanager/agent.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "nodemanager/launch/layout.h"

namespace heddle::nm {
namespace {

constexpr std::size_t kWaitingTasksMax = 100'000;
constexpr Duration kStopDeadline = std::chrono::seconds(15);

}  // namespace

Agent::Agent(AgentConfig config, AgentParts parts)
    : config_(std::move(config)),
      parts_(std::move(parts)),
      total_(config_.total),
      fetchers_({.running_per_user = config_.fetch_threads,
                 .running = std::max<std::size_t>(64, 4 * config_.fetch_threads)}),
      deleters_("deletion", config_.worker_threads, kWaitingTasksMax),
      log_movers_("log", config_.worker_threads, kWaitingTasksMax),
      workers_("agent", config_.worker_threads, kWaitingTasksMax) {}

Agent::~Agent() {
  abandoned_ = true;
  for (const auto& [number, given_up] : fetching_)
    *given_up = true;
  for (const auto& [id, container] : containers_) {
    if (container.cancel_start != nullptr) *container.cancel_start = true;
  }
  fetchers_.stop();
  log_movers_.stop();
  workers_.stop();
  deleters_.stop();
  processes_.stop();  // what it tells goes to the workers
}

Result<std::unique_ptr<Agent>> Agent::create(AgentConfig config, AgentParts parts) {
  std::unique_ptr<Agent> agent(new Agent(std::move(config), std::move(parts)));
  agent->end_earlier_containers();
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
  agent->remove_earlier_cgroups();
  agent->restore_apps();
  return agent;
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
    if (!earlier_logs_.empty()) delete_later(std::exchange(earlier_logs_, {}), config_.log_retain);
    for (auto& [app_id, app] : apps_)
      raise(app, AppEvent::kInit);
    register_node();
  });
}

void Agent::stop(std::function<void()> done) {
  post([this, done = std::move(done)]() mutable {
    if (stopping_) return;
    stopping_ = true;
    if (http_address_.empty()) return done();  // it never began: what it found is the next one's
    on_stopped_ = std::move(done);
    stop_timer_ = parts_.loop->run_after(kStopDeadline, [this] {
      log::warn("stopping although {} applications are not finished", apps_.size());
      if (on_stopped_) std::exchange(on_stopped_, nullptr)();
    });
    // A node that the ResourceManager has ended has nothing to go on with.
    keeps_apps_ = config_.supervised && parts_.store != nullptr && link_state_ != LinkState::kOver;
    keeps_apps_ ? cut_off_containers() : finish_apps();
    continue_stop();
  });
}

void Agent::finish_apps() {
  std::vector<AppId> ids;
  for (const auto& [app_id, app] : apps_)
    ids.push_back(app_id);
  for (const AppId& app_id : ids)
    finish_app(app_id, "NodeManager is stopping");
}

void Agent::cut_off_containers() {
  std::vector<ContainerId> ids;
  for (const auto& [id, container] : containers_)
    ids.push_back(id);
  for (const ContainerId& id : ids) {
    kill(containers_.at(id), exit_status::kAborted,
         "Container ended because the NodeManager is started again.");
  }
}

void Agent::continue_stop() {
  if (!stopping_ || !on_stopped_ || unregistered_) return;
  const bool over =
      keeps_apps_
          ? std::ranges::all_of(apps_, [](const auto& entry) { return entry.second.live.empty(); })
          : apps_.empty();
  if (!over) return;
  unregistered_ = true;
  const bool known = link_state_ == LinkState::kBeating;
  link_state_ = LinkState::kOver;
  heartbeat_timer_ = {};
  const auto finished = [this] {
    if (on_stopped_) std::exchange(on_stopped_, nullptr)();
  };
  if (!known || keeps_apps_) return finished();  // the next agent goes on as this node
  parts_.link->unregister_node(id_, [this, finished](Result<void> result) {
    if (!result) log::warn("the ResourceManager was not told: {}", result.error().message);
    post(finished);
  });
}

}  // namespace heddle::nm
