// A cluster as it was when the answers in testdata/ were recorded from Hadoop 3.4.2.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "compat/rest/service.h"
#include "security/secret.h"
#include "tests/testlib/fake_reports.h"
#include "tests/testlib/partitions.h"
#include "tests/testlib/web_call.h"

namespace heddle::testlib {

inline std::string recorded(const std::string& file) {
  std::ifstream in(std::string(HEDDLE_TEST_DATA) + "/" + file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Names and types without values: numbers become N, reals R, texts S, truth values B.
inline std::string json_shape(const std::string& json) {
  std::string out;
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] == '"') {
      std::size_t end = i + 1;
      while (end < json.size() && json[end] != '"')
        end += json[end] == '\\' ? 2 : 1;
      const bool key = end + 1 < json.size() && json[end + 1] == ':';
      out += key ? json.substr(i, end + 1 - i) : "S";
      i = end + 1;
    } else if (json[i] == '-' || (json[i] >= '0' && json[i] <= '9')) {
      const std::size_t end = json.find_first_of(",]}", i);
      out += json.substr(i, end - i).find('.') == std::string::npos ? 'N' : 'R';
      i = end;
    } else if (json[i] == 't' || json[i] == 'f') {
      out += 'B';
      i = json.find_first_of(",]}", i);
    } else {
      out += json[i++];
    }
  }
  return out;
}

/// The same for XML: only tags are left.
inline std::string xml_shape(const std::string& xml) {
  std::string out;
  bool tag = false;
  for (const char c : xml) {
    if (c == '<') tag = true;
    if (tag) out += c;
    if (c == '>') tag = false;
  }
  return out;
}

struct RecordedCluster {
  static constexpr std::int64_t kStart = 1795312714741;

  RecordedCluster() {
    cluster_facts();
    add_running_app();
    add_waiting_app();
    reports.app_list.push_back(ended_app(2, "DistributedShell", "YARN"));
    reports.app_list.push_back(ended_app(1, "QuasiMonteCarlo", "MAPREDUCE"));
    add_queues();
    options.web_address = "localhost:8088";
    options.rm_web_address = "localhost:8088";
    options.login_user = "root";
    options.rpc_address = "localhost:8032";
    options.settings = &settings;
    options.clock = &clock;
  }

  void set_time(std::int64_t ms) { clock = ManualClock({Instant{}, WallTime{ms}}); }

  /// Made anew when the options have changed.
  net::HttpHandler web() {
    return compat::rest::make_rm_web_handler(
        rm::Door{applications, masters, nodes, admin, reports, keys}, options);
  }

  void cluster_facts() {
    reports.cluster.started_ms = kStart;
    reports.cluster.minimum_allocation = Resources(1024, 1);
    reports.cluster.maximum_allocation = Resources(8192, 4);
    reports.cluster.store_name =
        "org.apache.hadoop.yarn.server.resourcemanager.recovery.NullRMStateStore";
    auto& m = reports.numbers;
    m.apps_submitted = 4;
    m.apps_completed = 2;
    m.apps_pending = m.apps_running = 1;
    m.total = Resources(8192, 8);
    m.allocated = Resources(5120, 4);
    m.available = Resources(3072, 4);
    m.containers_allocated = 4;
    m.nodes_active = 1;
    rm::NodeReport node;
    node.id = {"localhost", 8041};
    node.state = rm::NodeState::kRunning;
    node.http_address = "localhost:8042";
    node.rack = "/default-rack";
    node.version = "3.4.2";
    node.total = Resources(8192, 8);
    node.used = Resources(4096, 3);
    node.containers = 3;
    node.health.reported = WallTime{1795312837522};
    node.node_utilization = {4092, 4092, 1.5F};
    node.containers_utilization = {214, 3649, 0.5F};
    reports.node_list.push_back(node);
  }

  rm::AppReport app(std::int32_t number) {
    rm::AppReport report;
    report.id = {kStart, number};
    report.user = "root";
    report.log_aggregation_status = "NOT_START";
    return report;
  }

  void add_running_app() {
    rm::AppReport running = app(4);
    running.name = "Sleep job";
    running.type = "MAPREDUCE";
    running.queue = "root.alpha";
    running.state = rm::AppState::kRunning;
    running.progress = 0.05F;
    running.original_tracking_url = "http://localhost:41107";
    running.host = "localhost";
    running.rpc_port = 33697;
    running.started = WallTime{1795312825981};
    running.launched = WallTime{1795312826983};
    const AttemptId attempt{running.id, 1};
    running.current_attempt = attempt;
    running.master_container = ContainerId{attempt, 1};
    running.master_node = {"localhost", 8041};
    running.master_node_http = "localhost:8042";
    running.usage.used = Resources(5120, 4);
    running.usage.used_containers = 4;
    running.usage.seconds.amount = {40001, 22};
    running.usage.queue_percentage = 208.3842F;
    running.usage.cluster_percentage = 62.5F;
    reports.app_list.push_back(running);

    rm::AttemptReport shown;
    shown.id = attempt;
    shown.state = rm::AttemptState::kRunning;
    shown.user = "root";
    shown.host = "localhost";
    shown.rpc_port = 33697;
    shown.original_tracking_url = "http://localhost:41107";
    shown.master_container = running.master_container;
    shown.master_node = running.master_node;
    shown.master_node_http = running.master_node_http;
    shown.started = WallTime{1795312825984};
    reports.attempt_list.push_back(shown);

    const auto add_container = [&](std::int64_t id, std::int64_t mb, int priority,
                                   std::int64_t created) {
      rm::ContainerReport container;
      container.id = {attempt, id};
      container.state = rm::ContainerState::kRunning;
      container.resources = Resources(mb, 1);
      container.node = {"localhost", 8041};
      container.node_http_address = "localhost:8042";
      container.priority = priority;
      container.created = WallTime{created};
      container.user = "root";
      reports.container_list.push_back(container);
    };
    add_container(2, 1024, 20, 1795312840132);
    add_container(1, 2048, 0, 1795312826953);
    add_container(3, 1024, 20, 1795312841150);
  }

  void add_waiting_app() {
    rm::AppReport waiting = app(3);
    waiting.name = "uam";
    waiting.type = "YARN";
    waiting.queue = "root.default";
    waiting.state = rm::AppState::kAccepted;
    waiting.unmanaged = true;
    waiting.diagnostics = "AM container is launched, waiting for AM container to Register with RM";
    waiting.started = WallTime{1795312808653};
    // Its AM runs outside, yet its share counts.
    const AttemptId attempt{waiting.id, 1};
    waiting.master_container = ContainerId{attempt, 1};
    rm::ContainerReport container;
    container.id = *waiting.master_container;
    container.resources = Resources(1024, 1);
    reports.container_list.push_back(container);
    reports.app_list.push_back(waiting);
  }

  rm::AppReport ended_app(std::int32_t number, std::string name, std::string type) {
    const bool pi = number == 1;
    rm::AppReport ended = app(number);
    ended.name = std::move(name);
    ended.type = std::move(type);
    ended.queue = "root.default";
    ended.state = rm::AppState::kFinished;
    ended.final_status = rm::FinalStatus::kSucceeded;
    ended.original_tracking_url = "http://localhost:19888/jobhistory/job/job_1795312714741_0001";
    ended.host = "localhost";
    ended.rpc_port = pi ? 46827 : -1;
    ended.started = WallTime{pi ? 1795312736453 : 1795312787510};
    ended.launched = WallTime{pi ? 1795312739445 : 1795312788161};
    ended.finished = WallTime{pi ? 1795312780945 : 1795312796183};
    ended.master_container = ContainerId{{ended.id, 1}, 1};
    ended.master_node = {"localhost", 8041};
    ended.master_node_http = "localhost:8042";
    ended.usage.seconds.amount = {pi ? 182848 : 12566, pi ? 126 : 11};
    ended.log_aggregation_status = "SUCCEEDED";
    return ended;
  }

  rm::QueueReport leaf(std::string name, float capacity, bool with_user) {
    rm::QueueReport queue;
    queue.path = QueuePath("root." + name);
    queue.name = std::move(name);
    queue.capacity = queue.absolute_capacity = capacity;
    if (with_user) queue.users.push_back({"root", Resources(1024, 1), {}, 1, 0, {}});
    return queue;
  }

  void add_queues() {
    reports.root.path = QueuePath("root");
    reports.root.name = "root";
    reports.root.leaf = false;
    reports.root.capacity = 1;
    reports.root.children.push_back(leaf("default", 0.6F, true));
    reports.root.children.push_back(leaf("alpha", 0.3F, true));
    reports.root.children.push_back(leaf("beta", 0.1F, false));
    reports.root.children[2].counts.apps.submitted = 7;
    fill_default_partition(reports.root);
  }

  ManualClock clock{{Instant{}, WallTime{1795312843000}}};
  Settings settings;
  FakeReports reports;
  FakeApplications applications;
  FakeAdmin admin;
  UnusedMasters masters;
  UnusedNodes nodes;
  rm::TokenSigners keys{security::TokenKeys(security::MasterKey{}),
                        security::TokenKeys(security::MasterKey{}),
                        security::TokenKeys(security::MasterKey{})};
  compat::rest::WebOptions options;
};

}  // namespace heddle::testlib
