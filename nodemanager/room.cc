// Who starts at once, who waits, and who has to go (Hadoop's ContainerScheduler). What is
// guaranteed starts at once where nothing opportunistic is in its way: the ResourceManager has
// counted it. Opportunistic containers start where there is room, wait in a queue of limited
// length, and go, the newest first, when something guaranteed needs their room.
#include <fmt/core.h>

#include "base/log.h"
#include "nodemanager/agent.h"

namespace heddle::nm {

void Agent::ask_for_room(Container& container) {
  if (!container.grant.opportunistic) {
    wait_for_room(container);
    start_waiting();
    make_room();
    return;
  }
  if (waiting_opportunistic_.size() >= config_.opportunistic_queue_max) {
    return kill(container, exit_status::kKilledByContainerScheduler,
                "Opportunistic container queue is full.");
  }
  wait_for_room(container);
  start_waiting();
}

void Agent::wait_for_room(Container& container) {
  container.room = Container::Room::kWaits;
  container.turn = ++next_turn_;
  (container.grant.opportunistic ? waiting_opportunistic_ : waiting_)
      .emplace(container.turn, container.id());
}

void Agent::stop_waiting(Container& container) {
  waiting_.erase(container.turn);
  waiting_opportunistic_.erase(container.turn);
  container.room = Container::Room::kNone;
}

bool Agent::has_room_for(const Container& container) const {
  const Resources then = room_taken_ + container.grant.resources;
  if (then.fits_in(total_)) return true;
  return !container.grant.opportunistic && running_opportunistic_.empty();
}

/// In order: the first that has to wait holds up all behind it.
void Agent::start_waiting() {
  for (Turns* queue : {&waiting_, &waiting_opportunistic_}) {
    while (!queue->empty()) {
      Container& next = containers_.at(queue->begin()->second);
      if (!has_room_for(next)) return;
      give_room(next);
    }
  }
}

void Agent::give_room(Container& container) {
  stop_waiting(container);
  container.room = Container::Room::kHas;
  container.turn = ++next_turn_;
  container.counted = container.grant.resources;
  count_room(container, true);
  launch_container(container);
}

void Agent::count_room(Container& container, bool has) {
  const Resources change = has ? container.counted : Resources{} - container.counted;
  room_taken_ += change;
  if (!container.grant.opportunistic) return;
  room_opportunistic_ += change;
  if (has) {
    running_opportunistic_.emplace(container.turn, container.id());
  } else {
    running_opportunistic_.erase(container.turn);
  }
}

/// It has ended.
void Agent::leave_room(Container& container) {
  if (container.room == Container::Room::kWaits) return stop_waiting(container);
  if (container.room == Container::Room::kNone) return;
  count_room(container, false);
  container.room = Container::Room::kNone;
  if (waiting_.empty() && waiting_opportunistic_.empty()) return;
  post([this] { start_waiting(); });  // a start that fails comes back here at once
}

/// For all that is guaranteed and waits, or has grown.
void Agent::make_room() {
  if (running_opportunistic_.empty()) return;
  Resources wanted = room_taken_;
  for (const auto& [turn, id] : waiting_)
    wanted += containers_.at(id).grant.resources;
  std::vector<ContainerId> last_first;
  for (auto at = running_opportunistic_.rbegin(); at != running_opportunistic_.rend(); ++at) {
    const Container& one = containers_.at(at->second);
    if (one.kill_status != 0) wanted -= one.counted;  // it is on its way out
  }
  for (auto at = running_opportunistic_.rbegin(); at != running_opportunistic_.rend(); ++at) {
    if (wanted.fits_in(total_)) break;
    const Container& one = containers_.at(at->second);
    if (one.kill_status != 0) continue;
    wanted -= one.counted;
    last_first.push_back(one.id());
  }
  for (const ContainerId& id : last_first) {
    kill(containers_.at(id), exit_status::kKilledByContainerScheduler,
         "Container Killed to make room for Guaranteed Container.");
  }
}

/// Another size or execution type.
void Agent::room_changed(Container& container, bool was_opportunistic) {
  const bool is_opportunistic = container.grant.opportunistic;
  if (container.room == Container::Room::kNone) return;
  if (container.room == Container::Room::kWaits) {
    if (is_opportunistic != was_opportunistic) {
      stop_waiting(container);
      wait_for_room(container);
    }
  } else {
    container.grant.opportunistic = was_opportunistic;
    count_room(container, false);
    container.grant.opportunistic = is_opportunistic;
    container.counted = container.grant.resources;
    count_room(container, true);
  }
  start_waiting();
  make_room();
}

/// The ResourceManager sees that others wait less elsewhere.
void Agent::shorten_queue(std::int32_t limit) {
  if (limit < 0) return;
  std::vector<ContainerId> too_many;
  std::size_t place = 0;
  for (const auto& [turn, id] : waiting_opportunistic_) {
    if (place++ >= static_cast<std::size_t>(limit)) too_many.push_back(id);
  }
  for (const ContainerId& id : too_many) {
    kill(containers_.at(id), exit_status::kKilledByContainerScheduler,
         "Container De-queued to meet NM queuing limits.");
  }
}

OpportunisticUse Agent::opportunistic_use() const {
  OpportunisticUse use;
  use.running = static_cast<std::int32_t>(running_opportunistic_.size());
  use.queued = static_cast<std::int32_t>(waiting_opportunistic_.size());
  use.queue_length = use.queued + static_cast<std::int32_t>(waiting_.size());
  use.queue_capacity = static_cast<std::int32_t>(config_.opportunistic_queue_max);
  use.memory_mb = room_opportunistic_.memory_mb();
  use.vcores = static_cast<std::int32_t>(room_opportunistic_.vcores());
  return use;
}

}  // namespace heddle::nm
