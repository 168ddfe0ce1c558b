// The production scheduler beside the naive one: after every event every number is the same, and
// every grant is one that the naive scheduler would give.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/text.h"
#include "queues/scheduler.h"
#include "queues/tagged_ask.h"
#include "tests/sim/compare.h"
#include "tests/sim/naive_scheduler.h"
#include "tests/sim/pair_base.h"
#include "tests/sim/random_world.h"
#include "tests/sim/told.h"

namespace heddle::naive {
namespace {

constexpr std::size_t kEvents = 120;  // of a run

enum class World : std::uint8_t {
  kWide,
  kCrowded,  // one leaf has most applications: they get into each other's way
};

class Pair : public PairBase {
 public:
  Pair(std::uint64_t seed, World world)
      : PairBase(random_limits(seed)), world_(world), makes_queues_(seed % 4 == 2) {
    const queues::QueueConfig config = queues_of(seed);
    EXPECT_TRUE(ours_.configure(config, limits_));
    naive_.configure(config, limits_);
    const auto partitions =
        world_ == World::kCrowded ? std::vector<queues::PartitionSpec>{} : random_partitions(seed);
    ours_.set_partitions(partitions);
    naive_.set_partitions(partitions);
    for (const queues::PartitionSpec& one : partitions)
      partitions_.insert(one.name);
    queues::PreemptionSettings preemption = random_preemption(seed);
    if (world_ == World::kCrowded) preemption.enabled = preemption.inside = true;
    ours_.set_preemption(preemption);
    naive_.set_preemption(preemption);
    for (std::uint32_t i = 0; i < 3; ++i)
      add_node({i, i, i, i, i, i});
  }

  /// Empty, or what is wrong after the event.
  std::string step(const Event& event) {
    std::string fault = apply(event);
    (void)ours_.schedule(0);  // a change of the cluster's size counts from the next decision on
    if (fault.empty()) fault = ours_.check_invariants();
    if (fault.empty()) fault = compare(ours_, naive_);
    return fault;
  }
  const Seen& seen() const { return naive_.seen(); }

 private:
  std::string apply(const Event& event) {
    const Dice& d = event.dice;
    switch (event.kind) {
      case EventKind::kAddApp: return add_app(d);
      case EventKind::kEndApp: return end_app(d);
      case EventKind::kEndAttempt: return end_attempt(d);
      case EventKind::kStartAttempt: return start_attempt(d);
      case EventKind::kAsk: return ask(d, false);
      case EventKind::kAskNear: return ask(d, true);
      case EventKind::kBlacklist: return blacklist(d);
      case EventKind::kSchedule: return schedule(d);
      case EventKind::kRelease: return release(d);
      case EventKind::kAddNode: return add_node(d);
      case EventKind::kRemoveNode: return remove_node(d);
      case EventKind::kResizeNode: return resize_node(d);
      case EventKind::kUsable: return set_usable(d);
      case EventKind::kMove: return move(d);
      case EventKind::kPriority: return prioritize(d);
      case EventKind::kConfigure: return configure(d);
      case EventKind::kRecover: return recover(d);
      case EventKind::kResize: return resize(d);
      case EventKind::kPartitions: return set_partitions(d);
      case EventKind::kNodeLabel: return set_node_label(d);
      case EventKind::kPreempt: return preempt(d);
      case EventKind::kAskTagged: return ask_tagged(d);
      case EventKind::kAttributes: return set_attributes(d);
      case EventKind::kGrow: return grow(d);
      case EventKind::kCancelGrowth: return cancel_growth(d);
      case EventKind::kDemote: return demote(d);
      case EventKind::kMakeQueue: return make_queue(d);
      case EventKind::kIdleQueues: return remove_idle(d);
      case EventKind::kPlanShares: return set_plan_shares(d);
    }
    return "";
  }

  queues::QueueConfig queues_of(std::uint64_t seed) const {
    return world_ == World::kCrowded ? crowded_queues(seed, limits_)
                                     : random_queues(seed, limits_, makes_queues_);
  }
  std::vector<std::string> leaves() const {
    std::vector<std::string> out;
    for (const Queue& queue : naive_.queues()) {
      if (queue.spec->is_leaf()) out.push_back(queue.path());
    }
    return out;
  }
  std::string add_app(const Dice& d) {
    const auto all = leaves();
    if (all.empty()) return "";
    const std::size_t at = world_ == World::kCrowded && d[4] % 4 != 0 ? 0 : d[1] % all.size();
    const std::string leaf = d[1] % 40 == 0 ? "root.nowhere" : all[at];
    const std::string user = "u" + std::to_string(d[2] % 4);
    const auto priority = static_cast<std::int32_t>(d[3] % 3);
    const AppId id{1, ++next_app_};
    note("add {} to {} of {} priority {}", next_app_, leaf, user, priority);
    const auto added = ours_.add_app(id, leaf, UserName(user), priority);
    const auto refused = naive_.add_app(id, leaf, user, priority);
    if (code_of(added) != code_of(refused)) {
      return fmt::format("add_app: {}, by the rules {}", code_of(added), code_of(refused));
    }
    follow_queues();
    if (!added) return "";
    const std::string tag = next_app_ % 2 == 0 ? "even" : "odd";
    ours_.set_app_tags(id, {tag});
    naive_.set_app_tag(id, tag);
    start(id, d);
    return "";
  }

  void start(const AppId& id, const Dice& d) {
    const AttemptId attempt{id, ++attempts_[id]};
    std::optional<AmAsk> am;
    if (d[4] % 3 != 0) am = AmAsk{.capability = size_of(d[5])};
    if (am && d[4] % 7 == 0) {
      am->places.push_back({"h" + std::to_string(d[5] % 5), true});
      am->relax_locality = d[5] % 2 == 0;
    }
    if (am && d[4] % 11 < 2 && naive_.labels().size() > 1) am->label = usable_label(d[4]);
    note("start attempt {} of {}{}{}", attempt.number, id.sequence,
         am ? " with an AM of " + to_string(am->capability) : "",
         am && am->label ? " on \"" + *am->label + "\"" : "");
    ours_.start_attempt(attempt, am);
    naive_.start_attempt(attempt, am);
  }

  std::string end_app(const Dice& d) {
    const App* app = any_app(d[0]);
    if (app == nullptr) return "";
    const AppId id = app->id;
    note("remove {}", id.sequence);
    const bool first_the_containers = d[1] % 2 == 0;
    if (first_the_containers)
      release_all([&](const Hold& one) { return !one.app_gone && one.app == id; });
    ours_.remove_app(id);
    naive_.remove_app(id);
    follow_queues();
    if (!first_the_containers) release_all([&](const Hold& one) { return one.app == id; });
    return "";
  }

  std::string end_attempt(const Dice& d) {
    const App* app = any_app(d[0]);
    if (app == nullptr || !app->attempt) return "";
    note("end attempt of {}", app->id.sequence);
    const AttemptId attempt = *app->attempt;
    ours_.end_attempt(attempt);
    naive_.end_attempt(attempt.app);
    return "";
  }

  std::string start_attempt(const Dice& d) {
    const App* app = any_app(d[0]);
    if (app != nullptr) start(AppId(app->id), d);
    return "";
  }

  std::string ask(const Dice& d, bool near) {
    const App* app = any_app(d[0]);
    if (app == nullptr || !app->attempt) return "";
    const auto priority = static_cast<std::int32_t>(d[1] % 3);
    const std::int64_t request_id = d[1] / 3 % 4 == 0 ? 1 : -1;
    const auto count = static_cast<std::int32_t>(d[2] % 7);
    const bool relax = d[3] % 4 != 0;
    std::vector<Ask> asks;
    if (near) {
      asks.push_back(
          {priority, "h" + std::to_string(d[4] % 6), size_of(d[5]), count, true, {}, request_id});
      if (d[4] % 3 != 0) {
        asks.push_back({priority,
                        "/r" + std::to_string(d[4] % 3),
                        size_of(d[5]),
                        count,
                        relax || d[4] % 2 == 0,
                        {},
                        request_id});
      }
    }
    std::optional<Label> label;
    if (d[0] / 7 % 4 == 0) label = label_of(d[0] / 31);
    asks.push_back({priority, "*", size_of(d[5]), count, !near || relax, label, request_id});
    note("{} asks for {} of {} on \"{}\" priority {}{}{}", app->id.sequence, count,
         to_string(size_of(d[5])), label.value_or("its queue's"), priority,
         near ? " near " + asks[0].resource_name : "",
         asks.back().relax_locality ? "" : " and nowhere else");
    const AttemptId attempt = *app->attempt;
    const auto taken = ours_.update_asks(attempt, asks);
    const auto refused = naive_.update_asks(attempt.app, asks);
    const std::string code = taken ? "accepted" : std::string(to_string(taken.error().code));
    if (code == code_of(refused)) return "";
    return fmt::format("update_asks: {}, by the rules {}", code, code_of(refused));
  }

  std::string blacklist(const Dice& d) {
    const App* app = any_app(d[0]);
    if (app == nullptr || !app->attempt) return "";
    const std::vector<std::string> names = {d[1] % 3 == 0 ? "/r" + std::to_string(d[2] % 3)
                                                          : "h" + std::to_string(d[2] % 6)};
    const bool add = d[3] % 2 == 0;
    note("{} {} {} its blacklist", app->id.sequence, add ? "puts" : "takes", names[0]);
    const std::vector<std::string> none;
    ours_.update_blacklist(*app->attempt, add ? names : none, add ? none : names);
    naive_.update_blacklist(app->id, add ? names : none, add ? none : names);
    return "";
  }

  std::string schedule(const Dice& d) {
    const std::size_t most = d[0] % 2 == 0 ? 1000 : 1 + d[1] % 5;
    note("schedule {}", most);
    Told before = told_by(ours_, naive_);
    for (std::size_t i = 0; i < most; ++i) {
      const auto grants = ours_.schedule(1);
      Told after = told_by(ours_, naive_);
      if (grants.empty()) return ours_.has_work() ? "stops with work left" : left_over(after);
      const Grant& grant = grants[0];
      log.back() += fmt::format(" {}@{}", grant.attempt.app.sequence, to_string(grant.node));
      if (auto fault = naive_.take(grant, before, after); !fault.empty()) return fault;
      before = std::move(after);
    }
    return ours_.has_work() ? "" : left_over(before);
  }
  std::string left_over(const Told& told) {
    std::string left = naive_.left_over(told);
    return left.empty() ? check_told(told) : left;
  }
  /// What is kept on nodes is kept for somebody, and lies in what is free there.
  std::string check_told(const Told& told) const {
    Resources on_nodes;
    Resources for_apps;
    for (const auto& [id, reserved] : told.on_node)
      on_nodes += reserved;
    for (const auto& [id, reserved] : told.for_app)
      for_apps += reserved;
    return difference("kept for applications", for_apps, on_nodes);
  }

  template <class Wanted>
  void release_all(const Wanted& wanted) {
    std::vector<HoldId> gone;
    for (const auto& [id, hold] : naive_.holds()) {
      if (wanted(hold)) gone.push_back(id);
    }
    for (const HoldId id : gone)
      release_hold(id);
  }
  void release_hold(HoldId id) {
    ours_.release(id);
    naive_.release(id);
  }
  std::string release(const Dice& d) {
    if (naive_.holds().empty()) return "";
    const HoldId id = any_hold(d[0]);
    const Hold& hold = naive_.holds().at(id);
    note("release {} of {} on {}", to_string(hold.size), hold.app.sequence,
         hold.node ? to_string(*hold.node) : "nowhere");
    release_hold(id);
    return "";
  }

  std::string set_partitions(const Dice& d) {
    if (d[0] % 2 == 0) return "";
    std::vector<queues::PartitionSpec> specs;
    if (d[1] % 4 != 0) specs.push_back({"red", d[2] % 2 == 0});
    if (d[1] / 4 % 2 != 0) specs.push_back({"blue", d[3] % 2 == 0});
    partitions_.clear();
    std::string text;
    for (const auto& spec : specs) {
      partitions_.insert(spec.name);
      text += fmt::format(" {}{}", spec.name, spec.exclusive ? "" : " (shared)");
    }
    note("labels are now:{}", text);
    ours_.set_partitions(specs);
    naive_.set_partitions(specs);
    return "";
  }

  std::string set_node_label(const Dice& d) {
    const Node* node = any_node(d[0]);
    if (node == nullptr) return "";
    const NodeId id = node->id;
    note("node {} has label \"{}\"", to_string(id), label_of(d[1]));
    ours_.set_node_label(id, label_of(d[1]));
    naive_.set_node_label(id, label_of(d[1]));
    return "";
  }

  std::string preempt(const Dice& d) {
    now_ms_ += d[0] % 6000;
    ours_.set_time(now_ms_);
    naive_.set_time(now_ms_);
    const queues::PreemptionRound round = ours_.preempt();
    note("at {} ms {} are marked, {} spared, {} overdue", now_ms_, round.marked.size(),
         round.spared.size(), round.overdue.size());
    if (std::string fault = naive_.take_round(round); !fault.empty()) return fault;
    for (const HoldId hold : round.overdue)
      release_hold(hold);
    return "";
  }

  std::string add_node(const Dice& d) {
    if (naive_.nodes().size() >= 7) return "";
    const NodeId id{"h" + std::to_string(d[0] % 6), 1 + static_cast<std::int32_t>(d[0] % 11 / 9)};
    // A node that is known and changes its rack takes a new place; that is not looked at here.
    std::string rack = "/r" + std::to_string(d[1] % 3);
    for (const Node& node : naive_.nodes()) {
      if (node.id == id) rack = node.rack;
    }
    const Resources total{2048 * (1 + d[2] % 8), 1 + d[3] % 10};
    const Label label = label_of(d[4]);
    note("node {} in {} of {} with label \"{}\"", to_string(id), rack, to_string(total), label);
    ours_.add_node(id, rack, total, label);
    naive_.add_node(id, rack, total, label);
    return "";
  }

  std::string remove_node(const Dice& d) {
    const Node* node = any_node(d[0]);
    if (node == nullptr || naive_.nodes().size() < 2) return "";
    const NodeId id = node->id;
    note("remove node {}", to_string(id));
    std::set<HoldId> there;
    for (const auto& [hold_id, hold] : naive_.holds()) {
      if (hold.node == id) there.insert(hold_id);
    }
    const auto release_there = [&] {
      for (const HoldId hold : there)
        release_hold(hold);
    };
    if (d[1] % 3 == 0) release_there();
    ours_.remove_node(id);
    naive_.remove_node(id);
    if (d[1] % 3 == 1) release_there();  // or later, one by one
    return "";
  }

  std::string resize_node(const Dice& d) {
    const Node* node = any_node(d[0]);
    if (node == nullptr) return "";
    const NodeId id = node->id;
    const Resources total{2048 * (1 + d[1] % 8), 1 + d[2] % 10};
    note("node {} is now of {}", to_string(id), to_string(total));
    ours_.update_node(id, total);
    naive_.resize_node(id, total);
    return "";
  }

  std::string set_usable(const Dice& d) {
    const Node* node = any_node(d[0]);
    if (node == nullptr) return "";
    const NodeId id = node->id;
    note("node {} is {}", to_string(id), d[1] % 2 == 0 ? "usable" : "not usable");
    ours_.set_node_usable(id, d[1] % 2 == 0);
    naive_.set_usable(id, d[1] % 2 == 0);
    return "";
  }

  std::string move(const Dice& d) {
    const App* app = any_app(d[0]);
    if (app == nullptr) return "";
    const AppId id = app->id;
    const auto all = leaves();
    if (all.empty()) return "";
    const std::string leaf = all[d[1] % all.size()];
    note("move {} to {}", id.sequence, leaf);
    const auto moved = ours_.move_app(id, leaf);
    const auto refused = naive_.move_app(id, leaf);
    follow_queues();
    if (code_of(moved) == code_of(refused)) return "";
    return fmt::format("move_app: {}, by the rules {}", code_of(moved), code_of(refused));
  }

  std::string prioritize(const Dice& d) {
    const App* app = any_app(d[0]);
    if (app == nullptr) return "";
    const AppId id = app->id;
    note("{} has priority {}", id.sequence, d[1] % 4);
    (void)ours_.set_priority(id, static_cast<std::int32_t>(d[1] % 4)).has_value();
    naive_.set_priority(id, static_cast<std::int32_t>(d[1] % 4));
    return "";
  }

  std::string configure(const Dice& d) {
    if (d[0] % 3 != 0) return "";
    queues::QueueConfig config = queues_of(d[1]);
    const auto with_made = ours_.with_made(config);
    if (with_made != nullptr) config = *with_made;
    std::set<std::string> kept;
    collect_leaves(config.root, kept);
    bool homeless = false;
    for (const auto& [id, app] : naive_.apps())
      homeless = homeless || !kept.contains(app.leaf);
    note("other queues{}", homeless ? ", refused" : "");
    const bool taken = ours_.configure(config, limits_).has_value();
    if (taken == homeless) return taken ? "queues with applications vanish" : "queues are refused";
    if (taken) naive_.configure(ours_.config(), limits_);
    return "";
  }
  static void collect_leaves(const QueueSpec& spec, std::set<std::string>& out) {
    if (spec.is_leaf()) out.insert(spec.path.value());
    for (const QueueSpec& child : spec.children)
      collect_leaves(child, out);
  }

  std::string recover(const Dice& d) {
    const App* app = any_app(d[0]);
    const Node* node = any_node(d[1]);
    if (app == nullptr || node == nullptr || !app->attempt || d[3] % 3 != 0) return "";
    const AttemptId attempt = *app->attempt;
    const NodeId id = node->id;
    note("a container of {} runs on {} already", attempt.app.sequence, to_string(id));
    const HoldId hold = ours_.recover_container(attempt, id, {1024, 1});
    naive_.recover(hold, attempt.app, id, {1024, 1});
    return "";
  }

  std::string resize(const Dice& d) {
    if (naive_.holds().empty() || d[1] % 3 != 0) return "";
    const HoldId id = any_hold(d[0]);
    const Hold& hold = naive_.holds().at(id);
    if (hold.bare) return "";
    const Resources after = Resources(1024 * (1 + d[2] % 4), hold.size.vcores());
    note("a container of {} is now of {}", hold.app.sequence, to_string(after));
    ours_.resize_container(id, after);
    naive_.resize(id, after);
    return "";
  }

  World world_;
  bool makes_queues_;
};

struct Outcome {
  std::string fault;
  std::size_t events = 0;  // until it failed
  std::vector<std::string> log;
  Seen seen;
};

Outcome play(std::uint64_t seed, World world, const std::vector<Event>& events) {
  Pair pair(seed, world);
  Outcome out;
  for (const Event& event : events) {
    ++out.events;
    out.fault = pair.step(event);
    if (!out.fault.empty()) break;
  }
  out.log = std::move(pair.log);
  out.seen = pair.seen();
  return out;
}

/// Leaves out whatever the failure does not need.
std::vector<Event> cut_down(std::uint64_t seed, World world, std::vector<Event> events) {
  for (bool again = true; again;) {
    again = false;
    for (std::size_t at = events.size(); at-- > 0;) {
      std::vector<Event> fewer = events;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at));
      const Outcome outcome = play(seed, world, fewer);
      if (outcome.fault.empty()) continue;
      fewer.resize(outcome.events);
      events = std::move(fewer);
      at = std::min(at, events.size());
      again = true;
    }
  }
  return events;
}

/// What was seen on the way; a failed assertion where the two differ.
Seen play_seeds(World world, std::uint64_t first, std::uint64_t count) {
  Seen seen;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    std::vector<Event> events = random_events(seed, kEvents);
    const Outcome outcome = play(seed, world, events);
    seen.add(outcome.seen);
    if (outcome.fault.empty()) continue;
    events.resize(outcome.events);
    const Outcome shortest = play(seed, world, cut_down(seed, world, events));
    ADD_FAILURE() << "HEDDLE_ORACLE_SEED=" << seed << " HEDDLE_ORACLE_SEEDS=1 fails at event "
                  << outcome.events << ": " << outcome.fault << "\nIn short:\n  "
                  << join(shortest.log, "\n  ") << "\n"
                  << shortest.fault;
    break;
  }
  return seen;
}

TEST(Oracle, EveryDecisionIsOneThatTheRulesAllow) {
  const std::uint64_t first = from_environment("HEDDLE_ORACLE_SEED", 1);
  const std::uint64_t count = from_environment("HEDDLE_ORACLE_SEEDS", 200);
  const Seen seen = play_seeds(World::kWide, first, count);
  if (count < 100) return;
  EXPECT_GT(seen.lent, 0) << "no shared partition has ever lent anything";
  EXPECT_GT(seen.kept, 0) << "room has never been kept for anybody";
  EXPECT_GT(seen.held, 0) << "max-parallel-apps has never held anybody back";
  EXPECT_GT(seen.marked, 0) << "nothing has ever been preempted";
  EXPECT_GT(seen.constrained, 0) << "nothing was ever given where a constraint holds";
  EXPECT_GT(seen.grown, 0) << "nothing has ever grown";
  EXPECT_GT(seen.made, 0) << "nothing was ever given in a queue that came by itself";
  EXPECT_GT(seen.reserved, 0) << "nothing was ever given to a reservation";
}

TEST(Oracle, InACrowdedQueueNobodyLosesWhatTheRulesDoNotAllow) {
  const std::uint64_t first = from_environment("HEDDLE_ORACLE_SEED", 1);
  const std::uint64_t count = from_environment("HEDDLE_ORACLE_SEEDS", 200);
  const Seen seen = play_seeds(World::kCrowded, first, count);
  if (count < 100) return;
  EXPECT_GT(seen.inside, 0) << "nothing has ever been preempted inside a queue";
}

}  // namespace
}  // namespace heddle::naive
