// Node labels over REST: who has which, and changes of it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "compat/rest/rm_web.h"

namespace heddle::compat::rest {
namespace {

using Label = rm::LabelsReport::Label;

// These records are the old kind: numbers and truth values are texts, and a list of one is no list.
template <class Items, class Write>
void write_items(Writer& out, std::string_view name, const Items& items, Write write) {
  if (items.size() > 1) out.begin_list(name);
  for (const auto& item : items)
    write(items.size() > 1 ? std::string_view() : name, item);
  if (items.size() > 1) out.end_list();
}

void write_label(Writer& out, const Label& label) {
  out.text("name", label.name);
  out.flag_as_text("exclusivity", label.exclusive);
}

/// What the nodes of a partition offer together.
void write_partition(Writer& out, const Resources& total, const ResourceTypes& types) {
  out.begin_object("partitionInfo");
  write_text_resource(out, "resourceAvailable", total, types);
  out.end_object();
}

Label label_named(const rm::LabelsReport& report, const std::string& name) {
  for (const Label& label : report.labels) {
    if (label.name == name) return label;
  }
  Label unknown;
  unknown.name = name;
  return unknown;
}

void write_label_info(Writer& out, const Label& label) {
  out.begin_object("nodeLabelInfo");
  write_label(out, label);
  out.end_object();
}

void get_labels(const RmWeb& web, const ExchangePtr& exchange) {
  const ResourceTypes& types = web.door.reports.info().resource_types;
  const auto report = web.door.reports.labels();
  Writer out(exchange->format);
  out.begin_root("nodeLabelsInfo", false);
  write_items(out, "nodeLabelInfo", report->labels, [&](std::string_view name, const Label& one) {
    out.begin_object(name);
    write_label(out, one);
    write_partition(out, one.total, types);
    out.end_object();
  });
  out.end_root();
  send(*exchange, 200, out);
}

/// With the default partition, and how many nodes each has.
void get_active_labels(const RmWeb& web, const ExchangePtr& exchange) {
  const auto report = web.door.reports.labels();
  std::vector<Label> labels = {report->unlabelled};
  labels.front().name = "<DEFAULT_PARTITION>";
  labels.insert(labels.end(), report->labels.begin(), report->labels.end());
  const ResourceTypes& types = web.door.reports.info().resource_types;
  Writer out(exchange->format);
  out.begin_root("nodeLabelsInfo", false);
  write_items(out, "nodeLabelInfo", labels, [&](std::string_view name, const Label& one) {
    out.begin_object(name);
    write_label(out, one);
    write_partition(out, one.total, types);
    out.number_as_text("activeNMs", one.active_nodes);
    out.end_object();
  });
  out.end_root();
  send(*exchange, 200, out);
}

/// "host" or "host:port"; without a port, of the host.
Result<NodeId> node_or_host(const std::string& text) {
  if (text.find(':') != std::string::npos) return parse_node_id(text);
  auto id = parse_node_id(text + ":0");
  if (!id) return id;
  return NodeId{id->host, 0};
}

void get_node_labels(const RmWeb& web, const ExchangePtr& exchange) {
  const auto id = node_or_host(exchange->captures[0]);
  if (!id) {
    send_error(*exchange, id.error());
    return;
  }
  const auto report = web.door.reports.labels();
  auto found = report->nodes.find(*id);
  if (found == report->nodes.end() && web.door.reports.node(*id) == nullptr) {
    found = report->nodes.find(NodeId{id->host, 0});  // a node that is not here yet
  }
  Writer out(exchange->format);
  out.begin_root("nodeLabelsInfo", false);
  if (found != report->nodes.end()) write_label_info(out, label_named(*report, found->second));
  out.end_root();
  send(*exchange, 200, out);
}

/// A host after its nodes.
using Labelled = std::vector<std::pair<NodeId, std::string>>;
Labelled labelled_nodes(const rm::LabelsReport& report) {
  Labelled out(report.nodes.begin(), report.nodes.end());
  std::ranges::sort(out, {}, [](const auto& entry) {
    return std::tuple(entry.first.host, entry.first.port == 0, entry.first.port);
  });
  return out;
}

void get_node_to_labels(const RmWeb& web, const ExchangePtr& exchange) {
  const auto report = web.door.reports.labels();
  Writer out(exchange->format);
  out.begin_root("nodeToLabelsInfo", false);
  if (report->nodes.empty()) {
    out.null("nodeToLabels");
  } else {
    out.begin_object("nodeToLabels");
    write_items(out, "entry", labelled_nodes(*report), [&](std::string_view name, const auto& one) {
      out.begin_object(name);
      out.text("key", to_string(one.first));
      out.begin_object("value");
      write_label_info(out, label_named(*report, one.second));
      out.end_object();
      out.end_object();
    });
    out.end_object();
  }
  out.end_root();
  send(*exchange, 200, out);
}

/// Of a parameter that may be repeated.
std::set<std::string> distinct_values(const Exchange& exchange, std::string_view name) {
  std::set<std::string> out;
  for (const auto& [key, value] : exchange.request.query) {
    if (key == name) out.insert(value);
  }
  return out;
}

void get_label_mappings(const RmWeb& web, const ExchangePtr& exchange) {
  const std::set<std::string> wanted = distinct_values(*exchange, "labels");
  const auto report = web.door.reports.labels();
  std::map<std::string, std::vector<NodeId>> nodes;
  for (const auto& [node, name] : labelled_nodes(*report)) {
    if (wanted.empty() || wanted.contains(name)) nodes[name].push_back(node);
  }
  Writer out(exchange->format);
  out.begin_root("labelsToNodesInfo", false);
  if (nodes.empty()) {
    out.null("labelsToNodes");
  } else {
    out.begin_object("labelsToNodes");
    write_items(out, "entry", nodes, [&](std::string_view name, const auto& one) {
      const Label label = label_named(*report, one.first);
      out.begin_object(name);
      out.begin_object("key");
      write_label(out, label);
      out.end_object();
      out.begin_object("value");
      write_items(out, "nodes", one.second, [&](std::string_view field, const NodeId& node) {
        out.text(field, to_string(node));
      });
      write_partition(out, label.total, web.door.reports.info().resource_types);
      out.end_object();
      out.end_object();
    });
    out.end_object();
  }
  out.end_root();
  send(*exchange, 200, out);
}

/// Hadoop wraps the exception of its label manager, so its class is in the text.
rm::ReplyTo<void> answer_change(const ExchangePtr& exchange) {
  return [exchange](const Result<void>& reply) {
    if (reply) {
      send(*exchange, 200, std::string());
      return;
    }
    if (reply.error().subject != ErrorSubject::kLabel) {
      send_error(*exchange, reply.error());
      return;
    }
    send_refusal(*exchange,
                 {400, "BadRequestException", "org.apache.hadoop.yarn.webapp.BadRequestException",
                  "java.io.IOException: " + reply.error().message});
  };
}

void add_labels(const RmWeb& web, const ExchangePtr& exchange) {
  auto body = request_body(*exchange);
  std::vector<rm::NodeLabel> labels;
  if (body) {
    const Body* inner = body->find("nodeLabelsInfo");
    for (const Body* one : (inner != nullptr ? inner : &*body)->all("nodeLabelInfo")) {
      auto name = one->text_of("name");
      auto exclusive = one->flag_of("exclusivity", true);
      if (!name || !exclusive) {
        send_error(*exchange, name ? exclusive.error() : name.error());
        return;
      }
      labels.push_back({*std::move(name), *exclusive});
    }
  }
  if (!body) {
    send_error(*exchange, body.error());
    return;
  }
  web.door.admin.add_labels(exchange->caller, std::move(labels), answer_change(exchange));
}

void remove_labels(const RmWeb& web, const ExchangePtr& exchange) {
  web.door.admin.remove_labels(exchange->caller, distinct_values(*exchange, "labels"),
                               answer_change(exchange));
}

Result<rm::ReplaceLabels> mappings_from(const Body& body) {
  rm::ReplaceLabels out;
  const Body* inner = body.find("nodeToLabelsName");
  for (const Body* entry : (inner != nullptr ? inner : &body)->all("nodeToLabels")) {
    auto node = entry->text_of("nodeId");
    if (!node) return fail(std::move(node).error());
    auto id = node_or_host(*node);
    if (!id) return fail(std::move(id).error());
    std::set<std::string>& labels = out.nodes[*id];
    for (const Body* label : entry->all("labels"))
      labels.insert(label->text);
  }
  return out;
}

void replace_labels(const RmWeb& web, const ExchangePtr& exchange) {
  const auto body = request_body(*exchange);
  auto request = body ? mappings_from(*body) : Result<rm::ReplaceLabels>(fail(body.error()));
  if (!request) {
    send_error(*exchange, request.error());
    return;
  }
  web.door.admin.replace_labels(exchange->caller, *std::move(request), answer_change(exchange));
}

void replace_labels_of_node(const RmWeb& web, const ExchangePtr& exchange) {
  const auto id = node_or_host(exchange->captures[0]);
  if (!id) {
    send_error(*exchange, id.error());
    return;
  }
  rm::ReplaceLabels request;
  request.nodes[*id] = distinct_values(*exchange, "labels");
  web.door.admin.replace_labels(exchange->caller, std::move(request), answer_change(exchange));
}

}  // namespace

void add_rm_label_routes(Router& router, const RmWeb& web) {
  const auto add = [&](std::string_view method, const std::string& path, auto handler) {
    router.add(method, "/ws/v1/cluster" + path,
               [&web, handler](const ExchangePtr& exchange) { handler(web, exchange); });
  };
  add("GET", "/get-node-labels", get_labels);
  add("GET", "/get-rm-node-labels", get_active_labels);
  add("GET", "/nodes/{}/get-labels", get_node_labels);
  add("GET", "/get-node-to-labels", get_node_to_labels);
  add("GET", "/label-mappings", get_label_mappings);
  add("POST", "/add-node-labels", add_labels);
  add("POST", "/remove-node-labels", remove_labels);
  add("POST", "/replace-node-to-labels", replace_labels);
  add("POST", "/nodes/{}/replace-labels", replace_labels_of_node);
}

}  // namespace heddle::compat::rest
