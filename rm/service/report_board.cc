#include "rm/service/report_board.h"

#include <algorithm>
#include <iterator>
#include <mutex>

#include "base/text.h"

namespace heddle::rm {
namespace {

constexpr std::size_t kSlice = 1000;

template <class Map, class Key>
auto lookup(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

std::string last_name(const std::string& path) {
  return path.substr(path.rfind('.') + 1);
}

template <class Value>
bool accepts(const std::set<Value>& wanted, const Value& value) {
  return wanted.empty() || wanted.contains(value);
}

/// The state as clients know it: until an end or a kill is durable, the one before.
AppState shown_state(const AppReport& report) {
  const bool hidden = report.state == AppState::kFinalSaving || report.state == AppState::kKilling;
  return hidden ? report.state_before_saving : report.state;
}

bool matches(const AppReport& report, const AppFilter& filter) {
  if (!accepts(filter.states, shown_state(report))) return false;
  if (!accepts(filter.final_statuses, report.final_status)) return false;
  if (!accepts(filter.users, report.user)) return false;
  if (!accepts(filter.types, report.type)) return false;
  if (!filter.queues.empty() && !filter.queues.contains(report.queue) &&
      !filter.queues.contains(last_name(report.queue))) {
    return false;
  }
  if (!filter.name.empty() && filter.name != report.name) return false;
  if (!filter.tags.empty() && std::ranges::none_of(report.tags, [&](const std::string& tag) {
        return filter.tags.contains(to_lower(tag));
      })) {
    return false;
  }
  return report.started.ms >= filter.started_from_ms && report.started.ms <= filter.started_to_ms &&
         report.finished.ms >= filter.finished_from_ms &&
         report.finished.ms <= filter.finished_to_ms;
}

bool only_live(const std::set<AppState>& states) {
  return !states.empty() &&
         std::ranges::none_of(states, [](AppState state) { return is_final(state); });
}

/// Up to kSlice entries of a map or set beyond `last`. False: there are no more.
template <class Sorted, class Visit>
bool visit_slice(const Sorted& sorted, const AppId& last, bool newest_first, const Visit& visit) {
  const auto walk = [&](auto at, const auto& end) {
    for (std::size_t i = 0; i < kSlice && at != end; ++i, ++at)
      visit(*at);
    return at != end;
  };
  if (newest_first) {
    return walk(std::make_reverse_iterator(sorted.lower_bound(last)), sorted.rend());
  }
  return walk(sorted.upper_bound(last), sorted.end());
}

}  // namespace

ClusterMetrics ReportBoard::metrics() const {
  const std::shared_lock lock(mutex_);
  return metrics_;
}

AppReportPtr ReportBoard::app(const AppId& id) const {
  const std::shared_lock lock(mutex_);
  return lookup(apps_, id);
}

std::optional<std::vector<const ReportBoard::Ids*>> ReportBoard::candidates(
    const AppFilter& filter) const {
  std::optional<std::vector<const Ids*>> best;
  std::size_t best_size = 0;
  const auto offer = [&](std::vector<const Ids*> sets) {
    std::size_t size = 0;
    for (const Ids* ids : sets)
      size += ids->size();
    if (best && size >= best_size) return;
    best = std::move(sets);
    best_size = size;
  };
  const auto offer_index = [&](const Index& index, const std::set<std::string>& wanted) {
    if (wanted.empty()) return;
    std::vector<const Ids*> sets;
    for (const std::string& key : wanted) {
      if (const auto ids = index.find(key); ids != index.end()) sets.push_back(&ids->second);
    }
    offer(std::move(sets));
  };
  offer_index(by_tag_, filter.tags);
  offer_index(by_user_, filter.users);
  offer_index(by_queue_, filter.queues);
  offer_index(by_type_, filter.types);
  if (only_live(filter.states)) offer({&live_});
  return best;
}

bool ReportBoard::next_slice(const AppFilter& filter, AppId& last,
                             std::vector<AppReportPtr>& out) const {
  const std::shared_lock lock(mutex_);
  const auto sets = candidates(filter);
  if (!sets) {
    return visit_slice(apps_, last, filter.newest_first, [&](const auto& entry) {
      last = entry.first;
      if (matches(*entry.second, filter)) out.push_back(entry.second);
    });
  }
  std::vector<AppId> ids;
  for (const Ids* set : *sets) {
    visit_slice(*set, last, filter.newest_first, [&](const AppId& id) { ids.push_back(id); });
  }
  if (sets->size() > 1) {
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (filter.newest_first) std::ranges::reverse(ids);
  }
  const bool more = ids.size() >= kSlice;
  ids.resize(std::min(ids.size(), kSlice));
  for (const AppId& id : ids) {
    const AppReportPtr& report = apps_.at(id);
    if (matches(*report, filter)) out.push_back(report);
  }
  if (!ids.empty()) last = ids.back();
  return more;
}

// In slices, so that the core waits for a slice at most, however long the listing.
std::vector<AppReportPtr> ReportBoard::apps(const AppFilter& filter) const {
  std::vector<AppReportPtr> out;
  const auto full = [&] { return static_cast<std::int64_t>(out.size()) >= filter.limit; };
  const AppId before_all = filter.newest_first ? AppId{INT64_MAX, INT32_MAX}  //
                                               : AppId{INT64_MIN, INT32_MIN};
  AppId last = filter.after.value_or(before_all);
  while (!full() && next_slice(filter, last, out)) {
  }
  if (full()) out.resize(static_cast<std::size_t>(std::max<std::int64_t>(filter.limit, 0)));
  return out;
}

AttemptReportPtr ReportBoard::attempt(const AttemptId& id) const {
  const std::shared_lock lock(mutex_);
  return lookup(attempts_, id);
}

std::vector<AttemptReportPtr> ReportBoard::attempts(const AppId& id) const {
  std::vector<AttemptReportPtr> out;
  const std::shared_lock lock(mutex_);
  for (auto at = attempts_.lower_bound(AttemptId{id, 0});
       at != attempts_.end() && at->first.app == id; ++at) {
    out.push_back(at->second);
  }
  return out;
}

ContainerReportPtr ReportBoard::container(const ContainerId& id) const {
  const std::shared_lock lock(mutex_);
  return lookup(containers_, id);
}

std::vector<ContainerReportPtr> ReportBoard::containers(const AttemptId& id) const {
  std::vector<ContainerReportPtr> out;
  const std::shared_lock lock(mutex_);
  for (auto at = containers_.lower_bound(ContainerId{id, 0});
       at != containers_.end() && at->first.attempt == id; ++at) {
    out.push_back(at->second);
  }
  return out;
}

NodeReportPtr ReportBoard::node(const NodeId& id) const {
  const std::shared_lock lock(mutex_);
  return lookup(nodes_, id);
}

std::vector<NodeReportPtr> ReportBoard::nodes(const std::set<NodeState>& states) const {
  std::vector<NodeReportPtr> out;
  const std::shared_lock lock(mutex_);
  for (const auto& [id, report] : nodes_) {
    if (accepts(states, report->state)) out.push_back(report);
  }
  return out;
}

QueueReportPtr ReportBoard::queues() const {
  const std::shared_lock lock(mutex_);
  return queues_;
}

LabelsReportPtr ReportBoard::labels() const {
  const std::shared_lock lock(mutex_);
  return labels_;
}

AttributesReportPtr ReportBoard::attributes() const {
  const std::shared_lock lock(mutex_);
  return attributes_;
}

bool ReportBoard::attempt_may_log_in(const AttemptId& id) const {
  const std::shared_lock lock(mutex_);
  return logins_.contains(id);
}

void ReportBoard::index(const AppReport& report) {
  if (!is_final(report.state)) live_.insert(report.id);
  by_user_[report.user].insert(report.id);
  by_type_[report.type].insert(report.id);
  by_queue_[report.queue].insert(report.id);
  by_queue_[last_name(report.queue)].insert(report.id);
  for (const std::string& tag : report.tags)
    by_tag_[to_lower(tag)].insert(report.id);
}

void ReportBoard::unindex(const AppReport& report) {
  live_.erase(report.id);
  const auto drop = [&](Index& index, const std::string& key) {
    const auto ids = index.find(key);
    if (ids == index.end()) return;
    ids->second.erase(report.id);
    if (ids->second.empty()) index.erase(ids);
  };
  drop(by_user_, report.user);
  drop(by_type_, report.type);
  drop(by_queue_, report.queue);
  drop(by_queue_, last_name(report.queue));
  for (const std::string& tag : report.tags)
    drop(by_tag_, to_lower(tag));
}

void ReportBoard::put(AppReportPtr report) {
  const std::unique_lock lock(mutex_);
  AppReportPtr& place = apps_[report->id];
  const bool same_keys = place != nullptr && place->queue == report->queue &&
                         is_final(place->state) == is_final(report->state);
  if (!same_keys) {
    if (place != nullptr) unindex(*place);
    index(*report);
  }
  place = std::move(report);
}

void ReportBoard::forget_app(const AppId& id) {
  const std::unique_lock lock(mutex_);
  const auto found = apps_.find(id);
  if (found == apps_.end()) return;
  unindex(*found->second);
  apps_.erase(found);
  attempts_.erase(attempts_.lower_bound(AttemptId{id, 0}),
                  attempts_.upper_bound(AttemptId{id, INT32_MAX}));
}

void ReportBoard::put(AttemptReportPtr report) {
  const std::unique_lock lock(mutex_);
  attempts_[report->id] = std::move(report);
}

void ReportBoard::put(ContainerReportPtr report) {
  const std::unique_lock lock(mutex_);
  containers_[report->id] = std::move(report);
}

void ReportBoard::forget_container(const ContainerId& id) {
  const std::unique_lock lock(mutex_);
  containers_.erase(id);
}

void ReportBoard::put(NodeReportPtr report) {
  const std::unique_lock lock(mutex_);
  nodes_[report->id] = std::move(report);
}

void ReportBoard::forget_node(const NodeId& id) {
  const std::unique_lock lock(mutex_);
  nodes_.erase(id);
}

void ReportBoard::put(QueueReportPtr root) {
  const std::unique_lock lock(mutex_);
  queues_ = std::move(root);
}

void ReportBoard::put(const ClusterMetrics& metrics) {
  const std::unique_lock lock(mutex_);
  metrics_ = metrics;
}

void ReportBoard::put(LabelsReportPtr report) {
  const std::unique_lock lock(mutex_);
  labels_ = std::move(report);
}

void ReportBoard::put(AttributesReportPtr report) {
  const std::unique_lock lock(mutex_);
  attributes_ = std::move(report);
}

void ReportBoard::allow_login(const AttemptId& id, bool allowed) {
  const std::unique_lock lock(mutex_);
  if (allowed) {
    logins_.insert(id);
  } else {
    logins_.erase(id);
  }
}

}  // namespace heddle::rm
