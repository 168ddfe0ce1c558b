// Node labels: which there are, and which hosts and nodes have which.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "rm/api/commands.h"

namespace heddle::rm {

/// What an operation changed: the rows that become durable, and the nodes that moved.
struct LabelChange {
  std::vector<NodeLabel> added;
  std::vector<std::string> removed;
  /// Port 0: the host. nullopt: the row goes; "" = this node has none, whatever its host has.
  std::vector<std::pair<NodeId, std::optional<std::string>>> mapped;
  std::vector<NodeId> moved;  // running nodes that have another label now; not durable

  bool empty() const { return added.empty() && removed.empty() && mapped.empty(); }
};

/// A host has one label at most, and so has a node (host and port), which counts before that of its
/// host. Operations are all or nothing; their errors carry the texts of Hadoop and the subject
/// kLabel. Names are trimmed.
class LabelTable {
 public:
  static constexpr std::size_t kLabelsMax = 1'000;
  static constexpr std::size_t kHostsMax = 200'000;
  static constexpr std::size_t kNameMax = 255;

  /// kInvalidArgument: a name that may not be, or a label that is there with another exclusivity.
  Result<LabelChange> add(const std::vector<NodeLabel>& labels);
  /// kInvalidArgument: no such label. Who uses it is the caller's to check.
  Result<LabelChange> remove(const std::set<std::string>& names);
  /// Port 0: the host and all its nodes. kInvalidArgument: more than one label, or an unknown one.
  Result<LabelChange> replace(const NodeLabelSets& nodes);
  /// What was durable. Rows of labels that are not there are left out.
  void restore(const std::vector<NodeLabel>& labels,
               const std::vector<std::pair<NodeId, std::string>>& nodes);

  /// The node runs; from now on it is in the listings.
  void activate(const NodeId& node);
  /// It does not. What was said of this very node stays.
  void deactivate(const NodeId& node);
  /// What was said of this very node goes too: it will tell again. Only for nodes that do not run.
  void forget(const NodeId& node);

  bool contains(std::string_view name) const { return labels_.contains(name); }
  /// "" = none.
  const std::string& label_of(const NodeId& node) const;
  std::vector<NodeLabel> labels() const;  // by name
  /// Hosts (port 0) and nodes with a label.
  std::map<NodeId, std::string> nodes() const;

 private:
  struct Node {
    std::optional<std::string> label;  // nullopt: that of its host
    bool running = false;
  };
  struct Host {
    std::string label;
    std::map<std::int32_t, Node> nodes;  // by port
  };
  Result<void> check(const NodeLabelSets& nodes) const;
  void map_host(const std::string& name, const std::string& label, LabelChange& change);
  void map_node(const NodeId& id, const std::string& label, LabelChange& change);

  std::map<std::string, bool, std::less<>> labels_;  // exclusive?
  std::map<std::string, Host> hosts_;
};

/// kInvalidArgument, about labels or attributes.
Failure refuse_label(std::string message);

/// Of letters, digits, - and _, beginning with a letter or digit.
bool is_label_name(std::string_view text);

}  // namespace heddle::rm
