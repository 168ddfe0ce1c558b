// Whether the node's disks can be used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nodemanager/api/rm_link.h"

namespace heddle::nm {

struct DiskRules {
  double utilization_max_percent = 90;
  std::int64_t free_min_mb = 0;
  double healthy_min_share = 0.25;  // of the local and of the log directories
};

struct DiskCheck {
  std::vector<std::string> good_local_dirs;
  std::vector<std::string> good_log_dirs;
  bool healthy = true;
  std::string report;  // "" when all is well; else what is wrong with which directory
};

/// Looks at every directory: it exists, can be read, written and searched (a file is made and
/// removed), and its disk is not too full. Blocks on the disks: worker threads.
DiskCheck check_disks(const std::vector<std::string>& local_dirs,
                      const std::vector<std::string>& log_dirs, const DiskRules& rules);

}  // namespace heddle::nm
