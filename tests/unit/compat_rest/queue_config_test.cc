// scheduler-conf in the shapes of Hadoop, and our own beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compat/rest/queue_change.h"
#include "tests/testlib/fake_queue_config.h"
#include "tests/unit/compat_rest/recorded.h"

namespace heddle::testlib {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

const std::string kConf = "/ws/v1/cluster/scheduler-conf";
const std::string kOwn = "/ws/v1/heddle/queue-config";

class QueueConfigRoutes : public ::testing::Test {
 protected:
  QueueConfigRoutes() {
    queues.state.store = rm::QueueStore::kKept;
    queues.state.version.number = 7;
    queues.state.version.since = WallTime{1795312714741};
    queues.state.version.user = "ann";
    queues.state.version.change = "set k=v";
    queues.state.version.settings = std::make_shared<const rm::QueueSettings>(
        rm::QueueSettings{{"yarn.scheduler.capacity.root.a.acl_submit_applications", "ann <b> "},
                          {"yarn.scheduler.capacity.root.queues", "a"}});
  }
  net::HttpHandler web() {
    return compat::rest::make_rm_web_handler(
        rm::Door{cluster.applications, cluster.masters, cluster.nodes, cluster.admin,
                 cluster.reports, cluster.keys, &queues},
        cluster.options);
  }
  net::HttpResponse send(const std::string& method, const std::string& target, std::string body,
                         std::vector<std::pair<std::string, std::string>> headers = {}) {
    headers.emplace_back("Content-Type",
                         body.starts_with('<') ? "application/xml" : "application/json");
    return call(web(), {.method = method,
                        .target = target,
                        .headers = std::move(headers),
                        .body = std::move(body)});
  }
  const queues::ConfigChange& change() { return queues.changes.back().change; }

  RecordedCluster cluster;
  FakeQueueConfig queues;
};

TEST_F(QueueConfigRoutes, SettingsAreAListOfPropertiesWithoutARoot) {
  EXPECT_EQ(
      get(web(), kConf).body,
      R"({"property":[)"
      R"({"name":"yarn.scheduler.capacity.root.a.acl_submit_applications","value":"ann <b> "},)"
      R"({"name":"yarn.scheduler.capacity.root.queues","value":"a"}]})");
  EXPECT_THAT(get(web(), kConf, "application/xml").body,
              HasSubstr("<configuration><property>"
                        "<name>yarn.scheduler.capacity.root.a.acl_submit_applications</name>"
                        "<value>ann &lt;b&gt; </value></property><property>"));
}

TEST_F(QueueConfigRoutes, TheVersionIsANumberAsText) {
  EXPECT_EQ(get(web(), kConf + "/version").body, R"({"versionID":"7"})");
  EXPECT_THAT(get(web(), kConf + "/version", "application/xml").body,
              HasSubstr("<configversion><versionID>7</versionID></configversion>"));
}

TEST_F(QueueConfigRoutes, WhereTheFileRulesHadoopsTextsAreGiven) {
  queues.state.store = rm::QueueStore::kFile;
  const auto says = [&](const net::HttpResponse& answer, const char* text) {
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr(text));
  };
  says(get(web(), kConf), "This API only supports to retrieve scheduler configuration");
  says(get(web(), kConf + "/version"), "Configuration Version only supported by");
  says(get(web(), kConf + "/format"), "Scheduler Configuration format only supported by");
  says(send("PUT", kConf, "{}"),
       "Configuration change only supported by mutable configuration store.");
  says(send("POST", kConf + "/validate", "{}"),
       "Configuration change validation only supported by MutableConfScheduler.");
  EXPECT_THAT(queues.changes, IsEmpty());
}

TEST_F(QueueConfigRoutes, AChangeAsTheJavaClientWritesItIsTaken) {
  const auto answer = send("PUT", kConf + "?user.name=ann",
                           R"({"add-queue":{"queue-name":"root.c","params":{"entry":[)"
                           R"({"key":"capacity","value":"10"},{"key":"acl_submit_applications",)"
                           R"("value":"u1,u2 g1"}]}},"remove-queue":"root.b","update-queue":)"
                           R"({"queue-name":"root.a","params":{"entry":{"key":"state"}}},)"
                           R"("global":{"entry":{"key":"k","value":"v"}},"subClusterId":""})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "Configuration change successfully applied.");
  EXPECT_THAT(change().remove, ElementsAre("root.b"));
  ASSERT_EQ(change().add.size(), 1u);
  EXPECT_EQ(change().add[0].queue, "root.c");
  EXPECT_THAT(change().add[0].values,
              ElementsAre(Pair("acl_submit_applications", Optional(std::string("u1,u2 g1"))),
                          Pair("capacity", Optional(std::string("10")))));
  ASSERT_EQ(change().update.size(), 1u);
  EXPECT_THAT(change().update[0].values, ElementsAre(Pair("state", std::nullopt)));
  EXPECT_THAT(change().global, ElementsAre(Pair("k", Optional(std::string("v")))));
  EXPECT_THAT(queues.callers, ElementsAre("ann"));
  EXPECT_FALSE(queues.changes[0].dry_run);
}

TEST_F(QueueConfigRoutes, AChangeInXmlIsTaken) {
  send("PUT", kConf,
       "<sched-conf><update-queue><queue-name>root.a</queue-name><params><entry>"
       "<key>maximum-capacity</key><value>75</value></entry></params></update-queue>"
       "<update-queue><queue-name>root.b</queue-name><params/></update-queue>"
       "<remove-queue>root.c</remove-queue><remove-queue>root.d</remove-queue>"
       "<global-updates><entry><key>k</key><value> </value></entry></global-updates></sched-conf>");
  ASSERT_EQ(change().update.size(), 2u);
  EXPECT_THAT(change().update[0].values,
              ElementsAre(Pair("maximum-capacity", Optional(std::string("75")))));
  EXPECT_THAT(change().update[1].values, IsEmpty());
  EXPECT_THAT(change().remove, ElementsAre("root.c", "root.d"));
  EXPECT_THAT(change().global, ElementsAre(Pair("k", Optional(std::string(" ")))));
}

TEST_F(QueueConfigRoutes, PlainMapsAndARootAreTakenToo) {
  send("PUT", kConf,
       R"({"sched-conf":{"update-queue":[{"queue-name":"root.a","params":{"capacity":40,)"
       R"("state":null}}]}})");
  EXPECT_THAT(change().update[0].values, ElementsAre(Pair("capacity", Optional(std::string("40"))),
                                                     Pair("state", std::nullopt)));
}

TEST_F(QueueConfigRoutes, GlobalSettingsMayComeUnderBothOfTheirNamesAsTheJavaClientSendsThem) {
  const auto answer = send("PUT", kConf,
                           R"({"global":{"entry":{"key":"k","value":"v"}},)"
                           R"("global-updates":{"entry":{"key":"k","value":"v"}}})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(change().global, ElementsAre(Pair("k", Optional(std::string("v")))));
}

struct BadBody {
  const char* body;
  const char* says;
};

class BadQueueChanges : public QueueConfigRoutes, public ::testing::WithParamInterface<BadBody> {};

TEST_P(BadQueueChanges, AreToldWithTheirPlace) {
  const auto answer = send("PUT", kConf, GetParam().body);
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr(GetParam().says));
  EXPECT_THAT(queues.changes, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadQueueChanges,
    ::testing::Values(
        BadBody{"", "empty"}, BadBody{"{", "line 1, column"}, BadBody{"[]", "an object"},
        BadBody{R"({"update-queues":[{"queue-name":"root.a"}]})", "update-queues: not known here"},
        BadBody{R"({"settings":{"a":"b"}})", "settings: not known here"},
        BadBody{R"({"add-queue":["root.a"]})", "must be an object with queue-name, at line 1"},
        BadBody{R"({"add-queue":[{"params":{}}]})", "has no queue-name"},
        BadBody{R"({"add-queue":[{"queue-name":{"a":1}}]})", "queue-name must be a text"},
        BadBody{R"({"add-queue":[{"queue-name":"root.a","parms":{}}]})", "parms: not known here"},
        BadBody{R"({"add-queue":[{"queue-name":"root.a","params":"capacity=4"}]})",
                "params: must be an object"},
        BadBody{R"({"remove-queue":[{"queue-name":"root.a"}]})", "must be the path of a queue"},
        BadBody{R"({"global":{"entry":[{"value":"v"}]}})", "entry: has no key"},
        BadBody{R"({"global":{"entry":[{"key":"k","value":"1"},{"key":"k","value":"2"}]}})",
                "the same key is given twice"},
        BadBody{R"({"global":{"k":{"v":1}}})", "k: must be a text"},
        BadBody{R"({"global":{"k":"1"},"global-updates":{"k":"2"}})", "k has another value before"},
        BadBody{"<sched-conf><x/></sched-conf>", "x: not known here"},
        BadBody{"<sched-conf>", "bad XML"}));

TEST_F(QueueConfigRoutes, FaultsOfAChangeGoBackAsPlainText) {
  queues.outcome = fail(ErrorCode::kInvalidArgument, "Queue root.a not found\nand more");
  const auto put = send("PUT", kConf, R"({"remove-queue":"root.a"})");
  EXPECT_EQ(put.status, 400);
  EXPECT_EQ(put.body, "Queue root.a not found\nand more");
  const auto validate = send("POST", kConf + "/validate", R"({"remove-queue":"root.a"})");
  EXPECT_EQ(validate.status, 400);
  EXPECT_EQ(validate.body,
            "CapacityScheduler configuration validation failed:java.io.IOException: Queue root.a "
            "not found\nand more");
}

TEST_F(QueueConfigRoutes, RefusalsByThePolicyAre400AndByTheAdministratorsList403) {
  queues.outcome = fail(ErrorCode::kPermissionDenied, "User is not admin of all modified queues.");
  EXPECT_EQ(send("PUT", kConf, "{}").status, 400);
  queues.outcome = fail(ErrorCode::kPermissionDenied, "Only admins can carry out this operation.");
  EXPECT_EQ(send("PUT", kConf, "{}").status, 403);
  queues.may_read = fail(ErrorCode::kPermissionDenied, "Only admins can carry out this operation.");
  EXPECT_EQ(get(web(), kConf).status, 403);
  EXPECT_EQ(get(web(), kConf + "/version").status, 403);
}

TEST_F(QueueConfigRoutes, AStoreThatIsFullIsToldAsSuch) {
  queues.outcome = fail(ErrorCode::kUnavailable, "state store is full");
  EXPECT_EQ(send("PUT", kConf, "{}").status, 503);
}

TEST_F(QueueConfigRoutes, ValidationAnswersTheSettingsAndChangesNothing) {
  queues.outcome->settings =
      std::make_shared<const rm::QueueSettings>(rm::QueueSettings{{"k", "v"}});
  const auto answer = send("POST", kConf + "/validate", R"({"global":{"k":"v"}})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"property":[{"name":"k","value":"v"}]})");
  EXPECT_TRUE(queues.changes[0].dry_run);
}

TEST_F(QueueConfigRoutes, FormatIsAGetThatPagesOfStrangersMayNotUse) {
  EXPECT_EQ(get(web(), kConf + "/format").body,
            "Configuration under store successfully formatted.");
  EXPECT_EQ(queues.resets, 1);
  for (const auto* header : {"Origin", "Referer", "Sec-Fetch-Site"}) {
    const auto answer =
        call(web(), {.target = kConf + "/format", .headers = {{header, "http://localhost:8088"}}});
    EXPECT_EQ(answer.status, 403) << header;
  }
  EXPECT_EQ(queues.resets, 1);
}

TEST_F(QueueConfigRoutes, OursTellWhatIsInForce) {
  queues.state.fault = "line 3";
  EXPECT_EQ(get(web(), kOwn).body,
            R"({"store":"kept","version":7,"since":1795312714741,"user":"ann","change":"set k=v",)"
            R"("fromFile":false,"fault":"line 3"})");
  EXPECT_EQ(get(web(), kOwn + "/versions").body,
            R"({"versions":[{"version":7,"since":1795312714741,"user":"ann","change":"set k=v",)"
            R"("fromFile":false}]})");
  EXPECT_THAT(get(web(), kOwn + "/versions/7").body, HasSubstr("root.queues"));
  EXPECT_EQ(get(web(), kOwn + "/versions/8").status, 404);
  EXPECT_EQ(get(web(), kOwn + "/versions/x").status, 400);
}

TEST_F(QueueConfigRoutes, OursTakeWholeFilesVersionsAndDryRunsAndTellTheDifference) {
  queues::QueueDiff diff;
  diff.path = "root.a";
  diff.settings = {{"capacity", "40", std::nullopt}};
  diff.before.emplace();
  diff.before->share = 0.4;
  diff.before->maximum_share = 1;
  queues.outcome->version = 8;
  queues.outcome->diff.queues.push_back(diff);
  queues.outcome->shrinks.push_back({"root.a", {2048, 2}, {1024, 1}, {4096, 4}, 3, false});
  queues.outcome->warnings = {"has no effect"};
  const auto answer =
      send("PUT", kOwn, R"({"settings":{"a":"1","b":""},"version":3,"dry-run":true})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            R"({"version":8,"queues":[{"queue":"root.a","before":{"share":0.4,"maximumShare":1.0,)"
            R"("state":"RUNNING","leaf":true,"guaranteed":{"memory-mb":0,"vcores":0},"maximum":)"
            R"({"memory-mb":0,"vcores":0}},"settings":[{"name":"capacity","before":"40"}]}],)"
            R"("global":[],"shrinks":[{"queue":"root.a","aboveMaximum":false,"apps":3,)"
            R"("used":{"memory-mb":2048,"vcores":2},"guaranteed":{"memory-mb":1024,"vcores":1},)"
            R"("maximum":{"memory-mb":4096,"vcores":4}}],"warnings":[{"text":"has no effect"}]})");
  const rm::QueueChange& asked = queues.changes[0];
  EXPECT_TRUE(asked.dry_run);
  EXPECT_TRUE(asked.with_diff);
  EXPECT_EQ(asked.to_version, 3);
  EXPECT_THAT(*asked.change.replace, ElementsAre(Pair("a", "1"), Pair("b", "")));
}

TEST_F(QueueConfigRoutes, OursTellAllFaultsAsAnException) {
  queues.outcome = fail(ErrorCode::kInvalidArgument, "one\ntwo");
  const auto answer = send("PUT", kOwn, R"({"remove-queue":["root.a"]})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr(R"(one\ntwo)"));
}

}  // namespace
}  // namespace heddle::testlib
