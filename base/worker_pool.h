// Threads for work that blocks: files, child processes, downloads.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace heddle {

/// A fixed number of threads behind a bounded queue. Any thread may post; a task may post too.
class WorkerPool {
 public:
  /// `name` is for messages; `queue_max` counts tasks that wait, not those that run.
  WorkerPool(std::string name, std::size_t threads, std::size_t queue_max);
  ~WorkerPool();  // stop()
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Runs `task` later on one of the threads. kLimitExceeded: the queue is full; kUnavailable: the
  /// pool is stopping.
  Result<void> post(std::function<void()> task);
  /// Takes no more tasks, runs those that wait, and joins. Not from a task. Again: no effect.
  void stop();

 private:
  void run();

  const std::string name_;
  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;  // guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace heddle
