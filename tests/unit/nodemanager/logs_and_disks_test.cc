#include <fmt/core.h>
#include <gmock/gmock.h>

#include <cerrno>

#include "nodemanager/health/disks.h"
#include "nodemanager/launch/process_tree.h"
#include "nodemanager/logs/aggregation.h"
#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

EndedContainer ended(std::int32_t exit_status, bool is_master = false) {
  return {ContainerId{}, exit_status, is_master};
}
LogRules policy(const std::string& name) {
  return {"", "",
          "org.apache.hadoop.yarn.server.nodemanager.containermanager.logaggregation." + name, ""};
}

TEST(LogPolicy, ChoosesContainersByHowTheyEnded) {
  EXPECT_TRUE(wants_logs({}, ended(0)));
  EXPECT_FALSE(wants_logs(policy("NoneContainerLogAggregationPolicy"), ended(1)));
  EXPECT_TRUE(wants_logs(policy("AMOnlyLogAggregationPolicy"), ended(0, true)));
  EXPECT_FALSE(wants_logs(policy("AMOnlyLogAggregationPolicy"), ended(1)));
  EXPECT_TRUE(wants_logs(policy("FailedContainerLogAggregationPolicy"), ended(1)));
  EXPECT_FALSE(wants_logs(policy("FailedContainerLogAggregationPolicy"), ended(137)));
  EXPECT_FALSE(wants_logs(policy("FailedContainerLogAggregationPolicy"), ended(143)));
  EXPECT_TRUE(wants_logs(policy("FailedContainerLogAggregationPolicy"), ended(-104)))
      << "as Hadoop judges: only what a signal ended counts as killed";
  EXPECT_TRUE(wants_logs(policy("FailedOrKilledContainerLogAggregationPolicy"), ended(-105)));
  EXPECT_TRUE(wants_logs(policy("FailedOrKilledContainerLogAggregationPolicy"), ended(143)));
  EXPECT_FALSE(wants_logs(policy("FailedOrKilledContainerLogAggregationPolicy"), ended(0)));
  EXPECT_TRUE(wants_logs(policy("AMOrFailedContainerLogAggregationPolicy"), ended(143, true)));
  EXPECT_TRUE(wants_logs(policy("AMOrFailedContainerLogAggregationPolicy"), ended(-105)));
  EXPECT_FALSE(wants_logs(policy("AMOrFailedContainerLogAggregationPolicy"), ended(143)));
}

TEST(LogFiles, AreTheRegularFilesSortedByName) {
  TempDir dir;
  std::ofstream(dir.path() + "/syslog") << "abc";
  std::ofstream(dir.path() + "/stdout") << "";
  std::filesystem::create_directory(dir.path() + "/folder");
  std::filesystem::create_symlink("/etc/passwd", dir.path() + "/link");
  const auto files = files_in({dir.path()});
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name, "stdout");
  EXPECT_EQ(files[1].size, 3U);
}

TEST(Disks, AMissingDirectoryIsToldAndTheOthersAreUsed) {
  TempDir dir;
  const DiskRules rules{.utilization_max_percent = 100, .healthy_min_share = 0.5};
  const auto result = check_disks({dir.path(), "/nowhere/a"}, {dir.path()}, rules);
  EXPECT_TRUE(result.healthy);
  EXPECT_EQ(result.good_local_dirs, std::vector<std::string>{dir.path()});
  EXPECT_THAT(result.report, testing::HasSubstr("1/2 local-dirs are bad: /nowhere/a"));
}

TEST(Disks, TooFewGoodDirectoriesMakeTheNodeUnhealthy) {
  TempDir dir;
  const auto result = check_disks({"/nowhere/a"}, {dir.path()}, {.utilization_max_percent = 100});
  EXPECT_FALSE(result.healthy);
}

TEST(Disks, AFullDiskIsNotUsed) {
  TempDir dir;
  const auto result = check_disks({dir.path()}, {dir.path()}, {.utilization_max_percent = -1});
  EXPECT_FALSE(result.healthy);
  EXPECT_THAT(result.report, testing::HasSubstr("max-disk-utilization-per-disk-percentage"));
}

TEST(ProcessTree, HoldsDescendantsAndMembersOfTheSessionThatLostTheirParent) {
  TempDir proc;
  const auto add = [&](int pid, int parent, int session, const std::string& name) {
    std::filesystem::create_directory(proc.path() + "/" + std::to_string(pid));
    std::ofstream(proc.path() + "/" + std::to_string(pid) + "/stat")
        << pid << " (" << name << ") S " << parent << " " << session << " " << session
        << " 0 -1 0 0 0 0 0 2 3 0 0 20 0 1 0 50 4096 7 0 0\n";
  };
  add(10, 1, 10, "bash");
  add(11, 10, 10, "a) b (c");
  add(12, 11, 12, "fled");
  add(13, 1, 10, "orphan");
  add(14, 1, 14, "other");
  const auto tree = ProcessTable::read(proc.path()).tree(10);
  ASSERT_EQ(tree.size(), 4U);
  EXPECT_EQ(tree[0].pid, 10);
  const TreeUsage usage = usage_of(tree, 49);
  EXPECT_EQ(usage.virtual_bytes, 4 * 4096);
  EXPECT_EQ(usage.old_virtual_bytes, 0) << "all started after tick 49";
  EXPECT_EQ(usage.cpu_ticks, 20U);
}

/// Two disks of each kind, of which a file stands in the way of the second.
class TwoDisks : public NodeTest {
 protected:
  TwoDisks() {
    config_.local_dirs.push_back(dir_.path() + "/second/local");
    config_.log_dirs.push_back(dir_.path() + "/second/logs");
    config_.disk_interval = std::chrono::milliseconds(10);
    std::ofstream(dir_.path() + "/second") << "no disk";
  }
  void bring_second() {
    std::filesystem::remove(dir_.path() + "/second");
    std::filesystem::create_directories(config_.local_dirs[1]);
    std::filesystem::create_directories(config_.log_dirs[1]);
    wait_for_report([](const std::string& report) { return report.empty(); });
  }
  void wait_for_report(const std::function<bool(const std::string&)>& condition) {
    const int before = rm_.heartbeats();
    rm_.wait_until([&](const FakeRm& rm) {
      return rm.heartbeats_ > before && condition(rm.requests_.back().health.report);
    });
  }
  StartContainer with_resources(std::int64_t number) {
    auto start = request(number, "cat mine ours all 1><LOG_DIR>/stdout");
    const auto add = [&](const std::string& name, Visibility visibility) {
      auto& added = start.launch.resources[name] =
          resource(name + std::to_string(number), name + "\n");
      added.visibility = visibility;
    };
    add("mine", Visibility::kApplication);
    add("ours", Visibility::kPrivate);
    add("all", Visibility::kPublic);
    return start;
  }
};

TEST_F(TwoDisks, OneThatCannotBeUsedDoesNotKeepTheAgentFromStarting) {
  start();
  const auto ended = run_to_end(with_resources(1));
  EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
  wait_for_report([](const std::string& report) {
    return report.find("1/2 local-dirs are bad: ") != std::string::npos &&
           report.find("1/2 log-dirs are bad: ") != std::string::npos;
  });
}

TEST_F(TwoDisks, OneThatComesBackServesApplicationsThatRunAlready) {
  start();
  ASSERT_EQ(run_to_end(with_resources(1)).exit_status, 0);
  bring_second();
  for (std::int64_t number = 2; number < 6; ++number) {  // disks are taken in turns
    const auto ended = run_to_end(with_resources(number));
    EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
  }
  EXPECT_TRUE(
      std::filesystem::exists(app_dir(config_.local_dirs[1], config_.own_user, id(1).attempt.app)));
}

TEST_F(TwoDisks, NoneThatCanBeUsedKeepsTheAgentFromStarting) {
  config_.local_dirs.erase(config_.local_dirs.begin());
  AgentParts parts;
  parts.loop = &loops_->next();
  parts.clock = &clock_;
  const auto agent = Agent::create(config_, parts);
  ASSERT_FALSE(agent);
  EXPECT_THAT(agent.error().message, testing::HasSubstr(dir_.path() + "/second"));
}

TEST_F(NodeTest, ADiskThatDoesNotAnswerTakesOneWorkerAlone) {
  config_.worker_threads = 2;
  config_.disk_interval = std::chrono::milliseconds(5);
  start();
  // The check hangs on a pipe that nobody reads.
  const std::string probe =
      fmt::format("{}/.heddle-disk-check-{}", config_.local_dirs[0], getpid());
  while (mkfifo(probe.c_str(), 0600) != 0)  // a check is under way
    ASSERT_EQ(errno, EEXIST);
  rm_.wait_for_heartbeats(6);
  EXPECT_EQ(run_to_end(request(1, "true")).exit_status, 0);
  std::ifstream{probe};
}

class RollingLogs : public NodeTest {
 protected:
  RollingLogs() { config_.log_aggregation = true; }
  std::string remote() const {
    return dir_.path() + "/remote/" + config_.own_user +
           "/bucket-logs-tfile/0001/application_1700000000000_0001";
  }
};

TEST_F(RollingLogs, AreMovedWhileTheApplicationRunsAndNotAgainAtItsEnd) {
  config_.log_roll = std::chrono::milliseconds(20);
  const std::string up = dir_.path() + "/up";
  ASSERT_EQ(mkfifo(up.c_str(), 0600), 0);
  start();
  auto rolls =
      request(1, "echo old > <LOG_DIR>/app.log.1; echo new > <LOG_DIR>/app.log; echo up > " + up +
                     "; sleep 1000");
  rolls.grant.log_rolled_include_pattern = "app\\.log\\.\\d";
  ASSERT_TRUE(run(rolls));
  EXPECT_EQ(read_file(up), "up\n");
  rm_.wait_until(
      [&](const FakeRm&) { return !std::filesystem::exists(log_file(id(1), "app.log.1")); });
  EXPECT_EQ(read_file(log_file(id(1), "app.log")), "new\n") << "it is not a rolled one";
  auto files = list_dir(remote());
  ASSERT_EQ(files.size(), 1U);
  EXPECT_THAT(files[0], testing::MatchesRegex("localhost_8041_[0-9]+"));
  const std::string container = to_string(id(1));
  EXPECT_EQ(read_file(remote() + "/" + files[0]), container + " app.log.1\n");

  rm_.tell([&](HeartbeatAnswer& answer) { answer.apps_to_clean_up.push_back(id(1).attempt.app); });
  rm_.wait_until([](const FakeRm& rm) {
    return !rm.log_reports_.empty() && rm.log_reports_.back().status == "SUCCEEDED";
  });
  files = list_dir(remote());
  ASSERT_EQ(files.size(), 2U);
  const std::string last = read_file(remote() + "/" + files[1]);
  EXPECT_THAT(last, testing::HasSubstr(container + " app.log\n"));
  EXPECT_THAT(last, testing::HasSubstr(container + " prelaunch.out\n"));
  EXPECT_THAT(last, testing::Not(testing::HasSubstr("app.log.1")));
}

TEST_F(RollingLogs, OfContainersThatHaveEndedAllAreMoved) {
  config_.log_roll = std::chrono::milliseconds(20);
  start();
  auto ended = request(1, "echo x > <LOG_DIR>/app.log");
  ended.grant.log_rolled_include_pattern = "nothing";
  run_to_end(ended);
  rm_.wait_until([&](const FakeRm&) {
    return !std::filesystem::exists(log_file(id(1), "app.log")) &&
           !std::filesystem::exists(log_file(id(1), "prelaunch.out"));
  });
  EXPECT_EQ(list_dir(remote()).size(), 1U);
}

TEST_F(RollingLogs, WithoutAPatternForThemNothingIsMovedBeforeTheEnd) {
  config_.log_roll = std::chrono::milliseconds(1);
  start();
  run_to_end(request(1, "echo x > <LOG_DIR>/app.log"));
  rm_.wait_for_heartbeats(10);
  EXPECT_EQ(read_file(log_file(id(1), "app.log")), "x\n");
  EXPECT_TRUE(list_dir(remote()).empty());
}

TEST_F(RollingLogs, LeaveNoMoreFilesOfANodeThanAllowed) {
  LocalFs store;
  for (std::int64_t turn = 1; turn <= 5; ++turn) {
    const std::string logs = log_dir(config_.log_dirs[0], id(1));
    std::filesystem::create_directories(logs);
    std::ofstream(logs + "/app.log") << turn;
    AggregationJob job;
    job.upload.app = id(1).attempt.app;
    job.upload.user = config_.own_user;
    job.upload.node = NodeId{"localhost", 8041};
    job.ended = {{id(1), 0, false}};
    job.rules.rolled_include_pattern = "x";
    job.log_dirs = config_.log_dirs;
    job.remote_root = config_.remote_log_dir;
    job.suffix = "logs";
    job.own_user = config_.own_user;
    job.now = WallTime{1000 + turn};
    job.names_with_time = true;
    job.rolled_files_max = 2;
    const auto moved = aggregate(std::move(job), format_, store);
    ASSERT_TRUE(moved) << moved.error().message;
    if (turn == 1) std::ofstream(remote() + "/localhost_80412_1") << "another node's";
  }
  EXPECT_THAT(list_dir(remote()), testing::ElementsAre("localhost_80412_1", "localhost_8041_1004",
                                                       "localhost_8041_1005"));
}

TEST_F(NodeTest, AResourceWhoseCopyIsGoneIsFetchedAgain) {
  start();
  auto first = request(1, "cat x 1><LOG_DIR>/stdout");
  first.launch.resources["x"] = resource("x", "content\n");
  first.launch.resources["x"].visibility = Visibility::kPrivate;
  ASSERT_EQ(run_to_end(first).exit_status, 0);
  for (const std::string& name :
       list_dir(user_cache_dir(config_.local_dirs[0], config_.own_user))) {
    ASSERT_TRUE(remove_tree(user_cache_dir(config_.local_dirs[0], config_.own_user) + "/" + name));
  }
  auto second = request(2, "cat x 1><LOG_DIR>/stdout");
  second.launch.resources = first.launch.resources;
  const auto ended = run_to_end(second);
  EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
  EXPECT_EQ(read_file(log_file(id(2), "stdout")), "content\n");
}

}  // namespace
}  // namespace heddle::nm
