// Cutting log text. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace heddle::cli {

/// The last `lines` lines; everything when `lines` is negative.
std::string_view last_lines(std::string_view text, std::int64_t lines);

/// What a NodeManager's answer holds between its own heading and closing lines.
std::string_view framed_text(std::string_view answer, std::string_view file);

}  // namespace heddle::cli
