#include "tools/load/cpu_meter.h"

#include <fmt/core.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/text.h"

namespace heddle::load {
namespace {

// After the name, which ends with the last ")" and may hold anything: fields 14 and 15 of stat.
constexpr std::size_t kUserTime = 11;
constexpr std::size_t kSystemTime = 12;

}  // namespace

Result<Duration> cpu_time_in_stat(std::string_view stat, long ticks_per_second) {
  const auto name_end = stat.rfind(')');
  const auto fields = name_end == std::string_view::npos
                          ? std::vector<std::string>{}
                          : split_list(trim(stat.substr(name_end + 1)), ' ');
  if (fields.size() <= kSystemTime || ticks_per_second <= 0) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("'{}' is no line of /proc/PID/stat", shortened(stat)));
  }
  const auto user = parse_int(fields[kUserTime]);
  const auto system = parse_int(fields[kSystemTime]);
  if (!user || !system) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("'{}' has no processor times", shortened(stat)));
  }
  return Duration(std::chrono::seconds(1)) * (*user + *system) / ticks_per_second;
}

Result<Duration> cpu_time_of(int pid) {
  const std::string path = fmt::format("/proc/{}/stat", pid);
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) {
    return fail(ErrorCode::kNotFound, fmt::format("{}: there is no such process", path));
  }
  return cpu_time_in_stat(text, ::sysconf(_SC_CLK_TCK));
}

}  // namespace heddle::load
