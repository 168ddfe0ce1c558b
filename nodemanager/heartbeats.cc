// Registration and heartbeats. Facts: wire facts "states", sections 6 and 7.
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "nodemanager/agent.h"

namespace heddle::nm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kRememberStopped = seconds(600);
constexpr std::size_t kLogReportsPerHeartbeat = 100;
constexpr Duration kShortestHeartbeat = milliseconds(10);

}  // namespace

void Agent::register_node() {
  link_state_ = LinkState::kRegistering;
  unanswered_.reset();
  for (auto& [id, container] : containers_)
    container.end_told = false;  // this ResourceManager may be another one
  Registration request;
  request.id = id_;
  request.http_port = http_port_;
  request.total = config_.total;
  request.version = config_.version;
  request.health = health_;
  for (const auto& [id, container] : containers_)
    request.containers.push_back(status_of(container));
  for (const auto& [id, app] : apps_) {
    if (app.state != AppState::kFinished) request.running_apps.push_back(id);
  }
  request.opportunistic = opportunistic_use();
  request.labels = config_.self_report.labels;
  request.attributes = config_.self_report.attributes;
  labels_told_at_ = attributes_told_at_ = now().instant;
  parts_.link->register_node(std::move(request), [this](Result<Registered> result) {
    post([this, result = std::move(result)]() mutable { registered(std::move(result)); });
  });
}

void Agent::registered(Result<Registered> result) {
  if (link_state_ != LinkState::kRegistering) return;
  if (!result) {
    return retry_later(result.error(), "registration", [this] { register_node(); });
  }
  if (result->shutdown) {
    return end(NodeEnd::kFailed, "the ResourceManager refused this node: " + result->diagnostics);
  }
  unreachable_since_.reset();
  retry_pause_ = Duration{0};
  rm_identifier_ = result->rm_identifier;
  response_id_ = 0;
  const auto take_key = [](security::TokenKeys& keys, std::int32_t& id, security::MasterKey key) {
    id = key.id;
    // After a restart of the ResourceManager older tokens stay good as far as its keys do.
    if (keys.current().id == key.id) return;
    keys.roll(std::move(key));
    keys.activate();
  };
  take_key(parts_.verifiers->container, container_key_id_, std::move(result->container_key));
  take_key(parts_.verifiers->nm, nm_key_id_, std::move(result->nm_key));
  total_ = result->total.value_or(config_.total);
  link_state_ = LinkState::kBeating;
  log::info("registered as {} with {} at ResourceManager {} ({})", to_string(id_),
            to_string(total_), rm_identifier_, result->rm_version);
  if (config_.self_report.labels) {
    note_acceptance("node label", result->labels_accepted, result->diagnostics, labels_refused_);
  }
  if (config_.self_report.attributes) {
    note_acceptance("node attributes", result->attributes_accepted, result->diagnostics,
                    attributes_refused_);
  }
  publish_facts();
  send_heartbeat();
}

void Agent::note_acceptance(std::string_view what, bool accepted, const std::string& why,
                            bool& refused) {
  if (accepted && refused) log::info("the {} is accepted by the ResourceManager now", what);
  if (!accepted && !refused) {
    log::error(
        "the {} is not accepted by the ResourceManager: {}", what,
        why.empty() ? "it takes none from nodes (yarn.node-labels.configuration-type)" : why);
  }
  refused = !accepted;
}

void Agent::schedule_heartbeat(Duration delay) {
  heartbeat_timer_ = parts_.loop->run_after(delay, [this] { send_heartbeat(); });
}

void Agent::heartbeat_soon() {
  if (link_state_ != LinkState::kBeating) return;
  if (in_flight_) {
    beat_again_ = true;
    return;
  }
  // One turn of the loop later, so that all that ends at the same moment goes together.
  schedule_heartbeat(Duration{0});
}

void Agent::send_heartbeat() {
  if (link_state_ != LinkState::kBeating || in_flight_) return;
  in_flight_ = true;
  beat_again_ = false;
  if (!unanswered_) fill_heartbeat();
  parts_.link->heartbeat(unanswered_->request, [this](Result<HeartbeatAnswer> result) {
    post([this, result = std::move(result)]() mutable { heartbeat_answered(std::move(result)); });
  });
}

void Agent::fill_heartbeat() {
  forget_old_containers();
  Unanswered& next = unanswered_.emplace(Unanswered{});
  Heartbeat& request = next.request;
  request.id = id_;
  request.response_id = response_id_;
  for (const auto& [id, container] : containers_) {
    const bool ended = container.state == ContainerState::kDone;
    // What runs is in every heartbeat: a Java ResourceManager takes what is missing for lost.
    if (ended && container.end_told) continue;
    if (ended) next.ends.push_back(id);
    request.containers.push_back(status_of(container));
  }
  request.health = health_;
  next.log_reports = std::min(log_reports_.size(), kLogReportsPerHeartbeat);
  request.log_reports.assign(log_reports_.begin(),
                             log_reports_.begin() + static_cast<std::ptrdiff_t>(next.log_reports));
  request.containers_utilization = containers_use_;
  request.node_utilization = node_use_;
  request.opportunistic = opportunistic_use();
  request.increased = std::exchange(increased_, {});
  request.container_key_id = container_key_id_;
  request.nm_key_id = nm_key_id_;
  const Instant at = now().instant;
  const SelfReport& self = config_.self_report;
  if (self.labels && at - labels_told_at_ >= self.labels_again) {
    request.labels = self.labels;
    labels_told_at_ = at;
  }
  if (self.attributes && at - attributes_told_at_ >= self.attributes_again) {
    request.attributes = self.attributes;
    attributes_told_at_ = at;
  }
}

void Agent::heartbeat_answered(Result<HeartbeatAnswer> result) {
  in_flight_ = false;
  if (link_state_ != LinkState::kBeating) return;
  if (!result) {
    return retry_later(result.error(), "heartbeat", [this] { send_heartbeat(); });
  }
  unreachable_since_.reset();
  retry_pause_ = Duration{0};
  last_update_ = now().wall;
  switch (result->action) {
    case HeartbeatAction::kShutdown:
      return end(NodeEnd::kDismissed,
                 "the ResourceManager ended this node: " + result->diagnostics);
    case HeartbeatAction::kResync:
      log::warn("registering again, containers are kept: {}", result->diagnostics);
      return register_node();
    case HeartbeatAction::kNormal: break;
  }
  if (unanswered_->request.labels) {
    note_acceptance("node label", result->labels_accepted, result->diagnostics, labels_refused_);
  }
  if (unanswered_->request.attributes) {
    note_acceptance("node attributes", result->attributes_accepted, result->diagnostics,
                    attributes_refused_);
  }
  heartbeat_taken();
  const Duration next = std::max<Duration>(result->next_heartbeat, kShortestHeartbeat);
  obey(*std::move(result));
  publish_facts();
  schedule_heartbeat(beat_again_ ? Duration{0} : next);
}

void Agent::heartbeat_taken() {
  const Unanswered taken = *std::exchange(unanswered_, std::nullopt);
  log_reports_.erase(log_reports_.begin(),
                     log_reports_.begin() + static_cast<std::ptrdiff_t>(taken.log_reports));
  for (const ContainerId& id : taken.ends) {
    const auto found = containers_.find(id);
    if (found == containers_.end()) continue;
    found->second.end_told = true;
    if (!apps_.contains(id.attempt.app)) forget(id);  // nobody will ask for it any more
  }
}

void Agent::obey(HeartbeatAnswer answer) {
  response_id_ = answer.response_id;
  const auto take_key = [](security::TokenKeys& keys, std::int32_t& id,
                           std::optional<security::MasterKey>& key) {
    if (!key || keys.current().id == key->id) return;
    id = key->id;
    keys.roll(*std::move(key));
    keys.activate();
  };
  take_key(parts_.verifiers->container, container_key_id_, answer.container_key);
  take_key(parts_.verifiers->nm, nm_key_id_, answer.nm_key);
  for (const ContainerId& id : answer.containers_to_forget)
    forget(id);
  for (const auto& [id, signal] : answer.signals) {
    const auto found = containers_.find(id);
    if (found != containers_.end()) send_signal(found->second, signal);
  }
  for (const ContainerGrant& target : answer.updates) {
    if (auto taken = take_update(target); !taken) log::warn("{}", taken.error().message);
  }
  if (answer.queue_limit) shorten_queue(*answer.queue_limit);
  for (const ContainerId& id : answer.containers_to_clean_up) {
    const auto found = containers_.find(id);
    if (found != containers_.end()) {
      kill(found->second, exit_status::kKilledByResourceManager,
           "Container Killed by ResourceManager");
    }
  }
  for (const AppId& id : answer.apps_to_clean_up) {
    finish_app(id, "Application killed by ResourceManager");
  }
}

void Agent::retry_later(const Error& error, std::string_view what, std::function<void()> again) {
  if (error.code == ErrorCode::kPermissionDenied || error.code == ErrorCode::kInvalidArgument) {
    return end(NodeEnd::kFailed,
               fmt::format("the ResourceManager refused the {}: {}", what, error.message));
  }
  const Instant at = now().instant;
  if (!unreachable_since_) {
    unreachable_since_ = at;
    log::warn("{} failed, containers run on, trying again: {}", what, error.message);
  }
  const bool limited = config_.connect_max_wait.count() >= 0;
  if (limited && at - *unreachable_since_ > config_.connect_max_wait) {
    return end(NodeEnd::kFailed, fmt::format("no ResourceManager for {} ms "
                                             "(yarn.resourcemanager.connect.max-wait.ms): {}",
                                             config_.connect_max_wait.count(), error.message));
  }
  retry_pause_ =
      std::clamp<Duration>(retry_pause_ * 2, milliseconds(200),
                           std::max<Duration>(config_.connect_interval, milliseconds(200)));
  heartbeat_timer_ = parts_.loop->run_after(retry_pause_, std::move(again));
}

void Agent::forget(const ContainerId& id) {
  const auto found = containers_.find(id);
  if (found == containers_.end() || found->second.state != ContainerState::kDone) return;
  if (parts_.store != nullptr && apps_.contains(id.attempt.app)) {
    remember(parts_.store->container_forgotten(id));
  }
  recently_stopped_[id] = found->second.done_at;
  containers_.erase(found);
  board_.remove_container(id);
}

void Agent::forget_old_containers() {
  const Instant oldest = now().instant - kRememberStopped;
  std::vector<ContainerId> old;
  for (const auto& [id, container] : containers_) {
    const bool told = container.state == ContainerState::kDone && container.end_told;
    if (told && container.done_at < oldest) old.push_back(id);
  }
  for (const ContainerId& id : old)
    forget(id);
  std::erase_if(recently_stopped_, [&](const auto& entry) { return entry.second < oldest; });
}

void Agent::end(NodeEnd how, const std::string& reason) {
  if (link_state_ == LinkState::kOver) return;
  link_state_ = LinkState::kOver;
  heartbeat_timer_ = {};
  how == NodeEnd::kFailed ? log::error("{}", reason) : log::info("{}", reason);
  if (parts_.on_end) parts_.on_end(how);
}

}  // namespace heddle::nm
