// Threads for calls that block. Bounded on both sides.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace heddle::compat::proxy {

class Workers {
 public:
  Workers(std::size_t threads, std::size_t queue_max);
  ~Workers();  // drops what waits, joins what runs

  /// False when the queue is full or the pool is stopping. Any thread.
  bool submit(std::function<void()> task);

 private:
  void run();

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace heddle::compat::proxy
