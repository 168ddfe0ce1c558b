#include "security/token_keys.h"

#include <gtest/gtest.h>

namespace heddle::security {
namespace {

MasterKey key(std::int32_t id) {
  return {id, Secret(std::to_string(id))};
}

TEST(TokenKeysTest, NextKeyIsKnownBeforeItSigns) {
  TokenKeys keys(key(1));
  keys.roll(key(2));
  EXPECT_EQ(keys.current().id, 1);
  EXPECT_EQ(keys.next()->id, 2);
  EXPECT_TRUE(keys.find(2));
  EXPECT_FALSE(keys.previous());
}

TEST(TokenKeysTest, KeyBeforeTheCurrentOneIsStillKnownAndNoOlderOne) {
  TokenKeys keys(key(1));
  for (const int id : {2, 3}) {
    keys.roll(key(id));
    keys.activate();
  }
  EXPECT_EQ(keys.current().id, 3);
  EXPECT_EQ(keys.find(2)->bytes.reveal_bytes(), "2");
  EXPECT_FALSE(keys.find(1));
}

TEST(TokenKeysTest, ActivatingWithoutANextKeyChangesNothing) {
  TokenKeys keys(key(1));
  keys.activate();
  EXPECT_EQ(keys.current().id, 1);
  EXPECT_FALSE(keys.previous());
}

TEST(TokenKeysTest, ReplacingForgetsAllOthers) {
  TokenKeys keys(key(1));
  keys.roll(key(2));
  keys.activate();
  keys.roll(key(3));
  keys.replace(key(4));
  EXPECT_EQ(keys.current().id, 4);
  for (const int id : {1, 2, 3})
    EXPECT_FALSE(keys.find(id)) << id;
}

TEST(SecretTest, EqualsComparesLengthAndBytes) {
  const Secret secret("abc");
  EXPECT_TRUE(secret.equals("abc"));
  EXPECT_FALSE(secret.equals("abd"));
  EXPECT_FALSE(secret.equals("ab"));
  EXPECT_FALSE(secret.equals("abcd"));
}

TEST(SecretTest, MovedFromIsEmpty) {
  Secret from("abc");
  const Secret to = std::move(from);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(to.equals("abc"));
}

}  // namespace
}  // namespace heddle::security
