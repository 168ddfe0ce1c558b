#include "tools/heddle/console.h"

#include <unistd.h>

#include <cerrno>

#include "base/environment.h"
#include "base/text.h"

namespace heddle::cli {
namespace {

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 1;
};

/// The first code point of valid UTF-8.
CodePoint first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  std::uint32_t value = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  return {value, bytes};
}

bool is_control(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x200B && point <= 0x200F) ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

bool is_wide(std::uint32_t point) {
  return (point >= 0x1100 && point <= 0x115F) || (point >= 0x2E80 && point <= 0xA4CF) ||
         (point >= 0xAC00 && point <= 0xD7A3) || (point >= 0xF900 && point <= 0xFAFF) ||
         (point >= 0xFE30 && point <= 0xFE6F) || (point >= 0xFF00 && point <= 0xFF60) ||
         (point >= 0x1F300 && point <= 0x1FAFF) || (point >= 0x20000 && point <= 0x3FFFD);
}

}  // namespace

ProcessConsole::ProcessConsole() {
  colour = ::isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR").empty() &&
           environment("TERM") != "dumb";
}

bool ProcessConsole::write(std::string_view text) {
  if (write_all(STDOUT_FILENO, text)) return true;
  if (errno != EPIPE) write_error_ = errno;
  return false;
}

void ProcessConsole::complain(std::string_view line) {
  write_all(STDERR_FILENO, std::string(line) + "\n");
}

std::string printable(std::string_view text) {
  std::string result;
  if (!is_valid_utf8(text)) {
    for (const char byte : text)
      result += byte >= 0x20 && byte < 0x7F ? byte : '?';
    return result;
  }
  while (!text.empty()) {
    const CodePoint point = first_of(text);
    if (is_control(point.value)) {
      result += point.value == '\n' || point.value == '\t' ? ' ' : '?';
    } else {
      result += text.substr(0, point.bytes);
    }
    text.remove_prefix(point.bytes);
  }
  return result;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = first_of(text);
    width += is_wide(point.value) ? 2 : 1;
    text.remove_prefix(std::min(point.bytes, text.size()));
  }
  return width;
}

}  // namespace heddle::cli
