#include "compat/rest/beans.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <map>
#include <set>

#include "base/text.h"
#include "compat/rest/records.h"
#include "compat/rest/writer.h"

namespace heddle::compat::rest {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

Bean make_bean(std::string service, std::string name, std::string context) {
  Bean bean;
  bean.service = std::move(service);
  bean.type = name;
  bean.record = name.substr(0, name.find(','));
  bean.name = std::move(name);
  bean.tags.emplace_back("Context", std::move(context));
  bean.tags.emplace_back("Hostname", host_name());
  return bean;
}

namespace {

// A line "Name:  123 kB" of /proc/self/status.
std::int64_t proc_status(std::string_view wanted) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(wanted) || line.size() <= wanted.size() || line[wanted.size()] != ':') {
      continue;
    }
    const auto words = split_list(trim(std::string_view(line).substr(wanted.size() + 1)), ' ');
    return words.empty() ? 0 : parse_int(words.front()).value_or(0);
  }
  return 0;
}

// There is no virtual machine; what has a meaning for this process is filled in.
Bean process_bean(const std::string& service) {
  Bean bean = make_bean(service, "JvmMetrics", "jvm");
  bean.tags.insert(bean.tags.begin() + 1, {"ProcessName", service});
  const double used = static_cast<double>(proc_status("VmRSS")) / 1024;
  const double peak = static_cast<double>(proc_status("VmHWM")) / 1024;
  bean.values = {{"MemNonHeapUsedM", 0.0},
                 {"MemNonHeapCommittedM", 0.0},
                 {"MemNonHeapMaxM", -1.0},
                 {"MemHeapUsedM", used},
                 {"MemHeapCommittedM", peak},
                 {"MemHeapMaxM", -1.0},
                 {"MemMaxM", -1.0},
                 {"GcCount", std::int64_t{0}},
                 {"GcTimeMillis", std::int64_t{0}},
                 {"GcNumWarnThresholdExceeded", std::int64_t{0}},
                 {"GcNumInfoThresholdExceeded", std::int64_t{0}},
                 {"GcTotalExtraSleepTime", std::int64_t{0}},
                 {"ThreadsNew", std::int64_t{0}},
                 {"ThreadsRunnable", proc_status("Threads")},
                 {"ThreadsBlocked", std::int64_t{0}},
                 {"ThreadsWaiting", std::int64_t{0}},
                 {"ThreadsTimedWaiting", std::int64_t{0}},
                 {"ThreadsTerminated", std::int64_t{0}}};
  return bean;
}

Bean stats_bean(const std::string& service, std::size_t sources) {
  Bean bean = make_bean(service, "MetricsSystem,sub=Stats", "metricssystem");
  bean.record.clear();
  const auto count = static_cast<std::int64_t>(sources);
  bean.values = {{"NumActiveSources", count},
                 {"NumAllSources", count},
                 {"NumActiveSinks", std::int64_t{0}},
                 {"NumAllSinks", std::int64_t{0}},
                 {"DroppedPubAll", std::int64_t{0}}};
  return bean;
}

// Calls are not queued here, so what Hadoop measures in its queue is zero.
Bean rpc_bean(const RpcActivity& activity) {
  const std::string port = std::to_string(activity.port);
  Bean bean = make_bean("ResourceManager", "RpcActivityForPort" + port, "rpc");
  bean.record = "rpc";
  bean.tags.insert(bean.tags.begin(), {"serverName", activity.server_name});
  bean.tags.insert(bean.tags.begin(), {"port", port});
  const auto n = [](std::int64_t value) { return Bean::Value(value); };
  const std::int64_t answered = activity.calls - activity.in_process;
  bean.values = {{"DeferredRpcProcessingTimeNumOps", n(0)},
                 {"DeferredRpcProcessingTimeAvgTime", 0.0},
                 {"ReceivedBytes", n(activity.received_bytes)},
                 {"RpcAuthenticationFailures", n(activity.failed_logins)},
                 {"RpcAuthenticationSuccesses", n(activity.logins)},
                 {"RpcAuthorizationFailures", n(0)},
                 {"RpcAuthorizationSuccesses", n(activity.contexts)},
                 {"RpcCallSuccesses", n(activity.successes)},
                 {"RpcClientBackoff", n(0)},
                 {"RpcClientBackoffDisconnected", n(0)},
                 {"RpcEnQueueTimeNumOps", n(activity.calls)},
                 {"RpcEnQueueTimeAvgTime", 0.0},
                 {"RpcLockWaitTimeNumOps", n(activity.calls)},
                 {"RpcLockWaitTimeAvgTime", 0.0},
                 {"RpcProcessingTimeNumOps", n(answered)},
                 {"RpcProcessingTimeAvgTime", activity.processing_ms},
                 {"RpcQueueTimeNumOps", n(activity.calls)},
                 {"RpcQueueTimeAvgTime", 0.0},
                 {"RpcRequeueCalls", n(0)},
                 {"RpcResponseTimeNumOps", n(answered)},
                 {"RpcResponseTimeAvgTime", 0.0},
                 {"RpcSlowCalls", n(0)},
                 {"SentBytes", n(activity.sent_bytes)},
                 {"NumInProcessHandler", n(activity.in_process)},
                 {"TotalRequests", n(activity.calls)},
                 {"TotalRequestsPerSecond", n(0)},
                 {"NumOpenConnections", n(activity.open_connections)},
                 {"CallQueueLength", n(0)},
                 {"NumDroppedConnections", n(activity.dropped_connections)}};
  return bean;
}

// The list of live nodes is a JSON text inside the JSON, as monitors expect it.
Bean node_list_bean(const rm::Reports& reports) {
  Writer out(Format::kJson);
  std::string list = "[";
  for (const auto& node : reports.nodes({rm::NodeState::kRunning})) {
    out.begin_root("node", false);
    out.text("HostName", node->id.host);
    out.text("Rack", node->rack);
    out.text("State", rm::to_string(node->state));
    out.text("NodeId", to_string(node->id));
    out.text("NodeHTTPAddress", node->http_address);
    out.number("LastHealthUpdate", node->health.reported.ms);
    out.text("HealthReport", node->health.report);
    out.text("NodeManagerVersion", node->version);
    out.number("NumContainers", node->containers);
    out.number("UsedMemoryMB", node->used.memory_mb());
    out.number("AvailableMemoryMB", (node->total - node->used).memory_mb());
    out.end_root();
    list += (list.size() > 1 ? "," : "") + out.take();
  }
  Bean bean;
  bean.service = "ResourceManager";
  bean.name = "RMNMInfo";
  bean.type = "org.apache.hadoop.yarn.server.resourcemanager.RMNMInfo";
  bean.values = {{"LiveNodeManagers", list + "]"}};
  return bean;
}

bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

struct Values {
  std::string out;
  void operator()(std::int64_t value) { out = std::to_string(value); }
  void operator()(double value) { out = real_text(value); }
  void operator()(bool value) { out = value ? "true" : "false"; }
  void operator()(const std::string& value) { append_json_string(out, value); }
};

std::string prometheus_label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// Not one of Hadoop's: which configuration serves, and whether that is what the file says.
Bean queue_config_bean(const rm::QueueConfigState& state) {
  Bean bean = make_bean("ResourceManager", "QueueConfiguration", "yarn");
  bean.values = {{"Version", state.version.number},
                 {"Since", state.version.since.ms},
                 {"FileIsBroken", std::int64_t{state.fault.empty() ? 0 : 1}},
                 {"Fault", state.fault}};
  return bean;
}

}  // namespace

std::vector<Bean> rm_beans(const rm::Reports& reports, const WebOptions& options,
                           const rm::QueueConfigService* queues) {
  std::vector<Bean> beans;
  add_scheduler_beans(beans, reports, options.clock->now().wall);
  if (options.rpc_activity) {
    for (const RpcActivity& activity : options.rpc_activity())
      beans.push_back(rpc_bean(activity));
  }
  if (queues != nullptr) beans.push_back(queue_config_bean(queues->queue_config()));
  beans.push_back(process_bean("ResourceManager"));
  beans.push_back(node_list_bean(reports));
  Bean info;
  info.service = "ResourceManager";
  info.name = "RMInfo";
  info.type = "org.apache.hadoop.yarn.server.resourcemanager.RMInfo";
  info.values = {{"State", std::string("active")},
                 {"SecurityEnabled", false},
                 {"HostAndPort", options.rpc_address}};
  beans.push_back(std::move(info));
  beans.push_back(stats_bean("ResourceManager", beans.size()));
  return beans;
}

std::vector<Bean> nm_beans(const nm::NodeReports& reports, const WebOptions& options) {
  const nm::NodeFacts facts = reports.facts();
  Resources used;
  std::int64_t running = 0, starting = 0;
  for (const nm::ContainerStatus& container : reports.containers()) {
    if (container.state == nm::ContainerState::kDone) continue;
    used += container.resources;
    running += container.state == nm::ContainerState::kRunning ? 1 : 0;
    starting += container.state == nm::ContainerState::kLocalizing ? 1 : 0;
  }
  std::int64_t apps = 0;
  for (const nm::AppStatus& app : reports.apps()) {
    apps += app.state == nm::AppState::kRunning ? 1 : 0;
  }
  const Resources free = facts.total - used;
  const auto n = [](std::int64_t value) { return Bean::Value(value); };
  Bean bean = make_bean("NodeManager", "NodeManagerMetrics", "yarn");
  bean.values = {{"AllocatedContainers", n(running + starting)},
                 {"AllocatedGB", n(used.memory_mb() / 1024)},
                 {"AllocatedVCores", n(used.vcores())},
                 {"ApplicationsRunning", n(apps)},
                 {"AvailableGB", n(free.memory_mb() / 1024)},
                 {"AvailableVCores", n(free.vcores())},
                 {"ContainerCpuUtilization", static_cast<double>(facts.containers_utilization.cpu)},
                 {"ContainerUsedMemGB", n(facts.containers_utilization.physical_mb / 1024)},
                 {"ContainerUsedVMemGB", n(facts.containers_utilization.virtual_mb / 1024)},
                 {"ContainersIniting", n(starting)},
                 {"ContainersRunning", n(running)},
                 {"NodeCpuUtilization", static_cast<double>(facts.node_utilization.cpu)},
                 {"NodeUsedMemGB", n(facts.node_utilization.physical_mb / 1024)},
                 {"NodeUsedVMemGB", n(facts.node_utilization.virtual_mb / 1024)}};
  std::vector<Bean> beans;
  beans.push_back(std::move(bean));
  beans.push_back(process_bean("NodeManager"));
  beans.push_back(stats_bean("NodeManager", beans.size()));
  (void)options;
  return beans;
}

bool matches_object_name(std::string_view pattern, std::string_view name) {
  const auto colon = pattern.find(':');
  const auto name_colon = name.find(':');
  if (colon == pattern.npos || name_colon == name.npos) return false;
  if (!glob(pattern.substr(0, colon), name.substr(0, name_colon))) return false;
  std::vector<std::string> wanted = split_list(pattern.substr(colon + 1));
  std::vector<std::string> given = split_list(name.substr(name_colon + 1));
  const bool open = std::erase(wanted, "*") > 0;
  for (const std::string& property : wanted) {
    const auto found =
        std::ranges::find_if(given, [&](const std::string& g) { return glob(property, g); });
    if (found == given.end()) return false;
    given.erase(found);
  }
  return open || given.empty();
}

std::string beans_json(const std::vector<Bean>& beans, std::string_view query) {
  std::string out = "{\n  \"beans\" : [ ";
  bool first = true;
  for (const Bean& bean : beans) {
    const std::string name = bean.object_name();
    if (!query.empty() && !matches_object_name(query, name)) continue;
    out += first ? "{\n    \"name\" : " : ", {\n    \"name\" : ";
    first = false;
    append_json_string(out, name);
    out += ",\n    \"modelerType\" : ";
    append_json_string(out, bean.type);
    for (const auto& [key, value] : bean.tags) {
      out += ",\n    ";
      append_json_string(out, "tag." + key);
      out += " : ";
      append_json_string(out, value);
    }
    for (const auto& [key, value] : bean.values) {
      Values text;
      std::visit(text, value);
      out += ",\n    ";
      append_json_string(out, key);
      out += " : " + text.out;
    }
    out += "\n  }";
  }
  return out + (first ? "]\n}" : " ]\n}");
}

std::string prometheus_name(std::string_view record, std::string_view metric) {
  std::string name(record);
  name += static_cast<char>(std::toupper(static_cast<unsigned char>(metric.front())));
  name += metric.substr(1);
  const auto upper = [&](std::size_t i) {
    return i < name.size() && name[i] >= 'A' && name[i] <= 'Z';
  };
  const auto lower = [&](std::size_t i) {
    return i < name.size() && name[i] >= 'a' && name[i] <= 'z';
  };
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool after_break = i == 0 || name[i - 1] == '_';
    if (!after_break && upper(i) && (!upper(i - 1) || lower(i + 1))) out += '_';
    const char c = name[i];
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    out += plain ? static_cast<char>(std::tolower(static_cast<unsigned char>(c))) : '_';
  }
  return out;
}

std::string beans_prometheus(const std::vector<Bean>& beans) {
  // All samples of one name must stand together.
  std::vector<std::string> order;
  std::map<std::string, std::string> samples;
  for (const Bean& bean : beans) {
    if (bean.record.empty()) continue;
    std::string labels;
    for (const auto& [key, value] : bean.tags) {
      labels += fmt::format("{}{}=\"{}\"", labels.empty() ? "" : ",", to_lower(key),
                            prometheus_label(value));
    }
    for (const auto& [key, value] : bean.values) {
      if (std::holds_alternative<std::string>(value) || std::holds_alternative<bool>(value)) {
        continue;
      }
      Values text;
      std::visit(text, value);
      const std::string name = prometheus_name(bean.record, key);
      auto [place, added] = samples.try_emplace(name, fmt::format("# TYPE {} gauge\n", name));
      if (added) order.push_back(name);
      place->second += fmt::format("{}{{{}}} {}\n", name, labels, text.out);
    }
  }
  std::string out;
  for (const std::string& name : order)
    out += samples[name];
  return out;
}

}  // namespace heddle::compat::rest
