// A plan with small numbers: seconds are steps, the capacity is in containers of 1 GB and 1 core.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "queues/reservations/plan.h"

namespace heddle::queues::reservations {

inline constexpr std::int64_t kNow = 1'000'000;

inline Resources units(std::int64_t count) {
  return {count * 1024, count};
}

inline PlanLimits small_limits() {
  return {
      .step_ms = 1'000, .max_period_ms = 60'000, .largest_container = units(8), .type_count = 2};
}

/// Times are seconds from now.
inline Definition wanted(std::int64_t from_s, std::int64_t to_s, std::vector<Request> requests,
                         Interpreter interpreter = Interpreter::kAll) {
  Definition definition;
  definition.arrival_ms = kNow + from_s * 1000;
  definition.deadline_ms = kNow + to_s * 1000;
  definition.interpreter = interpreter;
  definition.has_requests = true;
  definition.requests = std::move(requests);
  return definition;
}

inline Definition every(std::int64_t period_s, Definition definition) {
  definition.recurrence = std::to_string(period_s * 1000);
  return definition;
}

inline Request request(std::int32_t containers, std::int64_t seconds, std::int32_t gang = 1,
                       std::int64_t size = 1) {
  return {units(size), containers, gang, seconds * 1000};
}

struct SmallPlan {
  explicit SmallPlan(std::int64_t capacity = 10, PlanSettings settings = {})
      : plan(small_limits(), std::move(settings)) {
    plan.set_capacity(units(capacity));
  }

  /// "" when it is taken, else why not.
  std::string reserve(std::int64_t id, const Definition& definition,
                      const std::string& user = "ann", std::int64_t now_ms = kNow) {
    std::string why = reserve_only(id, definition, user, now_ms);
    EXPECT_EQ(plan.check_invariants(), "");
    return why;
  }
  std::string reserve_only(std::int64_t id, const Definition& definition, const std::string& user,
                           std::int64_t now_ms) {
    if (const auto checked = plan.check(definition, now_ms); !checked) {
      return checked.error().message;
    }
    const auto added = plan.add({1, id}, user, definition, now_ms);
    return added ? "" : added.error().message;
  }
  /// Containers of the reservation by second: "0-10:4 12-14:2".
  std::string steps(std::int64_t id) const {
    const Reservation* reservation = plan.find({1, id});
    if (reservation == nullptr) return "none";
    std::string text;
    for (const Step& step : reservation->steps) {
      if (!text.empty()) text += ' ';
      text += std::to_string((step.start_ms - kNow) / 1000) + "-" +
              std::to_string((step.end_ms - kNow) / 1000) + ":" +
              std::to_string(step.amount.vcores());
    }
    return text;
  }
  Resources taken(std::int64_t second) const { return plan.taken_at(kNow + second * 1000); }

  Plan plan;
};

}  // namespace heddle::queues::reservations
