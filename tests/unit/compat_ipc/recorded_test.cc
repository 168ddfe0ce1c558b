// Bytes of real Hadoop clients and the answers of real daemons.
#include <gmock/gmock.h>
#include <google/protobuf/io/coded_stream.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "tests/unit/compat_ipc/session_testing.h"

namespace heddle::compat::ipc::testing {
namespace {

class RecordedTest : public SessionTest {
 protected:
  void answer_like(std::string_view recorded_frame) {
    std::string_view rest = recorded_frame.substr(4);
    hc::RpcResponseHeaderProto header;
    ASSERT_TRUE(take_message(rest, header));
    ASSERT_TRUE(take_message(rest, response_));
  }
  void replay(const std::string& file) {
    const auto capture = read_capture(file);
    ASSERT_EQ(capture.size(), 4U);
    answer_like(capture[3].second);
    for (int i = 0; i < 3; ++i)
      feed(capture[static_cast<std::size_t>(i)].second);
    EXPECT_EQ(hex_encode(host_.sent), hex_encode(capture[3].second));
    EXPECT_EQ(last_caller_.user, "alice");
  }
  void accept_recorded_token(const std::string& user) {
    options_.simple_allowed = false;
    options_.token_login = [user](std::string_view identifier) -> Result<TokenLogin> {
      if (hex_encode(identifier) != "0a0d0a09080210ebc9c286a03410011095fa92d0f9ffffffff01") {
        return fail(ErrorCode::kUnauthenticated, "not the recorded token");
      }
      TokenLogin login;
      login.password =
          security::Secret(hex_decode("ddddee08a96da35cd293f5328d777bc20650ec59").value());
      login.caller.user = user;
      login.caller.method = security::AuthMethod::kToken;
      return login;
    };
    nonce_ = "BozyjVhW1nvPgzpOSkO3Hh+XKbXzR5BnxJpg2E83";
  }
};

TEST_F(RecordedTest, YarnClient342GetsTheVeryBytesOfARealResourceManager) {
  replay("simple_client.txt");
}

TEST_F(RecordedTest, YarnClient210GetsTheVeryBytesOfARealResourceManager) {
  replay("client_2_10.txt");
}

TEST_F(RecordedTest, TheAnswerIsTheSameWhenBytesComeOneByOne) {
  const auto capture = read_capture("simple_client.txt");
  answer_like(capture[3].second);
  for (std::size_t i = 0; i < 3; ++i) {
    for (const char c : capture[i].second)
      feed({&c, 1});
  }
  EXPECT_EQ(hex_encode(host_.sent), hex_encode(capture[3].second));
}

TEST_F(RecordedTest, AnApplicationMasterLogsInWithItsToken) {
  accept_recorded_token("appattempt_1");
  const auto capture = read_capture("am_token.txt");
  feed(capture[0].second);
  feed(capture[1].second);
  EXPECT_EQ(hex_encode(host_.sent), hex_encode(capture[2].second)) << "NEGOTIATE";
  host_.sent.clear();
  feed(capture[3].second);
  EXPECT_EQ(hex_encode(host_.sent), hex_encode(capture[4].second)) << "SUCCESS with rspauth";
  host_.sent.clear();
  feed(capture[5].second);
  feed(capture[6].second);
  ASSERT_EQ(answers().size(), 1U);  // the protocol of this call is not served here
  EXPECT_EQ(answers()[0].header.exceptionclassname(), java::kNoSuchProtocol);
  feed(call_frame(99));
  EXPECT_EQ(last_caller_.user, "appattempt_1");
  EXPECT_EQ(last_caller_.method, security::AuthMethod::kToken);
}

struct RecordedError {
  std::string name;
  std::string input;
  std::string answer_hex;
};
void PrintTo(const RecordedError& error, std::ostream* out) {
  *out << error.name;
}

std::vector<RecordedError> recorded_errors() {
  std::ifstream in(std::string(HEDDLE_TEST_DATA) + "/recorded_errors.txt");
  std::vector<RecordedError> errors;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("case ")) errors.push_back({line.substr(5), "", ""});
    if (line.starts_with("C>S ")) errors.back().input = hex_decode(line.substr(4)).value();
    if (line.starts_with("S>C ")) errors.back().answer_hex = line.substr(4);
  }
  return errors;
}

/// The fields of a response header whose frame is cut off, as texts by number; the last one may be
/// cut off too.
std::map<int, std::string> cut_header(std::string_view frame) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(frame.data());
  google::protobuf::io::CodedInputStream in(bytes, static_cast<int>(frame.size()));
  std::uint32_t length = 0;
  EXPECT_TRUE(in.Skip(4) && in.ReadVarint32(&length));
  std::map<int, std::string> fields;
  while (const std::uint32_t tag = in.ReadTag()) {
    std::string& text = fields[static_cast<int>(tag >> 3U)];
    std::uint32_t value = 0;
    if (!in.ReadVarint32(&value)) break;
    if ((tag & 7U) == 0) {
      text = std::to_string(value);
    } else {
      const int left = static_cast<int>(frame.size()) - in.CurrentPosition();
      in.ReadString(&text, std::min(static_cast<int>(value), left));
    }
  }
  return fields;
}

class RecordedErrorTest : public RecordedTest, public ::testing::WithParamInterface<RecordedError> {
 protected:
  void SetUp() override {
    const auto& [name, input, answer_hex] = GetParam();
    if (name.find("sasl") != std::string::npos) accept_recorded_token("nobody");
    options_.simple_allowed = name.find("scheduler port") == std::string::npos;
    if (!options_.simple_allowed) accept_recorded_token("nobody");
    if (!answer_hex.ends_with("...")) {
      const std::string answer = hex_decode(answer_hex).value();
      const std::size_t nonce = answer.find("nonce=\"");
      if (nonce != std::string::npos) nonce_ = answer.substr(nonce + 7, 40);
      if (answer[5] == 0x08 && answer[8] == 0x00) answer_like(answer);
    }
  }
};

TEST_P(RecordedErrorTest, IsAnsweredAsByARealDaemon) {
  const auto& [name, input, answer_hex] = GetParam();
  feed(input);
  if (!answer_hex.ends_with("...")) {
    EXPECT_EQ(hex_encode(host_.sent), answer_hex);
    return;
  }
  // The real message goes on with a stack trace; all before it must be equal.
  const auto recorded = cut_header(hex_decode(answer_hex.substr(0, answer_hex.size() - 3)).value());
  const auto header = answers().at(0).header;
  EXPECT_EQ(std::to_string(header.callid()), recorded.at(1));
  EXPECT_EQ(std::to_string(header.status()), recorded.at(2));
  EXPECT_EQ(std::to_string(header.serveripcversionnum()), recorded.at(3));
  EXPECT_EQ(header.exceptionclassname(), recorded.at(4));
  // What does not parse, each protobuf library tells in its own words.
  if (name != "bad body") {
    EXPECT_THAT(header.errormsg(),
                ::testing::StartsWith(recorded.at(5).substr(0, recorded.at(5).find('\n'))));
  }
  EXPECT_EQ(header.clientid(), kClientId);
  EXPECT_FALSE(host_.closed.has_value());
}

INSTANTIATE_TEST_SUITE_P(Errors, RecordedErrorTest, ::testing::ValuesIn(recorded_errors()),
                         [](const auto& test) {
                           std::string name;
                           for (const char c : test.param.name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
                           }
                           return name;
                         });

}  // namespace
}  // namespace heddle::compat::ipc::testing
