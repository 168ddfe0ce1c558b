// HTTP/1.1 messages and the server. The parser underneath is Beast's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/net/connection.h"
#include "base/net/event_loop.h"
#include "base/result.h"

namespace heddle::net {

/// Header fields in order; names compare without case; several of one name are kept.
class HttpFields {
 public:
  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  void set(std::string_view name, std::string value);    // replaces all of that name
  const std::string* find(std::string_view name) const;  // the first, or nullptr
  std::string_view get(std::string_view name) const;     // the first, or ""
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// Query parameters, decoded, in order. A parameter without '=' has the value "".
using HttpQuery = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  // as sent, upper case by convention
  std::string target;  // as sent: "/ws/v1/cluster/apps?states=RUNNING"
  std::string path;    // percent-decoded once, without query; always starts with '/'
  HttpQuery query;
  HttpFields headers;
  std::string body;  // whole; limited by HttpLimits::body_max
  bool keep_alive = true;
  Endpoint peer;

  const std::string* query_value(std::string_view name) const;  // the first, or nullptr
};

/// Splits and decodes a query string. kInvalidArgument: a broken percent escape.
Result<HttpQuery> parse_query(std::string_view text);

struct HttpResponse {
  int status = 200;
  HttpFields headers;
  std::string body;
};
HttpResponse text_response(int status, std::string_view content_type, std::string body);
std::string_view reason_phrase(int status);

/// Where a response goes. Any thread; each call is posted to the connection's loop. Exactly one of
/// respond(), or start() ... finish(). Dropping it unanswered answers 500.
class HttpResponder {
 public:
  virtual ~HttpResponder() = default;
  /// A whole response. Content-Length, Date and Connection are added; for HEAD the body is cut.
  virtual void respond(HttpResponse response) = 0;

  /// A streamed response: chunked unless `length` is given. `head.body` is ignored.
  virtual void start(HttpResponse head, std::optional<std::uint64_t> length) = 0;
  virtual void write(std::string bytes) = 0;
  virtual void send_file(int descriptor, std::uint64_t offset, std::uint64_t length) = 0;
  virtual void finish() = 0;
  /// Breaks the connection off: the only honest end of a stream that failed in the middle.
  virtual void abort(std::string_view reason) = 0;
  /// Calls `ready` on the loop thread once what was written so far has left (in the loop's next
  /// turn if nothing is pending); false when the connection is gone.
  virtual void when_drained(std::function<void(bool)> ready) = 0;
};

using HttpHandler = std::function<void(HttpRequest, std::shared_ptr<HttpResponder>)>;

/// For a handler that needs to know the port it serves: until set(), requests are answered with
/// 503. Copies are the same handler. Any thread.
class LateHandler {
 public:
  void set(HttpHandler handler);
  void operator()(HttpRequest request, std::shared_ptr<HttpResponder> responder) const;

 private:
  struct State {
    std::mutex mutex;
    std::shared_ptr<const HttpHandler> handler;  // guarded by mutex
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct HttpLimits {
  std::size_t head_max = 64_KiB;                      // request line and fields together; else 431
  std::uint64_t body_max = 16_MiB;                    // else 413 naming the limit
  std::uint64_t bodies_max = 256_MiB;                 // being received at once, of all; else 503
  Duration head_timeout = std::chrono::seconds(30);   // from the first byte; 408
  Duration body_timeout = std::chrono::seconds(60);   // in which 16 KiB of it must come; 408
  Duration idle_timeout = std::chrono::seconds(60);   // keep-alive without a request; closed
  Duration write_timeout = std::chrono::seconds(60);  // an answer of which no byte is taken; closed
  std::uint64_t requests_per_connection_max = 100'000;
  Listener::Limits connections;
};

/// Serves HTTP/1.0 and 1.1 with keep-alive and pipelining (answers in order). The handler runs on
/// the connection's loop thread and must not block; it may answer later, from any thread.
class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> listen(EventLoops& loops, const std::string& host,
                                                    std::uint16_t port, HttpLimits limits,
                                                    HttpHandler handler);
  virtual ~HttpServer() = default;
  virtual Endpoint endpoint() const = 0;
};

/// A blocking HTTP(S) client for worker threads (libcurl). Follows no redirect unless asked; no
/// proxy from the environment; only http and https.
struct HttpCall {
  std::string method = "GET";
  std::string url = {};
  HttpFields headers = {};
  std::string body = {};         // sent when not empty, or with PUT and POST
  std::string upload_file = {};  // if not empty: body is read from this file instead
  int redirects_max = 0;
  /// Connects to no link-local address (169.254/16, fe80::/10), whatever name or redirect leads
  /// there: clouds give their machines' credentials out on these. kPermissionDenied.
  bool refuse_link_local = false;
  Duration connect_timeout = std::chrono::seconds(10);
  Duration idle_timeout = std::chrono::seconds(60);  // without a byte moved
  std::uint64_t body_max = UINT64_MAX;               // kLimitExceeded beyond
  /// When set, body bytes go here instead of HttpResponse::body; returning false stops the call.
  std::function<bool(std::string_view)> on_body = {};
  /// When set, asked about once a second, also while nothing moves; false ends the call:
  /// kUnavailable.
  std::function<bool()> go_on = {};
  /// When set, called with status and headers before the first byte of the body.
  std::function<void(const HttpResponse&)> on_head = {};
};
/// kUnavailable: no connection or broken off; otherwise the answer, whatever its status.
Result<HttpResponse> http_call(const HttpCall& call);

}  // namespace heddle::net
