// Where durable operations go. One writer at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rm/core/records.h"

namespace heddle::rm {

class Store {
 public:
  virtual ~Store() = default;
  /// Everything that was committed. Called once, before the first commit; counts this start
  /// (epoch).
  virtual Result<StoredState> load() = 0;
  /// Applies all records in order in one transaction; durable when it returns. kUnavailable:
  /// nothing was applied, and the message says why (disk full, path); the next commit may succeed.
  /// kInternal: the storage is broken; the process must end (exit code 74).
  virtual Result<void> commit(std::span<const Record> records) = 0;
  /// Configurations of the queues that are kept, newest first, without their settings.
  virtual Result<std::vector<QueueVersion>> queue_versions() { return std::vector<QueueVersion>(); }
  /// One of them with its settings; kNotFound.
  virtual Result<QueueVersion> queue_version(std::int64_t number) {
    return fail(ErrorCode::kNotFound, "no version " + std::to_string(number) + " is kept");
  }
  virtual std::string name() const = 0;
};

struct StoreOptions {
  bool allow_network_filesystem = false;  // heddle.state.allow-network-filesystem
};

/// Opens or creates `<folder>/state.db`. kInvalidArgument: on a network file system. kUnavailable:
/// another process holds it (named by pid); kInternal: not a database of ours, damaged, or newer
/// than this program; the message names the file and what to do. Never repairs or replaces
/// anything.
Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& folder,
                                                 const StoreOptions& options = {});
/// The kind of a network file system by its statfs type: "NFS", "SMB", "AFS"; "" = none of them.
std::string_view network_filesystem(std::int64_t magic);

/// Keeps nothing. For tests and benchmarks.
std::unique_ptr<Store> make_memory_store();

}  // namespace heddle::rm
