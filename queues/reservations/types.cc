#include "queues/reservations/types.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace heddle::queues::reservations {
namespace {

constexpr std::string_view kHead = "reservation_";

}  // namespace

std::string to_string(const ReservationId& id) {
  return fmt::format("{}{}_{:04}", kHead, id.cluster_start_ms, id.sequence);
}

Result<ReservationId> parse_reservation_id(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with(kHead)) {
    rest.remove_prefix(kHead.size());
    const std::size_t bar = rest.find('_');
    if (bar != rest.npos) {
      const auto start = parse_int(rest.substr(0, bar));
      const auto sequence = parse_int(rest.substr(bar + 1));
      if (start && sequence && *start >= 0 && *sequence >= 0) {
        return ReservationId{*start, *sequence};
      }
    }
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("The specified reservation id is invalid: {}; the form is "
                          "reservation_<cluster start>_<number>",
                          shortened(text)),
              ErrorSubject::kReservation);
}

bool Reservation::is_current(std::int64_t at_ms) const {
  if (at_ms < start_ms()) return false;
  if (period_ms > 0) at_ms = start_ms() + (at_ms - start_ms()) % period_ms;
  return at_ms < end_ms();
}

Resources Reservation::at(std::int64_t at_ms) const {
  if (at_ms < start_ms()) return {};
  if (period_ms > 0) at_ms = start_ms() + (at_ms - start_ms()) % period_ms;
  const auto after =
      std::ranges::upper_bound(steps, at_ms, {}, [](const Step& step) { return step.start_ms; });
  if (after == steps.begin()) return {};
  const Step& step = *(after - 1);
  return at_ms < step.end_ms ? step.amount : Resources{};
}

Failure refused(std::string why, ErrorCode code) {
  return fail(code, std::move(why), ErrorSubject::kReservation);
}

}  // namespace heddle::queues::reservations
