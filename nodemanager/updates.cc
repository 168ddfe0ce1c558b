// Containers that change while they run: their size and how firmly they are held. The texts are
// those of Hadoop.
#include <fmt/core.h>

#include "base/log.h"
#include "nodemanager/agent.h"

namespace heddle::nm {
namespace {

Failure update_refused(ErrorCode code, std::string why) {
  return fail(code, std::move(why), ErrorSubject::kContainer);
}

}  // namespace

void Agent::update(const AttemptId& attempt, ContainerGrant target, ReplyTo<void> reply) {
  post([this, attempt, target = std::move(target), reply = std::move(reply)] {
    auto taken = check_update(attempt, target);
    if (taken) taken = take_update(target);
    reply(std::move(taken));
  });
}

Result<void> Agent::check_update(const AttemptId& attempt, const ContainerGrant& target) const {
  if (stopping_) {
    return update_refused(ErrorCode::kUnavailable,
                          "Unable to change container resource as the NodeManager is in the "
                          "process of shutting down");
  }
  if (attempt.app != target.id.attempt.app) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("Unauthorized request to increase container resource. \nNMToken for "
                            "application attempt : {} was used for increasing resource of a "
                            "container of application attempt : {}",
                            to_string(attempt), to_string(target.id.attempt)),
                ErrorSubject::kToken);
  }
  const std::int64_t now_ms = now().wall.ms;
  if (target.expiry.ms < now_ms) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("Unauthorized request to increase container resource. \nThis token is "
                            "expired. current time is {} found {}\nNote: System times on machines "
                            "may be out of sync. Check system time and time zones.",
                            now_ms, target.expiry.ms),
                ErrorSubject::kToken);
  }
  return {};
}

Result<void> Agent::take_update(const ContainerGrant& target) {
  const std::string text = to_string(target.id);
  const auto found = containers_.find(target.id);
  if (found == containers_.end()) {
    return update_refused(
        ErrorCode::kNotFound,
        recently_stopped_.contains(target.id)
            ? fmt::format("Container {} was recently stopped on node manager.", text)
            : fmt::format("Container {} is not handled by this NodeManager", text));
  }
  Container& container = found->second;
  ContainerGrant& mine = container.grant;
  if (target.version <= mine.version) {
    return update_refused(
        ErrorCode::kWrongState,
        fmt::format("Container {} has update version [{}] >= requested version [{}]", text,
                    mine.version, target.version));
  }
  if (container.kill_status != 0 || container.state > ContainerState::kRelaunching) {
    return update_refused(
        ErrorCode::kWrongState,
        fmt::format("Container {} is {} and cannot be updated", text, to_string(container.state)));
  }
  const bool was_opportunistic = mine.opportunistic;
  const Resources before = mine.resources;
  mine.resources = target.resources;
  mine.opportunistic = target.opportunistic;
  mine.version = target.version;
  if (before != mine.resources) {
    if (before.fits_in(mine.resources)) increased_.emplace_back(target.id, mine.resources);
    if (container.supervisor >= 0) limit_again(container);
  }
  log::info("container {} is {} and {} now, before {}", text, to_string(mine.resources),
            mine.opportunistic ? "opportunistic" : "guaranteed", to_string(before));
  publish(container);
  room_changed(container, was_opportunistic);
  heartbeat_soon();
  return {};
}

/// The kernel's limits; those of the memory monitor are looked at in each round.
void Agent::limit_again(Container& container) {
  container.launched_with = container.grant.resources;
  if (cgroups_ == nullptr) return;
  const CgroupLimits limits{container.grant.resources.memory_mb(),
                            container.grant.resources.vcores()};
  auto posted = workers_.post([this, id = container.id(), limits] {
    if (auto done = cgroups_->resize(id, limits); !done) {
      log::warn("container {} keeps its former limit: {}", to_string(id), done.error().message);
    }
  });
  if (!posted) log::warn("{}", posted.error().message);
}

}  // namespace heddle::nm
