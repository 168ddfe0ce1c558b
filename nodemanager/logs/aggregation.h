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

namespace heddle::nm {

/// Where aggregated logs are kept. Blocking; worker threads; any thread. `user` owns what is made.
class LogStore {
 public:
  virtual ~LogStore() = default;
  /// Makes a directory whose parent exists, with exactly `mode`; one that is there stays as it is.
  virtual Result<void> make_dir(const std::string& url, std::uint32_t mode,
                                const std::string& user) = 0;
  /// Writes a new file, replacing any; `produce` is called once and gives the bytes in pieces.
  using Sink = std::function<Result<void>(std::string_view)>;
  virtual Result<void> write(const std::string& url, std::uint32_t mode, const std::string& user,
                             const std::function<Result<void>(const Sink&)>& produce) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to,
                              const std::string& user) = 0;
  virtual Result<void> remove(const std::string& url, const std::string& user) = 0;
};

/// A container that has ended, as far as log policies look at it.
struct EndedContainer {
  ContainerId id;
  std::int32_t exit_status = 0;
  bool is_master = false;
};

/// LogAggregationContext of an application.
struct LogRules {
  std::string include_pattern;  // "" = all files
  std::string exclude_pattern;  // "" = none
  std::string policy_class;
  std::string policy_parameters;
};

/// Whether the policy wants this container's logs. An unknown class wants all.
bool wants_logs(const LogRules& rules, const EndedContainer& container);

/// The regular files directly in a container's log directories, sorted by name.
std::vector<LogFile> files_in(const std::vector<std::string>& dirs);

struct AggregationJob {
  LogUpload upload;            // its containers are filled in here
  std::vector<EndedContainer> ended;
  LogRules rules;
  std::vector<std::string> log_dirs;  // of the node
  std::string remote_root;     // a URL
  std::string suffix;          // "logs"
};

/// "<root>/<user>/bucket-logs-tfile/0002/application_.../localhost_41041"
std::string remote_log_path(const AggregationJob& job, const LogFileFormat& format);

/// Writes the file as .tmp, then renames it. No container with logs: nothing is written.
/// Blocks: worker threads.
Result<void> aggregate(AggregationJob job, const LogFileFormat& format, LogStore& store);

}  // namespace heddle::nm
