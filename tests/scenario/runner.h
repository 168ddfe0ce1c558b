// Runs one scenario file; its language is in README.md.
#pragma once

#include <istream>
#include <string>

namespace heddle::scenario {

/// Empty when everything is as the file says, else "name:line: what is not".
std::string run_scenario(std::istream& in, const std::string& name);

}  // namespace heddle::scenario
