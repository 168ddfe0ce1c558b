// Our answers beside those recorded from Hadoop 3.4.2.
#include "tests/unit/compat_rest/recorded.h"

#include <gtest/gtest.h>

namespace heddle::testlib {
namespace {

const std::string kApp = "application_1795312714741_0004";
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
  expect_xml("/apps/" + kApp, "rm-app-x.xml", 1795312825981 + 17697);
}

TEST_F(Recorded, AnEndedApplicationShowsMinusOneForWhatItHolds) {
  expect_json("/apps/application_1795312714741_0001", "rm-app-finished.json");
}

TEST_F(Recorded, AttemptsOfAnApplication) {
  expect_json("/apps/" + kApp + "/appattempts", "rm-appattempts.json");
  expect_xml("/apps/" + kApp + "/appattempts", "rm-appattempts-x.xml");
  expect_json("/apps/" + kApp + "/appattempts/" + kAttempt, "rm-appattempt.json");
  expect_xml("/apps/" + kApp + "/appattempts/" + kAttempt, "rm-appattempt-x.xml");
}

TEST_F(Recorded, ContainersWriteTheirNumbersAsTexts) {
  const std::string path = "/apps/" + kApp + "/appattempts/" + kAttempt + "/containers";
  expect_json(path, "rm-attempt-containers.json", 1795312840132 + 7590);
  expect_xml(path, "rm-attempt-containers-x.xml", 1795312840132 + 7601);
  expect_json(path + "/container_1795312714741_0004_01_000002", "rm-container.json",
              1795312840132 + 7613);
}

TEST_F(Recorded, SmallAnswersHaveNoWrapperInJsonAndARootInXml) {
  const std::string app = "/apps/" + kApp;
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
  expect_json("/apps/" + kApp + "/timeouts", "rm-app-timeouts.json");
  expect_xml("/apps/" + kApp + "/timeouts", "rm-app-timeouts-x.xml");
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

}  // namespace
}  // namespace heddle::testlib
