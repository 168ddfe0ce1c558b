// Which operations count: first so many that warm up, then so many that are measured. By counts
// and not by time, so that a slow server is measured as well as a fast one.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace heddle::load {

/// Any thread, except where said.
class Window {
 public:
  /// `begins` is called just before open() turns true, `ends` just after over() does; once each,
  /// in whichever thread crosses the border.
  Window(std::uint64_t warm_up, std::uint64_t measured, std::function<void()> begins,
         std::function<void()> ends);

  /// Where nothing warms up the window opens here. Once, before the first add().
  void start();
  /// So many operations more are done.
  void add(std::uint64_t operations);
  bool open() const { return phase_.load(std::memory_order_acquire) == Phase::kMeasuring; }
  bool over() const { return phase_.load(std::memory_order_acquire) == Phase::kOver; }
  /// Operations within the window; after its end.
  std::uint64_t measured() const { return ended_at_ - began_at_; }
  /// All that were done, of every phase.
  std::uint64_t done() const { return done_.load(std::memory_order_relaxed); }

 private:
  enum class Phase : std::uint8_t { kWarmingUp, kMeasuring, kOver };
  void open_at(std::uint64_t done);

  const std::uint64_t warm_up_;
  const std::uint64_t measured_wanted_;
  const std::function<void()> begins_;
  const std::function<void()> ends_;
  std::atomic<Phase> phase_{Phase::kWarmingUp};
  std::atomic<std::uint64_t> done_{0};
  // Written by the thread that crosses a border, before it moves the phase.
  std::uint64_t began_at_ = 0;
  std::uint64_t ended_at_ = 0;
  std::atomic<bool> opening_{false};
  std::atomic<bool> closing_{false};
};

}  // namespace heddle::load
