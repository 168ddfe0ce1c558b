// A reservation as it comes off the wire, into a plan that has some: nothing crashes, no sum is
// wrong, and what is taken fits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "compat/yarn/reservations.h"
#include "queues/reservations/plan.h"

namespace {

using namespace heddle;
using queues::reservations::Plan;

constexpr std::int64_t kNow = 1'700'000'000'000;

Plan busy_plan() {
  Plan plan({.step_ms = 1000,
             .max_period_ms = 86'400'000,
             .largest_container = {8192, 8},
             .type_count = 2},
            {});
  plan.set_capacity({102'400, 100});
  for (std::int64_t i = 1; i <= 20; ++i) {
    rm::ReservationDefinition definition;
    definition.arrival_ms = kNow + i * 7'000;
    definition.deadline_ms = definition.arrival_ms + 3'600'000;
    definition.has_requests = true;
    definition.requests = {{{1024 * (i % 4 + 1), 1}, 8, 2, 60'000}};
    if (i % 5 == 0) definition.recurrence = "7200000";
    if (!plan.add({1, i}, i % 2 == 0 ? "ann" : "bob", definition, kNow)) std::abort();
  }
  return plan;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  compat::pb::ReservationSubmissionRequestProto wire;
  if (!wire.ParseFromArray(data, static_cast<int>(size))) return 0;
  const auto taken = compat::yarn::reservation_from_wire(wire, ResourceTypes{});
  if (!taken || !taken->definition) return 0;
  static const Plan kBusy = busy_plan();
  Plan plan = kBusy;
  if (!plan.check(*taken->definition, kNow)) return 0;
  const auto added = plan.add({1, 1'000}, "ann", *taken->definition, kNow);
  if (!plan.check_invariants().empty()) std::abort();
  if (!added) return 0;
  for (const rm::ReservationStep& step : (*added)->steps) {
    if (!plan.taken_at(step.start_ms).fits_in(plan.capacity())) std::abort();
    if (step.start_ms < kNow || step.end_ms > taken->definition->deadline_ms) std::abort();
  }
  return 0;
}
