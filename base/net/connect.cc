#include <fmt/format.h>

#include "base/net/connection.h"
#include "base/net/resolve.h"
#include "base/net/tcp_connection.h"
#include "base/text.h"

namespace heddle::net {
namespace {

using Done = std::function<void(Result<std::shared_ptr<Connection>>)>;

/// One attempt to connect: resolve, then try each address until one answers or time is up. Kept
/// alive by its pending operations.
class Connector : public std::enable_shared_from_this<Connector> {
 public:
  Connector(EventLoop& loop, std::string host, std::uint16_t port, HandlerFactory factory,
            Done done)
      : loop_(loop),
        name_(fmt::format("{}:{}", shortened(host), port)),
        host_(std::move(host)),
        port_(port),
        factory_(std::move(factory)),
        done_(std::move(done)),
        resolver_(loop.impl().io),
        socket_(loop.impl().io) {}

  void start(Duration timeout) {
    timer_ = loop_.run_after(timeout, [self = shared_from_this(), timeout] {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
      self->finish(fail(ErrorCode::kUnavailable,
                        fmt::format("no connection to {} within {} ms", self->name_, ms)));
    });
    resolve_async(resolver_, host_, port_,
                  [self = shared_from_this()](Result<std::vector<tcp::endpoint>> endpoints) {
                    if (!endpoints) {
                      self->finish(fail(std::move(endpoints).error()));
                      return;
                    }
                    self->endpoints_ = *std::move(endpoints);
                    self->try_next({});
                  });
  }

 private:
  void try_next(error_code last) {
    if (!done_) return;
    if (tried_ == endpoints_.size()) {
      finish(fail(ErrorCode::kUnavailable,
                  fmt::format("cannot connect to {}: {}", name_, last.message())));
      return;
    }
    error_code ignored;
    socket_.close(ignored);
    socket_.async_connect(endpoints_[tried_++], [self = shared_from_this()](error_code error) {
      if (!self->done_) return;
      if (error) {
        self->try_next(error);
        return;
      }
      auto connection =
          std::make_shared<TcpConnection>(self->loop_, std::move(self->socket_), nullptr);
      connection->start(self->factory_);
      self->finish(std::shared_ptr<Connection>(connection));
    });
  }

  void finish(Result<std::shared_ptr<Connection>> result) {
    const auto done = std::exchange(done_, nullptr);
    if (!done) return;
    timer_ = {};
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
    done(std::move(result));
  }

  EventLoop& loop_;
  const std::string name_;
  const std::string host_;
  const std::uint16_t port_;
  const HandlerFactory factory_;
  Done done_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  EventLoop::Timer timer_;
  std::vector<tcp::endpoint> endpoints_;
  std::size_t tried_ = 0;
};

}  // namespace

void connect(EventLoop& loop, const std::string& host, std::uint16_t port, Duration timeout,
             HandlerFactory factory, Done done) {
  auto connector =
      std::make_shared<Connector>(loop, host, port, std::move(factory), std::move(done));
  loop.post([connector, timeout] { connector->start(timeout); });
}

}  // namespace heddle::net
