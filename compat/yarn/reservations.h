// Reservations between their wire form and ours. Pure.
#pragma once

#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/pb.h"
#include "rm/api/reservations.h"

namespace heddle::compat::yarn {

std::optional<rm::ReservationId> reservation_id_from_wire(const pb::ReservationIdProto& wire);
/// kInvalidArgument, kLimitExceeded: amounts of types that are not counted here, or too many
/// requests. What the numbers mean is judged behind the door.
Result<rm::ReservationDefinition> definition_from_wire(const pb::ReservationDefinitionProto& wire,
                                                       const ResourceTypes& types);
Result<rm::SubmitReservation> reservation_from_wire(
    const pb::ReservationSubmissionRequestProto& wire, const ResourceTypes& types);
Result<rm::UpdateReservation> update_from_wire(const pb::ReservationUpdateRequestProto& wire,
                                               const ResourceTypes& types);
rm::ListReservations list_from_wire(const pb::ReservationListRequestProto& wire);

void to_wire(const rm::ReservationId& id, pb::ReservationIdProto* wire);
void to_wire(const rm::ReservationDefinition& definition, const ResourceTypes& types,
             pb::ReservationDefinitionProto* wire);
void to_wire(const rm::Reservation& reservation, bool with_steps, const ResourceTypes& types,
             pb::ReservationAllocationStateProto* wire);

}  // namespace heddle::compat::yarn
