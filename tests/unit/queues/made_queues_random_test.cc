// Random submissions, ends, refreshes and passing time over queues that are made by themselves; the
// scheduler's own invariants hold after each.
#include <gtest/gtest.h>

#include <random>

#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testlib::Cluster;
using testlib::ClusterBuilder;

constexpr const char* kSettings[] = {
    R"(root.default capacity=20
       root.m capacity=30 auto-create-child-queue.enabled=true leaf-queue-template.capacity=30
       +root.m auto-create-child-queue.max-queues=5
       root.w capacity=50
       root.w.listed capacity=1w
       root.w.users capacity=3w auto-queue-creation-v2.enabled=true auto-queue-creation-v2.max-queues=6)",
    R"(root.default capacity=10
       root.m capacity=40 auto-create-child-queue.enabled=true leaf-queue-template.capacity=15
       root.w capacity=50
       root.w.listed capacity=2w
       root.w.users capacity=1w auto-queue-creation-v2.enabled=true
       +root.w.users auto-queue-creation-v2.leaf-template.capacity=4w
       root.w.users.x capacity=2w
       root.w.more capacity=1w)",
    R"(root.default capacity=100
       root.m capacity=0
       root.w capacity=0)"};

class Player {
 public:
  explicit Player(unsigned seed)
      : random_(seed), cluster_(ClusterBuilder{}.queues(kSettings[0]).nodes(3, "8GB 8c").build()) {}

  void step() {
    switch (pick(8)) {
      case 0: submit(); break;
      case 1: submit(); break;
      case 2: end_one(); break;
      case 3: place(); break;
      case 4: move_one(); break;
      case 5: pass_time(); break;
      case 6: configure(); break;
      default: place(); break;
    }
    ASSERT_EQ(cluster_.scheduler.check_invariants(), "");
  }

 private:
  unsigned pick(unsigned count) {
    return std::uniform_int_distribution<unsigned>(0, count - 1)(random_);
  }
  std::string a_queue() {
    static const std::vector<std::string> kQueues = {
        "root.default",   "root.w.listed",    "root.m.a",         "root.m.b",
        "root.m.c",       "root.m.d",         "root.w.users.x",   "root.w.users.y",
        "root.w.users.z", "root.w.users.t.x", "root.w.users.t.y", "root.w.users.t.u.v"};
    return kQueues[pick(static_cast<unsigned>(kQueues.size()))];
  }
  void submit() {
    const auto made = cluster_.scheduler.make_leaf(a_queue(), pick(10) == 0);
    if (!made) return;
    const AppId id{1000, ++apps_made_};
    if (!cluster_.scheduler.add_app(id, made->value(), UserName("ann"), 0)) return;
    cluster_.scheduler.start_attempt(testlib::first_attempt(id), std::nullopt);
    cluster_.ask(id, static_cast<std::int32_t>(pick(6)), "1GB 1c");
    apps_.push_back(id);
  }
  AppId take_one() {
    const auto at = apps_.begin() + pick(static_cast<unsigned>(apps_.size()));
    return *at;
  }
  void end_one() {
    if (apps_.empty()) return;
    const AppId id = take_one();
    std::erase_if(grants_, [&](const Grant& grant) {
      if (grant.attempt.app != id) return false;
      cluster_.release(grant);
      return true;
    });
    cluster_.scheduler.remove_app(id);
    std::erase(apps_, id);
  }
  void move_one() {
    if (apps_.empty()) return;
    (void)cluster_.scheduler.move_app(take_one(), a_queue()).has_value();
  }
  void place() {
    for (const Grant& grant : cluster_.schedule(pick(20)))
      grants_.push_back(grant);
  }
  void pass_time() {
    now_ms_ += pick(200'000);
    cluster_.scheduler.set_time(now_ms_);
    const std::size_t before = cluster_.scheduler.made_queues().size();
    const auto gone = cluster_.scheduler.remove_idle_queues();
    EXPECT_EQ(cluster_.scheduler.made_queues().size() + gone.size(), before);
  }
  void configure() {
    const auto config = parse_capacity_config(testlib::queue_settings(kSettings[pick(3)]));
    ASSERT_TRUE(config) << config.error().message;
    (void)cluster_.scheduler.configure(*config, Limits{}).has_value();
  }

  std::mt19937 random_;
  Cluster cluster_;
  std::vector<AppId> apps_;
  std::vector<Grant> grants_;
  std::int32_t apps_made_ = 0;
  std::int64_t now_ms_ = 0;
};

TEST(MadeQueues, StandRandomEvents) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    Player player(seed);
    for (int step = 0; step < 200; ++step) {
      player.step();
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace heddle::queues
