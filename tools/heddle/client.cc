#include "tools/heddle/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/net/plain_http.h"
#include "base/text.h"
#include "tools/heddle/console.h"
#include "tools/heddle/json_view.h"

namespace heddle::cli {
namespace {

constexpr std::uint64_t kAnswerMax = std::uint64_t{1} << 30;
constexpr std::size_t kMessageMax = 500;  // of a line
constexpr std::size_t kLinesMax = 200;
constexpr std::string_view kClusterBelow = "cluster";
constexpr std::string_view kOwnBelow = "heddle";
constexpr std::string_view kAskDaemon = "see the daemon's log, or try again with another request";

std::string what_it_said(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  std::string message = text_of(member(json, "RemoteException"), "message");
  if (message.empty() && !json.is_object()) message = std::string(trim(body.substr(0, 20'000)));
  if (message.starts_with('<')) message.clear();  // a page for browsers
  const auto colon = message.find(": ");
  if (message.starts_with("java.lang.") && colon != std::string::npos) message.erase(0, colon + 2);
  // All faults of a change come at once, one on each line.
  std::vector<std::string> lines = split_list(message, '\n');
  if (lines.size() > kLinesMax) lines.resize(kLinesMax);
  for (std::string& line : lines) {
    line = printable(line);
    if (line.size() > kMessageMax) line = shortened(line, kMessageMax);
  }
  return join(lines, "\n");
}

Outcome<Json> parse_answer(const net::HttpResponse& response, std::string_view url) {
  if (response.body.empty()) return Json::object();
  Json json = Json::parse(response.body, nullptr, false);
  if (json.is_discarded()) {
    return stop(kExitFailed, fmt::format("{}: the answer is not JSON", url),
                "check that this is the web address of a ResourceManager (--rm, --conf)");
  }
  return json;
}

bool is_standby(const net::HttpResponse& response) {
  return response.headers.find("Refresh") != nullptr ||
         response.body.starts_with("This is standby RM") || response.status == 307 ||
         response.status == 302;
}

/// Whether a ResourceManager that ended a call so leaves hope in the others.
bool may_be_another(int exit_code) {
  return exit_code == kExitUnreachable || exit_code == kExitTryAgain || exit_code == kExitTimedOut;
}

}  // namespace

CommandError as_command_error(const Error& error, std::string advice) {
  int code = kExitFailed;
  if (error.code == ErrorCode::kUnavailable) code = kExitUnreachable;
  if (error.code == ErrorCode::kInvalidArgument) code = kExitUsage;
  if (error.code == ErrorCode::kPermissionDenied || error.code == ErrorCode::kUnauthenticated) {
    code = kExitNotAllowed;
  }
  return {code, error.message, std::move(advice)};
}

CommandError refusal(int status, std::string_view url, std::string_view body) {
  std::string message = what_it_said(body);
  if (message.empty()) message = fmt::format("{} answered {}", url, status);
  switch (status) {
    case 400: return {kExitUsage, message, "correct the value; --help shows what is accepted"};
    case 401:
    case 403:
      return {kExitNotAllowed, message, "ask as another user (HADOOP_USER_NAME) or ask the owner"};
    case 404:
      return {kExitFailed, message,
              "check the id: `heddle app list --all`, `heddle node list --all`"};
    case 408:
    case 429:
    case 503: return {kExitTryAgain, message, "try again in a moment"};
    default: return {kExitFailed, message, std::string(kAskDaemon)};
  }
}

std::string query_text(const std::vector<std::pair<std::string, std::string>>& values) {
  std::string text;
  for (const auto& [name, value] : values) {
    if (value.empty()) continue;
    text += fmt::format("{}{}={}", text.empty() ? "?" : "&", name, percent_encode(value));
  }
  return text;
}

Outcome<net::HttpResponse> Client::call(net::HttpCall call) const {
  call.headers.set("Accept", "application/json");
  call.connect_timeout = call.idle_timeout = timeout_;
  const SystemClock clock;
  const Instant begun = clock.now().instant;
  auto response = net::plain_http_call(call);
  if (response) return *std::move(response);
  if (response.error().code == ErrorCode::kUnavailable && clock.now().instant - begun >= timeout_) {
    return stop(kExitTimedOut, response.error().message, "wait longer: --timeout SECONDS");
  }
  if (response.error().code == ErrorCode::kUnsupported) {
    return stop(as_command_error(response.error(),
                                 "give an http:// address (--rm), or use the `yarn` command"));
  }
  return stop(as_command_error(response.error(),
                               "is it up, and is the address right? (--rm, --conf, HEDDLE_RM)"));
}

Outcome<Json> Client::ask(const net::HttpCall& template_call, std::string_view below,
                          std::string_view path) {
  CommandError last{kExitUnreachable, "no ResourceManager is known", "give --rm http://host:8088"};
  for (std::size_t i = 0; i < rm_urls_.size(); ++i) {
    net::HttpCall call = template_call;
    call.url = fmt::format("{}/ws/v1/{}{}", rm_urls_[i], below, path);
    call.body_max = kAnswerMax;
    auto response = this->call(std::move(call));
    if (!response) {
      if (last.exit_code != kExitTryAgain) last = std::move(response).error();
      if (!may_be_another(last.exit_code)) break;
      continue;
    }
    if (is_standby(*response)) {
      last = {kExitTryAgain, rm_urls_[i] + " is a standby ResourceManager",
              "try again in a moment, or give the address of the active one"};
      continue;
    }
    std::rotate(rm_urls_.begin(), rm_urls_.begin() + static_cast<std::ptrdiff_t>(i),
                rm_urls_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    if (response->status >= 300) {
      return stop(refusal(response->status, rm_urls_.front(), response->body));
    }
    return parse_answer(*response, rm_urls_.front());
  }
  return stop(std::move(last));
}

Outcome<Json> Client::get(std::string_view path) {
  return ask({}, kClusterBelow, path);
}

Outcome<Json> Client::get_own(std::string_view path, std::string_view query) {
  // With the name: what is asked for may be for administrators only.
  return ask({}, kOwnBelow,
             fmt::format("{}{}{}user.name={}", path, query, query.empty() ? '?' : '&',
                         percent_encode(user_)));
}

Outcome<Json> Client::put_below(std::string_view below, std::string_view path, std::string body) {
  net::HttpCall call;
  call.method = "PUT";
  call.headers.set("Content-Type", "application/json");
  call.body = std::move(body);
  const char sign = path.find('?') == std::string_view::npos ? '?' : '&';
  return ask(call, below, fmt::format("{}{}user.name={}", path, sign, percent_encode(user_)));
}

Outcome<Json> Client::put(std::string_view path, std::string body) {
  return put_below(kClusterBelow, path, std::move(body));
}

Outcome<Json> Client::put_own(std::string_view path, std::string body) {
  return put_below(kOwnBelow, path, std::move(body));
}

Outcome<std::string> Client::node_text(std::string_view address, std::string_view path,
                                       std::uint64_t body_max) {
  net::HttpCall call;
  const char sign = path.find('?') == std::string_view::npos ? '?' : '&';
  call.url = fmt::format("http://{}/ws/v1/node{}{}user.name={}", address, path, sign,
                         percent_encode(user_));
  call.body_max = body_max;
  auto response = this->call(std::move(call));
  if (!response) return stop(std::move(response).error());
  if (response->status >= 300) {
    return stop(refusal(response->status, fmt::format("node {}", address), response->body));
  }
  return std::move(response->body);
}

Outcome<Json> Client::node_get(std::string_view address, std::string_view path) {
  constexpr std::uint64_t kNodeAnswerMax = 16 << 20;
  const auto body = node_text(address, path, kNodeAnswerMax);
  if (!body) return stop(body.error());
  net::HttpResponse response;
  response.body = *body;
  return parse_answer(response, address);
}

}  // namespace heddle::cli
