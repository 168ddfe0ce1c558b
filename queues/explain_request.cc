// What would become of an application that nobody has submitted yet.
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "queues/explainer.h"

namespace heddle::queues {
namespace {

constexpr std::int64_t kContainersMax = 10'000'000;
constexpr std::int64_t kStartsCounted = 10'000;  // each costs a look at the limits

/// Nobody is before one that does not exist yet, as far as can be told.
Wait would_start(Wait wait) {
  if (wait.verdict != Verdict::kWaitsTurn) return wait;
  wait.verdict = Verdict::kStartsNow;
  wait.sentence = "it would start at once";
  wait.action = "submit it";
  return wait;
}

}  // namespace

/// An application as it would be, known to nobody but this.
struct Scheduler::Impl::Explainer::Request {
  App app;
  AskGroup group;
  AskGroup am_group;
  const User* user = nullptr;  // nullptr: has nothing in the leaf
  PartitionId partition = kDefaultPartition;
  Resources size;
  Resources am_size;
  std::int64_t count = 0;
};

/// The texts that a submission is refused with, and what may be done.
Wait Scheduler::Impl::Explainer::apps_wait(const Queue& leaf, const UserName& user,
                                           const Error& error) const {
  const std::string& path = leaf.spec.path.value();
  Wait wait;
  wait.scope = path;
  if (error.code == ErrorCode::kWrongState) {
    wait.verdict = Verdict::kQueueStopped;
    for (const Queue* at = &leaf; at != nullptr; at = at->parent) {
      if (at->spec.state == QueueState::kRunning) continue;
      wait.scope = at->spec.path.value();
      wait.property = setting(*at, "state");
      break;
    }
    wait.sentence = fmt::format("queue {} is STOPPED and takes no applications", wait.scope);
    wait.action = fmt::format("submit to another queue, or set {} to RUNNING", wait.property);
    return wait;
  }
  wait.missing = {Missing::Unit::kApplications, 0, 1};
  const bool queue_full = leaf.apps >= impl_.maximum_apps(leaf);
  wait.property = setting(leaf, "maximum-applications");
  if (queue_full) {
    wait.verdict = Verdict::kQueueApps;
    wait.sentence = fmt::format("queue {} has {} applications and takes no more than {}", path,
                                leaf.apps, impl_.maximum_apps(leaf));
    wait.action = fmt::format("wait until one of them ends, or raise {}", wait.property);
    return wait;
  }
  wait.verdict = Verdict::kUserApps;
  wait.scope = user.value();
  wait.sentence = fmt::format("user {} may have {} applications in queue {}, and has them",
                              user.value(), impl_.maximum_apps_per_user(leaf), path);
  wait.action =
      fmt::format("wait until one of them ends, or raise {}, {} or {}", wait.property,
                  setting(leaf, "user-limit-factor"), setting(leaf, "minimum-user-limit-percent"));
  return wait;
}

/// In the order in which a submission is looked at.
std::optional<Wait> Scheduler::Impl::Explainer::refusal(const Queue& leaf,
                                                        const WhatIf& what) const {
  Wait wait;
  const std::string label(what.label ? trim(*what.label) : std::string_view());
  if (const auto allowed = impl_.check_label(leaf, label); !allowed) {
    const bool unknown = allowed.error().code == ErrorCode::kNotFound;
    wait.verdict = unknown ? Verdict::kNoSuchLabel : Verdict::kLabelNotAllowed;
    wait.scope = shortened(label);
    wait.property = unknown ? "" : setting(leaf, "accessible-node-labels");
    wait.sentence = unknown ? fmt::format("the cluster has no node label {}", wait.scope)
                            : fmt::format("queue {} may not use the node label {}",
                                          leaf.spec.path.value(), wait.scope);
    wait.action = unknown ? "name one that `yarn cluster --list-node-labels` shows"
                          : fmt::format("submit to another queue, or add it to {}", wait.property);
    return wait;
  }
  const Resources& most = leaf.spec.maximum_allocation;
  for (const Resources* size : {&what.size, what.am_size ? &*what.am_size : &what.size}) {
    if (size->fits_in(most)) continue;
    wait.verdict = Verdict::kAboveMaximumAllocation;
    wait.scope = leaf.spec.path.value();
    const std::size_t type = size->memory_mb() > most.memory_mb() ? kMemory : kVcores;
    const std::string_view name =
        type == kMemory ? "maximum-allocation-mb" : "maximum-allocation-vcores";
    wait.property = most.amount[type] < impl_.limits_.maximum.amount[type]
                        ? setting(leaf, name)
                        : fmt::format("yarn.scheduler.{}", name);
    for (std::size_t i = 0; i < kResourceTypesMax; ++i) {
      if (wait.missing || size->amount[i] <= most.amount[i]) continue;
      wait.missing = {Missing::Unit::kResource, i, size->amount[i] - most.amount[i]};
    }
    wait.sentence = fmt::format("a container of {} is larger than queue {} allows: {}",
                                amount(*size), leaf.spec.path.value(), amount(most));
    wait.action = fmt::format("ask for smaller containers, or raise {}", wait.property);
    return wait;
  }
  if (impl_.root_->apps >= impl_.config_->maximum_apps) {
    wait.verdict = Verdict::kClusterApps;
    wait.scope = "root";
    wait.property = "yarn.scheduler.capacity.maximum-applications";
    wait.missing = {Missing::Unit::kApplications, 0, 1};
    wait.sentence = fmt::format("the cluster has {} applications and takes no more than {}",
                                impl_.root_->apps, impl_.config_->maximum_apps);
    wait.action = fmt::format("wait until one of them ends, or raise {}", wait.property);
    return wait;
  }
  const auto room = impl_.check_room(leaf, AppId{}, what.user);
  if (!room) return apps_wait(leaf, what.user, room.error());
  return std::nullopt;
}

/// When it holds so much already; its user counts among those that want more.
Scheduler::Impl::Explainer::Wanted Scheduler::Impl::Explainer::wanted_by(
    const Request& request, const Resources& held) const {
  const Queue& leaf = *request.app.leaf;
  const PartitionId at = request.partition;
  const LeafPart& part = std::as_const(leaf.leaf->parts)[at];
  const UserPart nobody;
  const UserPart& mine = request.user != nullptr ? request.user->parts[at] : nobody;
  const double weight =
      request.user != nullptr ? request.user->weight : weight_of(leaf.spec, request.app.user_name);
  Wanted out{leaf, request.app.user_name, at, request.size, false, mine.used + held, {}};
  const Resources active_used = part.active_used + held + (mine.tracked ? Resources{} : mine.used);
  const double shares =
      part.user_shares + impl_.measure(out.user_used, at) - impl_.measure(mine.used, at);
  Resources limit =
      impl_.user_limit_with(leaf, at, std::as_const(leaf.parts)[at].used + held, shares,
                            active_used, part.active_weight + (mine.tracked ? 0 : weight));
  out.over = impl_.measure(out.user_used, at) / weight > impl_.measure(limit, at);
  if (weight != 1) {
    for (std::int64_t& one : limit.amount)
      one = static_cast<std::int64_t>(static_cast<double>(one) * weight);
  }
  out.user_limit = limit;
  out.before = held;
  return out;
}

/// How many start before a limit or the nodes say no.
std::int64_t Scheduler::Impl::Explainer::starts(const Request& request,
                                                const NodeLook& nodes) const {
  const std::int64_t most = std::min({request.count, nodes.room_for, kStartsCounted});
  Resources held = request.am_size;
  for (std::int64_t count = 0; count < most; ++count) {
    const Wanted wanted = wanted_by(request, held);
    if (wanted.over) return count;
    for (const Queue* at = &wanted.leaf; at != nullptr; at = at->parent) {
      if (!impl_.has_room(*at, request.partition, held + request.size)) return count;
    }
    held += request.size;
  }
  return most;
}

ExplainedAsk Scheduler::Impl::Explainer::ask_for_master(const Request& request) const {
  const PartitionId at = request.partition;
  ExplainedAsk out;
  out.is_am = true;
  out.size = request.am_size;
  out.count = 1;
  out.label = impl_.partitions_[at].name;
  NodeLook nodes = look(request.am_group, at, out.size, Before{});
  Wanted wanted = wanted_by(request, Resources{});
  wanted.size = out.size;
  if (auto held = held_wait(request.app)) {
    out.wait = *std::move(held);
  } else if (auto share = master_wait(*request.app.leaf, request.user, at, out.size)) {
    out.wait = *std::move(share);
  } else if (auto limit = limit_wait(wanted)) {
    out.wait = *std::move(limit);
  } else {
    out.wait = would_start(node_wait(request.am_group, at, out.size, nodes));
  }
  out.nodes = std::move(nodes.groups);
  return out;
}

/// Where find_spot() would put it.
NodeIndex::Slot Scheduler::Impl::Explainer::master_slot(const Request& request) const {
  const auto anybody = [](const NodeIndex::Node&) { return true; };
  NodeIndex::Slot slot = impl_.nodes_.find_any(request.partition, request.am_size, anybody);
  for (PartitionId at = 1; slot == NodeIndex::kNone && at < impl_.partitions_.size(); ++at) {
    if (at != request.partition && impl_.may_serve(at, request.partition)) {
      slot = impl_.nodes_.find_any(at, request.am_size, anybody);
    }
  }
  return slot;
}

ExplainedAsk Scheduler::Impl::Explainer::ask_for_containers(const Request& request,
                                                            const Before& am,
                                                            std::int64_t& starts_now) const {
  const PartitionId at = request.partition;
  ExplainedAsk out;
  out.size = request.size;
  out.count = request.count;
  out.label = impl_.partitions_[at].name;
  NodeLook nodes = look(request.group, at, out.size, am);
  if (auto limit = limit_wait(wanted_by(request, am.size))) {
    out.wait = *std::move(limit);
  } else {
    out.wait = would_start(node_wait(request.group, at, out.size, nodes));
  }
  starts_now = starts(request, nodes);
  out.nodes = std::move(nodes.groups);
  return out;
}

void Scheduler::Impl::Explainer::look_at(const Request& request, Explanation& out) const {
  Before am;
  if (!request.am_size.is_zero()) {
    out.asks.push_back(ask_for_master(request));
    out.wait = out.asks.back().wait;
    if (out.wait.verdict != Verdict::kStartsNow) return;
    am = {master_slot(request), request.am_size};
  } else if (auto held = held_wait(request.app)) {
    out.wait = *std::move(held);
    return;
  }
  out.asks.push_back(ask_for_containers(request, am, out.starts_now));
  out.wait = out.asks.back().wait;
  if (out.starts_now == 0) return;
  out.wait = {};
  out.wait.verdict = Verdict::kStartsNow;
  out.wait.missing = {Missing::Unit::kContainers, 0, request.count - out.starts_now};
  const std::string size = amount(request.size);
  out.wait.sentence =
      out.starts_now >= request.count
          ? fmt::format("all {} containers of {} would start at once", request.count, size)
          : fmt::format("{} of {} containers of {} would start at once, the others would wait",
                        out.starts_now, request.count, size);
  out.wait.action = "submit it";
}

Result<Explanation> Scheduler::Impl::Explainer::of_request(const WhatIf& what) const {
  Queue* leaf = impl_.find_queue(what.queue);
  if (leaf == nullptr) {
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no queue {}, or several have this name: give its full path",
                            shortened(what.queue)),
                ErrorSubject::kQueue);
  }
  if (!leaf->leaf) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("queue {} has queues below it: applications go to these",
                            leaf->spec.path.value()),
                ErrorSubject::kQueue);
  }
  const Resources none;
  if (!none.fits_in(what.size) || (what.am_size && !none.fits_in(*what.am_size))) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a container of {} makes no sense: amounts are 0 or more",
                            to_string(none.fits_in(what.size) ? *what.am_size : what.size)),
                ErrorSubject::kResourceRequest);
  }
  if (what.count < 1 || what.count > kContainersMax) {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("{} containers cannot be asked for: 1 to {}", what.count, kContainersMax),
        ErrorSubject::kResourceRequest);
  }
  Request request;
  request.app.leaf = leaf;
  request.app.user_name = what.user;
  request.group.app = request.am_group.app = &request.app;
  request.group.relax = what.places.empty();
  for (const std::string& place : what.places)
    (place.starts_with('/') ? request.group.racks : request.group.hosts)[place] = {1, true};
  const auto user = leaf->leaf->users.find(what.user.value());
  request.user = user == leaf->leaf->users.end() ? nullptr : user->second.get();
  request.partition = impl_.partition_for(*leaf, what.label);
  const Resources& most = leaf->spec.maximum_allocation;
  request.size = impl_.normalize(what.size, most);
  const bool no_am = what.am_size && what.am_size->is_zero();
  if (!no_am) request.am_size = impl_.normalize(what.am_size.value_or(Resources{}), most);
  request.count = what.count;

  Explanation out;
  out.queue = leaf->spec.path;
  out.user = what.user;
  if (auto refused = refusal(*leaf, what)) {
    out.wait = *std::move(refused);
  } else {
    look_at(request, out);
  }
  out.limits = limits_of(wanted_by(request, Resources{}), request.user, out.wait);
  return out;
}

}  // namespace heddle::queues
