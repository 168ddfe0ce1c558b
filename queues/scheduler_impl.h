// The inside of Scheduler. Internal to queues/: capacities.cc, demand.cc, leaf_queue.cc,
// placement.cc, events.cc, reports.cc and invariants.cc each hold a part.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "queues/model.h"
#include "queues/node_index.h"
#include "queues/scheduler.h"

namespace heddle::queues {

class Scheduler::Impl {
 public:
  Impl();

  // capacities.cc: the tree and what each queue may have
  Result<void> configure(const QueueConfig& config, const Limits& limits);
  Queue* find_leaf(std::string_view path_or_name) const;
  Queue* find_queue(std::string_view path_or_name) const;
  void refresh_capacities();  // after the cluster's size or the configuration changed; O(queues)
  Resources normalize(const Resources& asked, const Resources& maximum) const;
  double measure(const Resources& amount) const;  // how much it is, as one number to compare
  bool within(const Resources& amount, const Resources& room) const;  // in the types that count

  // demand.cc: who is listed where
  void sync_group(AskGroup& group);
  void sync_app(App& app, CapId cap);
  void sync_user(User& user, CapId cap);
  void sync_queue(Queue& queue, CapId cap);
  void sync_all(App& app);
  void sync_all(User& user);
  void sync_all(Queue& queue);
  void count_pending(AskGroup& group);  // brings the pending sums up to group.total
  void erase_group(AskGroup& group);
  AskGroup* next_group();
  void settle_reopened();
  void park(AskGroup& group, std::vector<std::string> names);  // no names: anywhere
  void unpark(AskGroup& group);
  void wake_for(NodeIndex::Slot slot);  // room appeared there

  // leaf_queue.cc: users, their limits, and the share of AMs
  User& user_of(Queue& leaf, const UserName& name);
  void attach(App& app, Queue& leaf);
  void detach(App& app);
  void charge(App& app, const Resources& amount, std::int64_t containers);
  void set_demands(App& app);  // after active or pending_containers changed
  void track(User& user);
  void retrack(User& user, const Resources& change);  // of what it uses
  Place use_of(const User& user) const;
  void untrack(User& user);
  void recompute_user_limit(Queue& leaf);
  void recompute_am_limits(Queue& leaf);
  Resources user_limit_of(const User& user) const;
  Resources user_am_limit_of(const User& user) const;
  void start_waiting(App& app);
  void stop_waiting(App& app);
  void sync_waiting(User& user, CapId cap);
  void activate_fitting(Queue& leaf);
  void activate(App& app);
  void deactivate(App& app);
  bool am_fits(const Queue& leaf, CapId cap) const;

  // placement.cc: one group, one node
  struct Spot {
    NodeIndex::Slot slot = NodeIndex::kNone;
    Locality locality = Locality::kOffSwitch;
  };
  Spot find_spot(const AskGroup& group) const;
  void no_spot(AskGroup& group);
  Grant take(AskGroup& group, const Spot& spot);
  std::vector<Grant> schedule(std::size_t grants_max);
  bool blacklisted(const App& app, const NodeIndex::Node& node) const;

  // events.cc
  Result<Queue*> check_leaf(const AppId& app, const UserName& user, std::string_view queue) const;
  Result<void> check_room(const Queue& leaf, const AppId& app, const UserName& user) const;
  App* find_app(const AppId& app) const;
  App* find_attempt(const AttemptId& attempt) const;
  void set_row(AskGroup& group, const Ask& ask, const Resources& size);
  AskGroup& group_of(App& app, std::int32_t priority, std::int64_t request_id);
  void end_attempt(App& app);

  std::int32_t maximum_apps(const Queue& leaf) const;
  std::int32_t maximum_apps_per_user(const Queue& leaf) const;
  void cluster_changed() { capacities_stale_ = work_ = true; }

  // reports.cc, invariants.cc
  QueueReport report(const Queue& queue) const;
  Resources headroom(const App& app) const;
  std::string explain(const App& app) const;
  std::string check() const;
  std::string check_nothing_left() const;
  struct Tally;
  std::string check_apps(Tally& tally) const;
  std::string check_queue(const Queue* queue, Tally& tally) const;
  std::string check_leaf_queue(const Queue* queue, Tally& tally) const;

  QueueConfig config_;
  Limits limits_;
  std::size_t types_ = 1;  // leading resource types that decide
  std::unique_ptr<Queue> root_;
  std::map<std::string, Queue*, std::less<>> by_path_;
  std::map<std::string, std::vector<Queue*>, std::less<>> by_name_;
  std::vector<Queue*> queues_;  // depth first, parents before children
  NodeIndex nodes_;
  CapTable caps_;
  Lots lots_;
  std::unordered_map<AppId, std::unique_ptr<App>> apps_;
  std::int64_t next_sequence_ = 0;
  std::uint64_t next_serial_ = 0;
  std::uint64_t level_ = 0;  // marks of walks in CapTable
  bool capacities_stale_ = false;
  bool work_ = false;  // something happened since schedule() last ran dry

 private:
  std::unique_ptr<Queue> build(const QueueSpec& spec, Queue* parent);
  void index_queues(Queue& queue);
  void compute_shares(Queue& parent);
  void set_ratio(Queue& queue) const;
};

}  // namespace heddle::queues
