// What is refused before anybody looks for room, in the words of Hadoop.
#include <gmock/gmock.h>

#include "tests/unit/queues_reservations/plans.h"

namespace heddle::queues::reservations {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

TEST(Definitions, InThePastAreRefusedWithTheTime) {
  EXPECT_EQ(SmallPlan().reserve(1, wanted(-20, 0, {request(1, 10)})),
            "The specified deadline: 1000000 is the past. Please try again with deadline in the "
            "future.");
}

TEST(Definitions, NeedRequests) {
  Definition none = wanted(0, 10, {});
  EXPECT_EQ(SmallPlan().reserve(1, none),
            "No resources have been specified to reserve. Please try again by specifying the "
            "resources to reserve.");
  none.has_requests = false;
  EXPECT_THAT(SmallPlan().reserve(1, none), HasSubstr("to reserve.Please try"));
}

TEST(Definitions, NeedTimeForTheLongestRequest) {
  EXPECT_EQ(SmallPlan().reserve(1, wanted(0, 10, {request(1, 5), request(1, 11)})),
            "The time difference (10000) between arrival (1000000) and deadline (1010000) must  be "
            "greater or equal to the minimum resource duration (11000)");
  EXPECT_EQ(SmallPlan().reserve(1, wanted(0, 11, {request(1, 5), request(1, 11)})), "");
}

TEST(Definitions, InOrderNeedTimeForTheSumOfTheirRequests) {
  const std::vector<Request> two = {request(1, 6), request(1, 5)};
  for (const Interpreter order : {Interpreter::kOrder, Interpreter::kOrderNoGap}) {
    EXPECT_THAT(SmallPlan().reserve(1, wanted(0, 10, two, order)),
                HasSubstr("minimum resource duration (11000)"));
    EXPECT_EQ(SmallPlan().reserve(1, wanted(0, 11, two, order)), "");
  }
}

TEST(Definitions, WithAGangLargerThanThePlanAreRefusedWithBothSizes) {
  EXPECT_EQ(
      SmallPlan().reserve(1, wanted(0, 10, {request(11, 5, 11)})),
      "The size of the largest gang in the reservation definition (<memory:11264, vCores:11>) "
      "exceed the capacity available (<memory:10240, vCores:10> )");
  EXPECT_EQ(SmallPlan().reserve(1, wanted(0, 10, {request(11, 5)})), "") << "no gang";
}

TEST(Definitions, OfAnyMayHaveAGangThatNeverFits) {
  EXPECT_EQ(
      SmallPlan().reserve(1, wanted(0, 10, {request(11, 5, 11), request(2, 5)}, Interpreter::kAny)),
      "");
}

TEST(Recurrences, ArePeriodsThatDivideTheLongest) {
  const auto with = [](const std::string& recurrence) {
    Definition definition = wanted(0, 10, {request(1, 5)});
    definition.recurrence = recurrence;
    return SmallPlan().reserve(1, definition);
  };
  EXPECT_EQ(with("0"), "");
  EXPECT_EQ(with("+20000"), "");
  EXPECT_EQ(with("60000"), "");
  EXPECT_EQ(with("-5"),
            "Negative Period : -5. Please try again with a non-negative long value as period.");
  for (const char* text : {"", "every day", "0 0 * * *", "1e4", "99999999999999999999", " 20000"}) {
    EXPECT_EQ(with(text), std::string("Invalid period ") + text +
                              ". Please try again with a non-negative long value as period.");
  }
  EXPECT_EQ(with("1"),
            "Duration of the requested reservation: 10000 is greater than the recurrence: 1. "
            "Please try again with a smaller duration.");
  EXPECT_EQ(with("17000"),
            "The maximum periodicity: 60000 must be divisible by the recurrence expression "
            "provided: 17000. Please try again with a recurrence expression that satisfies this "
            "requirement.");
  EXPECT_THAT(with("120000"), StartsWith("The maximum periodicity: 60000"));
}

TEST(Requests, HaveTheErrorsOfTheAgent) {
  const auto with = [](const Request& one) {
    return SmallPlan(1000).reserve(1, wanted(0, 10, {one}));
  };
  const std::string head(kContractException);
  EXPECT_EQ(with(request(4, 5, 0)), head + "Gang Size should be >= 1");
  EXPECT_EQ(with(request(4, 5, -3)), head + "Gang Size should be >= 1");
  EXPECT_EQ(with(request(0, 5)), head + "Num containers should be > 0");
  EXPECT_EQ(with(request(-1, 5)), head + "Num containers should be > 0");
  EXPECT_EQ(with(request(5, 5, 2)), head + "Parallelism must be an exact multiple of gang size");
  EXPECT_EQ(with(request(5, 5, 1, 9)),
            head + "Individual capability requests should not exceed cluster's maxAlloc");
}

TEST(Hostile, DurationsMustBePositive) {
  for (const std::int64_t ms : {std::int64_t{0}, std::int64_t{-1}, kLeast}) {
    Definition definition = wanted(0, 10, {request(1, 5), request(1, 5)});
    definition.requests[1].duration_ms = ms;
    EXPECT_EQ(SmallPlan().reserve(1, definition),
              "request 2 of the reservation has a duration of " + std::to_string(ms) +
                  " ms; it must be greater than 0");
  }
}

TEST(Hostile, AmountsMustNotBeNegative) {
  Definition definition = wanted(0, 10, {request(1, 5)});
  definition.requests[0].capability = {-1024, 1};
  EXPECT_EQ(SmallPlan().reserve(1, definition),
            "request 1 of the reservation asks for containers of <memory:-1024, vCores:1>; no "
            "amount may be negative");
}

TEST(Hostile, TimesAtTheEndsOfTheirRangeDoNotWrap) {
  Definition ends = wanted(0, 10, {request(1, 5)});
  ends.arrival_ms = kLeast;
  ends.deadline_ms = kMost;
  EXPECT_EQ(SmallPlan().reserve(1, ends), "") << "as soon as possible";
  ends.arrival_ms = kMost;
  EXPECT_THAT(SmallPlan().reserve(1, ends), StartsWith("The time difference (0) between arrival"));
  ends.arrival_ms = kMost - 5'000;
  EXPECT_THAT(SmallPlan().reserve(1, ends), HasSubstr("The request cannot be satisfied"));
  ends.arrival_ms = kLeast;
  ends.requests[0].duration_ms = kMost;
  EXPECT_THAT(SmallPlan().reserve(1, ends), HasSubstr("The request cannot be satisfied"));
  for (const Interpreter order : {Interpreter::kOrder, Interpreter::kOrderNoGap}) {
    ends.interpreter = order;
    ends.requests.assign(1'000, request(1, 5));
    for (Request& one : ends.requests)
      one.duration_ms = kMost;
    EXPECT_THAT(SmallPlan().reserve(1, ends), HasSubstr("The request cannot be satisfied"));
  }
}

TEST(Hostile, CountsAtTheEndOfTheirRangeDoNotWrap) {
  const std::int32_t most = std::numeric_limits<std::int32_t>::max();
  EXPECT_THAT(SmallPlan().reserve(1, wanted(0, 100, {request(most, 5, most, 8)})),
              HasSubstr("exceed the capacity available"));
  EXPECT_THAT(SmallPlan().reserve(1, wanted(0, 100, {request(most, 5)})),
              HasSubstr("The request cannot be satisfied: there is not enough room between 1000000 "
                        "and 1100000"));
  Definition huge = wanted(0, 100, {request(most, 5, most)});
  huge.requests[0].capability = {kMost, kMost};
  EXPECT_THAT(SmallPlan().reserve(1, huge), HasSubstr("exceed the capacity available"));
  huge.interpreter = Interpreter::kAny;
  EXPECT_THAT(SmallPlan().reserve(1, huge), HasSubstr("maxAlloc"));
}

TEST(Hostile, ManyRequestsAreRefusedBeforeAnythingIsPlaced) {
  EXPECT_EQ(SmallPlan().reserve(1, wanted(0, 100, std::vector<Request>(1'000'000, request(1, 5)))),
            "the reservation has 1000000 requests; 1000 are the most");
}

TEST(Hostile, LongNamesAreRefused) {
  Definition definition = wanted(0, 10, {request(1, 5)});
  definition.name.assign(kNameMax + 1, 'n');
  EXPECT_THAT(SmallPlan().reserve(1, definition), HasSubstr("1025 bytes; 1024 are the most"));
}

TEST(Hostile, ContainersOfNothingAreRefused) {
  Definition definition = wanted(0, 10, {request(1, 5)});
  definition.requests[0].capability = {};
  EXPECT_THAT(SmallPlan().reserve(1, definition), HasSubstr("The request cannot be satisfied"));
}

TEST(Hostile, WhatCostsTooManyLooksIsRefused) {
  PlanLimits limits = small_limits();
  limits.max_period_ms = 86'400'000;
  Plan plan(limits, {});
  plan.set_capacity(units(1'000'000'000));
  // A period of a second has 86,400 places in the longest one: each look is as many.
  Definition definition = every(1, wanted(0, 1, std::vector<Request>(1'000, request(1, 1))));
  const auto added = plan.add({1, 1}, "ann", definition, kNow);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::kLimitExceeded);
  EXPECT_THAT(added.error().message, HasSubstr("within 500000 looks at the plan"));
}

}  // namespace
}  // namespace heddle::queues::reservations
