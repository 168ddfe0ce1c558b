// Calls an HTTP handler without a socket.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/net/http.h"
#include "base/text.h"

namespace heddle::testlib {

/// Collects the answer; a sent file is read.
class CollectingResponder final : public net::HttpResponder {
 public:
  net::HttpResponse answer;
  bool finished = false;
  bool aborted = false;
  std::size_t pieces = 0;

  void respond(net::HttpResponse response) override {
    answer = std::move(response);
    finished = true;
  }
  void start(net::HttpResponse head, std::optional<std::uint64_t>) override {
    answer = std::move(head);
  }
  void write(std::string bytes) override {
    ++pieces;
    answer.body += bytes;
  }
  void send_file(int descriptor, std::uint64_t offset, std::uint64_t length) override {
    std::string bytes(length, '\0');
    const ssize_t got = ::pread(descriptor, bytes.data(), length, static_cast<off_t>(offset));
    answer.body += bytes.substr(0, got > 0 ? static_cast<std::size_t>(got) : 0);
    ::close(descriptor);
  }
  void finish() override { finished = true; }
  void abort(std::string_view) override { aborted = true; }
  void when_drained(std::function<void(bool)> ready) override { ready(true); }
};

struct WebCall {
  std::string method = "GET";
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::string peer = "127.0.0.1";
};

inline net::HttpResponse call(const net::HttpHandler& handler, const WebCall& wanted) {
  net::HttpRequest request;
  request.method = wanted.method;
  request.target = wanted.target;
  const std::string path = wanted.target.substr(0, wanted.target.find('?'));
  request.path = percent_decode(path).value_or(path);
  if (path.size() < wanted.target.size()) {
    request.query =
        net::parse_query(wanted.target.substr(path.size() + 1)).value_or(net::HttpQuery{});
  }
  bool has_host = false;
  for (const auto& [name, value] : wanted.headers) {
    has_host = has_host || name == "Host";
    request.headers.add(name, value);
  }
  if (!has_host) request.headers.add("Host", "localhost:8088");
  request.body = wanted.body;
  request.peer = {wanted.peer, 40000};
  auto responder = std::make_shared<CollectingResponder>();
  handler(std::move(request), responder);
  if (!responder->finished) responder->answer.status = 0;
  return std::move(responder->answer);
}

inline net::HttpResponse get(const net::HttpHandler& handler, std::string target,
                             std::string accept = "application/json") {
  return call(handler, {.target = std::move(target), .headers = {{"Accept", std::move(accept)}}});
}

inline net::HttpResponse put(const net::HttpHandler& handler, std::string target,
                             std::string body) {
  return call(handler, {.method = "PUT",
                        .target = std::move(target),
                        .headers = {{"Content-Type", "application/json"}},
                        .body = std::move(body)});
}

inline net::HttpResponse post(const net::HttpHandler& handler, std::string target, std::string body,
                              std::string type = "application/json") {
  return call(handler, {.method = "POST",
                        .target = std::move(target),
                        .headers = {{"Content-Type", std::move(type)}},
                        .body = std::move(body)});
}

}  // namespace heddle::testlib
