// Reservations: the plans of reservable queues, and their queues, which follow them.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "rm/core/core.h"

namespace heddle::rm {

using queues::reservations::aligned_up;
using queues::reservations::Plan;
using queues::reservations::refused;

namespace {

// Later deadlines are looked at once more in between.
constexpr std::int64_t kWatchMaxMs = std::int64_t{30} * 24 * 3600 * 1000;

std::string name_of(const QueuePath& path) {
  return path.value().substr(path.value().rfind('.') + 1);
}

QueuePath default_child(const QueuePath& plan) {
  return QueuePath(plan.value() + "." + name_of(plan) + "-default");
}

template <class T>
void reply_now(const ReplyTo<T>& reply, const Error& error, Turn& turn) {
  turn.effects.replies.push_back([reply, error] { reply(fail(error)); });
}

Failure off() {
  return fail(ErrorCode::kUnsupported, kReservationsOff, ErrorSubject::kReservation);
}

}  // namespace

// --- plans ---------------------------------------------------------------------------------------

/// A plan for each reservable queue. One whose queue is not reservable any more keeps what it
/// promised, for the case that it is again.
void Core::take_plan_queues() {
  if (!options_.reservations.enabled) return;
  for (const QueuePath& path : scheduler_.plan_queues()) {
    const queues::PlanSettings& settings = *scheduler_.rules(path)->plan;
    const auto known = reservations_.plans.find(path.value());
    if (known != reservations_.plans.end()) {
      known->second.plan.set_settings(settings);
      continue;
    }
    const queues::reservations::PlanLimits limits{
        options_.reservations.step_ms, options_.reservations.max_period_ms, options_.limits.maximum,
        options_.resource_types.all().size()};
    reservations_.plans.emplace(path.value(), PlanState{path, Plan(limits, settings), {}});
  }
  reservations_.stale = !reservations_.plans.empty();
}

Result<PlanState*> Core::find_plan(const std::string& queue) {
  if (queue.empty()) {
    return refused("The queue is not specified. Please try again with a valid reservable queue.");
  }
  const auto path = scheduler_.find_queue(queue);
  const auto found = path ? reservations_.plans.find(path->value()) : reservations_.plans.end();
  if (found != reservations_.plans.end() && scheduler_.rules(*path)->plan) {
    found->second.plan.set_capacity(scheduler_.guaranteed(*path));
    return &found->second;
  }
  return refused(
      fmt::format("The specified queue: {} is not managed by reservation system. Please "
                  "try again with a valid reservable queue.",
                  shortened(queue)));
}

Result<PlanState*> Core::find_plan(const std::optional<ReservationId>& id) {
  if (!id) {
    return refused("Missing reservation id. Please try again by specifying a reservation id.");
  }
  const auto known = reservations_.plan_of.find(*id);
  if (known != reservations_.plan_of.end()) return find_plan(known->second);
  return refused(
      fmt::format("The specified reservation with ID: {} is unknown. Please try again "
                  "with a valid reservation.",
                  to_string(*id)));
}

Result<void> Core::check_definition(const Plan& plan,
                                    const std::optional<ReservationDefinition>& definition,
                                    const Now& now) {
  if (definition) return plan.check(*definition, now.wall.ms);
  return refused(
      "Missing reservation definition. Please try again by specifying a reservation definition.");
}

/// Whoever made a reservation may do everything with it.
Result<void> Core::check_access(const PlanState& state, const std::string& user,
                                const OnList& on_list, PlanRight right,
                                const std::optional<ReservationId>& id) const {
  if (!options_.reservations.acls) return {};
  const Reservation* own = id ? state.plan.find(*id) : nullptr;
  if (own != nullptr && own->user == user) return {};
  const queues::PlanSettings& settings = state.plan.settings();
  const auto [list, name] = [&]() -> std::pair<std::optional<std::string>, std::string_view> {
    switch (right) {
      case PlanRight::kSubmit: return {settings.acl_submit, "SUBMIT_RESERVATIONS"};
      case PlanRight::kList: return {settings.acl_list, "LIST_RESERVATIONS"};
      case PlanRight::kAdminister: break;
    }
    return {settings.acl_administer, "ADMINISTER_RESERVATIONS"};
  }();
  if (on_list(list.value_or("*")) || on_list(settings.acl_administer.value_or("*"))) return {};
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("java.security.AccessControlException: User {} cannot perform operation "
                          "{} on queue {}",
                          user, name, name_of(state.queue)),
              ErrorSubject::kReservation);
}

// --- what users ask for --------------------------------------------------------------------------

Result<void> Core::take_reservation(const std::string& user, const OnList& on_list,
                                    const SubmitReservation& request, Turn& turn) {
  if (!options_.reservations.enabled) return off();
  if (!request.id) {
    return refused(
        "Reservation id cannot be null. Please try again specifying  a valid "
        "reservation id by creating a new reservation id.");
  }
  const auto state = find_plan(request.queue);
  if (!state) return fail(state.error());
  Plan& plan = (*state)->plan;
  RETURN_IF_ERROR(check_definition(plan, request.definition, turn.now));
  const auto known = reservations_.plan_of.find(*request.id);
  if (known != reservations_.plan_of.end()) {
    const Reservation* there = plan.find(*request.id);
    if (there != nullptr && there->definition == *request.definition) return {};
    return refused(
        fmt::format("Reservation allocation already exists with the reservation id {}, "
                    "but a different reservation definition was provided. Please try "
                    "again with a new reservation id, or consider updating the "
                    "reservation instead.",
                    to_string(*request.id)));
  }
  RETURN_IF_ERROR(check_access(**state, user, on_list, PlanRight::kSubmit, {}));
  const auto added = plan.add(*request.id, user, *request.definition, turn.now.wall.ms);
  if (!added) return fail(added.error());
  reservations_.plan_of[*request.id] = (*state)->queue.value();
  turn.effects.records.push_back(SaveReservation{(*state)->queue.value(), **added});
  follow_plan(**state, turn);
  return {};
}

void Core::submit_reservation(const security::Caller& caller, const OnList& on_list,
                              const SubmitReservation& request, const ReplyTo<void>& reply,
                              Turn& turn) {
  const auto taken = take_reservation(caller.user, on_list, request, turn);
  if (!taken) return reply_now(reply, taken.error(), turn);
  turn.reply_when_durable<void>(reply, {});
  run_scheduler(turn);
}

void Core::update_reservation(const security::Caller& caller, const OnList& on_list,
                              const UpdateReservation& request, const ReplyTo<void>& reply,
                              Turn& turn) {
  const auto update = [&]() -> Result<void> {
    if (!options_.reservations.enabled) return off();
    const auto state = find_plan(request.id);
    if (!state) return fail(state.error());
    RETURN_IF_ERROR(check_definition((*state)->plan, request.definition, turn.now));
    RETURN_IF_ERROR(
        check_access(**state, caller.user, on_list, PlanRight::kAdminister, request.id));
    const auto updated = (*state)->plan.update(*request.id, *request.definition, turn.now.wall.ms);
    if (!updated) return fail(updated.error());
    turn.effects.records.push_back(SaveReservation{(*state)->queue.value(), **updated});
    follow_plan(**state, turn);
    return {};
  };
  const auto updated = update();
  if (!updated) return reply_now(reply, updated.error(), turn);
  turn.reply_when_durable<void>(reply, {});
  run_scheduler(turn);
}

void Core::delete_reservation(const security::Caller& caller, const OnList& on_list,
                              const std::optional<ReservationId>& id, const ReplyTo<void>& reply,
                              Turn& turn) {
  const auto remove = [&]() -> Result<void> {
    if (!options_.reservations.enabled) return off();
    const auto state = find_plan(id);
    if (!state) return fail(state.error());
    RETURN_IF_ERROR(check_access(**state, caller.user, on_list, PlanRight::kAdminister, id));
    (*state)->plan.remove(*id);
    forget_reservation(*id, turn);
    follow_plan(**state, turn);
    return {};
  };
  const auto removed = remove();
  if (!removed) return reply_now(reply, removed.error(), turn);
  turn.reply_when_durable<void>(reply, {});
  run_scheduler(turn);
}

Result<ReservationList> Core::list_reservations(const security::Caller& caller,
                                                const OnList& on_list,
                                                const ListReservations& request) {
  if (!options_.reservations.enabled) return off();
  if (request.end_ms < request.start_ms) {
    return refused("The specified end time must be greater than the specified start time.");
  }
  const auto state = find_plan(request.queue);
  if (!state) return fail(state.error());
  std::optional<ReservationId> id;
  if (!request.id.empty()) {
    const auto parsed = parse_reservation_id(request.id);
    if (!parsed) return fail(parsed.error());
    id = *parsed;
  }
  RETURN_IF_ERROR(check_access(**state, caller.user, on_list, PlanRight::kList, id));
  const Plan& plan = (*state)->plan;
  auto found = std::make_shared<std::vector<Reservation>>();
  if (id) {
    if (const Reservation* one = plan.find(*id)) found->push_back(*one);
  } else {
    const std::int64_t start_ms = std::max<std::int64_t>(request.start_ms, 0);
    const std::int64_t end_ms = request.end_ms < 0 ? INT64_MAX : request.end_ms;
    for (const Reservation* one : plan.between(start_ms, end_ms))
      found->push_back(*one);
  }
  return ReservationList(std::move(found));
}

void Core::forget_reservation(const ReservationId& id, Turn& turn) {
  reservations_.plan_of.erase(id);
  turn.effects.records.push_back(DropReservation{id});
}

// --- queues follow plans -------------------------------------------------------------------------

bool Core::plans_are_stale() const {
  if (reservations_.plans.empty()) return false;
  return reservations_.stale || !(reservations_.followed == scheduler_.cluster_total());
}

void Core::follow_plans(Turn& turn) {
  reservations_.stale = false;
  reservations_.followed = scheduler_.cluster_total();
  for (auto& [path, state] : reservations_.plans)
    follow_plan(state, turn);
}

/// Takes back what was promised where the queue has shrunk below what is due now. A cluster without
/// nodes has not shrunk: it is starting, or gone as a whole.
void Core::repair_plan(PlanState& state, std::int64_t at_ms, Turn& turn) {
  Plan& plan = state.plan;
  if (plan.capacity().is_zero() || turn.now.instant < reservations_.replan_from) return;
  const std::size_t types = options_.resource_types.all().size();
  if (queues::reservations::is_within(plan.taken_at(at_ms), plan.capacity(), types)) return;
  for (const ReservationId& id : plan.replan(at_ms)) {
    log::warn("{} is taken back: queue {} has only {} now", to_string(id), state.queue.value(),
              to_string(plan.capacity()));
    forget_reservation(id, turn);
  }
}

void Core::follow_plan(PlanState& state, Turn& turn) {
  const DeadlineKind kind = DeadlineKind::kPlan;
  disarm(state.due, {{}, kind, {}, NodeId{state.queue.value(), 0}});
  const queues::QueueRules* rules = scheduler_.rules(state.queue);
  if (rules == nullptr || !rules->plan) return;
  const std::int64_t step_ms = options_.reservations.step_ms;
  const std::int64_t at_ms = aligned_up(turn.now.wall.ms, step_ms);
  Plan& plan = state.plan;
  plan.set_capacity(scheduler_.guaranteed(state.queue));
  repair_plan(state, at_ms, turn);
  for (const ReservationId& id : plan.forget_ended(at_ms))
    forget_reservation(id, turn);

  std::vector<queues::PlanShare> shares;
  std::set<std::string> names;
  for (const Reservation* one : plan.current(at_ms)) {
    shares.push_back({to_string(one->id), one->at(at_ms), one->gangs});
    names.insert(shares.back().name);
  }
  set_scheduler_time(turn.now);
  const auto before = scheduler_.reserved_queues(state.queue);
  for (const QueuePath& queue : before) {
    if (!names.contains(name_of(queue))) empty_reserved(queue, state, turn);
  }
  (void)scheduler_.set_plan_shares(state.queue, shares);  // it is a plan queue
  for (const QueuePath& queue : before) {
    if (!scheduler_.find_queue(queue.value())) keep_counters(queue);
  }
  queues_changed_ = true;
  watch_plan(state, at_ms, turn.now);
}

void Core::watch_plan(PlanState& state, std::int64_t at_ms, const Now& now) {
  const std::int64_t step_ms = options_.reservations.step_ms;
  auto next = state.plan.next_change(at_ms);
  if (const auto forgotten = state.plan.next_forgotten()) {
    next = std::min(next.value_or(*forgotten), *forgotten);
  }
  std::optional<Instant> due;
  if (next) {
    // Plan time is the step to come: see follow_plan().
    const std::int64_t wait_ms = std::clamp<std::int64_t>(
        aligned_up(*next, step_ms) - step_ms + 1 - now.wall.ms, 1, kWatchMaxMs);
    due = now.instant + std::chrono::milliseconds(wait_ms);
  }
  if (state.plan.size() > 0 && now.instant < reservations_.replan_from) {
    due = std::min(due.value_or(reservations_.replan_from), reservations_.replan_from);
  }
  if (due) arm(state.due, {*due, DeadlineKind::kPlan, {}, NodeId{state.queue.value(), 0}});
}

void Core::plan_is_due(const std::string& queue, Turn& turn) {
  const auto found = reservations_.plans.find(queue);
  if (found == reservations_.plans.end()) return;
  found->second.due.reset();
  follow_plan(found->second, turn);
}

/// Its reservation has ended: applications go to the default child of the plan, or end.
void Core::empty_reserved(const QueuePath& queue, const PlanState& state, Turn& turn) {
  const bool move_on = state.plan.settings().move_on_expiry;
  for (const AppId& id : scheduler_.apps_in(queue)) {
    App& app = *find_app(id);
    if (move_on) {
      const auto moved = scheduler_.move_app(id, default_child(state.queue).value());
      if (moved) {
        note_moved(app, *moved, turn);
        continue;
      }
      log::warn("{} cannot leave the expired reservation {}: {}", to_string(id), queue.value(),
                moved.error().message);
    }
    if (std::exchange(app.kill_requested, true)) continue;
    app.kill_diagnostics =
        fmt::format("Application killed due to expiry of reservation queue {}.", name_of(queue));
    raise(app, AppEvent::kKill, turn);
  }
}

// --- applications --------------------------------------------------------------------------------

/// In the queue of its reservation, or in the default child of the plan queue that it names.
Result<void> Core::place_in_plan(App& app, Turn& turn) {
  const auto& reservation = app.submission->reservation;
  if (reservation && !options_.reservations.enabled) return off();
  const auto plan = scheduler_.find_queue(app.queue);
  const queues::QueueRules* rules = plan ? scheduler_.rules(*plan) : nullptr;
  if (rules == nullptr || !rules->plan) return {};
  if (!reservation) {
    app.queue = default_child(*plan).value();
    return {};
  }
  const auto known = reservations_.plans.find(plan->value());
  if (known != reservations_.plans.end()) follow_plan(known->second, turn);
  const std::string name = to_string(*reservation);
  const std::string path = plan->value() + "." + name;
  if (scheduler_.find_queue(path)) {
    app.queue = path;
    return {};
  }
  if (const auto elsewhere = reservations_.plan_of.find(*reservation);
      elsewhere != reservations_.plan_of.end() && elsewhere->second != plan->value()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Application: {} submitted to a reservation {} which does not belong "
                            "to the specified queue: {}",
                            to_string(app.id), name, shortened(app.queue)),
                ErrorSubject::kQueue);
  }
  return fail(ErrorCode::kWrongState,
              fmt::format("Application {} submitted to a reservation which is not currently "
                          "active: {}",
                          to_string(app.id), name),
              ErrorSubject::kQueue);
}

/// Where a move to a plan queue leads.
std::string Core::move_target(const std::string& queue) const {
  const auto plan = scheduler_.find_queue(queue);
  const queues::QueueRules* rules = plan ? scheduler_.rules(*plan) : nullptr;
  return rules != nullptr && rules->plan ? default_child(*plan).value() : queue;
}

void Core::recover_reservations(const StoredState& state, Turn& turn) {
  reservations_.replan_from = turn.now.instant + options_.reservations.replan_pause;
  take_plan_queues();
  if (!options_.reservations.enabled) return;
  for (const SaveReservation& stored : state.reservations) {
    const Reservation& reservation = stored.reservation;
    const auto plan = reservations_.plans.find(stored.queue);
    const bool known = plan != reservations_.plans.end() && plan->second.plan.restore(reservation);
    if (known) {
      reservations_.plan_of[reservation.id] = stored.queue;
    } else {
      log::warn("{} is not in force: queue {} is not reservable, or the record makes no sense",
                to_string(reservation.id), shortened(stored.queue));
    }
  }
  follow_plans(turn);
}

/// Its reservation ended while nobody was here.
void Core::leave_expired(App& app) {
  if (scheduler_.find_queue(app.queue)) return;
  const std::size_t dot = app.queue.rfind('.');
  if (dot == std::string::npos) return;
  const QueuePath plan(app.queue.substr(0, dot));
  const queues::QueueRules* rules = scheduler_.rules(plan);
  if (rules != nullptr && rules->plan && rules->plan->move_on_expiry) {
    app.queue = default_child(plan).value();
  }
}

std::string Core::check_plans() const {
  std::size_t held = 0;
  for (const auto& [path, state] : reservations_.plans) {
    if (std::string wrong = state.plan.check_invariants(); !wrong.empty()) {
      return fmt::format("{}: {}", path, wrong);
    }
    held += state.plan.size();
  }
  return held == reservations_.plan_of.size() ? "" : "reservations are not found by their ids";
}

}  // namespace heddle::rm
