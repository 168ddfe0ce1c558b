// The one implementation of Connection, for base/net alone.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "base/net/asio.h"
#include "base/net/connection.h"
#include "base/net/loop_impl.h"

namespace heddle::net {

class TcpConnection final : public Connection {
 public:
  /// `released` is called once, when the socket is gone.
  TcpConnection(EventLoop& loop, tcp::socket socket, std::function<void()> released);
  ~TcpConnection() override;

  /// Registers with the loop, makes the handler and begins to read. Loop thread, once.
  void start(const HandlerFactory& factory);

  void send(std::string bytes) override;
  void send_file(int descriptor, std::uint64_t offset, std::uint64_t length) override;
  std::uint64_t pending_bytes() const override { return pending_bytes_; }
  void pause_reading() override { reading_wanted_ = false; }
  void resume_reading() override;
  void close(std::string_view reason) override;
  using Connection::close_after_flush;
  void close_after_flush(std::string_view reason, Duration patience) override;
  const Endpoint& peer() const override { return peer_; }
  const Endpoint& local() const override { return local_; }
  EventLoop& loop() override { return loop_; }

 private:
  struct FilePart {
    int descriptor;
    std::uint64_t offset;
    std::uint64_t length;
  };
  using Part = std::variant<std::string, FilePart>;
  enum class State { kOpen, kFlushing, kLingering, kClosed };
  enum class Progress { kMore, kWouldBlock, kFailed };

  std::shared_ptr<TcpConnection> self() {
    return std::static_pointer_cast<TcpConnection>(shared_from_this());
  }
  void wait_for_input();
  void read_available();
  void discard_input();
  void schedule_flush();
  void flush();
  Progress write_strings();
  Progress write_file(FilePart& file);
  Progress failed_write();
  void drop_output();
  void flushed();
  void watch_flush(Duration patience);
  void linger();
  void tell_closed(std::string_view reason);

  EventLoop& loop_;
  tcp::socket socket_;
  std::function<void()> released_;
  Endpoint peer_;
  Endpoint local_;
  std::unique_ptr<ConnectionHandler> handler_;
  State state_ = State::kOpen;
  std::string close_reason_;
  EventLoop::Timer close_timer_;

  bool reading_wanted_ = true;
  bool waiting_for_input_ = false;
  bool peer_finished_ = false;
  std::uint64_t discarded_bytes_ = 0;

  std::deque<Part> output_;
  std::size_t front_sent_ = 0;  // bytes of a string in front that have gone
  std::uint64_t pending_bytes_ = 0;
  bool flush_scheduled_ = false;
};

}  // namespace heddle::net
