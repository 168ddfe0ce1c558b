#include "tests/unit/queues_rules/rules_fixture.h"

namespace heddle::queues::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string rule(const std::string& type, const std::string& matches, const std::string& policy,
                 const std::string& more = "") {
  return R"({"type": ")" + type + R"(", "matches": ")" + matches + R"(", "policy": ")" + policy +
         "\"" + (more.empty() ? "" : ", " + more) + "}";
}
std::string everybody(const std::string& policy, const std::string& more = "") {
  return rule("user", "*", policy, more);
}
const std::string kReject = R"("fallbackResult": "reject")";
const std::string kDefault = R"("fallbackResult": "placeDefault")";

TEST(PlacementPolicy, EachExpandsToItsPath) {
  const Request ann = by("ann", {"staff", "lab"}, "bob");
  const std::string users = R"("parentQueue": "root.users")";
  const std::string groups = R"("parentQueue": "root.groups")";
  const std::pair<std::string, std::string> cases[] = {
      {everybody("user", users), "root.users.ann"},
      {everybody("user"), "as asked"},  // "ann" is the name of two queues
      {everybody("primaryGroup", groups), "root.groups.staff"},
      {everybody("primaryGroup"), "root.groups.staff"},
      {everybody("secondaryGroup", groups), "as asked"},  // root.groups.lab is no leaf
      {everybody("secondaryGroupUser", groups), "root.groups.lab.ann"},
      {everybody("secondaryGroupUser"), "root.groups.lab.ann"},
      {everybody("primaryGroupUser", groups), "as asked"},  // root.groups.staff is a leaf
      {everybody("applicationName", users), "root.users.bob"},
      {everybody("applicationName"), "root.users.bob"},
      {everybody("custom", R"("customPlacement": "root.groups.%secondary_group.%user")"),
       "root.groups.lab.ann"},
      {everybody("custom", R"("customPlacement": "users.%application")"), "root.users.bob"},
      {everybody("defaultQueue"), "root.default"},
      {everybody("reject"), "rejected"},
      {everybody("specified"), "as asked"},  // none was named
      {everybody("setDefaultQueue", R"("value": "root.alpha")"), "as asked"}};
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(placed(json(text), ann), expected) << text;
}

TEST(PlacementPolicy, SpecifiedIsTheQueueThatWasNamed) {
  auto values = json(everybody("specified", kReject));
  values.emplace_back(kCapacity + "queue-mappings-override.enable", "true");
  EXPECT_EQ(placed(values, by("ann", {}, "pi", "alpha")), "root.alpha");
  EXPECT_EQ(placed(values, by("ann", {}, "pi", "root.default")), "root.default");
  EXPECT_EQ(placed(values, by("ann", {}, "pi", "default")), "rejected");
  EXPECT_EQ(placed(values, by("ann", {}, "pi", "nosuch")), "rejected");
}

TEST(PlacementMatch, ComparesUsersGroupsAndNamesAsAWhole) {
  const std::string to = R"("customPlacement": "alpha")";
  const auto matches = [&](const std::string& type, const std::string& what,
                           const Request& request) {
    return placed(json(rule(type, what, "custom", to)), request) == "root.alpha";
  };
  const Request ann = by("ann", {"staff", "lab"}, "etl");
  EXPECT_TRUE(matches("user", "ann", ann));
  EXPECT_TRUE(matches("user", "*", ann));
  EXPECT_FALSE(matches("user", "an", ann));
  EXPECT_FALSE(matches("user", "Ann", ann));
  EXPECT_TRUE(matches("group", "staff", ann));
  EXPECT_TRUE(matches("group", "lab", ann)) << "secondary groups count, too";
  EXPECT_FALSE(matches("group", "ops", ann));
  EXPECT_TRUE(matches("application", "etl", ann));
  EXPECT_FALSE(matches("application", "*", ann)) << "that is a name";
  EXPECT_FALSE(matches("application", "et", ann));
}

TEST(PlacementMatch, TakesVariablesAnywhereInTheText) {
  const std::string to = R"("customPlacement": "alpha")";
  const auto matches = [&](const std::string& type, const std::string& what,
                           const Request& request) {
    return placed(json(rule(type, what, "custom", to)), request) == "root.alpha";
  };
  EXPECT_TRUE(matches("application", "%user_etl", by("ann", {}, "ann_etl")));
  EXPECT_TRUE(matches("user", "%primary_group", by("staff", {"staff"})));
  EXPECT_TRUE(matches("group", "g_%application", by("ann", {"g_pi"})));
  EXPECT_FALSE(matches("user", "%primary_group", by("staff")));
  EXPECT_FALSE(matches("user", "%secondary_group", by("lab", {"staff", "lab"})))
      << "several could be meant";
}

TEST(PlacementVariables, DotsInNamesDoNotMakeLevels) {
  EXPECT_EQ(placed(legacy("u:%user:root.flex.%user"), by("ann.b.c"), true),
            "root.flex.ann_dot_b_dot_c (made)");
  EXPECT_EQ(placed(legacy("u:%user:root.flex.%primary_group"), by("ann", {"a.b"}), true),
            "root.flex.a_dot_b (made)");
  EXPECT_EQ(placed(legacy("u:ann.b:alpha"), by("ann.b")), "root.alpha");
  EXPECT_EQ(placed(legacy("g:a.b:alpha"), by("ann", {"a.b"})), "root.alpha");
}

TEST(PlacementVariables, TheFirstSecondaryGroupWithAQueueIsTaken) {
  EXPECT_EQ(placed(legacy("u:%user:root.groups.%secondary_group"), by("ann", {"x", "y", "staff"})),
            "root.groups.staff");
  EXPECT_EQ(placed(legacy("u:%user:%secondary_group"), by("ann", {"x", "twin", "alpha"})),
            "root.alpha")
      << "a name of several queues is none";
  EXPECT_EQ(placed(legacy("u:%user:%secondary_group"), by("ann", {"alpha"})), "root.default")
      << "the primary group is not among them";
}

TEST(PlacementVariables, WithoutGroupsNoQueueIsMadeOfTheVariablesName) {
  EXPECT_EQ(placed(legacy("u:%user:root.flex.%primary_group"), by("ann"), true), "root.default");
}

TEST(PlacementFallback, DecidesWhatComesOfAQueueThatIsNotThere) {
  const std::string gone = R"("parentQueue": "root.users")";
  const std::string last = everybody("custom", R"("customPlacement": "alpha")");
  const Request eve = by("eve");
  EXPECT_EQ(placed(json(everybody("user", gone) + "," + last), eve), "root.alpha");
  EXPECT_EQ(
      placed(json(everybody("user", gone + R"(, "fallbackResult": "skip")") + "," + last), eve),
      "root.alpha");
  EXPECT_EQ(placed(json(everybody("user", gone + "," + kReject) + "," + last), eve), "rejected");
  EXPECT_EQ(placed(json(everybody("user", gone + "," + kDefault) + "," + last), eve),
            "root.default");
}

TEST(PlacementFallback, OfTheDefaultQueueRejectsWhereThatIsNotThere) {
  const std::string move_default = everybody("setDefaultQueue", R"("value": "root.nosuch")");
  const std::string gone = everybody("user", R"("parentQueue": "root.users",)" + kDefault);
  EXPECT_EQ(placed(json(move_default + "," + gone), by("eve")), "rejected");
  EXPECT_EQ(placed(json(move_default + "," + gone), by("ann")), "root.users.ann");
}

TEST(PlacementCreation, IsDoneWhereAParentAllowsItAndTheRuleDoesToo) {
  const auto custom = [](const std::string& path, const std::string& create) {
    return json(everybody(
        "custom", R"("customPlacement": ")" + path + R"(", "create": )" + create + "," + kReject));
  };
  const Request ann = by("ann", {}, "pi");
  const std::pair<std::string, std::string> cases[] = {
      {"root.flex.%user", "root.flex.ann (made)"},
      {"root.flex.%application.%user", "root.flex.pi.ann (made)"},
      {"flex.%user", "root.flex.ann (made)"},
      {"root.flex.a.b.%user", "not taken"},
      {"root.shallow.%user", "root.shallow.ann (made)"},
      {"root.shallow.%application.%user", "rejected"},
      {"root.managed.%user", "root.managed.ann (made)"},
      {"root.managed.%application.%user", "rejected"},
      {"root.users.%application", "rejected"},
      {"root.alpha", "root.alpha"}};
  for (const auto& [path, expected] : cases) {
    if (expected == "not taken") {
      EXPECT_THAT(refusal(custom(path, "true")), HasSubstr("does not exist")) << path;
      continue;
    }
    EXPECT_EQ(placed(custom(path, "true"), ann, true), expected) << path;
    const bool made = expected.ends_with("(made)");
    EXPECT_EQ(placed(custom(path, "false"), ann, true), made ? "rejected" : expected) << path;
    EXPECT_EQ(placed(custom(path, "true"), ann, false), made ? "rejected" : expected) << path;
  }
}

TEST(PlacementCreation, FindsWhatWasMadeSince) {
  const Placement placement = taken(legacy("u:%user:root.flex.%user"));
  QueueTree made;
  made.add({"root.flex.ann", QueueKind::kLeaf});
  made.add({"root.flex.deep", QueueKind::kParent, 1});
  made.add({"root.flex.deep.alpha", QueueKind::kLeaf});
  const LiveQueues queues(placement.queues, made);
  EXPECT_EQ(answer(place(placement.rules, by("ann"), queues)), "root.flex.ann");
  EXPECT_EQ(answer(place(placement.rules, by("bob"), queues)), "root.flex.bob (made)");
  EXPECT_EQ(queues.find("deep")->path, "root.flex.deep");
  EXPECT_TRUE(queues.is_ambiguous("alpha")) << "one is listed, one was made";
  EXPECT_FALSE(queues.find("alpha"));
}

TEST(PlacementCreation, NeverMakesAQueueOfANameThatCannotBeOne) {
  for (const char* name : {"a b", "a*b", "a/b", "%x", "a\"b"}) {
    EXPECT_EQ(placed(legacy("u:%user:root.flex.%application"), by("ann", {}, name), true),
              "root.default")
        << name;
  }
}

TEST(PlacementPath, TellsOfEveryRuleThatWasTried) {
  const auto path = path_of(legacy("u:bob:alpha,g:lab:root.flex.%user,u:%user:root.users.%user"),
                            by("ann", {"staff"}));
  EXPECT_THAT(path,
              ElementsAre(R"(1 u:bob:alpha | the user is "ann", not "bob" |  | )"
                          "the next rule is tried",
                          R"(2 g:lab:root.flex.%user | the user is not in group "lab" |  | )"
                          "the next rule is tried",
                          "3 u:%user:root.users.%user | it is for everybody | root.users.ann | "
                          "placed in root.users.ann"));
}

TEST(PlacementPath, SaysWhyAQueueCouldNotBeUsed) {
  const auto effect = [](const std::string& mappings, const Request& request) {
    const auto path = path_of(legacy(mappings), request);
    EXPECT_EQ(path.size(), 1u);
    return path.front();
  };
  EXPECT_THAT(effect("u:%user:root.users.%user", by("anna")),
              HasSubstr("queue \"root.users.anna\" does not exist, and no queue above it makes "
                        "queues by itself; did you mean root.users.ann?: placed in the default "
                        "queue root.default"));
  EXPECT_THAT(effect("u:%user:%user", by("twin")), HasSubstr("is the name of several queues"));
  EXPECT_THAT(effect("u:%user:%user", by("users")), HasSubstr("\"root.users\" is not a leaf"));
  EXPECT_THAT(effect("u:%user:root.flex.%user", by("ann")),
              HasSubstr("placed in root.flex.ann, which is made for it"));
  EXPECT_THAT(effect("u:%user:%primary_group", by("ann")),
              HasSubstr("no group of user \"ann\" is known"));
  EXPECT_THAT(effect("u:%user:root.groups.%secondary_group", by("ann", {"a", "b"})),
              HasSubstr("no secondary group of user \"ann\" has a queue below root.groups."));
}

TEST(PlacementPath, IsEmptyWhereTheRulesHaveNoSay) {
  EXPECT_THAT(path_of(legacy("u:ann:alpha"), by("ann", {}, "pi", "root.default")), IsEmpty());
  const Placement none = taken({});
  EXPECT_EQ(place(none.rules, by("ann"), none.queues).reason, "there are no rules");
}

TEST(PlacementPath, OfARejectionNamesTheRule) {
  const Placement placement = taken(json(rule("user", "eve", "reject")));
  const Decision decision = place(placement.rules, by("eve"), placement.queues);
  EXPECT_EQ(decision.rule, 1u);
  EXPECT_EQ(decision.reason, "rule 1 (user eve: reject): rejected");
}

TEST(WorkflowPriority, ComesFromTheNearestQueueAbove) {
  Placement placement = taken({{kCapacity + "workflow-priority-mappings",
                                "Nightly:root.users:5,nightly:root.users.bob:7,"
                                "other:root.alpha:-1"},
                               {kCapacity + "workflow-priority-mappings-override.enable", "true"}});
  const auto& priorities = placement.priorities;
  EXPECT_EQ(priorities.find({"workflowid:nightly"}, "root.users.ann"), 5);
  EXPECT_EQ(priorities.find({"x", "workflowid:nightly"}, "root.users.bob"), 7);
  EXPECT_EQ(priorities.find({"workflowid:other"}, "root.alpha"), -1);
  EXPECT_EQ(priorities.find({"workflowid:nightly"}, "root.alpha"), std::nullopt);
  EXPECT_EQ(priorities.find({"nightly"}, "root.users.ann"), std::nullopt);
  placement.priorities.enabled = false;
  EXPECT_EQ(priorities.find({"workflowid:nightly"}, "root.users.ann"), std::nullopt);
}

TEST(WorkflowPriority, HasFaultsThatAreAllTold) {
  EXPECT_THAT(
      refusal({{kCapacity + "workflow-priority-mappings",
                "a:root.alpha,b:root.alpha:x,c:root.alpha:99999999999,d:root.alpha:1"}}),
      testing::AllOf(HasSubstr("\"a:root.alpha\""), HasSubstr("\"b:root.alpha:x\""),
                     HasSubstr("\"c:root.alpha:99999999999\""), testing::Not(HasSubstr("\"d:"))));
  EXPECT_THAT(taken({{kCapacity + "workflow-priority-mappings", "a:alpha:1"}}).warnings,
              ElementsAre(HasSubstr("did you mean root.alpha?")));
}

TEST(TagUsers, AreTakenFromTrustedSubmittersOnly) {
  const std::string name = "yarn.resourcemanager.application-tag-based-placement.";
  Placement placement =
      taken({{name + "enable", "true"}, {name + "username.whitelist", "hive, impala"}});
  EXPECT_EQ(placement.tag_users.find("hive", {"a", "userid=ann"}), "ann");
  EXPECT_EQ(placement.tag_users.find("impala", {"userid=a=b", "userid=bob"}), "bob");
  EXPECT_EQ(placement.tag_users.find("hive", {"userid="}), std::nullopt);
  EXPECT_EQ(placement.tag_users.find("eve", {"userid=ann"}), std::nullopt);
  placement.tag_users.enabled = false;
  EXPECT_EQ(placement.tag_users.find("hive", {"userid=ann"}), std::nullopt);
}

}  // namespace
}  // namespace heddle::queues::rules
