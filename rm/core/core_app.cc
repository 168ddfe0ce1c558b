// Applications: submission, kill, changes, completion.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "rm/core/core.h"

namespace heddle::rm {
namespace {

FinalStatus final_status_of(AppState state, FinalStatus told) {
  switch (state) {
    case AppState::kKilled: return FinalStatus::kKilled;
    case AppState::kFailed: return FinalStatus::kFailed;
    default: return told == FinalStatus::kUndefined ? FinalStatus::kFailed : told;
  }
}

// Beyond this a lifetime is none; also keeps sums of milliseconds from wrapping.
constexpr std::int64_t kLifetimeMaxS = std::int64_t{1000} * 365 * 24 * 3600;

/// Whether a second submission under the same id says the same. The launch context is left out: it
/// is not kept beyond the end of an application.
bool same_content(const Submission& a, const Submission& b) {
  const auto facts = [](const Submission& of) {
    return std::tie(of.name, of.type, of.queue, of.tags, of.priority, of.am_resources.amount,
                    of.unmanaged, of.keep_containers, of.max_attempts, of.lifetime_seconds,
                    of.label_expression, of.reservation);
  };
  return facts(a) == facts(b);
}

// Hosts and racks that a submission may name for its ApplicationMaster.
constexpr std::size_t kMasterPlacesMax = 1'000;

std::int32_t clamp_priority(std::int32_t priority, std::int32_t maximum) {
  return std::clamp(priority, 0, maximum);
}

}  // namespace

Result<void> Core::check_submission(const Submission& submission) const {
  if (submission.am_asks.size() > kMasterPlacesMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("Invalid resource request! {} lines ask for the ApplicationMaster's "
                            "container; {} are the most",
                            submission.am_asks.size(), kMasterPlacesMax),
                ErrorSubject::kResourceRequest);
  }
  if (submission.unmanaged) return {};
  const Resources& asked = submission.am_resources;
  const auto queue = scheduler_.find_queue(submission.target_queue());
  const queues::QueueRules* spec = queue ? scheduler_.rules(*queue) : nullptr;
  const std::string anywhere(queues::kAnyNode);
  RETURN_IF_ERROR(check_label(spec, anywhere, master_label(submission, spec)));
  for (const Ask& ask : submission.am_asks) {
    if (ask.resource_name == anywhere) continue;
    RETURN_IF_ERROR(check_label(spec, ask.resource_name, label_of(ask, submission, spec)));
  }
  const auto facts = queue ? scheduler_.facts(*queue) : std::nullopt;
  const Resources& maximum = facts ? facts->maximum_allocation : options_.limits.maximum;
  const auto& types = options_.resource_types.all();
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (asked.amount[i] < 0) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("Invalid resource request! Cannot allocate containers as requested "
                              "resource is less than 0! Requested resource type=[{}], Requested "
                              "resource={}",
                              types[i].name, to_string(asked)),
                  ErrorSubject::kResourceRequest);
    }
    if (asked.amount[i] > maximum.amount[i]) {
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("Invalid resource request! Cannot allocate containers as requested resource "
                      "is greater than maximum allowed allocation. Requested resource type=[{}], "
                      "Requested resource={}, maximum allowed allocation={}, please note that "
                      "maximum allowed allocation is calculated by scheduler based on maximum "
                      "resource of registered NodeManagers, which might be less than configured "
                      "maximum allocation={}",
                      types[i].name, to_string(asked), to_string(maximum),
                      to_string(options_.limits.maximum)),
          ErrorSubject::kResourceRequest);
    }
  }
  return {};
}

void Core::submit(const security::Caller& caller, Submission submission, ReplyTo<void> reply,
                  Turn& turn) {
  const AppId id = submission.id;
  if (const App* known = find_app(id)) {
    // A retry of the same submission: success, but not before the first one is durable.
    if (known->user == caller.user && same_content(*known->submission, submission)) {
      turn.reply_when_durable<void>(std::move(reply), {});
    } else {
      turn.effects.replies.push_back([reply = std::move(reply), id] {
        reply(fail(ErrorCode::kAlreadyExists,
                   fmt::format("Application with id {} is already present! Cannot add a duplicate!",
                               to_string(id)),
                   ErrorSubject::kApplication));
      });
    }
    return;
  }
  if (const auto checked = check_submission(submission); !checked) {
    turn.effects.replies.push_back(
        [reply = std::move(reply), error = checked.error()] { reply(fail(error)); });
    return;
  }
  App& app = apps_[id];
  app.id = id;
  app.user = caller.user;
  app.queue = submission.target_queue();
  app.priority = clamp_priority(submission.wanted_priority(), options_.max_app_priority);
  const std::int32_t asked_attempts = submission.max_attempts;
  app.max_attempts = asked_attempts > 0 ? std::min(asked_attempts, options_.max_attempts_limit)
                                        : options_.max_attempts;
  app.submitted = app.started = app.accounted = turn.now.wall;
  app.submission = std::make_shared<const Submission>(std::move(submission));

  const auto in_plan = place_in_plan(app, turn);
  const auto queue = in_plan ? leaf_for(app, turn) : Result<QueuePath>(fail(in_plan.error()));
  if (!queue) {
    record_rejected(app, queue.error(), turn);
    turn.reply_when_durable<void>(std::move(reply), fail(queue.error()));
    return;
  }
  app.queue = queue->value();
  app.master_label = master_label(*app.submission, scheduler_.rules(*queue));
  app.counted = true;
  count_apps(app, [](AppCounts& apps) { ++apps.submitted; });
  apply_queue_defaults(app, *queue, turn.now);
  watch_lifetime(app, turn.now);
  raise(app, AppEvent::kStart, turn);
  turn.reply_when_durable<void>(std::move(reply), {});
}

void Core::apply_queue_defaults(App& app, const QueuePath& queue, const Now& now) {
  const auto facts = scheduler_.facts(queue);
  if (!facts) return;
  if (app.submission->wanted_priority() < 0) {
    app.priority = clamp_priority(facts->default_app_priority, options_.max_app_priority);
  }
  std::int64_t lifetime_s = app.submission->lifetime_seconds;
  if (lifetime_s <= 0) lifetime_s = facts->default_app_lifetime_s;
  const std::int64_t most_s = facts->maximum_app_lifetime_s;
  if (most_s > 0) lifetime_s = lifetime_s > 0 ? std::min(lifetime_s, most_s) : most_s;
  if (lifetime_s <= 0) return;
  app.lifetime_expiry = WallTime{now.wall.ms + std::min(lifetime_s, kLifetimeMaxS) * 1000};
}

void Core::record_rejected(App& app, const Error& error, Turn& turn) {
  app.diagnostics = error.message;
  turn.effects.records.push_back(SaveApp{app.submission, app.user, app.queue, app.priority,
                                         app.submitted, app.lifetime_expiry});
  raise(app, AppEvent::kRejected, turn);
}

void Core::carry_out(App& app, AppEffect effect, Turn& turn) {
  switch (effect) {
    case AppEffect::kNone: return;
    case AppEffect::kSaveSubmission:
      turn.effects.records.push_back(SaveApp{app.submission, app.user, app.queue, app.priority,
                                             app.submitted, app.lifetime_expiry});
      turn.effects.saved.push_back(AppSaved{app.id});
      return;
    case AppEffect::kAskQueue: ask_queue(app, turn); return;
    case AppEffect::kStartAttempt: start_attempt(app, turn); return;
    case AppEffect::kNoteRunning: count_running(app, true); return;
    case AppEffect::kSaveFinal: save_final(app, turn); return;
    case AppEffect::kKillAttempt:
      if (Attempt* attempt = app.current()) {
        // An attempt that fails at this moment is heard of once its end is durable.
        if (attempt->state == AttemptState::kFinalSaving) return;
        attempt->end.diagnostics = app.kill_diagnostics;
        raise(app, *attempt, AttemptEvent::kKill, turn);
      }
      return;
    case AppEffect::kComplete: complete(app, turn); return;
  }
}

void Core::ask_queue(App& app, Turn& turn) {
  auto queue = scheduler_.add_app(app.id, app.queue, UserName(app.user), app.priority);
  queues_changed_ = true;
  if (!queue) {
    app.diagnostics = queue.error().message;
    raise(app, AppEvent::kRejected, turn);
    return;
  }
  app.in_scheduler = true;
  app.queue = queue->value();
  scheduler_.set_app_tags(app.id, {app.submission->tags.begin(), app.submission->tags.end()});
  raise(app, AppEvent::kAccepted, turn);
}

void Core::save_final(App& app, Turn& turn) {
  account(app, turn.now);
  app.end.id = app.id;
  const Attempt* attempt = app.current();
  const FinalStatus told = attempt == nullptr ? FinalStatus::kUndefined : attempt->end.final_status;
  app.end.final_status = final_status_of(app.end.state, told);
  if (app.end.state == AppState::kKilled) {
    app.diagnostics = app.kill_diagnostics;
  } else if (app.end.state == AppState::kFinished && attempt != nullptr) {
    app.diagnostics = attempt->end.diagnostics;
    app.end.tracking_url = attempt->end.tracking_url;
  }
  app.end.diagnostics = app.diagnostics;
  app.end.launched = app.launched;
  app.end.finished = turn.now.wall;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    app.end.seconds.amount[i] = app.millis.amount[i] / 1000;
  }
  turn.effects.records.push_back(app.end);
  turn.effects.saved.push_back(AppFinalSaved{app.id});
}

void Core::final_saved(App& app, Turn& turn) {
  if (app.state != AppState::kFinalSaving) return;
  const Attempt* attempt = app.current();
  const bool master_runs = attempt != nullptr && app.end.state == AppState::kFinished &&
                           !app.submission->unmanaged && !is_final(attempt->state);
  const AppEvent event = [&] {
    switch (app.end.state) {
      case AppState::kKilled: return AppEvent::kFinalSavedKilled;
      case AppState::kFailed: return AppEvent::kFinalSavedFailed;
      default: return master_runs ? AppEvent::kFinalSavedFinishing : AppEvent::kFinalSavedFinished;
    }
  }();
  raise(app, event, turn);
}

void Core::complete(App& app, Turn& turn) {
  count_running(app, false);
  if (app.counted) {
    count_apps(app, [&](AppCounts& apps) {
      switch (app.state) {
        case AppState::kKilled: ++apps.killed; break;
        case AppState::kFailed: ++apps.failed; break;
        default: ++apps.completed; break;
      }
    });
  }
  stop_watching(app);
  if (app.submission->launch) {  // nobody starts it again; it is most of what it takes in memory
    auto without = std::make_shared<Submission>(*app.submission);
    without->launch = nullptr;
    app.submission = std::move(without);
  }
  set_scheduler_time(turn.now);
  if (app.in_scheduler) scheduler_.remove_app(app.id);
  app.in_scheduler = false;
  watch_idle_queues(turn.now);
  // The queue of a reservation that has ended goes with its last application.
  const queues::QueueRules* queue = scheduler_.rules(QueuePath(app.queue));
  if (queue != nullptr && queue->origin == queues::Origin::kReserved) reservations_.stale = true;
  queues_changed_ = true;
  for (const NodeId& id : app.nodes) {
    Node* node = find_node(id);
    if (node == nullptr) continue;
    node->apps.erase(app.id);
    if (!node->serves()) continue;  // it is told when it comes back
    node->apps_to_clean_up.insert(app.id);
    check_drained(*node, turn);
  }
  finished_order_.push_back(app.id);
  age_out_finished(turn);
}

void Core::age_out_finished(Turn& turn) {
  while (finished_order_.size() - finished_head_ > options_.finished_apps_max) {
    const AppId id = finished_order_[finished_head_++];
    turn.effects.records.push_back(ForgetApp{id});
    apps_.erase(id);
    touched_apps_.erase(id);
    forgotten_apps_.push_back(id);
  }
  if (finished_head_ > 1024 && finished_head_ * 2 > finished_order_.size()) {
    finished_order_.erase(finished_order_.begin(),
                          finished_order_.begin() + static_cast<std::ptrdiff_t>(finished_head_));
    finished_head_ = 0;
  }
}

void Core::kill(const security::Caller& caller, const AppId& id, const std::string& diagnostics,
                const ReplyTo<KillProgress>& reply, Turn& turn) {
  const auto known = known_app(id);
  if (!known) {
    turn.effects.replies.push_back([reply, error = known.error()] { reply(fail(error)); });
    return;
  }
  App& app = **known;
  if (is_final(app.state) || app.state == AppState::kFinishing) {  // how it ends is durable
    turn.effects.replies.push_back([reply] { reply(KillProgress{true}); });
    return;
  }
  if (!app.kill_requested) {
    app.kill_requested = true;
    app.kill_diagnostics = fmt::format("Application {} was killed by user {} at {}", to_string(id),
                                       caller.user, caller.address);
    if (!diagnostics.empty()) app.kill_diagnostics = diagnostics;
    raise(app, AppEvent::kKill, turn);
    run_scheduler(turn);
  }
  turn.effects.replies.push_back([reply] { reply(KillProgress{false}); });
}

void Core::fail_attempt(const AttemptId& id, const ReplyTo<void>& reply, Turn& turn) {
  Attempt* attempt = find_attempt(id);
  if (attempt == nullptr) {
    turn.effects.replies.push_back([reply, id] {
      reply(fail(ErrorCode::kNotFound,
                 fmt::format("ApplicationAttempt with id '{}' doesn't exist in RM.", to_string(id)),
                 ErrorSubject::kAttempt));
    });
    return;
  }
  if (find_transition(kAttemptTransitions, attempt->state, AttemptEvent::kFail) != nullptr) {
    attempt->end.diagnostics = fmt::format("Attempt failed by user request: {}", to_string(id));
    raise(*find_app(id.app), *attempt, AttemptEvent::kFail, turn);
    run_scheduler(turn);
  }
  turn.effects.replies.push_back([reply] { reply({}); });
}

namespace {

/// Queues are looked up in the words of a submission; a move has its own in Hadoop.
Error refused_move(Error error, const std::string& queue) {
  if (error.subject != ErrorSubject::kQueue) return error;
  if (error.code == ErrorCode::kNotFound) {
    error.message = fmt::format("The specified Queue: {} doesn't exist", shortened(queue));
  } else if (error.code == ErrorCode::kInvalidArgument) {
    error.message = fmt::format(
        "The specified Queue: {} is not a Leaf Queue. Move is supported only between Leaf Queues.",
        shortened(queue));
  }
  return error;
}

}  // namespace

void Core::note_moved(App& app, const QueuePath& queue, Turn& turn) {
  const bool running = app.counted_running;
  count_running(app, false);
  app.queue = queue.value();
  count_running(app, running);
  queues_changed_ = true;
  touch(app);
  turn.effects.records.push_back(UpdateApp{app.id, app.queue, app.priority, app.lifetime_expiry});
}

void Core::move(const AppId& id, const std::string& queue, const ReplyTo<void>& reply, Turn& turn) {
  auto app = live_app(id);
  const std::string target = move_target(queue);
  Result<QueuePath> moved = QueuePath();
  if (app) {
    moved = (*app)->in_scheduler ? scheduler_.move_app(id, target)
                                 : scheduler_.resolve_leaf(id, UserName((*app)->user), target);
  }
  if (!app || !moved) {
    Error error = app ? refused_move(moved.error(), queue) : app.error();
    turn.effects.replies.push_back([reply, error] { reply(fail(error)); });
    return;
  }
  note_moved(**app, *moved, turn);
  turn.reply_when_durable<void>(reply, {});
  run_scheduler(turn);
}

void Core::update_priority(const AppId& id, std::int32_t priority,
                           const ReplyTo<std::int32_t>& reply, Turn& turn) {
  const auto app = live_app(id);
  if (!app) {
    turn.effects.replies.push_back([reply, error = app.error()] { reply(fail(error)); });
    return;
  }
  const std::int32_t in_force = clamp_priority(priority, options_.max_app_priority);
  (*app)->priority = in_force;
  if ((*app)->in_scheduler) {
    if (const auto set = scheduler_.set_priority(id, in_force); !set) {
      turn.effects.replies.push_back([reply, error = set.error()] { reply(fail(error)); });
      return;
    }
  }
  touch(**app);
  turn.effects.records.push_back(UpdateApp{id, (*app)->queue, in_force, (*app)->lifetime_expiry});
  turn.reply_when_durable<std::int32_t>(reply, in_force);
  run_scheduler(turn);
}

void Core::update_lifetime(const AppId& id, WallTime expiry, const ReplyTo<WallTime>& reply,
                           Turn& turn) {
  const auto app = live_app(id);
  if (!app) {
    turn.effects.replies.push_back([reply, error = app.error()] { reply(fail(error)); });
    return;
  }
  if (expiry.ms <= turn.now.wall.ms) {
    turn.effects.replies.push_back([reply, id] {
      reply(fail(ErrorCode::kInvalidArgument,
                 fmt::format("Expiry time of {} lies in the past; give a later one", to_string(id)),
                 ErrorSubject::kApplication));
    });
    return;
  }
  (*app)->lifetime_expiry = expiry;
  touch(**app);
  watch_lifetime(**app, turn.now);
  turn.effects.records.push_back(UpdateApp{id, (*app)->queue, (*app)->priority, expiry});
  turn.reply_when_durable<WallTime>(reply, expiry);
}

void Core::signal_container(const ContainerId& id, SignalCommand command,
                            const ReplyTo<void>& reply, Turn& turn) {
  const Container* container = find_container(id);
  Node* node = container == nullptr ? nullptr : find_node(container->grant.node);
  if (node == nullptr) {
    turn.effects.replies.push_back([reply, id] {
      reply(fail(ErrorCode::kNotFound,
                 fmt::format("Container with id '{}' doesn't exist in RM.", to_string(id)),
                 ErrorSubject::kContainer));
    });
    return;
  }
  const bool pending = std::ranges::any_of(node->signals, [&](const SignalRequest& signal) {
    return signal.container == id && signal.command == command;
  });
  if (!pending) node->signals.push_back({id, command});
  turn.effects.replies.push_back([reply] { reply({}); });
}

}  // namespace heddle::rm
