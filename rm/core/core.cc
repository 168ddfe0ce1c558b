// Construction, lookups, and the three state machines' common step.
#include "rm/core/core.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace heddle::rm {

Core::Core(CoreOptions options, queues::Scheduler scheduler)
    : options_(std::move(options)), scheduler_(std::move(scheduler)) {
  // One finished application at least stays, so that whoever finishes one may still look at it.
  options_.finished_apps_max = std::max<std::size_t>(options_.finished_apps_max, 1);
  scheduler_.set_preemption(options_.preemption);
  user_metrics_ = scheduler_.config().user_metrics;
}

App* Core::find_app(const AppId& id) {
  const auto found = apps_.find(id);
  return found == apps_.end() ? nullptr : &found->second;
}

Attempt* Core::find_attempt(const AttemptId& id) {
  App* app = find_app(id.app);
  if (app == nullptr) return nullptr;
  const auto found = app->attempts.find(id.number);
  return found == app->attempts.end() ? nullptr : &found->second;
}

Node* Core::find_node(const NodeId& id) {
  const auto found = nodes_by_id_.find(id);
  return found == nodes_by_id_.end() ? nullptr : found->second;
}

Container* Core::find_container(const ContainerId& id) {
  const auto found = containers_.find(id);
  return found == containers_.end() ? nullptr : &found->second;
}

Result<App*> Core::known_app(const AppId& id) {
  App* app = find_app(id);
  if (app == nullptr) {
    return fail(ErrorCode::kNotFound,
                fmt::format("Application with id '{}' doesn't exist in RM.", to_string(id)),
                ErrorSubject::kApplication);
  }
  return app;
}

Result<App*> Core::live_app(const AppId& id) {
  auto app = known_app(id);
  if (app && is_final((*app)->state)) {
    return fail(ErrorCode::kWrongState,
                fmt::format("Application with id {} is in {} state and cannot be changed",
                            to_string(id), to_string((*app)->state)),
                ErrorSubject::kApplication);
  }
  return app;
}

bool Core::raise(App& app, AppEvent event, Turn& turn) {
  const AppTransition* row = find_transition(kAppTransitions, app.state, event);
  if (row == nullptr) return false;
  // A kill passes two states that clients do not see; they see the one before both.
  const bool hidden = row->to == AppState::kKilling || row->to == AppState::kFinalSaving;
  if (hidden && app.state != AppState::kKilling) app.state_before_saving = app.state;
  if (row->to == AppState::kFinalSaving) {
    app.end.state = [&] {
      switch (event) {
        case AppEvent::kKill:
        case AppEvent::kAttemptKilled: return AppState::kKilled;
        case AppEvent::kAttemptUnregistered:
        case AppEvent::kAttemptFinished:
          return app.state == AppState::kKilling ? AppState::kKilled : AppState::kFinished;
        default: return app.state == AppState::kKilling ? AppState::kKilled : AppState::kFailed;
      }
    }();
  }
  app.state = row->to;
  touch(app);
  carry_out(app, row->effect, turn);
  return true;
}

bool Core::raise(App& app, Attempt& attempt, AttemptEvent event, Turn& turn) {
  const AttemptTransition* row = find_transition(kAttemptTransitions, attempt.state, event);
  if (row == nullptr) return false;
  if (row->to == AttemptState::kFinalSaving) attempt.state_before_saving = attempt.state;
  attempt.state = row->to;
  touch(attempt);
  touch(app);
  carry_out(app, attempt, event, row->effect, turn);
  return true;
}

bool Core::raise(Node& node, NodeEvent event, Turn& turn) {
  const NodeTransition* row = find_transition(kNodeTransitions, node.state, event);
  if (row == nullptr) return false;
  node.state = row->to;
  if (!node.serves()) stop_watching(node);
  touch(node);
  carry_out(node, row->effect, turn);
  list_by_load(node);
  note_change(node);
  return true;
}

std::string Core::tracking_page(const AppId& id) const {
  return fmt::format("{}/cluster/app/{}", options_.web_url, to_string(id));
}

ResourceSeconds millis_at(const App& app, const Now& now) {
  ResourceSeconds out = app.millis;
  const std::int64_t elapsed_ms = std::max<std::int64_t>(0, now.wall.ms - app.accounted.ms);
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    std::int64_t more = 0;
    std::int64_t& sum = out.amount[i];
    if (__builtin_mul_overflow(app.used.amount[i] + app.opportunistic.amount[i], elapsed_ms,
                               &more) ||
        __builtin_add_overflow(sum, more, &sum)) {
      sum = INT64_MAX;  // the clock jumped, or sizes are absurd: better stuck than wrapped
    }
  }
  return out;
}

void Core::account(App& app, const Now& now) {
  app.millis = millis_at(app, now);
  app.accounted = now.wall;
}

void Core::saved(const Saved& what, Turn& turn) {
  const auto app_of = [&](const AppId& id) { return find_app(id); };
  if (const auto* saved_app = std::get_if<AppSaved>(&what)) {
    if (App* app = app_of(saved_app->id)) raise(*app, AppEvent::kSaved, turn);
  } else if (const auto* final_app = std::get_if<AppFinalSaved>(&what)) {
    if (App* app = app_of(final_app->id)) final_saved(*app, turn);
  } else if (const auto* saved_attempt = std::get_if<AttemptSaved>(&what)) {
    Attempt* attempt = find_attempt(saved_attempt->id);
    if (attempt != nullptr) {
      raise(*app_of(saved_attempt->id.app), *attempt, AttemptEvent::kSaved, turn);
    }
  } else if (const auto* final_attempt = std::get_if<AttemptFinalSaved>(&what)) {
    Attempt* attempt = find_attempt(final_attempt->id);
    if (attempt != nullptr) attempt_final_saved(*app_of(final_attempt->id.app), *attempt, turn);
  }
  run_scheduler(turn);
}

}  // namespace heddle::rm
