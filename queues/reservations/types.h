// Reservations as plain values: what is asked for, and what was promised.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/resources.h"
#include "base/result.h"

namespace heddle::queues::reservations {

/// reservation_<cluster start, ms since 1970>_<sequence, 4 digits at least>
struct ReservationId {
  std::int64_t cluster_start_ms = 0;
  std::int64_t sequence = 0;  // from 1
  friend auto operator<=>(const ReservationId&, const ReservationId&) = default;
};

std::string to_string(const ReservationId& id);
/// kInvalidArgument names the text (shortened) and the form expected.
Result<ReservationId> parse_reservation_id(std::string_view text);

/// How the requests of one reservation belong together.
enum class Interpreter : std::uint8_t {
  kAny,         // one of them, the first that finds room
  kAll,         // all, whenever
  kOrder,       // all, each after the one before it has ended
  kOrderNoGap,  // likewise, and at once
};

/// `containers` of one size for `duration_ms` each, `concurrency` of them at a time or none.
struct Request {
  Resources capability;
  std::int32_t containers = 1;
  std::int32_t concurrency = 1;
  std::int64_t duration_ms = -1;
  friend bool operator==(const Request&, const Request&) = default;
};

/// ReservationDefinition. Times are ms since 1970.
struct Definition {
  std::int64_t arrival_ms = 0;
  std::int64_t deadline_ms = 0;
  Interpreter interpreter = Interpreter::kAll;
  bool has_requests = false;  // false: not even an empty list was given
  std::vector<Request> requests;
  std::string name;
  std::string recurrence = "0";  // the period in ms as text; "0": once
  std::int32_t priority = 0;
  friend bool operator==(const Definition&, const Definition&) = default;
};

/// An amount from `start_ms` up to, but not with, `end_ms`.
struct Step {
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  Resources amount;
  friend bool operator==(const Step&, const Step&) = default;
};

/// What was promised.
struct Reservation {
  ReservationId id;
  std::string user;
  Definition definition;
  std::vector<Step> steps;  // by time, apart from each other; of the first period
  bool gangs = false;       // some containers are of use only together
  std::int64_t period_ms = 0;
  std::int64_t accepted_ms = 0;

  std::int64_t start_ms() const { return steps.front().start_ms; }
  std::int64_t end_ms() const { return steps.back().end_ms; }  // periodic: of the first period
  /// Between its start and its end, of one of its periods if it has any.
  bool is_current(std::int64_t at_ms) const;
  Resources at(std::int64_t at_ms) const;
};

/// How large one definition may be.
inline constexpr std::size_t kRequestsMax = 1'000;
inline constexpr std::size_t kNameMax = 1'024;           // bytes
inline constexpr std::size_t kReservationsMax = 10'000;  // of one plan
inline constexpr std::size_t kStepsMax = 10'000;         // of one reservation
inline constexpr std::size_t kPlanSizeMax = 200'000;     // requests and steps of one plan
/// How much of the plan one request may make us look at: pieces of constant load.
inline constexpr std::int64_t kLooksMax = 500'000;
/// Nobody plans further ahead.
inline constexpr std::int64_t kHorizonMs = std::int64_t{100} * 365 * 24 * 3600 * 1000;

/// The exceptions of planning; Hadoop wraps them, so their class stands before the text.
inline constexpr std::string_view kPlanningException =
    "org.apache.hadoop.yarn.server.resourcemanager.reservation.exceptions.PlanningException: ";
inline constexpr std::string_view kContractException =
    "org.apache.hadoop.yarn.server.resourcemanager.reservation.exceptions."
    "ContractValidationException: ";
inline constexpr std::string_view kQuotaException =
    "org.apache.hadoop.yarn.server.resourcemanager.reservation.exceptions."
    "PlanningQuotaException: ";

Failure refused(std::string why, ErrorCode code = ErrorCode::kInvalidArgument);

}  // namespace heddle::queues::reservations
