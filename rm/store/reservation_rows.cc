#include "rm/store/reservation_rows.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace heddle::rm {
namespace {

using nlohmann::json;
using Amounts = std::array<std::int64_t, kResourceTypesMax>;

constexpr const char* kTable = R"(
CREATE TABLE IF NOT EXISTS reservation (
  cluster INTEGER NOT NULL, sequence INTEGER NOT NULL, queue TEXT NOT NULL, user TEXT NOT NULL,
  accepted_ms INTEGER NOT NULL, period_ms INTEGER NOT NULL, gangs INTEGER NOT NULL,
  definition TEXT NOT NULL, steps TEXT NOT NULL,
  PRIMARY KEY (cluster, sequence)) WITHOUT ROWID;
)";

std::string definition_text(const ReservationDefinition& definition) {
  json requests = json::array();
  for (const ReservationRequest& one : definition.requests) {
    requests.push_back({{"capability", one.capability.amount},
                        {"containers", one.containers},
                        {"concurrency", one.concurrency},
                        {"duration_ms", one.duration_ms}});
  }
  const json value = {{"arrival_ms", definition.arrival_ms},
                      {"deadline_ms", definition.deadline_ms},
                      {"interpreter", static_cast<int>(definition.interpreter)},
                      {"requests", requests},
                      {"name", definition.name},
                      {"recurrence", definition.recurrence},
                      {"priority", definition.priority}};
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string steps_text(const std::vector<ReservationStep>& steps) {
  json value = json::array();
  for (const ReservationStep& step : steps)
    value.push_back({step.start_ms, step.end_ms, step.amount.amount});
  return value.dump();
}

ReservationDefinition definition_from(const json& value) {
  ReservationDefinition out;
  value.at("arrival_ms").get_to(out.arrival_ms);
  value.at("deadline_ms").get_to(out.deadline_ms);
  const int interpreter = value.at("interpreter").get<int>();
  if (interpreter >= 0 && interpreter <= static_cast<int>(ReservationInterpreter::kOrderNoGap)) {
    out.interpreter = static_cast<ReservationInterpreter>(interpreter);
  }
  out.has_requests = true;
  for (const json& one : value.at("requests")) {
    ReservationRequest request;
    request.capability.amount = one.at("capability").get<Amounts>();
    one.at("containers").get_to(request.containers);
    one.at("concurrency").get_to(request.concurrency);
    one.at("duration_ms").get_to(request.duration_ms);
    out.requests.push_back(request);
  }
  value.at("name").get_to(out.name);
  value.at("recurrence").get_to(out.recurrence);
  value.at("priority").get_to(out.priority);
  return out;
}

/// A library that throws stops here.
Result<SaveReservation> reservation_from(const Statement& row) {
  SaveReservation out;
  out.queue = row.text(2);
  out.reservation.id = {row.integer(0), row.integer(1)};
  out.reservation.user = row.text(3);
  out.reservation.accepted_ms = row.integer(4);
  out.reservation.period_ms = row.integer(5);
  out.reservation.gangs = row.integer(6) != 0;
  try {
    out.reservation.definition = definition_from(json::parse(row.text(7)));
    for (const json& step : json::parse(row.text(8))) {
      ReservationStep one;
      step.at(0).get_to(one.start_ms);
      step.at(1).get_to(one.end_ms);
      one.amount.amount = step.at(2).get<Amounts>();
      out.reservation.steps.push_back(one);
    }
  } catch (const json::exception& error) {
    return fail(ErrorCode::kInternal, fmt::format("{}: stored record does not parse: {}",
                                                  to_string(out.reservation.id), error.what()));
  }
  return out;
}

}  // namespace

Result<void> ReservationRows::prepare(Database& database) {
  RETURN_IF_ERROR(database.execute(kTable));
  const std::pair<Statement*, std::string_view> statements[] = {
      {&put_,
       "INSERT OR REPLACE INTO reservation (cluster, sequence, queue, user, accepted_ms, "
       "period_ms, gangs, definition, steps) VALUES (?,?,?,?,?,?,?,?,?)"},
      {&drop_, "DELETE FROM reservation WHERE cluster=? AND sequence=?"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = database.prepare(sql);
    if (!prepared) return fail(prepared.error());
    *statement = *std::move(prepared);
  }
  return {};
}

Result<void> ReservationRows::apply(const SaveReservation& record) {
  const Reservation& reservation = record.reservation;
  return put_.bind(1, reservation.id.cluster_start_ms)
      .bind(2, reservation.id.sequence)
      .bind(3, record.queue)
      .bind(4, reservation.user)
      .bind(5, reservation.accepted_ms)
      .bind(6, reservation.period_ms)
      .bind(7, std::int64_t{reservation.gangs})
      .bind(8, definition_text(reservation.definition))
      .bind(9, steps_text(reservation.steps))
      .run();
}

Result<void> ReservationRows::apply(const DropReservation& record) {
  return drop_.bind(1, record.id.cluster_start_ms).bind(2, record.id.sequence).run();
}

Result<void> ReservationRows::load(Database& database, StoredState& state) {
  auto rows = database.prepare(
      "SELECT cluster, sequence, queue, user, accepted_ms, period_ms, gangs, definition, steps "
      "FROM reservation ORDER BY cluster, sequence");
  if (!rows) return fail(rows.error());
  while (true) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    auto reservation = reservation_from(*rows);
    if (!reservation) return fail(reservation.error());
    state.reservations.push_back(*std::move(reservation));
  }
}

}  // namespace heddle::rm
