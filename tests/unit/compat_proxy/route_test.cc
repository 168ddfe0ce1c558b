#include "compat/proxy/route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heddle::compat::proxy {
namespace {

using ::testing::HasSubstr;

rm::AppReport running_app(std::string url) {
  rm::AppReport app;
  app.id = {1, 2};
  app.state = rm::AppState::kRunning;
  app.original_tracking_url = std::move(url);
  return app;
}

Plan plan_for(const std::string& target, const rm::AppReport& app) {
  return plan(*parse_proxy_path(target), &app);
}

TEST(ProxyPath, IsTakenApartUndecoded) {
  const auto path = parse_proxy_path("/proxy/application_1_0002/a%2Fb/?x=1&y=%20");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->app, (AppId{1, 2}));
  EXPECT_EQ(path->rest, "/a%2Fb/");
  EXPECT_EQ(path->query, "?x=1&y=%20");
  EXPECT_EQ(parse_proxy_path("/proxy/application_1_0002")->rest, "/");
  EXPECT_TRUE(parse_proxy_path("/proxy/redirect/application_1_0002/")->redirected);
  EXPECT_FALSE(parse_proxy_path("/proxy/http://evil/"));
  EXPECT_FALSE(parse_proxy_path("/proxy/"));
}

TEST(ProxyPlan, ARunningApplicationIsForwardedToWhatItsMasterRegistered) {
  EXPECT_EQ(plan_for("/proxy/application_1_0002/ws/v1?x=1", running_app("http://am:4040")).url,
            "http://am:4040/ws/v1?x=1");
  EXPECT_EQ(plan_for("/proxy/application_1_0002/", running_app("am:4040")).url, "http://am:4040/");
  EXPECT_EQ(plan_for("/proxy/application_1_0002/", running_app("https://am/ui/")).url,
            "https://am/ui");
  EXPECT_EQ(plan_for("/proxy/application_1_0002/x", running_app("https://am/ui/")).url,
            "https://am/ui/x");
}

TEST(ProxyPlan, AnEndedApplicationIsRedirectedToItsHistory) {
  auto app = running_app("http://localhost:19888/jobhistory/job/job_1_0002");
  app.state = rm::AppState::kFinished;
  const Plan where = plan_for("/proxy/application_1_0002/ws/v1/mapreduce", app);
  EXPECT_EQ(where.decision, Decision::kRedirect);
  EXPECT_EQ(where.url, "http://localhost:19888/jobhistory/job/job_1_0002/ws/v1/mapreduce");
}

TEST(ProxyPlan, WithoutATrackingUrlThePageOfTheApplicationIsShown) {
  for (const auto* url : {"", "N/A", "ftp://am/", "http://user@am/", "http://169.254.169.254/",
                          "http:///x", "file:///etc/passwd", "http://a b/"}) {
    const Plan where = plan_for("/proxy/application_1_0002/", running_app(url));
    EXPECT_EQ(where.decision, Decision::kRedirect) << url;
    EXPECT_EQ(where.url, "/cluster/app/application_1_0002") << url;
  }
}

TEST(ProxyPlan, AnUnknownApplicationIsNotFound) {
  EXPECT_EQ(plan(*parse_proxy_path("/proxy/application_1_0002/"), nullptr).decision,
            Decision::kNotFound);
}

TEST(ProxyPlan, AMasterThatSendsTheProxyBackEndsOnAPageThatSaysSo) {
  EXPECT_EQ(plan_for("/proxy/redirect/application_1_0002/", running_app("http://am")).url,
            "/cluster/failure/application_1_0002");
}

TEST(ForwardedHeaders, CredentialsAndHopByHopFieldsStayHere) {
  net::HttpRequest request;
  for (const auto* name :
       {"Host", "Authorization", "Proxy-Authorization", "Connection", "TE", "Transfer-Encoding",
        "Content-Length", "Upgrade", "X-Secret-Hop", "X-Hadoop-Delegation-Token"}) {
    request.headers.add(name, std::string(name) == "Connection" ? "close, X-Secret-Hop" : "v");
  }
  request.headers.add("Accept", "text/html");
  request.headers.add("Cookie", "hadoop.auth=\"u=a\"; theme=dark; proxy-user=root");
  const auto out = forwarded_headers(request, "alice");
  ASSERT_EQ(out.all().size(), 2U);
  EXPECT_EQ(out.get("Accept"), "text/html");
  EXPECT_EQ(out.get("Cookie"), "theme=dark; proxy-user=alice");
}

class Returned : public ::testing::Test {
 protected:
  std::string location(const std::string& value) { return rewrite_location(value, path, target); }
  ProxyPath path = *parse_proxy_path("/proxy/application_1_0002/x");
  Target target = *parse_tracking_url("http://am:4040/ui");
};

TEST_F(Returned, RedirectsInsideTheApplicationStayInside) {
  EXPECT_EQ(location("http://am:4040/ui/jobs?x"), "/proxy/application_1_0002/jobs?x");
  EXPECT_EQ(location("http://AM:4040"), "/proxy/application_1_0002/");
  EXPECT_EQ(location("/ui/jobs"), "/proxy/application_1_0002/jobs");
  EXPECT_EQ(location("/other"), "/proxy/application_1_0002/other");
  EXPECT_EQ(location("/proxy/application_1_0002/jobs"), "/proxy/application_1_0002/jobs");
}

TEST_F(Returned, OtherRedirectsAreLeftAlone) {
  for (const auto* value :
       {"http://history:19888/x", "https://am:4040/x", "//cdn/x", "jobs/", "http://am:40401/x"}) {
    EXPECT_EQ(location(value), value);
  }
}

TEST_F(Returned, CookiesAreKeptToTheApplication) {
  net::HttpFields headers;
  headers.add("Set-Cookie", "theme=dark; Path=/; Domain=am; HttpOnly");
  headers.add("Set-Cookie", "hadoop.auth=stolen; Path=/");
  headers.add("Connection", "close");
  headers.add("Content-Type", "text/html");
  const auto out = returned_headers(headers, path, target);
  ASSERT_EQ(out.all().size(), 2U);
  EXPECT_EQ(out.get("Set-Cookie"), "theme=dark; HttpOnly; Path=/proxy/application_1_0002");
}

}  // namespace
}  // namespace heddle::compat::proxy
