#include "compat/xml/parse_file.h"

#include <gmock/gmock.h>

namespace heddle::compat::xml {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string in_configuration(std::string_view body) {
  return "<configuration>\n" + std::string(body) + "\n</configuration>";
}

ParsedFile parsed(std::string_view body) {
  auto file = parse_file(in_configuration(body), "yarn-site.xml");
  EXPECT_TRUE(file.has_value()) << file.error().message;
  return file ? *std::move(file) : ParsedFile{};
}

Error refused(std::string_view text) {
  auto file = parse_file(text, "yarn-site.xml");
  EXPECT_FALSE(file.has_value());
  return file ? Error{} : file.error();
}

TEST(ParseFile, ReadsNameValueFinalAndLine) {
  const auto file =
      parsed("\n<property>\n<name> a.b </name><value>7</value><final>true</final></property>");
  ASSERT_THAT(file.entries, SizeIs(1));
  EXPECT_EQ(file.entries[0].name, "a.b");
  EXPECT_EQ(file.entries[0].value, "7");
  EXPECT_TRUE(file.entries[0].is_final);
  EXPECT_EQ(file.entries[0].source, "yarn-site.xml:3");
}

TEST(ParseFile, ReadsPropertiesWrittenAsAttributes) {
  const auto file = parsed(R"(<property name="a" value="b" final="TRUE"/>)");
  ASSERT_THAT(file.entries, SizeIs(1));
  EXPECT_EQ(file.entries[0].value, "b");
  EXPECT_TRUE(file.entries[0].is_final);
}

TEST(ParseFile, KeepsTheTextAroundCommentsAndCdata) {
  const auto file =
      parsed("<property><name>a</name><value>x<!-- y -->z<![CDATA[<&>]]></value></property>");
  ASSERT_THAT(file.entries, SizeIs(1));
  EXPECT_EQ(file.entries[0].value, "xz<&>");
}

TEST(ParseFile, ReplacesTheEntitiesOfXml) {
  const auto file =
      parsed("<property><name>a</name><value>&lt;&amp;&#65;&#x42;</value></property>");
  ASSERT_THAT(file.entries, SizeIs(1));
  EXPECT_EQ(file.entries[0].value, "<&AB");
}

TEST(ParseFile, TakesAnEmptyValueButNotAMissingOne) {
  const auto file =
      parsed("<property><name>a</name><value/></property><property><name>b</name></property>");
  ASSERT_THAT(file.entries, SizeIs(1));
  EXPECT_EQ(file.entries[0].value, "");
  EXPECT_THAT(file.warnings,
              ::testing::ElementsAre(HasSubstr("property 'b' ignored: it has no value")));
}

TEST(ParseFile, WarnsAboutElementsThatMeanNothing) {
  EXPECT_THAT(parsed("<proprety/>").warnings,
              ::testing::ElementsAre(HasSubstr("yarn-site.xml:2: <proprety>")));
}

TEST(ParseFile, AcceptsAByteOrderMarkAndADoctypeWithoutDeclarations) {
  const auto file =
      parse_file("\xEF\xBB\xBF<?xml version='1.0'?><!DOCTYPE configuration><configuration/>", "f");
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_THAT(file->entries, IsEmpty());
}

TEST(ParseFile, NamesLineAndColumnOfBrokenXml) {
  const Error error =
      refused("<configuration>\n  <property><name>a</nome></property>\n</configuration>");
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("yarn-site.xml: line 2, column "));
}

TEST(ParseFile, RefusesXInclude) {
  const Error error = refused(in_configuration("<xi:include href='/etc/passwd'/>"));
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message,
              HasSubstr("yarn-site.xml:2: XInclude (<xi:include>) is not supported yet"));
}

TEST(ParseFile, RefusesXIncludeInsideAValue) {
  const Error error = refused(
      in_configuration("<property><name>a</name><value><xi:include href='x'/></value></property>"));
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
}

TEST(ParseFile, RefusesABillionLaughs) {
  const Error error = refused(
      "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><configuration>&b;</configuration>");
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("DOCTYPE"));
}

TEST(ParseFile, RefusesAnExternalSubset) {
  EXPECT_EQ(refused("<!DOCTYPE x [ %remote; ]><configuration/>").code, ErrorCode::kUnsupported);
}

TEST(ParseFile, RefusesAnEntityThatXmlDoesNotHave) {
  EXPECT_THAT(
      refused(in_configuration("<property><name>a</name><value>b&c;</value></property>")).message,
      HasSubstr("line 2, column 33: '&c' is no entity of XML"));
}

TEST(ParseFile, LeavesAmpersandsInCommentsAlone) {
  EXPECT_THAT(
      parsed("<!-- a & b --><property><name>a</name><value><![CDATA[x&y]]></value></property>")
          .entries,
      SizeIs(1));
}

TEST(ParseFile, RefusesAnotherOutermostElement) {
  EXPECT_THAT(refused("<html/>").message, HasSubstr("<html>, not <configuration>"));
}

TEST(ParseFile, RefusesEmptyTextAndZeroBytes) {
  EXPECT_THAT(refused("").message, HasSubstr("line 1, column 1"));
  EXPECT_THAT(refused(std::string_view("<configuration>\0</configuration>", 32)).message,
              HasSubstr("zero byte"));
}

TEST(ParseFile, RefusesAFileAboveTheLimit) {
  const Error error = refused(std::string(kFileBytesMax + 1, ' '));
  EXPECT_EQ(error.code, ErrorCode::kLimitExceeded);
  EXPECT_THAT(error.message, HasSubstr("8388608 bytes"));
}

TEST(ParseFile, SurvivesDeepNesting) {
  std::string deep = "<configuration>";
  for (int i = 0; i < 200'000; ++i)
    deep += "<a>";
  for (int i = 0; i < 200'000; ++i)
    deep += "</a>";
  const auto file = parse_file(deep + "</configuration>", "f");
  ASSERT_TRUE(file.has_value());
  EXPECT_THAT(file->entries, IsEmpty());
}

}  // namespace
}  // namespace heddle::compat::xml
