// Configuration values by name, and the declarations of the properties that read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle {

/// One value with the place it came from, for messages and for /conf.
struct Setting {
  std::string value;   // before ${...} substitution
  std::string source;  // "yarn-site.xml:12", "command line", "default"
  bool is_final = false;
};

/// All settings of a daemon. Read-only once loaded; then safe from any thread.
class Settings {
 public:
  /// Replaces unless the present one is final. False: it was final and stays.
  bool set(std::string name, Setting setting);
  const Setting* find(std::string_view name) const;
  /// The value with ${name} and ${env.NAME} replaced, at most 20 deep, 10,000 of them and until it
  /// has 1 MiB; nullopt when unset. An unknown name stays as it is.
  std::optional<std::string> get(std::string_view name) const;
  std::string get_or(std::string_view name, std::string_view fallback) const;
  const std::map<std::string, Setting, std::less<>>& all() const { return settings_; }

 private:
  std::map<std::string, Setting, std::less<>> settings_;
};

enum class Reload : std::uint8_t { kNeedsRestart, kLive };

/// A property, declared once beside the code that reads it. The declaration feeds the parser, the
/// check, the generated reference page and /conf.
template <class T>
struct Property {
  std::string_view name;  // Hadoop's key where Hadoop has one
  T default_value;
  std::string_view doc;  // third person; no default and no type, the tool adds both
  Reload reload = Reload::kNeedsRestart;
  std::string_view (*check)(const T&) = nullptr;  // empty = accepted, else the reason
};

using TextProperty = Property<std::string_view>;
using IntProperty = Property<std::int64_t>;
using DoubleProperty = Property<double>;
using BoolProperty = Property<bool>;
using MillisProperty =
    Property<std::chrono::milliseconds>;                 // plain numbers are ms; or 5s, 2m, 1h, 3d
using SecondsProperty = Property<std::chrono::seconds>;  // plain numbers are seconds

/// The value, or the default when unset; except for texts also when blank. Times beyond a century
/// are a century. kInvalidArgument names key, value, source and the forms accepted.
Result<std::string> read(const Settings& settings, const TextProperty& property);
Result<std::int64_t> read(const Settings& settings, const IntProperty& property);
Result<double> read(const Settings& settings, const DoubleProperty& property);
Result<bool> read(const Settings& settings, const BoolProperty& property);
Result<std::chrono::milliseconds> read(const Settings& settings, const MillisProperty& property);
Result<std::chrono::seconds> read(const Settings& settings, const SecondsProperty& property);

/// host:port of an address property. A missing port takes `default_port`; port 0 = choose one.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
std::string to_string(const HostPort& address);
Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port);

}  // namespace heddle
