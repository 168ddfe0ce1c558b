// How long a new configuration of many queues takes, step by step: changing the settings, reading
// them, and putting them into force in a scheduler with nodes and applications.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "queues/config_change.h"
#include "queues/scheduler.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle {
namespace {

constexpr int kRounds = 9;
constexpr const char* kPrefix = "yarn.scheduler.capacity.";

/// `leaves` leaf queues in three levels, five settings each.
queues::SettingValues settings_of(int leaves) {
  queues::SettingValues out;
  const int width = std::max(1, leaves / 100);
  std::string tops;
  const auto put = [&](const std::string& name, const std::string& value) {
    out.insert_or_assign(kPrefix + name, value);
  };
  for (int a = 0; a < width; ++a) {
    const std::string top = fmt::format("root.a{}", a);
    tops += (a == 0 ? "" : ",") + fmt::format("a{}", a);
    put(top + ".capacity", fmt::format("{}w", a + 1));
    std::string below;
    for (int b = 0; b < 100; ++b) {
      below += (b == 0 ? "" : ",") + fmt::format("b{}", b);
      const std::string leaf = fmt::format("{}.b{}", top, b);
      put(leaf + ".capacity", "1");
      put(leaf + ".maximum-capacity", "50");
      put(leaf + ".user-limit-factor", "2");
      put(leaf + ".acl_submit_applications", "u1,u2 g1");
      put(leaf + ".state", "RUNNING");
    }
    put(top + ".queues", below);
  }
  put("root.queues", tops);
  put("maximum-applications", "100000000");
  return out;
}

Settings as_settings(const queues::SettingValues& values) {
  Settings settings;
  for (const auto& [name, value] : values)
    settings.set(name, {value, "capacity-scheduler.xml:1", false});
  return settings;
}

template <class Work>
double median_ms(Work&& work) {
  const SystemClock clock;
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    const Instant begun = clock.now().instant;
    work();
    times.push_back(std::chrono::duration<double, std::milli>(clock.now().instant - begun).count());
  }
  std::ranges::sort(times);
  return times[kRounds / 2];
}

void measure(int leaves, int nodes, int apps) {
  const queues::SettingValues now = settings_of(leaves);
  const queues::ConfigChange change{
      .update = {{"root.a0.b0", {{"user-limit-factor", "3"}}}},
  };
  queues::SettingValues next;
  const double changing = median_ms([&] { next = queues::apply_change(now, change).settings; });
  Settings settings;
  const double building = median_ms([&] { settings = as_settings(next); });
  Result<queues::QueueConfig> config = fail(ErrorCode::kInternal, "");
  const double parsing = median_ms([&] { config = queues::parse_capacity_config(settings); });
  if (!config) {
    std::printf("refused: %s\n", config.error().message.substr(0, 300).c_str());
    return;
  }
  testlib::Cluster cluster;
  if (!cluster.scheduler.configure(*config, {})) return;
  for (int i = 0; i < nodes; ++i) {
    cluster.scheduler.add_node(NodeId{"node" + std::to_string(i), 1}, "/rack", {131'072, 64});
  }
  for (int i = 0; i < apps; ++i) {
    cluster.running_app(fmt::format("root.a{}.b{}", i % std::max(1, leaves / 100), i % 100));
  }
  cluster.schedule();
  const double checking =
      median_ms([&] { (void)queues::transition_faults(cluster.scheduler, *config, next); });
  // There and back: each one is a change of one queue.
  const auto before = queues::parse_capacity_config(as_settings(now));
  std::array both{std::make_shared<const queues::QueueConfig>(*before),
                  std::make_shared<const queues::QueueConfig>(*config)};
  const double configuring = median_ms([&] {
    std::swap(both[0], both[1]);
    (void)cluster.scheduler.configure(both[0], {}).has_value();
  });
  const double scheduling = median_ms([&] { cluster.schedule(); });
  const double reporting = median_ms([&] {
    for (const QueuePath& path : cluster.scheduler.queue_paths())
      (void)cluster.scheduler.queue(path).has_value();
  });
  const double differing = median_ms([&] {
    (void)queues::diff_configs({now, *config}, {next, *config}, {}, {1'000'000, 1000});
  });
  std::printf("%7d %6d %6d %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f\n", leaves, nodes, apps,
              changing, building, parsing, checking, configuring, scheduling, reporting, differing);
}

}  // namespace
}  // namespace heddle

int main() {
  std::printf("medians of 9 in ms\n%7s %6s %6s %9s %9s %9s %9s %9s %9s %9s %9s\n", "queues",
              "nodes", "apps", "change", "settings", "parse", "check", "configure", "schedule",
              "reports", "diff");
  heddle::measure(100, 100, 100);
  heddle::measure(1'000, 1'000, 1'000);
  heddle::measure(10'000, 1'000, 1'000);
  heddle::measure(10'000, 1'000, 10'000);
  return 0;
}
