// How much processor time a process has used, all its threads, user and system.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace heddle::load {

/// From the text of /proc/PID/stat, whose times are in `ticks_per_second`. Pure.
Result<Duration> cpu_time_in_stat(std::string_view stat, long ticks_per_second);

/// Of a living process. kNotFound: there is none.
Result<Duration> cpu_time_of(int pid);

}  // namespace heddle::load
