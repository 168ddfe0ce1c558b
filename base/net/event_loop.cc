#include "base/net/event_loop.h"

#include <pthread.h>
#include <signal.h>

#include "base/net/loop_impl.h"

namespace heddle::net {

void EventLoop::Impl::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  tasks_.push_back(std::move(task));
  if (std::exchange(scheduled_, true)) return;
  asio::post(io, [this] { run_tasks(); });
}

void EventLoop::Impl::run_tasks() {
  std::vector<std::function<void()>> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(tasks_);
    scheduled_ = false;
  }
  for (auto& task : batch) {
    task();
    task = nullptr;  // what it holds dies before the next one runs
  }
}

void EventLoop::Impl::run() {
  // sendfile() has no MSG_NOSIGNAL. Blocked in this thread alone, so that programs started by
  // other threads keep the usual behaviour.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  thread.store(std::this_thread::get_id());
  io.run();
}

void EventLoop::Impl::request_stop() {
  post([this] {
    close_all();
    // One more turn, in which the handlers learn that their connections are closed.
    asio::post(io, [this] { io.stop(); });
  });
}

void EventLoop::Impl::close_all() {
  closing = true;
  const auto connections = open;
  for (const auto& connection : connections)
    connection->close("stopping");
}

bool EventLoop::Impl::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void EventLoop::Impl::drop_tasks() {
  std::vector<std::function<void()>> dropped;  // dies unlocked: destructors may post
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  dropped.swap(tasks_);
}

EventLoop::EventLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventLoop::~EventLoop() = default;

void EventLoop::post(std::function<void()> task) {
  impl_->post(std::move(task));
}
bool EventLoop::in_loop_thread() const {
  return impl_->in_loop_thread();
}

class EventLoop::Timer::Impl {
 public:
  Impl(asio::io_context& io, Duration delay, std::function<void()> task) : timer_(io) {
    timer_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(delay));
    // The flag, because cancelling cannot call back a completion that is already queued.
    timer_.async_wait([alive = alive_, task = std::move(task)](error_code error) {
      if (!error && *alive) task();
    });
  }
  ~Impl() { *alive_ = false; }

 private:
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  asio::steady_timer timer_;
};

EventLoop::Timer::Timer() = default;
EventLoop::Timer::Timer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventLoop::Timer::Timer(Timer&&) noexcept = default;
EventLoop::Timer& EventLoop::Timer::operator=(Timer&&) noexcept = default;
EventLoop::Timer::~Timer() = default;

EventLoop::Timer EventLoop::run_after(Duration delay, std::function<void()> task) {
  return Timer(std::make_unique<Timer::Impl>(impl_->io, delay, std::move(task)));
}

class EventLoops::Impl {
 public:
  std::vector<std::unique_ptr<EventLoop>> loops;
  std::vector<std::thread> threads;
  std::atomic<std::size_t> turn{0};
};

EventLoops::EventLoops(std::size_t threads) : impl_(std::make_unique<Impl>()) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    impl_->loops.push_back(std::make_unique<EventLoop>(std::make_unique<EventLoop::Impl>()));
    impl_->threads.emplace_back([loop = impl_->loops.back().get()] { loop->impl().run(); });
  }
}

EventLoops::~EventLoops() {
  stop();
  // Tasks and connections of one loop may hold timers of another: all go before any loop does.
  for (const auto& loop : impl_->loops)
    loop->impl().open.clear();
}

EventLoop& EventLoops::next() {
  return *impl_->loops[impl_->turn.fetch_add(1, std::memory_order_relaxed) % impl_->loops.size()];
}

std::size_t EventLoops::size() const {
  return impl_->loops.size();
}

void EventLoops::stop() {
  for (const auto& loop : impl_->loops)
    loop->impl().request_stop();
  for (auto& thread : impl_->threads) {
    if (thread.joinable()) thread.join();
  }
  for (const auto& loop : impl_->loops)
    loop->impl().drop_tasks();
}

}  // namespace heddle::net
