// Runs a trace on an engine: jobs are submitted, their AMs ask, tasks run for as long as the trace
// says, nodes fail and come back. No chance: the same trace gives the same results.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "tools/sim/engine.h"
#include "tools/sim/report.h"

namespace heddle::sim {

enum class EngineKind : std::uint8_t { kCore, kScheduler };

struct SimulationOptions {
  EngineKind engine = EngineKind::kCore;
  EngineSetup setup;
  Millis sample_every = 60'000;
  std::optional<Millis> until;  // ends then, whatever is left
  bool check = false;           // every promise after every step; slow
  bool details = false;         // Results::job_results, Sample::leaves
};

/// Paths of the leaves by path, and by name where that is of one leaf alone.
void collect_leaves(const queues::QueueSpec& spec,
                    std::unordered_map<std::string, std::string>& by_name);
/// The trace's own lines as properties.
void add_cluster_settings(const ClusterSpec& cluster, Settings& settings);
/// Queues and limits of a run: the trace's own lines, below them what `settings` say.
Result<EngineSetup> setup_from(const ClusterSpec& cluster, const Settings& settings,
                               const ResourceTypes& types);

/// To the end of the trace, and until nothing moves any more.
Result<Results> simulate(Trace& trace, const SimulationOptions& options);

}  // namespace heddle::sim
