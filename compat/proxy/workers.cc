#include "compat/proxy/workers.h"

#include <algorithm>

namespace heddle::compat::proxy {

Workers::Workers(std::size_t threads, std::size_t same_max, std::size_t queue_max)
    : same_max_(same_max), queue_max_(queue_max) {
  for (std::size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this] { run(); });
}

Workers::~Workers() {
  std::deque<Task> dropped;  // destroyed without the lock
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(tasks_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
}

bool Workers::submit(const AppId& app, std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    const auto waiting =
        std::ranges::count_if(tasks_, [&](const Task& other) { return other.app == app; });
    const bool full = tasks_.size() >= queue_max_ ||
                      static_cast<std::size_t>(waiting) >= std::max<std::size_t>(queue_max_ / 2, 1);
    if (stopping_ || full) return false;
    tasks_.push_back({app, std::move(task)});
  }
  wake_.notify_one();
  return true;
}

std::deque<Workers::Task>::iterator Workers::next() {
  return std::ranges::find_if(tasks_, [&](const Task& task) {
    const auto running = running_.find(task.app);
    return running == running_.end() || running->second < same_max_;
  });
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || next() != tasks_.end(); });
    if (stopping_) return;
    const auto chosen = next();
    Task task = std::move(*chosen);
    tasks_.erase(chosen);
    ++running_[task.app];
    lock.unlock();
    task.run();
    task.run = nullptr;  // what it holds goes without the lock
    lock.lock();
    if (--running_[task.app] == 0) running_.erase(task.app);
    wake_.notify_one();  // one of this application may run now
  }
}

}  // namespace heddle::compat::proxy
