#include "base/settings.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "base/bytes.h"
#include "base/text.h"

namespace heddle {
namespace {

constexpr int kSubstitutionDepthMax = 20;
constexpr std::size_t kSubstitutedMax = 1_MiB;  // bytes of one value
constexpr int kSubstitutionsMax = 10'000;       // in one value
// A century: a deadline of "now" and any time of a configuration file fits into 64 bits.
constexpr std::chrono::nanoseconds kTimeMax = std::chrono::hours(24 * 365 * 100);

template <class T>
Failure malformed(const Settings& settings, const Property<T>& property, std::string_view value,
                  std::string_view accepted) {
  const Setting* setting = settings.find(property.name);
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{} = '{}' ({}): {}", property.name, shortened(value),
                          setting == nullptr ? "default" : setting->source, accepted));
}

template <class T, class Parse>
Result<T> read_with(const Settings& settings, const Property<T>& property,
                    std::string_view accepted, Parse parse) {
  const auto raw = settings.get(property.name);
  const std::string_view text = raw ? trim(*raw) : std::string_view();
  if (text.empty()) return property.default_value;
  const std::optional<T> value = parse(text);
  if (!value) return malformed(settings, property, text, accepted);
  if (property.check != nullptr) {
    const std::string_view reason = property.check(*value);
    if (!reason.empty()) return malformed(settings, property, text, reason);
  }
  return *value;
}

std::optional<std::chrono::nanoseconds> parse_time(std::string_view text,
                                                   std::chrono::nanoseconds plain_unit) {
  struct Suffix {
    std::string_view text;
    std::int64_t ns;
  };
  static constexpr Suffix kSuffixes[] = {{"ns", 1},
                                         {"us", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", 1'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"h", 3'600'000'000'000},
                                         {"d", 86'400'000'000'000}};
  std::int64_t unit = plain_unit.count();
  const std::string lower = to_lower(text);
  std::string_view digits = lower;
  for (const Suffix& suffix : kSuffixes) {
    if (digits.ends_with(suffix.text)) {
      digits.remove_suffix(suffix.text.size());
      unit = suffix.ns;
      break;
    }
  }
  const auto number = parse_int(trim(digits));
  if (!number) return std::nullopt;
  std::int64_t total = 0;
  if (__builtin_mul_overflow(*number, unit, &total)) return *number < 0 ? -kTimeMax : kTimeMax;
  return std::clamp(std::chrono::nanoseconds(total), -kTimeMax, kTimeMax);
}

/// One value with what is put in. Bounded, since a few properties made of each other grow fast.
class Substitution {
 public:
  explicit Substitution(const Settings& settings) : settings_(settings) {}

  std::string of(std::string_view text) {
    add(text, 0);
    return std::move(out_);
  }

 private:
  void add(std::string_view text, int depth) {
    while (true) {
      const auto start = text.find("${");
      const auto end = start == std::string_view::npos ? start : text.find('}', start);
      const bool enough =
          depth >= kSubstitutionDepthMax || out_.size() >= kSubstitutedMax || left_ == 0;
      if (end == std::string_view::npos || enough) {
        out_ += text;
        return;
      }
      --left_;
      out_ += text.substr(0, start);
      const std::string_view name = text.substr(start + 2, end - start - 2);
      const Setting* setting = settings_.find(name);
      if (setting != nullptr) {
        add(setting->value, depth + 1);
      } else if (name.starts_with("env.")) {
        const char* value = std::getenv(std::string(name.substr(4)).c_str());
        out_ += value == nullptr ? text.substr(start, end + 1 - start) : std::string_view(value);
      } else {
        out_ += text.substr(start, end + 1 - start);
      }
      text.remove_prefix(end + 1);
    }
  }

  const Settings& settings_;
  std::string out_;
  int left_ = kSubstitutionsMax;
};

}  // namespace

bool Settings::set(std::string name, Setting setting) {
  const auto found = settings_.find(name);
  if (found == settings_.end()) {
    settings_.emplace(std::move(name), std::move(setting));
    return true;
  }
  if (found->second.is_final) return false;
  found->second = std::move(setting);
  return true;
}

const Setting* Settings::find(std::string_view name) const {
  const auto found = settings_.find(name);
  return found == settings_.end() ? nullptr : &found->second;
}

std::optional<std::string> Settings::get(std::string_view name) const {
  const Setting* setting = find(name);
  if (setting == nullptr) return std::nullopt;
  return Substitution{*this}.of(setting->value);
}

std::string Settings::get_or(std::string_view name, std::string_view fallback) const {
  auto value = get(name);
  if (value) return *std::move(value);
  return Substitution{*this}.of(fallback);
}

Result<std::string> read(const Settings& settings, const TextProperty& property) {
  auto raw = settings.get(property.name);
  std::string text(trim(raw ? *raw : settings.get_or(property.name, property.default_value)));
  if (property.check != nullptr) {
    const std::string_view reason = property.check(text);
    if (!reason.empty()) return malformed(settings, property, text, reason);
  }
  return text;
}

Result<std::int64_t> read(const Settings& settings, const IntProperty& property) {
  return read_with<std::int64_t>(settings, property, "must be a whole number, such as 8192",
                                 [](std::string_view text) { return parse_int(text); });
}

Result<double> read(const Settings& settings, const DoubleProperty& property) {
  return read_with<double>(settings, property, "must be a number, such as 0.5",
                           [](std::string_view text) -> std::optional<double> {
                             if (text.ends_with('f') || text.ends_with('F')) text.remove_suffix(1);
                             return parse_double(text);
                           });
}

Result<bool> read(const Settings& settings, const BoolProperty& property) {
  return read_with<bool>(settings, property, "must be true or false",
                         [](std::string_view text) -> std::optional<bool> {
                           const std::string lower = to_lower(text);
                           if (lower == "true") return true;
                           if (lower == "false") return false;
                           return std::nullopt;
                         });
}

Result<std::chrono::milliseconds> read(const Settings& settings, const MillisProperty& property) {
  return read_with<std::chrono::milliseconds>(
      settings, property, "must be a time, such as 500 (milliseconds), 30s, 10m or 1h",
      [](std::string_view text) -> std::optional<std::chrono::milliseconds> {
        const auto time = parse_time(text, std::chrono::milliseconds(1));
        if (!time) return std::nullopt;
        return std::chrono::duration_cast<std::chrono::milliseconds>(*time);
      });
}

Result<std::chrono::seconds> read(const Settings& settings, const SecondsProperty& property) {
  return read_with<std::chrono::seconds>(
      settings, property, "must be a time, such as 30 (seconds), 10m or 1h",
      [](std::string_view text) -> std::optional<std::chrono::seconds> {
        const auto time = parse_time(text, std::chrono::seconds(1));
        if (!time) return std::nullopt;
        return std::chrono::duration_cast<std::chrono::seconds>(*time);
      });
}

std::string to_string(const HostPort& address) {
  return fmt::format("{}:{}", address.host, address.port);
}

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  text = trim(text);
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    if (text.empty()) return fail(ErrorCode::kInvalidArgument, "an address must not be empty");
    return HostPort{std::string(text), default_port};
  }
  const auto port = parse_int(text.substr(colon + 1));
  if (colon == 0 || !port || *port < 0 || *port > 65535) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("'{}' is not of the form host:port", shortened(text)));
  }
  return HostPort{std::string(text.substr(0, colon)), static_cast<std::uint16_t>(*port)};
}

}  // namespace heddle
