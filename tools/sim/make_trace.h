// Synthetic traces: tenants of unequal size, a daily wave of load, many small jobs and few large
// ones, nodes that fail. Written as a stream; the same settings give the same trace.
#pragma once

#include <cstdint>
#include <ostream>

#include "tools/sim/trace.h"

namespace heddle::sim {

struct Synthetic {
  std::uint64_t seed = 1;
  std::int64_t nodes = 100;
  Resources node_size{131'072, 32};
  std::int64_t nodes_per_rack = 40;
  std::int64_t tenants = 10;
  std::int64_t users_per_tenant = 4;
  std::int64_t tasks = 100'000;  // about so many, in all
  double tasks_per_job = 40;     // the mean; most jobs have fewer
  double hours = 24;
  double load = 0.8;  // mean demand over the size of the cluster; sets the durations
  double wave = 0.6;  // 0: the same at all times; 1: none at night, double at noon
  double failures_per_node_year = 4;
  double mean_down_minutes = 30;
};

/// kInvalidArgument: a value that makes no trace.
Result<void> check(const Synthetic& wanted);
/// The trace's cluster, and then its events, one after the other.
void make_trace(const Synthetic& wanted, std::ostream& out);

}  // namespace heddle::sim
