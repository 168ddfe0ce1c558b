// Node labels over REST, beside what Hadoop 3.4.2 answered for the same cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/compat_rest/recorded.h"

namespace heddle::testlib {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LabelsOverRest : public ::testing::Test {
 protected:
  LabelsOverRest() {
    rm::LabelsReport& labels = cluster.reports.label_list;
    labels.labels = {{"big", false, 0, {}}, {"gpu", true, 1, Resources(8192, 8)}};
    labels.nodes = {{NodeId{"localhost", 0}, "gpu"}, {NodeId{"localhost", 8041}, "gpu"}};
  }
  void expect_recorded(const std::string& path, const std::string& file) {
    const std::string target = "/ws/v1/cluster/" + path;
    EXPECT_EQ(get(cluster.web(), target).body, recorded(file + ".json"));
    EXPECT_EQ(get(cluster.web(), target, "application/xml").body, recorded(file + "-x.xml"));
  }
  net::HttpResponse change(const std::string& path, const std::string& body = "") {
    return post(cluster.web(), "/ws/v1/cluster/" + path, body);
  }
  RecordedCluster cluster;
};

TEST_F(LabelsOverRest, AreWrittenByteForByteAsHadoopWritesThem) {
  expect_recorded("get-node-labels", "rm-labels");
  expect_recorded("get-rm-node-labels", "rm-active-labels");
  expect_recorded("get-node-to-labels", "rm-labelled-nodes");
  expect_recorded("label-mappings", "rm-label-mappings");
  expect_recorded("label-mappings?labels=gpu", "rm-label-mappings");
  expect_recorded("nodes/localhost:8041/get-labels", "rm-labels-of-node");
  expect_recorded("nodes/localhost/get-labels", "rm-labels-of-node");
}

TEST_F(LabelsOverRest, OfALabelWithoutNodesThereAreNone) {
  EXPECT_EQ(get(cluster.web(), "/ws/v1/cluster/label-mappings?labels=big").body,
            R"({"labelsToNodes":null})");
}

TEST_F(LabelsOverRest, AreShownWithTheirNodeAndItsAttributes) {
  cluster.reports.node_list[0].label = "gpu";
  cluster.reports.node_list[0].attributes = {{"rm.yarn.io", "os", "debian"}};
  const std::string body = get(cluster.web(), "/ws/v1/cluster/nodes/localhost:8041").body;
  EXPECT_THAT(body, HasSubstr(R"("numQueuedContainers":0,"nodeLabels":["gpu"],"allocationTags")"));
  EXPECT_THAT(body,
              HasSubstr(R"("nodeAttributesInfo":{"nodeAttributeInfo":[{"prefix":"rm.yarn.io",)"
                        R"("name":"os","type":"STRING","value":"debian"}]})"));
}

TEST_F(LabelsOverRest, DivideWhatAQueueHas) {
  rm::QueueReport& alpha = cluster.reports.root.children[1];
  alpha.labels = {"gpu"};
  alpha.default_label = "gpu";
  alpha.partitions.push_back(alpha.partitions[0]);
  alpha.partitions[1].label = "gpu";
  alpha.partitions[1].capacity = 1;
  const std::string body = get(cluster.web(), "/ws/v1/cluster/scheduler").body;
  EXPECT_THAT(body, HasSubstr(R"("nodeLabels":["gpu"])"));
  EXPECT_THAT(body,
              HasSubstr(R"("autoCreationEligibility":"off","defaultNodeLabelExpression":"gpu")"));
  EXPECT_THAT(body, HasSubstr(R"({"partitionName":"gpu","queueCapacityVectorInfo":)"
                              R"({"configuredCapacityVector":"[memory-mb=100.0%,vcores=100.0%]")"));
  EXPECT_THAT(body, HasSubstr(R"({"partitionName":"gpu","used":)"));
}

TEST_F(LabelsOverRest, AreAddedAndRemoved) {
  EXPECT_EQ(change("add-node-labels",
                   R"({"nodeLabelInfo":[{"name":"fast","exclusivity":false},{"name":"slow"}]})")
                .status,
            200);
  EXPECT_EQ(change("add-node-labels",
                   R"({"nodeLabelsInfo":{"nodeLabelInfo":{"name":"one","exclusivity":"true"}}})")
                .status,
            200);
  EXPECT_EQ(change("remove-node-labels?labels=fast&labels=slow").status, 200);
  EXPECT_THAT(cluster.admin.calls,
              ElementsAre("add label fast shared", "add label slow", "add label one",
                          "remove label fast", "remove label slow"));
}

TEST_F(LabelsOverRest, AreGivenToNodesAndHosts) {
  EXPECT_EQ(
      change("replace-node-to-labels", R"({"nodeToLabels":[{"nodeId":"n1:8041","labels":["gpu"]},)"
                                       R"({"nodeId":"n2","labels":["big"]},{"nodeId":"n3"}]})")
          .status,
      200);
  EXPECT_EQ(change("nodes/n4:8041/replace-labels?labels=gpu").status, 200);
  EXPECT_EQ(change("nodes/n4:8041/replace-labels").status, 200);
  EXPECT_THAT(cluster.admin.calls, ElementsAre("label n1:8041 gpu", "label n2:0 big", "label n3:0 ",
                                               "label n4:8041 gpu", "label n4:8041 "));
}

TEST_F(LabelsOverRest, ThatAreRefusedAreSoInHadoopsWords) {
  cluster.admin.refuse = Error{ErrorCode::kInvalidArgument, "no such label", ErrorSubject::kLabel};
  const auto answer = change("remove-node-labels?labels=x");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, R"({"RemoteException":{"exception":"BadRequestException","message":)"
                         R"("java.io.IOException: no such label","javaClassName":)"
                         R"("org.apache.hadoop.yarn.webapp.BadRequestException"}})");
}

TEST_F(LabelsOverRest, BadBodiesAreRefusedByTheirPlace) {
  EXPECT_EQ(change("add-node-labels", R"({"nodeLabelInfo":[{"name":{"a":1}}]})").status, 400);
  EXPECT_EQ(
      change("add-node-labels", R"({"nodeLabelInfo":[{"name":"a","exclusivity":"x"}]})").status,
      400);
  EXPECT_EQ(change("add-node-labels", "{").status, 400);
  EXPECT_EQ(change("replace-node-to-labels", R"({"nodeToLabels":[{"nodeId":"n1:x"}]})").status,
            400);
  EXPECT_EQ(change("nodes/n1:99999999/replace-labels").status, 400);
  EXPECT_TRUE(cluster.admin.calls.empty());
}

TEST_F(LabelsOverRest, HaveAPage) {
  const std::string body = get(cluster.web(), "/cluster/nodelabels").body;
  EXPECT_THAT(body, HasSubstr("&lt;DEFAULT_PARTITION&gt;"));
  EXPECT_THAT(body, HasSubstr("Non Exclusive Partition"));
}

}  // namespace
}  // namespace heddle::testlib
