// Recomputes everything that is kept up to date elsewhere. For tests; O(everything).
#include <fmt/core.h>

#include <map>
#include <set>

#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

struct Sums {
  Resources used;
  Resources pending;
  Resources am_used;
  std::int64_t containers = 0;
  std::int64_t pending_containers = 0;
  std::int32_t apps = 0;
  std::int32_t active = 0;
  void add(const Sums& other) {
    used += other.used;
    add_asked(pending, other.pending, 1);
    am_used += other.am_used;
    containers += other.containers;
    pending_containers += other.pending_containers;
    apps += other.apps;
    active += other.active;
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
    for (const auto& [place, child] : row.ready)
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
    if (!app->active || app->user->over) continue;
    for (const auto& [key, group] : app->groups) {
      if (group->total == 0) continue;
      const Resources& size = caps_.size(group->cap);
      bool room = true;
      for (const Queue* at = app->leaf; at != nullptr; at = at->parent) {
        room = room && within(at->used + size, at->maximum);
      }
      for (const NodeIndex::Node& node : nodes_.all()) {
        if (!room) break;
        if (!node.present || !node.usable || !within(size, node.free())) continue;
        if (blacklisted(*app, node)) continue;
        const auto rack = group->racks.find(node.rack);
        const bool wanted = group->relax || group->hosts.contains(node.id.host) ||
                            (rack != group->racks.end() && rack->second.relax);
        if (wanted) {
          return fmt::format("{} waits for {} although {} has room", to_string(id), to_string(size),
                             to_string(node.id));
        }
      }
    }
  }
  return "";
}

struct Scheduler::Impl::Tally {
  std::map<const Queue*, Sums> queues;
  std::map<const User*, Sums> users;
  std::map<const User*, std::vector<std::pair<App*, const DemandTable<AskGroup>*>>> apps_of;
};

std::string Scheduler::Impl::check_apps(Tally& tally) const {
  for (const auto& [id, app] : apps_) {
    Sums sums{app->used,          {}, app->active ? app->am_charge : Resources{},
              app->containers,    0,  1,
              app->active ? 1 : 0};
    for (const auto& [key, group] : app->groups) {
      if (!group->has_cap) continue;
      add_asked(sums.pending, caps_.size(group->cap), group->total);
      sums.pending_containers += group->total;
      const Demand<AskGroup>* row = app->demand.find(group->cap);
      const std::string fault =
          check_group(*group, row != nullptr && row->ready.contains(group->place()));
      if (!fault.empty()) return to_string(id) + ": " + fault;
    }
    if (!(sums.pending == app->pending) || sums.pending_containers != app->pending_containers) {
      return to_string(id) + ": pending sums differ";
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
  if (!(sums.used == queue->used) || sums.containers != queue->containers) {
    return fmt::format("{}: used {} is kept, {} is true", path, to_string(queue->used),
                       to_string(sums.used));
  }
  if (!(sums.pending == queue->pending) || sums.pending_containers != queue->pending_containers ||
      sums.apps != queue->apps) {
    return path + ": pending sums or applications differ";
  }
  const auto check_own = [&](const auto& table) -> std::string {
    for (const auto& row : table.rows) {
      const bool room = within(queue->used + caps_.size(row.cap), queue->maximum);
      if (row.shut == room) return path + ": a size is shut wrongly";
      if (queue->parent == nullptr) continue;
      if (row.listed != room) return path + ": a size is listed wrongly";
      const bool waits = row.stale && (caps_.roomless(row.cap) || caps_.has_reopened());
      if (row.listed && !waits && !(row.listed_at == queue->place())) {
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
      for (const auto& [place, child] : row.ready)
        found[row.cap].emplace(place, child);
    }
    if (found != expected) return path + ": lists differ from what its children say";
    return check_own(queue->demand);
  }
  const std::string fault = check_own(queue->leaf->demand);
  return fault.empty() ? check_leaf_queue(queue, tally) : fault;
}

std::string Scheduler::Impl::check_leaf_queue(const Queue* queue, Tally& tally) const {
  const std::string& path = queue->spec.path.value();
  const Sums& sums = tally.queues[queue];
  std::string fault;
  const Leaf& leaf = *queue->leaf;
  if (!(sums.am_used == leaf.am_used) || sums.active != leaf.active_apps) {
    return path + ": AM sums differ";
  }
  Resources active_used;
  std::int32_t active_users = 0;
  std::vector<std::pair<User*, const DemandTable<App>*>> users;
  for (const auto& [name, user] : leaf.users) {
    const Sums& mine = tally.users[user.get()];
    const std::string of_user = fmt::format("{}, user {}", path, name);
    if (!(mine.used == user->used) || !(mine.am_used == user->am_used) || mine.apps != user->apps ||
        mine.active != user->active_apps) {
      return of_user + ": sums differ";
    }
    if (user->demanding > 0) {
      active_used += user->used;
      ++active_users;
      const bool above = measure(user->used) / user->weight > measure(leaf.user_limit);
      if (above != user->over) return of_user + ": limit applied wrongly";
    }
    fault = check_rows(of_user, user->demand, tally.apps_of[user.get()]);
    if (!fault.empty()) return fault;
    users.emplace_back(user.get(), &user->demand);
  }
  if (!(active_used == leaf.active_used) || active_users != leaf.active_users) {
    return path + ": sums of active users differ";
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
  std::string fault = check_apps(tally);
  for (const Queue* queue : queues_) {
    if (!fault.empty()) break;
    fault = check_queue(queue, tally);
  }
  return fault;
}

}  // namespace heddle::queues
