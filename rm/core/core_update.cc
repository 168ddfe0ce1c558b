// Containers that change: their size and how firmly they are held. The reasons of refusals are
// those of Hadoop's RMServerUtils.
#include <algorithm>
#include <set>
#include <utility>

#include "rm/core/core.h"

namespace heddle::rm {
namespace {

constexpr std::string_view kUnknown = "INVALID_CONTAINER_ID";
constexpr std::string_view kOtherVersion = "INCORRECT_CONTAINER_VERSION_ERROR";
constexpr std::string_view kOutstanding = "UPDATE_OUTSTANDING_ERROR";
constexpr std::string_view kOutside = "RESOURCE_OUTSIDE_ALLOWED_RANGE";
// Ours: Hadoop's ResourceManager fails here.
constexpr std::string_view kOff =
    "OPPORTUNISTIC_CONTAINERS_OFF "
    "(yarn.resourcemanager.opportunistic-container-allocation.enabled)";
constexpr std::string_view kMaster = "APPLICATION_MASTER_IS_GUARANTEED";

constexpr bool changes_size(UpdateKind kind) {
  return kind == UpdateKind::kIncrease || kind == UpdateKind::kDecrease;
}

bool is_within(const Resources& asked, const Resources& maximum) {
  return asked.fits_in(maximum) &&
         std::ranges::all_of(asked.amount, [](std::int64_t amount) { return amount >= 0; });
}

/// Heartbeats carry memory and vcores only.
bool same_size(const Resources& told, const Resources& ours) {
  return told.memory_mb() == ours.memory_mb() && told.vcores() == ours.vcores();
}

}  // namespace

/// One by one: what is wrong with one update is no reason to refuse another.
std::vector<UpdateRefused> Core::take_updates(App& app, Attempt& attempt, const Allocate& request,
                                              Turn& turn) {
  std::vector<UpdateRefused> refused;
  std::set<ContainerId> taken;
  for (std::size_t i = 0; i < request.updates.size(); ++i) {
    const UpdateContainer& update = request.updates[i];
    const ContainerId& id = update.container;
    Container* container = attempt.containers.contains(id) ? find_container(id) : nullptr;
    // Of one that was not told yet nobody can know.
    if (container != nullptr && container->state == ContainerState::kAllocated) {
      container = nullptr;
    }
    std::string_view why;
    if (container == nullptr) {
      why = kUnknown;
    } else if (update.version != container->grant.version) {
      why = taken.contains(id) ? kOutstanding : kOtherVersion;
    } else if (taken.contains(id)) {
      why = kOutstanding;
    } else {
      why = take_update(app, attempt, *container, update, turn);
    }
    if (why.empty()) {
      taken.insert(id);
    } else {
      const std::int32_t version = container == nullptr ? -1 : container->grant.version;
      refused.push_back({id, std::string(why), version, i});
    }
  }
  return refused;
}

/// Why not; empty: it is done, or waits for room.
std::string_view Core::take_update(App& app, Attempt& attempt, Container& container,
                                   const UpdateContainer& update, Turn& turn) {
  if (!changes_size(update.kind)) return take_execution_type(app, attempt, container, update, turn);
  const QueuePath queue(app.queue);
  const auto facts = scheduler_.facts(queue);
  const Resources& maximum = facts ? facts->maximum_allocation : options_.limits.maximum;
  if (!update.resources || !is_within(*update.resources, maximum)) return kOutside;
  const Resources target = scheduler_.normalize(*update.resources, queue);
  return update.kind == UpdateKind::kIncrease
             ? take_increase(app, attempt, container, target)
             : take_decrease(app, attempt, container, target, turn);
}

/// What is smaller than now in one type stays as it is there.
std::string_view Core::take_increase(App&, Attempt& attempt, Container& container,
                                     const Resources& target) {
  const Resources& now = container.grant.resources;
  const Resources more = componentwise_max(target, now) - now;
  const bool counted = container.hold != 0;
  if (more.is_zero() || !counted) return kOutside;
  stop_growing(container);  // a later wish replaces an earlier one
  return wait_for_growth(attempt, container, more) ? "" : kUnknown;
}

std::string_view Core::take_decrease(App& app, Attempt& attempt, Container& container,
                                     const Resources& target, Turn& turn) {
  if (!target.fits_in(container.grant.resources)) return kOutside;
  stop_growing(container);
  set_size(app, container, target, turn.now);
  note_update(attempt, container, UpdateKind::kDecrease);
  return "";
}

std::string_view Core::take_execution_type(App& app, Attempt& attempt, Container& container,
                                           const UpdateContainer& update, Turn& turn) {
  const ExecutionType target = update.execution_type.value_or(update.kind == UpdateKind::kPromote
                                                                  ? ExecutionType::kGuaranteed
                                                                  : ExecutionType::kOpportunistic);
  GrantedContainer& mine = container.grant;
  if (target == mine.execution_type) return "";  // Hadoop says nothing either
  if (target == ExecutionType::kGuaranteed) {
    if (container.ticket != 0) return kOutstanding;
    return wait_for_growth(attempt, container, mine.resources) ? "" : kUnknown;
  }
  if (!options_.opportunistic.enabled) return kOff;
  if (mine.is_master) return kMaster;
  stop_growing(container);
  by_hold_.erase(container.hold);
  container.bare_hold = scheduler_.demote(std::exchange(container.hold, 0));
  queues_changed_ = true;
  note_release(mine, app, turn.now);
  app.losing.erase(mine.id);
  set_execution_type(app, container, target, turn.now);
  note_update(attempt, container, UpdateKind::kDemote);
  return "";
}

Result<void> Core::wait_for_growth(const Attempt& attempt, Container& container,
                                   const Resources& more) {
  const std::uint64_t ticket = ++last_ticket_;
  RETURN_IF_ERROR(
      scheduler_.ask_growth(attempt.id, {ticket, container.grant.node, container.hold, more,
                                         container.grant.priority, container.bare_hold}));
  container.ticket = ticket;
  growing_.emplace(ticket, container.grant.id);
  queues_changed_ = true;
  return {};
}

void Core::stop_growing(Container& container) {
  if (container.ticket == 0) return;
  scheduler_.cancel_growth(container.ticket);
  growing_.erase(std::exchange(container.ticket, 0));
  queues_changed_ = true;
}

/// There is room; the scheduler has taken it already.
void Core::take_growth(const queues::Grant& grant, Turn& turn) {
  const auto waiting = growing_.extract(grant.ticket);
  Container* container = waiting.empty() ? nullptr : find_container(waiting.mapped());
  Attempt* attempt = find_attempt(grant.attempt);
  if (container == nullptr) return scheduler_.release(grant.hold);  // it ended in this very turn
  if (attempt == nullptr) return;
  container->ticket = 0;
  App& app = *find_app(grant.attempt.app);
  GrantedContainer& mine = container->grant;
  if (container->hold == grant.hold) {
    mine.resources += grant.resources;
    charge(&app, container->node, mine.execution_type, grant.resources, turn.now);
    return note_update(*attempt, *container, UpdateKind::kIncrease);
  }
  container->hold = grant.hold;
  container->bare_hold = 0;  // its tags are those of the new one
  by_hold_[grant.hold] = mine.id;
  note_allocation(grant, mine.id, app, turn.now);
  set_execution_type(app, *container, ExecutionType::kGuaranteed, turn.now);
  note_update(*attempt, *container, UpdateKind::kPromote);
}

void Core::set_execution_type(App& app, Container& container, ExecutionType type, const Now& now) {
  GrantedContainer& mine = container.grant;
  charge(&app, container.node, mine.execution_type, Resources{} - mine.resources, now);
  mine.execution_type = type;
  charge(&app, container.node, type, mine.resources, now);
}

void Core::set_size(App& app, Container& container, const Resources& size, const Now& now) {
  GrantedContainer& mine = container.grant;
  charge(&app, container.node, mine.execution_type, size - mine.resources, now);
  mine.resources = size;
  if (container.hold != 0) scheduler_.resize_container(container.hold, size);
  queues_changed_ = true;
}

void Core::note_update(Attempt& attempt, Container& container, UpdateKind kind) {
  ++container.grant.version;
  touch(container);
  queues_changed_ = true;
  if (!is_final(attempt.state)) attempt.updated[container.grant.id] = kind;
}

void Core::tell_updates(Attempt& attempt, Allocated& answer, const Now& now) {
  for (const auto& [id, kind] : std::exchange(attempt.updated, {})) {
    Container* container = find_container(id);
    if (container == nullptr) continue;
    GrantedContainer& grant = container->grant;
    grant.token_expiry = token_expiry(now);
    if (attempt.nm_tokens_given.insert(grant.node).second) {
      answer.nm_tokens_for.push_back(grant.node);
    }
    answer.updated.push_back({kind, grant});
    if (container->state != ContainerState::kRunning) continue;  // it will be started with this
    if (!same_size(container->confirmed, grant.resources)) watch_start(id, *container, now);
    Node* node = find_node(grant.node);
    if (options_.update_by_heartbeat && node != nullptr) node->to_update[id] = kind;
  }
}

/// A node says how large one of its containers is.
void Core::note_told_size(Node& node, Container& container, const Resources& told, const Now& now) {
  const bool says_nothing = told.is_zero();
  if (says_nothing || container.state != ContainerState::kRunning) return;
  const Resources& ours = container.grant.resources;
  if (same_size(told, ours)) {
    container.confirmed = ours;
    return stop_watching(container);
  }
  if (container.watched) return;  // its AM may still tell the node
  const ContainerId& id = container.grant.id;
  const bool untold = [&] {
    const App* app = find_app(id.attempt.app);
    return app != nullptr && app->current() != nullptr && app->current()->updated.contains(id);
  }();
  if (untold) return;
  // It has more than it may have; or it was started with an earlier token, or never told.
  if (!told.fits_in(ours)) {
    container.grant.token_expiry = token_expiry(now);
    node.to_update[id] = UpdateKind::kDecrease;
  }
  watch_start(id, container, now);
}

/// Its AM was told and has not told the node: an increase is taken back, as if it had never been;
/// of anything else the node hears from here.
void Core::expire_update(Container& container, Turn& turn) {
  const ContainerId id = container.grant.id;
  App* app = find_app(id.attempt.app);
  Node* node = find_node(container.grant.node);
  if (app == nullptr || app->current() == nullptr || node == nullptr) return;
  Attempt& attempt = *app->current();
  const Resources& ours = container.grant.resources;
  if (container.confirmed.fits_in(ours) && container.confirmed != ours) {
    stop_growing(container);
    set_size(*app, container, container.confirmed, turn.now);
    note_update(attempt, container, UpdateKind::kDecrease);
    return;
  }
  container.grant.token_expiry = token_expiry(turn.now);
  node->to_update[id] = UpdateKind::kDecrease;
  watch_start(id, container, turn.now);
}

std::string Core::check_updates() const {
  std::size_t waiting = 0;
  for (const auto& [id, container] : containers_) {
    if (container.ticket == 0) continue;
    ++waiting;
    const auto found = growing_.find(container.ticket);
    if (found == growing_.end() || found->second != id) {
      return to_string(id) + " waits for room under the ticket of another";
    }
  }
  if (waiting != growing_.size()) return "room is waited for by containers that are gone";
  for (const auto& [id, app] : apps_) {
    const auto known = scheduler_.app(id);
    if (app.in_scheduler && known && known->used != app.used) {
      return to_string(id) + " uses other amounts than the scheduler counts";
    }
  }
  for (const auto& [id, node] : nodes_) {
    for (const auto& [container, kind] : node.to_update) {
      if (!node.containers.contains(container)) return to_string(container) + " is updated in vain";
    }
  }
  return {};
}

}  // namespace heddle::rm
