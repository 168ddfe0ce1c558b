// Opportunistic containers: beyond what queues guarantee, on nodes that let them wait for room. The
// scheduler does not see them. Hadoop's NodeQueueLoadMonitor, with the queue's length as load.
#include <algorithm>
#include <cmath>
#include <utility>

#include "rm/core/core.h"

namespace heddle::rm {
namespace {

constexpr std::int32_t kLoadMax = 20'000;       // of one node, whatever it tells
constexpr std::int32_t kGivenPerCall = 10'000;  // to one AM, where nothing else is set
constexpr std::size_t kPassedOverMax = 1'000;   // nodes of other labels, for one container
constexpr std::size_t kPlacesMax = 100;         // rows of one ask that are looked at for locality

}  // namespace

void Core::take_opportunistic(Attempt& attempt, const Ask& ask, std::string label) {
  const auto key = std::tuple(ask.priority, ask.allocation_request_id, ask.resource_name);
  if (ask.containers == 0) {
    attempt.opportunistic.erase(key);
    return;
  }
  Ask& row = attempt.opportunistic.insert_or_assign(key, ask).first->second;
  row.label_expression = std::move(label);
}

bool Core::takes_opportunistic(const Node& node) const {
  return options_.opportunistic.enabled && node.state == NodeState::kRunning &&
         node.opportunistic.queue_capacity > 0;
}

/// What was given since it told is part of what it tells now, or is on the way: as Hadoop takes it.
void Core::note_opportunistic(Node& node, const OpportunisticUse& told) {
  if (told != node.opportunistic) touch_use(node);
  const std::int32_t load = std::clamp(told.queue_length, 0, kLoadMax);
  const bool same = told == node.opportunistic && load == node.load;
  if (same) return;
  if (node.load_counted) {
    load_sum_ -= node.load;
    load_squares_ -= std::int64_t{node.load} * node.load;
    --load_nodes_;
    node.load_counted = false;
  }
  node.opportunistic = told;
  node.load = load;
  list_by_load(node);
}

/// After its load, its queue or its state changed.
void Core::list_by_load(Node& node) {
  const bool takes = takes_opportunistic(node);
  if (takes != node.load_counted) {
    const std::int64_t sign = takes ? 1 : -1;
    load_nodes_ += sign;
    load_sum_ += sign * node.load;
    load_squares_ += sign * node.load * node.load;
    node.load_counted = takes;
  }
  const bool listed = takes && node.load < std::min(node.opportunistic.queue_capacity, kLoadMax);
  const auto wanted = listed ? std::optional(node.load) : std::nullopt;
  if (node.listed_load == wanted) return;
  if (node.listed_load) by_load_.erase({*node.listed_load, node.id});
  if (wanted) by_load_.emplace(*wanted, node.id);
  node.listed_load = wanted;
}

/// Where its rows would like it among the least loaded nodes; else the least loaded of all.
Node* Core::opportunistic_spot(const Attempt& attempt, const Ask& any) {
  const std::string label = any.label_expression.value_or("");
  const auto may = [&](const Node& node) {
    return node.listed_load && labels_.label_of(node.id) == label &&
           any.resources.fits_in(node.total) && !attempt.blacklist.contains(node.id.host) &&
           !attempt.blacklist.contains(node.rack);
  };
  std::set<std::string_view> racks;
  std::size_t looked_at = 0;
  auto row = attempt.opportunistic.lower_bound({any.priority, any.allocation_request_id, ""});
  for (; row != attempt.opportunistic.end() && looked_at < kPlacesMax; ++row, ++looked_at) {
    const auto& [priority, request, name] = row->first;
    if (priority != any.priority || request != any.allocation_request_id) break;
    if (name == queues::kAnyNode) continue;
    if (name.starts_with('/')) {
      racks.insert(name);
      continue;
    }
    for (auto at = nodes_.lower_bound(NodeId{name, INT32_MIN});
         at != nodes_.end() && at->first.host == name; ++at) {
      if (may(at->second)) return &at->second;
    }
  }
  Node* best = nullptr;
  std::size_t looks = 0;
  std::size_t passed_over = 0;  // nodes with other labels
  for (auto at = by_load_.begin(); at != by_load_.end() && passed_over < kPassedOverMax; ++at) {
    Node* node = find_node(at->second);
    if (node == nullptr || labels_.label_of(node->id) != label) {
      ++passed_over;
      continue;
    }
    if (looks++ == options_.opportunistic.nodes_used) break;
    if (!may(*node)) continue;
    if (racks.contains(node->rack)) return node;
    if (best == nullptr && any.relax_locality) best = node;
  }
  return best;
}

void Core::give_opportunistic(App& app, Attempt& attempt, Turn& turn) {
  if (by_load_.empty()) return;
  std::vector<std::pair<std::int32_t, std::int64_t>> asked;
  for (const auto& [key, row] : attempt.opportunistic) {
    if (row.resource_name == queues::kAnyNode) {
      asked.emplace_back(row.priority, row.allocation_request_id);
    }
  }
  const std::int32_t most = options_.opportunistic.given_per_call_max;
  std::int32_t left = most < 0 ? kGivenPerCall : most;
  for (const auto& [priority, request] : asked) {
    for (; left > 0; --left) {
      const auto any =
          attempt.opportunistic.find({priority, request, std::string(queues::kAnyNode)});
      if (any == attempt.opportunistic.end()) break;
      Node* node = opportunistic_spot(attempt, any->second);
      if (node == nullptr) break;
      queues::Grant grant;
      grant.attempt = attempt.id;
      grant.node = node->id;
      grant.resources = scheduler_.normalize(any->second.resources, QueuePath(app.queue));
      grant.priority = priority;
      grant.allocation_request_id = request;
      add_container(app, attempt, *node, grant, ExecutionType::kOpportunistic, turn);
      lower_outstanding(attempt.opportunistic, grant, *node);
      ++node->load;
      ++load_sum_;
      load_squares_ += std::int64_t{2} * node->load - 1;
      list_by_load(*node);
    }
  }
}

/// The mean of all nodes plus some standard deviations, within the limits that are set.
std::int32_t Core::queue_limit() const {
  const OpportunisticOptions& rules = options_.opportunistic;
  double limit = 0;
  if (load_nodes_ > 0) {
    const auto nodes = static_cast<double>(load_nodes_);
    const double mean = static_cast<double>(load_sum_) / nodes;
    const double variance = static_cast<double>(load_squares_) / nodes - mean * mean;
    limit = mean + double{rules.queue_stdev} * std::sqrt(std::max(variance, 0.0));
  }
  const double most = std::max(rules.queue_min, rules.queue_max);
  return static_cast<std::int32_t>(std::clamp<double>(limit, rules.queue_min, most));
}

std::string Core::check_loads() const {
  std::int64_t nodes = 0, sum = 0, squares = 0;
  std::size_t listed = 0;
  for (const auto& [id, node] : nodes_) {
    if (node.load_counted != takes_opportunistic(node)) {
      return "node " + to_string(id) + " is counted wrongly among those that have a queue";
    }
    if (node.listed_load) {
      ++listed;
      if (*node.listed_load != node.load || !by_load_.contains({node.load, id})) {
        return "node " + to_string(id) + " is listed under another load";
      }
    }
    if (!node.load_counted) continue;
    ++nodes;
    sum += node.load;
    squares += std::int64_t{node.load} * node.load;
  }
  if (listed != by_load_.size()) return "nodes that are gone are listed by load";
  const bool right = nodes == load_nodes_ && sum == load_sum_ && squares == load_squares_;
  return right ? "" : "the loads of all nodes do not sum up";
}

}  // namespace heddle::rm
