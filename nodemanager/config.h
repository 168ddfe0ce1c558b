// Everything the agent was told by its configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/resources.h"
#include "base/result.h"
#include "base/settings.h"
#include "nodemanager/cgroup/cgroup.h"
#include "nodemanager/health/disks.h"
#include "nodemanager/launch/script.h"
#include "nodemanager/localize/unpack.h"
#include "nodemanager/localize/webhdfs.h"
#include "nodemanager/self_report.h"

namespace heddle::nm {

struct AgentConfig {
  std::vector<std::string> local_dirs;
  std::vector<std::string> log_dirs;
  Resources total;
  std::string version = "3.4.2";
  std::string own_user;  // whose process the agent is

  std::string supervisor;           // heddle-container
  std::string debug_program;        // heddle-debug-files
  std::string unpacker;             // heddle-unpack
  Variables inherited_environment;  // the whitelisted names that this process has
  Variables admin_environment;
  std::string user_home;
  std::string force_path;
  bool java_17 = true;
  bool keep_debug_files = true;
  std::chrono::milliseconds retry_interval_min{1000};
  std::chrono::milliseconds kill_delay{250};
  std::chrono::seconds delete_delay{0};

  std::size_t fetch_threads = 4;
  std::size_t worker_threads = 4;
  std::size_t containers_max = 20'000;
  std::uint64_t cache_bytes_max = 10ULL << 30;
  std::chrono::milliseconds cache_cleanup{600'000};
  UnpackLimits unpack_limits;

  bool pmem_check = true;
  bool vmem_check = true;
  bool monitor_kills = false;  // yarn.nodemanager.resource.memory.enforced is false
  double vmem_ratio = 2.1;
  std::chrono::milliseconds monitor_interval{3000};
  CgroupSetup cgroups;
  bool cgroups_required = false;
  std::string proc_root = "/proc";

  bool log_aggregation = false;
  std::string remote_log_dir;  // a URL
  std::string remote_log_suffix;
  std::chrono::seconds log_retain{10'800};
  std::chrono::milliseconds log_roll{-1};  // not positive: logs go at the end of an application
  std::size_t log_files_max = 30;          // of a node, for an application whose logs roll
  std::string default_fs = "file:///";

  std::size_t opportunistic_queue_max = 0;  // 0: no opportunistic container is taken
  SelfReport self_report;
  bool supervised = false;  // a stop is a restart; means something only where there is a store
  DiskRules disk_rules;
  std::chrono::milliseconds disk_interval{120'000};
  std::chrono::milliseconds connect_max_wait{900'000};  // negative: for ever
  std::chrono::milliseconds connect_interval{30'000};
};

/// `program_dir` is where the helper programs lie. Reads the process environment for the whitelist.
/// `types`: what yarn.nodemanager.resource-type.<name> may offer.
Result<AgentConfig> read_agent_config(const Settings& settings, const std::string& program_dir,
                                      const ResourceTypes& types);

/// Where the web interfaces of the NameNodes are that fs.defaultFS and dfs.nameservices name.
WebHdfsOptions webhdfs_options_from(const Settings& settings);

/// "path" on the default file system as a URL: "/a" becomes "file:///a" or "hdfs://nn:8020/a".
std::string qualified(const std::string& path, const std::string& default_fs);

}  // namespace heddle::nm
