// Our answers beside those recorded from Hadoop 3.4.2.
#include "tests/unit/compat_rest/recorded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/compat_rest/answers.h"

namespace heddle::testlib {
namespace {

const std::string kRecordedApp = "application_1795312714741_0004";
const std::string kAttempt = "appattempt_1795312714741_0004_000001";

class Recorded : public ::testing::Test {
 protected:
  // `now_ms` is when the answer was recorded: elapsed times depend on it.
  void expect_json(const std::string& path, const std::string& file, std::int64_t now_ms = 0) {
    if (now_ms != 0) cluster.set_time(now_ms);
    EXPECT_EQ(get(cluster.web(), "/ws/v1/cluster" + path).body, recorded(file)) << path;
  }
  void expect_xml(const std::string& path, const std::string& file, std::int64_t now_ms = 0) {
    if (now_ms != 0) cluster.set_time(now_ms);
    EXPECT_EQ(get(cluster.web(), "/ws/v1/cluster" + path, "application/xml").body, recorded(file))
        << path;
  }
  void expect_shapes(const std::string& path, const std::string& file) {
    EXPECT_EQ(json_shape(get(cluster.web(), "/ws/v1/cluster" + path).body),
              json_shape(recorded(file + ".json")));
    EXPECT_EQ(xml_shape(get(cluster.web(), "/ws/v1/cluster" + path, "application/xml").body),
              xml_shape(recorded(file + "-x.xml")));
  }
  RecordedCluster cluster;
};

TEST_F(Recorded, ApplicationsAreByteForByteAsHadoopWritesThem) {
  expect_json("/apps", "rm-apps.json", 1795312825981 + 17327);
}

TEST_F(Recorded, OneApplicationIsTheSameInXml) {
  expect_xml("/apps/" + kRecordedApp, "rm-app-x.xml", 1795312825981 + 17697);
}

TEST_F(Recorded, AnEndedApplicationShowsMinusOneForWhatItHolds) {
  expect_json("/apps/application_1795312714741_0001", "rm-app-finished.json");
}

TEST_F(Recorded, AttemptsOfAnApplication) {
  expect_json("/apps/" + kRecordedApp + "/appattempts", "rm-appattempts.json");
  expect_xml("/apps/" + kRecordedApp + "/appattempts", "rm-appattempts-x.xml");
  expect_json("/apps/" + kRecordedApp + "/appattempts/" + kAttempt, "rm-appattempt.json");
  expect_xml("/apps/" + kRecordedApp + "/appattempts/" + kAttempt, "rm-appattempt-x.xml");
}

TEST_F(Recorded, ContainersWriteTheirNumbersAsTexts) {
  const std::string path = "/apps/" + kRecordedApp + "/appattempts/" + kAttempt + "/containers";
  expect_json(path, "rm-attempt-containers.json", 1795312840132 + 7590);
  expect_xml(path, "rm-attempt-containers-x.xml", 1795312840132 + 7601);
  expect_json(path + "/container_1795312714741_0004_01_000002", "rm-container.json",
              1795312840132 + 7613);
}

TEST_F(Recorded, SmallAnswersHaveNoWrapperInJsonAndARootInXml) {
  const std::string app = "/apps/" + kRecordedApp;
  expect_json(app + "/state", "rm-app-state.json");
  expect_xml(app + "/state", "rm-app-state-x.xml");
  expect_json(app + "/queue", "rm-app-queue.json");
  expect_xml(app + "/queue", "rm-app-queue-x.xml");
  expect_json(app + "/priority", "rm-app-priority.json");
  expect_xml(app + "/priority", "rm-app-priority-x.xml");
  expect_json("/userinfo", "rm-userinfo.json");
  expect_xml("/userinfo", "rm-userinfo-x.xml");
}

TEST_F(Recorded, Timeouts) {
  expect_json("/apps/" + kRecordedApp + "/timeouts", "rm-app-timeouts.json");
  expect_xml("/apps/" + kRecordedApp + "/timeouts", "rm-app-timeouts-x.xml");
}

TEST_F(Recorded, StatisticsCountByStateInTheRecordedOrder) {
  expect_json("/appstatistics", "rm-appstatistics.json");
  expect_xml("/appstatistics", "rm-appstatistics-x.xml");
}

TEST_F(Recorded, NodeLabelsThatAreOffHaveThreeEmptyForms) {
  expect_json("/get-node-labels", "rm-get-node-labels.json");
  expect_xml("/get-node-labels", "rm-get-node-labels-x.xml");
  expect_json("/get-node-to-labels", "rm-get-node-to-labels.json");
  expect_xml("/get-node-to-labels", "rm-get-node-to-labels-x.xml");
}

TEST_F(Recorded, AnEmptyListIsAnEmptyObject) {
  expect_json("/nodes?states=LOST", "rm-nodes-lost.json");
  expect_xml("/nodes?states=LOST", "rm-nodes-lost-x.xml");
  EXPECT_EQ(get(cluster.web(), "/ws/v1/cluster/apps?user=nobody").body, R"({"apps":{}})");
}

TEST_F(Recorded, QueueAccessIsATextAndNotATruthValue) {
  expect_json("/queues/default/access?user=root", "rm-queue-access.json");
  expect_xml("/queues/default/access?user=root", "rm-queue-access-x.xml");
}

TEST_F(Recorded, ErrorsCarryTheRecordedWords) {
  expect_json("/apps?states=NOPE", "rm-apps-bad-state.json");
  expect_xml("/apps?states=NOPE", "rm-apps-bad-state-x.xml");
  expect_json("/apps/foo", "rm-app-badid.json");
  expect_xml("/apps/foo", "rm-app-badid-x.xml");
  expect_json("/apps/application_1_0001", "rm-app-unknown.json");
  expect_json("/nodes/nope:1", "rm-node-unknown.json");
  expect_json("/reservation/list?queue=default", "rm-reservation-list.json");
}

TEST_F(Recorded, NewApplicationShowsTheLargestContainer) {
  EXPECT_EQ(post(cluster.web(), "/ws/v1/cluster/apps/new-application", "").body,
            recorded("mut-new-application.json"));
}

TEST_F(Recorded, NodesHaveTheRecordedShape) {
  expect_shapes("/nodes", "rm-nodes");
}
TEST_F(Recorded, MetricsHaveTheRecordedShape) {
  expect_shapes("/metrics", "rm-metrics");
}
TEST_F(Recorded, ClusterInfoHasTheRecordedShape) {
  expect_shapes("", "rm-cluster");
}
TEST_F(Recorded, QueuesHaveTheRecordedShape) {
  expect_shapes("/scheduler", "rm-scheduler");
}
TEST_F(Recorded, OverviewHasTheRecordedShape) {
  expect_shapes("/scheduler-overview", "rm-scheduler-overview");
}

TEST_F(Recorded, JmxHasTheLayoutOfHadoopsServlet) {
  const std::string body =
      get(cluster.web(), "/jmx?qry=Hadoop:service=ResourceManager,name=ClusterMetrics").body;
  EXPECT_TRUE(body.starts_with(recorded("rm-http-jmx-qry.json").substr(0, 150))) << body;
  EXPECT_TRUE(body.ends_with("\n  } ]\n}"));
}

TEST_F(Recorded, EveryOtherAnswerIsMetOrItsDifferenceIsNamed) {
  const auto rows = recorded_answers({"rm-", "mut-"});
  ASSERT_GE(rows.size(), 60U);
  for (const RecordedAnswer& row : rows) {
    cluster.applications.kill_completes = row.name == "mut-kill-2.json";
    cluster.admin.refuse =
        Error{ErrorCode::kUnsupported,
              "Node-label-based scheduling is disabled. Please check yarn.node-labels.enabled",
              ErrorSubject::kLabel};
    cluster.applications.refuse.reset();
    if (row.name == "mut-move-queue-bad.json") {
      cluster.applications.refuse =
          Error{ErrorCode::kNotFound, "no such queue", ErrorSubject::kQueue};
    }
    expect_recorded(cluster.web(), row);
  }
}

/// The kind of the value of `key` in one bean: N, R, S or B; ' ' when it is not there.
char kind_in(const std::string& bean, const std::string& key) {
  const std::string start = "\"" + key + "\" : ";
  const auto at = bean.find(start);
  if (at == std::string::npos) return ' ';
  const std::string value = bean.substr(at + start.size(), bean.find('\n', at) - at - start.size());
  if (value.starts_with('"')) return 'S';
  if (value.starts_with('t') || value.starts_with('f')) return 'B';
  return value.find('.') == std::string::npos ? 'N' : 'R';
}

TEST_F(Recorded, BeansHaveTheAttributesThatDashboardsRead) {
  cluster.reports.root.children[0].path = QueuePath("root.default");
  cluster.options.rpc_activity = [] {
    return std::vector<compat::rest::RpcActivity>{
        {.port = 8032, .server_name = "ApplicationClientProtocolService"}};
  };
  std::istringstream lines(recorded("beans.tsv"));
  int beans = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream cells(line);
    std::string name;
    std::getline(cells, name, '\t');
    const std::string bean =
        get(cluster.web(), "/jmx?qry=Hadoop:service=ResourceManager,name=" + name).body;
    ++beans;
    for (std::string cell; std::getline(cells, cell, '\t');) {
      const bool missing = cell.starts_with('!');
      const std::string key = cell.substr(missing ? 1 : 0, cell.rfind(':') - (missing ? 1 : 0));
      EXPECT_EQ(kind_in(bean, key), missing ? ' ' : cell.back()) << name << " " << key;
    }
  }
  EXPECT_EQ(beans, 9);
}

TEST_F(Recorded, CallsOfAPortAreCountedForPrometheusToo) {
  cluster.options.rpc_activity = [] {
    return std::vector<compat::rest::RpcActivity>{
        {.port = 8032,
         .server_name = "ApplicationClientProtocolService",
         .calls = 110,
         .in_process = 2,
         .processing_ms = 7.5}};
  };
  const std::string body = get(cluster.web(), "/prom").body;
  EXPECT_THAT(body, ::testing::HasSubstr("rpc_rpc_processing_time_num_ops{port=\"8032\",servername="
                                         "\"ApplicationClientProtocolService\""));
  EXPECT_THAT(body, ::testing::ContainsRegex("rpc_rpc_processing_time_num_ops[^\n]* 108"));
  EXPECT_THAT(body, ::testing::ContainsRegex("rpc_rpc_processing_time_avg_time[^\n]* 7.5"));
}

/// Recorded for alpha (over its guarantee) and default (idle) of a cluster of 8 GiB.
TEST_F(Recorded, WhatIsAvailableToAQueueIsTheRestOfItsGuarantee) {
  for (rm::QueueReport& queue : cluster.reports.root.children) {
    queue.maximum = Resources(8192, 8);
    queue.guaranteed = queue.name == "default" ? Resources(4915, 4) : Resources(2457, 2);
    if (queue.name == "alpha") queue.used = Resources(4096, 3);
  }
  const auto available = [&](const std::string& queue) {
    const std::string bean =
        get(cluster.web(),
            "/jmx?qry=Hadoop:service=ResourceManager,name=QueueMetrics,q0=root,q1=" + queue)
            .body;
    const auto at = bean.find("\"AvailableMB\" : ");
    return bean.substr(at + 16, bean.find(',', at) - at - 16);
  };
  EXPECT_EQ(available("default"), "4915");
  EXPECT_EQ(available("alpha"), "0");
}

/// Recorded: beta has no user and shows the limit of the queue, alpha has one and shows his.
TEST_F(Recorded, AQueueWithoutUsersShowsItsOwnLimitForTheMastersOfOne) {
  for (rm::QueueReport& queue : cluster.reports.root.children) {
    queue.master_limit = Resources(4096, 1);
    queue.user_master_limit = Resources(queue.name == "alpha" ? 3072 : 1024, 1);
  }
  const std::string body = get(cluster.web(), "/ws/v1/cluster/scheduler").body;
  const auto limit_of = [&](const std::string& queue) {
    const auto start = body.find("\"queuePath\":\"root." + queue);
    const auto at = body.find("\"userAMResourceLimit\":{\"memory\":", start);
    return body.substr(at + 32, 4);
  };
  EXPECT_EQ(limit_of("alpha"), "3072");
  EXPECT_EQ(limit_of("beta"), "4096");
  EXPECT_THAT(body, ::testing::HasSubstr("\"amLimit\":{\"memory\":3072")) << "of the user";
}

TEST_F(Recorded, HealthTellsTheLastOperationsAsRecorded) {
  rm::SchedulerHealth& health = cluster.reports.numbers.health;
  const AttemptId attempt{{RecordedCluster::kStart, 2}, 1};
  health.last_allocation = {{"localhost", 8041}, {attempt, 5}, "root.alpha"};
  health.last_release = {{"localhost", 8041}, {attempt, 4}, "root.default"};
  health.allocations = 1;
  health.allocated = Resources(1024, 1);
  const std::string body = get(cluster.web(), "/ws/v1/cluster/scheduler").body;
  EXPECT_THAT(body, ::testing::HasSubstr(
                        R"("operationsInfo":[{"operation":"last-allocation",)"
                        R"("nodeId":"localhost:8041","containerId":"N/A","queue":"root.alpha"},)"
                        R"({"operation":"last-release","nodeId":"localhost:8041","containerId":)"
                        R"("container_1795312714741_0002_01_000004","queue":"root.default"},)"
                        R"({"operation":"last-preemption","nodeId":"N/A",)"));
  EXPECT_THAT(body, ::testing::HasSubstr(
                        R"({"operation":"allocations","count":1,"resources":{"memory":1024,)"));
  EXPECT_THAT(get(cluster.web(), "/ws/v1/cluster/metrics").body,
              ::testing::HasSubstr(R"("containerAssignedPerSecond":1,)"));
}

TEST_F(Recorded, WeightsAndAmountsAreShownAsTheyAreConfigured) {
  rm::QueueReport& weighed = cluster.reports.root.children[0];
  weighed.weight = 2;
  weighed.normalized_weight = 0.5F;
  weighed.priority = 7;
  weighed.creation = rm::QueueCreation::kFlexible;
  weighed.templates.common = {{"capacity", "2w"}};
  rm::QueueReport& made = cluster.reports.root.children[2];
  made.origin = rm::QueueCreation::kManaged;
  made.creation = rm::QueueCreation::kManaged;
  made.templates.of_leaves = {{"capacity", "40"}};
  rm::QueueReport& counted = cluster.reports.root.children[1];
  counted.absolute = true;
  counted.configured_minimum = Resources(4096, 3);
  const std::string body = get(cluster.web(), "/ws/v1/cluster/scheduler").body;
  const auto of = [&](const std::string& queue, const std::string& text) {
    const auto start = body.find("\"queuePath\":\"root." + queue);
    return body.substr(start, body.find("\"queuePath\"", start + 1) - start).find(text) !=
           body.npos;
  };
  EXPECT_TRUE(of("default", "\"weight\":2.0,\"normalizedWeight\":0.5,"));
  EXPECT_TRUE(of("default", "\"configuredCapacityVector\":\"[memory-mb=2.0w,vcores=2.0w]\""));
  EXPECT_TRUE(of("default", "\"mode\":\"weight\""));
  EXPECT_TRUE(of("default", "\"queuePriority\":7,"));
  EXPECT_TRUE(of("alpha", "\"configuredCapacityVector\":\"[memory-mb=4096.0,vcores=3.0]\""));
  EXPECT_TRUE(of("alpha", "\"mode\":\"absolute\""));
  EXPECT_TRUE(of("alpha", "\"isAbsoluteResource\":true"));
  EXPECT_TRUE(of("beta", "\"mode\":\"percentage\""));
  EXPECT_TRUE(of("default", "\"capacity\":0.0,")) << "as on Hadoop";
  EXPECT_TRUE(of("default",
                 "\"creationMethod\":\"static\",\"autoCreationEligibility\":\"flexible\","
                 "\"autoQueueTemplateProperties\":{\"property\":[{\"name\":\"capacity\","
                 "\"value\":\"2w\"}]}"));
  EXPECT_TRUE(of("beta",
                 "\"autoCreateChildQueueEnabled\":true,\"leafQueueTemplate\":{\"property\":["
                 "{\"name\":\"leaf-queue-template.capacity\",\"value\":\"40\"}]}"));
  EXPECT_TRUE(
      of("beta", "\"creationMethod\":\"dynamicLegacy\",\"autoCreationEligibility\":\"legacy\""));
}

TEST_F(Recorded, CapacitiesOfSeveralKindsAreShownByResource) {
  rm::QueueReport& mixed = cluster.reports.root.children[0];
  mixed.capacity_vector = {"3.0w", "50.0%"};
  mixed.capacity_mode = "mixed";
  const std::string body = get(cluster.web(), "/ws/v1/cluster/scheduler").body;
  EXPECT_NE(body.find("\"configuredCapacityVector\":\"[memory-mb=3.0w,vcores=50.0%]\""), body.npos);
  EXPECT_NE(body.find("\"mode\":\"mixed\""), body.npos);
}

/// 60 % is 60.000004 in Hadoop's floats: recorded, and shown by clients.
TEST_F(Recorded, SharesAreFloatsAsInJava) {
  const std::string body = get(cluster.web(), "/ws/v1/cluster/scheduler").body;
  EXPECT_THAT(body, ::testing::HasSubstr("\"capacity\":60.000004,"));
  EXPECT_THAT(body, ::testing::HasSubstr("\"capacity\":30.000002,"));
  EXPECT_THAT(body, ::testing::HasSubstr("\"capacity\":10.0,"));
}

}  // namespace
}  // namespace heddle::testlib
