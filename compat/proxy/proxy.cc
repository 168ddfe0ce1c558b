#include "compat/proxy/proxy.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <optional>

#include "base/text.h"
#include "compat/proxy/route.h"

namespace heddle::compat::proxy {
namespace {

void answer_text(net::HttpResponder& responder, int status, std::string text) {
  auto response = net::text_response(status, "text/plain;charset=utf-8", std::move(text));
  response.headers.add("X-Content-Type-Options", "nosniff");
  responder.respond(std::move(response));
}

void answer_redirect(net::HttpResponder& responder, std::string location) {
  net::HttpResponse response;
  response.status = 302;
  response.headers.add("Location", std::move(location));
  response.headers.add("Cache-Control", "no-cache");
  responder.respond(std::move(response));
}

}  // namespace

class CallGate {
 public:
  void stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  /// Keeps a call waiting until `drained` says whether its client is alive. False also when the
  /// patience or the proxy is at its end.
  bool wait(const std::shared_ptr<std::optional<bool>>& drained, std::chrono::seconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return stopping_ || drained->has_value(); });
    return !stopping_ && drained->value_or(false);
  }
  void tell(std::optional<bool>& drained, bool alive) {
    const std::lock_guard lock(mutex_);
    drained = alive;
    changed_.notify_all();
  }
  bool stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_, as is every call's `drained`
};

namespace {

// One call on a worker's thread: bytes go to the client as they come, never faster than it takes
// them.
class Forwarding {
 public:
  Forwarding(net::HttpRequest request, std::string user, ProxyPath path, Plan where,
             const ProxyLimits& limits, std::shared_ptr<CallGate> gate,
             std::shared_ptr<net::HttpResponder> responder)
      : request_(std::move(request)),
        user_(std::move(user)),
        path_(std::move(path)),
        plan_(std::move(where)),
        limits_(limits),
        gate_(std::move(gate)),
        responder_(std::move(responder)) {}

  void run() {
    net::HttpCall call;
    call.method = request_.method;
    call.url = plan_.url;
    call.headers = forwarded_headers(request_, user_);
    call.body = std::move(request_.body);
    call.connect_timeout = limits_.connect_timeout;
    call.idle_timeout = limits_.idle_timeout;
    call.refuse_link_local = true;  // also behind a name, or 169.254.169.254 written as one number
    call.on_head = [this](const net::HttpResponse& head) { start(head); };
    call.on_body = [this](std::string_view bytes) { return pass(bytes); };
    const auto result = net::http_call(call);
    if (!result) {
      if (started_) {
        responder_->abort("the application broke off: " + result.error().message);
      } else {
        answer_text(*responder_, 502,
                    fmt::format("The page of {} cannot be reached: {}\n", to_string(path_.app),
                                result.error().message));
      }
      return;
    }
    if (!started_) start(*result);
    responder_->finish();
  }

 private:
  void start(const net::HttpResponse& head) {
    if (started_) return;
    started_ = true;
    net::HttpResponse response;
    response.status = head.status;
    response.headers = returned_headers(head.headers, path_, plan_.target);
    std::optional<std::uint64_t> length;
    if (const auto given = parse_int(head.headers.get("Content-Length")); given && *given >= 0) {
      length = static_cast<std::uint64_t>(*given);
    }
    if (head.headers.find("Content-Encoding") != nullptr) length.reset();
    if (request_.method == "HEAD" || head.status == 204 || head.status == 304) length = 0;
    responder_->start(std::move(response), length);
  }

  bool pass(std::string_view bytes) {
    responder_->write(std::string(bytes));
    in_flight_ += bytes.size();
    if (in_flight_ < limits_.window) return !gate_->stopping();
    in_flight_ = 0;
    auto drained = std::make_shared<std::optional<bool>>();
    responder_->when_drained([gate = gate_, drained](bool alive) { gate->tell(*drained, alive); });
    return gate_->wait(drained, limits_.client_patience);
  }

  net::HttpRequest request_;
  std::string user_;
  ProxyPath path_;
  Plan plan_;
  const ProxyLimits limits_;
  const std::shared_ptr<CallGate> gate_;
  std::shared_ptr<net::HttpResponder> responder_;
  bool started_ = false;
  std::uint64_t in_flight_ = 0;
};

}  // namespace

WebProxy::WebProxy(const rm::Reports& reports, ProxyLimits limits)
    : reports_(reports),
      limits_(limits),
      gate_(std::make_shared<CallGate>()),
      workers_(limits.threads, limits.same_app, limits.queue_max) {}

WebProxy::~WebProxy() {
  gate_->stop();
}

void WebProxy::handle(net::HttpRequest request, std::string user,
                      const std::shared_ptr<net::HttpResponder>& responder) {
  auto path = parse_proxy_path(request.target);
  if (!path) {
    answer_text(*responder, 400, path.error().message + "\n");
    return;
  }
  const auto app = reports_.app(path->app);
  Plan where = plan(*path, app.get());
  switch (where.decision) {
    case Decision::kNotFound:
      answer_text(*responder, 404,
                  fmt::format("Application {} is not known here.\n", to_string(path->app)));
      return;
    case Decision::kRedirect: answer_redirect(*responder, std::move(where.url)); return;
    case Decision::kForward: break;
  }
  const AppId id = path->app;
  auto forwarding =
      std::make_shared<Forwarding>(std::move(request), std::move(user), std::move(*path),
                                   std::move(where), limits_, gate_, responder);
  if (!workers_.submit(id, [forwarding] { forwarding->run(); })) {
    auto response = net::text_response(503, "text/plain;charset=utf-8",
                                       "Too many proxied requests wait already; try again.\n");
    response.headers.add("Retry-After", "1");
    responder->respond(std::move(response));
  }
}

}  // namespace heddle::compat::proxy
