// The life of applications on this node: what each effect of the state table does.
#include <fmt/core.h>
#include <unistd.h>

#include "base/log.h"
#include "nodemanager/agent.h"
#include "nodemanager/launch/layout.h"
#include "nodemanager/localize/abandon.h"

namespace heddle::nm {

void Agent::raise(App& app, AppEvent event) {
  const AppTransition* row = find_transition(app.state, event);
  if (row == nullptr) {
    log::debug("{}: {} means nothing in {}", to_string(app.id), to_string(event),
               to_string(app.state));
    return;
  }
  app.state = row->to;
  publish(app);
  carry_out(app, row->effect);
}

void Agent::carry_out(App& app, AppEffect effect) {
  switch (effect) {
    case AppEffect::kNone: return;
    case AppEffect::kPrepare: return prepare(app);
    case AppEffect::kStart:
      for (const ContainerId& id : std::exchange(app.waiting, {})) {
        post([this, id] { init_container(id); });
      }
      return roll_later(app);
    case AppEffect::kKill: return kill_containers(app);
    case AppEffect::kCleanUp: return clean_up(app);
    case AppEffect::kLogs: return handle_logs(app);
  }
}

void Agent::prepare(App& app) {
  auto posted = workers_.post(
      [this, id = app.id, user = app.user, local = good_local_dirs_, logs = good_log_dirs_] {
        auto made = make_app_dirs(local, logs, user, id);
        post([this, id, user, error = made ? std::string() : made.error().message] {
          prepared(id, user, error);
        });
      });
  if (posted) return;
  post([this, id = app.id, user = app.user, error = posted.error().message] {
    prepared(id, user, error);
  });
}

void Agent::prepared(const AppId& id, const std::string& user, std::string error) {
  const auto found = apps_.find(id);
  if (found != apps_.end() && found->second.state == AppState::kIniting) {
    found->second.prepare_error = std::move(error);
    return raise(found->second, AppEvent::kInited);
  }
  // It ended meanwhile, and its directories may have been made after they were deleted.
  std::vector<std::string> paths;
  for (const std::string& local : config_.local_dirs)
    paths.push_back(app_dir(local, user, id));
  delete_now(std::move(paths));
  for (const std::string& logs : config_.log_dirs)
    ::rmdir(app_log_dir(logs, id).c_str());  // an empty one alone
}

void Agent::finish_app(const AppId& id, std::string reason) {
  const auto found = apps_.find(id);
  if (found == apps_.end()) return;
  App& app = found->second;
  app.finish_reason = std::move(reason);
  raise(app, app.live.empty() ? AppEvent::kFinishEmpty : AppEvent::kFinishWithContainers);
}

void Agent::kill_containers(App& app) {
  const std::vector<ContainerId> ids(app.live.begin(), app.live.end());
  const std::string reason = "Container killed on application-finish event: " + app.finish_reason;
  for (const ContainerId& id : ids) {
    const auto found = containers_.find(id);
    if (found != containers_.end()) {
      kill(found->second, exit_status::kKilledAfterAppCompletion, reason);
    }
  }
}

void Agent::clean_up(App& app) {
  for (AuxService* service : services_)
    service->stop_app(app.id);  // one that does not know it, or knows it from before, too
  cache_.forget_app(app.user + "/" + to_string(app.id));
  std::vector<std::string> paths;
  for (const std::string& local : config_.local_dirs) {
    paths.push_back(app_dir(local, app.user, app.id));
    paths.push_back(private_app_dir(local, app.id));
  }
  delete_later(std::move(paths), config_.delete_delay);
  raise(app, AppEvent::kCleanedUp);
}

void Agent::handle_logs(App& app) {
  if (!config_.log_aggregation || parts_.log_format == nullptr) {
    std::vector<std::string> paths;
    for (const std::string& logs : config_.log_dirs)
      paths.push_back(app_log_dir(logs, app.id));
    delete_later(std::move(paths), config_.log_retain);
    post([this, id = app.id] { drop(id); });
    return;
  }
  app.roll = {};
  app.logs_wait = app.rolling;  // both write the same temporary file
  if (app.logs_wait) return;
  log_reports_.push_back({app.id, "RUNNING", ""});
  auto posted = log_movers_.post([this, id = app.id, job = make_log_job(app)]() mutable {
    const AbandonScope scope(abandoned_);
    auto result = aggregate(std::move(job), *parts_.log_format, *parts_.files);
    post([this, id, result = std::move(result)]() mutable { logs_handled(id, std::move(result)); });
  });
  if (!posted) {
    post([this, id = app.id, error = std::move(posted).error()] { logs_handled(id, fail(error)); });
  }
}

AggregationJob Agent::make_log_job(const App& app) const {
  AggregationJob job;
  job.upload.app = app.id;
  job.upload.user = app.user;
  job.upload.node = id_;
  job.upload.view_acl = app.view_acl;
  job.upload.modify_acl = app.modify_acl;
  job.ended = app.ended;
  job.rules = app.log_rules;
  job.log_dirs = config_.log_dirs;
  job.remote_root = config_.remote_log_dir;
  job.suffix = config_.remote_log_suffix;
  job.own_user = config_.own_user;
  job.now = now().wall;
  job.names_with_time = config_.log_roll.count() > 0;
  return job;
}

bool Agent::logs_roll(const App& app) const {
  return config_.log_aggregation && parts_.log_format != nullptr && config_.log_roll.count() > 0 &&
         !app.log_rules.rolled_include_pattern.empty();
}

void Agent::roll_later(App& app) {
  if (config_.log_roll.count() <= 0) return;
  app.roll = parts_.loop->run_after(config_.log_roll, [this, id = app.id] { roll_logs(id); });
}

void Agent::roll_logs(const AppId& id) {
  const auto found = apps_.find(id);
  if (found == apps_.end() || found->second.state != AppState::kRunning) return;
  App& app = found->second;
  roll_later(app);
  if (app.rolling || !logs_roll(app)) return;
  AggregationJob job = make_log_job(app);
  job.rolled_files_max = config_.log_files_max;
  for (const ContainerId& live : app.live) {
    const Container& container = containers_.at(live);
    // By the policy it counts as one that ends well.
    if (!container.log_dirs.empty()) job.running.push_back({live, 0, container.grant.is_master});
  }
  auto posted = log_movers_.post([this, id, job = std::move(job)]() mutable {
    const AbandonScope scope(abandoned_);
    auto result = aggregate(std::move(job), *parts_.log_format, *parts_.files);
    post([this, id, result = std::move(result)] { logs_rolled(id, result); });
  });
  app.rolling = posted.has_value();
}

void Agent::logs_rolled(const AppId& id, const Result<void>& result) {
  App& app = apps_.at(id);
  app.rolling = false;
  if (!result) {
    log::warn("logs of {} were not moved, they will be with the next ones: {}", to_string(id),
              result.error().message);
  }
  log_reports_.push_back(
      {id, result ? "RUNNING" : "RUNNING_WITH_FAILURE", result ? "" : result.error().message});
  if (app.logs_wait) handle_logs(app);
}

void Agent::logs_handled(const AppId& id, Result<void> result) {
  std::vector<std::string> paths;
  for (const std::string& logs : config_.log_dirs)
    paths.push_back(app_log_dir(logs, id));
  if (result) {
    log_reports_.push_back({id, "SUCCEEDED", ""});
    delete_later(std::move(paths), config_.delete_delay);
  } else {
    log::error("logs of {} were not aggregated, they stay on this node for {} s: {}", to_string(id),
               config_.log_retain.count(), result.error().message);
    log_reports_.push_back({id, "FAILED", result.error().message});
    delete_later(std::move(paths), config_.log_retain);
  }
  drop(id);
  heartbeat_soon();
}

void Agent::drop(const AppId& id) {
  if (parts_.store != nullptr) remember(parts_.store->forget_app(id));
  apps_.erase(id);
  board_.remove_app(id);
  std::vector<ContainerId> told;
  for (const auto& [container_id, container] : containers_) {
    if (container_id.attempt.app == id && container.end_told) told.push_back(container_id);
  }
  for (const ContainerId& container : told)
    forget(container);
  continue_stop();
}

void Agent::publish(const App& app) {
  board_.set_app({app.id, app.state, app.user, {app.live.begin(), app.live.end()}});
}

void Agent::delete_later(std::vector<std::string> paths, std::chrono::seconds delay) {
  if (delay.count() <= 0) return delete_now(std::move(paths));
  const std::uint64_t number = next_timer_++;
  delete_timers_[number] = parts_.loop->run_after(delay, [this, number, paths = std::move(paths)] {
    delete_now(paths);
    post([this, number] { delete_timers_.erase(number); });
  });
}

void Agent::delete_now(std::vector<std::string> paths) {
  auto posted = deleters_.post([paths] {
    for (const std::string& path : paths) {
      if (auto removed = remove_tree(path); !removed) log::warn("{}", removed.error().message);
    }
  });
  if (!posted && !stopping_) delete_later(std::move(paths), std::chrono::seconds(10));
}

}  // namespace heddle::nm
