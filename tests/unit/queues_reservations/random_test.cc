// Random reservations beside a naive oracle that counts second by second.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/unit/queues_reservations/plans.h"

namespace heddle::queues::reservations {
namespace {

constexpr std::int64_t kCapacity = 12;
constexpr std::int64_t kSeconds = 400;  // looked at one by one
constexpr std::int64_t kWindow = 30;    // of the quota, in seconds

class Oracle {
 public:
  /// Containers of a reservation at that second, by its steps alone.
  static std::int64_t at(const Reservation& one, std::int64_t second) {
    std::int64_t now = kNow + second * 1000;
    if (now < one.start_ms()) return 0;
    std::int64_t sum = 0;
    for (const Step& step : one.steps) {
      for (std::int64_t again = 0; again <= (one.period_ms > 0 ? kSeconds : 0); ++again) {
        const std::int64_t start = step.start_ms + again * one.period_ms;
        if (start > now) break;
        if (now < start + step.end_ms - step.start_ms) sum += step.amount.vcores();
      }
    }
    return sum;
  }

  /// "" when nobody has more than may be had at any second, or over any window.
  static std::string check(const Plan& plan, double average) {
    std::map<std::string, std::vector<std::int64_t>> users;
    for (std::int64_t second = 0; second < kSeconds; ++second) {
      std::int64_t sum = 0;
      for (const Reservation* one : plan.between(0, std::numeric_limits<std::int64_t>::max())) {
        const std::int64_t amount = at(*one, second);
        sum += amount;
        auto& own = users[one->user];
        own.resize(kSeconds);
        own[static_cast<std::size_t>(second)] += amount;
      }
      if (sum > kCapacity) return "too much at " + std::to_string(second);
    }
    for (const auto& [user, own] : users) {
      std::int64_t held = 0;
      for (std::size_t end = 0; end < own.size(); ++end) {
        held += own[end];
        if (end >= kWindow) held -= own[end - kWindow];
        if (static_cast<double>(held) > average * kCapacity * kWindow + 1e-6) {
          return user + " has too much until " + std::to_string(end);
        }
      }
    }
    return "";
  }

  /// "" when the reservation has all that its definition asks for, in time.
  static std::string promised(const Reservation& one) {
    const Definition& wish = one.definition;
    if (one.start_ms() < wish.arrival_ms || one.end_ms() > wish.deadline_ms) return "not in time";
    std::int64_t area = 0;
    for (const Step& step : one.steps)
      area += step.amount.vcores() * (step.end_ms - step.start_ms);
    std::vector<std::int64_t> areas;
    for (const Request& request : wish.requests) {
      const std::int64_t own = request.containers * request.capability.vcores();
      areas.push_back(own * ((request.duration_ms + 999) / 1000 * 1000));
    }
    if (wish.interpreter == Interpreter::kAny) {
      return std::ranges::count(areas, area) > 0 ? "" : "none of the requests";
    }
    std::int64_t sum = 0;
    for (const std::int64_t own : areas)
      sum += own;
    return sum == area ? "" : "not the sum of the requests";
  }
};

class RandomPlans : public testing::TestWithParam<unsigned> {
 protected:
  std::int64_t one_of(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(random_() % static_cast<unsigned>(to - from + 1));
  }
  Definition any_definition() {
    std::vector<Request> requests;
    for (std::int64_t i = one_of(1, 3); i > 0; --i) {
      const auto gang = static_cast<std::int32_t>(one_of(1, 3));
      Request next = request(gang * static_cast<std::int32_t>(one_of(1, 4)), one_of(1, 12), gang,
                             one_of(1, 2));
      if (one_of(0, 4) == 0) next.duration_ms -= 300;
      requests.push_back(next);
    }
    const std::int64_t arrival = one_of(0, 150);
    Definition definition = wanted(arrival, arrival + one_of(2, 60), std::move(requests),
                                   static_cast<Interpreter>(one_of(0, 3)));
    constexpr std::int64_t kPeriods[] = {10, 12, 15, 20, 30, 60};
    if (one_of(0, 3) == 0) definition = every(kPeriods[one_of(0, 5)], std::move(definition));
    return definition;
  }
  std::mt19937 random_{GetParam()};
};

TEST_P(RandomPlans, NeverOverCommitAndGiveWhatTheyPromised) {
  PlanSettings settings;
  settings.quota.average = 0.7F;
  settings.quota.instantaneous = 0.9F;
  settings.quota.window_ms = kWindow * 1000;
  SmallPlan small(kCapacity, settings);
  int taken = 0;
  for (std::int64_t id = 1; id <= 60; ++id) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", reservation " + std::to_string(id));
    const std::string user = one_of(0, 1) == 0 ? "ann" : "bob";
    const Definition definition = any_definition();
    if (id % 7 == 0 && small.plan.size() > 0) {
      const ReservationId victim =
          small.plan.between(0, std::numeric_limits<std::int64_t>::max()).front()->id;
      if (one_of(0, 1) == 0) {
        small.plan.remove(victim);
      } else if (small.plan.check(definition, kNow)) {
        (void)small.plan.update(victim, definition, kNow + id);
      }
    } else if (small.reserve(id, definition, user, kNow).empty()) {
      ++taken;
      ASSERT_EQ(Oracle::promised(*small.plan.find({1, id})), "");
    }
    ASSERT_EQ(small.plan.check_invariants(), "");
    ASSERT_EQ(Oracle::check(small.plan, static_cast<double>(settings.quota.average)), "");
  }
  EXPECT_GT(taken, 3);
  small.plan.set_capacity(units(kCapacity / 2));
  settings.enforcement_window_ms = kSeconds * 1000;
  small.plan.set_settings(settings);
  (void)small.plan.replan(kNow);
  for (std::int64_t second = 0; second < kSeconds; ++second) {
    std::int64_t sum = 0;
    for (const Reservation* one : small.plan.current(kNow + second * 1000))
      sum += one->at(kNow + second * 1000).vcores();
    ASSERT_LE(sum, kCapacity / 2) << second;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomPlans, testing::Range(1U, 9U));

}  // namespace
}  // namespace heddle::queues::reservations
