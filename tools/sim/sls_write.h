// Traces written as Hadoop's Scheduler Load Simulator reads them: what sls_trace.h reads, turned
// round. What its files cannot say is refused by name.
#pragma once

#include <ostream>
#include <string>
#include <unordered_map>

#include "tools/sim/trace.h"

namespace heddle::sim {

/// Writes jobs, one JSON object each. The caller looks at the state of `out` at the end.
class SlsWriter {
 public:
  explicit SlsWriter(const ClusterSpec& cluster);

  /// kInvalidArgument: a failure of a node, a stage behind the second, a priority of the job, a
  /// task of no time or for a rack as a whole, a resource besides memory and vcores.
  Result<void> write(std::ostream& out, const TraceEvent& event);

 private:
  Result<std::string> place(const std::string& wanted) const;

  std::unordered_map<std::string, std::string> racks_;  // by host
  std::int64_t jobs_ = 0;
};

/// The nodes in their order, an object for those of a rack that follow each other.
Result<void> write_sls_nodes(std::ostream& out, const ClusterSpec& cluster);

}  // namespace heddle::sim
