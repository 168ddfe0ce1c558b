// Pages, metrics, configuration, and the pieces they are made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "compat/rest/beans.h"
#include "compat/rest/monitor.h"
#include "compat/rest/router.h"
#include "compat/rest/writer.h"
#include "compat/rest/xml_reader.h"
#include "tests/unit/compat_rest/recorded.h"

namespace heddle::testlib {
namespace {

using namespace compat::rest;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Pages, EveryPageStandsAlone) {
  RecordedCluster cluster;
  const auto web = cluster.web();
  for (const auto* path :
       {"/cluster", "/cluster/apps", "/cluster/apps/RUNNING", "/cluster/nodes",
        "/cluster/scheduler", "/cluster/app/application_1795312714741_0004", "/logs/", "/logLevel",
        "/cluster/failure/application_1795312714741_0004"}) {
    const auto answer = get(web, path, "text/html");
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_THAT(answer.body, Not(HasSubstr("<script"))) << path;
    EXPECT_THAT(answer.body, Not(HasSubstr("style="))) << path;
    EXPECT_THAT(std::string(answer.headers.get("Content-Security-Policy")),
                HasSubstr("default-src 'none'"));
    // With HEDDLE_PAGES set the pages are kept for looking at.
    if (const char* keep = std::getenv("HEDDLE_PAGES"); keep != nullptr) {
      std::string name(path);
      std::ranges::replace(name, '/', '_');
      std::ofstream(std::string(keep) + "/" + name + ".html") << answer.body;
    }
  }
  EXPECT_EQ(get(web, "/").headers.get("Location"), "http://localhost:8088/cluster");
  EXPECT_EQ(get(web, "/static/heddle.css").status, 200);
  EXPECT_EQ(get(web, "/isActive").body, "I am Active!");
  EXPECT_THAT(get(web, "/stacks").body, HasSubstr("Thread "));
}

TEST(Pages, TheNewestApplicationsComeFirstAndTheRestIsOnlyNamed) {
  RecordedCluster cluster;
  const rm::AppReport one = cluster.reports.app_list[0];
  for (int i = 10; i < 600; ++i) {
    cluster.reports.app_list.push_back(one);
    cluster.reports.app_list.back().id.sequence = i;
  }
  const auto web = cluster.web();
  const std::string first = get(web, "/cluster").body;
  EXPECT_LT(first.find("_0599\""), first.find("_0598\""));
  EXPECT_THAT(first, HasSubstr("_0580\""));
  EXPECT_THAT(first, Not(HasSubstr("_0579\"")));
  EXPECT_THAT(first, HasSubstr("The newest 20. All of them"));
  const std::string running = get(web, "/cluster/apps/RUNNING").body;
  EXPECT_THAT(running, HasSubstr("_0100\""));
  EXPECT_THAT(running, Not(HasSubstr("_0099\"")));
  EXPECT_THAT(get(web, "/cluster/apps/ACCEPTED").body, Not(HasSubstr("The newest")));
}

TEST(Pages, TheLogLevelStandsWhereDaemonlogReadsIt) {
  RecordedCluster cluster;
  const std::string body = get(cluster.web(), "/logLevel?log=org.apache.<b>").body;
  EXPECT_THAT(body,
              HasSubstr("\n<!-- OUTPUT -->Submitted Class Name: <b>org.apache.&lt;b&gt;</b>"));
  EXPECT_THAT(body, HasSubstr("\n<!-- OUTPUT -->Effective Level: <b>INFO</b>"));
}

TEST(Pages, NamesFromOutsideAreEscaped) {
  RecordedCluster cluster;
  cluster.reports.app_list[0].name = "<img src=x onerror=alert(1)>";
  cluster.reports.app_list[0].diagnostics = "<b>\"'&";
  cluster.reports.node_list[0].http_address = "javascript:alert(1)";
  const auto web = cluster.web();
  for (const auto* path : {"/cluster", "/cluster/app/application_1795312714741_0004"}) {
    EXPECT_THAT(get(web, path).body, Not(HasSubstr("<img"))) << path;
  }
  EXPECT_THAT(get(web, "/cluster/app/application_1795312714741_0004").body,
              HasSubstr("&lt;b&gt;&quot;&#39;&amp;"));
  EXPECT_THAT(get(web, "/cluster/nodes").body, Not(HasSubstr("href=\"javascript:")));
}

TEST(Metrics, QueuesAreBeansByTheirPath) {
  RecordedCluster cluster;
  cluster.reports.root.children[2].counts.apps.submitted = 7;
  const auto body = get(cluster.web(),
                        "/jmx?qry=Hadoop:service=ResourceManager,name=QueueMetrics,q0=root,q1=beta")
                        .body;
  EXPECT_THAT(body, HasSubstr("\"tag.Queue\" : \"root.beta\""));
  EXPECT_THAT(body, HasSubstr("\"AppsSubmitted\" : 7"));
  EXPECT_THAT(body, Not(HasSubstr("root.alpha")));
}

TEST(Metrics, UsersAndPartitionsOfAQueueAreBeansToo) {
  RecordedCluster cluster;
  rm::QueueReport& beta = cluster.reports.root.children[2];
  rm::UserMetrics ann{.user = "ann", .used = Resources(3072, 3), .containers = 3};
  ann.counts.apps.submitted = 5;
  ann.counts.node_local = 2;
  beta.user_metrics.push_back(ann);
  const auto web = cluster.web();
  const auto user = get(web,
                        "/jmx?qry=Hadoop:service=ResourceManager,name=QueueMetrics,q0=root,"
                        "q1=beta,user=ann")
                        .body;
  EXPECT_THAT(user, HasSubstr("\"tag.User\" : \"ann\""));
  EXPECT_THAT(user, HasSubstr("\"AppsSubmitted\" : 5"));
  EXPECT_THAT(user, HasSubstr("\"AllocatedMB\" : 3072"));
  EXPECT_THAT(user, HasSubstr("\"AggregateNodeLocalContainersAllocated\" : 2"));
  const auto partition = get(web,
                             "/jmx?qry=Hadoop:service=ResourceManager,"
                             "name=PartitionQueueMetrics,partition=,q0=root,q1=beta")
                             .body;
  EXPECT_THAT(partition, HasSubstr("\"tag.Partition\" : \"\""));
  EXPECT_THAT(get(web, "/prom").body,
              HasSubstr("queue_metrics_apps_submitted{queue=\"root.beta\",user=\"ann\","));
}

TEST(Metrics, ResourceTypesBeyondTheFirstTwoHaveNamesOfTheirOwn) {
  RecordedCluster cluster;
  ASSERT_TRUE(cluster.reports.cluster.resource_types.add({"yarn.io/gpu", "", 0, 8}));
  cluster.reports.root.used.amount[2] = 3;
  EXPECT_THAT(get(cluster.web(), "/jmx").body, HasSubstr("\"AllocatedResource.yarn.io/gpu\" : 3"));
}

TEST(Metrics, AQueryWithoutAnyMatchIsAnEmptyList) {
  RecordedCluster cluster;
  EXPECT_EQ(get(cluster.web(), "/jmx?qry=nothing").body, "{\n  \"beans\" : [ ]\n}");
}

TEST(Metrics, ObjectNamesMatchAsJmxDoes) {
  const std::string name = "Hadoop:service=ResourceManager,name=QueueMetrics,q0=root";
  EXPECT_TRUE(matches_object_name(name, name));
  EXPECT_TRUE(matches_object_name("Hadoop:*", name));
  EXPECT_TRUE(matches_object_name("*:*", name));
  EXPECT_TRUE(matches_object_name("Hadoop:service=ResourceManager,*", name));
  EXPECT_TRUE(matches_object_name("Hadoop:name=Queue*,q0=root,service=*", name));
  EXPECT_FALSE(matches_object_name("Hadoop:service=ResourceManager", name));
  EXPECT_FALSE(matches_object_name("Hadoop:service=NodeManager,*", name));
}

TEST(Metrics, PrometheusNamesAreThoseOfHadoopsSink) {
  EXPECT_EQ(prometheus_name("QueueMetrics", "AppsSubmitted"), "queue_metrics_apps_submitted");
  EXPECT_EQ(prometheus_name("QueueMetrics", "running_0"), "queue_metrics_running_0");
  EXPECT_EQ(prometheus_name("QueueMetrics", "AllocatedMB"), "queue_metrics_allocated_mb");
  EXPECT_EQ(prometheus_name("QueueMetrics", "AllocatedVCores"), "queue_metrics_allocated_v_cores");
  EXPECT_EQ(prometheus_name("ClusterMetrics", "NumActiveNMs"), "cluster_metrics_num_active_n_ms");
}

TEST(Metrics, PrometheusSamplesOfOneNameStandTogether) {
  RecordedCluster cluster;
  const auto body = get(cluster.web(), "/prom").body;
  const auto first = body.find("queue_metrics_apps_submitted{");
  EXPECT_NE(first, body.npos);
  EXPECT_EQ(body.find("# TYPE queue_metrics_apps_submitted gauge"),
            body.rfind("# TYPE queue_metrics_apps_submitted gauge"));
  EXPECT_THAT(body, HasSubstr("queue=\"root.beta\""));
}

TEST(Configuration, SecretsAreNotShown) {
  RecordedCluster cluster;
  cluster.settings.set("yarn.acl.enable", {"true", "yarn-site.xml", true});
  cluster.settings.set("hadoop.security.group.mapping.ldap.bind.password", {"pw1", "x", false});
  cluster.settings.set("fs.s3a.secret.key", {"pw2", "x", false});
  const auto web = cluster.web();
  const auto xml = get(web, "/conf", "*/*").body;
  EXPECT_THAT(xml, HasSubstr("<name>yarn.acl.enable</name><value>true</value><final>true</final>"
                             "<source>yarn-site.xml</source>"));
  const auto json = get(web, "/conf").body;
  EXPECT_THAT(json, HasSubstr(R"({"key":"yarn.acl.enable","value":"true","isFinal":true,)"));
  for (const auto& text : {xml, json}) {
    EXPECT_THAT(text, Not(HasSubstr("pw1")));
    EXPECT_THAT(text, Not(HasSubstr("pw2")));
  }
  EXPECT_EQ(get(web, "/conf?name=nosuch").status, 404);
}

TEST(WriterTest, TextsThatNoFormatCanCarryAreReplaced) {
  std::string json, xml;
  append_json_string(json, "a\"\\\n\x01\xff\xed\xa0\x80z\xc3\xa9");
  EXPECT_EQ(json,
            "\"a\\\"\\\\\\n\\u0001\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\xc3\xa9\"");
  append_xml_text(xml, std::string_view("<&>\x00\x0b\r", 6));
  EXPECT_EQ(xml, "&lt;&amp;&gt;\xEF\xBF\xBD\xEF\xBF\xBD&#xD;");
}

TEST(WriterTest, RealsHaveAPoint) {
  EXPECT_EQ(real_text(100.0F), "100.0");
  EXPECT_EQ(real_text(60.000004F), "60.000004");
  EXPECT_EQ(real_text(1.9900165796279907), "1.9900165796279907");
  EXPECT_EQ(real_text(1.0F / 0.0F), "0.0");
}

TEST(RouterTest, LiteralsWinOverCaptures) {
  Router router;
  std::string hit;
  router.add("GET", "/a/{}", [&](const ExchangePtr&) { hit = "capture"; });
  router.add("GET", "/a/b", [&](const ExchangePtr&) { hit = "literal"; });
  (*router.match("GET", "/a/b").handler)(nullptr);
  EXPECT_EQ(hit, "literal");
  EXPECT_EQ(router.match("POST", "/a/b").handler, nullptr);
  EXPECT_EQ(router.match("POST", "/a/b").allow, "GET, HEAD, OPTIONS");
  EXPECT_EQ(router.match("GET", "/x").allow, "");
}

TEST(XmlBody, BrokenTextIsToldWithItsPlace) {
  for (const auto* text : {"", "<a", "<a>", "<a></b>", "<a>&x;</a>", "<a>&#0;</a>", "<a b></a>",
                           "<a/>x", "x", "<a><!x></a>", "<a><![CDATA[</a>"}) {
    const auto body = parse_xml_body(text);
    ASSERT_FALSE(body) << text;
    EXPECT_THAT(body.error().message, HasSubstr("at line 1")) << text;
  }
}

TEST(XmlBody, NestingIsBounded) {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += "<a>";
  EXPECT_THAT(parse_xml_body(text).error().message, HasSubstr("nested deeper than 64"));
}

}  // namespace
}  // namespace heddle::testlib
