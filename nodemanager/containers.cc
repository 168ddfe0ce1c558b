// The life of containers: what each effect of the state table does.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/log.h"
#include "nodemanager/agent.h"
#include "nodemanager/launch/layout.h"

namespace heddle::nm {
namespace {

/// Java's exception class for what went wrong while fetching; the text that people search for.
std::string_view exception_of(const Error& error) {
  return error.code == ErrorCode::kNotFound ? "java.io.FileNotFoundException"
                                            : "java.io.IOException";
}

std::string fetch_failure_text(const ResourceKey& key, const Error& error) {
  if (key.visibility == Visibility::kPublic) {
    const std::string_view type = key.type == ResourceType::kFile      ? "FILE"
                                  : key.type == ResourceType::kArchive ? "ARCHIVE"
                                                                       : "PATTERN";
    return fmt::format("Failed to download resource {{ {{ {}, {}, {}, {} }},DOWNLOADING}} {}: {}",
                       key.url, key.timestamp_ms, type, key.pattern.empty() ? "null" : key.pattern,
                       exception_of(error), error.message);
  }
  return fmt::format("{}\n{}: {}\n", error.message, exception_of(error), error.message);
}

/// The folder for resources of this visibility: a disk that has just become usable has none.
Result<void> make_cache_dir(const std::string& local, Visibility visibility,
                            const std::string& user, const AppId& app) {
  switch (visibility) {
    case Visibility::kPublic: return make_node_dirs(local);
    case Visibility::kPrivate: return make_user_dirs(local, user);
    case Visibility::kApplication: return make_missing_app_dirs(local, {}, user, app);
  }
  std::abort();
}

}  // namespace

void Agent::raise(Container& container, ContainerEvent event) {
  const ContainerTransition* row = find_transition(container.state, event);
  if (row == nullptr) {
    log::debug("container {}: {} means nothing in {}", to_string(container.id()), to_string(event),
               to_string(container.state));
    return;
  }
  log::debug("container {}: {} -> {} by {}", to_string(container.id()), to_string(row->from),
             to_string(row->to), to_string(event));
  container.state = row->to;
  publish(container);
  carry_out(container, row->effect);
}

void Agent::carry_out(Container& container, ContainerEffect effect) {
  switch (effect) {
    case ContainerEffect::kNone:
    case ContainerEffect::kNoteLaunched: return;
    case ContainerEffect::kLocalize: return localize(container);
    case ContainerEffect::kLaunch: return ask_for_room(container);
    case ContainerEffect::kRelaunchLater:
      container.relaunch = parts_.loop->run_after(
          std::max(std::chrono::milliseconds(container.launch.retry.interval_ms),
                   config_.retry_interval_min),
          [this, id = container.id()] {
            const auto found = containers_.find(id);
            if (found != containers_.end() && found->second.state == ContainerState::kRelaunching) {
              launch_container(found->second);
            }
          });
      return;
    case ContainerEffect::kStopBeforeStart:
    case ContainerEffect::kCleanUp: return clean_up(container);
    case ContainerEffect::kStopProcess: return stop_process(container);
    case ContainerEffect::kFinish: return finish(container);
  }
}

void Agent::init_container(const ContainerId& id) {
  const auto found = containers_.find(id);
  if (found == containers_.end() || found->second.state != ContainerState::kNew) return;
  Container& container = found->second;
  App& app = apps_.at(container.app());
  auto ready = init_services(container, app);
  if (!app.prepare_error.empty()) ready = fail(ErrorCode::kInternal, app.prepare_error);
  if (good_local_dirs_.empty() || good_log_dirs_.empty()) {
    container.exit_status = exit_status::kDisksFailed;
    ready = fail(ErrorCode::kUnavailable,
                 "no local or log directory of this node can be used: " + health_.report);
  }
  if (!ready) {
    note(container, ready.error().message);
    return raise(container, ContainerEvent::kInitFailed);
  }
  raise(container, container.launch.resources.empty() ? ContainerEvent::kInitNothingToFetch
                                                      : ContainerEvent::kInit);
}

Result<void> Agent::init_services(Container& container, App& app) {
  for (const auto& [name, data] : container.launch.service_data) {
    if (app.services.contains(name)) continue;
    for (AuxService* service : services_) {
      if (service->name() != name) continue;
      RETURN_IF_ERROR(service->init_app(app.user, app.id, data));
      app.services.insert(name);
    }
  }
  return {};
}

void Agent::localize(Container& container) {
  const Instant at = now().instant;
  container.localizing_since = at;
  for (const auto& [link, resource] : container.launch.resources) {
    ResourceKey key = key_of(resource, container.grant.user, container.app());
    auto found = cache_.acquire(key, container.id(), at);
    if (found.state == ResourceCache::State::kReady && is_lost(found.path)) {
      found = cache_.renew(key);
    }
    if (found.state == ResourceCache::State::kReady) {
      ++container.counters.files_cached;
      container.counters.bytes_cached += found.size;
    } else {
      ++container.counters.files_missed;
      ++container.resources_missing;
    }
    if (found.is_new) fetch_resource(key, resource, found.number, container);
    container.resources.push_back({link, std::move(key), found.path});
  }
  if (container.resources_missing == 0) raise(container, ContainerEvent::kAllLocalized);
}

/// Its disk is not good any more, or it was deleted.
bool Agent::is_lost(const std::string& path) const {
  const bool on_good_disk = std::ranges::any_of(
      good_local_dirs_, [&](const std::string& local) { return path.starts_with(local + "/"); });
  return !on_good_disk || access(path.c_str(), F_OK) != 0;
}

void Agent::fetch_resource(const ResourceKey& key, const LocalResource& resource,
                           std::int64_t number, const Container& container) {
  const auto pick = static_cast<std::size_t>(number) % good_local_dirs_.size();
  const std::string& local = good_local_dirs_[pick];
  const std::string& user = container.grant.user;
  const std::string parent = key.visibility == Visibility::kPublic ? public_cache_dir(local)
                             : key.visibility == Visibility::kPrivate
                                 ? user_cache_dir(local, user)
                                 : app_cache_dir(local, user, container.app());
  const auto given_up = std::make_shared<std::atomic<bool>>(false);
  fetching_[number] = given_up;
  FetchJob job{
      resource, user, fmt::format("{}/{}", parent, number), config_.unpacker, config_.unpack_limits,
      given_up};
  const AppId app = container.app();
  auto posted = fetchers_.post(user, [this, key, number, app, local, job = std::move(job)] {
    Result<Fetched> result = fail(ErrorCode::kUnavailable, "not wanted any more");
    if (!*job.abandoned) {
      auto ready = make_cache_dir(local, key.visibility, job.user, app);
      result = ready ? fetch(job, *parts_.files, *parts_.clock) : fail(std::move(ready).error());
    }
    post([this, key, number, app, result = std::move(result)]() mutable {
      resource_fetched(key, number, app, std::move(result));
    });
  });
  if (!posted) {
    post([this, key, number, app, error = std::move(posted).error()] {
      resource_fetched(key, number, app, fail(error));
    });
  }
}

/// Nobody waits for what was fetched: whoever wanted it was killed, its application may have ended.
void Agent::drop_late(const ResourceKey& key, const AppId& app, const Result<Fetched>& result) {
  std::vector<std::string> paths;
  if (result) paths.push_back(result->path.substr(0, result->path.rfind('/')));
  const auto owner = apps_.find(app);
  const bool ended = owner == apps_.end() || owner->second.state >= AppState::kResourcesCleaningUp;
  if (key.visibility == Visibility::kApplication && ended) {
    const std::string user = key.scope.substr(0, key.scope.rfind('/'));
    for (const std::string& local : config_.local_dirs)
      paths.push_back(app_dir(local, user, app));  // made again after it was deleted
  }
  if (!paths.empty()) delete_later(std::move(paths), config_.delete_delay);
}

void Agent::resource_fetched(const ResourceKey& key, std::int64_t number, const AppId& app,
                             Result<Fetched> result) {
  fetching_.erase(number);
  if (!cache_.is_fetching(key, number)) return drop_late(key, app, result);
  std::vector<ContainerId> waiting;
  if (result) {
    const std::string folder = result->path.substr(0, result->path.rfind('/'));
    waiting = cache_.fetched(key, result->path, folder, result->size);
  } else {
    waiting = cache_.failed(key);
  }
  for (const ContainerId& id : waiting) {
    const auto found = containers_.find(id);
    if (found == containers_.end()) continue;
    Container& container = found->second;
    if (container.state != ContainerState::kLocalizing) continue;
    if (!result) {
      note(container, fetch_failure_text(key, result.error()));
      raise(container, ContainerEvent::kResourceFailed);
      continue;
    }
    for (Container::Resource& resource : container.resources) {
      if (!resource.path.empty() || resource.key != key) continue;
      resource.path = result->path;
      container.counters.bytes_missed += result->size;
      --container.resources_missing;
    }
    if (container.resources_missing == 0) raise(container, ContainerEvent::kAllLocalized);
  }
}

void Agent::kill(Container& container, std::int32_t status, std::string_view reason) {
  if (find_transition(container.state, ContainerEvent::kKill) == nullptr) return;
  container.kill_status = status;
  container.exit_status = status;
  note(container, reason);
  log::info("container {}: {}", to_string(container.id()), reason);
  raise(container, ContainerEvent::kKill);
}

void Agent::stop_process(Container& container) {
  if (container.supervisor >= 0) {
    processes_.request(container.supervisor, ProcessRequest::kStop);
  } else if (container.starting) {
    container.cancel_start->store(true);
  } else {
    container.relaunch = {};
    clean_up(container);  // between two tries: there is no process
  }
}

void Agent::clean_up(Container& container) {
  const Instant at = now().instant;
  for (const Container::Resource& resource : container.resources) {
    const auto unwanted = cache_.release(resource.key, container.id(), at);
    const auto fetching = fetching_.find(unwanted.value_or(-1));
    if (fetching != fetching_.end()) *fetching->second = true;
  }
  if (!container.local_dir.empty()) {
    delete_later({work_dir(container.local_dir, container.grant.user, container.id()),
                  private_dir(container.local_dir, container.id())},
                 config_.delete_delay);
  }
  raise(container, ContainerEvent::kCleanedUp);
}

void Agent::finish(Container& container) {
  container.done_at = now().instant;
  container.launch = {};  // what it needed, its credentials among it, is not needed any more
  container.resources.clear();
  cpu_ticks_.erase(container.id());
  leave_room(container);
  publish(container);
  log::info("container {} ended with {}", to_string(container.id()), container.exit_status);
  if (parts_.store != nullptr) {
    remember(parts_.store->container_ended(container.id(), container.exit_status));
  }
  heartbeat_soon();
  const auto found = apps_.find(container.app());
  if (found == apps_.end()) return;
  App& app = found->second;
  app.live.erase(container.id());
  if (!container.log_dirs.empty()) {
    app.ended.push_back({container.id(), container.exit_status, container.grant.is_master});
  }
  const bool last = app.live.empty() && app.state == AppState::kFinishingContainersWait;
  raise(app, last ? AppEvent::kLastContainerDone : AppEvent::kContainerDone);
  if (keeps_apps_) continue_stop();
}

void Agent::note(Container& container, std::string_view text) {
  container.diagnostics.add(now().wall, text);
}

ContainerStatus Agent::status_of(const Container& container) const {
  ContainerStatus status;
  status.id = container.id();
  status.state = container.state;
  status.exit_status = container.exit_status;
  status.diagnostics = container.diagnostics.text();
  status.resources = container.grant.resources;
  status.priority = container.grant.priority;
  status.created = container.grant.created;
  status.user = container.grant.user;
  status.is_master = container.grant.is_master;
  status.opportunistic = container.grant.opportunistic;
  status.version = container.grant.version;
  return status;
}

void Agent::publish(const Container& container) {
  board_.set_container(status_of(container));
}

}  // namespace heddle::nm
