// P13: one look of preemption in a full cluster, by how many queues are owed something.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle {
namespace {

using testlib::Cluster;

struct Load {
  int nodes;
  int leaves;
  int owed;  // leaves of the second half that ask
  bool inside;
};

double millis(const SystemClock& clock, Instant from) {
  return std::chrono::duration<double, std::milli>(clock.now().instant - from).count();
}

/// Ten containers on each node: the first half of the leaves hold the guarantees of the second.
void measure(const Load& load) {
  std::string lines;
  for (int i = 0; i < load.leaves; ++i) {
    lines += "root.q" + std::to_string(i) + " capacity=" + std::to_string(100.0 / load.leaves) +
             " user-limit-factor=-1 minimum-user-limit-percent=50\n";
  }
  testlib::ClusterBuilder builder;
  builder.queues(lines).setting("maximum-applications", "10000000");
  Cluster cluster = builder.build();
  for (int i = 0; i < load.nodes; ++i) {
    cluster.scheduler.add_node(NodeId{"node" + std::to_string(i), 45454},
                               "/rack" + std::to_string(i / 40), {20'480, 10});
  }
  for (int i = 0; i < load.leaves / 2; ++i) {
    cluster.ask(cluster.running_app("q" + std::to_string(i), "ann", 1),
                load.nodes * 20 / load.leaves, "2GB 1c");
  }
  const std::size_t held = cluster.schedule().size();
  queues::PreemptionSettings settings;
  settings.enabled = true;
  settings.inside = load.inside;
  settings.inside_order = queues::InsideOrder::kPriorityFirst;
  cluster.scheduler.set_preemption(settings);
  for (int i = 0; i < load.owed; ++i) {
    const int queue = load.inside ? i : load.leaves / 2 + i;
    cluster.ask(cluster.running_app("q" + std::to_string(queue), "ann", 5), 100, "2GB 1c");
  }
  cluster.schedule();
  const SystemClock clock;
  Instant start = clock.now().instant;
  const std::size_t victims = cluster.scheduler.preempt().marked.size();
  const double first = millis(clock, start);
  start = clock.now().instant;
  const std::size_t more = cluster.scheduler.preempt().marked.size();
  std::printf("%7d %6d %8zu %6d %7s %9zu %10.3f %9zu %10.3f\n", load.nodes, load.leaves, held,
              load.owed, load.inside ? "inside" : "between", victims, first, more,
              millis(clock, start));
}

}  // namespace
}  // namespace heddle

int main() {
  std::printf("  nodes queues  running   owed    what   victims   look, ms   victims   next, ms\n");
  for (const int nodes : {2'000, 20'000}) {
    for (const int leaves : {100, 1'000}) {
      for (const int owed : {0, 1, 10, 50})
        heddle::measure({nodes, leaves, owed, false});
      heddle::measure({nodes, leaves, 10, true});
    }
  }
  heddle::measure({20'000, 1'000, 500, false});
}
