// The commands of `heddle sim`: their options, and what each does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/heddle/console.h"
#include "tools/heddle/outcome.h"
#include "tools/sim/make_trace.h"

namespace CLI {
class App;
}

namespace heddle::sim {

struct Options {
  std::string trace;
  std::string nodes;   // a node file of the Load Simulator
  std::string format;  // "text" or "sls"; "" = by the name of the file
  std::string conf_dir;
  std::vector<std::string> overrides;  // name=value
  std::string engine = "core";
  std::string output = "text";
  std::string html;
  std::string to;         // where a trace is written; "" = stdout
  std::string nodes_to;   // of a trace of the Load Simulator
  std::string queues_to;  // likewise, as capacity-scheduler.xml
  std::string details;    // where samples and jobs go, one a line
  double sample_s = 60;
  double until_h = 0;  // 0 = to the end
  std::int64_t master_heartbeat_ms = 1000;
  std::int64_t node_heartbeat_ms = -1;  // -1 = what the configuration says
  std::int64_t master_start_ms = 1000;
  bool masters_as_sls = false;
  bool check = false;
  Synthetic synthetic;
  std::int64_t node_memory_mb = 131'072;
  std::int64_t node_vcores = 32;
};

std::unique_ptr<CLI::App> make_command_line(Options& options);

/// The whole program: parses, runs, prints errors; the exit code.
int run(int argc, const char* const* argv, cli::Console& console);

}  // namespace heddle::sim
