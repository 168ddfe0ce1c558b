// Prepares a container's directories and files and starts its process.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "nodemanager/cgroup/cgroup.h"
#include "nodemanager/launch/process.h"
#include "nodemanager/launch/script.h"

namespace heddle::nm {

struct LaunchJob {
  ContainerId id;
  std::string work_dir;
  std::string private_dir;            // of nmPrivate
  std::vector<std::string> log_dirs;  // all of them; the first is where the script writes
  LaunchScript script;      // its links are resolved here: "*" stands for all files of a folder
  std::string credentials;  // the content of container_tokens
  ProcessSpec process;      // paths of files are filled in by launch()
  CgroupLimits limits;
  /// Set by whoever does not want the process any more.
  std::shared_ptr<std::atomic<bool>> cancelled;
};

/// Names and contents of a container's files below its directories.
std::string pid_file_of(const LaunchJob& job);
std::string complaint_file_of(const LaunchJob& job);  // what heddle-container itself says

/// Makes everything and starts the process; `on_exit` as in Processes::start. nullopt: cancelled,
/// nothing runs. Blocks: worker threads. `cgroups` may be null.
Result<std::optional<pid_t>> launch(LaunchJob job, Processes& processes, Cgroups* cgroups,
                                    std::function<void(std::int32_t)> on_exit);

/// The agent's own directories on a disk, with the documented modes.
Result<void> make_node_dirs(const std::string& local_dir);

/// And those of a user there.
Result<void> make_user_dirs(const std::string& local_dir, const std::string& user);

/// The directories of an application on all disks, with the documented modes.
Result<void> make_app_dirs(const std::vector<std::string>& local_dirs,
                           const std::vector<std::string>& log_dirs, const std::string& user,
                           const AppId& app);
/// The same where they are missing: on a disk that became usable after the application had begun.
Result<void> make_missing_app_dirs(const std::string& local_dir,
                                   const std::vector<std::string>& log_dirs,
                                   const std::string& user, const AppId& app);

}  // namespace heddle::nm
