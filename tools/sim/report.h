// What a simulation found, and how it is shown.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tools/sim/histogram.h"
#include "tools/sim/trace.h"

namespace heddle::sim {

struct QueueResult {
  std::string path;  // as configured; what the trace calls a queue that is not there stays as it is
  std::int64_t jobs = 0;
  std::int64_t jobs_ok = 0;
  std::int64_t jobs_failed = 0;   // accepted, and ended badly
  std::int64_t jobs_refused = 0;  // not accepted
  std::int64_t containers = 0;    // given to its jobs, ApplicationMasters not counted
  std::int64_t lost = 0;          // of these, with their nodes
  std::int64_t preempted = 0;     // of these, taken away for others
  Histogram wait;                 // of a task, from the ask until the AM has its container
  Histogram master_wait;          // from the submission until the AM has registered
  Histogram turnaround;           // of jobs that ended well, from submission to end
  double guaranteed_mb = 0;       // means over the samples
  double used_mb = 0;
  double shortfall_mb = 0;  // of its guarantee, while it wants it
  double shortfall_most_mb = 0;
};

/// A job by itself; its number is its place, from 1.
struct JobResult {
  std::string queue;
  Millis submitted = 0;
  Millis master_up = -1;  // the first time; -1 = never
  Millis ended = -1;      // -1 = it has not, or was refused
  bool succeeded = false;
};

/// Memory of a leaf queue, in MB.
struct LeafMemory {
  std::int64_t guaranteed = 0;
  std::int64_t maximum = 0;
  std::int64_t used = 0;
  std::int64_t pending = 0;
};

/// One look at the cluster.
struct Sample {
  Millis at = 0;
  Resources total;
  Resources used;
  std::int64_t nodes = 0;
  std::int64_t containers = 0;
  std::int64_t pending = 0;          // containers asked for and not given
  double shortfall_mb = 0;           // sum over the leaves
  std::vector<std::int64_t> queues;  // memory in use by each leaf, in MB
  std::vector<LeafMemory> leaves;    // of each leaf, with SimulationOptions::details
};

struct Results {
  std::string trace;
  std::string engine;  // "core" or "scheduler"
  Millis ended_at = 0;
  double wall_seconds = 0;
  std::int64_t nodes = 0;
  std::int64_t node_failures = 0;
  std::int64_t jobs = 0;
  std::int64_t tasks_done = 0;
  std::int64_t placements = 0;  // decisions of the scheduler that became containers, AMs' too
  std::int64_t jobs_unfinished = 0;
  // Of tasks that named a place.
  std::int64_t on_node = 0;
  std::int64_t in_rack = 0;
  std::int64_t elsewhere = 0;
  std::vector<QueueResult> queues;  // by path
  std::vector<std::string> leaves;  // of Sample::queues
  std::vector<Sample> samples;
  std::vector<JobResult> job_results;  // with SimulationOptions::details
  std::vector<std::pair<std::string, std::int64_t>> counters;
  std::vector<std::string> warnings;
  std::string broken;  // the first promise that did not hold; empty when none was looked for
};

/// Means over the samples; 0 without any.
struct Summary {
  double memory_share = 0;  // used / total
  double vcores_share = 0;
  double share_error = 0;       // sum of the shortfalls / memory of the cluster
  double share_error_most = 0;  // the worst sample
  std::int64_t containers_most = 0;
  std::int64_t pending_most = 0;
};
Summary summarize(const Results& results);

std::string as_text(const Results& results);
std::string as_json(const Results& results);  // "schema": "heddle.sim/1"
/// Every sample with its leaves, then every job: JSON objects, one a line.
std::string as_details(const Results& results);
/// One page; pictures are inline SVG, nothing is loaded from elsewhere.
std::string as_html(const Results& results);

}  // namespace heddle::sim
