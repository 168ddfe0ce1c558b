// The whole program against a small server that stands for the ResourceManager.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/net/event_loop.h"
#include "base/net/http.h"
#include "tests/unit/tools_heddle/said.h"
#include "tools/heddle/commands.h"

namespace heddle::cli {
namespace {

constexpr const char* kApp = "application_1700000000000_0007";

struct Answer {
  int status = 200;
  std::string body;
  std::string refresh;
};

class FakeManager {
 public:
  FakeManager() {
    auto server = net::HttpServer::listen(
        loops_, "127.0.0.1", 0, net::HttpLimits{},
        [this](const net::HttpRequest& request,
               const std::shared_ptr<net::HttpResponder>& responder) {
          const std::lock_guard lock(mutex_);
          requests_.push_back(request.method + " " + request.target);
          bodies_.push_back(request.body);
          const auto found = answers_.find(request.path);
          const Answer answer = found == answers_.end() ? Answer{404, "", ""} : found->second;
          auto response = net::text_response(answer.status, "application/json", answer.body);
          if (!answer.refresh.empty()) response.headers.add("Refresh", answer.refresh);
          responder->respond(std::move(response));
        });
    server_ = *std::move(server);
  }
  ~FakeManager() {
    server_.reset();
    loops_.stop();
  }

  void answer(const std::string& path, Answer answer) {
    const std::lock_guard lock(mutex_);
    answers_["/ws/v1/cluster" + path] = std::move(answer);
  }
  void answer_own(const std::string& path, Answer answer) {
    const std::lock_guard lock(mutex_);
    answers_["/ws/v1/heddle" + path] = std::move(answer);
  }
  std::vector<std::string> bodies() {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->endpoint().port); }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Answer> answers_;
  std::vector<std::string> requests_;
  std::vector<std::string> bodies_;
  net::EventLoops loops_{1};
  std::unique_ptr<net::HttpServer> server_;
};

int heddle(std::vector<std::string> words, Said& said) {
  words.insert(words.begin(), "heddle");
  std::vector<const char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words)
    argv.push_back(word.c_str());
  return run(static_cast<int>(argv.size()), argv.data(), said);
}

class Heddle : public ::testing::Test {
 protected:
  int against(std::vector<std::string> words) {
    words.insert(words.end(), {"--rm", manager_.url()});
    return heddle(std::move(words), said_);
  }
  FakeManager manager_;
  Said said_;
};

struct Misuse {
  std::vector<std::string> words;
  std::string says;
};

class Usage : public ::testing::TestWithParam<Misuse> {};

TEST_P(Usage, IsRefusedWithTwoAndSaysWhatToTry) {
  Said said;
  EXPECT_EQ(heddle(GetParam().words, said), kExitUsage);
  EXPECT_NE(said.err.find(GetParam().says), std::string::npos) << said.err;
  EXPECT_NE(said.err.find("\nTry: "), std::string::npos) << said.err;
  EXPECT_EQ(said.out, "");
}

INSTANTIATE_TEST_SUITE_P(
    Table, Usage,
    ::testing::Values(
        Misuse{{}, "A subcommand is required"}, Misuse{{"frob"}, "no such command: frob"},
        Misuse{{"app", "frob"}, "no such command: frob"},
        Misuse{{"app", "list", "--frob"}, "--frob"},
        Misuse{{"app", "list", "-o", "xml"}, "'xml' is none of table"},
        Misuse{{"app", "list", "--limit", "0"}, "--limit"},
        Misuse{{"app", "list", "--limit", "x"}, "--limit"},
        Misuse{{"app", "show"}, "ID is required"}, Misuse{{"app", "show", "a", "b"}, "b"},
        Misuse{{"app", "show", "\x1b[2J", "--rm", "x:1"}, "not of the form"},
        Misuse{{"app", "kill", "../x", "--rm", "x:1"}, "not of the form"},
        Misuse{{"app", "logs", kApp, "--tail", "-1"}, "--tail"},
        Misuse{{"app", "logs", kApp, "--container", "c", "--rm", "x:1"}, "not of the form"},
        Misuse{{"node", "show", "nohost", "--rm", "x:1"}, "not of the form"},
        Misuse{{"dev", "--nodes", "0"}, "--nodes"}, Misuse{{"dev", "--nodes", "65"}, "--nodes"},
        Misuse{{"completion", "tcsh"}, "'tcsh' is none of bash"},
        Misuse{{"-o", "json", "sim", "run"}, "options of the simulator stand behind \"sim\""},
        Misuse{{"--timeout", "0", "version"}, "--timeout"},
        Misuse{{"explain", "--rm", "x:1"}, "whose waiting?"},
        Misuse{{"explain", kApp, "--queue", "a", "--rm", "x:1"}, "its id alone is enough"},
        Misuse{{"explain", "--queue", "a", "--resource", "gpu", "--rm", "x:1"}, "NAME=N"},
        Misuse{{"explain", "../x", "--rm", "x:1"}, "not of the form"},
        Misuse{{"queue", "set"}, "QUEUE is required"},
        Misuse{{"queue", "set", "root.a"}, "SETTING is required"},
        Misuse{{"queue", "set", "root.a", "capacity", "--rm", "x:1"}, "is not key=value"},
        Misuse{{"queue", "set", "root.a", "=4", "--rm", "x:1"}, "is not key=value"},
        Misuse{{"queue", "set", "a", "capacity=4", "--rm", "x:1"}, "full path"},
        Misuse{{"queue", "stop", "root.a", "b", "--rm", "x:1"}, "full path"},
        Misuse{{"queue", "diff", "--rm", "x:1"}, "either a file or --version"},
        Misuse{{"queue", "diff", "--version", "0", "--rm", "x:1"}, "--version"},
        Misuse{{"queue", "rollback", "x", "--rm", "x:1"}, "VERSION"},
        Misuse{{"--conf", "/no/such/folder", "app", "list"}, "is not a folder"},
        Misuse{{"--rm", "http://x:99999", "app", "list"}, "http://host:port"},
        Misuse{{"--rm", "http://x y", "app", "list"}, "blanks"}));

struct Refused {
  int status;
  int exit_code;
};

class Refusals : public ::testing::TestWithParam<Refused> {};

TEST_P(Refusals, MapToTheExitCode) {
  const auto error =
      refusal(GetParam().status, "http://rm", R"({"RemoteException":{"message":"why"}})");
  EXPECT_EQ(error.exit_code, GetParam().exit_code);
  EXPECT_EQ(error.message, "why");
  EXPECT_NE(error.advice, "");
}

INSTANTIATE_TEST_SUITE_P(Table, Refusals,
                         ::testing::Values(Refused{400, kExitUsage}, Refused{401, kExitNotAllowed},
                                           Refused{403, kExitNotAllowed}, Refused{404, kExitFailed},
                                           Refused{429, kExitTryAgain}, Refused{500, kExitFailed},
                                           Refused{503, kExitTryAgain}));

TEST(Unreachable, Is69) {
  Said said;
  std::string url;
  {
    FakeManager gone;
    url = gone.url();
  }
  EXPECT_EQ(heddle({"node", "list", "--rm", url}, said), kExitUnreachable);
  EXPECT_NE(said.err.find("Connection refused"), std::string::npos) << said.err;
}

TEST(Help, IsDataAndNamesEveryCommand) {
  Said said;
  EXPECT_EQ(heddle({"--help"}, said), kExitOk);
  for (const auto* word : {"app", "node", "queue", "dev", "sim", "completion", "version"}) {
    EXPECT_NE(said.out.find(word), std::string::npos) << word;
  }
  EXPECT_EQ(said.err, "");
}

TEST(Https, IsNamedAsNotThereYet) {
  Said said;
  EXPECT_EQ(heddle({"--rm", "https://rm:8090", "app", "list"}, said), kExitFailed);
  EXPECT_NE(said.err.find("only http://"), std::string::npos) << said.err;
}

TEST_F(Heddle, ListsNothingWhenTheServerSaysNull) {
  manager_.answer("/apps", {200, R"({"apps":null})", ""});
  EXPECT_EQ(against({"app", "list", "-o", "json"}), kExitOk);
  EXPECT_EQ(nlohmann::json::parse(said_.out),
            nlohmann::json::parse(R"({"schema":"heddle.app.list/1","items":[]})"));
}

TEST_F(Heddle, ListsUnfinishedApplicationsNewestFirst) {
  manager_.answer("/apps", {200, R"({"apps":{"app":[
      {"id":"application_1_0001","state":"RUNNING","startedTime":1},
      {"id":"application_1_0002","state":"RUNNING","startedTime":2}]}})",
                            ""});
  EXPECT_EQ(against({"app", "list", "-q"}), kExitOk);
  EXPECT_EQ(said_.out, "application_1_0002\napplication_1_0001\n");
  EXPECT_NE(manager_.requests()[0].find("states=NEW%2C"), std::string::npos);
}

TEST_F(Heddle, PassesFiltersOn) {
  manager_.answer("/apps", {200, R"({"apps":null})", ""});
  EXPECT_EQ(against({"app", "list", "--state", "killed,failed", "--user", "a&b", "--queue", "q",
                     "--type", "SPARK", "--tag", "t"}),
            kExitOk);
  EXPECT_NE(manager_.requests()[0].find("?states=KILLED%2CFAILED&user=a%26b&queue=q&"
                                        "applicationTypes=SPARK&applicationTags=t&"),
            std::string::npos)
      << manager_.requests()[0];
}

TEST_F(Heddle, TheLimitKeepsTheNewestThoughHadoopWouldKeepAny) {
  manager_.answer("/apps", {200, R"({"apps":{"app":[
      {"id":"application_1_0001","startedTime":1},{"id":"application_1_0003","startedTime":3},
      {"id":"application_1_0002","startedTime":2}]}})",
                            ""});
  manager_.answer("/info", {200, R"({"clusterInfo":{"resourceManagerBuildVersion":"3.4.2"}})", ""});
  EXPECT_EQ(against({"app", "list", "-q", "--limit", "2"}), kExitOk);
  EXPECT_EQ(said_.out, "application_1_0003\napplication_1_0002\n");
  EXPECT_EQ(manager_.requests()[1].find("limit="), std::string::npos) << manager_.requests()[1];
}

TEST_F(Heddle, OurOwnResourceManagerSendsNoMoreThanTheLimit) {
  manager_.answer("/apps", {200, R"({"apps":null})", ""});
  manager_.answer("/info", {200,
                            R"({"clusterInfo":{"resourceManagerBuildVersion":)"
                            R"("3.4.2 from heddle 0.1.0"}})",
                            ""});
  EXPECT_EQ(against({"app", "list", "--limit", "3"}), kExitOk);
  EXPECT_NE(manager_.requests()[1].find("limit=3&"), std::string::npos) << manager_.requests()[1];
}

TEST_F(Heddle, KillsEachAndReturnsTheFirstFailure) {
  manager_.answer(std::string("/apps/") + kApp + "/state", {202, R"({"state":"RUNNING"})", ""});
  EXPECT_EQ(against({"app", "kill", "application_1_0001", kApp}), kExitFailed);
  EXPECT_EQ(said_.out, std::string(kApp) + " is being killed\n");
  EXPECT_NE(said_.err.find("application_1_0001"), std::string::npos);
  EXPECT_EQ(manager_.requests()[1].rfind("PUT ", 0), 0U);
  EXPECT_NE(manager_.requests()[1].find("user.name="), std::string::npos);
}

TEST_F(Heddle, ForbiddenKillIs77) {
  manager_.answer(std::string("/apps/") + kApp + "/state",
                  {403, R"({"RemoteException":{"message":"User bob cannot"}})", ""});
  EXPECT_EQ(against({"app", "kill", kApp}), kExitNotAllowed);
  EXPECT_NE(said_.err.find("User bob cannot"), std::string::npos);
}

TEST_F(Heddle, StandbyIsTryAgain) {
  manager_.answer("/nodes", {200, "This is standby RM", "3; url=http://other/"});
  EXPECT_EQ(against({"node", "list"}), kExitTryAgain);
}

TEST_F(Heddle, AnswerThatIsNoJsonIsAnError) {
  manager_.answer("/nodes", {200, "<html>", ""});
  EXPECT_EQ(against({"node", "list"}), kExitFailed);
  EXPECT_NE(said_.err.find("not JSON"), std::string::npos);
}

TEST_F(Heddle, NodeTotalsAreUsedPlusFree) {
  manager_.answer("/nodes", {200, R"({"nodes":{"node":[{"id":"h:1","state":"RUNNING",
      "usedMemoryMB":1024,"availMemoryMB":3072,"usedVirtualCores":1,"availableVirtualCores":3}]}})",
                             ""});
  EXPECT_EQ(against({"node", "list", "-o", "json"}), kExitOk);
  const auto item = nlohmann::json::parse(said_.out)["items"][0];
  EXPECT_EQ(item["memory_total_mb"], 4096);
  EXPECT_EQ(item["vcores_total"], 4);
}

constexpr const char* kTree = R"({"scheduler":{"schedulerInfo":{"type":"capacityScheduler",
  "queueName":"root","queuePath":"root","capacity":100.0,"maxCapacity":100.0,"usedCapacity":20.0,
  "queues":{"queue":[{"queueName":"a","queuePath":"root.a","capacity":40.0,"maxCapacity":100.0,
  "usedCapacity":130.0,"state":"RUNNING","numApplications":2}]}}}})";

TEST_F(Heddle, DrawsTheQueueTree) {
  manager_.answer("/scheduler", {200, kTree, ""});
  EXPECT_EQ(against({"queue", "list"}), kExitOk);
  EXPECT_EQ(said_.out,
            "QUEUE  STATE    CAPACITY     MAX    USED  USED, GUARANTEED|MAX  APPS  PENDING\n"
            "root   RUNNING    100.0%  100.0%   20.0%  [##--------|]            0        0\n"
            "  a    RUNNING     40.0%  100.0%  130.0%  [####|#.....]            2        0\n");
}

TEST_F(Heddle, ProgramsGetNoDrawing) {
  manager_.answer("/scheduler", {200, kTree, ""});
  EXPECT_EQ(against({"queue", "show", "a", "-o", "json"}), kExitOk);
  const auto item = nlohmann::json::parse(said_.out)["item"];
  EXPECT_EQ(item["path"], "root.a");
  EXPECT_EQ(item["used_percent"], 130.0);
  EXPECT_FALSE(item.contains("used_bar"));
}

TEST_F(Heddle, UnknownQueueFails) {
  manager_.answer("/scheduler", {200, kTree, ""});
  EXPECT_EQ(against({"queue", "show", "nope"}), kExitFailed);
}

constexpr const char* kOutcome = R"({"version":8,"queues":[{"queue":"root.a",
  "before":{"share":0.4,"maximumShare":1.0,"state":"RUNNING","leaf":true},
  "after":{"share":0.2,"maximumShare":0.5,"state":"RUNNING","leaf":true},
  "settings":[{"name":"capacity","before":"40","after":"20"},{"name":"state","after":"RUNNING"},
              {"name":"priority","before":"1"}]}],
  "global":[{"name":"yarn.scheduler.capacity.maximum-applications","after":"5"}],
  "shrinks":[{"queue":"root.a","aboveMaximum":false,"apps":3,"used":{"memory-mb":2048,"vcores":2},
              "guaranteed":{"memory-mb":1024,"vcores":1},"maximum":{"memory-mb":4096,"vcores":4}}],
  "warnings":[]})";

TEST_F(Heddle, AChangeOfAQueueIsSentAsOneAndItsEffectShown) {
  manager_.answer_own("/queue-config", {200, kOutcome, ""});
  EXPECT_EQ(against({"queue", "set", "root.a", "capacity=20", "priority="}), kExitOk);
  EXPECT_EQ(nlohmann::json::parse(manager_.bodies()[0]),
            nlohmann::json::parse(R"({"update-queue":[{"queue-name":"root.a",
              "params":{"capacity":"20","priority":null}}],"dry-run":false})"));
  EXPECT_EQ(said_.out,
            "QUEUE   CHANGE   SHARE  AFTER  SETTINGS                                             "
            "       EFFECT\n"
            "root.a  changed  40.0%  20.0%  capacity 40 -> 20; state=RUNNING; priority removed "
            "(was 1)  uses 2048 MB, 2 vcores in 3 applications: more than the 1024 MB, 1 vcores "
            "it is sure of\n"
            "(all)   changed      -      -  yarn.scheduler.capacity.maximum-applications=5       "
            "       -\n");
  EXPECT_EQ(said_.err, "heddle: version 8 is in force\n");
}

TEST_F(Heddle, ADryRunSaysThatNothingWasChanged) {
  manager_.answer_own("/queue-config", {200, kOutcome, ""});
  EXPECT_EQ(against({"queue", "stop", "root.a", "root.b", "--dry-run", "-o", "json"}), kExitOk);
  EXPECT_EQ(nlohmann::json::parse(manager_.bodies()[0]), nlohmann::json::parse(R"({"update-queue":[
              {"queue-name":"root.a","params":{"state":"STOPPED"}},
              {"queue-name":"root.b","params":{"state":"STOPPED"}}],"dry-run":true})"));
  const auto said = nlohmann::json::parse(said_.out);
  EXPECT_EQ(said["schema"], "heddle.queue.change/1");
  EXPECT_EQ(said["items"][0]["share_after"], 0.2);
  EXPECT_EQ(said_.err, "heddle: nothing was changed\n");
}

TEST_F(Heddle, AllFaultsOfAChangeArePrintedOneOnEachLine) {
  manager_.answer_own("/queue-config",
                      {400,
                       R"({"RemoteException":{"exception":"BadRequestException",)"
                       R"("message":"java.lang.Exception: Queue root.x not found\nmore"}})",
                       ""});
  EXPECT_EQ(against({"queue", "remove", "root.x"}), kExitUsage);
  EXPECT_EQ(said_.err,
            "heddle: Queue root.x not found\nmore\nTry: correct it; nothing has changed\n");
}

TEST_F(Heddle, WhereTheFileRulesItIsSaidHowToChangeQueues) {
  manager_.answer_own("/queue-config",
                      {400,
                       R"({"RemoteException":{"message":"java.lang.Exception: Configuration )"
                       R"(change only supported by mutable configuration store."}})",
                       ""});
  EXPECT_EQ(against({"queue", "rollback", "3"}), kExitConfig);
  EXPECT_NE(said_.err.find("yarn rmadmin -refreshQueues"), std::string::npos) << said_.err;
  EXPECT_EQ(manager_.bodies()[0], R"({"dry-run":false,"version":3})");
}

TEST_F(Heddle, HistoryMarksWhatIsInForceAndTellsABrokenFile) {
  manager_.answer_own("/queue-config", {200, R"({"version":2,"fault":"line 3"})", ""});
  manager_.answer_own("/queue-config/versions", {200, R"({"versions":[
    {"version":2,"since":1795312714741,"user":"ann","change":"add root.c","fromFile":false},
    {"version":1,"since":1795312714000,"user":"","change":"start: the file","fromFile":true}]})",
                                                 ""});
  EXPECT_EQ(against({"queue", "history"}), kExitOk);
  EXPECT_EQ(said_.out,
            "VERSION  SINCE                 USER  FROM      CHANGE\n"
            "      2  2026-11-22T01:58:34Z  ann   store  *  add root.c\n"
            "      1  2026-11-22T01:58:34Z  -     file   -  start: the file\n");
  EXPECT_NE(said_.err.find("the file is broken, version 2 serves: line 3"), std::string::npos);
}

class ConfigFiles : public ::testing::Test {
 protected:
  ConfigFiles() {
    std::string name = ::testing::TempDir() + "heddle_config_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~ConfigFiles() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& file, const std::string& name, const std::string& value) {
    std::ofstream(folder_ + "/" + file)
        << "<configuration>\n<property><name>" << name << "</name><value>" << value
        << "</value></property>\n</configuration>\n";
  }
  int check(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"config", "check", "--conf", folder_};
    words.insert(words.end(), more.begin(), more.end());
    return heddle(std::move(words), said_);
  }
  std::string folder_;
  Said said_;
};

TEST_F(ConfigFiles, WithoutFaultsAreFine) {
  write("yarn-site.xml", "yarn.acl.enable", "false");
  EXPECT_EQ(check({"--strict"}), kExitOk);
  EXPECT_EQ(said_.out, "");
}

TEST_F(ConfigFiles, WithFaultsEndWith78AndTellAllWithFileAndLine) {
  write("yarn-site.xml", "yarn.scheduler.maximum-allocation-mb", "8G");
  write("capacity-scheduler.xml", "yarn.scheduler.capacity.root.queues", "a,b");
  std::ofstream(folder_ + "/core-site.xml") << "<configuration>";
  EXPECT_EQ(check({"-o", "json"}), kExitConfig);
  const auto said = nlohmann::json::parse(said_.out);
  EXPECT_EQ(said["schema"], "heddle.config.check/1");
  std::vector<std::string> kinds;
  for (const auto& item : said["items"])
    kinds.push_back(item["source"].get<std::string>() + " " + item["kind"].get<std::string>());
  EXPECT_EQ(kinds, (std::vector<std::string>{
                       "core-site.xml unreadable", "yarn-site.xml:2 bad-value",
                       "capacity-scheduler.xml bad-value", "capacity-scheduler.xml bad-value",
                       "capacity-scheduler.xml bad-value"}));
  EXPECT_EQ(said["items"][3]["name"], "yarn.scheduler.capacity.root.b.capacity");
  EXPECT_NE(said_.err.find("5 errors, 0 warnings"), std::string::npos) << said_.err;
}

TEST_F(ConfigFiles, WithWarningsAreFineUnlessAskedToBeStrict) {
  write("yarn-site.xml", "yarn.acl.enabel", "true");
  EXPECT_EQ(check(), kExitOk);
  EXPECT_NE(said_.out.find("did you mean yarn.acl.enable?"), std::string::npos) << said_.out;
  EXPECT_EQ(check({"--strict"}), kExitConfig);
}

TEST_F(ConfigFiles, ThatAreNotThereAreNoConfiguration) {
  EXPECT_EQ(check(), kExitConfig);
  EXPECT_NE(said_.err.find("holds no configuration file"), std::string::npos);
  folder_ += "/nowhere";
  EXPECT_EQ(check(), kExitConfig);
}

TEST_F(Heddle, FinishedLogsWithoutAConfigurationNameYarnLogs) {
  manager_.answer(std::string("/apps/") + kApp,
                  {200, R"({"app":{"state":"FINISHED","user":"bob"}})", ""});
  EXPECT_EQ(against({"app", "logs", kApp}), kExitFailed);
  EXPECT_NE(said_.err.find(std::string("Try: yarn logs -applicationId ") + kApp),
            std::string::npos);
}

constexpr const char* kExplanation =
    R"({"explanation":{"verdict":"queue-maximum","sentence":"queue root.a is \u001b[2Jfull",
    "number":{"amount":2048,"unit":"memory-mb"},"action":"raise x.maximum-capacity",
    "property":"x.maximum-capacity","scope":"root.a","applicationId":"application_1_0002",
    "queue":"root.a","user":"ann","position":2,"waitingInQueue":3,
    "ahead":[{"applicationId":"application_1_0001"}],
    "limits":[{"name":"maximum-capacity","scope":"root.a","property":"x.maximum-capacity",
    "used":{"memory-mb":3072,"vcores":1},"limit":{"memory-mb":4096,"vcores":4},"blocks":true},
    {"name":"applications","scope":"root.a","usedCount":3,"limitCount":10,"blocks":false}],
    "asks":[{"containers":4,"am":false,"size":{"memory-mb":3072},"label":"gpu","sentence":"s",
    "nodes":[{"verdict":"too-small","count":12,"shortOf":[{"type":"memory-mb"}],
    "examples":[{"id":"n1:1"},{"id":"n2:1"}]}]}],"asksLeftOut":3}})";

TEST_F(Heddle, ExplainsAnApplicationInWords) {
  manager_.answer_own(std::string("/apps/") + kApp + "/explain", {200, kExplanation, ""});
  EXPECT_EQ(against({"explain", kApp}), kExitOk) << said_.err;
  for (const char* text :
       {"application_1_0002 in root.a, of ann", "queue root.a is ?[2Jfull", "2048 MB",
        "raise x.maximum-capacity", "2 of 3 that wait in root.a", "behind      application_1_0001",
        "<- this", "3072 MB, 1 vcores", "n1:1, n2:1", "too-small", "and 3 requests more",
        "4 containers of 3072 MB, label gpu"}) {
    EXPECT_NE(said_.out.find(text), std::string::npos) << text << "\n" << said_.out;
  }
}

TEST_F(Heddle, ExplainsAnApplicationToPrograms) {
  manager_.answer_own(std::string("/apps/") + kApp + "/explain", {200, kExplanation, ""});
  EXPECT_EQ(against({"explain", kApp, "-o", "json"}), kExitOk);
  const auto json = nlohmann::json::parse(said_.out);
  EXPECT_EQ(json.at("schema"), "heddle.explain/1");
  EXPECT_EQ(json.at("item").at("verdict"), "queue-maximum");
  said_.out.clear();
  EXPECT_EQ(against({"explain", kApp, "-o", "name"}), kExitOk);
  EXPECT_EQ(said_.out, "queue-maximum\n");
}

TEST_F(Heddle, ExplainsAnApplicationThatIsOnlyThoughtOf) {
  manager_.answer_own("/explain", {200, kExplanation, ""});
  EXPECT_EQ(against({"explain", "--queue", "root.a", "--memory", "3072", "--gpu", "1", "--count",
                     "4", "--resource", "fpga=2", "--at", "n1", "--at", "/r1", "--no-am"}),
            kExitOk)
      << said_.err;
  const auto requests = manager_.requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_NE(requests[0].find("GET /ws/v1/heddle/explain?queue=root.a&memory=3072&gpu=1&count=4"
                             "&am=none&place=n1%2C%2Fr1&fpga=2&user.name="),
            std::string::npos)
      << requests[0];
}

TEST_F(Heddle, AServerThatExplainsNothingIsToldFromOneThatDoes) {
  manager_.answer_own("/explain", {200, "[]", ""});
  EXPECT_EQ(against({"explain", "--queue", "a"}), kExitFailed);
  EXPECT_EQ(against({"explain", kApp}), kExitFailed) << "404";
}

}  // namespace
}  // namespace heddle::cli
