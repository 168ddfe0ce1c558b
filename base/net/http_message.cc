#include <fmt/core.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <ctime>

#include "base/clock.h"
#include "base/net/http_wire.h"
#include "base/text.h"

namespace heddle::net {
namespace {

namespace http = boost::beast::http;

/// Collects a body without reserving what the client merely announces.
struct GrowingBody {
  using value_type = std::string;
  class reader {
   public:
    template <bool kIsRequest, class Fields>
    reader(http::header<kIsRequest, Fields>&, std::string& body) : body_(body) {}
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
        body_.append(static_cast<const char*>(part.data()), part.size());
        count += part.size();
      }
      return count;
    }
    void finish(boost::beast::error_code& error) { error = {}; }

   private:
    std::string& body_;
  };
};

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// The Date field of now, made anew once a second.
const std::string& date_text() {
  thread_local std::time_t made_for = 0;
  thread_local std::string text;
  const std::time_t now = SystemClock{}.now().wall.ms / 1000;
  if (now != made_for) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    text =
        fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[utc.tm_wday], utc.tm_mday,
                    kMonths[utc.tm_mon], 1900 + utc.tm_year, utc.tm_hour, utc.tm_min, utc.tm_sec);
    made_for = now;
  }
  return text;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  const auto append = [&](std::string_view text) {
    for (const char c : text)
      out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  };
  append(name);
  out += ": ";
  append(value);
  out += "\r\n";
}

/// Without a length that both sides agree on, one request could be hidden inside another.
/// Empty: fine.
std::string_view framing_fault(const HttpFields& fields, bool http10) {
  int lengths = 0;
  int encodings = 0;
  for (const auto& [name, value] : fields.all()) {
    const std::string key = to_lower(name);
    if (key == "content-length") {
      ++lengths;
      if (value.find(',') != std::string::npos) return "Content-Length is a list";
    } else if (key == "transfer-encoding") {
      ++encodings;
    }
  }
  if (lengths > 1) return "more than one Content-Length";
  if (encodings > 1) return "more than one Transfer-Encoding";
  if (encodings > 0 && lengths > 0) return "both Content-Length and Transfer-Encoding";
  if (encodings > 0 && http10) return "Transfer-Encoding in HTTP/1.0";
  return {};
}

std::size_t count_of(const HttpFields& fields, std::string_view lower_name) {
  std::size_t count = 0;
  for (const auto& field : fields.all())
    count += to_lower(field.first) == lower_name ? 1 : 0;
  return count;
}

}  // namespace

struct HttpRequestReader::Parser {
  http::request_parser<GrowingBody> beast;
};

HttpRequestReader::HttpRequestReader(const HttpLimits& limits) : limits_(limits) {}
HttpRequestReader::~HttpRequestReader() = default;

void HttpRequestReader::append(std::string_view bytes) {
  if (offset_ == buffer_.size()) {
    buffer_.clear();
    offset_ = 0;
  } else if (offset_ > buffer_.size() / 2) {
    buffer_.erase(0, offset_);
    offset_ = 0;
  }
  buffer_.append(bytes);
}

HttpRequestReader::State HttpRequestReader::refuse(int status, std::string reason) {
  refused_status_ = status;
  refused_reason_ = std::move(reason);
  buffer_.clear();
  offset_ = 0;
  parser_.reset();
  return state_ = State::kRefused;
}

HttpRequestReader::State HttpRequestReader::refuse_head_length() {
  const bool in_request_line = head_bytes_ == 0 && rest().find("\r\n") == std::string_view::npos;
  return refuse(in_request_line ? 414 : 431,
                fmt::format("the request head is longer than {} bytes", limits_.head_max));
}

HttpRequestReader::State HttpRequestReader::advance() {
  if (state_ == State::kIdle) {
    // Empty lines before a request are allowed (RFC 7230 3.5).
    while (rest().starts_with("\r\n"))
      offset_ += 2;
    if (rest().empty() || rest() == "\r") return state_;
    parser_ = std::make_unique<Parser>();
    parser_->beast.eager(false);
    parser_->beast.header_limit(
        static_cast<std::uint32_t>(std::min<std::size_t>(limits_.head_max + 4, UINT32_MAX)));
    parser_->beast.body_limit(limits_.body_max);
    head_bytes_ = 0;
    state_ = State::kHead;
  }
  if (state_ == State::kHead) advance_head();
  if (state_ == State::kBody) advance_body();
  return state_;
}

HttpRequestReader::State HttpRequestReader::advance_head() {
  boost::beast::error_code error;
  const std::size_t used =
      parser_->beast.put(boost::asio::buffer(rest().data(), rest().size()), error);
  offset_ += used;
  head_bytes_ += used;
  if (error == http::error::header_limit) return refuse_head_length();
  if (error == http::error::body_limit) {
    return refuse(413,
                  fmt::format("the body is longer than the limit of {} bytes", limits_.body_max));
  }
  if (error && error != http::error::need_more) {
    return refuse(400, fmt::format("not an HTTP/1.1 request: {}", error.message()));
  }
  // Beast's own limit is for what is not parsed yet, so the whole head is counted here.
  const std::size_t head = head_bytes_ + (parser_->beast.is_header_done() ? 0 : buffered());
  if (head > limits_.head_max) return refuse_head_length();
  if (!parser_->beast.is_header_done()) return state_;
  return finish_head();
}

HttpRequestReader::State HttpRequestReader::finish_head() {
  // Fields are taken now: what comes as a trailer after a chunked body must not join them.
  const auto& message = parser_->beast.get();
  request_ = {};
  request_.method = std::string(view(message.method_string()));
  request_.target = std::string(view(message.target()));
  for (const auto& field : message) {
    request_.headers.add(std::string(view(field.name_string())), std::string(view(field.value())));
  }
  http10_ = message.version() < 11;
  request_.keep_alive = parser_->beast.keep_alive();
  const std::string_view fault = framing_fault(request_.headers, http10_);
  if (!fault.empty()) return refuse(400, fmt::format("the request has {}", fault));
  const std::string* encoding = request_.headers.find("Transfer-Encoding");
  if (encoding != nullptr && to_lower(trim(*encoding)) != "chunked") {
    return refuse(501, fmt::format("Transfer-Encoding '{}' is not supported, only chunked",
                                   shortened(*encoding)));
  }
  const std::size_t hosts = count_of(request_.headers, "host");
  if (hosts > 1 || (hosts == 0 && !http10_)) {
    return refuse(400, fmt::format("{} Host fields, exactly one is needed", hosts));
  }
  const std::string* expect = request_.headers.find("Expect");
  if (expect != nullptr && to_lower(*expect) != "100-continue") {
    return refuse(417, fmt::format("Expect '{}' is not supported", shortened(*expect)));
  }
  auto target = parse_target(request_.method, request_.target);
  if (!target) return refuse(400, std::move(target).error().message);
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  if (parser_->beast.is_done()) return state_ = State::kReady;
  chunked_ = encoding != nullptr;
  expects_continue_ = expect != nullptr && !http10_;
  parser_->beast.eager(true);
  return state_ = State::kBody;
}

HttpRequestReader::State HttpRequestReader::advance_body() {
  // The shortest end of a chunked body has five bytes, and Beast asserts that it gets them at once.
  if (buffered() == 0 || (chunked_ && buffered() < 5)) return state_;
  boost::beast::error_code error;
  offset_ += parser_->beast.put(boost::asio::buffer(rest().data(), rest().size()), error);
  if (error == http::error::body_limit) {
    return refuse(413,
                  fmt::format("the body is longer than the limit of {} bytes", limits_.body_max));
  }
  if (error && error != http::error::need_more) {
    return refuse(400, fmt::format("broken request body: {}", error.message()));
  }
  if (parser_->beast.is_done()) return state_ = State::kReady;
  if (buffered() > limits_.head_max) {  // a chunk's extensions or trailers without an end
    return refuse(431, fmt::format("a chunk's head is longer than {} bytes", limits_.head_max));
  }
  return state_;
}

HttpRequest HttpRequestReader::take() {
  request_.body = std::move(parser_->beast.get().body());
  parser_.reset();
  expects_continue_ = false;
  state_ = State::kIdle;
  return std::move(request_);
}

std::uint64_t HttpRequestReader::body_bytes() const {
  return parser_ == nullptr ? 0 : parser_->beast.get().body().size();
}

bool HttpRequestReader::take_expects_continue() {
  return std::exchange(expects_continue_, false);
}

Result<HttpTarget> parse_target(std::string_view method, std::string_view target) {
  const auto bad = [&](std::string_view what) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("request target '{}' {}", shortened(target), what));
  };
  std::string_view rest = target;
  if (rest == "*" && method == "OPTIONS") return HttpTarget{.path = "/", .query = {}};
  if (to_lower(rest.substr(0, 8)).starts_with("http://") ||
      to_lower(rest.substr(0, 8)) == "https://") {
    rest.remove_prefix(rest.find("//") + 2);
    const auto slash = rest.find_first_of("/?");
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
    if (rest.empty()) return HttpTarget{.path = "/", .query = {}};
    if (rest.front() == '?') return bad("has no path");
  }
  if (rest.empty() || rest.front() != '/') return bad("does not start with '/'");
  if (rest.find('#') != std::string_view::npos) return bad("holds a '#'");
  const auto question = rest.find('?');
  auto path = percent_decode(rest.substr(0, question));
  if (!path) return bad("has a broken percent escape");
  if (path->find('\0') != std::string::npos) return bad("holds a NUL byte");
  HttpTarget parsed{.path = *std::move(path), .query = {}};
  if (question != std::string_view::npos) {
    auto query = parse_query(rest.substr(question + 1));
    if (!query) return bad("has a broken percent escape in its query");
    parsed.query = *std::move(query);
  }
  return parsed;
}

std::string response_head(const HttpResponse& response, const ResponseFraming& framing) {
  std::string out;
  out.reserve(256);
  out += fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  bool has_date = false;
  bool has_connection = false;
  for (const auto& [name, value] : response.headers.all()) {
    const std::string key = to_lower(name);
    if (key == "content-length" || key == "transfer-encoding") continue;  // ours to say
    has_date = has_date || key == "date";
    has_connection = has_connection || key == "connection";
    append_field(out, name, value);
  }
  if (!has_date) append_field(out, "Date", date_text());
  if (framing.length) append_field(out, "Content-Length", std::to_string(*framing.length));
  if (framing.chunked) append_field(out, "Transfer-Encoding", "chunked");
  if (!has_connection && framing.close) append_field(out, "Connection", "close");
  if (!has_connection && !framing.close && framing.http10) {
    append_field(out, "Connection", "keep-alive");
  }
  out += "\r\n";
  return out;
}

bool has_token(std::string_view field, std::string_view word) {
  for (const std::string& part : split_list(field)) {
    if (to_lower(part) == to_lower(word)) return true;
  }
  return false;
}

}  // namespace heddle::net
