// Random commands from a seed; the driver checks every invariant after each.
#include <gtest/gtest.h>

#include <random>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using testlib::CoreDriver;
using testlib::CoreSetup;
using testlib::finished;
using testlib::running;

CoreSetup setup() {
  CoreSetup out;
  out.queues =
      "root.a capacity=50 maximum-am-resource-percent=1 user-limit-factor=2\n"
      "root.b capacity=50 maximum-capacity=80 maximum-am-resource-percent=0.5";
  out.options.finished_apps_max = 5;
  out.options.max_app_priority = 3;
  return out;
}

class RandomCluster {
 public:
  explicit RandomCluster(std::uint32_t seed) : random_(seed), cluster_(setup()) {}

  void step() {
    switch (pick(20)) {
      case 0:
      case 1: return submit();
      case 2: return kill();
      case 3:
      case 4:
      case 5: return allocate();
      case 6:
      case 7:
      case 8: return beat();
      case 10: return pick(2) == 0 ? register_node() : bring_up();
      case 11: return lose_node();
      case 12:
      case 13: return bring_up();
      case 9:
      case 14: return finish();
      case 15: return change();
      case 16: return lists();
      case 17: return cluster_.advance(std::chrono::seconds(pick(120)));
      case 18: return rarely();
      default: return pick(2) == 0 ? cluster_.commit() : cluster_.commit_once();
    }
  }

  /// Notes the states that were reached: a walk that reaches little proves little.
  void look() {
    for (const AppReportPtr& app : cluster_.board->apps({})) {
      reached.insert("app " + std::string(to_string(app->state)));
      for (const AttemptReportPtr& attempt : cluster_.board->attempts(app->id)) {
        reached.insert("attempt " + std::string(to_string(attempt->state)));
        for (const ContainerReportPtr& one : cluster_.board->containers(attempt->id)) {
          reached.insert("container " + std::string(to_string(one->state)));
        }
      }
    }
    for (const NodeReportPtr& node : cluster_.board->nodes({})) {
      reached.insert("node " + std::string(to_string(node->state)));
    }
  }

  /// With everything working again, everything ends.
  void settle() {
    cluster_.set_node_lists({});
    cluster_.commit();
    for (const AppReportPtr& app : cluster_.board->apps({}))
      cluster_.kill(app->id);
    cluster_.commit();
    for (int round = 0; round < 3; ++round) {
      for (const NodeReportPtr& node : cluster_.board->nodes({}))
        cluster_.beat(node->id);
      cluster_.commit();
      cluster_.advance(std::chrono::minutes(20));
      cluster_.commit();
    }
    for (const AppReportPtr& app : cluster_.board->apps({})) {
      EXPECT_TRUE(is_final(app->state)) << to_string(app->id) << " " << to_string(app->state);
    }
    const ClusterMetrics metrics = cluster_.metrics();
    EXPECT_EQ(metrics.apps_running, 0);
    EXPECT_EQ(metrics.apps_pending, 0);
    EXPECT_EQ(metrics.containers_allocated, 0);
  }

  std::set<std::string> reached;

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  std::optional<AppReportPtr> any_app() {
    auto apps = cluster_.board->apps({});
    if (pick(8) != 0) {
      std::erase_if(apps, [](const AppReportPtr& app) { return is_final(app->state); });
    }
    if (apps.empty()) return std::nullopt;
    return apps[pick(apps.size())];
  }
  AttemptId any_attempt() {
    const auto app = any_app();
    if (!app || !(*app)->current_attempt) return {};
    AttemptId id = *(*app)->current_attempt;
    if (pick(8) == 0) id.number = 1;
    return id;
  }
  NodeId any_node() { return {"n" + std::to_string(pick(6)), 45454 + (pick(20) == 0 ? 1 : 0)}; }
  std::vector<ContainerReportPtr> containers() {
    std::vector<ContainerReportPtr> out;
    for (const AppReportPtr& app : cluster_.board->apps({})) {
      for (const AttemptReportPtr& attempt : cluster_.board->attempts(app->id)) {
        for (auto& one : cluster_.board->containers(attempt->id))
          out.push_back(std::move(one));
      }
    }
    return out;
  }

  void submit() {
    const auto apps = cluster_.board->apps({});
    const auto live =
        std::ranges::count_if(apps, [](const AppReportPtr& app) { return !is_final(app->state); });
    if (live >= 8) return kill();
    Submission job = cluster_.submission();
    job.queue = pick(10) == 0 ? "nosuch" : pick(2) == 0 ? "a" : "root.b";
    job.am_resources = {512 + 1024 * static_cast<int>(pick(3)), 1};
    job.unmanaged = pick(8) == 0;
    job.keep_containers = pick(3) == 0;
    job.max_attempts = static_cast<int>(pick(3));
    job.lifetime_seconds = pick(5) == 0 ? static_cast<int>(pick(600)) : -1;
    job.attempt_failures_validity_ms = pick(4) == 0 ? 60'000 : -1;
    (void)cluster_.submit(job, pick(2) == 0 ? "ann" : "bob");
    if (pick(6) == 0) (void)cluster_.submit(job, "ann");
  }
  void kill() {
    if (pick(3) != 0) return;
    if (const auto app = any_app()) (void)cluster_.kill((*app)->id);
  }
  void bring_up() {
    const AttemptId attempt = any_attempt();
    if (pick(12) == 0) {
      return cluster_.launched(attempt, fail(ErrorCode::kUnavailable, "refused"));
    }
    cluster_.launched(attempt);
    if (cluster_.register_master(attempt).ok()) response_ids_[attempt] = 0;
  }
  void finish() {
    (void)cluster_.finish(any_attempt(), {static_cast<FinalStatus>(pick(4)), "done", ""});
  }
  void allocate() {
    const AttemptId attempt = any_attempt();
    Allocate request;
    request.response_id = response_ids_[attempt];
    if (pick(10) == 0) request.response_id += static_cast<int>(pick(5)) - 2;
    for (std::size_t i = pick(3); i > 0; --i) {
      Ask ask;
      ask.priority = static_cast<int>(pick(3));
      ask.resources = {1024 * static_cast<int>(pick(pick(5) == 0 ? 9 : 3)),
                       static_cast<int>(pick(4))};
      ask.containers = static_cast<int>(pick(6));
      ask.relax_locality = pick(4) != 0;
      if (pick(4) == 0) ask.resource_name = "n" + std::to_string(pick(6));
      if (pick(9) == 0) ask.resource_name = "/default-rack";
      request.asks.push_back(ask);
    }
    for (const ContainerReportPtr& one : containers()) {
      const bool own = one->id.attempt.app == attempt.app;
      if (pick(own ? 4 : 200) == 0) request.releases.push_back(one->id);
    }
    if (pick(6) == 0) request.blacklist_additions = {"n" + std::to_string(pick(6))};
    if (pick(6) == 0) request.blacklist_removals = {"n" + std::to_string(pick(6))};
    const auto answer = cluster_.try_allocate(attempt, request);
    if (answer.ok()) response_ids_[attempt] = answer.value()->response_id;
  }
  void beat() {
    const NodeId node = any_node();
    NodeHeartbeat request;
    request.id = node;
    request.response_id = beat_ids_[node];
    if (pick(12) == 0) request.response_id += static_cast<int>(pick(5)) - 2;
    request.health.healthy = pick(40) != 0;
    if (pick(60) == 0) request.node_utilization.physical_mb = -5120;
    for (const ContainerReportPtr& one : containers()) {
      if (one->node != node && pick(20) != 0) continue;
      if (pick(8) == 0)
        request.containers.push_back(finished(one->id, static_cast<int>(pick(3)) - 1));
      else
        request.containers.push_back(running(one->id));
    }
    if (pick(5) == 0) {
      const ContainerId stray{{{1, static_cast<int>(pick(9))}, 1}, static_cast<int>(pick(9))};
      request.containers.push_back(pick(2) == 0 ? running(stray) : finished(stray));
    }
    const auto answer = cluster_.heartbeat(request).value();
    if (answer.action == NodeAction::kShutdown) return;
    if (answer.action == NodeAction::kNormal) beat_ids_[node] = answer.response_id;
    if (answer.action == NodeAction::kResync) register_node(node);
  }
  void register_node() { register_node(any_node()); }
  void register_node(const NodeId& node) {
    RegisterNode request;
    request.id = node;
    request.http_port = 8042;
    request.total = {2048 * (1 + static_cast<int>(pick(4))), 8};
    request.health.healthy = pick(20) != 0;
    for (const ContainerReportPtr& one : containers()) {
      if (one->node == node && pick(4) != 0) request.containers.push_back(running(one->id));
    }
    (void)cluster_.register_node(request);
    beat_ids_[node] = 0;
  }
  void lose_node() {
    if (pick(3) == 0) return (void)cluster_.unregister_node(any_node());
    if (pick(4) == 0) cluster_.advance(std::chrono::minutes(11));
  }
  void change() {
    const auto app = any_app();
    if (!app) return;
    const AppId id = (*app)->id;
    const std::int64_t now = cluster_.clock.now().wall.ms;
    switch (pick(5)) {
      case 0: return (void)cluster_.move(id, pick(2) == 0 ? "a" : "b");
      case 1: return (void)cluster_.update_priority(id, static_cast<int>(pick(6)));
      case 2:
        return (void)cluster_.update_lifetime(
            id, WallTime{now + static_cast<std::int64_t>(pick(1'000'000))});
      case 3: return (void)cluster_.fail_attempt(any_attempt());
      default: return (void)cluster_.resize_node(any_node(), std::to_string(1 + pick(8)) + "GB 4c");
    }
  }
  void lists() {
    if (pick(3) != 0) return cluster_.set_node_lists({});
    NodeLists lists;
    if (pick(2) == 0) lists.exclude = {"n" + std::to_string(pick(6))};
    if (pick(2) == 0) return cluster_.set_node_lists(lists);
    cluster_.set_node_lists(lists, std::chrono::seconds(static_cast<int>(pick(300)) - 1));
  }
  void rarely() {
    if (pick(12) != 0) return;
    cluster_.restart();
    response_ids_.clear();
    beat_ids_.clear();
  }

  std::mt19937 random_;
  CoreDriver cluster_;
  std::map<AttemptId, std::int32_t> response_ids_;
  std::map<NodeId, std::int32_t> beat_ids_;
};

class RandomCommands : public testing::TestWithParam<std::uint32_t> {};

TEST_P(RandomCommands, KeepEveryInvariantAndEndInTheEnd) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  RandomCluster cluster(GetParam());
  for (int i = 0; i < 1500 && !HasFailure(); ++i) {
    cluster.step();
    cluster.look();
  }
  if (!HasFailure()) cluster.settle();
}

// Together: compilers order the draws of one seed differently.
TEST(RandomCommandsTogether, ReachEveryState) {
  std::set<std::string> reached;
  for (std::uint32_t seed = 1; seed < 9; ++seed) {
    RandomCluster cluster(seed);
    for (int i = 0; i < 1500; ++i) {
      cluster.step();
      cluster.look();
    }
    cluster.settle();
    reached.insert(cluster.reached.begin(), cluster.reached.end());
  }
  for (const char* state : {"app ACCEPTED",       "app RUNNING",        "app FINAL_SAVING",
                            "app FINISHING",      "app FINISHED",       "app FAILED",
                            "app KILLING",        "app KILLED",         "attempt ALLOCATED_SAVING",
                            "attempt RUNNING",    "attempt FAILED",     "container ALLOCATED",
                            "container ACQUIRED", "container RUNNING",  "node RUNNING",
                            "node UNHEALTHY",     "node LOST",          "node REBOOTED",
                            "node SHUTDOWN",      "node DECOMMISSIONED"}) {
    EXPECT_TRUE(reached.contains(state)) << state << " was never reached";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomCommands, testing::Range(1U, 9U));

}  // namespace
}  // namespace heddle::rm
