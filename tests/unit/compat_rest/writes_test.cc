// Submissions and changes over REST.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "compat/proto/yarn_protos.pb.h"
#include "security/token.h"
#include "tests/unit/compat_rest/recorded.h"

namespace heddle::testlib {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kApp = "/ws/v1/cluster/apps/application_1795312714741_0004";

constexpr std::string_view kSubmission = R"({"application-id": "application_1795312714741_0006",
 "application-name": "rest-sleep", "am-container-spec": {"commands": {"command": "sleep 30"},
 "environment": {"entry": [{"key": "A", "value": "b"}]},
 "local-resources": {"entry": [{"key": "job.jar", "value": {"resource":
   "hdfs://u@nn:8020/a/b.jar", "type": "FILE", "visibility": "PUBLIC", "size": 5,
   "timestamp": 7}}]},
 "service-data": {"entry": [{"key": "mapreduce_shuffle", "value": "AAA="}]},
 "application-acls": {"entry": [{"key": "VIEW_APP", "value": "alice"}]}},
 "unmanaged-AM": false, "max-app-attempts": 1, "resource": {"memory": 512, "vCores": 1},
 "application-type": "TEST", "keep-containers-across-application-attempts": false,
 "application-tags": {"tag": ["T1", "t2"]}, "queue": "alpha", "priority": 3})";

class Writes : public ::testing::Test {
 protected:
  hadoop::yarn::ContainerLaunchContextProto launch() {
    hadoop::yarn::ContainerLaunchContextProto context;
    EXPECT_TRUE(context.ParseFromString(*cluster.applications.submitted->launch));
    return context;
  }
  RecordedCluster cluster;
};

TEST_F(Writes, ASubmissionIsAcceptedWithItsLocation) {
  const auto answer =
      post(cluster.web(), "/ws/v1/cluster/apps?user.name=root", std::string(kSubmission));
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.headers.get("Location"),
            "http://localhost:8088/ws/v1/cluster/apps/application_1795312714741_0006");
  ASSERT_TRUE(cluster.applications.submitted);
  const rm::Submission& got = *cluster.applications.submitted;
  EXPECT_EQ(got.name, "rest-sleep");
  EXPECT_EQ(got.type, "TEST");
  EXPECT_EQ(got.queue, "alpha");
  EXPECT_EQ(got.priority, 3);
  EXPECT_EQ(got.max_attempts, 1);
  EXPECT_EQ(got.am_resources, Resources(512, 1));
  EXPECT_THAT(got.tags, ElementsAre("t1", "t2"));
  EXPECT_EQ(got.view_acl, "alice");
}

TEST_F(Writes, ASubmissionWithoutALabelIsForTheDefaultPartition) {
  post(cluster.web(), "/ws/v1/cluster/apps?user.name=root", std::string(kSubmission));
  EXPECT_EQ(cluster.applications.submitted->label_expression, "");
}

TEST_F(Writes, TheContainerSpecBecomesALaunchContextAsRpcCarriesIt) {
  post(cluster.web(), "/ws/v1/cluster/apps?user.name=root", std::string(kSubmission));
  const auto context = launch();
  EXPECT_EQ(context.command(0), "sleep 30");
  EXPECT_EQ(context.environment(0).key(), "A");
  EXPECT_EQ(context.environment(0).value(), "b");
  const auto& resource = context.localresources(0);
  EXPECT_EQ(resource.key(), "job.jar");
  EXPECT_EQ(resource.value().resource().scheme(), "hdfs");
  EXPECT_EQ(resource.value().resource().host(), "nn");
  EXPECT_EQ(resource.value().resource().port(), 8020);
  EXPECT_EQ(resource.value().resource().userinfo(), "u");
  EXPECT_EQ(resource.value().resource().file(), "/a/b.jar");
  EXPECT_EQ(resource.value().visibility(), hadoop::yarn::PUBLIC);
  EXPECT_EQ(resource.value().size(), 5);
  EXPECT_EQ(context.service_data(0).value(), std::string("\0\0", 2));
}

TEST_F(Writes, XmlSaysTheSame) {
  const auto answer =
      post(cluster.web(), "/ws/v1/cluster/apps?user.name=root", R"(<?xml version="1.0"?>
<application-submission-context>
  <application-id>application_1795312714741_0006</application-id>
  <application-name>a &lt; b</application-name>
  <am-container-spec><environment>
      <entry><key>A</key><value>b</value></entry><entry><key>C</key><value>d</value></entry>
    </environment><commands><command><![CDATA[echo <LOG_DIR> && true]]></command></commands>
  </am-container-spec>
  <resource><memory>512</memory><vCores>1</vCores></resource>
  <application-tags><tag>one</tag><tag>two</tag></application-tags>
</application-submission-context>)",
           "application/xml");
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(cluster.applications.submitted->name, "a < b");
  EXPECT_EQ(cluster.applications.submitted->tags.size(), 2U);
  EXPECT_EQ(launch().command(0), "echo <LOG_DIR> && true");
  EXPECT_EQ(launch().environment_size(), 2);
}

TEST_F(Writes, CredentialsBecomeATokenFile) {
  security::Token token;
  token.identifier = "id";
  token.kind = "HDFS_DELEGATION_TOKEN";
  const std::string text = base64_url_encode(security::encode_token(token));
  const auto answer = post(
      cluster.web(), "/ws/v1/cluster/apps?user.name=root",
      R"({"application-id":"application_1795312714741_0006","am-container-spec":{"credentials":{
"tokens":{"entry":[{"key":"nn","value":")" +
          text + R"("}]},"secrets":{"entry":[{"key":"s","value":"c2VjcmV0"}]}}}})");
  EXPECT_EQ(answer.status, 202) << answer.body;
  const auto credentials = security::decode_credentials(launch().tokens());
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->tokens.at("nn").kind, "HDFS_DELEGATION_TOKEN");
  EXPECT_EQ(credentials->secrets.at("s").reveal_bytes(), "secret");
}

TEST_F(Writes, BrokenSubmissionsNameTheFieldAndThePlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"application-id":"x"})", "application-id"},
      {R"({"application-id":"application_1_0001","priority":"high"})", "priority"},
      {R"({"application-id":"application_1_0001","unmanaged-AM":"maybe"})", "unmanaged-AM"},
      {R"({"application-id":"application_1_0001","reservation-id":"r"})",
       "reservation id is invalid: r"},
      {R"({"application-id":"application_1_0001","am-container-spec":{"environment":{"entry":
[{"key":"A=B","value":"x"}]}}})",
       "line 2"},
      {R"({"application-id":"application_1_0001","am-container-spec":{"local-resources":{"entry":
[{"key":"f","value":{"resource":"file:/x","type":"FOLDER"}}]}}})",
       "FOLDER"},
      {R"({"application-id":"application_1_0001","resource":{"memory":1,"resourceInformations":{
"resourceInformation":[{"name":"yarn.io/gpu2","value":1}]}}})",
       "yarn.io/gpu2"},
  };
  for (const auto& [body, says] : cases) {
    const auto answer = post(cluster.web(), "/ws/v1/cluster/apps?user.name=root", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, HasSubstr(says)) << body;
  }
  EXPECT_FALSE(cluster.applications.submitted);
}

TEST_F(Writes, XmlWithADoctypeIsRefused) {
  const auto answer = post(cluster.web(), "/ws/v1/cluster/apps?user.name=root",
                           "<!DOCTYPE a [<!ENTITY x \"y\">]>\n<a>&x;</a>", "application/xml");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("DOCTYPE is not accepted, at line 1"));
}

TEST_F(Writes, AKillUnderWayIs202WithALocation) {
  const auto answer = put(cluster.web(), kApp + "/state?user.name=root", R"({"state":"KILLED"})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, R"({"state":"RUNNING"})");
  EXPECT_EQ(answer.headers.get("Location"), "http://localhost:8088" + kApp + "/state");
}

TEST_F(Writes, AKillThatIsDoneIs200WithTheStateReached) {
  cluster.applications.kill_completes = true;
  cluster.reports.app_list[0].state = rm::AppState::kKilled;
  const auto answer =
      put(cluster.web(), kApp + "/state?user.name=root", R"({"appstate":{"state":"KILLED"}})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"state":"KILLED"})");
}

TEST_F(Writes, PriorityAnswersTheOneInForce) {
  const auto answer = put(cluster.web(), kApp + "/priority?user.name=root", R"({"priority":5})");
  EXPECT_EQ(answer.body, R"({"priority":0})");
  EXPECT_THAT(cluster.applications.calls,
              ElementsAre("priority root application_1795312714741_0004 5"));
}

TEST_F(Writes, ALifetimeIsReadInAnyZoneAndShownInUtc) {
  cluster.set_time(1795312843000);
  const auto answer =
      put(cluster.web(), kApp + "/timeout?user.name=root",
          R"({"timeout":{"type":"LIFETIME","expiryTime":"2030-12-05T22:51:00.104+0530"}})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"("expiryTime":"2030-12-05T17:21:00.104+0000")"));
  EXPECT_EQ(json_shape(answer.body), json_shape(recorded("mut-timeout.json")));
}

TEST_F(Writes, TimesThatAreNoneAreRefused) {
  for (const auto* time : {"tomorrow", "2030-13-01T00:00:00.000+0000", "2030-12-05T17:21:00",
                           "2030-12-05T17:21:00.104+05", ""}) {
    EXPECT_EQ(put(cluster.web(), kApp + "/timeout?user.name=root",
                  std::string(R"({"type":"LIFETIME","expiryTime":")") + time + "\"}")
                  .status,
              400)
        << time;
  }
}

TEST_F(Writes, AContainerIsSignalled) {
  const auto answer = post(cluster.web(),
                           "/ws/v1/cluster/containers/container_1795312714741_0004_01_000002/"
                           "signal/GRACEFUL_SHUTDOWN?user.name=root",
                           "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(cluster.applications.calls,
              ElementsAre("signal root container_1795312714741_0004_01_000002"));
}

TEST_F(Writes, DelegationTokensNeedKerberos) {
  const auto answer =
      post(cluster.web(), "/ws/v1/cluster/delegation-token?user.name=root", R"({"renewer":"a"})");
  EXPECT_EQ(answer.status, 403);
  EXPECT_TRUE(answer.body.starts_with("Delegation token operations can only"));
}

TEST_F(Writes, ALongListLeavesInPiecesAndIsStillWhole) {
  const rm::AppReport one = cluster.reports.app_list[0];
  for (int i = 10; i < 300; ++i) {
    cluster.reports.app_list.push_back(one);
    cluster.reports.app_list.back().id.sequence = i;
  }
  const auto body = get(cluster.web(), "/ws/v1/cluster/apps").body;
  EXPECT_TRUE(body.ends_with("}]}}"));
  std::size_t count = 0;
  for (std::size_t at = body.find("\"amRPCAddress\""); at != body.npos;
       at = body.find("\"amRPCAddress\"", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 292U);
}

TEST_F(Writes, FiltersSelect) {
  const auto ids = [&](const std::string& query) {
    const std::string body = get(cluster.web(), "/ws/v1/cluster/apps?" + query).body;
    std::string found;
    for (const auto* id : {"1", "2", "3", "4"}) {
      if (body.find(std::string("\"id\":\"application_1795312714741_000") + id) != body.npos) {
        found += id;
      }
    }
    return found;
  };
  EXPECT_EQ(ids("states=running"), "4");
  EXPECT_EQ(ids("states=ACCEPTED,RUNNING"), "34");
  EXPECT_EQ(ids("state=FINISHED"), "12");
  EXPECT_EQ(ids("states=FINISHED&limit=1").size(), 1U);
  EXPECT_EQ(ids("applicationTypes=mapreduce"), "14");
  EXPECT_EQ(ids("queue=alpha"), "4");
  EXPECT_EQ(ids("queue=root.default&finalStatus=SUCCEEDED"), "12");
  EXPECT_EQ(ids("name=uam"), "3");
  EXPECT_EQ(ids("startedTimeBegin=1795312800000"), "34");
  EXPECT_EQ(ids("user=root&&limit="), "1234");
}

TEST_F(Writes, AnApplicationBetweenStatesShowsTheStateBefore) {
  cluster.reports.app_list[0].state = rm::AppState::kFinalSaving;
  cluster.reports.app_list[0].state_before_saving = rm::AppState::kRunning;
  const auto web = cluster.web();
  EXPECT_THAT(get(web, kApp).body, HasSubstr(R"("state":"RUNNING")"));
  EXPECT_EQ(get(web, kApp + "/state").body, R"({"state":"FINAL_SAVING"})");
  EXPECT_EQ(get(web, "/ws/v1/cluster/apps?states=FAILED").body, R"({"apps":{}})");
}

TEST_F(Writes, DeselectedPartsAreLeftOut) {
  const auto body = get(cluster.web(), kApp + "?deSelects=resourceInfo,timeouts").body;
  EXPECT_EQ(body.find("resourceInfo\""), body.npos);
  EXPECT_EQ(body.find("timeouts"), body.npos);
}

TEST_F(Writes, HostileSubmissionsMeetTheLimitsOfRpc) {
  const auto with = [](const std::string& field) {
    return R"({"application-id":"application_1_0001",)" + field + "}";
  };
  const auto tags = [](int count, const std::string& tag) {
    std::string list;
    for (int i = 0; i < count; ++i)
      list += (i == 0 ? "\"" : ",\"") + tag + std::to_string(i) + "\"";
    return R"("application-tags":{"tag":[)" + list + "]}";
  };
  const std::string mebibyte(1U << 20U, 'x');
  std::string variables;
  for (int i = 0; i < 10'000; ++i)
    variables +=
        (i == 0 ? "" : ",") + std::string(R"({"key":"k)") + std::to_string(i) + R"(","value":"v"})";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("application-name":")" + mebibyte + "\"", "has 1048576 bytes, the limit is 4096"},
      {R"("application-type":")" + mebibyte + "\"", "has 1048576 bytes, the limit is 1000"},
      {R"("queue":")" + mebibyte + "\"", "has 1048576 bytes, the limit is 1000"},
      {tags(1000, "t"), "a maximum of only 10 are allowed! 1000 were given"},
      {tags(1, std::string(101, 'x')), "maximum allowed length of a tag is 100"},
      {tags(1, "a\\u0001"), "printable ASCII"},
      {R"("am-container-spec":{"environment":{"entry":[)" + variables + "]}}",
       "10000 environment variables are more than the limit of 5000"},
      {R"("am-container-spec":{"environment":{"entry":[{"key":"A","value":"a\u0000b"}]}})", "NUL"},
      {R"("am-container-spec":{"environment":{"entry":[{"key":"A","value":")" +
           std::string(9U << 20U, 'x') + "\"}]}}",
       "bytes, the limit is 8388608"},
      {R"("resource":{"memory":1,"resourceInformations":{"resourceInformation":[)"
       R"({"name":"memory-mb","value":0.5}]}})",
       "whole number"},
  };
  for (const auto& [field, says] : cases) {
    const auto answer = post(cluster.web(), "/ws/v1/cluster/apps?user.name=root", with(field));
    EXPECT_EQ(answer.status, 400) << says;
    EXPECT_THAT(answer.body, HasSubstr(says));
    EXPECT_LT(answer.body.size(), 600U);
  }
  EXPECT_FALSE(cluster.applications.submitted);
}

TEST_F(Writes, TypesAreCutToTwentyCharactersAsOverRpc) {
  post(
      cluster.web(), "/ws/v1/cluster/apps?user.name=root",
      R"({"application-id":"application_1_0001","application-type":"a type that is longer than twenty"})");
  ASSERT_TRUE(cluster.applications.submitted);
  EXPECT_EQ(cluster.applications.submitted->type, "a type that is longe");
}

/// Takes what is written, and lets the test say when it has left.
class SlowResponder final : public net::HttpResponder {
 public:
  std::string got;
  bool finished = false;
  std::function<void(bool)> drained;
  void respond(net::HttpResponse response) override {
    got = std::move(response.body);
    finished = true;
  }
  void start(net::HttpResponse, std::optional<std::uint64_t>) override {}
  void write(std::string bytes) override { got += bytes; }
  void send_file(int, std::uint64_t, std::uint64_t) override {}
  void finish() override { finished = true; }
  void abort(std::string_view) override {}
  void when_drained(std::function<void(bool)> ready) override { drained = std::move(ready); }
};

TEST_F(Writes, AListingHoldsAPageOfReportsAndNotAllOfThem) {
  const rm::AppReport one = cluster.reports.app_list[0];
  for (int i = 10; i < 5'000; ++i) {
    cluster.reports.app_list.push_back(one);
    cluster.reports.app_list.back().id.sequence = i;
  }
  net::HttpRequest request;
  request.method = "GET";
  request.target = request.path = "/ws/v1/cluster/apps";
  request.headers.add("Host", "localhost:8088");
  const auto reader = std::make_shared<SlowResponder>();
  const auto web = cluster.web();
  web(std::move(request), reader);
  ASSERT_TRUE(reader->drained) << "the first piece waits for the reader";
  // The rest is looked up only when it is written: what has gone meanwhile is not there.
  cluster.reports.app_list.resize(1'000);
  while (!reader->finished)
    std::exchange(reader->drained, nullptr)(true);
  EXPECT_TRUE(reader->got.ends_with("}]}}"));
  EXPECT_NE(reader->got.find("application_1795312714741_1005\""), std::string::npos);
  EXPECT_EQ(reader->got.find("application_1795312714741_1006\""), std::string::npos);
}

TEST_F(Writes, NodesAndContainersLeaveInPiecesToo) {
  for (int i = 0; i < 500; ++i) {
    cluster.reports.node_list.push_back(cluster.reports.node_list[0]);
    cluster.reports.node_list.back().id.port = 10'000 + i;
    cluster.reports.container_list.push_back(cluster.reports.container_list[0]);
    rm::ContainerReport& added = cluster.reports.container_list.back();
    added.id = {added.id.attempt, 10'000 + i};
  }
  const auto web = cluster.web();
  for (const std::string& path :
       {std::string("/ws/v1/cluster/nodes"),
        kApp + "/appattempts/appattempt_1795312714741_0004_000001/containers"}) {
    net::HttpRequest request;
    request.method = "GET";
    request.target = request.path = path;
    request.headers.add("Host", "localhost:8088");
    const auto reader = std::make_shared<SlowResponder>();
    web(std::move(request), reader);
    EXPECT_FALSE(reader->finished) << path;
    EXPECT_LT(reader->got.size(), 80U * 1024) << path;
    while (!reader->finished)
      std::exchange(reader->drained, nullptr)(true);
    EXPECT_EQ(reader->got, get(web, path).body);
    EXPECT_GT(reader->got.size(), 200U * 1024) << path;
  }
}

TEST_F(Writes, AListingStopsAtItsLimitAcrossPages) {
  const rm::AppReport one = cluster.reports.app_list[0];
  for (int i = 10; i < 2'000; ++i) {
    cluster.reports.app_list.push_back(one);
    cluster.reports.app_list.back().id.sequence = i;
  }
  const auto count = [&](const std::string& query) {
    const std::string body = get(cluster.web(), "/ws/v1/cluster/apps?" + query).body;
    std::size_t found = 0;
    for (auto at = body.find("\"masterNodeId\""); at != body.npos;
         at = body.find("\"masterNodeId\"", at + 1))
      ++found;
    return found;
  };
  EXPECT_EQ(count("limit=700"), 700U);
  EXPECT_EQ(count("limit=256"), 256U);
  EXPECT_EQ(count("states=RUNNING&limit=513"), 513U);
  EXPECT_EQ(count("states=RUNNING"), 1'991U);
}

TEST_F(Writes, ALimitKeepsTheNewest) {
  const rm::AppReport one = cluster.reports.app_list[0];
  for (int i = 10; i < 600; ++i) {
    cluster.reports.app_list.push_back(one);
    cluster.reports.app_list.back().id.sequence = i;
  }
  const std::string body = get(cluster.web(), "/ws/v1/cluster/apps?limit=2").body;
  EXPECT_THAT(body, HasSubstr("\"id\":\"application_1795312714741_0599\""));
  EXPECT_THAT(body, HasSubstr("\"id\":\"application_1795312714741_0598\""));
}

TEST_F(Writes, ASubmissionThatWasNotTakenInIsNotAnsweredAsIfItWere) {
  const std::string body = R"({"application-id":"application_1795312714741_0004"})";
  const auto answer_to = [&](ErrorCode code, const std::string& user) {
    cluster.applications.refuse = Error{code, "because of the test"};
    return post(cluster.web(), "/ws/v1/cluster/apps?user.name=" + user, body).status;
  };
  EXPECT_EQ(answer_to(ErrorCode::kNotFound, "root"), 202) << "FAILED, with the reason on it";
  EXPECT_EQ(answer_to(ErrorCode::kNotFound, "eve"), 404) << "the one that is there is root's";
  EXPECT_EQ(answer_to(ErrorCode::kAlreadyExists, "root"), 409);
  EXPECT_EQ(answer_to(ErrorCode::kPermissionDenied, "root"), 403);
  EXPECT_EQ(answer_to(ErrorCode::kUnavailable, "root"), 503) << "visible, but not durable";
}

TEST_F(Writes, AnEndlessQueueNameIsNotEchoed) {
  const auto answer = put(cluster.web(), kApp + "/queue?user.name=root",
                          R"({"queue":")" + std::string(1U << 20U, 'q') + "\"}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_LT(answer.body.size(), 400U);
  EXPECT_THAT(cluster.applications.calls, ::testing::IsEmpty());
}

}  // namespace
}  // namespace heddle::testlib
