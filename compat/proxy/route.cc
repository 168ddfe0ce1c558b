#include "compat/proxy/route.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "base/text.h"

namespace heddle::compat::proxy {
namespace {

constexpr std::string_view kProxyUser = "proxy-user";

bool is_hop_by_hop(std::string_view lower) {
  constexpr std::array<std::string_view, 11> kNames = {"connection",
                                                       "keep-alive",
                                                       "proxy-authenticate",
                                                       "proxy-authorization",
                                                       "proxy-connection",
                                                       "te",
                                                       "trailer",
                                                       "transfer-encoding",
                                                       "upgrade",
                                                       "content-length",
                                                       "expect"};
  for (const std::string_view name : kNames) {
    if (name == lower) return true;
  }
  return false;
}

// Fields that the Connection header declares to be for this hop only.
std::vector<std::string> declared_hops(const net::HttpFields& headers) {
  std::vector<std::string> names;
  for (const auto& [name, value] : headers.all()) {
    if (to_lower(name) == "connection") {
      for (const std::string& hop : split_list(to_lower(value)))
        names.push_back(hop);
    }
  }
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  for (const std::string& candidate : names) {
    if (candidate == name) return true;
  }
  return false;
}

// Cookies without those that log in here.
std::string other_cookies(std::string_view header) {
  std::string kept;
  for (const std::string& cookie : split_list(header, ';')) {
    const std::string name = cookie.substr(0, cookie.find('='));
    if (name == "hadoop.auth" || name == kProxyUser) continue;
    kept += (kept.empty() ? "" : "; ") + cookie;
  }
  return kept;
}

std::string proxy_base(const ProxyPath& path) {
  return "/proxy/" + to_string(path.app);
}

// "a=b; Path=/x; Domain=y" kept to the application's path on our own host.
std::string scoped_cookie(std::string_view value, const ProxyPath& path) {
  std::string out;
  for (const std::string& part : split_list(value, ';')) {
    const std::string lower = to_lower(part);
    if (lower.starts_with("path=") || lower.starts_with("domain=")) continue;
    out += (out.empty() ? "" : "; ") + part;
  }
  return out + "; Path=" + proxy_base(path);
}

}  // namespace

Result<ProxyPath> parse_proxy_path(std::string_view target) {
  ProxyPath result;
  if (target.find('#') != target.npos) target = target.substr(0, target.find('#'));
  if (const auto query = target.find('?'); query != target.npos) {
    result.query = target.substr(query);
    target = target.substr(0, query);
  }
  constexpr std::string_view kPrefix = "/proxy/";
  if (!target.starts_with(kPrefix)) {
    return fail(ErrorCode::kInvalidArgument, "the path does not begin with /proxy/");
  }
  target.remove_prefix(kPrefix.size());
  if (target.starts_with("redirect/")) {
    result.redirected = true;
    target.remove_prefix(9);
  }
  const auto slash = target.find('/');
  auto id = parse_app_id(target.substr(0, slash));
  if (!id) return fail(std::move(id).error());
  result.app = *id;
  result.rest = slash == target.npos ? "/" : std::string(target.substr(slash));
  return result;
}

Result<Target> parse_tracking_url(std::string_view url) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the tracking URL '{}' cannot be followed: {}", shortened(url), why));
  };
  url = trim(url);
  Target target{"http", "", ""};
  std::string_view rest = url;
  if (const auto colon = url.find("://"); colon != url.npos) {
    target.scheme = to_lower(url.substr(0, colon));
    rest = url.substr(colon + 3);
  } else if (url.starts_with("//")) {
    rest = url.substr(2);
  }
  if (target.scheme != "http" && target.scheme != "https") return refuse("only http and https");
  const auto end = rest.find_first_of("/?#");
  target.authority = rest.substr(0, end);
  if (target.authority.empty() || target.authority.front() == ':') return refuse("no host");
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '\\') {
      return refuse("a blank or control character");
    }
  }
  if (target.authority.find('@') != std::string::npos) return refuse("user information in it");
  const std::string lower = to_lower(target.authority);
  if (lower.starts_with("169.254.") || lower.starts_with("[fe80:") ||
      lower.starts_with("[::ffff:169.254.")) {
    return refuse("a link-local address");
  }
  if (end != rest.npos && rest[end] == '/') {
    target.path = rest.substr(end, rest.find_first_of("?#") - end);
    while (target.path.ends_with('/'))
      target.path.pop_back();
  }
  return target;
}

Plan plan(const ProxyPath& path, const rm::AppReport* app) {
  const std::string page = "/cluster/app/" + to_string(path.app);
  if (path.redirected) {
    return {Decision::kRedirect, "/cluster/failure/" + to_string(path.app), {}};
  }
  if (app == nullptr) return {};
  if (app->original_tracking_url.empty() || app->original_tracking_url == "N/A") {
    return {Decision::kRedirect, page, {}};
  }
  auto target = parse_tracking_url(app->original_tracking_url);
  if (!target) return {Decision::kRedirect, page, {}};
  std::string url = target->scheme + "://" + target->authority + target->path;
  if (path.rest != "/" || target->path.empty()) url += path.rest;
  url += path.query;
  const bool ended = rm::is_final(app->state) || app->finished.ms > 0;
  return {ended ? Decision::kRedirect : Decision::kForward, std::move(url), std::move(*target)};
}

net::HttpFields forwarded_headers(const net::HttpRequest& request, std::string_view user) {
  const std::vector<std::string> hops = declared_hops(request.headers);
  net::HttpFields out;
  std::string cookies;
  for (const auto& [name, value] : request.headers.all()) {
    const std::string lower = to_lower(name);
    if (lower == "cookie") {
      const std::string kept = other_cookies(value);
      if (!kept.empty()) cookies += (cookies.empty() ? "" : "; ") + kept;
      continue;
    }
    if (lower == "host" || lower == "authorization" || lower == "accept-encoding" ||
        lower.starts_with("x-hadoop-") || lower.starts_with("hadoop-yarn-") ||
        is_hop_by_hop(lower) || contains(hops, lower)) {
      continue;
    }
    out.add(name, value);
  }
  if (!user.empty()) {
    cookies +=
        fmt::format("{}{}={}", cookies.empty() ? "" : "; ", kProxyUser, percent_encode(user));
  }
  if (!cookies.empty()) out.add("Cookie", cookies);
  return out;
}

std::string rewrite_location(std::string_view location, const ProxyPath& path,
                             const Target& target) {
  const std::string base = proxy_base(path);
  const std::string origin = target.scheme + "://" + target.authority;
  std::string_view inside = location;
  if (to_lower(location.substr(0, origin.size())) == to_lower(origin)) {
    inside.remove_prefix(origin.size());
    if (inside.empty()) return base + "/";
    if (inside.front() != '/' && inside.front() != '?') return std::string(location);
  } else if (!location.starts_with('/') || location.starts_with("//")) {
    return std::string(location);  // another place, or relative to the present path
  }
  if (inside == base || inside.starts_with(base + "/")) return std::string(inside);
  if (!target.path.empty() && (inside == target.path || inside.starts_with(target.path + "/"))) {
    inside.remove_prefix(target.path.size());
  }
  return base + (inside.starts_with('/') ? "" : "/") + std::string(inside);
}

net::HttpFields returned_headers(const net::HttpFields& headers, const ProxyPath& path,
                                 const Target& target) {
  const std::vector<std::string> hops = declared_hops(headers);
  net::HttpFields out;
  for (const auto& [name, value] : headers.all()) {
    const std::string lower = to_lower(name);
    if (is_hop_by_hop(lower) || lower == "date" || contains(hops, lower)) continue;
    if (lower == "location") {
      out.add(name, rewrite_location(value, path, target));
    } else if (lower == "set-cookie") {
      const std::string cookie(trim(value));
      if (cookie.starts_with("hadoop.auth=") || cookie.starts_with("proxy-user=")) continue;
      out.add(name, scoped_cookie(cookie, path));
    } else {
      out.add(name, value);
    }
  }
  return out;
}

}  // namespace heddle::compat::proxy
