// What goes wrong, and how it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/compat_rest/recorded.h"

namespace heddle::testlib {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kAppUrl = "/ws/v1/cluster/apps/application_1795312714741_0004";

class Refusals : public ::testing::Test {
 protected:
  RecordedCluster cluster;
};

struct Case {
  std::string target;
  int status;
  std::string says;
};

TEST_F(Refusals, ParametersAreNamedWithWhatTheyAccept) {
  const std::vector<Case> cases = {
      {"/ws/v1/cluster/apps?limit=-1", 400, "limit value must be greater then 0"},
      {"/ws/v1/cluster/apps?limit=0", 400, "limit value must be greater then 0"},
      {"/ws/v1/cluster/apps?limit=x", 400, "limit: 'x'"},
      {"/ws/v1/cluster/apps?states=FOO", 400, "Invalid application-state FOO"},
      {"/ws/v1/cluster/apps?finalStatus=FOO", 400, "Invalid finalStatus FOO"},
      {"/ws/v1/cluster/apps?startedTimeBegin=abc", 400, "startedTimeBegin: 'abc'"},
      {"/ws/v1/cluster/apps?startedTimeBegin=9&startedTimeEnd=8", 400, "startedTimeEnd"},
      {"/ws/v1/cluster/apps?deSelects=all", 400, "Invalid deSelects string all"},
      {"/ws/v1/cluster/nodes?states=FOO", 400, "NodeState.FOO"},
      {"/ws/v1/cluster/nodes/x", 400, "RemoteException"},
      {"/ws/v1/cluster/appstatistics?applicationTypes=a,b", 400, "# of applicationTypes = 2"},
      {"/ws/v1/cluster/queues/nosuch/access", 400, "Unknown queue: nosuch"},
      {kAppUrl + "/appattempts/x", 400, "AppAttemptId"},
      {kAppUrl + "/appattempts/appattempt_1795312714741_0004_000009", 404, "not found"},
      {kAppUrl + "/timeouts/FOO", 400, "LIFETIME"},
      {"/ws/v1/cluster/nosuch", 404, "nothing at"},
      {"/ws/v1/cluster/scheduler-conf", 400, "mutable-conf"},
      {"/cluster/app/application_1_0001", 404, "There is no application"},
      {"/cluster/apps/FOO", 400, "Invalid application-state FOO"},
  };
  const auto web = cluster.web();
  for (const Case& c : cases) {
    const auto answer = get(web, c.target);
    EXPECT_EQ(answer.status, c.status) << c.target;
    EXPECT_THAT(answer.body, HasSubstr(c.says)) << c.target;
  }
}

TEST_F(Refusals, BadBodiesAreToldWithLineAndColumn) {
  const auto web = cluster.web();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{bad", "line 1, column 2"},
      {"{\"state\":\n \"KILLED\" oops}", "line 2"},
      {"{\"state\":\"KILLED\",\"state\":\"KILLED\"}", "given twice"},
      {"{\"state\":NaN}", "line 1"},
      {"[1]", "an object is expected"},
      {"", "empty"},
      {"{\"state\":\"RUNNING\"}", "Only 'KILLED' is allowed as a target state."},
      {"{}", "no state"},
  };
  for (const auto& [body, says] : cases) {
    const auto answer = put(web, kAppUrl + "/state?user.name=root", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, HasSubstr(says)) << body;
  }
  EXPECT_THAT(cluster.applications.calls, IsEmpty());
}

TEST_F(Refusals, ANumberBeyond63BitsIsToldWithItsPlace) {
  const auto answer = put(cluster.web(), kAppUrl + "/priority?user.name=root",
                          "{\"priority\":1180591620717411303424}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("at most 63 bits"));
}

TEST_F(Refusals, ABodyNestedOneHundredThousandDeepIsRefused) {
  std::string body;
  for (int i = 0; i < 100'000; ++i)
    body += "{\"a\":";
  const auto answer = post(cluster.web(), "/ws/v1/cluster/apps?user.name=root", body);
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("nested deeper than 64"));
}

TEST_F(Refusals, APictureIsNotAcceptable) {
  EXPECT_EQ(get(cluster.web(), "/ws/v1/cluster/info", "image/png").status, 406);
  EXPECT_EQ(get(cluster.web(), "/ws/v1/cluster/info", "text/html").status, 200);
}

TEST_F(Refusals, OtherMethodsAreToldWhichOnesThereAre) {
  for (const auto* method : {"TRACE", "FOO", "PATCH"}) {
    const auto answer = call(
        cluster.web(),
        {.method = method, .target = kAppUrl + "/state", .headers = {{"X-Requested-By", "test"}}});
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.headers.get("Allow"), "GET, HEAD, PUT, OPTIONS") << method;
  }
}

TEST_F(Refusals, OptionsIsAnsweredBecauseYarnTopLogsInWithIt) {
  const auto answer =
      call(cluster.web(), {.method = "OPTIONS", .target = "/ws/v1/cluster/info?user.name=alice"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(std::string(answer.headers.get("Set-Cookie")), HasSubstr("hadoop.auth=\"u=alice&"));
}

TEST_F(Refusals, AHostThatIsNotOursIsRefusedOnLoopback) {
  const auto with_host = [&](const std::string& host) {
    return call(cluster.web(), {.target = "/ws/v1/cluster/info", .headers = {{"Host", host}}})
        .status;
  };
  EXPECT_EQ(with_host("evil.example:8088"), 403);
  EXPECT_EQ(with_host("localhost:8088"), 200);
  EXPECT_EQ(with_host("127.0.0.1:8088"), 200);
  EXPECT_EQ(with_host("[::1]:8088"), 200);
  cluster.options.host_names = {"rm.example"};
  EXPECT_EQ(with_host("RM.example:8088"), 200);
  cluster.options.bound_to_loopback = false;
  EXPECT_EQ(with_host("any.example"), 200);
}

TEST_F(Refusals, AFormCannotChangeAnything) {
  const auto web = cluster.web();
  EXPECT_EQ(
      post(web, "/ws/v1/cluster/apps/new-application", "a=b", "application/x-www-form-urlencoded")
          .status,
      403);
  const auto foreign = call(
      web, {.method = "PUT",
            .target = kAppUrl + "/state",
            .headers = {{"Content-Type", "application/json"}, {"Origin", "http://evil.example"}},
            .body = R"({"state":"KILLED"})"});
  EXPECT_EQ(foreign.status, 403);
  const auto empty_by_browser = call(web, {.method = "POST",
                                           .target = "/ws/v1/cluster/apps/new-application",
                                           .headers = {{"Sec-Fetch-Site", "cross-site"}}});
  EXPECT_EQ(empty_by_browser.status, 403);
  EXPECT_THAT(cluster.applications.calls, IsEmpty());
}

TEST_F(Refusals, CurlWithoutABodyStillGetsANewApplication) {
  EXPECT_EQ(call(cluster.web(), {.method = "POST", .target = "/ws/v1/cluster/apps/new-application"})
                .status,
            200);
}

TEST_F(Refusals, WithoutANameOnlyThisMachineMayWrite) {
  const auto kill_from = [&](const std::string& peer) {
    return call(cluster.web(), {.method = "PUT",
                                .target = kAppUrl + "/state",
                                .headers = {{"Content-Type", "application/json"}},
                                .body = R"({"state":"KILLED"})",
                                .peer = peer})
        .status;
  };
  EXPECT_EQ(kill_from("10.1.2.3"), 401);
  EXPECT_EQ(kill_from("127.0.0.1"), 202);
  EXPECT_THAT(cluster.applications.calls,
              ElementsAre("kill dr.who application_1795312714741_0004"));
}

TEST_F(Refusals, ABadUserNameIsRefused) {
  for (const auto* name : {"a/b", "-rf", "..", "a%20b", ""}) {
    EXPECT_EQ(get(cluster.web(), std::string("/ws/v1/cluster/userinfo?user.name=") + name).status,
              400)
        << name;
  }
}

TEST_F(Refusals, TheCookieStandsForTheUserUntilItIsChanged) {
  const auto web = cluster.web();
  const auto login = get(web, "/ws/v1/cluster/info?user.name=alice");
  std::string cookie(login.headers.get("Set-Cookie"));
  cookie = cookie.substr(0, cookie.find(';'));
  const auto who = [&](const std::string& value) {
    return call(web, {.target = "/ws/v1/cluster/userinfo", .headers = {{"Cookie", value}}}).body;
  };
  EXPECT_THAT(who(cookie), HasSubstr("\"requestedUser\":\"alice\""));
  cookie.replace(cookie.find("alice"), 5, "admin");
  EXPECT_THAT(who(cookie), HasSubstr("\"requestedUser\":\"dr.who\""));
}

TEST_F(Refusals, ErrorsOfTheDoorKeepTheirMeaning) {
  const std::vector<std::pair<ErrorCode, int>> cases = {
      {ErrorCode::kPermissionDenied, 403}, {ErrorCode::kNotFound, 404},
      {ErrorCode::kInvalidArgument, 400},  {ErrorCode::kAlreadyExists, 409},
      {ErrorCode::kUnavailable, 503},      {ErrorCode::kInternal, 500}};
  for (const auto& [code, status] : cases) {
    cluster.applications.refuse = Error{code, "because of the test"};
    const auto answer =
        put(cluster.web(), kAppUrl + "/state?user.name=bob", R"({"state":"KILLED"})");
    EXPECT_EQ(answer.status, status);
    EXPECT_THAT(answer.body, HasSubstr("because of the test"));
  }
}

TEST_F(Refusals, APageUnderAStrangersNameChangesNothingAlsoBeyondLoopback) {
  cluster.options.bound_to_loopback = false;
  cluster.options.host_names = {"rm.example"};
  const auto kill_as = [&](const std::string& host, const std::string& origin) {
    WebCall wanted{.method = "PUT",
                   .target = kAppUrl + "/state?user.name=root",
                   .headers = {{"Host", host}, {"Content-Type", "application/json"}},
                   .body = R"({"state":"KILLED"})"};
    if (!origin.empty()) wanted.headers.emplace_back("Origin", origin);
    return call(cluster.web(), wanted).status;
  };
  EXPECT_EQ(kill_as("evil.example:8088", "http://evil.example:8088"), 403) << "its name leads here";
  EXPECT_EQ(kill_as("rm.example:8088", "http://rm.example:8088"), 202);
  EXPECT_EQ(kill_as("10.1.2.3:8088", "http://10.1.2.3:8088"), 202);
  EXPECT_EQ(kill_as("alias.example:8088", ""), 202) << "no browser: clients may use any name";
}

TEST_F(Refusals, NamesWithTheirRuleAreRefusedAtTheDoor) {
  const auto answer =
      get(cluster.web(), "/ws/v1/cluster/userinfo?user.name=" + std::string(300, 'a'));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("is not a user name: 1 to 255"));
}

}  // namespace
}  // namespace heddle::testlib
