#include "rm/label/attribute_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "rm/label/label_table.h"

namespace heddle::rm {
namespace {

bool with_points(std::string_view text) {
  std::string without(text);
  std::ranges::replace(without, '.', '-');
  return text.front() != '.' && is_label_name(without);
}

// The texts are Hadoop's, which speaks of a value where it means a prefix.
Result<void> check_texts(const NodeAttribute& attribute) {
  constexpr std::string_view kSays =
      "attribute {} should only contains {{0-9, a-z, A-Z, -, _{}}} and should not started with "
      "{{-,_}}, now it is= {}";
  const std::string& name = attribute.name;
  if (name.empty() || name.size() > AttributeTable::kTextMax) {
    return refuse_label("attribute name added is empty or exceeds 255 character(s)");
  }
  if (!is_label_name(name)) return refuse_label(fmt::format(kSays, "name", "", shortened(name)));
  const std::string& prefix = attribute.prefix;
  const std::string& value = attribute.value;
  if (prefix.size() > AttributeTable::kTextMax || value.size() > AttributeTable::kTextMax) {
    return refuse_label("Attribute value added exceeds 255 character(s)");
  }
  if (!prefix.empty() && !with_points(prefix)) {
    return refuse_label(fmt::format(kSays, "value", ",.", shortened(prefix)));
  }
  if (!value.empty() && !with_points(value)) {
    return refuse_label(fmt::format(kSays, "value", "", shortened(value)));
  }
  return {};
}

NodeAttribute trimmed(const NodeAttribute& attribute) {
  return {std::string(trim(attribute.prefix)), std::string(trim(attribute.name)),
          std::string(trim(attribute.value))};
}

}  // namespace

Result<void> AttributeTable::check_room(const std::string& host, std::size_t more) const {
  const auto known = hosts_.find(host);
  const std::size_t has = known == hosts_.end() ? 0 : known->second.size();
  if (has + more > kOfHostMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("host {} has {} attributes and is given {} more; {} are the most",
                            shortened(host), has, more, kOfHostMax),
                ErrorSubject::kLabel);
  }
  if (known == hosts_.end() && hosts_.size() >= kHostsMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} hosts have attributes, no more may", hosts_.size()),
                ErrorSubject::kLabel);
  }
  return {};
}

Result<AttributeChange> AttributeTable::map(const MapAttributes& request) {
  using Operation = MapAttributes::Operation;
  std::map<std::string, std::vector<NodeAttribute>> hosts;
  for (const auto& [host, asked] : request.hosts) {
    std::vector<NodeAttribute>& attributes = hosts[std::string(trim(host))];
    for (const NodeAttribute& one : asked) {
      attributes.push_back(trimmed(one));
      if (attributes.back().prefix == kCentralAttributes) continue;
      return refuse_label(
          fmt::format("Invalid Attribute Mapping for the node {}. Prefix should be {}",
                      shortened(host), kCentralAttributes));
    }
    RETURN_IF_ERROR(check_room(host, attributes.size()));
  }
  for (const auto& [host, attributes] : hosts) {
    for (const NodeAttribute& one : attributes) {
      RETURN_IF_ERROR(check_texts(one));
      if (request.operation != Operation::kRemove) continue;
      const auto known = hosts_.find(host);
      if (known != hosts_.end() && known->second.contains({one.prefix, one.name})) continue;
      return refuse_label(
          fmt::format("Node attribute [Prefix-{} :Name-{}] doesn't exist on node {}", one.prefix,
                      shortened(one.name), shortened(host)));
    }
  }
  AttributeChange change;
  for (const auto& [host, attributes] : hosts) {
    if (attributes.empty()) continue;  // as in Hadoop: nothing is said of it
    switch (request.operation) {
      case Operation::kReplace: replace(host, kCentralAttributes, attributes, change); break;
      case Operation::kAdd:
        for (const NodeAttribute& one : attributes)
          put(host, one, change);
        break;
      case Operation::kRemove:
        for (const NodeAttribute& one : attributes)
          take(host, {one.prefix, one.name}, change);
        break;
    }
  }
  return change;
}

Result<AttributeChange> AttributeTable::report(const NodeId& node,
                                               const std::vector<NodeAttribute>& told) {
  std::vector<NodeAttribute> attributes;
  for (const NodeAttribute& one : told) {
    attributes.push_back(trimmed(one));
    if (attributes.back().prefix == kNodeAttributes) continue;
    return refuse_label(
        fmt::format("Reject invalid node attributes from host: {}, attributes in HB must "
                    "have prefix {}",
                    to_string(node), kNodeAttributes));
  }
  for (const NodeAttribute& one : attributes)
    RETURN_IF_ERROR(check_texts(one));
  RETURN_IF_ERROR(check_room(node.host, attributes.size()));
  AttributeChange change;
  replace(node.host, kNodeAttributes, attributes, change);
  return change;
}

void AttributeTable::put(const std::string& host, const NodeAttribute& attribute,
                         AttributeChange& change) {
  const auto [at, fresh] =
      hosts_[host].try_emplace({attribute.prefix, attribute.name}, attribute.value);
  if (!fresh && at->second == attribute.value) return;
  at->second = attribute.value;
  change.rows.push_back({host, attribute.prefix, attribute.name, attribute.value});
}

void AttributeTable::take(const std::string& host, const Key& key, AttributeChange& change) {
  const auto known = hosts_.find(host);
  if (known == hosts_.end() || known->second.erase(key) == 0) return;
  if (known->second.empty()) hosts_.erase(known);
  change.rows.push_back({host, key.first, key.second, std::nullopt});
}

void AttributeTable::replace(const std::string& host, std::string_view prefix,
                             const std::vector<NodeAttribute>& attributes,
                             AttributeChange& change) {
  std::set<Key> gone;
  if (const auto known = hosts_.find(host); known != hosts_.end()) {
    for (const auto& [key, value] : known->second) {
      if (key.first == prefix) gone.insert(key);
    }
  }
  for (const NodeAttribute& one : attributes) {
    put(host, one, change);
    gone.erase({one.prefix, one.name});
  }
  for (const Key& key : gone)
    take(host, key, change);
}

void AttributeTable::restore(const std::vector<AttributeChange::Row>& rows) {
  for (const AttributeChange::Row& row : rows) {
    if (row.value) hosts_[row.host][{row.prefix, row.name}] = *row.value;
  }
}

std::vector<NodeAttribute> AttributeTable::of(const std::string& host) const {
  std::vector<NodeAttribute> out;
  const auto known = hosts_.find(host);
  if (known == hosts_.end()) return out;
  for (const auto& [key, value] : known->second)
    out.push_back({key.first, key.second, value});
  return out;
}

std::map<std::string, std::vector<NodeAttribute>> AttributeTable::all() const {
  std::map<std::string, std::vector<NodeAttribute>> out;
  for (const auto& [host, values] : hosts_)
    out.emplace(host, of(host));
  return out;
}

}  // namespace heddle::rm
