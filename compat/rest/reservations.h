// Reservations as REST clients write them.
#pragma once

#include "base/resources.h"
#include "base/result.h"
#include "compat/rest/body.h"
#include "rm/api/reservations.h"

namespace heddle::compat::rest {

/// Pure. kInvalidArgument, kLimitExceeded: says what is wrong; what the numbers mean is judged
/// behind the door.
Result<rm::ReservationDefinition> reservation_definition_from_body(const Body& body,
                                                                   const ResourceTypes& types);
Result<rm::SubmitReservation> submit_reservation_from_body(const Body& body,
                                                           const ResourceTypes& types);
Result<rm::UpdateReservation> update_reservation_from_body(const Body& body,
                                                           const ResourceTypes& types);

}  // namespace heddle::compat::rest
