// Recomputes everything that is kept up to date elsewhere. For tests; O(everything).
#include <fmt/core.h>

#include <map>
#include <set>

#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

struct PartSums {
  Resources used;
  Resources pending;
  Resources am_used;
  std::int32_t active = 0;
  void add(const PartSums& other) {
    used += other.used;
    add_asked(pending, other.pending, 1);
    am_used += other.am_used;
    active += other.active;
  }
};

struct Sums {
  PerPartition<PartSums> parts;
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  std::int32_t apps = 0;
  std::int32_t active = 0;
  std::int32_t running = 0;
  std::int32_t held = 0;
  void add(const Sums& other) {
    for (PartitionId at = 0; at < other.parts.size(); ++at)
      parts[at].add(other.parts[at]);
    containers += other.containers;
    pending_containers += other.pending_containers;
    apps += other.apps;
    active += other.active;
    running += other.running;
    held += other.held;
  }
};

/// Each row of a parent's table lists exactly the children that say so, where they say so.
template <class Child, class Grandchild>
std::string check_rows(
    const std::string& where, const DemandTable<Child>& table,
    const std::vector<std::pair<Child*, const DemandTable<Grandchild>*>>& below) {
  std::map<CapId, std::map<Place, const Child*>> expected;
  for (const auto& [child, own] : below) {
    for (const auto& row : own->rows) {
      if (row.ready.empty()) return where + ": a child keeps an idle row";
      if (row.listed) expected[row.cap].emplace(row.listed_at, child);
    }
  }
  std::map<CapId, std::map<Place, const Child*>> found;
  for (const auto& row : table.rows) {
    for (const auto& [place, child] : row.ready.entries())
      found[row.cap].emplace(place, child);
  }
  return found == expected ? "" : where + ": lists differ from what its children say";
}

std::string check_group(const AskGroup& group, bool listed) {
  if (group.counted_total != group.total) return "pending count is stale";
  const bool wanted = group.total > 0 && !group.parked;
  return listed == wanted ? "" : "ask group listed wrongly";
}

}  // namespace

// The naive scheduler: looks at every ask and every node. Once schedule() has run dry there must be
// nothing that it could have given.
std::string Scheduler::Impl::check_nothing_left() const {
  for (const auto& [id, app] : apps_) {
    if (!app->active) continue;
    for (const auto& [key, group] : app->groups) {
      if (group->total == 0) continue;
      const Resources& size = caps_.size(group->cap);
      const PartitionId partition = caps_.partition(group->cap);
      bool room = !std::as_const(app->user->parts)[partition].over;
      for (const Queue* at = app->leaf; at != nullptr; at = at->parent) {
        room = room && has_room(*at, partition, size);
      }
      for (const NodeIndex::Node& node : nodes_.all()) {
        if (!room) break;
        if (!node.present || !node.usable || !within(size, node.free())) continue;
        if (!serves(node.partition, partition)) continue;
        if (blacklisted(*app, node) || !satisfied(*group, nodes_.slot_at(node))) continue;
        if (wants(*group, node)) {
          return fmt::format("{} waits for {} although {} has room", to_string(id), to_string(size),
                             to_string(node.id));
        }
      }
    }
  }
  return "";
}

std::string Scheduler::Impl::check_claims() const {
  struct OfQueue {
    Resources leaving, claimed, held, reserved, kept;
  };
  std::map<std::pair<const Queue*, PartitionId>, OfQueue> sums;
  std::map<std::pair<const User*, PartitionId>, std::pair<Resources, Resources>> of_user;
  std::map<const App*, Resources> held;
  for (const auto& [id, app] : apps_) {
    for (auto at = app->holds; at != HoldTable::kNone; at = holds_.next_of_app(at)) {
      const Hold& hold = holds_.at(at);
      if (!hold.marked) continue;
      if (std::string fault = check_victim(at); !fault.empty()) return fault;
      of_user[{app->user, hold.partition}].first += hold.size;
      for (const Queue* queue = app->leaf; queue != nullptr; queue = queue->parent)
        sums[{queue, hold.partition}].leaving += hold.size;
    }
  }
  for (const auto& [id, claim] : claims_) {
    const auto& group = *claim.group;
    const PartitionId partition = caps_.partition(group.cap);
    if (std::count(group.claims.begin(), group.claims.end(), id) != 1) return "a claim of nobody";
    if (std::cmp_greater(group.claims.size(), group.total)) return "more claims than it asks for";
    of_user[{group.app->user, partition}].second += caps_.size(group.cap);
    held[group.app] += claim.held;
    for (const Queue* queue = group.app->leaf; queue != nullptr; queue = queue->parent) {
      OfQueue& sum = sums[{queue, partition}];
      sum.claimed += caps_.size(group.cap);
      sum.held += claim.held;
      sum.reserved += claim.purpose == Purpose::kLarge ? claim.held : Resources{};
      sum.kept += claim.credit;
    }
  }
  for (const auto& [id, app] : apps_) {
    if (!(app->held_by_claims == held[app.get()])) return to_string(id) + ": held by claims";
    for (PartitionId at = 0; at < partitions_.size(); ++at) {
      const auto& [leaving, claimed] = of_user[{app->user, at}];
      const UserPart& part = std::as_const(app->user->parts)[at];
      if (!(part.leaving == leaving) || !(part.claimed == claimed)) {
        return app->user_name.value() + ": what leaves or is claimed differs";
      }
    }
  }
  for (const Queue* queue : queues_) {
    const std::string& path = queue->spec.path.value();
    for (PartitionId at = 0; at < partitions_.size(); ++at) {
      const OfQueue& sum = sums[{queue, at}];
      const QueuePart& part = queue->parts[at];
      if (!(part.leaving == sum.leaving)) return path + ": leaving differs";
      if (!(part.claimed == sum.claimed)) return path + ": claimed differs";
      if (!(part.held == sum.held)) return path + ": held by claims differs";
      if (!(part.reserved == sum.reserved)) return path + ": reserved differs";
      if (!(part.kept == sum.kept)) return path + ": kept differs";
      if ((part.keeping > 0) == sum.kept.is_zero()) return path + ": keeping differs";
    }
  }
  return "";
}

/// Nobody is marked but for one claim of a waiter that still wants its container.
std::string Scheduler::Impl::check_victim(HoldTable::Index index) const {
  const HoldId hold = holds_.id_of(index);
  const auto claim = claims_.find(holds_.at(index).claim);
  if (claim == claims_.end()) return "a container is marked for no claim";
  const auto& victims = claim->second.victims;
  if (std::count(victims.begin(), victims.end(), hold) != 1) return "marked for another claim";
  return claim->second.group->total > 0 ? "" : "marked for nobody";
}

// Every hold is in the list of its application and in that of its node, and they add up to what
// these say they hold.
std::string Scheduler::Impl::check_holds() const {
  for (const auto& [id, app] : apps_) {
    PerPartition<Resources> used;
    std::int64_t count = 0;
    for (auto at = app->holds; at != HoldTable::kNone; at = holds_.next_of_app(at)) {
      count += holds_.at(at).bare ? 0 : 1;
      if (holds_.at(at).app != app.get()) return to_string(id) + ": lists a container of another";
      used[holds_.at(at).partition] += holds_.at(at).size;
    }
    bool adds_up = count == app->containers;
    for (PartitionId at = 0; at < partitions_.size(); ++at) {
      adds_up = adds_up && std::as_const(used)[at] == std::as_const(app->parts)[at].used;
    }
    if (!adds_up) return to_string(id) + ": its containers do not add up";
  }
  for (NodeIndex::Slot slot = 0; slot < nodes_.all().size(); ++slot) {
    const NodeIndex::Node& node = nodes_.at(slot);
    Resources used;
    std::int64_t count = 0;
    for (auto at = holds_.first_on(slot); at != HoldTable::kNone; at = holds_.next_on_node(at)) {
      count += holds_.at(at).bare ? 0 : 1;
      if (holds_.at(at).node != slot || holds_.at(at).partition != node.partition)
        return to_string(node.id) + ": lists what is elsewhere";
      used += holds_.at(at).size;
    }
    if (!node.present && count == 0) continue;
    used += claimed_on(slot);
    if (!(used == node.used) || count != node.containers) {
      return to_string(node.id) + ": its containers do not add up";
    }
  }
  return "";
}

/// The tags of what runs, counted anew; and whoever is to be woken by one waits.
std::string Scheduler::Impl::check_tag_counts() const {
  TagIndex::Table counted;
  for (NodeIndex::Slot slot = 0; slot < nodes_.all().size(); ++slot) {
    for (auto at = holds_.first_on(slot); at != HoldTable::kNone; at = holds_.next_on_node(at)) {
      const TagSetId tags = holds_.at(at).tags;
      if (tags != 0) tags_.count_into(counted, tags, slot, nodes_.at(slot).rack, 1);
    }
  }
  if (!(counted == tags_.table())) return "allocation tags are counted wrongly";
  for (const auto& [key, groups] : lots_.by_tag) {
    for (const auto& [serial, group] : groups) {
      if (!group->parked || group->serial != serial) return key.tag + ": wakes who does not wait";
    }
  }
  for (const auto& [at, group] : lots_.by_time) {
    if (!group->parked || group->serial != at.second) return "the time wakes who does not wait";
  }
  return "";
}

/// Who is parked is found from its leaf and in its lots, and nobody else is.
std::string Scheduler::Impl::check_parked() const {
  std::size_t parked = 0;
  for (const auto& [id, app] : apps_) {
    for (const auto& [key, group] : app->groups) {
      if (!group->parked) continue;
      ++parked;
      const auto in_leaf = parked_in_.find(app->leaf);
      if (in_leaf == parked_in_.end() || !in_leaf->second.contains(group->serial)) {
        return to_string(id) + ": its leaf does not know that it is parked";
      }
      const std::pair place{group->cap, group->serial};
      const auto is_in = [&](const Lots::Lot& lot) { return lot.groups.contains(place); };
      bool filed = !group->parked_at.empty() || is_in(lots_.anywhere);
      for (const std::string& name : group->parked_at) {
        const auto lot = lots_.by_name.find(name);
        filed = filed && lot != lots_.by_name.end() && is_in(lot->second);
      }
      if (!filed) return to_string(id) + ": is parked and in no lot";
    }
  }
  for (const auto& [leaf, groups] : parked_in_)
    parked -= groups.size();
  return parked == 0 ? "" : "a leaf knows of asks that are not parked";
}

/// A container waits for one growth at most, and each growth has its container.
std::string Scheduler::Impl::check_growths() const {
  std::size_t waiting = 0;
  for (const auto& [id, app] : apps_) {
    for (auto at = app->holds; at != HoldTable::kNone; at = holds_.next_of_app(at)) {
      const std::uint64_t ticket = holds_.at(at).ticket;
      if (ticket == 0) continue;
      const auto growth = growths_.find(ticket);
      if (growth == growths_.end() || growth->second->hold != holds_.id_of(at) ||
          growth->second->app != app.get()) {
        return to_string(id) + ": a container waits for a growth that is not its own";
      }
    }
    for (const auto& [key, group] : app->groups) {
      if (group->key() != key) return to_string(id) + ": an ask group is filed wrongly";
      if (group->ticket == 0) continue;
      ++waiting;
      const auto growth = growths_.find(group->ticket);
      if (growth == growths_.end() || growth->second != group.get() || group->total != 1) {
        return to_string(id) + ": a growth is filed wrongly";
      }
      if (group->hold != 0 && holds_.find(group->hold) == HoldTable::kNone) {
        return to_string(id) + ": a growth of a container that has ended";
      }
    }
  }
  return waiting == growths_.size() ? "" : "growths of nobody are kept";
}

struct Scheduler::Impl::Tally {
  std::map<const Queue*, Sums> queues;
  std::map<const User*, Sums> users;
  std::map<const User*, std::vector<std::pair<App*, const DemandTable<AskGroup>*>>> apps_of;
};

std::string Scheduler::Impl::check_apps(Tally& tally) const {
  for (const auto& [id, app] : apps_) {
    Sums sums;
    sums.containers = app->containers;
    sums.apps = 1;
    sums.active = app->active ? 1 : 0;
    sums.running = app->running ? 1 : 0;
    sums.held = app->held ? 1 : 0;
    for (PartitionId at = 0; at < app->parts.size(); ++at)
      sums.parts[at].used = app->parts[at].used;
    if (app->active) {
      sums.parts[app->am_partition].am_used = app->am_charge;
      sums.parts[app->am_partition].active = 1;
    }
    if (app->held && (app->running || app->active || may_run(*app))) {
      return to_string(id) + ": is held back without a reason";
    }
    for (const auto& [key, group] : app->groups) {
      if (!group->has_cap) continue;
      add_asked(sums.parts[caps_.partition(group->cap)].pending, caps_.size(group->cap),
                group->total);
      sums.pending_containers += group->total;
      const Demand<AskGroup>* row = app->demand.find(group->cap);
      const std::string fault =
          check_group(*group, row != nullptr && row->ready.contains(group->place()));
      if (!fault.empty()) return to_string(id) + ": " + fault;
    }
    for (PartitionId at = 0; at < app->parts.size(); ++at) {
      if (!(std::as_const(sums.parts)[at].pending == app->parts[at].pending)) {
        return to_string(id) + ": pending sums differ";
      }
    }
    if (sums.pending_containers != app->pending_containers) {
      return to_string(id) + ": pending containers differ";
    }
    if (app->containers < 0) return to_string(id) + ": negative containers";
    for (const Demand<AskGroup>& row : app->demand.rows) {
      if (row.listed != (app->active && !row.ready.empty())) return to_string(id) + ": listing";
    }
    tally.apps_of[app->user].emplace_back(app.get(), &app->demand);
    tally.users[app->user].add(sums);
    for (const Queue* queue = app->leaf; queue != nullptr; queue = queue->parent) {
      tally.queues[queue].add(sums);
    }
  }
  return "";
}

std::string Scheduler::Impl::check_queue(const Queue* queue, Tally& tally) const {
  const std::string& path = queue->spec.path.value();
  const Sums& sums = tally.queues[queue];
  for (PartitionId at = 0; at < partitions_.size(); ++at) {
    const PartSums& part = sums.parts[at];
    const QueuePart& kept = queue->parts[at];
    if (!(part.used == kept.used)) {
      return fmt::format("{}: used {} is kept, {} is true", path, to_string(kept.used),
                         to_string(part.used));
    }
    if (!(part.pending == kept.pending)) return path + ": pending sums differ";
  }
  if (sums.containers != queue->containers || sums.apps != queue->apps ||
      sums.pending_containers != queue->pending_containers) {
    return path + ": containers or applications differ";
  }
  if (sums.running != queue->running_apps || sums.held != queue->held_apps) {
    return path + ": running or held applications differ";
  }
  const auto check_own = [&](const auto& table) -> std::string {
    for (const auto& row : table.rows) {
      const PartitionId partition = caps_.partition(row.cap);
      const bool room = has_room(*queue, partition, caps_.size(row.cap));
      if (row.shut == room) return path + ": a size is shut wrongly";
      if (queue->parent == nullptr) continue;
      if (row.listed != room) return path + ": a size is listed wrongly";
      const bool waits = row.stale && (caps_.roomless(row.cap) || caps_.has_reopened());
      if (row.listed && !waits && !(row.listed_at == queue->place(partition))) {
        return path + ": listed elsewhere";
      }
    }
    return "";
  };
  if (!queue->leaf) {
    std::map<CapId, std::map<Place, const Queue*>> expected;
    for (const auto& child : queue->children) {
      const auto collect = [&](const auto& table) {
        for (const auto& row : table.rows) {
          if (row.listed) expected[row.cap].emplace(row.listed_at, child.get());
        }
      };
      child->leaf ? collect(child->leaf->demand) : collect(child->demand);
    }
    std::map<CapId, std::map<Place, const Queue*>> found;
    for (const auto& row : queue->demand.rows) {
      for (const auto& [place, child] : row.ready.entries())
        found[row.cap].emplace(place, child);
    }
    if (found != expected) return path + ": lists differ from what its children say";
    return check_own(queue->demand);
  }
  const std::string fault = check_own(queue->leaf->demand);
  return fault.empty() ? check_leaf_queue(queue, tally) : fault;
}

std::string Scheduler::Impl::check_leaf_part(const Queue& queue, PartitionId at,
                                             Tally& tally) const {
  const LeafPart& leaf = std::as_const(queue.leaf->parts)[at];
  const std::string where =
      fmt::format("{}, partition \"{}\"", queue.spec.path.value(), partitions_[at].name);
  const PartSums& sums = std::as_const(tally.queues[&queue].parts)[at];
  if (!(sums.am_used == leaf.am_used) || sums.active != leaf.active_apps) {
    return where + ": AM sums differ";
  }
  Resources active_used;
  std::int32_t active_users = 0;
  double shares = 0;
  for (const auto& [name, user] : queue.leaf->users) {
    const PartSums& mine = std::as_const(tally.users[user.get()].parts)[at];
    const UserPart& kept = std::as_const(user->parts)[at];
    shares += types_ > 1 ? measure(kept.used, at) : 0;
    if (!(mine.used == kept.used) || !(mine.am_used == kept.am_used) ||
        mine.active != kept.active_apps) {
      return fmt::format("{}, user {}: sums differ", where, name);
    }
    if (kept.demanding == 0) continue;
    active_used += kept.used;
    ++active_users;
    const bool above = measure(kept.used, at) / user->weight > measure(leaf.user_limit, at);
    if (above != kept.over) return fmt::format("{}, user {}: limit applied wrongly", where, name);
  }
  if (std::abs(shares - leaf.user_shares) > 1e-6) return where + ": shares of users differ";
  return active_used == leaf.active_used && active_users == leaf.active_users
             ? ""
             : where + ": sums of active users differ";
}

std::string Scheduler::Impl::check_leaf_queue(const Queue* queue, Tally& tally) const {
  const std::string& path = queue->spec.path.value();
  const Sums& sums = tally.queues[queue];
  std::string fault;
  const Leaf& leaf = *queue->leaf;
  if (sums.active != leaf.active_apps) return path + ": active applications differ";
  std::vector<std::pair<User*, const DemandTable<App>*>> users;
  for (const auto& [name, user] : leaf.users) {
    const Sums& mine = tally.users[user.get()];
    const std::string of_user = fmt::format("{}, user {}", path, name);
    Resources pending;
    for (PartitionId at = 0; at < partitions_.size(); ++at)
      add_asked(pending, mine.parts[at].pending, 1);
    if (mine.apps != user->apps || mine.active != user->active_apps ||
        mine.containers != user->containers || !(pending == user->pending) ||
        mine.pending_containers != user->pending_containers) {
      return of_user + ": sums differ";
    }
    for (const Demand<App>& row : user->waiting.rows) {
      if (row.shut == user_am_fits(*user, row.cap)) return of_user + ": waits at a wrong AM limit";
    }
    fault = check_rows(of_user, user->demand, tally.apps_of[user.get()]);
    if (!fault.empty()) return fault;
    users.emplace_back(user.get(), &user->demand);
  }
  for (PartitionId at = 0; at < partitions_.size(); ++at) {
    fault = check_leaf_part(*queue, at, tally);
    if (!fault.empty()) return fault;
  }
  fault = check_rows(path, leaf.demand, users);
  if (!fault.empty()) return fault;
  for (const Demand<User>& row : leaf.waiting.rows) {
    if (!row.ready.empty() && am_fits(*queue, row.cap)) {
      return path + ": an application waits for an AM share that is free";
    }
  }
  return "";
}

std::string Scheduler::Impl::check() const {
  if (!work_) {
    std::string left = check_nothing_left();
    if (!left.empty()) return left;
  }
  Tally tally;
  std::string fault = check_holds();
  if (fault.empty()) fault = check_claims();
  if (fault.empty()) fault = check_tag_counts();
  if (fault.empty()) fault = check_parked();
  if (fault.empty()) fault = check_growths();
  if (fault.empty()) fault = check_made();
  if (fault.empty()) fault = check_apps(tally);
  for (const Queue* queue : queues_) {
    if (!fault.empty()) break;
    fault = check_queue(queue, tally);
  }
  return fault;
}

}  // namespace heddle::queues
