// Threads for fetches, shared so that no user waits for the slow ones of another.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace heddle::nm {

struct FetchLimits {
  std::size_t running_per_user = 4;
  /// Of all users together. While half of it is taken, each user gets one only.
  std::size_t running = 64;
  std::size_t waiting_per_user = 50'000;
};

/// Threads are started as they are needed and then kept. Any thread may post.
class FetchQueue {
 public:
  explicit FetchQueue(FetchLimits limits) : limits_(limits) {}
  ~FetchQueue();  // stop()
  FetchQueue(const FetchQueue&) = delete;
  FetchQueue& operator=(const FetchQueue&) = delete;

  /// Runs `task` later: of those that wait, the user with the fewest running goes first, then the
  /// one whose last turn is longest ago. kLimitExceeded: this user has too many waiting;
  /// kUnavailable: it is stopping.
  Result<void> post(const std::string& user, std::function<void()> task);
  /// Takes no more tasks, runs those that wait, and joins. Not from a task. Again: no effect.
  void stop();

 private:
  struct User {
    std::deque<std::function<void()>> waiting;
    std::size_t running = 0;
    std::uint64_t last_turn = 0;
  };
  using Users = std::map<std::string, User>;
  // With the mutex held.
  bool may_run(const User& user) const;
  Users::iterator next();
  void add_thread_if_needed();

  void run();

  const FetchLimits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Users users_;  // those with tasks; guarded by mutex_, as all below
  std::size_t waiting_ = 0;
  std::size_t running_ = 0;
  std::uint64_t turn_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace heddle::nm
