// heddle sim: a program of its own, so that the other commands need not load what it links.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "tools/heddle/commands.h"
#include "tools/heddle/processes.h"

namespace heddle::cli {

CommandError become_simulator(int argc, const char* const* argv) {
  const auto path = program("heddle-sim");
  if (!path) return path.error();
  std::string name = "heddle sim";
  std::vector<char*> arguments{name.data()};
  for (int i = 2; i < argc; ++i)
    arguments.push_back(const_cast<char*>(argv[i]));
  arguments.push_back(nullptr);
  ::execv(path->c_str(), arguments.data());
  return {kExitFailed, fmt::format("{} cannot be started: {}", *path, std::strerror(errno)),
          "build it again: tools/build programs"};
}

}  // namespace heddle::cli
