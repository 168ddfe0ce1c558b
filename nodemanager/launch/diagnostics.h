// What a container's diagnostics say. Source: wire facts "container" section 5; people and tools
// match these texts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"

namespace heddle::nm {

inline constexpr std::size_t kDiagnosticsMax = 10'000;

/// Texts with the time in front, "[yyyy-MM-dd HH:mm:ss.SSS]"; the last 10,000 characters are kept.
class Diagnostics {
 public:
  void add(WallTime now, std::string_view text);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string time_stamp(WallTime time);  // local time

/// "Exception from container-launch." with id and code; `complaint`: what the launcher itself said.
std::string launch_exception(const ContainerId& container, std::int32_t exit_code,
                             std::string_view complaint);
/// "Container exited with a non-zero exit code 3. Error file: ..." with the ends of prelaunch.err
/// and of the newest *stderr* file in `log_dir`. Reads files: worker threads.
std::string exit_report(std::int32_t exit_code, const std::string& log_dir);
std::string killed_on_request(std::int32_t exit_code);
std::string exited_plainly(std::int32_t exit_code);

/// Hadoop's short form of a number of bytes: "297.0 MB", "128 MB", "17 B".
std::string binary_size(std::int64_t bytes);

}  // namespace heddle::nm
