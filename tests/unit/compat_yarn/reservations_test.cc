#include "compat/yarn/reservations.h"

#include <gtest/gtest.h>

#include "compat/records/exceptions.h"

namespace heddle::compat::yarn {
namespace {

pb::ReservationSubmissionRequestProto any_request() {
  pb::ReservationSubmissionRequestProto wire;
  wire.set_queue("plan");
  wire.mutable_reservation_id()->set_cluster_timestamp(17);
  wire.mutable_reservation_id()->set_id(4);
  auto* definition = wire.mutable_reservation_definition();
  definition->set_arrival(100);
  definition->set_deadline(200);
  definition->set_reservation_name("nightly");
  definition->set_recurrence_expression("86400000");
  auto* requests = definition->mutable_reservation_requests();
  requests->set_interpreter(pb::R_ORDER_NO_GAP);
  auto* one = requests->add_reservation_resources();
  one->mutable_capability()->set_memory(2048);
  one->mutable_capability()->set_virtual_cores(3);
  one->set_num_containers(8);
  one->set_concurrency(4);
  one->set_duration(60);
  return wire;
}

TEST(ReservationMessages, AreTakenAsTheyAre) {
  const auto taken = reservation_from_wire(any_request(), ResourceTypes{});
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->queue, "plan");
  EXPECT_EQ(to_string(*taken->id), "reservation_17_0004");
  EXPECT_EQ(taken->definition->interpreter, rm::ReservationInterpreter::kOrderNoGap);
  EXPECT_EQ(taken->definition->recurrence, "86400000");
  ASSERT_EQ(taken->definition->requests.size(), 1U);
  EXPECT_EQ(taken->definition->requests[0], (rm::ReservationRequest{{2048, 3}, 8, 4, 60}));
  pb::ReservationDefinitionProto back;
  to_wire(*taken->definition, ResourceTypes{}, &back);
  const auto again = definition_from_wire(back, ResourceTypes{});
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *taken->definition);
}

TEST(ReservationMessages, MayBeEmpty) {
  const auto taken = reservation_from_wire({}, ResourceTypes{});
  ASSERT_TRUE(taken);
  EXPECT_FALSE(taken->id || taken->definition);
  EXPECT_EQ(list_from_wire({}).end_ms, INT64_MAX);
}

TEST(ReservationMessages, AreRefusedWithAmountsThatNobodyCounts) {
  auto wire = any_request();
  auto* one = wire.mutable_reservation_definition()
                  ->mutable_reservation_requests()
                  ->mutable_reservation_resources(0);
  one->mutable_capability()->set_memory(-1);
  const auto negative = reservation_from_wire(wire, ResourceTypes{});
  ASSERT_FALSE(negative);
  EXPECT_EQ(client_exception(negative.error()), java::kYarn);
}

TEST(ReservationMessages, OfAMillionRequestsAreRefusedByTheirNumber) {
  auto wire = any_request();
  auto* requests = wire.mutable_reservation_definition()->mutable_reservation_requests();
  for (int i = 0; i < 1'000'000; ++i)
    requests->add_reservation_resources();
  const auto taken = reservation_from_wire(wire, ResourceTypes{});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().message, "the reservation has 1000001 requests; 1000 are the most");
}

TEST(ReservationMessages, ShowWhatRecursByItsPlaceInThePeriod) {
  rm::Reservation reservation;
  reservation.user = "ann";
  reservation.steps = {{86'400'000 * 5 + 7'000, 86'400'000 * 5 + 9'000, {1024, 1}}};
  reservation.period_ms = 86'400'000;
  pb::ReservationAllocationStateProto wire;
  to_wire(reservation, true, ResourceTypes{}, &wire);
  EXPECT_EQ(wire.allocation_requests(0).start_time(), 7'000);
  EXPECT_EQ(wire.allocation_requests(0).end_time(), 9'000);
  to_wire(reservation, false, ResourceTypes{}, &(wire = {}));
  EXPECT_EQ(wire.allocation_requests_size(), 0);
}

TEST(ReservationMessages, HaveHadoopsExceptions) {
  const auto bad_id = rm::parse_reservation_id("seven");
  ASSERT_FALSE(bad_id);
  EXPECT_EQ(client_exception(bad_id.error()), java::kIo);
  EXPECT_EQ(client_exception({ErrorCode::kPermissionDenied, "", ErrorSubject::kReservation}),
            java::kYarn)
      << "the class is in the text";
}

}  // namespace
}  // namespace heddle::compat::yarn
