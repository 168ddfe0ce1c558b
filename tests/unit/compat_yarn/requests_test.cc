#include "compat/yarn/requests.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/text.h"
#include "compat/records/exceptions.h"
#include "compat/records/ids.h"
#include "compat/yarn/times.h"
#include "tests/testlib/recorded.h"

namespace heddle::compat::yarn {
namespace {

pb::ApplicationSubmissionContextProto recorded_submission() {
  pb::SubmitApplicationRequestProto request;
  EXPECT_TRUE(request.ParseFromString(recorded::bytes(recorded::kSubmitRequest)));
  return request.application_submission_context();
}

struct BadSubmission {
  std::string what;
  std::function<void(pb::ApplicationSubmissionContextProto&)> change;
  std::string_view exception;
  std::string part_of_message;
};

const std::vector<BadSubmission>& hostile_submissions() {
  static const std::vector<BadSubmission> cases = {
      {"no id", [](auto& to) { to.clear_application_id(); }, java::kYarn, "application id"},
      {"11 tags",
       [](auto& to) {
         for (int i = 0; i < 11; ++i)
           to.add_applicationtags("t" + std::to_string(i));
       },
       java::kYarn, "a maximum of only 10 are allowed"},
      {"long tag", [](auto& to) { to.add_applicationtags(std::string(101, 'x')); }, java::kYarn,
       "maximum allowed length of a tag is 100"},
      {"control character in a tag", [](auto& to) { to.add_applicationtags("a\x01"); }, java::kYarn,
       "printable ASCII"},
      {"1 MiB name", [](auto& to) { to.set_application_name(std::string(1U << 20U, 'x')); },
       java::kYarn, "the limit is 4096"},
      {"1 MiB type", [](auto& to) { to.set_applicationtype(std::string(1U << 20U, 'x')); },
       java::kYarn, "the limit is 1000"},
      {"1 MiB queue", [](auto& to) { to.set_queue(std::string(1U << 20U, 'x')); }, java::kYarn,
       "the limit is 1000"},
      {"name that is not UTF-8", [](auto& to) { to.set_application_name("\xff\xfe"); }, java::kYarn,
       "is not UTF-8"},
      {"negative memory",
       [](auto& to) {
         to.mutable_am_container_resource_request(0)->mutable_capability()->set_memory(-1);
       },
       java::kInvalidResourceRequest, "less than 0"},
      {"unknown resource",
       [](auto& to) {
         auto* entry = to.mutable_am_container_resource_request(0)
                           ->mutable_capability()
                           ->add_resource_value_map();
         entry->set_key("yarn.io/gpu2");
         entry->set_value(1);
       },
       java::kInvalidResourceRequest, "this cluster counts memory-mb, vcores"},
      {"no * line",
       [](auto& to) { to.mutable_am_container_resource_request(0)->set_resource_name("h1"); },
       java::kInvalidResourceRequest, "no resource request specified with *"},
      {"no resources", [](auto& to) { to.clear_am_container_resource_request(); },
       java::kInvalidResourceRequest, "neither"},
      {"no launch context", [](auto& to) { to.clear_am_container_spec(); }, java::kYarn,
       "am_container_spec"},
      {"lifetime 0", [](auto& to) { to.add_application_timeouts()->set_timeout(0); }, java::kYarn,
       "Invalid application timeout"},
      {"environment",
       [](auto& to) { to.mutable_am_container_spec()->add_environment()->set_key("A=B"); },
       java::kYarn, "'A=B'"},
  };
  return cases;
}

TEST(Submissions, HostileOnesAreRefusedWithTheLimit) {
  for (const BadSubmission& bad : hostile_submissions()) {
    auto wire = recorded_submission();
    bad.change(wire);
    const auto result = submission_from_wire(wire, ResourceTypes{}, TagLimits{});
    ASSERT_FALSE(result.has_value()) << bad.what;
    EXPECT_EQ(client_exception(result.error()), bad.exception) << bad.what;
    EXPECT_NE(result.error().message.find(bad.part_of_message), std::string::npos)
        << bad.what << ": " << result.error().message;
    EXPECT_LT(result.error().message.size(), 500U) << bad.what;
  }
}

TEST(Submissions, NameTheReservationTheyRunIn) {
  auto wire = recorded_submission();
  EXPECT_FALSE(submission_from_wire(wire, ResourceTypes{}, TagLimits{})->reservation);
  wire.mutable_reservation_id()->set_cluster_timestamp(17);
  wire.mutable_reservation_id()->set_id(4);
  const auto taken = submission_from_wire(wire, ResourceTypes{}, TagLimits{});
  ASSERT_TRUE(taken);
  EXPECT_EQ(to_string(*taken->reservation), "reservation_17_0004");
}

TEST(Submissions, TagsAreLowerCaseAndTypesAreCutToTwentyCharacters) {
  auto wire = recorded_submission();
  wire.add_applicationtags("Nightly");
  wire.set_applicationtype("a type that is longer than twenty");
  const auto result = submission_from_wire(wire, ResourceTypes{}, TagLimits{});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->tags, std::set<std::string>{"nightly"});
  EXPECT_EQ(result->type, "a type that is longe");
}

TEST(Submissions, AnEmptyLabelIsNotTheSameAsNone) {
  auto wire = recorded_submission();
  wire.clear_node_label_expression();
  wire.mutable_am_container_resource_request(0)->clear_node_label_expression();
  auto result = submission_from_wire(wire, ResourceTypes{}, TagLimits{});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->label_expression, std::nullopt);
  EXPECT_EQ(result->am_asks.at(0).label_expression, std::nullopt);
  wire.set_node_label_expression("");
  wire.mutable_am_container_resource_request(0)->set_node_label_expression("");
  result = submission_from_wire(wire, ResourceTypes{}, TagLimits{});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->label_expression, "");
  EXPECT_EQ(result->am_asks.at(0).label_expression, "");
}

TEST(Submissions, LogAggregationContextIsKeptAsBytes) {
  auto wire = recorded_submission();
  wire.mutable_log_aggregation_context()->set_include_pattern(std::string(200, 'a'));
  const auto result = submission_from_wire(wire, ResourceTypes{}, TagLimits{});
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->log_aggregation_context, wire.log_aggregation_context().SerializeAsString());
}

TEST(Submissions, UnmanagedOneNeedsNoLaunchContext) {
  pb::ApplicationSubmissionContextProto wire;
  to_wire(AppId{1, 1}, wire.mutable_application_id());
  wire.set_unmanaged_am(true);
  const auto result = submission_from_wire(wire, ResourceTypes{}, TagLimits{});
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_TRUE(result->unmanaged);
  EXPECT_EQ(result->launch, nullptr);
}

TEST(Allocations, RecordedAskIsRead) {
  pb::AllocateRequestProto wire;
  ASSERT_TRUE(wire.ParseFromString(recorded::bytes(recorded::kAllocateRequest)));
  const auto result = allocate_from_wire(wire, ResourceTypes{});
  ASSERT_TRUE(result.has_value());
  ASSERT_EQ(result->asks.size(), 1U);
  EXPECT_EQ(result->asks[0].priority, 5);
  EXPECT_EQ(result->asks[0].resource_name, "*");
  EXPECT_EQ(result->asks[0].resources, Resources(256, 1));
  EXPECT_EQ(result->asks[0].containers, 2);
  EXPECT_TRUE(result->asks[0].relax_locality);
  EXPECT_FLOAT_EQ(result->progress, 0.1F);
  EXPECT_FALSE(result->tracking_url.has_value());
}

TEST(Allocations, HostileOnesAreRefused) {
  struct Case {
    std::string what;
    std::function<void(pb::AllocateRequestProto&)> change;
    std::string_view exception;
  };
  const std::vector<Case> cases = {
      {"-5 containers",
       [](auto& to) {
         to.add_ask()->set_resource_name("*");
         to.mutable_ask(0)->set_num_containers(-5);
       },
       java::kInvalidResourceRequest},
      {"no resource name", [](auto& to) { to.add_ask(); }, java::kInvalidResourceRequest},
      {"broken release", [](auto& to) { to.add_release(); }, java::kInvalidRelease},
      {"blacklisting everything",
       [](auto& to) { to.mutable_blacklist_request()->add_blacklist_additions("*"); },
       java::kInvalidBlacklist},
      {"scheduling request without a size", [](auto& to) { to.add_scheduling_requests(); },
       java::kInvalidResourceRequest},
  };
  for (const Case& bad : cases) {
    pb::AllocateRequestProto wire;
    bad.change(wire);
    const auto result = allocate_from_wire(wire, ResourceTypes{});
    ASSERT_FALSE(result.has_value()) << bad.what;
    EXPECT_EQ(master_exception(result.error()), bad.exception) << bad.what;
  }
}

TEST(Allocations, ProgressIsKeptWithinItsRange) {
  for (const auto& [sent, read] : std::vector<std::pair<float, float>>{
           {-1.0F, 0.0F}, {2.0F, 1.0F}, {NAN, 0.0F}, {INFINITY, 1.0F}, {0.5F, 0.5F}}) {
    pb::AllocateRequestProto wire;
    wire.set_progress(sent);
    EXPECT_EQ(allocate_from_wire(wire, ResourceTypes{})->progress, read) << sent;
  }
}

TEST(Registrations, TextsAreUtf8WhateverWasSent) {
  pb::FinishApplicationMasterRequestProto wire;
  wire.set_diagnostics("\xff");
  EXPECT_EQ(finish_from_wire(wire)->diagnostics, "\\xff");
  std::string longest;
  while (longest.size() <= kTextMax)
    longest += "\xc3\xa4";
  wire.set_diagnostics("x" + longest);
  EXPECT_TRUE(is_valid_utf8(finish_from_wire(wire)->diagnostics));
}

TEST(Listings, LimitBelowOneIsRefused) {
  pb::GetApplicationsRequestProto wire;
  wire.set_limit(-1);
  EXPECT_FALSE(listing_from_wire(wire, "alice").has_value());
}

TEST(Listings, OwnMeansTheCaller) {
  pb::GetApplicationsRequestProto wire;
  wire.set_scope(pb::OWN);
  EXPECT_EQ(listing_from_wire(wire, "alice")->filter.users, std::set<std::string>{"alice"});
}

TEST(Times, AreReadBackAndOthersRefused) {
  EXPECT_EQ(parse_iso8601(iso8601(WallTime{1795312909660}))->ms, 1795312909660);
  EXPECT_EQ(iso8601(WallTime{0}), "1970-01-01T00:00:00.000+0000");
  EXPECT_EQ(parse_iso8601("1970-01-01T01:00:00Z")->ms, 3600000);
  for (const std::string_view bad :
       {"", "2026", "2026-13-01T00:00:00.000+0000", "2026-02-30T00:00:00.000+0000",
        "2026-01-01T25:00:00.000+0000", "2026-01-01T00:00:00.000", "2026-01-01T00:00:00.000+00x0",
        "2026-01-01T00:00:00.00+0000", "2026-01-01 00:00:00.000+0000"}) {
    EXPECT_FALSE(parse_iso8601(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace heddle::compat::yarn
