#include "nodemanager/localize/cache.h"

#include <gtest/gtest.h>

namespace heddle::nm {
namespace {

using std::chrono::seconds;

ResourceKey key(const std::string& url, Visibility visibility = Visibility::kPublic) {
  LocalResource resource;
  resource.url = url;
  resource.visibility = visibility;
  return key_of(resource, "alice", AppId{1, 2});
}

ContainerId container(std::int64_t number) {
  return {{{1, 2}, 1}, number};
}
Instant at(int second) {
  return Instant{seconds(second)};
}

TEST(ResourceCache, NumbersFromTenInOneSequence) {
  ResourceCache cache;
  EXPECT_EQ(cache.acquire(key("a"), container(1), at(0)).number, 10);
  EXPECT_EQ(cache.acquire(key("b", Visibility::kPrivate), container(1), at(0)).number, 11);
}

TEST(ResourceCache, FetchesAResourceThatTwoContainersWantOnce) {
  ResourceCache cache;
  EXPECT_TRUE(cache.acquire(key("a"), container(1), at(0)).is_new);
  EXPECT_FALSE(cache.acquire(key("a"), container(2), at(0)).is_new);
  EXPECT_EQ(cache.fetched(key("a"), "/c/10/a", "/c/10", 5).size(), 2U);
}

TEST(ResourceCache, KeepsResourcesOfDifferentUsersAndApplicationsApart) {
  LocalResource resource;
  resource.url = "a";
  resource.visibility = Visibility::kPrivate;
  EXPECT_NE(key_of(resource, "alice", {1, 1}), key_of(resource, "bob", {1, 1}));
  EXPECT_EQ(key_of(resource, "alice", {1, 1}), key_of(resource, "alice", {1, 2}));
  resource.visibility = Visibility::kApplication;
  EXPECT_NE(key_of(resource, "alice", {1, 1}), key_of(resource, "alice", {1, 2}));
}

TEST(ResourceCache, TriesAgainAfterAFailure) {
  ResourceCache cache;
  cache.acquire(key("a"), container(1), at(0));
  EXPECT_EQ(cache.failed(key("a")).size(), 1U);
  EXPECT_TRUE(cache.acquire(key("a"), container(2), at(0)).is_new);
}

TEST(ResourceCache, GivesUpAFetchThatNobodyWaitsForAnyMore) {
  ResourceCache cache;
  const auto number = cache.acquire(key("a"), container(1), at(0)).number;
  cache.acquire(key("a"), container(2), at(0));
  EXPECT_FALSE(cache.release(key("a"), container(1), at(1)));
  EXPECT_TRUE(cache.is_fetching(key("a"), number));
  EXPECT_EQ(cache.release(key("a"), container(2), at(1)), number);
  EXPECT_FALSE(cache.is_fetching(key("a"), number));
  const auto again = cache.acquire(key("a"), container(3), at(2));
  EXPECT_TRUE(again.is_new);
  EXPECT_FALSE(cache.is_fetching(key("a"), number)) << "the late result of the first is not its";
  EXPECT_TRUE(cache.is_fetching(key("a"), again.number));
}

TEST(ResourceCache, FetchesALostResourceAgainWhoeverUsesIt) {
  ResourceCache cache;
  cache.acquire(key("a"), container(1), at(0));
  cache.fetched(key("a"), "/c/10/a", "/c/10", 100);
  cache.acquire(key("a"), container(2), at(1));
  EXPECT_TRUE(cache.renew(key("a")).is_new);
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_EQ(cache.acquire(key("a"), container(3), at(1)).state, ResourceCache::State::kFetching);
  EXPECT_EQ(cache.fetched(key("a"), "/d/11/a", "/d/11", 100).size(), 3U);
  EXPECT_EQ(cache.bytes(), 100U);
}

TEST(ResourceCache, EvictsTheLeastRecentlyUsedThatNobodyUses) {
  ResourceCache cache;
  for (const char* name : {"old", "new", "used"}) {
    cache.acquire(key(name), container(1), at(0));
    cache.fetched(key(name), std::string("/c/") + name + "/x", std::string("/c/") + name, 100);
  }
  cache.release(key("old"), container(1), at(1));
  cache.release(key("new"), container(1), at(2));
  EXPECT_EQ(cache.evict(200), std::vector<std::string>{"/c/old"});
  EXPECT_EQ(cache.evict(0), std::vector<std::string>{"/c/new"}) << "the one in use stays";
  EXPECT_EQ(cache.bytes(), 100U);
}

TEST(ResourceCache, ForgetsAnApplicationsOwnResources) {
  ResourceCache cache;
  cache.acquire(key("a", Visibility::kApplication), container(1), at(0));
  cache.acquire(key("b", Visibility::kPrivate), container(1), at(0));
  cache.forget_app("alice/application_1_0002");
  EXPECT_EQ(cache.size(), 1U);
}

}  // namespace
}  // namespace heddle::nm
