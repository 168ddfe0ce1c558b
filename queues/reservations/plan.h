// All reservations of one queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "queues/reservations/load.h"
#include "queues/reservations/place.h"
#include "queues/reservations/quota.h"

namespace heddle::queues::reservations {

/// The same for all plans.
struct PlanLimits {
  std::int64_t step_ms = 1'000;
  std::int64_t max_period_ms = 86'400'000;
  Resources largest_container;
  std::size_t type_count = 2;
};

/// Never promises more than its capacity at any time, as long as that does not shrink. Equal calls
/// give equal plans.
class Plan {
 public:
  Plan(PlanLimits limits, PlanSettings settings);
  void set_settings(PlanSettings settings) { settings_ = std::move(settings); }
  const PlanSettings& settings() const { return settings_; }
  /// From now on; what is promised stays promised until replan().
  void set_capacity(const Resources& capacity) { capacity_ = capacity; }
  const Resources& capacity() const { return capacity_; }

  /// Errors of a definition that makes no sense.
  Result<void> check(const Definition& definition, std::int64_t now_ms) const;
  /// The definition was checked and the id is new. The pointer holds until the next change.
  Result<const Reservation*> add(const ReservationId& id, const std::string& user,
                                 const Definition& definition, std::int64_t now_ms);
  /// Like a new one in place of the old one, which stays if there is no room.
  Result<const Reservation*> update(const ReservationId& id, const Definition& definition,
                                    std::int64_t now_ms);
  bool remove(const ReservationId& id);
  /// What was promised before the restart. False: it makes no sense, and is not taken.
  bool restore(Reservation reservation);

  const Reservation* find(const ReservationId& id) const;
  std::size_t size() const { return reservations_.size(); }
  Resources taken_at(std::int64_t at_ms) const { return all_.at(at_ms).amount; }
  /// By id.
  std::vector<const Reservation*> current(std::int64_t at_ms) const;
  /// Those that have something in that time, the last accepted first.
  std::vector<const Reservation*> between(std::int64_t start_ms, std::int64_t end_ms) const;
  /// When the next reservation begins, ends, or becomes larger or smaller.
  std::optional<std::int64_t> next_change(std::int64_t after_ms) const;

  /// Takes back what exceeds the capacity between now and the end of the enforcement window: the
  /// last accepted first. What was taken back, in that order.
  std::vector<ReservationId> replan(std::int64_t now_ms);
  /// Forgets what has ended so long ago that no average counts it.
  std::vector<ReservationId> forget_ended(std::int64_t now_ms);
  std::optional<std::int64_t> next_forgotten() const;

  /// For tests: every sum is right. Empty, or what is wrong.
  std::string check_invariants() const;

 private:
  Result<Reservation> plan(const ReservationId& id, const std::string& user,
                           const Definition& definition, std::int64_t now_ms);
  const Reservation* keep(Reservation reservation);
  Reservation take_out(std::map<ReservationId, Reservation>::iterator at);
  std::int64_t window_ms() const {
    return settings_.quota.over_time ? settings_.quota.window_ms : 0;
  }
  Bounds bounds() const;

  PlanLimits limits_;
  PlanSettings settings_;
  Resources capacity_;
  std::map<ReservationId, Reservation> reservations_;
  Load all_;
  std::map<std::string, Load> by_user_;
  std::size_t size_ = 0;  // requests and steps of all
};

}  // namespace heddle::queues::reservations
