#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tools/heddle/commands.h"
#include "tools/heddle/json_view.h"

namespace heddle::cli {
namespace {

constexpr int kBarCells = 10;
constexpr int kDepthMax = 64;  // of a tree from outside

const std::vector<Column>& queue_columns() {
  static const std::vector<Column> kColumns = {
      {"path", "QUEUE"},
      {"state", "STATE"},
      {"capacity_percent", "CAPACITY", false, true},
      {"max_capacity_percent", "MAX", false, true},
      {"used_percent", "USED", false, true},
      {"used_bar", "USED, GUARANTEED|MAX"},
      {"apps", "APPS", false, true},
      {"pending_apps", "PENDING", false, true},
      {"containers", "CONTAINERS", true, true},
      {"memory_used_mb", "MEMORY USED", true, true},
      {"vcores_used", "VCORES USED", true, true},
      {"absolute_capacity_percent", "OF CLUSTER", true, true},
      {"absolute_used_percent", "USED OF CLUSTER", true, true}};
  return kColumns;
}

/// Shares of the cluster: '#' is used, '-' guaranteed and free, '|' the end of what is guaranteed,
/// '.' what it may have beyond. The whole bar is the maximum.
std::string bar(double used, double guaranteed, double most) {
  const auto cells = [&](double share) {
    const double part = most > 0 ? share / most : 0;
    return static_cast<int>(std::lround(std::clamp(part, 0.0, 1.0) * kBarCells));
  };
  const int mark = cells(guaranteed);
  std::string text;
  for (int i = 0; i < kBarCells; ++i) {
    if (i == mark) text += '|';
    text += i < cells(used) ? '#' : i < mark ? '-' : '.';
  }
  if (mark == kBarCells) text += '|';
  return "[" + text + "]";
}

std::string path_of(const Json& queue) {
  std::string path = text_of(queue, "queuePath");
  return path.empty() ? text_of(queue, "queueName") : path;
}

/// Of the whole cluster; root says it by its own share only.
double absolute_of(const Json& queue, const char* absolute, const char* own) {
  return member(queue, absolute).is_null() ? real_of(queue, own) : real_of(queue, absolute);
}

std::string bar_of(const Json& queue) {
  const double guaranteed = absolute_of(queue, "absoluteCapacity", "capacity");
  const double used = member(queue, "absoluteUsedCapacity").is_null()
                          ? guaranteed * real_of(queue, "usedCapacity") / 100
                          : real_of(queue, "absoluteUsedCapacity");
  return bar(used, guaranteed, absolute_of(queue, "absoluteMaxCapacity", "maxCapacity"));
}

std::vector<Cell> queue_row(const Json& queue, int depth) {
  const std::string path = path_of(queue);
  const auto dot = path.rfind('.');
  const std::string name = dot == std::string::npos ? path : path.substr(dot + 1);
  const double used = real_of(queue, "usedCapacity");
  const Json& resources = member(queue, "resourcesUsed");
  const std::string state = text_of(queue, "state");
  return {shown_cell(path, std::string(static_cast<std::size_t>(depth) * 2, ' ') + name),
          text_cell(state.empty() ? "RUNNING" : state),
          percent_cell(real_of(queue, "capacity")),
          percent_cell(real_of(queue, "maxCapacity")),
          percent_cell(used),
          {std::monostate{}, bar_of(queue)},
          number_cell(int_of(queue, "numApplications")),
          number_cell(int_of(queue, "numPendingApplications")),
          number_cell(int_of(queue, "allocatedContainers")),
          megabytes_cell(int_of(resources, "memory")),
          number_cell(int_of(resources, "vCores")),
          percent_cell(absolute_of(queue, "absoluteCapacity", "capacity")),
          percent_cell(absolute_of(queue, "absoluteUsedCapacity", "usedCapacity"))};
}

template <class Visit>
void walk(const Json& queue, int depth, Visit&& visit) {
  if (depth > kDepthMax) return;
  visit(queue, depth);
  for (const Json* child : items_of(member(queue, {"queues", "queue"}))) {
    walk(*child, depth + 1, visit);
  }
}

/// Removes the column that is a drawing: programs get the number beside it.
Listing without_bar(Listing listing) {
  const auto at = std::ranges::find(listing.columns, "used_bar", &Column::key);
  const auto index = at - listing.columns.begin();
  listing.columns.erase(at);
  for (auto& row : listing.rows)
    row.erase(row.begin() + index);
  return listing;
}

Outcome<int> show_rows(const Session& session, Listing listing) {
  const Format format = session.options.format;
  const bool drawn = format == Format::kTable || format == Format::kWide;
  return show(session, drawn ? std::move(listing) : without_bar(std::move(listing)));
}

Outcome<Json> scheduler_tree(Session& session) {
  auto answer = session.client.get("/scheduler");
  if (!answer) return answer;
  Json root = member(*answer, {"scheduler", "schedulerInfo"});
  const std::string type = text_of(root, "type");
  if (type != "capacityScheduler") {
    return stop(
        kExitFailed, fmt::format("the scheduler is '{}'", shortened(type)),
        "queues of the capacity scheduler are shown here; see the web page /cluster/scheduler");
  }
  return root;
}

}  // namespace

Outcome<int> list_queues(Session& session) {
  const auto root = scheduler_tree(session);
  if (!root) return stop(root.error());
  Listing listing{.schema = "heddle.queue.list/1", .columns = queue_columns(), .rows = {}};
  walk(*root, 0,
       [&](const Json& queue, int depth) { listing.rows.push_back(queue_row(queue, depth)); });
  return show_rows(session, std::move(listing));
}

Outcome<int> show_queue(Session& session) {
  const std::string& wanted = session.options.ids.front();
  const auto root = scheduler_tree(session);
  if (!root) return stop(root.error());
  Listing listing{
      .schema = "heddle.queue/1", .columns = queue_columns(), .rows = {}, .single = true};
  walk(*root, 0, [&](const Json& queue, int) {
    const bool named = path_of(queue) == wanted || text_of(queue, "queueName") == wanted;
    if (!named || !listing.rows.empty()) return;
    auto& row = listing.rows.emplace_back(queue_row(queue, 0));
    row[0].text = path_of(queue);
    listing.columns.push_back({"max_apps", "MAX APPS"});
    row.push_back(number_cell(int_of(queue, "maxApplications")));
    listing.columns.push_back({"user_limit_percent", "USER LIMIT"});
    row.push_back(percent_cell(real_of(queue, "userLimit")));
    listing.columns.push_back({"user_limit_factor", "USER LIMIT FACTOR"});
    const double factor = real_of(queue, "userLimitFactor");
    row.push_back({factor, fmt::format("{:g}", factor)});
  });
  if (listing.rows.empty()) {
    return stop(kExitFailed, fmt::format("there is no queue '{}'", shortened(wanted)),
                "`heddle queue list` shows all");
  }
  return show_rows(session, std::move(listing));
}

}  // namespace heddle::cli
