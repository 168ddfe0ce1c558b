// Facts about hosts. The texts are those of Hadoop 3.4.
#include "rm/label/attribute_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heddle::rm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Operation = MapAttributes::Operation;

NodeAttribute central(const std::string& name, const std::string& value) {
  return {std::string(kCentralAttributes), name, value};
}
NodeAttribute told(const std::string& name, const std::string& value) {
  return {std::string(kNodeAttributes), name, value};
}

class Attributes : public testing::Test {
 protected:
  AttributeChange map(Operation operation, std::vector<NodeAttribute> attributes) {
    auto change = table.map({operation, {{"n1", std::move(attributes)}}, false});
    EXPECT_TRUE(change) << change.error().message;
    return change ? *std::move(change) : AttributeChange{};
  }
  std::string refusal(Operation operation, const NodeAttribute& attribute) {
    const auto change = table.map({operation, {{"n1", {attribute}}}, false});
    return change ? "(taken)" : change.error().message;
  }
  AttributeTable table;
};

TEST_F(Attributes, AreAddedOneByOne) {
  map(Operation::kAdd, {central("os", "debian")});
  const AttributeChange change =
      map(Operation::kAdd, {central(" os ", "bsd"), central("disk", "")});
  EXPECT_THAT(change.rows, SizeIs(2));
  EXPECT_THAT(table.of("n1"), ElementsAre(central("disk", ""), central("os", "bsd")));
}

TEST_F(Attributes, ThatAreThereAlreadyChangeNothing) {
  map(Operation::kAdd, {central("os", "debian")});
  EXPECT_TRUE(map(Operation::kAdd, {central("os", "debian")}).empty());
}

TEST_F(Attributes, ReplaceThoseOfOperatorsAndLeaveWhatTheNodeSays) {
  ASSERT_TRUE(table.report({"n1", 8041}, {told("cores", "64")}));
  map(Operation::kAdd, {central("os", "debian"), central("disk", "ssd")});
  map(Operation::kReplace, {central("os", "bsd")});
  EXPECT_THAT(table.of("n1"), ElementsAre(told("cores", "64"), central("os", "bsd")));
  ASSERT_TRUE(table.report({"n1", 8041}, {told("ram", "1T")}));
  EXPECT_THAT(table.of("n1"), ElementsAre(told("ram", "1T"), central("os", "bsd")));
}

TEST_F(Attributes, GoWhenTheyAreRemoved) {
  map(Operation::kAdd, {central("os", "debian")});
  map(Operation::kRemove, {central("os", "")});
  EXPECT_THAT(table.of("n1"), IsEmpty());
  EXPECT_THAT(table.all(), IsEmpty());
  EXPECT_EQ(refusal(Operation::kRemove, central("os", "")),
            "Node attribute [Prefix-rm.yarn.io :Name-os] doesn't exist on node n1");
}

TEST_F(Attributes, OfOthersPrefixesAreRefused) {
  EXPECT_EQ(refusal(Operation::kAdd, told("os", "debian")),
            "Invalid Attribute Mapping for the node n1. Prefix should be rm.yarn.io");
  EXPECT_EQ(table.report({"n1", 8041}, {central("os", "debian")}).error().message,
            "Reject invalid node attributes from host: n1:8041, attributes in HB must have prefix "
            "nm.yarn.io");
}

TEST_F(Attributes, WithBadTextsAreRefusedAndNoneIsTaken) {
  const std::string value_rule =
      "attribute value should only contains {0-9, a-z, A-Z, -, _} and should not started with "
      "{-,_}, now it is= ";
  const std::string name_rule =
      "attribute name should only contains {0-9, a-z, A-Z, -, _} and should not started with "
      "{-,_}, now it is= ";
  const std::string too_long(256, 'a');
  EXPECT_EQ(refusal(Operation::kAdd, central("", "x")),
            "attribute name added is empty or exceeds 255 character(s)");
  EXPECT_EQ(refusal(Operation::kAdd, central(too_long, "x")),
            "attribute name added is empty or exceeds 255 character(s)");
  EXPECT_EQ(refusal(Operation::kAdd, central("-os", "x")), name_rule + "-os");
  EXPECT_EQ(refusal(Operation::kAdd, central("o.s", "x")), name_rule + "o.s");
  EXPECT_EQ(refusal(Operation::kAdd, central("os", too_long)),
            "Attribute value added exceeds 255 character(s)");
  EXPECT_EQ(refusal(Operation::kAdd, central("os", "a b")), value_rule + "a b");
  EXPECT_EQ(refusal(Operation::kAdd, central("os", ".a")), value_rule + ".a");
  EXPECT_THAT(table.all(), IsEmpty());
  EXPECT_EQ(refusal(Operation::kAdd, central("os", "debian-12.1")), "(taken)");
}

TEST_F(Attributes, AreNotWithoutBound) {
  std::vector<NodeAttribute> many;
  for (std::size_t i = 0; i <= AttributeTable::kOfHostMax; ++i)
    many.push_back(central("a" + std::to_string(i), "x"));
  EXPECT_THAT(table.map({Operation::kAdd, {{"n1", many}}, false}).error().message,
              HasSubstr("host n1 has 0 attributes and is given 1001 more; 1000 are the most"));
}

TEST_F(Attributes, AreRestoredAsTheyWere) {
  table.restore({{"n1", "rm.yarn.io", "os", "debian"}});
  EXPECT_THAT(table.of("n1"), ElementsAre(central("os", "debian")));
}

}  // namespace
}  // namespace heddle::rm
