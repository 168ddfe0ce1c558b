#include "compat/rest/reservations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heddle::compat::rest {
namespace {

using testing::HasSubstr;

constexpr const char* kBody = R"({"queue":"plan","reservation-id":"reservation_17_0004",
"reservation-definition":{"arrival":100,"deadline":200,"reservation-name":"nightly","priority":3,
"recurrence-expression":"86400000","reservation-requests":{"reservation-request-interpreter":2,
"reservation-request":[{"capability":{"memory":2048,"vCores":3},"min-concurrency":4,
"num-containers":8,"duration":60}]}}})";

Body body_of(const std::string& text) {
  auto body = parse_json_body(text);
  EXPECT_TRUE(body) << text;
  return body ? *std::move(body) : Body{};
}

std::string refused(const std::string& text) {
  const auto taken = submit_reservation_from_body(body_of(text), ResourceTypes{});
  return taken ? "accepted" : taken.error().message;
}

std::string with_requests(const std::string& requests) {
  return R"({"reservation-definition":{"reservation-requests":)" + requests + "}}";
}

TEST(ReservationBodies, AreTakenAsTheyAre) {
  const auto taken = submit_reservation_from_body(body_of(kBody), ResourceTypes{});
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->queue, "plan");
  EXPECT_EQ(to_string(*taken->id), "reservation_17_0004");
  EXPECT_EQ(taken->definition->arrival_ms, 100);
  EXPECT_EQ(taken->definition->interpreter, rm::ReservationInterpreter::kOrder);
  EXPECT_EQ(taken->definition->recurrence, "86400000");
  EXPECT_EQ(taken->definition->requests.at(0), (rm::ReservationRequest{{2048, 3}, 8, 4, 60}));
}

TEST(ReservationBodies, MayStandInTheNamedObject) {
  const auto taken = submit_reservation_from_body(
      body_of(R"({"reservation-submission-context":)" + std::string(kBody) + "}"), ResourceTypes{});
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->queue, "plan");
}

TEST(ReservationBodies, WithoutWhatTheyNeedAreRefusedInHadoopsWords) {
  EXPECT_EQ(refused("{}"), "Input ReservationDefinition should not be null");
  EXPECT_EQ(refused(R"({"reservation-definition":{}})"),
            "The ReservationDefinition should contain at least one ReservationRequest");
  EXPECT_THAT(refused(R"({"reservation-id":"seven"})"),
              HasSubstr("The specified reservation id is invalid: seven"));
  const auto update = update_reservation_from_body(body_of("{}"), ResourceTypes{});
  ASSERT_FALSE(update);
  EXPECT_EQ(update.error().message, "Update operations must specify an existing ReservationId");
}

TEST(ReservationBodies, WithNumbersThatAreNoneAreRefusedWithTheField) {
  const std::string one = R"("reservation-request":[{"num-containers":1,"duration":1}])";
  EXPECT_THAT(refused(with_requests(R"({"reservation-request-interpreter":4,)" + one + "}")),
              HasSubstr("reservation-request-interpreter is 4"));
  EXPECT_THAT(refused(with_requests(
                  R"({"reservation-request":[{"num-containers":99999999999,"duration":1}]})")),
              HasSubstr("num-containers is out of range: 99999999999"));
  EXPECT_THAT(refused(with_requests(R"({"reservation-request":[{"duration":"long"}]})")),
              HasSubstr("duration"));
}

}  // namespace
}  // namespace heddle::compat::rest
