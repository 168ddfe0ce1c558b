// Random events from a seed; everything is recomputed after each.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "queues/explain.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testlib::Cluster;
using testlib::ClusterBuilder;

constexpr const char* kQueues = R"(
    root.prod      capacity=60 maximum-capacity=80 accessible-node-labels.red.capacity=100 ordering-policy=priority-utilization
    root.prod.a    capacity=70 user-limit-factor=2 priority=2
    root.prod.b    capacity=30 minimum-user-limit-percent=25 user-limit-factor=3 max-parallel-apps=4 accessible-node-labels.red.capacity=100
    root.dev       capacity=40 accessible-node-labels.blue.capacity=100 maximum-am-resource-percent=0.3 max-parallel-apps=8
    root.dev.x     capacity=50 minimum-user-limit-percent=50 user-limit-factor=4 ordering-policy=fair
    root.dev.y     capacity=50 maximum-capacity=60 ordering-policy=fair ordering-policy.fair.enable-size-based-weight=true)";
// Other settings, another order, and queues that come and go beside those with applications.
const std::vector<const char*> kChanges = {kQueues, R"(
    root.dev       capacity=70 accessible-node-labels.blue.capacity=100
    root.dev.y     capacity=20 user-limit-factor=2 user-settings.u1.weight=3
    root.dev.more  capacity=10
    root.dev.x     capacity=70 minimum-user-limit-percent=20 user-limit-factor=4 max-parallel-apps=3
    root.prod      capacity=30 accessible-node-labels.red.capacity=100
    root.prod.b    capacity=60 user-limit-factor=3 ordering-policy=fair disable_preemption=true accessible-node-labels.red.capacity=100
    root.prod.a    capacity=40 user-limit-factor=2)",
                                           R"(
    root.new       capacity=10
    root.new.leaf  capacity=100
    root.prod      capacity=50 accessible-node-labels.red.capacity=100
    root.prod.a    capacity=50 user-limit-factor=5 maximum-am-resource-percent=0.2
    root.prod.b    capacity=50 user-limit-factor=3 user-settings.u2.weight=0.5 accessible-node-labels.red.capacity=100
    root.dev       capacity=40 accessible-node-labels.blue.capacity=100 ordering-policy=priority-utilization
    root.dev.x     capacity=50 user-limit-factor=4 ordering-policy=fair ordering-policy.fair.enable-size-based-weight=true priority=3
    root.dev.y     capacity=50 maximum-capacity=60)"};
const std::vector<std::string> kLeaves = {"root.prod.a", "root.prod.b", "root.dev.x", "root.dev.y"};

class RandomCluster {
 public:
  RandomCluster(std::uint32_t seed, std::string_view calculator)
      : random_(seed),
        calculator_(calculator),
        cluster_(ClusterBuilder{}
                     .queues(kQueues)
                     .setting("resource-calculator", calculator)
                     .setting("maximum-am-resource-percent", "0.5")
                     .setting("user.u2.max-parallel-apps", "3")
                     .build()) {
    for (int i = 0; i < 6; ++i)
      add_node();
    PreemptionSettings preemption;
    preemption.enabled = true;
    preemption.grace_ms = 5000;
    preemption.inside = true;
    preemption.inside_threshold = 0.1;
    preemption.inside_order =
        seed % 2 == 0 ? InsideOrder::kUserLimitFirst : InsideOrder::kPriorityFirst;
    preemption.balance = seed % 3 == 0;
    preemption.for_reserved = seed % 3 == 1;
    preemption.observe_only = seed % 10 == 9;
    cluster_.scheduler.set_preemption(preemption);
  }

  void step() {
    switch (pick(20)) {
      case 0: return add_app();
      case 1: return end_app();
      case 2:
      case 3:
      case 4: return ask();
      case 5: return blacklist();
      case 6:
      case 7:
      case 8:
      case 9: return pick(3) == 0 ? grow() : release();
      case 10: return change_node();
      case 11: return move();
      case 12: return prioritize();
      case 13: return refresh();
      case 14: return change_labels();
      case 15:
      case 16: return preempt();
      default: return schedule();
    }
  }

  std::string check() {
    std::string fault = cluster_.scheduler.check_invariants();
    if (!fault.empty()) return fault;
    Resources held;
    for (const Grant& grant : running_)
      held += grant.resources;
    Resources counted = cluster_.used("root");
    if (!(held == counted)) return "the root queue holds other than what was granted";
    for (const AppId& app : apps_) {
      if (std::string wrong = check_explained(app); !wrong.empty()) return wrong;
    }
    return "";
  }

  /// Who still waits when the scheduler has done all it can waits for something else than his turn.
  std::string check_explained(const AppId& id) {
    const auto told = cluster_.scheduler.explain(id, ExplainOptions{});
    const auto app = cluster_.scheduler.app(id);
    if (!told || !app) return told || app ? to_string(id) + " is known to one only" : "";
    for (const ExplainedAsk& ask : told->asks) {
      std::int64_t nodes = 0;
      for (const NodeGroup& group : ask.nodes)
        nodes += group.count;
      if (std::cmp_not_equal(nodes, cluster_.scheduler.node_count())) {
        return to_string(id) + ": not every node has its reason";
      }
    }
    if (cluster_.scheduler.has_work()) return "";
    const bool waits = app->pending_containers > 0;
    const bool says_so =
        told->wait.verdict != Verdict::kNothingWaits && told->wait.verdict != Verdict::kWaitsTurn;
    if (waits && !says_so) {
      return to_string(id) + " waits, and is told " + std::string(code_of(told->wait.verdict)) +
             ": " + told->wait.sentence;
    }
    return "";
  }

  const std::vector<Grant>& running() const { return running_; }
  std::string trace;
  std::size_t marked = 0;
  std::size_t grown = 0;

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  AppId any_app() { return apps_[pick(apps_.size())]; }
  std::string size() {
    return std::to_string(1 + pick(5)) + "GB " + std::to_string(1 + pick(3)) + "c";
  }

  void add_node() {
    const int number = next_node_++;
    cluster_.scheduler.add_node(NodeId{"n" + std::to_string(number), 1},
                                "/r" + std::to_string(number % 3), {16384, 8});
    nodes_.push_back(number);
  }
  void add_app() {
    const std::string user = "u" + std::to_string(pick(4));
    const auto& queue = kLeaves[pick(kLeaves.size())];
    apps_.push_back(pick(2) == 0 ? cluster_.running_app(queue, user, static_cast<int>(pick(3)))
                                 : cluster_.app_with_am(queue, size(), user));
  }
  void end_app() {
    if (apps_.empty()) return;
    const std::size_t at = pick(apps_.size());
    const AppId app = apps_[at];
    const bool first_the_attempt = pick(2) == 0;
    if (first_the_attempt) cluster_.scheduler.end_attempt({app, 1});
    std::erase_if(running_, [&](const Grant& grant) {
      if (grant.attempt.app != app) return false;
      cluster_.release(grant);
      return true;
    });
    if (!first_the_attempt || pick(2) == 0) {
      cluster_.scheduler.remove_app(app);
      apps_.erase(apps_.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
      cluster_.scheduler.start_attempt({app, 1}, AmAsk{.capability = {2048, 1}});
    }
  }
  void ask() {
    if (apps_.empty()) return;
    if (pick(3) == 0) return ask_with_label();
    const AppId app = any_app();
    const int priority = 1 + static_cast<int>(pick(2));
    const int count = static_cast<int>(pick(6));
    const std::string of = size();
    const bool relax = pick(4) != 0;
    const std::string node = "n" + std::to_string(pick(8));
    const std::string rack = "/r" + std::to_string(pick(3));
    if (pick(2) == 0) {
      cluster_.ask(app, count, of, {.priority = priority, .at = node});
      cluster_.ask(app, count, of, {.priority = priority, .at = rack, .relax = relax});
    }
    cluster_.ask(app, count, of, {.priority = priority, .relax = relax});
  }
  void blacklist() {
    if (apps_.empty()) return;
    const std::vector<std::string> names = {"n" + std::to_string(pick(8))};
    const std::vector<std::string> none;
    const bool add = pick(2) == 0;
    cluster_.scheduler.update_blacklist({any_app(), 1}, add ? names : none, add ? none : names);
  }
  void release() {
    if (running_.empty()) return;
    const std::size_t at = pick(running_.size());
    cluster_.release(running_[at]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  void grow() {
    if (running_.empty()) return;
    Grant& grant = running_[pick(running_.size())];
    const Resources more = testlib::sizes(size());
    const bool counted = pick(3) != 0;
    const std::uint64_t ticket = ++last_ticket_;
    // Refused for containers of attempts and nodes that are gone.
    (void)cluster_.scheduler
        .ask_growth({grant.attempt.app, 1},
                    {ticket, grant.node, counted ? grant.hold : 0, more, grant.priority})
        .has_value();
    if (pick(5) == 0) cluster_.scheduler.cancel_growth(ticket);
    if (pick(5) != 0) return;
    grant.resources = testlib::sizes("1GB 1c");
    cluster_.scheduler.resize_container(grant.hold, grant.resources);
  }
  void change_node() {
    const int number = nodes_[pick(nodes_.size())];
    const NodeId id{"n" + std::to_string(number), 1};
    switch (pick(5)) {
      case 0: return cluster_.scheduler.set_node_usable(id, pick(2) == 0);
      case 1:
        return cluster_.scheduler.update_node(id, {8192 + 4096 * static_cast<int>(pick(4)), 8});
      case 2: return add_node();
      case 3: return cluster_.scheduler.add_node(id, "/r" + std::to_string(pick(3)), {16384, 8});
      default:
        if (nodes_.size() < 4) return;
        std::erase(nodes_, number);
        std::erase_if(running_, [&](const Grant& grant) {
          if (grant.node != id) return false;
          cluster_.release(grant);
          return true;
        });
        cluster_.scheduler.remove_node(id);
    }
  }
  void preempt() {
    now_ms_ += static_cast<std::int64_t>(pick(4000));
    cluster_.scheduler.set_time(now_ms_);
    const PreemptionRound round = cluster_.scheduler.preempt();
    marked += round.marked.size();
    for (const HoldId hold : round.overdue) {
      const auto victim = std::find_if(running_.begin(), running_.end(),
                                       [&](const Grant& grant) { return grant.hold == hold; });
      ASSERT_NE(victim, running_.end()) << "ends what does not run";
      cluster_.release(*victim);
      running_.erase(victim);
    }
  }
  void change_labels() {
    if (pick(3) == 0) {
      std::vector<PartitionSpec> specs;
      if (pick(4) != 0) specs.push_back({"red", true});
      if (pick(4) != 0) specs.push_back({"blue", pick(2) == 0});
      return cluster_.scheduler.set_partitions(specs);
    }
    const NodeId id{"n" + std::to_string(nodes_[pick(nodes_.size())]), 1};
    cluster_.scheduler.set_node_label(id, std::vector<std::string>{"", "red", "blue"}[pick(3)]);
  }
  void ask_with_label() {
    Ask one;
    one.priority = 3;
    one.capability = {1024 * static_cast<std::int64_t>(1 + pick(4)), 1};
    one.num_containers = static_cast<int>(pick(4));
    one.label_expression = pick(2) == 0 ? "red" : "blue";
    // Refused while there is no such label.
    (void)cluster_.scheduler.update_asks({any_app(), 1}, {&one, 1}).has_value();
  }
  void move() {
    if (apps_.empty()) return;
    (void)cluster_.scheduler.move_app(any_app(), kLeaves[pick(kLeaves.size())]).has_value();
  }
  void prioritize() {
    if (apps_.empty()) return;
    EXPECT_TRUE(cluster_.scheduler.set_priority(any_app(), static_cast<int>(pick(4))));
  }
  void refresh() {
    if (pick(4) != 0) return;
    auto settings = testlib::queue_settings(kChanges[pick(kChanges.size())]);
    const std::string prefix = "yarn.scheduler.capacity.";
    settings.set(prefix + "resource-calculator", {calculator_, "test", false});
    settings.set(prefix + "maximum-am-resource-percent", {"0.5", "test", false});
    const auto parsed = parse_capacity_config(settings);
    ASSERT_TRUE(parsed) << parsed.error().message;
    const QueueConfig& config = *parsed;
    Limits limits{.minimum = {1024, 1}, .maximum = {1 << 20, 1 << 10}, .increment = {1024, 1}};
    EXPECT_TRUE(cluster_.scheduler.configure(config, limits));
  }
  void schedule() {
    for (Grant& grant : cluster_.schedule(1 + pick(20))) {
      const auto node = cluster_.scheduler.node(grant.node);
      EXPECT_TRUE(node && node->usable) << to_string(grant.node);
      EXPECT_GE(node->free.memory_mb(), 0) << to_string(grant.node);
      trace += to_string(grant.attempt) + "@" + to_string(grant.node) + " ";
      const auto same = std::find_if(running_.begin(), running_.end(),
                                     [&](const Grant& one) { return one.hold == grant.hold; });
      if (same != running_.end()) {
        EXPECT_NE(grant.ticket, 0u) << "a hold given twice";
        same->resources += grant.resources;
        ++grown;
        continue;
      }
      running_.push_back(std::move(grant));
    }
  }

  std::mt19937 random_;
  std::string calculator_;
  Cluster cluster_;
  std::vector<AppId> apps_;
  std::vector<int> nodes_;
  std::vector<Grant> running_;
  int next_node_ = 0;
  std::int64_t now_ms_ = 0;
  std::uint64_t last_ticket_ = 0;
};

class RandomEvents : public testing::TestWithParam<std::string> {};

TEST_P(RandomEvents, EverySumAndListStaysTrue) {
  std::size_t marked = 0;
  std::size_t grown = 0;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    RandomCluster cluster(seed, GetParam());
    for (int i = 0; i < 400; ++i) {
      cluster.step();
      ASSERT_EQ(cluster.check(), "") << "seed " << seed << ", step " << i;
    }
    marked += cluster.marked;
    grown += cluster.grown;
  }
  EXPECT_GT(grown, 0u) << "nothing ever grew";
  EXPECT_GT(marked, 0u) << "nothing was ever preempted";
}

TEST_P(RandomEvents, TheSameSeedGivesTheSameGrants) {
  RandomCluster one(7, GetParam());
  RandomCluster other(7, GetParam());
  for (int i = 0; i < 1000; ++i)
    one.step();
  for (int i = 0; i < 1000; ++i)
    other.step();
  EXPECT_FALSE(one.trace.empty());
  EXPECT_EQ(one.trace, other.trace);
}

INSTANTIATE_TEST_SUITE_P(Calculators, RandomEvents,
                         testing::Values("DefaultResourceCalculator",
                                         "DominantResourceCalculator"));

}  // namespace
}  // namespace heddle::queues
