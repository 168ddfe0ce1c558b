// A ResourceManager service over a store whose disk a test can hold up.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "queues/config.h"
#include "rm/service/options.h"
#include "rm/service/resource_manager.h"
#include "tests/testlib/core_driver.h"

namespace heddle::rm {

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

/// Runs as the machine's, and can be put forward from any thread.
class ForwardClock final : public Clock {
 public:
  Now now() const override {
    Now now = clock_.now();
    now.instant = now.instant + std::chrono::hours(hours_);
    now.wall.ms += std::chrono::milliseconds(std::chrono::hours(hours_)).count();
    return now;
  }
  void forward(std::chrono::hours by) { hours_ += by.count(); }

 private:
  SystemClock clock_;
  std::atomic<std::int64_t> hours_{0};
};

/// A reply that a test can wait for.
template <class T>
class Awaited {
 public:
  ReplyTo<T> taker() {
    return [state = state_](Result<T> result) { state->set_value(std::move(result)); };
  }
  bool came() const {
    return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  const Result<T>& get() const { return future_.get(); }

 private:
  std::shared_ptr<std::promise<Result<T>>> state_ = std::make_shared<std::promise<Result<T>>>();
  std::shared_future<Result<T>> future_ = state_->get_future();
};

class Service : public testing::Test {
 protected:
  Service() {
    options.commit_retry_pause = std::chrono::milliseconds(1);
    options.totals_interval = std::chrono::milliseconds(1);
    options.on_fatal = [this](const Error& error) { fatal.set_value(error); };
    caller.user = "ann";
  }
  ~Service() override {
    disk.open();
    if (service) service->stop();
  }

  void start(const queues::QueueConfig& config = queues::default_queue_config()) {
    start(config, std::make_unique<GatedStore>(disk));
  }
  void start(const queues::QueueConfig& config, std::unique_ptr<Store> store) {
    core_options.cluster_start_ms = 1'700'000'000'000;
    queues::Scheduler scheduler;
    ASSERT_TRUE(scheduler.configure(config, core_options.limits));
    service = std::make_unique<ResourceManager>(
        options, std::make_unique<Core>(core_options, std::move(scheduler)), std::move(store),
        board, keys, clock);
    const auto started = service->start({}, launcher);
    EXPECT_TRUE(started);
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
  ForwardClock clock;
  ServiceOptions options;
  CoreOptions core_options = testlib::CoreSetup{}.options;
  ReportBoard board{ClusterInfo{}};
  TokenSigners keys{security::TokenKeys(security::random_master_key()),
                    security::TokenKeys(security::random_master_key()),
                    security::TokenKeys(security::random_master_key())};
  security::Caller caller;
  std::promise<Error> fatal;
  std::unique_ptr<ResourceManager> service;
};

}  // namespace heddle::rm
