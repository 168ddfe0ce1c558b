#include "queues/reservations/check.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace heddle::queues::reservations {
namespace {

std::int64_t sum_of(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a > 0 ? std::numeric_limits<std::int64_t>::max()
               : std::numeric_limits<std::int64_t>::min();
}

std::int64_t time_between(std::int64_t from, std::int64_t to) {
  std::int64_t result = 0;
  if (!__builtin_sub_overflow(to, from, &result)) return result;
  return to > from ? std::numeric_limits<std::int64_t>::max()
                   : std::numeric_limits<std::int64_t>::min();
}

Result<void> check_size(const Definition& definition) {
  if (definition.requests.size() > kRequestsMax) {
    return refused(fmt::format("the reservation has {} requests; {} are the most",
                               definition.requests.size(), kRequestsMax),
                   ErrorCode::kLimitExceeded);
  }
  if (definition.name.size() > kNameMax) {
    return refused(fmt::format("the name of the reservation has {} bytes; {} are the most",
                               definition.name.size(), kNameMax),
                   ErrorCode::kLimitExceeded);
  }
  for (std::size_t i = 0; i < definition.requests.size(); ++i) {
    const Request& request = definition.requests[i];
    if (request.duration_ms <= 0) {
      return refused(
          fmt::format("request {} of the reservation has a duration of {} ms; it must "
                      "be greater than 0",
                      i + 1, request.duration_ms));
    }
    for (const std::int64_t amount : request.capability.amount) {
      if (amount >= 0) continue;
      return refused(
          fmt::format("request {} of the reservation asks for containers of {}; no "
                      "amount may be negative",
                      i + 1, to_string(request.capability)));
    }
  }
  return {};
}

Result<void> check_recurrence(const Definition& definition, const Bounds& bounds) {
  const std::string& text = definition.recurrence;
  // Java reads "+5" as a number, too.
  const auto period = parse_int(text.starts_with('+') ? std::string_view(text).substr(1) : text);
  if (!period) {
    return refused(
        fmt::format("Invalid period {}. Please try again with a non-negative long "
                    "value as period.",
                    shortened(text)));
  }
  if (*period < 0) {
    return refused(
        fmt::format("Negative Period : {}. Please try again with a non-negative long "
                    "value as period.",
                    text));
  }
  if (*period == 0) return {};
  const std::int64_t duration = time_between(definition.arrival_ms, definition.deadline_ms);
  if (duration > *period) {
    return refused(
        fmt::format("Duration of the requested reservation: {} is greater than the "
                    "recurrence: {}. Please try again with a smaller duration.",
                    duration, *period));
  }
  if (bounds.max_period_ms % *period != 0) {
    return refused(
        fmt::format("The maximum periodicity: {} must be divisible by the recurrence "
                    "expression provided: {}. Please try again with a recurrence "
                    "expression that satisfies this requirement.",
                    bounds.max_period_ms, *period));
  }
  return {};
}

}  // namespace

Resources times(const Resources& size, std::int64_t count) {
  Resources product;
  for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
    if (__builtin_mul_overflow(size.amount[i], count, &product.amount[i])) {
      product.amount[i] = std::numeric_limits<std::int64_t>::max();
    }
  }
  return product;
}

bool is_within(const Resources& amount, const Resources& room, std::size_t type_count) {
  for (std::size_t i = 0; i < type_count; ++i) {
    if (amount.amount[i] > room.amount[i]) return false;
  }
  return true;
}

std::int64_t period_of(const Definition& definition) {
  std::string_view text = definition.recurrence;
  if (text.starts_with('+')) text.remove_prefix(1);
  return std::max<std::int64_t>(parse_int(text).value_or(0), 0);
}

Result<void> check_definition(const Definition& definition, const Bounds& bounds,
                              std::int64_t now_ms) {
  if (definition.deadline_ms <= now_ms) {
    return refused(
        fmt::format("The specified deadline: {} is the past. Please try again with "
                    "deadline in the future.",
                    definition.deadline_ms));
  }
  if (definition.requests.empty()) {
    return refused(
        fmt::format("No resources have been specified to reserve.{}Please try again by "
                    "specifying the resources to reserve.",
                    definition.has_requests ? " " : ""));
  }
  RETURN_IF_ERROR(check_size(definition));
  const bool one_after_the_other = definition.interpreter == Interpreter::kOrder ||
                                   definition.interpreter == Interpreter::kOrderNoGap;
  std::int64_t least_ms = 0;
  for (const Request& request : definition.requests) {
    least_ms = one_after_the_other ? sum_of(least_ms, request.duration_ms)
                                   : std::max(least_ms, request.duration_ms);
  }
  const std::int64_t duration = time_between(definition.arrival_ms, definition.deadline_ms);
  if (duration < least_ms && definition.interpreter != Interpreter::kAny) {
    return refused(
        fmt::format("The time difference ({}) between arrival ({}) and deadline ({}) "
                    "must  be greater or equal to the minimum resource duration ({})",
                    duration, definition.arrival_ms, definition.deadline_ms, least_ms));
  }
  for (const Request& request : definition.requests) {
    if (definition.interpreter == Interpreter::kAny) break;
    const Resources gang = times(request.capability, request.concurrency);
    if (is_within(gang, bounds.capacity, bounds.type_count)) continue;
    return refused(
        fmt::format("The size of the largest gang in the reservation definition ({}) "
                    "exceed the capacity available ({} )",
                    to_string(gang), to_string(bounds.capacity)));
  }
  return check_recurrence(definition, bounds);
}

Result<void> check_request(const Request& request, const Bounds& bounds) {
  const auto broken = [](std::string_view why) {
    return refused(fmt::format("{}{}", kContractException, why));
  };
  if (request.concurrency < 1) return broken("Gang Size should be >= 1");
  if (request.containers <= 0) return broken("Num containers should be > 0");
  if (request.containers % request.concurrency != 0) {
    return broken("Parallelism must be an exact multiple of gang size");
  }
  if (!is_within(request.capability, bounds.largest_container, bounds.type_count)) {
    return broken("Individual capability requests should not exceed cluster's maxAlloc");
  }
  return {};
}

}  // namespace heddle::queues::reservations
