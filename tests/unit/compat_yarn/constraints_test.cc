// Scheduling requests and placement constraints from the wire.
#include "compat/yarn/constraints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "compat/records/exceptions.h"

namespace heddle::compat::yarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Target = pb::PlacementConstraintTargetProto;

/// As PlacementConstraints.targetNotIn(NODE, allocationTag("zk")) comes.
pb::PlacementConstraintProto anti_affinity() {
  pb::PlacementConstraintProto wire;
  auto* simple = wire.mutable_simpleconstraint();
  simple->set_scope("node");
  simple->set_mincardinality(0);
  simple->set_maxcardinality(0);
  simple->set_attributeopcode(pb::NO_OP);
  auto* target = simple->add_targetexpressions();
  target->set_targettype(Target::ALLOCATION_TAG);
  target->add_targetvalues("zk");
  return wire;
}

pb::PlacementConstraintProto attribute(std::string_view key, pb::NodeAttributeOpCodeProto op,
                                       std::string_view value) {
  pb::PlacementConstraintProto wire;
  auto* simple = wire.mutable_simpleconstraint();
  simple->set_scope("node");
  simple->set_attributeopcode(op);
  auto* target = simple->add_targetexpressions();
  target->set_targettype(Target::NODE_ATTRIBUTE);
  target->set_targetkey(std::string(key));
  target->add_targetvalues(std::string(value));
  return wire;
}

pb::PlacementConstraintProto combined(pb::CompositePlacementConstraintProto::CompositeType type,
                                      const std::vector<pb::PlacementConstraintProto>& parts) {
  pb::PlacementConstraintProto wire;
  auto* composite = wire.mutable_compositeconstraint();
  composite->set_compositetype(type);
  for (const auto& part : parts)
    *composite->add_childconstraints() = part;
  return wire;
}

pb::SchedulingRequestProto request() {
  pb::SchedulingRequestProto wire;
  wire.set_allocationrequestid(7);
  wire.mutable_priority()->set_priority(3);
  wire.add_allocationtags("zk");
  wire.add_allocationtags("db");
  wire.add_allocationtags("zk");
  wire.mutable_resourcesizing()->set_numallocations(4);
  wire.mutable_resourcesizing()->mutable_resources()->set_memory(512);
  wire.mutable_resourcesizing()->mutable_resources()->set_virtual_cores(1);
  *wire.mutable_placementconstraint() = anti_affinity();
  return wire;
}

std::string text_of(const pb::PlacementConstraintProto& wire) {
  const auto out = constraint_from_wire(wire);
  return out ? to_text(**out) : out.error().message;
}

TEST(SchedulingRequests, EveryFieldIsTaken) {
  const auto ask = scheduling_request_from_wire(request(), ResourceTypes{});
  ASSERT_TRUE(ask) << ask.error().message;
  EXPECT_EQ(ask->request_id, 7);
  EXPECT_EQ(ask->priority, 3);
  EXPECT_EQ(ask->num_allocations, 4);
  EXPECT_EQ(ask->capability, Resources(512, 1));
  EXPECT_TRUE(ask->guaranteed);
  EXPECT_THAT(ask->tags, ElementsAre("db", "zk"));
  EXPECT_EQ(to_text(*ask->constraint), "notin,node,zk");
}

TEST(SchedulingRequests, WhatIsGivenUpComesBackWithWhatIsLeft) {
  queues::GivenUp given_up;
  given_up.asked = scheduling_request_from_wire(request(), ResourceTypes{})->asked;
  given_up.left = 2;
  pb::RejectedSchedulingRequestProto wire;
  rejected_to_wire(given_up, &wire);
  auto expected = request();
  expected.mutable_resourcesizing()->set_numallocations(2);
  EXPECT_EQ(wire.request().SerializeAsString(), expected.SerializeAsString());
  EXPECT_EQ(wire.reason(), pb::RRP_COULD_NOT_PLACE_ON_NODE);
  given_up.was_placeable = true;
  rejected_to_wire(given_up, &wire);
  EXPECT_EQ(wire.reason(), pb::RRP_COULD_NOT_SCHEDULE_ON_NODE);
}

TEST(WireConstraints, KindsAndTheirMeaning) {
  using Composite = pb::CompositePlacementConstraintProto;
  auto affinity = anti_affinity();
  affinity.mutable_simpleconstraint()->set_scope("rack");
  affinity.mutable_simpleconstraint()->set_mincardinality(1);
  affinity.mutable_simpleconstraint()->set_maxcardinality(INT32_MAX);
  affinity.mutable_simpleconstraint()->mutable_targetexpressions(0)->set_targetkey("not-self");
  EXPECT_EQ(text_of(affinity), "in,rack,not-self/zk");
  auto bounded = anti_affinity();
  bounded.mutable_simpleconstraint()->set_maxcardinality(2);
  EXPECT_EQ(text_of(bounded), "cardinality,node,zk,0,2");
  EXPECT_EQ(text_of(attribute("rm.yarn.io/os", pb::EQ, "debian")), "rm.yarn.io/os=debian");
  EXPECT_EQ(text_of(attribute("os", pb::NE, "debian")), "rm.yarn.io/os!=debian");
  EXPECT_EQ(text_of(attribute("yarn_node_partition/", pb::EQ, "gpu")), "yarn_node_partition/=gpu");
  auto two = anti_affinity();
  *two.mutable_simpleconstraint()->add_targetexpressions() =
      attribute("yarn_node_partition/", pb::NO_OP, "gpu").simpleconstraint().targetexpressions(0);
  EXPECT_EQ(text_of(two), "and(notin,node,zk:yarn_node_partition/=gpu)");
  EXPECT_EQ(text_of(combined(Composite::OR, {anti_affinity(), attribute("a/b", pb::EQ, "c")})),
            "or(notin,node,zk:a/b=c)");
}

TEST(WireConstraints, DelaysAreTimesOrOpportunities) {
  pb::PlacementConstraintProto wire;
  auto* composite = wire.mutable_compositeconstraint();
  composite->set_compositetype(pb::CompositePlacementConstraintProto::DELAYED_OR);
  auto* timed = composite->add_timedchildconstraints();
  *timed->mutable_placementconstraint() = anti_affinity();
  timed->set_schedulingdelay(500);
  timed = composite->add_timedchildconstraints();
  *timed->mutable_placementconstraint() = anti_affinity();
  timed->set_schedulingdelay(3);
  timed->set_delayunit(pb::TimedPlacementConstraintProto::OPPORTUNITIES);
  EXPECT_EQ(text_of(wire), "delayed-or(notin,node,zk@500ms:notin,node,zk@3)");
}

struct Hostile {
  std::string says;
  std::function<void(pb::SchedulingRequestProto&)> change;
};

pb::PlacementConstraintProto nested(int depth) {
  auto wire = anti_affinity();
  for (int i = 0; i < depth; ++i)
    wire = combined(pb::CompositePlacementConstraintProto::AND, {wire});
  return wire;
}

const std::vector<Hostile>& hostile_requests() {
  const auto simple = [](auto& to) {
    return to.mutable_placementconstraint()->mutable_simpleconstraint();
  };
  static const std::vector<Hostile> cases = {
      {"No ResourceSizing found", [](auto& to) { to.clear_resourcesizing(); }},
      {"No ResourceSizing found", [](auto& to) { to.mutable_resourcesizing()->clear_resources(); }},
      {"the scope 'shelf' is unknown", [=](auto& to) { simple(to)->set_scope("shelf"); }},
      {"cardinality from -1", [=](auto& to) { simple(to)->set_mincardinality(-1); }},
      {"above the maximum 0", [=](auto& to) { simple(to)->set_mincardinality(3); }},
      {"it has no target", [=](auto& to) { simple(to)->clear_targetexpressions(); }},
      {"names no allocation tag",
       [=](auto& to) { simple(to)->mutable_targetexpressions(0)->clear_targetvalues(); }},
      {"Invalid namespace prefix: mine",
       [=](auto& to) { simple(to)->mutable_targetexpressions(0)->set_targetkey("mine"); }},
      {"Missing the application ID",
       [=](auto& to) { simple(to)->mutable_targetexpressions(0)->set_targetkey("app-id"); }},
      {"Missing the application tag",
       [=](auto& to) { simple(to)->mutable_targetexpressions(0)->set_targetkey("app-tag/"); }},
      {"the syntax is <namespace_prefix>",
       [=](auto& to) { simple(to)->mutable_targetexpressions(0)->set_targetkey("all/a/b"); }},
      {"the target type SELF",
       [=](auto& to) { simple(to)->mutable_targetexpressions(0)->set_targettype(Target::SELF); }},
      {"it is empty", [](auto& to) { to.mutable_placementconstraint()->Clear(); }},
      {"need constraints within them",
       [](auto& to) {
         *to.mutable_placementconstraint() =
             combined(pb::CompositePlacementConstraintProto::OR, {});
       }},
      {"more than 16 deep", [](auto& to) { *to.mutable_placementconstraint() = nested(16); }},
      {"more than 128 parts",
       [](auto& to) {
         *to.mutable_placementconstraint() =
             combined(pb::CompositePlacementConstraintProto::AND,
                      std::vector<pb::PlacementConstraintProto>(128, anti_affinity()));
       }},
      {"names no node attribute",
       [](auto& to) { *to.mutable_placementconstraint() = attribute("", pb::EQ, "v"); }},
      {"65 allocation tags",
       [](auto& to) {
         for (int i = 0; i < 63; ++i)
           to.add_allocationtags("t" + std::to_string(i));
       }},
      {"an allocation tag is empty", [](auto& to) { to.add_allocationtags(""); }},
      {"has 256 bytes", [](auto& to) { to.add_allocationtags(std::string(256, 'x')); }},
      {"255 of UTF-8 are the most", [](auto& to) { to.add_allocationtags("\xff"); }},
      {"16384 are the most", [](auto& to) { to.add_allocationtags(std::string(1U << 20U, 'x')); }},
  };
  return cases;
}

TEST(SchedulingRequests, HostileOnesAreRefusedWithTheLimit) {
  for (const Hostile& bad : hostile_requests()) {
    auto wire = request();
    bad.change(wire);
    const auto out = scheduling_request_from_wire(wire, ResourceTypes{});
    ASSERT_FALSE(out) << bad.says;
    EXPECT_THAT(out.error().message, HasSubstr(bad.says));
    EXPECT_EQ(master_exception(out.error()), java::kInvalidResourceRequest) << bad.says;
    EXPECT_LT(out.error().message.size(), 500U) << bad.says;
  }
}

TEST(SchedulingRequests, FifteenDeepAndAHundredPartsAreFine) {
  EXPECT_TRUE(constraint_from_wire(nested(15)));
  EXPECT_TRUE(constraint_from_wire(
      combined(pb::CompositePlacementConstraintProto::AND,
               std::vector<pb::PlacementConstraintProto>(100, anti_affinity()))));
}

TEST(SchedulingRequests, TooManyInOneCallAreRefused) {
  pb::AllocateRequestProto wire;
  for (int i = 0; i <= kSchedulingRequestsMax; ++i)
    *wire.add_scheduling_requests() = pb::SchedulingRequestProto();
  rm::Allocate out;
  const auto taken = scheduling_requests_from_wire(wire, ResourceTypes{}, out);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("at most 10000"));
}

TEST(WireConstraints, ThoseOfAnApplicationComeWithTheirTags) {
  pb::RegisterApplicationMasterRequestProto wire;
  auto* entry = wire.add_placement_constraints();
  entry->add_allocation_tags("zk");
  *entry->mutable_placement_constraint() = anti_affinity();
  rm::RegisterMaster out;
  ASSERT_TRUE(constraints_from_wire(wire, out));
  ASSERT_EQ(out.constraints.size(), 1U);
  EXPECT_THAT(out.constraints[0].first, ElementsAre("zk"));
  EXPECT_EQ(to_text(*out.constraints[0].second), "notin,node,zk");
  wire.add_placement_constraints();
  EXPECT_FALSE(constraints_from_wire(wire, out)) << "an empty one";
}

}  // namespace
}  // namespace heddle::compat::yarn
