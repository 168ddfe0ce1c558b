// What processes use, read from a folder like /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "nodemanager/api/rm_link.h"

namespace heddle::nm {

struct ProcessInfo {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  char state = '?';  // 'R', 'S', 'Z', ...
  std::string name;
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t start_ticks = 0;  // since boot
  std::int64_t virtual_bytes = 0;
  std::int64_t resident_pages = 0;
};

/// All processes under `proc_root` at one moment. What vanishes meanwhile is left out.
class ProcessTable {
 public:
  static ProcessTable read(const std::string& proc_root);
  explicit ProcessTable(std::vector<ProcessInfo> all);

  const std::vector<ProcessInfo>& all() const { return all_; }
  /// `root` and its descendants, and others of its session that lost their parent; in the order
  /// found. Costs what the tree has, not what the machine has.
  std::vector<ProcessInfo> tree(pid_t root) const;

 private:
  std::vector<ProcessInfo> all_;
  // Places in all_, in its order.
  std::unordered_map<pid_t, std::vector<std::size_t>> by_pid_;
  std::unordered_map<pid_t, std::vector<std::size_t>> by_parent_;
  std::unordered_map<pid_t, std::vector<std::size_t>> by_session_;
};

struct TreeUsage {
  std::int64_t physical_bytes = 0;
  std::int64_t virtual_bytes = 0;
  std::int64_t old_physical_bytes = 0;  // of processes older than one round
  std::int64_t old_virtual_bytes = 0;
  std::uint64_t cpu_ticks = 0;
};
/// `older_than_ticks`: processes started at or before this moment count as old.
TreeUsage usage_of(const std::vector<ProcessInfo>& tree, std::uint64_t older_than_ticks);

/// Over for sure, as Hadoop judges: above twice the limit, or above it with old processes alone.
bool is_over_limit(std::int64_t all_bytes, std::int64_t old_bytes, std::int64_t limit_bytes);

struct MemoryLimits {
  std::int64_t physical_bytes = 0;
  std::int64_t virtual_bytes = 0;
};
/// The diagnostics of a container that is over its 'PHYSICAL' or 'VIRTUAL' limit, with the dump.
std::string over_limit_text(const ContainerId& container, pid_t pid, bool physical,
                            const TreeUsage& usage, const MemoryLimits& limits,
                            const std::vector<ProcessInfo>& tree, const std::string& proc_root);

/// Memory in use on the whole node; its cpu is the load of the last minute, in cores.
Utilization node_utilization(const std::string& proc_root);
std::uint64_t uptime_ticks(const std::string& proc_root);
std::int64_t total_memory_mb(const std::string& proc_root);

}  // namespace heddle::nm
