// Queues that are made for applications: at submission, at recovery; and how they go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testlib::CoreDriver;
using testlib::CoreSetup;

CoreSetup making(bool removing = true) {
  CoreSetup setup;
  setup.options.remove_idle_queues = removing;
  setup.queues = R"(
      root.default capacity=1w maximum-am-resource-percent=1
      root.users capacity=1w auto-queue-creation-v2.enabled=true auto-queue-creation-v2.template.maximum-applications=2
      +root.users auto-queue-creation-v2.leaf-template.default-application-priority=3)";
  setup.options.max_app_priority = 10;
  return setup;
}

Submission job_for(CoreDriver& cluster, const std::string& queue) {
  Submission job = cluster.submission();
  job.queue = queue;
  return job;
}

QueueReportPtr shown(CoreDriver& cluster) {
  (void)cluster.metrics();  // brings the reports up to date
  return cluster.board->queues();
}

const QueueReport* find(const QueueReport& queue, std::string_view path) {
  if (queue.path.value() == path) return &queue;
  for (const QueueReport& child : queue.children) {
    if (const QueueReport* found = find(child, path)) return found;
  }
  return nullptr;
}

TEST(MakingQueues, ASubmissionThatNamesOneMakesIt) {
  CoreDriver cluster(making());
  const Submission job = job_for(cluster, "root.users.ann");
  ASSERT_TRUE((cluster.submit(job), cluster.commit(), true));
  EXPECT_EQ(cluster.state(job.id), AppState::kAccepted);
  EXPECT_EQ(cluster.board->app(job.id)->queue, "root.users.ann");
  EXPECT_EQ(cluster.board->app(job.id)->priority, 3) << "the default of the new queue";
  const auto root = shown(cluster);
  const QueueReport* made = find(*root, "root.users.ann");
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->origin, QueueCreation::kFlexible);
  EXPECT_EQ(made->max_apps, 2);
  EXPECT_EQ(find(*root, "root.users")->creation, QueueCreation::kFlexible);
  EXPECT_EQ(find(*root, "root.users")->templates.common.at("maximum-applications"), "2");
}

TEST(MakingQueues, WhereNobodyMakesItTheQueueIsUnknown) {
  CoreDriver cluster(making());
  const Submission job = job_for(cluster, "root.nosuch.ann");
  const auto answer = cluster.submit(job);
  cluster.commit();
  EXPECT_EQ(answer.error(), "Application " + to_string(job.id) +
                                " submitted by user ann to unknown queue: root.nosuch.ann");
}

TEST(MakingQueues, ALimitThatForbidsItIsNamed) {
  CoreDriver cluster(making());
  const auto direct = cluster.submit(job_for(cluster, "root.users.a.b.c"));
  cluster.commit();
  EXPECT_THAT(direct.error(), HasSubstr("to unknown queue: root.users.a.b.c: Could not auto create "
                                        "queue root.users.a.b.c. The distance of the LeafQueue"));
  Submission placed = job_for(cluster, "default");
  placed.placed.queue = "root.users.a.b.c";
  const auto by_rule = cluster.submit(placed);
  cluster.commit();
  EXPECT_THAT(by_rule.error(), HasSubstr("submission by user : ann to  queue : root.users.a.b.c "
                                         "failed : Could not auto create queue"));
}

TEST(MakingQueues, TheyGoOnceTheyWereIdleForTheExpiration) {
  CoreDriver cluster(making());
  const Submission job = job_for(cluster, "root.users.ann");
  cluster.submit(job);
  cluster.commit();
  cluster.advance(1000s);
  EXPECT_NE(find(*shown(cluster), "root.users.ann"), nullptr) << "it is in use";
  cluster.kill(job.id);
  cluster.commit();
  cluster.advance(299s);
  EXPECT_NE(find(*shown(cluster), "root.users.ann"), nullptr);
  cluster.advance(2s);
  EXPECT_EQ(find(*shown(cluster), "root.users.ann"), nullptr);
  EXPECT_EQ(cluster.board->app(job.id)->queue, "root.users.ann") << "as the past was";
}

TEST(MakingQueues, TheyStayWithoutThePolicyThatRemovesThem) {
  CoreDriver cluster(making(false));
  const Submission job = job_for(cluster, "root.users.ann");
  cluster.submit(job);
  cluster.kill(job.id);
  cluster.commit();
  cluster.advance(10'000s);
  EXPECT_NE(find(*shown(cluster), "root.users.ann"), nullptr);
}

TEST(MakingQueues, ARestartMakesThoseWithApplicationsAgain) {
  CoreDriver cluster(making());
  const Submission kept = job_for(cluster, "root.users.sales.ann");
  const Submission over = job_for(cluster, "root.users.bob");
  cluster.submit(kept);
  cluster.submit(over);
  cluster.commit();
  cluster.kill(over.id);
  cluster.commit();
  cluster.restart();
  EXPECT_EQ(cluster.state(kept.id), AppState::kAccepted);
  EXPECT_EQ(cluster.board->app(kept.id)->queue, "root.users.sales.ann");
  const auto root = shown(cluster);
  EXPECT_NE(find(*root, "root.users.sales.ann"), nullptr);
  EXPECT_EQ(find(*root, "root.users.bob"), nullptr);
}

TEST(MakingQueues, OnlyPlacementRulesLeadToLeavesOfAManagedParent) {
  CoreSetup setup = making();
  setup.queues = R"(
      root.default capacity=50
      root.m capacity=50 auto-create-child-queue.enabled=true leaf-queue-template.capacity=60)";
  CoreDriver cluster(setup);
  const auto direct = cluster.submit(job_for(cluster, "root.m.ann"));
  cluster.commit();
  EXPECT_THAT(direct.error(), HasSubstr("to specified leaf queue : root.m.ann  is prohibited"));
  Submission placed = job_for(cluster, "default");
  placed.placed.queue = "root.m.ann";
  cluster.submit(placed);
  cluster.commit();
  EXPECT_EQ(cluster.state(placed.id), AppState::kAccepted);
  const auto root = shown(cluster);
  ASSERT_NE(find(*root, "root.m.ann"), nullptr);
  EXPECT_EQ(find(*root, "root.m.ann")->origin, QueueCreation::kManaged);
  const auto again = cluster.submit(job_for(cluster, "ann"));
  cluster.commit();
  EXPECT_THAT(again.error(), HasSubstr("is prohibited"));
  cluster.restart();
  EXPECT_EQ(cluster.state(placed.id), AppState::kAccepted);
}

}  // namespace
}  // namespace heddle::rm
