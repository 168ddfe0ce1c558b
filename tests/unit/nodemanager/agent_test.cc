#include <gmock/gmock.h>
#include <signal.h>

#include "nodemanager/launch/layout.h"
#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

constexpr const char* kStamp = "\\[[0-9-]+ [0-9:]+\\.[0-9]+\\]";

TEST_F(NodeTest, AContainerThatEndsWellIsReportedWithZeroAndLeavesItsLogs) {
  start();
  const auto ended = run_to_end(request(1, "echo hello 1><LOG_DIR>/stdout"));
  EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
  EXPECT_EQ(ended.diagnostics, "");
  EXPECT_EQ(read_file(log_file(id(1), "stdout")), "hello\n");
  EXPECT_EQ(read_file(log_file(id(1), "prelaunch.out")).size(), 100U);
}

TEST_F(NodeTest, AFailedContainerShowsItsCodeAndTheEndsOfItsErrorFiles) {
  start();
  const auto ended = run_to_end(request(1, "echo oops 1>&2 2><LOG_DIR>/stderr; exit 3"));
  EXPECT_EQ(ended.exit_status, 3);
  EXPECT_THAT(
      ended.diagnostics,
      ContainsRegex(std::string("^") + kStamp +
                    "Exception from container-launch\\.\n"
                    "Container id: container_1700000000000_0001_01_000001\nExit code: 3\n\n" +
                    kStamp +
                    "Container exited with a non-zero exit code 3\\. Error file: "
                    "prelaunch.err\\.\nLast 4096 bytes of prelaunch.err :\n"));
  EXPECT_THAT(ended.diagnostics, HasSubstr("Last 4096 bytes of stderr :\n"));
}

TEST_F(NodeTest, AContainerThatItsMasterStopsKeepsTheReason) {
  start();
  ASSERT_TRUE(run(request(1, "sleep 1000")));
  rm_.wait_for_state(id(1), ContainerState::kRunning);
  ASSERT_TRUE(stop(id(1)));
  const auto ended = rm_.wait_for_state(id(1), ContainerState::kDone);
  EXPECT_EQ(ended.exit_status, exit_status::kKilledByAppMaster);
  EXPECT_THAT(
      ended.diagnostics,
      ContainsRegex(std::string("^") + kStamp + "Container killed by the ApplicationMaster\\.\n" +
                    kStamp + "Container killed on request\\. Exit code is 143\n" + kStamp +
                    "Container exited with a non-zero exit code 143\\. \n$"));
}

TEST_F(NodeTest, AContainerKilledFromOutsideSaysSo) {
  start();
  const auto ended = run_to_end(request(1, "kill -9 \\$\\$"));
  EXPECT_EQ(ended.exit_status, 137);
  EXPECT_THAT(ended.diagnostics,
              ContainsRegex(std::string("^") + kStamp +
                            "Container killed on request\\. Exit code is 137\n" + kStamp +
                            "Container exited with a non-zero exit code 137\\. \n" + kStamp +
                            "Killed by external signal\n$"));
}

TEST_F(NodeTest, NoProcessIsLeftBehindEvenIfItFledAndIgnoresSigterm) {
  start();
  const std::string fifo = dir_.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::string flee = "( setsid bash -c 'trap \\\"\\\" TERM; echo \\$BASHPID > " + fifo +
                           "; sleep 1000' & ) ; sleep 1000";
  ASSERT_TRUE(run(request(1, flee)));
  pid_t fled = 0;
  std::ifstream(fifo) >> fled;
  ASSERT_GT(fled, 1);
  ASSERT_EQ(::kill(fled, 0), 0);
  rm_.wait_for_state(id(1), ContainerState::kRunning);
  ASSERT_TRUE(stop(id(1)));
  rm_.wait_for_state(id(1), ContainerState::kDone);
  EXPECT_EQ(::kill(fled, 0), -1) << "process " << fled << " lives on";
}

TEST_F(NodeTest, WhatAContainerLeavesBehindAtItsEndIsEndedToo) {
  start();
  const std::string fifo = dir_.path() + "/fifo";
  const std::string go_on = dir_.path() + "/go-on";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  ASSERT_EQ(mkfifo(go_on.c_str(), 0600), 0);
  ASSERT_TRUE(run(request(1, "setsid bash -c 'echo \\$BASHPID > " + fifo + "; sleep 1000' & cat " +
                                 go_on + "; exit 0")));
  pid_t fled = 0;
  std::ifstream(fifo) >> fled;
  ASSERT_GT(fled, 1);
  std::ofstream(go_on) << "now\n";
  const auto ended = rm_.wait_for_state(id(1), ContainerState::kDone);
  EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
  EXPECT_EQ(::kill(fled, 0), -1) << "process " << fled << " lives on";
}

TEST_F(NodeTest, ARetryContextCannotMakeTheNodeStartAContainerWithoutPause) {
  config_.retry_interval_min = std::chrono::hours(1);
  start();
  auto again = request(1, "echo try >> <LOG_DIR>/tries; exit 9");
  again.launch.retry = {RetryPolicy::kOnAllErrors, {}, -1, 0, -1};
  ASSERT_TRUE(run(again));
  rm_.wait_for_state(id(1), ContainerState::kRelaunching);
  const int heartbeats = rm_.heartbeats();
  rm_.wait_until([&](const FakeRm& rm) {
    EXPECT_EQ(rm.latest_.at(id(1)).state, ContainerState::kRelaunching);
    return rm.heartbeats_ > heartbeats + 10;
  });
  EXPECT_EQ(read_file(log_file(id(1), "tries")), "try\n");
}

TEST_F(NodeTest, ARetryContextStartsTheContainerAgain) {
  config_.retry_interval_min = std::chrono::milliseconds(1);
  start();
  auto again = request(1, "echo try >> <LOG_DIR>/tries; exit 9");
  again.launch.retry = {RetryPolicy::kOnAllErrors, {}, 2, 1, -1};
  const auto ended = run_to_end(again);
  EXPECT_EQ(ended.exit_status, 9);
  EXPECT_EQ(read_file(log_file(id(1), "tries")), "try\ntry\ntry\n");
  EXPECT_THAT(ended.diagnostics, HasSubstr("Diagnostic message from attempt : \n"));
}

TEST_F(NodeTest, ARetryContextForOtherCodesDoesNothing) {
  start();
  auto once = request(1, "echo try >> <LOG_DIR>/tries; exit 9");
  once.launch.retry = {RetryPolicy::kOnSpecificErrors, {8}, 2, 1, -1};
  run_to_end(once);
  EXPECT_EQ(read_file(log_file(id(1), "tries")), "try\n");
}

TEST_F(NodeTest, AFileIsLinkedIntoTheWorkDirectoryReadOnly) {
  start();
  auto with_file = request(
      1, "cat dir/data.txt 1><LOG_DIR>/stdout; stat -Lc %a dir/data.txt 1>><LOG_DIR>/stdout");
  with_file.launch.resources["dir/data.txt"] = resource("in.txt", "content\n");
  const auto ended = run_to_end(with_file);
  EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
  EXPECT_EQ(read_file(log_file(id(1), "stdout")), "content\n500\n");
}

TEST_F(NodeTest, AScriptThatIsNotExecutableAtItsSourceCanBeRunAsInHadoop) {
  start();
  std::int64_t number = 0;
  for (const auto visibility :
       {Visibility::kPublic, Visibility::kPrivate, Visibility::kApplication}) {
    auto runs = request(++number, "./run.sh 1><LOG_DIR>/stdout");
    runs.launch.resources["run.sh"] = resource("run.sh", "#!/bin/sh\nstat -Lc %a $0\n");
    runs.launch.resources["run.sh"].visibility = visibility;
    const auto ended = run_to_end(runs);
    EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
    EXPECT_EQ(read_file(log_file(id(number), "stdout")),
              visibility == Visibility::kPublic ? "555\n" : "500\n");
  }
}

TEST_F(NodeTest, AMissingResourceFailsTheContainer) {
  start();
  auto missing = request(1, "true");
  missing.launch.resources["x"].url = "file:/nowhere/none.txt";
  const auto ended = run_to_end(missing);
  EXPECT_EQ(ended.exit_status, exit_status::kInvalid);
  EXPECT_THAT(ended.diagnostics, HasSubstr("]File file:/nowhere/none.txt does not exist\n"
                                           "java.io.FileNotFoundException: File "));
}

TEST_F(NodeTest, AResourceThatChangedFailsTheContainerWithBothTimes) {
  start();
  auto changed = request(1, "true");
  auto& file = changed.launch.resources["x"] = resource("in.txt", "content\n");
  file.timestamp_ms = 1795309834974;
  const auto ended = run_to_end(changed);
  EXPECT_EQ(ended.exit_status, exit_status::kInvalid);
  EXPECT_THAT(ended.diagnostics, HasSubstr("]Resource " + file.url +
                                           " changed on src filesystem - expected: "
                                           "\"2026-11-22T01:10:34.974+0000\", was: \""));
}

TEST_F(NodeTest, APublicResourceMustBeReadableByAll) {
  start();
  auto hidden = request(1, "true");
  auto& file = hidden.launch.resources["x"] = resource("secret.txt", "s");
  file.visibility = Visibility::kPublic;
  chmod((dir_.path() + "/secret.txt").c_str(), 0600);
  const auto ended = run_to_end(hidden);
  EXPECT_EQ(ended.exit_status, exit_status::kInvalid);
  EXPECT_THAT(ended.diagnostics, HasSubstr("java.io.IOException: Resource " + file.url +
                                           " is not publicly accessible and as such cannot be "
                                           "part of the public cache."));
}

TEST_F(NodeTest, TheEnvironmentIsThatOfTheNodeAndTheContainer) {
  start();
  auto shows = request(1, "env 1><LOG_DIR>/stdout");
  shows.launch.environment = {
      {"PATH", "/usr/bin:/bin"}, {"A", "{{B}}/a"}, {"B", "b"}, {"USER", "no"}};
  run_to_end(shows);
  const std::string env = read_file(log_file(id(1), "stdout"));
  EXPECT_THAT(env, HasSubstr("\nA=b/a\n"));
  EXPECT_THAT(env, HasSubstr("USER=" + config_.own_user + "\n"));
  EXPECT_THAT(env, HasSubstr("CONTAINER_ID=container_1700000000000_0001_01_000001\n"));
  EXPECT_THAT(env, HasSubstr("NM_HTTP_PORT=8042\n"));
}

TEST_F(NodeTest, TheTokenFileIsThereForTheOwnerAlone) {
  start();
  run_to_end(request(1,
                     "stat -c %a:%s container_tokens 1><LOG_DIR>/stdout; pwd 1>><LOG_DIR>/stdout; "
                     "stat -c %a . 1>><LOG_DIR>/stdout"));
  EXPECT_THAT(read_file(log_file(id(1), "stdout")), ContainsRegex("^600:7\n.*_000001\n710\n$"));
}

TEST_F(NodeTest, EndingTheApplicationKillsCollectsLogsAndCleansUp) {
  config_.log_aggregation = true;
  start();
  run_to_end(request(1, "echo hello 1><LOG_DIR>/stdout"));
  const std::string up = dir_.path() + "/up";
  ASSERT_EQ(mkfifo(up.c_str(), 0600), 0);
  ASSERT_TRUE(run(request(2, "echo up > " + up + "; sleep 1000")));
  EXPECT_EQ(read_file(up), "up\n");  // its script has begun, so that there are logs
  rm_.wait_for_state(id(2), ContainerState::kRunning);
  rm_.tell([&](HeartbeatAnswer& answer) { answer.apps_to_clean_up.push_back(id(1).attempt.app); });
  const auto killed = rm_.wait_for_state(id(2), ContainerState::kDone);
  EXPECT_EQ(killed.exit_status, exit_status::kKilledAfterAppCompletion);
  rm_.wait_until([](const FakeRm& rm) {
    return !rm.log_reports_.empty() && rm.log_reports_.back().status == "SUCCEEDED";
  });
  const std::string remote =
      dir_.path() + "/remote/" + config_.own_user +
      "/bucket-logs-tfile/0001/application_1700000000000_0001/localhost_8041";
  EXPECT_THAT(read_file(remote), HasSubstr("container_1700000000000_0001_01_000001 stdout\n"));
  EXPECT_THAT(read_file(remote),
              HasSubstr("container_1700000000000_0001_01_000002 prelaunch.err\n"));
  EXPECT_TRUE(agent_->reports().apps().empty());
  EXPECT_FALSE(agent_->reports().log_files(id(1)));
}

TEST_F(NodeTest, AResyncKeepsContainersAndReportsThem) {
  start();
  ASSERT_TRUE(run(request(1, "sleep 1000")));
  rm_.wait_for_state(id(1), ContainerState::kRunning);
  rm_.tell([](HeartbeatAnswer& answer) { answer.action = HeartbeatAction::kResync; });
  rm_.wait_until([](const FakeRm& rm) { return rm.registrations_.size() == 2; });
  const Registration& again = rm_.registrations_.back();
  ASSERT_EQ(again.containers.size(), 1U);
  EXPECT_EQ(again.containers[0].state, ContainerState::kRunning);
  EXPECT_EQ(again.running_apps, std::vector<AppId>{id(1).attempt.app});
}

TEST_F(NodeTest, TheResourceManagerCanEndAContainerAndLetItBeForgotten) {
  start();
  ASSERT_TRUE(run(request(1, "sleep 1000")));
  rm_.wait_for_state(id(1), ContainerState::kRunning);
  rm_.tell([&](HeartbeatAnswer& answer) { answer.containers_to_clean_up.push_back(id(1)); });
  EXPECT_EQ(rm_.wait_for_state(id(1), ContainerState::kDone).exit_status,
            exit_status::kKilledByResourceManager);
  rm_.tell([&](HeartbeatAnswer& answer) { answer.containers_to_forget.push_back(id(1)); });
  rm_.wait_for_heartbeats(3);
  const auto asked = status(id(1));
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().message,
            "Container container_1700000000000_0001_01_000001 was recently "
            "stopped on node manager.");
}

TEST_F(NodeTest, AGracefulSignalTerminatesAndIsNoted) {
  start();
  ASSERT_TRUE(run(request(1, "sleep 1000")));
  rm_.wait_for_state(id(1), ContainerState::kRunning);
  const auto told = status(id(1));
  ASSERT_TRUE(told);
  rm_.tell([&](HeartbeatAnswer& answer) {
    answer.signals.emplace_back(id(1), Signal::kGracefulShutdown);
  });
  const auto ended = rm_.wait_for_state(id(1), ContainerState::kDone);
  EXPECT_EQ(ended.exit_status, 143);
  EXPECT_THAT(ended.diagnostics, HasSubstr("Sent signal GRACEFUL_SHUTDOWN (SIGTERM) to pid "));
  EXPECT_THAT(ended.diagnostics, HasSubstr(", result=success\n"));
}

TEST_F(NodeTest, AContainerOverItsMemoryIsEndedWithADump) {
  config_.monitor_kills = true;
  config_.vmem_check = false;
  config_.monitor_interval = std::chrono::milliseconds(50);
  start();
  auto hungry = request(1, "x=\\$(head -c 60000000 /dev/zero | tr '\\\\0' a); sleep 1000");
  hungry.grant.resources = Resources(16, 1);
  const auto ended = run_to_end(hungry);
  EXPECT_EQ(ended.exit_status, exit_status::kKilledExceededPmem) << ended.diagnostics;
  EXPECT_THAT(
      ended.diagnostics,
      ContainsRegex(
          "Container \\[pid=[0-9]+,containerID=container_1700000000000_0001_01_000001\\] is "
          "running [0-9]+B beyond the 'PHYSICAL' memory limit\\. Current usage: "
          "[0-9.]+ MB of 16 MB physical memory used; "));
  EXPECT_THAT(ended.diagnostics, HasSubstr("\n\t|- PID PPID PGRPID SESSID CMD_NAME "));
}

TEST_F(NodeTest, AStopEndsEverythingAndSaysGoodBye) {
  Agent& agent = start();
  ASSERT_TRUE(run(request(1, "sleep 1000")));
  rm_.wait_for_state(id(1), ContainerState::kRunning);
  std::promise<void> stopped;
  agent.stop([&] { stopped.set_value(); });
  stopped.get_future().wait();
  EXPECT_TRUE(rm_.unregistered_);
  EXPECT_EQ(agent.reports().containers().at(0).state, ContainerState::kDone);
  loops_->stop();
  agent_.reset();
}

struct Refusal {
  const char* name;
  std::function<void(StartContainer&)> spoil;
  const char* message;
  ErrorSubject subject;
};

TEST_F(NodeTest, RefusesStartsThatAreNotInOrder) {
  start();
  ASSERT_TRUE(run(request(1, "sleep 1000")));
  const Refusal table[] = {
      {"twice", [](StartContainer& s) { s.grant.id = id(1); },
       "Unauthorized request to start container. \n Attempt to relaunch the same container with id "
       "container_1700000000000_0001_01_000001.",
       ErrorSubject::kToken},
      {"expired", [](StartContainer& s) { s.grant.expiry = WallTime{1}; }, "This token is expired.",
       ErrorSubject::kToken},
      {"previous", [](StartContainer& s) { s.grant.rm_identifier = 6; },
       "Container container_1700000000000_0001_01_000002 rejected as it is allocated by a previous "
       "RM",
       ErrorSubject::kContainer},
      {"service", [](StartContainer& s) { s.launch.service_data["nosuch"] = ""; },
       "The auxService:nosuch does not exist", ErrorSubject::kAuxService},
      {"user", [](StartContainer& s) { s.grant.user = "../x"; }, "user name '../x' cannot be used",
       ErrorSubject::kNone},
      {"variable",
       [](StartContainer& s) {
         s.launch.environment = {{"A=B", "c"}};
       },
       "environment variable 'A=B'", ErrorSubject::kContainer},
  };
  for (const Refusal& row : table) {
    StartContainer wrong = request(2, "true");
    row.spoil(wrong);
    const auto result = run(wrong);
    ASSERT_FALSE(result) << row.name;
    EXPECT_THAT(result.error().message, HasSubstr(row.message));
    EXPECT_EQ(result.error().subject, row.subject) << row.name;
  }
}

TEST_F(NodeTest, AnUnknownContainerIsNotHandledHere) {
  start();
  const auto result = stop(id(999));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message,
            "Container container_1700000000000_0001_01_000999 is not handled by this NodeManager");
}

}  // namespace
}  // namespace heddle::nm
