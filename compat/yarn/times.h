// The time texts of application timeouts: "2026-11-22T03:01:49.660+0000". Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace heddle::compat::yarn {

std::string iso8601(WallTime time);  // always in UTC
/// Also other offsets, "Z", and a time without milliseconds. kInvalidArgument shows the form.
Result<WallTime> parse_iso8601(std::string_view text);

}  // namespace heddle::compat::yarn
