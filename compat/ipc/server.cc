#include "compat/ipc/server.h"

#include <fmt/format.h>

#include <set>

#include "base/bytes.h"
#include "base/log.h"
#include "compat/ipc/session.h"

namespace heddle::compat::ipc {
namespace {

/// A frame that takes longer than one progress period must at least get on at this pace.
constexpr std::size_t kProgressBytes = 1_MiB;

/// One accepted connection: joins the session with its socket and its timers.
class ServerConnection final : public net::ConnectionHandler, private SessionHost {
 public:
  ServerConnection(std::shared_ptr<SessionRules> rules,
                   const std::shared_ptr<net::Connection>& connection)
      : rules_(std::move(rules)), wire_(*connection) {
    net::EventLoop& loop = wire_.loop();
    session_ = std::make_shared<Session>(rules_, static_cast<SessionHost&>(*this), wire_.peer(),
                                         [&loop](std::function<void()> task) {
                                           if (loop.in_loop_thread()) {
                                             task();
                                           } else {
                                             loop.post(std::move(task));
                                           }
                                         });
    ++rules_->metrics().open_connections;
    login_timer_ = loop.run_after(rules_->options.negotiation_timeout, [this] {
      if (session_->logged_in()) return;
      ++rules_->metrics().dropped;
      close("no login within the negotiation timeout");
    });
  }
  ~ServerConnection() override { --rules_->metrics().open_connections; }

  void on_bytes(std::string_view bytes) override {
    session_->on_bytes(bytes);
    if (session_->logged_in()) login_timer_ = {};
    if (session_->mid_frame() && !watching_progress_) watch_progress();
  }
  void on_drained() override { session_->on_drained(); }
  void on_closed(std::string_view reason) override {
    session_->on_closed();
    log::debug("RPC connection from {} closed: {}", to_string(wire_.peer()), reason);
  }

 private:
  void send(std::string bytes) override { wire_.send(std::move(bytes)); }
  std::uint64_t pending_bytes() const override { return wire_.pending_bytes(); }
  void pause_reading() override { wire_.pause_reading(); }
  void resume_reading() override { wire_.resume_reading(); }
  void close(std::string_view reason) override { wire_.close(reason); }
  void close_after_flush(std::string_view reason) override { wire_.close_after_flush(reason); }

  void watch_progress() {
    watching_progress_ = true;
    seen_frames_ = session_->frames();
    seen_bytes_ = session_->partial_size();
    progress_timer_ = wire_.loop().run_after(rules_->options.progress_timeout, [this] {
      watching_progress_ = false;
      if (!session_->mid_frame()) return;
      const bool same = session_->frames() == seen_frames_;
      if (same && !session_->reading_stopped() &&
          session_->partial_size() < seen_bytes_ + kProgressBytes) {
        ++rules_->metrics().dropped;
        rules_->complain(wire_.peer(), "dropped: a frame made no progress");
        close("a frame made no progress within the progress timeout");
        return;
      }
      watch_progress();
    });
  }

  const std::shared_ptr<SessionRules> rules_;
  net::Connection& wire_;  // outlives its handler
  std::shared_ptr<Session> session_;
  net::EventLoop::Timer login_timer_;
  net::EventLoop::Timer progress_timer_;
  bool watching_progress_ = false;
  std::uint64_t seen_frames_ = 0;
  std::size_t seen_bytes_ = 0;
};

class IpcServer final : public Server {
 public:
  explicit IpcServer(std::unique_ptr<net::Listener> listener) : listener_(std::move(listener)) {}
  net::Endpoint endpoint() const override { return listener_->endpoint(); }

 private:
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(
    net::EventLoops& loops, ServerOptions options,
    const std::vector<std::shared_ptr<const ProtocolService>>& protocols) {
  if (!options.simple_allowed && !options.token_login) {
    return fail(ErrorCode::kInvalidArgument,
                "an RPC server needs a way to log in: SIMPLE, tokens or both");
  }
  const std::string host = options.host;
  const std::uint16_t port = options.port;
  const net::Listener::Limits limits = options.connections;
  auto rules = std::make_shared<SessionRules>(std::move(options), protocols);
  if (rules->protocols.size() != protocols.size()) {
    return fail(ErrorCode::kInvalidArgument, "a protocol is registered twice at an RPC server");
  }
  auto listener = net::Listener::listen(
      loops, host, port, limits, [rules](const std::shared_ptr<net::Connection>& connection) {
        return std::make_unique<ServerConnection>(rules, connection);
      });
  if (!listener) return fail(std::move(listener).error().within("RPC server"));
  return std::unique_ptr<Server>(std::make_unique<IpcServer>(*std::move(listener)));
}

}  // namespace heddle::compat::ipc
