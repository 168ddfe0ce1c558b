// The NodeManager's answers, beside the recorded ones, and its log files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "compat/rest/nm_web.h"
#include "tests/unit/compat_rest/answers.h"
#include "tests/unit/compat_rest/recorded.h"

namespace heddle::testlib {
namespace {

using ::testing::HasSubstr;

const std::string kContainer = "container_1795312714741_0004_01_000002";

class Node : public ::testing::Test {
 protected:
  Node() {
    reports.node_facts.id = {"localhost", 8041};
    reports.node_facts.http_address = "localhost:8042";
    reports.node_facts.total = Resources(8192, 8);
    reports.node_facts.pmem_check = true;
    const AttemptId attempt{{1795312714741, 4}, 1};
    for (const int number : {1, 2, 3}) {
      nm::ContainerStatus container;
      container.id = {attempt, number};
      container.state = nm::ContainerState::kRunning;
      container.user = "root";
      container.resources = Resources(number == 1 ? 2048 : 1024, 1);
      reports.container_list.push_back(container);
    }
    nm::AppStatus app;
    app.id = attempt.app;
    app.state = nm::AppState::kRunning;
    app.user = "root";
    app.containers = {{attempt, 2}, {attempt, 1}, {attempt, 3}};
    reports.app_list.push_back(app);
    options.web_address = "localhost:8042";
    options.clock = &clock;
    folder = std::filesystem::temp_directory_path() / ("heddle_rest_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
  }
  ~Node() override { std::filesystem::remove_all(folder); }

  void add_file(const std::string& name, std::uint64_t size, std::int64_t modified) {
    reports.files.push_back({name, size, WallTime{modified}, (folder / name).string()});
  }
  void add_log(const std::string& name, const std::string& text) {
    std::ofstream(folder / name) << text;
    add_file(name, text.size(), 1795312841000);
  }
  void add_recorded_files() {
    const std::int64_t start = 1795312841000;  // 02:00:41
    add_file("launch_container.sh", 4410, start);
    add_file("prelaunch.err", 0, start);
    add_file("stderr", 0, start);
    add_file("syslog", 18971, start + 7000);
    add_file("directory.info", 1935, start);
    add_file("prelaunch.out", 100, start);
    add_file("stdout", 0, start);
  }
  net::HttpHandler web() { return compat::rest::make_nm_web_handler(reports, options); }
  std::string json(const std::string& path) { return get(web(), "/ws/v1/node" + path).body; }
  std::string xml(const std::string& path) {
    return get(web(), "/ws/v1/node" + path, "application/xml").body;
  }

  ManualClock clock;
  FakeNodeReports reports;
  compat::rest::WebOptions options;
  std::filesystem::path folder;
};

TEST_F(Node, ApplicationsAreAsRecorded) {
  EXPECT_EQ(json("/apps"), recorded("nm-apps.json"));
  EXPECT_EQ(xml("/apps"), recorded("nm-apps-x.xml"));
  EXPECT_EQ(json("/apps/application_1795312714741_0004"), recorded("nm-app.json"));
  EXPECT_EQ(xml("/apps/application_1795312714741_0004"), recorded("nm-app-x.xml"));
  EXPECT_EQ(json("/apps/application_1_0001"), recorded("nm-app-unknown.json"));
}

TEST_F(Node, ContainersAreAsRecorded) {
  add_recorded_files();
  EXPECT_EQ(json("/containers"), recorded("nm-containers.json"));
  EXPECT_EQ(xml("/containers"), recorded("nm-containers-x.xml"));
  EXPECT_EQ(json("/containers/" + kContainer), recorded("nm-container.json"));
  EXPECT_EQ(xml("/containers/" + kContainer), recorded("nm-container-x.xml"));
}

TEST_F(Node, TheListOfLogsIsWhatYarnLogsReads) {
  add_recorded_files();
  EXPECT_EQ(json("/containers/" + kContainer + "/logs"), recorded("nm-container-logs.json"));
  EXPECT_EQ(xml("/containers/" + kContainer + "/logs"), recorded("nm-container-logs-x.xml"));
}

TEST_F(Node, TheNodeHasTheRecordedShape) {
  EXPECT_EQ(json_shape(json("")), json_shape(recorded("nm-info.json")));
  EXPECT_EQ(xml_shape(xml("/info")), xml_shape(recorded("nm-info-x.xml")));
  EXPECT_EQ(json("/auxiliaryservices"), recorded("nm-auxiliaryservices.json"));
  EXPECT_EQ(get(web(), "/ws/v1/node/resources/yarn.io%2Fgpu").body, "{}");
}

TEST_F(Node, AnEmptyLogOfARunningContainerIsFramedAsRecorded) {
  add_log("stderr", "");
  EXPECT_EQ(get(web(), "/ws/v1/node/containerlogs/" + kContainer + "/stderr").body,
            recorded("nm-http-containerlogs-stderr.txt"));
}

TEST_F(Node, AnEndedContainersLogSaysNothingOfRunning) {
  add_log("stdout", "hello\n");
  reports.container_list[1].state = nm::ContainerState::kDone;
  const std::string body = json("/containers/" + kContainer + "/logs/stdout");
  EXPECT_THAT(body, HasSubstr("LogLength:6\nLogContents:\nhello\nEnd of LogType:stdout.\n***"));
}

TEST_F(Node, ANegativeSizeIsTheTail) {
  add_log("stdout", "0123456789");
  const std::string path = "/containers/" + kContainer + "/logs/stdout";
  EXPECT_THAT(json(path + "?size=-3"), HasSubstr("LogContents:\n789End of"));
  EXPECT_THAT(json(path + "?size=3"), HasSubstr("LogContents:\n012End of"));
  EXPECT_THAT(json(path + "?size=-99"), HasSubstr("LogContents:\n0123456789End of"));
  EXPECT_THAT(json(path + "?start=2&end=4"), HasSubstr("LogContents:\n23End of"));
}

TEST_F(Node, RangesOutsideTheFileAre416) {
  add_log("stdout", "0123456789");
  const std::string path = "/ws/v1/node/containers/" + kContainer + "/logs/stdout";
  EXPECT_EQ(get(web(), path + "?start=11").status, 416);
  EXPECT_EQ(get(web(), path + "?start=5&end=2").status, 416);
  EXPECT_EQ(get(web(), path + "?start=x").status, 400);
  EXPECT_EQ(get(web(), path + "?size=99999999999999999999").status, 400);
  EXPECT_EQ(get(web(), path + "?format=exe").status, 400);
}

TEST_F(Node, OnlyListedNamesCanBeOpened) {
  add_log("stdout", "x");
  std::ofstream(folder / "unlisted") << "secret";
  for (const auto* name :
       {"unlisted", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "stdout%00", "stdout/", "."}) {
    const auto answer =
        get(web(), "/ws/v1/node/containers/" + kContainer + "/logs/" + std::string(name));
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("secret"))) << name;
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("root:"))) << name;
    EXPECT_EQ(answer.status, std::string(name) == "stdout/" ? 200 : 404) << name;
  }
}

TEST_F(Node, ALogThatIsASymbolicLinkIsNotFollowed) {
  std::filesystem::create_symlink("/etc/passwd", folder / "stdout");
  add_file("stdout", 10, 0);
  EXPECT_EQ(get(web(), "/ws/v1/node/containers/" + kContainer + "/logs/stdout").status, 403);
}

TEST_F(Node, LogPagesEscapeWhatContainersWrote) {
  add_log("stdout", "<script>alert(1)</script>");
  const auto page = get(web(), "/node/containerlogs/" + kContainer + "/root/stdout");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(std::string(page.headers.get("Content-Security-Policy")),
              HasSubstr("default-src 'none'"));
}

TEST_F(Node, LogsThatAreGoneAreWithTheLogServer) {
  options.log_server_url = "http://localhost:19888/jobhistory/logs";
  const auto answer = get(web(), "/node/containerlogs/container_1795312714741_0001_01_000001/root");
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.headers.get("Location"),
            "http://localhost:19888/jobhistory/logs/localhost:8041/"
            "container_1795312714741_0001_01_000001/container_1795312714741_0001_01_000001/root");
}

TEST_F(Node, AFileOfALogThatIsGoneIsWithTheLogServerToo) {
  const std::string gone = "container_1795312714741_0001_01_000001";
  const std::string page = "/node/containerlogs/" + gone + "/root/stdout?start=-4096";
  EXPECT_EQ(get(web(), page).status, 404) << "there is none";
  options.log_server_url = "http://localhost:19888/jobhistory/logs";
  const auto answer = get(web(), page);
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.headers.get("Location"),
            "http://localhost:19888/jobhistory/logs/localhost:8041/" + gone + "/" + gone +
                "/root/stdout?start=-4096");
}

TEST_F(Node, TheFirstPageIsTheNode) {
  const auto answer = get(web(), "/");
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.headers.get("Location"), "http://localhost:8042/node");
  for (const auto* page : {"/node", "/node/allApplications", "/node/allContainers"}) {
    EXPECT_EQ(get(web(), page, "text/html").status, 200) << page;
  }
  EXPECT_THAT(get(web(), "/jmx").body, HasSubstr("name=NodeManagerMetrics"));
}

TEST_F(Node, EveryOtherRecordedAnswerIsMetOrItsDifferenceIsNamed) {
  const auto rows = recorded_answers({"nm-"});
  ASSERT_GE(rows.size(), 8U);
  for (const RecordedAnswer& row : rows)
    expect_recorded(web(), row);
}

}  // namespace
}  // namespace heddle::testlib
