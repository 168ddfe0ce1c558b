// Logging. One line an event, on standard error: time, level, thread, message. Who handles an
// error logs it; nothing is logged twice. Secrets never reach a logger (security::Secret has no
// text form).
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace heddle::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };

/// Sets what is written; any thread. Default kInfo.
void set_level(Level level);
bool enabled(Level level);
/// Writes one line; control characters in it are escaped. Any thread; never throws.
void write(Level level, std::string_view message);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) {
    write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarn)) write(Level::kWarn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace heddle::log
