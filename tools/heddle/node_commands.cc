#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/ids.h"
#include "base/text.h"
#include "tools/heddle/commands.h"
#include "tools/heddle/json_view.h"

namespace heddle::cli {
namespace {

constexpr const char* kAllStates =
    "NEW,RUNNING,UNHEALTHY,DECOMMISSIONED,LOST,REBOOTED,DECOMMISSIONING,SHUTDOWN";

const std::vector<Column>& node_columns() {
  static const std::vector<Column> kColumns = {{"id", "ID"},
                                               {"state", "STATE"},
                                               {"rack", "RACK", true},
                                               {"http_address", "WEB ADDRESS"},
                                               {"containers", "CONTAINERS", false, true},
                                               {"memory_used_mb", "MEMORY USED", false, true},
                                               {"memory_total_mb", "MEMORY", false, true},
                                               {"vcores_used", "VCORES USED", false, true},
                                               {"vcores_total", "VCORES", false, true},
                                               {"version", "VERSION", true},
                                               {"last_health_update_ms", "HEALTH AT", true},
                                               {"health", "HEALTH", true}};
  return kColumns;
}

std::vector<Cell> node_row(const Json& node) {
  const auto text = [&](std::string_view name) { return text_cell(text_of(node, name)); };
  const std::int64_t used_mb = int_of(node, "usedMemoryMB");
  const std::int64_t used_cores = int_of(node, "usedVirtualCores");
  return {text("id"),
          text("state"),
          text("rack"),
          text("nodeHTTPAddress"),
          number_cell(int_of(node, "numContainers")),
          megabytes_cell(used_mb),
          megabytes_cell(used_mb + int_of(node, "availMemoryMB")),
          number_cell(used_cores),
          number_cell(used_cores + int_of(node, "availableVirtualCores")),
          text("version"),
          time_cell(int_of(node, "lastHealthUpdate")),
          text("healthReport")};
}

}  // namespace

Outcome<int> list_nodes(Session& session) {
  const Options& options = session.options;
  const std::string states = options.all ? kAllStates : "RUNNING";
  const auto answer = session.client.get("/nodes" + query_text({{"states", states}}));
  if (!answer) return stop(answer.error());
  Listing listing{.schema = "heddle.node.list/1", .columns = node_columns(), .rows = {}};
  auto nodes = items_of(member(*answer, {"nodes", "node"}));
  std::ranges::stable_sort(nodes, {}, [](const Json* node) { return text_of(*node, "id"); });
  for (const Json* node : nodes)
    listing.rows.push_back(node_row(*node));
  return show(session, listing);
}

Outcome<int> show_node(Session& session) {
  const std::string& id = session.options.ids.front();
  if (const auto parsed = parse_node_id(id); !parsed) {
    return stop(kExitUsage, parsed.error().message,
                "a node's id is host:port; `heddle node list --all` shows them");
  }
  const auto answer = session.client.get("/nodes/" + percent_encode(id));
  if (!answer) return stop(answer.error());
  return show(session, {.schema = "heddle.node/1",
                        .columns = node_columns(),
                        .rows = {node_row(member(*answer, "node"))},
                        .single = true});
}

}  // namespace heddle::cli
