// Placements per second of the scheduler core: a full cluster in which containers end and others
// take their room, so that every decision sees a settled state.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>

#include "base/clock.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle {
namespace {

using testlib::Cluster;

/// `leaves` leaf queues in three levels.
std::string queue_lines(int leaves) {
  const int width = leaves <= 10 ? 1 : 10;  // parents on each of the two upper levels
  const int below = leaves / (width * width);
  std::string lines;
  const auto line = [&](const std::string& path, int siblings) {
    lines += path + " capacity=" + std::to_string(100.0 / siblings) +
             " user-limit-factor=-1 maximum-am-resource-percent=1\n";
  };
  for (int a = 0; a < width; ++a) {
    const std::string top = "root.a" + std::to_string(a);
    line(top, width);
    for (int b = 0; b < width; ++b) {
      const std::string middle = top + ".b" + std::to_string(b);
      line(middle, width);
      for (int c = 0; c < below; ++c)
        line(middle + ".c" + std::to_string(c), below);
    }
  }
  return lines;
}

struct Load {
  int nodes;
  int leaves;
  int apps;
  int sizes;        // distinct container sizes
  int parked_apps;  // applications whose asks can never be served
};

void measure(const Load& load) {
  testlib::ClusterBuilder builder;
  builder.queues(queue_lines(load.leaves)).setting("maximum-applications", "10000000");
  Cluster cluster = builder.build();
  for (int i = 0; i < load.nodes; ++i) {
    cluster.scheduler.add_node(NodeId{"node" + std::to_string(i), 45454},
                               "/rack" + std::to_string(i / 40), {131'072, 64});
  }
  std::vector<std::string> leaves;
  for (const QueuePath& path : cluster.scheduler.queue_paths()) {
    if (cluster.scheduler.queue(path)->is_leaf) leaves.push_back(path.value());
  }
  for (int i = 0; i < load.apps + load.parked_apps; ++i) {
    const AppId app = cluster.running_app(leaves[static_cast<std::size_t>(i) % leaves.size()],
                                          "u" + std::to_string(i % 3));
    if (i >= load.apps) {
      cluster.ask(app, 5, "900GB 1c");  // no node is that large
    } else {
      cluster.ask(app, 1'000'000, std::to_string(2 + 2 * (i % load.sizes)) + "GB 1c");
    }
  }
  const SystemClock clock;
  const auto seconds = [&](Instant from) {
    return std::chrono::duration<double>(clock.now().instant - from).count();
  };
  std::deque<queues::Grant> running;
  Instant start = clock.now().instant;
  for (auto& grant : cluster.schedule())
    running.push_back(std::move(grant));
  const double filled = static_cast<double>(running.size()) / seconds(start);

  constexpr int kRounds = 400'000;
  start = clock.now().instant;
  int placed = 0;
  for (int i = 0; i < kRounds; ++i) {  // one container ends, its room is used at once
    cluster.release(running.front());
    running.pop_front();
    for (auto& grant : cluster.schedule(100)) {
      running.push_back(std::move(grant));
      ++placed;
    }
  }
  std::printf("%7d %6d %7d %6d %7d  %11.0f %13.0f\n", load.nodes, load.leaves, load.apps,
              load.sizes, load.parked_apps, filled, placed / seconds(start));
}

}  // namespace
}  // namespace heddle

/// With arguments, one row: nodes, queues, applications, sizes, parked applications.
int main(int argc, char** argv) {
  std::printf("  nodes queues    apps  sizes  parked   filling/s  release+place/s\n");
  if (argc == 6) {
    heddle::measure({std::atoi(argv[1]), std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]),
                     std::atoi(argv[5])});
    return 0;
  }
  for (const int leaves : {10, 1000}) {
    for (const int nodes : {200, 2'000, 20'000})
      heddle::measure({nodes, leaves, 1000, 1, 0});
  }
  heddle::measure({20'000, 1000, 1000, 4, 0});
  heddle::measure({20'000, 1000, 47'000, 1, 0});
  heddle::measure({20'000, 1000, 47'000, 1, 100'000});
}
