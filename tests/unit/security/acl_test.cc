#include "security/acl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heddle::security {
namespace {

TEST(AclTest, StarAloneOnEitherSideIsEverybody) {
  for (const char* text : {"*", " * ", "* staff", "alice *", " *"}) {
    EXPECT_TRUE(Acl::parse(text).allows_everybody()) << '"' << text << '"';
  }
}

TEST(AclTest, StarAmongOthersIsAUserNobodyHas) {
  for (const char* text : {"alice,*", "alice staff,*", "*,alice"}) {
    const Acl acl = Acl::parse(text);
    EXPECT_FALSE(acl.allows_everybody()) << text;
    EXPECT_TRUE(acl.allows("alice", {})) << text;
    EXPECT_FALSE(acl.allows("eve", {"users"})) << text;
  }
}

TEST(AclTest, UsersStandBeforeTheBlankAndGroupsBehindIt) {
  const Acl acl = Acl::parse("alice, bob");
  EXPECT_TRUE(acl.allows("alice", {}));
  EXPECT_FALSE(acl.allows("bob", {})) << "what follows the first blank are groups, as in Hadoop";
  EXPECT_TRUE(acl.allows("eve", {"bob"}));
  EXPECT_FALSE(acl.allows("staff", {"alice"}));
}

TEST(AclTest, BlankOrEmptyIsNobody) {
  for (const char* text : {"", " "}) {
    EXPECT_FALSE(Acl::parse(text).allows("alice", {"staff"}));
    EXPECT_FALSE(Acl::parse(text).allows("", {}));
  }
}

TEST(UnixGroups, AreThoseOfTheSystem) {
  EXPECT_THAT(unix_groups("root"), ::testing::Contains("root"));
  EXPECT_THAT(unix_groups("no-such-user-here"), ::testing::IsEmpty());
}

}  // namespace
}  // namespace heddle::security
