// The proxy between a real client and a real server over loopback.
#include "compat/proxy/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <vector>

#include "tests/testlib/fake_reports.h"

namespace heddle::compat::proxy {
namespace {

using ::testing::HasSubstr;

class ProxyCalls : public ::testing::Test {
 protected:
  ProxyCalls() : loops(2) {
    auto master = net::HttpServer::listen(
        loops, "127.0.0.1", 0, {},
        [](const net::HttpRequest& request, const std::shared_ptr<net::HttpResponder>& responder) {
          serve_master(request, responder);
        });
    EXPECT_TRUE(master);
    master_ = std::move(*master);
    rm::AppReport app;
    app.id = {1, 2};
    app.state = rm::AppState::kRunning;
    app.original_tracking_url = "http://" + net::to_string(master_->endpoint());
    reports.app_list.push_back(app);
    app.id = {1, 3};
    app.original_tracking_url = "http://127.0.0.1:1";  // nobody listens
    reports.app_list.push_back(app);
    proxy = std::make_unique<WebProxy>(reports, ProxyLimits{.threads = 2});
    auto front = net::HttpServer::listen(
        loops, "127.0.0.1", 0, {},
        [this](net::HttpRequest request, const std::shared_ptr<net::HttpResponder>& responder) {
          proxy->handle(std::move(request), "alice", responder);
        });
    EXPECT_TRUE(front);
    front_ = std::move(*front);
  }

  ~ProxyCalls() override {
    proxy.reset();
    front_.reset();
    master_.reset();
    loops.stop();
  }

  static void serve_master(const net::HttpRequest& request,
                           const std::shared_ptr<net::HttpResponder>& responder) {
    if (request.path == "/hang" && hang().take(responder)) return;
    if (request.path == "/big") {
      responder->start({}, std::nullopt);
      for (int i = 0; i < 64; ++i)
        responder->write(std::string(65'536, 'x'));
      responder->finish();
      return;
    }
    auto response =
        net::text_response(request.path == "/move" ? 302 : 200, "text/plain",
                           request.method + " " + request.target + " " +
                               std::string(request.headers.get("Cookie")) + " " + request.body);
    if (request.path == "/move") {
      response.headers.add("Location",
                           "http://" + std::string(request.headers.get("Host")) + "/to");
    }
    responder->respond(std::move(response));
  }

  /// Requests for /hang wait here until the test lets them go.
  class Hang {
   public:
    bool take(const std::shared_ptr<net::HttpResponder>& responder) {
      const std::lock_guard lock(mutex_);
      if (!over_) taken_.push_back(responder);
      came_.notify_all();
      return !over_;
    }
    void wait_for_one() {
      std::unique_lock lock(mutex_);
      came_.wait(lock, [this] { return !taken_.empty(); });
    }
    void let_go() {
      const std::lock_guard lock(mutex_);
      over_ = true;
      taken_.clear();
    }

   private:
    std::mutex mutex_;
    std::condition_variable came_;
    bool over_ = false;
    std::vector<std::shared_ptr<net::HttpResponder>> taken_;
  };
  static Hang& hang() {
    static Hang all;
    return all;
  }

  Result<net::HttpResponse> ask(const std::string& path, const std::string& method = "GET",
                                const std::string& body = "") {
    net::HttpCall call;
    call.method = method;
    call.url = "http://" + net::to_string(front_->endpoint()) + path;
    call.body = body;
    return net::http_call(call);
  }

  net::EventLoops loops;
  testlib::FakeReports reports;
  std::unique_ptr<WebProxy> proxy;
  std::unique_ptr<net::HttpServer> master_;
  std::unique_ptr<net::HttpServer> front_;
};

TEST_F(ProxyCalls, RequestsReachTheMasterWithTheUsersName) {
  const auto answer = ask("/proxy/application_1_0002/ws/v1/mapreduce?x=1");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "GET /ws/v1/mapreduce?x=1 proxy-user=alice ");
}

TEST_F(ProxyCalls, BodiesAreSentOn) {
  const auto answer = ask("/proxy/application_1_0002/kill", "PUT", "{\"a\":1}");
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->body, HasSubstr("PUT /kill"));
  EXPECT_THAT(answer->body, HasSubstr("{\"a\":1}"));
}

TEST_F(ProxyCalls, LargeAnswersStreamThrough) {
  const auto answer = ask("/proxy/application_1_0002/big");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body.size(), 64U * 64 * 1024);
}

TEST_F(ProxyCalls, RedirectsOfTheMasterStayUnderTheProxy) {
  const auto answer = ask("/proxy/application_1_0002/move");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(answer->headers.get("Location"), "/proxy/application_1_0002/to");
}

TEST_F(ProxyCalls, AMasterThatDoesNotAnswerIsABadGateway) {
  const auto answer = ask("/proxy/application_1_0003/");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 502);
  EXPECT_THAT(answer->body, HasSubstr("application_1_0003 cannot be reached"));
}

TEST_F(ProxyCalls, NoNameOfAMasterLeadsToALinkLocalAddress) {
  rm::AppReport app = reports.app_list[0];
  app.id = {1, 4};
  app.original_tracking_url = "http://2852039166";  // 169.254.169.254 as one number
  reports.app_list.push_back(app);
  const auto answer = ask("/proxy/application_1_0004/latest/meta-data");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 502);
  EXPECT_THAT(answer->body, HasSubstr("link-local"));
}

/// A client that takes nothing more, and tells when it is waited for.
class FullResponder final : public net::HttpResponder {
 public:
  std::promise<void> waited_for;
  std::promise<void> broken_off;
  void respond(net::HttpResponse) override {}
  void start(net::HttpResponse, std::optional<std::uint64_t>) override {}
  void write(std::string) override {}
  void send_file(int, std::uint64_t, std::uint64_t) override {}
  void finish() override {}
  void abort(std::string_view) override { broken_off.set_value(); }
  void when_drained(std::function<void(bool)>) override { waited_for.set_value(); }
};

TEST_F(ProxyCalls, TheEndOfTheProxyDoesNotWaitForASlowClient) {
  // Without an end to its patience the test would never end.
  proxy = std::make_unique<WebProxy>(
      reports, ProxyLimits{.threads = 1, .client_patience = std::chrono::hours(24)});
  net::HttpRequest request;
  request.method = "GET";
  request.target = request.path = "/proxy/application_1_0002/big";
  const auto client = std::make_shared<FullResponder>();
  proxy->handle(std::move(request), "alice", client);
  client->waited_for.get_future().wait();
  proxy.reset();
  client->broken_off.get_future().wait();
}

TEST_F(ProxyCalls, AMasterThatHangsLeavesThreadsToTheOthers) {
  rm::AppReport app = reports.app_list[0];
  app.id = {1, 5};
  reports.app_list.push_back(app);
  proxy = std::make_unique<WebProxy>(
      reports, ProxyLimits{.threads = 2, .same_app = 1, .idle_timeout = std::chrono::hours(24)});
  for (int i = 0; i < 4; ++i) {
    net::HttpRequest request;
    request.method = "GET";
    request.target = request.path = "/proxy/application_1_0005/hang";
    proxy->handle(std::move(request), "", std::make_shared<FullResponder>());
  }
  hang().wait_for_one();
  const auto answer = ask("/proxy/application_1_0002/other");
  hang().let_go();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
}

TEST_F(ProxyCalls, UnknownApplicationsAreNotFound) {
  EXPECT_EQ(ask("/proxy/application_9_0001/")->status, 404);
  EXPECT_EQ(ask("/proxy/nonsense/")->status, 400);
}

}  // namespace
}  // namespace heddle::compat::proxy
