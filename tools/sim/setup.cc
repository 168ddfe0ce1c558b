// Queues and limits of a run, from a trace and a configuration.
#include <fmt/format.h>

#include "base/text.h"
#include "rm/service/options.h"
#include "tools/sim/simulator.h"

namespace heddle::sim {

void collect_leaves(const queues::QueueSpec& spec,
                    std::unordered_map<std::string, std::string>& by_name) {
  if (spec.is_leaf()) {
    by_name[spec.path.value()] = spec.path.value();
    const auto [it, is_new] = by_name.try_emplace(spec.name, spec.path.value());
    if (!is_new && it->second != spec.path.value()) it->second = spec.name;  // ambiguous
  }
  for (const queues::QueueSpec& child : spec.children)
    collect_leaves(child, by_name);
}

void add_cluster_settings(const ClusterSpec& cluster, Settings& settings) {
  constexpr std::string_view kPrefix = "yarn.scheduler.capacity.";
  for (const auto& [name, value] : cluster.settings)
    settings.set(name, {value, "trace", false});
  std::map<std::string, std::vector<std::string>> children;
  for (const QueueLine& queue : cluster.queues) {
    const std::size_t dot = queue.path.rfind('.');
    if (dot != std::string::npos) {
      children[queue.path.substr(0, dot)].push_back(queue.path.substr(dot + 1));
    }
    for (const auto& [name, value] : queue.properties) {
      settings.set(fmt::format("{}{}.{}", kPrefix, queue.path, name), {value, "trace", false});
    }
  }
  for (const auto& [path, names] : children)
    settings.set(fmt::format("{}{}.queues", kPrefix, path), {join(names, ","), "trace", false});
}

Result<EngineSetup> setup_from(const ClusterSpec& cluster, const Settings& settings,
                               const ResourceTypes& types) {
  Settings all = settings;
  add_cluster_settings(cluster, all);
  EngineSetup setup;
  auto core = rm::core_options_from(all, types);
  if (!core) return fail(std::move(core).error());
  setup.core = *std::move(core);
  auto queues = queues::parse_capacity_config(all, setup.core.limits, types);
  if (!queues) return fail(std::move(queues).error());
  setup.queues = *std::move(queues);
  setup.node_heartbeat = setup.core.heartbeat.count();
  return setup;
}

}  // namespace heddle::sim
