// What the core tells of its queues.
#include <gtest/gtest.h>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using testlib::CoreDriver;
using testlib::CoreSetup;

TEST(QueueReports, CountAnApplicationAsActiveOrWaitingInEveryQueueAboveIt) {
  CoreSetup setup;
  setup.queues =
      "root.a capacity=100\n"
      "root.a.b capacity=100 maximum-am-resource-percent=0.1";
  CoreDriver cluster(setup);
  cluster.add_node("n1", "8GB 8c");
  Submission job = cluster.submission();
  job.queue = "b";
  cluster.running_app(job);
  job = cluster.submission();  // the share of ApplicationMasters is spent
  job.queue = "b";
  cluster.submit(job);
  cluster.commit();
  cluster.metrics();
  const QueueReportPtr root = cluster.board->queues();
  for (const QueueReport* queue : {&*root, &root->children[0], &root->children[0].children[0]}) {
    EXPECT_EQ(queue->active_apps, 1) << queue->path.value();
    EXPECT_EQ(queue->pending_apps, 1) << queue->path.value();
  }
}

TEST(QueueReports, TellHowCapacityIsConfigured) {
  CoreSetup setup;
  setup.queues =
      "root.a capacity=3w\n"
      "root.b capacity=1w";
  CoreDriver weighed(setup);
  weighed.add_node("n1", "8GB 8c");
  weighed.metrics();
  const QueueReportPtr by_weight = weighed.board->queues();
  EXPECT_EQ(by_weight->children[0].weight, 3);
  EXPECT_EQ(by_weight->children[0].normalized_weight, 0.75F);
  EXPECT_EQ(by_weight->weight, -1);
  setup.queues = "root.a capacity=[memory=4096,vcores=3]";
  CoreDriver counted(setup);
  counted.add_node("n1", "8GB 8c");
  counted.metrics();
  const QueueReportPtr by_amount = counted.board->queues();
  EXPECT_TRUE(by_amount->children[0].absolute);
  EXPECT_EQ(by_amount->children[0].configured_minimum, Resources(4096, 3));
}

}  // namespace
}  // namespace heddle::rm
