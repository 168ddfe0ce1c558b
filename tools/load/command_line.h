// The options of heddle-load.
#pragma once

#include <optional>

#include "tools/load/measure.h"

namespace heddle::load {

/// The options; or the status to end with: 0 after --help, 2 after an error, told on stderr.
struct Parsed {
  std::optional<Options> options;
  int exit_code = 0;
};
Parsed parse_command_line(int argc, const char* const* argv);

}  // namespace heddle::load
