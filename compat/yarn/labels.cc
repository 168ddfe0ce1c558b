#include "compat/yarn/labels.h"

#include <fmt/core.h>

#include "base/text.h"
#include "compat/records/ids.h"

namespace heddle::compat::yarn {
namespace {

Result<void> check_count(std::string_view what, int count, int most) {
  if (count <= most) return {};
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("{} {} in one request, at most {} are taken", count, what, most),
              ErrorSubject::kLabel);
}

rm::NodeAttribute attribute_from_wire(const pb::NodeAttributeProto& wire) {
  return {wire.attributekey().attributeprefix(), wire.attributekey().attributename(),
          wire.attributevalue()};
}

rm::MapAttributes::Operation operation_from_wire(pb::AttributeMappingOperationTypeProto wire) {
  using Operation = rm::MapAttributes::Operation;
  switch (wire) {
    case pb::REPLACE: return Operation::kReplace;
    case pb::ADD: return Operation::kAdd;
    case pb::REMOVE: return Operation::kRemove;
  }
  return Operation::kReplace;
}

}  // namespace

Result<std::vector<rm::NodeLabel>> labels_from_wire(
    const pb::AddToClusterNodeLabelsRequestProto& wire) {
  RETURN_IF_ERROR(check_count("node labels",
                              std::max(wire.nodelabels_size(), wire.deprecatednodelabels_size()),
                              kLabelsInMessage));
  std::vector<rm::NodeLabel> out;
  for (const auto& label : wire.nodelabels())
    out.push_back({label.name(), label.isexclusive()});
  if (!out.empty()) return out;
  for (const std::string& name : wire.deprecatednodelabels())  // of clients before 2.8
    out.push_back({name, true});
  return out;
}

Result<std::set<std::string>> label_names_from_wire(
    const pb::RemoveFromClusterNodeLabelsRequestProto& wire) {
  RETURN_IF_ERROR(check_count("node labels", wire.nodelabels_size(), kLabelsInMessage));
  return std::set<std::string>(wire.nodelabels().begin(), wire.nodelabels().end());
}

Result<rm::ReplaceLabels> replace_labels_from_wire(
    const pb::ReplaceLabelsOnNodeRequestProto& wire) {
  RETURN_IF_ERROR(check_count("nodes", wire.nodetolabels_size(), kLabelledNodesMax));
  rm::ReplaceLabels out;
  out.fail_on_unknown_nodes = wire.failonunknownnodes();
  for (const auto& entry : wire.nodetolabels()) {
    auto node = node_id_from_wire(entry.nodeid());
    if (!node) return fail(std::move(node).error());
    RETURN_IF_ERROR(check_count("labels of a node", entry.nodelabels_size(), kLabelsInMessage));
    out.nodes[*node] = {entry.nodelabels().begin(), entry.nodelabels().end()};
  }
  return out;
}

Result<rm::MapAttributes> map_attributes_from_wire(
    const pb::NodesToAttributesMappingRequestProto& wire) {
  RETURN_IF_ERROR(check_count("nodes", wire.nodetoattributes_size(), kLabelledNodesMax));
  rm::MapAttributes out;
  out.operation = operation_from_wire(wire.operation());
  out.fail_on_unknown_nodes = wire.failonunknownnodes();
  for (const auto& entry : wire.nodetoattributes()) {
    RETURN_IF_ERROR(
        check_count("attributes of a node", entry.nodeattributes_size(), kLabelsInMessage));
    auto& attributes = out.hosts[entry.node()];
    for (const auto& attribute : entry.nodeattributes())
      attributes.push_back(attribute_from_wire(attribute));
  }
  return out;
}

Result<std::set<std::string>> labels_from_wire(const pb::NodeLabelsProto& wire) {
  RETURN_IF_ERROR(check_count("labels of a node", wire.nodelabels_size(), kLabelsInMessage));
  std::set<std::string> out;
  for (const auto& label : wire.nodelabels())
    out.insert(label.name());
  return out;
}

Result<std::vector<rm::NodeAttribute>> attributes_from_wire(const pb::NodeAttributesProto& wire) {
  RETURN_IF_ERROR(
      check_count("attributes of a node", wire.nodeattributes_size(), kLabelsInMessage));
  std::vector<rm::NodeAttribute> out;
  for (const auto& attribute : wire.nodeattributes())
    out.push_back(attribute_from_wire(attribute));
  return out;
}

void to_wire(const rm::NodeAttribute& attribute, pb::NodeAttributeProto* wire) {
  auto* key = wire->mutable_attributekey();
  key->set_attributeprefix(attribute.prefix);
  key->set_attributename(attribute.name);
  wire->set_attributetype(pb::STRING);
  wire->set_attributevalue(attribute.value);
}

}  // namespace heddle::compat::yarn
