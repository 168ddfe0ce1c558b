#include "base/net/plain_http.h"

#include <fmt/core.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "base/text.h"

namespace heddle::net {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kHeadMax = 64_KiB;
// What the parser leaves: part of a head, or of the line before a chunk.
constexpr std::size_t kLeftMax = 2 * kHeadMax;

struct Target {
  std::string host;  // without brackets
  std::string port;
  std::string authority;  // for the Host field
  std::string path;
};

Result<Target> parse_url(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  const auto bad = [&](ErrorCode code, std::string_view what) {
    return fail(code, fmt::format("{}: {}", shortened(url, 200), what));
  };
  if (!url.starts_with(kScheme)) {
    return bad(ErrorCode::kUnsupported, "only http:// addresses are supported here yet");
  }
  if (url.find_first_of(std::string_view(" \r\n\0", 4)) != std::string::npos) {
    return bad(ErrorCode::kInvalidArgument, "an address holds no blanks or line ends");
  }
  const auto slash = std::min(url.find_first_of("/?", kScheme.size()), url.size());
  Target target;
  target.authority = url.substr(kScheme.size(), slash - kScheme.size());
  target.path = url.substr(slash);
  if (!target.path.starts_with('/')) target.path.insert(0, "/");
  const auto bracket = target.authority.rfind(']');
  const auto colon = target.authority.rfind(':');
  const bool has_port =
      colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  target.host = target.authority.substr(0, has_port ? colon : std::string::npos);
  target.port = has_port ? target.authority.substr(colon + 1) : "80";
  if (target.host.starts_with('[') && target.host.ends_with(']')) {
    target.host = target.host.substr(1, target.host.size() - 2);
  }
  const auto number = parse_int(target.port);
  if (target.host.empty() || !number || *number < 1 || *number > 65'535) {
    return bad(ErrorCode::kInvalidArgument, "not of the form http://host:port/path");
  }
  return target;
}

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

int to_ms(Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

/// 0, or the error number: the peer is ready for `events`, or ETIMEDOUT.
int wait_for(int descriptor, short events, Duration timeout) {
  pollfd entry{descriptor, events, 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, to_ms(timeout));
  } while (ready < 0 && errno == EINTR);
  return ready > 0 ? 0 : ready == 0 ? ETIMEDOUT : errno;
}

int connect_to(const addrinfo& address, int descriptor, Duration timeout) {
  if (::connect(descriptor, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (const int error = wait_for(descriptor, POLLOUT, timeout); error != 0) return error;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

Result<Socket> open_connection(const Target& target, Duration timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int looked_up = ::getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found);
  if (looked_up != 0) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: {}", shortened(target.host), ::gai_strerror(looked_up)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    Socket socket(::socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    error = socket.get() < 0 ? errno : connect_to(*at, socket.get(), timeout);
    if (error == 0) return socket;
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("{}: {}", shortened(target.authority), std::strerror(error)));
}

Result<std::string> request_text(const HttpCall& call, const Target& target) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", call.method,
                                 target.path, target.authority);
  for (const auto& [name, value] : call.headers.all()) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("header {} holds a line end", shortened(name)));
    }
    text += fmt::format("{}: {}\r\n", name, value);
  }
  if (!call.body.empty() || call.method == "PUT" || call.method == "POST") {
    text += fmt::format("Content-Length: {}\r\n", call.body.size());
  }
  return text + "\r\n" + call.body;
}

Failure broken(const HttpCall& call, std::string_view why) {
  return fail(ErrorCode::kUnavailable,
              fmt::format("{} {}: {}", call.method, shortened(call.url, 200), why));
}

Result<void> send_all(int descriptor, std::string_view bytes, const HttpCall& call) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    int error = errno;
    if (error == EAGAIN || error == EINTR) error = wait_for(descriptor, POLLOUT, call.idle_timeout);
    if (error != 0) return broken(call, std::strerror(error));
  }
  return {};
}

/// Where the body's pieces go, and how they are bounded.
struct BodySink {
  const HttpCall* call = nullptr;
  HttpResponse* response = nullptr;
  std::uint64_t bytes = 0;
  bool too_long = false;

  bool put(std::string_view piece) {
    bytes += piece.size();
    too_long = bytes > call->body_max;
    if (too_long) return false;
    if (call->on_body) return call->on_body(piece);
    response->body.append(piece);
    return true;
  }
};

struct SinkBody {
  using value_type = BodySink;
  class reader {
   public:
    template <bool kIsRequest, class Fields>
    reader(http::header<kIsRequest, Fields>&, BodySink& sink) : sink_(sink) {}
    void init(const boost::optional<std::uint64_t>&, boost::beast::error_code& error) {
      error = {};
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::beast::error_code& error) {
      error = {};
      std::size_t count = 0;
      const auto end = boost::asio::buffer_sequence_end(buffers);
      for (auto it = boost::asio::buffer_sequence_begin(buffers); it != end; ++it) {
        const boost::asio::const_buffer part(*it);
        count += part.size();
        if (!sink_.put({static_cast<const char*>(part.data()), part.size()})) {
          error = http::error::body_limit;
          break;
        }
      }
      return count;
    }
    void finish(boost::beast::error_code& error) { error = {}; }

   private:
    BodySink& sink_;
  };
};
using Parser = http::response_parser<SinkBody>;

class Reader {
 public:
  Reader(int descriptor, const HttpCall& call) : descriptor_(descriptor), call_(call) {
    expect_head();
  }

  Result<HttpResponse> read() {
    while (!parser_->is_done()) {
      auto more = receive();
      if (!more) return fail(std::move(more).error());
      if (*more) {
        RETURN_IF_ERROR(parse());
        continue;
      }
      boost::beast::error_code error;
      if (parser_->got_some()) parser_->put_eof(error);  // which asserts that something came
      if (error || !parser_->is_done()) return broken(call_, "the answer breaks off");
    }
    tell_head();
    return std::move(response_);
  }

 private:
  void expect_head() {
    parser_.emplace();
    parser_->header_limit(kHeadMax);
    parser_->body_limit(UINT64_MAX);  // the sink limits; Beast 1.74 takes "none" for 0
    parser_->skip(call_.method == "HEAD");
    parser_->get().body() = BodySink{&call_, &response_};
  }

  /// False at the end of the stream.
  Result<bool> receive() {
    std::array<char, 64_KiB> block;
    for (;;) {
      const ssize_t count = ::recv(descriptor_, block.data(), block.size(), 0);
      if (count >= 0) {
        left_.append(block.data(), static_cast<std::size_t>(count));
        return count > 0;
      }
      int error = errno;
      if (error == EAGAIN || error == EINTR) {
        error = wait_for(descriptor_, POLLIN, call_.idle_timeout);
      }
      if (error != 0) return broken(call_, std::strerror(error));
    }
  }

  /// Takes what is whole. The head is one call of the parser, each piece another.
  Result<void> parse() {
    std::size_t at = 0;
    while (at < left_.size() && !parser_->is_done()) {
      boost::beast::error_code error;
      at += parser_->put(boost::asio::buffer(left_.data() + at, left_.size() - at), error);
      if (error == http::error::need_more) break;
      if (error) return refused(error);
      if (!parser_->is_header_done()) continue;
      if (parser_->is_done() && parser_->get().result_int() / 100 == 1) {
        expect_head();  // "100 Continue" and the like: the answer itself comes after it
        continue;
      }
      tell_head();
    }
    left_.erase(0, at);
    if (left_.size() > kLeftMax) return broken(call_, "the answer is not HTTP");
    return {};
  }

  Result<void> refused(const boost::beast::error_code& error) const {
    if (parser_->get().body().too_long) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the answer of {} is longer than {} bytes", shortened(call_.url, 200),
                              call_.body_max));
    }
    return broken(
        call_, error == http::error::body_limit ? "reading was stopped" : "the answer is not HTTP");
  }

  void tell_head() {
    if (std::exchange(head_told_, true)) return;
    response_.status = static_cast<int>(parser_->get().result_int());
    for (const auto& field : parser_->get()) {
      const auto name = field.name_string();
      response_.headers.add(std::string(name.data(), name.size()),
                            std::string(field.value().data(), field.value().size()));
    }
    if (call_.on_head) call_.on_head(response_);
  }

  const int descriptor_;
  const HttpCall& call_;
  HttpResponse response_;
  std::optional<Parser> parser_;
  std::string left_;  // received and not yet taken
  bool head_told_ = false;
};

}  // namespace

Result<HttpResponse> read_plain_response(int descriptor, const HttpCall& call) {
  return Reader(descriptor, call).read();
}

Result<HttpResponse> plain_http_call(const HttpCall& call) {
  if (!call.upload_file.empty() || call.redirects_max > 0) {
    return fail(ErrorCode::kUnsupported, "plain_http_call uploads no files, follows no redirects");
  }
  const auto target = parse_url(call.url);
  if (!target) return fail(target.error());
  const auto text = request_text(call, *target);
  if (!text) return fail(text.error());
  const auto socket = open_connection(*target, call.connect_timeout);
  if (!socket) return fail(socket.error());
  RETURN_IF_ERROR(send_all(socket->get(), *text, call));
  return read_plain_response(socket->get(), call);
}

}  // namespace heddle::net
