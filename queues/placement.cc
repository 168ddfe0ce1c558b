// One group of asks, one node.
#include "queues/scheduler_impl.h"

namespace heddle::queues {

bool Scheduler::Impl::blacklisted(const App& app, const NodeIndex::Node& node) const {
  if (app.blacklist.empty()) return false;
  return app.blacklist.contains(node.id.host) || app.blacklist.contains(node.rack);
}

bool Scheduler::Impl::has_servable(PartitionId partition) const {
  for (const Demand<Queue>& row : root_->demand.rows) {
    if (caps_.partition(row.cap) != partition || row.shut || row.ready.empty()) continue;
    if (!caps_.roomless(row.cap)) return true;
  }
  return false;
}

bool Scheduler::Impl::may_use(PartitionId partition, CapId cap) const {
  return may_serve(partition, caps_.partition(cap));
}

bool Scheduler::Impl::may_serve(PartitionId partition, PartitionId asked) const {
  return partition == asked || (serves(partition, asked) && !has_servable(partition));
}

template <class Allowed>
NodeIndex::Slot Scheduler::Impl::find_anywhere(CapId cap, const Allowed& allowed) const {
  const Resources& size = caps_.size(cap);
  const PartitionId asked = caps_.partition(cap);
  NodeIndex::Slot slot = nodes_.find_any(asked, size, allowed);
  for (PartitionId at = 1; slot == NodeIndex::kNone && at < partitions_.size(); ++at) {
    if (at != asked && may_use(at, cap)) slot = nodes_.find_any(at, size, allowed);
  }
  return slot;
}

Scheduler::Impl::Spot Scheduler::Impl::find_spot(const AskGroup& group) const {
  if (group.tagged) return find_tagged_spot(group);
  const Resources& size = caps_.size(group.cap);
  if (group.ticket != 0) return growth_spot(group);
  const auto allowed = [&](const NodeIndex::Node& node) { return !blacklisted(*group.app, node); };
  const auto in_reach = [&](const NodeIndex::Node& node) {
    return allowed(node) && may_use(node.partition, group.cap);
  };
  for (const auto& [host, row] : group.hosts) {
    const auto slot = nodes_.find_on_host(host, size, in_reach);
    if (slot != NodeIndex::kNone) return {slot, Locality::kNodeLocal};
  }
  for (const auto& [rack, row] : group.racks) {
    if (!row.relax) continue;
    const auto slot = nodes_.find_in_rack(rack, size, in_reach);
    if (slot != NodeIndex::kNone) return {slot, Locality::kRackLocal};
  }
  if (!group.relax) return {};
  return {find_anywhere(group.cap, allowed), Locality::kOffSwitch};
}

/// Where its constraint holds. One that demands a tag is looked for where the tag is.
Scheduler::Impl::Spot Scheduler::Impl::find_tagged_spot(const AskGroup& group) const {
  const auto free_of_choice = [&](const NodeIndex::Node& node) {
    return !blacklisted(*group.app, node);
  };
  if (!group.tagged->all) {
    return {find_anywhere(group.cap, free_of_choice), Locality::kOffSwitch};
  }
  const ConstraintCheck constraint = check_for(group);
  if (const auto only = constraint.only()) {
    return {find_among(group, constraint, *only), Locality::kOffSwitch};
  }
  const auto allowed = [&](const NodeIndex::Node& node) {
    return free_of_choice(node) && constraint.holds(facts_of(nodes_.slot_at(node)));
  };
  return {find_anywhere(group.cap, allowed), Locality::kOffSwitch};
}

void Scheduler::Impl::no_spot(AskGroup& group) {
  new_need_ = true;
  const auto anybody = [](const NodeIndex::Node&) { return true; };
  for (PartitionId at = 1; at < partitions_.size(); ++at) {
    shared_later_ = shared_later_ || (at != caps_.partition(group.cap) &&
                                      serves(at, caps_.partition(group.cap)) && has_servable(at));
  }
  if (!is_choosy(group) || find_anywhere(group.cap, anybody) == NodeIndex::kNone) {
    caps_.set_roomless(group.cap);
    return;
  }
  park(group, names_of(group));
}

bool Scheduler::Impl::may_fit_somewhere(CapId cap) const {
  const PartitionId asked = caps_.partition(cap);
  for (PartitionId at = 0; at < partitions_.size(); ++at) {
    if (serves(at, asked) && nodes_.may_fit(at, caps_.size(cap))) return true;
  }
  return false;
}

void Scheduler::Impl::count_down(std::map<std::string, AskRow, std::less<>>& rows,
                                 const std::string& name) {
  const auto row = rows.find(name);
  if (row != rows.end() && --row->second.count <= 0) rows.erase(row);
}

Grant Scheduler::Impl::take(AskGroup& group, const Spot& spot) {
  App& app = *group.app;
  const NodeIndex::Node& node = nodes_.at(spot.slot);
  Grant grant;
  grant.attempt = *app.attempt;
  grant.node = node.id;
  grant.resources = caps_.size(group.cap);
  grant.priority = group.is_am ? 0 : group.priority;
  grant.allocation_request_id = group.shown_id();
  const TagSetId tags = tags_for(group);
  if (group.tagged) {
    grant.tags = tags_.tags_of(tags);
    group.tagged->tries = 0;
  }
  const HoldId bare = tags != 0 ? group.bare : 0;
  grant.is_am = group.is_am;
  grant.locality = spot.locality;
  grant.ticket = group.ticket;
  grant.hold = group.hold;

  if (spot.locality == Locality::kNodeLocal) count_down(group.hosts, node.id.host);
  if (spot.locality != Locality::kOffSwitch) count_down(group.racks, node.rack);
  --group.total;
  group.waits_since_ms = now_ms_;
  nodes_.took(spot.slot);
  nodes_.charge(spot.slot, grant.resources, grant.hold == 0 ? 1 : 0);
  // Known at once where it is the rule, in a full cluster: what follows then leaves the lists
  // alone.
  if (!may_fit_somewhere(group.cap)) note_roomless(group.cap);
  if (group.total == 0) {
    erase_group(group);
  } else {
    count_pending(group);
    trim_claims(group);
  }
  const PartitionId partition = node.partition;
  if (grant.hold != 0) {
    grow(holds_.find(grant.hold), grant.resources);
    note_bypass(spot.slot, grant.resources);
    return grant;
  }
  grant.hold = holds_.add({.app = &app,
                           .node = spot.slot,
                           .partition = partition,
                           .size = grant.resources,
                           .is_am = grant.is_am,
                           .tags = tags,
                           .started_ms = now_ms_},
                          app.holds);
  charge(app, partition, grant.resources, 1);
  note_bypass(spot.slot, grant.resources);
  if (tags != 0) count_tags(tags, spot.slot, 1);
  if (bare != 0) {
    release(holds_.find(bare));
  } else if (tags != 0) {
    tags_changed(tags, spot.slot, node.rack);
  }
  return grant;
}

std::vector<Grant> Scheduler::Impl::schedule(std::size_t grants_max) {
  if (capacities_stale_) refresh_capacities();
  std::vector<Grant> grants;
  while (work_ && grants.size() < grants_max) {
    if (!full_claims_.empty()) {
      const ClaimId claim = full_claims_.back();
      full_claims_.pop_back();
      if (auto grant = take_claimed(claim)) grants.push_back(std::move(*grant));
      continue;
    }
    AskGroup* group = next_group();
    if (group == nullptr) {
      if (std::exchange(shared_later_, false)) {
        wake_shared();  // what was theirs has been served as far as it can be
      } else if (std::exchange(claims_due_, false)) {
        make_claims();
        make_parked_claims();
      } else {
        work_ = false;
      }
      continue;
    }
    const Spot spot = find_spot(*group);
    if (spot.slot == NodeIndex::kNone) {
      no_spot(*group);  // takes it, or its size, out of the lists: the loop comes to an end
    } else {
      grants.push_back(take(*group, spot));
    }
  }
  return grants;
}

}  // namespace heddle::queues
