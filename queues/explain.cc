// Whose limit, whose turn: why an application waits.
#include "queues/explain.h"

#include <fmt/core.h>

#include <algorithm>

#include "queues/explainer.h"

namespace heddle::queues {
namespace {

constexpr std::string_view kSettings = "yarn.scheduler.capacity.";
constexpr std::size_t kAheadMax = 5;
constexpr std::string_view kJustWait = "wait, or ask for less";

std::string partition_text(const std::string& label) {
  return label.empty() ? "<DEFAULT_PARTITION>" : "<" + label + ">";
}

}  // namespace

std::string_view code_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNothingWaits: return "nothing-waits";
    case Verdict::kStartsNow: return "starts-now";
    case Verdict::kWaitsTurn: return "waits-turn";
    case Verdict::kBetweenAttempts: return "between-attempts";
    case Verdict::kBeingSaved: return "being-saved";
    case Verdict::kMasterStarts: return "am-starts";
    case Verdict::kEnded: return "ended";
    case Verdict::kQueueStopped: return "queue-stopped";
    case Verdict::kClusterApps: return "cluster-applications";
    case Verdict::kQueueApps: return "queue-applications";
    case Verdict::kUserApps: return "user-applications";
    case Verdict::kAboveMaximumAllocation: return "above-maximum-allocation";
    case Verdict::kLabelNotAllowed: return "label-not-allowed";
    case Verdict::kNoSuchLabel: return "no-such-label";
    case Verdict::kNotAllowed: return "not-allowed";
    case Verdict::kQueueParallelApps: return "queue-parallel-applications";
    case Verdict::kUserParallelApps: return "user-parallel-applications";
    case Verdict::kQueueMasterLimit: return "queue-am-limit";
    case Verdict::kLabelMasterLimit: return "label-am-limit";
    case Verdict::kUserMasterLimit: return "user-am-limit";
    case Verdict::kUserLimit: return "user-limit";
    case Verdict::kQueueMaximum: return "queue-maximum";
    case Verdict::kPreempting: return "preempting";
    case Verdict::kRoomKept: return "room-kept";
    case Verdict::kNoNodes: return "no-nodes";
    case Verdict::kNoUsableNode: return "no-usable-node";
    case Verdict::kNoNodeOfLabel: return "no-node-of-label";
    case Verdict::kNoSuchPlace: return "no-such-place";
    case Verdict::kPlacesFull: return "places-full";
    case Verdict::kBlacklisted: return "blacklisted";
    case Verdict::kConstraint: return "placement-constraint";
    case Verdict::kLargerThanNodes: return "larger-than-nodes";
    case Verdict::kRoomKeptForOther: return "room-kept-for-other";
    case Verdict::kLabelBusy: return "label-busy";
    case Verdict::kFragmented: return "fragmented";
    case Verdict::kClusterFull: return "cluster-full";
  }
  return "";
}

// --- words

std::string Scheduler::Impl::Explainer::amount(const Resources& resources) const {
  std::string text = to_string(resources);
  if (options_.types == nullptr) return text;
  const auto& types = options_.types->all();
  std::string more;
  for (std::size_t i = kVcores + 1; i < types.size(); ++i) {
    if (resources.amount[i] != 0)
      more += fmt::format(", {}: {}", types[i].name, resources.amount[i]);
  }
  text.insert(text.size() - 1, more);
  return text;
}

std::string Scheduler::Impl::Explainer::place_text(PartitionId partition) const {
  if (partition == kDefaultPartition) return "";
  return fmt::format(" with node label {}", impl_.partitions_[partition].name);
}

std::string Scheduler::Impl::Explainer::setting(const Queue& queue, std::string_view name) {
  return fmt::format("{}{}.{}", kSettings, queue.spec.path.value(), name);
}

std::string Scheduler::Impl::Explainer::maximum_setting(const Queue& queue,
                                                        PartitionId partition) const {
  if (partition == kDefaultPartition) return setting(queue, "maximum-capacity");
  return setting(queue, fmt::format("accessible-node-labels.{}.maximum-capacity",
                                    impl_.partitions_[partition].name));
}

std::string Scheduler::Impl::Explainer::master_setting(const Queue& queue,
                                                       PartitionId partition) const {
  if (partition == kDefaultPartition) return setting(queue, "maximum-am-resource-percent");
  return setting(queue, fmt::format("accessible-node-labels.{}.maximum-am-resource-percent",
                                    impl_.partitions_[partition].name));
}

/// Of the type that lacks most, as a part of what is needed.
Missing Scheduler::Impl::Explainer::lack(const Resources& need, const Resources& room) const {
  Missing most;
  double share = 0;
  for (std::size_t i = 0; i < impl_.types_; ++i) {
    const std::int64_t less = need.amount[i] - room.amount[i];
    const double part =
        static_cast<double>(less) / static_cast<double>(std::max<std::int64_t>(need.amount[i], 1));
    if (less <= 0 || part <= share) continue;
    share = part;
    most = {Missing::Unit::kResource, i, less};
  }
  return most;
}

// --- before it starts

Wait Scheduler::Impl::Explainer::queue_parallel_wait(const Queue& queue) const {
  Wait wait;
  wait.verdict = Verdict::kQueueParallelApps;
  wait.scope = queue.spec.path.value();
  wait.property = setting(queue, "max-parallel-apps");
  wait.sentence =
      fmt::format("queue {} runs {} applications at a time and no more (max-parallel-apps)",
                  wait.scope, queue.spec.maximum_parallel_apps);
  wait.missing = {Missing::Unit::kApplications, 0,
                  queue.running_apps - queue.spec.maximum_parallel_apps + std::int64_t{1}};
  wait.action =
      fmt::format("wait until an application of {} ends, or raise {}", wait.scope, wait.property);
  return wait;
}

/// nullopt: max-parallel-apps lets it run.
std::optional<Wait> Scheduler::Impl::Explainer::held_wait(const App& app) const {
  if (impl_.may_run(app)) return std::nullopt;
  for (const Queue* at = app.leaf; at != nullptr; at = at->parent) {
    if (at->running_apps >= at->spec.maximum_parallel_apps) return queue_parallel_wait(*at);
  }
  const std::string& user = app.user_name.value();
  const auto running = impl_.running_of_user_.find(user);
  const std::int32_t limit = impl_.parallel_limit(app.user_name);
  const auto& own = impl_.config_->maximum_parallel_apps_of_user;
  Wait wait;
  wait.verdict = Verdict::kUserParallelApps;
  wait.scope = user;
  wait.property = own.contains(user) ? fmt::format("{}user.{}.max-parallel-apps", kSettings, user)
                                     : fmt::format("{}user.max-parallel-apps", kSettings);
  wait.sentence = fmt::format(
      "user {} may run {} applications at a time and no more (max-parallel-apps)", user, limit);
  wait.missing = {
      Missing::Unit::kApplications, 0,
      (running == impl_.running_of_user_.end() ? 0 : running->second) - std::int64_t{limit} + 1};
  wait.action =
      fmt::format("wait until an application of {} ends, or raise {}", user, wait.property);
  return wait;
}

Wait Scheduler::Impl::Explainer::user_master_wait(const User& user, PartitionId partition,
                                                  const Resources& size) const {
  const Queue& leaf = *user.leaf;
  const Resources limit = impl_.user_am_limit_of(user, partition);
  const Resources& used = user.parts[partition].am_used;
  Wait wait;
  wait.verdict = Verdict::kUserMasterLimit;
  wait.scope = user.name.value();
  wait.property = setting(leaf, "minimum-user-limit-percent");
  wait.sentence = fmt::format(
      "the AMs of user {} hold {} of at most {} in queue {}{}; one more of {} does not fit",
      user.name.value(), amount(used), amount(limit), leaf.spec.path.value(), place_text(partition),
      amount(size));
  wait.missing = lack(used + size, limit);
  wait.action = fmt::format("wait until an application of {} in {} ends, or raise {}, {} or {}",
                            user.name.value(), leaf.spec.path.value(), wait.property,
                            setting(leaf, "user-limit-factor"), master_setting(leaf, partition));
  return wait;
}

/// No node, no share: there is nothing that ApplicationMasters could hold a part of.
Wait Scheduler::Impl::Explainer::nobody_wait(PartitionId partition) const {
  Wait wait;
  wait.verdict = partition == kDefaultPartition ? Verdict::kNoNodes : Verdict::kNoNodeOfLabel;
  wait.scope = impl_.partitions_[partition].name;
  wait.sentence = partition == kDefaultPartition
                      ? std::string("the cluster has no nodes without a node label")
                      : fmt::format("no node has the node label {}", wait.scope);
  wait.action = "start a NodeManager, or label nodes: `yarn rmadmin -replaceLabelsOnNode`";
  return wait;
}

/// nullopt: its AM has its share.
std::optional<Wait> Scheduler::Impl::Explainer::master_wait(const Queue& leaf, const User* user,
                                                            PartitionId partition,
                                                            const Resources& size) const {
  if (!impl_.am_fits(leaf, partition, size)) {
    if (impl_.nodes_.total(partition).is_zero()) return nobody_wait(partition);
    const LeafPart& part = std::as_const(leaf.leaf->parts)[partition];
    Wait wait;
    wait.verdict =
        partition == kDefaultPartition ? Verdict::kQueueMasterLimit : Verdict::kLabelMasterLimit;
    wait.scope = leaf.spec.path.value();
    wait.property = master_setting(leaf, partition);
    wait.sentence = fmt::format(
        "the AMs of queue {} hold {} of at most {}{}; one more of {} does not fit", wait.scope,
        amount(part.am_used), amount(part.am_limit), place_text(partition), amount(size));
    wait.missing = lack(part.am_used + size, part.am_limit);
    wait.action = fmt::format("wait until an application of {} ends, or raise {} (now {:g})",
                              wait.scope, wait.property, impl_.maximum_am_share(leaf, partition));
    return wait;
  }
  if (user != nullptr && !impl_.user_am_fits(*user, partition, size)) {
    return user_master_wait(*user, partition, size);
  }
  return std::nullopt;
}

// --- limits of containers

Scheduler::Impl::Explainer::Wanted Scheduler::Impl::Explainer::wanted_by(
    const AskGroup& group) const {
  const PartitionId partition = impl_.caps_.partition(group.cap);
  const User& user = *group.app->user;
  const UserPart& part = user.parts[partition];
  return {*group.app->leaf,
          group.app->user_name,
          partition,
          impl_.caps_.size(group.cap),
          part.over,
          part.used,
          impl_.user_limit_of(user, partition)};
}

std::optional<Wait> Scheduler::Impl::Explainer::limit_wait(const Wanted& wanted) const {
  const std::string& leaf = wanted.leaf.spec.path.value();
  Wait wait;
  if (wanted.over) {
    wait.verdict = Verdict::kUserLimit;
    wait.scope = wanted.user.value();
    wait.property = setting(wanted.leaf, "user-limit-factor");
    wait.sentence = fmt::format("user {} holds {} in queue {}{}, more than its user limit {}",
                                wanted.user.value(), amount(wanted.user_used), leaf,
                                place_text(wanted.partition), amount(wanted.user_limit));
    wait.missing = lack(wanted.user_used, wanted.user_limit);
    wait.action = fmt::format(
        "wait until containers of {} in {} end, or raise {} (now {:g}) or {} (now {:g})",
        wanted.user.value(), leaf, wait.property, wanted.leaf.spec.user_limit_factor,
        setting(wanted.leaf, "minimum-user-limit-percent"),
        wanted.leaf.spec.minimum_user_limit_percent);
    return wait;
  }
  for (const Queue* at = &wanted.leaf; at != nullptr; at = at->parent) {
    if (impl_.has_room(*at, wanted.partition, wanted.before + wanted.size)) continue;
    const Resources used = std::as_const(at->parts)[wanted.partition].used + wanted.before;
    const QueuePart& part = std::as_const(at->parts)[wanted.partition];
    wait.verdict = Verdict::kQueueMaximum;
    wait.scope = at->spec.path.value();
    wait.property = maximum_setting(*at, wanted.partition);
    wait.sentence =
        fmt::format("queue {} uses {} of at most {}{}; {} does not fit", wait.scope, amount(used),
                    amount(part.maximum), place_text(wanted.partition), amount(wanted.size));
    wait.missing = lack(used + wanted.size, part.maximum);
    wait.action =
        fmt::format("wait until containers of {} end, or raise {}", wait.scope, wait.property);
    return wait;
  }
  return std::nullopt;
}

Wait Scheduler::Impl::Explainer::claim_wait(const AskGroup& group) const {
  const Claim& claim = impl_.claims_.at(group.claims.front());
  const Resources& size = impl_.caps_.size(group.cap);
  Wait wait;
  wait.scope = to_string(impl_.nodes_.at(claim.node).id);
  wait.sentence = fmt::format("room for {} is kept on {}: {} so far", amount(size), wait.scope,
                              amount(claim.held));
  wait.verdict = claim.victims.empty() ? Verdict::kRoomKept : Verdict::kPreempting;
  if (claim.victims.empty()) {
    wait.missing = lack(size, claim.held);
    wait.action = fmt::format("wait until containers on {} end", wait.scope);
    return wait;
  }
  std::int64_t warned_ms = impl_.now_ms_;  // the first of those still there
  for (const HoldId victim : claim.victims) {
    const HoldTable::Index index = impl_.holds_.find(victim);
    if (index != HoldTable::kNone) {
      warned_ms = std::min(warned_ms, impl_.holds_.at(index).warned_ms);
    }
  }
  const bool balances = claim.purpose == Purpose::kBalance;
  const std::int64_t grace_ms =
      balances ? impl_.preemption_.balance_grace_ms : impl_.preemption_.grace_ms;
  const std::int64_t waited = impl_.now_ms_ - warned_ms;
  const std::int64_t left = std::max<std::int64_t>(grace_ms - waited, 0);
  wait.property =
      fmt::format("yarn.resourcemanager.monitor.capacity.preemption.{}",
                  balances ? "preemption-to-balance-queue-after-satisfied.max-wait-before-kill"
                           : "max_wait_before_kill");
  wait.missing = {Missing::Unit::kSeconds, 0, (left + 999) / 1000};
  wait.sentence += fmt::format("; {} containers there have been told to go, {} s ago",
                               claim.victims.size(), waited / 1000);
  wait.action = fmt::format("wait: they are ended after {} s ({})", grace_ms / 1000, wait.property);
  return wait;
}

/// What the lists of demand know without a look at the nodes.
Wait Scheduler::Impl::Explainer::shallow_wait(const AskGroup& group) const {
  const std::string size = amount(impl_.caps_.size(group.cap));
  Wait wait;
  wait.action = kJustWait;
  if (impl_.caps_.roomless(group.cap)) {
    wait.verdict = Verdict::kClusterFull;
    wait.sentence = fmt::format("no node has room for {}", size);
  } else if (group.parked) {
    wait.verdict = Verdict::kClusterFull;
    wait.sentence = fmt::format("no node that the application accepts has room for {}", size);
    for (const auto& [host, row] : group.hosts) {
      if (group.relax || impl_.nodes_.knows_host(host)) continue;
      wait.verdict = Verdict::kNoSuchPlace;
      wait.scope = host;
      wait.sentence =
          fmt::format("no such node: {}; will wait for it, since relaxLocality is false", host);
      break;
    }
  } else {
    wait.verdict = Verdict::kWaitsTurn;
    wait.sentence = fmt::format("{} waits for its turn", size);
  }
  return wait;
}

/// Of an application whose AM has not been let in.
Wait Scheduler::Impl::Explainer::start_wait(const App& app) const {
  std::optional<Wait> wait =
      app.held ? held_wait(app) : master_wait(*app.leaf, app.user, app.am_partition, app.am_charge);
  if (wait) return *std::move(wait);
  Wait turn;
  turn.verdict = Verdict::kWaitsTurn;
  turn.sentence = "it may start and is about to";
  turn.action = "wait";
  return turn;
}

// --- the whole

/// Served before it: who stands before it in the order of its queue and waits for the same.
void Scheduler::Impl::Explainer::take_position(const App& app, Explanation& out) const {
  const auto waits = [&](const App& other) {
    if (app.active) return other.active && other.pending_containers > 0;
    return !other.active && (other.waiting || other.held);
  };
  const auto place = [&](const App& other) { return app.active ? other.place() : other.turn(); };
  if (!waits(app)) return;
  const Place mine = place(app);
  std::vector<std::pair<Place, AppId>> before;
  for (const auto& [turn, other] : app.leaf->leaf->apps) {
    if (!waits(*other)) continue;
    ++out.waiting;
    if (const Place its = place(*other); its < mine) before.emplace_back(its, other->id);
  }
  out.position = static_cast<std::int32_t>(before.size()) + 1;
  const std::size_t shown = std::min(before.size(), kAheadMax);
  std::partial_sort(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(shown),
                    before.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < shown; ++i)
    out.ahead.push_back(before[i].second);
}

Explanation Scheduler::Impl::Explainer::of_app(const App& app, bool placed) {
  Explanation out;
  out.app = app.id;
  out.queue = app.leaf->spec.path;
  out.user = app.user_name;
  out.priority = app.priority;
  for (const auto& [key, group] : app.groups) {
    if (group->total == 0 || !group->has_cap) continue;
    if (out.asks.size() < options_.asks_max) {
      out.asks.push_back(explained(*group));
    } else {
      ++out.asks_left_out;
    }
  }
  if (placed) take_position(app, out);
  const auto stuck = std::ranges::find_if(
      out.asks, [](const ExplainedAsk& ask) { return ask.wait.verdict != Verdict::kWaitsTurn; });
  if (!app.attempt) {
    out.wait.verdict = Verdict::kBetweenAttempts;
    out.wait.sentence = "its last attempt has ended, or its first has not begun";
    out.wait.action = "wait: the next attempt begins by itself";
  } else if (!app.active) {
    out.wait = start_wait(app);
  } else if (stuck != out.asks.end()) {
    out.wait = stuck->wait;
  } else if (!out.asks.empty()) {
    out.wait = out.asks.front().wait;
  } else {
    out.wait.sentence = "it waits for nothing: it has all the containers that it asked for";
  }
  Wanted wanted{*app.leaf, app.user_name, app.am_partition, app.am_charge, false, {}, {}};
  for (const auto& [key, group] : app.groups) {
    if (!group->has_cap || group->total == 0) continue;
    wanted.partition = impl_.caps_.partition(group->cap);
    wanted.size = impl_.caps_.size(group->cap);
    break;
  }
  wanted.user_used = std::as_const(app.user->parts)[wanted.partition].used;
  wanted.user_limit = impl_.user_limit_of(*app.user, wanted.partition);
  out.limits = limits_of(wanted, app.user, out.wait);
  return out;
}

std::vector<LimitUse> Scheduler::Impl::Explainer::limits_of(const Wanted& wanted, const User* user,
                                                            const Wait& wait) const {
  std::vector<LimitUse> out;
  const auto& name = wanted.user.value();
  out.push_back({"user-limit", name, setting(wanted.leaf, "user-limit-factor"), wanted.user_used,
                 wanted.user_limit});
  for (const Queue* at = &wanted.leaf; at != nullptr; at = at->parent) {
    const QueuePart& part = std::as_const(at->parts)[wanted.partition];
    out.push_back({"maximum-capacity", at->spec.path.value(),
                   maximum_setting(*at, wanted.partition), part.used, part.maximum});
  }
  add_master_limits(wanted, user, out);
  add_counts(wanted, user, out);
  for (LimitUse& limit : out)
    limit.blocks = limit.property == wait.property && limit.scope == wait.scope;
  return out;
}

void Scheduler::Impl::Explainer::add_master_limits(const Wanted& wanted, const User* user,
                                                   std::vector<LimitUse>& out) const {
  const LeafPart& part = std::as_const(wanted.leaf.leaf->parts)[wanted.partition];
  out.push_back({"am-share", wanted.leaf.spec.path.value(),
                 master_setting(wanted.leaf, wanted.partition), part.am_used, part.am_limit});
  out.push_back(
      {"user-am-share", wanted.user.value(), setting(wanted.leaf, "minimum-user-limit-percent"),
       user != nullptr ? user->parts[wanted.partition].am_used : Resources{},
       user != nullptr ? impl_.user_am_limit_of(*user, wanted.partition) : part.user_am_limit});
}

void Scheduler::Impl::Explainer::add_counts(const Wanted& wanted, const User* user,
                                            std::vector<LimitUse>& out) const {
  const auto add = [&](const char* name, const std::string& scope, std::string property,
                       std::int64_t used, std::int64_t limit) {
    LimitUse one{name, scope, std::move(property), {}, {}};
    one.counts = true;
    one.used_count = used;
    one.limit_count = limit;
    out.push_back(std::move(one));
  };
  const Queue& leaf = wanted.leaf;
  for (const Queue* at = &leaf; at != nullptr; at = at->parent) {
    if (at->spec.maximum_parallel_apps == kNoAppLimit) continue;
    add("parallel-applications", at->spec.path.value(), setting(*at, "max-parallel-apps"),
        at->running_apps, at->spec.maximum_parallel_apps);
  }
  const std::string& name = wanted.user.value();
  if (const std::int32_t most = impl_.parallel_limit(wanted.user); most != kNoAppLimit) {
    const auto running = impl_.running_of_user_.find(name);
    const bool own = impl_.config_->maximum_parallel_apps_of_user.contains(name);
    add("user-parallel-applications", name,
        own ? fmt::format("{}user.{}.max-parallel-apps", kSettings, name)
            : fmt::format("{}user.max-parallel-apps", kSettings),
        running == impl_.running_of_user_.end() ? 0 : running->second, most);
  }
  add("applications", leaf.spec.path.value(), setting(leaf, "maximum-applications"), leaf.apps,
      impl_.maximum_apps(leaf));
  add("user-applications", name, setting(leaf, "maximum-applications"),
      user != nullptr ? user->apps : 0, impl_.maximum_apps_per_user(leaf));
}

QueueActivity Scheduler::Impl::Explainer::of_queue(const Queue& queue, std::size_t& left) {
  QueueActivity out;
  out.path = queue.spec.path;
  out.wants = queue.pending_containers > 0 || queue.held_apps > 0;
  for (const auto& child : queue.children)
    out.children.push_back(of_queue(*child, left));
  if (!queue.leaf || !out.wants) return out;
  for (const auto& [turn, app] : queue.leaf->apps) {
    if (left == 0) break;
    if (app->pending_containers == 0 && !app->held) continue;
    --left;
    out.apps.push_back(of_app(*app, false));
    const Wait& wait = out.apps.back().wait;
    const bool limit = wait.verdict == Verdict::kQueueMaximum ||
                       wait.verdict == Verdict::kQueueMasterLimit ||
                       wait.verdict == Verdict::kQueueParallelApps;
    if (limit && !out.wait) out.wait = wait;
  }
  return out;
}

// --- in the words of Hadoop

/// Clients and scripts look for these words.
std::string Scheduler::Impl::Explainer::masters_text(const App& app) const {
  const Queue& queue = *app.leaf;
  const PartitionId at = app.am_partition;
  const LeafPart& part = std::as_const(queue.leaf->parts)[at];
  std::string_view why = "User's AM resource limit exceeded. ";
  if (impl_.nodes_.total(at).is_zero()) {
    why = "Skipping AM assignment as cluster resource is empty. ";
  } else if (!impl_.am_fits(queue, app.am_cap)) {
    why = "Queue's AM resource limit exceeded. ";
  }
  return fmt::format(
      "Application is added to the scheduler and is not yet activated. {} Details : AM Partition "
      "= {}; AM Resource Request = {}; Queue Resource Limit for AM = {}; User AM Resource Limit "
      "of the queue = {}; Queue AM Resource Usage = {}; ",
      why, partition_text(impl_.partitions_[at].name), to_string(app.am_charge),
      to_string(part.am_limit), to_string(impl_.user_am_limit_of(*app.user, at)),
      to_string(part.am_used));
}

/// And then in ours.
std::string Scheduler::Impl::Explainer::activated_text(const App& app, const Wait& wait) const {
  const PartitionId at = app.am_partition;
  const QueuePart& part = std::as_const(app.leaf->parts)[at];
  double of_queue = 0;
  double of_cluster = 0;
  impl_.take_use(*app.leaf, at, of_queue, of_cluster);
  return fmt::format(
      "Application is Activated, waiting for resources to be assigned for AM.  Details : AM "
      "Partition = {} ; Partition Resource = {} ; Queue's Absolute capacity = {:.1f} % ; Queue's "
      "Absolute used capacity = {:.1f} % ; Queue's Absolute max capacity = {:.1f} % ; {}",
      partition_text(impl_.partitions_[at].name), to_string(impl_.nodes_.total(at)),
      part.absolute * 100, of_cluster * 100, part.absolute_max * 100, wait.sentence);
}

std::string Scheduler::Impl::Explainer::diagnostics(const App& app) const {
  if (!app.attempt) return "";
  if (app.held) {
    const auto wait = held_wait(app);
    return wait ? wait->sentence : "";
  }
  if (!app.active) return masters_text(app);
  if (app.pending_containers == 0) return "";
  for (const auto& [key, group] : app.groups) {
    if (group->total == 0 || !group->has_cap) continue;
    const Wait wait = wait_of(*group);
    if (wait.verdict == Verdict::kWaitsTurn) continue;
    return group->is_am ? activated_text(app, wait) : wait.sentence;
  }
  return "";
}

// --- the public face

std::string Scheduler::explain(const AppId& id) const {
  const App* app = impl_->find_app(id);
  return app == nullptr ? "" : Impl::Explainer(*impl_).diagnostics(*app);
}

std::optional<Explanation> Scheduler::explain(const AppId& id,
                                              const ExplainOptions& options) const {
  const App* app = impl_->find_app(id);
  if (app == nullptr) return std::nullopt;
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  return Impl::Explainer(*impl_, options).of_app(*app, true);
}

Result<Explanation> Scheduler::explain(const WhatIf& what, const ExplainOptions& options) const {
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  return Impl::Explainer(*impl_, options).of_request(what);
}

QueueActivity Scheduler::activity(const ExplainOptions& options, std::size_t apps_max) const {
  if (impl_->capacities_stale_) impl_->refresh_capacities();
  return Impl::Explainer(*impl_, options).of_queue(*impl_->root_, apps_max);
}

}  // namespace heddle::queues
