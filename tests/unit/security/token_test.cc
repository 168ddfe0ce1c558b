#include "security/token.h"

#include <gtest/gtest.h>

namespace heddle::security {
namespace {

Credentials sample() {
  Credentials credentials;
  credentials.tokens["rm"] = Token{"id", Secret("pw"), "YARN_AM_RM_TOKEN", "10.0.0.5:8030"};
  credentials.secrets["MapReduceShuffleToken"] = Secret("12345678");
  return credentials;
}

TEST(Credentials, SurviveEncoding) {
  const auto decoded = decode_credentials(encode_credentials(sample()));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->tokens.at("rm").service, "10.0.0.5:8030");
  EXPECT_EQ(decoded->secrets.at("MapReduceShuffleToken").reveal_bytes(), "12345678");
  EXPECT_EQ(encode_credentials(Credentials{}), std::string("HDTS\0\0\0", 7));
}

TEST(Credentials, OfASparkExecutorAreFollowedByZeros) {
  const auto decoded = decode_credentials(encode_credentials(sample()) + std::string(17, '\0'));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->tokens.size(), 1U);
}

TEST(Credentials, CutAnywhereAreRefusedWithoutShowingThem) {
  const std::string whole = encode_credentials(sample());
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto decoded = decode_credentials(whole.substr(0, size));
    ASSERT_FALSE(decoded) << size;
    EXPECT_EQ(decoded.error().message.find("12345678"), std::string::npos);
  }
}

std::string field(int number, const std::string& bytes) {
  return static_cast<char>(number << 3 | 2) + (static_cast<char>(bytes.size()) + bytes);
}

/// What sample() is in protobuf, without its length in front.
std::string sample_message() {
  const std::string token =
      field(1, "id") + field(2, "pw") + field(3, "YARN_AM_RM_TOKEN") + field(4, "10.0.0.5:8030");
  return field(1, field(1, "rm") + field(2, token)) +
         field(2, field(1, "MapReduceShuffleToken") + field(3, "12345678"));
}

TEST(Credentials, InProtobufAreReadToo) {
  const std::string message = sample_message();
  ASSERT_LT(message.size(), 128U);
  const auto decoded =
      decode_credentials(std::string("HDTS\x01") + static_cast<char>(message.size()) + message);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(encode_credentials(*decoded), encode_credentials(sample()));
}

TEST(Credentials, InProtobufCutAnywhereAreRefused) {
  const std::string message = sample_message();
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(decode_credentials(std::string("HDTS\x01") + static_cast<char>(message.size()) +
                                    message.substr(0, size)))
        << size;
  }
}

TEST(Credentials, OfAnUnknownVersionAreRefused) {
  EXPECT_FALSE(decode_credentials(std::string("HDTS\x07\0\0", 7)));
  EXPECT_FALSE(decode_credentials("GIF89a"));
}

TEST(Writable, LongsHaveHadoopsBytes) {
  const std::pair<std::int64_t, std::string> vectors[] = {
      {0, std::string(1, '\0')},
      {127, "\x7f"},
      {-1, "\xff"},
      {-112, "\x90"},
      {128, "\x8f\x80"},
      {-113, "\x87\x70"},
      {256, std::string("\x8e\x01\x00", 3)},
      {-129, std::string("\x87\x80", 2)},
      {INT64_MIN, std::string("\x80\x7f\xff\xff\xff\xff\xff\xff\xff", 9)}};
  for (const auto& [value, bytes] : vectors) {
    std::string out;
    append_vlong(out, value);
    EXPECT_EQ(out, bytes) << value;
    EXPECT_EQ(*WritableReader(bytes).vlong(), value);
  }
}

}  // namespace
}  // namespace heddle::security
