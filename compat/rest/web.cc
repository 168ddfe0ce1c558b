#include "compat/rest/web.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "security/user_name.h"

namespace heddle::compat::rest {
namespace {

constexpr std::int64_t kCookieLifetimeMs = 36'000'000;  // token.validity: ten hours
constexpr std::string_view kWebException = "javax.ws.rs.WebApplicationException";

std::string_view content_type_of(Format format) {
  return format == Format::kJson ? "application/json;charset=utf-8"
                                 : "application/xml; charset=utf-8";
}

// The host of a Host or Origin value without scheme and port, lower case.
std::string host_of(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != text.npos) text.remove_prefix(scheme + 3);
  if (text.starts_with("[")) {
    const auto end = text.find(']');
    return to_lower(text.substr(1, end == text.npos ? text.npos : end - 1));
  }
  return to_lower(text.substr(0, text.find(':')));
}

bool is_our_name(const std::string& host, const WebOptions& options) {
  if (host == "localhost" || host.ends_with(".localhost") || is_loopback(host)) return true;
  return options.host_names.contains(host) || host == host_of(options.web_address);
}

// Numbers and dots, or colons: nothing that a name server could turn against us.
bool is_address(std::string_view host) {
  return !host.empty() &&
         (host.find(':') != host.npos || host.find_first_not_of("0123456789.") == host.npos);
}

bool is_form(std::string_view content_type) {
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  return type == "application/x-www-form-urlencoded" || type == "multipart/form-data" ||
         type == "text/plain";
}

// A page of another site can make a browser send forms and empty bodies, never a custom header or
// another content type, since we grant no CORS.
bool may_be_forged(const net::HttpRequest& request) {
  for (const auto* header : {"X-Requested-By", "X-XSRF-Header", "X-Requested-With"}) {
    if (request.headers.find(header) != nullptr) return false;
  }
  const std::string* type = request.headers.find("Content-Type");
  if (type != nullptr) return is_form(*type);
  if (!request.body.empty()) return true;
  return request.headers.find("Origin") != nullptr || request.headers.find("Referer") != nullptr ||
         request.headers.find("Sec-Fetch-Site") != nullptr;
}

Refusal forbidden(std::string message) {
  return {403, "ForbiddenException", "org.apache.hadoop.yarn.webapp.ForbiddenException",
          std::move(message)};
}

}  // namespace

std::string LoginCookie::sign(std::string_view text) const {
  return base64_encode(security::hmac_sha1(key_, text));
}

std::string LoginCookie::make(std::string_view user, WallTime now) const {
  const std::string text =
      fmt::format("u={}&p={}&t=simple-dt&e={}", user, user, now.ms + kCookieLifetimeMs);
  return fmt::format("hadoop.auth=\"{}&s={}\"; Path=/; HttpOnly", text, sign(text));
}

std::string LoginCookie::user_of(std::string_view cookie_header, WallTime now) const {
  for (std::string& cookie : split_list(cookie_header, ';')) {
    std::string_view value = cookie;
    if (!value.starts_with("hadoop.auth=")) continue;
    value.remove_prefix(12);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    const auto signature = value.rfind("&s=");
    if (signature == value.npos || !value.starts_with("u=")) continue;
    const std::string_view text = value.substr(0, signature);
    if (!security::Secret(sign(text)).equals(value.substr(signature + 3))) continue;
    const auto expiry = text.rfind("&e=");
    const auto expires = expiry == text.npos ? std::nullopt : parse_int(text.substr(expiry + 3));
    if (!expires || *expires < now.ms) continue;
    return std::string(text.substr(2, text.find('&') - 2));
  }
  return "";
}

std::optional<Format> negotiate(std::string_view accept) {
  if (trim(accept).empty()) return Format::kJson;
  double best = 0;
  std::optional<Format> chosen;
  for (const std::string& range : split_list(accept)) {
    const auto parts = split_list(range, ';');
    if (parts.empty()) continue;
    double quality = 1;
    for (const std::string& part : parts) {
      if (part.starts_with("q=")) quality = parse_double(part.substr(2)).value_or(0);
    }
    const std::string type = to_lower(parts.front());
    const bool json = type == "*/*" || type == "application/*" || type == "application/json" ||
                      type == "text/html" || type == "text/plain" || type == "text/*";
    const bool xml = type == "application/xml" || type == "text/xml";
    if ((json || xml) && quality > best) {
      best = quality;
      chosen = xml ? Format::kXml : Format::kJson;
    }
  }
  return chosen;
}

std::vector<std::string> path_segments(std::string_view path) {
  return split_list(path, '/');
}

bool changes_state(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS" && method != "TRACE";
}

bool is_loopback(std::string_view address) {
  if (address.starts_with("::ffff:")) address.remove_prefix(7);
  return address.starts_with("127.") || address == "::1";
}

std::optional<Refusal> guard(const net::HttpRequest& request, const WebOptions& options) {
  const std::string host = host_of(request.headers.get("Host"));
  if (options.bound_to_loopback && !host.empty() && !is_our_name(host, options)) {
    return forbidden(fmt::format(
        "Host '{}' is not a name of this daemon; it listens on loopback only", shortened(host)));
  }
  if (!changes_state(request.method)) return std::nullopt;
  const std::string* origin = request.headers.find("Origin");
  // Beyond loopback people may reach us under names that we do not know; but a page that was
  // loaded under such a name may be a stranger's whose name now leads here.
  if (origin != nullptr && !is_our_name(host, options) && !is_address(host)) {
    return forbidden(
        fmt::format("Host '{}' is not a known name of this daemon, so pages under it may not "
                    "change anything; use {}",
                    shortened(host), options.web_address));
  }
  if (origin != nullptr && origin->ends_with("://" + std::string(request.headers.get("Host")))) {
    return std::nullopt;  // one of our own pages
  }
  if (origin != nullptr && host_of(*origin) != host) {
    return forbidden(
        fmt::format("Origin '{}' is not allowed to change anything here", shortened(*origin)));
  }
  if (may_be_forged(request)) {
    return forbidden(
        "a call that changes something needs the header X-Requested-By or X-XSRF-Header, or "
        "Content-Type application/json or application/xml");
  }
  return std::nullopt;
}

Result<void> identify(Exchange& exchange, const LoginCookie& cookies) {
  const WebOptions& options = *exchange.options;
  const WallTime now = options.clock->now().wall;
  security::Caller& caller = exchange.caller;
  caller.address = exchange.request.peer.address;
  if (const std::string* named = exchange.request.query_value("user.name"); named != nullptr) {
    if (const auto checked = security::check_user_name(*named); !checked) {
      return fail(ErrorCode::kInvalidArgument, "user.name: " + checked.error().message);
    }
    caller.user = *named;
    exchange.set_cookie = cookies.make(*named, now);
    return {};
  }
  caller.user = cookies.user_of(exchange.request.headers.get("Cookie"), now);
  if (!caller.user.empty()) return {};
  if (!options.anonymous_allowed) {
    return fail(ErrorCode::kUnauthenticated,
                "anonymous requests are off (hadoop.http.authentication.simple.anonymous.allowed): "
                "add user.name=<you>");
  }
  if (changes_state(exchange.request.method) && !is_loopback(caller.address)) {
    return fail(ErrorCode::kUnauthenticated,
                "a change needs a user: add user.name=<you> (without one only callers on this "
                "machine may write)");
  }
  caller.user = options.static_user;
  return {};
}

net::HttpResponse with_common_headers(const Exchange& exchange, int status,
                                      std::string content_type) {
  net::HttpResponse response;
  response.status = status;
  response.headers.add("Cache-Control", "no-cache");
  response.headers.add("Pragma", "no-cache");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("X-FRAME-OPTIONS", "SAMEORIGIN");
  response.headers.add("Referrer-Policy", "same-origin");
  if (!exchange.set_cookie.empty()) response.headers.add("Set-Cookie", exchange.set_cookie);
  if (!content_type.empty()) response.headers.add("Content-Type", std::move(content_type));
  return response;
}

namespace {
void respond(const Exchange& exchange, net::HttpResponse response, std::string body) {
  response.body = std::move(body);
  exchange.responder->respond(std::move(response));
}
}  // namespace

void send(const Exchange& exchange, int status, std::string body) {
  respond(exchange,
          with_common_headers(exchange, status, std::string(content_type_of(exchange.format))),
          std::move(body));
}

void send(const Exchange& exchange, int status, Writer& writer) {
  send(exchange, status, writer.take());
}

void send_plain(const Exchange& exchange, int status, std::string text) {
  send(exchange, status, std::move(text));
}

void send_html(const Exchange& exchange, int status, std::string page) {
  auto response = with_common_headers(exchange, status, "text/html;charset=utf-8");
  response.headers.add("Content-Security-Policy",
                       "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
                       "frame-ancestors 'self'; base-uri 'none'");
  respond(exchange, std::move(response), std::move(page));
}

void send_redirect(const Exchange& exchange, int status, std::string location) {
  auto response = with_common_headers(exchange, status, "text/plain;charset=utf-8");
  response.headers.add("Location", std::move(location));
  respond(exchange, std::move(response), "");
}

Refusal refusal_for(const Error& error) {
  const std::string webapp = "org.apache.hadoop.yarn.webapp.";
  const std::string text = "java.lang.Exception: " + error.message;
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kLimitExceeded:
    case ErrorCode::kUnsupported:
    case ErrorCode::kWrongState:
      return {400, "BadRequestException", webapp + "BadRequestException", text};
    case ErrorCode::kNotFound:
      return {404, "NotFoundException", webapp + "NotFoundException", text};
    case ErrorCode::kAlreadyExists:
      return {409, "ConflictException", webapp + "ConflictException", text};
    case ErrorCode::kPermissionDenied:
      return {403, "ForbiddenException", webapp + "ForbiddenException", text};
    case ErrorCode::kUnauthenticated:
      return {401, "AuthenticationException",
              "org.apache.hadoop.security.authentication.client.AuthenticationException",
              error.message};
    case ErrorCode::kUnavailable:
      return {503, "WebApplicationException", std::string(kWebException), text};
    case ErrorCode::kInternal:
      return {500, "WebApplicationException", std::string(kWebException), text};
  }
  return {500, "WebApplicationException", std::string(kWebException), text};
}

void send_refusal(const Exchange& exchange, const Refusal& refusal) {
  Writer out(exchange.format);
  out.begin_root("RemoteException");
  out.text("exception", refusal.exception);
  if (!refusal.message.empty()) out.text("message", refusal.message);
  out.text("javaClassName", refusal.java_class);
  out.end_root();
  auto response =
      with_common_headers(exchange, refusal.status, std::string(content_type_of(exchange.format)));
  if (refusal.status == 401) response.headers.add("WWW-Authenticate", "PseudoAuth");
  if (refusal.status == 503 || refusal.status == 429) response.headers.add("Retry-After", "1");
  respond(exchange, std::move(response), out.take());
}

void send_error(const Exchange& exchange, const Error& error) {
  send_refusal(exchange, refusal_for(error));
}

void send_not_found(const Exchange& exchange, std::string message) {
  send_error(exchange, {ErrorCode::kNotFound, std::move(message)});
}

Result<Body> request_body(const Exchange& exchange) {
  const std::string& text = exchange.request.body;
  const std::string type = to_lower(exchange.request.headers.get("Content-Type"));
  const bool xml = type.find("xml") != std::string::npos ||
                   (type.find("json") == std::string::npos && trim(text).starts_with("<"));
  return xml ? parse_xml_body(text) : parse_json_body(text);
}

std::string html_escape(std::string_view text) {
  std::string out;
  append_xml_text(out, text);
  return out;
}

std::string absolute(const WebOptions& options, std::string_view path) {
  return fmt::format("http://{}{}", options.web_address, path);
}

}  // namespace heddle::compat::rest
