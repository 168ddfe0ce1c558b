#include "base/text.h"

#include <gtest/gtest.h>

#include "base/resources.h"

namespace heddle {
namespace {

TEST(Text, Base64RoundTripsInBothAlphabets) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i)
      bytes += static_cast<char>(i * 77 + 250);
    EXPECT_EQ(*base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(*base64_decode(base64_url_encode(bytes)), bytes);
  }
  EXPECT_EQ(base64_encode("a"), "YQ==");
  EXPECT_FALSE(base64_decode("a"));
  EXPECT_FALSE(base64_decode("a b="));
}

TEST(Text, PercentDecodingRefusesCutEscapes) {
  EXPECT_EQ(*percent_decode("a%2Fb+c"), "a/b+c");
  EXPECT_EQ(*percent_decode("a+c", true), "a c");
  for (const char* text : {"%", "%2", "a%zz", "%%20"})
    EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(Text, Utf8RefusesOverlongAndSurrogates) {
  EXPECT_TRUE(is_valid_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
  for (const char* text :
       {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(is_valid_utf8(text));
  }
}

TEST(Units, ConvertExactlyOrRefuse) {
  EXPECT_EQ(*convert_unit(2, "Gi", "Mi"), 2048);
  EXPECT_EQ(*convert_unit(1024, "", "Ki"), 1);
  EXPECT_EQ(*convert_unit(1, "G", "M"), 1000);
  EXPECT_EQ(*convert_unit(1500, "m", ""), 1);
  EXPECT_FALSE(convert_unit(1, "Qi", ""));
  EXPECT_FALSE(convert_unit(INT64_MAX, "P", "p"));
  EXPECT_EQ(*convert_unit(0, "P", "p"), 0);
}

}  // namespace
}  // namespace heddle
