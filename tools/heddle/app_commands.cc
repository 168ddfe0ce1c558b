#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/ids.h"
#include "base/text.h"
#include "tools/heddle/commands.h"
#include "tools/heddle/json_view.h"

namespace heddle::cli {
namespace {

constexpr const char* kUnfinished = "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING";

const std::vector<Column>& list_columns() {
  static const std::vector<Column> kColumns = {{"id", "ID"},
                                               {"name", "NAME"},
                                               {"user", "USER"},
                                               {"queue", "QUEUE"},
                                               {"state", "STATE"},
                                               {"final_status", "FINAL", true},
                                               {"progress_percent", "PROGRESS", false, true},
                                               {"elapsed_ms", "ELAPSED", false, true},
                                               {"containers", "CONTAINERS", false, true},
                                               {"memory_mb", "MEMORY", true, true},
                                               {"vcores", "VCORES", true, true},
                                               {"type", "TYPE", true},
                                               {"tags", "TAGS", true},
                                               {"started_ms", "STARTED", true},
                                               {"finished_ms", "FINISHED", true},
                                               {"tracking_url", "TRACKING", true}};
  return kColumns;
}

std::vector<Cell> list_row(const Json& app) {
  const auto text = [&](std::string_view name) { return text_cell(text_of(app, name)); };
  const auto count = [&](std::string_view name) {
    return number_cell(std::max<std::int64_t>(int_of(app, name), 0));
  };
  return {text("id"),
          text("name"),
          text("user"),
          text("queue"),
          text("state"),
          text("finalStatus"),
          percent_cell(real_of(app, "progress")),
          millis_cell(int_of(app, "elapsedTime")),
          count("runningContainers"),
          megabytes_cell(std::max<std::int64_t>(int_of(app, "allocatedMB"), 0)),
          count("allocatedVCores"),
          text("applicationType"),
          text("applicationTags"),
          time_cell(int_of(app, "startedTime")),
          time_cell(int_of(app, "finishedTime")),
          text("trackingUrl")};
}

Outcome<void> check_id(const std::string& id) {
  if (const auto parsed = parse_app_id(id); !parsed) {
    return stop(kExitUsage, parsed.error().message,
                "an id looks like application_1700000000000_0001; `heddle app list` shows them");
  }
  return {};
}

/// A limit keeps the newest of our ResourceManager, but any of Hadoop's, which is then asked for
/// all.
bool limits_to_newest(Session& session) {
  const auto info = session.client.get("/info");
  return info &&
         text_of(member(*info, "clusterInfo"), "resourceManagerBuildVersion").find("heddle") !=
             std::string::npos;
}

/// Prints how it went; the exit code of this one.
int kill_one(Session& session, const std::string& id) {
  const auto answer = session.client.put("/apps/" + id + "/state", R"({"state":"KILLED"})");
  if (!answer) {
    session.console.complain(
        fmt::format("heddle: {}: {}\nTry: {}", id, answer.error().message, answer.error().advice));
    return answer.error().exit_code;
  }
  const std::string state = text_of(*answer, "state");
  const bool ended = state == "KILLED" || state == "FINISHED" || state == "FAILED";
  if (session.options.quiet) return kExitOk;
  session.console.write(fmt::format("{} {}\n", id,
                                    state == "KILLED" ? "killed"
                                    : ended           ? "had ended before: " + printable(state)
                                                      : "is being killed"));
  return kExitOk;
}

}  // namespace

Outcome<int> list_apps(Session& session) {
  const Options& options = session.options;
  const bool cut_there = options.limit > 0 && limits_to_newest(session);
  std::string states = options.states;
  if (states.empty() && !options.all) states = kUnfinished;
  const auto answer = session.client.get(
      "/apps" + query_text({{"states", to_upper(states)},
                            {"user", options.user},
                            {"queue", options.queue},
                            {"applicationTypes", options.type},
                            {"applicationTags", options.tag},
                            {"limit", cut_there ? std::to_string(options.limit) : ""},
                            {"deSelects", "resourceRequests,timeouts,resourceInfo"}}));
  if (!answer) return stop(answer.error());
  Listing listing{.schema = "heddle.app.list/1", .columns = list_columns(), .rows = {}};
  auto apps = items_of(member(*answer, {"apps", "app"}));
  std::ranges::stable_sort(apps, std::greater<>(),
                           [](const Json* app) { return int_of(*app, "startedTime"); });
  if (options.limit > 0 && std::cmp_greater(apps.size(), options.limit)) {
    apps.resize(static_cast<std::size_t>(options.limit));
  }
  for (const Json* app : apps)
    listing.rows.push_back(list_row(*app));
  return show(session, listing);
}

Outcome<int> show_app(Session& session) {
  const std::string& id = session.options.ids.front();
  if (const auto checked = check_id(id); !checked) return stop(checked.error());
  const auto answer = session.client.get("/apps/" + id);
  if (!answer) return stop(answer.error());
  const Json& app = member(*answer, "app");
  Listing listing{
      .schema = "heddle.app/1", .columns = list_columns(), .rows = {list_row(app)}, .single = true};
  auto& row = listing.rows.front();
  const auto add = [&](std::string key, std::string title, Cell cell) {
    listing.columns.push_back({std::move(key), std::move(title)});
    row.push_back(std::move(cell));
  };
  add("priority", "PRIORITY", number_cell(int_of(app, "priority")));
  add("queue_share_percent", "QUEUE SHARE", percent_cell(real_of(app, "queueUsagePercentage")));
  add("memory_mb_seconds", "MB SECONDS", number_cell(int_of(app, "memorySeconds")));
  add("vcore_seconds", "VCORE SECONDS", number_cell(int_of(app, "vcoreSeconds")));
  add("master_node", "MASTER NODE", text_cell(text_of(app, "amHostHttpAddress")));
  add("master_logs", "MASTER LOGS", text_cell(text_of(app, "amContainerLogs")));
  add("log_aggregation", "LOG AGGREGATION", text_cell(text_of(app, "logAggregationStatus")));
  add("diagnostics", "DIAGNOSTICS", text_cell(text_of(app, "diagnostics")));
  return show(session, listing);
}

Outcome<int> kill_apps(Session& session) {
  for (const std::string& id : session.options.ids) {
    if (const auto checked = check_id(id); !checked) return stop(checked.error());
  }
  int code = kExitOk;
  for (const std::string& id : session.options.ids) {
    const int one = kill_one(session, id);
    if (code == kExitOk) code = one;
    if (one == kExitUnreachable) break;
  }
  return code;
}

}  // namespace heddle::cli
