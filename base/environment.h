// The environment of the process, which only base/ reads.
#pragma once

#include <string>

namespace heddle {

/// The variable's value; "" when it is unset. Not while another thread changes the environment.
std::string environment(const char* name);

}  // namespace heddle
