#include "nodemanager/launch/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <unordered_set>

#include "base/bytes.h"
#include "base/text.h"
#include "nodemanager/launch/diagnostics.h"

namespace heddle::nm {
namespace {

constexpr std::size_t kProcessesMax = 1'000'000;
constexpr std::size_t kDumpedMax = 1'000;

std::string read_small(const std::string& path, std::size_t bytes_max = 4096) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  std::string text(bytes_max, '\0');
  std::size_t size = 0;
  while (size < bytes_max) {
    const ssize_t got = ::read(descriptor, text.data() + size, bytes_max - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  close(descriptor);
  text.resize(size);
  return text;
}

bool parse_stat(const std::string& text, ProcessInfo& info) {
  const auto open_at = text.find('(');
  const auto close_at = text.rfind(')');  // the name may hold anything
  if (open_at == std::string::npos || close_at == std::string::npos || close_at < open_at) {
    return false;
  }
  info.name = text.substr(open_at + 1, close_at - open_at - 1);
  unsigned long user = 0;
  unsigned long system = 0;
  unsigned long long start = 0;
  unsigned long virtual_bytes = 0;
  long resident = 0;
  const int fields = std::sscanf(
      text.c_str() + close_at + 1,
      " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu %lu %ld",
      &info.state, &info.parent, &info.group, &info.session, &user, &system, &start, &virtual_bytes,
      &resident);
  if (fields != 9) return false;
  info.user_ticks = user;
  info.system_ticks = system;
  info.start_ticks = start;
  info.virtual_bytes = static_cast<std::int64_t>(virtual_bytes);
  info.resident_pages = resident;
  return true;
}

std::string command_line(const std::string& proc_root, pid_t pid) {
  std::string text = read_small(fmt::format("{}/{}/cmdline", proc_root, pid), 16_KiB);
  for (char& c : text) {
    if (c == '\0') c = ' ';
  }
  return is_valid_utf8(text) ? text : shortened(text, text.size());
}

/// The number after `name` in a file like meminfo, in KiB; 0 when absent.
std::int64_t meminfo_kb(const std::string& text, std::string_view name) {
  const auto at = text.find(name);
  if (at == std::string::npos) return 0;
  long long value = 0;
  return std::sscanf(text.c_str() + at + name.size(), "%lld", &value) == 1 ? value : 0;
}

}  // namespace

ProcessTable::ProcessTable(std::vector<ProcessInfo> all) : all_(std::move(all)) {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    by_pid_[all_[i].pid].push_back(i);
    by_parent_[all_[i].parent].push_back(i);
    by_session_[all_[i].session].push_back(i);
  }
}

ProcessTable ProcessTable::read(const std::string& proc_root) {
  struct Closer {
    void operator()(DIR* directory) const { closedir(directory); }
  };
  std::vector<ProcessInfo> all;
  const std::unique_ptr<DIR, Closer> directory(opendir(proc_root.c_str()));
  if (directory == nullptr) return ProcessTable({});
  while (const dirent* entry = readdir(directory.get())) {
    const auto pid = parse_int(entry->d_name);
    if (!pid || *pid <= 0 || all.size() >= kProcessesMax) continue;
    ProcessInfo info;
    info.pid = static_cast<pid_t>(*pid);
    if (parse_stat(read_small(fmt::format("{}/{}/stat", proc_root, *pid)), info)) {
      all.push_back(std::move(info));
    }
  }
  return ProcessTable(std::move(all));
}

std::vector<ProcessInfo> ProcessTable::tree(pid_t root) const {
  std::vector<ProcessInfo> found;
  std::unordered_set<std::size_t>
      taken;  // places: a table read while pids change may hold one twice
  const auto take_all = [&](const auto& index, pid_t key) {
    const auto places = index.find(key);
    if (places == index.end()) return;
    for (const std::size_t place : places->second) {
      if (taken.insert(place).second) found.push_back(all_[place]);
    }
  };
  take_all(by_pid_, root);
  take_all(by_session_, root);
  for (std::size_t i = 0; i < found.size(); ++i)
    take_all(by_parent_, found[i].pid);
  return found;
}

TreeUsage usage_of(const std::vector<ProcessInfo>& tree, std::uint64_t older_than_ticks) {
  static const std::int64_t page = sysconf(_SC_PAGESIZE);
  TreeUsage usage;
  for (const ProcessInfo& info : tree) {
    usage.physical_bytes += info.resident_pages * page;
    usage.virtual_bytes += info.virtual_bytes;
    usage.cpu_ticks += info.user_ticks + info.system_ticks;
    if (info.start_ticks > older_than_ticks) continue;
    usage.old_physical_bytes += info.resident_pages * page;
    usage.old_virtual_bytes += info.virtual_bytes;
  }
  return usage;
}

bool is_over_limit(std::int64_t all_bytes, std::int64_t old_bytes, std::int64_t limit_bytes) {
  return all_bytes > 2 * limit_bytes || old_bytes > limit_bytes;
}

std::string over_limit_text(const ContainerId& container, pid_t pid, bool physical,
                            const TreeUsage& usage, const MemoryLimits& limits,
                            const std::vector<ProcessInfo>& tree, const std::string& proc_root) {
  static const std::int64_t ms_per_tick = 1000 / sysconf(_SC_CLK_TCK);
  const std::int64_t beyond = physical ? usage.physical_bytes - limits.physical_bytes
                                       : usage.virtual_bytes - limits.virtual_bytes;
  std::string text = fmt::format(
      "Container [pid={},containerID={}] is running {}B beyond the '{}' memory limit. Current "
      "usage: {} of {} physical memory used; {} of {} virtual memory used. Killing container.\n"
      "Dump of the process-tree for {} :\n\t|- PID PPID PGRPID SESSID CMD_NAME "
      "USER_MODE_TIME(MILLIS) SYSTEM_TIME(MILLIS) VMEM_USAGE(BYTES) RSSMEM_USAGE(PAGES) "
      "FULL_CMD_LINE\n",
      pid, to_string(container), beyond, physical ? "PHYSICAL" : "VIRTUAL",
      binary_size(usage.physical_bytes), binary_size(limits.physical_bytes),
      binary_size(usage.virtual_bytes), binary_size(limits.virtual_bytes), to_string(container));
  std::size_t dumped = 0;
  for (const ProcessInfo& info : tree) {
    if (++dumped > kDumpedMax) break;
    text += fmt::format("\t|- {} {} {} {} ({}) {} {} {} {} {}\n", info.pid, info.parent, info.group,
                        info.session, info.name,
                        static_cast<std::int64_t>(info.user_ticks) * ms_per_tick,
                        static_cast<std::int64_t>(info.system_ticks) * ms_per_tick,
                        info.virtual_bytes, info.resident_pages, command_line(proc_root, info.pid));
  }
  return text;
}

Utilization node_utilization(const std::string& proc_root) {
  const std::string text = read_small(proc_root + "/meminfo");
  Utilization node;
  const std::int64_t total = meminfo_kb(text, "MemTotal:");
  const std::int64_t swap = meminfo_kb(text, "SwapTotal:");
  const std::int64_t used = total - meminfo_kb(text, "MemAvailable:");
  node.physical_mb = used / 1024;
  node.virtual_mb = (used + swap - meminfo_kb(text, "SwapFree:")) / 1024;
  float load = 0;
  if (std::sscanf(read_small(proc_root + "/loadavg").c_str(), "%f", &load) == 1) node.cpu = load;
  return node;
}

std::uint64_t uptime_ticks(const std::string& proc_root) {
  double seconds = 0;
  if (std::sscanf(read_small(proc_root + "/uptime").c_str(), "%lf", &seconds) != 1) return 0;
  return static_cast<std::uint64_t>(seconds * static_cast<double>(sysconf(_SC_CLK_TCK)));
}

std::int64_t total_memory_mb(const std::string& proc_root) {
  return meminfo_kb(read_small(proc_root + "/meminfo"), "MemTotal:") / 1024;
}

}  // namespace heddle::nm
