// What is taken in and what is refused at submission, and where the master is put.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using testing::HasSubstr;
using testlib::CoreDriver;
using testlib::CoreSetup;

AttemptId first(const AppId& app) {
  return {app, 1};
}

TEST(Submitting, SubmittedTwiceIsOneAndTheSecondAnswerIsDurableToo) {
  CoreDriver cluster;
  const Submission job = cluster.submission();
  const auto one = cluster.submit(job);
  const auto two = cluster.submit(job);
  EXPECT_FALSE(two.came());
  cluster.commit();
  EXPECT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(cluster.metrics().apps_submitted, 1);
}

TEST(Submitting, SameIdFromAnotherUserOrWithOtherContentIsRefused) {
  CoreDriver cluster;
  Submission job = cluster.submission();
  cluster.submit(job);
  cluster.commit();
  EXPECT_EQ(cluster.submit(job, "eve").code(), ErrorCode::kAlreadyExists);
  job.name = "another job";
  const auto other = cluster.submit(job);
  EXPECT_EQ(other.error(), "Application with id " + to_string(job.id) +
                               " is already present! Cannot add a duplicate!");
}

TEST(Submitting, UnknownQueueIsAnErrorAndAFailedApplication) {
  CoreDriver cluster;
  Submission job = cluster.submission();
  job.queue = "nosuch";
  const auto answer = cluster.submit(job);
  EXPECT_FALSE(answer.came());
  cluster.commit();
  const std::string text =
      "Application " + to_string(job.id) + " submitted by user ann to unknown queue: nosuch";
  EXPECT_EQ(answer.error(), text);
  EXPECT_EQ(cluster.state(job.id), AppState::kFailed);
  EXPECT_EQ(cluster.diagnostics(job.id), text);
  EXPECT_EQ(cluster.metrics().apps_pending, 0) << "what no queue took is not pending";
}

TEST(Submitting, ParentQueueIsRefused) {
  CoreDriver cluster;
  Submission job = cluster.submission();
  job.queue = "root";
  const auto answer = cluster.submit(job);
  cluster.commit();
  EXPECT_EQ(answer.error(), "Application " + to_string(job.id) +
                                " submitted by user : ann to non-leaf queue : root");
}

TEST(Submitting, MasterBiggerThanTheMaximumIsRefusedAndNothingIsKept) {
  CoreDriver cluster;
  Submission job = cluster.submission();
  job.am_resources = {999'999, 1};
  const auto answer = cluster.submit(job);
  EXPECT_THAT(
      answer.error(),
      HasSubstr("Invalid resource request! Cannot allocate containers as requested resource "
                "is greater than maximum allowed allocation. Requested resource "
                "type=[memory-mb], Requested resource=<memory:999999, vCores:1>, maximum "
                "allowed allocation=<memory:8192, vCores:8>"));
  EXPECT_EQ(cluster.board->app(job.id), nullptr);
}

TEST(Submitting, MasterBiggerThanTheMaximumOfItsQueueIsRefusedAndNotCut) {
  CoreSetup setup;
  setup.queues =
      "root.small capacity=50 maximum-allocation-mb=2048 maximum-am-resource-percent=1\n"
      "root.large capacity=50 maximum-am-resource-percent=1";
  CoreDriver cluster(setup);
  for (const char* queue : {"small", "root.small", "large"}) {
    Submission job = cluster.submission();
    job.am_resources = {4096, 1};
    job.queue = queue;
    const auto answer = cluster.submit(job);
    cluster.commit();
    EXPECT_EQ(answer.ok(), job.queue == "large");
    if (answer.ok()) continue;
    EXPECT_THAT(answer.error(), HasSubstr("maximum allowed allocation=<memory:2048, vCores:8>, "));
    EXPECT_THAT(answer.error(), HasSubstr("configured maximum allocation=<memory:8192, vCores:8>"));
  }
}

TEST(Submitting, WithALabelIsRefusedAndNotRunAnywhere) {
  CoreDriver cluster;
  Submission labelled = cluster.submission();
  labelled.label_expression = "gpu";
  Submission labelled_master = cluster.submission();
  Ask ask;
  ask.label_expression = "gpu";
  labelled_master.am_asks = {ask};
  for (const Submission& job : {labelled, labelled_master}) {
    const auto answer = cluster.submit(job);
    EXPECT_EQ(answer.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(answer.error(),
              "Invalid resource request, node label not enabled but request contains label "
              "expression");
    EXPECT_EQ(cluster.board->app(job.id), nullptr);
  }
}

Submission with_master_at(CoreDriver& cluster, const std::vector<std::string>& places,
                          bool relax_locality) {
  Submission job = cluster.submission();
  Ask ask;
  ask.resources = job.am_resources;
  ask.containers = 1;
  for (const std::string& place : places) {
    ask.resource_name = place;
    job.am_asks.push_back(ask);
  }
  ask.resource_name = "*";
  ask.relax_locality = relax_locality;
  job.am_asks.push_back(ask);
  return job;
}

TEST(Submitting, MasterThatPrefersAHostStartsElsewhereWhenItIsNotThere) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  const NodeId preferred = cluster.add_node("n2", "1GB 8c");
  for (const std::string host : {"n2", "n1"}) {  // the second finds n2 full
    const Submission job = with_master_at(cluster, {"n2", "/default-rack"}, true);
    cluster.submit(job);
    cluster.commit();
    EXPECT_EQ(cluster.board->attempt(first(job.id))->master_node.host, host);
  }
  EXPECT_EQ(cluster.board->node(preferred)->containers, 1);
}

TEST(Submitting, MasterThatNeedsOneOfItsHostsStartsOnAnyOfThemAndNowhereElse) {
  CoreDriver cluster;
  cluster.add_node("n1", "8GB 8c");
  cluster.add_node("n2", "1GB 8c");
  cluster.add_node("n3", "1GB 8c");
  std::vector<Submission> jobs;
  for (int i = 0; i < 3; ++i) {
    jobs.push_back(with_master_at(cluster, {"n2", "n3"}, false));
    cluster.submit(jobs.back());
    cluster.commit();
  }
  EXPECT_EQ(cluster.board->attempt(first(jobs[0].id))->master_node.host, "n2");
  EXPECT_EQ(cluster.board->attempt(first(jobs[1].id))->master_node.host, "n3");
  EXPECT_EQ(cluster.state(first(jobs[2].id)), AttemptState::kScheduled) << "n1 is not among them";
}

TEST(Submitting, SubmissionThatNamesTooManyPlacesForItsMasterIsRefused) {
  CoreDriver cluster;
  const std::vector<std::string> hosts(1001, "n1");
  const auto answer = cluster.submit(with_master_at(cluster, hosts, true));
  EXPECT_EQ(answer.code(), ErrorCode::kLimitExceeded);
  EXPECT_THAT(answer.error(), HasSubstr("1002 lines"));
}

TEST(Submitting, MasterOfAbsurdSizeIsRefused) {
  CoreDriver cluster;
  for (const std::int64_t memory : {std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
    Submission job = cluster.submission();
    job.am_resources = {memory, 1};
    const auto answer = cluster.submit(job);
    EXPECT_EQ(answer.code(), ErrorCode::kInvalidArgument) << memory;
    EXPECT_THAT(answer.error(), HasSubstr("[memory-mb]"));
  }
}

TEST(Submitting, AbsurdPriorityOfASubmissionIsCutToTheMaximum) {
  for (const std::int32_t asked : {-1, INT32_MIN, 1'000'000'000, INT32_MAX}) {
    CoreSetup setup;
    setup.options.max_app_priority = 10;
    CoreDriver cluster(setup);
    Submission job = cluster.submission();
    job.priority = asked;
    cluster.submit(job);
    cluster.commit();
    EXPECT_EQ(cluster.board->app(job.id)->priority, asked < 0 ? 0 : 10);
  }
}

}  // namespace
}  // namespace heddle::rm
