// Limits that the kernel enforces on a container's processes: control groups, version 1 or 2.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace heddle::nm {

struct CgroupSetup {
  std::string root = "/sys/fs/cgroup";  // may be a folder of fixtures
  std::string hierarchy = "/hadoop-yarn";
  bool memory = false;
  bool cpu = false;
  bool hard_memory_limit = true;  // else only under pressure
  double soft_memory_percent = 90;
  bool strict_cpu = false;  // a quota; else shares
};

struct CgroupLimits {
  std::int64_t memory_mb = 0;
  std::int64_t vcores = 0;
};

/// One object serves all workers. Blocking, but short.
class Cgroups {
 public:
  virtual ~Cgroups() = default;
  virtual std::string describe() const = 0;  // for the log at start: "version 1 under ..."
  /// Makes the container's groups; returns the cgroup.procs files that its process joins.
  virtual Result<std::vector<std::string>> create(const ContainerId& container,
                                                  const CgroupLimits& limits) = 0;
  /// Other limits for what is in them, as far as the kernel takes them.
  virtual Result<void> resize(const ContainerId& container, const CgroupLimits& limits) = 0;
  /// Ends what is still in them and removes them. What is not there is no error.
  virtual Result<void> remove(const ContainerId& container) = 0;
  /// The kernel has ended a process of it for lack of memory.
  virtual bool out_of_memory(const ContainerId& container) const = 0;
};

/// Version 2 where `root` has cgroup.controllers, else 1. kUnavailable, with the reason, when
/// groups cannot be made there.
Result<std::unique_ptr<Cgroups>> open_cgroups(const CgroupSetup& setup);

}  // namespace heddle::nm
