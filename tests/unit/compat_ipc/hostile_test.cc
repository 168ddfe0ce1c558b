// Broken and hostile bytes: each has one stated end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/compat_ipc/session_testing.h"

namespace heddle::compat::ipc::testing {
namespace {

using ::testing::HasSubstr;
using Code = hc::RpcResponseHeaderProto;

class HostileTest : public SessionTest {
 protected:
  static std::string frame(const std::string& content) {
    std::string out;
    append_int32(out, static_cast<std::int32_t>(content.size()));
    return out + content;
  }
  static std::string delimited(const google::protobuf::MessageLite& message) {
    std::string out;
    append_delimited(out, message);
    return out;
  }
  void expect_fatal(const char* class_name, Code::RpcErrorCodeProto detail,
                    const std::string& text) {
    const auto all = answers();
    ASSERT_FALSE(all.empty());
    const auto& header = all.back().header;
    EXPECT_EQ(header.status(), Code::FATAL);
    EXPECT_EQ(header.exceptionclassname(), class_name);
    EXPECT_EQ(header.errordetail(), detail);
    EXPECT_THAT(header.errormsg(), HasSubstr(text));
    EXPECT_TRUE(host_.flushed) << "closed after the answer has left";
    EXPECT_EQ(executed_, 0);
  }
  void start() { feed(connection_header() + context_frame()); }
};

TEST_F(HostileTest, RandomFirstBytesAreNoHadoopClient) {
  feed("\x01\x02\x03\x04\x05\x06\x07");
  EXPECT_TRUE(host_.closed.has_value());
}

TEST_F(HostileTest, AnHttpRequestIsToldTheWebAddress) {
  options_.web_address = "http://rm.example.org:8088/";
  feed("GET /");
  EXPECT_THAT(host_.sent, ::testing::StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(host_.sent, HasSubstr("http://rm.example.org:8088/"));
  EXPECT_TRUE(host_.flushed);
}

TEST_F(HostileTest, ATlsClientHelloIsClosedAtOnce) {
  feed(std::string("\x16\x03\x01\x02\x00\x01\x00", 7));
  EXPECT_EQ(host_.closed, "TLS on plain RPC port");
  EXPECT_EQ(host_.sent, "");
}

TEST_F(HostileTest, Version2GetsItsOwnForm) {
  feed(std::string("hrpc\x02\0\0", 7));
  EXPECT_THAT(host_.sent, ::testing::StartsWith(std::string("\0\0\0\0\x01\0\0\0\x29org", 12)));
}

TEST_F(HostileTest, ANegativeLengthClosesWithoutAnswer) {
  start();
  feed("\xff\xff\xff\xff");
  EXPECT_THAT(host_.closed.value_or(""), HasSubstr("-1"));
  EXPECT_EQ(host_.sent, "");
}

TEST_F(HostileTest, ALengthAboveTheLimitClosesNamingBothNumbers) {
  options_.frame_max = 1000;
  start();
  feed(std::string("\0\0\x03\xe9", 4));
  EXPECT_THAT(host_.closed.value_or(""), HasSubstr("1001"));
  EXPECT_THAT(host_.closed.value_or(""), HasSubstr("1000 (ipc.maximum.data.length)"));
}

TEST_F(HostileTest, AStrangerMaySendOnlySmallFrames) {
  feed(connection_header() + std::string("\0\x20\0\0", 4));  // 2 MiB
  EXPECT_THAT(host_.closed.value_or(""), HasSubstr("before the login; the limit is 1048576"));
}

TEST_F(HostileTest, AFrameThatIsPromisedTakesNoMemoryBeforeItComes) {
  start();
  feed(std::string("\x06\x40\0\0abc", 7));  // 100 MiB
  EXPECT_TRUE(session_->mid_frame());
  EXPECT_LT(session_->partial_size(), 16U);
}

TEST_F(HostileTest, AHalfFrameRunsNothing) {
  start();
  feed(call_frame(1).substr(0, 40));
  EXPECT_EQ(executed_, 0);
  EXPECT_TRUE(session_->mid_frame());
}

TEST_F(HostileTest, AVarintOfElevenBytesIsAnInvalidHeader) {
  start();
  feed(frame(std::string(10, '\x80') + '\x01'));
  expect_fatal(java::kRpcServerException, Code::FATAL_INVALID_RPC_HEADER, "length");
}

TEST_F(HostileTest, AnEmptyFrameIsAnInvalidHeader) {
  start();
  feed(frame(""));
  expect_fatal(java::kRpcServerException, Code::FATAL_INVALID_RPC_HEADER, "length");
}

TEST_F(HostileTest, AHeaderLongerThanItsFrameIsAnInvalidHeader) {
  start();
  feed(frame("\x7f\x08\x02"));
  expect_fatal(java::kRpcServerException, Code::FATAL_INVALID_RPC_HEADER, "length");
}

TEST_F(HostileTest, AHeaderThatDoesNotParseEndsTheConnection) {
  start();
  feed(frame("\x02\xff\xff"));
  expect_fatal(java::kRpcServerException, Code::FATAL_DESERIALIZING_REQUEST, "does not parse");
}

TEST_F(HostileTest, AHeaderNestedTenThousandDeepMeetsTheRecursionLimit) {
  start();
  std::string nested;
  for (int i = 0; i < 10'000; ++i)
    nested += "\x7b";  // group 15 begins
  std::string content;
  content += '\x90';
  content += '\x4e';  // varint 10000
  feed(frame(content + nested));
  expect_fatal(java::kRpcServerException, Code::FATAL_DESERIALIZING_REQUEST, "does not parse");
}

TEST_F(HostileTest, AHeaderWithoutRpcKindIsRefused) {
  start();
  auto header = rpc_header(1);
  header.clear_rpckind();
  feed(frame(delimited(header)));
  expect_fatal(java::kRpcServerException, Code::FATAL_INVALID_RPC_HEADER, "rpcKind");
}

TEST_F(HostileTest, AHeaderWithoutRpcOpIsRefused) {
  start();
  auto header = rpc_header(1);
  header.clear_rpcop();
  feed(frame(delimited(header)));
  expect_fatal(java::kRpcServerException, Code::FATAL_INVALID_RPC_HEADER, "rpcOp");
}

TEST_F(HostileTest, AnotherRpcOpIsRefused) {
  start();
  auto header = rpc_header(1);
  header.set_rpcop(hc::RpcRequestHeaderProto::RPC_CLOSE_CONNECTION);
  feed(frame(delimited(header)));
  expect_fatal(java::kRpcServerException, Code::FATAL_INVALID_RPC_HEADER, "RPC_CLOSE_CONNECTION");
}

TEST_F(HostileTest, ACallWithoutBodyIsRefused) {
  start();
  feed(frame(delimited(rpc_header(1))));
  expect_fatal(java::kRpcServerException, Code::FATAL_INVALID_RPC_HEADER, "length");
}

TEST_F(HostileTest, SaslOnAPlainConnectionIsRefused) {
  start();
  hc::RpcSaslProto message;
  message.set_state(hc::RpcSaslProto::NEGOTIATE);
  feed(sasl_frame(message));
  expect_fatal(java::kRpcServerException, Code::FATAL_INVALID_RPC_HEADER, "SASL");
}

TEST_F(HostileTest, AContextInTheMiddleOfSaslIsRefused) {
  feed(connection_header(kAuthSasl) + context_frame());
  expect_fatal(java::kRpcServerException, Code::FATAL_INVALID_RPC_HEADER, "SASL");
}

TEST_F(HostileTest, ASaslMessageThatDoesNotParseIsRefused) {
  feed(connection_header(kAuthSasl) +
       frame(delimited(rpc_header(kSaslCallId, -1)) + std::string("\x02\xff\xff")));
  expect_fatal(java::kRpcServerException, Code::FATAL_DESERIALIZING_REQUEST, "SASL");
}

TEST_F(HostileTest, PingsAloneNeverCountAsALogin) {
  feed(connection_header());
  for (int i = 0; i < 100; ++i)
    feed(frame(delimited(rpc_header(kPingCallId, -1))));
  EXPECT_FALSE(session_->logged_in());
  EXPECT_EQ(host_.sent, "");
}

TEST_F(HostileTest, NothingIsReadAfterAFatalAnswer) {
  feed(connection_header() + call_frame(1) + context_frame() + call_frame(2));
  EXPECT_EQ(answers().size(), 1U);
  EXPECT_EQ(executed_, 0);
}

TEST_F(HostileTest, APeerThatLeavesInTheMiddleOfAFrameIsCounted) {
  start();
  feed(call_frame(1).substr(0, 40));
  session_->on_closed();
  EXPECT_EQ(rules_->metrics().broken_off, 1U);
  EXPECT_EQ(executed_, 0);
}

TEST_F(HostileTest, WhatWeEndIsCounted) {
  start();
  feed("\xff\xff\xff\xff");
  EXPECT_EQ(rules_->metrics().dropped, 1U);
  EXPECT_EQ(rules_->metrics().broken_off, 0U);
}

TEST_F(HostileTest, NamesThatAreNoneAreRefusedByTheRule) {
  for (const std::string& name :
       {std::string("../x"), std::string("-rf"), std::string(300, 'a'), std::string("a b"),
        std::string("a\nb"), std::string(".."), std::string("a/b@EVIL"), std::string("\xff")}) {
    session_.reset();
    host_ = {};
    feed(connection_header() + context_frame(name));
    expect_fatal(java::kAccessControl, Code::FATAL_UNAUTHORIZED, "is not a user name");
    EXPECT_FALSE(session_->logged_in());
  }
  EXPECT_EQ(rules_->metrics().failed_logins, 8U);
}

}  // namespace
}  // namespace heddle::compat::ipc::testing
