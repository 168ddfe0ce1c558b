// A handler whose events a test thread can wait for.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/net/connection.h"

namespace heddle::net::testing {

/// What happened on one connection. Any thread; waits without a limit of its own.
class Events {
 public:
  void add_bytes(std::string_view bytes) {
    change([&] { bytes_.append(bytes); });
  }
  void set_closed(std::string_view reason) {
    change([&] { closed_reason_ = reason, ++closed_count_; });
  }
  void set_drained() {
    change([&] { ++drained_; });
  }
  void set_connection(std::shared_ptr<Connection> connection) {
    change([&] { connection_ = std::move(connection); });
  }

  std::string wait_bytes(std::size_t count) {
    wait([&] { return bytes_.size() >= count; });
    return bytes_;
  }
  std::string wait_closed() {
    wait([&] { return closed_count_ > 0; });
    return closed_reason_;
  }
  void wait_drained() {
    wait([&] { return drained_ > 0; });
  }
  std::shared_ptr<Connection> wait_connection() {
    wait([&] { return connection_ != nullptr; });
    return connection_;
  }

 private:
  template <class F>
  void change(F f) {
    const std::lock_guard lock(mutex_);
    f();
    changed_.notify_all();
  }
  template <class F>
  void wait(F condition) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, condition);
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string bytes_;
  std::string closed_reason_;
  int closed_count_ = 0;
  int drained_ = 0;
  std::shared_ptr<Connection> connection_;
};

class RecordingHandler : public ConnectionHandler {
 public:
  using OnBytes = std::function<void(Connection&, std::string_view)>;
  explicit RecordingHandler(std::shared_ptr<Events> events, OnBytes on_bytes = nullptr)
      : events_(std::move(events)), on_bytes_(std::move(on_bytes)) {}
  void on_bytes(std::string_view bytes) override {
    events_->add_bytes(bytes);
    if (on_bytes_) on_bytes_(*connection_.lock(), bytes);
  }
  void on_drained() override { events_->set_drained(); }
  void on_closed(std::string_view reason) override { events_->set_closed(reason); }

 private:
  std::shared_ptr<Events> events_;
  OnBytes on_bytes_;
};

inline HandlerFactory recording(const std::shared_ptr<Events>& events,
                                const RecordingHandler::OnBytes& on_bytes = nullptr) {
  return [events, on_bytes](const std::shared_ptr<Connection>& connection) {
    events->set_connection(connection);
    return std::make_unique<RecordingHandler>(events, on_bytes);
  };
}

}  // namespace heddle::net::testing
