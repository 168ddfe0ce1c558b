// What every daemon's main() needs.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/result.h"
#include "base/settings.h"

namespace heddle::daemon {

// sysexits.h: what supervisors and scripts can act on.
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnavailable = 69;
inline constexpr int kExitIoError = 74;
inline constexpr int kExitConfig = 78;

struct Arguments {
  std::string conf_dir;
  std::vector<std::string> overrides;  // "name=value"
};

/// --conf DIR (else $YARN_CONF_DIR, $HADOOP_CONF_DIR) and -D name=value. The error is the exit
/// code, after the message has been printed (0 for --help and --version).
tl::expected<Arguments, int> parse_arguments(const char* name, const char* purpose, int argc,
                                             char** argv);

/// Logs the error; the exit code that goes with it.
int refuse_start(const Error& error);

/// Blocks SIGTERM and SIGINT in this and all later threads, and ignores SIGPIPE.
void block_stop_signals();
/// Allows as many open files as the hard limit does (at most 2^20), as a JVM does for itself: a
/// node or a master is a connection each, and the usual soft limit is 1,024.
void raise_descriptor_limit();
/// Returns at SIGTERM or SIGINT.
void wait_for_stop_signal();

/// Creates the folder, mode 0700, if it is missing. The error says what to set instead.
Result<void> make_state_folder(const std::string& path);
/// Replaces `<state dir>/ports.properties`: one "property=host:port" a line.
Result<void> write_ports(const std::string& state_dir,
                         const std::map<std::string, std::string>& ports);

bool is_loopback(std::string_view host);
/// A property that would do harm if it were taken no notice of, and the one value that is served.
struct OnlyValue {
  std::string_view name;
  std::string_view value;  // Hadoop's default, too
};
/// kUnsupported names the first property that is set to something else.
Result<void> check_served(const Settings& settings, std::span<const OnlyValue> values);
/// kUnsupported when the configuration asks for more security than this daemon can do yet; logs
/// loudly when an insecure network is allowed.
Result<void> check_security(const Settings& settings);

/// Where to bind for an address property: the host of `bind_property` if set, else its own. With
/// security off everything but loopback needs heddle.security.allow-insecure-network:
/// 0.0.0.0 becomes 127.0.0.1, any other host is kPermissionDenied.
Result<HostPort> listen_address(const Settings& settings, std::string_view property,
                                std::string_view bind_property, std::uint16_t default_port);
/// How others reach that address: its own host and port. For 0.0.0.0 that is "localhost" while only
/// loopback is listened on, else the machine's canonical name, as in Hadoop. May ask the resolver.
Result<HostPort> advertised_address(const Settings& settings, std::string_view property,
                                    std::string_view bind_property, std::uint16_t default_port);
/// How this daemon reaches the address of another one: as above, 0.0.0.0 is this machine.
Result<HostPort> connect_address(const Settings& settings, std::string_view property,
                                 std::uint16_t default_port);

/// The names a browser may use for this machine in a Host header.
std::set<std::string> own_host_names(std::string_view web_address);
std::string login_user();

}  // namespace heddle::daemon
