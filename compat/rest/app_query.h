// Which applications a REST listing wants, from its query parameters.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/net/http.h"
#include "compat/rest/records.h"
#include "rm/api/reports.h"

namespace heddle::compat::rest {

struct AppQuery {
  rm::AppFilter filter;            // what the reports can select by index
  std::set<std::string> states;    // YarnApplicationState names; empty = any
  std::set<std::string> types;     // lower case; empty = any
  std::int64_t limit = INT64_MAX;  // after all selection
  Deselected deselected;

  bool wants(const rm::AppReport& app) const;
  /// Page by page: those after `last`, which it moves on; empty at the end. The limit is the
  /// caller's to watch.
  std::vector<rm::AppReportPtr> next(const rm::Reports& reports, std::optional<AppId>& last) const;
};

/// kInvalidArgument names the parameter and what it accepts.
Result<AppQuery> parse_app_query(const net::HttpQuery& query);
Result<Deselected> parse_deselected(const net::HttpQuery& query);
/// The values of a parameter that may be repeated or comma separated.
std::vector<std::string> values_of(const net::HttpQuery& query, std::string_view name);
/// NodeState names of `states`; kInvalidArgument in Hadoop's words.
Result<std::set<rm::NodeState>> parse_node_states(const net::HttpQuery& query);

/// Counts by state and type, for /appstatistics.
struct StatisticsQuery {
  std::vector<std::string> states;  // in the order of the answer
  std::string type = "*";           // lower case
};
Result<StatisticsQuery> parse_statistics_query(const net::HttpQuery& query);

}  // namespace heddle::compat::rest
