#include "compat/rest/app_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace heddle::compat::rest {
namespace {

constexpr std::array<std::string_view, 8> kStates = {
    "NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING", "FINISHED", "FAILED", "KILLED"};
constexpr std::array<std::string_view, 5> kFinalStatuses = {"UNDEFINED", "SUCCEEDED", "FAILED",
                                                            "KILLED", "ENDED"};
constexpr std::array<rm::NodeState, 8> kNodeStates = {rm::NodeState::kNew,
                                                      rm::NodeState::kRunning,
                                                      rm::NodeState::kUnhealthy,
                                                      rm::NodeState::kDecommissioned,
                                                      rm::NodeState::kLost,
                                                      rm::NodeState::kRebooted,
                                                      rm::NodeState::kDecommissioning,
                                                      rm::NodeState::kShutdown};

Failure bad(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

template <std::size_t N>
Result<std::string> one_of(std::string_view what, std::string_view value,
                           const std::array<std::string_view, N>& legal) {
  std::string upper = to_upper(value);
  if (std::ranges::find(legal, upper) != legal.end()) return upper;
  return bad(fmt::format("Invalid {} {} specified. It should be one of [{}]", what,
                         shortened(value), fmt::join(legal, ", ")));
}

// Internal states whose public name is `name`, with those in between, which wants() sorts out.
void add_states(std::set<rm::AppState>& states, std::string_view name) {
  using enum rm::AppState;
  states.insert({kFinalSaving, kKilling});
  if (name == "NEW") states.insert(kNew);
  if (name == "NEW_SAVING") states.insert(kNewSaving);
  if (name == "SUBMITTED") states.insert(kSubmitted);
  if (name == "ACCEPTED") states.insert(kAccepted);
  if (name == "RUNNING") states.insert(kRunning);
  if (name == "FINISHED") states.insert({kFinishing, kFinished});
  if (name == "FAILED") states.insert(kFailed);
  if (name == "KILLED") states.insert(kKilled);
}

std::optional<rm::FinalStatus> final_status(std::string_view name) {
  using enum rm::FinalStatus;
  for (const auto status : {kUndefined, kSucceeded, kFailed, kKilled, kEnded}) {
    if (rm::to_string(status) == name) return status;
  }
  return std::nullopt;
}

Result<void> read_time(const net::HttpQuery& query, std::string_view name, std::int64_t& value) {
  for (const auto& [key, text] : query) {
    if (key != name || text.empty()) continue;
    const auto number = parse_int(text);
    if (!number) {
      return bad(fmt::format("{}: '{}' is not a number of milliseconds since 1970", name,
                             shortened(text)));
    }
    if (*number < 0) return bad(fmt::format("{} must be greater than 0", name));
    value = *number;
  }
  return {};
}

Result<void> read_range(const net::HttpQuery& query, const std::string& prefix, std::int64_t& from,
                        std::int64_t& to) {
  RETURN_IF_ERROR(read_time(query, prefix + "TimeBegin", from));
  RETURN_IF_ERROR(read_time(query, prefix + "TimeEnd", to));
  if (from > to) {
    return bad(fmt::format("{}TimeEnd must be greater than {}TimeBegin", prefix, prefix));
  }
  return {};
}

Result<void> read_limit(const net::HttpQuery& query, std::int64_t& limit) {
  for (const auto& [key, text] : query) {
    if (key != "limit" || text.empty()) continue;
    const auto number = parse_int(text);
    if (!number) return bad(fmt::format("limit: '{}' is not a whole number", shortened(text)));
    // "then": misspelt as clients have always seen it.
    if (*number <= 0) return bad("limit value must be greater then 0");
    limit = *number;
  }
  return {};
}

}  // namespace

std::vector<std::string> values_of(const net::HttpQuery& query, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, text] : query) {
    if (key != name) continue;
    for (std::string& value : split_list(text))
      values.push_back(std::move(value));
  }
  return values;
}

Result<Deselected> parse_deselected(const net::HttpQuery& query) {
  Deselected result;
  for (const std::string& value : values_of(query, "deSelects")) {
    if (value == "resourceRequests") {
      result.resource_requests = true;
    } else if (value == "timeouts") {
      result.timeouts = true;
    } else if (value == "appNodeLabelExpression") {
      result.app_label = true;
    } else if (value == "amNodeLabelExpression") {
      result.am_label = true;
    } else if (value == "resourceInfo") {
      result.resource_info = true;
    } else {
      return bad(fmt::format(
          "Invalid deSelects string {} specified. It should be one of [resourceRequests, timeouts, "
          "appNodeLabelExpression, amNodeLabelExpression, resourceInfo]",
          shortened(value)));
    }
  }
  return result;
}

Result<AppQuery> parse_app_query(const net::HttpQuery& query) {
  AppQuery result;
  for (const auto* name : {"states", "state"}) {
    for (const std::string& value : values_of(query, name)) {
      auto state = one_of("application-state", value, kStates);
      if (!state) return fail(std::move(state).error());
      add_states(result.filter.states, *state);
      result.states.insert(std::move(*state));
    }
  }
  for (const std::string& value : values_of(query, "finalStatus")) {
    auto status = one_of("finalStatus", value, kFinalStatuses);
    if (!status) return fail(std::move(status).error());
    result.filter.final_statuses.insert(*final_status(*status));
  }
  for (const std::string& user : values_of(query, "user"))
    result.filter.users.insert(user);
  for (const std::string& queue : values_of(query, "queue"))
    result.filter.queues.insert(queue);
  for (const std::string& type : values_of(query, "applicationTypes")) {
    result.types.insert(to_lower(type));
  }
  for (const std::string& tag : values_of(query, "applicationTags")) {
    result.filter.tags.insert(to_lower(tag));
  }
  for (const auto& [key, value] : query) {
    if (key == "name") result.filter.name = value;
  }
  RETURN_IF_ERROR(read_limit(query, result.limit));
  RETURN_IF_ERROR(
      read_range(query, "started", result.filter.started_from_ms, result.filter.started_to_ms));
  RETURN_IF_ERROR(
      read_range(query, "finished", result.filter.finished_from_ms, result.filter.finished_to_ms));
  // Hadoop cuts an unordered list; who wants a few most likely wants the newest.
  result.filter.newest_first = result.limit != INT64_MAX;
  auto deselected = parse_deselected(query);
  if (!deselected) return fail(std::move(deselected).error());
  result.deselected = *deselected;
  return result;
}

bool AppQuery::wants(const rm::AppReport& app) const {
  if (!states.empty() && !states.contains(std::string(public_state(app)))) return false;
  return types.empty() || types.contains(to_lower(app.type));
}

std::vector<rm::AppReportPtr> AppQuery::next(const rm::Reports& reports,
                                             std::optional<AppId>& last) const {
  constexpr std::int64_t kPage = 256;
  rm::AppFilter page = filter;
  page.limit = kPage;
  while (true) {
    page.after = last;
    std::vector<rm::AppReportPtr> apps = reports.apps(page);
    if (apps.empty()) return apps;
    last = apps.back()->id;
    std::erase_if(apps, [&](const rm::AppReportPtr& app) { return !wants(*app); });
    if (!apps.empty()) return apps;
  }
}

Result<std::set<rm::NodeState>> parse_node_states(const net::HttpQuery& query) {
  std::set<rm::NodeState> states;
  for (const std::string& value : values_of(query, "states")) {
    const std::string upper = to_upper(value);
    const auto* found = std::ranges::find_if(
        kNodeStates, [&](rm::NodeState state) { return rm::to_string(state) == upper; });
    if (found == kNodeStates.end()) {
      return bad(fmt::format("No enum constant org.apache.hadoop.yarn.api.records.NodeState.{}",
                             shortened(upper)));
    }
    states.insert(*found);
  }
  return states;
}

Result<StatisticsQuery> parse_statistics_query(const net::HttpQuery& query) {
  StatisticsQuery result;
  const std::vector<std::string> types = values_of(query, "applicationTypes");
  if (types.size() > 1) {
    return bad(
        fmt::format("# of applicationTypes = {}, we temporarily support at most one "
                    "applicationType",
                    types.size()));
  }
  if (!types.empty()) result.type = to_lower(types.front());
  std::set<std::string> wanted;
  for (const std::string& value : values_of(query, "states")) {
    auto state = one_of("application-state", value, kStates);
    if (!state) return fail(std::move(state).error());
    wanted.insert(std::move(*state));
  }
  // The order in which clients have always seen them.
  for (const auto* state :
       {"FAILED", "FINISHED", "SUBMITTED", "RUNNING", "NEW_SAVING", "KILLED", "NEW", "ACCEPTED"}) {
    if (wanted.empty() || wanted.contains(state)) result.states.emplace_back(state);
  }
  return result;
}

}  // namespace heddle::compat::rest
