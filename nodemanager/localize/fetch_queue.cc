#include "nodemanager/localize/fetch_queue.h"

#include <fmt/core.h>

#include <algorithm>
#include <system_error>
#include <tuple>

#include "base/log.h"

namespace heddle::nm {

FetchQueue::~FetchQueue() {
  stop();
}

Result<void> FetchQueue::post(const std::string& user, std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return fail(ErrorCode::kUnavailable, "the localizer is stopping");
  const auto place = users_.try_emplace(user).first;
  if (place->second.waiting.size() >= limits_.waiting_per_user) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} resources of user '{}' wait to be fetched already",
                            limits_.waiting_per_user, user));
  }
  place->second.waiting.push_back(std::move(task));
  ++waiting_;
  add_thread_if_needed();
  changed_.notify_one();
  return {};
}

void FetchQueue::stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads)
    thread.join();
}

bool FetchQueue::may_run(const User& user) const {
  if (user.waiting.empty() || running_ >= limits_.running) return false;
  return user.running == 0 ||
         (user.running < limits_.running_per_user && running_ < limits_.running / 2);
}

FetchQueue::Users::iterator FetchQueue::next() {
  auto best = users_.end();
  for (auto user = users_.begin(); user != users_.end(); ++user) {
    if (!may_run(user->second)) continue;
    const auto rank = [](const User& one) { return std::tuple(one.running, one.last_turn); };
    if (best == users_.end() || rank(user->second) < rank(best->second)) best = user;
  }
  return best;
}

void FetchQueue::add_thread_if_needed() {
  std::size_t wanted = running_;
  for (const auto& [name, user] : users_) {
    wanted += std::min(user.waiting.size(), limits_.running_per_user - user.running);
  }
  if (threads_.size() >= std::min(wanted, limits_.running)) return;
  try {
    threads_.emplace_back([this] { run(); });
  } catch (const std::system_error& error) {
    log::warn("no further thread for the localizer, {} run: {}", threads_.size(), error.what());
  }
}

void FetchQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    auto user = users_.end();
    changed_.wait(lock, [&] {
      user = next();
      return user != users_.end() || (stopping_ && waiting_ == 0);
    });
    if (user == users_.end()) return;
    std::function<void()> task = std::move(user->second.waiting.front());
    user->second.waiting.pop_front();
    user->second.last_turn = ++turn_;
    ++user->second.running;
    ++running_;
    --waiting_;
    lock.unlock();
    task();
    task = nullptr;  // what it holds dies here, outside the lock
    lock.lock();
    --running_;
    --user->second.running;
    if (user->second.running == 0 && user->second.waiting.empty()) users_.erase(user);
    changed_.notify_all();  // others may have waited for this one's place
  }
}

}  // namespace heddle::nm
