#include "compat/yarn/client_parts.h"
#include "compat/yarn/reservations.h"

namespace heddle::compat::yarn {
namespace {

using ipc::CallContext;
using ipc::Reply;

void submit_reservation(const Context& context, rm::ReservationService& service,
                        const CallContext& call,
                        const pb::ReservationSubmissionRequestProto& request,
                        Reply<pb::ReservationSubmissionResponseProto> reply) {
  auto wanted = reservation_from_wire(request, context.types());
  if (!wanted) return reply(fail(std::move(wanted).error()));
  service.submit_reservation(call.caller, *std::move(wanted), answer_empty(std::move(reply)));
}

void update_reservation(const Context& context, rm::ReservationService& service,
                        const CallContext& call, const pb::ReservationUpdateRequestProto& request,
                        Reply<pb::ReservationUpdateResponseProto> reply) {
  auto wanted = update_from_wire(request, context.types());
  if (!wanted) return reply(fail(std::move(wanted).error()));
  service.update_reservation(call.caller, *std::move(wanted), answer_empty(std::move(reply)));
}

void delete_reservation(const Context&, rm::ReservationService& service, const CallContext& call,
                        const pb::ReservationDeleteRequestProto& request,
                        Reply<pb::ReservationDeleteResponseProto> reply) {
  service.delete_reservation(call.caller, reservation_id_from_wire(request.reservation_id()),
                             answer_empty(std::move(reply)));
}

void list_reservations(const Context& context, rm::ReservationService& service,
                       const CallContext& call, const pb::ReservationListRequestProto& request,
                       Reply<pb::ReservationListResponseProto> reply) {
  service.list_reservations(
      call.caller, list_from_wire(request),
      answer<rm::ReservationList>(
          std::move(reply), [&context, with_steps = request.include_resource_allocations()](
                                const rm::ReservationList& reservations) {
            pb::ReservationListResponseProto out;
            for (const rm::Reservation& one : *reservations)
              to_wire(one, with_steps, context.types(), out.add_reservations());
            return out;
          }));
}

/// Binds a handler above to the context. Where nobody keeps reservations they are off.
template <class Request, class Response>
void add_reservation_method(ipc::ProtocolService& service, const ContextPtr& context,
                            std::string method,
                            void (*handler)(const Context&, rm::ReservationService&,
                                            const CallContext&, const Request&, Reply<Response>)) {
  service.on<Request, Response>(std::move(method), [context, handler](const CallContext& call,
                                                                      const Request& request,
                                                                      Reply<Response> reply) {
    rm::ReservationService* reservations = context->door.reservations;
    if (reservations == nullptr) {
      return reply(fail(ErrorCode::kUnsupported, rm::kReservationsOff, ErrorSubject::kReservation));
    }
    handler(*context, *reservations, call, request, std::move(reply));
  });
}

void new_reservation(const Context&, rm::ReservationService& service, const CallContext&,
                     const pb::GetNewReservationRequestProto&,
                     Reply<pb::GetNewReservationResponseProto> reply) {
  const auto id = service.new_reservation_id();
  if (!id) return reply(fail(id.error()));
  pb::GetNewReservationResponseProto out;
  to_wire(*id, out.mutable_reservation_id());
  reply(std::move(out));
}

}  // namespace

void add_reservation_methods(ipc::ProtocolService& service, const ContextPtr& context) {
  add_reservation_method(service, context, "getNewReservation", new_reservation);
  add_reservation_method(service, context, "submitReservation", submit_reservation);
  add_reservation_method(service, context, "updateReservation", update_reservation);
  add_reservation_method(service, context, "deleteReservation", delete_reservation);
  add_reservation_method(service, context, "listReservations", list_reservations);
}

}  // namespace heddle::compat::yarn
