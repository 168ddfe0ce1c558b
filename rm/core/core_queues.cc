// Queues that come with the first application that needs them, and go when they were idle.
#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "rm/core/core.h"

namespace heddle::rm {

/// Whether it is, or would be, a leaf that placement rules alone lead to.
bool Core::is_managed(const std::string& queue) const {
  if (const auto known = scheduler_.find_queue(queue)) {
    return scheduler_.rules(*known)->origin == queues::Origin::kManaged;
  }
  const auto parent = scheduler_.find_queue(queue.substr(0, queue.rfind('.')));
  return parent && scheduler_.rules(*parent)->auto_creation == queues::AutoCreation::kManaged;
}

Result<QueuePath> Core::leaf_for(const App& app, Turn& turn) {
  const UserName user(app.user);
  const bool placed = !app.submission->placed.queue.empty();
  auto found = scheduler_.resolve_leaf(app.id, user, app.queue);
  if (!placed && is_managed(app.queue)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Application {} submission by user : {} to specified leaf queue : {}  "
                            "is prohibited. Verify automatic queue mapping for user exists in "
                            "yarn.scheduler.capacity.queue-mappings",
                            to_string(app.id), app.user, shortened(app.queue)),
                ErrorSubject::kQueue);
  }
  if (found || found.error().code != ErrorCode::kNotFound) return found;
  set_scheduler_time(turn.now);
  const auto made = scheduler_.make_leaf(app.queue);
  if (made) {
    log::info("queue {} is made for {}", shortened(made->value()), to_string(app.id));
    queues_changed_ = true;
    watch_idle_queues(turn.now);
    return scheduler_.resolve_leaf(app.id, user, made->value());
  }
  const Error& why = made.error();
  if (!placed) {
    if (why.code == ErrorCode::kNotFound) return found;
    return fail(why.code, fmt::format("{}: {}", found.error().message, why.message),
                ErrorSubject::kQueue);
  }
  return fail(why.code,
              fmt::format("Application {} submission by user : {} to  queue : {} failed : {}",
                          to_string(app.id), app.user, shortened(app.queue), why.message),
              ErrorSubject::kQueue);
}

/// What was accepted once stays accepted. Where it cannot be made, the queue says so itself.
void Core::make_again(const App& app, const Now& now) {
  if (scheduler_.find_queue(app.queue)) return;
  set_scheduler_time(now);
  if (const auto made = scheduler_.make_leaf(app.queue, true); !made) {
    log::warn("queue {} of {} is not made again: {}", shortened(app.queue), to_string(app.id),
              made.error().message);
  }
  queues_changed_ = true;
  watch_idle_queues(now);
}

void Core::watch_idle_queues(const Now& now) {
  if (!options_.remove_idle_queues || idle_queues_due_ || !scheduler_.has_made_queues()) return;
  const std::chrono::seconds expiry(scheduler_.config().auto_expiry_s);
  arm(idle_queues_due_, {now.instant + expiry, DeadlineKind::kIdleQueues, {}, {}});
}

/// What was counted in a queue that is gone stays with its parent.
void Core::keep_counters(const QueuePath& gone) {
  const auto taken_out = counters_.extract(gone.value());
  if (taken_out.empty()) return;
  Counters& parent = counters_[gone.value().substr(0, gone.value().rfind('.'))];
  parent.all += taken_out.mapped().all;
  for (const auto& [user, counts] : taken_out.mapped().of_users)
    parent.of_users[user] += counts;
}

void Core::remove_idle_queues(Turn& turn) {
  idle_queues_due_.reset();
  set_scheduler_time(turn.now);
  for (const QueuePath& queue : scheduler_.remove_idle_queues()) {
    log::info("queue {} was idle and is removed", shortened(queue.value()));
    keep_counters(queue);
    queues_changed_ = true;
  }
  const auto next_ms = scheduler_.next_idle_ms();
  if (!next_ms) return;  // looked at again when an application ends
  using std::chrono::milliseconds;
  const Instant at = Instant{} + milliseconds(*next_ms);
  arm(idle_queues_due_,
      {std::max(at, turn.now.instant + milliseconds(1)), DeadlineKind::kIdleQueues, {}, {}});
}

}  // namespace heddle::rm
