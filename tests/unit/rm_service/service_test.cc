// The loop around the core: what is answered when, and what happens when the disk does not follow.
#include <sys/wait.h>
#include <unistd.h>

#include "base/daemon/daemon.h"
#include "tests/unit/rm_service/service_fixture.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST_F(Service, AnswersASubmissionAfterItsCommitAndQueriesMeanwhile) {
  start();
  disk.shut();
  AppId app;
  const auto answer = submit(&app);
  settle();
  ASSERT_NE(board.app(app), nullptr) << "visible at once";
  EXPECT_EQ(board.app(app)->state, AppState::kNewSaving);
  EXPECT_FALSE(answer.came()) << "answered before it is durable";
  disk.open();
  EXPECT_TRUE(answer.get());
}

TEST_F(Service, LaunchesTheMasterOnceItsAttemptIsDurable) {
  start();
  RegisterNode node;
  node.id = {"n1", 1};
  node.total = {8192, 8};
  Awaited<NodeRegistered> registered;
  service->register_node(node, registered.taker());
  EXPECT_FALSE(registered.get()->shutdown);
  AppId app;
  EXPECT_TRUE(submit(&app).get());
  EXPECT_EQ(launcher.launched.get_future().get(), (AttemptId{app, 1}));
}

TEST_F(Service, RefusesWhatIsMoreThanItMayQueue) {
  options.commands_max = 0;
  start();
  const auto answer = submit();
  EXPECT_EQ(answer.get().error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.get().error().message, HasSubstr("overloaded or stopping; try again"));
}

TEST_F(Service, RefusesSubmissionsWhenTheDiskIsTooFarBehind) {
  options.records_max = 2;
  start();
  disk.shut();
  std::vector<Awaited<void>> answers;
  for (int i = 0; i < 4; ++i) {
    answers.push_back(submit());
    settle();
  }
  EXPECT_EQ(answers.back().get().error().code, ErrorCode::kUnavailable);
  disk.open();
  EXPECT_TRUE(answers.front().get());
}

TEST_F(Service, StopCommitsAndAnswersWhatItHasTaken) {
  start();
  disk.shut();
  std::vector<Awaited<void>> answers;
  answers.reserve(100);
  for (int i = 0; i < 100; ++i)
    answers.push_back(submit());
  disk.open();
  service->stop();
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer.came());
    EXPECT_TRUE(answer.get());
  }
  EXPECT_GE(disk.records(), 100u);
  EXPECT_EQ(submit().get().error().code, ErrorCode::kUnavailable) << "stopped";
}

TEST_F(Service, FullDiskIsTriedAgainAndRefusesNewSubmissionsMeanwhile) {
  start();
  EXPECT_TRUE(submit().get());
  const int before = disk.attempts();
  disk.break_with(Error{ErrorCode::kUnavailable, "state store is full: /x, 0 bytes free"});
  const auto waiting = submit();
  disk.wait_for_attempts(before + 2);
  EXPECT_FALSE(waiting.came());
  EXPECT_THAT(submit().get().error().message, HasSubstr("state store is full: /x"));
  settle();  // what needs no disk goes on
  disk.break_with(std::nullopt);
  EXPECT_TRUE(waiting.get());
  EXPECT_TRUE(submit().get());
}

TEST_F(Service, StopsAlsoWhileTheDiskIsFull) {
  start();
  disk.break_with(Error{ErrorCode::kUnavailable, "full"});
  const auto waiting = submit();
  disk.wait_for_attempts(2);
  service->stop();
  ASSERT_TRUE(waiting.came());
  EXPECT_EQ(waiting.get().error().code, ErrorCode::kUnavailable) << "not durable, so not promised";
  EXPECT_EQ(waiting.get().error().message,
            "the ResourceManager stopped before this was saved; ask again when it is back: full");
}

TEST_F(Service, StopAnswersAlsoWhatWaitsBehindTheCommitThatFails) {
  start();
  disk.shut();
  const auto first = submit();
  disk.wait_for_attempts(1);
  const auto second = submit();
  const auto third = submit();
  settle();
  disk.break_with(Error{ErrorCode::kUnavailable, "full"});
  disk.open();
  service->stop();
  for (const auto* answer : {&first, &second, &third}) {
    ASSERT_TRUE(answer->came());
    EXPECT_EQ(answer->get().error().code, ErrorCode::kUnavailable);
  }
}

TEST_F(Service, BrokenStorageIsFatalAndNothingIsAcknowledged) {
  start();
  EXPECT_TRUE(submit().get());
  disk.break_with(Error{ErrorCode::kInternal, "disk I/O error"});
  const auto lost = submit();
  EXPECT_EQ(fatal.get_future().get().message, "disk I/O error");
  service->stop();
  EXPECT_FALSE(lost.came());
}

TEST_F(Service, BrokenQueueFileChangesNothing) {
  options.load_queues = []() -> Result<LoadedQueues> {
    return fail(ErrorCode::kInvalidArgument, "capacities sum to 110 %");
  };
  start();
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  EXPECT_EQ(refresh.get().error().message, "capacities sum to 110 %");
  EXPECT_TRUE(submit().get());
}

TEST_F(Service, ReadsFilesOnAThreadOfItsOwnAndTheCallerGoesOn) {
  std::promise<void> reading, may_go_on;
  std::thread::id reader;
  options.load_queues = [&]() -> Result<LoadedQueues> {
    reader = std::this_thread::get_id();
    reading.set_value();
    may_go_on.get_future().wait();
    return LoadedQueues{{}, queues::default_queue_config()};
  };
  start();
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  reading.get_future().wait();
  EXPECT_FALSE(refresh.came());
  EXPECT_TRUE(submit().get()) << "the core and the caller are free";
  may_go_on.set_value();
  EXPECT_TRUE(refresh.get());
  EXPECT_NE(reader, std::this_thread::get_id());
}

TEST_F(Service, RefusesMoreRefreshesThanItMayQueue) {
  std::promise<void> may_go_on;
  const std::shared_future<void> gate = may_go_on.get_future().share();
  options.load_max_priority = [gate]() -> Result<std::int32_t> {
    gate.wait();
    return 7;
  };
  start();
  std::vector<Awaited<void>> refreshes(40);
  for (auto& refresh : refreshes)
    service->refresh_max_priority(caller, refresh.taker());
  ASSERT_TRUE(refreshes.back().came());
  EXPECT_EQ(refreshes.back().get().error().code, ErrorCode::kUnavailable);
  may_go_on.set_value();
  EXPECT_TRUE(refreshes.front().get());
}

TEST_F(Service, RefreshedPriorityAndNodeSizesAreInForce) {
  options.load_max_priority = []() -> Result<std::int32_t> { return 7; };
  options.load_node_sizes = []() -> Result<NodeSizes> { return NodeSizes{{{"n1", 1}, {2048, 2}}}; };
  start();
  for (const auto refresh :
       {&ResourceManager::refresh_max_priority, &ResourceManager::refresh_node_sizes}) {
    Awaited<void> answer;
    (*service.*refresh)(caller, answer.taker());
    EXPECT_TRUE(answer.get());
  }
  AppId app;
  EXPECT_TRUE(submit(&app).get());
  Awaited<std::int32_t> priority;
  service->update_priority(caller, app, 100, priority.taker());
  EXPECT_EQ(priority.get().value(), 7);
  RegisterNode node;
  node.id = {"n1", 1};
  node.total = {8192, 8};
  Awaited<NodeRegistered> registered;
  service->register_node(node, registered.taker());
  EXPECT_TRUE(registered.get());
  settle();
  EXPECT_EQ(board.node(node.id)->total, Resources(2048, 2));
}

TEST_F(Service, AcceptedApplicationShowsInItsQueueAtOnceAlsoWithoutNodes) {
  options.totals_interval = std::chrono::hours(1);
  start();
  settle();  // turns that change nothing
  EXPECT_TRUE(submit().get());
  settle();
  EXPECT_EQ(board.queues()->children.at(0).apps, 1);
}

TEST(NodeSizesFrom, AreReadAsHadoopWritesThemAndRefusedByName) {
  Settings settings;
  const auto set = [&](const std::string& name, const std::string& value) {
    settings.set("yarn.resource.dynamic." + name, {value, "dynamic-resources.xml", false});
  };
  EXPECT_TRUE(node_sizes_from(settings)->empty());
  set("nodes", "h1:1234, h2:1");
  set("h1:1234.vcores", "16");
  set("h1:1234.memory", "1024");
  EXPECT_EQ(node_sizes_from(settings).value(),
            (NodeSizes{{{"h1", 1234}, {1024, 16}}, {{"h2", 1}, {8192, 8}}}));
  set("h1:1234.memory", "-1");
  EXPECT_THAT(node_sizes_from(settings).error().message,
              HasSubstr("yarn.resource.dynamic.h1:1234.memory = '-1'"));
  set("nodes", "nonsense");
  EXPECT_THAT(node_sizes_from(settings).error().message, HasSubstr("yarn.resource.dynamic.nodes"));
}

TEST_F(Service, FsyncThatFailsEndsTheProcessWithExitCode74) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    options.on_fatal = [](const Error&) { ::_exit(daemon::kExitIoError); };
    start();
    disk.break_with(Error{ErrorCode::kInternal, "state store: disk I/O error"});
    (void)submit().get();  // may be refused before the end comes
    while (true)
      ::pause();
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 74);
}

}  // namespace
}  // namespace heddle::rm
