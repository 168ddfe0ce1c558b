// The proxy between a real client and a real server over loopback.
#include "compat/proxy/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/testlib/fake_reports.h"

namespace heddle::compat::proxy {
namespace {

using ::testing::HasSubstr;

class ProxyCalls : public ::testing::Test {
 protected:
  ProxyCalls() : loops(2) {
    auto master = net::HttpServer::listen(
        loops, "127.0.0.1", 0, {},
        [](net::HttpRequest request, std::shared_ptr<net::HttpResponder> responder) {
          serve_master(std::move(request), responder);
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
        [this](net::HttpRequest request, std::shared_ptr<net::HttpResponder> responder) {
          proxy->handle(std::move(request), "alice", std::move(responder));
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

  static void serve_master(net::HttpRequest request,
                           const std::shared_ptr<net::HttpResponder>& responder) {
    if (request.path == "/big") {
      responder->start({}, std::nullopt);
      for (int i = 0; i < 64; ++i)
        responder->write(std::string(64 * 1024, 'x'));
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

TEST_F(ProxyCalls, UnknownApplicationsAreNotFound) {
  EXPECT_EQ(ask("/proxy/application_9_0001/")->status, 404);
  EXPECT_EQ(ask("/proxy/nonsense/")->status, 400);
}

}  // namespace
}  // namespace heddle::compat::proxy
