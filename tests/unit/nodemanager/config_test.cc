#include "nodemanager/config.h"

#include <gmock/gmock.h>

namespace heddle::nm {
namespace {

using testing::HasSubstr;

Settings settings_with(const std::map<std::string, std::string>& values) {
  Settings settings;
  settings.set("yarn.nodemanager.local-dirs", {"/tmp/a", "test"});
  settings.set("yarn.nodemanager.log-dirs", {"/tmp/b", "test"});
  for (const auto& [name, value] : values)
    settings.set(name, {value, "node-resources.xml:3"});
  return settings;
}

ResourceTypes types() {
  ResourceTypes all;
  EXPECT_TRUE(all.add({"yarn.io/gpu", "", 0, 100}));
  EXPECT_TRUE(all.add({"scratch", "Gi", 0, 100'000}));
  return all;
}

TEST(AgentConfig, OffersTheResourceTypesThatItsSettingsName) {
  const auto config =
      read_agent_config(settings_with({{"yarn.nodemanager.resource-type.yarn.io/gpu", "4"},
                                       {"yarn.nodemanager.resource-type.scratch", "2Ti"},
                                       {"yarn.nodemanager.resource.memory-mb", "1000"}}),
                        "/x", types());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->total.amount[2], 4);
  EXPECT_EQ(config->total.amount[3], 2048);
  EXPECT_EQ(config->total.memory_mb(), 1000);
}

TEST(AgentConfig, PausesBetweenTriesOfAContainerAsLongAsHadoop) {
  EXPECT_EQ(read_agent_config(settings_with({}), "/x", types())->retry_interval_min.count(), 1000);
  const auto config = read_agent_config(
      settings_with({{"yarn.nodemanager.container-retry-minimum-interval-ms", "50"}}), "/x",
      types());
  EXPECT_EQ(config->retry_interval_min.count(), 50);
}

TEST(AgentConfig, LogsRollNoFasterThanTheShortestIntervalAllows) {
  const std::string name = "yarn.nodemanager.log-aggregation.roll-monitoring-interval-seconds";
  const auto roll_s = [&](const std::map<std::string, std::string>& values) {
    const auto config = read_agent_config(settings_with(values), "/x", types());
    EXPECT_TRUE(config) << config.error().message;
    return config->log_roll.count() / 1000;
  };
  EXPECT_EQ(roll_s({}), -1);
  EXPECT_EQ(roll_s({{name, "7200"}}), 7200);
  EXPECT_EQ(roll_s({{name, "60"}}), 3600);
  EXPECT_EQ(roll_s({{name, "60"}, {name + ".min", "10"}}), 60);
}

TEST(AgentConfig, AnAmountWithoutUnitIsInThatOfItsType) {
  const auto config = read_agent_config(
      settings_with({{"yarn.nodemanager.resource-type.scratch", " 7 "}}), "/x", types());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->total.amount[3], 7);
}

TEST(AgentConfig, RefusesResourcesItCannotOfferWithTheirSource) {
  struct Row {
    const char* name;
    const char* value;
    const char* message;
  };
  const Row table[] = {
      {"yarn.io/gpu2", "4",
       "no such resource type; yarn.resource-types knows memory-mb, vcores, "
       "yarn.io/gpu, scratch"},
      {"yarn.io/gpu", "four", "'four' is not an amount such as 4 or 16G"},
      {"yarn.io/gpu", "-1", "'-1' is not an amount"},
      {"yarn.io/gpu", "0.5", "'0.5' is not an amount"},
      {"yarn.io/gpu", "", "'' is not an amount"},
      {"scratch", "4Qi", "'4Qi' is not an amount"},
      {"scratch", "99999999999999999999", "is not an amount"},
      {"scratch", "9223372036854775807Ti", "is not an amount"},
  };
  for (const Row& row : table) {
    const std::string name = std::string("yarn.nodemanager.resource-type.") + row.name;
    const auto config = read_agent_config(settings_with({{name, row.value}}), "/x", types());
    ASSERT_FALSE(config) << row.name << " = " << row.value;
    EXPECT_THAT(config.error().message, HasSubstr(row.message)) << row.value;
    EXPECT_THAT(config.error().message, HasSubstr(name + " (node-resources.xml:3)")) << row.value;
  }
}

TEST(SelfReport, SaysNothingUnlessAskedFor) {
  const auto config = read_agent_config(
      settings_with({{"yarn.nodemanager.node-labels.provider.configured-node-partition", "gpu"}}),
      "/x", types());
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->self_report.labels);
  EXPECT_FALSE(config->self_report.attributes);
}

TEST(SelfReport, IsWhatTheConfigurationSays) {
  const std::string attributes = "yarn.nodemanager.node-attributes.provider";
  const auto config = read_agent_config(
      settings_with(
          {{"yarn.nodemanager.node-labels.provider", "config"},
           {"yarn.nodemanager.node-labels.provider.configured-node-partition", " gpu "},
           {attributes, "config"},
           {attributes + ".configured-node-attributes", "os, STRING ,debian-12.1:disk,string,"}}),
      "/x", types());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->self_report.labels, std::vector<std::string>{"gpu"});
  EXPECT_EQ(config->self_report.attributes,
            (std::vector<NodeAttribute>{{"os", "debian-12.1"}, {"disk", ""}}));
}

TEST(SelfReport, WithoutALabelIsOfTheDefaultPartition) {
  const auto config = read_agent_config(
      settings_with({{"yarn.nodemanager.node-labels.provider", "config"}}), "/x", types());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->self_report.labels, std::vector<std::string>{});
}

TEST(SelfReport, ThatMayNotBeKeepsTheNodeFromStarting) {
  const std::string labels = "yarn.nodemanager.node-labels.provider";
  const std::string attributes = "yarn.nodemanager.node-attributes.provider";
  const std::map<std::string, std::map<std::string, std::string>> cases = {
      {"provider = script is not supported yet", {{labels, "script"}}},
      {"'a b': a label has 1 to 255 letters",
       {{labels, "config"}, {labels + ".configured-node-partition", "a b"}}},
      {"'os' is not of the form name,STRING,value",
       {{attributes, "config"}, {attributes + ".configured-node-attributes", "os"}}},
      {"has another type than STRING",
       {{attributes, "config"}, {attributes + ".configured-node-attributes", "os,LONG,1"}}},
      {"has no proper name",
       {{attributes, "config"}, {attributes + ".configured-node-attributes", "-os,STRING,1"}}},
      {"has a value of other characters",
       {{attributes, "config"}, {attributes + ".configured-node-attributes", "os,STRING,a b"}}},
      {"resync-interval-ms", {{"yarn.nodemanager.node-labels.resync-interval-ms", "0"}}}};
  for (const auto& [text, values] : cases) {
    const auto config = read_agent_config(settings_with(values), "/x", types());
    ASSERT_FALSE(config) << text;
    EXPECT_THAT(config.error().message, HasSubstr(text));
  }
}

}  // namespace
}  // namespace heddle::nm
