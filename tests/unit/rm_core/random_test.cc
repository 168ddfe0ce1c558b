// Random commands from a seed; the driver checks every invariant after each.
#include <gtest/gtest.h>

#include <algorithm>
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
  out.options.opportunistic.enabled = true;
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
      case 10: return one_in(2) ? register_node() : bring_up();
      case 11: return lose_node();
      case 12:
      case 13: return bring_up();
      case 9:
      case 14: return finish();
      case 15: return change();
      case 16: return lists();
      case 17: return cluster_.advance(std::chrono::seconds(number(120)));
      case 18: return rarely();
      default: return one_in(2) ? cluster_.commit() : cluster_.commit_once();
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
  // Each draw has a statement of its own: in which order the arguments of a call are evaluated is
  // the compiler's choice, and a seed shall mean the same walk with every compiler.
  std::size_t pick(std::size_t below) { return random_() % below; }
  int number(int below) { return static_cast<int>(pick(static_cast<std::size_t>(below))); }
  bool one_in(std::size_t chances) { return pick(chances) == 0; }
  std::string any_host() { return "n" + std::to_string(pick(6)); }

  std::optional<AppReportPtr> any_app() {
    auto apps = cluster_.board->apps({});
    if (!one_in(8)) {
      std::erase_if(apps, [](const AppReportPtr& app) { return is_final(app->state); });
    }
    if (apps.empty()) return std::nullopt;
    return apps[pick(apps.size())];
  }
  AttemptId any_attempt() {
    const auto app = any_app();
    if (!app || !(*app)->current_attempt) return {};
    AttemptId id = *(*app)->current_attempt;
    if (one_in(8)) id.number = 1;
    return id;
  }
  NodeId any_node() {
    NodeId id;
    id.host = any_host();
    id.port = one_in(20) ? 45455 : 45454;
    return id;
  }
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
    job.queue = one_in(2) ? "a" : "root.b";
    if (one_in(10)) job.queue = "nosuch";
    job.am_resources = {512 + 1024 * number(3), 1};
    job.unmanaged = one_in(8);
    job.keep_containers = one_in(3);
    job.max_attempts = number(3);
    if (one_in(5)) job.lifetime_seconds = number(600);
    if (one_in(4)) job.attempt_failures_validity_ms = 60'000;
    const std::string user = one_in(2) ? "ann" : "bob";
    (void)cluster_.submit(job, user);
    if (one_in(6)) (void)cluster_.submit(job, "ann");
  }
  void kill() {
    if (!one_in(3)) return;
    if (const auto app = any_app()) (void)cluster_.kill((*app)->id);
  }
  void bring_up() {
    const AttemptId attempt = any_attempt();
    if (one_in(12)) {
      return cluster_.launched(attempt, fail(ErrorCode::kUnavailable, "refused"));
    }
    cluster_.launched(attempt);
    if (cluster_.register_master(attempt).ok()) response_ids_[attempt] = 0;
  }
  void finish() {
    const AttemptId attempt = any_attempt();
    const auto status = static_cast<FinalStatus>(number(4));
    (void)cluster_.finish(attempt, {status, "done", ""});
  }
  Ask any_ask() {
    Ask ask;
    ask.priority = number(3);
    const int gigabytes_below = one_in(5) ? 9 : 3;
    ask.resources.amount[kMemory] = 1024L * number(gigabytes_below);
    ask.resources.amount[kVcores] = number(4);
    ask.containers = number(6);
    ask.relax_locality = !one_in(4);
    if (one_in(4)) ask.resource_name = any_host();
    if (one_in(9)) ask.resource_name = "/default-rack";
    if (one_in(4)) ask.execution_type = ExecutionType::kOpportunistic;
    return ask;
  }
  void allocate() {
    const AttemptId attempt = any_attempt();
    Allocate request;
    request.response_id = response_ids_[attempt];
    if (one_in(10)) request.response_id += number(5) - 2;
    const int asks = number(3);
    for (int i = 0; i < asks; ++i)
      request.asks.push_back(any_ask());
    for (const ContainerReportPtr& one : containers()) {
      const bool own = one->id.attempt.app == attempt.app;
      if (one_in(own ? 4 : 200)) request.releases.push_back(one->id);
    }
    for (const ContainerReportPtr& one : containers()) {
      const bool own = one->id.attempt.app == attempt.app;
      if (!one_in(own ? 2 : 100)) continue;
      request.updates.push_back(any_update(*one));
      if (one_in(4)) request.updates.push_back(any_update(*one));
    }
    if (one_in(6)) request.blacklist_additions = {any_host()};
    if (one_in(6)) request.blacklist_removals = {any_host()};
    const auto answer = cluster_.try_allocate(attempt, request);
    if (!answer.ok()) return;
    response_ids_[attempt] = answer.value()->response_id;
    for (const UpdatedContainer& updated : answer.value()->updated) {
      versions_[updated.container.id] = updated.container.version;
      reached.insert("update " + std::to_string(static_cast<int>(updated.kind)));
    }
    for (const UpdateRefused& refused : answer.value()->update_errors) {
      reached.insert("refused " + refused.reason);
      versions_[refused.container] = std::max(refused.current_version, 0);
    }
  }
  UpdateContainer any_update(const ContainerReport& one) {
    UpdateContainer update;
    update.container = one.id;
    update.version = versions_[one.id];
    if (one_in(8)) ++update.version;
    update.kind = static_cast<UpdateKind>(number(4));
    const bool opportunistic = one.execution_type == ExecutionType::kOpportunistic;
    if (opportunistic && !one_in(3)) update.kind = UpdateKind::kPromote;
    const int gigabytes = number(6);
    if (!one_in(10)) update.resources = Resources(1024L * gigabytes, 1);
    if (one_in(10)) update.execution_type = ExecutionType::kGuaranteed;
    return update;
  }
  OpportunisticUse any_queue() {
    OpportunisticUse use;
    use.queue_capacity = number(4) - 1;
    use.queue_length = number(4) - 1;
    return use;
  }
  void beat() {
    const NodeId node = any_node();
    NodeHeartbeat request;
    request.id = node;
    request.response_id = beat_ids_[node];
    if (one_in(12)) request.response_id += number(5) - 2;
    request.health.healthy = !one_in(40);
    if (one_in(60)) request.node_utilization.physical_mb = -5120;
    for (const ContainerReportPtr& one : containers()) {
      if (one->node != node && !one_in(20)) continue;
      if (one_in(8))
        request.containers.push_back(finished(one->id, number(3) - 1));
      else
        request.containers.push_back(running(one->id));
      const bool lies = one_in(10);
      const int gigabytes = number(5) - 1;
      if (!one_in(4)) request.containers.back().resources = one->resources;
      if (lies) request.containers.back().resources = Resources(1024L * gigabytes, 1);
    }
    request.opportunistic = any_queue();
    if (one_in(5)) {
      ContainerId stray{{{1, 0}, 1}, 0};
      stray.attempt.app.sequence = number(9);
      stray.id = number(9);
      request.containers.push_back(one_in(2) ? running(stray) : finished(stray));
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
    request.total = {2048L * (1 + number(4)), 8};
    request.health.healthy = !one_in(20);
    for (const ContainerReportPtr& one : containers()) {
      if (one->node == node && !one_in(4)) request.containers.push_back(running(one->id));
    }
    (void)cluster_.register_node(request);
    beat_ids_[node] = 0;
  }
  void lose_node() {
    if (one_in(3)) return (void)cluster_.unregister_node(any_node());
    if (one_in(4)) cluster_.advance(std::chrono::minutes(11));
  }
  void change() {
    const auto app = any_app();
    if (!app) return;
    const AppId id = (*app)->id;
    const std::int64_t now = cluster_.clock.now().wall.ms;
    switch (pick(5)) {
      case 0: return (void)cluster_.move(id, one_in(2) ? "a" : "b");
      case 1: return (void)cluster_.update_priority(id, number(6));
      case 2: return (void)cluster_.update_lifetime(id, WallTime{now + number(1'000'000)});
      case 3: return (void)cluster_.fail_attempt(any_attempt());
      default: return resize();
    }
  }
  void resize() {
    const NodeId node = any_node();
    const int gigabytes = 1 + number(8);
    (void)cluster_.resize_node(node, std::to_string(gigabytes) + "GB 4c");
  }
  void lists() {
    if (!one_in(3)) return cluster_.set_node_lists({});
    NodeLists lists;
    if (one_in(2)) lists.exclude = {any_host()};
    if (one_in(2)) return cluster_.set_node_lists(lists);
    cluster_.set_node_lists(lists, std::chrono::seconds(number(300) - 1));
  }
  void rarely() {
    if (!one_in(12)) return;
    cluster_.restart();
    response_ids_.clear();
    beat_ids_.clear();
  }

  std::mt19937 random_;
  CoreDriver cluster_;
  std::map<AttemptId, std::int32_t> response_ids_;
  std::map<NodeId, std::int32_t> beat_ids_;
  std::map<ContainerId, std::int32_t> versions_;
};

class RandomCommands : public testing::TestWithParam<std::uint32_t> {};

TEST_P(RandomCommands, KeepEveryInvariantReachEveryStateAndEndInTheEnd) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  RandomCluster cluster(GetParam());
  for (int i = 0; i < 1500 && !HasFailure(); ++i) {
    cluster.step();
    cluster.look();
  }
  if (HasFailure()) return;
  cluster.settle();
  for (const char* state : {"app ACCEPTED",       "app RUNNING",        "app FINAL_SAVING",
                            "app FINISHING",      "app FINISHED",       "app FAILED",
                            "app KILLING",        "app KILLED",         "attempt ALLOCATED_SAVING",
                            "attempt RUNNING",    "attempt FAILED",     "container ALLOCATED",
                            "container ACQUIRED", "container RUNNING",  "node RUNNING",
                            "node UNHEALTHY",     "node LOST",          "node REBOOTED",
                            "node SHUTDOWN",      "node DECOMMISSIONED"}) {
    EXPECT_TRUE(cluster.reached.contains(state)) << state << " was never reached";
  }
}

TEST(RandomUpdates, HaveEveryOutcomeInSomeWalk) {
  std::set<std::string> missing = {"update 0",
                                   "update 1",
                                   "update 2",
                                   "update 3",
                                   "refused INVALID_CONTAINER_ID",
                                   "refused INCORRECT_CONTAINER_VERSION_ERROR",
                                   "refused UPDATE_OUTSTANDING_ERROR",
                                   "refused RESOURCE_OUTSIDE_ALLOWED_RANGE"};
  for (std::uint32_t seed = 101; seed <= 120 && !missing.empty(); ++seed) {
    RandomCluster cluster(seed);
    for (int i = 0; i < 1500 && !HasFailure(); ++i)
      cluster.step();
    for (const std::string& outcome : cluster.reached)
      missing.erase(outcome);
  }
  EXPECT_EQ(missing, std::set<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomCommands, testing::Range(1U, 9U));

}  // namespace
}  // namespace heddle::rm
