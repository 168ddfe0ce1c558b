// What the scheduler decides to take back: AMs are warned, what does not go by itself is ended.
#include <algorithm>

#include "rm/core/core.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;

// A need is looked at so soon, with others that come about meanwhile, and looks have at least such
// a pause between them.
constexpr Duration kGather = 20ms;
constexpr Duration kPause = 50ms;

}  // namespace

/// Whoever has been warned is looked at once more, whatever the new settings say.
void Core::set_preemption(const queues::PreemptionSettings& settings, const Now& now) {
  if (settings == options_.preemption) return;
  const bool looks = preemption_due_.has_value() || settings.enabled;
  options_.preemption = settings;
  scheduler_.set_preemption(settings);
  if (!looks) return;
  arm(preemption_due_, {now.instant + std::chrono::milliseconds(settings.interval_ms),
                        DeadlineKind::kPreemption,
                        {},
                        {}});
}

void Core::watch_preemption(const Now& now) {
  if (!options_.preemption.enabled || preemption_due_) return;
  arm(preemption_due_, {now.instant + std::chrono::milliseconds(options_.preemption.interval_ms),
                        DeadlineKind::kPreemption,
                        {},
                        {}});
}

/// Before the interval is over, unless something has been taken in it already: the rates of Hadoop
/// are those of an interval. docs/design/0008-preemption.md
void Core::hurry_preemption(const Now& now) {
  if (!preemption_due_ || !scheduler_.has_new_need()) return;
  const Instant soon = std::max(now.instant + kGather, early_look_from_);
  if (soon < *preemption_due_) arm(preemption_due_, {soon, DeadlineKind::kPreemption, {}, {}});
}

void Core::run_preemption(Turn& turn) {
  preemption_due_.reset();
  set_scheduler_time(turn.now);
  const queues::PreemptionRound round = scheduler_.preempt();
  const Duration interval = std::chrono::milliseconds(options_.preemption.interval_ms);
  early_pause_ = round.in_vain ? std::min(early_pause_ * 2, interval) : kPause;
  early_look_from_ = turn.now.instant + (round.marked.empty() ? early_pause_ : interval);
  for (const queues::Victim& victim : round.marked) {
    const auto id = by_hold_.find(victim.hold);
    if (id == by_hold_.end() || options_.preemption.observe_only) continue;
    if (App* app = find_app(victim.attempt.app)) app->losing.insert(id->second);
  }
  for (const queues::HoldId hold : round.spared) {
    const auto id = by_hold_.find(hold);
    if (id == by_hold_.end()) continue;
    if (App* app = find_app(id->second.attempt.app)) app->losing.erase(id->second);
  }
  for (const queues::HoldId hold : round.overdue) {
    const auto found = by_hold_.find(hold);
    if (found == by_hold_.end()) continue;
    const ContainerId id = found->second;
    note_preempted(id, turn.now);
    finish_container(id, ContainerEvent::kKill, exit_status::kPreempted,
                     "Container preempted by scheduler", turn);
  }
  watch_preemption(turn.now);
}

void Core::note_preempted(const ContainerId& id, const Now& now) {
  App* app = find_app(id.attempt.app);
  const Container* container = find_container(id);
  if (app == nullptr || container == nullptr) return;
  const GrantedContainer& grant = container->grant;
  app->preempted += grant.resources;
  ++(grant.is_master ? app->preempted_masters : app->preempted_containers);
  const std::int64_t ran_ms = std::max<std::int64_t>(now.wall.ms - grant.created.ms, 0);
  const auto add_millis = [&](ResourceSeconds& millis) {
    for (std::size_t i = 0; i < kResourceTypesMax; ++i)
      millis.amount[i] += grant.resources.amount[i] * ran_ms;
  };
  add_millis(app->preempted_millis);
  count(app->queue, app->user, [&](QueueCounts& counts) {
    ++counts.preempted_containers;
    counts.preempted += grant.resources;
    add_millis(counts.preempted_millis);
  });
}

/// The AM may return these, or as much of anything else, before their grace is over.
void Core::warn_of_losses(const App& app, Allocated& answer) {
  for (const ContainerId& id : app.losing) {
    const Container* container = find_container(id);
    if (container == nullptr) continue;
    answer.losing.push_back(id);
    answer.losing_resources += container->grant.resources;
  }
}

void Core::set_scheduler_time(const Now& now) {
  using std::chrono::milliseconds;
  scheduler_.set_time(std::chrono::duration_cast<milliseconds>(now.instant.since_zero).count());
}

}  // namespace heddle::rm
