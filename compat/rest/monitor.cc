#include "compat/rest/monitor.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "base/text.h"
#include "compat/rest/pages.h"
#include "compat/xml/write.h"

namespace heddle::compat::rest {
namespace {

void send_as(const Exchange& exchange, int status, std::string type, std::string text) {
  auto response = with_common_headers(exchange, status, std::move(type));
  response.body = std::move(text);
  exchange.responder->respond(std::move(response));
}

void get_conf(const WebOptions& options, const ExchangePtr& exchange) {
  static const Settings kNone;
  const Settings& settings = options.settings == nullptr ? kNone : *options.settings;
  const std::string* name = exchange->request.query_value("name");
  if (name != nullptr && !name->empty() && settings.find(*name) == nullptr) {
    send_as(*exchange, 404, "text/plain;charset=utf-8",
            fmt::format("Property {} not found", shortened(*name)));
    return;
  }
  const std::string only = name == nullptr ? "" : *name;
  // Only Accept decides, and XML is the default.
  const std::string accept = to_lower(exchange->request.headers.get("Accept"));
  if (accept.find("application/json") != std::string::npos) {
    send_as(*exchange, 200, "application/json;charset=utf-8", conf_json(settings, only));
  } else {
    send_as(*exchange, 200, "text/xml;charset=utf-8", xml::to_xml(settings, only));
  }
}

// What the kernel knows of the threads: name, state and where they wait.
std::string thread_list() {
  std::string out = "Threads of this process\n\n";
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const auto first_line = [&](const char* file) {
      std::ifstream in(task.path() / file);
      std::string line;
      std::getline(in, line);
      return line;
    };
    const std::string stat = first_line("stat");
    const auto close = stat.rfind(')');
    const std::string state =
        close == std::string::npos || close + 2 >= stat.size() ? "?" : stat.substr(close + 2, 1);
    out += fmt::format("Thread {} ({})\n  State: {}\n  Waits in: {}\n\n",
                       task.path().filename().string(), first_line("comm"), state,
                       first_line("wchan"));
  }
  return out;
}

void log_level(const ExchangePtr& exchange) {
  const std::string* level = exchange->request.query_value("level");
  if (level != nullptr) {
    send_page_error(*exchange, 405, "Log level",
                    "Changing the level over HTTP is not supported yet.");
    return;
  }
  const std::string_view shown = log::enabled(log::Level::kDebug) ? "DEBUG" : "INFO";
  const std::string* name = exchange->request.query_value("log");
  if (name == nullptr || name->empty()) {
    send_page_error(*exchange, 200, "Log level", shown);
    return;
  }
  // There is one level for all names. `yarn daemonlog` prints the lines that begin with the mark.
  Page page(PageKind::kCluster, "Log level", *exchange->options);
  page.paragraph(
      fmt::format("{0}Submitted Class Name: <b>{1}</b><br>{0}Effective Level: <b>{2}</b>\n",
                  "\n<!-- OUTPUT -->", html_escape(shortened(*name)), shown));
  send_html(*exchange, 200, page.finish());
}

}  // namespace

std::string conf_json(const Settings& settings, std::string_view name) {
  Writer out(Format::kJson);
  const auto write = [&](const std::string& key, const Setting& setting) {
    out.text("key", key);
    out.text("value", xml::shown_value(key, setting));
    out.flag("isFinal", setting.is_final);
    out.text("resource", setting.source);
  };
  if (!name.empty()) {
    out.begin_root("property");
    if (const Setting* setting = settings.find(name); setting != nullptr) {
      write(std::string(name), *setting);
    }
    out.end_root();
    return out.take();
  }
  out.begin_root("configuration", false);
  out.begin_list("properties");
  for (const auto& [key, setting] : settings.all()) {
    out.begin_object("");
    write(key, setting);
    out.end_object();
  }
  out.end_list();
  out.end_root();
  return out.take();
}

void add_monitor_routes(Router& router, const WebOptions& options,
                        const std::function<std::vector<Bean>()>& beans) {
  router.add("GET", "/jmx", [beans](const ExchangePtr& exchange) {
    const std::string* query = exchange->request.query_value("qry");
    send_as(*exchange, 200, "application/json; charset=utf8",
            beans_json(beans(), query == nullptr ? "" : *query));
  });
  router.add("GET", "/prom", [beans](const ExchangePtr& exchange) {
    send_as(*exchange, 200, "text/plain; version=0.0.4; charset=utf-8", beans_prometheus(beans()));
  });
  router.add("GET", "/conf",
             [&options](const ExchangePtr& exchange) { get_conf(options, exchange); });
  router.add("GET", "/stacks", [](const ExchangePtr& exchange) {
    send_as(*exchange, 200, "text/plain;charset=utf-8", thread_list());
  });
  router.add("GET", "/logs/{*}", [](const ExchangePtr& exchange) {
    send_page_error(*exchange, 200, "Logs of this daemon",
                    "This daemon writes its log to standard error: look where its supervisor "
                    "keeps it (journalctl -u for systemd).");
  });
  router.add("GET", "/logLevel", log_level);
  router.add("GET", "/isActive", [](const ExchangePtr& exchange) {
    send_as(*exchange, 200, "text/plain;charset=utf-8", "I am Active!");
  });
  for (const auto* path : {"/static/heddle.svg", "/favicon.ico"}) {
    router.add("GET", path, [](const ExchangePtr& exchange) {
      send_as(*exchange, 200, "image/svg+xml", std::string(icon()));
    });
  }
  router.add("GET", "/static/heddle.css", [](const ExchangePtr& exchange) {
    send_as(*exchange, 200, "text/css;charset=utf-8", std::string(stylesheet()));
  });
}

}  // namespace heddle::compat::rest
