// Node attributes: facts about hosts, told by operators (prefix rm.yarn.io) and nodes (nm.yarn.io).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "rm/api/commands.h"

namespace heddle::rm {

/// What an operation changed.
struct AttributeChange {
  struct Row {
    std::string host;
    std::string prefix;
    std::string name;
    std::optional<std::string> value;  // nullopt: the attribute goes
  };
  std::vector<Row> rows;

  bool empty() const { return rows.empty(); }
};

/// Operations are all or nothing; their errors carry the texts of Hadoop and the subject kLabel.
class AttributeTable {
 public:
  static constexpr std::size_t kOfHostMax = 1'000;  // attributes
  static constexpr std::size_t kHostsMax = 200'000;
  static constexpr std::size_t kTextMax = 255;  // a name, value or prefix

  /// Operators' attributes. kInvalidArgument: a prefix other than rm.yarn.io, a text that may not
  /// be, and, of kRemove, an attribute that the host does not have.
  Result<AttributeChange> map(const MapAttributes& request);
  /// What a node says, instead of what it said before. kInvalidArgument: a prefix other than
  /// nm.yarn.io, or a text that may not be.
  Result<AttributeChange> report(const NodeId& node, const std::vector<NodeAttribute>& attributes);
  /// What was durable.
  void restore(const std::vector<AttributeChange::Row>& rows);

  std::vector<NodeAttribute> of(const std::string& host) const;  // by prefix and name
  std::map<std::string, std::vector<NodeAttribute>> all() const;

 private:
  using Key = std::pair<std::string, std::string>;  // prefix, name
  using Values = std::map<Key, std::string>;
  Result<void> check_room(const std::string& host, std::size_t more) const;
  void put(const std::string& host, const NodeAttribute& attribute, AttributeChange& change);
  void take(const std::string& host, const Key& key, AttributeChange& change);
  void replace(const std::string& host, std::string_view prefix,
               const std::vector<NodeAttribute>& attributes, AttributeChange& change);

  std::map<std::string, Values> hosts_;
};

}  // namespace heddle::rm
