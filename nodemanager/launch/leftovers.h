// Containers that an agent which ended without warning left behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace heddle::nm {

struct Leftover {
  ContainerId id;
  std::string pid_file;
  std::optional<std::int32_t> exit_code;  // set: it ended while no agent was there
};

/// The containers that nmPrivate of the local dirs tells of, by id. Reads files.
std::vector<Leftover> find_leftovers(const std::vector<std::string>& local_dirs);

struct EndedLeftovers {
  std::size_t supervisors = 0;  // that were asked to end their containers
  std::size_t strays = 0;       // killed: processes whose supervisor was gone
  std::vector<pid_t> living;    // could not be ended
};
/// Ends all their processes: through the supervisors where these live, else directly. A process
/// counts as theirs when it is a supervisor with one of the pid files, was started before a pid
/// file named it, or has one of the CONTAINER_IDs in its environment. `grace` is what the
/// supervisors were started with. Blocks until all is over, at most `grace` and half a minute.
EndedLeftovers end_leftovers(const std::vector<Leftover>& leftovers,
                             std::chrono::milliseconds grace);

}  // namespace heddle::nm
