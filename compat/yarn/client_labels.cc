#include <algorithm>

#include "compat/proto/yarn_service_protos.pb.h"
#include "compat/records/ids.h"
#include "compat/yarn/client_parts.h"
#include "compat/yarn/labels.h"

namespace heddle::compat::yarn {
namespace {

Result<pb::GetClusterNodeLabelsResponseProto> cluster_labels(
    const Context& context, const pb::GetClusterNodeLabelsRequestProto&) {
  pb::GetClusterNodeLabelsResponseProto out;
  const auto report = context.door.reports.labels();
  for (const auto& label : report->labels) {
    out.add_deprecatednodelabels(label.name);
    auto* entry = out.add_nodelabels();
    entry->set_name(label.name);
    entry->set_isexclusive(label.exclusive);
  }
  return out;
}

Result<pb::GetNodesToLabelsResponseProto> nodes_to_labels(const Context& context,
                                                          const pb::GetNodesToLabelsRequestProto&) {
  pb::GetNodesToLabelsResponseProto out;
  const auto report = context.door.reports.labels();
  for (const auto& [node, label] : report->nodes) {
    auto* entry = out.add_nodetolabels();
    compat::to_wire(node, entry->mutable_nodeid());
    entry->add_nodelabels(label);
  }
  return out;
}

Result<pb::GetLabelsToNodesResponseProto> labels_to_nodes(
    const Context& context, const pb::GetLabelsToNodesRequestProto& request) {
  const std::set<std::string> wanted(request.nodelabels().begin(), request.nodelabels().end());
  std::map<std::string, pb::LabelsToNodeIdsProto> found;
  const auto report = context.door.reports.labels();
  for (const auto& [node, label] : report->nodes) {
    if (!wanted.empty() && !wanted.contains(label)) continue;
    compat::to_wire(node, found[label].add_nodeid());
  }
  pb::GetLabelsToNodesResponseProto out;
  for (auto& [label, entry] : found) {
    entry.set_nodelabels(label);
    *out.add_labelstonodes() = std::move(entry);
  }
  return out;
}

using Key = std::pair<std::string, std::string>;  // prefix, name

void key_to_wire(const Key& key, pb::NodeAttributeKeyProto* wire) {
  wire->set_attributeprefix(key.first);
  wire->set_attributename(key.second);
}

Result<pb::GetClusterNodeAttributesResponseProto> cluster_attributes(
    const Context& context, const pb::GetClusterNodeAttributesRequestProto&) {
  std::set<Key> keys;
  const auto report = context.door.reports.attributes();
  for (const auto& [host, attributes] : report->hosts) {
    for (const rm::NodeAttribute& one : attributes)
      keys.emplace(one.prefix, one.name);
  }
  pb::GetClusterNodeAttributesResponseProto out;
  for (const Key& key : keys) {
    auto* entry = out.add_nodeattributes();
    key_to_wire(key, entry->mutable_attributekey());
    entry->set_attributetype(pb::STRING);
  }
  return out;
}

Result<pb::GetAttributesToNodesResponseProto> attributes_to_nodes(
    const Context& context, const pb::GetAttributesToNodesRequestProto& request) {
  std::set<Key> wanted;
  for (const auto& key : request.nodeattributes())
    wanted.emplace(key.attributeprefix(), key.attributename());
  std::map<Key, pb::AttributeToNodesProto> found;
  const auto report = context.door.reports.attributes();
  for (const auto& [host, attributes] : report->hosts) {
    for (const rm::NodeAttribute& one : attributes) {
      const Key key{one.prefix, one.name};
      if (!wanted.empty() && !wanted.contains(key)) continue;
      auto* entry = found[key].add_nodevaluemap();
      entry->set_hostname(host);
      entry->set_attributevalue(one.value);
    }
  }
  pb::GetAttributesToNodesResponseProto out;
  for (auto& [key, entry] : found) {
    key_to_wire(key, entry.mutable_nodeattribute());
    *out.add_attributestonodes() = std::move(entry);
  }
  return out;
}

Result<pb::GetNodesToAttributesResponseProto> nodes_to_attributes(
    const Context& context, const pb::GetNodesToAttributesRequestProto& request) {
  const std::set<std::string> wanted(request.hostnames().begin(), request.hostnames().end());
  pb::GetNodesToAttributesResponseProto out;
  const auto report = context.door.reports.attributes();
  for (const auto& [host, attributes] : report->hosts) {
    if (!wanted.empty() && !wanted.contains(host)) continue;
    auto* entry = out.add_nodestoattributes();
    entry->set_node(host);
    for (const rm::NodeAttribute& one : attributes)
      to_wire(one, entry->add_nodeattributes());
  }
  return out;
}

template <class Request, class Response>
void add(ipc::ProtocolService& service, const ContextPtr& context, std::string method,
         Result<Response> (*handler)(const Context&, const Request&)) {
  on_now<Request, Response>(service, std::move(method),
                            [context, handler](const ipc::CallContext&, const Request& request) {
                              return handler(*context, request);
                            });
}

}  // namespace

void add_label_methods(ipc::ProtocolService& service, const ContextPtr& context) {
  add(service, context, "getNodeToLabels", nodes_to_labels);
  add(service, context, "getLabelsToNodes", labels_to_nodes);
  add(service, context, "getClusterNodeLabels", cluster_labels);
  add(service, context, "getClusterNodeAttributes", cluster_attributes);
  add(service, context, "getAttributesToNodes", attributes_to_nodes);
  add(service, context, "getNodesToAttributes", nodes_to_attributes);
}

}  // namespace heddle::compat::yarn
