// Why it waits: our own answers, and the activities of Hadoop in its shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/fake_explain.h"
#include "tests/testlib/web_call.h"
#include "tests/unit/compat_rest/recorded.h"

namespace heddle::testlib {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kWaits = "application_1795312714741_0004";
const std::string kAppActivities = "/ws/v1/cluster/scheduler/app-activities/" + kWaits;
const std::string kActivities = "/ws/v1/cluster/scheduler/activities";

/// An application that waits for 4 GB on two nodes that are too small and one that is full.
rm::Explanation waits_for_room() {
  rm::Explanation out;
  out.queue = QueuePath("root.a");
  out.user = UserName("ann");
  out.priority = 7;
  out.position = 2;
  out.waiting = 3;
  out.ahead = {AppId{1795312714741, 3}};
  queues::ExplainedAsk ask;
  ask.priority = 1;
  ask.size = Resources(4096, 1);
  ask.count = 5;
  ask.wait.verdict = rm::Verdict::kClusterFull;
  ask.wait.sentence = "no node has room";
  ask.wait.action = "wait";
  ask.wait.missing = queues::Missing{queues::Missing::Unit::kResource, 0, 3072};
  ask.nodes = {{rm::NodeVerdict::kNoRoom, 1, 1, {{{"n1", 1}, {8192, 8}, {1024, 3}}}},
               {rm::NodeVerdict::kTooSmall,
                1,
                2,
                {{{"n2", 1}, {2048, 2}, {2048, 2}}, {{"n3", 1}, {2048, 2}, {0, 0}}}}};
  out.wait = ask.wait;
  out.asks = {ask};
  out.limits = {{"maximum-capacity", "root.a", "x.maximum-capacity", {1, 1}, {2, 2}}};
  return out;
}

class ExplainRoutes : public ::testing::Test {
 protected:
  ExplainRoutes() {
    explain.answer = waits_for_room();
    cluster.set_time(1795312847242);
  }
  net::HttpHandler web() {
    return compat::rest::make_rm_web_handler(
        rm::Door{cluster.applications, cluster.masters, cluster.nodes, cluster.admin,
                 cluster.reports, cluster.keys, nullptr, &explain},
        cluster.options);
  }
  std::string body(const std::string& target) { return get(web(), target).body; }
  RecordedCluster cluster;
  FakeExplain explain;
};

TEST_F(ExplainRoutes, OneSentenceOneNumberAndOneActionOfAnApplication) {
  EXPECT_EQ(
      body("/ws/v1/heddle/apps/" + kWaits + "/explain"),
      R"({"explanation":{"verdict":"cluster-full","sentence":"no node has room",)"
      R"("number":{"amount":3072,"unit":"memory-mb"},"action":"wait",)"
      R"("applicationId":"application_1795312714741_0004","queue":"root.a","user":"ann",)"
      R"("priority":7,"position":2,"waitingInQueue":3,)"
      R"("ahead":[{"applicationId":"application_1795312714741_0003"}],)"
      R"("limits":[{"name":"maximum-capacity","scope":"root.a","property":"x.maximum-capacity",)"
      R"("used":{"memory-mb":1,"vcores":1},"limit":{"memory-mb":2,"vcores":2},"blocks":false}],)"
      R"("asks":[{"priority":1,"allocationRequestId":-1,"am":false,)"
      R"("size":{"memory-mb":4096,"vcores":1},"containers":5,"label":"",)"
      R"("verdict":"cluster-full","sentence":"no node has room",)"
      R"("number":{"amount":3072,"unit":"memory-mb"},"action":"wait","nodes":[)"
      R"({"verdict":"no-room","count":1,"shortOf":[{"type":"memory-mb"}],)"
      R"("examples":[{"id":"n1:1","total":{"memory-mb":8192,"vcores":8},)"
      R"("free":{"memory-mb":1024,"vcores":3}}]},)"
      R"({"verdict":"too-small","count":2,"shortOf":[{"type":"memory-mb"}],)"
      R"("examples":[{"id":"n2:1","total":{"memory-mb":2048,"vcores":2},)"
      R"("free":{"memory-mb":2048,"vcores":2}},)"
      R"({"id":"n3:1","total":{"memory-mb":2048,"vcores":2},"free":{"memory-mb":0,"vcores":0}})"
      R"(]}]}],"asksLeftOut":0}})");
}

TEST_F(ExplainRoutes, WhatSomebodyThinksOfIsReadFromTheQuery) {
  EXPECT_THAT(body("/ws/v1/heddle/explain?queue=a&user=bob&memory=2048&vcores=2&count=3&label=gpu"
                   "&place=n1,/r1&place=n2&am.memory=512&user.name=eve"),
              HasSubstr(R"("startsNow":0)"));
  ASSERT_TRUE(explain.thought);
  EXPECT_EQ(explain.thought->queue, "a");
  EXPECT_EQ(explain.thought->user, UserName("bob"));
  EXPECT_EQ(explain.thought->size, Resources(2048, 2));
  EXPECT_EQ(explain.thought->count, 3);
  EXPECT_EQ(explain.thought->label, "gpu");
  EXPECT_THAT(explain.thought->places, ElementsAre("n1", "/r1", "n2"));
  EXPECT_EQ(explain.thought->am_size, Resources(512, 0));
  body("/ws/v1/heddle/explain?queue=a&am=none&user.name=eve");
  EXPECT_EQ(explain.thought->user, UserName("eve"));
  EXPECT_EQ(explain.thought->am_size, Resources{});
}

struct BadQuestion {
  std::string target;
  int status;
  std::string says;
};

TEST_F(ExplainRoutes, WhatMakesNoSenseIsRefusedWithTheParameter) {
  const std::string own = "/ws/v1/heddle/";
  const BadQuestion kBad[] = {
      {own + "apps/job_1/explain", 400, "Invalid ApplicationId prefix"},
      {own + "apps/application_1_9999999999999/explain", 400, "application_1_9999999999999"},
      {own + "apps/application_1_2/explain", 404, "app with id: application_1_2 not found"},
      {own + "explain", 400, "queue is missing"},
      {own + "explain?queue=a&memory=1.5", 400, "memory=1.5: not a whole number"},
      {own + "explain?queue=a&memory=99999999999999999999", 400, "not a whole number"},
      {own + "explain?queue=a&count=many", 400, "count=many"},
      {own + "explain?queue=a&yarn.io/gpu2=1", 400, "the types memory-mb, vcores"},
      {own + "explain?queue=a&gpu=1", 400, "no resource type"},
      {own + "explain?queue=a&am=small", 400, "am=small"},
      {own + "explain?queue=a&user=" + std::string(300, 'u'), 400, "longer than 255"},
  };
  for (const BadQuestion& bad : kBad) {
    const auto answer = get(web(), bad.target);
    EXPECT_EQ(answer.status, bad.status) << bad.target;
    EXPECT_THAT(answer.body, HasSubstr(bad.says)) << bad.target;
  }
  EXPECT_FALSE(explain.thought);
}

TEST_F(ExplainRoutes, ErrorsOfTheSchedulerGoBack) {
  explain.answer = fail(ErrorCode::kNotFound, "there is no queue x");
  EXPECT_EQ(get(web(), "/ws/v1/heddle/explain?queue=x").status, 404);
  explain.answer = fail(ErrorCode::kUnavailable, "try again");
  EXPECT_EQ(get(web(), "/ws/v1/heddle/explain?queue=x").status, 503);
}

// --- Hadoop's

TEST_F(ExplainRoutes, ActivitiesOfAnApplicationTellEachNode) {
  EXPECT_EQ(
      body(kAppActivities),
      R"({"appActivities":{"applicationId":"application_1795312714741_0004","allocations":[{)"
      R"("timestamp":1795312847242,"dateTime":"Sun Nov 22 02:00:47 UTC 2026",)"
      R"("queueName":"root.a","appPriority":7,"allocationState":"SKIPPED",)"
      R"("diagnostic":"no node has room","children":[{"requestPriority":1,)"
      R"("allocationRequestId":-1,"allocationState":"SKIPPED","diagnostic":"no node has room",)"
      R"("children":[{"name":"Container-Id-Not-Assigned","allocationState":"SKIPPED",)"
      R"("diagnostic":"Node does not have sufficient resource for request, insufficient )"
      R"(resources=[memory-mb]\nrequired=<memory:4096, vCores:1>, )"
      R"(available=<memory:1024, vCores:3>","nodeId":"n1:1"},)"
      R"({"name":"Container-Id-Not-Assigned","allocationState":"SKIPPED",)"
      R"("diagnostic":"Node's total resource is insufficient for request, insufficient )"
      R"(resources=[memory-mb]\nrequired=<memory:4096, vCores:1>, )"
      R"(available=<memory:2048, vCores:2>","nodeId":"n2:1"},)"
      R"({"name":"Container-Id-Not-Assigned","allocationState":"SKIPPED",)"
      R"("diagnostic":"Node's total resource is insufficient for request, insufficient )"
      R"(resources=[memory-mb]\nrequired=<memory:4096, vCores:1>, )"
      R"(available=<memory:2048, vCores:2>","nodeId":"n3:1"}]}]}]}})");
}

TEST_F(ExplainRoutes, ActivitiesGroupedByDiagnosticCountTheNodes) {
  EXPECT_THAT(body(kAppActivities + "?groupBy=diagnostic"),
              HasSubstr(R"({"allocationState":"SKIPPED","diagnostic":"Node's total resource is )"
                        R"(insufficient for request, insufficient resources=[memory-mb]",)"
                        R"("count":2,"nodeIds":["n2:1","n3:1"]})"));
  EXPECT_THAT(get(web(), kAppActivities + "?groupBy=diagnostic", "application/xml").body,
              HasSubstr("<count>2</count><nodeIds>n2:1</nodeIds><nodeIds>n3:1</nodeIds>"));
}

TEST_F(ExplainRoutes, ActivitiesOfRequestsThatAreNotAskedForAreLeftOut) {
  EXPECT_THAT(body(kAppActivities + "?requestPriorities=1&allocationRequestIds=-1,4"),
              HasSubstr("requestPriority"));
  EXPECT_THAT(body(kAppActivities + "?requestPriorities=2,3"), Not(HasSubstr("requestPriority")));
}

TEST_F(ExplainRoutes, ActivitiesWithBadParametersSaySoInTheirDiagnostic) {
  const auto says = [&](const std::string& query, const std::string& text) {
    const auto answer = get(web(), kAppActivities + query);
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, HasSubstr("\"diagnostic\":\"" + text)) << query;
  };
  says("?groupBy=node", "Got invalid groupBy: node");
  says("?actions=drop", "Got invalid action: drop");
  says("?limit=-1", "Got invalid limit: -1");
  says("?maxTime=x", "Got invalid maxTime: x");
  says("?requestPriorities=1,x", "Got invalid requestPriorities: x");
  says("?actions=refresh", "Successfully received action: refresh");
  EXPECT_EQ(get(web(), "/ws/v1/cluster/scheduler/app-activities/job_1").status, 400);
  EXPECT_THAT(body("/ws/v1/cluster/scheduler/app-activities/application_1795312714741_0001"),
              HasSubstr("fail to get application activities after finished"));
}

TEST_F(ExplainRoutes, ActivitiesOfTheSchedulerAreTheTreeOfItsQueues) {
  explain.root->path = QueuePath("root");
  explain.root->wants = true;
  queues::QueueActivity a;
  a.path = QueuePath("root.a");
  a.wants = true;
  a.apps = {waits_for_room()};
  a.apps[0].app = AppId{1795312714741, 4};
  queues::QueueActivity b;
  b.path = QueuePath("root.b");
  explain.root->children = {a, b};
  const std::string all = body(kActivities + "?groupBy=DIAGNOSTIC");
  EXPECT_THAT(
      all, HasSubstr(R"({"activities":{"timestamp":1795312847242,"dateTime":"Sun Nov 22 02:00:47 )"
                     R"(UTC 2026","allocations":[{"partition":"","finalAllocationState":"SKIPPED",)"
                     R"("root":{"name":"root","allocationState":"SKIPPED","children":[{"name":"a",)"
                     R"("allocationState":"SKIPPED","children":[{)"
                     R"("name":"application_1795312714741_0004","appPriority":7,)"));
  EXPECT_THAT(all, HasSubstr(R"({"name":"b","allocationState":"SKIPPED",)"
                             R"("diagnostic":"Queue does not need more resource"})"));
  EXPECT_THAT(all, HasSubstr(R"("name":"request_1_-1")"));
  EXPECT_THAT(body("/ws/v1/cluster/scheduler/bulk-activities?activitiesCount=2"),
              HasSubstr(R"({"bulkActivities":{"activities":[{"timestamp":)"));
}

TEST_F(ExplainRoutes, ActivitiesOfAnIdleSchedulerHaveTheRecordedShape) {
  explain.root->path = QueuePath("root");
  EXPECT_EQ(body(kActivities),
            R"({"activities":{"timestamp":1795312847242,"dateTime":"Sun Nov 22 02:00:47 UTC 2026",)"
            R"("allocations":[{"partition":"","finalAllocationState":"SKIPPED","root":{)"
            R"("name":"root","allocationState":"SKIPPED",)"
            R"("diagnostic":"Queue does not need more resource"}}]}})");
}

}  // namespace
}  // namespace heddle::testlib
