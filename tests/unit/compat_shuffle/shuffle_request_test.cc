#include "compat/shuffle/shuffle_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/net/http_wire.h"
#include "base/text.h"

namespace heddle::compat::shuffle {
namespace {

constexpr const char* kTarget =
    "/mapOutput?job=job_1795310003435_0012&reduce=1&map=attempt_1795310003435_0012_m_000000_0,"
    "attempt_1795310003435_0012_m_000001_0";

net::HttpRequest request_for(const std::string& target) {
  net::HttpRequest request;
  request.method = "GET";
  request.target = target;
  auto parsed = net::parse_target("GET", target);
  request.path = parsed->path;
  request.query = parsed->query;
  request.headers.add("name", "mapreduce");
  request.headers.add("version", "1.0.0");
  request.headers.add("UrlHash", "lQqmLXtV51JKjSvI0g64/XtqM/I=");
  return request;
}

security::Secret recorded_secret() {
  return security::Secret(*hex_decode("fffb407861c5e98d"));
}

TEST(ShuffleRequests, HashesAreThoseOfTheRecordedExchange) {
  EXPECT_EQ(expected_url_hash(recorded_secret(), 41562, kTarget), "lQqmLXtV51JKjSvI0g64/XtqM/I=");
  EXPECT_EQ(reply_hash(recorded_secret(), "lQqmLXtV51JKjSvI0g64/XtqM/I="),
            "sZW/cdVp+aWPlLTogUbsiUSzdfg=");
  EXPECT_EQ(expected_url_hash(recorded_secret(), 41562, std::string(kTarget) + "&keepAlive=true"),
            "W82awYbXRiiUfNWt7dHs7F8OlBg=");
}

TEST(ShuffleRequests, HeaderOfASegmentIsTheRecordedOne) {
  EXPECT_EQ(hex_encode(shuffle_header("attempt_1795310003435_0012_m_000000_0", 975, 971, 1)),
            "25617474656d70745f313739353331303030333433355f303031325f6d5f3030303030305f30"
            "8e03cf8e03cb01");
}

TEST(ShuffleRequests, TakesJobMapsAndReduceOfTheRecordedTarget) {
  const auto parsed = parse_shuffle_request(request_for(kTarget));
  ASSERT_TRUE(parsed.has_value()) << parsed.error().body;
  EXPECT_EQ(parsed->job, "job_1795310003435_0012");
  EXPECT_THAT(parsed->maps, ::testing::ElementsAre("attempt_1795310003435_0012_m_000000_0",
                                                   "attempt_1795310003435_0012_m_000001_0"));
  EXPECT_EQ(parsed->reduce, 1);
  EXPECT_FALSE(parsed->keep_alive);
  EXPECT_EQ(job_id_of({1795310003435, 12}), parsed->job);
}

TEST(ShuffleRequests, TakesRepeatedMapParametersAndKeepAlive) {
  const auto parsed = parse_shuffle_request(
      request_for("/mapOutput?job=j&reduce=0&map=attempt_1_2_m_3_0&map=attempt_1_2_m_4_0"
                  "&keepAlive=true"));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->maps.size(), 2U);
  EXPECT_TRUE(parsed->keep_alive);
}

struct Case {
  const char* target;
  int status;
  const char* body;
};
class RefusedShuffleRequest : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(
    Shuffle, RefusedShuffleRequest,
    ::testing::Values(
        Case{"/mapOutput", 400, "Required param job, map and reduce"},
        Case{"/mapOutput?job=j&map=attempt_1_2_m_3_0", 400, "Required param job, map and reduce"},
        Case{"/mapOutput?job=j&reduce=0", 400, "Required param job, map and reduce"},
        Case{"/mapOutput?reduce=0&map=attempt_1_2_m_3_0", 400,
             "Required param job, map and reduce"},
        Case{"/mapOutput?job=j&job=k&reduce=0&map=attempt_1_2_m_3_0", 400,
             "Too many job/reduce parameters"},
        Case{"/mapOutput?job=j&reduce=0&reduce=1&map=attempt_1_2_m_3_0", 400,
             "Too many job/reduce parameters"},
        Case{"/mapOutput?job=j&reduce=x&map=attempt_1_2_m_3_0", 400, "Bad reduce parameter"},
        Case{"/mapOutput?job=j&reduce=-1&map=attempt_1_2_m_3_0", 400, "Bad reduce parameter"},
        Case{"/mapOutput?job=j&reduce=2147483648&map=attempt_1_2_m_3_0", 400,
             "Bad reduce parameter"},
        Case{"/mapOutput?job=j&reduce=0&map=", 400, "Bad map parameter"},
        Case{"/mapOutput?job=j&reduce=0&map=attempt_1_2_m_3_0,", 400, "Bad map parameter"},
        Case{"/mapOutput?job=j&reduce=0&map=..%2F..%2Fetc", 400, "Bad map parameter"}));

TEST_P(RefusedShuffleRequest, HasHadoopsStatusAndText) {
  const auto parsed = parse_shuffle_request(request_for(GetParam().target));
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().status, GetParam().status);
  EXPECT_EQ(parsed.error().body, GetParam().body);
}

TEST(ShuffleRequests, RefusesOtherVersionsAndMethods) {
  auto other_version = request_for(kTarget);
  other_version.headers.set("version", "2.0.0");
  EXPECT_EQ(parse_shuffle_request(other_version).error().body,
            "Incompatible shuffle request version");
  auto post = request_for(kTarget);
  post.method = "POST";
  EXPECT_EQ(parse_shuffle_request(post).error().status, 405);
}

TEST(ShuffleRequests, OnlyStrictAttemptIdsMayNameAFolder) {
  EXPECT_TRUE(is_map_attempt("attempt_1795310003435_0012_m_000000_0"));
  EXPECT_TRUE(is_map_attempt("attempt_1_2_r_3_4"));
  for (const char* text :
       {"", "..", "attempt", "attempt_1_2_m_3", "attempt_1_2_m_3_0_0", "attempt_1_2_x_3_0",
        "attempt_1_2_m_3_0/..", "attempt_-1_2_m_3_0", "attempt__2_m_3_0", "attempt_1_2_m_3_",
        "ATTEMPT_1_2_m_3_0", "attempt_1_2_m_3_0 ", "attempt_1_2_m_3_+0",
        "attempt_10000000000000000000_2_m_3_0"}) {
    EXPECT_FALSE(is_map_attempt(text)) << text;
  }
  EXPECT_FALSE(is_map_attempt(std::string_view("attempt_1_2_m_3_0\0", 18)));
}

}  // namespace
}  // namespace heddle::compat::shuffle
