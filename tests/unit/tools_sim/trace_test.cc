// Traces: what is written is read again, and what is wrong is named with file, line and field.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tools/sim/make_trace.h"
#include "tools/sim/sls_trace.h"
#include "tools/sim/sls_write.h"
#include "tools/sim/text_trace.h"

namespace heddle::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// Reads to the end; the first error, or empty.
std::string error_of(const std::string& text) {
  std::istringstream in(text);
  auto trace = read_text_trace(in, "t");
  if (!trace) return trace.error().message;
  for (;;) {
    const auto event = (*trace)->next();
    if (!event) return event.error().message;
    if (!*event) return "";
  }
}

std::vector<TraceEvent> events_of(Trace& trace) {
  std::vector<TraceEvent> events;
  for (;;) {
    auto event = trace.next();
    EXPECT_TRUE(event) << event.error().message;
    if (!event || !*event) return events;
    events.push_back(**std::move(event));
  }
}

constexpr const char* kHead = "heddle-trace 1\nqueue root.a capacity=100\nnodes 2 n 4096,4 1\n";

TEST(TextTrace, ReadsJobsWithTheirTasksAndFailuresInOrder) {
  std::istringstream in(std::string(kHead) +
                        "# a comment\n"
                        "job 5 a ann priority=3 am=2048,2 name=x\n"
                        "task 4 1024,1 60000 priority=7 stage=1 delay=10 at=n1\n"
                        "task 1 2048,2 0\n"
                        "fail 9 n0 100\n"
                        "job 9 a bob\n");
  auto trace = read_text_trace(in, "t");
  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_THAT((*trace)->cluster().nodes, SizeIs(2));
  const auto events = events_of(**trace);
  ASSERT_THAT(events, SizeIs(3));
  const Job& job = std::get<Job>(events[0]);
  EXPECT_EQ(job.submitted, 5);
  EXPECT_EQ(job.priority, 3);
  EXPECT_EQ(job.am_size, Resources(2048, 2));
  EXPECT_THAT(job.groups, ElementsAre(TaskGroup{4, {1024, 1}, 60000, 7, 1, 10, "n1"},
                                      TaskGroup{1, {2048, 2}, 0, 20, 0, 0, ""}));
  EXPECT_EQ(std::get<NodeFailure>(events[1]), (NodeFailure{9, "n0", 100}));
  EXPECT_EQ(std::get<Job>(events[2]).user, "bob");
}

TEST(TextTrace, WhatIsWrittenIsReadAgain) {
  const Synthetic wanted{.seed = 3, .nodes = 5, .tasks = 300, .hours = 2};
  std::ostringstream made;
  make_trace(wanted, made);
  std::istringstream in(made.str());
  auto trace = read_text_trace(in, "t");
  ASSERT_TRUE(trace) << trace.error().message;
  std::ostringstream again;
  write_cluster(again, (*trace)->cluster());
  for (const TraceEvent& event : events_of(**trace))
    write_event(again, event);
  EXPECT_EQ(again.str(), made.str());
}

struct Wrong {
  std::string name;
  std::string text;
  std::string says;
};
class WrongTextTrace : public testing::TestWithParam<Wrong> {};

TEST_P(WrongTextTrace, IsRefusedWithFileAndLine) {
  EXPECT_THAT(error_of(GetParam().text), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongTextTrace,
    testing::Values(
        Wrong{"Empty", "", "t:1: not a trace: the first line must be \"heddle-trace 1\""},
        Wrong{"OtherFile", "{\"a\": 1}\n", "t:1: not a trace"},
        Wrong{"NegativeDuration", std::string(kHead) + "job 0 a u\ntask 1 1024,1 -5\n",
              "t:5: the duration in ms \"-5\" is not a whole number from 0 to"},
        Wrong{"TwoToThe63", std::string(kHead) + "job 9223372036854775808 a u\n",
              "t:4: the time in ms \"9223372036854775808\" is not a whole number from 0 to"},
        Wrong{"MissingField", std::string(kHead) + "job 5 a\n", "t:4: the user is missing"},
        Wrong{"SizeWithoutVcores", std::string(kHead) + "job 0 a u\ntask 1 1024 5\n",
              "t:5: the size of a task \"1024\" is not MEMORY_MB,VCORES"},
        Wrong{"TooManyTasks",
              std::string(kHead) + "job 0 a u\ntask 9999999 1,1 5\ntask 9999999 1,1 5\n",
              "t:6: a job has 10000000 tasks"},
        Wrong{"TaskWithoutJob", std::string(kHead) + "task 1 1024,1 5\n",
              "t:4: a task needs a job before it"},
        Wrong{"OutOfOrder", std::string(kHead) + "job 5 a u\njob 4 a u\n",
              "t:5: time 4 lies before 5"},
        Wrong{"UnknownWord", std::string(kHead) + "jobs 5 a u\n", "t:4: unknown word \"jobs\""},
        Wrong{"UnknownKey", std::string(kHead) + "job 5 a u prio=3\n",
              "t:4: unknown key \"prio\"; known are priority, am and name"},
        Wrong{"NodeTwice", "heddle-trace 1\nnode a /r 1,1\nnode a /r 1,1\n",
              "t:3: node \"a\" stands there twice"},
        Wrong{"TooManyNodes", "heddle-trace 1\nnodes 300000 n 1,1 1\n",
              "t:2: the number of nodes \"300000\" is not a whole number from 1 to 200000"},
        Wrong{"RackWithoutSlash", "heddle-trace 1\nnode a r 1,1\n",
              "t:2: the rack \"r\" does not begin with /"},
        Wrong{"FailureOfNobody", std::string(kHead) + "fail 1 nobody 5\n",
              "t:4: there is no node \"nobody\""},
        Wrong{"NodesAfterJobs", std::string(kHead) + "job 5 a u\nnode x /r 1,1\n",
              "t:5: \"node\" may not stand behind the first job"},
        Wrong{"QueueElsewhere", "heddle-trace 1\nqueue prod capacity=1\n",
              "t:2: the queue \"prod\" does not lie below root"},
        Wrong{"LongLine", std::string(kHead) + std::string(100'000, 'x') + "\n",
              "t:4: a line is longer than 8192 bytes"},
        Wrong{"Bytes", std::string(kHead) + std::string("\0\xff\x01 a", 5) + "\n",
              "t:4: unknown word \"\\x00\\xff\\x01\""}),
    [](const auto& given) { return given.param.name; });

Result<SlsJobs> sls(const std::string& text) {
  std::istringstream in(text);
  return read_sls_jobs(in, "s.json");
}
std::string sls_error(const std::string& text) {
  const auto jobs = sls(text);
  return jobs ? "" : jobs.error().message;
}

TEST(SlsTrace, ReadsTheFormOfTheDocumentation) {
  const auto jobs = sls(R"(
    {"num.nodes": 3, "num.racks": 1}
    {
      "am.type" : "mapreduce", // comments are fine
      "job.start.ms" : 105204, "job.end.ms" : 197256, "job.queue.name" : "sls_queue_2",
      "job.id" : "job_2", "job.user" : "default",
      "job.tasks" : [ {
        "container.host" : "/default-rack/node1", "container.start.ms" : 111822,
        "container.end.ms" : 133985, "container.priority" : 20, "container.type" : "map"
      }, {
        "count": 5, "duration.ms": 50000, "container.priority" : 10, "container.type" : "reduce",
        "container.memory-mb": 2048, "container.vcores": 2, "container.allocation.id": 7,
        "container.execution.type": "GUARANTEED"
      } ]
    }
    {"job.start.ms": 0, "job.queue.name": "sls_queue_1", "job.count": 2, "am.memory-mb": 4096,
     "job.tasks": [{"duration.ms": 10}, {"duration.ms": "10"}]})");
  ASSERT_TRUE(jobs) << jobs.error().message;
  EXPECT_EQ(jobs->node_count, 3);
  ASSERT_THAT(jobs->jobs, SizeIs(3));
  EXPECT_EQ(jobs->jobs[0].user, "default");
  EXPECT_EQ(jobs->jobs[0].am_size, Resources(4096, 1));
  EXPECT_THAT(jobs->jobs[0].groups, ElementsAre(TaskGroup{2, {1024, 1}, 10, 20, 0, 0, ""}));
  EXPECT_EQ(jobs->jobs[2].name, "job_2");
  EXPECT_THAT(jobs->jobs[2].groups,
              ElementsAre(TaskGroup{1, {1024, 1}, 22163, 20, 0, 0, "/default-rack/node1"},
                          TaskGroup{5, {2048, 2}, 50000, 10, 1, 0, ""}));
}

TEST(SlsTrace, OnlyMapReduceWaitsForItsMaps) {
  const auto jobs = sls(R"({"am.type": "dag", "job.start.ms": 0, "job.queue.name": "q",
      "job.tasks": [{"duration.ms": 5, "container.type": "reduce", "container.request.delay": 9}]})");
  ASSERT_TRUE(jobs) << jobs.error().message;
  EXPECT_THAT(jobs->jobs[0].groups, ElementsAre(TaskGroup{1, {1024, 1}, 5, 20, 0, 9, ""}));
}

TEST(SlsTrace, FieldsWithoutMeaningAreNamedOnce) {
  const auto jobs = sls(R"({"job.start.ms": 0, "job.queue.name": "q", "x": 1, "y": {"z": [1]},
      "job.tasks": [{"duration.ms": 5, "k": 1}, {"duration.ms": 6, "k": 2}]})");
  ASSERT_TRUE(jobs) << jobs.error().message;
  EXPECT_THAT(jobs->warnings, ElementsAre("field k has no meaning here and was skipped",
                                          "field x has no meaning here and was skipped"));
}

class WrongSlsTrace : public testing::TestWithParam<Wrong> {};

TEST_P(WrongSlsTrace, IsRefusedWithFileLineAndField) {
  EXPECT_THAT(sls_error(GetParam().text), HasSubstr(GetParam().says));
}

std::string job_with(const std::string& task) {
  return "{\"job.start.ms\": 0,\n \"job.queue.name\": \"q\",\n \"job.tasks\": [\n  {" + task +
         "}]}";
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongSlsTrace,
    testing::Values(
        Wrong{"NegativeDuration", job_with("\"duration.ms\": -5"),
              "s.json:4: job 1, job.tasks 1: field duration.ms (line 4): \"-5\" is not a whole "
              "number from 1 to"},
        Wrong{"EndBeforeStart", job_with("\"container.start.ms\": 9, \"container.end.ms\": 3"),
              "field container.end.ms: 3 is not after container.start.ms 9"},
        Wrong{"NoDuration", job_with("\"container.start.ms\": 9"), "field duration.ms: is missing"},
        Wrong{"TwoToThe63", job_with("\"duration.ms\": 9223372036854775808"),
              "field duration.ms (line 4): \"9223372036854775808\" is not a whole number"},
        Wrong{"TwoToThe70", job_with("\"duration.ms\": 1180591620717411303424"),
              "field duration.ms (line 4): \"1180591620717411303424\" is not a whole number"},
        Wrong{"NotANumber", job_with("\"duration.ms\": NaN"), "s.json:4: syntax error"},
        Wrong{"Fraction", job_with("\"duration.ms\": 1.5"), "\"1.5\" is not a whole number"},
        Wrong{"CountOfMillions", job_with("\"duration.ms\": 1, \"count\": 99999999"),
              "field count (line 4): \"99999999\" is not a whole number from 1 to 10000000"},
        Wrong{"MissingQueue", "{\"job.start.ms\": 0, \"job.tasks\": [{\"duration.ms\": 1}]}",
              "s.json:1: job 1: field job.queue.name: is missing"},
        Wrong{"MissingStart", "{\"job.queue.name\": \"q\", \"job.tasks\": [{\"duration.ms\": 1}]}",
              "field job.start.ms: is missing"},
        Wrong{"NoTasks", "{\"job.start.ms\": 0, \"job.queue.name\": \"q\", \"job.tasks\": []}",
              "field job.tasks: is missing or empty"},
        Wrong{"TasksThatAreNumbers",
              "{\"job.start.ms\": 0, \"job.queue.name\": \"q\", \"job.tasks\": [1]}",
              "job.tasks holds more than objects"},
        Wrong{"Opportunistic",
              job_with("\"duration.ms\": 1, \"container.execution.type\": \"OPPORTUNISTIC\""),
              "field container.execution.type: \"OPPORTUNISTIC\" is not supported yet"},
        Wrong{"Labels",
              "{\"job.start.ms\": 0, \"job.queue.name\": \"q\", \"job.label.expression\": \"gpu\", "
              "\"job.tasks\": [{\"duration.ms\": 1}]}",
              "field job.label.expression: \"gpu\": node labels are not supported yet"},
        Wrong{"DeepNesting", "{\"a\": " + std::string(100'000, '['), "nested deeper than 64"},
        Wrong{"DeepObjects",
              [] {
                std::string text;
                for (int i = 0; i < 100'000; ++i)
                  text += "{\"a\":";
                return text;
              }(),
              "nested deeper than 64"},
        Wrong{"LongText", "{\"job.user\": \"" + std::string(1 << 20, 'x') + "\"}",
              "a value is longer than 65536 bytes"},
        Wrong{"ManyMembers",
              [] {
                std::string text = "{";
                for (int i = 0; i < 1000; ++i)
                  text += "\"k" + std::to_string(i) + "\": 1, ";
                return text + "\"z\": 1}";
              }(),
              "an object has more than 256 members"},
        Wrong{"ManyJobs",
              "{\"job.start.ms\": 0, \"job.queue.name\": \"q\", \"job.count\": 1000000, "
              "\"job.tasks\": [{\"duration.ms\": 1, \"count\": 1000}]}",
              "field job.count: a file has"},
        Wrong{"List", "[{\"job.start.ms\": 0}]", "a row of objects {..} is expected, not a list"},
        Wrong{"Number", "17", "a row of objects {..} is expected, not a single value"},
        Wrong{"CutOff", "{\"job.start.ms\": 0,\n\n", "s.json:3: syntax error"}),
    [](const auto& given) { return given.param.name; });

TEST(SlsNodes, AreReadWithTheirRacksAndSizes) {
  std::istringstream in(R"({"rack": "r1", "nodes": [{"node": "a", "memory-mb": 2048, "vcores": 6},
      {"node": "b", "labels": "x"}]} {"rack": "/r2", "nodes": [{"node": "c"}]})");
  const auto nodes = read_sls_nodes(in, "n.json");
  ASSERT_TRUE(nodes) << nodes.error().message;
  EXPECT_THAT(nodes->nodes,
              ElementsAre(NodeSpec{"a", "/r1", {2048, 6}}, NodeSpec{"b", "/r1", {10240, 10}},
                          NodeSpec{"c", "/r2", {10240, 10}}));
  EXPECT_THAT(nodes->warnings, SizeIs(1));
}

TEST(SlsNodes, ANodeTwiceIsRefused) {
  std::istringstream in(R"({"rack": "r", "nodes": [{"node": "a"}, {"node": "a"}]})");
  const auto nodes = read_sls_nodes(in, "n.json");
  ASSERT_FALSE(nodes);
  EXPECT_THAT(nodes.error().message, HasSubstr("rack 1: node \"a\" stands there twice"));
}

TEST(SlsWriter, WritesWhatTheLoadSimulatorReads) {
  const ClusterSpec cluster{{{"n0", "/r0", {4096, 4}}, {"n1", "/r1", {2048, 2}}}, {}, {}};
  const Job job{5,
                "j",
                "a",
                "ann",
                0,
                {2048, 1},
                {{3, {1024, 1}, 60'000, 20, 0, 0, "n1"}, {1, {2048, 2}, 500, 20, 1, 10, ""}}};
  std::ostringstream out;
  const auto written = SlsWriter(cluster).write(out, job);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(out.str(),
            R"({"am.type":"mapreduce","job.start.ms":5,"job.end.ms":60515,"job.queue.name":"a",)"
            R"("job.user":"ann","job.id":"j","am.memory-mb":2048,"am.vcores":1,"job.tasks":[)"
            R"({"count":3,"duration.ms":60000,"container.memory-mb":1024,"container.vcores":1,)"
            R"("container.priority":20,"container.type":"map","container.host":"/r1/n1"},)"
            R"({"count":1,"duration.ms":500,"container.memory-mb":2048,"container.vcores":2,)"
            R"("container.priority":20,"container.type":"reduce","container.request.delay":10}]})"
            "\n");
  std::ostringstream nodes;
  ASSERT_TRUE(write_sls_nodes(nodes, cluster));
  EXPECT_EQ(nodes.str(), R"({"rack":"r0","nodes":[{"node":"n0","memory-mb":4096,"vcores":4}]})"
                         "\n"
                         R"({"rack":"r1","nodes":[{"node":"n1","memory-mb":2048,"vcores":2}]})"
                         "\n");
}

class NotForSls : public testing::TestWithParam<Wrong> {};

TEST_P(NotForSls, IsRefusedByName) {
  std::istringstream in(kHead + GetParam().text);
  auto trace = read_text_trace(in, "t");
  ASSERT_TRUE(trace) << trace.error().message;
  std::ostringstream out;
  const auto written = SlsWriter((*trace)->cluster()).write(out, events_of(**trace).at(0));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr(GetParam().says));
  EXPECT_THAT(written.error().message, HasSubstr("the Load Simulator's files cannot say it"));
}

INSTANTIATE_TEST_SUITE_P(
    Table, NotForSls,
    testing::Values(
        Wrong{"Failure", "fail 7 n1 100\n", "the failure of node \"n1\" at 7 ms: "},
        Wrong{"ThirdStage", "job 5 a u\ntask 1 1024,1 9 stage=2\n", "job 1 at 5 ms: stage 2 (only"},
        Wrong{"NoTime", "job 5 a u\ntask 1 1024,1 0\n", "job 1 at 5 ms: a task of 0 ms: "},
        Wrong{"Priority", "job 5 a u priority=3\ntask 1 1024,1 9\n", "its priority 3: "},
        Wrong{"NoTasks", "job 5 a u\njob 6 a u\n", "job 1 at 5 ms: that it has no tasks: "},
        Wrong{"Rack", "job 5 a u\ntask 1 1024,1 9 at=/rack0\n",
              "the place \"/rack0\", which is no node: "},
        Wrong{"ThirdResource", "job 5 a u\ntask 1 1024,1,1 9\n",
              "a resource besides memory and vcores: "}),
    [](const auto& given) { return given.param.name; });

TEST(MakeTrace, IsTheSameForTheSameSeed) {
  const auto make = [](std::uint64_t seed) {
    std::ostringstream out;
    make_trace({.seed = seed, .nodes = 10, .tasks = 500}, out);
    return out.str();
  };
  EXPECT_EQ(make(5), make(5));
  EXPECT_NE(make(5), make(6));
}

TEST(MakeTrace, HasAboutAsManyTasksAsWanted) {
  std::ostringstream out;
  make_trace({.nodes = 50, .tasks = 100'000}, out);
  std::istringstream in(out.str());
  auto trace = read_text_trace(in, "t");
  ASSERT_TRUE(trace);
  std::int64_t tasks = 0;
  for (const TraceEvent& event : events_of(**trace)) {
    if (const Job* job = std::get_if<Job>(&event)) {
      for (const TaskGroup& group : job->groups)
        tasks += group.count;
    }
  }
  EXPECT_GT(tasks, 80'000);
  EXPECT_LT(tasks, 120'000);
}

}  // namespace
}  // namespace heddle::sim
