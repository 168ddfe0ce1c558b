// The server side of one IPC connection: bytes in, frames out. Knows no socket and no timer; both
// come through SessionHost, so that tests and the fuzzer drive it directly.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "compat/ipc/negotiation.h"
#include "compat/ipc/retry_cache.h"
#include "compat/ipc/server.h"
#include "compat/ipc/wire.h"
#include "compat/proto/IpcConnectionContext.pb.h"
#include "compat/proto/ProtobufRpcEngine2.pb.h"

namespace heddle::compat::ipc {

/// What all sessions of a server share. Read only but for the cache.
struct SessionRules {
  SessionRules(ServerOptions options_in,
               const std::vector<std::shared_ptr<const ProtocolService>>& services);

  const ServerOptions options;
  std::map<std::string, std::shared_ptr<const ProtocolService>, std::less<>> protocols;
  RetryCache retry_cache;
  Negotiation::Rules login;
  std::atomic<std::size_t> running_bytes{0};  // frames of the calls under way, of all sessions
  ServerMetrics& metrics() const { return *options.metrics; }

  /// A log line about a bad peer: the first 20, then the 32nd, 64th, 128th, ... Any thread.
  void complain(const net::Endpoint& peer, std::string_view about);

 private:
  std::atomic<std::uint64_t> complaints_{0};
};

/// The connection as a session sees it. Loop thread only.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual void send(std::string bytes) = 0;
  virtual std::uint64_t pending_bytes() const = 0;  // sent, and not yet with the kernel
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  virtual void close(std::string_view reason) = 0;
  virtual void close_after_flush(std::string_view reason) = 0;
};

/// Loop thread only. Owned by a shared_ptr: answers that come late find it gone.
class Session : public std::enable_shared_from_this<Session> {
 public:
  /// A slow reader: reading stops while this much of our answers is unsent.
  static constexpr std::uint64_t kUnsentMax = 4_MiB;
  /// The longest frame of a peer that has not logged in: no stranger takes much memory.
  static constexpr std::uint32_t kLoginFrameMax = 1_MiB;

  Session(std::shared_ptr<SessionRules> rules, SessionHost& host, net::Endpoint peer,
          RunOnLoop run_on_loop);

  void on_bytes(std::string_view bytes);
  void on_drained();
  void on_closed();

  bool logged_in() const { return context_seen_; }
  bool reading_stopped() const { return stopped_; }
  bool mid_frame() const { return header_seen_ && reader_.mid_frame(); }
  /// Bytes of the frame under way, and how many frames came before it: together they tell whether
  /// a peer makes progress.
  std::size_t partial_size() const { return reader_.partial_size(); }
  std::uint64_t frames() const { return reader_.frames(); }

 private:
  struct Call {
    std::int32_t id;
    std::int32_t retry_count;
    std::string client_id;
    std::size_t size;  // bytes of its frame
  };
  struct Running;

  void process(std::string_view& bytes);
  bool read_connection_header(std::string_view& bytes);
  void check_header(std::string_view header);
  void answer_old_version(int version);
  void process_frame(std::string_view frame);
  bool check_rpc_header();
  void process_out_of_band(std::string_view rest);
  void process_sasl(std::string_view rest);
  void process_context(std::string_view rest);
  void process_call(std::string_view rest, std::size_t frame_size);
  void run_call(Call call, std::string_view body);
  void answer_call(const Call& call, const Answer& answer);
  const ProtocolService::Method* find_method(const Call& call, const ProtocolService*& service);
  void refuse_call(const Call& call, JavaException exception,
                   hc::RpcResponseHeaderProto::RpcErrorCodeProto detail);
  void fatal(std::int32_t call_id, std::int32_t retry_count, const Refusal& refusal);
  void fatal_header(const std::string& message);
  void drop(const std::string& reason);
  void send(std::string bytes);
  std::string bad_length() const;
  bool must_stop_reading() const;
  bool holds_too_much() const;
  void resume_if_possible();

  const std::shared_ptr<SessionRules> rules_;
  SessionHost& host_;
  const net::Endpoint peer_;
  const RunOnLoop run_on_loop_;

  std::string header_bytes_;  // of the connection header, while incomplete
  bool header_seen_ = false;
  bool sasl_ = false;
  bool context_seen_ = false;
  bool closed_ = false;
  bool stopped_ = false;     // reading is paused: too much is unanswered
  bool processing_ = false;  // guards against re-entry from answers given at once
  std::string held_;         // input that came before reading stopped
  FrameReader reader_;
  Negotiation negotiation_;
  security::Caller caller_;
  std::size_t unanswered_ = 0;
  std::size_t unanswered_bytes_ = 0;

  hc::RpcRequestHeaderProto header_;       // of the frame at hand; kept for its memory
  hc::RequestHeaderProto request_header_;  // likewise
};

}  // namespace heddle::compat::ipc
