// Our own traces: a line a thing, read and written as a stream. The format is in docs/simulator.md.
#pragma once

#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "tools/sim/trace.h"

namespace heddle::sim {

inline constexpr std::string_view kTextTraceMagic = "heddle-trace 1";
inline constexpr std::size_t kTraceLineMax = 8192;

/// Reads up to the first job or failure; the rest comes with next(). `in` must outlive the trace.
/// One job is in memory at a time. kInvalidArgument, kLimitExceeded: "name:line: ...".
Result<std::unique_ptr<Trace>> read_text_trace(std::istream& in, std::string name);

/// Writes what read_text_trace() reads. The caller looks at the state of `out` at the end.
void write_cluster(std::ostream& out, const ClusterSpec& cluster);
void write_event(std::ostream& out, const TraceEvent& event);

}  // namespace heddle::sim
