// Placements per second of the scheduler core: a full cluster in which containers end and others
// take their room, so that every decision sees a settled state.
#include <algorithm>
#include <chrono>
#include <cmath>
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
  int nodes = 20'000;
  int leaves = 1'000;
  int apps = 1'000;
  int sizes = 1;        // distinct container sizes
  int parked_apps = 0;  // applications whose asks can never be served
};

/// Of the release of a container and the placement of the next, median of kTurns, in microseconds.
double measure(const Load& load) {
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
  const auto micros_each = [&](Instant from, std::size_t count) {
    const std::chrono::duration<double, std::micro> taken = clock.now().instant - from;
    return taken.count() / static_cast<double>(count);
  };
  std::deque<queues::Grant> running;
  Instant start = clock.now().instant;
  for (auto& grant : cluster.schedule())
    running.push_back(std::move(grant));
  const double filled = micros_each(start, running.size());

  constexpr int kTurns = 9;
  constexpr int kRounds = 50'000;
  std::vector<double> turns;
  for (int turn = 0; turn < kTurns; ++turn) {
    start = clock.now().instant;
    std::size_t placed = 0;
    for (int i = 0; i < kRounds; ++i) {  // one container ends, its room is used at once
      cluster.release(running.front());
      running.pop_front();
      for (auto& grant : cluster.schedule(100)) {
        running.push_back(std::move(grant));
        ++placed;
      }
    }
    turns.push_back(micros_each(start, placed));
  }
  std::ranges::sort(turns);
  const double each = turns[kTurns / 2];
  std::printf("%7d %6d %7d %6d %7d  %11.0f %13.0f\n", load.nodes, load.leaves, load.apps,
              load.sizes, load.parked_apps, 1e6 / filled, 1e6 / each);
  return each;
}

/// Cost by one number of the load, and the line through the logarithms of both.
void fit(const char* what, const std::vector<int>& values, int Load::*of, double most) {
  double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0, first = 0, last = 0;
  for (const int value : values) {
    Load load;
    load.*of = value;
    last = measure(load);
    if (first == 0) first = last;
    const double x = std::log(std::max(value, 1));
    const double y = std::log(last);
    sum_x += x, sum_y += y, sum_xx += x * x, sum_xy += x * y;
  }
  const auto n = static_cast<double>(values.size());
  const double slope = (n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x);
  std::printf("law: %s from %d to %d cost %.2f times as much (goal: at most %.2f), exponent %.3f\n",
              what, values.front(), values.back(), last / first, most, slope);
}

}  // namespace
}  // namespace heddle

/// With arguments, one row: nodes, queues, applications, sizes, parked applications.
int main(int argc, char** argv) {
  using heddle::Load;
  std::printf("  nodes queues    apps  sizes  parked   filling/s  release+place/s\n");
  if (argc == 6) {
    heddle::measure({std::atoi(argv[1]), std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]),
                     std::atoi(argv[5])});
    return 0;
  }
  heddle::fit("nodes", {200, 2'000, 20'000}, &Load::nodes, 1.5);
  heddle::fit("queues", {10, 100, 1'000, 5'000}, &Load::leaves, 1.5);
  heddle::fit("applications", {100, 1'000, 10'000, 100'000}, &Load::apps, 1.5);
  heddle::fit("parked applications", {0, 1'000, 100'000}, &Load::parked_apps, 1.05);
  for (const int sizes : {1, 4, 16})
    heddle::measure({20'000, 1'000, 47'000, sizes, 0});
}
