// Metrics as named beans: /jmx shows them as JSON, /prom as Prometheus text. Names are Hadoop's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "compat/rest/options.h"
#include "nodemanager/api/door.h"
#include "rm/api/door.h"
#include "rm/api/reports.h"

namespace heddle::compat::rest {

struct Bean {
  std::string service;  // "ResourceManager", "NodeManager"
  std::string name;     // "QueueMetrics,q0=root,q1=default"
  std::string type;     // modelerType
  std::string record;   // for Prometheus: "QueueMetrics"; "" = not shown there
  std::vector<std::pair<std::string, std::string>> tags;  // "Queue" -> "root.default"
  using Value = std::variant<std::int64_t, double, std::string, bool>;
  using Values = std::vector<std::pair<std::string, Value>>;
  Values values;

  std::string object_name() const { return "Hadoop:service=" + service + ",name=" + name; }
};

/// An empty bean of Hadoop's metrics system; its record is what stands before the first comma.
Bean make_bean(std::string service, std::string name, std::string context);
void add_scheduler_beans(std::vector<Bean>& beans, const rm::Reports& reports, WallTime now);

/// `queues` may be null: then the bean about their configuration is left out.
std::vector<Bean> rm_beans(const rm::Reports& reports, const WebOptions& options,
                           const rm::QueueConfigService* queues = nullptr);
std::vector<Bean> nm_beans(const nm::NodeReports& reports, const WebOptions& options);

/// Whether an object name fits a JMX pattern: equal, "*:*", "Hadoop:service=X,*", and '*' or '?'
/// inside values. The order of properties does not matter.
bool matches_object_name(std::string_view pattern, std::string_view name);

/// {"beans":[...]} in the layout of Hadoop's servlet.
std::string beans_json(const std::vector<Bean>& beans, std::string_view query);
/// "queue_metrics_apps_submitted" of record QueueMetrics and metric AppsSubmitted.
std::string prometheus_name(std::string_view record, std::string_view metric);
std::string beans_prometheus(const std::vector<Bean>& beans);

}  // namespace heddle::compat::rest
