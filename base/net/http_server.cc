#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/net/http.h"
#include "base/net/http_wire.h"

namespace heddle::net {
namespace {

constexpr std::uint64_t kUnsentMax = 1_MiB;     // answers not read: then no further request
constexpr std::size_t kReadAheadMax = 64_KiB;   // requests not begun: then no further read
constexpr std::uint64_t kBodyPaceMin = 16_KiB;  // of a body, within each body_timeout
constexpr std::size_t kJoinedBodyMax = 16_KiB;  // a body up to this goes out with its head
constexpr std::uint64_t kSmallBody = 64_KiB;    // is taken even if the others use all the room

/// What all connections of a server share; outlives the server while one of them is open.
struct Shared {
  HttpLimits limits;
  HttpHandler handler;
  std::atomic<bool> stopped = false;
  std::atomic<std::uint64_t> body_bytes = 0;  // of bodies that are being received
};

/// Closes a descriptor that nobody took.
class OwnedFile {
 public:
  explicit OwnedFile(int descriptor) : descriptor_(descriptor) {}
  OwnedFile(const OwnedFile&) = delete;
  OwnedFile& operator=(const OwnedFile&) = delete;
  ~OwnedFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

/// One connection: reads a request, lets the handler answer, reads the next. Loop thread only.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Shared> shared, const std::shared_ptr<Connection>& connection)
      : shared_(std::move(shared)),
        connection_(connection),
        loop_(connection->loop()),
        peer_(connection->peer()),
        reader_(shared_->limits) {}

  void opened() { set_deadline(Waiting::kIdle, shared_->limits.idle_timeout); }
  void bytes(std::string_view bytes);
  void drained();
  void peer_finished();
  void closed();

  // From the responder; `id` tells late calls for an earlier request apart.
  void respond(std::uint64_t id, HttpResponse response);
  void start(std::uint64_t id, const HttpResponse& head, std::optional<std::uint64_t> length);
  void write(std::uint64_t id, std::string bytes);
  void send_file(std::uint64_t id, OwnedFile& file, std::uint64_t offset, std::uint64_t length);
  void finish(std::uint64_t id);
  void abort(std::uint64_t id, std::string_view reason);
  void abandoned(std::uint64_t id);
  void when_drained(std::uint64_t id, const std::function<void(bool)>& ready);

 private:
  enum class Phase : std::uint8_t { kReading, kAnswering, kStreaming, kClosed };
  enum class Waiting : std::uint8_t { kNothing, kIdle, kHead, kBody, kWrite };

  void pump();
  bool pump_once();
  void dispatch();
  void refuse(int status, const std::string& reason);
  void answered();
  void await_body();
  bool count_body(std::uint64_t bytes);
  void wait_for_request();
  void close_when_sent(std::string_view reason);
  void send(std::string bytes);
  bool takes(std::uint64_t id, Phase phase) const { return id == id_ && phase_ == phase; }
  bool note_written(std::uint64_t count);
  bool decide_close(const HttpResponse& response);
  void set_deadline(Waiting waiting, Duration from_now);
  void arm(Instant now);
  void on_timer();
  void on_deadline();

  const std::shared_ptr<Shared> shared_;
  const std::weak_ptr<Connection> connection_;
  EventLoop& loop_;
  const Endpoint peer_;
  HttpRequestReader reader_;
  Phase phase_ = Phase::kReading;
  bool pumping_ = false;
  bool paused_ = false;
  bool peer_finished_ = false;

  // The request being answered.
  std::uint64_t id_ = 0;
  bool is_head_ = false;
  bool http10_ = false;
  bool keep_alive_ = true;
  bool chunked_ = false;
  std::optional<std::uint64_t> length_left_;

  std::uint64_t received_bytes_ = 0;   // ever
  std::uint64_t body_mark_ = 0;        // of these, when the body's pace was last looked at
  std::uint64_t counted_body_ = 0;     // of this session in what all of them have received
  std::uint64_t queued_bytes_ = 0;     // handed to the connection, ever
  std::uint64_t delivered_bytes_ = 0;  // of these, with the kernel when last looked at
  std::vector<std::function<void(bool)>> drain_waiters_;

  Waiting waiting_ = Waiting::kNothing;
  Instant deadline_;
  Instant armed_for_;
  bool armed_ = false;
  EventLoop::Timer timer_;
};

void Session::bytes(std::string_view bytes) {
  const auto keep = shared_from_this();  // closing may let go of this session
  if (phase_ == Phase::kClosed) return;
  received_bytes_ += bytes.size();
  reader_.append(bytes);
  pump();
}

void Session::pump() {
  if (pumping_) return;
  pumping_ = true;
  while (phase_ == Phase::kReading && pump_once()) {
  }
  pumping_ = false;
  const auto connection = connection_.lock();
  if (!connection || phase_ == Phase::kClosed) return;
  const bool full = reader_.buffered() > kReadAheadMax;
  if (full && !paused_ && phase_ != Phase::kReading) {
    connection->pause_reading();
    paused_ = true;
  } else if (paused_ && (!full || phase_ == Phase::kReading) &&
             connection->pending_bytes() <= kUnsentMax) {
    paused_ = false;
    connection->resume_reading();
  }
}

/// True: look again, there may be another whole request.
bool Session::pump_once() {
  const auto connection = connection_.lock();
  if (!connection) return false;
  if (connection->pending_bytes() > kUnsentMax) {  // goes on in drained()
    if (!paused_) connection->pause_reading();
    paused_ = true;
    set_deadline(Waiting::kWrite, shared_->limits.write_timeout);
    return false;
  }
  using State = HttpRequestReader::State;
  switch (reader_.advance()) {
    case State::kReady: dispatch(); return true;
    case State::kRefused: refuse(reader_.refused_status(), reader_.refused_reason()); return false;
    case State::kIdle: wait_for_request(); break;
    case State::kHead:
      if (waiting_ != Waiting::kHead) set_deadline(Waiting::kHead, shared_->limits.head_timeout);
      break;
    case State::kBody:
      if (!count_body(reader_.body_bytes())) {
        refuse(503, fmt::format("bodies of more than {} bytes are being received; try again",
                                shared_->limits.bodies_max));
        return false;
      }
      if (reader_.take_expects_continue()) send("HTTP/1.1 100 Continue\r\n\r\n");
      if (waiting_ != Waiting::kBody) await_body();
      break;
  }
  if (peer_finished_) close_when_sent("closed by peer");
  return false;
}

void Session::await_body() {
  body_mark_ = received_bytes_;
  set_deadline(Waiting::kBody, shared_->limits.body_timeout);
}

/// False: all sessions together hold too much, and this one not just a little of it.
bool Session::count_body(std::uint64_t bytes) {
  const std::uint64_t more = bytes - std::exchange(counted_body_, bytes);  // or less, modulo 2^64
  const std::uint64_t all = shared_->body_bytes.fetch_add(more) + more;
  return bytes <= kSmallBody || all <= shared_->limits.bodies_max;
}

void Session::wait_for_request() {
  const auto connection = connection_.lock();
  const bool unsent = connection && connection->pending_bytes() > 0;
  if (unsent) {
    set_deadline(Waiting::kWrite, shared_->limits.write_timeout);
  } else {
    set_deadline(Waiting::kIdle, shared_->limits.idle_timeout);
  }
}

class Responder final : public HttpResponder {
 public:
  Responder(EventLoop& loop, std::weak_ptr<Session> session, std::uint64_t id)
      : loop_(loop), session_(std::move(session)), id_(id) {}
  ~Responder() override {
    if (done_ || session_.expired()) return;
    loop_.post([session = session_, id = id_] {
      if (const auto open = session.lock()) open->abandoned(id);
    });
  }

  void respond(HttpResponse response) override {
    done_ = true;
    run([response = std::move(response)](Session& session, std::uint64_t id) mutable {
      session.respond(id, std::move(response));
    });
  }
  void start(HttpResponse head, std::optional<std::uint64_t> length) override {
    run([head = std::move(head), length](Session& session, std::uint64_t id) {
      session.start(id, head, length);
    });
  }
  void write(std::string bytes) override {
    run([bytes = std::move(bytes)](Session& session, std::uint64_t id) mutable {
      session.write(id, std::move(bytes));
    });
  }
  void send_file(int descriptor, std::uint64_t offset, std::uint64_t length) override {
    auto file = std::make_shared<OwnedFile>(descriptor);
    run([file, offset, length](Session& session, std::uint64_t id) {
      session.send_file(id, *file, offset, length);
    });
  }
  void finish() override {
    done_ = true;
    run([](Session& session, std::uint64_t id) { session.finish(id); });
  }
  void abort(std::string_view reason) override {
    done_ = true;
    run([reason = std::string(reason)](Session& session, std::uint64_t id) {
      session.abort(id, reason);
    });
  }
  void when_drained(std::function<void(bool)> ready) override {
    auto task = [session = session_, id = id_, ready = std::move(ready)] {
      if (const auto open = session.lock()) {
        open->when_drained(id, ready);
      } else {
        ready(false);
      }
    };
    if (loop_.in_loop_thread()) {
      task();
    } else {
      loop_.post(std::move(task));
    }
  }

 private:
  /// On the loop thread at once, else posted: either way in the order of the calls.
  template <class Task>
  void run(Task task) {
    if (loop_.in_loop_thread()) {
      if (const auto open = session_.lock()) task(*open, id_);
      return;
    }
    loop_.post([session = session_, id = id_, task = std::move(task)]() mutable {
      if (const auto open = session.lock()) task(*open, id);
    });
  }

  EventLoop& loop_;
  const std::weak_ptr<Session> session_;
  const std::uint64_t id_;
  std::atomic<bool> done_ = false;
};

void Session::dispatch() {
  http10_ = reader_.is_http10();
  HttpRequest request = reader_.take();
  count_body(0);
  request.peer = peer_;
  ++id_;
  phase_ = Phase::kAnswering;
  is_head_ = request.method == "HEAD";
  keep_alive_ = request.keep_alive && id_ < shared_->limits.requests_per_connection_max;
  chunked_ = false;
  length_left_.reset();
  set_deadline(Waiting::kNothing, {});
  auto responder = std::make_shared<Responder>(loop_, weak_from_this(), id_);
  if (shared_->stopped) {
    responder->respond(text_response(503, "text/plain", "the server is stopping\n"));
    return;
  }
  shared_->handler(std::move(request), std::move(responder));
}

void Session::refuse(int status, const std::string& reason) {
  const HttpResponse response = text_response(status, "text/plain; charset=utf-8", reason + "\n");
  send(response_head(response, {.length = response.body.size(), .close = true}) + response.body);
  log::debug("HTTP request of {} refused with {}: {}", to_string(peer_), status, reason);
  close_when_sent("bad request");
}

/// The connection itself sees to it that the last bytes arrive, within a time of its own.
void Session::close_when_sent(std::string_view reason) {
  phase_ = Phase::kClosed;
  set_deadline(Waiting::kNothing, {});
  if (const auto connection = connection_.lock()) {
    connection->close_after_flush(reason, shared_->limits.write_timeout);
  }
}

void Session::send(std::string bytes) {
  const auto connection = connection_.lock();
  if (!connection || bytes.empty()) return;
  queued_bytes_ += bytes.size();
  connection->send(std::move(bytes));
  if (waiting_ == Waiting::kNothing) {
    set_deadline(Waiting::kWrite, shared_->limits.write_timeout);
  }
}

bool Session::decide_close(const HttpResponse& response) {
  if (has_token(response.headers.get("Connection"), "close") || peer_finished_) keep_alive_ = false;
  return !keep_alive_;
}

void Session::respond(std::uint64_t id, HttpResponse response) {
  if (!takes(id, Phase::kAnswering)) return;
  const bool close = decide_close(response);
  const bool bodyless = response.status == 204 || response.status == 304;
  ResponseFraming framing{.length = response.body.size(), .close = close, .http10 = http10_};
  if (bodyless) framing.length.reset();
  std::string out = response_head(response, framing);
  if (!bodyless && !is_head_) {
    if (response.body.size() <= kJoinedBodyMax) {
      out += response.body;
    } else {
      send(std::move(out));
      out = std::move(response.body);
    }
  }
  send(std::move(out));
  answered();
}

void Session::start(std::uint64_t id, const HttpResponse& head,
                    std::optional<std::uint64_t> length) {
  if (!takes(id, Phase::kAnswering)) return;
  phase_ = Phase::kStreaming;
  length_left_ = length;
  chunked_ = !length && !http10_;
  if (!length && http10_) keep_alive_ = false;  // only the end of the connection ends this body
  const bool close = decide_close(head);
  send(response_head(head,
                     {.length = length, .chunked = chunked_, .close = close, .http10 = http10_}));
}

/// False: more than was announced; the connection is broken off.
bool Session::note_written(std::uint64_t count) {
  if (!length_left_) return true;
  if (count > *length_left_) {
    abort(id_, "the answer is longer than announced");
    return false;
  }
  *length_left_ -= count;
  return true;
}

void Session::write(std::uint64_t id, std::string bytes) {
  if (!takes(id, Phase::kStreaming) || bytes.empty() || !note_written(bytes.size())) return;
  if (is_head_) return;
  if (!chunked_) {
    send(std::move(bytes));
    return;
  }
  std::string chunk = fmt::format("{:x}\r\n", bytes.size());
  chunk += bytes;
  chunk += "\r\n";
  send(std::move(chunk));
}

void Session::send_file(std::uint64_t id, OwnedFile& file, std::uint64_t offset,
                        std::uint64_t length) {
  if (!takes(id, Phase::kStreaming) || length == 0 || !note_written(length)) return;
  const auto connection = connection_.lock();
  if (is_head_ || !connection) return;
  if (chunked_) send(fmt::format("{:x}\r\n", length));
  queued_bytes_ += length;
  connection->send_file(file.release(), offset, length);
  if (waiting_ == Waiting::kNothing) {
    set_deadline(Waiting::kWrite, shared_->limits.write_timeout);
  }
  if (chunked_) send("\r\n");
}

void Session::finish(std::uint64_t id) {
  if (!takes(id, Phase::kStreaming)) return;
  if (length_left_ && *length_left_ > 0 && !is_head_) {
    abort(id, "the answer is shorter than announced");
    return;
  }
  if (chunked_ && !is_head_) send("0\r\n\r\n");
  answered();
}

void Session::answered() {
  if (!keep_alive_) {
    close_when_sent("answered");
    return;
  }
  phase_ = Phase::kReading;
  pump();
}

void Session::abort(std::uint64_t id, std::string_view reason) {
  if (!takes(id, Phase::kStreaming) && !takes(id, Phase::kAnswering)) return;
  phase_ = Phase::kClosed;
  set_deadline(Waiting::kNothing, {});
  if (const auto connection = connection_.lock()) connection->close(reason);
}

void Session::abandoned(std::uint64_t id) {
  if (takes(id, Phase::kStreaming)) {
    abort(id, "the answer was dropped half-way");
    return;
  }
  respond(id, text_response(500, "text/plain", "the request was dropped without an answer\n"));
}

void Session::when_drained(std::uint64_t id, const std::function<void(bool)>& ready) {
  const auto connection = connection_.lock();
  if (!connection || !takes(id, Phase::kStreaming)) {
    ready(false);
  } else if (connection->pending_bytes() == 0) {
    loop_.post([ready] { ready(true); });  // for HEAD nothing ever pends: a call would go deep
  } else {
    drain_waiters_.push_back(ready);
  }
}

void Session::drained() {
  const auto keep = shared_from_this();
  if (waiting_ == Waiting::kWrite) set_deadline(Waiting::kNothing, {});
  for (auto& ready : std::exchange(drain_waiters_, {}))
    ready(true);
  if (phase_ == Phase::kReading && waiting_ == Waiting::kNothing) pump();
}

void Session::peer_finished() {
  const auto keep = shared_from_this();
  peer_finished_ = true;
  if (phase_ == Phase::kReading) pump();
}

void Session::closed() {
  phase_ = Phase::kClosed;
  count_body(0);
  set_deadline(Waiting::kNothing, {});
  timer_ = {};
  armed_ = false;
  const auto keep = shared_from_this();
  for (auto& ready : std::exchange(drain_waiters_, {}))
    ready(false);
}

/// Keeps one timer for all deadlines: a later deadline only moves a number, and the timer looks
/// again when it fires. Most requests so cost no timer at all.
void Session::set_deadline(Waiting waiting, Duration from_now) {
  waiting_ = waiting;
  if (waiting == Waiting::kNothing) return;
  const Instant now = SystemClock{}.now().instant;
  deadline_ = now + from_now;
  if (!armed_ || deadline_ < armed_for_) arm(now);
}

void Session::arm(Instant now) {
  armed_ = true;
  armed_for_ = deadline_;
  timer_ = loop_.run_after(std::max(Duration::zero(), deadline_ - now), [weak = weak_from_this()] {
    if (const auto session = weak.lock()) session->on_timer();
  });
}

void Session::on_timer() {
  armed_ = false;
  if (waiting_ == Waiting::kNothing) return;
  const Instant now = SystemClock{}.now().instant;
  if (now < deadline_) {
    arm(now);
    return;
  }
  on_deadline();
}

void Session::on_deadline() {
  const auto connection = connection_.lock();
  if (!connection) return;
  switch (waiting_) {
    case Waiting::kNothing: return;
    case Waiting::kIdle: close_when_sent("idle"); return;
    case Waiting::kHead: refuse(408, "the request head did not arrive in time"); return;
    case Waiting::kBody:
      if (received_bytes_ - body_mark_ >= kBodyPaceMin) {
        await_body();
      } else {
        refuse(408, "the request body did not get on in time");
      }
      return;
    case Waiting::kWrite: {
      const std::uint64_t delivered = queued_bytes_ - connection->pending_bytes();
      if (delivered == delivered_bytes_) {
        phase_ = Phase::kClosed;
        waiting_ = Waiting::kNothing;
        connection->close("peer does not read");
        return;
      }
      delivered_bytes_ = delivered;
      set_deadline(Waiting::kWrite, shared_->limits.write_timeout);
      return;
    }
  }
}

/// Belongs to the connection, which may end while a handler still holds a responder.
class SessionHandler final : public ConnectionHandler {
 public:
  explicit SessionHandler(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  void on_bytes(std::string_view bytes) override { session_->bytes(bytes); }
  void on_drained() override { session_->drained(); }
  void on_peer_finished() override { session_->peer_finished(); }
  void on_closed(std::string_view) override { session_->closed(); }

 private:
  const std::shared_ptr<Session> session_;
};

class Server final : public HttpServer {
 public:
  Server(std::shared_ptr<Shared> shared, std::unique_ptr<Listener> listener)
      : shared_(std::move(shared)), listener_(std::move(listener)) {}
  ~Server() override { shared_->stopped = true; }
  Endpoint endpoint() const override { return listener_->endpoint(); }

 private:
  const std::shared_ptr<Shared> shared_;
  const std::unique_ptr<Listener> listener_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(EventLoops& loops, const std::string& host,
                                                       std::uint16_t port, HttpLimits limits,
                                                       HttpHandler handler) {
  auto shared = std::make_shared<Shared>();
  shared->limits = limits;
  shared->handler = std::move(handler);
  auto listener = Listener::listen(loops, host, port, limits.connections,
                                   [shared](const std::shared_ptr<Connection>& connection)
                                       -> std::unique_ptr<ConnectionHandler> {
                                     auto session = std::make_shared<Session>(shared, connection);
                                     session->opened();
                                     return std::make_unique<SessionHandler>(std::move(session));
                                   });
  if (!listener) return fail(std::move(listener).error());
  return std::unique_ptr<HttpServer>(
      std::make_unique<Server>(std::move(shared), *std::move(listener)));
}

}  // namespace heddle::net
