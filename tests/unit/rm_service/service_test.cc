// The loop around the core: what is answered when, and what happens when the disk does not follow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "base/daemon/daemon.h"
#include "queues/config.h"
#include "rm/service/options.h"
#include "rm/service/resource_manager.h"
#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A disk whose commits wait at a gate, or fail, as the test says.
class GatedDisk {
 public:
  void shut() {
    set([&] { open_ = false; });
  }
  void open() {
    set([&] { open_ = true; });
  }
  void break_with(std::optional<Error> error) {
    set([&] { error_ = std::move(error); });
  }
  /// Until a commit has arrived at the gate, or has failed, since the test began.
  void wait_for_attempts(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return attempts_ >= count; });
  }
  int attempts() {
    const std::scoped_lock lock(mutex_);
    return attempts_;
  }
  std::size_t records() {
    const std::scoped_lock lock(mutex_);
    return records_;
  }

  Result<void> commit(std::size_t records) {
    std::unique_lock lock(mutex_);
    ++attempts_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    if (error_) return fail(*error_);
    records_ += records;
    return {};
  }

 private:
  template <class Change>
  void set(Change change) {
    {
      const std::scoped_lock lock(mutex_);
      change();
    }
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  std::optional<Error> error_;
  int attempts_ = 0;
  std::size_t records_ = 0;
};

class GatedStore final : public Store {
 public:
  explicit GatedStore(GatedDisk& disk) : disk_(disk) {}
  Result<StoredState> load() override { return StoredState{}; }
  Result<void> commit(std::span<const Record> records) override {
    return disk_.commit(records.size());
  }
  std::string name() const override { return "GatedStore"; }

 private:
  GatedDisk& disk_;
};

class FakeLauncher final : public MasterLauncher {
 public:
  void launch(MasterLaunch launch, ReplyTo<void> reply) override {
    reply({});
    launched.set_value(launch.attempt);
  }
  void clean_up(const AttemptId&, const ContainerId&, const NodeId&) override {}
  std::promise<AttemptId> launched;
};

/// A reply that a test can wait for.
template <class T>
class Awaited {
 public:
  ReplyTo<T> taker() {
    return [state = state_](Result<T> result) { state->set_value(std::move(result)); };
  }
  bool came() const { return future_.wait_for(0s) == std::future_status::ready; }
  const Result<T>& get() const { return future_.get(); }

 private:
  std::shared_ptr<std::promise<Result<T>>> state_ = std::make_shared<std::promise<Result<T>>>();
  std::shared_future<Result<T>> future_ = state_->get_future();
};

class Service : public testing::Test {
 protected:
  Service() {
    options.commit_retry_pause = 1ms;
    options.totals_interval = 1ms;
    options.on_fatal = [this](const Error& error) { fatal.set_value(error); };
    caller.user = "ann";
  }
  ~Service() override {
    disk.open();
    if (service) service->stop();
  }

  void start() {
    const testlib::CoreSetup setup;
    CoreOptions core_options = setup.options;
    core_options.cluster_start_ms = 1'700'000'000'000;
    queues::Scheduler scheduler;
    ASSERT_TRUE(scheduler.configure(queues::default_queue_config(), core_options.limits));
    service = std::make_unique<ResourceManager>(
        options, std::make_unique<Core>(core_options, std::move(scheduler)),
        std::make_unique<GatedStore>(disk), board, keys, clock);
    service->start({}, launcher);
  }
  Awaited<void> submit(AppId* id = nullptr) {
    Submission job;
    job.id = service->new_application_id();
    job.am_resources = {1024, 1};
    if (id != nullptr) *id = job.id;
    Awaited<void> answer;
    service->submit(caller, std::move(job), answer.taker());
    return answer;
  }
  /// The turns of everything that was enqueued before are over. Twice, since an answer comes in the
  /// middle of its turn, and a command that is sent after it is of a later one.
  void settle() {
    for (int i = 0; i < 2; ++i) {
      Awaited<NodeHeartbeatAnswer> answer;
      service->heartbeat({}, answer.taker());
      (void)answer.get();
    }
  }

  GatedDisk disk;
  FakeLauncher launcher;
  SystemClock clock;
  ServiceOptions options;
  ReportBoard board{ClusterInfo{}};
  TokenSigners keys{security::TokenKeys(security::random_master_key()),
                    security::TokenKeys(security::random_master_key()),
                    security::TokenKeys(security::random_master_key())};
  security::Caller caller;
  std::promise<Error> fatal;
  std::unique_ptr<ResourceManager> service;
};

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

TEST_F(Service, CallersWithoutRightsAreRefused) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root");
  start();
  AppId app;
  EXPECT_TRUE(submit(&app).get());
  caller.user = "eve";
  Awaited<KillProgress> kill;
  service->kill(caller, app, "", kill.taker());
  EXPECT_EQ(kill.get().error().message,
            "User eve cannot perform operation MODIFY_APP on " + to_string(app));
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  EXPECT_EQ(refresh.get().error().code, ErrorCode::kPermissionDenied);
}

TEST_F(Service, RightsOfAGroupAreLookedUpWithoutHoldingUpTheCaller) {
  std::promise<void> system_answers;
  std::atomic<int> lookups{0};
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root operators");
  options.user_groups = std::make_shared<security::Groups>(
      clock,
      [&](const std::string&) {
        ++lookups;
        system_answers.get_future().wait();
        return std::vector<std::string>{"operators"};
      },
      security::Groups::Limits{});
  start();
  AppId app;
  EXPECT_TRUE(submit(&app).get()) << "owners and everybody's queues need no groups";
  EXPECT_EQ(lookups, 0);
  caller.user = "olga";
  Awaited<KillProgress> kill;
  service->kill(caller, app, "", kill.taker());
  EXPECT_FALSE(kill.came());
  caller.user = "ann";
  EXPECT_TRUE(submit().get()) << "others go on";
  system_answers.set_value();
  EXPECT_TRUE(kill.get()) << kill.get().error().message;
}

TEST_F(Service, StrangersToAllGroupsAreRefusedAfterTheLookup) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root operators");
  options.user_groups = std::make_shared<security::Groups>(
      clock, [](const std::string&) { return std::vector<std::string>{"users"}; },
      security::Groups::Limits{});
  start();
  AppId app;
  EXPECT_TRUE(submit(&app).get());
  caller.user = "eve";
  Awaited<void> move, admin;
  service->move(caller, app, "default", move.taker());
  service->check_admin(caller, admin.taker());
  EXPECT_EQ(move.get().error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(admin.get().error().code, ErrorCode::kPermissionDenied);
}

TEST_F(Service, NoChangeOfAnApplicationIsOpenToStrangers) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root");
  start();
  AppId app;
  EXPECT_TRUE(submit(&app).get());
  const AttemptId attempt{app, 1};
  const auto refusals = [&](const std::string& user) {
    caller.user = user;
    std::vector<std::string> refused;
    const auto judge = [&](std::string name, const auto& answer) {
      const auto& result = answer.get();
      if (!result && result.error().code == ErrorCode::kPermissionDenied)
        refused.push_back(std::move(name));
    };
    Awaited<void> move, signal, fail;
    Awaited<std::int32_t> priority;
    Awaited<WallTime> lifetime;
    Awaited<KillProgress> kill;
    service->move(caller, app, "default", move.taker());
    judge("move", move);
    service->update_priority(caller, app, 1, priority.taker());
    judge("priority", priority);
    service->update_lifetime(caller, app, WallTime{INT64_MAX}, lifetime.taker());
    judge("lifetime", lifetime);
    service->signal_container(caller, {attempt, 1}, SignalCommand::kThreadDump, signal.taker());
    judge("signal", signal);
    service->fail_attempt(caller, attempt, fail.taker());
    judge("fail", fail);
    service->kill(caller, app, "", kill.taker());
    judge("kill", kill);
    return refused;
  };
  EXPECT_THAT(refusals("eve"),
              testing::ElementsAre("move", "priority", "lifetime", "signal", "fail", "kill"));
  EXPECT_THAT(refusals("ann"), testing::IsEmpty());
}

TEST_F(Service, NothingOfAdministratorsIsOpenToOthers) {
  options.admins = security::Acl::parse("root");
  options.load_queues = []() -> Result<queues::QueueConfig> {
    return queues::default_queue_config();
  };
  options.load_node_lists = []() -> Result<NodeLists> { return NodeLists{}; };
  options.load_max_priority = []() -> Result<std::int32_t> { return 7; };
  options.load_node_sizes = []() -> Result<NodeSizes> { return NodeSizes{}; };
  start();
  const auto refused = [&](const auto& call) {
    Awaited<void> answer;
    call(answer.taker());
    return !answer.get() && answer.get().error().code == ErrorCode::kPermissionDenied;
  };
  for (const auto& [user, is_admin] : {std::pair("eve", false), std::pair("root", true)}) {
    caller.user = user;
    EXPECT_NE(refused([&](auto reply) { service->refresh_queues(caller, reply); }), is_admin);
    EXPECT_NE(refused([&](auto reply) { service->refresh_nodes(caller, {}, reply); }), is_admin);
    EXPECT_NE(refused([&](auto reply) { service->refresh_max_priority(caller, reply); }), is_admin);
    EXPECT_NE(refused([&](auto reply) { service->refresh_node_sizes(caller, reply); }), is_admin);
    EXPECT_NE(refused([&](auto reply) {
                service->update_node_resources(caller, {"n1", 1}, {1, 1}, reply);
              }),
              is_admin);
    EXPECT_NE(refused([&](auto reply) { service->check_admin(caller, reply); }), is_admin);
  }
}

TEST_F(Service, BrokenQueueFileChangesNothing) {
  options.load_queues = []() -> Result<queues::QueueConfig> {
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
  options.load_queues = [&]() -> Result<queues::QueueConfig> {
    reader = std::this_thread::get_id();
    reading.set_value();
    may_go_on.get_future().wait();
    return queues::default_queue_config();
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

TEST_F(Service, RightsToSubmitComeFromTheQueueAndThoseAboveIt) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root");
  options.load_queues = []() -> Result<queues::QueueConfig> {
    Settings settings;
    const auto set = [&](const std::string& name, const std::string& value) {
      settings.set("yarn.scheduler.capacity.root." + name, {value, "test", false});
    };
    set("queues", "prod,dev");
    set("prod.capacity", "50");
    set("dev.capacity", "50");
    set("acl_submit_applications", " ");
    set("acl_administer_queue", " ");
    set("prod.acl_submit_applications", "ann");
    set("dev.acl_administer_queue", "*");
    return queues::parse_capacity_config(settings);
  };
  start();
  caller.user = "root";
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  ASSERT_TRUE(refresh.get()) << refresh.get().error().message;
  settle();
  const auto submit_to = [&](const std::string& user, const std::string& queue) {
    caller.user = user;
    Submission job;
    job.id = service->new_application_id();
    job.queue = queue;
    job.am_resources = {1024, 1};
    Awaited<void> answer;
    service->submit(caller, std::move(job), answer.taker());
    return answer.get() ? std::string() : answer.get().error().message;
  };
  EXPECT_EQ(submit_to("ann", "prod"), "");
  EXPECT_EQ(submit_to("root", "root.prod"), "") << "administrators may";
  EXPECT_EQ(submit_to("eve", "dev"), "") << "who administers it may";
  EXPECT_THAT(submit_to("eve", "root.prod"),
              testing::AllOf(HasSubstr("User eve does not have permission to submit application_"),
                             HasSubstr("to queue root.prod (SUBMIT_APPLICATIONS")));
  EXPECT_THAT(submit_to("eve", "nosuch"), HasSubstr("unknown queue"));
  EXPECT_THAT(submit_to("", "dev"), HasSubstr("names no user"));
}

TEST_F(Service, WhoAdministersTheQueueMayKillItsApplications) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root");
  options.load_queues = []() -> Result<queues::QueueConfig> {
    auto config = queues::default_queue_config();
    config.root.children[0].acl_administer = "eve";
    return config;
  };
  start();
  AppId app;
  EXPECT_TRUE(submit(&app).get());
  caller.user = "root";
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  EXPECT_TRUE(refresh.get());
  settle();
  for (const auto& [user, may] : {std::pair("bob", false), std::pair("eve", true)}) {
    caller.user = user;
    Awaited<KillProgress> kill;
    service->kill(caller, app, "", kill.taker());
    EXPECT_EQ(kill.get().has_value(), may) << user;
  }
}

TEST(CoreOptionsFrom, NodesSmallerThanTheSmallestContainerAndOlderOnesAreRefused) {
  Settings settings;
  const auto set = [&](const std::string& name, const std::string& value) {
    settings.set(name, {value, "test", false});
  };
  set("yarn.scheduler.minimum-allocation-mb", "512");
  auto core = core_options_from(settings, ResourceTypes{});
  ASSERT_TRUE(core) << core.error().message;
  EXPECT_EQ(core->node_minimum, Resources(512, 1));
  EXPECT_EQ(core->node_minimum_version, "");
  set("yarn.resourcemanager.nodemanager.minimum.version", "EqualToRM");
  EXPECT_EQ(core_options_from(settings, ResourceTypes{})->node_minimum_version, "3.4.2");
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
