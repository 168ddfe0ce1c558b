// The inside of Scheduler. Internal to queues/: tree.cc, made_queues.cc, plan_queues.cc,
// capacities.cc, demand.cc, leaf_queue.cc, parallel_apps.cc, claims.cc, parked.cc, preemption*.cc,
// placement.cc, growth.cc, events.cc, reports.cc, explain*.cc, tagged.cc and invariants.cc each
// hold a part.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "queues/constraint_check.h"
#include "queues/model.h"
#include "queues/node_index.h"
#include "queues/preemption.h"
#include "queues/preemption_ledger.h"
#include "queues/scheduler.h"
#include "queues/tagged_ask.h"

namespace heddle::queues {

class Scheduler::Impl {
 public:
  Impl();

  // tree.cc: the queues
  Result<void> configure(std::shared_ptr<const QueueConfig> config, const Limits& limits);
  Result<void> check_homes(const QueueConfig& config) const;
  Queue* find_leaf(std::string_view path_or_name) const;
  Queue* find_queue(std::string_view path_or_name) const;

  // made_queues.cc: queues that come and go by themselves
  Result<Queue*> make_leaf(std::string_view path, bool recovering);
  Result<void> check_may_make(const Queue& above, const std::string& path,
                              std::size_t levels) const;
  Result<void> check_managed_room(const Queue& parent, const std::string& path) const;
  Queue& add_made(Queue& parent, QueueSpec spec);
  void drop_made(Queue& queue);
  bool may_go(const Queue& queue) const;
  void note_idle(Queue& leaf);  // after an application came or went
  void guarantee_leaves(Queue& managed);
  bool fits_managed(const Queue& parent, const Capacity& more) const;
  void set_at_zero(Queue& queue, bool at_zero);
  const QueueSpec& spec_of(const Queue& queue) const;
  QueueSpec& own_spec(const Queue& queue);
  std::shared_ptr<QueueConfig> with_made(const QueueConfig& config) const;

  // plan_queues.cc: queues that come and go with their reservations
  void set_plan_shares(Queue& plan, std::span<const PlanShare> shares);
  bool set_share(Queue& queue, const PlanShare& share);

  // capacities.cc: what each queue may have
  static constexpr PartitionId kNoPartition = static_cast<PartitionId>(-1);
  PartitionId find_partition(std::string_view name) const;
  void set_partitions(std::span<const PartitionSpec> specs);
  void move_node(NodeIndex::Slot slot, PartitionId partition);
  void refresh_capacities();  // after the cluster's size changed; O(queues)
  void refresh_limits();      // the same, and nobody is let in
  void activate_everywhere();
  Resources normalize(const Resources& asked, const Resources& maximum) const;
  /// How much of a partition it is, as one number to compare.
  double measure(const Resources& amount, PartitionId partition) const;
  bool has_room(const Queue& queue, PartitionId partition, const Resources& size) const;
  bool within(const Resources& amount, const Resources& room) const;  // in the types that count

  // demand.cc: who is listed where
  void sync_group(AskGroup& group);
  void sync_app(App& app, CapId cap);
  void sync_user(User& user, CapId cap);
  void sync_queue(Queue& queue, CapId cap);
  void sync_all(App& app);
  void sync_all(User& user);
  void sync_all(Queue& queue, std::optional<PartitionId> only = std::nullopt);
  void count_pending(AskGroup& group);  // brings the pending sums up to group.total
  void erase_group(AskGroup& group);
  AskGroup* next_group();
  void settle_reopened();
  void park(AskGroup& group, std::vector<std::string> names);  // no names: anywhere
  void unpark(AskGroup& group);
  bool serves(PartitionId node, PartitionId asked) const;
  /// Room appeared there, besides what it `had` and nobody in the lots could use.
  void wake_for(NodeIndex::Slot slot, const Resources* had = nullptr);
  void wake_everywhere();
  void wake_shared();

  // leaf_queue.cc: users, their limits, and the share of AMs
  User& user_of(Queue& leaf, const UserName& name);
  void take_rules(Queue& queue, const QueueRules& rules);
  void reweigh(User& user, double weight);
  void attach(App& app, Queue& leaf);
  void detach(App& app);
  void charge(App& app, PartitionId partition, const Resources& amount, std::int64_t containers);
  static void add_containers(Queue& leaf, std::int64_t containers);
  static void count_in_user(const App& app, std::int64_t sign);
  void set_demands(App& app, PartitionId partition);  // after active or pending_containers changed
  void set_all_demands(App& app);
  void track(User& user, PartitionId partition);
  void retrack(User& user, PartitionId partition, const Resources& change);  // of what it uses
  Place use_of(const User& user, PartitionId partition) const;
  void untrack(User& user, PartitionId partition);
  void recompute_user_limit(Queue& leaf, PartitionId partition);
  /// What it would be if the queue used `used`, `active_used` of it by users that want more, and
  /// these users had such a share of the partition in all.
  Resources user_limit_with(const Queue& leaf, PartitionId partition, const Resources& used,
                            double user_shares, const Resources& active_used,
                            double active_weight) const;
  static double weight_of(const QueueRules& rules, const UserName& user);
  void recompute_am_limits(Queue& leaf, PartitionId partition);
  void recompute_all_am_limits(Queue& leaf);
  double maximum_am_share(const Queue& leaf, PartitionId partition) const;
  Resources user_limit_of(const User& user, PartitionId partition) const;
  Resources user_am_limit_of(const User& user, PartitionId partition) const;
  void start_waiting(App& app);
  void stop_waiting(App& app);
  void sync_waiting(User& user, CapId cap);
  void sync_all_waiting(User& user);
  bool user_am_fits(const User& user, CapId cap) const;
  bool user_am_fits(const User& user, PartitionId partition, const Resources& size) const;
  static void count_active(App& app, int change);
  void activate_fitting(Queue& leaf);
  void activate(App& app);
  void deactivate(App& app);
  bool am_fits(const Queue& leaf, CapId cap) const;
  bool am_fits(const Queue& leaf, PartitionId partition, const Resources& size) const;

  // parallel_apps.cc: max-parallel-apps
  std::int32_t parallel_limit(const UserName& user) const;
  bool user_may_run(const UserName& user) const;
  bool may_run(const App& app) const;
  void set_running(App& app, bool running);
  void set_held(App& app, bool held);
  App* next_held(const Queue& queue) const;  // the first submitted that may run now
  void let_held_run();
  void run_without_am(App& app);

  // growth.cc: containers that are there and want more
  Result<void> ask_growth(const AttemptId& attempt, const Growth& growth);
  void erase_growth(std::uint64_t ticket);
  void forget_growth(const AskGroup& group);
  void resize(HoldTable::Index index, const Resources& size);
  void grow(HoldTable::Index index, const Resources& more);  // on the node it is counted already
  HoldId demote(HoldTable::Index index);
  TagSetId tags_for(const AskGroup& group);
  void rehome_growths(NodeIndex::Slot slot);  // the node is of another partition by now

  // claims.cc: room kept for large containers
  void note_bypass(NodeIndex::Slot slot, const Resources& given);
  void make_claims();
  AskGroup* first_waiting(CapId cap);
  std::size_t claims_max() const;
  NodeIndex::Slot best_to_claim(const AskGroup& group, bool& all_taken) const;
  static bool wants(const AskGroup& group, const NodeIndex::Node& node);
  ClaimId add_claim(AskGroup& group, NodeIndex::Slot slot, Purpose purpose);
  void hold_for(Claim& claim, const Resources& more);
  void keep_for(Claim& claim, const Resources& more);
  bool awaits_victims(const Claim& claim) const;
  void fill_claims(NodeIndex::Slot slot);  // with what is free there
  void count_claim(const Claim& claim, int change);
  void drop_claim(ClaimId id, bool served = false);
  void drop_claims_on(NodeIndex::Slot slot);
  void cancel_claims(AskGroup& group);  // others may have the room
  void drop_unwanted_claims(AskGroup& group);
  void trim_claims(AskGroup& group);  // to as many as it wants
  std::optional<Grant> take_claimed(ClaimId id);
  Resources claimed_on(NodeIndex::Slot slot) const;

  // parked.cc: asks that only certain nodes can serve
  static bool is_choosy(const AskGroup& group);
  static std::vector<std::string> names_of(const AskGroup& group);
  bool is_servable(const AskGroup& group) const;                      // as far as limits go
  bool may_go_to(const AskGroup& group, NodeIndex::Slot slot) const;  // were there room
  std::optional<std::vector<NodeIndex::Slot>> named_places(const AskGroup& group) const;
  void pass_over(const std::string& name, Lots::Lot& lot, NodeIndex::Slot slot,
                 const Resources& given);
  void make_parked_claims();
  bool claim_for_parked(Lots::Lot& lot, CapId cap);
  NodeIndex::Slot place_to_claim(const AskGroup& group,
                                 const std::optional<std::vector<NodeIndex::Slot>>& named,
                                 NodeIndex::Slot busy);
  void drop_claims_without_place(AskGroup& group);
  bool holds_without(const AskGroup& group, NodeIndex::Slot slot,
                     std::span<const HoldTable::Index> losses);

  // preemption.cc: a look, and who is owed something by other queues
  struct Need {  // a container that somebody has to go for
    AskGroup* group = nullptr;
    Purpose purpose = Purpose::kGuarantee;
    Resources more;  // than is counted for its queues so far
    Resources held;  // by the claim that it has already
  };
  PreemptionRound preempt();
  void preempt_in(PartitionId partition, PreemptionRound& round);
  void preempt_between(PartitionId partition, Purpose purpose, PreemptionRound& round);
  std::unordered_map<const Queue*, double> awaited_by_leaf(PartitionId partition) const;
  void complete_reserved(PartitionId partition, PreemptionRound& round);
  void compute_ideals(PartitionId partition);
  void find_losers(PartitionId partition);
  double ratio_of(const QueuePart& part, const Resources& used) const;
  double lacking(const Queue& leaf, PartitionId partition, Purpose purpose) const;
  bool may_grow(const Queue& queue, const Need& need) const;
  AskGroup* owed_group(Queue& leaf, PartitionId partition, Purpose purpose, bool in_this_look);
  void pass_by(AskGroup& group);  // nobody may go for it
  bool is_served_before(const Queue* a, const Queue* b, PartitionId partition) const;
  void forget_observed();
  void remember_warnings();  // the settings change: whoever is warned has been warned

  // preemption_inside.cc: who is owed something by others in the same queue, and who loses it
  void preempt_inside(PartitionId partition, PreemptionRound& round);
  void preempt_inside(Queue& leaf, PartitionId partition, PreemptionRound& round);
  bool has_losers(const Queue& leaf, PartitionId partition) const;
  std::vector<AskGroup*> waiting_inside(const Queue& leaf, PartitionId partition) const;
  bool is_blocked(const AskGroup& group) const;
  bool is_owed_inside(const AskGroup& group) const;
  bool gains_within_limit(const AskGroup& group) const;
  bool may_lose_inside(const Hold& hold, const AskGroup& winner) const;
  bool limits_allow(const Need& need) const;  // once all who are marked have gone

  // preemption_victims.cc: where, and who has to go there
  bool preempt_for(const Need& need, PreemptionRound& round);
  /// A leaf that may lose, and from where on its containers are still to be looked at.
  struct Loser {
    explicit Loser(const Queue& queue_in);
    const Queue* queue;
    std::map<Place, App*>::const_reverse_iterator app;
    HoldTable::Index next = HoldTable::kNone;
  };
  /// Where a claim may be made, and the node among these where the least is lost.
  struct Comparison {
    std::vector<NodeIndex::Slot> nodes;
    int looks = 0;
    NodeIndex::Slot best = NodeIndex::kNone;
    std::vector<HoldTable::Index> losses;
    double cost = std::numeric_limits<double>::infinity();
  };
  void skip_settled(Loser& loser, Purpose purpose) const;
  bool compare_nodes(Loser& loser, const Need& need, Comparison& so_far);
  void compare_losers(const Need& need, Comparison& so_far);
  Comparison compare(const Need& need);
  bool compare_node(NodeIndex::Slot slot, const Need& need, Comparison& so_far);
  bool is_settled(const Hold& hold, Purpose purpose) const;
  bool may_lose(const Hold& hold, const Need& need) const;
  bool may_shrink(const Queue& queue, const Hold& hold, Purpose purpose) const;
  bool is_above_guarantee(const QueuePart& part, const Resources& held) const;
  bool has_too_much(const QueuePart& part, const Resources& held) const;
  Resources staying(const QueuePart& part) const;  // of what it holds
  bool master_may_go(const Hold& hold) const;
  double cost_of(const Hold& hold) const;
  std::vector<HoldTable::Index> losses_on(NodeIndex::Slot slot, const Need& need);
  void warn_for(ClaimId id, const std::vector<HoldTable::Index>& losses, PreemptionRound& round);
  std::string reason_for(const Need& need, const App& loser) const;
  void set_leaving(HoldTable::Index hold, bool leaving);
  static void count_leaving(App& app, const Hold& hold, bool leaving);
  void note_loss(HoldTable::Index hold);
  void spare(const Claim& claim);
  void carry_leaving(App& app, bool there);  // the application comes to its queue, or goes

  // placement.cc: one group, one node
  struct Spot {
    NodeIndex::Slot slot = NodeIndex::kNone;
    Locality locality = Locality::kOffSwitch;
  };
  Spot find_spot(const AskGroup& group) const;
  Spot growth_spot(const AskGroup& group) const;
  template <class Allowed>
  NodeIndex::Slot find_anywhere(CapId cap, const Allowed& allowed) const;
  bool has_servable(PartitionId partition) const;  // demand of its own that may be served now
  bool may_use(PartitionId partition, CapId cap) const;
  bool may_serve(PartitionId partition, PartitionId asked) const;  // as things are just now
  bool may_fit_somewhere(CapId cap) const;
  void no_spot(AskGroup& group);
  void note_roomless(CapId cap) {
    caps_.set_roomless(cap);
    new_need_ = true;
  }
  static void count_down(std::map<std::string, AskRow, std::less<>>& rows, const std::string& name);
  Grant take(AskGroup& group, const Spot& spot);
  std::vector<Grant> schedule(std::size_t grants_max);
  bool blacklisted(const App& app, const NodeIndex::Node& node) const;

  // tagged.cc: asks with tags and constraints
  Result<void> update_tagged(App& app, std::span<const TaggedAsk> asks, Repeat repeat);
  Result<void> check_tagged(const App& app, std::span<const TaggedAsk> asks, Repeat repeat) const;
  AskGroup* find_tagged(const App& app, const TaggedAsk& ask, Repeat repeat) const;
  void take_tagged(App& app, const TaggedAsk& ask, Repeat repeat);
  AskGroup& add_tagged(App& app, const TaggedAsk& ask);
  void forget_tagged(AskGroup& group);  // it is about to go
  std::vector<GivenUp> give_up(App& app, std::int32_t tries_max);
  ConstraintCheck::Waited waited(const AskGroup& group) const;
  ConstraintCheck check_for(const AskGroup& group) const;  // of one with a constraint
  ConstraintCheck::Node facts_of(NodeIndex::Slot slot) const;
  /// Whether its constraint, if it has one, holds there now.
  bool satisfied(const AskGroup& group, NodeIndex::Slot slot) const;
  Spot find_tagged_spot(const AskGroup& group) const;
  NodeIndex::Slot find_among(const AskGroup& group, const ConstraintCheck& check,
                             const ConstraintCheck::Only& only) const;
  void watch_constraint(AskGroup& group);  // it is parked
  void unwatch_constraint(AskGroup& group);
  void count_tags(TagSetId tags, NodeIndex::Slot slot, int change);  // wakes nobody
  void tags_changed(TagSetId tags, NodeIndex::Slot slot, const std::string& rack);
  bool may_go_now(const AskGroup& group, NodeIndex::Slot slot, const std::string& rack) const;
  void count_tags_on(NodeIndex::Slot slot, int change);
  void tags_on_changed(const std::vector<HoldTable::Index>& holds, NodeIndex::Slot slot,
                       const std::string& rack);
  void wake_delayed();
  void wake_all_delayed();
  void set_attributes(NodeIndex::Slot slot, NodeAttributes attributes);

  // events.cc
  Result<Queue*> check_leaf(const AppId& app, const UserName& user, std::string_view queue) const;
  Result<void> check_room(const Queue& leaf, const AppId& app, const UserName& user) const;
  App* find_app(const AppId& app) const;
  void release(HoldTable::Index hold);
  App* find_attempt(const AttemptId& attempt) const;
  PartitionId partition_named(std::string_view label);  // kept open if there is none yet
  /// Of an ask in that queue; the default one if there is no such label.
  PartitionId partition_for(const Queue& leaf, const std::optional<std::string>& label) const;
  PartitionId home_of(std::string_view label) const {
    const PartitionId found = find_partition(label);
    return found == kNoPartition ? kDefaultPartition : found;
  }
  Result<void> check_ask(const Queue& leaf, const Ask& ask) const;
  Result<void> check_label(const Queue& leaf, std::string_view label) const;
  void set_row(AskGroup& group, const Ask& ask, const Resources& size);
  AskGroup& group_of(App& app, std::int32_t priority, std::int64_t request_id);
  void end_attempt(App& app);
  void ask_for_am(App& app, const AmAsk& am);

  std::int32_t maximum_apps(const Queue& leaf) const;
  std::int32_t maximum_apps_per_user(const Queue& leaf) const;
  void cluster_changed() {
    capacities_stale_ = work_ = new_need_ = true;
    caps_.hope_again();
  }

  // reports.cc, invariants.cc
  QueueReport report(const Queue& queue) const;
  void take_leaf(const Queue& queue, QueueReport& out) const;
  PartitionUse partition_report(const Queue& queue, PartitionId partition) const;
  double relative_maximum(const Queue& queue, PartitionId partition) const;
  void take_use(const Queue& queue, PartitionId partition, double& of_queue,
                double& of_cluster) const;
  Resources headroom(const App& app) const;
  class Explainer;  // explainer.h
  std::string check() const;
  std::string check_made() const;
  std::string check_nothing_left() const;
  struct Tally;
  std::string check_apps(Tally& tally) const;
  std::string check_holds() const;
  std::string check_tag_counts() const;
  std::string check_claims() const;
  std::string check_parked() const;
  std::string check_growths() const;
  std::string check_victim(HoldTable::Index hold) const;
  std::string check_queue(const Queue* queue, Tally& tally) const;
  std::string check_leaf_part(const Queue& queue, PartitionId at, Tally& tally) const;
  std::string check_leaf_queue(const Queue* queue, Tally& tally) const;

  std::shared_ptr<const QueueConfig> config_;  // with what was made
  std::shared_ptr<QueueConfig> own_config_;    // the same one, where something was made
  std::size_t made_ = 0;
  std::uint64_t made_version_ = 0;
  Limits limits_;
  std::size_t types_ = 1;  // leading resource types that decide
  std::unique_ptr<Queue> root_;
  std::map<std::string, Queue*, std::less<>> by_path_;
  std::map<std::string, std::vector<Queue*>, std::less<>> by_name_;
  std::vector<Queue*> queues_;  // depth first, parents before children
  struct Partition {
    std::string name;
    bool exclusive = true;
    bool present = true;  // ids of labels that are gone stay theirs
  };
  std::vector<Partition> partitions_{Partition{}};
  NodeIndex nodes_;
  HoldTable holds_;
  std::map<ClaimId, Claim> claims_;
  std::unordered_map<NodeIndex::Slot, std::vector<ClaimId>> claims_on_;
  std::map<std::uint64_t, AskGroup*> growths_;  // by ticket
  std::vector<ClaimId> full_claims_;            // some may be gone
  ClaimId last_claim_ = 0;
  PreemptionSettings preemption_;
  PreemptionLedger ledger_;
  std::vector<HoldId> spared_;
  std::vector<ClaimId> observed_;  // of this look: never to be
  std::map<HoldId, std::int64_t> warned_before_;
  // Of this look: leaves that may lose, the first ones first; the leaf looked at inside.
  std::vector<Loser> losers_;
  std::optional<Loser> inside_loser_;
  bool losers_known_ = false;
  bool beyond_shares_ = false;  // whoever is above its guarantee may lose
  double taken_this_round_ = 0;
  double round_limit_ = 0;
  std::int64_t now_ms_ = 0;
  bool claims_due_ = false;
  std::set<std::pair<std::string, CapId>> parked_due_;  // lots by name, "" = anywhere
  std::unordered_map<const Queue*, std::map<std::uint64_t, AskGroup*>> parked_in_;  // by serial
  NodeIndex::Slot next_claimed_ = 0;  // searches for those who may go anywhere go round
  std::uint64_t look_ = 0;            // of preemption
  bool new_need_ = false;
  int in_vain_left_ = 0;  // tries of this look that may come to nothing
  CapTable caps_;
  Lots lots_;
  TagIndex tags_;
  std::unordered_map<NodeIndex::Slot, NodeAttributes> attributes_;
  std::unordered_map<AppId, std::unique_ptr<App>> apps_;
  std::map<std::string, std::int32_t, std::less<>> running_of_user_;  // in all queues
  std::int64_t next_sequence_ = 0;
  std::uint64_t next_serial_ = 0;
  std::uint64_t level_ = 0;  // marks of walks in CapTable
  bool capacities_stale_ = false;
  bool shared_later_ = false;  // default asks wait for what a shared partition's own asks leave
  bool work_ = false;          // something happened since schedule() last ran dry

 private:
  std::unique_ptr<Queue> build(const QueueSpec& spec, Queue* parent);
  bool adapt(Queue& queue, const QueueSpec& spec);
  void index_queues(Queue& queue);
  void compute_guarantees(Queue& parent, PartitionId partition);
  void compute_maxima(Queue& parent, PartitionId partition);
  void rank_queues(PartitionId partition);
  const Capacity& capacity_of(const Queue& queue, PartitionId partition) const;
  const Capacity& maximum_of(const Queue& queue, PartitionId partition) const;
  void set_ratio(Queue& queue, PartitionId partition) const;
};

}  // namespace heddle::queues
