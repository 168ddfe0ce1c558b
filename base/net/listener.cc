#include <fmt/format.h>

#include <future>
#include <map>
#include <mutex>

#include "base/log.h"
#include "base/net/connection.h"
#include "base/net/port_holder.h"
#include "base/net/resolve.h"
#include "base/net/tcp_connection.h"
#include "base/text.h"

namespace heddle::net {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsPerTurn = 64;
constexpr auto kRetryAccept = std::chrono::milliseconds(100);

/// Counts connections by peer. Shared by the listener and its connections. Any thread.
class Admission {
 public:
  explicit Admission(Listener::Limits limits) : limits_(limits) {}

  /// Empty: admitted. Otherwise which limit refuses.
  std::string admit(const std::string& address) {
    const std::lock_guard lock(mutex_);
    if (open_ >= limits_.connections_max) {
      ++refused_;
      return fmt::format("{} {} is reached", limits_.max_setting, limits_.connections_max);
    }
    auto& of_peer = by_peer_[address];
    if (of_peer >= limits_.connections_per_peer_max) {
      ++refused_;
      if (of_peer == 0) by_peer_.erase(address);
      return fmt::format("{} {} is reached", limits_.per_peer_max_setting,
                         limits_.connections_per_peer_max);
    }
    ++of_peer;
    ++open_;
    return {};
  }
  void release(const std::string& address) {
    const std::lock_guard lock(mutex_);
    --open_;
    const auto found = by_peer_.find(address);
    if (--found->second == 0) by_peer_.erase(found);
  }
  std::size_t open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }
  std::uint64_t refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  const Listener::Limits limits_;
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> by_peer_;
  std::size_t open_ = 0;
  std::uint64_t refused_ = 0;
};

/// The accepting part. Lives on one loop; kept alive by its pending accept.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(EventLoops& loops, Listener::Limits limits, HandlerFactory factory)
      : admission(std::make_shared<Admission>(limits)),
        loop(loops.next()),
        socket(loop.impl().io),
        loops_(loops),
        factory_(std::make_shared<const HandlerFactory>(std::move(factory))) {}

  Result<void> open(const std::string& host, std::uint16_t port);
  void accept();
  void stop() {
    error_code ignored;
    socket.close(ignored);
    retry_ = {};
  }

  const std::shared_ptr<Admission> admission;
  EventLoop& loop;
  tcp::acceptor socket;  // loop thread after start

 private:
  void accept_waiting();
  void accepted(EventLoop& target, tcp::socket peer);

  EventLoops& loops_;
  std::shared_ptr<const HandlerFactory> factory_;
  EventLoop::Timer retry_;
  std::uint64_t failed_ = 0;  // accepts
};

Result<void> Acceptor::open(const std::string& host, std::uint16_t port) {
  auto endpoints = resolve(host, port);
  if (!endpoints) return fail(std::move(endpoints).error());
  const tcp::endpoint& where = endpoints->front();
  error_code error;
  socket.open(where.protocol(), error);
  if (!error) socket.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) socket.bind(where, error);
  if (!error) socket.listen(kBacklog, error);
  if (!error) socket.non_blocking(true, error);
  if (!error) return {};
  const bool taken = error == asio::error::address_in_use;
  return fail(ErrorCode::kUnavailable,
              fmt::format("cannot listen on {}:{} ({}): {}{}; free the port or configure another",
                          shortened(host), port, to_string(to_endpoint(where)), error.message(),
                          taken ? port_holder(port) : ""));
}

// Waits and accepts by hand: an accept straight into another loop would leave an operation in one
// io_context that owns a socket of another.
void Acceptor::accept() {
  if (!socket.is_open()) return;
  socket.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](error_code error) {
    if (!error) self->accept_waiting();
  });
}

void Acceptor::accept_waiting() {
  for (int i = 0; i < kAcceptsPerTurn && socket.is_open(); ++i) {
    EventLoop& target = loops_.next();
    error_code error;
    tcp::socket peer = socket.accept(target.impl().io, error);
    if (error == asio::error::would_block) break;
    if (error && error != asio::error::connection_aborted) {
      // Out of descriptors, most often. Waiting beats spinning.
      ++failed_;
      if ((failed_ & (failed_ - 1)) == 0) {  // 1, 2, 4, ...: never floods the log
        log::warn("accepting a connection failed: {} ({} times so far)", error.message(), failed_);
      }
      retry_ = loop.run_after(kRetryAccept, [self = shared_from_this()] { self->accept(); });
      return;
    }
    if (!error) accepted(target, std::move(peer));
  }
  accept();
}

void Acceptor::accepted(EventLoop& target, tcp::socket peer) {
  error_code error;
  const auto remote = peer.remote_endpoint(error);
  if (error) return;  // gone already
  const std::string address = to_endpoint(remote).address;
  if (const std::string reason = admission->admit(address); !reason.empty()) {
    const std::uint64_t refused = admission->refused();
    if ((refused & (refused - 1)) == 0) {  // 1, 2, 4, ...: never floods the log
      log::warn("connection from {} refused: {} ({} refused so far)", address, reason, refused);
    }
    return;
  }
  auto connection = std::make_shared<TcpConnection>(
      target, std::move(peer), [admission = admission, address] { admission->release(address); });
  target.post([connection, factory = factory_] { connection->start(*factory); });
}

class TcpListener final : public Listener {
 public:
  TcpListener(std::shared_ptr<Acceptor> acceptor, Endpoint endpoint)
      : acceptor_(std::move(acceptor)), endpoint_(std::move(endpoint)) {}

  // Waits until the port is free again, so that it can be bound at once.
  ~TcpListener() override {
    if (acceptor_->loop.in_loop_thread() || acceptor_->loop.impl().stopped()) {
      acceptor_->stop();
      return;
    }
    auto done = std::make_shared<std::promise<void>>();
    auto stopped = done->get_future();
    acceptor_->loop.post([acceptor = acceptor_, done] {
      acceptor->stop();
      done->set_value();
    });
    done.reset();  // a loop that stops first drops the task, and the wait ends
    stopped.wait();
  }
  Endpoint endpoint() const override { return endpoint_; }
  std::size_t open_connections() const override { return acceptor_->admission->open(); }
  std::uint64_t refused_connections() const override { return acceptor_->admission->refused(); }

 private:
  std::shared_ptr<Acceptor> acceptor_;
  Endpoint endpoint_;
};

}  // namespace

Result<std::unique_ptr<Listener>> Listener::listen(EventLoops& loops, const std::string& host,
                                                   std::uint16_t port, Limits limits,
                                                   HandlerFactory factory) {
  auto acceptor = std::make_shared<Acceptor>(loops, limits, std::move(factory));
  RETURN_IF_ERROR(acceptor->open(host, port));
  error_code ignored;
  const Endpoint endpoint = to_endpoint(acceptor->socket.local_endpoint(ignored));
  acceptor->loop.post([acceptor] { acceptor->accept(); });
  return std::unique_ptr<Listener>(std::make_unique<TcpListener>(acceptor, endpoint));
}

}  // namespace heddle::net
