// Finds out why something waits. Internal to queues/: explain.cc says whose limit it is,
// explain_nodes.cc looks at the nodes, explain_request.cc asks for what is not submitted yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "queues/explain.h"
#include "queues/scheduler_impl.h"

namespace heddle::queues {

/// Changes nothing. A question costs O(applications + nodes + looks_max), diagnostics() O(its
/// asks).
class Scheduler::Impl::Explainer {
 public:
  explicit Explainer(const Impl& impl, const ExplainOptions& options = {})
      : impl_(impl), options_(options) {}

  /// `placed`: with its position, which costs O(applications of its leaf).
  Explanation of_app(const App& app, bool placed);
  Result<Explanation> of_request(const WhatIf& what) const;
  /// `left`: how many applications may still be looked at.
  QueueActivity of_queue(const Queue& queue, std::size_t& left);
  /// What reports show, in the words of Hadoop where it has some; "" = nothing.
  std::string diagnostics(const App& app) const;

 private:
  /// Who wants one more container, and what the limits say of it.
  struct Wanted {
    const Queue& leaf;
    const UserName& user;
    PartitionId partition = kDefaultPartition;
    Resources size;
    bool over = false;  // the user is above its limit
    Resources user_used;
    Resources user_limit;
    Resources before = {};  // what its queues would hold by then, beside what they do
  };
  struct NodeLook {
    std::vector<NodeGroup> groups;
    Resources free;                       // of the nodes without room enough, together
    std::optional<Resources> most_free;   // of the one of them that lacks least
    std::optional<Resources> most_large;  // of those too small, likewise
    std::int64_t blacklisted_room = 0;    // nodes that would do
    std::int64_t constrained_room = 0;    // but for the placement constraint
    std::int64_t room_for = 0;            // containers, on nodes that fit
    std::int64_t count(NodeVerdict verdict) const;
  };
  /// A container of another that is to start before: it takes this room there.
  struct Before {
    NodeIndex::Slot slot = NodeIndex::kNone;
    Resources size;
  };

  // explain.cc
  Wanted wanted_by(const AskGroup& group) const;
  std::optional<Wait> limit_wait(const Wanted& wanted) const;
  std::optional<Wait> held_wait(const App& app) const;
  Wait queue_parallel_wait(const Queue& queue) const;
  std::optional<Wait> master_wait(const Queue& leaf, const User* user, PartitionId partition,
                                  const Resources& size) const;
  Wait user_master_wait(const User& user, PartitionId partition, const Resources& size) const;
  Wait nobody_wait(PartitionId partition) const;
  Wait claim_wait(const AskGroup& group) const;
  Wait shallow_wait(const AskGroup& group) const;
  Wait start_wait(const App& app) const;
  std::string masters_text(const App& app) const;
  std::string activated_text(const App& app, const Wait& wait) const;
  void take_position(const App& app, Explanation& out) const;
  std::vector<LimitUse> limits_of(const Wanted& wanted, const User* user, const Wait& wait) const;
  void add_master_limits(const Wanted& wanted, const User* user, std::vector<LimitUse>& out) const;
  void add_counts(const Wanted& wanted, const User* user, std::vector<LimitUse>& out) const;

  // explain_nodes.cc
  ExplainedAsk explained(const AskGroup& group);
  bool may_look();
  NodeVerdict judge(NodeIndex::Slot slot, const AskGroup& group, PartitionId partition,
                    const Resources& size, const Resources& taken) const;
  NodeLook look(const AskGroup& group, PartitionId partition, const Resources& size,
                const Before& before) const;
  void take_node(NodeIndex::Slot slot, NodeVerdict verdict, const Resources& size,
                 const Resources& free, NodeLook& out) const;
  double lack_share(const Resources& need, const Resources& room) const;
  std::uint32_t short_types(const Resources& size, const Resources& room) const;
  Wait node_wait(const AskGroup& group, PartitionId partition, const Resources& size,
                 const NodeLook& nodes) const;
  Wait no_room_wait(const AskGroup& group, PartitionId partition, const Resources& size,
                    const NodeLook& nodes) const;
  Wait constraint_wait(const AskGroup& group, const Resources& size, const NodeLook& nodes) const;
  Wait too_small_wait(PartitionId partition, const Resources& size, const NodeLook& nodes) const;
  Wait wait_of(const AskGroup& group) const;  // without a look at the nodes
  Wait no_node_wait(const AskGroup& group, PartitionId partition, const NodeLook& nodes) const;

  // explain_request.cc
  struct Request;
  std::optional<Wait> refusal(const Queue& leaf, const WhatIf& what) const;
  Wait apps_wait(const Queue& leaf, const UserName& user, const Error& error) const;
  Wanted wanted_by(const Request& request, const Resources& held) const;
  ExplainedAsk ask_for_master(const Request& request) const;
  ExplainedAsk ask_for_containers(const Request& request, const Before& am,
                                  std::int64_t& starts_now) const;
  NodeIndex::Slot master_slot(const Request& request) const;
  void look_at(const Request& request, Explanation& out) const;
  std::int64_t starts(const Request& request, const NodeLook& nodes) const;

  // words
  std::string amount(const Resources& resources) const;
  std::string place_text(PartitionId partition) const;  // "" or " with label x"
  static std::string setting(const Queue& queue, std::string_view name);
  std::string maximum_setting(const Queue& queue, PartitionId partition) const;
  std::string master_setting(const Queue& queue, PartitionId partition) const;
  Missing lack(const Resources& need, const Resources& room) const;

  const Impl& impl_;
  const ExplainOptions options_;
  std::size_t looks_ = 0;  // nodes looked at
};

}  // namespace heddle::queues
