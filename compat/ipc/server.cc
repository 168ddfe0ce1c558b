#include "compat/ipc/server.h"

#include <fmt/format.h>

#include <limits>
#include <set>

#include "base/bytes.h"
#include "base/log.h"
#include "compat/ipc/session.h"

namespace heddle::compat::ipc {
namespace {

constexpr IntProperty kFrameMax{.name = "ipc.maximum.data.length",
                                .default_value = 134'217'728,
                                .doc = "Bytes of the longest RPC request.",
                                .check = [](const std::int64_t& bytes) -> std::string_view {
                                  const bool fits = bytes >= 1'024 && bytes <= 2'147'483'647;
                                  return fits ? "" : "must be from 1024 to 2147483647";
                                }};
constexpr IntProperty kConnectionsMax{.name = "ipc.server.max.connections",
                                      .default_value = 0,
                                      .doc = "Connections of one RPC port; 0 is no limit.",
                                      .check = [](const std::int64_t& count) -> std::string_view {
                                        return count >= 0 ? "" : "must be at least 0";
                                      }};
constexpr IntProperty kConnectionsPerHostMax{
    .name = "heddle.ipc.connections-per-host.max",
    .default_value = 10'000,
    .doc = "Connections of one RPC port from one address; further ones are closed at once.",
    .check = [](const std::int64_t& count) -> std::string_view {
      return count >= 1 ? "" : "must be at least 1";
    }};
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

Result<ServerOptions> with_configured_limits(const Settings& settings, ServerOptions options) {
  const auto frame_max = read(settings, kFrameMax);
  if (!frame_max) return fail(frame_max.error());
  const auto connections = read(settings, kConnectionsMax);
  if (!connections) return fail(connections.error());
  const auto per_host = read(settings, kConnectionsPerHostMax);
  if (!per_host) return fail(per_host.error());
  options.frame_max = static_cast<std::uint32_t>(*frame_max);
  options.connections.max_setting = kConnectionsMax.name.data();
  options.connections.per_peer_max_setting = kConnectionsPerHostMax.name.data();
  options.connections.connections_max = *connections > 0 ? static_cast<std::size_t>(*connections)
                                                         : std::numeric_limits<std::size_t>::max();
  options.connections.connections_per_peer_max = static_cast<std::size_t>(*per_host);
  return options;
}

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
