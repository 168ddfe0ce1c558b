// Small text helpers. All are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle {

/// Text from outside made safe for a message: control and non-ASCII bytes as \xNN, cut to `max`
/// characters with "..." when longer.
std::string shortened(std::string_view text, std::size_t max = 80);

std::string_view trim(std::string_view text);  // blanks, tabs, line ends
/// Pieces between separators; blanks around each piece and empty pieces are dropped.
std::vector<std::string> split_list(std::string_view text, char separator = ',');
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string to_lower(std::string_view text);  // ASCII only
std::string to_upper(std::string_view text);  // ASCII only

/// The whole text as a decimal number; nothing else around it.
std::optional<std::int64_t> parse_int(std::string_view text);
std::optional<double> parse_double(std::string_view text);

/// Standard base64 with padding; url: '-' and '_' and no padding.
std::string base64_encode(std::string_view bytes);
std::string base64_url_encode(std::string_view bytes);
Result<std::string> base64_decode(std::string_view text);  // takes both alphabets

std::string hex_encode(std::string_view bytes);
Result<std::string> hex_decode(std::string_view text);

/// %XX decoding of a URL component; '+' is a blank only when `plus_is_blank`.
Result<std::string> percent_decode(std::string_view text, bool plus_is_blank = false);
std::string percent_encode(std::string_view text);  // keeps unreserved characters only

bool is_valid_utf8(std::string_view text);

}  // namespace heddle
