#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <future>
#include <thread>

#include "base/net/http.h"
#include "tests/unit/net_http/raw_client.h"

namespace heddle::net {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Answers "METHOD path body" to everything, unless a test brings its own handler.
void echo(HttpRequest request, const std::shared_ptr<HttpResponder>& responder) {
  responder->respond(text_response(
      200, "text/plain", fmt::format("{} {} {}\n", request.method, request.path, request.body)));
}

class HttpServerTest : public ::testing::Test {
 protected:
  std::uint16_t serve(HttpHandler handler = echo, HttpLimits limits = {}) {
    auto server = HttpServer::listen(loops_, "127.0.0.1", 0, limits, std::move(handler));
    EXPECT_TRUE(server.has_value());
    server_ = *std::move(server);
    return server_->endpoint().port;
  }
  std::string exchange(std::string_view request, HttpLimits limits = {}) {
    RawClient client(serve(echo, limits));
    client.send(request);
    return client.receive_all();
  }

  EventLoops loops_{1};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersWithLengthAndDate) {
  const std::string answer =
      exchange("GET /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nDate: "));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /a b \n"));
}

TEST_F(HttpServerTest, AnswersWith503UntilItsHandlerIsThere) {
  LateHandler late;
  RawClient client(serve(late));
  client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.receive_until("starting\n"), StartsWith("HTTP/1.1 503 "));
  late.set(echo);
  client.send("GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.receive_all(), EndsWith("GET /2 \n"));
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  RawClient client(serve());
  std::string requests;
  for (int i = 0; i < 100; ++i)
    requests += fmt::format("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", i);
  client.send(requests);
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(client.receive_until(" \n"), EndsWith(fmt::format("\r\n\r\nGET /{} \n", i)));
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrderWhenTheFirstIsAnsweredLast) {
  std::promise<std::shared_ptr<HttpResponder>> first;
  RawClient client(serve([&](HttpRequest request, std::shared_ptr<HttpResponder> responder) {
    if (request.path == "/slow") {
      first.set_value(std::move(responder));
    } else {
      echo(std::move(request), responder);
    }
  }));
  client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /fast HTTP/1.1\r\nHost: h\r\n\r\n");
  first.get_future().get()->respond(text_response(200, "text/plain", "slow\n"));
  EXPECT_THAT(client.receive_until("slow\n"), Not(HasSubstr("/fast")));
  EXPECT_THAT(client.receive_until("/fast \n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, CutsTheBodyOfAHeadRequestButKeepsItsLength) {
  const std::string answer = exchange("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, ReadsAChunkedBodyInAnyPieces) {
  const std::uint16_t port = serve();
  const std::string request =
      "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "3;note=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n";
  for (std::size_t split = 1; split < request.size(); ++split) {
    RawClient client(port);
    client.send(request.substr(0, split));
    client.send(request.substr(split));
    EXPECT_THAT(client.receive_all(), EndsWith("POST /x abcde\n")) << "split at " << split;
  }
}

TEST_F(HttpServerTest, TrailersDoNotBecomeHeaders) {
  RawClient client(serve([](const HttpRequest& request, const auto& responder) {
    responder->respond(
        text_response(200, "text/plain", std::string(request.headers.get("X-User"))));
  }));
  client.send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nX-User: a\r\nConnection: close"
      "\r\n\r\n1\r\nz\r\n0\r\nX-User: root\r\n\r\n");
  EXPECT_THAT(client.receive_all(), EndsWith("\r\n\r\na"));
}

TEST_F(HttpServerTest, ClosesAnHttp10ConnectionUnlessAskedToKeepIt) {
  EXPECT_THAT(exchange("GET / HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  RawClient client(server_->endpoint().port);
  client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.receive_until("/1 \n"), HasSubstr("Connection: keep-alive\r\n"));
  client.send("GET /2 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.receive_all(), EndsWith("/2 \n"));
}

TEST_F(HttpServerTest, AnswersAClientThatHasFinishedSending) {
  RawClient client(serve());
  client.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  client.finish();
  EXPECT_THAT(client.receive_all(), EndsWith("GET /x \n"));
}

TEST_F(HttpServerTest, TellsAClientThatWaitsToGoOn) {
  RawClient client(serve());
  client.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_THAT(client.receive_until("ok\n"), EndsWith("PUT /x ok\n"));
}

TEST_F(HttpServerTest, LeavesUnknownMethodsToTheHandler) {
  EXPECT_THAT(exchange("FOO /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              EndsWith("FOO /x \n"));
}

struct Refused {
  const char* what;
  const char* bytes;
  int status;
};
class RefusedRequest : public HttpServerTest, public ::testing::WithParamInterface<Refused> {};

// Each of these could be two different requests to two different readers, or is none at all.
INSTANTIATE_TEST_SUITE_P(
    Http, RefusedRequest,
    ::testing::Values(
        Refused{"both lengths",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"
                "\r\n0\r\n\r\n",
                400},
        Refused{"both lengths, the other order",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n"
                "\r\n0\r\n\r\n",
                400},
        Refused{"two different lengths",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
                400},
        Refused{"two equal lengths",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
                400},
        Refused{"length list", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc",
                400},
        Refused{"signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc",
                400},
        Refused{"length past 64 bits",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551619\r\n\r\nabc",
                400},
        Refused{"hidden encoding",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
        Refused{
            "encoding after chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            501},
        Refused{"encoding before chunked",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                501},
        Refused{"two encodings",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
                "identity\r\n\r\n0\r\n\r\n",
                400},
        Refused{"encoding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400},
        Refused{"blank before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
        Refused{"bare line feeds", "GET / HTTP/1.1\nHost: h\n\n", 400},
        Refused{"one bare line feed", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400},
        Refused{"bare carriage return", "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400},
        Refused{"control byte in a value", "GET / HTTP/1.1\r\nHost: h\x01\r\n\r\n", 400},
        Refused{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
        Refused{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        Refused{"HTTP/2", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 400},
        Refused{"TLS", "\x16\x03\x01\x02\x01\x01", 400},
        Refused{"relative target", "GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Refused{"star target", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Refused{"broken escape in the path", "GET /%4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Refused{"broken escape in the query", "GET /?a=%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Refused{"NUL in the path", "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Refused{"unknown expectation",
                "POST / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na", 417},
        Refused{"chunk size past 64 bits",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "10000000000000001\r\na\r\n0\r\n\r\n",
                400},
        Refused{
            "negative chunk size",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
            400},
        Refused{
            "chunk longer than told",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
            400},
        Refused{"length in a trailer",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n",
                400}));

TEST_P(RefusedRequest, IsAnsweredOnceAndTheConnectionCloses) {
  SCOPED_TRACE(GetParam().what);
  const std::string answer =
      exchange(std::string(GetParam().bytes) + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, StartsWith(fmt::format("HTTP/1.1 {} ", GetParam().status)));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("smuggled")));
}

TEST_F(HttpServerTest, RefusesAHeadAboveTheLimitWith431) {
  HttpLimits limits;
  limits.head_max = 1000;
  const std::string answer =
      exchange("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", limits);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer, HasSubstr("longer than 1000 bytes"));
}

TEST_F(HttpServerTest, RefusesManySmallFieldsAboveTheLimitWith431) {
  HttpLimits limits;
  limits.head_max = 1000;
  RawClient client(serve(echo, limits));
  client.send("GET / HTTP/1.1\r\nHost: h\r\n");
  for (int i = 0; i < 300; ++i)
    client.send("X: y\r\n");
  EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, RefusesATargetAboveTheLimitWith414) {
  HttpLimits limits;
  limits.head_max = 1000;
  EXPECT_THAT(exchange("GET /" + std::string(2000, 'x'), limits), StartsWith("HTTP/1.1 414 "));
}

TEST_F(HttpServerTest, RefusesAnAnnouncedBodyAboveTheLimitWith413) {
  HttpLimits limits;
  limits.body_max = 10;
  const std::string answer =
      exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", limits);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer, HasSubstr("limit of 10 bytes"));
}

TEST_F(HttpServerTest, RefusesAChunkedBodyAboveTheLimitWith413) {
  HttpLimits limits;
  limits.body_max = 10;
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n",
                       limits),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, RefusesBodiesThatAreTooMuchTogetherUntilThereIsRoomAgain) {
  HttpLimits limits;
  limits.bodies_max = 200'000;
  const std::uint16_t port = serve(echo, limits);
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 160000\r\n\r\n";
  {
    RawClient one(port);
    RawClient two(port);
    one.send(head + std::string(150'000, 'x'));
    two.send(head + std::string(150'000, 'x'));
    while (!one.answered_within(1) && !two.answered_within(1)) {
    }
    RawClient& refused = one.answered_within(0) ? one : two;
    const std::string answer = refused.receive_all();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(answer, HasSubstr("more than 200000 bytes"));
    RawClient little(port);
    little.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_THAT(little.receive_until("ok\n"), StartsWith("HTTP/1.1 200 "));
  }
  std::string answer;
  while (!answer.starts_with("HTTP/1.1 200 ")) {  // the server may hear later of those that left
    RawClient again(port);
    again.send(head + std::string(160'000, 'x'));
    answer = again.receive_until("x\n");
  }
}

TEST_F(HttpServerTest, EndsAHeadThatDoesNotComeWith408) {
  HttpLimits limits;
  limits.head_timeout = 20ms;
  EXPECT_THAT(exchange("GET / HT", limits), StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, EndsABodyThatStopsWith408) {
  HttpLimits limits;
  limits.body_timeout = 20ms;
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", limits),
              StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, EndsABodyThatDripsWith408) {
  HttpLimits limits;
  limits.body_timeout = 20ms;
  RawClient client(serve(echo, limits));
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n");
  for (int i = 0; i < 5000 && !client.answered_within(1); ++i)
    client.send("x");
  EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, ClosesAnIdleConnectionWithoutAWord) {
  HttpLimits limits;
  limits.idle_timeout = 20ms;
  EXPECT_EQ(exchange("", limits), "");
}

TEST_F(HttpServerTest, ClosesAfterTheLastRequestOfAConnection) {
  HttpLimits limits;
  limits.requests_per_connection_max = 2;
  RawClient client(serve(echo, limits));
  for (int i = 0; i < 3; ++i)
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.receive_until(" \n"), Not(HasSubstr("Connection: close")));
  EXPECT_THAT(client.receive_until(" \n"), HasSubstr("Connection: close"));
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(HttpServerTest, AnswersAreSentFromAnotherThread) {
  std::jthread worker;
  RawClient client(serve([&](const HttpRequest&, std::shared_ptr<HttpResponder> responder) {
    worker = std::jthread([responder = std::move(responder)] {
      responder->start(text_response(200, "text/plain", ""), std::nullopt);
      responder->write("one ");
      responder->write("two");
      responder->finish();
    });
  }));
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answer = client.receive_all();
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"));
}

TEST_F(HttpServerTest, StreamsToHttp10UntilTheEndOfTheConnection) {
  RawClient client(serve([](const HttpRequest&, const auto& responder) {
    responder->start(text_response(200, "text/plain", ""), std::nullopt);
    responder->write("all");
    responder->finish();
  }));
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string answer = client.receive_all();
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nall"));
}

TEST_F(HttpServerTest, SendsAPartOfAFile) {
  const std::string path = ::testing::TempDir() + "http_server_test_file";
  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fputs("0123456789", file);
  std::fclose(file);
  RawClient client(serve([&](const HttpRequest&, const auto& responder) {
    responder->start(text_response(200, "text/plain", ""), 8);
    responder->write("<<<");
    responder->send_file(::open(path.c_str(), O_RDONLY), 3, 5);
    responder->finish();
  }));
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.receive_all(), EndsWith("\r\n\r\n<<<34567"));
}

TEST_F(HttpServerTest, BreaksOffAnAnswerShorterThanAnnounced) {
  RawClient client(serve([](const HttpRequest&, const auto& responder) {
    responder->start(text_response(200, "text/plain", ""), 100);
    responder->write("short");
    responder->finish();
  }));
  client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string got = client.receive_all();
  EXPECT_EQ(got.rfind("HTTP/1.1 "), got.find("HTTP/1.1 ")) << "a second answer: " << got;
}

TEST_F(HttpServerTest, AnswersARequestThatItsHandlerDropped) {
  RawClient client(serve([](const HttpRequest&, const auto&) {}));
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, FieldsOfAnAnswerCannotHoldLineEnds) {
  RawClient client(serve([](const HttpRequest& request, const auto& responder) {
    HttpResponse response = text_response(302, "text/plain", "");
    response.headers.set("Location", *request.query_value("to"));
    responder->respond(std::move(response));
  }));
  client.send("GET /?to=%0d%0aSet-Cookie:a=b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.receive_all(), HasSubstr("Location:   Set-Cookie:a=b\r\n"));
}

TEST_F(HttpServerTest, StopsWorkingForAClientThatDoesNotRead) {
  std::atomic<int> handled = 0;
  HttpLimits limits;
  limits.write_timeout = 50ms;
  RawClient client(
      serve(
          [&](const HttpRequest&, const auto& responder) {
            ++handled;
            responder->respond(text_response(200, "text/plain", std::string(1 << 20, 'x')));
          },
          limits),
      4096);
  std::string requests;
  for (int i = 0; i < 1000; ++i)
    requests += "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  client.send(requests);
  // The server ends the connection by itself: nothing is read before the end is certain.
  while (client.send("x"))
    std::this_thread::yield();
  EXPECT_LT(handled, 100);
}

TEST_F(HttpServerTest, TellsWhenWhatWasWrittenHasLeft) {
  std::promise<bool> drained;
  RawClient client(serve([&](const HttpRequest&, const auto& responder) {
    responder->start(text_response(200, "text/plain", ""), std::nullopt);
    responder->write(std::string(1 << 20, 'x'));
    responder->when_drained([&, responder](bool open) {
      responder->finish();
      drained.set_value(open);
    });
  }));
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.receive_all(), EndsWith("x\r\n0\r\n\r\n"));
  EXPECT_TRUE(drained.get_future().get());
}

/// Writes piece after piece, each once the one before has left.
struct Pieces : std::enable_shared_from_this<Pieces> {
  std::shared_ptr<HttpResponder> responder;
  int left = 0;
  void go_on() {
    if (left-- == 0) return responder->finish();
    responder->write("piece");
    responder->when_drained([self = shared_from_this()](bool open) {
      if (open) self->go_on();
    });
  }
};

TEST_F(HttpServerTest, WritesManyPiecesOfAHeadRequestWithoutGoingDeeper) {
  RawClient client(serve([](const HttpRequest&, std::shared_ptr<HttpResponder> responder) {
    const auto pieces = std::make_shared<Pieces>();
    responder->start(text_response(200, "text/plain", ""), std::nullopt);
    pieces->responder = std::move(responder);
    pieces->left = 200'000;
    pieces->go_on();
  }));
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.receive_all(), EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, TellsAWaitingWriterThatTheConnectionIsGone) {
  std::promise<std::shared_ptr<HttpResponder>> arrived;
  std::promise<bool> drained;
  auto client = std::make_unique<RawClient>(
      serve([&](const HttpRequest&, std::shared_ptr<HttpResponder> responder) {
        responder->start(text_response(200, "text/plain", ""), std::nullopt);
        responder->write(std::string(64 << 20, 'x'));
        responder->when_drained([&](bool open) { drained.set_value(open); });
        arrived.set_value(std::move(responder));
      }),
      4096);
  client->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto responder = arrived.get_future().get();
  client.reset();
  EXPECT_FALSE(drained.get_future().get());
}

}  // namespace
}  // namespace heddle::net
