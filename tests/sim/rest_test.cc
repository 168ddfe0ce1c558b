// Equal containers and demand that stays as it is: preemption has to come to rest, and then nobody
// is owed anything that could be given.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/naive_scheduler.h"
#include "tests/sim/random_world.h"
#include "tests/sim/told.h"
#include "tools/sim/random.h"

namespace heddle::naive {
namespace {

constexpr int kRoundsMax = 100;

class RestingWorld {
 public:
  explicit RestingWorld(std::uint64_t seed) : random_(seed) {
    const queues::Limits limits{
        .minimum = {1024, 1}, .maximum = {8192, 8}, .increment = {1024, 1}, .type_count = 2};
    const auto config = open_queues(seed, limits);
    EXPECT_TRUE(ours_.configure(config, limits));
    naive_.configure(config, limits);
    queues::PreemptionSettings settings;
    settings.enabled = true;
    settings.total_per_round = random_.chance(0.5) ? 1 : 0.1;
    settings.ignored_over_capacity = 0;
    settings.natural_termination = random_.chance(0.5) ? 1 : 0.2;
    settings.grace_ms = random_.chance(0.5) ? 0 : 7000;
    ours_.set_preemption(settings);
    naive_.set_preemption(settings);
    add_nodes();
    for (const Queue& queue : naive_.queues()) {
      protected_ = protected_ || queue.spec->disable_preemption;
      if (queue.spec->is_leaf()) leaves_.push_back(queue.path());
    }
  }

  /// The first ones take all there is.
  std::string fill() {
    for (std::size_t i = 0; i < leaves_.size() * 2; ++i) {
      const AppId id{1, static_cast<std::int32_t>(i) + 1};
      const std::string leaf = leaves_[random_.next() % leaves_.size()];
      if (!ours_.add_app(id, leaf, UserName("u"), 0)) return "refused";
      naive_.add_app(id, leaf, "u", 0);
      ours_.start_attempt({id, 1}, std::nullopt);
      naive_.start_attempt({id, 1}, std::nullopt);
      if (auto fault = want(id); !fault.empty()) return fault;
    }
    return "";
  }

  /// One of the applications wants another number, and gives back what it has.
  std::string change() {
    const AppId id{1, static_cast<std::int32_t>(random_.next() % naive_.apps().size()) + 1};
    std::vector<HoldId> gone;
    for (const auto& [hold_id, hold] : naive_.holds()) {
      if (hold.app == id) gone.push_back(hold_id);
    }
    for (const HoldId hold : gone)
      release(hold);
    return want(id);
  }

  std::string rest() {
    int quiet = 0;
    for (int round = 0; quiet < 4; ++round) {
      if (round == kRoundsMax) return "it never comes to rest";
      now_ms_ += 3000;
      ours_.set_time(now_ms_);
      naive_.set_time(now_ms_);
      const queues::PreemptionRound seen = ours_.preempt();
      if (auto fault = naive_.take_round(seen); !fault.empty()) return fault;
      for (const HoldId hold : seen.overdue)
        release(hold);
      if (auto fault = schedule(); !fault.empty()) return fault;
      quiet = seen.marked.empty() && seen.overdue.empty() ? quiet + 1 : 0;
    }
    const std::string owed = naive_.owed(told_by(ours_, naive_));
    return owed.empty() ? check_shares() : owed;
  }
  const Seen& seen() const { return naive_.seen(); }

  /// Of each queue, in containers: what it holds, wants, is guaranteed and should have.
  std::string state() const {
    std::string out;
    const std::vector<Queue> all = naive_.queues();
    const auto ideals = naive_.ideals(all, "");
    for (const Queue& queue : all) {
      const Part& part = queue.parts.at("");
      out +=
          fmt::format("\n  {} holds {} wants {} more, is guaranteed {:.3f}, should have {:.3f}{}",
                      queue.path(), part.used.memory_mb() / 1024, part.pending.memory_mb() / 1024,
                      part.guarantee[kMemory] / 1024, ideals.at(queue.path())[kMemory] / 1024,
                      queue.spec->disable_preemption ? ", protected" : "");
    }
    return out;
  }

 private:
  void add_nodes() {
    const auto count = random_.between(1, 5);
    for (std::int64_t i = 0; i < count; ++i) {
      const NodeId id{"h" + std::to_string(i), 1};
      const auto slots = random_.between(3, 12);
      containers_ += slots;
      ours_.add_node(id, "/r", {1024 * slots, slots});
      naive_.add_node(id, "/r", {1024 * slots, slots}, "");
    }
  }

  std::string want(const AppId& id) {
    Ask ask;
    ask.priority = 1;
    ask.capability = {1024, 1};
    ask.num_containers = static_cast<std::int32_t>(random_.between(0, containers_ * 3 / 2));
    if (!ours_.update_asks({id, 1}, {&ask, 1})) return "the ask is refused";
    naive_.update_asks(id, {ask});
    return schedule();
  }

  std::string schedule() {
    Told before = told_by(ours_, naive_);
    for (auto grants = ours_.schedule(1); !grants.empty(); grants = ours_.schedule(1)) {
      Told after = told_by(ours_, naive_);
      if (auto fault = naive_.take(grants[0], before, after); !fault.empty()) return fault;
      before = std::move(after);
    }
    if (auto left = naive_.left_over(before); !left.empty()) return left;
    return ours_.check_invariants();
  }

  void release(HoldId hold) {
    ours_.release(hold);
    naive_.release(hold);
  }

  // Each queue may be off by less than one container: guarantees are fractions, containers are not.
  std::string check_shares() const {
    if (protected_) return "";
    const std::vector<Queue> all = naive_.queues();
    double lacking = 0;
    for (const Queue& queue : all) {
      if (!queue.spec->is_leaf()) continue;
      const Part& part = queue.parts.at("");
      const auto used = static_cast<double>(part.used.memory_mb());
      const auto wanted = used + static_cast<double>(part.pending.memory_mb());
      lacking += std::max(0.0, std::min(wanted, part.guarantee[kMemory]) - used) / 1024;
    }
    if (lacking <= static_cast<double>(all.size())) return "";
    return fmt::format("{} queues lack {} containers together", all.size(), lacking);
  }

  sim::Random random_;
  queues::Scheduler ours_;
  Scheduler naive_;
  std::vector<std::string> leaves_;
  bool protected_ = false;
  std::int64_t containers_ = 0;
  std::int64_t now_ms_ = 0;
};

TEST(SharesAtRest, NobodyIsOwedWhatCouldBeGiven) {
  const std::uint64_t first = from_environment("HEDDLE_ORACLE_SEED", 1);
  const std::uint64_t count = from_environment("HEDDLE_ORACLE_SEEDS", 40);
  std::int64_t marked = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    RestingWorld world(seed);
    std::string fault = world.fill();
    if (fault.empty()) fault = world.rest();
    for (int i = 0; i < 3 && fault.empty(); ++i) {
      fault = world.change();
      if (fault.empty()) fault = world.rest();
    }
    ASSERT_EQ(fault, "") << "HEDDLE_ORACLE_SEED=" << seed << world.state();
    marked += world.seen().marked;
  }
  EXPECT_TRUE(count < 20 || marked > 0) << "nothing has ever been preempted";
}

}  // namespace
}  // namespace heddle::naive
