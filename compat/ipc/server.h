// A Hadoop IPC (version 9) server: one listening port, the protocols it serves, the ways to log in.
// Source: wire facts "ipc". I/O and framing on net:: loops; handlers answer whenever they like.
#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/message_lite.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/net/connection.h"
#include "base/result.h"
#include "base/settings.h"
#include "compat/ipc/metrics.h"
#include "security/caller.h"
#include "security/secret.h"

namespace heddle::compat::ipc {

/// The Java exception a client will see. The class name is part of the protocol.
struct JavaException {
  std::string class_name;
  std::string message;
};
/// Turns an error of a door into the exception of one protocol (see ErrorSubject).
using ExceptionMapper = std::function<JavaException(const Error&)>;

/// Runs a task on the loop thread: at once when called there, else later. Any thread.
using RunOnLoop = std::function<void(std::function<void()>)>;

/// One call, as its handler sees it. Valid until the handler returns; copy what is needed later.
struct CallContext {
  const security::Caller& caller;
  std::string_view client_id;  // 16 bytes
  std::int32_t call_id;
  std::int32_t retry_count;
  RunOnLoop on_loop = nullptr;  // of the connection; where there is none, tasks run at once
};

/// A message of many parts, which come from one piece of memory; the pointer keeps that, too.
template <class Message>
std::shared_ptr<Message> make_on_arena() {
  auto arena = std::make_shared<google::protobuf::Arena>();
  auto* message = google::protobuf::Arena::CreateMessage<Message>(arena.get());
  return {std::move(arena), message};
}

/// Answers one call, once, from any thread: serialising happens there, sending on the connection's
/// loop. Dropped unanswered it sends an error, so that no client waits for ever.
template <class Response>
class Reply {
 public:
  using Shared = Result<std::shared_ptr<Response>>;
  using Send = std::function<void(Shared)>;
  explicit Reply(Send send, RunOnLoop on_loop = nullptr)
      : send_(std::move(send)), on_loop_(std::move(on_loop)) {}
  Reply(Reply&&) noexcept = default;
  Reply& operator=(Reply&&) noexcept = default;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply() {
    if (send_) send_(fail(ErrorCode::kInternal, "the call was dropped without an answer"));
  }
  void operator()(Result<Response> response) {
    std::exchange(send_, nullptr)(shared(std::move(response)));
  }
  /// Answers with what `make` returns on the connection's loop: whoever answers is soon done.
  /// It returns a Result of the message, or of a shared_ptr to it.
  template <class Make>
  void make(Make make) {
    auto send = std::exchange(send_, nullptr);
    if (!on_loop_) return send(shared(make()));
    on_loop_([send = std::move(send), make = std::move(make)]() mutable { send(shared(make())); });
  }

 private:
  static Shared shared(Shared response) { return response; }
  static Shared shared(Result<Response> response) {
    if (!response) return fail(std::move(response).error());
    return std::make_shared<Response>(*std::move(response));
  }

  Send send_;
  RunOnLoop on_loop_;
};

/// What to do with a call that comes again, sent by its client because no answer arrived.
enum class Repeats : std::uint8_t {
  kAnswered,  // with the answer of the first execution, which is kept (see RetryCache)
  kRunAgain,  // the protocol tells repeats apart itself, or they change nothing
};

/// A protocol: a name, a version, methods. Filled before serving starts, then read only.
class ProtocolService {
 public:
  /// `name` is the declaringClassProtocolName,
  /// "org.apache.hadoop.yarn.api.ApplicationClientProtocolPB".
  ProtocolService(std::string name, std::uint64_t version, ExceptionMapper exceptions)
      : name_(std::move(name)), version_(version), exceptions_(std::move(exceptions)) {}

  /// Registers a method. The handler runs on the connection's loop thread and must not block.
  template <class Request, class Response>
  void on(std::string method,
          std::function<void(const CallContext&, const Request&, Reply<Response>)> handler,
          Repeats repeats = Repeats::kAnswered);

  /// One decoded call: parses, runs the handler, hands serialised bytes or an error to `done`
  /// (any thread, once). kInvalidArgument with subject kNone and a message that starts with
  /// "InvalidProtocolBuffer" means: the body does not parse.
  using MessagePtr = std::shared_ptr<google::protobuf::MessageLite>;
  using Done = std::function<void(Result<MessagePtr>)>;
  struct Method {
    std::function<void(const CallContext&, std::string_view body, Done done)> run;
    Repeats repeats = Repeats::kAnswered;
    void operator()(const CallContext& context, std::string_view body, Done done) const {
      run(context, body, std::move(done));
    }
  };

  const std::string& name() const { return name_; }
  std::uint64_t version() const { return version_; }
  const ExceptionMapper& exceptions() const { return exceptions_; }
  const Method* find(std::string_view method) const {
    const auto found = methods_.find(method);
    return found == methods_.end() ? nullptr : &found->second;
  }
  const std::map<std::string, Method, std::less<>>& methods() const { return methods_; }

 private:
  std::string name_;
  std::uint64_t version_;
  ExceptionMapper exceptions_;
  std::map<std::string, Method, std::less<>> methods_;
};

inline constexpr std::size_t kRequestBlock = 4'096;

inline Error unparsable_body(std::string_view method) {
  return {ErrorCode::kInvalidArgument,
          "InvalidProtocolBuffer: the request of " + std::string(method) + " does not parse"};
}

template <class Request, class Response>
void ProtocolService::on(
    std::string method,
    std::function<void(const CallContext&, const Request&, Reply<Response>)> handler,
    Repeats repeats) {
  Method adapter;
  adapter.repeats = repeats;
  adapter.run = [handler = std::move(handler), method](const CallContext& context,
                                                       std::string_view body, Done done) {
    // Small requests, nearly all, take no memory of their own.
    alignas(std::max_align_t) std::array<char, kRequestBlock> block;
    google::protobuf::Arena arena(block.data(), block.size());
    Request& request = *google::protobuf::Arena::CreateMessage<Request>(&arena);
    if (!request.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
      done(fail(unparsable_body(method)));
      return;
    }
    handler(context, request,
            Reply<Response>(
                [done = std::move(done)](Result<std::shared_ptr<Response>> response) {
                  if (!response) {
                    done(fail(std::move(response).error()));
                    return;
                  }
                  done(*std::move(response));
                },
                context.on_loop));
  };
  methods_.insert_or_assign(std::move(method), std::move(adapter));
}

/// What a token proves: its password, and who is calling then.
struct TokenLogin {
  security::Secret password;
  security::Caller caller;
};

struct ServerOptions {
  std::string host;
  std::uint16_t port = 0;  // 0 = any free port
  bool simple_allowed = true;
  /// Set where the port accepts tokens (SASL DIGEST-MD5). Called on a loop thread with the token
  /// identifier; must not block. kUnauthenticated becomes SecretManager$InvalidToken.
  std::function<Result<TokenLogin>(std::string_view identifier)> token_login;
  std::uint32_t frame_max = 128_MiB;  // ipc.maximum.data.length
  // A connection is not read further while that many of its calls are unanswered, or these came in
  // that many bytes, or it has one unanswered and all connections together that many bytes.
  std::size_t queued_calls_max = 1'000;
  std::size_t queued_bytes_max = 64_MiB;
  std::size_t queued_bytes_of_all_max = 512_MiB;
  Duration negotiation_timeout = std::chrono::seconds(30);  // from accept to a logged-in caller
  Duration progress_timeout = std::chrono::seconds(60);     // a frame begun must get on
  /// Answers kept for retries (same client id and call id, retry count > 0).
  std::size_t retry_cache_max = 10'000;
  std::string web_address;  // told to people who point a browser at this port
  net::Listener::Limits connections;
  std::shared_ptr<ServerMetrics> metrics;  // made where it is not given
  const Clock* clock = nullptr;            // for the time calls take; not measured without
};

/// The limits that an operator may set, on top of `options`: ipc.maximum.data.length,
/// ipc.server.max.connections, heddle.ipc.connections-per-host.max. kInvalidArgument names one.
Result<ServerOptions> with_configured_limits(const Settings& settings, ServerOptions options);

class Server {
 public:
  static Result<std::unique_ptr<Server>> listen(
      net::EventLoops& loops, ServerOptions options,
      const std::vector<std::shared_ptr<const ProtocolService>>& protocols);
  virtual ~Server() = default;
  virtual net::Endpoint endpoint() const = 0;
};

}  // namespace heddle::compat::ipc
