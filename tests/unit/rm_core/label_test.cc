// Node labels in the core: who may give them, where work goes, and what a restart brings back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testlib::CoreDriver;
using testlib::CoreSetup;

CoreSetup labelled(bool distributed = false) {
  CoreSetup setup;
  setup.options.labels_enabled = true;
  setup.options.labels_distributed = distributed;
  setup.queues =
      "root accessible-node-labels=gpu,big accessible-node-labels.gpu.capacity=100 "
      "accessible-node-labels.big.capacity=100\n"
      "root.ml capacity=50 maximum-am-resource-percent=1 user-limit-factor=10 "
      "maximum-capacity=100 accessible-node-labels=gpu accessible-node-labels.gpu.capacity=100 "
      "default-node-label-expression=gpu\n"
      "root.etl capacity=50 maximum-am-resource-percent=1 user-limit-factor=10 "
      "maximum-capacity=100 accessible-node-labels=none";
  return setup;
}

class CoreLabels : public testing::Test {
 protected:
  CoreLabels() { cluster.auto_commit = true; }
  void start() {
    EXPECT_TRUE(cluster.add_labels({{"gpu", true}, {"big", false}, {"spare", true}}).ok());
    plain = cluster.add_node("n1", "8GB 8c");
    gpu = cluster.add_node("n2", "8GB 8c");
    EXPECT_TRUE(cluster.replace_labels({{{{"n2", 0}, {"gpu"}}}, false}).ok());
  }
  using Label = std::optional<std::string>;
  Submission job(const std::string& queue, const Label& label = std::nullopt) {
    Submission out = cluster.submission();
    out.queue = queue;
    out.label_expression = label;
    return out;
  }
  std::string refusal(Submission submission) {
    const auto answer = cluster.submit(std::move(submission));
    if (answer.ok()) return "(taken)";
    EXPECT_EQ(answer.code(), ErrorCode::kInvalidArgument);
    return answer.error();
  }
  /// Where one container goes that is asked for like this.
  NodeId place_of(const AttemptId& attempt, const Label& label) {
    const auto given = cluster.allocate(attempt, asking(label));
    EXPECT_EQ(given->containers.size(), 1U);
    return given->containers.empty() ? NodeId{} : given->containers[0].node;
  }
  NodeId master_place(const Submission& submission) {
    return cluster.board->attempt(cluster.running_app(submission))->master_node;
  }
  Allocate asking(const Label& label, const std::string& place = "*") {
    Allocate request;
    Ask ask;
    ask.resource_name = place;
    ask.resources = {1024, 1};
    ask.containers = 1;
    ask.label_expression = label;
    request.asks = {ask};
    return request;
  }
  CoreDriver cluster{labelled()};
  NodeId plain, gpu;
};

TEST_F(CoreLabels, TheMasterAndItsContainersGoWhereTheApplicationSays) {
  start();
  const AttemptId attempt = cluster.running_app(job("ml", "gpu"));
  EXPECT_EQ(cluster.board->attempt(attempt)->master_node, gpu);
  EXPECT_EQ(cluster.board->app(attempt.app)->label_expression, "gpu");
  EXPECT_EQ(cluster.board->app(attempt.app)->master_label_expression, "gpu");
  const auto given = cluster.ask(attempt, 2);
  ASSERT_EQ(given->containers.size(), 2U);
  for (const GrantedContainer& one : given->containers)
    EXPECT_EQ(one.node, gpu);
}

TEST_F(CoreLabels, WithoutAWordTheQueueDecides) {
  start();
  const AttemptId attempt = cluster.running_app(job("ml"));
  EXPECT_EQ(cluster.board->attempt(attempt)->master_node, gpu);
  EXPECT_EQ(cluster.board->app(attempt.app)->label_expression, std::nullopt);
  EXPECT_EQ(cluster.board->app(attempt.app)->master_label_expression, "gpu");
  EXPECT_EQ(place_of(attempt, std::nullopt), gpu);
  EXPECT_EQ(master_place(job("etl")), plain);
}

TEST_F(CoreLabels, AnEmptyWordOfTheApplicationIsTheDefaultPartition) {
  start();
  const AttemptId attempt = cluster.running_app(job("ml", ""));
  EXPECT_EQ(cluster.board->attempt(attempt)->master_node, plain);
  EXPECT_EQ(cluster.board->app(attempt.app)->label_expression, "");
  EXPECT_EQ(place_of(attempt, std::nullopt), plain);
  EXPECT_EQ(place_of(attempt, "gpu"), gpu);
}

TEST_F(CoreLabels, AnEmptyWordOfAnAskIsTheDefaultPartition) {
  start();
  EXPECT_EQ(place_of(cluster.running_app(job("ml")), ""), plain);
  EXPECT_EQ(place_of(cluster.running_app(job("ml", "gpu")), " "), plain);
}

TEST_F(CoreLabels, AnEmptyWordForTheMasterSaysNothing) {
  start();
  Submission submission = job("ml");
  Ask any;
  any.resources = submission.am_resources;
  any.containers = 1;
  any.label_expression = "";
  submission.am_asks = {any};
  EXPECT_EQ(master_place(submission), gpu) << "the queue's";
  submission = job("ml", "");
  submission.am_asks = {any};
  EXPECT_EQ(master_place(submission), plain) << "the application's";
}

TEST_F(CoreLabels, AreShownOfAnAskAsTheyWereUnderstood) {
  start();
  const AttemptId attempt = cluster.running_app(job("ml"));
  Allocate request = asking(std::nullopt);
  request.asks[0].containers = 100;
  cluster.allocate(attempt, request);
  const auto asks = cluster.board->app(attempt.app)->asks;
  ASSERT_EQ(asks.size(), 1U);
  EXPECT_EQ(asks[0].label_expression, "gpu");
}

TEST(CoreLabelsOfMasters, ThatOfTheClusterCountsBeforeThatOfTheApplication) {
  CoreSetup setup = labelled();
  setup.options.master_default_label = "gpu";
  CoreDriver cluster{setup};
  cluster.auto_commit = true;
  EXPECT_TRUE(cluster.add_labels({{"gpu", true}}).ok());
  cluster.add_node("n1", "8GB 8c");
  EXPECT_TRUE(cluster.replace_labels({{{{"n2", 0}, {"gpu"}}}, false}).ok());
  const NodeId gpu = cluster.add_node("n2", "8GB 8c");
  Submission submission = cluster.submission();
  submission.queue = "ml";
  submission.label_expression = "";
  EXPECT_EQ(cluster.board->attempt(cluster.running_app(submission))->master_node, gpu);
  submission = cluster.submission();
  submission.queue = "etl";
  EXPECT_THAT(cluster.submit(submission).error(), HasSubstr("doesn't have permission"));
}

TEST(CoreLabelsOfQueues, ThatTheClusterDoesNotHaveAreRefusedInAnAskThatNamesNone) {
  CoreSetup setup = labelled();
  setup.queues =
      "root accessible-node-labels=gpu,big accessible-node-labels.big.capacity=100\n"
      "root.ml capacity=100 maximum-am-resource-percent=1 accessible-node-labels=gpu,big "
      "accessible-node-labels.big.capacity=100 accessible-node-labels.big.maximum-am-resource-"
      "percent=1 default-node-label-expression=gpu";
  CoreDriver cluster{setup};
  cluster.auto_commit = true;
  EXPECT_TRUE(cluster.add_labels({{"big", true}}).ok());
  EXPECT_TRUE(cluster.replace_labels({{{{"n1", 0}, {"big"}}}, false}).ok());
  cluster.add_node("n1", "8GB 8c");
  Submission submission = cluster.submission();
  submission.queue = "ml";
  Ask any;
  any.resources = submission.am_resources;
  any.containers = 1;
  any.label_expression = "big";
  submission.am_asks = {any};
  const AttemptId attempt = cluster.running_app(submission);
  Allocate request;
  any.label_expression = std::nullopt;
  request.asks = {any};
  EXPECT_EQ(cluster.try_allocate(attempt, request).error(),
            "Invalid label resource request, cluster do not contain , label= gpu");
}

TEST_F(CoreLabels, AMasterMayHaveALabelOfItsOwn) {
  start();
  Submission submission = job("ml");
  Ask ask;
  ask.resources = submission.am_resources;
  ask.containers = 1;
  ask.label_expression = "gpu";
  submission.am_asks = {ask};
  const AttemptId attempt = cluster.running_app(submission);
  EXPECT_EQ(cluster.board->attempt(attempt)->master_node, gpu);
}

TEST_F(CoreLabels, AnAsksOwnLabelCountsBeforeThatOfTheApplication) {
  start();
  const AttemptId attempt = cluster.running_app(job("ml", "gpu"));
  Allocate request = asking("gpu");
  const auto given = cluster.allocate(attempt, request);
  ASSERT_EQ(given->containers.size(), 1U);
  EXPECT_EQ(given->containers[0].node, gpu);
}

TEST_F(CoreLabels, ThatMayNotBeUsedAreRefusedAtTheSubmission) {
  start();
  EXPECT_EQ(refusal(job("etl", "gpu")),
            "Invalid resource request, queue=etl doesn't have permission to access all labels in "
            "resource request. labelExpression of resource request=gpu. Queue labels=none");
  EXPECT_EQ(refusal(job("ml", "nosuch")),
            "Invalid resource request, queue=ml doesn't have permission to access all labels in "
            "resource request. labelExpression of resource request=nosuch. Queue labels=gpu");
  EXPECT_EQ(refusal(job("ml", "gpu && (")),
            "Invalid resource request, queue=ml specified more than one node label in a node label "
            "expression, node label expression = gpu && (");
  Submission elsewhere = job("ml");
  Ask any, host;
  any.resources = host.resources = elsewhere.am_resources;
  host.resource_name = "n2";
  host.label_expression = "gpu";
  elsewhere.am_asks = {any, host};
  EXPECT_EQ(refusal(elsewhere),
            "Invalid resource request, queue=ml specified node label expression in a resource "
            "request has resource name = n2");
}

TEST_F(CoreLabels, ThatMayNotBeUsedAreRefusedInAnAsk) {
  start();
  const AttemptId attempt = cluster.running_app(job("etl"));
  for (const auto& [request, text] :
       {std::pair{asking("gpu"), "doesn't have permission to access all labels"},
        std::pair{asking("gpu", "n2"), "has resource name = n2"},
        std::pair{asking("nosuch"), "doesn't have permission to access all labels"},
        std::pair{asking("gpu && big"), "more than one node label"}}) {
    const auto answer = cluster.try_allocate(attempt, request);
    EXPECT_THAT(answer.error(), HasSubstr(text));
    EXPECT_EQ(answer.code(), ErrorCode::kInvalidArgument);
  }
}

TEST_F(CoreLabels, ThatTheClusterDoesNotHaveAreRefusedByTheirName) {
  const auto removed = cluster.add_labels({{"big", false}});
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(refusal(job("ml")),
            "Invalid label resource request, cluster do not contain , label= gpu")
      << "the default of the queue";
}

TEST_F(CoreLabels, ThatAQueueUsesStay) {
  start();
  EXPECT_EQ(cluster.remove_labels({"gpu"}).error(),
            "Cannot remove label=gpu, because queue=root is using this label. Please remove label "
            "on queue before remove the label");
  EXPECT_TRUE(cluster.remove_labels({"spare"}).ok());
  EXPECT_EQ(cluster.labels()->labels.size(), 2U);
}

TEST_F(CoreLabels, OfUnknownNodesAreRefusedWhereThatIsAskedFor) {
  start();
  EXPECT_EQ(cluster.replace_labels({{{{"n9", 0}, {"gpu"}}, {{"n1", 7}, {"gpu"}}}, true}).error(),
            "Failed to replace labels as there are unknown nodes:[n1:7, n9:0]");
  EXPECT_TRUE(cluster.replace_labels({{{{"n1", 0}, {"gpu"}}}, true}).ok());
  EXPECT_TRUE(cluster.replace_labels({{{{"n9", 0}, {"gpu"}}}, false}).ok());
  EXPECT_EQ(cluster.board->node(cluster.add_node("n9", "1GB 1c"))->label, "gpu");
}

TEST_F(CoreLabels, MoveANodeWithWhatRunsThere) {
  start();
  const AttemptId attempt = cluster.running_app(job("ml", "gpu"));
  EXPECT_TRUE(cluster.replace_labels({{{{"n2", 0}, {}}}, false}).ok());
  EXPECT_EQ(cluster.board->node(gpu)->label, "");
  EXPECT_EQ(cluster.state(attempt), AttemptState::kRunning);
  EXPECT_THAT(cluster.ask(attempt, 1)->containers, IsEmpty()) << "no node has the label any more";
  EXPECT_TRUE(cluster.replace_labels({{{{"n1", 0}, {"gpu"}}}, false}).ok());
  const auto given = cluster.allocate(attempt);
  ASSERT_EQ(given->containers.size(), 1U);
  EXPECT_EQ(given->containers[0].node, plain);
}

TEST_F(CoreLabels, AreReportedWithTheirNodes) {
  start();
  const auto report = cluster.labels();
  ASSERT_EQ(report->labels.size(), 3U);
  EXPECT_EQ(report->labels[1].name, "gpu");
  EXPECT_EQ(report->labels[1].active_nodes, 1);
  EXPECT_EQ(report->labels[1].total, (Resources{8192, 8}));
  EXPECT_EQ(report->unlabelled.active_nodes, 1);
  EXPECT_THAT(report->nodes, ElementsAre(Pair(NodeId{"n2", 0}, "gpu"), Pair(gpu, "gpu")));
  const QueueReportPtr root = cluster.board->queues();
  EXPECT_THAT(root->children[0].labels, ElementsAre("gpu"));
  EXPECT_EQ(root->children[0].default_label, "gpu");
  ASSERT_EQ(root->children[0].partitions.size(), 2U);
}

TEST_F(CoreLabels, OutliveARestart) {
  start();
  EXPECT_TRUE(cluster.replace_labels({{{{"n1", 45454}, {"big"}}}, false}).ok());
  MapAttributes attributes;
  attributes.hosts["n1"] = {{std::string(kCentralAttributes), "os", "debian"}};
  EXPECT_TRUE(cluster.map_attributes(attributes).ok());
  cluster.restart();
  plain = cluster.add_node("n1", "8GB 8c");
  gpu = cluster.add_node("n2", "8GB 8c");
  EXPECT_EQ(cluster.board->node(plain)->label, "big");
  EXPECT_EQ(cluster.board->node(gpu)->label, "gpu");
  EXPECT_EQ(cluster.board->node(plain)->attributes.size(), 1U);
  EXPECT_EQ(cluster.labels()->labels.size(), 3U);
  EXPECT_EQ(cluster.board->attempt(cluster.running_app(job("ml")))->master_node, gpu);
}

TEST_F(CoreLabels, AreNotAnsweredBeforeTheyAreDurable) {
  cluster.auto_commit = false;
  const auto answer = cluster.add_labels({{"gpu", true}});
  EXPECT_FALSE(answer.came());
  cluster.commit();
  EXPECT_TRUE(answer.ok());
}

TEST(CoreLabelsOff, WhatQueuesSayOfThemHasNoEffect) {
  CoreSetup setup = labelled();
  setup.options.labels_enabled = false;
  CoreDriver cluster{setup};
  cluster.auto_commit = true;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  Submission submission = cluster.submission();
  submission.queue = "ml";
  const AttemptId attempt = cluster.running_app(submission);
  EXPECT_EQ(cluster.board->attempt(attempt)->master_node, node);
  EXPECT_EQ(cluster.ask(attempt, 2)->containers.size(), 2U);
}

TEST(CoreLabelsOff, EveryOperationSaysSo) {
  CoreDriver cluster;
  const std::string text =
      "Node-label-based scheduling is disabled. Please check yarn.node-labels.enabled";
  EXPECT_EQ(cluster.add_labels({{"gpu", true}}).error(), text);
  EXPECT_EQ(cluster.remove_labels({"gpu"}).error(), text);
  EXPECT_EQ(cluster.replace_labels({{{{"n1", 0}, {"gpu"}}}, false}).error(), text);
  EXPECT_EQ(cluster.disk.load().labels.size(), 0U);
}

RegisterNode registration(std::optional<std::set<std::string>> labels) {
  RegisterNode request;
  request.id = {"n1", 8041};
  request.http_port = 8042;
  request.total = {8192, 8};
  request.labels = std::move(labels);
  return request;
}

TEST(CoreLabelsDistributed, NodesTellTheirOwn) {
  CoreDriver cluster{labelled(true)};
  cluster.auto_commit = true;
  EXPECT_TRUE(cluster.add_labels({{"gpu", true}}).ok());
  const auto registered = cluster.register_node(registration({{"gpu"}}));
  EXPECT_TRUE(registered.value().labels_accepted);
  EXPECT_EQ(cluster.board->node({"n1", 8041})->label, "gpu");
  NodeHeartbeat beat;
  beat.id = {"n1", 8041};
  EXPECT_FALSE(cluster.heartbeat(beat).value().labels_accepted) << "it said nothing";
  beat.response_id = 1;
  beat.labels = std::set<std::string>{};
  EXPECT_TRUE(cluster.heartbeat(beat).value().labels_accepted);
  EXPECT_EQ(cluster.board->node({"n1", 8041})->label, "");
  EXPECT_TRUE(cluster.disk.load().node_labels.empty());
}

TEST(CoreLabelsDistributed, NodesAreToldWhyTheirsIsRefused) {
  CoreDriver cluster{labelled(true)};
  const auto registered = cluster.register_node(registration({{"nosuch"}}));
  EXPECT_FALSE(registered.value().shutdown);
  EXPECT_FALSE(registered.value().labels_accepted);
  EXPECT_EQ(registered.value().diagnostics,
            "Node Labels {nosuch} reported from NM with ID n1:8041 was rejected from RM with "
            "exception message as : Not all labels being replaced contained by known label "
            "collections, please check, new labels=[nosuch]");
  EXPECT_EQ(cluster.board->node({"n1", 8041})->label, "");
}

TEST(CoreLabelsDistributed, NodesThatLeaveAreForgotten) {
  CoreDriver cluster{labelled(true)};
  cluster.auto_commit = true;
  EXPECT_TRUE(cluster.add_labels({{"gpu", true}}).ok());
  cluster.register_node(registration({{"gpu"}}));
  EXPECT_EQ(cluster.labels()->nodes.size(), 1U);
  cluster.unregister_node({"n1", 8041});
  EXPECT_THAT(cluster.labels()->nodes, IsEmpty());
}

TEST(CoreLabelsDistributed, OperatorsDoNot) {
  CoreDriver cluster{labelled(true)};
  EXPECT_EQ(cluster.replace_labels({{{{"n1", 0}, {}}}, false}).error(),
            "Error when invoke method=replaceLabelsOnNode because centralized node label "
            "configuration is not enabled.");
}

TEST(CoreLabelsCentralized, WhatNodesTellIsNotTaken) {
  CoreDriver cluster{labelled()};
  cluster.auto_commit = true;
  EXPECT_TRUE(cluster.add_labels({{"gpu", true}}).ok());
  EXPECT_FALSE(cluster.register_node(registration({{"gpu"}})).value().labels_accepted);
  EXPECT_EQ(cluster.board->node({"n1", 8041})->label, "");
}

TEST(CoreAttributes, NodesTellTheirsAndAreNotStored) {
  CoreDriver cluster;
  cluster.auto_commit = true;
  RegisterNode request = registration(std::nullopt);
  request.attributes = {{std::string(kNodeAttributes), "cores", "64"}};
  EXPECT_TRUE(cluster.register_node(request).value().attributes_accepted);
  EXPECT_EQ(cluster.board->node(request.id)->attributes.size(), 1U);
  EXPECT_TRUE(cluster.disk.load().attributes.empty());
  request.attributes = {{"else", "cores", "64"}};
  const auto refused = cluster.register_node(request);
  EXPECT_FALSE(refused.value().attributes_accepted);
  EXPECT_THAT(refused.value().diagnostics, HasSubstr("must have prefix nm.yarn.io"));
}

TEST(CoreAttributes, OfUnknownHostsAreRefusedWhereThatIsAskedFor) {
  CoreDriver cluster;
  MapAttributes request;
  request.hosts["n9"] = {{std::string(kCentralAttributes), "os", "debian"}};
  request.fail_on_unknown_nodes = true;
  EXPECT_EQ(cluster.map_attributes(request).error(), " Following nodes does not exist : [n9]");
}

}  // namespace
}  // namespace heddle::rm
