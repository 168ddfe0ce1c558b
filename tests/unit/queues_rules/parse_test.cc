#include "queues/rules/parse.h"

#include "base/text.h"
#include "tests/unit/queues_rules/rules_fixture.h"

namespace heddle::queues::rules {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string one(const std::string& fields) {
  return refusal(json("{" + fields + "}"));
}

const std::string kUserAll = R"("type": "user", "matches": "*")";

TEST(LegacyRules, AllFaultsAreToldAtOnceWithTheNumberOfTheRule) {
  const std::string said =
      refusal({{kCapacity + "queue-mappings", "u:ann,u:ann:alpha,x:ann:alpha,g:staff:root.nosuch"},
               {"yarn.scheduler.queue-placement-rules.app-name", "pi,etl:beta"},
               {"yarn.scheduler.queue-placement-rules", "user-groups"},
               {kCapacity + "workflow-priority-mappings", "w"},
               {kCapacity + "queue-mappings-override.enable", "maybe"}});
  EXPECT_THAT(
      said,
      AllOf(HasSubstr("queue-mappings: rule 1: Illegal queue mapping \"u:ann\": it has 2 parts"),
            HasSubstr("queue-mappings: rule 3: unknown mapping prefix \"x\" in \"x:ann:alpha\""),
            HasSubstr("queue-mappings: rule 4: queue path \"root.nosuch\": queue \"root.nosuch\" "
                      "does not exist"),
            HasSubstr("app-name: rule 5: Illegal queue mapping \"pi\": it has 1 parts"),
            HasSubstr("app-name: rule 6: queue path \"beta\": \"beta\" is the name of no queue"),
            HasSubstr("queue-placement-rules: \"user-groups\" is not known; user-group and "
                      "app-name are there; did you mean user-group?"),
            HasSubstr("Illegal workflow priority mapping \"w\""),
            HasSubstr("queue-mappings-override.enable = 'maybe'")));
  EXPECT_THAT(said, Not(HasSubstr("rule 2")));
}

TEST(LegacyRules, NameWhatAMisspeltWordMeans) {
  const std::pair<std::string, std::string> cases[] = {
      {"U:ann:alpha", "did you mean u?"},
      {"u:ann:root.alhpa", "did you mean root.alpha?"},
      {"u:ann:alhpa", "did you mean alpha?"},
      {"u:ann:root.user.%user", "did you mean root.users?"},
      {"u:%user:root.users.%usr", "\"%usr\" is no variable; did you mean %user?"},
      {"u:%user:root.users.u_%user", "a variable has to be a whole part of the path"}};
  for (const auto& [mapping, meant] : cases)
    EXPECT_THAT(refusal(legacy(mapping)), HasSubstr(meant)) << mapping;
}

TEST(LegacyRules, TargetsThatCanNeverBeUsedAreRefused) {
  const std::pair<std::string, std::string> cases[] = {
      {"u:ann:root", "queue \"root\" is not a leaf"},
      {"u:ann:root.users", "queue \"root.users\" is not a leaf"},
      {"u:ann:root.managed", "queue \"root.managed\" is not a leaf"},
      {"u:ann:root.flex", "queue \"root.flex\" is not a leaf"},
      {"u:ann:twin", "is the name of several queues: give the full path"},
      {"u:ann:twin.%user", "is the name of several queues: give the full path"},
      {"u:ann:root..alpha", "the path has an empty part"},
      {"u:ann:.alpha", "the path has an empty part"},
      {"u:ann:nosuch.%user", "\"nosuch\" is the name of no queue"},
      {"u:ann:root.alpha.%user", "queue \"root.alpha\" is a leaf and has no queues below it"},
      {"u:ann:root.alpha.x", "queue \"root.alpha\" is a leaf and has no queues below it"},
      {"u:ann:root.users.x.%user", "queue \"root.users.x\" does not exist"},
      {"u:ann:root.flex.x.y.z", "queue \"root.flex.x.y.z\" does not exist"}};
  for (const auto& [mapping, why] : cases)
    EXPECT_THAT(refusal(legacy(mapping)), HasSubstr(why)) << mapping;
}

TEST(LegacyRules, TargetsThatMayComeToBeAreTaken) {
  for (const char* mapping :
       {"u:ann:alpha", "u:ann:root.alpha", "u:ann:users.ann", "u:%user:root.users.%user",
        "u:%user:%user", "u:%user:%primary_group.%user", "u:%user:root.flex.%user",
        "u:ann:root.flex.new", "u:ann:root.flex.new.leaf", "u:ann:root.flex.new.%user",
        "u:ann:root.managed.new", "u:ann:root.x.twin", "u:ann:%specified", "u:ann:root.alpha."}) {
    EXPECT_EQ(refusal(legacy(mapping)), "") << mapping;
  }
}

TEST(LegacyRules, BlanksLineEndsEmptyPiecesAndRepetitionsDoNoHarm) {
  const Placement placement =
      taken(legacy("  u : ann : alpha ,, g:staff:root.default\nu::bob:alpha,u:bob:alpha,\n"));
  ASSERT_EQ(placement.rules.rules.size(), 4u);
  EXPECT_EQ(placement.rules.rules[0].matches, "ann");
  EXPECT_EQ(placement.rules.rules[0].target, "alpha");
  EXPECT_EQ(placement.rules.rules[1].match, Match::kGroup);
  EXPECT_EQ(placement.rules.rules[3].number, 4u);
  EXPECT_EQ(taken(legacy("u:ann:alpha,u:ann:alpha")).rules.rules.size(), 1u);
}

TEST(LegacyRules, NothingSetIsNoRuleAndNoGroupsAreNeeded) {
  const Placement placement = taken({});
  EXPECT_THAT(placement.rules.rules, IsEmpty());
  EXPECT_FALSE(placement.rules.needs_groups);
  EXPECT_FALSE(placement.rules.decide("default"));
  EXPECT_FALSE(taken(legacy("u:ann:alpha")).rules.needs_groups);
  for (const char* mapping : {"g:a:alpha", "u:%user:%primary_group", "u:%secondary_group:alpha"}) {
    EXPECT_TRUE(taken(legacy(mapping)).rules.needs_groups) << mapping;
  }
}

TEST(LegacyRules, EnginesAreOneAndTheSame) {
  const std::string name = "yarn.scheduler.queue-placement-rules";
  for (const char* engines : {"user-group", "app-name", "user-group, app-name", "",
                              "org.apache.hadoop.yarn.server.resourcemanager.placement."
                              "CSMappingPlacementRule"}) {
    EXPECT_EQ(placed({{name, engines}, {name + ".app-name", "pi:alpha"}}, by("ann")), "root.alpha")
        << engines;
  }
  EXPECT_THAT(refusal({{name, "app-name,app-name"}}), HasSubstr("is listed twice"));
  EXPECT_THAT(refusal({{name, "com.site.OurRule"}}), HasSubstr("classes of Java cannot be loaded"));
}

TEST(JsonRules, WordsAndFieldsThatAreWrongAreToldWithWhatWasMeant) {
  const std::string to = R"(, "policy": "custom", "customPlacement": "alpha")";
  const std::pair<std::string, std::string> cases[] = {
      {R"("matches": "*", "policy": "reject")", "type: is missing; one of user, group"},
      {R"("type": "User", "matches": "*", "policy": "reject")",
       "type: \"User\" is none of user, group, application; did you mean user?"},
      {R"("type": "user", "policy": "reject")", "matches: is missing"},
      {R"("type": "user", "matches": "", "policy": "reject")", "matches: is empty"},
      {R"("type": "user", "matches": ["a"], "policy": "reject")", "matches: [\"a\"] is not a text"},
      {R"("type": "group", "matches": "*", "policy": "reject")", "\"*\" cannot match groups"},
      {kUserAll, "policy: is missing; one of specified, reject"},
      {kUserAll + R"(, "policy": "primarygroup")", "did you mean primaryGroup?"},
      {kUserAll + R"(, "policy": 5)", "policy: \"5\" is none of"},
      {kUserAll + R"(, "policy": "custom")", "customPlacement: is missing"},
      {kUserAll + R"(, "policy": "custom", "customPlacement": "")", "customPlacement: is empty"},
      {kUserAll + R"(, "policy": "setDefaultQueue")", "value: is missing"},
      {kUserAll + to + R"(, "fallbackResult": "placedefault")", "did you mean placeDefault?"},
      {kUserAll + to + R"(, "fallbackresult": "reject")",
       "\"fallbackresult\": is no field of a rule; did you mean fallbackResult?"},
      {kUserAll + to + R"(, "create": "no")", "create: \"no\" is neither true nor false"},
      {kUserAll + to + R"(, "create": 1.5)", "create: 1.5 is neither true nor false"},
      {kUserAll + R"(, "policy": "user", "parentQueue": "root.user")", "did you mean root.users?"},
      {kUserAll + R"(, "policy": "user", "parentQueue": "")", "the path has an empty part"},
      {kUserAll + R"(, "policy": "user", "parentQueue": {})", "parentQueue: {} is not a text"}};
  for (const auto& [fields, what] : cases) {
    EXPECT_THAT(one(fields), AllOf(HasSubstr("mapping-rule-json: rule 1: "), HasSubstr(what)))
        << fields;
  }
}

TEST(JsonRules, AllFaultsAreToldAtOnce) {
  const std::string said = refusal(json("{" + kUserAll + R"(, "policy": "x"}, 5, {)" + kUserAll +
                                        R"(, "policy": "reject"}, {"type": "y"})"));
  EXPECT_THAT(said,
              AllOf(HasSubstr("rule 1: policy: \"x\""), HasSubstr("rule 2: 5 is not an object"),
                    HasSubstr("rule 4: type: \"y\""), HasSubstr("rule 4: matches: is missing"),
                    HasSubstr("rule 4: policy: is missing"), Not(HasSubstr("rule 3"))));
}

TEST(JsonRules, WhatHadoopReadsOverIsReadOverWithAWarning) {
  const auto warnings = [](const std::string& fields) {
    return taken(json("{" + fields + "}")).warnings;
  };
  const std::string reject = kUserAll + R"(, "policy": "reject")";
  EXPECT_THAT(warnings(reject), IsEmpty());
  EXPECT_THAT(warnings(reject + R"(, "comment": "x")"),
              ElementsAre(HasSubstr("\"comment\" is no field of a rule and has no effect")));
  EXPECT_THAT(warnings(reject + R"(, "parentQueue": "root")"),
              ElementsAre(HasSubstr("parentQueue has no effect with the policy reject")));
  EXPECT_THAT(warnings(reject + R"(, "parentQueue": null)"), IsEmpty());
  EXPECT_THAT(warnings(R"("type": "application", "matches": "*", "policy": "reject")"),
              ElementsAre(HasSubstr("is an application of that name")));
  EXPECT_THAT(warnings(kUserAll + R"(, "policy": "setDefaultQueue", "value": "root.nosuch")"),
              ElementsAre(HasSubstr("the default queue \"root.nosuch\"")));
  EXPECT_THAT(warnings(kUserAll + R"(, "policy": "custom", "customPlacement": "%user.%usr")"),
              ElementsAre(HasSubstr("\"%usr\" is no variable")));
  EXPECT_THAT(warnings(kUserAll + R"(, "policy": "custom", "customPlacement": "%user..x")"),
              ElementsAre(HasSubstr("leads nowhere")));
  EXPECT_EQ(placed(json("{" + kUserAll +
                        R"(, "policy": "custom", "customPlacement": "alpha",)"
                        R"( "create": "FALSE"})"),
                   by("ann")),
            "root.alpha");
}

TEST(JsonRules, TextsThatAreNoListOfRulesAreRefused) {
  const auto refused = [](const std::string& text) {
    return refusal(
        {{kCapacity + "mapping-rule-format", "json"}, {kCapacity + "mapping-rule-json", text}});
  };
  EXPECT_THAT(refused("{\"rules\": ["), HasSubstr("is not JSON: "));
  EXPECT_THAT(refused("{\"rules\": []} x"), HasSubstr("is not JSON: "));
  EXPECT_THAT(refused("[]"), HasSubstr("is not an object; {\"rules\": [...]} is needed"));
  EXPECT_THAT(refused("{\"rules\": {}}"), HasSubstr("rules: {} is not a list"));
  EXPECT_THAT(refused("{\"rule\": []}"), HasSubstr("\"rule\" is unknown; did you mean rules?"));
  EXPECT_THAT(refused("\"\xff\""), HasSubstr("is not JSON: "));
  EXPECT_EQ(refused("{}"), "");
  EXPECT_EQ(refused("{\"rules\": [], \"about\": 1}"), "");
}

TEST(JsonRules, AHostileTextIsRefusedByItsLimit) {
  const auto refused = [](const std::string& text) {
    return refusal(
        {{kCapacity + "mapping-rule-format", "json"}, {kCapacity + "mapping-rule-json", text}});
  };
  EXPECT_THAT(refused(std::string(100'000, '[')),
              HasSubstr("is nested 100000 deep; 16 is the most"));
  EXPECT_THAT(refused("{\"rules\": [" + std::string(kRuleTextMax, ' ') + "]}"),
              HasSubstr("bytes; 1048576 are the most"));
  std::string many = "{\"rules\": [0";
  for (std::size_t i = 0; i < kRulesMax; ++i)
    many += ",0";
  EXPECT_THAT(refused(many + "]}"), HasSubstr("10001 rules; 10000 are the most"));
  EXPECT_EQ(refused(R"({"rules": [], "[[[[[[[[[[[[[[[[[[[[\"[[[[": 1})"), "");
}

TEST(RuleTexts, OfAHundredFaultsAndMoreTheRestIsCounted) {
  std::string many;
  for (int i = 0; i < 250; ++i)
    many += "u:" + std::to_string(i) + ",";
  const std::string said = refusal(legacy(many));
  EXPECT_EQ(std::ranges::count(said, '\n'), 99);
  EXPECT_LT(said.size(), 20'000u);
  std::string rules;
  for (std::size_t i = 0; i <= kRulesMax; ++i)
    rules += "u:" + std::to_string(i) + ":alpha,";
  EXPECT_THAT(refusal(legacy(rules)), HasSubstr("10000 rules are the most"));
}

TEST(RuleTexts, OfTheOtherFormatAreReportedAsUnused) {
  auto values = legacy("u:ann:root.nosuch");
  values.emplace_back(kCapacity + "mapping-rule-format", "json");
  EXPECT_THAT(taken(values).warnings,
              testing::UnorderedElementsAre(HasSubstr("queue-mappings has no effect"),
                                            HasSubstr("there are no placement rules")));
  EXPECT_THAT(taken({{kCapacity + "mapping-rule-json", "{"}}).warnings,
              ElementsAre(HasSubstr("mapping-rule-json has no effect")));
  EXPECT_THAT(refusal({{kCapacity + "mapping-rule-format", "jsn"}}),
              HasSubstr("\"jsn\" is neither legacy nor json; did you mean json?"));
}

TEST(RuleTexts, OfAFileAreTakenWhereNoneAreInTheSettings) {
  const Named file = {{kCapacity + "mapping-rule-format", "json"},
                      {kCapacity + "mapping-rule-json-file", " /etc/rules.json "}};
  const Settings settings = with(rule_queues(), file);
  EXPECT_EQ(rule_file_of(settings), "/etc/rules.json");
  const auto placement = parse_placement(
      settings, R"({"rules": [{"type": "user", "matches": "ann", "policy": "reject"}]})");
  ASSERT_TRUE(placement) << placement.error().message;
  EXPECT_EQ(placement->rules.rules.size(), 1u);
  const auto broken = parse_placement(settings, "{");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, HasSubstr("mapping-rule-json-file: is not JSON"));
  EXPECT_EQ(rule_file_of(with(settings, {{kCapacity + "mapping-rule-json", "{}"}})), "");
  EXPECT_EQ(rule_file_of(with(settings, {{kCapacity + "mapping-rule-format", "legacy"}})), "");
}

TEST(RuleQueues, AreThoseThatTheSettingsList) {
  const QueueTree tree = QueueTree::from(rule_queues());
  EXPECT_EQ(tree.find("ann"), std::nullopt);
  EXPECT_TRUE(tree.is_ambiguous("ann"));
  EXPECT_TRUE(tree.is_ambiguous("twin"));
  EXPECT_EQ(tree.find("bob")->path, "root.users.bob");
  EXPECT_EQ(tree.find("users")->kind, QueueKind::kParent);
  EXPECT_EQ(tree.find("users.bob"), std::nullopt) << "half a path is none";
  EXPECT_EQ(tree.find("managed")->kind, QueueKind::kManagedParent);
  EXPECT_EQ(tree.find("root.flex")->creatable_levels, 2);
  EXPECT_EQ(tree.find("root.shallow")->creatable_levels, 1);
  EXPECT_EQ(tree.find("root")->kind, QueueKind::kParent);
  EXPECT_FALSE(tree.is_ambiguous("root"));
}

TEST(RuleQueues, WithoutSettingsAreTheDefaultOne) {
  const QueueTree tree = QueueTree::from(Settings{});
  EXPECT_EQ(tree.find("default")->path, "root.default");
  EXPECT_EQ(tree.size(), 2u);
}

}  // namespace
}  // namespace heddle::queues::rules
