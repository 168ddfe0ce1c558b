// A node with real processes and a ResourceManager made of answers, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <sstream>

#include "nodemanager/agent.h"
#include "nodemanager/launch/layout.h"
#include "nodemanager/localize/file_systems.h"

namespace heddle::nm {

inline std::string program_dir() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/heddle-nm-XXXXXX";
    path_ = mkdtemp(name);
    chmod(path_.c_str(), 0755);
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The machine's clocks, which a test sets forward.
class SkippingClock final : public Clock {
 public:
  Now now() const override {
    Now at = clock_.now();
    at.instant = at.instant + std::chrono::milliseconds(skipped_ms_);
    at.wall.ms += skipped_ms_;
    return at;
  }
  void skip(std::chrono::milliseconds by) { skipped_ms_ += by.count(); }

 private:
  SystemClock clock_;
  std::atomic<std::int64_t> skipped_ms_{0};
};

/// Answers every heartbeat at once and remembers what it was told. Like the real one it does not
/// look into a heartbeat that it takes for a repetition.
class FakeRm final : public RmLink {
 public:
  void register_node(Registration request, std::function<void(Result<Registered>)> done) override {
    Registered answer;
    answer.rm_identifier = 7;
    answer.container_key = {1, security::Secret("12345678")};
    answer.nm_key = {2, security::Secret("12345678")};
    {
      const std::lock_guard lock(mutex_);
      registrations_.push_back(std::move(request));
      requests_before_ = requests_.size();
      response_id_ = 0;
    }
    changed_.notify_all();
    done(answer);
  }

  void heartbeat(Heartbeat request, std::function<void(Result<HeartbeatAnswer>)> done) override {
    HeartbeatAnswer answer;
    bool lost = false;
    {
      const std::lock_guard lock(mutex_);
      if (request.response_id + 1 == response_id_) {
        answer = last_;
      } else {
        answer = take(request);
      }
      lost = lose_answers_;
      ++heartbeats_;
      requests_.push_back(std::move(request));
    }
    changed_.notify_all();
    if (lost) return done(fail(ErrorCode::kUnavailable, "the answer was lost"));
    done(answer);
  }

  void unregister_node(const NodeId&, std::function<void(Result<void>)> done) override {
    {
      const std::lock_guard lock(mutex_);
      unregistered_ = true;
    }
    done({});
  }

  /// The next answer carries it.
  void tell(const std::function<void(HeartbeatAnswer&)>& fill) {
    const std::lock_guard lock(mutex_);
    fill(next_);
  }
  ContainerStatus wait_for_state(const ContainerId& id, ContainerState state) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      const auto found = latest_.find(id);
      return found != latest_.end() && found->second.state == state;
    });
    return latest_.at(id);
  }
  void wait_until(const std::function<bool(const FakeRm&)>& condition) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return condition(*this); });
  }

  int heartbeats() {
    const std::lock_guard lock(mutex_);
    return heartbeats_;
  }
  void wait_for_heartbeats(int more) {
    const int before = heartbeats();
    wait_until([&](const FakeRm& rm) { return rm.heartbeats_ >= before + more; });
  }

  // Inside wait_until, or when the agent is silent.
  std::vector<Registration> registrations_;
  std::vector<LogReport> log_reports_;
  std::map<ContainerId, ContainerStatus> latest_;
  std::vector<Heartbeat> requests_;
  std::size_t requests_before_ = 0;  // the last registration
  int heartbeats_ = 0;
  bool unregistered_ = false;

  void lose_answers(bool lose) {
    const std::lock_guard lock(mutex_);
    lose_answers_ = lose;
  }

 private:
  HeartbeatAnswer take(const Heartbeat& request) {
    HeartbeatAnswer answer = std::exchange(next_, {});
    answer.response_id = response_id_ = request.response_id + 1;
    answer.next_heartbeat = std::chrono::milliseconds(20);
    for (const ContainerStatus& status : request.containers)
      latest_[status.id] = status;
    for (const LogReport& report : request.log_reports)
      log_reports_.push_back(report);
    last_ = answer;
    return answer;
  }

  HeartbeatAnswer last_;
  std::int32_t response_id_ = 0;
  bool lose_answers_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  HeartbeatAnswer next_;
};

/// Writes the names and sizes of the files.
class PlainLogFormat final : public LogFileFormat {
 public:
  std::string_view folder_suffix() const override { return "tfile"; }
  Result<void> write(const LogUpload& logs,
                     const std::function<Result<void>(std::string_view)>& sink) const override {
    for (const auto& container : logs.containers) {
      for (const LogFile& file : container.files) {
        RETURN_IF_ERROR(sink(to_string(container.id) + " " + file.name + "\n"));
      }
    }
    return {};
  }
};

class NodeTest : public testing::Test {
 protected:
  NodeTest() {
    config_.local_dirs = {dir_.path() + "/local"};
    config_.log_dirs = {dir_.path() + "/logs"};
    config_.total = Resources(8192, 8);
    config_.supervisor = program_dir() + "/heddle-container";
    config_.debug_program = program_dir() + "/heddle-debug-files";
    config_.unpacker = program_dir() + "/heddle-unpack";
    config_.own_user = own_user_name();
    config_.user_home = "/home/";
    config_.remote_log_dir = "file://" + dir_.path() + "/remote";
    config_.remote_log_suffix = "logs";
    config_.disk_rules.utilization_max_percent = 100;
  }
  ~NodeTest() override {
    if (agent_ != nullptr) {
      std::promise<void> stopped;
      agent_->stop([&] { stopped.set_value(); });
      stopped.get_future().wait();
    }
    loops_->stop();
  }

  Agent& start() {
    AgentParts parts;
    parts.loop = &loops_->next();
    parts.clock = &clock_;
    parts.link = &rm_;
    parts.verifiers = &verifiers_;
    files_.emplace(hdfs_);
    parts.files = &*files_;
    parts.log_format = &format_;
    parts.store = store_.get();
    if (store_ != nullptr) parts.restored = store_->load()->apps;
    auto agent = Agent::create(config_, parts);
    EXPECT_TRUE(agent) << agent.error().message;
    agent_ = *std::move(agent);
    std::size_t registrations = 0;
    int heartbeats = 0;
    rm_.wait_until([&](const FakeRm& rm) {
      registrations = rm.registrations_.size();
      heartbeats = rm.heartbeats_;
      return true;
    });
    agent_->start(NodeId{"localhost", 8041}, "localhost", 8042);
    rm_.wait_until([&](const FakeRm& rm) {
      return rm.registrations_.size() > registrations && rm.heartbeats_ > heartbeats;
    });
    return *agent_;
  }

  /// The agent is gone from one moment to the next; what it started runs on.
  void crash() {
    loops_->stop();
    agent_.reset();
    loops_.emplace(1);
  }

  static ContainerId id(std::int64_t number, std::int32_t app = 1) {
    return {{{1700000000000, app}, 1}, number};
  }

  StartContainer request(std::int64_t number, const std::string& command) {
    StartContainer start;
    start.grant.id = id(number);
    start.grant.user = config_.own_user;
    start.grant.resources = Resources(1024, 1);
    start.grant.rm_identifier = 7;
    start.grant.expiry = WallTime{clock_.now().wall.ms + 600'000};
    start.launch.commands = {command};
    start.launch.environment = {{"PATH", "/usr/bin:/bin"}};
    return start;
  }

  Result<void> run(const StartContainer& start) {
    std::promise<Result<void>> answer;
    agent_->start(start.grant.id.attempt, start,
                  [&](const Result<void>& result) { answer.set_value(result); });
    return answer.get_future().get();
  }
  Result<void> stop(const ContainerId& container) {
    std::promise<Result<void>> answer;
    agent_->stop(container.attempt, container,
                 [&](const Result<void>& result) { answer.set_value(result); });
    return answer.get_future().get();
  }
  Result<ContainerStatus> status(const ContainerId& container) {
    std::promise<Result<ContainerStatus>> answer;
    agent_->status(container.attempt, container,
                   [&](const Result<ContainerStatus>& result) { answer.set_value(result); });
    return answer.get_future().get();
  }
  ContainerStatus run_to_end(const StartContainer& start) {
    auto started = run(start);
    EXPECT_TRUE(started) << started.error().message;
    return rm_.wait_for_state(start.grant.id, ContainerState::kDone);
  }

  std::string log_file(const ContainerId& container, const std::string& name) const {
    return log_dir(config_.log_dirs[0], container) + "/" + name;
  }

  /// A file in the test's folder with its modification time.
  LocalResource resource(const std::string& name, const std::string& content,
                         ResourceType type = ResourceType::kFile) {
    const std::string path = dir_.path() + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    chmod(path.c_str(), 0644);
    struct ::stat info {};
    ::stat(path.c_str(), &info);
    LocalResource result;
    result.url = "file:" + path;
    result.timestamp_ms = info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000;
    result.type = type;
    return result;
  }

  TempDir dir_;
  AgentConfig config_;
  SkippingClock clock_;
  FakeRm rm_;
  TokenVerifiers verifiers_{security::TokenKeys({0, security::Secret("0")}),
                            security::TokenKeys({0, security::Secret("0")})};
  WebHdfsOptions hdfs_;
  std::optional<FileSystems> files_;
  PlainLogFormat format_;
  std::unique_ptr<NodeStore> store_;  // null: nothing is known after a crash
  std::optional<net::EventLoops> loops_{std::in_place, 1};
  std::unique_ptr<Agent> agent_;  // goes before the loops
};

}  // namespace heddle::nm
