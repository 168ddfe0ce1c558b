// Where a proxied request goes, and how its headers change on the way. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/net/http.h"
#include "base/result.h"
#include "rm/api/reports.h"

namespace heddle::compat::proxy {

/// "/proxy/application_1_0001/a/b?x=1" in its parts.
struct ProxyPath {
  AppId app;
  std::string rest;         // "/a/b", always with the first slash; as sent, not decoded
  std::string query;        // "?x=1" or ""
  bool redirected = false;  // /proxy/redirect/...: the AM sent us back to ourselves
};
/// kInvalidArgument: no valid application id.
Result<ProxyPath> parse_proxy_path(std::string_view target);

/// An http or https address without user information.
struct Target {
  std::string scheme;
  std::string authority;  // host:port
  std::string path;       // "" or "/..." without the last slash
};
/// A registered tracking URL; "host:port" means http. kInvalidArgument: another scheme, user
/// information, no host, or a link-local address (where clouds keep credentials).
Result<Target> parse_tracking_url(std::string_view url);

enum class Decision : std::uint8_t { kForward, kRedirect, kNotFound };
struct Plan {
  Decision decision = Decision::kNotFound;
  std::string url;  // to fetch, or to redirect to
  Target target;    // kForward
};
/// `app` may be null. Ended applications are redirected to where they said; without a tracking URL
/// to /cluster/app/<id>.
Plan plan(const ProxyPath& path, const rm::AppReport* app);

/// The headers to send on: hop-by-hop fields, credentials and our own cookies are left out, and
/// the cookie proxy-user says who asks, as the ApplicationMaster's filter expects.
net::HttpFields forwarded_headers(const net::HttpRequest& request, std::string_view user);

/// The headers to send back: hop-by-hop fields are left out, redirects inside the application stay
/// under /proxy/<application>, cookies are kept to that path.
net::HttpFields returned_headers(const net::HttpFields& headers, const ProxyPath& path,
                                 const Target& target);

/// The Location that `location` of an answer becomes.
std::string rewrite_location(std::string_view location, const ProxyPath& path,
                             const Target& target);

}  // namespace heddle::compat::proxy
