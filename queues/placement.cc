// One group of asks, one node.
#include "queues/scheduler_impl.h"

namespace heddle::queues {

bool Scheduler::Impl::blacklisted(const App& app, const NodeIndex::Node& node) const {
  if (app.blacklist.empty()) return false;
  return app.blacklist.contains(node.id.host) || app.blacklist.contains(node.rack);
}

Scheduler::Impl::Spot Scheduler::Impl::find_spot(const AskGroup& group) const {
  const Resources& size = caps_.size(group.cap);
  const auto allowed = [&](const NodeIndex::Node& node) { return !blacklisted(*group.app, node); };
  for (const auto& [host, row] : group.hosts) {
    const auto slot = nodes_.find_on_host(host, size, allowed);
    if (slot != NodeIndex::kNone) return {slot, Locality::kNodeLocal};
  }
  for (const auto& [rack, row] : group.racks) {
    if (!row.relax) continue;
    const auto slot = nodes_.find_in_rack(rack, size, allowed);
    if (slot != NodeIndex::kNone) return {slot, Locality::kRackLocal};
  }
  if (!group.relax) return {};
  return {nodes_.find_any(size, allowed), Locality::kOffSwitch};
}

void Scheduler::Impl::no_spot(AskGroup& group) {
  const bool choosy = !group.relax || !group.app->blacklist.empty();
  const auto anybody = [](const NodeIndex::Node&) { return true; };
  if (!choosy || nodes_.find_any(caps_.size(group.cap), anybody) == NodeIndex::kNone) {
    caps_.set_roomless(group.cap);
    return;
  }
  std::vector<std::string> names;
  if (!group.relax) {
    for (const auto& [host, row] : group.hosts)
      names.push_back(host);
    for (const auto& [rack, row] : group.racks) {
      if (row.relax) names.push_back(rack);
    }
    if (names.empty()) names.emplace_back();  // nowhere: until its rows change
  }
  park(group, std::move(names));
}

Grant Scheduler::Impl::take(AskGroup& group, const Spot& spot) {
  App& app = *group.app;
  const NodeIndex::Node& node = nodes_.at(spot.slot);
  Grant grant;
  grant.attempt = *app.attempt;
  grant.node = node.id;
  grant.resources = caps_.size(group.cap);
  grant.priority = group.is_am ? 0 : group.priority;
  grant.allocation_request_id = group.is_am ? -1 : group.request_id;
  grant.is_am = group.is_am;
  grant.locality = spot.locality;

  const auto count_down = [](auto& rows, const std::string& name) {
    const auto row = rows.find(name);
    if (row != rows.end() && --row->second.count <= 0) rows.erase(row);
  };
  if (spot.locality == Locality::kNodeLocal) count_down(group.hosts, node.id.host);
  if (spot.locality != Locality::kOffSwitch) count_down(group.racks, node.rack);
  --group.total;
  nodes_.took(spot.slot);
  nodes_.charge(spot.slot, grant.resources, 1);
  // Known at once where it is the rule, in a full cluster: what follows then leaves the lists
  // alone.
  if (!nodes_.may_fit(grant.resources)) caps_.set_roomless(group.cap);
  if (group.total == 0) {
    erase_group(group);
  } else {
    count_pending(group);
  }
  charge(app, grant.resources, 1);
  return grant;
}

std::vector<Grant> Scheduler::Impl::schedule(std::size_t grants_max) {
  if (capacities_stale_) refresh_capacities();
  std::vector<Grant> grants;
  while (work_ && grants.size() < grants_max) {
    AskGroup* group = next_group();
    if (group == nullptr) {
      work_ = false;
      break;
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
