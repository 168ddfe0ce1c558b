// GET /ws/v1/node/...
#include <fmt/format.h>

#include "base/text.h"
#include "compat/rest/app_query.h"
#include "compat/rest/nm_web.h"
#include "compat/rest/records.h"

namespace heddle::compat::rest {
namespace {

void bad_id(const Exchange& exchange, const Error& error) {
  Refusal refusal = refusal_for(error);
  refusal.message = "java.lang.IllegalArgumentException: " + error.message;
  send_refusal(exchange, refusal);
}

void get_info(const NmWeb& web, const ExchangePtr& exchange) {
  const nm::NodeFacts facts = web.reports.facts();
  Writer out(exchange->format);
  out.begin_root("nodeInfo");
  out.text("healthReport", facts.health.report);
  // The virtual limit is the physical one times the ratio clients have always seen.
  out.number("totalVmemAllocatedContainersMB",
             static_cast<std::int64_t>(static_cast<double>(facts.total.memory_mb()) * 2.1));
  out.number("totalPmemAllocatedContainersMB", facts.total.memory_mb());
  out.number("totalVCoresAllocatedContainers", facts.total.vcores());
  out.flag("vmemCheckEnabled", facts.vmem_check);
  out.flag("pmemCheckEnabled", facts.pmem_check);
  out.number("lastNodeUpdateTime", facts.last_update.ms);
  out.text("resourceTypes", "memory-mb (unit=Mi), vcores");
  out.flag("nodeHealthy", facts.health.healthy);
  out.text("nodeManagerVersion", kHadoopVersion);
  out.text("nodeManagerBuildVersion", kBuildVersion);
  out.text("nodeManagerVersionBuiltOn", kBuiltOn);
  out.text("hadoopVersion", kHadoopVersion);
  out.text("hadoopBuildVersion", kBuildVersion);
  out.text("hadoopVersionBuiltOn", kBuiltOn);
  out.text("id", to_string(facts.id));
  out.text("nodeHostName", facts.id.host);
  out.number("nmStartupTime", facts.started.ms);
  out.end_root();
  send(*exchange, 200, out);
}

void write_app(Writer& out, const nm::AppStatus& app) {
  out.text("id", to_string(app.id));
  out.text("state", nm::to_string(app.state));
  out.text("user", app.user);
  if (app.containers.empty()) return;
  out.begin_list("containerids");
  for (const ContainerId& id : app.containers)
    out.text("", to_string(id));
  out.end_list();
}

void get_apps(const NmWeb& web, const ExchangePtr& exchange) {
  const std::string* state = exchange->request.query_value("state");
  const std::string* user = exchange->request.query_value("user");
  if (state != nullptr) {
    const std::string upper = to_upper(*state);
    bool known = false;
    for (int i = 0; i <= static_cast<int>(nm::AppState::kFinished); ++i) {
      known = known || nm::to_string(static_cast<nm::AppState>(i)) == upper;
    }
    if (!known) {
      bad_id(*exchange, {ErrorCode::kInvalidArgument,
                         fmt::format("No enum constant org.apache.hadoop.yarn.server.nodemanager."
                                     "containermanager.application.ApplicationState.{}",
                                     shortened(*state))});
      return;
    }
  }
  if (user != nullptr && user->empty()) {
    send_error(*exchange, {ErrorCode::kInvalidArgument,
                           "Error: You must specify a non-empty string for the user"});
    return;
  }
  std::vector<nm::AppStatus> apps = web.reports.apps();
  std::erase_if(apps, [&](const nm::AppStatus& app) {
    return (state != nullptr && nm::to_string(app.state) != to_upper(*state)) ||
           (user != nullptr && app.user != *user);
  });
  Writer out(exchange->format);
  out.begin_root("apps");
  if (!apps.empty()) {
    out.begin_list("app");
    for (const nm::AppStatus& app : apps) {
      out.begin_object("");
      write_app(out, app);
      out.end_object();
    }
    out.end_list();
  }
  out.end_root();
  send(*exchange, 200, out);
}

void get_app(const NmWeb& web, const ExchangePtr& exchange) {
  const std::string& text = exchange->captures[0];
  const auto id = parse_app_id(text);
  if (!id) {
    bad_id(*exchange, id.error());
    return;
  }
  for (const nm::AppStatus& app : web.reports.apps()) {
    if (app.id != *id) continue;
    Writer out(exchange->format);
    out.begin_root("app");
    write_app(out, app);
    out.end_root();
    send(*exchange, 200, out);
    return;
  }
  send_not_found(*exchange, fmt::format("app with id {} not found", text));
}

void write_container(Writer& out, const nm::ContainerStatus& container, const NmWeb& web) {
  const nm::NodeFacts facts = web.reports.facts();
  out.text("id", to_string(container.id));
  out.text("state", nm::to_string(container.state));
  out.number("exitCode", container.exit_status);
  out.text("diagnostics", container.diagnostics);
  out.text("user", container.user);
  out.number("totalMemoryNeededMB", container.resources.memory_mb());
  out.number("totalVCoresNeeded", container.resources.vcores());
  out.text("executionType", container.opportunistic ? "OPPORTUNISTIC" : "GUARANTEED");
  out.text("containerLogsLink",
           container_log_url(facts.http_address, container.id, container.user));
  out.text("nodeId", to_string(facts.id));
  const auto files = web.reports.log_files(container.id);
  if (!files || files->empty()) return;
  out.begin_list("containerLogFiles");
  for (const nm::LogFile& file : *files)
    out.text("", file.name);
  out.end_list();
}

void get_containers(const NmWeb& web, const ExchangePtr& exchange) {
  const auto containers = web.reports.containers();
  Writer out(exchange->format);
  out.begin_root("containers");
  if (!containers.empty()) {
    out.begin_list("container");
    for (const nm::ContainerStatus& container : containers) {
      out.begin_object("");
      write_container(out, container, web);
      out.end_object();
    }
    out.end_list();
  }
  out.end_root();
  send(*exchange, 200, out);
}

void get_container(const NmWeb& web, const ExchangePtr& exchange) {
  const std::string& text = exchange->captures[0];
  const auto id = parse_container_id(text);
  if (!id) {
    send_error(*exchange, {ErrorCode::kInvalidArgument,
                           fmt::format("invalid container id, {}", shortened(text))});
    return;
  }
  for (const nm::ContainerStatus& container : web.reports.containers()) {
    if (container.id != *id) continue;
    Writer out(exchange->format);
    out.begin_root("container");
    write_container(out, container, web);
    out.end_root();
    send(*exchange, 200, out);
    return;
  }
  send_not_found(*exchange, fmt::format("container with id, {}, not found", text));
}

}  // namespace

void add_nm_routes(Router& router, const NmWeb& web) {
  const auto get = [&](const std::string& path, auto handler) {
    router.add("GET", "/ws/v1/node" + path,
               [&web, handler](const ExchangePtr& exchange) { handler(web, exchange); });
  };
  get("", get_info);
  get("/info", get_info);
  get("/apps", get_apps);
  get("/apps/{}", get_app);
  get("/containers", get_containers);
  get("/containers/{}", get_container);
  get("/auxiliaryservices", [](const NmWeb&, const ExchangePtr& exchange) {
    send_error(*exchange, {ErrorCode::kUnsupported, "Auxiliary services manifest is not enabled"});
  });
  get("/resources/{*}", [](const NmWeb&, const ExchangePtr& exchange) {
    Writer out(exchange->format);
    out.begin_root("nmResourceInfo", false);
    out.end_root();
    send(*exchange, 200, out);
  });
}

}  // namespace heddle::compat::rest
