// /node and the pages below it.
#include "base/text.h"
#include "compat/rest/nm_web.h"
#include "compat/rest/pages.h"
#include "compat/rest/records.h"

namespace heddle::compat::rest {
namespace {

void node_page(const NmWeb& web, const ExchangePtr& exchange) {
  const nm::NodeFacts facts = web.reports.facts();
  Page page(PageKind::kNode, "Node " + to_string(facts.id), web.options);
  page.tiles({{"Health", facts.health.healthy ? "healthy" : "unhealthy", facts.health.report},
              {"Memory for containers", memory_text(facts.total.memory_mb()), ""},
              {"Cores for containers", std::to_string(facts.total.vcores()), ""},
              {"Applications", std::to_string(web.reports.apps().size()), ""},
              {"Containers", std::to_string(web.reports.containers().size()), ""}});
  page.heading("About");
  page.facts({{"Started", cell_time(facts.started)},
              {"Last word from the ResourceManager", cell_time(facts.last_update)},
              {"Physical memory check", cell(facts.pmem_check ? "on" : "off")},
              {"Virtual memory check", cell(facts.vmem_check ? "on" : "off")},
              {"Speaks Hadoop", cell(kHadoopVersion)}});
  if (!web.services.empty()) {
    page.heading("Services");
    page.begin_table({"Name"});
    for (const nm::AuxService* service : web.services)
      page.row({cell(service->name())});
    page.end_table("none");
  }
  send_html(*exchange, 200, page.finish());
}

void apps_page(const NmWeb& web, const ExchangePtr& exchange) {
  Page page(PageKind::kNode, "Applications on this node", web.options);
  page.begin_table({"Application", "User", "State", "Containers"});
  for (const nm::AppStatus& app : web.reports.apps()) {
    page.row({cell(to_string(app.id)), cell(app.user), cell_state(nm::to_string(app.state)),
              cell(static_cast<std::int64_t>(app.containers.size()))});
  }
  page.end_table("no applications");
  send_html(*exchange, 200, page.finish());
}

void containers_page(const NmWeb& web, const ExchangePtr& exchange) {
  Page page(PageKind::kNode, "Containers on this node", web.options);
  page.begin_table({"Container", "User", "State", "Exit code", "Memory", "Cores", "Diagnostics"});
  for (const nm::ContainerStatus& container : web.reports.containers()) {
    page.row({link("/node/containerlogs/" + to_string(container.id) + "/" +
                       percent_encode(container.user),
                   to_string(container.id)),
              cell(container.user),
              cell_state(nm::to_string(container.state)),
              cell(container.exit_status),
              {memory_text(container.resources.memory_mb()), true},
              cell(container.resources.vcores()),
              cell(container.diagnostics)});
  }
  page.end_table("no containers");
  send_html(*exchange, 200, page.finish());
}

}  // namespace

void add_nm_pages(Router& router, const NmWeb& web) {
  const auto get = [&](const std::string& path, auto handler) {
    router.add("GET", path,
               [&web, handler](const ExchangePtr& exchange) { handler(web, exchange); });
  };
  get("/node", node_page);
  get("/node/node", node_page);
  get("/node/allApplications", apps_page);
  get("/node/allContainers", containers_page);
  router.add("GET", "/node/container/{}", [&web](const ExchangePtr& exchange) {
    const auto id = parse_container_id(exchange->captures[0]);
    const auto user = id ? web.reports.container_user(*id) : Result<std::string>(fail(id.error()));
    if (!user) {
      send_page_error(*exchange, refusal_for(user.error()).status, "Container",
                      user.error().message);
      return;
    }
    send_redirect(*exchange, 302,
                  "/node/containerlogs/" + to_string(*id) + "/" + percent_encode(*user));
  });
}

}  // namespace heddle::compat::rest
