#include "base/net/plain_http.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace heddle::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What the client makes of these bytes, after which the server closes.
Result<HttpResponse> answer_of(const std::string& bytes, HttpCall call = {}) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  std::thread server([&bytes, end = ends[1]] {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t count = ::send(end, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count < 0) break;
      sent += static_cast<std::size_t>(count);
    }
    ::close(end);
  });
  if (call.url.empty()) call.url = "http://localhost:1/x";
  auto answer = read_plain_response(ends[0], call);
  ::close(ends[0]);
  server.join();
  return answer;
}

std::string error_of(const std::string& bytes, HttpCall call = {}) {
  const auto answer = answer_of(bytes, std::move(call));
  return answer ? "no error" : answer.error().message;
}

class PlainHttpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = HttpServer::listen(loops_, "127.0.0.1", 0, {}, [](auto request, auto responder) {
      responder->respond(text_response(
          request.path == "/missing" ? 404 : 200, "text/plain",
          request.method + " " + request.target + " " + std::string(request.headers.get("X-A")) +
              " " + std::string(request.headers.get("Host")) + " " + request.body));
    });
    ASSERT_TRUE(server.has_value());
    server_ = *std::move(server);
  }
  std::string authority() const { return to_string(server_->endpoint()); }

  EventLoops loops_{1};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(PlainHttpTest, SendsMethodTargetHeadersAndBody) {
  HttpCall call{.method = "PUT", .url = "http://" + authority() + "/a?b=c", .body = "hello"};
  call.headers.add("X-A", "a");
  const auto answer = plain_http_call(call);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "PUT /a?b=c a " + authority() + " hello");
  EXPECT_EQ(answer->headers.get("content-type"), "text/plain");
}

TEST_F(PlainHttpTest, AnErrorStatusIsAnAnswer) {
  const auto answer = plain_http_call({.url = "http://" + authority() + "/missing"});
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 404);
}

TEST_F(PlainHttpTest, AnAddressWithoutPathAsksForTheRoot) {
  const auto answer = plain_http_call({.url = "http://" + authority()});
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(answer->body, HasSubstr("GET / "));
  const auto query = plain_http_call({.url = "http://" + authority() + "?a=b"});
  ASSERT_TRUE(query.has_value());
  EXPECT_THAT(query->body, HasSubstr("GET /?a=b "));
}

TEST_F(PlainHttpTest, AHeadHasNoBodyAlthoughItSaysHowLongThatWouldBe) {
  const auto answer = plain_http_call({.method = "HEAD", .url = "http://" + authority() + "/a"});
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "");
  EXPECT_NE(answer->headers.get("Content-Length"), "0");
}

TEST_F(PlainHttpTest, NobodyThereIsUnavailable) {
  const std::string was = authority();
  server_.reset();
  const auto answer = plain_http_call({.url = "http://" + was + "/"});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr(was));
}

TEST(PlainHttp, RefusesAddressesItCannotUse) {
  struct Row {
    std::string url;
    ErrorCode code;
    const char* message;
  };
  const Row table[] = {
      {"https://a/", ErrorCode::kUnsupported, "only http:// addresses"},
      {"a:1/", ErrorCode::kUnsupported, "only http:// addresses"},
      {"http://", ErrorCode::kInvalidArgument, "not of the form http://host:port/path"},
      {"http://:80/", ErrorCode::kInvalidArgument, "not of the form"},
      {"http://a:/", ErrorCode::kInvalidArgument, "not of the form"},
      {"http://a:0/", ErrorCode::kInvalidArgument, "not of the form"},
      {"http://a:65536/", ErrorCode::kInvalidArgument, "not of the form"},
      {"http://a:80x/", ErrorCode::kInvalidArgument, "not of the form"},
      {"http://a/b c", ErrorCode::kInvalidArgument, "no blanks or line ends"},
      {"http://a/\r\nX: y", ErrorCode::kInvalidArgument, "no blanks or line ends"},
  };
  for (const Row& row : table) {
    const auto answer = plain_http_call({.url = row.url});
    ASSERT_FALSE(answer.has_value()) << row.url;
    EXPECT_EQ(answer.error().code, row.code) << row.url;
    EXPECT_THAT(answer.error().message, HasSubstr(row.message)) << row.url;
  }
}

TEST(PlainHttp, RefusesWhatItDoesNotDo) {
  EXPECT_EQ(plain_http_call({.url = "http://a/", .upload_file = "/x"}).error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(plain_http_call({.url = "http://a/", .redirects_max = 1}).error().code,
            ErrorCode::kUnsupported);
  HttpCall split{.url = "http://a/"};
  split.headers.add("X", "a\r\nY: b");
  EXPECT_THAT(plain_http_call(split).error().message, HasSubstr("holds a line end"));
}

TEST(PlainHttp, ReadsABodyInEachOfItsForms) {
  struct Row {
    const char* name;
    std::string bytes;
    const char* body;
  };
  const Row table[] = {
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
      {"chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n"
       "0\r\nTrailer: t\r\n\r\n",
       "hello"},
      {"until the end", "HTTP/1.1 200 OK\r\n\r\nhello", "hello"},
      {"old", "HTTP/1.0 200 OK\r\n\r\nhello", "hello"},
      {"none", "HTTP/1.1 204 No Content\r\n\r\n", ""},
      {"not changed", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ""},
      {"more than asked for", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
       "hello"},
  };
  for (const Row& row : table) {
    const auto answer = answer_of(row.bytes);
    ASSERT_TRUE(answer.has_value()) << row.name << ": " << answer.error().message;
    EXPECT_EQ(answer->body, row.body) << row.name;
  }
}

TEST(PlainHttp, AnInterimAnswerWasTakenForTheAnswer) {
  const auto answer = answer_of(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "ok");
  EXPECT_EQ(answer->headers.get("Link"), "");
}

TEST(PlainHttp, WhatIsNoWholeAnswerIsAnError) {
  struct Row {
    const char* name;
    std::string bytes;
    const char* message;
  };
  const Row table[] = {
      {"nothing", "", "breaks off"},
      {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", "is not HTTP"},
      {"half a head", "HTTP/1.1 200 OK\r\nContent-", "breaks off"},
      {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "breaks off"},
      {"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
       "breaks off"},
      {"chunks without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
       "breaks off"},
      {"a chunk of no size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       "is not HTTP"},
      {"a chunk of any size",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
       "is not HTTP"},
      {"a bad length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", "is not HTTP"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
       "is not HTTP"},
      {"no status", "HTTP/1.1 abc OK\r\n\r\n", "is not HTTP"},
      {"a head without end", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'), "is not HTTP"},
  };
  for (const Row& row : table) {
    EXPECT_THAT(error_of(row.bytes), HasSubstr(row.message)) << row.name;
  }
}

TEST(PlainHttp, TheLineBeforeAChunkGrewWithoutBound) {
  EXPECT_THAT(error_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=" +
                       std::string(1'000'000, 'x')),
              HasSubstr("is not HTTP"));
}

TEST(PlainHttp, ALongerBodyThanAllowedIsRefusedWithTheLimit) {
  HttpCall call;
  call.body_max = 4;
  EXPECT_THAT(error_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", call),
              HasSubstr("is longer than 4 bytes"));
  call.body_max = 5;
  EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", call), "no error");
}

TEST(PlainHttp, TellsTheHeadBeforeTheBodyAndStopsWhenTold) {
  std::vector<std::string> told;
  HttpCall call;
  call.on_head = [&](const HttpResponse& head) { told.push_back(std::to_string(head.status)); };
  call.on_body = [&](std::string_view piece) {
    told.emplace_back(piece);
    return piece != "lo";
  };
  EXPECT_THAT(
      error_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n"
               "5\r\nnever\r\n0\r\n\r\n",
               call),
      HasSubstr("reading was stopped"));
  EXPECT_THAT(told, ElementsAre("200", "hel", "lo"));
}

TEST(PlainHttp, ASilentServerIsGivenUp) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  HttpCall call{.url = "http://localhost:1/x", .idle_timeout = std::chrono::milliseconds(1)};
  const auto answer = read_plain_response(ends[0], call);
  ::close(ends[0]);
  ::close(ends[1]);
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(answer.error().message, HasSubstr("timed out"));
}

}  // namespace
}  // namespace heddle::net
