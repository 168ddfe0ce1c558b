#include "compat/rest/service.h"

#include "base/text.h"
#include "compat/rest/monitor.h"
#include "compat/rest/nm_web.h"
#include "compat/rest/pages.h"
#include "compat/rest/rm_web.h"

namespace heddle::compat::rest {
namespace {

constexpr TextProperty kStaticUser{.name = "hadoop.http.staticuser.user",
                                   .default_value = "dr.who",
                                   .doc = "Whom a web request without a user name acts as."};
constexpr BoolProperty kAnonymousAllowed{
    .name = "hadoop.http.authentication.simple.anonymous.allowed",
    .default_value = true,
    .doc = "Whether web requests may come without a user name."};
constexpr TextProperty kLogServerUrl{.name = "yarn.log.server.url",
                                     .default_value = "",
                                     .doc = "Where the logs of finished containers are shown."};

constexpr std::string_view kWebException = "javax.ws.rs.WebApplicationException";

bool is_rest(std::string_view path) {
  return path.starts_with("/ws/");
}

bool is_known_method(std::string_view method) {
  for (const auto* known : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}) {
    if (method == known) return true;
  }
  return false;
}

void send_allow(const Exchange& exchange, int status, const std::string& allow) {
  auto response = with_common_headers(exchange, status, "application/json;charset=utf-8");
  response.headers.add("Allow", allow);
  if (status != 200) {
    response.body =
        "{\"RemoteException\":{\"exception\":\"WebApplicationException\",\"javaClassName\":\"" +
        std::string(kWebException) + "\"}}";
  }
  exchange.responder->respond(std::move(response));
}

// The steps every request takes before its route sees it.
template <class State>
void serve(const std::shared_ptr<State>& state, net::HttpRequest request,
           std::shared_ptr<net::HttpResponder> responder) {
  const WebOptions& options = state->web.options;
  auto exchange = std::make_shared<Exchange>();
  exchange->keep_alive = state;
  exchange->options = &options;
  exchange->request = std::move(request);
  exchange->responder = std::move(responder);
  const net::HttpRequest& asked = exchange->request;
  const auto format = negotiate(asked.headers.get("Accept"));
  exchange->format = format.value_or(Format::kJson);
  if (const auto refusal = guard(asked, options); refusal) {
    send_refusal(*exchange, *refusal);
    return;
  }
  Router::Match match = state->router.match(asked.method, asked.path);
  if (match.allow.empty() && match.handler == nullptr) {
    send_page_error(*exchange, 404, "Not found", "There is nothing at " + shortened(asked.path));
    return;
  }
  if (!is_known_method(asked.method)) {
    send_allow(*exchange, 405, match.allow);
    return;
  }
  if (const auto known = identify(*exchange, state->cookies); !known) {
    send_error(*exchange, known.error());
    return;
  }
  if (match.handler == nullptr) {
    send_allow(*exchange, asked.method == "OPTIONS" ? 200 : 405, match.allow);
    return;
  }
  if (!format && is_rest(asked.path)) {
    send_refusal(*exchange, {406, "WebApplicationException", std::string(kWebException),
                             "Accept must allow application/json or application/xml"});
    return;
  }
  exchange->captures = std::move(match.captures);
  (*match.handler)(exchange);
}

struct RmState {
  RmState(const rm::Door& rm_door, WebOptions given)
      : web{rm_door, std::move(given)}, cookies(security::random_secret(32)) {}
  RmWeb web;
  LoginCookie cookies;
  Router router;
};

struct NmState {
  NmState(const nm::NodeReports& reports, WebOptions given,
          std::vector<const nm::AuxService*> services)
      : web{reports, std::move(given), std::move(services)}, cookies(security::random_secret(32)) {}
  NmWeb web;
  LoginCookie cookies;
  Router router;
};

void add_start_page(Router& router, const WebOptions& options, const std::string& path) {
  router.add("GET", "/", [&options, path](const ExchangePtr& exchange) {
    send_redirect(*exchange, 302, absolute(options, path));
  });
}

}  // namespace

net::HttpHandler make_rm_web_handler(const rm::Door& door, WebOptions options,
                                     const ProxyHandler& proxy) {
  auto state = std::make_shared<RmState>(door, std::move(options));
  add_start_page(state->router, state->web.options, "/cluster");
  add_rm_read_routes(state->router, state->web);
  add_rm_write_routes(state->router, state->web);
  add_reservation_routes(state->router, state->web);
  add_rm_label_routes(state->router, state->web);
  add_queue_config_routes(state->router, state->web);
  add_explain_routes(state->router, state->web);
  add_activity_routes(state->router, state->web);
  add_rm_pages(state->router, state->web);
  add_monitor_routes(state->router, state->web.options, [web = &state->web] {
    return rm_beans(web->door.reports, web->options, web->door.queue_config);
  });
  if (proxy) {
    for (const auto* method : {"GET", "POST", "PUT", "DELETE"}) {
      state->router.add(method, "/proxy/{*}", [proxy](const ExchangePtr& exchange) {
        proxy(std::move(exchange->request), exchange->caller.user, exchange->responder);
      });
    }
  }
  return [state](net::HttpRequest request, std::shared_ptr<net::HttpResponder> responder) {
    serve(state, std::move(request), std::move(responder));
  };
}

net::HttpHandler make_nm_web_handler(const nm::NodeReports& reports, WebOptions options,
                                     std::vector<const nm::AuxService*> services) {
  auto state = std::make_shared<NmState>(reports, std::move(options), std::move(services));
  add_start_page(state->router, state->web.options, "/node");
  add_nm_routes(state->router, state->web);
  add_log_routes(state->router, state->web);
  add_nm_pages(state->router, state->web);
  add_monitor_routes(state->router, state->web.options,
                     [web = &state->web] { return nm_beans(web->reports, web->options); });
  return [state](net::HttpRequest request, std::shared_ptr<net::HttpResponder> responder) {
    serve(state, std::move(request), std::move(responder));
  };
}

Result<WebOptions> web_options_from(const Settings& settings) {
  const auto static_user = read(settings, kStaticUser);
  const auto anonymous = read(settings, kAnonymousAllowed);
  const auto log_server = read(settings, kLogServerUrl);
  if (!static_user) return fail(static_user.error());
  if (!anonymous) return fail(anonymous.error());
  if (!log_server) return fail(log_server.error());
  WebOptions options;
  options.static_user = *static_user;
  options.anonymous_allowed = *anonymous;
  options.log_server_url = *log_server;
  options.settings = &settings;
  return options;
}

}  // namespace heddle::compat::rest
