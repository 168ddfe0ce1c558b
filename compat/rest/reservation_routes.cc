// Reservations over REST.
#include <fmt/format.h>

#include <limits>

#include "base/text.h"
#include "compat/rest/reservations.h"
#include "compat/rest/rm_web.h"
#include "compat/rest/submission.h"
#include "rm/api/reservations.h"

namespace heddle::compat::rest {
namespace {

Failure bad_reservation(std::string text) {
  return fail(ErrorCode::kInvalidArgument, std::move(text), ErrorSubject::kReservation);
}

/// Reads numbers of a body; keeps the first error.
class ReservationFields {
 public:
  explicit ReservationFields(const Body& body) : body_(body) {}
  template <class Out>
  void take(std::string_view name, Out& out) {
    const auto value = body_.number_of(name, out);
    if (!value) return note(value.error());
    if (*value > std::numeric_limits<Out>::max() || *value < std::numeric_limits<Out>::min()) {
      return note({ErrorCode::kInvalidArgument, fmt::format("{} is out of range: {}", name, *value),
                   ErrorSubject::kReservation});
    }
    out = static_cast<Out>(*value);
  }
  void take(std::string_view name, std::string& out) {
    auto value = body_.text_of(name, out);
    if (!value) return note(value.error());
    out = *std::move(value);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  void note(const Error& error) {
    if (!error_) error_ = error;
  }
  const Body& body_;
  std::optional<Error> error_;
};

Result<rm::ReservationRequest> reservation_request_from_body(const Body& body,
                                                             const ResourceTypes& types) {
  rm::ReservationRequest out;
  out.duration_ms = 0;
  out.containers = 0;
  ReservationFields fields(body);
  fields.take("num-containers", out.containers);
  fields.take("min-concurrency", out.concurrency);
  fields.take("duration", out.duration_ms);
  if (fields.error()) return fail(*fields.error());
  if (const Body* capability = body.find("capability"); capability != nullptr) {
    auto resources = resources_from_body(*capability, types);
    if (!resources) return fail(std::move(resources).error());
    out.capability = *resources;
  }
  return out;
}

// The forms of the four bodies: {"reservation-id":...} as well as that within the named object.
const Body& inner_of(const Body& body, std::string_view root) {
  if (body.children.size() == 1 && body.children.front().name == root &&
      body.children.front().kind == Body::Kind::kObject) {
    return body.children.front();
  }
  return body;
}

Result<std::optional<rm::ReservationId>> reservation_id_of(const Body& body) {
  auto text = body.text_of("reservation-id");
  if (!text) return fail(std::move(text).error());
  if (text->empty()) return std::optional<rm::ReservationId>();
  const auto id = rm::parse_reservation_id(*text);
  if (!id) return fail(id.error());
  return std::optional<rm::ReservationId>(*id);
}

Result<rm::ReservationDefinition> reservation_definition_of(const Body& body,
                                                            const ResourceTypes& types) {
  const Body* definition = body.find("reservation-definition");
  if (definition == nullptr || definition->kind != Body::Kind::kObject) {
    return bad_reservation("Input ReservationDefinition should not be null");
  }
  return reservation_definition_from_body(*definition, types);
}

// Numbers of these records are texts, and a list of one is no list.
void write_definition(Writer& out, const rm::ReservationDefinition& definition,
                      const ResourceTypes& types) {
  out.begin_object("reservation-definition");
  out.number_as_text("arrival", definition.arrival_ms);
  out.number_as_text("deadline", definition.deadline_ms);
  out.begin_object("reservation-requests");
  out.number_as_text("reservation-request-interpreter",
                     static_cast<std::int64_t>(definition.interpreter));
  const bool list = definition.requests.size() > 1;
  if (list) out.begin_list("reservation-request");
  for (const rm::ReservationRequest& one : definition.requests) {
    out.begin_object(list ? "" : "reservation-request");
    write_text_resource(out, "capability", one.capability, types);
    out.number_as_text("min-concurrency", one.concurrency);
    out.number_as_text("num-containers", one.containers);
    out.number_as_text("duration", one.duration_ms);
    out.end_object();
  }
  if (list) out.end_list();
  out.end_object();
  if (!definition.name.empty()) out.text("reservation-name", definition.name);
  out.number_as_text("priority", definition.priority);
  out.text("recurrence-expression", definition.recurrence);
  out.end_object();
}

void write_reservation(Writer& out, std::string_view name, const rm::Reservation& reservation,
                       bool with_steps, const ResourceTypes& types) {
  out.begin_object(name);
  out.number_as_text("acceptance-time", reservation.accepted_ms);
  out.text("user", reservation.user);
  const bool list = with_steps && reservation.steps.size() > 1;
  if (list) out.begin_list("resource-allocations");
  for (const rm::ReservationStep& one : reservation.steps) {
    if (!with_steps) break;
    const rm::ReservationStep step = rm::shown_step(reservation, one);
    out.begin_object(list ? "" : "resource-allocations");
    write_text_resource(out, "resource", step.amount, types);
    out.number_as_text("startTime", step.start_ms);
    out.number_as_text("endTime", step.end_ms);
    out.end_object();
  }
  if (list) out.end_list();
  out.text("reservation-id", to_string(reservation.id));
  write_definition(out, reservation.definition, types);
  out.end_object();
}

/// What the exchanges have in common: the service, or the answer that there is none.
rm::ReservationService* reservations_of(const RmWeb& web, const Exchange& exchange) {
  if (web.door.reservations != nullptr) return web.door.reservations;
  send_error(exchange, {ErrorCode::kUnsupported, rm::kReservationsOff, ErrorSubject::kReservation});
  return nullptr;
}

void new_reservation(const RmWeb& web, const ExchangePtr& exchange) {
  rm::ReservationService* service = reservations_of(web, *exchange);
  if (service == nullptr) return;
  const auto id = service->new_reservation_id();
  if (!id) return send_error(*exchange, id.error());
  Writer out(exchange->format);
  out.begin_root("new-reservation", false);
  out.text("reservation-id", to_string(*id));
  out.end_root();
  send(*exchange, 200, out);
}

void submit_reservation(const RmWeb& web, const ExchangePtr& exchange) {
  rm::ReservationService* service = reservations_of(web, *exchange);
  if (service == nullptr) return;
  const auto body = request_body(*exchange);
  if (!body) return send_error(*exchange, body.error());
  auto wanted = submit_reservation_from_body(*body, web.door.reports.info().resource_types);
  if (!wanted) return send_error(*exchange, wanted.error());
  service->submit_reservation(
      exchange->caller, *std::move(wanted), [exchange](const Result<void>& reply) {
        if (!reply) return send_error(*exchange, reply.error());
        exchange->responder->respond(
            with_common_headers(*exchange, 202, "application/json;charset=utf-8"));
      });
}

rm::ReplyTo<void> answer_reservation(const ExchangePtr& exchange, std::string_view root) {
  return [exchange, root](const Result<void>& reply) {
    if (!reply) return send_error(*exchange, reply.error());
    Writer out(exchange->format);
    out.begin_root(root, false);
    out.end_root();
    send(*exchange, 200, out);
  };
}

void update_reservation(const RmWeb& web, const ExchangePtr& exchange) {
  rm::ReservationService* service = reservations_of(web, *exchange);
  if (service == nullptr) return;
  const auto body = request_body(*exchange);
  if (!body) return send_error(*exchange, body.error());
  auto wanted = update_reservation_from_body(*body, web.door.reports.info().resource_types);
  if (!wanted) return send_error(*exchange, wanted.error());
  service->update_reservation(exchange->caller, *std::move(wanted),
                              answer_reservation(exchange, "reservation-update-response"));
}

void delete_reservation(const RmWeb& web, const ExchangePtr& exchange) {
  rm::ReservationService* service = reservations_of(web, *exchange);
  if (service == nullptr) return;
  const auto body = request_body(*exchange);
  if (!body) return send_error(*exchange, body.error());
  auto id = reservation_id_of(inner_of(*body, "reservation-delete-context"));
  if (id && !*id) id = bad_reservation("Delete operations must specify an existing ReservationId");
  if (!id) return send_error(*exchange, id.error());
  service->delete_reservation(exchange->caller, *id,
                              answer_reservation(exchange, "reservation-delete-response"));
}

Result<rm::ListReservations> list_reservations_request(const net::HttpRequest& request) {
  rm::ListReservations out;
  const auto text = [&](std::string_view name, const char* fallback) {
    const std::string* value = request.query_value(std::string(name));
    return value == nullptr ? std::string(fallback) : *value;
  };
  const auto number = [&](std::string_view name, std::int64_t& value) -> Result<void> {
    const std::string* given = request.query_value(std::string(name));
    if (given == nullptr || given->empty()) return {};
    const auto parsed = parse_int(*given);
    if (!parsed)
      return bad_reservation(fmt::format("{} is not a number: {}", name, shortened(*given)));
    value = *parsed;
    return {};
  };
  out.queue = text("queue", "default");
  out.id = text("reservation-id", "");
  RETURN_IF_ERROR(number("start-time", out.start_ms));
  out.end_ms = -1;
  RETURN_IF_ERROR(number("end-time", out.end_ms));
  if (out.end_ms < 0) out.end_ms = INT64_MAX;
  return out;
}

void list_reservations(const RmWeb& web, const ExchangePtr& exchange) {
  rm::ReservationService* service = reservations_of(web, *exchange);
  if (service == nullptr) return;
  auto wanted = list_reservations_request(exchange->request);
  if (!wanted) return send_error(*exchange, wanted.error());
  const std::string* steps = exchange->request.query_value("include-resource-allocations");
  const bool with_steps = steps != nullptr && to_lower(*steps) == "true";
  service->list_reservations(
      exchange->caller, *std::move(wanted),
      [&web, exchange, with_steps](const Result<rm::ReservationList>& reply) {
        if (!reply) return send_error(*exchange, reply.error());
        const std::vector<rm::Reservation>& found = **reply;
        const ResourceTypes& types = web.door.reports.info().resource_types;
        Writer out(exchange->format);
        out.begin_root("reservationListInfo", false);
        const bool many = found.size() > 1;
        if (many) out.begin_list("reservations");
        for (const rm::Reservation& one : found)
          write_reservation(out, many ? "" : "reservations", one, with_steps, types);
        if (many) out.end_list();
        out.end_root();
        send(*exchange, 200, out);
      });
}

}  // namespace

Result<rm::ReservationDefinition> reservation_definition_from_body(const Body& body,
                                                                   const ResourceTypes& types) {
  rm::ReservationDefinition out;
  std::int32_t interpreter = 0;
  ReservationFields fields(body);
  fields.take("arrival", out.arrival_ms);
  fields.take("deadline", out.deadline_ms);
  fields.take("reservation-name", out.name);
  fields.take("recurrence-expression", out.recurrence);
  fields.take("priority", out.priority);
  if (fields.error()) return fail(*fields.error());
  if (out.recurrence.empty()) out.recurrence = "0";
  const Body* requests = body.find("reservation-requests");
  const auto listed =
      requests == nullptr ? std::vector<const Body*>() : requests->all("reservation-request");
  if (listed.empty()) {
    return bad_reservation(
        "The ReservationDefinition should contain at least one ReservationRequest");
  }
  if (listed.size() > queues::reservations::kRequestsMax) {
    return queues::reservations::refused(
        fmt::format("the reservation has {} requests; {} are the most", listed.size(),
                    queues::reservations::kRequestsMax),
        ErrorCode::kLimitExceeded);
  }
  ReservationFields kind(*requests);
  kind.take("reservation-request-interpreter", interpreter);
  if (kind.error()) return fail(*kind.error());
  if (interpreter < 0 || interpreter > 3) {
    return bad_reservation(
        fmt::format("reservation-request-interpreter is {}; it must be 0 (R_ANY), 1 (R_ALL), "
                    "2 (R_ORDER) or 3 (R_ORDER_NO_GAP)",
                    interpreter));
  }
  out.interpreter = static_cast<rm::ReservationInterpreter>(interpreter);
  out.has_requests = true;
  for (const Body* one : listed) {
    auto request = reservation_request_from_body(*one, types);
    if (!request) return fail(std::move(request).error());
    out.requests.push_back(*request);
  }
  return out;
}

Result<rm::SubmitReservation> submit_reservation_from_body(const Body& body,
                                                           const ResourceTypes& types) {
  const Body& inner = inner_of(body, "reservation-submission-context");
  rm::SubmitReservation out;
  auto queue = inner.text_of("queue", "default");
  if (!queue) return fail(std::move(queue).error());
  out.queue = *std::move(queue);
  auto id = reservation_id_of(inner);
  if (!id) return fail(std::move(id).error());
  out.id = *id;
  auto definition = reservation_definition_of(inner, types);
  if (!definition) return fail(std::move(definition).error());
  out.definition = *std::move(definition);
  return out;
}

Result<rm::UpdateReservation> update_reservation_from_body(const Body& body,
                                                           const ResourceTypes& types) {
  const Body& inner = inner_of(body, "reservation-update-context");
  rm::UpdateReservation out;
  auto id = reservation_id_of(inner);
  if (!id) return fail(std::move(id).error());
  if (!*id) return bad_reservation("Update operations must specify an existing ReservationId");
  out.id = *id;
  auto definition = reservation_definition_of(inner, types);
  if (!definition) return fail(std::move(definition).error());
  out.definition = *std::move(definition);
  return out;
}

void add_reservation_routes(Router& router, const RmWeb& web) {
  const auto add = [&](std::string_view method, const std::string& path, auto handler) {
    router.add(method, "/ws/v1/cluster/reservation/" + path,
               [&web, handler](const ExchangePtr& exchange) { handler(web, exchange); });
  };
  add("POST", "new-reservation", new_reservation);
  add("POST", "submit", submit_reservation);
  add("POST", "update", update_reservation);
  add("POST", "delete", delete_reservation);
  add("GET", "list", list_reservations);
}

}  // namespace heddle::compat::rest
