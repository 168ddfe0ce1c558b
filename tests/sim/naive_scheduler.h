// The oracle: the rules of CapacityScheduler (and of docs/design/0004, 0007 and 0008, where we
// differ on purpose) as plain loops over everything. It keeps no sum, list or index: what is asked
// is counted anew. Where the rules leave a choice open (which of several nodes that fit, where room
// is kept for a large container), it takes what it is told after checking that it is legal.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "queues/config.h"
#include "queues/constraints.h"
#include "queues/preemption.h"
#include "queues/tagged_ask.h"
#include "queues/types.h"

namespace heddle::naive {

using queues::AmAsk;
using queues::Ask;
using queues::Grant;
using queues::HoldId;
using queues::Limits;
using queues::Locality;
using queues::QueueConfig;
using queues::QueueSpec;

using Amounts = std::array<double, kResourceTypesMax>;
using Label = std::string;  // of a partition; "" = the default one

struct Group {
  std::int32_t priority = 0;
  std::int64_t request_id = -1;
  bool is_am = false;
  bool sized = false;  // its "*" row came
  Label label;
  Resources size;
  std::int32_t total = 0;
  bool relax = true;
  struct Row {
    std::int32_t count = 0;
    bool relax = true;
  };
  std::map<std::string, Row> hosts;
  std::map<std::string, Row> racks;
  // Of asks with tags or a constraint:
  bool tagged = false;
  std::int64_t serial = 0;  // in order of their coming
  std::vector<std::string> tags;
  queues::ConstraintPtr constraint;
  std::int64_t waits_since_ms = 0;
  // Of a container that is there and wants more:
  std::uint64_t ticket = 0;
  HoldId hold = 0;  // 0: it is not counted yet
  HoldId bare = 0;  // whose tags it takes over
  NodeId only_on;
  bool is_plain() const { return !tagged && ticket == 0; }
};

struct Hold {
  AppId app;
  bool app_gone = false;
  std::optional<NodeId> node;  // none: it is gone
  Label label;                 // of the partition it is charged to
  Resources size;
  bool is_am = false;
  bool marked = false;  // has to go
  std::int64_t started_ms = 0;
  std::vector<std::string> tags = {};
  std::string app_tag = {};
  bool bare = false;  // nothing but its tags
};

struct App {
  AppId id;
  std::string user;
  std::string leaf;
  std::int32_t priority = 0;
  std::int64_t sequence = 0;
  std::optional<AttemptId> attempt;
  bool running = false;  // counts in max-parallel-apps
  /// How it begins once max-parallel-apps lets it run; an AM of its own needs no container.
  std::optional<std::optional<AmAsk>> held;
  bool active = false;   // holds its share of AMs
  bool waiting = false;  // waits for it
  std::int64_t last_loss_ms = -1'000'000'000'000;
  Label am_label;
  Resources am_charge;
  std::map<Label, Resources> used;
  std::int64_t containers = 0;
  std::set<std::string> blacklist;
  std::string tag;  // of its submission
  std::vector<Group> groups;

  std::int64_t pending_containers() const;
  std::int64_t pending_containers(const Label& label) const;
  Resources pending(const Label& label) const;
  Resources used_in(const Label& label) const;
  Resources all_used() const;
  Resources all_pending() const;
};

struct Node {
  NodeId id;
  std::string rack;
  Label label;
  Resources total;
  Resources used;
  Resources reserved;  // as told
  std::int64_t containers = 0;
  bool usable = true;
  queues::NodeAttributes attributes = {};
};

/// What a queue may have and has of one partition.
struct Part {
  double absolute = 0;
  double absolute_max = 0;
  Amounts guarantee{};
  Resources guaranteed;
  Resources maximum;
  Resources used;
  Resources pending;
  Resources am_used;
  std::int32_t active_apps = 0;  // by the partition of their AM
  double ratio = 0;
  std::int64_t rank = 0;
};

/// A queue with everything about it counted.
struct Queue {
  const QueueSpec* spec = nullptr;
  const Queue* parent = nullptr;
  std::map<Label, Part> parts;
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  std::int32_t apps = 0;
  std::int32_t active_apps = 0;
  std::int32_t running_apps = 0;
  const std::string& path() const { return spec->path.value(); }
};

inline bool is_below(const std::string& path, const std::string& queue) {
  return path == queue || path.starts_with(queue + ".");
}

struct UserLimits {
  Resources limit;     // of what the user may hold
  Resources am_limit;  // of its AMs
};

/// Room kept for large containers and for those that others have to make way for, as reported.
struct Told {
  std::map<NodeId, Resources> on_node;
  std::map<AppId, Resources> for_app;
  std::map<std::pair<std::string, Label>, Resources> in_queue;  // below its maximum
};

/// How often what is rare came about, so that a test can tell that it has seen it.
struct Seen {
  std::int64_t lent = 0;         // given on a node of another partition
  std::int64_t kept = 0;         // given where room was kept for it
  std::int64_t held = 0;         // had to wait for max-parallel-apps
  std::int64_t marked = 0;       // by preemption
  std::int64_t inside = 0;       // of these, for others in the same queue
  std::int64_t constrained = 0;  // given where a constraint held
  std::int64_t grown = 0;
  std::int64_t made = 0;      // queues that came by themselves, and held something
  std::int64_t reserved = 0;  // the same of reservations
  void add(const Seen& other) {
    lent += other.lent;
    kept += other.kept;
    held += other.held;
    marked += other.marked;
    inside += other.inside;
    constrained += other.constrained;
    grown += other.grown;
    made += other.made;
    reserved += other.reserved;
  }
};

class Scheduler {
 public:
  void configure(const QueueConfig& config, const Limits& limits);
  /// Queues came, went or changed by themselves.
  void follow_queues(const QueueConfig& config);
  void set_partitions(std::span<const queues::PartitionSpec> partitions);

  void add_node(const NodeId& id, const std::string& rack, const Resources& total,
                const Label& label);
  void set_node_label(const NodeId& id, const Label& label);
  void resize_node(const NodeId& id, const Resources& total);
  void set_usable(const NodeId& id, bool usable);
  void remove_node(const NodeId& id);

  /// nullopt: accepted.
  std::optional<ErrorCode> add_app(const AppId& id, const std::string& leaf,
                                   const std::string& user, std::int32_t priority);
  void remove_app(const AppId& id);
  std::optional<ErrorCode> move_app(const AppId& id, const std::string& leaf);
  void set_priority(const AppId& id, std::int32_t priority);
  void start_attempt(const AttemptId& attempt, const std::optional<AmAsk>& am);
  void end_attempt(const AppId& id);
  std::optional<ErrorCode> update_asks(const AppId& id, const std::vector<Ask>& asks);
  void update_blacklist(const AppId& id, const std::vector<std::string>& add,
                        const std::vector<std::string>& remove);
  void set_app_tag(const AppId& id, const std::string& tag) { apps_.at(id).tag = tag; }
  void set_attributes(const NodeId& id, const queues::NodeAttributes& attributes);
  /// Of Repeat::kReplaces.
  std::optional<ErrorCode> update_tagged(const AppId& id, const queues::TaggedAsk& ask);
  void ask_growth(const AppId& id, const queues::Growth& growth);
  void cancel_growth(std::uint64_t ticket);
  void demote(HoldId hold, HoldId bare);
  void release(HoldId hold);
  void recover(HoldId hold, const AppId& id, const NodeId& node, const Resources& size);
  void resize(HoldId hold, const Resources& size);
  void set_time(std::int64_t now_ms) { now_ms_ = now_ms; }
  void set_preemption(const queues::PreemptionSettings& settings) { preemption_ = settings; }

  /// Carries the grant out, or says why it must not be.
  std::string take(const Grant& grant, const Told& before, const Told& after);
  /// What could be given now, or empty.
  std::string left_over(const Told& told);
  /// Notes what was marked, or says why it must not be.
  std::string take_round(const queues::PreemptionRound& round);
  /// Somebody who is owed something, and what could be taken for it; or empty.
  std::string owed(const Told& told);

  /// Parents before children.
  std::vector<Queue> queues() const;
  const std::map<AppId, App>& apps() const { return apps_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::map<HoldId, Hold>& holds() const { return holds_; }
  const Seen& seen() const { return seen_; }
  std::set<Label> labels() const;
  Resources user_used(const std::string& leaf, const std::string& user, const Label& label) const;
  UserLimits limits_of(const Queue& leaf, const std::string& user, const Label& label) const;
  Resources am_limit_of(const Queue& leaf, const Label& label) const;
  std::set<std::string> users_of(const std::string& leaf) const;
  /// Of each queue by path what it should have, given what all want.
  std::map<std::string, Amounts> ideals(const std::vector<Queue>& queues, const Label& label) const;

 private:
  struct Choice {
    const App* app = nullptr;
    const Group* group = nullptr;
    const Queue* leaf = nullptr;
    bool only_shared = false;  // all of its nodes are lent by a shared partition
  };
  enum class Hidden : std::uint8_t { kNothing, kOtherSizes, kAllOthers };
  /// Everything that could be served now if it were its turn.
  std::vector<Choice> servable(const std::vector<Queue>& queues) const;
  /// Of these, whom the next container may go to. More than one where queues are equally far.
  std::vector<Choice> next(const std::vector<Queue>& queues,
                           const std::vector<Choice>& among) const;
  std::vector<Choice> next_below(const std::vector<Queue>& queues, const Queue& at,
                                 const Label& label, std::vector<Choice> among) const;
  std::vector<Choice> first_in(const Queue& leaf, std::vector<Choice> among) const;
  static bool may_go_first(const Queue& a, const Queue& b, const Label& label);

  std::string refuse(const Grant& grant) const;
  std::string refuse_claimed(const Grant& grant, const Told& before) const;
  const Group* group_of(const Grant& grant) const;
  void carry_out(const Grant& grant);
  void take_told(const Told& told);

  bool limits_allow(const Queue& leaf, const App& app, const Group& group) const;
  bool has_room(const Queue& queue, const Label& label, const Resources& size) const;
  std::optional<Locality> best_place(const App& app, const Group& group,
                                     const std::set<Label>& in) const;
  bool takes(const Node& node, const App& app, const Resources& size) const;
  bool suits(const Node& node, const App& app, const Group& group) const;  // were there room
  bool holds(const queues::Constraint& part, const App& app, const Node& node,
             std::int64_t waited_ms) const;
  std::int64_t tags_near(const queues::Constraint& part, const std::string& tag, const App& app,
                         const Node& node) const;
  bool legal(const Node& node, const App& app, const Group& group, Locality locality,
             const std::set<Label>& in) const;
  /// The partitions where an ask may be served, given those whose own asks come first.
  std::set<Label> reach(const Group& group, const std::set<Label>& busy) const;
  std::set<Label> busy(const std::vector<Queue>& queues, bool perhaps = false) const;

  void count(Queue& queue, const Label& label) const;
  void divide(Queue& queue, const Label& label) const;
  void divide_mixed(Queue& queue, const Label& label) const;
  void add_queues(const QueueSpec& spec, const Queue* parent, std::vector<Queue>& out) const;
  void rank(std::vector<Queue>& queues, const Label& label) const;
  void activate();  // whoever fits into the share of AMs, in order
  void activate_in(const std::string* leaf);
  bool may_activate(const Queue& leaf, const App& app) const;
  void let_run();  // whom max-parallel-apps does not hold back any more
  bool may_run(const App& app, const std::vector<Queue>& queues) const;
  void ask_for_am(App& app, const AmAsk& am);
  std::optional<ErrorCode> check_room(const Queue& leaf, const std::string& user) const;
  std::int32_t maximum_apps(const Queue& leaf) const;
  bool over_limit(const Queue& leaf, const std::string& user, const Label& label) const;
  static bool comes_before(const App& a, const App& b, const QueueSpec& leaf);

  std::string refuse_victim(const queues::Victim& victim, const std::vector<Queue>& queues);
  bool may_lose(const Hold& hold, const App& winner, const Resources& size, const Label& label,
                queues::Purpose purpose, const std::vector<Queue>& queues) const;
  bool may_shrink(const Queue& queue, const Hold& hold, queues::Purpose purpose,
                  const std::vector<Queue>& queues) const;
  bool is_endable(const Hold& hold, const App& winner) const;
  bool master_may_go(const Hold& hold, const Queue& leaf) const;
  bool may_lose_inside(const Hold& hold, const App& winner, const Resources& size,
                       const Label& label, const std::vector<Queue>& queues) const;
  double ratio_of(const Part& part, const Resources& used) const;
  Resources leaving(const Queue& queue, const Label& label) const;

  double measure(const Resources& amount, const Label& label) const;
  bool within(const Resources& amount, const Resources& room) const;
  Resources cluster() const;
  Resources cluster(const Label& label) const;
  Label home_of(const Label& label) const;
  Resources normalize(const Resources& asked, const Resources& most) const;
  Node* find_node(const NodeId& id);
  const Node* find_node(const NodeId& id) const;
  App* find(const AppId& id);
  void charge(const Hold& hold, const Resources& amount, std::int64_t containers);
  void relabel(Node& node, const Label& label);
  const Queue* leaf_of(const std::vector<Queue>& queues, const std::string& path) const;

  QueueConfig config_;
  Limits limits_;
  queues::PreemptionSettings preemption_;
  std::int64_t now_ms_ = 0;
  std::size_t types_ = 1;
  struct Partition {
    bool present = true;
    bool exclusive = true;
  };
  std::map<Label, Partition> partitions_{{"", {}}};          // all that ever were
  std::map<std::pair<std::string, Label>, Resources> kept_;  // as told
  std::vector<Node> nodes_;
  std::map<AppId, App> apps_;
  std::map<HoldId, Hold> holds_;
  std::int64_t next_sequence_ = 0;
  std::int64_t next_serial_ = 0;
  bool beyond_shares_ = false;  // whoever is above its guarantee may lose
  Seen seen_;
};

}  // namespace heddle::naive
