#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/net/http.h"

namespace heddle::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class HttpClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server =
        HttpServer::listen(loops_, "127.0.0.1", 0, {}, [this](auto request, auto responder) {
          if (request.path == "/silent") {
            silent_ = std::move(responder);
          } else {
            answer(std::move(request), *responder);
          }
        });
    ASSERT_TRUE(server.has_value());
    server_ = *std::move(server);
  }
  static void answer(const HttpRequest& request, HttpResponder& responder) {
    if (request.path == "/redirect") {
      HttpResponse response = text_response(307, "text/plain", "elsewhere");
      response.headers.set("Location", "/echo?moved=1");
      responder.respond(std::move(response));
    } else if (request.path == "/big") {
      responder.respond(text_response(200, "text/plain", std::string(100'000, 'b')));
    } else if (request.path == "/never") {
      responder.start(text_response(200, "text/plain", ""), 10);
      responder.abort("on purpose");
    } else {
      responder.respond(text_response(
          request.path == "/missing" ? 404 : 200, "text/plain",
          request.method + " " + request.target + " " + std::string(request.headers.get("X-A")) +
              " " + std::string(request.headers.get("Content-Type")) + " " + request.body));
    }
  }
  std::string url(std::string_view path) const {
    return "http://" + to_string(server_->endpoint()) + std::string(path);
  }

  std::shared_ptr<HttpResponder> silent_;
  EventLoops loops_{1};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpClientTest, ACallInWhichNothingMovesCanBeGivenUp) {
  HttpCall call{.url = url("/silent")};
  int asked = 0;
  call.go_on = [&] { return ++asked < 3; };
  const auto answer = http_call(call);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("/silent was stopped"));
}

TEST_F(HttpClientTest, SendsMethodHeadersAndBody) {
  HttpCall call{.method = "PUT", .url = url("/echo"), .body = "hello"};
  call.headers.add("X-A", "a");
  call.headers.add("Content-Type", "text/x");
  const auto answer = http_call(call);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "PUT /echo a text/x hello");
  EXPECT_EQ(answer->headers.get("content-type"), "text/plain");
}

TEST_F(HttpClientTest, AnErrorStatusIsAnAnswer) {
  EXPECT_EQ(http_call({.url = url("/missing")})->status, 404);
}

TEST_F(HttpClientTest, FollowsNoRedirectUnlessAsked) {
  const auto answer = http_call({.url = url("/redirect")});
  EXPECT_EQ(answer->status, 307);
  EXPECT_EQ(answer->headers.get("Location"), "/echo?moved=1");
  EXPECT_EQ(http_call({.url = url("/redirect"), .redirects_max = 1})->body, "GET /echo?moved=1   ");
}

TEST_F(HttpClientTest, UploadsAFile) {
  const std::string path = ::testing::TempDir() + "http_client_test_file";
  std::ofstream(path) << "from a file";
  const auto answer = http_call({.method = "PUT", .url = url("/echo"), .upload_file = path});
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "PUT /echo   from a file");
}

TEST_F(HttpClientTest, RefusesAFileThatIsNotThere) {
  const auto answer =
      http_call({.method = "PUT", .url = url("/echo"), .upload_file = "/nonexistent/file"});
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(answer.error().message, HasSubstr("/nonexistent/file"));
}

TEST_F(HttpClientTest, LimitsTheBody) {
  const auto answer = http_call({.url = url("/big"), .body_max = 1000});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kLimitExceeded);
  EXPECT_THAT(answer.error().message, HasSubstr("1000 bytes"));
}

TEST_F(HttpClientTest, StreamsTheBodyAfterTheHead) {
  std::size_t bytes = 0;
  int status_before_body = 0;
  HttpCall call{.url = url("/big")};
  call.on_head = [&](const HttpResponse& head) {
    status_before_body = bytes == 0 ? head.status : 0;
  };
  call.on_body = [&](std::string_view part) {
    bytes += part.size();
    return true;
  };
  ASSERT_TRUE(http_call(call).has_value());
  EXPECT_EQ(bytes, 100'000U);
  EXPECT_EQ(status_before_body, 200);
}

TEST_F(HttpClientTest, StopsWhenTheReaderHasEnough) {
  HttpCall call{.url = url("/big")};
  call.on_body = [](std::string_view) { return false; };
  EXPECT_FALSE(http_call(call).has_value());
}

TEST_F(HttpClientTest, ABrokenOffAnswerIsUnavailable) {
  const auto answer = http_call({.url = url("/never")});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientTest, SpeaksOnlyHttp) {
  for (const char* target : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"}) {
    const auto answer = http_call({.url = target});
    ASSERT_FALSE(answer.has_value()) << target;
    EXPECT_EQ(answer.error().code, ErrorCode::kInvalidArgument) << target;
  }
}

TEST_F(HttpClientTest, IgnoresProxiesOfTheEnvironment) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  EXPECT_TRUE(http_call({.url = url("/echo")}).has_value());
  ::unsetenv("http_proxy");
}

TEST_F(HttpClientTest, RefusesAHeaderWithALineEnd) {
  HttpCall call{.url = url("/echo")};
  call.headers.add("X-A", "a\r\nX-B: b");
  EXPECT_EQ(http_call(call).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace heddle::net
