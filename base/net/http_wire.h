// The two halves of HTTP/1.1 without a socket: requests out of bytes, response heads into bytes.
// For base/net, its tests and its fuzzer. Not thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/net/http.h"

namespace heddle::net {

/// Cuts requests out of a byte stream, one at a time. After kRefused it stays there: where the next
/// request begins is no longer sure (RFC 7230 3.3.3), so the connection must close.
class HttpRequestReader {
 public:
  explicit HttpRequestReader(const HttpLimits& limits);
  ~HttpRequestReader();

  enum class State : std::uint8_t { kIdle, kHead, kBody, kReady, kRefused };

  void append(std::string_view bytes);
  /// Goes on as far as the bytes reach, at most to the end of one request.
  State advance();
  /// The request of kReady; the next advance() begins a new one.
  HttpRequest take();

  std::size_t buffered() const { return buffer_.size() - offset_; }
  /// In kBody: what has come of it.
  std::uint64_t body_bytes() const;
  /// In kBody: the client waits for "100 Continue" before it sends. True once.
  bool take_expects_continue();
  bool is_http10() const { return http10_; }
  /// Of kRefused.
  int refused_status() const { return refused_status_; }
  const std::string& refused_reason() const { return refused_reason_; }

 private:
  struct Parser;
  State advance_head();
  State advance_body();
  State finish_head();
  State refuse(int status, std::string reason);
  State refuse_head_length();
  std::string_view rest() const { return std::string_view(buffer_).substr(offset_); }

  const HttpLimits limits_;
  std::string buffer_;
  std::size_t offset_ = 0;
  State state_ = State::kIdle;
  std::unique_ptr<Parser> parser_;
  HttpRequest request_;
  std::size_t head_bytes_ = 0;
  bool http10_ = false;
  bool chunked_ = false;
  bool expects_continue_ = false;
  int refused_status_ = 0;
  std::string refused_reason_;
};

/// Splits a request target into path and query. kInvalidArgument says what is wrong with it.
struct HttpTarget {
  std::string path;
  HttpQuery query;
};
Result<HttpTarget> parse_target(std::string_view method, std::string_view target);

/// Status line and fields, with the blank line. Line ends and NUL within a field become blanks.
struct ResponseFraming {
  std::optional<std::uint64_t> length;  // Content-Length
  bool chunked = false;
  bool close = false;
  bool http10 = false;
};
std::string response_head(const HttpResponse& response, const ResponseFraming& framing);

/// True if one of the comma-separated words of a field is `word`, without case.
bool has_token(std::string_view field, std::string_view word);

}  // namespace heddle::net
