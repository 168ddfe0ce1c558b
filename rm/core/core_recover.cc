// Recovery: what the last run left. Finished applications are listed as they were; the others go on
// from the last thing that is durable about them.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "rm/core/core.h"

namespace heddle::rm {

Result<void> Core::recover(const StoredState& state, Turn& turn) {
  attributes_.restore(state.attributes);
  if (options_.labels_enabled) {
    // Where nodes tell their own labels, those of the last run are theirs to tell again.
    labels_.restore(state.labels, options_.labels_distributed ? decltype(state.node_labels){}
                                                              : state.node_labels);
    set_partitions();
  }
  recover_reservations(state, turn);
  for (const StoredApp& stored : state.apps)
    recover_app(stored, turn);
  std::ranges::sort(finished_order_, [&](const AppId& a, const AppId& b) {
    return std::pair(apps_[a].end.finished, a) < std::pair(apps_[b].end.finished, b);
  });
  if (scheduler_.config().app_fail_fast) RETURN_IF_ERROR(check_queues_are_there());
  age_out_finished(turn);
  run_scheduler(turn);
  return {};
}

/// As CapacityScheduler does with yarn.scheduler.capacity.application.fail-fast.
Result<void> Core::check_queues_are_there() const {
  constexpr std::size_t kShownMax = 10;
  std::map<std::string, std::vector<std::string>> lost;
  for (const auto& [id, app] : apps_) {
    if (!app.queue_lost) continue;
    lost[app.queue].push_back(to_string(id));
  }
  if (lost.empty()) return {};
  std::string text;
  for (auto& [queue, ids] : lost) {
    std::ranges::sort(ids);
    const std::size_t more = ids.size() - std::min(ids.size(), kShownMax);
    ids.resize(ids.size() - more);
    text += fmt::format("\n  {}: {}{}", shortened(queue), join(ids, ", "),
                        more > 0 ? fmt::format(" and {} more", more) : "");
  }
  return fail(
      ErrorCode::kWrongState,
      "Applications that have not ended are in queues that are no leaves any more. Bring the "
      "queues back, or set yarn.scheduler.capacity.application.fail-fast to false to have "
      "the applications killed:" +
          text,
      ErrorSubject::kQueue);
}

void Core::recover_app(const StoredApp& stored, Turn& turn) {
  const AppId id = stored.app.submission->id;
  App& app = apps_[id];
  app.id = id;
  app.submission = stored.app.submission;
  app.user = stored.app.user;
  app.queue = stored.app.queue;
  if (!stored.end) leave_expired(app);
  if (!stored.end) make_again(app, turn.now);
  app.master_label = master_label(*app.submission, scheduler_.rules(QueuePath(app.queue)));
  app.priority = stored.app.priority;
  app.submitted = app.started = stored.app.submitted;
  app.accounted = turn.now.wall;
  app.lifetime_expiry = stored.app.lifetime_expiry;
  const std::int32_t asked = app.submission->max_attempts;
  app.max_attempts =
      asked > 0 ? std::min(asked, options_.max_attempts_limit) : options_.max_attempts;
  for (const StoredAttempt& past : stored.attempts) {
    recover_attempt(app, past, stored.end.has_value(), turn);
  }
  touch(app);
  if (!stored.end) {
    return resume_app(app, !stored.attempts.empty() && stored.attempts.back().end, turn);
  }
  app.end = *stored.end;
  app.state = stored.end->state;
  app.diagnostics = stored.end->diagnostics;
  app.launched = stored.end->launched;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    app.millis.amount[i] = stored.end->seconds.amount[i] * 1000;
  }
  finished_order_.push_back(id);
}

void Core::recover_attempt(App& app, const StoredAttempt& past, bool app_ended, Turn& turn) {
  Attempt& attempt = app.attempts[past.start.id.number];
  attempt.id = past.start.id;
  attempt.started = past.start.started;
  attempt.master_container = past.start.master_container;
  attempt.master_node = past.start.master_node;
  attempt.master_node_http = past.start.master_node_http;
  attempt.master_gone = true;
  touch(attempt);
  if (past.end) {
    attempt.end = *past.end;
    attempt.state = past.end->state;
    attempt.host = past.end->host;
    attempt.rpc_port = past.end->rpc_port;
    attempt.tracking_url = past.end->tracking_url;
    if (attempt.state == AttemptState::kFailed && counts_as_failure(past.end->exit_status)) {
      app.failures.push_back(past.end->finished);
    }
    return;
  }
  // The AM did not outlive the ResourceManager. That is not its failure, now or after the next
  // start: hence the exit status.
  attempt.state = AttemptState::kFailed;
  attempt.end.id = attempt.id;
  attempt.end.state = AttemptState::kFailed;
  attempt.end.final_status = FinalStatus::kFailed;
  attempt.end.exit_status = exit_status::kAborted;
  attempt.end.diagnostics = "Attempt ended by the restart of the ResourceManager";
  attempt.end.finished = turn.now.wall;
  if (!app_ended) turn.effects.records.push_back(attempt.end);
}

void Core::resume_app(App& app, bool attempt_ended, Turn& turn) {
  app.counted = true;
  count_apps(app, [](AppCounts& apps) { ++apps.submitted; });
  // The end of its last attempt may be durable while its own is not: it ends as it would have.
  if (const Attempt* last = app.current(); attempt_ended) {
    app.state = AppState::kAccepted;
    if (last->state == AttemptState::kKilled) {
      app.kill_requested = true;
      app.kill_diagnostics = last->end.diagnostics;
      raise(app, AppEvent::kAttemptKilled, turn);
      return;
    }
    if (last->state == AttemptState::kFinished) {
      raise(app, AppEvent::kAttemptFinished, turn);
      return;
    }
    if (out_of_attempts(app, *last, turn.now)) {
      raise(app, AppEvent::kAttemptFailedLast, turn);
      return;
    }
  }
  app.state = AppState::kSubmitted;
  watch_lifetime(app, turn.now);
  const auto queue = scheduler_.add_app(app.id, app.queue, UserName(app.user), app.priority, true);
  if (!queue) {
    app.queue_lost = true;
    app.kill_requested = true;
    app.kill_diagnostics = fmt::format(
        "Application killed on recovery as it was submitted to queue {} which {} after restart.",
        app.queue,
        scheduler_.find_queue(app.queue) ? "is no longer a leaf queue" : "no longer exists");
    raise(app, AppEvent::kKill, turn);
    return;
  }
  app.in_scheduler = true;
  app.queue = queue->value();
  scheduler_.set_app_tags(app.id, {app.submission->tags.begin(), app.submission->tags.end()});
  raise(app, AppEvent::kAccepted, turn);
}

}  // namespace heddle::rm
