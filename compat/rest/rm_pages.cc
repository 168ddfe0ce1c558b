// /cluster and the pages below it.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "compat/rest/app_query.h"
#include "compat/rest/pages.h"
#include "compat/rest/rm_web.h"

namespace heddle::compat::rest {
namespace {

constexpr std::size_t kRowsMax = 500;
constexpr std::size_t kNodesMax = 5000;
constexpr std::size_t kOverviewRows = 20;  // of each list on the first page

double ratio(std::int64_t value) {
  return static_cast<double>(value);
}

Page::Tile share_tile(std::string label, std::int64_t used, std::int64_t total, std::string value,
                      std::string note) {
  return {std::move(label), std::move(value), std::move(note), ratio(used), ratio(total)};
}

void add_cluster_tiles(Page& page, const RmWeb& web) {
  const rm::ClusterMetrics m = web.door.reports.metrics();
  const auto text = [](std::int64_t value) { return std::to_string(value); };
  page.tiles({
      {"Applications running", text(m.apps_running), text(m.apps_pending) + " waiting"},
      {"Applications ended", text(m.apps_completed),
       fmt::format("{} failed, {} killed", m.apps_failed, m.apps_killed)},
      share_tile("Memory in use", m.allocated.memory_mb(), m.total.memory_mb(),
                 memory_text(m.allocated.memory_mb()), "of " + memory_text(m.total.memory_mb())),
      share_tile("Cores in use", m.allocated.vcores(), m.total.vcores(), text(m.allocated.vcores()),
                 "of " + text(m.total.vcores())),
      {"Containers", text(m.containers_allocated),
       fmt::format("{} wanted, {} reserved", m.containers_pending, m.containers_reserved)},
      {"Nodes active", text(m.nodes_active),
       fmt::format("{} lost, {} unhealthy, {} draining", m.nodes_lost, m.nodes_unhealthy,
                   m.nodes_decommissioning)},
  });
}

Cell app_link(const AppId& id) {
  return link("/cluster/app/" + to_string(id), to_string(id));
}

/// The state, and under it how it ended.
Cell app_state(const rm::AppReport& app) {
  Cell state = cell_state(public_state(app));
  const std::string_view ended = rm::to_string(app.final_status);
  if (app.final_status != rm::FinalStatus::kUndefined && ended != public_state(app)) {
    state.html += "<small>" + cell_state(ended).html + "</small>";
  }
  return state;
}

// The newest first, one more than `rows_max` if there are more.
std::vector<rm::AppReportPtr> newest(const RmWeb& web, AppQuery query, std::size_t rows_max) {
  query.filter.newest_first = true;
  const auto wanted = std::min(query.limit, static_cast<std::int64_t>(rows_max) + 1);
  std::vector<rm::AppReportPtr> apps;
  std::optional<AppId> last;
  while (static_cast<std::int64_t>(apps.size()) < wanted) {
    auto page = query.next(web.door.reports, last);
    if (page.empty()) break;
    apps.insert(apps.end(), page.begin(), page.end());
  }
  apps.resize(std::min(apps.size(), static_cast<std::size_t>(wanted)));
  return apps;
}

void add_app_table(Page& page, const std::vector<rm::AppReportPtr>& apps, std::size_t rows_max,
                   WallTime now) {
  page.begin_table({"Application", "Name", "User", "Queue", "State", "Progress", "Memory",
                    "Containers", "Started", "Duration"});
  for (std::size_t i = 0; i < apps.size() && i < rows_max; ++i) {
    const rm::AppReport& app = *apps[i];
    const bool gone = rm::is_final(app.state);
    const float progress = gone ? 100 : app.progress * 100;
    page.row({app_link(app.id),
              cell(shortened(app.name, 60)),
              cell(app.user),
              cell(app.queue),
              app_state(app),
              cell_bar(progress, 100, fmt::format("{:.0f} %", progress)),
              {gone ? "" : memory_text(app.usage.used.memory_mb()), true},
              {gone ? "" : std::to_string(app.usage.used_containers), true},
              cell_time(app.started),
              {duration_text((gone ? app.finished.ms : now.ms) - app.started.ms), true}});
  }
  page.end_table("no applications");
  if (apps.size() > rows_max) {
    page.note(fmt::format("The newest {}. All of them: /ws/v1/cluster/apps", rows_max));
  }
}

void add_node_table(Page& page, const std::vector<rm::NodeReportPtr>& nodes, std::size_t rows_max) {
  page.begin_table({"Node", "State", "Label", "Rack", "Containers", "Memory", "Cores",
                    "Last health report", "Version", "Health"});
  for (std::size_t i = 0; i < nodes.size() && i < rows_max; ++i) {
    const rm::NodeReport& node = *nodes[i];
    page.row({outside_link("http://" + node.http_address, to_string(node.id)),
              cell_state(rm::to_string(node.state)), cell(node.label), cell(node.rack),
              cell(node.containers),
              cell_bar(ratio(node.used.memory_mb()), ratio(node.total.memory_mb()),
                       memory_text(node.used.memory_mb()) + " of " +
                           memory_text(node.total.memory_mb())),
              cell_bar(ratio(node.used.vcores()), ratio(node.total.vcores()),
                       fmt::format("{} of {}", node.used.vcores(), node.total.vcores())),
              cell_time(node.health.reported), cell(node.version),
              cell(shortened(node.health.report, 200))});
  }
  page.end_table("no nodes have registered");
  if (nodes.size() > rows_max) {
    page.note(fmt::format("{} of {}. All of them: /ws/v1/cluster/nodes", rows_max, nodes.size()));
  }
}

/// The queue and all below it, while there are rows left.
void add_queue_rows(Page& page, const rm::QueueReport& queue, std::size_t& rows_left) {
  if (rows_left == 0) return;
  --rows_left;
  const auto percent = [](float share) { return fmt::format("{:.1f} %", share * 100); };
  page.row({cell(queue.path.value()),
            cell_state(queue.running ? "RUNNING" : "STOPPED"),
            {percent(queue.absolute_capacity), true},
            {percent(queue.absolute_max_capacity), true},
            cell_bar(queue.absolute_used_capacity, std::max(queue.absolute_max_capacity, 0.0001F),
                     percent(queue.absolute_used_capacity) + " of the cluster"),
            {memory_text(queue.used.memory_mb()), true},
            cell(queue.used.vcores()),
            cell(queue.active_apps),
            cell(queue.pending_apps),
            cell(queue.containers)});
  for (const rm::QueueReport& child : queue.children)
    add_queue_rows(page, child, rows_left);
}

void add_queue_table(Page& page, const RmWeb& web, std::size_t rows_max) {
  const auto config = web.door.queue_config == nullptr ? rm::QueueConfigState()
                                                       : web.door.queue_config->queue_config();
  if (!config.fault.empty()) {
    page.paragraph(
        html_escape(fmt::format("capacity-scheduler.xml is broken: version {} of the queues, which "
                                "served last, goes on. {}",
                                config.version.number, shortened(config.fault, 2000))));
  }
  page.begin_table({"Queue", "State", "Guaranteed", "At most", "In use", "Memory", "Cores",
                    "Running", "Waiting", "Containers"});
  std::size_t rows_left = rows_max;
  if (const auto root = web.door.reports.queues(); root) add_queue_rows(page, *root, rows_left);
  page.end_table("no queues");
  if (rows_left == 0) page.note(fmt::format("At most {} queues are shown here.", rows_max));
}

void cluster_page(const RmWeb& web, const ExchangePtr& exchange) {
  const rm::ClusterInfo& info = web.door.reports.info();
  Page page(PageKind::kCluster, "Cluster", web.options);
  add_cluster_tiles(page, web);
  page.heading("Newest applications");
  add_app_table(page, newest(web, {}, kOverviewRows), kOverviewRows, web.context().now);
  page.heading("Queues");
  add_queue_table(page, web, kOverviewRows);
  page.heading("Nodes");
  add_node_table(page, web.door.reports.nodes({}), kOverviewRows);
  page.heading("About");
  page.facts({{"Cluster started", cell_time(WallTime{info.started_ms})},
              {"State store", cell(info.store_name)},
              {"Smallest allocation", cell(to_string(info.minimum_allocation))},
              {"Largest allocation", cell(to_string(info.maximum_allocation))},
              {"Speaks Hadoop", cell(kHadoopVersion)}});
  send_html(*exchange, 200, page.finish());
}

void apps_page(const RmWeb& web, const ExchangePtr& exchange) {
  net::HttpQuery query = exchange->request.query;
  const std::string state = exchange->captures.empty() ? "" : to_upper(exchange->captures[0]);
  if (!state.empty()) query.emplace_back("states", state);
  const auto parsed = parse_app_query(query);
  if (!parsed) {
    send_page_error(*exchange, 400, "Applications", parsed.error().message);
    return;
  }
  Page page(PageKind::kCluster, "Applications", web.options);
  std::vector<std::pair<std::string, std::string>> choices = {{"/cluster/apps", "all"}};
  for (const auto* name : {"ACCEPTED", "RUNNING", "FINISHED", "FAILED", "KILLED"}) {
    choices.emplace_back(std::string("/cluster/apps/") + name, to_lower(name));
  }
  page.links(choices, state.empty() ? "all" : to_lower(state));
  add_app_table(page, newest(web, *parsed, kRowsMax), kRowsMax, web.context().now);
  send_html(*exchange, 200, page.finish());
}

void add_attempts(Page& page, const RmWeb& web, const AppId& id) {
  page.heading("Attempts");
  page.begin_table({"Attempt", "State", "Started", "Ended", "Node", "Logs", "Diagnostics"});
  for (const auto& attempt : web.door.reports.attempts(id)) {
    const bool placed = attempt->master_container && !attempt->master_node_http.empty();
    page.row({cell(to_string(attempt->id)), cell_state(rm::to_string(attempt->state)),
              cell_time(attempt->started), cell_time(attempt->finished),
              cell(attempt->master_node.host.empty() ? "" : to_string(attempt->master_node)),
              placed ? outside_link(container_log_url(attempt->master_node_http,
                                                      *attempt->master_container, attempt->user),
                                    "logs")
                     : Cell{},
              cell(shortened(attempt->diagnostics, 400))});
  }
  page.end_table("no attempts yet");
}

void add_containers(Page& page, const RmWeb& web, const AttemptId& id) {
  page.heading("Containers");
  page.begin_table({"Container", "State", "Node", "Memory", "Cores", "Started", "Logs"});
  std::size_t rows = 0;
  for (const auto& container : web.door.reports.containers(id)) {
    if (++rows > kRowsMax) break;
    page.row({cell(to_string(container->id)),
              cell_state(rm::to_string(container->state)),
              cell(to_string(container->node)),
              {memory_text(container->resources.memory_mb()), true},
              cell(container->resources.vcores()),
              cell_time(container->created),
              outside_link(
                  container_log_url(container->node_http_address, container->id, container->user),
                  "logs")});
  }
  page.end_table("no containers");
}

void app_page(const RmWeb& web, const ExchangePtr& exchange) {
  const auto id = parse_app_id(exchange->captures[0]);
  const auto app = id ? web.door.reports.app(*id) : nullptr;
  if (!app) {
    send_page_error(*exchange, id ? 404 : 400, "Application",
                    id ? "There is no application " + exchange->captures[0] : id.error().message);
    return;
  }
  const WallTime now = web.context().now;
  const bool gone = rm::is_final(app->state);
  Page page(PageKind::kCluster, app->name.empty() ? to_string(app->id) : shortened(app->name),
            web.options);
  if (!app->diagnostics.empty()) page.preformatted(app->diagnostics);
  const std::string url =
      app->original_tracking_url.empty() ? "" : "/proxy/" + to_string(app->id) + "/";
  page.facts(
      {{"Application", cell(to_string(app->id))},
       {"State", cell_state(public_state(*app))},
       {"Final status", cell_state(rm::to_string(app->final_status))},
       {"User", cell(app->user)},
       {"Queue", cell(app->queue)},
       {"Type", cell(app->type)},
       {"Tags", cell(fmt::format("{}", fmt::join(app->tags, ", ")))},
       {"Priority", cell(std::to_string(app->priority))},
       {"Started", cell_time(app->started)},
       {"Ended", cell_time(app->finished)},
       {"Duration", cell(duration_text((gone ? app->finished.ms : now.ms) - app->started.ms))},
       {"Its own page", url.empty() ? cell("none yet") : link(url, tracking_ui(*app))},
       {"In use", cell(to_string(app->usage.used))},
       {"Used in all",
        cell(fmt::format("{} MB-seconds, {} vcore-seconds", app->usage.seconds.amount[kMemory],
                         app->usage.seconds.amount[kVcores]))},
       {"Log aggregation", cell(app->log_aggregation_status)}});
  if (!app->asks.empty()) {
    page.heading("Waiting for");
    page.begin_table({"Priority", "Where", "Each", "Containers"});
    for (const rm::Ask& ask : app->asks) {
      page.row({cell(ask.priority), cell(ask.resource_name), cell(to_string(ask.resources)),
                cell(ask.containers)});
    }
    page.end_table("nothing");
  }
  add_attempts(page, web, app->id);
  if (app->current_attempt) add_containers(page, web, *app->current_attempt);
  send_html(*exchange, 200, page.finish());
}

void nodes_page(const RmWeb& web, const ExchangePtr& exchange) {
  Page page(PageKind::kCluster, "Nodes", web.options);
  add_node_table(page, web.door.reports.nodes({}), kNodesMax);
  send_html(*exchange, 200, page.finish());
}

void scheduler_page(const RmWeb& web, const ExchangePtr& exchange) {
  Page page(PageKind::kCluster, "Queues", web.options);
  add_queue_table(page, web, kNodesMax);
  send_html(*exchange, 200, page.finish());
}

void labels_page(const RmWeb& web, const ExchangePtr& exchange) {
  const auto report = web.door.reports.labels();
  Page page(PageKind::kCluster, "Node labels", web.options);
  page.begin_table({"Label", "Kind", "Active nodes", "Memory", "Cores"});
  const auto row = [&](const std::string& name, const rm::LabelsReport::Label& label) {
    page.row({cell(name),
              cell(label.exclusive ? "Exclusive Partition" : "Non Exclusive Partition"),
              cell(label.active_nodes),
              {memory_text(label.total.memory_mb()), true},
              cell(label.total.vcores())});
  };
  row("<DEFAULT_PARTITION>", report->unlabelled);
  for (const auto& label : report->labels)
    row(label.name, label);
  page.end_table("no labels");
  send_html(*exchange, 200, page.finish());
}

void failure_page(const ExchangePtr& exchange) {
  send_page_error(*exchange, 200, "The application sent the proxy back",
                  "The application " + exchange->captures[0] +
                      " answered the proxy with a redirect to the proxy. It does not take this "
                      "machine for its proxy host: check yarn.web-proxy.address and "
                      "yarn.resourcemanager.hostname where the application runs.");
}

}  // namespace

void add_rm_pages(Router& router, const RmWeb& web) {
  const auto get = [&](const std::string& path, auto handler) {
    router.add("GET", path,
               [&web, handler](const ExchangePtr& exchange) { handler(web, exchange); });
  };
  get("/cluster", cluster_page);
  get("/cluster/cluster", cluster_page);
  get("/cluster/apps", apps_page);
  get("/cluster/apps/{}", apps_page);
  get("/cluster/app/{}", app_page);
  get("/cluster/nodes", nodes_page);
  get("/cluster/nodelabels", labels_page);
  get("/cluster/scheduler", scheduler_page);
  router.add("GET", "/cluster/failure/{}", failure_page);
  router.add("GET", "/cluster/appattempt/{}", [](const ExchangePtr& exchange) {
    const auto id = parse_attempt_id(exchange->captures[0]);
    if (!id) {
      send_page_error(*exchange, 400, "Attempt", id.error().message);
      return;
    }
    send_redirect(*exchange, 302, "/cluster/app/" + to_string(id->app));
  });
}

}  // namespace heddle::compat::rest
