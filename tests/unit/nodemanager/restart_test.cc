// An agent that was killed, and the one that comes after it.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include "nodemanager/launch/leftovers.h"
#include "nodemanager/launch/process_tree.h"
#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::optional<ProcessInfo> process(pid_t pid) {
  const ProcessTable table = ProcessTable::read("/proc");
  for (const ProcessInfo& info : table.all()) {
    if (info.pid == pid && info.state != 'Z') return info;
  }
  return std::nullopt;
}

class RestartTest : public NodeTest {
 protected:
  void with_store() {
    store_.reset();
    auto opened = open_node_store(dir_.path());
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }
  std::string fifo(const std::string& name) {
    std::string path = dir_.path() + "/" + name;
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  /// A container whose process and whose fled descendant, deaf to SIGTERM, say who they are.
  std::pair<pid_t, pid_t> run_two(std::int64_t number) {
    const std::string pids = fifo("pids" + std::to_string(number));
    EXPECT_TRUE(
        run(request(number, "( setsid bash -c 'trap \\\"\\\" TERM; echo \\$PPID \\$BASHPID > " +
                                pids + "; while true; do sleep 1000; done' & ) ; sleep 1000")));
    pid_t parent = 0;
    pid_t fled = 0;
    std::ifstream(pids) >> parent >> fled;
    rm_.wait_for_state(id(number), ContainerState::kRunning);
    const auto main = read_number_file(private_dir(config_.local_dirs[0], id(number)) + "/" +
                                       to_string(id(number)) + ".pid");
    EXPECT_TRUE(main);
    return {static_cast<pid_t>(main.value_or(0)), fled};
  }
  std::string app_folder() const {
    return app_dir(config_.local_dirs[0], config_.own_user, id(1).attempt.app);
  }
};

TEST_F(RestartTest, ContainersOfACrashedAgentEndBeforeTheNextOneRegisters) {
  start();
  const auto [main, fled] = run_two(1);
  crash();
  ASSERT_TRUE(process(main));
  ASSERT_TRUE(process(fled));
  start();
  EXPECT_FALSE(process(main)) << "runs unowned";
  EXPECT_FALSE(process(fled)) << "runs unowned";
  EXPECT_TRUE(rm_.registrations_.back().containers.empty()) << "nothing is known without a store";
}

TEST_F(RestartTest, TheyEndEvenWhenTheirSupervisorIsGoneToo) {
  start();
  const auto [main, fled] = run_two(1);
  const auto supervisor = process(main)->parent;
  crash();
  ASSERT_EQ(kill(supervisor, SIGKILL), 0);
  ASSERT_EQ(waitpid(supervisor, nullptr, 0), supervisor);
  ASSERT_TRUE(process(main));
  ASSERT_TRUE(process(fled));
  start();
  EXPECT_FALSE(process(main)) << "runs unowned";
  EXPECT_FALSE(process(fled)) << "runs unowned";
}

TEST_F(RestartTest, AContainerWhoseSupervisorIsKilledEndsWithAllItsProcesses) {
  start();
  const auto [main, fled] = run_two(1);
  ASSERT_EQ(kill(process(main)->parent, SIGKILL), 0);
  EXPECT_EQ(rm_.wait_for_state(id(1), ContainerState::kDone).exit_status, 137);
  EXPECT_FALSE(process(main)) << "runs on, though its resources are given to others";
  EXPECT_FALSE(process(fled)) << "runs on, though its resources are given to others";
}

TEST_F(RestartTest, TheyEndEvenWhenTheirSupervisorWasHalted) {
  start();
  const auto [main, fled] = run_two(1);
  const auto supervisor = process(main)->parent;
  crash();
  ASSERT_EQ(kill(supervisor, SIGSTOP), 0);
  start();
  EXPECT_FALSE(process(main)) << "runs unowned";
  EXPECT_FALSE(process(fled)) << "runs unowned";
}

TEST_F(RestartTest, AProcessThatOnlyHasThePidOfAnOldFileIsLeftAlone) {
  const pid_t other = fork();
  if (other == 0) {
    pause();
    _exit(0);
  }
  const std::string folder = private_dir(config_.local_dirs[0], id(1));
  std::filesystem::create_directories(folder);
  const std::string file = folder + "/" + to_string(id(1)) + ".pid";
  std::ofstream(file) << other << "\n";
  // Written long before that process began: its pid belonged to another one then.
  std::filesystem::last_write_time(file,
                                   std::filesystem::last_write_time(file) - std::chrono::hours(1));
  start();
  EXPECT_TRUE(process(other)) << "killed for having a reused pid";
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
}

TEST_F(RestartTest, AnApplicationAndItsMapOutputsOutliveACrash) {
  with_store();
  start();
  const auto done = run_to_end(
      request(1, "mkdir -p ../output/attempt_1 && echo data > ../output/attempt_1/file.out"));
  ASSERT_EQ(done.exit_status, 0) << done.diagnostics;
  ASSERT_TRUE(run(request(2, "sleep 1000")));
  rm_.wait_for_state(id(2), ContainerState::kRunning);
  crash();
  with_store();
  start();
  EXPECT_EQ(read_file(app_folder() + "/output/attempt_1/file.out"), "data\n");
  EXPECT_FALSE(std::filesystem::exists(app_folder() + "/" + to_string(id(2))));
  const Registration& again = rm_.registrations_.back();
  EXPECT_THAT(again.running_apps, ElementsAre(id(1).attempt.app));
  ASSERT_EQ(again.containers.size(), 2U);
  EXPECT_EQ(again.containers[0].state, ContainerState::kDone);
  EXPECT_EQ(again.containers[0].exit_status, 0);
  EXPECT_EQ(again.containers[1].state, ContainerState::kDone);
  EXPECT_EQ(again.containers[1].exit_status, exit_status::kAborted) << "no fault of its own";
  EXPECT_THAT(again.containers[1].diagnostics, HasSubstr("the NodeManager was started again"));
}

TEST_F(RestartTest, ASupervisedStopIsLikeACrashWithoutTheMess) {
  with_store();
  config_.supervised = true;
  start();
  run_to_end(request(1, "mkdir -p ../output && echo data > ../output/file.out"));
  const auto [main, fled] = run_two(2);
  std::promise<void> stopped;
  agent_->stop([&] { stopped.set_value(); });
  stopped.get_future().wait();
  EXPECT_FALSE(process(main));
  EXPECT_FALSE(process(fled));
  EXPECT_FALSE(rm_.unregistered_);
  crash();
  with_store();
  start();
  EXPECT_EQ(read_file(app_folder() + "/output/file.out"), "data\n");
  const Registration& again = rm_.registrations_.back();
  EXPECT_THAT(again.running_apps, ElementsAre(id(1).attempt.app));
  EXPECT_EQ(again.containers.at(1).exit_status, exit_status::kAborted);
}

TEST_F(RestartTest, AnAgentThatIsStoppedBeforeItBeganLeavesEverythingToTheNextOne) {
  with_store();
  start();
  run_to_end(request(1, "mkdir -p ../output && echo data > ../output/file.out"));
  crash();
  with_store();
  AgentParts parts;
  parts.loop = &loops_->next();
  parts.clock = &clock_;
  parts.link = &rm_;
  parts.store = store_.get();
  parts.restored = store_->load()->apps;
  auto agent = Agent::create(config_, parts);
  ASSERT_TRUE(agent) << agent.error().message;
  bool stopped = false;
  (*agent)->stop([&] { stopped = true; });
  std::promise<bool> then;
  parts.loop->post([&] { then.set_value(stopped); });
  EXPECT_TRUE(then.get_future().get()) << "it waits for applications that nobody ends";
  loops_->stop();
  agent->reset();
  loops_.emplace(1);
  EXPECT_EQ(read_file(app_folder() + "/output/file.out"), "data\n");
  EXPECT_EQ(store_->load()->apps.size(), 1U);
}

TEST_F(RestartTest, AStopWithoutSupervisionLeavesNothing) {
  with_store();
  start();
  run_to_end(request(1, "mkdir -p ../output && echo data > ../output/file.out"));
  std::promise<void> stopped;
  agent_->stop([&] { stopped.set_value(); });
  stopped.get_future().wait();
  EXPECT_TRUE(rm_.unregistered_);
  crash();
  EXPECT_FALSE(std::filesystem::exists(app_folder()));
  EXPECT_TRUE(store_->load()->apps.empty());
}

TEST_F(RestartTest, WithoutAStoreNothingIsKept) {
  start();
  run_to_end(request(1, "mkdir -p ../output && echo data > ../output/file.out"));
  crash();
  start();
  EXPECT_FALSE(std::filesystem::exists(app_folder()));
  EXPECT_TRUE(rm_.registrations_.back().running_apps.empty());
}

TEST_F(RestartTest, AnApplicationThatTheResourceManagerHasEndedLeavesNothing) {
  with_store();
  config_.log_aggregation = true;
  start();
  run_to_end(request(1, "echo hello 1><LOG_DIR>/stdout"));
  crash();
  with_store();
  start();
  rm_.tell([&](HeartbeatAnswer& answer) { answer.apps_to_clean_up.push_back(id(1).attempt.app); });
  rm_.wait_until([](const FakeRm& rm) {
    return !rm.log_reports_.empty() && rm.log_reports_.back().status == "SUCCEEDED";
  });
  EXPECT_THAT(read_file(dir_.path() + "/remote/" + config_.own_user +
                        "/bucket-logs-tfile/0001/application_1700000000000_0001/localhost_8041"),
              HasSubstr("container_1700000000000_0001_01_000001 stdout\n"))
      << "logs of before the crash";
  EXPECT_TRUE(agent_->reports().apps().empty());
  crash();  // which lets the workers finish what they were given
  EXPECT_FALSE(std::filesystem::exists(app_folder()));
  EXPECT_FALSE(std::filesystem::exists(log_dir(config_.log_dirs[0], id(1))));
  EXPECT_TRUE(store_->load()->apps.empty());
}

TEST_F(RestartTest, AContainerThatEndedWhileNoAgentWasThereKeepsItsCode) {
  with_store();
  start();
  const std::string go_on = fifo("go-on");
  const std::string pids = fifo("pids");
  ASSERT_TRUE(run(request(1, "echo \\$PPID > " + pids + "; cat " + go_on + "; exit 5")));
  pid_t supervisor = 0;
  std::ifstream(pids) >> supervisor;
  crash();
  std::ofstream(go_on) << "now\n";
  ASSERT_EQ(waitpid(supervisor, nullptr, 0), supervisor);
  with_store();
  start();
  const Registration& again = rm_.registrations_.back();
  ASSERT_EQ(again.containers.size(), 1U);
  EXPECT_EQ(again.containers[0].exit_status, 5);
}

TEST_F(RestartTest, AContainerWhoseEndWasTakenIsNotReportedAgainAndCannotBeStartedAgain) {
  with_store();
  start();
  run_to_end(request(1, "true"));
  rm_.tell([&](HeartbeatAnswer& answer) { answer.containers_to_forget.push_back(id(1)); });
  rm_.wait_for_heartbeats(3);
  crash();
  with_store();
  start();
  EXPECT_TRUE(rm_.registrations_.back().containers.empty());
  const auto again = run(request(1, "true"));
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("Attempt to relaunch the same container"));
}

TEST_F(RestartTest, AStoreThatCannotBeWrittenRefusesTheContainer) {
  class FullStore final : public NodeStore {
   public:
    Result<StoredNode> load() override { return StoredNode{}; }
    Result<void> save_app(const StoredApp&) override { return full(); }
    Result<void> forget_app(const AppId&) override { return full(); }
    Result<void> save_container(const ContainerId&, bool) override { return full(); }
    Result<void> container_ended(const ContainerId&, std::int32_t) override { return full(); }
    Result<void> container_forgotten(const ContainerId&) override { return full(); }
    Result<void> save_shuffle_job(const StoredShuffleJob&) override { return full(); }
    Result<void> forget_shuffle_job(const AppId&) override { return full(); }
    Result<void> save_port(const std::string&, std::uint16_t) override { return full(); }
    static Result<void> full() { return fail(ErrorCode::kUnavailable, "state store is full: /x"); }
  };
  store_ = std::make_unique<FullStore>();
  start();
  const auto refused = run(request(1, "true"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "state store is full: /x");
  EXPECT_TRUE(agent_->reports().apps().empty());
}

TEST_F(RestartTest, LogsOfApplicationsThatNobodyKnowsGrewForEver) {
  const std::string old = config_.log_dirs[0] + "/application_1600000000000_0001";
  std::filesystem::create_directories(old + "/container_1600000000000_0001_01_000001");
  config_.log_retain = std::chrono::seconds(0);
  start();
  crash();  // which lets the workers finish what they were given
  EXPECT_FALSE(std::filesystem::exists(old));
}

}  // namespace
}  // namespace heddle::nm
