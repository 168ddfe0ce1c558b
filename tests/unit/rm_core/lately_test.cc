// What the core remembers of the past: what the scheduler did lately, and which failures count.
#include <gtest/gtest.h>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using testlib::CoreDriver;

TEST(Health, TellsTheLastAllocationAndReleaseAndTheirNumberInASecond) {
  CoreDriver cluster;
  const NodeId node = cluster.add_node("n1", "8GB 8c");
  EXPECT_FALSE(cluster.metrics().health.last_allocation);
  const AttemptId attempt = cluster.running_app();
  cluster.advance(std::chrono::seconds(2));
  cluster.metrics();  // a full second begins
  const auto granted = cluster.ask(attempt, 3)->containers;
  Allocate release;
  release.releases = {granted.at(1).id};
  cluster.allocate(attempt, release);
  EXPECT_EQ(cluster.metrics().health.allocations, 1) << "of the second before: its master";
  cluster.advance(std::chrono::seconds(1));
  const SchedulerHealth health = cluster.metrics().health;
  EXPECT_EQ(health.allocations, 3);
  EXPECT_EQ(health.allocated, Resources(3072, 3));
  EXPECT_EQ(health.releases, 1);
  ASSERT_TRUE(health.last_allocation && health.last_release);
  EXPECT_EQ(health.last_allocation->node, node);
  EXPECT_EQ(health.last_allocation->queue, "root.default");
  EXPECT_EQ(health.last_release->container, granted.at(1).id);
  EXPECT_TRUE(cluster.core->totals_changed()) << "the number must fall to zero without an event";
  cluster.advance(std::chrono::seconds(1));
  EXPECT_EQ(cluster.metrics().health.allocations, 0);
  EXPECT_FALSE(cluster.core->totals_changed());
}

TEST(Application, FailuresOutsideTheValidityIntervalAreForgotten) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  Submission job = cluster.submission();
  job.attempt_failures_validity_ms = 1000;
  job.max_attempts = 2;
  cluster.submit(job);
  cluster.commit();
  for (int i = 0; i < 50; ++i) {
    const AttemptId attempt = cluster.launches.back().attempt;
    cluster.launched(attempt, fail(ErrorCode::kUnavailable, "no such node"));
    cluster.commit();
    cluster.advance(std::chrono::seconds(2));
  }
  EXPECT_FALSE(is_final(cluster.state(job.id)));
  EXPECT_EQ(cluster.launches.back().attempt.number, 51);
}

}  // namespace
}  // namespace heddle::rm
