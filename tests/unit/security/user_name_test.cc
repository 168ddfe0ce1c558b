#include "security/user_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heddle::security {
namespace {

TEST(UserNames, AreWhatMayBePartOfAPathAndACommandLine) {
  for (const std::string& good :
       {std::string("alice"), std::string("svc-spark_01"), std::string("host$"),
        std::string("a@EXAMPLE.COM"), std::string(255, 'x')}) {
    EXPECT_TRUE(check_user_name(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("-rf"), std::string("a/b"),
        std::string("a\\b"), std::string("a b"), std::string("a\tb"), std::string("a:b"),
        std::string("a,b"), std::string("a'b"), std::string("a\"b"), std::string("a&b"),
        std::string("a\0b", 3), std::string("\xc3\xa4"), std::string(256, 'x')}) {
    const auto refused = check_user_name(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
    EXPECT_LT(refused.error().message.size(), 300U);
  }
}

}  // namespace
}  // namespace heddle::security
