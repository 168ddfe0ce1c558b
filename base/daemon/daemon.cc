#include "base/daemon/daemon.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"

namespace heddle::daemon {
namespace {

constexpr BoolProperty kAllowInsecureNetwork{
    .name = "heddle.security.allow-insecure-network",
    .default_value = false,
    .doc =
        "Lets a daemon without authentication listen beyond loopback. Everybody who reaches its "
        "ports may then run programs on the nodes."};
constexpr std::array kServedSecurity = {
    OnlyValue{"hadoop.security.authentication", "simple"},
    OnlyValue{"hadoop.security.authorization", "false"},
    OnlyValue{"hadoop.http.authentication.type", "simple"},
    OnlyValue{"yarn.http.policy", "HTTP_ONLY"},
};

sigset_t stop_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  return set;
}

/// As Hadoop finds it: the canonical form of the machine's name, or the name itself where that form
/// is no name for others.
std::string own_host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::string host = name.data();
  if (::getaddrinfo(name.data(), nullptr, &hints, &found) != 0) return host;
  const std::string_view canonical = found->ai_canonname == nullptr ? "" : found->ai_canonname;
  if (!canonical.empty() && !canonical.starts_with("localhost")) host = canonical;
  ::freeaddrinfo(found);
  return host;
}

}  // namespace

tl::expected<Arguments, int> parse_arguments(const char* name, const char* purpose, int argc,
                                             char** argv) {
  Arguments arguments;
  CLI::App app(purpose, name);
  app.set_version_flag("--version", "heddle 0.1.0 (speaks Hadoop 3.4.2)");
  app.add_option("--conf", arguments.conf_dir,
                 "Folder of core-site.xml, yarn-site.xml, ... (default: $YARN_CONF_DIR, then "
                 "$HADOOP_CONF_DIR)");
  app.add_option("-D", arguments.overrides, "Sets one property: name=value; may be repeated")
      ->allow_extra_args(false);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return tl::unexpected(code == 0 ? 0 : kExitUsage);
  }
  for (const char* variable : {"YARN_CONF_DIR", "HADOOP_CONF_DIR"}) {
    const char* value = std::getenv(variable);
    if (arguments.conf_dir.empty() && value != nullptr) arguments.conf_dir = value;
  }
  if (arguments.conf_dir.empty()) {
    fmt::print(stderr, "{}: no configuration folder: give --conf DIR or set YARN_CONF_DIR\n", name);
    return tl::unexpected(kExitUsage);
  }
  return arguments;
}

int refuse_start(const Error& error) {
  log::error("cannot start: {}", error.message);
  switch (error.code) {
    case ErrorCode::kUnavailable: return kExitUnavailable;
    case ErrorCode::kInternal: return kExitIoError;
    default: return kExitConfig;
  }
}

void block_stop_signals() {
  const sigset_t set = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

void raise_descriptor_limit() {
  constexpr rlim_t kMost = 1 << 20;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kMost) return;
  limit.rlim_cur = std::min(limit.rlim_max, kMost);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log::warn("cannot raise the limit of open files: {}", std::strerror(errno));
  }
}

void wait_for_stop_signal() {
  const sigset_t set = stop_signals();
  int got = 0;
  while (::sigwait(&set, &got) != 0) {
  }
}

Result<void> make_state_folder(const std::string& path) {
  std::error_code error;
  const bool existed = std::filesystem::is_directory(path, error);
  if (!existed) std::filesystem::create_directories(path, error);
  if (!existed && !error) ::chmod(path.c_str(), 0700);
  if (error) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("state folder {}: {}; set heddle.state.dir to a folder this user may "
                            "write",
                            path, error.message()));
  }
  return {};
}

Result<void> write_ports(const std::string& state_dir,
                         const std::map<std::string, std::string>& ports) {
  std::string text;
  for (const auto& [property, address] : ports)
    text += fmt::format("{}={}\n", property, address);
  const std::string path = state_dir + "/ports.properties";
  const std::string draft = path + ".tmp";
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const bool written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) ::close(file);
  if (!written || ::rename(draft.c_str(), path.c_str()) != 0) {
    return fail(ErrorCode::kInternal, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return {};
}

bool is_loopback(std::string_view host) {
  const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "::1" || (numeric && host.starts_with("127."));
}

Result<void> check_served(const Settings& settings, std::span<const OnlyValue> values) {
  for (const OnlyValue& only : values) {
    const std::string value = settings.get_or(only.name, std::string(only.value));
    if (to_lower(trim(value)) == to_lower(only.value)) continue;
    return fail(ErrorCode::kUnsupported, fmt::format("{} = '{}': only {} is supported yet",
                                                     only.name, shortened(value), only.value));
  }
  return {};
}

Result<void> check_security(const Settings& settings) {
  RETURN_IF_ERROR(check_served(settings, kServedSecurity));
  const auto allowed = read(settings, kAllowInsecureNetwork);
  if (!allowed) return fail(allowed.error());
  if (*allowed) {
    log::warn(
        "{} is set and authentication is off: EVERYBODY WHO REACHES THESE PORTS MAY RUN "
        "PROGRAMS HERE",
        kAllowInsecureNetwork.name);
  }
  return {};
}

Result<HostPort> listen_address(const Settings& settings, std::string_view property,
                                std::string_view bind_property, std::uint16_t default_port) {
  const std::string text = settings.get_or(property, "");
  auto address = parse_host_port(text, default_port);
  if (!address) return fail(std::move(address).error().within(property));
  const std::string bind_host = settings.get_or(bind_property, "");
  if (!bind_host.empty()) address->host = bind_host;
  const auto allowed = read(settings, kAllowInsecureNetwork);
  if (!allowed) return fail(allowed.error());
  if (*allowed || is_loopback(address->host)) return address;
  if (address->host == "0.0.0.0") {
    address->host = "127.0.0.1";
    return address;
  }
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("{} = {}: without authentication this daemon listens on loopback only. "
                          "Set {} to true to let everybody on that network run programs here, or "
                          "{} to 127.0.0.1",
                          property, text, kAllowInsecureNetwork.name, bind_property));
}

Result<HostPort> connect_address(const Settings& settings, std::string_view property,
                                 std::uint16_t default_port) {
  auto address = parse_host_port(settings.get_or(property, ""), default_port);
  if (!address) return fail(std::move(address).error().within(property));
  if (address->host == "0.0.0.0") address->host = "localhost";
  return address;
}

Result<HostPort> advertised_address(const Settings& settings, std::string_view property,
                                    std::string_view bind_property, std::uint16_t default_port) {
  auto address = connect_address(settings, property, default_port);
  if (!address || parse_host_port(settings.get_or(property, ""), 0)->host != "0.0.0.0") {
    return address;
  }
  const auto bound = listen_address(settings, property, bind_property, default_port);
  if (!bound) return fail(bound.error());
  if (!is_loopback(bound->host)) address->host = own_host_name();
  return address;
}

std::set<std::string> own_host_names(std::string_view web_address) {
  std::set<std::string> names{"localhost"};
  names.emplace(web_address.substr(0, web_address.rfind(':')));
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) names.emplace(name.data());
  return names;
}

std::string login_user() {
  std::array<char, 16_KiB> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return entry.pw_name;
  }
  return fmt::format("{}", ::geteuid());
}

}  // namespace heddle::daemon
