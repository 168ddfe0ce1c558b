#include "queues/node_index.h"

#include <gtest/gtest.h>

#include <random>

namespace heddle::queues {
namespace {

const auto kAnybody = [](const NodeIndex::Node&) { return true; };

NodeId node(const std::string& host) {
  return {host, 1};
}

std::string found(NodeIndex& index, const Resources& need) {
  const auto slot = index.find_any(kDefaultPartition, need, kAnybody);
  if (slot == NodeIndex::kNone) return "none";
  index.took(slot);
  return index.at(slot).id.host;
}

TEST(FitTree, FindsTheFirstPositionFromTheGivenOne) {
  FitTree tree(1);
  tree.resize(5);
  for (std::size_t i = 0; i < 5; ++i)
    tree.set(i, {static_cast<std::int64_t>(i) * 10, 0});
  EXPECT_EQ(tree.find(0, {25, 0}), 3u);
  EXPECT_EQ(tree.find(4, {25, 0}), 4u);
  EXPECT_EQ(tree.find(0, {41, 0}), FitTree::kNone);
  EXPECT_EQ(tree.find(5, {0, 0}), FitTree::kNone);
}

TEST(FitTree, GoesOnWhenTwoPositionsOnlyTogetherHaveWhatIsAsked) {
  FitTree tree(2);
  tree.resize(4);
  tree.set(0, {100, 1});
  tree.set(1, {1, 100});
  tree.set(2, {1, 1});
  tree.set(3, {50, 50});
  EXPECT_EQ(tree.find(0, {50, 50}), 3u);
  EXPECT_EQ(tree.find(0, {100, 100}), FitTree::kNone);
}

TEST(FitTree, AgreesWithAPlainScan) {
  std::mt19937 random(1);
  FitTree tree(2);
  std::vector<Resources> plain;
  for (int i = 0; i < 3000; ++i) {
    if (plain.size() < 100 && random() % 4 == 0) {
      plain.emplace_back(-1, -1);
      tree.resize(plain.size());
    } else if (!plain.empty()) {
      const std::size_t at = random() % plain.size();
      plain[at] = Resources(random() % 20, random() % 20);
      tree.set(at, plain[at]);
    }
    const Resources need(random() % 20, random() % 20);
    const std::size_t from = random() % (plain.size() + 1);
    std::size_t expected = from;
    while (expected < plain.size() && !need.fits_in(plain[expected]))
      ++expected;
    if (expected >= plain.size()) expected = FitTree::kNone;
    ASSERT_EQ(tree.find(from, need), expected) << "step " << i;
  }
}

TEST(NodeIndex, GoesRoundTheNodes) {
  NodeIndex index;
  for (const char* host : {"a", "b", "c"})
    index.add(node(host), "/r", {10, 1});
  EXPECT_EQ(found(index, {1, 0}), "a");
  EXPECT_EQ(found(index, {1, 0}), "b");
  EXPECT_EQ(found(index, {1, 0}), "c");
  EXPECT_EQ(found(index, {1, 0}), "a");
}

TEST(NodeIndex, SkipsNodesThatAreFullUnusableOrGone) {
  NodeIndex index;
  const auto full = index.add(node("full"), "/r", {10, 1});
  const auto sick = index.add(node("sick"), "/r", {10, 1});
  const auto gone = index.add(node("gone"), "/r", {10, 1});
  index.add(node("good"), "/r", {10, 1});
  index.charge(full, {10, 0}, 1);
  index.set_usable(sick, false);
  index.remove(gone);
  EXPECT_EQ(found(index, {1, 0}), "good");
  EXPECT_EQ(found(index, {1, 0}), "good");
}

TEST(NodeIndex, FindsByRackAndByHostWithSeveralNodesOnOne) {
  NodeIndex index;
  index.add({"h", 1}, "/r1", {10, 1});
  index.add({"h", 2}, "/r1", {20, 1});
  index.add({"other", 1}, "/r2", {30, 1});
  EXPECT_EQ(index.at(index.find_on_host("h", {15, 0}, kAnybody)).id.port, 2);
  EXPECT_EQ(index.find_on_host("h", {25, 0}, kAnybody), NodeIndex::kNone);
  EXPECT_EQ(index.at(index.find_in_rack("/r2", {25, 0}, kAnybody)).id.host, "other");
  EXPECT_EQ(index.find_in_rack("/r3", {1, 0}, kAnybody), NodeIndex::kNone);
}

TEST(NodeIndex, ForgetsHostAndRackWithTheirLastNode) {
  NodeIndex index;
  index.remove(index.add(node("a"), "/r", {10, 1}));
  EXPECT_FALSE(index.knows_host("a"));
  EXPECT_FALSE(index.knows_rack("/r"));
  EXPECT_EQ(index.count(), 0u);
  EXPECT_TRUE(index.total().is_zero());
  index.add(node("b"), "/r", {10, 1});
  EXPECT_EQ(found(index, {1, 0}), "b");
}

TEST(NodeIndex, CountsASecondTypeOnlyWhenAsked) {
  NodeIndex index(1);
  index.add(node("a"), "/r", {10, 1});
  EXPECT_EQ(found(index, {1, 5}), "a");
  index.set_type_count(2);
  EXPECT_EQ(found(index, {1, 5}), "none");
}

}  // namespace
}  // namespace heddle::queues
