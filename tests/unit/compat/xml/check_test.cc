// Every kind of finding, with its place.
#include "compat/xml/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compat/xml/deprecated.h"
#include "compat/xml/known_properties.h"

namespace heddle::compat::xml {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string file_of(const std::string& name, const std::string& value,
                    const std::string& more = "") {
  return "<configuration>\n<property><name>" + name + "</name><value>" + value + "</value>" + more +
         "</property>\n</configuration>\n";
}

std::vector<std::string> told(const std::vector<NamedText>& files) {
  std::vector<std::string> out;
  for (const Finding& finding : check_files(files).findings) {
    out.push_back(std::string(finding.error ? "error " : "warning ") +
                  std::string(to_string(finding.kind)) + " " + finding.source + " " +
                  finding.message);
  }
  return out;
}

struct Case {
  const char* name;
  const char* value;
  const char* says;  // "" = nothing
};

class OneProperty : public testing::TestWithParam<Case> {};

TEST_P(OneProperty, IsJudged) {
  const auto findings = told({{"yarn-site.xml", file_of(GetParam().name, GetParam().value)}});
  if (std::string_view(GetParam().says).empty()) {
    EXPECT_THAT(findings, IsEmpty()) << GetParam().name << "=" << GetParam().value;
  } else {
    EXPECT_THAT(findings, ElementsAre(HasSubstr(GetParam().says)))
        << GetParam().name << "=" << GetParam().value;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, OneProperty,
    testing::Values(
        Case{"yarn.scheduler.maximum-allocation-mb", "16384", ""},
        Case{"yarn.scheduler.maximum-allocation-mb", " 16384 ", ""},
        Case{"yarn.scheduler.maximum-allocation-mb", "0x4000", ""},
        Case{"yarn.scheduler.maximum-allocation-mb", "8G",
             "error bad-value yarn-site.xml:2 '8G' is not a whole number; units"},
        Case{"yarn.scheduler.maximum-allocation-mb", "1e4", "'1e4' is not a whole number"},
        Case{"yarn.scheduler.maximum-allocation-mb", "12.5", "'12.5' is not a whole number"},
        Case{"yarn.scheduler.maximum-allocation-mb", "",
             "warning bad-value yarn-site.xml:2 is empty; the default counts: 8192"},
        Case{"yarn.acl.enable", "yes", "error bad-value yarn-site.xml:2 'yes' is not true or fal"},
        Case{"yarn.acl.enable", "TRUE", ""},
        Case{"yarn.nm.liveness-monitor.expiry-interval-ms", "10m", ""},
        Case{"yarn.nm.liveness-monitor.expiry-interval-ms", "10 parsecs", "with a unit (500ms"},
        Case{"yarn.nodemanager.vmem-pmem-ratio", "3", ""},
        Case{"yarn.nodemanager.vmem-pmem-ratio", "lots", "'lots' is not a number (0.5)"},
        Case{"yarn.acl.enabel", "true",
             "warning misspelt yarn-site.xml:2 unknown; did you mean yarn.acl.enable?"},
        Case{"yarn.scheduler.capacity.root.a.capasity", "40",
             "did you mean yarn.scheduler.capacity.root.a.capacity?"},
        Case{"yarn.scheduler.capacity.root.a.b.acl_submit_application", "x",
             "did you mean yarn.scheduler.capacity.root.a.b.acl_submit_applications?"},
        Case{"yarn.scheduler.capacity.root.a.user-limit-factor", "2", ""},
        Case{"yarn.of.another.planet", "1", "warning unknown yarn-site.xml:2 unknown to Hadoop"},
        Case{"dfs.of.another.planet", "1", ""},
        Case{"fs.default.name", "file:///",
             "warning deprecated yarn-site.xml:2 an old name; write fs.defaultFS"},
        Case{"yarn.resourcemanager.zk-address", "h:2181",
             "write hadoop.zk.address, the old one has no effect here"},
        Case{"yarn.resourcemanager.ha.enabled", "true", "high availability is not there yet"},
        Case{"yarn.scheduler.minimum-allocation-mb", "9000",
             "error contradiction yarn-site.xml:2 yarn.scheduler.minimum-allocation-mb = 9000 is "
             "above yarn.scheduler.maximum-allocation-mb = 8192"},
        Case{"yarn.scheduler.maximum-allocation-vcores", "0",
             "error contradiction yarn-site.xml:2"},
        Case{"yarn.nodemanager.resource.memory-mb", "512", "error contradiction"},
        Case{"yarn.nm.liveness-monitor.expiry-interval-ms", "500",
             "nodes are lost before their next heartbeat"},
        Case{"yarn.resourcemanager.am-rm-tokens.master-key-rolling-interval-secs", "60",
             "more than three times the expiry intervals"},
        Case{"yarn.admin.acl", "root", "warning contradiction"},
        Case{"yarn.resourcemanager.scheduler.monitor.policies",
             "org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity."
             "QueueConfigurationAutoRefreshPolicy",
             "no policy runs"}));

TEST(ConfigurationCheck, AValueThatWasFinalBeforeStaysAndIsTold) {
  EXPECT_THAT(told({{"core-site.xml", file_of("yarn.acl.enable", "true", "<final>true</final>")},
                    {"yarn-site.xml", file_of("yarn.acl.enable", "false")}}),
              ElementsAre("warning final yarn-site.xml:2 has no effect: it is final since "
                          "core-site.xml:2, where it is 'true'"));
}

TEST(ConfigurationCheck, APropertyThatIsSetTwiceInOneFileIsTold) {
  EXPECT_THAT(told({{"yarn-site.xml",
                     "<configuration><property><name>yarn.acl.enable</name><value>true</value>"
                     "</property>\n<property><name>yarn.acl.enable</name><value>false</value>"
                     "</property></configuration>"}}),
              ElementsAre("warning repeated yarn-site.xml:2 set before at yarn-site.xml:1; the "
                          "last one counts"));
}

TEST(ConfigurationCheck, AFileThatIsNotXmlDoesNotHideWhatIsWrongWithOthers) {
  EXPECT_THAT(told({{"core-site.xml", "<configuration>"},
                    {"yarn-site.xml", file_of("yarn.acl.enable", "maybe")}}),
              ElementsAre(HasSubstr("error unreadable core-site.xml"),
                          HasSubstr("error bad-value yarn-site.xml:2")));
}

TEST(ConfigurationCheck, ValuesAreJudgedAfterSubstitution) {
  const std::string text =
      "<configuration><property><name>my.size</name><value>8G</value></property>\n"
      "<property><name>yarn.scheduler.maximum-allocation-mb</name><value>${my.size}</value>"
      "</property></configuration>";
  EXPECT_THAT(told({{"yarn-site.xml", text}}), ElementsAre(HasSubstr("yarn-site.xml:2 '8G'")));
}

TEST(ConfigurationCheck, NothingIsWrongWithNothing) {
  EXPECT_THAT(told({}), IsEmpty());
}

TEST(DeprecatedNames, AreFoundWhereverTheyStandInTheTable) {
  EXPECT_EQ(renamed("dfs.df.interval")->newer, "fs.df.interval");
  EXPECT_EQ(renamed("yarn.resourcemanager.zk-timeout-ms")->newer, "hadoop.zk.timeout-ms");
  EXPECT_EQ(renamed("yarn.acl.enable"), std::nullopt);
}

TEST(DeprecatedNames, AreTakenForTheNewerOnesOnlyWhereThatIsKnown) {
  const auto checked = check_files({{"core-site.xml", file_of("fs.default.name", "hdfs://h:1/")}});
  EXPECT_EQ(checked.settings.get("fs.defaultFS"), "hdfs://h:1/");
}

}  // namespace
}  // namespace heddle::compat::xml
