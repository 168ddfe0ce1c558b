// One measurement: its window, its end, and why it failed. Shared by all loops.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "tools/load/window.h"

namespace heddle::load {

/// What is read at both ends of the window.
struct Mark {
  Instant at;
  Duration server_cpu{0};  // zero where no process is watched
  Duration own_cpu{0};
};

/// Any thread.
class Run {
 public:
  struct Options {
    std::uint64_t warm_up = 0;  // operations
    std::uint64_t measured = 1;
    int server_pid = 0;  // 0 = none is watched
    Duration patience = std::chrono::minutes(5);
  };
  /// `clock` must outlive this object.
  Run(const Clock& clock, Options options);

  const Clock& clock() const { return clock_; }
  Window& window() { return window_; }
  const Window& window() const { return window_; }

  /// The first reason counts; the measurement ends.
  void fail_with(std::string why);
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  /// Nobody shall send anything more.
  bool over() const { return window_.over() || failed(); }

  /// Opens the window where nothing warms up, then waits until it is over. The reason of the
  /// failure, or kUnavailable after the patience, with what was done until then.
  Result<void> wait();
  /// Waits for a step that `what` names to call the function it is given; the same errors.
  Result<void> wait_for(std::string_view what,
                        const std::function<void(std::function<void()>)>& begin);

  const Mark& began() const { return began_; }  // after wait() succeeded
  const Mark& ended() const { return ended_; }

 private:
  Mark mark();
  void notify();
  Result<void> wait_until(std::string_view what, const std::function<bool()>& done);

  const Clock& clock_;
  const Options options_;
  Window window_;
  Mark began_;  // written at the window's borders, read after its end
  Mark ended_;
  std::atomic<bool> finished_{false};  // ended_ is written
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string why_;  // guarded by mutex_
};

}  // namespace heddle::load
