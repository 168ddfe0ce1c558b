#include "compat/logfile/tv.h"

#include <fmt/core.h>

namespace heddle::compat::logfile {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

void append_big_endian(std::string& out, std::int64_t value, int width) {
  for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) {
    out += static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xFFU);
  }
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Takes one code point from the front; kReplacement and one byte where it is malformed.
std::uint32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  std::uint32_t point = length <= 1 ? lead : lead & (0xFFU >> (length + 1));
  bool good = length > 0 && text.size() >= length;
  for (std::size_t i = 1; good && i < length; ++i) {
    good = is_continuation(text[i]);
    point = (point << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  good =
      good && point >= kSmallest[length] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
  text.remove_prefix(good ? length : 1);
  return good ? point : kReplacement;
}

void append_unit(std::string& out, std::uint32_t unit) {  // one UTF-16 unit, Java's way
  if (unit != 0 && unit < 0x80) {
    out += static_cast<char>(unit);
  } else if (unit < 0x800) {
    out += static_cast<char>(0xC0U | (unit >> 6));
    out += static_cast<char>(0x80U | (unit & 0x3FU));
  } else {
    out += static_cast<char>(0xE0U | (unit >> 12));
    out += static_cast<char>(0x80U | ((unit >> 6) & 0x3FU));
    out += static_cast<char>(0x80U | (unit & 0x3FU));
  }
}

Failure cut_short(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("{} is cut short", what));
}

}  // namespace

void append_tv(std::string& out, std::int64_t value) {
  if (value >= -32 && value <= 127) {
    append_big_endian(out, value, 1);
  } else if (value >= -5120 && value < 5120) {
    append_big_endian(out, (value >> 8) - 52, 1);
    append_big_endian(out, value, 1);
  } else if (value >= -(1LL << 20) && value < (1LL << 20)) {
    append_big_endian(out, (value >> 16) - 88, 1);
    append_big_endian(out, value, 2);
  } else if (value >= -(1LL << 27) && value < (1LL << 27)) {
    append_big_endian(out, (value >> 24) - 112, 1);
    append_big_endian(out, value, 3);
  } else {
    const std::uint64_t magnitude = static_cast<std::uint64_t>(value < 0 ? ~value : value);
    int width = 4;
    while (width < 8 && (magnitude >> (width * 8 - 1)) != 0)
      ++width;
    append_big_endian(out, width - 129, 1);
    append_big_endian(out, value, width);
  }
}

void append_str(std::string& out, std::string_view text) {
  append_tv(out, static_cast<std::int64_t>(text.size()));
  out += text;
}

Result<std::string> encode_java_utf(std::string_view text) {
  std::string bytes;
  while (!text.empty() && bytes.size() <= 0xFFFF) {
    const std::uint32_t point = take_code_point(text);
    if (point < 0x10000) {
      append_unit(bytes, point);
    } else {
      append_unit(bytes, 0xD800 + ((point - 0x10000) >> 10));
      append_unit(bytes, 0xDC00 + ((point - 0x10000) & 0x3FFU));
    }
  }
  if (bytes.size() > 0xFFFF) {
    return fail(ErrorCode::kLimitExceeded, "a text of a log file is longer than 65535 bytes");
  }
  std::string out;
  append_big_endian(out, static_cast<std::int64_t>(bytes.size()), 2);
  return out + bytes;
}

Result<std::string_view> TvReader::bytes(std::int64_t count) {
  if (count < 0 || static_cast<std::uint64_t>(count) > rest_.size()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a length of {} where {} bytes are left", count, rest_.size()));
  }
  const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(count));
  rest_.remove_prefix(taken.size());
  return taken;
}

Result<std::int64_t> TvReader::big_endian(std::size_t width) {
  if (rest_.size() < width) return cut_short("a number");
  auto value = static_cast<std::uint64_t>(
      static_cast<std::int64_t>(static_cast<std::int8_t>(rest_.front())));
  for (std::size_t i = 1; i < width; ++i) {
    value = (value << 8) | static_cast<unsigned char>(rest_[i]);
  }
  rest_.remove_prefix(width);
  return static_cast<std::int64_t>(value);
}

Result<std::int64_t> TvReader::tv() {
  if (rest_.empty()) return cut_short("a number");
  const int first = static_cast<std::int8_t>(rest_.front());
  rest_.remove_prefix(1);
  if (first >= -32) return first;
  const int group = (first + 128) / 8;
  if (group == 0) {
    const int bytes = first + 129;  // 1 to 8
    return big_endian(static_cast<std::size_t>(bytes));
  }
  const std::size_t width = group >= 7 ? 1 : group >= 3 ? 2 : 3;
  const int base = width == 1 ? first + 52 : width == 2 ? first + 88 : first + 112;
  if (rest_.size() < width) return cut_short("a number");
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < width; ++i)
    low = (low << 8) | static_cast<unsigned char>(rest_[i]);
  rest_.remove_prefix(width);
  return base * (std::int64_t{1} << (8 * width)) + static_cast<std::int64_t>(low);
}

Result<std::string_view> TvReader::counted() {
  const auto length = tv();
  if (!length) return fail(length.error());
  if (*length == -1) return std::string_view();
  return bytes(*length);
}

Result<std::string> TvReader::java_utf() {
  if (rest_.size() < 2) return cut_short("a text");
  const auto length =
      (static_cast<unsigned char>(rest_[0]) << 8) | static_cast<unsigned char>(rest_[1]);
  rest_.remove_prefix(2);
  const auto text = bytes(length);
  if (!text) return fail(text.error());
  return std::string(*text);
}

}  // namespace heddle::compat::logfile
