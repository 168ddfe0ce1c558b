// The primitives of TFile: its own variable length integers ("TV") and Java's modified UTF-8.
// Source: wire facts "container", section 7. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heddle::compat::logfile {

void append_tv(std::string& out, std::int64_t value);
void append_str(std::string& out, std::string_view text);  // TV length + UTF-8

/// Java's writeUTF: two bytes of length, then modified UTF-8. Bytes that are no UTF-8 become
/// U+FFFD. kLimitExceeded above 65,535 bytes.
Result<std::string> encode_java_utf(std::string_view text);

/// Reads primitives from bytes of outside; nothing is ever read past the end.
class TvReader {
 public:
  explicit TvReader(std::string_view bytes) : rest_(bytes) {}
  Result<std::int64_t> tv();
  Result<std::string_view> bytes(std::int64_t count);
  Result<std::string_view> counted();  // TV length + bytes; -1 reads as ""
  Result<std::int64_t> big_endian(std::size_t width);
  Result<std::string> java_utf();  // as UTF-8
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace heddle::compat::logfile
