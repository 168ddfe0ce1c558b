// Job and node files of the Scheduler Load Simulator: whatever comes, an error or a trace.
#include <cstdint>
#include <sstream>
#include <string>

#include "tools/sim/sls_trace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::sim;
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::istringstream as_jobs(text);
  auto jobs = read_sls_jobs(as_jobs, "jobs");
  std::istringstream as_nodes(text);
  auto nodes = read_sls_nodes(as_nodes, "nodes");
  // A few bytes may ask for very many equal jobs; they need not be laid out for each input.
  if (jobs && jobs->jobs.size() < 1000 && jobs->node_count < 1000) {
    (void)sls_trace(*std::move(jobs), nodes ? *std::move(nodes) : SlsNodes()).has_value();
  }
  return 0;
}
