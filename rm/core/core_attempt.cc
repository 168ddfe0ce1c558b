// Attempts: start, launch, end, and what becomes of their containers.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "rm/core/core.h"

namespace heddle::rm {

void Core::start_attempt(App& app, Turn& turn) {
  const std::int32_t number = app.attempts.empty() ? 1 : app.attempts.rbegin()->first + 1;
  Attempt* const previous = app.current();
  const bool keep = previous != nullptr && app.submission->keep_containers;
  std::vector<ContainerId> kept;
  if (keep) {
    kept.assign(previous->containers.begin(), previous->containers.end());
    std::ranges::sort(kept);
    previous->containers.clear();
  }
  Attempt& attempt = app.attempts[number];
  if (keep) {
    attempt.finished = std::exchange(previous->told_finished, {});
    std::ranges::move(std::exchange(previous->finished, {}), std::back_inserter(attempt.finished));
  }
  attempt.id = AttemptId{app.id, number};
  attempt.started = turn.now.wall;
  attempt.transferred = std::move(kept);
  attempt.containers.insert(attempt.transferred.begin(), attempt.transferred.end());
  attempt.last_heard = turn.now.instant;
  attempt.amrm_key_told = amrm_key_;
  raise(app, attempt, AttemptEvent::kStart, turn);
}

void Core::carry_out(App& app, Attempt& attempt, AttemptEvent event, AttemptEffect effect,
                     Turn& turn) {
  switch (effect) {
    case AttemptEffect::kNone: return;
    case AttemptEffect::kAddToScheduler:
      raise(app, attempt,
            app.submission->unmanaged ? AttemptEvent::kAddedUnmanaged : AttemptEvent::kAddedManaged,
            turn);
      return;
    case AttemptEffect::kAskForMaster: ask_for_master(app, attempt, turn); return;
    case AttemptEffect::kSaveAttempt:
      if (app.submission->unmanaged) {
        scheduler_.start_attempt(attempt.id, std::nullopt);
        logins_.emplace_back(attempt.id, true);
        watch_master(attempt);
      }
      turn.effects.records.push_back(SaveAttempt{attempt.id, attempt.master_container,
                                                 attempt.master_node, attempt.master_node_http,
                                                 attempt.started});
      turn.effects.saved.push_back(AttemptSaved{attempt.id});
      return;
    case AttemptEffect::kLaunch: launch_master(app, attempt, turn); return;
    case AttemptEffect::kNoteRegistered: raise(app, AppEvent::kAttemptRegistered, turn); return;
    case AttemptEffect::kSaveFinal: save_attempt_final(app, attempt, event, turn); return;
    case AttemptEffect::kTellFinishing:
      return;  // the application hears of it when its end is saved
    case AttemptEffect::kTellFinished:
      attempt_over(app, attempt, AppEvent::kAttemptFinished, turn);
      return;
    case AttemptEffect::kTellFailed: attempt_failed(app, attempt, turn); return;
    case AttemptEffect::kTellKilled:
      attempt_over(app, attempt, AppEvent::kAttemptKilled, turn);
      return;
  }
}

void Core::ask_for_master(App& app, Attempt& attempt, Turn& turn) {
  queues::AmAsk ask{.capability = app.submission->am_resources, .label = app.master_label};
  for (const Ask& wanted : app.submission->am_asks) {
    if (wanted.resource_name == queues::kAnyNode)
      ask.relax_locality = wanted.relax_locality;
    else
      ask.places.push_back({wanted.resource_name, wanted.relax_locality});
  }
  scheduler_.start_attempt(attempt.id, ask);
  attempt.step_began = turn.now.instant;
  queues_changed_ = true;
}

void Core::launch_master(App& app, Attempt& attempt, Turn& turn) {
  const Container* container =
      attempt.master_container ? find_container(*attempt.master_container) : nullptr;
  if (container == nullptr) return;  // lost with its node meanwhile; its end is on the way
  app.launched = turn.now.wall;
  attempt.step_began = turn.now.instant;
  logins_.emplace_back(attempt.id, true);
  attempt.last_heard = turn.now.instant;
  watch_master(attempt);
  turn.effects.launches.push_back(
      MasterLaunch{attempt.id, container->grant, app.submission, app.user, app.submitted});
}

void Core::master_launched(const AttemptId& id, const Result<void>& outcome, Turn& turn) {
  Attempt* attempt = find_attempt(id);
  if (attempt == nullptr) return;
  attempt->launch_answered = true;
  if (outcome) {
    if (!attempt->registered) end_step(*attempt, master_launch_, turn.now);
    raise(*find_app(id.app), *attempt, AttemptEvent::kLaunched, turn);
    return;
  }
  // Late news: it has registered all the same, or has ended for another reason.
  if (!find_transition(kAttemptTransitions, attempt->state, AttemptEvent::kLaunchFailed)) return;
  attempt->end.diagnostics =
      fmt::format("Error launching {}. Got exception: {}", to_string(id), outcome.error().message);
  raise(*find_app(id.app), *attempt, AttemptEvent::kLaunchFailed, turn);
  run_scheduler(turn);
}

void Core::save_attempt_final(App& app, Attempt& attempt, AttemptEvent event, Turn& turn) {
  FinishAttempt& end = attempt.end;
  end.id = attempt.id;
  end.finished = turn.now.wall;
  if (end.tracking_url.empty()) end.tracking_url = attempt.tracking_url;
  end.state = [&] {
    switch (event) {
      case AttemptEvent::kUnregistered: return AttemptState::kFinished;
      case AttemptEvent::kKill: return AttemptState::kKilled;
      default: return AttemptState::kFailed;
    }
  }();
  if (event == AttemptEvent::kExpired) {
    end.diagnostics =
        fmt::format("ApplicationMaster for attempt {} timed out", to_string(attempt.id));
  }
  if (end.diagnostics.size() > options_.attempt_diagnostics_max) {
    end.diagnostics.erase(0, end.diagnostics.size() - options_.attempt_diagnostics_max);
  }
  if (end.state != AttemptState::kFinished) {  // nobody answers there any more
    attempt.host = "N/A";
    attempt.rpc_port = -1;
  }
  end.host = attempt.host;
  end.rpc_port = attempt.rpc_port;
  if (end.state == AttemptState::kFailed) end.final_status = FinalStatus::kFailed;
  if (end.state == AttemptState::kKilled) end.final_status = FinalStatus::kKilled;
  logins_.emplace_back(attempt.id, end.state == AttemptState::kFinished);
  turn.effects.records.push_back(end);
  turn.effects.saved.push_back(AttemptFinalSaved{attempt.id});
  if (event == AttemptEvent::kUnregistered) {
    // Saved in the same commit, so that the AM's goodbye costs one.
    if (!raise(app, AppEvent::kAttemptUnregistered, turn)) touch(app);
  }
}

void Core::attempt_final_saved(App& app, Attempt& attempt, Turn& turn) {
  const AttemptEvent event = [&] {
    switch (attempt.end.state) {
      case AttemptState::kKilled: return AttemptEvent::kFinalSavedKilled;
      case AttemptState::kFailed: return AttemptEvent::kFinalSavedFailed;
      default:
        return attempt.master_gone || app.submission->unmanaged
                   ? AttemptEvent::kFinalSavedFinished
                   : AttemptEvent::kFinalSavedFinishing;
    }
  }();
  raise(app, attempt, event, turn);
}

void Core::attempt_failed(App& app, Attempt& attempt, Turn& turn) {
  if (counts_as_failure(attempt.end.exit_status)) app.failures.push_back(turn.now.wall);
  const std::int64_t window_ms = app.submission->attempt_failures_validity_ms;
  if (window_ms > 0) {
    std::erase_if(app.failures,
                  [&](WallTime failure) { return failure.ms <= turn.now.wall.ms - window_ms; });
  }
  const bool last = out_of_attempts(app, attempt, turn.now);
  attempt_over(app, attempt, last ? AppEvent::kAttemptFailedLast : AppEvent::kAttemptFailed, turn);
}

bool Core::out_of_attempts(App& app, const Attempt& attempt, const Now& now) const {
  const std::int64_t window_ms = app.submission->attempt_failures_validity_ms;
  const auto counts = [&](WallTime failure) {
    return window_ms <= 0 || failure.ms > now.wall.ms - window_ms;
  };
  const auto failures = std::ranges::count_if(app.failures, counts);
  if (app.submission->unmanaged) {
    app.diagnostics =
        fmt::format("Unmanaged application {} failed due to {}. Failing the application.",
                    to_string(app.id), attempt.end.diagnostics);
    return true;
  }
  if (failures < app.max_attempts) return false;
  const std::string window =
      window_ms > 0 ? fmt::format(" in previous {} milliseconds", window_ms) : std::string();
  app.diagnostics =
      fmt::format("Application {} failed {} times{} due to {}. Failing the application.",
                  to_string(app.id), failures, window, attempt.end.diagnostics);
  return true;
}

void Core::attempt_over(App& app, Attempt& attempt, AppEvent event, Turn& turn) {
  logins_.emplace_back(attempt.id, false);
  stop_watching(attempt);
  scheduler_.end_attempt(attempt.id);
  queues_changed_ = true;
  const bool keep =
      event == AppEvent::kAttemptFailed && app.submission->keep_containers && !app.kill_requested;
  end_containers(app, attempt, keep, turn);
  if (!keep) hand_back_reports(attempt);
  attempt.last_answer = nullptr;  // it is remembered for long; what served its protocol is not
  attempt.nm_tokens_given.clear();
  attempt.transferred.clear();
  count_running(app, false);
  if (!raise(app, event, turn)) touch(app);
}

void Core::hand_back_reports(Attempt& attempt) {
  // Nobody will ask for them any more: their nodes may forget.
  acknowledge(std::exchange(attempt.told_finished, {}));
  acknowledge(std::exchange(attempt.finished, {}));
}

void Core::count_running(App& app, bool running) {
  if (std::exchange(app.counted_running, running) == running) return;
  count_apps(app, [&](AppCounts& apps) { apps.running += running ? 1 : -1; });
  queues_changed_ = true;
}

void Core::end_containers(App& app, Attempt& attempt, bool keep, Turn& turn) {
  std::vector<ContainerId> ids(attempt.containers.begin(), attempt.containers.end());
  std::ranges::sort(ids);
  for (const ContainerId& id : ids) {
    Container* container = find_container(id);
    if (container == nullptr) continue;
    stop_growing(*container);  // what it waited for has ended with the attempt
    const bool is_master = attempt.master_container && id == *attempt.master_container;
    // What the AM never learnt of is of no use to its successor.
    const bool known = container->state == ContainerState::kRunning ||
                       container->state == ContainerState::kAcquired;
    if (keep && !is_master && known) continue;
    if (is_master && attempt.state != AttemptState::kFailed &&
        attempt.state != AttemptState::kKilled) {
      continue;  // it ends by itself
    }
    if (is_master && container->state != ContainerState::kRunning && attempt.launch_answered) {
      turn.effects.clean_ups.push_back({attempt.id, id, container->grant.node});
    }
    finish_container(id, ContainerEvent::kKill, exit_status::kKilledAfterAppCompletion,
                     "Container Killed by ResourceManager after application completion", turn);
  }
  attempt.granted.clear();
  attempt.updated.clear();
  attempt.asks.clear();
  attempt.opportunistic.clear();
  touch(app);
}

void Core::describe_failure(const App& app, Attempt& attempt, const FinishedContainer& finished) {
  attempt.end.exit_status = finished.exit_status;
  attempt.end.diagnostics = fmt::format(
      "AM Container for {} exited with  exitCode: {}\nFailing this attempt.Diagnostics: {}\n"
      "For more detailed output, check the application tracking page: {} Then click on links to "
      "logs of each attempt.\n",
      to_string(attempt.id), finished.exit_status, finished.diagnostics, tracking_page(app.id));
}

}  // namespace heddle::rm
