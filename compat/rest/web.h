// One request on its way: who asks, which format goes back, and the error bodies clients know.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/net/http.h"
#include "base/result.h"
#include "compat/rest/body.h"
#include "compat/rest/options.h"
#include "compat/rest/writer.h"
#include "security/caller.h"
#include "security/secret.h"

namespace heddle::compat::rest {

/// The signed cookie of Hadoop's simple authentication: "u=alice&p=alice&t=simple-dt&e=..&s=..".
/// The key lives as long as the process.
class LoginCookie {
 public:
  explicit LoginCookie(security::Secret key) : key_(std::move(key)) {}
  std::string make(std::string_view user, WallTime now) const;  // the value of Set-Cookie
  /// The user of a valid, unexpired cookie header; "" otherwise.
  std::string user_of(std::string_view cookie_header, WallTime now) const;

 private:
  std::string sign(std::string_view text) const;
  security::Secret key_;
};

/// Shared with asynchronous replies; kept alive by them.
struct Exchange {
  net::HttpRequest request;
  std::shared_ptr<net::HttpResponder> responder;
  const WebOptions* options = nullptr;
  Format format = Format::kJson;
  security::Caller caller;
  std::string set_cookie;                  // "" = none
  std::vector<std::string> captures;       // what the {} of the route matched
  std::shared_ptr<const void> keep_alive;  // what the handlers refer to
};
using ExchangePtr = std::shared_ptr<Exchange>;

/// JSON for no Accept, "*/*", text/html and text/plain; nullopt when nothing acceptable is left.
std::optional<Format> negotiate(std::string_view accept);

/// "/a//b/" gives {"a", "b"}.
std::vector<std::string> path_segments(std::string_view path);

/// Why a request may not pass, before anything looks at it. Empty: it may. Pure.
struct Refusal {
  int status = 0;
  std::string exception;  // simple class name
  std::string java_class;
  std::string message;
};
std::optional<Refusal> guard(const net::HttpRequest& request, const WebOptions& options);
bool changes_state(std::string_view method);
bool is_loopback(std::string_view address);

/// Fills caller and cookie. kUnauthenticated: writes without a name from another machine.
Result<void> identify(Exchange& exchange, const LoginCookie& cookies);

void send(const Exchange& exchange, int status, std::string body);  // in the exchange's format
void send(const Exchange& exchange, int status, Writer& writer);
void send_plain(const Exchange& exchange, int status, std::string text);  // JSON content type
void send_html(const Exchange& exchange, int status, std::string page);
void send_redirect(const Exchange& exchange, int status, std::string location);
/// RemoteException with status and class of the error's code.
void send_error(const Exchange& exchange, const Error& error);
void send_not_found(const Exchange& exchange, std::string message);
void send_refusal(const Exchange& exchange, const Refusal& refusal);
Refusal refusal_for(const Error& error);

/// The headers every answer carries.
net::HttpResponse with_common_headers(const Exchange& exchange, int status,
                                      std::string content_type);

/// The request's body as a tree, by its content type.
Result<Body> request_body(const Exchange& exchange);

std::string html_escape(std::string_view text);
/// "http://<web address><path>".
std::string absolute(const WebOptions& options, std::string_view path);

}  // namespace heddle::compat::rest
