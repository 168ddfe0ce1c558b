// The record of a node.
#include "compat/rest/records.h"

namespace heddle::compat::rest {
namespace {

void write_utilization(Writer& out, const rm::NodeReport& node) {
  const auto& used = node.node_utilization;
  const auto& containers = node.containers_utilization;
  out.begin_object("resourceUtilization");
  out.number("nodePhysicalMemoryMB", used.physical_mb);
  out.number("nodeVirtualMemoryMB", used.virtual_mb);
  out.real("nodeCPUUsage", static_cast<double>(used.cpu));
  out.number("aggregatedContainersPhysicalMemoryMB", containers.physical_mb);
  out.number("aggregatedContainersVirtualMemoryMB", containers.virtual_mb);
  out.real("containersCPUUsage", static_cast<double>(containers.cpu));
  out.end_object();
}

void write_attributes(Writer& out, const rm::NodeReport& node) {
  out.begin_object("nodeAttributesInfo");
  if (!node.attributes.empty()) {
    out.begin_list("nodeAttributeInfo");
    for (const rm::NodeAttribute& attribute : node.attributes) {
      out.begin_object("");
      out.text("prefix", attribute.prefix);
      out.text("name", attribute.name);
      out.text("type", "STRING");
      out.text("value", attribute.value);
      out.end_object();
    }
    out.end_list();
  }
  out.end_object();
}

}  // namespace

void write_node(Writer& out, const rm::NodeReport& node, const RecordContext& context) {
  const ResourceTypes& types = context.reports.info().resource_types;
  const Resources free = node.total - node.used;
  const auto share = [](double part, std::int64_t whole) {
    return whole <= 0 ? 0.0F : static_cast<float>(100.0 * part / static_cast<double>(whole));
  };
  const auto& used = node.node_utilization;
  out.text("rack", node.rack);
  out.text("state", rm::to_string(node.state));
  out.text("id", to_string(node.id));
  out.text("nodeHostName", node.id.host);
  const bool gone = node.state == rm::NodeState::kLost || node.state == rm::NodeState::kRebooted ||
                    node.state == rm::NodeState::kDecommissioned;
  out.text("nodeHTTPAddress", gone ? "" : node.http_address);
  out.number("lastHealthUpdate", node.health.reported.ms);
  out.text("version", node.version);
  out.text("healthReport", node.health.report);
  out.number("numContainers", node.containers);
  out.number("usedMemoryMB", node.used.memory_mb());
  out.number("availMemoryMB", free.memory_mb());
  out.number("usedVirtualCores", node.used.vcores());
  out.number("availableVirtualCores", free.vcores());
  // The share of memory and cores in use on the machine; a node reports cores, not a percentage.
  out.real("memUtilization", share(static_cast<double>(used.physical_mb), node.total.memory_mb()));
  out.real("cpuUtilization", share(used.cpu, node.total.vcores()));
  out.number("numRunningOpportContainers", node.opportunistic.running);
  out.number("usedMemoryOpportGB", node.opportunistic.memory_mb / 1024);
  out.number("usedVirtualCoresOpport", node.opportunistic.vcores);
  out.number("numQueuedContainers", node.opportunistic.queued);
  if (!node.label.empty()) {
    out.begin_list("nodeLabels");
    out.text("", node.label);
    out.end_list();
  }
  out.begin_object("allocationTags");
  out.end_object();
  write_utilization(out, node);
  write_resource(out, "usedResource", node.used, types);
  write_resource(out, "availableResource", free, types);
  write_attributes(out, node);
  write_resource(out, "totalResource", node.total, types);
}

}  // namespace heddle::compat::rest
