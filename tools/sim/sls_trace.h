// Traces of Hadoop's Scheduler Load Simulator: a file of jobs and a file of nodes, each a row of
// JSON objects. Fields: the page "YARN Scheduler Load Simulator" of Hadoop's documentation.
#pragma once

#include <istream>
#include <memory>
#include <string>
#include <vector>

#include "tools/sim/trace.h"

namespace heddle::sim {

/// How large what the files leave open is; the defaults are those of the Load Simulator
/// (yarn.sls.nm.memory.mb, yarn.sls.container.memory.mb and so on).
struct SlsDefaults {
  Resources node{10240, 10};
  Resources am{1024, 1};
  Resources container{1024, 1};
};

/// What a job file says, in order of the starts of its jobs.
struct SlsJobs {
  std::vector<Job> jobs;
  std::int64_t node_count = 0;  // of a first object {"num.nodes": ..}; 0 = it says nothing
  std::int64_t rack_count = 1;
  std::vector<std::string> warnings;
};
struct SlsNodes {
  std::vector<NodeSpec> nodes;
  std::vector<std::string> warnings;
};

/// Reads the whole file: jobs need not stand in order. Comments are skipped. Errors: "name:line:
/// job 3, job.tasks 7: field container.end.ms: ...".
Result<SlsJobs> read_sls_jobs(std::istream& in, const std::string& name,
                              const SlsDefaults& defaults = {});
Result<SlsNodes> read_sls_nodes(std::istream& in, const std::string& name,
                                const SlsDefaults& defaults = {});

/// Both as one trace. Without nodes the first object of the jobs must give their number. Its queues
/// are those that the jobs name, all of one weight.
Result<std::unique_ptr<Trace>> sls_trace(SlsJobs jobs, SlsNodes nodes,
                                         const SlsDefaults& defaults = {});

}  // namespace heddle::sim
