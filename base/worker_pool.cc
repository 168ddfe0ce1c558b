#include "base/worker_pool.h"

#include <fmt/core.h>

#include <algorithm>

namespace heddle {

WorkerPool::WorkerPool(std::string name, std::size_t threads, std::size_t queue_max)
    : name_(std::move(name)), queue_max_(queue_max) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

WorkerPool::~WorkerPool() {
  stop();
}

Result<void> WorkerPool::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return fail(ErrorCode::kUnavailable, name_ + " workers are stopping");
    if (queue_.size() >= queue_max_) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("{} tasks wait for the {} workers already", queue_max_, name_));
    }
    queue_.push_back(std::move(task));
  }
  changed_.notify_one();
  return {};
}

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkerPool::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::function<void()> task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds dies here, outside the lock
    lock.lock();
  }
}

}  // namespace heddle
