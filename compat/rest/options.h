// What the web surface of a daemon must be told.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/settings.h"

namespace heddle::compat::rest {

/// The counters of one RPC port, as /jmx shows them.
struct RpcActivity {
  int port = 0;
  std::string server_name;  // "ApplicationClientProtocolService"
  std::int64_t received_bytes = 0, sent_bytes = 0;
  std::int64_t calls = 0, successes = 0, in_process = 0;
  double processing_ms = 0;  // of a call, on average
  std::int64_t logins = 0, failed_logins = 0, contexts = 0;
  std::int64_t open_connections = 0, dropped_connections = 0;
};

/// Set in main(); outlives the handlers.
struct WebOptions {
  /// host:port under which people reach this daemon's web port; links are made with it.
  std::string web_address;
  /// host:port of the ResourceManager's web port, for links from the NodeManager's pages.
  std::string rm_web_address;
  /// Host names that are ours besides localhost; a request under another name is refused while
  /// the port is bound to loopback (DNS rebinding).
  std::set<std::string> host_names;
  bool bound_to_loopback = true;
  std::string rpc_address;             // host:port of the client RPC, for /jmx
  std::string login_user;              // of the process
  std::string static_user = "dr.who";  // hadoop.http.staticuser.user
  bool anonymous_allowed = true;       // hadoop.http.authentication.simple.anonymous.allowed
  std::string log_server_url;          // yarn.log.server.url; "" = none
  const Settings* settings = nullptr;
  const Clock* clock = nullptr;
  std::function<std::vector<RpcActivity>()> rpc_activity;  // any thread
};

/// The options that the configuration decides, with `settings` itself, which must outlive them.
Result<WebOptions> web_options_from(const Settings& settings);

/// What clients take for the Hadoop version they talk to, and what we really are.
inline constexpr std::string_view kHadoopVersion = "3.4.2";
inline constexpr std::string_view kBuildVersion = "3.4.2 from heddle 0.1.0";
inline constexpr std::string_view kBuiltOn = "N/A";

}  // namespace heddle::compat::rest
