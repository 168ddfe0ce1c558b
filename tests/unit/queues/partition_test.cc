// Node labels: partitions of the cluster with capacities, limits and orders of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::count_for;
using testlib::first_attempt;
using testlib::hosts_of;

/// n1 without a label, g1 with gpu, 8 GB each.
Cluster labelled(bool exclusive = true) {
  auto cluster =
      ClusterBuilder{}
          .queues(
              "root.ml capacity=50 user-limit-factor=-1 accessible-node-labels=gpu "
              "accessible-node-labels.gpu.capacity=75\n"
              "root.etl capacity=50 user-limit-factor=-1 accessible-node-labels=gpu,fpga "
              "accessible-node-labels.gpu.capacity=25\n"
              "root.adhoc capacity=0 accessible-node-labels=none")
          .node("n1", "8GB 8c")
          .build();
  const PartitionSpec gpu{"gpu", exclusive};
  cluster.scheduler.set_partitions({&gpu, 1});
  cluster.scheduler.add_node({"g1", 1}, "/rack", {8192, 8}, "gpu");
  return cluster;
}

Result<void> ask(Cluster& cluster, const AppId& app, int count, const std::string& label,
                 const std::string& at = "*") {
  Ask one;
  one.priority = 1;
  one.resource_name = at;
  one.capability = {1024, 1};
  one.num_containers = count;
  one.label_expression = label;
  return cluster.scheduler.update_asks(first_attempt(app), {&one, 1});
}

PartitionUse use_of(const Cluster& cluster, std::string_view queue, std::size_t partition) {
  return cluster.scheduler.queue(*cluster.scheduler.find_queue(queue))->partitions.at(partition);
}

TEST(Partitions, AnAskWithALabelGoesToItsNodesOnly) {
  auto cluster = labelled();
  const AppId app = cluster.running_app("ml");
  ASSERT_TRUE(ask(cluster, app, 20, "gpu"));
  const auto grants = cluster.schedule();
  EXPECT_THAT(grants, SizeIs(8));
  EXPECT_THAT(hosts_of(grants), Each("g1"));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Partitions, AnAskWithoutALabelKeepsOffExclusiveOnes) {
  auto cluster = labelled();
  const AppId app = cluster.running_app("ml");
  ASSERT_TRUE(ask(cluster, app, 20, ""));
  EXPECT_THAT(hosts_of(cluster.schedule()), testing::AllOf(SizeIs(8), Each("n1")));
}

TEST(Partitions, ASharedOneServesOthersWithWhatItsOwnAsksLeave) {
  auto cluster = labelled(false);
  const AppId plain = cluster.running_app("ml");
  const AppId gpu = cluster.running_app("etl");
  ASSERT_TRUE(ask(cluster, plain, 20, ""));
  ASSERT_TRUE(ask(cluster, gpu, 6, "gpu"));
  const auto grants = cluster.schedule();
  EXPECT_EQ(count_for(grants, gpu), 6u);
  EXPECT_EQ(count_for(grants, plain), 10u);
  EXPECT_EQ(use_of(cluster, "ml", 1).used, Resources(2048, 2)) << "counts where it runs";
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Partitions, RoomThatReturnsInASharedOneGoesToItsOwnAsksFirst) {
  auto cluster = labelled(false);
  const AppId plain = cluster.running_app("ml");
  const AppId gpu = cluster.running_app("etl");
  ASSERT_TRUE(ask(cluster, plain, 20, ""));
  const auto grants = cluster.schedule();
  EXPECT_THAT(grants, SizeIs(16));
  ASSERT_TRUE(ask(cluster, gpu, 1, "gpu"));
  ASSERT_TRUE(ask(cluster, plain, 5, ""));
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  const auto on_gpu = std::find_if(grants.begin(), grants.end(),
                                   [](const Grant& grant) { return grant.node.host == "g1"; });
  cluster.release(*on_gpu);
  EXPECT_EQ(count_for(cluster.schedule(), gpu), 1u);
  const auto next = std::find_if(on_gpu + 1, grants.end(),
                                 [](const Grant& grant) { return grant.node.host == "g1"; });
  cluster.release(*next);
  EXPECT_EQ(count_for(cluster.schedule(), plain), 1u);
}

TEST(Partitions, HaveCapacitiesOfTheirOwn) {
  auto cluster = labelled();
  const AppId ml = cluster.running_app("ml");
  const AppId etl = cluster.running_app("etl");
  ASSERT_TRUE(ask(cluster, ml, 20, "gpu"));
  ASSERT_TRUE(ask(cluster, etl, 20, "gpu"));
  const auto grants = cluster.schedule();
  EXPECT_EQ(count_for(grants, ml), 6u);
  EXPECT_EQ(count_for(grants, etl), 2u);
  const PartitionUse gpu = use_of(cluster, "ml", 1);
  EXPECT_EQ(gpu.label, "gpu");
  EXPECT_EQ(gpu.absolute_capacity, 0.75);
  EXPECT_EQ(gpu.guaranteed, Resources(6144, 6));
  EXPECT_EQ(gpu.used_capacity, 1.0);
  EXPECT_EQ(use_of(cluster, "ml", 0).used, Resources());
}

TEST(Partitions, HaveMaximaOfTheirOwn) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.ml capacity=100 user-limit-factor=-1 accessible-node-labels=gpu "
                         "accessible-node-labels.gpu.capacity=100 "
                         "accessible-node-labels.gpu.maximum-capacity=50")
                     .node("n1", "8GB 8c")
                     .build();
  const PartitionSpec gpu{"gpu", true};
  cluster.scheduler.set_partitions({&gpu, 1});
  cluster.scheduler.add_node({"g1", 1}, "/rack", {8192, 8}, "gpu");
  const AppId app = cluster.running_app("ml");
  ASSERT_TRUE(ask(cluster, app, 20, "gpu"));
  EXPECT_THAT(cluster.schedule(), SizeIs(4));
}

TEST(Partitions, RefuseALabelThatIsNotThereOrNotOpenToTheQueue) {
  auto cluster = labelled();
  const auto refusal = [&](std::string_view queue, const std::string& label,
                           const std::string& at = "*") {
    const auto refused = ask(cluster, cluster.running_app(queue), 1, label, at);
    return refused ? "accepted" : refused.error().message;
  };
  EXPECT_EQ(refusal("etl", "fpga"),
            "Invalid label resource request, cluster do not contain , label= fpga");
  EXPECT_THAT(refusal("ml", "fpga"), HasSubstr("doesn't have permission to access all labels"))
      << "of what a queue may not use nobody learns whether it is there";
  EXPECT_THAT(refusal("ml", "a && ("), HasSubstr("labelExpression of resource request=a && ("));
  EXPECT_EQ(refusal("adhoc", "gpu"),
            "Invalid resource request, queue=root.adhoc doesn't have permission to access all "
            "labels in resource request. labelExpression of resource request=gpu. Queue "
            "labels=none");
  EXPECT_THAT(refusal("ml", "gpu", "g1"), HasSubstr("belongs to the row of \"*\", not to g1"));
}

TEST(Partitions, TheQueuesDefaultLabelHoldsForAsksThatNameNone) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.ml capacity=100 user-limit-factor=-1 "
                         "accessible-node-labels=gpu default-node-label-expression=gpu "
                         "accessible-node-labels.gpu.capacity=100")
                     .node("n1", "8GB 8c")
                     .build();
  const PartitionSpec gpu{"gpu", true};
  cluster.scheduler.set_partitions({&gpu, 1});
  cluster.scheduler.add_node({"g1", 1}, "/rack", {4096, 8}, "gpu");
  const AppId app = cluster.running_app("ml");
  cluster.ask(app, 20, "1GB 1c");
  EXPECT_THAT(hosts_of(cluster.schedule()), testing::AllOf(SizeIs(4), Each("g1")));
  cluster.app_with_am("ml", "1GB 1c");
  const AppId am = cluster.app_with_am("ml", "1GB 1c");
  EXPECT_THAT(cluster.scheduler.explain(am), HasSubstr("AM Partition = <gpu>"));
}

TEST(Partitions, AnEmptyLabelIsTheDefaultOneWhateverTheQueueSays) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.ml capacity=100 user-limit-factor=-1 "
                         "accessible-node-labels=gpu default-node-label-expression=gpu "
                         "accessible-node-labels.gpu.capacity=100")
                     .node("n1", "8GB 8c")
                     .build();
  const PartitionSpec gpu{"gpu", true};
  cluster.scheduler.set_partitions({&gpu, 1});
  cluster.scheduler.add_node({"g1", 1}, "/rack", {4096, 8}, "gpu");
  const AppId app = cluster.running_app("ml");
  ASSERT_TRUE(ask(cluster, app, 3, ""));
  EXPECT_THAT(hosts_of(cluster.schedule()), testing::AllOf(SizeIs(3), Each("n1")));
  const AppId other = cluster.app("ml");
  cluster.scheduler.start_attempt(first_attempt(other),
                                  AmAsk{.capability = {1024, 1}, .label = ""});
  EXPECT_THAT(hosts_of(cluster.schedule()), testing::ElementsAre("n1"));
}

TEST(Partitions, AMasterRunsInTheDefaultOneWhereTheQueuesLabelIsNotThere) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.ml capacity=100 accessible-node-labels=gpu "
                         "default-node-label-expression=gpu")
                     .node("n1", "8GB 8c")
                     .build();
  cluster.app_with_am("ml", "1GB 1c");
  EXPECT_THAT(hosts_of(cluster.schedule()), testing::ElementsAre("n1"));
}

TEST(Partitions, ANodeTakesItsContainersIntoTheOtherPartition) {
  auto cluster = labelled();
  const AppId app = cluster.running_app("ml");
  ASSERT_TRUE(ask(cluster, app, 3, ""));
  const auto grants = cluster.schedule();
  cluster.scheduler.set_node_label({"n1", 1}, "gpu");
  EXPECT_EQ(use_of(cluster, "ml", 0).used, Resources());
  EXPECT_EQ(use_of(cluster, "ml", 1).used, Resources(3072, 3));
  EXPECT_EQ(use_of(cluster, "root", 1).maximum, Resources(16384, 16));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  cluster.release(grants[0]);
  EXPECT_EQ(use_of(cluster, "ml", 1).used, Resources(2048, 2));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Partitions, TheNodesOfALabelThatGoesAreInTheDefaultOne) {
  auto cluster = labelled();
  const AppId app = cluster.running_app("ml");
  ASSERT_TRUE(ask(cluster, app, 20, "gpu"));
  EXPECT_THAT(cluster.schedule(5), SizeIs(5));
  cluster.scheduler.set_partitions({});
  EXPECT_THAT(cluster.schedule(), IsEmpty()) << "what still asks for it waits";
  EXPECT_EQ(use_of(cluster, "ml", 0).used, Resources(5120, 5));
  EXPECT_THAT(cluster.scheduler.queue(QueuePath("root"))->partitions, SizeIs(1));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  const PartitionSpec gpu{"gpu", true};
  cluster.scheduler.set_partitions({&gpu, 1});
  cluster.scheduler.set_node_label({"g1", 1}, "gpu");
  EXPECT_THAT(cluster.schedule(), SizeIs(3)) << "and goes on when it is back";
}

// Found by the simulator's oracle: the limit was still that of the larger node, in a smaller world.
TEST(Partitions, ASmallerOneLetsNoMasterInByTheLimitOfBefore) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.ml capacity=100 maximum-am-resource-percent=0.5 "
                         "accessible-node-labels.gpu.capacity=100")
                     .setting("resource-calculator", "DominantResourceCalculator")
                     .node("n1", "8GB 8c")
                     .build();
  const PartitionSpec gpu{"gpu", true};
  cluster.scheduler.set_partitions({&gpu, 1});
  cluster.scheduler.add_node({"g1", 1}, "/rack", {4096, 8}, "gpu");
  const AppId first = cluster.app("ml");
  const AppId second = cluster.app("ml");
  cluster.scheduler.start_attempt(first_attempt(first),
                                  AmAsk{.capability = {1024, 1}, .label = "gpu"});
  cluster.scheduler.start_attempt(first_attempt(second),
                                  AmAsk{.capability = {1024, 4}, .label = "gpu"});
  EXPECT_EQ(count_for(cluster.schedule(), first), 1u);
  EXPECT_FALSE(cluster.scheduler.app(second)->active) << "5 of 8 vcores are more than half";
  cluster.scheduler.update_node({"g1", 1}, {2048, 8});
  cluster.schedule();
  EXPECT_FALSE(cluster.scheduler.app(second)->active) << "2 of 2 GB are more than half";
}

// Found by the simulator's oracle: ml was taken for the one that has less, since it had nothing of
// the other partition, where it waited in vain.
TEST(Partitions, WhoHasLessOfOneIsServedFirstThereWhateverItHasOfAnother) {
  auto cluster = labelled();
  const AppId ml = cluster.running_app("ml");
  const AppId etl = cluster.running_app("etl");
  ASSERT_TRUE(ask(cluster, ml, 6, "gpu"));
  ASSERT_TRUE(ask(cluster, etl, 1, "gpu"));
  EXPECT_THAT(cluster.schedule(), SizeIs(7));
  cluster.ask(ml, 1, "9GB 1c", {.priority = 2});
  ASSERT_TRUE(ask(cluster, ml, 1, "gpu"));
  ASSERT_TRUE(ask(cluster, etl, 1, "gpu"));
  const auto grants = cluster.schedule();
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(count_for(grants, etl), 1u) << "it holds half of its guarantee, ml all of it";
}

TEST(Partitions, UserLimitsHoldInEachByItself) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.ml capacity=100 minimum-user-limit-percent=50 "
                         "accessible-node-labels=gpu accessible-node-labels.gpu.capacity=100")
                     .node("n1", "8GB 8c")
                     .build();
  const PartitionSpec gpu{"gpu", true};
  cluster.scheduler.set_partitions({&gpu, 1});
  cluster.scheduler.add_node({"g1", 1}, "/rack", {8192, 8}, "gpu");
  const AppId ann = cluster.running_app("ml", "ann");
  const AppId bob = cluster.running_app("ml", "bob");
  cluster.ask(ann, 20, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(8)) << "alone in the default partition";
  ASSERT_TRUE(ask(cluster, bob, 20, "gpu"));
  EXPECT_THAT(cluster.schedule(), SizeIs(8)) << "alone in the other";
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(Partitions, SettingsOfLabelsAreHonouredWithoutAWarning) {
  const auto config = parse_capacity_config(
      testlib::queue_settings("root.a capacity=100 accessible-node-labels=gpu "
                              "accessible-node-labels.gpu.capacity=100"));
  ASSERT_TRUE(config);
  EXPECT_THAT(config->warnings, IsEmpty());
}

TEST(Partitions, CapacitiesOfALabelAddToAllOrNothing) {
  const auto refused = parse_capacity_config(
      testlib::queue_settings("root.a capacity=50 accessible-node-labels.gpu.capacity=60\n"
                              "root.b capacity=50 accessible-node-labels.gpu.capacity=60"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("queue root: Illegal capacity of 1.2 for children of queue root for "
                        "label=gpu: a 60, b 60 add to 120 %, not to 100 %"));
  const auto default_label = parse_capacity_config(testlib::queue_settings(
      "root.a capacity=100 accessible-node-labels=gpu default-node-label-expression=fpga"));
  ASSERT_FALSE(default_label);
  EXPECT_THAT(default_label.error().message,
              HasSubstr("\"fpga\" is not among its accessible-node-labels (gpu)"));
}

}  // namespace
}  // namespace heddle::queues
