#include "base/ids.h"

#include <gtest/gtest.h>

namespace heddle {
namespace {

TEST(Ids, PrintAsHadoopPrintsThem) {
  const AppId app{1795310003435, 2};
  EXPECT_EQ(to_string(app), "application_1795310003435_0002");
  EXPECT_EQ(to_string(AttemptId{app, 1}), "appattempt_1795310003435_0002_000001");
  EXPECT_EQ(to_string(ContainerId{{app, 1}, 3}), "container_1795310003435_0002_01_000003");
  EXPECT_EQ(to_string(ContainerId{{app, 1}, 18691697672195}),
            "container_e17_1795310003435_0002_01_000003");
  EXPECT_EQ(to_string(AppId{1, 123456}), "application_1_123456");
}

TEST(Ids, ParseBackToWhatWasPrinted) {
  for (const std::int64_t raw :
       {std::int64_t{1}, std::int64_t{18691697672195}, (std::int64_t{1} << 40) - 1}) {
    const ContainerId id{{{1795310003435, 12345}, 7}, raw};
    const auto parsed = parse_container_id(to_string(id));
    ASSERT_TRUE(parsed) << to_string(id);
    EXPECT_EQ(*parsed, id);
  }
  EXPECT_EQ(parse_app_id("application_5_0001")->sequence, 1);
  EXPECT_EQ(parse_attempt_id("appattempt_5_0001_000002")->number, 2);
  EXPECT_EQ(parse_node_id("host-1:41041")->port, 41041);
}

TEST(Ids, RefuseAnythingElse) {
  for (const char* text :
       {"", "application", "application_", "application_1", "application_1_", "application_a_1",
        "application_1_1x", "application_-1_1", "application_1_ 1", "application_1_99999999999",
        "job_1_1", "application_1_1_1"}) {
    EXPECT_FALSE(parse_app_id(text)) << text;
  }
  for (const char* text :
       {"container_1_1_1", "container_e_1_1_1_1", "container_1_1_1_1099511627776"}) {
    EXPECT_FALSE(parse_container_id(text)) << text;
  }
  for (const char* text : {"", ":", "host", "host:", ":1", "host:65536", "host:-1", "host:1x"}) {
    EXPECT_FALSE(parse_node_id(text)) << text;
  }
}

TEST(Ids, ErrorsShowTheTextShortenedAndEscaped) {
  const auto error = parse_app_id(std::string(500, 'x') + "\n").error();
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_LT(error.message.size(), 200U);
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace heddle
