// Who is listed where, and who is next.
#include <utility>

#include "queues/scheduler_impl.h"

namespace heddle::queues {
namespace {

/// Brings the place of `self` in its parent's list for one size in line with what is wanted.
/// True when that list changed.
template <class Self, class Child>
bool relist(Self* self, Demand<Child>& own, DemandTable<Self>& parent, bool wanted,
            const Place& at) {
  if (own.listed == wanted && (!wanted || own.listed_at == at)) return false;
  Demand<Self>& row = parent.get(own.cap);
  if (own.listed && wanted) {
    row.ready.move(own.listed_at, at);
  } else if (own.listed) {
    row.ready.erase(own.listed_at);
  } else {
    row.ready.insert(at, self);
  }
  own.listed = wanted;
  own.listed_at = at;
  return true;
}

}  // namespace

void Scheduler::Impl::sync_group(AskGroup& group) {
  if (!group.has_cap) return;
  App& app = *group.app;
  Demand<AskGroup>& row = app.demand.get(group.cap);
  if (group.total > 0 && !group.parked) {
    row.ready.insert(group.place(), &group);
  } else {
    row.ready.erase(group.place());
  }
  sync_app(app, group.cap);
  work_ = true;
}

void Scheduler::Impl::sync_app(App& app, CapId cap) {
  Demand<AskGroup>* own = app.demand.find(cap);
  if (own == nullptr) return;
  const bool wanted = app.active && !own->ready.empty();
  if (relist(&app, *own, app.user->demand, wanted, app.place())) sync_user(*app.user, cap);
  app.demand.drop_if_idle(cap);
}

void Scheduler::Impl::sync_user(User& user, CapId cap) {
  Demand<App>* own = user.demand.find(cap);
  if (own == nullptr) return;
  const bool wanted = !user.parts[caps_.partition(cap)].over && !own->ready.empty();
  const Place at = own->ready.empty() ? Place{} : own->ready.front().place;
  if (relist(&user, *own, user.leaf->leaf->demand, wanted, at)) sync_queue(*user.leaf, cap);
  user.demand.drop_if_idle(cap);
}

void Scheduler::Impl::sync_queue(Queue& queue, CapId cap) {
  const auto sync = [&](auto& table) {
    auto* own = table.find(cap);
    if (own == nullptr) return;
    const PartitionId partition = caps_.partition(cap);
    own->shut = !has_room(queue, partition, caps_.size(cap));
    const bool wanted = !own->shut && !own->ready.empty();
    if (queue.parent != nullptr && own->listed && wanted && caps_.roomless(cap)) {
      if (!std::exchange(own->stale, true)) caps_.defer(cap, &queue);
    } else if (queue.parent != nullptr) {
      if (relist(&queue, *own, queue.parent->demand, wanted, queue.place(partition))) {
        sync_queue(*queue.parent, cap);
      }
    }
    table.drop_if_idle(cap);
  };
  queue.leaf ? sync(queue.leaf->demand) : sync(queue.demand);
}

// In the three below a row is never dropped while its table is walked: a row that has nothing
// ready was dropped when that came about, and a sync changes only the tables further up.
void Scheduler::Impl::sync_all(App& app) {
  for (std::size_t i = 0; i < app.demand.rows.size(); ++i)
    sync_app(app, app.demand.rows[i].cap);
}

void Scheduler::Impl::sync_all(User& user) {
  for (std::size_t i = 0; i < user.demand.rows.size(); ++i) {
    sync_user(user, user.demand.rows[i].cap);
  }
}

void Scheduler::Impl::sync_all(Queue& queue, std::optional<PartitionId> only) {
  const auto sync = [&](auto& table) {
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      const CapId cap = table.rows[i].cap;
      if (!only || caps_.partition(cap) == *only) sync_queue(queue, cap);
    }
  };
  queue.leaf ? sync(queue.leaf->demand) : sync(queue.demand);
}

void Scheduler::Impl::count_pending(AskGroup& group) {
  const std::int64_t change = group.total - group.counted_total;
  if (change == 0) return;
  group.counted_total = group.total;
  Resources amount;
  add_asked(amount, caps_.size(group.cap), change);
  App& app = *group.app;
  const PartitionId partition = caps_.partition(group.cap);
  AppPart& part = app.parts[partition];
  add_asked(part.pending, amount, 1);
  part.pending_containers += change;
  app.pending_containers += change;
  app.user->pending_containers += change;
  add_asked(app.user->pending, amount, 1);
  Queue* queue = app.leaf;
  do {
    add_asked(queue->parts[partition].pending, amount, 1);
    queue->pending_containers += change;
    queue = queue->parent;
  } while (queue != nullptr);
  if (app.leaf->spec.fair_by_size) sync_all(app);
  set_demands(app, partition);
}

void Scheduler::Impl::erase_group(AskGroup& group) {
  cancel_claims(group);
  unpark(group);
  group.total = 0;
  if (group.has_cap) {
    sync_group(group);
    count_pending(group);
    caps_.release(group.cap);
  }
  if (group.tagged) forget_tagged(group);
  if (group.ticket != 0) forget_growth(group);
  group.app->groups.erase(group.key());  // ends the group's life
}

void Scheduler::Impl::settle_reopened() {
  caps_.take_reopened([this](Queue& queue, CapId cap) {
    const auto settle = [cap](auto& table) {
      if (auto* own = table.find(cap)) own->stale = false;
    };
    queue.leaf ? settle(queue.leaf->demand) : settle(queue.demand);
    sync_queue(queue, cap);
  });
}

AskGroup* Scheduler::Impl::next_group() {
  if (caps_.has_reopened()) settle_reopened();
  // Goes down one path. At each level only sizes that every level above has room for count; the
  // child with the smallest place in any of these lists wins.
  const auto best = [this](auto& rows) {
    using Child = std::remove_reference_t<decltype(*rows[0].ready.front().child)>;
    Child* found = nullptr;
    Place place;
    for (auto& row : rows) {
      if (!caps_.marked(row.cap, level_) || row.ready.empty()) continue;
      const auto head = row.ready.front();
      if (found != nullptr && !(head.place < place)) continue;
      place = head.place;
      found = head.child;
    }
    return found;
  };
  const auto descend = [this](const auto& rows) {
    ++level_;
    for (const auto& row : rows) {
      if (row.listed && caps_.marked(row.cap, level_ - 1)) caps_.mark(row.cap, level_);
    }
  };
  // A decision is about one partition: who has much of another is not behind in this one.
  const Demand<Queue>* first = nullptr;
  for (const Demand<Queue>& row : root_->demand.rows) {
    if (row.shut || row.ready.empty() || caps_.roomless(row.cap)) continue;
    if (first == nullptr || row.ready.front().place < first->ready.front().place) first = &row;
  }
  if (first == nullptr) return nullptr;
  level_ += 2;
  for (const Demand<Queue>& row : root_->demand.rows) {
    const bool same = caps_.partition(row.cap) == caps_.partition(first->cap);
    if (same && !row.shut && !caps_.roomless(row.cap)) caps_.mark(row.cap, level_);
  }
  Queue* queue = first->ready.front().child;
  while (!queue->leaf) {
    descend(queue->demand.rows);
    queue = best(queue->demand.rows);
  }
  descend(queue->leaf->demand.rows);
  User* user = best(queue->leaf->demand.rows);
  descend(user->demand.rows);
  App* app = best(user->demand.rows);
  descend(app->demand.rows);
  return best(app->demand.rows);
}

void Scheduler::Impl::park(AskGroup& group, std::vector<std::string> names) {
  group.parked = true;
  group.parked_at = std::move(names);
  const std::pair key{group.cap, group.serial};
  if (group.parked_at.empty()) lots_.anywhere.groups.emplace(key, &group);
  for (const std::string& name : group.parked_at)
    lots_.by_name[name].groups.emplace(key, &group);
  parked_in_[group.app->leaf].emplace(group.serial, &group);
  if (group.tagged) watch_constraint(group);
  sync_group(group);
}

void Scheduler::Impl::unpark(AskGroup& group) {
  if (!group.parked) return;
  const std::pair key{group.cap, group.serial};
  const auto leave = [&](Lots::Lot& lot) {
    lot.groups.erase(key);
    const auto next = lot.groups.lower_bound({group.cap, 0});
    if (next == lot.groups.end() || next->first.first != group.cap) lot.passed.erase(group.cap);
  };
  leave(lots_.anywhere);
  for (const std::string& name : group.parked_at) {
    const auto lot = lots_.by_name.find(name);
    if (lot == lots_.by_name.end()) continue;
    leave(lot->second);
    if (lot->second.groups.empty()) lots_.by_name.erase(lot);
  }
  const auto in_leaf = parked_in_.find(group.app->leaf);
  in_leaf->second.erase(group.serial);
  if (in_leaf->second.empty()) parked_in_.erase(in_leaf);
  group.next_look = 0;
  group.refused_looks = 0;
  group.parked_at.clear();
  group.parked = false;
  if (group.tagged) unwatch_constraint(group);
  sync_group(group);
}

// A shared partition also serves asks for the default one, with what its own asks leave.
bool Scheduler::Impl::serves(PartitionId node, PartitionId asked) const {
  return node == asked || (asked == kDefaultPartition && !partitions_[node].exclusive);
}

void Scheduler::Impl::wake_everywhere() {
  for (NodeIndex::Slot slot = 0; slot < nodes_.all().size(); ++slot) {
    if (nodes_.at(slot).present) wake_for(slot);
  }
}

void Scheduler::Impl::wake_shared() {
  for (NodeIndex::Slot slot = 0; slot < nodes_.all().size(); ++slot) {
    const NodeIndex::Node& node = nodes_.at(slot);
    if (node.present && !partitions_[node.partition].exclusive) wake_for(slot);
  }
}

// Whoever waits in a lot has been judged on every node that had room for it, and hears of what may
// change that judgement (tags, time, attributes, rows) apart: more room there is no news to it.
void Scheduler::Impl::wake_for(NodeIndex::Slot slot, const Resources* had) {
  const NodeIndex::Node& node = nodes_.at(slot);
  if (!node.usable) return;
  const auto fits = [&](CapId cap) {
    return serves(node.partition, caps_.partition(cap)) && nodes_.fits(slot, caps_.size(cap));
  };
  if (caps_.open_fitting(node.free().memory_mb(), fits)) work_ = true;

  std::vector<AskGroup*> woken;
  const auto look = [&](const Lots::Lot& lot) {
    for (auto it = lot.groups.begin(); it != lot.groups.end();) {
      const CapId cap = it->first.first;
      if (!fits(cap) || (had != nullptr && within(caps_.size(cap), *had))) {
        it = lot.groups.lower_bound({cap + 1, 0});
        continue;
      }
      if (!blacklisted(*it->second->app, node) && satisfied(*it->second, slot)) {
        woken.push_back(it->second);
      }
      ++it;
    }
  };
  look(lots_.anywhere);
  for (const std::string* name : {&node.id.host, &node.rack}) {
    const auto lot = lots_.by_name.find(*name);
    if (lot != lots_.by_name.end()) look(lot->second);
  }
  for (AskGroup* group : woken)
    unpark(*group);
}

}  // namespace heddle::queues
