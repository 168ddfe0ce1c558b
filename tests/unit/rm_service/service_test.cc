// The loop around the core: what is answered when, and what happens when the disk does not follow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include "queues/config.h"
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
  EXPECT_FALSE(waiting.came()) << "it is not durable, so it is not promised";
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

}  // namespace
}  // namespace heddle::rm
