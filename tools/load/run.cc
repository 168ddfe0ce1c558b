#include "tools/load/run.h"

#include <fmt/core.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "tools/load/cpu_meter.h"

namespace heddle::load {

Run::Run(const Clock& clock, Options options)
    : clock_(clock),
      options_(options),
      window_(
          options.warm_up, options.measured, [this] { began_ = mark(); },
          [this] {
            ended_ = mark();
            finished_.store(true, std::memory_order_release);
            notify();
          }) {}

Mark Run::mark() {
  Mark out;
  const auto read = [this](int pid, Duration& into) {
    auto used = cpu_time_of(pid);
    if (!used) return fail_with(std::move(used).error().message);
    into = *used;
  };
  if (options_.server_pid > 0) read(options_.server_pid, out.server_cpu);
  read(::getpid(), out.own_cpu);
  out.at = clock_.now().instant;
  return out;
}

void Run::notify() {
  { const std::lock_guard lock(mutex_); }  // so that it cannot fall between a look and a wait
  changed_.notify_all();
}

void Run::fail_with(std::string why) {
  {
    const std::lock_guard lock(mutex_);
    if (why_.empty()) why_ = std::move(why);
    failed_.store(true, std::memory_order_release);
  }
  changed_.notify_all();
}

Result<void> Run::wait_until(std::string_view what, const std::function<bool()>& done) {
  std::unique_lock lock(mutex_);
  const bool in_time =
      changed_.wait_for(lock, options_.patience, [&] { return failed() || done(); });
  if (failed()) return fail(ErrorCode::kUnavailable, why_);
  if (in_time) return {};
  return fail(
      ErrorCode::kUnavailable,
      fmt::format("{}: not within {} s (--patience); {} operations were done until then", what,
                  std::chrono::duration_cast<std::chrono::seconds>(options_.patience).count(),
                  window_.done()));
}

Result<void> Run::wait() {
  window_.start();
  return wait_until("measuring", [this] { return finished_.load(std::memory_order_acquire); });
}

Result<void> Run::wait_for(std::string_view what,
                           const std::function<void(std::function<void()>)>& begin) {
  const auto done = std::make_shared<std::atomic<bool>>(false);
  begin([this, done] {
    done->store(true);
    notify();
  });
  return wait_until(what, [done] { return done->load(); });
}

}  // namespace heddle::load
