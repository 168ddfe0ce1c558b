#include "tools/load/window.h"

#include <utility>

namespace heddle::load {

Window::Window(std::uint64_t warm_up, std::uint64_t measured, std::function<void()> begins,
               std::function<void()> ends)
    : warm_up_(warm_up),
      measured_wanted_(measured),
      begins_(std::move(begins)),
      ends_(std::move(ends)) {}

void Window::start() {
  if (warm_up_ == 0) open_at(0);
}

void Window::open_at(std::uint64_t done) {
  if (opening_.exchange(true)) return;
  began_at_ = done;
  begins_();
  phase_.store(Phase::kMeasuring, std::memory_order_release);
}

void Window::add(std::uint64_t operations) {
  const std::uint64_t done = done_.fetch_add(operations, std::memory_order_relaxed) + operations;
  const Phase phase = phase_.load(std::memory_order_acquire);
  if (phase == Phase::kWarmingUp && done >= warm_up_) {
    open_at(done);
  } else if (phase == Phase::kMeasuring && done - began_at_ >= measured_wanted_) {
    if (closing_.exchange(true)) return;
    ended_at_ = done;
    phase_.store(Phase::kOver, std::memory_order_release);
    ends_();
  }
}

}  // namespace heddle::load
