// Traces run on both engines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/sim/make_trace.h"
#include "tools/sim/simulator.h"
#include "tools/sim/sls_trace.h"
#include "tools/sim/sls_write.h"
#include "tools/sim/text_trace.h"

namespace heddle::sim {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Simulated : public testing::TestWithParam<EngineKind> {
 protected:
  static Results run(const std::string& text, Millis sample_every = 1000) {
    std::istringstream in("heddle-trace 1\n" + text);
    auto trace = read_text_trace(in, "t");
    if (!trace) {
      ADD_FAILURE() << trace.error().message;
      return {};
    }
    auto setup = setup_from((*trace)->cluster(), Settings(), ResourceTypes());
    if (!setup) {
      ADD_FAILURE() << setup.error().message;
      return {};
    }
    SimulationOptions options;
    options.engine = GetParam();
    options.setup = *std::move(setup);
    options.sample_every = sample_every;
    options.check = true;
    auto results = simulate(**trace, options);
    if (!results) {
      ADD_FAILURE() << results.error().message;
      return {};
    }
    EXPECT_EQ(results->broken, "");
    return *std::move(results);
  }
  static const QueueResult& queue(const Results& results, const std::string& path) {
    static const QueueResult none;
    for (const QueueResult& one : results.queues) {
      if (one.path == path) return one;
    }
    ADD_FAILURE() << "no queue " << path;
    return none;
  }
};

constexpr const char* kSmall =
    "queue root.a capacity=100 user-limit-factor=10 maximum-am-resource-percent=0.5\n"
    "nodes 2 n 8192,8 2\n";

TEST_P(Simulated, TasksRunAsLongAsTheTraceSays) {
  const Results results = run(std::string(kSmall) + "job 0 a ann\ntask 4 1024,1 60000\n");
  EXPECT_EQ(results.tasks_done, 4);
  EXPECT_EQ(results.jobs_unfinished, 0);
  const QueueResult& a = queue(results, "root.a");
  EXPECT_EQ(a.jobs_ok, 1);
  EXPECT_EQ(a.containers, 4);
  // The AM's start and a few heartbeats come on top.
  EXPECT_GE(a.turnaround.most(), 61'000);
  EXPECT_LE(a.turnaround.most(), 70'000);
  EXPECT_LE(a.wait.most(), 3'000);
}

TEST_P(Simulated, AStageBeginsWhenTheOneBeforeHasEnded) {
  const Results results =
      run(std::string(kSmall) + "job 0 a ann\ntask 2 1024,1 60000\ntask 2 1024,1 60000 stage=1\n");
  EXPECT_EQ(results.tasks_done, 4);
  EXPECT_GE(queue(results, "root.a").turnaround.most(), 121'000);
}

TEST_P(Simulated, ADelayedRowIsAskedForLater) {
  const Results results =
      run(std::string(kSmall) + "job 0 a ann\ntask 1 1024,1 1000 delay=50000\n");
  EXPECT_EQ(results.tasks_done, 1);
  EXPECT_GE(queue(results, "root.a").turnaround.most(), 52'000);
  EXPECT_LE(queue(results, "root.a").wait.most(), 3'000);
}

TEST_P(Simulated, WhoFindsNoRoomWaits) {
  const Results results = run(std::string(kSmall) + "job 0 a ann\ntask 30 1024,1 100000\n");
  EXPECT_EQ(results.tasks_done, 30);
  const QueueResult& a = queue(results, "root.a");
  EXPECT_LE(a.wait.quantile(0.4), 3'000);
  EXPECT_GE(a.wait.quantile(0.9), 100'000);
  EXPECT_EQ(summarize(results).containers_most, 16);
}

TEST_P(Simulated, TasksLostWithTheirNodeRunAgain) {
  const Results results = run(std::string(kSmall) +
                              "job 0 a ann\ntask 12 1024,1 600000\n"
                              "fail 300000 n0 60000\nfail 1500000 n1 60000\n");
  EXPECT_EQ(results.tasks_done, 12);
  EXPECT_EQ(results.jobs_unfinished, 0);
  EXPECT_EQ(results.node_failures, 2);
  EXPECT_EQ(queue(results, "root.a").jobs_ok, 1);
  EXPECT_GT(queue(results, "root.a").containers, 12);
}

TEST_P(Simulated, ANodeThatNeverComesBackIsDoneWithout) {
  const Results results =
      run(std::string(kSmall) + "job 0 a ann\ntask 12 1024,1 60000\nfail 30000 n0 0\n");
  EXPECT_EQ(results.tasks_done, 12);
  EXPECT_EQ(queue(results, "root.a").jobs_ok, 1);
  EXPECT_EQ(results.samples.back().nodes, 1);
}

TEST_P(Simulated, AJobOfAnUnknownQueueIsRefused) {
  const Results results = run(std::string(kSmall) + "job 0 nowhere ann\ntask 1 1024,1 1000\n");
  EXPECT_EQ(queue(results, "nowhere").jobs_refused, 1);
  EXPECT_EQ(results.tasks_done, 0);
  EXPECT_THAT(results.warnings, Contains(HasSubstr("unknown queue: nowhere")));
}

TEST_P(Simulated, ATaskAboveTheMaximumEndsItsJob) {
  const Results results = run(std::string(kSmall) + "job 0 a ann\ntask 1 900000,1 1000\n");
  EXPECT_EQ(queue(results, "root.a").jobs_failed, 1);
  EXPECT_THAT(results.warnings, Contains(HasSubstr("maximum allowed allocation")));
}

TEST_P(Simulated, ATaskThatNoNodeHoldsIsLeftUnfinished) {
  const Results results =
      run("queue root.a capacity=100\nnodes 2 n 4096,8 1\n"
          "job 0 a ann\ntask 1 8192,1 1000\n");
  EXPECT_EQ(results.jobs_unfinished, 1);
  EXPECT_EQ(results.tasks_done, 0);
}

TEST_P(Simulated, AQueueBelowItsGuaranteeIsAShareError) {
  const Results results =
      run("queue root.a capacity=50 user-limit-factor=10\n"
          "queue root.b capacity=50 user-limit-factor=10\n"
          "nodes 1 n 10240,10 1\n"
          "job 0 a ann\ntask 9 1024,1 100000\n"
          "job 20000 b bob\ntask 5 1024,1 10000\n");
  EXPECT_EQ(results.jobs_unfinished, 0);
  EXPECT_GT(queue(results, "root.b").shortfall_most_mb, 0);
  EXPECT_EQ(queue(results, "root.a").shortfall_most_mb, 0);
  EXPECT_GT(summarize(results).share_error_most, 0);
}

TEST_P(Simulated, TheSameTraceGivesTheSameResults) {
  std::ostringstream made;
  make_trace({.seed = 11,
              .nodes = 12,
              .tenants = 4,
              .tasks = 1500,
              .tasks_per_job = 20,
              .hours = 3,
              .load = 1.2,
              .failures_per_node_year = 3000},
             made);
  const std::string text = made.str().substr(made.str().find('\n') + 1);
  const auto shown = [&] {
    Results results = run(text, 60'000);
    EXPECT_EQ(results.jobs_unfinished, 0);
    EXPECT_GT(results.node_failures, 0);
    results.wall_seconds = 1;
    return as_json(results);
  };
  EXPECT_EQ(shown(), shown());
}

INSTANTIATE_TEST_SUITE_P(Engines, Simulated,
                         testing::Values(EngineKind::kCore, EngineKind::kScheduler),
                         [](const auto& given) {
                           return given.param == EngineKind::kCore ? "Core" : "Scheduler";
                         });

/// Runs on the queues of `cluster`.
Results run_trace(Trace& trace, const ClusterSpec& cluster, bool as_sls = false) {
  SimulationOptions options;
  auto setup = setup_from(cluster, Settings(), ResourceTypes());
  if (!setup) {
    ADD_FAILURE() << setup.error().message;
    return {};
  }
  options.setup = *std::move(setup);
  options.setup.masters_as_sls = as_sls;
  options.sample_every = 10'000;
  options.details = true;
  auto results = simulate(trace, options);
  if (!results) {
    ADD_FAILURE() << results.error().message;
    return {};
  }
  results->wall_seconds = 1;
  return *std::move(results);
}

TEST(SlsRoundTrip, GivesTheSameRun) {
  std::ostringstream made;
  make_trace({.seed = 5,
              .nodes = 9,
              .nodes_per_rack = 4,
              .tasks = 900,
              .hours = 1,
              .load = 1.5,
              .failures_per_node_year = 0},
             made);
  std::istringstream text(made.str());
  auto ours = read_text_trace(text, "t");
  ASSERT_TRUE(ours) << ours.error().message;
  std::istringstream copy(made.str());
  auto source = read_text_trace(copy, "t");
  ASSERT_TRUE(source);
  std::stringstream jobs;
  std::stringstream nodes;
  SlsWriter writer((*source)->cluster());
  for (;;) {
    const auto event = (*source)->next();
    ASSERT_TRUE(event);
    if (!*event) break;
    ASSERT_TRUE(writer.write(jobs, **event));
  }
  ASSERT_TRUE(write_sls_nodes(nodes, (*source)->cluster()));
  auto read_jobs = read_sls_jobs(jobs, "j");
  auto read_nodes = read_sls_nodes(nodes, "n");
  ASSERT_TRUE(read_jobs) << read_jobs.error().message;
  ASSERT_TRUE(read_nodes) << read_nodes.error().message;
  auto theirs = sls_trace(*std::move(read_jobs), *std::move(read_nodes));
  ASSERT_TRUE(theirs) << theirs.error().message;
  const Results straight = run_trace(**ours, (*source)->cluster());
  const Results round = run_trace(**theirs, (*source)->cluster());
  EXPECT_GT(straight.tasks_done, 100);
  EXPECT_EQ(as_json(round), as_json(straight));
  EXPECT_EQ(as_details(round), as_details(straight));
}

TEST(MastersAsSls, ActOnAnAnswerAHeartbeatLaterAndHearOfEndsFromIt) {
  const std::string text = std::string("heddle-trace 1\n") + kSmall +
                           "job 0 a ann\ntask 2 1024,1 60000\ntask 2 1024,1 60000 stage=1\n";
  const auto turnaround = [&](bool as_sls) {
    std::istringstream in(text);
    auto trace = read_text_trace(in, "t");
    if (!trace) return Millis{-1};
    const Results results = run_trace(**trace, (*trace)->cluster(), as_sls);
    EXPECT_EQ(results.tasks_done, 4);
    EXPECT_EQ(results.jobs_unfinished, 0);
    EXPECT_THAT(results.job_results, SizeIs(1));
    return results.job_results.empty() ? Millis{-1} : results.job_results[0].ended;
  };
  const Millis usual = turnaround(false);
  EXPECT_GE(usual, 121'000);
  // Two stages: two beats to start, two and more to hear of the ends.
  EXPECT_GE(turnaround(true), usual + 4'000);
  EXPECT_LE(turnaround(true), usual + 10'000);
}

TEST(SimulationReport, TheDetailsHaveEverySampleAndJobOnALine) {
  std::istringstream in(std::string("heddle-trace 1\n") + kSmall +
                        "job 7 a ann\ntask 2 1024,1 15000\njob 9 nowhere bob\n");
  auto trace = read_text_trace(in, "t");
  ASSERT_TRUE(trace) << trace.error().message;
  const Results results = run_trace(**trace, (*trace)->cluster());
  std::istringstream lines(as_details(results));
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(lines, line);)
    rows.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(rows.size(), results.samples.size() + 2);
  EXPECT_EQ(rows[1]["at_ms"], 10'000);
  EXPECT_EQ(rows[1]["memory_used_mb"], 3072);
  EXPECT_EQ(rows[1]["leaves"]["root.a"], nlohmann::json({16384, 16384, 3072, 0}));
  const nlohmann::json& job = rows[rows.size() - 2];
  EXPECT_EQ(job["queue"], "root.a");
  EXPECT_EQ(job["submitted_ms"], 7);
  EXPECT_TRUE(job["succeeded"]);
  EXPECT_GT(job["ended_ms"], job["master_up_ms"]);
  EXPECT_EQ(rows.back()["master_up_ms"], -1) << "it was refused";
}

Results some_results() {
  Results results;
  results.trace = "<script>&.trace";
  results.engine = "core";
  results.wall_seconds = 2;
  results.placements = 10;
  results.leaves = {"root.a", "root.b"};
  for (int i = 0; i < 3000; ++i) {
    Sample sample;
    sample.at = Millis{1000} * i;
    sample.total = {1000, 10};
    sample.used = {500, 5};
    sample.queues = {200, 300};
    results.samples.push_back(sample);
  }
  results.queues.emplace_back();
  results.queues[0].path = "root.\"a\"";
  return results;
}

TEST(SimulationReport, TheJsonNamesItsSchemaAndTheFigures) {
  const auto json = nlohmann::json::parse(as_json(some_results()));
  EXPECT_EQ(json["schema"], "heddle.sim/1");
  EXPECT_EQ(json["placements_per_s"], 5.0);
  EXPECT_EQ(json["memory_used_share"], 0.5);
  EXPECT_THAT(json["samples"], SizeIs(3000));
  EXPECT_FALSE(json.contains("containers_preempted")) << "the core reports none";
}

TEST(SimulationReport, ThePageLoadsNothingAndEscapesNames) {
  const std::string page = as_html(some_results());
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;&amp;.trace"));
  EXPECT_THAT(page, HasSubstr("root.&quot;a&quot;"));
  for (const char* never : {"<script", "http:", "https:", "src=", "@import", "url("}) {
    EXPECT_EQ(page.find(never), std::string::npos) << never;
  }
}

TEST(SimulationReport, NothingAtAllIsAReportToo) {
  EXPECT_THAT(as_text(Results()), HasSubstr("placements   0"));
  EXPECT_THAT(as_html(Results()), HasSubstr("</html>"));
  EXPECT_THAT(nlohmann::json::parse(as_json(Results()))["queues"], IsEmpty());
}

TEST(Histogram, KnowsItsQuantilesWithinASixtieth) {
  Histogram times;
  EXPECT_EQ(times.quantile(0.5), 0);
  for (int i = 1; i <= 100'000; ++i)
    times.add(i);
  EXPECT_NEAR(static_cast<double>(times.quantile(0.5)), 50'000, 50'000 / 60.0);
  EXPECT_NEAR(static_cast<double>(times.quantile(0.99)), 99'000, 99'000 / 60.0);
  EXPECT_EQ(times.quantile(1), 100'000);
  EXPECT_EQ(times.most(), 100'000);
  Histogram far;
  far.add(INT64_MAX);
  EXPECT_EQ(far.quantile(0.5), INT64_MAX);
}

}  // namespace
}  // namespace heddle::sim
