// A TCP connection with buffered, coalesced writes and back pressure on both sides.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/net/event_loop.h"
#include "base/result.h"

namespace heddle::net {

struct Endpoint {
  std::string address;  // numeric, "127.0.0.1" or "::1"
  std::uint16_t port = 0;
};
std::string to_string(const Endpoint& endpoint);

class Connection;

/// What a protocol does with a connection. All calls come on the connection's loop thread.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  /// Bytes as they came, in order; valid during the call only.
  virtual void on_bytes(std::string_view bytes) = 0;
  /// All that was sent has gone to the kernel. Called after at least one send, not for each.
  virtual void on_drained() {}
  /// The peer sent FIN. Default: closes.
  virtual void on_peer_finished();
  /// Called exactly once, last. `reason` is for a log line: "closed by peer", "reset", ...
  virtual void on_closed(std::string_view reason) = 0;

 protected:
  friend class Connection;
  std::weak_ptr<Connection> connection_;  // set before the first call
};

/// Loop thread only, except where said. Kept alive by the loop while open.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  static constexpr Duration kFlushPatience = std::chrono::seconds(30);

  virtual ~Connection() = default;

  /// Queues bytes; all that is queued within one turn of the loop goes out in one write.
  virtual void send(std::string bytes) = 0;
  /// Queues `length` bytes of an open file from `offset` (sendfile). The descriptor is closed after
  /// use, or at once when the connection closes first.
  virtual void send_file(int descriptor, std::uint64_t offset, std::uint64_t length) = 0;
  /// Bytes queued and not yet taken by the kernel.
  virtual std::uint64_t pending_bytes() const = 0;

  virtual void pause_reading() = 0;  // the peer feels it as a full window
  virtual void resume_reading() = 0;

  virtual void close(std::string_view reason) = 0;  // at once; unsent bytes are lost
  /// Sends what is queued, however long that takes, unless the peer takes none of it for
  /// `patience`. Input is thrown away from now on.
  virtual void close_after_flush(std::string_view reason, Duration patience) = 0;
  void close_after_flush(std::string_view reason) { close_after_flush(reason, kFlushPatience); }

  virtual const Endpoint& peer() const = 0;   // any thread
  virtual const Endpoint& local() const = 0;  // any thread
  virtual EventLoop& loop() = 0;              // any thread

 protected:
  static void attach(ConnectionHandler& handler, const std::shared_ptr<Connection>& self) {
    handler.connection_ = self;
  }
};

/// Makes the handler of a new connection. Called on the connection's loop thread.
using HandlerFactory =
    std::function<std::unique_ptr<ConnectionHandler>(const std::shared_ptr<Connection>&)>;

/// A listening socket. Destroying it stops accepting; connections live on.
class Listener {
 public:
  struct Limits {
    std::size_t connections_max = 20'000;
    std::size_t connections_per_peer_max = 10'000;  // by address; further ones are closed at once
    // What whoever reads of a refusal can change.
    const char* max_setting = "connections_max";
    const char* per_peer_max_setting = "connections_per_peer_max";
  };
  /// Binds host:port (0 = any free port) with SO_REUSEADDR and listens. kUnavailable names address,
  /// port and, where /proc shows it, the process that holds it.
  static Result<std::unique_ptr<Listener>> listen(EventLoops& loops, const std::string& host,
                                                  std::uint16_t port, Limits limits,
                                                  HandlerFactory factory);
  virtual ~Listener() = default;
  virtual Endpoint endpoint() const = 0;  // with the chosen port
  virtual std::size_t open_connections() const = 0;
  virtual std::uint64_t refused_connections() const = 0;
};

/// Opens a connection on `loop`; resolving does not block the loop. `done` is called once on the
/// loop thread with the connection (handler made by `factory` and already attached) or the error.
void connect(EventLoop& loop, const std::string& host, std::uint16_t port, Duration timeout,
             HandlerFactory factory, std::function<void(Result<std::shared_ptr<Connection>>)> done);

}  // namespace heddle::net
