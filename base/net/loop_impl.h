// The inside of an event loop, for base/net alone.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/net/asio.h"
#include "base/net/connection.h"
#include "base/net/event_loop.h"

namespace heddle::net {

class EventLoop::Impl {
 public:
  static constexpr std::size_t kReadBufferSize = 128_KiB;

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  // Never used: it makes Asio open the loop's own descriptors now. The first socket would do it,
  // and throw when there are none left.
  asio::steady_timer opener{io};

  // Loop thread only.
  std::unordered_set<std::shared_ptr<Connection>> open;                // keeps connections alive
  std::vector<char> read_buffer = std::vector<char>(kReadBufferSize);  // shared by all of them
  bool closing = false;  // what opens now would not be told that it is closed

  void post(std::function<void()> task);
  bool in_loop_thread() const {
    return thread.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  void run();
  void request_stop();  // any thread
  bool stopped() const;
  void drop_tasks();  // after the thread has ended

 private:
  void run_tasks();
  void close_all();

  std::atomic<std::thread::id> thread{};
  mutable std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;  // guarded by mutex_
  bool scheduled_ = false;                    // guarded by mutex_
  bool stopped_ = false;                      // guarded by mutex_; no task is taken after it
};

}  // namespace heddle::net
