// Threads for calls that block. Bounded on both sides, and shared out among applications: one whose
// ApplicationMaster hangs does not take them all.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/ids.h"

namespace heddle::compat::proxy {

class Workers {
 public:
  /// At most `same_max` tasks of one application run at a time, and half of `queue_max` wait.
  Workers(std::size_t threads, std::size_t same_max, std::size_t queue_max);
  ~Workers();  // drops what waits, joins what runs

  /// False when the queue is full or the pool is stopping. Any thread.
  bool submit(const AppId& app, std::function<void()> task);

 private:
  struct Task {
    AppId app;
    std::function<void()> run;
  };
  void run();
  std::deque<Task>::iterator next();  // that may run now; under the lock

  const std::size_t same_max_;
  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;                // guarded by mutex_
  std::map<AppId, std::size_t> running_;  // guarded by mutex_
  bool stopping_ = false;                 // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace heddle::compat::proxy
