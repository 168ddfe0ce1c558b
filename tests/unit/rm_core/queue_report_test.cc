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

}  // namespace
}  // namespace heddle::rm
