// Random worlds with tags and constraints, beside a recount of everything.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "queues/tagged_ask.h"
#include "tests/testlib/cluster_builder.h"
#include "tests/unit/queues/tagged_asks.h"

namespace heddle::queues {
namespace {

using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::first_attempt;

struct Running {
  Grant grant;
  std::set<std::string> tags;
};

/// Counts containers one by one.
class NaiveTags {
 public:
  const std::vector<Running>& running;
  const std::map<NodeId, std::string>& racks;
  const std::map<NodeId, NodeAttributes>& attributes;
  std::map<AppId, std::string> app_tags;

  bool counts(const Constraint& part, const AppId& self, const AppId& owner) const {
    switch (part.owners) {
      case TagOwners::kSelf: return owner == self;
      case TagOwners::kNotSelf: return owner != self;
      case TagOwners::kAll: return true;
      case TagOwners::kApp: return owner == part.app;
      case TagOwners::kAppTag: return app_tags.at(owner) == part.app_tag;
    }
    return false;
  }
  bool holds(const Constraint& part, const AppId& self, const NodeId& node,
             std::int64_t waited_ms) const {
    std::int64_t from_ms = 0;
    bool all = true;
    bool any = false;
    for (std::size_t i = 0; i < part.parts.size(); ++i) {
      const bool one = holds(part.parts[i], self, node, waited_ms);
      all = all && one;
      any = any || (one && waited_ms >= from_ms);
      if (!part.delays.empty()) from_ms += part.delays[i].amount;
    }
    switch (part.kind) {
      case Constraint::Kind::kAnd: return all;
      case Constraint::Kind::kOr:
      case Constraint::Kind::kDelayedOr: return any;
      case Constraint::Kind::kPartition: return part.values[0].empty();
      case Constraint::Kind::kAttribute: {
        const auto& mine = attributes.at(node);
        const auto found = mine.find(part.key);
        const bool same = found != mine.end() && std::ranges::count(part.values, found->second) > 0;
        return same == part.equal;
      }
      case Constraint::Kind::kTags: break;
    }
    std::int64_t most = 0;
    std::int64_t least = INT64_MAX;
    for (const std::string& tag : part.values) {
      std::int64_t there = 0;
      for (const Running& one : running) {
        const bool near = part.scope == Constraint::Scope::kNode
                              ? one.grant.node == node
                              : racks.at(one.grant.node) == racks.at(node);
        there += near && one.tags.contains(tag) && counts(part, self, one.grant.attempt.app);
      }
      most = std::max(most, there);
      least = std::min(least, there);
    }
    return most >= part.minimum && least <= part.maximum;
  }
};

class RandomConstraints {
 public:
  explicit RandomConstraints(std::uint32_t seed)
      : random_(seed),
        cluster_(ClusterBuilder{}
                     .queues("root.a capacity=50 user-limit-factor=4\n"
                             "root.b capacity=50 user-limit-factor=4")
                     .build()) {
    PreemptionSettings preemption;
    preemption.enabled = true;
    preemption.grace_ms = seed % 2 == 0 ? 0 : 2000;
    preemption.for_reserved = seed % 3 == 0;
    preemption.inside = seed % 4 == 0;
    cluster_.scheduler.set_preemption(preemption);
    for (int i = 0; i < 5; ++i)
      add_node();
    for (int i = 0; i < 4; ++i)
      add_app();
  }

  std::string step() {
    cluster_.scheduler.set_time(now_ms_ += static_cast<std::int64_t>(pick(900)));
    switch (pick(14)) {
      case 12: return preempt();
      case 0: add_node(); break;
      case 1: change_node(); break;
      case 2: restart_app(); break;
      case 3:
      case 4:
      case 5: end_container(); break;
      case 6: plain_ask(); break;
      default: tagged_ask(); break;
    }
    return schedule();
  }
  std::size_t constrained = 0;
  std::size_t marked = 0;  // for asks with a constraint, and others

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::string tag() { return std::string(1, static_cast<char>('p' + pick(3))); }
  std::string text(int depth) {
    const std::string scope = pick(2) == 0 ? "node" : "rack";
    const std::vector<std::string> owners = {"", "not-self/", "all/", "app-tag/even/"};
    const std::string whose = owners[pick(4)];
    switch (pick(depth > 0 ? 7 : 4)) {
      case 0: return "in," + scope + "," + whose + tag();
      case 1: return "notin," + scope + "," + whose + tag() + "," + whose + tag();
      case 2: return "cardinality," + scope + "," + whose + tag() + ",0," + std::to_string(pick(3));
      case 3: return "disk" + std::string(pick(2) == 0 ? "=" : "!=") + "ssd";
      case 4: return "and(" + text(depth - 1) + ":" + text(depth - 1) + ")";
      case 5: return "or(" + text(depth - 1) + ":" + text(depth - 1) + ")";
      default:
        return "delayed-or(" + text(depth - 1) + "@" + std::to_string(pick(4000)) +
               "ms:" + text(depth - 1) + "@0)";
    }
  }
  void add_node() {
    const NodeId node{"n" + std::to_string(next_node_++), 1};
    racks_[node] = "/r" + std::to_string(pick(3));
    cluster_.scheduler.add_node(node, racks_[node], {8192, 8});
    attributes_[node] =
        pick(2) == 0 ? NodeAttributes{} : NodeAttributes{{"rm.yarn.io/disk", "ssd"}};
    cluster_.scheduler.set_node_attributes(node, attributes_[node]);
  }
  void change_node() {
    auto at = std::next(attributes_.begin(), static_cast<std::ptrdiff_t>(pick(racks_.size())));
    const NodeId node = at->first;
    if (pick(3) == 0) {
      at->second["rm.yarn.io/disk"] = pick(2) == 0 ? "ssd" : "old";
      cluster_.scheduler.set_node_attributes(node, at->second);
    } else if (pick(2) == 0) {
      racks_[node] = "/r" + std::to_string(pick(3));
      cluster_.scheduler.add_node(node, racks_[node], {8192, 8});
    } else if (racks_.size() > 3) {
      std::erase_if(running_, [&](const Running& one) {
        if (one.grant.node != node) return false;
        cluster_.release(one.grant);
        return true;
      });
      cluster_.scheduler.remove_node(node);
      racks_.erase(node);
      attributes_.erase(node);
    }
  }
  void add_app() {
    const AppId app = cluster_.running_app(pick(2) == 0 ? "a" : "b");
    app_tags_[app] = app.sequence % 2 == 0 ? "even" : "odd";
    cluster_.scheduler.set_app_tags(app, {app_tags_[app]});
    apps_.push_back(app);
  }
  void restart_app() {
    const AppId app = apps_[pick(apps_.size())];
    for (const auto& [key, ask] : asks_)
      if (key.first == app) waits_since_.erase(key);
    std::erase_if(asks_, [&](const auto& one) { return one.first.first == app; });
    cluster_.scheduler.end_attempt(first_attempt(app));
    cluster_.scheduler.start_attempt(first_attempt(app), std::nullopt);
  }
  void end_container() {
    if (running_.empty()) return;
    const std::size_t at = pick(running_.size());
    cluster_.release(running_[at].grant);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  /// Nobody has to go for an ask whose constraint does not hold there once they have gone.
  std::string preempt() {
    const PreemptionRound round = cluster_.scheduler.preempt();
    marked += round.marked.size();
    for (const HoldId hold : round.overdue) {
      std::erase_if(running_, [&](const Running& one) { return one.grant.hold == hold; });
      cluster_.scheduler.release(hold);
    }
    const std::string fault = cluster_.scheduler.check_invariants();
    return fault.empty() ? schedule() : fault;
  }
  void plain_ask() { cluster_.ask(apps_[pick(apps_.size())], static_cast<int>(pick(4)), "1GB 1c"); }
  void tagged_ask() {
    const AppId app = apps_[pick(apps_.size())];
    const std::int64_t id = ++next_id_;
    auto ask = tagged(1 + static_cast<int>(pick(3)), {tag()}, pick(8) == 0 ? "" : text(2), id,
                      std::to_string(1 + pick(3)) + "GB 1c");
    ASSERT_TRUE(send(cluster_, app, ask));
    asks_[{app, id}] = ask;
    waits_since_[{app, id}] = now_ms_;
  }
  /// One at a time: what the constraint says is counted anew at each.
  std::string schedule() {
    for (;;) {
      const auto grants = cluster_.schedule(1);
      if (grants.empty()) break;
      const Grant& grant = grants.front();
      Running one{grant, {}};
      if (grant.tags) {
        const std::pair key{grant.attempt.app, grant.allocation_request_id};
        const TaggedAsk& ask = asks_.at(key);
        one.tags = {grant.tags->begin(), grant.tags->end()};
        const NaiveTags naive{running_, racks_, attributes_, app_tags_};
        const std::int64_t waited = now_ms_ - waits_since_.at(key);
        if (ask.constraint && !naive.holds(*ask.constraint, key.first, grant.node, waited)) {
          return to_text(*ask.constraint) + " does not hold on " + to_string(grant.node);
        }
        constrained += ask.constraint ? 1 : 0;
        waits_since_[key] = now_ms_;
      }
      running_.push_back(std::move(one));
    }
    return cluster_.scheduler.check_invariants();
  }

  std::mt19937 random_;
  Cluster cluster_;
  std::int64_t now_ms_ = 0;
  int next_node_ = 0;
  std::int64_t next_id_ = 0;
  std::vector<AppId> apps_;
  std::vector<Running> running_;
  std::map<NodeId, std::string> racks_;
  std::map<NodeId, NodeAttributes> attributes_;
  std::map<AppId, std::string> app_tags_;
  std::map<std::pair<AppId, std::int64_t>, TaggedAsk> asks_;
  std::map<std::pair<AppId, std::int64_t>, std::int64_t> waits_since_;
};

TEST(PlacementConstraints, HoldAtTheMomentOfEachGrantAndNobodyIsForgotten) {
  std::size_t constrained = 0;
  std::size_t marked = 0;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    RandomConstraints world(seed);
    for (int i = 0; i < 150; ++i) {
      const std::string fault = world.step();
      ASSERT_EQ(fault, "") << "seed " << seed << ", step " << i;
    }
    constrained += world.constrained;
    marked += world.marked;
  }
  EXPECT_GT(constrained, 500U);
  EXPECT_GT(marked, 0U);
}

}  // namespace
}  // namespace heddle::queues
