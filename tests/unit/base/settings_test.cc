#include "base/settings.h"

#include <gtest/gtest.h>

namespace heddle {
namespace {

using namespace std::chrono_literals;

Settings with(std::string value) {
  Settings settings;
  settings.set("a.key", {std::move(value), "site.xml:3", false});
  return settings;
}

constexpr MillisProperty kTime{.name = "a.key", .default_value = 7ms, .doc = ""};
constexpr IntProperty kNumber{.name = "a.key", .default_value = 7, .doc = ""};

TEST(Settings, SubstitutesOtherPropertiesAndStopsAtCycles) {
  Settings settings;
  settings.set("host", {"h", "", false});
  settings.set("address", {"${host}:${port}", "", false});
  settings.set("loop", {"${loop}", "", false});
  EXPECT_EQ(settings.get("address"), "h:${port}");
  EXPECT_EQ(settings.get("loop"), "${loop}");
}

TEST(Settings, PropertiesMadeOfManyOthersDoNotGrowWithoutBound) {
  Settings settings;
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += "${self}";
  settings.set("self", {many, "", false});
  EXPECT_LT(settings.get("self")->size(), 2U * 1024 * 1024);
  settings.set("self", {many + "${nothing}", "", false});
  settings.set("nothing", {"", "", false});
  EXPECT_LT(settings.get("self")->size(), 2U * 1024 * 1024);
}

TEST(Settings, AFinalSettingStays) {
  Settings settings;
  EXPECT_TRUE(settings.set("k", {"1", "core-site.xml:1", true}));
  EXPECT_FALSE(settings.set("k", {"2", "yarn-site.xml:1", false}));
  EXPECT_EQ(settings.get("k"), "1");
}

TEST(Settings, TimesTakeHadoopsSuffixes) {
  EXPECT_EQ(*read(with("500"), kTime), 500ms);
  EXPECT_EQ(*read(with(" 30s "), kTime), 30s);
  EXPECT_EQ(*read(with("2M"), kTime), 2min);
  EXPECT_EQ(*read(with("1d"), kTime), 24h);
  EXPECT_EQ(*read(with(""), kTime), 7ms);
  EXPECT_EQ(*read(Settings(), kTime), 7ms);
}

TEST(Settings, AnEndlessTimeCanBeAddedToThePresent) {
  using std::chrono::nanoseconds;
  for (const char* text : {"9223372036854775807", "106751d", "9223372036854775807d"}) {
    const auto time = read(with(text), kTime);
    ASSERT_TRUE(time) << text;
    EXPECT_GT(*time, std::chrono::hours(24 * 365 * 99)) << text;
    EXPECT_LT(nanoseconds(*time), nanoseconds::max() / 2) << text;
  }
  EXPECT_GT(nanoseconds(*read(with("-9223372036854775808"), kTime)), nanoseconds::min() / 2);
}

TEST(Settings, MalformedValuesNameKeyValueAndSource) {
  for (const char* text : {"8G", "1e3", "0x10", "12 34", "--1", "1.5"}) {
    const auto value = read(with(text), kNumber);
    ASSERT_FALSE(value) << text;
    EXPECT_NE(value.error().message.find("a.key"), std::string::npos);
    EXPECT_NE(value.error().message.find(text), std::string::npos);
    EXPECT_NE(value.error().message.find("site.xml:3"), std::string::npos);
  }
}

TEST(Settings, AddressesHaveAHostAndAPort) {
  EXPECT_EQ(parse_host_port("rm:0", 8032)->port, 0);
  EXPECT_EQ(parse_host_port("rm", 8032)->port, 8032);
  for (const char* text : {"", ":8032", "rm:", "rm:x", "rm:70000", "rm:-1"}) {
    EXPECT_FALSE(parse_host_port(text, 1)) << text;
  }
}

}  // namespace
}  // namespace heddle
