// Placement constraints: what they say, where containers go, and who is woken by what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "queues/constraints.h"
#include "queues/explain.h"
#include "queues/tagged_ask.h"
#include "tests/testlib/cluster_builder.h"
#include "tests/unit/queues/tagged_asks.h"

namespace heddle::queues {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::first_attempt;
using testlib::hosts_of;
using testlib::sizes;

std::vector<Grant> run(Cluster& cluster) {
  auto grants = cluster.schedule();
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  return grants;
}

std::vector<Grant> place(Cluster& cluster, const AppId& app, const TaggedAsk& ask) {
  const auto sent = send(cluster, app, ask);
  EXPECT_TRUE(sent) << (sent ? "" : sent.error().message);
  return run(cluster);
}

Cluster three_nodes() {
  return ClusterBuilder{}
      .node("n1", "8GB 8c", "/a")
      .node("n2", "8GB 8c", "/a")
      .node("n3", "8GB 8c", "/b")
      .build();
}

// --- the language

TEST(ConstraintText, WhatIsWrittenReadsTheSame) {
  for (const std::string text :
       {"in,node,zk", "notin,rack,zk,hbase", "cardinality,node,zk,0,2", "in,node,all/zk",
        "notin,node,not-self/zk", "in,rack,app-tag/web/zk", "in,node,app-id/application_1_0001/zk",
        "rm.yarn.io/gpu=a,b", "nm.yarn.io/os!=debian", "yarn_node_partition/=red",
        "and(in,node,a:or(notin,rack,b:rm.yarn.io/k=v))",
        "delayed-or(in,node,a@500ms:in,rack,a@20)"}) {
    const auto out = parse_constraint(text);
    ASSERT_TRUE(out) << text << ": " << out.error().message;
    EXPECT_EQ(to_text(*out), text);
    EXPECT_EQ(*parse_constraint(to_text(*out)), *out);
  }
}

TEST(ConstraintText, AnAttributeWithoutPrefixIsOneOfTheOperators) {
  EXPECT_EQ(parse_constraint("gpu=yes")->key, "rm.yarn.io/gpu");
}

TEST(ConstraintText, WhatIsWrongIsNamedWithItsColumn) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "column 1: a constraint is missing"},
      {"in,node", "a tag is missing"},
      {"in,shelf,zk", "the scope is node or rack"},
      {"and(in,node,a", "column 14: ) is missing"},
      {"xor(in,node,a)", "before ( stands and, or, delayed-or"},
      {"in,node,a)b", "column 10: what follows belongs to nothing"},
      {"cardinality,node,a,2", "ends with a minimum and a maximum"},
      {"cardinality,node,a,-1,2", "ends with a minimum and a maximum"},
      {"cardinality,node,a,3,2", "the minimum cardinality 3 is above the maximum 2"},
      {"in,node,some/zk", "Invalid namespace prefix: some"},
      {"in,node,app-id/x/zk", "Invalid application ID for app-id: x"},
      {"in,node,all/a,self/b", "of the same applications"},
      {"delayed-or(in,node,a)", "a delay"},
      {"delayed-or(in,node,a@soon)", "a delay is"},
      {"gpu", "a constraint begins with"},
      {"yarn_node_partition/!=red", "one node partition"},
      {std::string(70'000, 'a'), "65536 are the most"},
      {std::string(3'000, '(') + "a=b", "before ( stands"},
  };
  for (const auto& [text, says] : cases) {
    const auto out = parse_constraint(text);
    ASSERT_FALSE(out) << text;
    EXPECT_THAT(out.error().message, HasSubstr(says)) << text;
    EXPECT_LT(out.error().message.size(), 300U);
  }
  std::string deep = "a=b";
  for (int i = 0; i < 20; ++i)
    deep = "and(" + deep + ")";
  EXPECT_THAT(parse_constraint(deep).error().message, HasSubstr("too deep"));
  std::string wide = "or(a=b";
  for (int i = 0; i < 200; ++i)
    wide += ":a=b";
  EXPECT_THAT(parse_constraint(wide + ")").error().message, HasSubstr("too many parts"));
}

TEST(Constraints, WhatMakesNoSenseIsRefusedWithTheLimit) {
  using Change = std::function<void(Constraint&)>;
  const std::vector<std::pair<std::string, Change>> cases = {
      {"cardinality from -1 to", [](Constraint& to) { to.minimum = -1; }},
      {"above the maximum", [](Constraint& to) { to.minimum = 5, to.maximum = 4; }},
      {"names no allocation tag", [](Constraint& to) { to.values.clear(); }},
      {"an allocation tag is empty", [](Constraint& to) { to.values = {""}; }},
      {"65 allocation tags; 64 are the most", [](Constraint& to) { to.values.assign(65, "t"); }},
      {"has 256 bytes; 255", [](Constraint& to) { to.values = {std::string(256, 't')}; }},
      {"names no application tag", [](Constraint& to) { to.owners = TagOwners::kAppTag; }},
      {"need constraints within them", [](Constraint& to) { to.kind = Constraint::Kind::kOr; }},
      {"names no node attribute", [](Constraint& to) { to.kind = Constraint::Kind::kAttribute; }},
      {"compared with no value",
       [](Constraint& to) {
         to.kind = Constraint::Kind::kAttribute;
         to.key = "a/b";
         to.values.clear();
       }},
      {"needs its delay",
       [](Constraint& to) {
         to.parts = {to};
         to.kind = Constraint::Kind::kDelayedOr;
       }},
      {"the scheduling delay is -5",
       [](Constraint& to) {
         to.parts = {to};
         to.delays = {{-5, Constraint::Delay::Unit::kMilliseconds}};
         to.kind = Constraint::Kind::kDelayedOr;
       }},
  };
  for (const auto& [says, change] : cases) {
    Constraint wrong = *parse_constraint("in,node,zk");
    change(wrong);
    const auto out = check(wrong);
    ASSERT_FALSE(out) << says;
    EXPECT_THAT(out.error().message, HasSubstr(says));
    EXPECT_EQ(out.error().subject, ErrorSubject::kResourceRequest);
  }
}

// --- where containers go

TEST(PlacementConstraints, AntiAffinityPutsOneOnEachNode) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  const auto grants = place(cluster, app, tagged(5, {"zk"}, "notin,node,zk"));
  EXPECT_THAT(hosts_of(grants), UnorderedElementsAre("n1", "n2", "n3"));
  EXPECT_THAT(*grants.front().tags, ElementsAre("zk"));
  EXPECT_EQ(grants.front().allocation_request_id, 1);
  EXPECT_EQ(cluster.scheduler.app(app)->pending_containers, 2);
}

TEST(PlacementConstraints, AntiAffinityWaitsForTheEndOfTheOther) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  const auto grants = place(cluster, app, tagged(4, {"zk"}, "notin,node,zk"));
  ASSERT_THAT(grants, SizeIs(3));
  EXPECT_FALSE(cluster.scheduler.has_work());
  cluster.release(grants[1]);
  EXPECT_EQ(hosts_of(run(cluster)), hosts_of({grants[1]}));
}

TEST(PlacementConstraints, AffinityFollowsTheTagAndWaitsForIt) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  EXPECT_THAT(place(cluster, app, tagged(3, {"web"}, "in,node,db", 1)), IsEmpty());
  EXPECT_FALSE(cluster.scheduler.has_work());
  const auto grants = place(cluster, app, tagged(1, {"db"}, "", 2));
  ASSERT_THAT(grants, SizeIs(4)) << "they are woken by the start of the container with the tag";
  for (const Grant& grant : grants)
    EXPECT_EQ(grant.node, grants.front().node);
}

TEST(PlacementConstraints, AffinityToARackTakesItsNodes) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  const auto first = place(cluster, app, tagged(1, {"db"}, "", 1, "8GB 1c"));
  ASSERT_EQ(hosts_of(first), std::vector<std::string>{"n1"});
  EXPECT_THAT(hosts_of(place(cluster, app, tagged(2, {"web"}, "in,rack,db", 2))),
              ElementsAre("n2", "n2"));
}

TEST(PlacementConstraints, OneInEachRackAndARackThatBecomesFreeIsSeen) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  const auto grants = place(cluster, app, tagged(3, {"zk"}, "notin,rack,zk"));
  ASSERT_THAT(grants, SizeIs(2));
  // The node of the one in /a fills up with others: its rack has another node.
  const auto in_a =
      std::ranges::find_if(grants, [](const Grant& grant) { return grant.node.host != "n3"; });
  ASSERT_NE(in_a, grants.end());
  const AppId other = cluster.running_app("default");
  cluster.ask(other, 1, "7GB 7c", {.at = in_a->node.host, .relax = false});
  cluster.ask(other, 1, "7GB 7c", {.relax = false});
  ASSERT_THAT(run(cluster), SizeIs(1));
  cluster.release(*in_a);
  EXPECT_THAT(run(cluster), SizeIs(1));
}

TEST(PlacementConstraints, CardinalityBoundsHowManyStandTogether) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  const auto grants = place(cluster, app, tagged(20, {"zk"}, "cardinality,node,zk,0,1"));
  EXPECT_THAT(grants, SizeIs(6)) << "at most one is there when another comes";
}

TEST(PlacementConstraints, TagsAreThoseOfTheApplicationsThatAreNamed) {
  auto cluster = ClusterBuilder{}.nodes(2, "8GB 8c").build();
  const AppId db = cluster.running_app("default");
  cluster.scheduler.set_app_tags(db, {"prod"});
  const AppId app = cluster.running_app("default");
  ASSERT_EQ(hosts_of(place(cluster, db, tagged(1, {"db"}, ""))), std::vector<std::string>{"n1"});
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"in,node,db", ""},
      {"in,node,not-self/db", "n1"},
      {"in,node,all/db", "n1"},
      {"in,node,app-tag/prod/db", "n1"},
      {"in,node,app-tag/test/db", ""},
      {"in,node,app-id/" + to_string(db) + "/db", "n1"},
      {"notin,node,not-self/db", "n2"},
      {"notin,node,app-tag/prod/db", "n2"},
  };
  for (const auto& [text, host] : cases) {
    auto ask = tagged(1, {"x"}, text, 7);
    ASSERT_TRUE(send(cluster, app, ask));
    const auto grants = run(cluster);
    EXPECT_EQ(grants.empty() ? "" : grants.front().node.host, host) << text;
    for (const Grant& grant : grants)
      cluster.release(grant);
    ask.num_allocations = 0;
    ASSERT_TRUE(send(cluster, app, ask, Repeat::kReplaces));
  }
  EXPECT_THAT(place(cluster, db, tagged(1, {"x"}, "in,node,not-self/db", 8)), IsEmpty());
}

TEST(PlacementConstraints, AttributesAreComparedAndTheirChangeIsSeen) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  cluster.scheduler.set_node_attributes({"n2", 1}, {{"rm.yarn.io/gpu", "a100"}});
  EXPECT_THAT(hosts_of(place(cluster, app, tagged(2, {"x"}, "gpu=a100,h200", 1))),
              ElementsAre("n2", "n2"));
  EXPECT_THAT(place(cluster, app, tagged(1, {"x"}, "gpu=h200", 2)), IsEmpty());
  cluster.scheduler.set_node_attributes({"n3", 1}, {{"rm.yarn.io/gpu", "h200"}});
  EXPECT_THAT(hosts_of(run(cluster)), ElementsAre("n3"));
  for (const Grant& grant : place(cluster, app, tagged(6, {"y"}, "gpu!=a100", 3)))
    EXPECT_NE(grant.node.host, "n2") << "a node without the attribute differs, too";
}

TEST(PlacementConstraints, AndOrNestAndANodeThatComesIsSeen) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  const std::string text = "and(notin,node,zk:or(gpu=a100:gpu=h200))";
  EXPECT_THAT(place(cluster, app, tagged(2, {"zk"}, text)), IsEmpty());
  cluster.scheduler.add_node({"n4", 1}, "/b", sizes("8GB 8c"));
  EXPECT_THAT(run(cluster), IsEmpty());
  cluster.scheduler.set_node_attributes({"n4", 1}, {{"rm.yarn.io/gpu", "h200"}});
  EXPECT_THAT(hosts_of(run(cluster)), ElementsAre("n4"));
}

TEST(PlacementConstraints, ALaterPartOfDelayedOrIsGoodEnoughWithTime) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  cluster.scheduler.set_time(10'000);
  EXPECT_THAT(place(cluster, app,
                    tagged(1, {"x"}, "delayed-or(gpu=a100@5s:gpu=h200@3000ms:notin,node,x@0)")),
              IsEmpty());
  EXPECT_EQ(cluster.scheduler.next_part_due_ms(), 15'000);
  cluster.scheduler.set_time(15'000);
  EXPECT_THAT(run(cluster), IsEmpty());
  EXPECT_EQ(cluster.scheduler.next_part_due_ms(), 18'000);
  cluster.scheduler.set_time(17'999);
  EXPECT_FALSE(cluster.scheduler.has_work());
  cluster.scheduler.set_time(18'000);
  EXPECT_THAT(run(cluster), SizeIs(1));
  EXPECT_EQ(cluster.scheduler.next_part_due_ms(), std::nullopt);
}

TEST(PlacementConstraints, AnOpportunityIsANodeASecond) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  EXPECT_THAT(place(cluster, app, tagged(1, {"x"}, "delayed-or(gpu=a100@7:notin,node,x@0)")),
              IsEmpty());
  EXPECT_EQ(cluster.scheduler.next_part_due_ms(), 3'000) << "seven, at three nodes";
  cluster.scheduler.set_time(3'000);
  EXPECT_THAT(run(cluster), SizeIs(1));
}

TEST(PlacementConstraints, ThatOfTheApplicationHoldsForItsTagAsWell) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  cluster.scheduler.set_app_constraints(app, {{"zk", constraint("notin,node,zk")}});
  cluster.scheduler.set_node_attributes({"n1", 1}, {{"rm.yarn.io/gpu", "a100"}});
  cluster.scheduler.set_node_attributes({"n3", 1}, {{"rm.yarn.io/gpu", "a100"}});
  EXPECT_THAT(hosts_of(place(cluster, app, tagged(5, {"zk"}, "gpu=a100"))),
              UnorderedElementsAre("n1", "n3"));
  EXPECT_THAT(place(cluster, app, tagged(3, {"a", "zk"}, "", 2)), SizeIs(3))
      << "as in Hadoop, several tags together find no constraint of the application";
}

TEST(PlacementConstraints, APartitionThatIsNamedIsWhereItGoes) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.default capacity=100 accessible-node-labels=red "
                         "accessible-node-labels.red.capacity=100")
                     .setting("root.accessible-node-labels.red.capacity", "100")
                     .nodes(2, "8GB 8c")
                     .build();
  const PartitionSpec red{"red", true};
  cluster.scheduler.set_partitions({&red, 1});
  cluster.scheduler.set_node_label({"n2", 1}, "red");
  const AppId app = cluster.running_app("default");
  EXPECT_THAT(
      hosts_of(place(cluster, app, tagged(3, {"x"}, "and(yarn_node_partition/=red:notin,node,x)"))),
      ElementsAre("n2"));
  const auto unknown = send(cluster, app, tagged(1, {"x"}, "yarn_node_partition/=blue", 2));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("blue"));
}

TEST(PlacementConstraints, PlainAsksOfTheSameIdsAreOthers) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  ASSERT_TRUE(send(cluster, app, tagged(2, {"zk"}, "notin,node,zk", 5)));
  cluster.ask(app, 1, "2GB 1c", {.request_id = 5});
  const auto grants = run(cluster);
  ASSERT_THAT(grants, SizeIs(3));
  EXPECT_EQ(std::ranges::count_if(grants, [](const Grant& one) { return one.tags == nullptr; }), 1);
  Ask low;
  low.capability = sizes("1GB 1c");
  low.num_containers = 1;
  low.allocation_request_id = std::numeric_limits<std::int64_t>::min() + 1;
  EXPECT_FALSE(cluster.scheduler.update_asks(first_attempt(app), {&low, 1}));
}

// --- repeats, limits, giving up

TEST(TaggedAsks, TheyAddUpOrReplaceEachOther) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  const auto ask = tagged(2, {"x"}, "in,node,db");
  ASSERT_TRUE(send(cluster, app, ask));
  ASSERT_TRUE(send(cluster, app, ask));
  EXPECT_EQ(cluster.scheduler.app(app)->pending_containers, 4);
  ASSERT_TRUE(send(cluster, app, ask, Repeat::kReplaces));
  EXPECT_EQ(cluster.scheduler.app(app)->pending_containers, 2);
  const auto other = send(cluster, app, tagged(2, {"y"}, "in,node,db"), Repeat::kReplaces);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("only allows changing numAllocations"));
  ASSERT_TRUE(send(cluster, app, tagged(0, {"x"}, "in,node,db"), Repeat::kReplaces));
  EXPECT_EQ(cluster.scheduler.app(app)->pending_containers, 0);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(TaggedAsks, HostileOnesAreRefusedAndNothingChanges) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  auto negative = tagged(-1, {"x"}, "");
  EXPECT_THAT(send(cluster, app, negative).error().message, HasSubstr("must be >= 0"));
  auto opportunistic = tagged(1, {"x"}, "");
  opportunistic.guaranteed = false;
  EXPECT_EQ(send(cluster, app, opportunistic).error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(send(cluster, app, tagged(1, std::vector<std::string>(65, "t"), "")).error().message,
              HasSubstr("64 are the most"));
  const std::vector<TaggedAsk> many(10'001, tagged(1, {"x"}, ""));
  EXPECT_THAT(
      cluster.scheduler.update_tagged_asks(first_attempt(app), many, Repeat::kAdds).error().message,
      HasSubstr("10000 are the most"));
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(send(cluster, app, tagged(1, {"t" + std::to_string(i)}, "in,node,db")));
  EXPECT_THAT(send(cluster, app, tagged(1, {"last"}, "in,node,db")).error().message,
              HasSubstr("give each its own id"));
  EXPECT_EQ(cluster.scheduler.app(app)->pending_containers, 100);
  auto huge = tagged(std::numeric_limits<std::int32_t>::max(), {"x"}, "in,node,db", 2);
  ASSERT_TRUE(send(cluster, app, huge));
  ASSERT_TRUE(send(cluster, app, huge));
  EXPECT_EQ(cluster.scheduler.app(app)->pending_containers, 10'000'100);
}

TEST(TaggedAsks, WhatFindsNoPlaceInTimeIsGivenUpWithTheReason) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  ASSERT_THAT(place(cluster, app, tagged(5, {"zk"}, "notin,node,zk")), SizeIs(3));
  const AttemptId attempt = first_attempt(app);
  EXPECT_THAT(cluster.scheduler.give_up_tagged(attempt, 3), IsEmpty());
  EXPECT_THAT(cluster.scheduler.give_up_tagged(attempt, 3), IsEmpty());
  const auto over = cluster.scheduler.give_up_tagged(attempt, 3);
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_EQ(over.front().left, 2);
  EXPECT_EQ(*over.front().asked, "as asked");
  EXPECT_FALSE(over.front().was_placeable);
  EXPECT_EQ(cluster.scheduler.app(app)->pending_containers, 0);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(TaggedAsks, AQueueAtItsLimitIsAnotherReason) {
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=10 maximum-capacity=10\nroot.b capacity=90")
                     .nodes(3, "8GB 8c")
                     .build();
  const AppId app = cluster.running_app("a");
  ASSERT_THAT(place(cluster, app, tagged(3, {"x"}, "notin,node,y")), SizeIs(2));
  const auto over = cluster.scheduler.give_up_tagged(first_attempt(app), 1);
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_TRUE(over.front().was_placeable);
}

TEST(TaggedAsks, WhoWaitsForALaterPartIsNotGivenUp) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  place(cluster, app, tagged(1, {"x"}, "delayed-or(gpu=a100@5s:gpu=h200@0)"));
  EXPECT_THAT(cluster.scheduler.give_up_tagged(first_attempt(app), 1), IsEmpty());
  cluster.scheduler.set_time(5'000);
  EXPECT_THAT(cluster.scheduler.give_up_tagged(first_attempt(app), 1), SizeIs(1));
}

TEST(TaggedAsks, TheEndOfTheAttemptForgetsThem) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  const auto grants = place(cluster, app, tagged(4, {"zk"}, "notin,node,zk"));
  cluster.scheduler.end_attempt(first_attempt(app));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  cluster.scheduler.remove_app(app);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "") << "its containers still count";
  for (const Grant& grant : grants)
    cluster.release(grant);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(PlacementConstraints, ExplainNamesTheConstraintAndTheNodesItRefuses) {
  auto cluster = three_nodes();
  const AppId app = cluster.running_app("default");
  place(cluster, app, tagged(4, {"zk"}, "notin,node,zk", 9));
  const Explanation out = *cluster.scheduler.explain(app, ExplainOptions{});
  EXPECT_EQ(code_of(out.wait.verdict), "placement-constraint");
  EXPECT_THAT(out.wait.sentence, HasSubstr("notin,node,zk"));
  ASSERT_THAT(out.asks, SizeIs(1));
  EXPECT_EQ(out.asks[0].request_id, 9);
  ASSERT_THAT(out.asks[0].nodes, SizeIs(1));
  EXPECT_EQ(code_of(out.asks[0].nodes[0].verdict), "placement-constraint");
  EXPECT_EQ(out.asks[0].nodes[0].count, 3);
  EXPECT_THAT(cluster.scheduler.explain(app), HasSubstr("notin,node,zk"));
}

}  // namespace
}  // namespace heddle::queues
