#include "compat/yarn/times.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/text.h"

namespace heddle::compat::yarn {
namespace {

namespace chr = std::chrono;

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// "Z", "+0100" or "+01:00" as minutes.
std::optional<int> offset_minutes(std::string_view text) {
  if (text == "Z") return 0;
  if (text.size() != 5 && text.size() != 6) return std::nullopt;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  if (text.size() == 6 && text[3] != ':') return std::nullopt;
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, text.size() - 2, 2);
  if (!hours || !minutes || *hours > 18 || *minutes > 59) return std::nullopt;
  const int all = *hours * 60 + *minutes;
  return text[0] == '-' ? -all : all;
}

std::optional<std::int64_t> parse(std::string_view text) {
  constexpr std::size_t kSeconds = 19;  // "2026-11-22T03:01:49"
  if (text.size() <= kSeconds || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const chr::year_month_day date{chr::year(*year), chr::month(static_cast<unsigned>(*month)),
                                 chr::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  std::size_t at = kSeconds;
  int millis = 0;
  if (text[at] == '.') {
    const auto fraction = digits(text, at + 1, 3);
    if (!fraction) return std::nullopt;
    millis = *fraction;
    at += 4;
  }
  const auto offset = offset_minutes(text.substr(at));
  if (!offset) return std::nullopt;
  const auto days = chr::sys_days(date).time_since_epoch();
  const auto all = chr::milliseconds(days) + chr::hours(*hour) + chr::minutes(*minute - *offset) +
                   chr::seconds(*second) + chr::milliseconds(millis);
  return all.count();
}

}  // namespace

std::string iso8601(WallTime time) {
  constexpr std::int64_t kLastOfYear9999 = 253'402'300'799'999;
  const chr::sys_time<chr::milliseconds> at{
      chr::milliseconds(std::clamp<std::int64_t>(time.ms, 0, kLastOfYear9999))};
  const auto day = chr::floor<chr::days>(at);
  const chr::year_month_day date{day};
  const chr::hh_mm_ss<chr::milliseconds> clock{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+0000",
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

Result<WallTime> parse_iso8601(std::string_view text) {
  if (const auto ms = parse(text)) return WallTime{*ms};
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format("'{}' is not a time of the form 2026-11-22T03:01:49.660+0000", shortened(text)));
}

}  // namespace heddle::compat::yarn
