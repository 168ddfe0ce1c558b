#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/net/http.h"
#include "base/net/http_wire.h"

namespace heddle::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(HttpQuery, KeepsOrderAndRepetitionsAndDecodes) {
  EXPECT_THAT(*parse_query("a=1&b&a=x+y%26z&&c=="),
              ElementsAre(Pair("a", "1"), Pair("b", ""), Pair("a", "x y&z"), Pair("c", "=")));
}

TEST(HttpQuery, RefusesBrokenEscapes) {
  for (const char* text : {"a=%", "a=%4", "a=%g1", "%zz=1"}) {
    EXPECT_FALSE(parse_query(text).has_value()) << text;
  }
}

TEST(HttpFields, CompareNamesWithoutCase) {
  HttpFields fields;
  fields.add("X-One", "1");
  fields.add("x-one", "2");
  EXPECT_EQ(fields.get("X-ONE"), "1");
  fields.set("x-oNe", "3");
  EXPECT_EQ(fields.all().size(), 1U);
  EXPECT_EQ(fields.find("X-Two"), nullptr);
}

TEST(HttpTargets, AbsoluteFormLosesItsAuthority) {
  EXPECT_EQ(parse_target("GET", "http://rm:8088/ws/v1?a=b")->path, "/ws/v1");
  EXPECT_EQ(parse_target("GET", "HTTP://rm:8088")->path, "/");
  EXPECT_EQ(parse_target("OPTIONS", "*")->path, "/");
}

TEST(HttpTargets, PathIsDecodedOnce) {
  EXPECT_EQ(parse_target("GET", "/a%252e%2F+b")->path, "/a%2e/+b");
}

TEST(ResponseHead, LengthAndEncodingAreNotTheHandlersToSet) {
  HttpResponse response;
  response.headers.add("Content-Length", "99");
  response.headers.add("Transfer-Encoding", "chunked");
  const std::string head = response_head(response, {.length = 3});
  EXPECT_THAT(head, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("99")));
  EXPECT_THAT(head, Not(HasSubstr("chunked")));
}

TEST(HttpRequestReader, FindsTheSameRequestHoweverTheBytesAreCut) {
  const std::string bytes =
      "\r\nPOST /p?q=1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
      "GET /second HTTP/1.1\r\nHost: h\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    HttpRequestReader reader({});
    std::vector<std::string> paths;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      reader.append(std::string_view(bytes).substr(at, step));
      while (reader.advance() == HttpRequestReader::State::kReady) {
        paths.push_back(reader.take().path);
      }
    }
    EXPECT_THAT(paths, ElementsAre("/p", "/second")) << "pieces of " << step;
  }
}

}  // namespace
}  // namespace heddle::net
