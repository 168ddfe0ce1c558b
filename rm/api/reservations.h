// Reservations: room that is promised for a time to come.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "queues/reservations/types.h"
#include "rm/api/door.h"

namespace heddle::rm {

using queues::reservations::ReservationId;
using ReservationDefinition = queues::reservations::Definition;
using ReservationRequest = queues::reservations::Request;
using ReservationInterpreter = queues::reservations::Interpreter;
using ReservationStep = queues::reservations::Step;
using queues::reservations::parse_reservation_id;
using queues::reservations::Reservation;

/// What recurs is shown by its place within the period, as in Hadoop.
inline ReservationStep shown_step(const Reservation& reservation, ReservationStep step) {
  if (reservation.period_ms == 0) return step;
  const std::int64_t whole = step.start_ms / reservation.period_ms * reservation.period_ms;
  step.start_ms -= whole;
  step.end_ms -= whole;
  return step;
}

inline constexpr const char* kReservationsOff =
    "Reservation is not enabled. Please enable & try again";

struct SubmitReservation {
  std::optional<ReservationId> id;
  std::string queue;  // name or path of one that is reservable
  std::optional<ReservationDefinition> definition;
};

struct UpdateReservation {
  std::optional<ReservationId> id;
  std::optional<ReservationDefinition> definition;
};

struct ListReservations {
  std::string queue;
  std::string id;  // ""; all
  std::int64_t start_ms = 0;
  std::int64_t end_ms = INT64_MAX;
};

/// The last accepted first.
using ReservationList = std::shared_ptr<const std::vector<Reservation>>;

/// Errors are about kReservation and carry the texts of Hadoop; kUnsupported: reservations are off.
class ReservationService {
 public:
  virtual ~ReservationService() = default;
  /// A fresh id. Any thread; not durable: ids restart with the cluster timestamp.
  virtual Result<ReservationId> new_reservation_id() = 0;
  /// Durable when answered. The same id with the same definition again is success without effect.
  virtual void submit_reservation(const security::Caller& caller, SubmitReservation request,
                                  ReplyTo<void> reply) = 0;
  virtual void update_reservation(const security::Caller& caller, UpdateReservation request,
                                  ReplyTo<void> reply) = 0;
  virtual void delete_reservation(const security::Caller& caller, std::optional<ReservationId> id,
                                  ReplyTo<void> reply) = 0;
  virtual void list_reservations(const security::Caller& caller, ListReservations request,
                                 ReplyTo<ReservationList> reply) = 0;
};

}  // namespace heddle::rm
