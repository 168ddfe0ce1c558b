// An aggregated log: the records `yarn logs` expects within a TFile.
// Source: wire facts "container", section 7. Not thread safe; reads files, so for worker threads.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "compat/logfile/tfile.h"

namespace heddle::compat::logfile {

struct AggregatedLogOwner {
  std::string user;
  /// ("VIEW_APP", "alice,bob admins") and the like, in this order in the file.
  std::vector<std::pair<std::string, std::string>> acls;
};

struct LogSource {
  std::string name;  // as clients see it: "stdout"
  std::string path;
};

/// Writes one node file of one application (or of one upload cycle of it).
class AggregatedLogWriter {
 public:
  AggregatedLogWriter(ByteSink sink, Compression compression)
      : file_(std::move(sink), compression) {}

  Result<void> begin(const AggregatedLogOwner& owner);  // once, first
  /// One record with the files, sorted by name. A file's length is what it has when it is opened:
  /// bytes added later are left out, and a file that shrinks meanwhile is filled up with zeros.
  /// Returns what could not be taken, one line a file; that is no error.
  Result<std::vector<std::string>> add_container(const ContainerId& container,
                                                 std::vector<LogSource> sources);
  Result<void> finish() { return file_.finish(); }
  std::uint64_t bytes_written() const { return file_.bytes_written(); }

 private:
  Result<void> add_file(const LogSource& source, std::vector<std::string>& left_out);

  TFileWriter file_;
};

/// For tests and tools: one log file out of the value of a container's record.
struct LogEntry {
  std::string name;
  std::string bytes;
};
Result<std::vector<LogEntry>> read_container_value(std::string_view value);

}  // namespace heddle::compat::logfile
