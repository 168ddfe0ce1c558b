// One client connection to a Hadoop RPC port, cheap enough that the load it makes costs little
// beside the server it loads: no timer, no lock and no allocation of its own for a call. It does
// not reconnect: a connection that breaks ends the measurement.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/net/connection.h"
#include "base/result.h"
#include "compat/ipc/wire.h"
#include "compat/proto/ProtobufRpcEngine2.pb.h"
#include "security/digest_md5.h"
#include "security/token.h"

namespace heddle::load {

namespace hc = ::hadoop::common;

struct Server {
  std::string host;
  std::uint16_t port = 0;
};

/// What came back of a call.
struct Answer {
  bool ok = false;
  std::string_view body;  // of the response message; valid during the call that hands it over
  std::string exception;  // "class: message", when not ok
};

/// Takes answers, on the channel's loop thread.
class Caller {
 public:
  virtual ~Caller() = default;
  /// `tag` is what the call was made with.
  virtual void answered(std::uint32_t tag, const Answer& answer) = 0;
};

/// Loop thread only.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  struct Options {
    Server server;
    std::string protocol;                  // "org.apache.hadoop.yarn....PB"
    std::string user;                      // SIMPLE, without a token
    std::optional<security::Token> token;  // SASL DIGEST-MD5
  };
  /// `broken` is called at most once after `open` succeeded, with the reason.
  Channel(net::EventLoop& loop, Options options, std::function<void(const std::string&)> broken);

  /// Connects and logs in; `ready` comes once.
  void open(std::function<void(Result<void>)> ready);
  /// `caller` outlives the channel. Only after `ready` reported success.
  void call(const char* method, const google::protobuf::MessageLite& request, Caller& caller,
            std::uint32_t tag);
  void close();

 private:
  class Wire;
  enum class State : std::uint8_t { kNew, kNegotiating, kReady, kClosed };
  struct Pending {
    std::int32_t id = -1;  // -1 = free
    std::uint32_t tag = 0;
    Caller* caller = nullptr;
  };

  void connected(Result<std::shared_ptr<net::Connection>> connection);
  void send_out_of_band(std::int32_t call_id, const google::protobuf::MessageLite& message);
  void send_context();
  void on_bytes(std::string_view bytes);
  void process_frame(std::string_view frame);
  void process_sasl(std::string_view rest);
  void answer_offer(const hc::RpcSaslProto& offer);
  void finish(std::int32_t id, const Answer& answer);
  void end(const std::string& why);
  std::int32_t take_id(std::uint32_t tag, Caller& caller);

  net::EventLoop& loop_;
  const Options options_;
  const std::string client_id_;
  std::function<void(const std::string&)> broken_;
  std::function<void(Result<void>)> ready_;

  State state_ = State::kNew;
  std::shared_ptr<net::Connection> wire_;
  compat::ipc::FrameReader reader_;
  std::optional<security::DigestMd5Client> digest_;
  std::vector<Pending> pending_;  // by id modulo its size, a power of two
  std::int32_t next_id_ = 0;
  hc::RpcRequestHeaderProto header_;       // kept for their memory
  hc::RequestHeaderProto request_header_;  //
  hc::RpcResponseHeaderProto response_;    //
};

}  // namespace heddle::load
