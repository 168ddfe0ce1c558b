// Moves the logs of a finished application to the remote log directory. Source: wire facts
// "container", section 7.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "nodemanager/api/door.h"
#include "nodemanager/localize/remote_fs.h"

namespace heddle::nm {

/// A container that has ended, as far as log policies look at it.
struct EndedContainer {
  ContainerId id;
  std::int32_t exit_status = 0;
  bool is_master = false;
};

/// Whether the policy wants this container's logs. An unknown class wants all.
bool wants_logs(const LogRules& rules, const EndedContainer& container);

/// The regular files directly in a container's log directories, sorted by name.
std::vector<LogFile> files_in(const std::vector<std::string>& dirs);

struct AggregationJob {
  LogUpload upload;  // its containers are filled in here
  std::vector<EndedContainer> ended;
  LogRules rules;
  std::vector<std::string> log_dirs;  // of the node
  std::string remote_root;            // a URL
  std::string suffix;                 // "logs"
  std::string own_user;               // of the agent, which makes the root
  WallTime now;
  bool names_with_time = false;  // the file's name ends with `now`: several come from this node
  /// Above 0 while the application goes on: what is moved is deleted here, and of the node's files
  /// there the oldest go, so that with the new one no more remain. Of containers that run, only
  /// files that the rules for rolled logs take are moved, of ended ones these and all others.
  std::size_t rolled_files_max = 0;
  std::vector<EndedContainer> running;
};

/// "<root>/<user>/bucket-logs-tfile/0002/application_.../localhost_41041"
std::string remote_log_path(const AggregationJob& job, const LogFileFormat& format);

/// Writes the file as .tmp, then renames it. No container with logs: nothing is written.
/// Blocks: worker threads; AbandonScope gives it up.
Result<void> aggregate(AggregationJob job, const LogFileFormat& format, RemoteFs& store);

}  // namespace heddle::nm
