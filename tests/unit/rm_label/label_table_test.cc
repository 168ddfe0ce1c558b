// Which labels there are and who has them. The texts are those of Hadoop 3.4.
#include "rm/label/label_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heddle::rm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const NodeId kHost{"n1", 0};
const NodeId kNode{"n1", 8041};
const NodeId kOther{"n1", 9041};

class Labels : public testing::Test {
 protected:
  Labels() {
    EXPECT_TRUE(table.add({{"gpu", true}, {"big", false}}));
    table.activate(kNode);
  }
  LabelChange replace(const NodeId& node, const std::string& label) {
    auto change = table.replace(
        {{node, label.empty() ? std::set<std::string>{} : std::set<std::string>{label}}});
    EXPECT_TRUE(change) << change.error().message;
    return change ? *std::move(change) : LabelChange{};
  }
  LabelTable table;
};

TEST_F(Labels, ThatAreThereAlreadyAreNotAddedAgain) {
  const auto change = table.add({{" gpu ", true}, {"fast", true}, {"fast", false}});
  ASSERT_TRUE(change);
  EXPECT_THAT(change->added, ElementsAre(NodeLabel{"fast", true}));
  EXPECT_THAT(table.labels(), ElementsAre(NodeLabel{"big", false}, NodeLabel{"fast", true},
                                          NodeLabel{"gpu", true}));
}

TEST_F(Labels, OfAHostIsThatOfItsNodes) {
  const LabelChange change = replace(kHost, "gpu");
  EXPECT_THAT(change.mapped, ElementsAre(Pair(kHost, std::optional<std::string>("gpu"))));
  EXPECT_THAT(change.moved, ElementsAre(kNode));
  EXPECT_EQ(table.label_of(kNode), "gpu");
  EXPECT_EQ(table.label_of(kOther), "gpu") << "a node that comes later";
  EXPECT_THAT(table.nodes(), UnorderedElementsAre(Pair(kHost, "gpu"), Pair(kNode, "gpu")));
}

TEST_F(Labels, OfANodeCountsBeforeThatOfItsHost) {
  replace(kHost, "gpu");
  replace(kNode, "big");
  EXPECT_EQ(table.label_of(kNode), "big");
  EXPECT_EQ(table.label_of(kOther), "gpu");
  replace(kNode, "");
  EXPECT_EQ(table.label_of(kNode), "") << "none, whatever its host has";
}

TEST_F(Labels, OfAHostTakesThoseOfItsNodesAway) {
  replace(kNode, "big");
  const LabelChange change = replace(kHost, "gpu");
  EXPECT_THAT(change.mapped, UnorderedElementsAre(Pair(kNode, std::nullopt),
                                                  Pair(kHost, std::optional<std::string>("gpu"))));
  EXPECT_EQ(table.label_of(kNode), "gpu");
}

TEST_F(Labels, ThatANodeHasAlreadyChangeNothing) {
  replace(kHost, "gpu");
  EXPECT_TRUE(replace(kHost, "gpu").empty());
  replace(kNode, "big");
  EXPECT_TRUE(replace(kNode, "big").empty());
}

TEST_F(Labels, OfANodeThatStopsStayOnlyWhereTheyWereSaidOfIt) {
  replace(kHost, "gpu");
  table.deactivate(kNode);
  EXPECT_THAT(table.nodes(), ElementsAre(Pair(kHost, "gpu")));
  replace(kNode, "big");
  table.activate(kNode);
  table.deactivate(kNode);
  EXPECT_THAT(table.nodes(), ElementsAre(Pair(kHost, "gpu"), Pair(kNode, "big")));
}

TEST_F(Labels, ThatGoLeaveTheirNodes) {
  replace(kHost, "gpu");
  replace(kOther, "gpu");
  const auto change = table.remove({"gpu"});
  ASSERT_TRUE(change);
  EXPECT_THAT(change->removed, ElementsAre("gpu"));
  EXPECT_THAT(change->moved, ElementsAre(kNode));
  EXPECT_THAT(change->mapped, UnorderedElementsAre(Pair(kHost, std::nullopt),
                                                   Pair(kOther, std::optional<std::string>(""))));
  EXPECT_THAT(table.nodes(), IsEmpty());
}

TEST_F(Labels, AreRestoredAsTheyWere) {
  LabelTable again;
  again.restore({{"gpu", true}, {"big", false}},
                {{kHost, "gpu"}, {kNode, ""}, {kOther, "big"}, {{"n2", 0}, "gone"}});
  EXPECT_EQ(again.label_of(kNode), "");
  EXPECT_EQ(again.label_of(kOther), "big");
  EXPECT_EQ(again.label_of({"n2", 1}), "") << "of a label that is not there";
  EXPECT_TRUE(again.contains("gpu"));
}

TEST_F(Labels, WithBadNamesAreRefusedAndNoneIsAdded) {
  const std::string rule =
      "label name should only contains {0-9, a-z, A-Z, -, _} and should not started with {-,_}, "
      "now it is= ";
  const std::pair<std::string, std::string> cases[] = {
      {"", "label added is empty or exceeds 255 character(s)"},
      {std::string(256, 'a'), "label added is empty or exceeds 255 character(s)"},
      {"-x", rule + "-x"},
      {"_x", rule + "_x"},
      {"a b", rule + "a b"},
      {"a&&b", rule + "a&&b"},
      {"a.b", rule + "a.b"},
      {"gr\xc3\xbcn", rule},
      {std::string("a\0b", 3), rule}};
  for (const auto& [name, text] : cases) {
    const auto change = table.add({{"fine", true}, {name, true}});
    ASSERT_FALSE(change) << name;
    EXPECT_THAT(change.error().message, HasSubstr(text));
    EXPECT_EQ(change.error().subject, ErrorSubject::kLabel);
    EXPECT_FALSE(table.contains("fine"));
  }
  EXPECT_TRUE(table.add({{std::string(255, 'a'), true}}));
}

TEST_F(Labels, KeepTheirExclusivity) {
  const auto change = table.add({{"gpu", false}, {"big", true}});
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().message,
            "Exclusivity cannot be modified for an existing label with : "
            "<gpu:exclusivity=false>,<big:exclusivity=true>");
}

TEST_F(Labels, ThatAreNotThereCannotGoAndCannotBeGiven) {
  EXPECT_EQ(table.remove({"nosuch"}).error().message,
            "Node label=nosuch to be removed doesn't existed in cluster node labels collection.");
  EXPECT_EQ(table.remove({"gpu", " "}).error().message, "Label to be removed is null or empty");
  EXPECT_TRUE(table.contains("gpu"));
  EXPECT_EQ(table.replace({{kNode, {"nosuch"}}}).error().message,
            "Not all labels being replaced contained by known label collections, please check, new "
            "labels=[nosuch]");
}

TEST_F(Labels, AreOneForANodeAtMost) {
  EXPECT_EQ(table.replace({{{"n9", 0}, {"gpu"}}, {kNode, {"big", "gpu"}}}).error().message,
            "2 labels specified on host=n1, please note that we do not support specifying multiple "
            "labels on a single host for now.");
  EXPECT_THAT(table.nodes(), IsEmpty()) << "all or nothing";
}

TEST_F(Labels, AreNotWithoutBound) {
  std::vector<NodeLabel> many;
  for (std::size_t i = 0; i < LabelTable::kLabelsMax; ++i)
    many.push_back({"l" + std::to_string(i), true});
  EXPECT_THAT(table.add(many).error().message,
              HasSubstr("there are 2 node labels and 1000 more are added; 1000 are the most"));
}

}  // namespace
}  // namespace heddle::rm
