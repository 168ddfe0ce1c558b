#include "rm/label/label_table.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace heddle::rm {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Result<void> check_name(const std::string& name) {
  if (name.empty() || name.size() > LabelTable::kNameMax) {
    return refuse_label("label added is empty or exceeds 255 character(s)");
  }
  if (is_label_name(name)) return {};
  return refuse_label(
      fmt::format("label name should only contains {{0-9, a-z, A-Z, -, _}} and should "
                  "not started with {{-,_}}, now it is= {}",
                  shortened(name)));
}

std::set<std::string> trimmed(const std::set<std::string>& names) {
  std::set<std::string> out;
  for (const std::string& name : names)
    out.insert(std::string(trim(name)));
  return out;
}

/// The only one; "" where there is none.
std::string only_label(const std::set<std::string>& names) {
  for (const std::string& name : names) {
    if (const auto label = trim(name); !label.empty()) return std::string(label);
  }
  return "";
}

}  // namespace

Failure refuse_label(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), ErrorSubject::kLabel);
}

bool is_label_name(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_';
  });
}

Result<LabelChange> LabelTable::add(const std::vector<NodeLabel>& labels) {
  LabelChange change;
  std::vector<std::string> conflicts;
  std::set<std::string, std::less<>> fresh;
  for (const NodeLabel& one : labels) {
    const std::string name(trim(one.name));
    RETURN_IF_ERROR(check_name(name));
    const auto known = labels_.find(name);
    if (known == labels_.end()) {
      if (fresh.insert(name).second) change.added.push_back({name, one.exclusive});
    } else if (known->second != one.exclusive) {
      conflicts.push_back(fmt::format("<{}:exclusivity={}>", name, one.exclusive));
    }
  }
  if (!conflicts.empty()) {
    return refuse_label("Exclusivity cannot be modified for an existing label with : " +
                        join(conflicts, ","));
  }
  if (labels_.size() + change.added.size() > kLabelsMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("there are {} node labels and {} more are added; {} are the most",
                            labels_.size(), change.added.size(), kLabelsMax),
                ErrorSubject::kLabel);
  }
  for (const NodeLabel& one : change.added)
    labels_.emplace(one.name, one.exclusive);
  return change;
}

Result<LabelChange> LabelTable::remove(const std::set<std::string>& asked) {
  const std::set<std::string> names = trimmed(asked);
  for (const std::string& name : names) {
    if (name.empty()) return refuse_label("Label to be removed is null or empty");
    if (!labels_.contains(name)) {
      return refuse_label(
          fmt::format("Node label={} to be removed doesn't existed in cluster node "
                      "labels collection.",
                      shortened(name)));
    }
  }
  LabelChange change;
  change.removed.assign(names.begin(), names.end());
  for (auto& [host_name, host] : hosts_) {
    for (auto& [port, node] : host.nodes) {
      const std::string& had = node.label ? *node.label : host.label;
      if (node.running && names.contains(had)) change.moved.push_back({host_name, port});
      if (!node.label || !names.contains(*node.label)) continue;
      node.label = "";
      change.mapped.emplace_back(NodeId{host_name, port}, "");
    }
    if (!names.contains(host.label)) continue;
    host.label.clear();
    change.mapped.emplace_back(NodeId{host_name, 0}, std::nullopt);
  }
  for (const std::string& name : names)
    labels_.erase(name);
  return change;
}

Result<void> LabelTable::check(const NodeLabelSets& nodes) const {
  for (const auto& [id, asked] : nodes) {
    std::set<std::string> names = trimmed(asked);
    names.erase("");
    if (names.size() > 1) {
      return refuse_label(
          fmt::format("{} labels specified on host={}, please note that we do not "
                      "support specifying multiple labels on a single host for now.",
                      names.size(), shortened(id.host)));
    }
    if (names.empty() || labels_.contains(*names.begin())) continue;
    return refuse_label(
        fmt::format("Not all labels being replaced contained by known label "
                    "collections, please check, new labels=[{}]",
                    shortened(*names.begin())));
  }
  if (hosts_.size() + nodes.size() > kHostsMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} hosts are known and {} more are given labels; {} are the most",
                            hosts_.size(), nodes.size(), kHostsMax),
                ErrorSubject::kLabel);
  }
  return {};
}

Result<LabelChange> LabelTable::replace(const NodeLabelSets& nodes) {
  RETURN_IF_ERROR(check(nodes));
  LabelChange change;
  // Ports after their host: sorted by id, so that of both the node's own is the last word.
  for (const auto& [id, names] : nodes) {
    if (id.port == 0) {
      map_host(id.host, only_label(names), change);
    } else {
      map_node(id, only_label(names), change);
    }
  }
  return change;
}

void LabelTable::map_host(const std::string& name, const std::string& label, LabelChange& change) {
  Host& host = hosts_[name];
  const bool stored = !host.label.empty();
  for (auto at = host.nodes.begin(); at != host.nodes.end();) {
    Node& node = at->second;
    const NodeId id{name, at->first};
    const std::string& had = node.label ? *node.label : host.label;
    if (node.running && had != label) change.moved.push_back(id);
    if (node.label) change.mapped.emplace_back(id, std::nullopt);
    node.label.reset();
    at = node.running ? std::next(at) : host.nodes.erase(at);
  }
  if (host.label != label) {
    host.label = label;
    if (stored || !label.empty()) {
      change.mapped.emplace_back(NodeId{name, 0},
                                 label.empty() ? std::nullopt : std::optional(label));
    }
  }
  if (host.label.empty() && host.nodes.empty()) hosts_.erase(name);
}

void LabelTable::map_node(const NodeId& id, const std::string& label, LabelChange& change) {
  Host& host = hosts_[id.host];
  Node& node = host.nodes[id.port];
  const std::string had = node.label ? *node.label : host.label;
  if (node.label == label) return;
  node.label = label;
  change.mapped.emplace_back(id, label);
  if (node.running && had != label) change.moved.push_back(id);
}

void LabelTable::restore(const std::vector<NodeLabel>& labels,
                         const std::vector<std::pair<NodeId, std::string>>& nodes) {
  for (const NodeLabel& one : labels)
    labels_.emplace(one.name, one.exclusive);
  for (const auto& [id, label] : nodes) {
    if (!label.empty() && !labels_.contains(label)) continue;
    Host& host = hosts_[id.host];
    if (id.port == 0) {
      host.label = label;
    } else {
      host.nodes[id.port].label = label;
    }
  }
}

void LabelTable::activate(const NodeId& node) {
  hosts_[node.host].nodes[node.port].running = true;
}

void LabelTable::deactivate(const NodeId& node) {
  const auto host = hosts_.find(node.host);
  if (host == hosts_.end()) return;
  const auto found = host->second.nodes.find(node.port);
  if (found == host->second.nodes.end()) return;
  found->second.running = false;
  if (!found->second.label) host->second.nodes.erase(found);
  if (host->second.nodes.empty() && host->second.label.empty()) hosts_.erase(host);
}

void LabelTable::forget(const NodeId& node) {
  const auto host = hosts_.find(node.host);
  if (host == hosts_.end()) return;
  host->second.nodes.erase(node.port);
  if (host->second.nodes.empty() && host->second.label.empty()) hosts_.erase(host);
}

const std::string& LabelTable::label_of(const NodeId& node) const {
  static const std::string kNone;
  const auto host = hosts_.find(node.host);
  if (host == hosts_.end()) return kNone;
  const auto found = host->second.nodes.find(node.port);
  const bool own = found != host->second.nodes.end() && found->second.label.has_value();
  return own ? *found->second.label : host->second.label;
}

std::vector<NodeLabel> LabelTable::labels() const {
  std::vector<NodeLabel> out;
  for (const auto& [name, exclusive] : labels_)
    out.push_back({name, exclusive});
  return out;
}

std::map<NodeId, std::string> LabelTable::nodes() const {
  std::map<NodeId, std::string> out;
  for (const auto& [name, host] : hosts_) {
    if (!host.label.empty()) out.emplace(NodeId{name, 0}, host.label);
    for (const auto& [port, node] : host.nodes) {
      const std::string& label = node.label ? *node.label : host.label;
      if (!label.empty()) out.emplace(NodeId{name, port}, label);
    }
  }
  return out;
}

}  // namespace heddle::rm
