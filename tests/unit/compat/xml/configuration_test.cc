#include "compat/xml/configuration.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "compat/xml/known_properties.h"
#include "compat/xml/write.h"

namespace heddle::compat::xml {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class LoadConfiguration : public ::testing::Test {
 protected:
  LoadConfiguration() {
    std::string pattern = ::testing::TempDir() + "/heddle-conf-XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
  }
  ~LoadConfiguration() override { std::filesystem::remove_all(dir_); }

  void write(const std::string& file, std::string_view properties) const {
    std::ofstream(dir_ / file) << "<configuration>" << properties << "</configuration>";
  }
  Configuration load(const std::vector<Override>& overrides = {}) const {
    auto loaded = load_configuration(dir_, overrides);
    EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
    return loaded ? *std::move(loaded) : Configuration{};
  }

  std::filesystem::path dir_;
};

constexpr std::string_view kExpiry = "yarn.nm.liveness-monitor.expiry-interval-ms";

std::string property(std::string_view name, std::string_view value, bool is_final = false) {
  return "<property><name>" + std::string(name) + "</name><value>" + std::string(value) +
         "</value>" + (is_final ? "<final>true</final>" : "") + "</property>\n";
}

TEST_F(LoadConfiguration, AnEmptyFolderGivesHadoopsDefaults) {
  const auto conf = load();
  EXPECT_EQ(conf.settings.get(kExpiry), "600000");
  EXPECT_EQ(conf.settings.find(kExpiry)->source, "default");
  EXPECT_EQ(conf.settings.get("yarn.resourcemanager.address"), "0.0.0.0:8032");
  EXPECT_THAT(conf.warnings, IsEmpty());
}

TEST_F(LoadConfiguration, HasNoValueWhereHadoopHasNoDefault) {
  EXPECT_EQ(load().settings.find("yarn.resourcemanager.ha.id"), nullptr);
}

TEST_F(LoadConfiguration, KnowsTheUserThatPathsAreBuiltFrom) {
  EXPECT_THAT(load().settings.get_or("hadoop.tmp.dir", ""), Not(HasSubstr("${")));
}

TEST_F(LoadConfiguration, LaterFilesWin) {
  write("core-site.xml", property(kExpiry, "1"));
  write("yarn-site.xml", property(kExpiry, "2"));
  const auto conf = load();
  EXPECT_EQ(conf.settings.get(kExpiry), "2");
  EXPECT_EQ(conf.settings.find(kExpiry)->source, "yarn-site.xml:1");
}

TEST_F(LoadConfiguration, TheLastOfTwoInOneFileWins) {
  write("yarn-site.xml", property(kExpiry, "1") + property(kExpiry, "2"));
  EXPECT_EQ(load().settings.get(kExpiry), "2");
}

TEST_F(LoadConfiguration, AFinalValueStaysAndTheOtherIsReported) {
  write("core-site.xml", property(kExpiry, "1", true));
  write("yarn-site.xml", property(kExpiry, "2"));
  const auto conf = load();
  EXPECT_EQ(conf.settings.get(kExpiry), "1");
  EXPECT_THAT(conf.warnings,
              ElementsAre(HasSubstr("stays as it is: it is final since core-site.xml:1")));
}

TEST_F(LoadConfiguration, TheCommandLineBeatsEveryFileAndTheLastOfItWins) {
  write("yarn-site.xml", property(kExpiry, "2", true));
  const auto conf = load({{std::string(kExpiry), "3"}, {std::string(kExpiry), "4"}});
  EXPECT_EQ(conf.settings.get(kExpiry), "4");
  EXPECT_EQ(conf.settings.find(kExpiry)->source, "command line");
  EXPECT_THAT(conf.warnings, IsEmpty());
}

TEST_F(LoadConfiguration, TakesOldNamesForTheNewOnesAsHadoopDoes) {
  write("core-site.xml", property("fs.default.name", "hdfs://nn:8020"));
  auto conf = load();
  EXPECT_EQ(conf.settings.get("fs.defaultFS"), "hdfs://nn:8020");
  EXPECT_EQ(conf.settings.find("fs.default.name"), nullptr);
  EXPECT_THAT(conf.warnings, ElementsAre("core-site.xml:1: fs.default.name is an old name, taken "
                                         "for fs.defaultFS"));
  EXPECT_EQ(load({{"fs.default.name", "file:///"}}).settings.get("fs.defaultFS"), "file:///");
}

TEST_F(LoadConfiguration, AsksWhetherAMisspeltNameWasMeant) {
  write("yarn-site.xml", property("yarn.nodemanager.resource.memory-bm", "1"));
  EXPECT_THAT(load().warnings,
              ElementsAre("yarn-site.xml:1: unknown property yarn.nodemanager.resource.memory-bm: "
                          "did you mean yarn.nodemanager.resource.memory-mb?"));
}

TEST_F(LoadConfiguration, NamesTheFolderThatIsNotThere) {
  const auto loaded = load_configuration(dir_ / "nowhere", {});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(loaded.error().message, HasSubstr((dir_ / "nowhere").string()));
}

TEST_F(LoadConfiguration, RefusesAFileThatIsAFolder) {
  std::filesystem::create_directory(dir_ / "yarn-site.xml");
  const auto loaded = load_configuration(dir_, {});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().message,
              HasSubstr((dir_ / "yarn-site.xml").string() + ": Is a directory"));
}

TEST_F(LoadConfiguration, RefusesAPipeWithoutWaitingForIt) {
  std::filesystem::create_symlink("/dev/null", dir_ / "yarn-site.xml");
  EXPECT_FALSE(load_configuration(dir_, {}).has_value());
}

TEST_F(LoadConfiguration, TakesALinkIntoNothingForAMissingFile) {
  std::filesystem::create_symlink("nowhere", dir_ / "yarn-site.xml");
  EXPECT_TRUE(load_configuration(dir_, {}).has_value());
}

TEST_F(LoadConfiguration, NamesTheFullPathOfABrokenFile) {
  std::ofstream(dir_ / "capacity-scheduler.xml") << "<configuration>";
  const auto loaded = load_configuration(dir_, {});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().message,
              HasSubstr(dir_.string() + ": capacity-scheduler.xml: line 1"));
}

TEST_F(LoadConfiguration, ReadsOneFileAgain) {
  write("capacity-scheduler.xml", property("yarn.scheduler.capacity.root.queues", "a,b"));
  const auto loaded = load_file(dir_ / "capacity-scheduler.xml");
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->settings.all().size(), 1u);
  EXPECT_EQ(load_file(dir_ / "none.xml").error().code, ErrorCode::kNotFound);
}

TEST(ParseOverride, TakesNameAndValueApartAtTheFirstEqualsSign) {
  const auto given = parse_override("a.b=c=d");
  ASSERT_TRUE(given.has_value());
  EXPECT_EQ(given->name, "a.b");
  EXPECT_EQ(given->value, "c=d");
}

TEST(ParseOverride, RefusesTextWithoutANameOrASign) {
  EXPECT_FALSE(parse_override("a").has_value());
  EXPECT_FALSE(parse_override("=b").has_value());
  EXPECT_FALSE(parse_override("").has_value());
}

Result<ResourceTypes> types_of(const std::string& properties) {
  auto conf = parse_configuration("<configuration>" + properties + "</configuration>",
                                  "resource-types.xml");
  EXPECT_TRUE(conf.has_value());
  return resource_types_from(conf->settings);
}

TEST(ResourceTypesFrom, ReadsUnitsAndLimits) {
  const auto types = types_of(property("yarn.resource-types", "yarn.io/gpu, license") +
                              property("yarn.resource-types.yarn.io/gpu.units", "") +
                              property("yarn.resource-types.license.units", "G") +
                              property("yarn.resource-types.license.minimum-allocation", "2000M") +
                              property("yarn.resource-types.license.maximum-allocation", "7"));
  ASSERT_TRUE(types.has_value()) << types.error().message;
  ASSERT_EQ(types->all().size(), 4u);
  EXPECT_EQ(types->all()[2].name, "yarn.io/gpu");
  EXPECT_EQ(types->all()[2].maximum, INT64_MAX);
  EXPECT_EQ(types->all()[3].unit, "G");
  EXPECT_EQ(types->all()[3].minimum, 2);
  EXPECT_EQ(types->all()[3].maximum, 7);
}

TEST(ResourceTypesFrom, NamesTheSettingThatIsWrong) {
  const auto unit = types_of(property("yarn.resource-types", "a") +
                             property("yarn.resource-types.a.units", "Qi"));
  ASSERT_FALSE(unit.has_value());
  EXPECT_THAT(unit.error().message, HasSubstr("yarn.resource-types.a.units"));
  const auto limit = types_of(property("yarn.resource-types", "a") +
                              property("yarn.resource-types.a.minimum-allocation", "-1"));
  ASSERT_FALSE(limit.has_value());
  EXPECT_THAT(limit.error().message, HasSubstr("minimum-allocation = '-1' (resource-types.xml:2)"));
}

TEST(ResourceTypesFrom, RefusesMoreTypesThanTheClusterCanCount) {
  const auto types = types_of(property("yarn.resource-types", "a,b,c,d,e,f,g"));
  ASSERT_FALSE(types.has_value());
  EXPECT_EQ(types.error().code, ErrorCode::kLimitExceeded);
}

TEST(KnownProperties, HoldTheNamesInOrderWithoutDoubles) {
  const auto known = known_properties();
  ASSERT_GT(known.size(), 300u);
  for (std::size_t i = 1; i < known.size(); ++i)
    EXPECT_LT(known[i - 1].name, known[i].name);
}

TEST(KnownProperties, FitPatternsWithQueuePaths) {
  EXPECT_TRUE(is_known("yarn.scheduler.capacity.root.a.b.maximum-capacity"));
  EXPECT_TRUE(is_known("yarn.resourcemanager.hostname.rm1"));
  EXPECT_FALSE(is_known("yarn.resourcemanager.hostname."));
  EXPECT_FALSE(is_known("yarn.scheduler.capacity.root.a.b.maximum-capacitee"));
}

TEST(DidYouMean, FindsSwappedMissingAndWrongLetters) {
  EXPECT_EQ(did_you_mean("yarn.acl.enabel"), "yarn.acl.enable");
  EXPECT_EQ(did_you_mean("yarn.acl.enabled"), "yarn.acl.enable");
  EXPECT_EQ(did_you_mean("yarn.acl.enable"), std::nullopt);
  EXPECT_EQ(did_you_mean("yarn.something.else.altogether"), std::nullopt);
  EXPECT_EQ(did_you_mean(std::string(5000, 'y')), std::nullopt);
}

TEST(ToXml, CanBeReadBack) {
  Settings settings;
  settings.set("a", {"<&>\"'\r\n\t ${b}", "yarn-site.xml:1", true});
  const auto again = parse_configuration(to_xml(settings), "conf");
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->settings.find("a")->value, settings.find("a")->value);
  EXPECT_TRUE(again->settings.find("a")->is_final);
}

TEST(ToXml, ShowsTheSourceAndOnlyWhatWasAskedFor) {
  Settings settings;
  settings.set("a", {"1", "default", false});
  settings.set("b", {"2", "default", false});
  EXPECT_EQ(to_xml(settings, "a"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?><configuration>\n"
            "<property><name>a</name><value>1</value><final>false</final><source>default</source></"
            "property>\n"
            "</configuration>\n");
}

TEST(ToXml, HidesSecrets) {
  for (const char* name :
       {"ssl.server.keystore.password", "fs.s3a.secret.key", "fs.s3a.access.key",
        "dfs.client.oauth2.credential", "fs.azure.account.key.x", "A.PASSWORD",
        "fs.azure.account.oauth2.client.secret.store.dfs.core.windows.net",
        "fs.azure.account.oauth2.refresh.token.store", "fs.azure.sas.fixed.token.store",
        "fs.azure.sas.token", "fs.s3a.bucket.logs.session.token", "fs.s3a.session.key",
        "fs.s3a.server-side-encryption.key", "fs.gs.auth.service.account.private.key",
        "ssl.server.keystore.keypassword", "ssl.client.keystore.pass"}) {
    Settings settings;
    settings.set(name, {"hunter2", "core-site.xml:1", false});
    const std::string xml = to_xml(settings);
    EXPECT_THAT(xml, Not(HasSubstr("hunter2"))) << name;
    EXPECT_THAT(xml, HasSubstr("&lt;redacted&gt;")) << name;
  }
}

TEST(ToXml, DoesNotHideOrdinarySettings) {
  for (const auto& known : known_properties())
    EXPECT_FALSE(is_secret(known.name)) << known.name;
}

TEST(ToXml, ReplacesBytesThatXmlCannotHold) {
  Settings settings;
  settings.set("a", {"\x01\xFF", "default", false});
  EXPECT_THAT(to_xml(settings), HasSubstr("<value>?\?</value>"));
}

}  // namespace
}  // namespace heddle::compat::xml
