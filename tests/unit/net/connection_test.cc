#include "base/net/connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <future>
#include <thread>

#include "tests/unit/net/net_testing.h"

namespace heddle::net {
namespace {

using testing::Events;
using ::testing::HasSubstr;
using testing::recording;

class ConnectionTest : public ::testing::Test {
 protected:
  std::unique_ptr<Listener> listen(HandlerFactory factory, Listener::Limits limits = {}) {
    auto listener = Listener::listen(loops_, "localhost", 0, limits, std::move(factory));
    EXPECT_TRUE(listener.has_value()) << listener.error().message;
    return *std::move(listener);
  }
  Result<std::shared_ptr<Connection>> connect_to(const std::string& host, std::uint16_t port,
                                                 const std::shared_ptr<Events>& events) {
    std::promise<Result<std::shared_ptr<Connection>>> promise;
    connect(loops_.next(), host, port, std::chrono::seconds(20), recording(events),
            [&](auto result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }
  static void on_loop(Connection& connection, std::function<void()> task) {
    std::promise<void> done;
    connection.loop().post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  EventLoops loops_{2};
  std::shared_ptr<Events> server_ = std::make_shared<Events>();
  std::shared_ptr<Events> client_ = std::make_shared<Events>();
};

TEST_F(ConnectionTest, BytesGoThereAndBack) {
  const auto listener = listen(recording(
      server_, [](Connection& c, std::string_view bytes) { c.send(std::string(bytes)); }));
  const auto connection = connect_to("localhost", listener->endpoint().port, client_);
  ASSERT_TRUE(connection.has_value());
  on_loop(**connection, [&] {
    (*connection)->send("hel");
    (*connection)->send("lo");
  });
  EXPECT_EQ(client_->wait_bytes(5), "hello");
}

TEST_F(ConnectionTest, CloseAfterFlushDeliversEverythingThoughInputIsUnread) {
  const std::string big(8'000'000, 'x');
  const auto listener = listen(recording(server_, [&](Connection& c, std::string_view) {
    c.send(big);
    c.close_after_flush("said all");
  }));
  const auto connection = connect_to("127.0.0.1", listener->endpoint().port, client_);
  ASSERT_TRUE(connection.has_value());
  on_loop(**connection, [&] { (*connection)->send(std::string(3'000'000, 'y')); });
  EXPECT_EQ(client_->wait_bytes(big.size()).size(), big.size());
  EXPECT_EQ(server_->wait_closed(), "said all");
}

/// A peer that takes what it is sent in pieces, with pauses that are timers of the sender's loop:
/// on a machine that stands still both stand still.
class SlowPeer {
 public:
  SlowPeer(EventLoop& loop, std::uint16_t port, Duration pause)
      : loop_(loop), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), pause_(pause) {
    const int small = 64 * 1024;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::send(socket_, "go", 2, MSG_NOSIGNAL), 2);
  }
  ~SlowPeer() { ::close(socket_); }
  SlowPeer(const SlowPeer&) = delete;
  SlowPeer& operator=(const SlowPeer&) = delete;

  /// How many bytes came before the end.
  std::size_t take(int slow_pieces) {
    for (int i = 0; i < slow_pieces; ++i) {
      std::promise<void> paused;
      EventLoop::Timer timer;
      loop_.post([&] { timer = loop_.run_after(pause_, [&] { paused.set_value(); }); });
      paused.get_future().wait();
      receive(2'097'152);
    }
    receive(SIZE_MAX);
    return taken_;
  }

 private:
  void receive(std::size_t most) {
    std::vector<char> buffer(262'144);
    for (std::size_t got = 0; got < most;) {
      const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (count <= 0) return;
      got += static_cast<std::size_t>(count);
      taken_ += static_cast<std::size_t>(count);
    }
  }
  EventLoop& loop_;
  const int socket_;
  const Duration pause_;
  std::size_t taken_ = 0;
};

/// More than the buffers of both ends hold.
std::string much() {
  std::string bytes;
  bytes.resize(32'000'000, 'x');
  return bytes;
}

TEST(CloseAfterFlush, GoesOnForAsLongAsThePeerTakesSomething) {
  constexpr Duration kPatience = std::chrono::milliseconds(500);
  const std::string big = much();
  EventLoops loops(1);
  const auto events = std::make_shared<Events>();
  const auto listener = Listener::listen(loops, "127.0.0.1", 0, {},
                                         recording(events, [&](Connection& c, std::string_view) {
                                           c.send(big);
                                           c.close_after_flush("said all", kPatience);
                                         }));
  ASSERT_TRUE(listener.has_value());
  SlowPeer peer(loops.next(), (*listener)->endpoint().port, kPatience / 5);
  EXPECT_EQ(peer.take(8), big.size());
  EXPECT_EQ(events->wait_closed(), "said all");
}

TEST(CloseAfterFlush, EndsWhenThePeerTakesNothing) {
  EventLoops loops(1);
  const auto events = std::make_shared<Events>();
  const auto listener = Listener::listen(
      loops, "127.0.0.1", 0, {}, recording(events, [&](Connection& c, std::string_view) {
        c.send(much());
        c.close_after_flush("said all", std::chrono::milliseconds(20));
      }));
  ASSERT_TRUE(listener.has_value());
  const SlowPeer peer(loops.next(), (*listener)->endpoint().port, Duration(0));
  EXPECT_THAT(events->wait_closed(), HasSubstr("does not take the last bytes"));
}

TEST_F(ConnectionTest, AFileIsSentBetweenStrings) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  std::fputs("0123456789", file);
  std::fflush(file);
  const int descriptor = ::dup(::fileno(file));
  std::fclose(file);
  const auto listener = listen(recording(server_, [&](Connection& c, std::string_view) {
    c.send("[");
    c.send_file(descriptor, 2, 5);
    c.send("]");
  }));
  const auto connection = connect_to("127.0.0.1", listener->endpoint().port, client_);
  on_loop(**connection, [&] { (*connection)->send("go"); });
  EXPECT_EQ(client_->wait_bytes(7), "[23456]");
  EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1) << "the descriptor is closed after use";
}

TEST_F(ConnectionTest, PausedReadingTakesNothingUntilResumed) {
  const auto listener =
      listen(recording(server_, [](Connection& c, std::string_view) { c.pause_reading(); }));
  const auto connection = connect_to("127.0.0.1", listener->endpoint().port, client_);
  on_loop(**connection, [&] { (*connection)->send("a"); });
  server_->wait_bytes(1);
  const auto accepted = server_->wait_connection();
  on_loop(**connection, [&] { (*connection)->send("b"); });
  client_->wait_drained();
  on_loop(*accepted, [] {});
  EXPECT_EQ(server_->wait_bytes(1), "a");
  on_loop(*accepted, [&] { accepted->resume_reading(); });
  EXPECT_EQ(server_->wait_bytes(2), "ab");
}

TEST_F(ConnectionTest, ThePeerThatLeavesIsNoticed) {
  const auto listener = listen(recording(server_));
  const auto connection = connect_to("127.0.0.1", listener->endpoint().port, client_);
  on_loop(**connection, [&] { (*connection)->close("enough"); });
  EXPECT_EQ(client_->wait_closed(), "enough");
  EXPECT_EQ(server_->wait_closed(), "closed by peer");
}

TEST_F(ConnectionTest, AConnectionBeyondThePeerLimitIsClosedAtOnce) {
  Listener::Limits limits;
  limits.connections_per_peer_max = 1;
  const auto listener = listen(recording(server_), limits);
  const auto first = connect_to("127.0.0.1", listener->endpoint().port, client_);
  ASSERT_TRUE(first.has_value());
  server_->wait_connection();
  const auto events = std::make_shared<Events>();
  const auto second = connect_to("127.0.0.1", listener->endpoint().port, events);
  ASSERT_TRUE(second.has_value());
  events->wait_closed();
  EXPECT_EQ(listener->refused_connections(), 1U);
  EXPECT_EQ(listener->open_connections(), 1U);
}

TEST_F(ConnectionTest, AConnectionThatFoundNoDescriptorIsAcceptedOnceThereIsOne) {
  const auto listener = listen(recording(server_));
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listener->endpoint().port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(client);  // the lowest that is free
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  for (int turn = 0; turn < 20; ++turn) {  // in which the listener looks and finds nothing free
    std::promise<void> done;
    loops_.next().post([&] { done.set_value(); });
    done.get_future().wait();
  }
  EXPECT_EQ(listener->open_connections(), 0U);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  server_->wait_connection();
  EXPECT_EQ(listener->open_connections(), 1U);
  ::close(client);
}

TEST_F(ConnectionTest, ATakenPortIsNamedWithItsHolder) {
  const auto listener = listen(recording(server_));
  const auto port = listener->endpoint().port;
  const auto second = Listener::listen(loops_, "localhost", port, {}, recording(server_));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(port)));
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(::getpid())));
}

TEST_F(ConnectionTest, ThePortIsFreeOnceTheListenerIsGone) {
  auto listener = listen(recording(server_));
  const auto port = listener->endpoint().port;
  listener.reset();
  EXPECT_TRUE(Listener::listen(loops_, "localhost", port, {}, recording(server_)).has_value());
}

TEST_F(ConnectionTest, ConnectingToNobodyFailsWithTheAddress) {
  auto listener = listen(recording(server_));
  const auto port = listener->endpoint().port;
  listener.reset();
  const auto connection = connect_to("localhost", port, client_);
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(connection.error().message, HasSubstr("localhost:" + std::to_string(port)));
}

TEST_F(ConnectionTest, StoppingTheLoopsClosesEveryConnection) {
  const auto listener = listen(recording(server_));
  const auto connection = connect_to("127.0.0.1", listener->endpoint().port, client_);
  ASSERT_TRUE(connection.has_value());
  server_->wait_connection();
  loops_.stop();
  client_->wait_closed();
  server_->wait_closed();
}

/// Handlers made, told of their end, and gone.
struct Lives {
  std::atomic<int> made = 0;
  std::atomic<int> closed = 0;
  std::atomic<int> gone = 0;
};
class CountedHandler final : public ConnectionHandler {
 public:
  explicit CountedHandler(Lives& lives) : lives_(lives) { ++lives_.made; }
  ~CountedHandler() override { ++lives_.gone; }
  void on_bytes(std::string_view bytes) override {
    const auto connection = connection_.lock();
    connection->send(std::string(bytes));
    if (bytes.ends_with('.')) connection->close_after_flush("said all");
  }
  void on_closed(std::string_view) override { ++lives_.closed; }

 private:
  Lives& lives_;
};

/// Connects again and again, and leaves in each of the ways there are.
void come_and_go(std::uint16_t port, const std::atomic<bool>& enough) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; !enough; ++i) {
    const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
      ::send(peer, i % 2 == 0 ? "hello" : "hello.", i % 2 == 0 ? 5 : 6, MSG_NOSIGNAL);
      char answer[16];
      if (i % 3 == 0) static_cast<void>(::recv(peer, answer, sizeof(answer), 0));
    }
    ::close(peer);
  }
}

TEST(Teardown, EveryHandlerIsToldOnceWhenLoopsStopWhileConnectionsComeAndGo) {
  for (int round = 0; round < 20; ++round) {
    Lives lives;
    {
      EventLoops loops(3);
      auto listener = Listener::listen(loops, "127.0.0.1", 0, {}, [&lives](const auto&) {
        return std::make_unique<CountedHandler>(lives);
      });
      ASSERT_TRUE(listener.has_value());
      const std::uint16_t port = (*listener)->endpoint().port;
      std::atomic<bool> enough = false;
      std::vector<std::jthread> peers;
      peers.reserve(3);
      for (int i = 0; i < 3; ++i)
        peers.emplace_back([&enough, port] { come_and_go(port, enough); });
      while (lives.made < 50)
        std::this_thread::yield();
      enough = round % 2 == 0;  // the other half of the rounds, they go on
      loops.stop();
      EXPECT_EQ(lives.closed, lives.made);
      listener->reset();
      enough = true;
    }
    EXPECT_EQ(lives.gone, lives.made);
    EXPECT_EQ(lives.closed, lives.made);
  }
}

TEST(EventLoopTest, TasksRunInOrderOfPosting) {
  EventLoops loops(1);
  EventLoop& loop = loops.next();
  std::vector<int> order;
  std::promise<void> done;
  for (int i = 0; i < 100; ++i)
    loop.post([&order, i] { order.push_back(i); });
  loop.post([&] { done.set_value(); });
  done.get_future().wait();
  ASSERT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(EventLoopTest, ADestroyedTimerDoesNotFire) {
  EventLoops loops(1);
  EventLoop& loop = loops.next();
  std::promise<std::string> result;
  loop.post([&] {
    auto first = std::make_shared<EventLoop::Timer>(
        loop.run_after(Duration(0), [&] { result.set_value("the destroyed one fired"); }));
    first.reset();
    auto second = std::make_shared<EventLoop::Timer>();
    *second = loop.run_after(Duration(0), [&result, second] { result.set_value("ok"); });
  });
  EXPECT_EQ(result.get_future().get(), "ok");
}

}  // namespace
}  // namespace heddle::net
