// A program that is run to its end for what it prints.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace heddle {

struct ChildProgramLimits {
  Duration patience = std::chrono::seconds(30);  // then it is killed, with all it started
  std::size_t output_max = 1 << 20;              // bytes, of each of its two outputs
};

/// What it wrote to standard output, if it ended with status 0. `command` is its path and its
/// arguments; no shell, nothing on standard input, none of our descriptors. Blocks; any thread.
/// kUnavailable: it cannot be started, failed (with the end of what it wrote to standard error),
/// printed too much or took too long.
Result<std::string> output_of(const std::vector<std::string>& command,
                              const ChildProgramLimits& limits = {});

}  // namespace heddle
