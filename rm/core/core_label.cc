// Node labels and attributes: who gives them, who may use them, and what the scheduler hears of it.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "rm/core/core.h"

namespace heddle::rm {
namespace {

Failure refuse(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), ErrorSubject::kLabel);
}

void answer(const ReplyTo<void>& reply, const Error& error, Turn& turn) {
  turn.effects.replies.push_back([reply, error] { reply(fail(error)); });
}

Error labels_off() {
  return {ErrorCode::kUnsupported,
          "Node-label-based scheduling is disabled. Please check yarn.node-labels.enabled",
          ErrorSubject::kLabel};
}

void append_line(std::string& text, const std::string& line) {
  if (!text.empty()) text += "\n";
  text += line;
}

const queues::QueueSpec* find_user(const queues::QueueSpec& queue, const std::string& label) {
  if (!queue.all_labels && queue.accessible_labels.contains(label)) return &queue;
  for (const queues::QueueSpec& child : queue.children) {
    if (const auto* found = find_user(child, label)) return found;
  }
  return nullptr;
}

}  // namespace

// --- what operators do

void Core::add_labels(const std::vector<NodeLabel>& labels, const ReplyTo<void>& reply,
                      Turn& turn) {
  if (!options_.labels_enabled) return answer(reply, labels_off(), turn);
  auto change = labels_.add(labels);
  if (!change) return answer(reply, change.error(), turn);
  take_change(*std::move(change), turn);
  turn.reply_when_durable<void>(reply, {});
}

Result<void> Core::check_unused(const std::set<std::string>& names) const {
  for (const std::string& name : names) {
    const auto* queue = find_user(scheduler_.config().root, std::string(trim(name)));
    if (queue == nullptr) continue;
    return refuse(
        fmt::format("Cannot remove label={}, because queue={} is using this label. Please "
                    "remove label on queue before remove the label",
                    trim(name), queue->path.value()));
  }
  return {};
}

void Core::remove_labels(const std::set<std::string>& names, const ReplyTo<void>& reply,
                         Turn& turn) {
  if (!options_.labels_enabled) return answer(reply, labels_off(), turn);
  if (const auto unused = check_unused(names); !unused) return answer(reply, unused.error(), turn);
  auto change = labels_.remove(names);
  if (!change) return answer(reply, change.error(), turn);
  take_change(*std::move(change), turn);
  turn.reply_when_durable<void>(reply, {});
}

bool Core::is_known(const NodeId& id) const {
  if (id.port != 0) return nodes_.contains(id);
  const auto first = nodes_.lower_bound(NodeId{id.host, INT32_MIN});
  return first != nodes_.end() && first->first.host == id.host;
}

void Core::replace_labels(const ReplaceLabels& request, const ReplyTo<void>& reply, Turn& turn) {
  if (options_.labels_distributed) {
    return answer(reply,
                  {ErrorCode::kUnsupported,
                   "Error when invoke method=replaceLabelsOnNode because centralized node label "
                   "configuration is not enabled.",
                   ErrorSubject::kLabel},
                  turn);
  }
  if (request.fail_on_unknown_nodes) {
    std::vector<std::string> unknown;
    for (const auto& [id, labels] : request.nodes) {
      if (!is_known(id)) unknown.push_back(shortened(to_string(id)));
    }
    if (!unknown.empty()) {
      return answer(reply,
                    {ErrorCode::kInvalidArgument,
                     fmt::format("Failed to replace labels as there are unknown nodes:[{}]",
                                 join(unknown, ", ")),
                     ErrorSubject::kLabel},
                    turn);
    }
  }
  if (!options_.labels_enabled) return answer(reply, labels_off(), turn);
  auto change = labels_.replace(request.nodes);
  if (!change) return answer(reply, change.error(), turn);
  take_change(*std::move(change), turn);
  turn.reply_when_durable<void>(reply, {});
}

void Core::map_attributes(const MapAttributes& request, const ReplyTo<void>& reply, Turn& turn) {
  if (request.fail_on_unknown_nodes) {
    std::vector<std::string> unknown;
    for (const auto& [host, attributes] : request.hosts) {
      if (!is_known(NodeId{std::string(trim(host)), 0})) unknown.push_back(shortened(host));
    }
    if (!unknown.empty()) {
      return answer(reply,
                    {ErrorCode::kInvalidArgument,
                     fmt::format(" Following nodes does not exist : [{}]", join(unknown, ", ")),
                     ErrorSubject::kLabel},
                    turn);
    }
  }
  auto change = attributes_.map(request);
  if (!change) return answer(reply, change.error(), turn);
  take_change(*std::move(change), turn);
  turn.reply_when_durable<void>(reply, {});
}

// --- what follows from it

void Core::set_partitions() {
  std::vector<queues::PartitionSpec> partitions;
  for (const NodeLabel& label : labels_.labels())
    partitions.push_back({label.name, label.exclusive});
  scheduler_.set_partitions(partitions);
}

void Core::take_change(LabelChange change, Turn& turn) {
  for (const NodeId& id : change.moved) {
    scheduler_.set_node_label(id, labels_.label_of(id));
    if (const Node* node = find_node(id)) touch(*node);
  }
  if (!change.added.empty() || !change.removed.empty()) set_partitions();
  if (change.empty()) return;
  queues_changed_ = labels_changed_ = true;
  if (options_.labels_distributed) change.mapped.clear();  // the nodes' to tell again
  if (!change.empty()) turn.effects.records.emplace_back(std::move(change));
  run_scheduler(turn);
}

void Core::take_change(AttributeChange change, Turn& turn) {
  if (change.empty()) return;
  attributes_changed_ = true;
  for (const AttributeChange::Row& row : change.rows) {
    for (auto at = nodes_.lower_bound(NodeId{row.host, INT32_MIN});
         at != nodes_.end() && at->first.host == row.host; ++at) {
      touch(at->second);
      tell_attributes(at->first);
    }
  }
  run_scheduler(turn);
  // What nodes tell they tell again.
  std::erase_if(change.rows, [](const auto& row) { return row.prefix != kCentralAttributes; });
  if (!change.empty()) turn.effects.records.emplace_back(std::move(change));
}

bool Core::take_told(const NodeId& node, const std::optional<std::set<std::string>>& labels,
                     std::string& why, Turn& turn) {
  if (!labels || !options_.labels_distributed) return false;
  auto change = options_.labels_enabled ? labels_.replace({{node, *labels}})
                                        : Result<LabelChange>(fail(labels_off()));
  if (change) {
    take_change(*std::move(change), turn);
    return true;
  }
  append_line(why,
              fmt::format("Node Labels {{{}}} reported from NM with ID {} was rejected from RM "
                          "with exception message as : {}",
                          shortened(join({labels->begin(), labels->end()}, ",")), to_string(node),
                          change.error().message));
  return false;
}

bool Core::take_told(const NodeId& node,
                     const std::optional<std::vector<NodeAttribute>>& attributes, std::string& why,
                     Turn& turn) {
  if (!attributes) return false;
  auto change = attributes_.report(node, *attributes);
  if (change) {
    take_change(*std::move(change), turn);
    return true;
  }
  append_line(why, change.error().message);
  return false;
}

LabelsReportPtr Core::labels_report() const {
  auto out = std::make_shared<LabelsReport>();
  std::map<std::string, LabelsReport::Label> labels;
  for (const NodeLabel& one : labels_.labels())
    labels[one.name] = {one.name, one.exclusive, 0, {}};
  for (const auto& [id, node] : nodes_) {
    const bool active =
        node.state == NodeState::kRunning || node.state == NodeState::kDecommissioning;
    if (!active) continue;
    const auto known = labels.find(labels_.label_of(id));
    LabelsReport::Label& label = known == labels.end() ? out->unlabelled : known->second;
    ++label.active_nodes;
    label.total += node.total;
  }
  for (auto& [name, label] : labels)
    out->labels.push_back(std::move(label));
  out->nodes = labels_.nodes();
  return out;
}

// --- who may use them

std::string Core::label_of(const Ask& ask, const Submission& submission,
                           const queues::QueueRules* queue) const {
  if (ask.label_expression) return std::string(trim(*ask.label_expression));
  if (ask.resource_name != queues::kAnyNode) return "";
  if (submission.label_expression) return std::string(trim(*submission.label_expression));
  return options_.labels_enabled && queue != nullptr ? queue->default_label : "";
}

// Here an empty one of the row says nothing, as in Hadoop.
std::string Core::master_label(const Submission& submission,
                               const queues::QueueRules* queue) const {
  for (const Ask& ask : submission.am_asks) {
    if (ask.resource_name != queues::kAnyNode || !ask.label_expression) continue;
    const std::string_view label = trim(*ask.label_expression);
    if (!label.empty()) return std::string(label);
  }
  if (!options_.master_default_label.empty()) return options_.master_default_label;
  return label_of(Ask{}, submission, queue);
}

Result<void> Core::check_label(const queues::QueueRules* queue, const std::string& place,
                               std::string_view asked) const {
  const std::string_view label = trim(asked);
  if (label.empty()) return {};
  if (!options_.labels_enabled) {
    return refuse(
        "Invalid resource request, node label not enabled but request contains label expression");
  }
  if (queue == nullptr) return {};  // refused for that
  if (place != queues::kAnyNode) {
    return refuse(
        fmt::format("Invalid resource request, queue={} specified node label expression "
                    "in a resource request has resource name = {}",
                    queue->name, shortened(place)));
  }
  if (label.find("&&") != std::string_view::npos) {
    return refuse(
        fmt::format("Invalid resource request, queue={} specified more than one node "
                    "label in a node label expression, node label expression = {}",
                    queue->name, shortened(label)));
  }
  if (!queue->may_use_label(label)) {
    const std::vector<std::string> own(queue->accessible_labels.begin(),
                                       queue->accessible_labels.end());
    return refuse(
        fmt::format("Invalid resource request, queue={} doesn't have permission to "
                    "access all labels in resource request. labelExpression of resource "
                    "request={}. Queue labels={}",
                    queue->name, shortened(label), join(own, ",")));
  }
  if (labels_.contains(label)) return {};
  return refuse(fmt::format("Invalid label resource request, cluster do not contain , label= {}",
                            shortened(label)));
}

}  // namespace heddle::rm
