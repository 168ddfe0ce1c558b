// What is counted of queues, of users in them, and of the steps of an AM.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::CoreDriver;
using testlib::CoreSetup;

CoreSetup two_leaves(std::string_view more = "") {
  CoreSetup setup;
  setup.queues =
      "root.a capacity=50 user-limit-factor=10 maximum-am-resource-percent=1\n"
      "root.b capacity=50 user-limit-factor=10 maximum-am-resource-percent=1\n";
  setup.queues += more;
  return setup;
}

QueueReportPtr queues_of(CoreDriver& cluster) {
  (void)cluster.metrics();  // brings the reports up to date
  return cluster.board->queues();
}

AttemptId running_in(CoreDriver& cluster, const std::string& queue, const std::string& user) {
  Submission job = cluster.submission();
  job.queue = queue;
  const AppId id = job.id;
  cluster.submit(std::move(job), user);
  cluster.commit();
  const AttemptId attempt{id, 1};
  cluster.bring_up(attempt);
  return attempt;
}

TEST(UserMetrics, CountEachUserInEachQueueAboveIt) {
  CoreDriver cluster(two_leaves("+user-metrics enable=true"));  // user-metrics.enable
  cluster.add_node("n1", "8GB 8c");
  const AttemptId ann = running_in(cluster, "a", "ann");
  running_in(cluster, "b", "ann");
  running_in(cluster, "b", "bob");
  cluster.ask(ann, 2, "1GB 1c");
  cluster.ask(ann, 9, "8GB 1c");  // of which there is no room for any

  const auto root = queues_of(cluster);
  const QueueReport& a = root->children.at(0);
  ASSERT_THAT(a.user_metrics, SizeIs(1));
  EXPECT_EQ(a.user_metrics[0].user, "ann");
  EXPECT_EQ(a.user_metrics[0].counts.apps.running, 1);
  EXPECT_EQ(a.user_metrics[0].counts.allocated, 3) << "two and an AM";
  EXPECT_EQ(a.user_metrics[0].containers, 3);
  EXPECT_EQ(a.user_metrics[0].used.memory_mb(), 3 * 1024);
  EXPECT_EQ(a.user_metrics[0].pending_containers, 9);
  EXPECT_EQ(a.user_metrics[0].pending.memory_mb(), 9 * 8192);

  ASSERT_THAT(root->user_metrics, SizeIs(2));
  EXPECT_EQ(root->user_metrics[0].user, "ann");
  EXPECT_EQ(root->user_metrics[0].counts.apps.submitted, 2);
  EXPECT_EQ(root->user_metrics[0].containers, 4);
  EXPECT_EQ(root->user_metrics[1].user, "bob");
  EXPECT_EQ(root->user_metrics[1].containers, 1);

  cluster.kill(ann.app, "ann");
  cluster.commit();
  const auto after = queues_of(cluster);
  const UserMetrics& gone = after->children.at(0).user_metrics.at(0);
  EXPECT_EQ(gone.counts.apps.killed, 1);
  EXPECT_EQ(gone.counts.apps.running, 0);
  EXPECT_EQ(gone.counts.released, 3);
  EXPECT_EQ(gone.containers, 0);
  EXPECT_EQ(gone.pending_containers, 0);
}

TEST(UserMetrics, AreNotKeptUnlessTheyAreWanted) {
  CoreDriver cluster(two_leaves());
  cluster.add_node("n1", "8GB 8c");
  running_in(cluster, "a", "ann");
  EXPECT_THAT(queues_of(cluster)->children.at(0).user_metrics, IsEmpty());
}

TEST(QueueCounts, TellWhereContainersWereAllocated) {
  CoreDriver cluster(two_leaves());
  cluster.add_node("n1", "8GB 8c");
  const AttemptId attempt = running_in(cluster, "a", "ann");
  Allocate request;
  for (const char* place : {"n1", "/default-rack", "*"}) {
    Ask& ask = request.asks.emplace_back();
    ask.resource_name = place;
    ask.resources = {1024, 1};
    ask.containers = 1;
  }
  ASSERT_THAT(cluster.allocate(attempt, request)->containers, SizeIs(1));
  const auto root = queues_of(cluster);
  EXPECT_EQ(root->counts.node_local, 1);
  EXPECT_EQ(root->counts.rack_local, 0);
  EXPECT_EQ(root->counts.off_switch, 1) << "the AM";
  EXPECT_EQ(root->children.at(1).counts.allocated, 0);
}

TEST(QueueCounts, ApplicationsThatBringTheirMasterAreCountedApartToo) {
  CoreDriver cluster(two_leaves());
  Submission job = cluster.submission();
  job.queue = "a";
  job.unmanaged = true;
  cluster.submit(job);
  cluster.commit();
  const auto root = queues_of(cluster);
  EXPECT_EQ(root->counts.apps.submitted, 1);
  EXPECT_EQ(root->counts.unmanaged.submitted, 1);
  cluster.kill(job.id);
  cluster.commit();
  EXPECT_EQ(queues_of(cluster)->counts.unmanaged.killed, 1);
}

TEST(QueueCounts, OfAQueueThatIsGoneStayWithItsParent) {
  CoreSetup setup;
  setup.options.remove_idle_queues = true;
  setup.queues = "root.users capacity=1w auto-queue-creation-v2.enabled=true";
  CoreDriver cluster(setup);
  Submission job = cluster.submission();
  job.queue = "root.users.ann";
  cluster.submit(job);
  cluster.commit();
  cluster.kill(job.id);
  cluster.commit();
  cluster.advance(301s);
  const auto root = queues_of(cluster);
  EXPECT_THAT(root->children.at(0).children, IsEmpty());
  EXPECT_EQ(root->children[0].counts.apps.killed, 1);
  EXPECT_EQ(root->counts.apps.submitted, 1);
}

TEST(QueueCounts, TheWaitForAnAttemptsFirstContainerIsThatOfALeaf) {
  CoreDriver cluster(two_leaves());
  cluster.add_node("n1", "2GB 2c");
  const AttemptId attempt = running_in(cluster, "a", "ann");
  cluster.ask(attempt, 1, "2GB 1c");
  cluster.advance(7s);
  cluster.add_node("n2", "4GB 4c");
  cluster.ask(attempt, 1, "2GB 1c");  // a second one is not counted
  const auto root = queues_of(cluster);
  EXPECT_EQ(root->children.at(0).counts.allocated, 3);
  EXPECT_EQ(root->children[0].counts.first_container.count, 1);
  EXPECT_EQ(root->children[0].counts.first_container.total_ms, 7000);
  EXPECT_EQ(root->counts.first_container.count, 0);
}

TEST(ClusterCounts, TheStepsOfAMasterTakeTheirTime) {
  CoreDriver cluster(two_leaves());
  Submission job = cluster.submission();
  job.queue = "a";
  cluster.submit(job);
  cluster.commit();
  cluster.advance(3s);
  cluster.add_node("n1", "8GB 8c");
  cluster.commit();
  const AttemptId attempt{job.id, 1};
  cluster.advance(5s);
  cluster.launched(attempt);
  cluster.advance(11s);
  ASSERT_TRUE(cluster.register_master(attempt).ok());
  const ClusterMetrics metrics = cluster.metrics();
  EXPECT_EQ(metrics.master_allocation.total_ms, 3000);
  EXPECT_EQ(metrics.master_launch.total_ms, 5000);
  EXPECT_EQ(metrics.master_registration.total_ms, 11'000);
  EXPECT_EQ(metrics.master_registration.count, 1);
}

}  // namespace
}  // namespace heddle::rm
