#include "queues/reservations/plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace heddle::queues::reservations {
namespace {

bool needs_gangs(const Definition& definition) {
  return std::ranges::any_of(definition.requests,
                             [](const Request& request) { return request.concurrency > 1; });
}

/// The next time after `after_ms` where what the reservation has begins, changes or ends.
std::optional<std::int64_t> next_change_of(const Reservation& reservation, std::int64_t after_ms) {
  const std::int64_t start = reservation.start_ms();
  if (after_ms < start) return start;
  std::int64_t passed = 0;  // whole periods
  if (reservation.period_ms > 0) {
    passed = (after_ms - start) / reservation.period_ms * reservation.period_ms;
  }
  const std::int64_t at = after_ms - passed;
  const auto next = std::ranges::upper_bound(reservation.steps, at, {}, &Step::end_ms);
  if (next != reservation.steps.end()) {
    return passed + (next->start_ms > at ? next->start_ms : next->end_ms);
  }
  if (reservation.period_ms == 0) return std::nullopt;
  return passed + start + reservation.period_ms;
}

std::size_t size_of(const Reservation& reservation) {
  return reservation.definition.requests.size() + reservation.steps.size();
}

bool newer(const Reservation* a, const Reservation* b) {
  return std::tie(b->accepted_ms, b->id) < std::tie(a->accepted_ms, a->id);
}

}  // namespace

Plan::Plan(PlanLimits limits, PlanSettings settings)
    : limits_(limits), settings_(std::move(settings)) {}

Bounds Plan::bounds() const {
  return {capacity_, limits_.largest_container, limits_.type_count, limits_.max_period_ms};
}

Result<void> Plan::check(const Definition& definition, std::int64_t now_ms) const {
  return check_definition(definition, bounds(), now_ms);
}

const Reservation* Plan::find(const ReservationId& id) const {
  const auto found = reservations_.find(id);
  return found == reservations_.end() ? nullptr : &found->second;
}

const Reservation* Plan::keep(Reservation reservation) {
  size_ += size_of(reservation);
  all_.add(reservation.steps, reservation.period_ms);
  by_user_[reservation.user].add(reservation.steps, reservation.period_ms);
  const ReservationId id = reservation.id;
  return &reservations_.insert_or_assign(id, std::move(reservation)).first->second;
}

Reservation Plan::take_out(std::map<ReservationId, Reservation>::iterator at) {
  Reservation reservation = std::move(at->second);
  reservations_.erase(at);
  size_ -= size_of(reservation);
  all_.remove(reservation.steps, reservation.period_ms);
  const auto own = by_user_.find(reservation.user);
  own->second.remove(reservation.steps, reservation.period_ms);
  if (own->second.empty()) by_user_.erase(own);
  return reservation;
}

Result<Reservation> Plan::plan(const ReservationId& id, const std::string& user,
                               const Definition& definition, std::int64_t now_ms) {
  const auto mine = by_user_.try_emplace(user).first;
  Load& own = mine->second;
  const PlanQuota& quota = settings_.quota;
  const Resources most = quota.over_time ? share_of(capacity_, quota.instantaneous) : capacity_;
  auto steps = place(definition, {all_, own, capacity_, most}, bounds(), {now_ms, limits_.step_ms});
  const auto forget_nobody = [&] {
    if (own.empty()) by_user_.erase(mine);
  };
  if (!steps) {
    forget_nobody();
    return fail(std::move(steps).error());
  }
  Reservation reservation{
      id,    user, definition, *std::move(steps), needs_gangs(definition), period_of(definition),
      now_ms};
  if (size_ + size_of(reservation) > kPlanSizeMax) {
    forget_nobody();
    return refused(fmt::format("{}the reservations of the plan have {} requests and steps; {} are "
                               "the most. Delete some that are not needed",
                               kPlanningException, size_ + size_of(reservation), kPlanSizeMax),
                   ErrorCode::kLimitExceeded);
  }
  own.add(reservation.steps, reservation.period_ms);
  const std::int64_t start_ms = reservation.start_ms();
  std::int64_t end_ms = reservation.end_ms();
  if (reservation.period_ms > 0) {
    end_ms = std::max(start_ms + limits_.max_period_ms, own.once_end_ms());
  }
  const auto checked =
      check_average({own, start_ms, end_ms}, quota, capacity_, limits_.type_count, id);
  own.remove(reservation.steps, reservation.period_ms);
  forget_nobody();
  RETURN_IF_ERROR(checked);
  return reservation;
}

Result<const Reservation*> Plan::add(const ReservationId& id, const std::string& user,
                                     const Definition& definition, std::int64_t now_ms) {
  if (reservations_.size() >= kReservationsMax) {
    return refused(fmt::format("{}the plan holds {} reservations, which are the most; delete some "
                               "that are not needed",
                               kPlanningException, reservations_.size()),
                   ErrorCode::kLimitExceeded);
  }
  auto planned = plan(id, user, definition, now_ms);
  if (!planned) return fail(std::move(planned).error());
  return keep(*std::move(planned));
}

Result<const Reservation*> Plan::update(const ReservationId& id, const Definition& definition,
                                        std::int64_t now_ms) {
  Reservation before = take_out(reservations_.find(id));
  auto planned = plan(id, before.user, definition, now_ms);
  if (!planned) {
    keep(std::move(before));
    return fail(std::move(planned).error());
  }
  return keep(*std::move(planned));
}

bool Plan::remove(const ReservationId& id) {
  const auto found = reservations_.find(id);
  if (found == reservations_.end()) return false;
  take_out(found);
  return true;
}

bool Plan::restore(Reservation reservation) {
  if (reservation.steps.empty() || reservation.period_ms < 0 || find(reservation.id) != nullptr) {
    return false;
  }
  const std::int64_t length_ms = reservation.end_ms() - reservation.start_ms();
  if (reservation.period_ms > 0 && length_ms > reservation.period_ms) return false;
  std::int64_t last_ms = reservation.start_ms();
  for (const Step& step : reservation.steps) {
    if (step.start_ms < last_ms || step.end_ms <= step.start_ms) return false;
    if (step.amount.is_zero() || !Resources{}.fits_in(step.amount)) return false;
    last_ms = step.end_ms;
  }
  keep(std::move(reservation));
  return true;
}

std::vector<const Reservation*> Plan::current(std::int64_t at_ms) const {
  std::vector<const Reservation*> found;
  for (const auto& [id, reservation] : reservations_) {
    if (reservation.is_current(at_ms)) found.push_back(&reservation);
  }
  return found;
}

std::vector<const Reservation*> Plan::between(std::int64_t start_ms, std::int64_t end_ms) const {
  std::vector<const Reservation*> found;
  for (const auto& [id, reservation] : reservations_) {
    if (reservation.start_ms() > end_ms) continue;
    // Periodic: from its start on there is always one that has begun or is to come.
    const bool over = reservation.period_ms == 0 && reservation.end_ms() <= start_ms;
    if (!over) found.push_back(&reservation);
  }
  std::ranges::sort(found, newer);
  return found;
}

std::optional<std::int64_t> Plan::next_change(std::int64_t after_ms) const {
  std::optional<std::int64_t> next;
  for (const auto& [id, reservation] : reservations_) {
    const auto own = next_change_of(reservation, after_ms);
    if (own) next = std::min(next.value_or(*own), *own);
  }
  return next;
}

std::vector<ReservationId> Plan::replan(std::int64_t now_ms) {
  std::vector<ReservationId> taken_back;
  const std::int64_t end_ms = now_ms + settings_.enforcement_window_ms;
  for (std::int64_t at = now_ms; at < end_ms;) {
    const Piece piece = all_.at(at);
    std::vector<const Reservation*> there;
    Resources taken;  // the sums have what comes again before its first time, too
    if (!is_within(piece.amount, capacity_, limits_.type_count)) there = current(at);
    std::erase_if(there, [at](const Reservation* one) { return one->at(at).is_zero(); });
    for (const Reservation* one : there)
      taken += one->at(at);
    if (is_within(taken, capacity_, limits_.type_count)) {
      at = piece.until_ms;
      continue;
    }
    const ReservationId last = (*std::ranges::min_element(there, newer))->id;
    remove(last);
    taken_back.push_back(last);
  }
  return taken_back;
}

std::optional<std::int64_t> Plan::next_forgotten() const {
  std::optional<std::int64_t> next;
  for (const auto& [id, reservation] : reservations_) {
    if (reservation.period_ms > 0) continue;
    const std::int64_t at = reservation.end_ms() + window_ms();
    next = std::min(next.value_or(at), at);
  }
  return next;
}

std::vector<ReservationId> Plan::forget_ended(std::int64_t now_ms) {
  std::vector<ReservationId> ended;
  for (const auto& [id, reservation] : reservations_) {
    if (reservation.period_ms == 0 && reservation.end_ms() + window_ms() <= now_ms) {
      ended.push_back(id);
    }
  }
  for (const ReservationId& id : ended)
    remove(id);
  return ended;
}

std::string Plan::check_invariants() const {
  Load all;
  std::set<std::int64_t> changes;
  for (const auto& [id, reservation] : reservations_) {
    all.add(reservation.steps, reservation.period_ms);
    for (const Step& step : reservation.steps)
      changes.insert({step.start_ms, step.end_ms});
    if (!by_user_.contains(reservation.user)) return to_string(id) + ": is not counted";
  }
  for (const std::int64_t at : changes) {
    Resources of_users;
    for (const auto& [user, load] : by_user_)
      of_users += load.at(at).amount;
    if (!(all.at(at).amount == all_.at(at).amount) || !(of_users == all_.at(at).amount)) {
      return fmt::format("the sum at {} is {}, and should be {}", at, to_string(taken_at(at)),
                         to_string(all.at(at).amount));
    }
  }
  std::size_t size = 0;
  for (const auto& [id, reservation] : reservations_)
    size += size_of(reservation);
  if (size != size_) return "the size of the plan is wrong";
  if (reservations_.empty() && !(all_.empty() && by_user_.empty())) return "something is left over";
  return "";
}

}  // namespace heddle::queues::reservations
