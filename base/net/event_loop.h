// Event loops: a few threads that own all sockets and timers.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/clock.h"

namespace heddle::net {

/// One thread and its loop. Everything posted runs on that thread, in order of posting.
class EventLoop {
 public:
  class Impl;
  explicit EventLoop(std::unique_ptr<Impl> impl);
  ~EventLoop();

  /// Runs `task` on the loop thread, never inside this call. Any thread.
  void post(std::function<void()> task);
  bool in_loop_thread() const;

  /// A timer that fires once. Destroying or cancelling it (on the loop thread) prevents the call.
  class Timer {
   public:
    class Impl;
    Timer();
    explicit Timer(std::unique_ptr<Impl> impl);
    Timer(Timer&&) noexcept;
    Timer& operator=(Timer&&) noexcept;
    ~Timer();

   private:
    std::unique_ptr<Impl> impl_;
  };
  /// Calls `task` on the loop thread after `delay`. Loop thread only.
  [[nodiscard]] Timer run_after(Duration delay, std::function<void()> task);

  Impl& impl() { return *impl_; }  // for base/net alone

 private:
  std::unique_ptr<Impl> impl_;
};

/// A fixed pool of loops. Made in main(), outlives everything that uses it.
class EventLoops {
 public:
  explicit EventLoops(std::size_t threads);  // starts them; at least 1
  ~EventLoops();                             // stops and joins

  EventLoop& next();  // round robin; any thread
  std::size_t size() const;
  /// Stops all loops: pending tasks are dropped, threads joined. Not from a loop thread.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heddle::net
