#include "queues/place_list.h"

#include <gtest/gtest.h>

#include <random>

namespace heddle::queues {
namespace {

Place at(std::int64_t order) {
  return {0, 0, order};
}

TEST(Place, ComparesBandThenShareThenOrder) {
  EXPECT_LT((Place{1, 9, 9}), (Place{2, 0, 0}));
  EXPECT_LT((Place{1, 1, 9}), (Place{1, 2, 0}));
  EXPECT_LT((Place{1, 1, 1}), (Place{1, 1, 2}));
  EXPECT_FALSE((Place{1, 1, 1}) < (Place{1, 1, 1}));
}

TEST(PlaceList, MovesOneBothWaysAmongFew) {
  int children[3];
  PlaceList<int> list;
  for (int i = 0; i < 3; ++i)
    list.insert(at(i * 10L), &children[i]);
  list.move(at(0), at(15));
  EXPECT_EQ(list.front().child, &children[1]);
  list.move(at(20), at(5));
  EXPECT_EQ(list.front().child, &children[2]);
  EXPECT_EQ(list.back().child, &children[0]);
}

// Grows beyond what lies in a row and shrinks again, many times.
TEST(PlaceList, AgreesWithAPlainMap) {
  std::mt19937 random(1);
  std::vector<int> children(400);
  PlaceList<int> list;
  std::map<Place, int*> plain;
  for (int step = 0; step < 40'000; ++step) {
    const bool fill = step / 4000 % 2 == 0;
    const Place place = at(static_cast<std::int64_t>(random() % 200));
    int* child = &children[random() % children.size()];
    switch (random() % (fill ? 3 : 6)) {
      case 0:
        list.insert(place, child);
        plain.emplace(place, child);
        break;
      case 1: {
        const Place to = at(static_cast<std::int64_t>(random() % 200));
        if (plain.contains(to) || !plain.contains(place)) break;
        list.move(place, to);
        auto entry = plain.extract(place);
        entry.key() = to;
        plain.insert(std::move(entry));
        break;
      }
      case 2:
        if (fill && random() % 3 != 0) break;
        [[fallthrough]];
      default: list.erase(place); plain.erase(place);
    }
    ASSERT_EQ(list.size(), plain.size());
    ASSERT_EQ(list.empty(), plain.empty());
    ASSERT_EQ(list.contains(place), plain.contains(place));
    if (plain.empty()) continue;
    ASSERT_EQ(list.front().child, plain.begin()->second);
    ASSERT_EQ(list.back().child, plain.rbegin()->second);
    if (step % 100 != 0) continue;
    auto expected = plain.begin();
    for (const auto& entry : list.entries()) {
      ASSERT_EQ(entry.place, expected->first);
      ASSERT_EQ(entry.child, (expected++)->second);
    }
  }
}

}  // namespace
}  // namespace heddle::queues
