// Where reservations go, quotas, what happens when the queue shrinks, and when they end.
#include <gmock/gmock.h>

#include "tests/unit/queues_reservations/plans.h"

namespace heddle::queues::reservations {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Placing, StartsAtTheArrivalWhereThereIsRoom) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(5, 30, {request(4, 10)})), "");
  EXPECT_EQ(small.steps(1), "5-15:4");
}

TEST(Placing, NeverStartsInThePast) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(-100, 30, {request(4, 10)})), "");
  EXPECT_EQ(small.steps(1), "0-10:4");
}

TEST(Placing, BeginsAndEndsAtAMultipleOfTheStep) {
  SmallPlan small;
  Definition odd = wanted(5, 30, {request(4, 10)});
  odd.arrival_ms += 1;
  odd.requests[0].duration_ms += 1;
  EXPECT_EQ(small.reserve(1, odd), "");
  EXPECT_EQ(small.steps(1), "6-17:4");
}

TEST(Placing, WaitsForRoom) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(0, 20, {request(8, 20)})), "");
  EXPECT_EQ(small.reserve(2, wanted(0, 40, {request(4, 10, 4)})), "");
  EXPECT_EQ(small.steps(2), "20-30:4");
}

TEST(Placing, PutsGangsOfOneRequestWhereEachFinds) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(0, 20, {request(8, 20)})), "");
  EXPECT_EQ(small.reserve(2, wanted(0, 40, {request(4, 10, 2)})), "");
  EXPECT_EQ(small.steps(2), "0-20:2") << "two of them beside the first, then two more";
  EXPECT_EQ(small.taken(10), units(10));
}

TEST(Placing, SaysBetweenWhichTimesThereIsNoRoom) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(0, 20, {request(8, 20)})), "");
  EXPECT_EQ(small.reserve(2, wanted(0, 29, {request(4, 10, 4)})),
            std::string(kPlanningException) +
                "The request cannot be satisfied: there is not enough room between 1000000 and "
                "1029000");
  EXPECT_EQ(small.plan.size(), 1U);
}

TEST(Placing, OfAllRequestsNeedsRoomForEach) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(0, 20, {request(6, 10), request(4, 5)})), "");
  EXPECT_EQ(small.steps(1), "0-5:10 5-10:6");
  EXPECT_THAT(small.reserve(2, wanted(0, 10, {request(1, 1), request(10, 10, 10)})),
              HasSubstr("cannot be satisfied"));
}

TEST(Placing, OfAnyTakesTheFirstThatFits) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(0, 20, {request(6, 20)})), "");
  EXPECT_EQ(small.reserve(2, wanted(0, 20, {request(8, 10, 8), request(4, 10, 4), request(1, 1)},
                                    Interpreter::kAny)),
            "");
  EXPECT_EQ(small.steps(2), "0-10:4");
}

TEST(Placing, InOrderPutsOneAfterTheOther) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(5, 15, {request(8, 10)})), "");
  const std::vector<Request> two = {request(2, 5), request(4, 5, 4)};
  EXPECT_EQ(small.reserve(2, wanted(0, 30, two, Interpreter::kOrder)), "");
  EXPECT_EQ(small.steps(2), "0-5:2 15-20:4");
}

TEST(Placing, InOrderWithoutGapMovesTheFirstOnesLater) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(5, 15, {request(8, 10)})), "");
  const std::vector<Request> two = {request(2, 5), request(4, 5, 4)};
  EXPECT_EQ(small.reserve(2, wanted(0, 30, two, Interpreter::kOrderNoGap)), "");
  EXPECT_EQ(small.steps(2), "10-15:2 15-20:4");
  const std::vector<Request> three = {request(3, 5, 3), request(4, 5, 4)};
  EXPECT_EQ(small.reserve(3, wanted(0, 21, three, Interpreter::kOrderNoGap)),
            std::string(kPlanningException) +
                "The allocation found does not respect ORDER_NO_GAP: there is not enough room "
                "between 1000000 and 1021000");
}

TEST(Placing, OfWhatComesAgainFindsItsRoomInEveryPeriod) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(42, 44, {request(8, 2)})), "");
  EXPECT_EQ(small.reserve(2, every(20, wanted(0, 10, {request(4, 3, 4)}))), "");
  EXPECT_EQ(small.steps(2), "4-7:4") << "0-3 and 3-6 would meet the other one at 42";
  EXPECT_EQ(small.taken(44), units(4));
  EXPECT_EQ(small.taken(24'000'004), units(4));
}

TEST(Placing, OfOthersSeesWhatComesAgain) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, every(10, wanted(0, 10, {request(8, 5)}))), "");
  EXPECT_EQ(small.reserve(2, wanted(1'000, 1'030, {request(4, 5, 4)})), "");
  EXPECT_EQ(small.steps(2), "1005-1010:4");
  EXPECT_THAT(small.reserve(3, wanted(1'000, 2'000, {request(4, 6, 4)})),
              HasSubstr("cannot be satisfied"));
}

TEST(Placing, OfTwoPeriodsLooksAtAllTheirMeetings) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, every(12, wanted(0, 12, {request(8, 2)}))), "");
  // Both together leave every third second alone.
  EXPECT_THAT(small.reserve(2, every(15, wanted(0, 15, {request(4, 2, 4)}))),
              HasSubstr("not enough room"));
  EXPECT_EQ(small.reserve(2, every(15, wanted(0, 15, {request(4, 1, 4)}))), "");
  EXPECT_EQ(small.steps(2), "2-3:4");
  for (std::int64_t second = 0; second < 120; ++second)
    EXPECT_TRUE(small.taken(second).fits_in(units(10))) << second;
}

TEST(Updating, PutsTheNewOneInPlaceOfTheOldOne) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(0, 20, {request(10, 20)})), "");
  const auto updated = small.plan.update({1, 1}, wanted(10, 30, {request(9, 20)}), kNow + 5'000);
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ(small.steps(1), "10-30:9");
  EXPECT_EQ((*updated)->accepted_ms, kNow + 5'000);
}

TEST(Updating, KeepsTheOldOneWhereThereIsNoRoom) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(0, 20, {request(5, 20)})), "");
  EXPECT_EQ(small.reserve(2, wanted(0, 20, {request(5, 20)})), "");
  EXPECT_FALSE(small.plan.update({1, 1}, wanted(0, 20, {request(6, 20)}), kNow));
  EXPECT_EQ(small.steps(1), "0-20:5");
  EXPECT_EQ(small.plan.check_invariants(), "");
}

PlanSettings quota(float average_percent, float instantaneous_percent, std::int64_t window_s) {
  PlanSettings settings;
  settings.quota.average = average_percent / 100;
  settings.quota.instantaneous = instantaneous_percent / 100;
  settings.quota.window_ms = window_s * 1000;
  return settings;
}

TEST(Quotas, AtAnyOneTimeAreOfEachUser) {
  SmallPlan small(10, quota(100, 50, 60));
  EXPECT_EQ(small.reserve(1, wanted(0, 10, {request(5, 10)}), "ann"), "");
  EXPECT_THAT(small.reserve(2, wanted(0, 10, {request(1, 10)}), "ann"),
              HasSubstr("cannot be satisfied"));
  EXPECT_EQ(small.reserve(3, wanted(0, 10, {request(5, 10)}), "bob"), "");
}

TEST(Quotas, OnAverageHoldForEveryWindow) {
  SmallPlan small(10, quota(50, 100, 20));  // 100 container seconds within any 20 s
  EXPECT_EQ(small.reserve(1, wanted(0, 10, {request(8, 10)}), "ann"), "");
  EXPECT_EQ(small.reserve(2, wanted(15, 20, {request(5, 5)}), "ann"),
            std::string(kQuotaException) +
                "Integral (avg over time) quota capacity 0.5 over a window of 20 seconds,  would "
                "be exceeded by accepting reservation: reservation_1_0002");
  EXPECT_EQ(small.reserve(3, wanted(15, 20, {request(4, 5)}), "ann"), "");
  EXPECT_EQ(small.reserve(4, wanted(10, 15, {request(10, 5)}), "bob"), "");
  EXPECT_EQ(small.reserve(5, wanted(30, 40, {request(8, 10)}), "ann"), "") << "another window";
}

TEST(Quotas, OnAverageCountWhatComesAgain) {
  SmallPlan small(10, quota(50, 100, 20));
  EXPECT_THAT(small.reserve(1, every(20, wanted(0, 20, {request(9, 12)}))), HasSubstr("Integral"));
  EXPECT_EQ(small.reserve(2, every(20, wanted(0, 20, {request(8, 12)}))), "");
  EXPECT_THAT(small.reserve(3, wanted(500, 520, {request(1, 10)})), HasSubstr("Integral"));
}

TEST(Quotas, OfNoOverCommitPolicyAreNone) {
  PlanSettings settings = quota(1, 1, 60);
  settings.quota.over_time = false;
  SmallPlan small(10, settings);
  EXPECT_EQ(small.reserve(1, wanted(0, 60, {request(10, 60)})), "");
}

TEST(Replanning, TakesBackTheLastAcceptedFirst) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(0, 30, {request(4, 30)}), "ann", kNow), "");
  EXPECT_EQ(small.reserve(2, wanted(0, 30, {request(3, 28)}), "bob", kNow + 1), "");
  EXPECT_EQ(small.reserve(3, wanted(0, 30, {request(3, 28)}), "cid", kNow + 2), "");
  small.plan.set_capacity(units(7));
  EXPECT_THAT(small.plan.replan(kNow + 1'000), ElementsAre(ReservationId{1, 3}));
  EXPECT_THAT(small.plan.replan(kNow + 1'000), IsEmpty());
  EXPECT_EQ(small.taken(5), units(7));
  EXPECT_EQ(small.plan.check_invariants(), "");
}

TEST(Replanning, LooksNoFurtherThanTheEnforcementWindow) {
  PlanSettings settings;
  settings.enforcement_window_ms = 10'000;
  SmallPlan small(10, settings);
  EXPECT_EQ(small.reserve(1, wanted(5, 9, {request(9, 4)})), "");
  EXPECT_EQ(small.reserve(2, wanted(11, 20, {request(9, 5)})), "");
  small.plan.set_capacity(units(5));
  EXPECT_THAT(small.plan.replan(kNow), ElementsAre(ReservationId{1, 1}));
}

TEST(Ends, AreRememberedAsLongAsAnAverageCountsThem) {
  SmallPlan small(10, quota(100, 100, 60));
  EXPECT_EQ(small.reserve(1, wanted(0, 10, {request(4, 10)})), "");
  EXPECT_EQ(small.plan.next_forgotten(), kNow + 70'000);
  EXPECT_THAT(small.plan.forget_ended(kNow + 69'999), IsEmpty());
  EXPECT_THAT(small.plan.forget_ended(kNow + 70'000), ElementsAre(ReservationId{1, 1}));
  EXPECT_EQ(small.plan.check_invariants(), "");
}

TEST(Ends, NeverComeToWhatComesAgain) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, every(20, wanted(0, 10, {request(4, 10)}))), "");
  EXPECT_THAT(small.plan.forget_ended(kNow + 1'000'000'000'000), IsEmpty());
}

TEST(Changes, AreWhereAReservationBeginsChangesOrEnds) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(5, 30, {request(4, 10), request(2, 5)})), "");
  EXPECT_EQ(small.plan.next_change(kNow), kNow + 5'000);
  EXPECT_EQ(small.plan.next_change(kNow + 5'000), kNow + 10'000);
  EXPECT_EQ(small.plan.next_change(kNow + 10'000), kNow + 15'000);
  EXPECT_EQ(small.plan.next_change(kNow + 15'000), std::nullopt);
  EXPECT_EQ(small.reserve(2, every(20, wanted(5, 15, {request(2, 5)}))), "");
  EXPECT_EQ(small.plan.next_change(kNow + 15'000), kNow + 25'000);
  EXPECT_EQ(small.plan.next_change(kNow + 25'000), kNow + 30'000);
}

TEST(Current, AreThoseBetweenTheirStartAndTheirEnd) {
  SmallPlan small;
  const std::vector<Request> two = {request(2, 5), request(4, 5, 4)};
  EXPECT_EQ(small.reserve(1, wanted(5, 15, {request(8, 10)})), "");
  EXPECT_EQ(small.reserve(2, wanted(0, 30, two, Interpreter::kOrder)), "");
  ASSERT_EQ(small.steps(2), "0-5:2 15-20:4");
  const auto now = small.plan.current(kNow + 7'000);
  ASSERT_EQ(now.size(), 2U) << "the second has nothing now, and is there";
  EXPECT_EQ(now[1]->at(kNow + 7'000), Resources());
  EXPECT_EQ(small.plan.current(kNow + 20'000).size(), 0U);
}

TEST(Listing, GivesTheLastAcceptedFirst) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(0, 10, {request(1, 10)}), "ann", kNow), "");
  EXPECT_EQ(small.reserve(2, wanted(20, 30, {request(1, 10)}), "ann", kNow + 1), "");
  EXPECT_EQ(small.reserve(3, every(60, wanted(50, 60, {request(1, 10)})), "ann", kNow + 1), "");
  const auto ids = [&](std::int64_t from_s, std::int64_t to_s) {
    std::vector<std::int64_t> found;
    for (const auto* one : small.plan.between(kNow + from_s * 1000, kNow + to_s * 1000))
      found.push_back(one->id.sequence);
    return found;
  };
  EXPECT_THAT(ids(0, 100), ElementsAre(3, 2, 1));
  EXPECT_THAT(ids(10, 25), ElementsAre(2));
  EXPECT_THAT(ids(100'000, 100'001), ElementsAre(3));
}

TEST(Restoring, TakesOnlyWhatMakesSense) {
  SmallPlan small;
  EXPECT_EQ(small.reserve(1, wanted(0, 10, {request(4, 10)})), "");
  const Reservation good = *small.plan.find({1, 1});
  EXPECT_FALSE(small.plan.restore(good)) << "it is there";
  small.plan.remove({1, 1});
  for (const auto& spoil : std::vector<std::function<void(Reservation&)>>{
           [](Reservation& one) { one.steps.clear(); },
           [](Reservation& one) { one.steps[0].end_ms = one.steps[0].start_ms; },
           [](Reservation& one) { one.steps.push_back(one.steps[0]); },
           [](Reservation& one) {
             one.steps[0].amount = {-1, 1};
           },
           [](Reservation& one) { one.steps[0].amount = {}; },
           [](Reservation& one) { one.period_ms = -1; },
           [](Reservation& one) { one.period_ms = 5'000; }}) {
    Reservation bad = good;
    spoil(bad);
    EXPECT_FALSE(small.plan.restore(bad));
  }
  EXPECT_TRUE(small.plan.restore(good));
  EXPECT_EQ(small.plan.check_invariants(), "");
}

TEST(Plans, HoldOnlySoMuch) {
  SmallPlan small(1'000'000);
  const Definition large =
      wanted(0, 10, std::vector<Request>(kRequestsMax, request(1, 10)), Interpreter::kAny);
  for (std::int64_t i = 0; i < 199; ++i)
    ASSERT_EQ(small.reserve_only(i, large, "ann", kNow), "");
  EXPECT_THAT(small.reserve(200, large), HasSubstr("200200 requests and steps; 200000 are the"));
}

TEST(Plans, HoldOnlySoMany) {
  SmallPlan small(1'000'000);
  const Definition one = wanted(0, 10, {request(1, 10)});
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(kReservationsMax); ++i)
    ASSERT_EQ(small.reserve_only(i, one, "ann", kNow), "");
  EXPECT_THAT(small.reserve(999'999, one), HasSubstr("the plan holds 10000 reservations"));
}

}  // namespace
}  // namespace heddle::queues::reservations
