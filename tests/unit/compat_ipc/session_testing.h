// A session without a socket: what it sends and does is recorded.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "compat/ipc/session.h"
#include "compat/ipc/wire.h"
#include "compat/proto/yarn_service_protos.pb.h"

namespace heddle::compat::ipc::testing {

inline constexpr char kClientProtocol[] = "org.apache.hadoop.yarn.api.ApplicationClientProtocolPB";
inline constexpr char kClientId[] = "0123456789abcdef";

class FakeHost final : public SessionHost {
 public:
  void send(std::string bytes) override { sent += bytes; }
  std::uint64_t pending_bytes() const override { return pending; }
  void pause_reading() override { paused = true; }
  void resume_reading() override { paused = false; }
  void close(std::string_view reason) override { closed = std::string(reason); }
  void close_after_flush(std::string_view reason) override {
    closed = std::string(reason);
    flushed = true;
  }

  std::string sent;
  std::uint64_t pending = 0;
  bool paused = false;
  bool flushed = false;
  std::optional<std::string> closed;
};

struct ParsedAnswer {
  hc::RpcResponseHeaderProto header;
  std::string body;
};

inline std::vector<ParsedAnswer> parse_answers(std::string_view bytes) {
  std::vector<ParsedAnswer> answers;
  FrameReader reader(64 * 1024 * 1024);
  while (reader.next(bytes) == FrameReader::Event::kFrame) {
    std::string_view frame = reader.frame();
    ParsedAnswer answer;
    EXPECT_TRUE(take_message(frame, answer.header));
    if (!frame.empty()) answer.body = std::string(take_delimited(frame).value_or("broken"));
    answers.push_back(std::move(answer));
  }
  EXPECT_TRUE(bytes.empty() && !reader.mid_frame()) << "bytes are left over";
  return answers;
}

/// A ResourceManager-like service whose calls can be held back.
class SessionTest : public ::testing::Test {
 protected:
  using NewAppReply = Reply<hadoop::yarn::GetNewApplicationResponseProto>;

  SessionTest() {
    service_->on<hadoop::yarn::GetNewApplicationRequestProto,
                 hadoop::yarn::GetNewApplicationResponseProto>(
        "getNewApplication", [this](const CallContext& context, const auto&, NewAppReply reply) {
          ++executed_;
          last_caller_ = context.caller;
          if (hold_) {
            held_.push_back(std::move(reply));
          } else {
            reply(response_);
          }
        });
    service_->on<hadoop::yarn::GetApplicationReportRequestProto,
                 hadoop::yarn::GetApplicationReportResponseProto>(
        "getApplicationReport", [](const CallContext&, const auto&,
                                   Reply<hadoop::yarn::GetApplicationReportResponseProto> reply) {
          reply(fail(ErrorCode::kNotFound, "no such application"));
        });
  }

  /// Starts the session; options_ and nonce_ are read here.
  void open() {
    if (!rules_) {
      rules_ = std::make_shared<SessionRules>(
          options_, std::vector<std::shared_ptr<const ProtocolService>>{service_});
      rules_->login.nonce = [this] { return nonce_; };
    }
    session_ = std::make_shared<Session>(rules_, host_, net::Endpoint{"127.0.0.1", 4711},
                                         [this](std::function<void()> task) {
                                           if (busy_loop_) {
                                             loop_tasks_.push_back(std::move(task));
                                           } else {
                                             task();
                                           }
                                         });
  }
  void feed(std::string_view bytes) {
    if (!session_) open();
    session_->on_bytes(bytes);
  }
  std::vector<ParsedAnswer> answers() const { return parse_answers(host_.sent); }

  static std::string connection_header(char auth = kAuthNone) {
    return std::string("hrpc\x09\0", 6) + auth;
  }
  static hc::RpcRequestHeaderProto rpc_header(std::int32_t call_id, std::int32_t retry = 0) {
    hc::RpcRequestHeaderProto header;
    header.set_rpckind(hc::RPC_PROTOCOL_BUFFER);
    header.set_rpcop(hc::RpcRequestHeaderProto::RPC_FINAL_PACKET);
    header.set_callid(call_id);
    header.set_clientid(kClientId);
    header.set_retrycount(retry);
    return header;
  }
  static std::string context_frame(const std::string& user = "alice") {
    hc::IpcConnectionContextProto context;
    auto* info = context.mutable_userinfo();
    if (!user.empty()) info->set_effectiveuser(user);
    context.set_protocol(kClientProtocol);
    return encode_frame(rpc_header(kContextCallId, kNoRetryCount), &context);
  }
  static std::string call_frame(std::int32_t call_id, std::int32_t retry = 0,
                                const std::string& method = "getNewApplication") {
    hc::RequestHeaderProto request;
    request.set_methodname(method);
    request.set_declaringclassprotocolname(kClientProtocol);
    request.set_clientprotocolversion(1);
    const hadoop::yarn::GetNewApplicationRequestProto body;
    return encode_frame(rpc_header(call_id, retry), &request, &body);
  }
  static std::string sasl_frame(const hc::RpcSaslProto& message) {
    return encode_frame(rpc_header(kSaslCallId, kNoRetryCount), &message);
  }

  std::shared_ptr<ProtocolService> service_ =
      std::make_shared<ProtocolService>(kClientProtocol, 1, [](const Error& error) {
        return JavaException{"org.apache.hadoop.yarn.exceptions.ApplicationNotFoundException",
                             error.message};
      });
  ServerOptions options_;
  std::string nonce_ = std::string(40, 'n');
  std::shared_ptr<SessionRules> rules_;
  FakeHost host_;
  std::shared_ptr<Session> session_;
  hadoop::yarn::GetNewApplicationResponseProto response_;
  bool hold_ = false;
  std::vector<NewAppReply> held_;
  bool busy_loop_ = false;  // tasks wait in loop_tasks_ for a turn
  std::vector<std::function<void()>> loop_tasks_;
  int executed_ = 0;
  security::Caller last_caller_;
};

/// Lines "C>S hex" and "S>C hex" of a file in testdata.
inline std::vector<std::pair<std::string, std::string>> read_capture(const std::string& file) {
  std::ifstream in(std::string(HEDDLE_TEST_DATA) + "/" + file);
  EXPECT_TRUE(in.good()) << file;
  std::vector<std::pair<std::string, std::string>> lines;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("C>S ") || line.starts_with("S>C ")) {
      lines.emplace_back(line.substr(0, 3), hex_decode(line.substr(4)).value());
    }
  }
  return lines;
}

}  // namespace heddle::compat::ipc::testing
