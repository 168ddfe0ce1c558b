#include "compat/yarn/reservations.h"

#include <fmt/core.h>

#include "compat/records/resources.h"

namespace heddle::compat::yarn {
namespace {

// The numbers of both enums are the same.
rm::ReservationInterpreter interpreter_from_wire(pb::ReservationRequestInterpreterProto wire) {
  switch (wire) {
    case pb::R_ANY: return rm::ReservationInterpreter::kAny;
    case pb::R_ALL: return rm::ReservationInterpreter::kAll;
    case pb::R_ORDER: return rm::ReservationInterpreter::kOrder;
    case pb::R_ORDER_NO_GAP: return rm::ReservationInterpreter::kOrderNoGap;
  }
  return rm::ReservationInterpreter::kAll;
}

pb::ReservationRequestInterpreterProto interpreter_to_wire(rm::ReservationInterpreter interpreter) {
  switch (interpreter) {
    case rm::ReservationInterpreter::kAny: return pb::R_ANY;
    case rm::ReservationInterpreter::kAll: return pb::R_ALL;
    case rm::ReservationInterpreter::kOrder: return pb::R_ORDER;
    case rm::ReservationInterpreter::kOrderNoGap: return pb::R_ORDER_NO_GAP;
  }
  return pb::R_ALL;
}

}  // namespace

std::optional<rm::ReservationId> reservation_id_from_wire(const pb::ReservationIdProto& wire) {
  if (!wire.has_id() && !wire.has_cluster_timestamp()) return std::nullopt;
  return rm::ReservationId{wire.cluster_timestamp(), wire.id()};
}

Result<rm::ReservationDefinition> definition_from_wire(const pb::ReservationDefinitionProto& wire,
                                                       const ResourceTypes& types) {
  rm::ReservationDefinition out;
  out.arrival_ms = wire.arrival();
  out.deadline_ms = wire.deadline();
  out.name = wire.reservation_name();
  out.recurrence = wire.recurrence_expression();
  out.priority = wire.priority().priority();
  const auto& requests = wire.reservation_requests();
  out.has_requests = wire.has_reservation_requests();
  out.interpreter = interpreter_from_wire(requests.interpreter());
  const int count = requests.reservation_resources_size();
  if (static_cast<std::size_t>(count) > queues::reservations::kRequestsMax) {
    return queues::reservations::refused(
        fmt::format("the reservation has {} requests; {} are the most", count,
                    queues::reservations::kRequestsMax),
        ErrorCode::kLimitExceeded);
  }
  for (const auto& one : requests.reservation_resources()) {
    auto capability = resources_from_wire(one.capability(), types);
    if (!capability) return fail(std::move(capability).error().about(ErrorSubject::kReservation));
    out.requests.push_back({*capability, one.num_containers(), one.concurrency(), one.duration()});
  }
  return out;
}

Result<rm::SubmitReservation> reservation_from_wire(
    const pb::ReservationSubmissionRequestProto& wire, const ResourceTypes& types) {
  rm::SubmitReservation out;
  if (wire.has_reservation_id()) out.id = reservation_id_from_wire(wire.reservation_id());
  out.queue = wire.queue();
  if (!wire.has_reservation_definition()) return out;
  auto definition = definition_from_wire(wire.reservation_definition(), types);
  if (!definition) return fail(std::move(definition).error());
  out.definition = *std::move(definition);
  return out;
}

Result<rm::UpdateReservation> update_from_wire(const pb::ReservationUpdateRequestProto& wire,
                                               const ResourceTypes& types) {
  rm::UpdateReservation out;
  if (wire.has_reservation_id()) out.id = reservation_id_from_wire(wire.reservation_id());
  if (!wire.has_reservation_definition()) return out;
  auto definition = definition_from_wire(wire.reservation_definition(), types);
  if (!definition) return fail(std::move(definition).error());
  out.definition = *std::move(definition);
  return out;
}

rm::ListReservations list_from_wire(const pb::ReservationListRequestProto& wire) {
  rm::ListReservations out;
  out.queue = wire.queue();
  out.id = wire.reservation_id();
  out.start_ms = wire.start_time();
  if (wire.has_end_time()) out.end_ms = wire.end_time();
  return out;
}

void to_wire(const rm::ReservationId& id, pb::ReservationIdProto* wire) {
  wire->set_cluster_timestamp(id.cluster_start_ms);
  wire->set_id(id.sequence);
}

void to_wire(const rm::ReservationDefinition& definition, const ResourceTypes& types,
             pb::ReservationDefinitionProto* wire) {
  auto* requests = wire->mutable_reservation_requests();
  requests->set_interpreter(interpreter_to_wire(definition.interpreter));
  for (const rm::ReservationRequest& one : definition.requests) {
    auto* request = requests->add_reservation_resources();
    compat::to_wire(one.capability, types, request->mutable_capability());
    request->set_num_containers(one.containers);
    request->set_concurrency(one.concurrency);
    request->set_duration(one.duration_ms);
  }
  wire->set_arrival(definition.arrival_ms);
  wire->set_deadline(definition.deadline_ms);
  wire->set_reservation_name(definition.name);
  wire->set_recurrence_expression(definition.recurrence);
  wire->mutable_priority()->set_priority(definition.priority);
}

void to_wire(const rm::Reservation& reservation, bool with_steps, const ResourceTypes& types,
             pb::ReservationAllocationStateProto* wire) {
  to_wire(reservation.definition, types, wire->mutable_reservation_definition());
  for (const rm::ReservationStep& one : reservation.steps) {
    if (!with_steps) break;
    const rm::ReservationStep step = rm::shown_step(reservation, one);
    auto* allocation = wire->add_allocation_requests();
    allocation->set_start_time(step.start_ms);
    allocation->set_end_time(step.end_ms);
    compat::to_wire(step.amount, types, allocation->mutable_resource());
  }
  wire->set_user(reservation.user);
  wire->set_acceptance_time(reservation.accepted_ms);
  to_wire(reservation.id, wire->mutable_reservation_id());
}

}  // namespace heddle::compat::yarn
