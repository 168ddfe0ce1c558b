// The whole load against the limit server: every count fits every other.
#include "tools/load/measure.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tools/load/limit_server.h"

namespace heddle::load {
namespace {

class Measure : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = start_limit_server(loops_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
    options_.threads = 2;
    options_.nodes.tracker = {"127.0.0.1", server_.tracker->endpoint().port};
    options_.masters.scheduler = {"127.0.0.1", server_.scheduler->endpoint().port};
    options_.masters.client = {"127.0.0.1", server_.client->endpoint().port};
    options_.clients.client = options_.masters.client;
    options_.nodes.user = options_.masters.user = options_.clients.user = "root";
    options_.server_pid = ::getpid();
  }

  net::EventLoops loops_{1};
  LimitServer server_;
  Options options_;
  SystemClock clock_;
};

TEST_F(Measure, HeartbeatsOfAClosedLoopAreCountedInAndOutOfTheWindow) {
  options_.mode = Mode::kHeartbeats;
  options_.nodes.nodes = 50;
  options_.nodes.connections = 6;
  options_.nodes.counts_as_operation = true;
  options_.warm_up = 200;
  options_.measured = 1'000;
  const auto figures = measure(options_, clock_);
  ASSERT_TRUE(figures) << figures.error().message;
  EXPECT_EQ(figures->nodes.registered, 50U);
  EXPECT_EQ(figures->nodes.resyncs, 0U);
  EXPECT_GE(figures->nodes.in_window, 900U);
  EXPECT_GE(figures->nodes.heartbeats, 1'200U);
  EXPECT_EQ(figures->nodes.latency.count(), figures->nodes.in_window);
}

TEST_F(Measure, HeartbeatsOfAnOpenLoopComeAtTheirRate) {
  options_.mode = Mode::kHeartbeats;
  options_.nodes.nodes = 20;
  options_.nodes.connections = 2;
  options_.nodes.per_second = 20'000;
  options_.nodes.counts_as_operation = true;
  options_.warm_up = 0;
  options_.measured = 500;
  const auto figures = measure(options_, clock_);
  ASSERT_TRUE(figures) << figures.error().message;
  EXPECT_GE(figures->nodes.heartbeats, 500U);
}

TEST_F(Measure, MastersGetReleaseAndSayGoodbye) {
  options_.mode = Mode::kAllocate;
  options_.nodes.nodes = 10;
  options_.nodes.connections = 2;
  options_.nodes.per_second = 100;
  options_.masters.masters = 5;
  options_.masters.containers = 8;
  options_.warm_up = 100;
  options_.measured = 2'000;
  const auto figures = measure(options_, clock_);
  ASSERT_TRUE(figures) << figures.error().message;
  EXPECT_EQ(figures->masters.registered, 5U);
  EXPECT_EQ(figures->masters.ended, 5U);
  EXPECT_EQ(figures->masters.granted, figures->masters.calls * 8);
  // What the last answer brought is given back by the goodbye.
  EXPECT_EQ(figures->masters.released, figures->masters.granted - 5 * 8);
  EXPECT_GE(figures->masters.granted, 2'100U);
}

TEST_F(Measure, ClientsSubmit) {
  options_.mode = Mode::kSubmit;
  options_.clients.clients = 4;
  options_.clients.report = true;
  options_.warm_up = 10;
  options_.measured = 100;
  const auto figures = measure(options_, clock_);
  ASSERT_TRUE(figures) << figures.error().message;
  EXPECT_GE(figures->clients.acknowledged, 110U);
  EXPECT_EQ(figures->clients.reports, figures->clients.acknowledged);
}

TEST_F(Measure, AServerThatIsNotThereIsAnErrorThatNamesIt) {
  options_.mode = Mode::kHeartbeats;
  options_.nodes.tracker = {"127.0.0.1", 1};
  const auto figures = measure(options_, clock_);
  ASSERT_FALSE(figures);
  EXPECT_NE(figures.error().message.find("127.0.0.1:1"), std::string::npos);
}

TEST_F(Measure, AServerWithoutTheProtocolIsAnErrorThatQuotesIt) {
  options_.mode = Mode::kHeartbeats;
  options_.nodes.tracker = options_.masters.client;
  const auto figures = measure(options_, clock_);
  ASSERT_FALSE(figures);
  EXPECT_NE(figures.error().message.find("Unknown protocol"), std::string::npos);
}

TEST_F(Measure, TheFiguresAreOneJsonObjectWithTheServersTimeForEach) {
  options_.mode = Mode::kHeartbeats;
  options_.nodes.nodes = 5;
  options_.nodes.counts_as_operation = true;
  options_.warm_up = 10;
  options_.measured = 50;
  const auto figures = measure(options_, clock_);
  ASSERT_TRUE(figures) << figures.error().message;
  const std::string json = to_json(options_, *figures);
  for (const char* part : {"\"mode\": \"heartbeats\"", "\"server_cpu_us_each\"", "\"p999\"",
                           "\"registrations\": 5", "\"per_second\""}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
  }
}

}  // namespace
}  // namespace heddle::load
