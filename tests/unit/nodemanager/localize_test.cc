// Resources of containers from the web and from HDFS, through the whole agent.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <signal.h>

#include "base/net/http.h"
#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kModified = 1795320924390;
constexpr const char* kStatus =
    R"({{"FileStatus":{{"accessTime":0,"blockSize":134217728,"childrenNum":0,"fileId":16388,"group":"supergroup","length":{},"modificationTime":{},"owner":"alice","pathSuffix":"","permission":"{}","replication":1,"storagePolicy":0,"type":"{}"}}}})";

class LocalizeTest : public NodeTest {
 protected:
  LocalizeTest() {
    auto server = net::HttpServer::listen(
        web_loops_, "127.0.0.1", 0, {},
        [this](const net::HttpRequest& request, std::shared_ptr<net::HttpResponder> responder) {
          answer(request, std::move(responder));
        });
    EXPECT_TRUE(server);
    server_ = *std::move(server);
    hdfs_.web_addresses["nameservice"] = {authority()};
    hdfs_.spool_dir = dir_.path();
  }
  ~LocalizeTest() override {
    server_.reset();
    web_loops_.stop();
  }

  std::string authority() const { return net::to_string(server_->endpoint()); }
  std::string web(const std::string& path) const { return "http://" + authority() + path; }

  void answer(const net::HttpRequest& request, std::shared_ptr<net::HttpResponder> responder) {
    const std::string* operation = request.query_value("op");
    net::HttpResponse response = net::text_response(200, "text/plain", "of the web\n");
    if (request.path == "/missing") response = net::text_response(404, "text/plain", "no");
    if (request.path == "/broken") response = net::text_response(503, "text/plain", "later");
    if (request.path == "/away") response = redirect("http://169.254.169.254/latest/meta-data");
    if (request.path == "/endless-file") {
      stream_for_ever(std::move(responder), 200);
      return held_.set_value(nullptr);
    }
    if (request.path == "/endless") return stream_for_ever(std::move(responder), 500);
    if (request.path == "/waits") {
      held_.set_value(std::move(responder));
      return;
    }
    if (operation != nullptr && *operation == "MKDIRS") {
      held_.set_value(std::move(responder));
      return;
    }
    if (operation != nullptr) response = of_namenode(request, *operation);
    responder->respond(std::move(response));
  }
  static net::HttpResponse redirect(const std::string& to) {
    net::HttpResponse response = net::text_response(307, "text/plain", "");
    response.headers.set("Location", to);
    return response;
  }
  net::HttpResponse of_namenode(const net::HttpRequest& request, const std::string& operation) {
    const std::string* user = request.query_value("user.name");
    if (user == nullptr || *user != config_.own_user) {
      return net::text_response(401, "text/plain", "not the container's user");
    }
    if (operation == "OPEN") return redirect(web("/on-a-datanode"));
    const bool file = request.path.ends_with(".txt");
    return net::text_response(200, "application/json",
                              fmt::format(kStatus, file ? 11 : 0, kModified, file ? "644" : "755",
                                          file ? "FILE" : "DIRECTORY"));
  }
  static void stream_for_ever(std::shared_ptr<net::HttpResponder> responder, int status) {
    responder->start(net::text_response(status, "text/plain", ""), std::nullopt);
    more(std::move(responder));
  }
  static void more(std::shared_ptr<net::HttpResponder> responder) {
    responder->write(std::string(4096, 'e'));
    net::HttpResponder& to = *responder;
    to.when_drained([responder = std::move(responder)](bool open) mutable {
      if (open) more(std::move(responder));
    });
  }

  StartContainer needs(std::int64_t number, const std::string& url, std::int64_t timestamp_ms,
                       Visibility visibility = Visibility::kApplication) {
    auto start = request(number, "cat in.txt 1><LOG_DIR>/stdout");
    LocalResource resource;
    resource.url = url;
    resource.timestamp_ms = timestamp_ms;
    resource.visibility = visibility;
    start.launch.resources["in.txt"] = resource;
    return start;
  }
  std::size_t left_in_caches() const {
    std::size_t left = 0;
    for (const std::string& folder :
         {public_cache_dir(config_.local_dirs[0]),
          user_cache_dir(config_.local_dirs[0], config_.own_user),
          app_cache_dir(config_.local_dirs[0], config_.own_user, id(1).attempt.app)}) {
      left += list_dir(folder).size();
    }
    return left;
  }

  net::EventLoops web_loops_{1};
  std::unique_ptr<net::HttpServer> server_;
  std::promise<std::shared_ptr<net::HttpResponder>> held_;
};

TEST_F(LocalizeTest, AFileOfTheWebReachesTheContainerInEachVisibility) {
  start();
  std::int64_t number = 0;
  for (const auto visibility :
       {Visibility::kPublic, Visibility::kPrivate, Visibility::kApplication}) {
    const auto ended = run_to_end(needs(++number, web("/file.txt"), 0, visibility));
    EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
    EXPECT_EQ(read_file(log_file(id(number), "stdout")), "of the web\n");
  }
}

TEST_F(LocalizeTest, AFileOfHdfsReachesTheContainerAsItsUser) {
  start();
  std::int64_t number = 0;
  for (const char* scheme : {"hdfs", "webhdfs"}) {
    for (const auto visibility : {Visibility::kPublic, Visibility::kPrivate}) {
      const auto ended = run_to_end(needs(
          ++number, fmt::format("{}://nameservice/data/in.txt", scheme), kModified, visibility));
      EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
      EXPECT_EQ(read_file(log_file(id(number), "stdout")), "of the web\n");
    }
  }
}

TEST_F(LocalizeTest, WhatMayNotOrCannotBeFetchedFailsTheContainerAndLeavesNothing) {
  start();
  struct Row {
    std::string url;
    std::int64_t timestamp_ms;
    std::string message;
  };
  const Row table[] = {
      {"ftp://host/x", 0, "No FileSystem for scheme \"ftp\" (ftp://host/x): file, hdfs, webhdfs"},
      {"http://169.254.169.254/latest/meta-data", 0,
       "leads to a link-local address, which is refused"},
      {"http://[fe80::1]/x", 0, "leads to a link-local address, which is refused"},
      {web("/away"), 0, "leads to a link-local address, which is refused"},
      {web("/missing"), 0,
       "java.io.FileNotFoundException: File " + web("/missing") + " does not exist"},
      {web("/broken"), 0, web("/broken") + " answered 503"},
      {web("/file.txt"), 5, "changed on src filesystem - expected: "},
      {web("/.."), 0, "its last part is not a file name"},
      {"hdfs://nameservice/data/in.txt", kModified + 1, "changed on src filesystem - expected: "},
      {"file://elsewhere/x", 0, "is not a file: URL of this machine"},
      {"file:/nowhere/none", 0, "File file:/nowhere/none does not exist"},
  };
  std::int64_t number = 0;
  for (const Row& row : table) {
    const auto ended = run_to_end(needs(++number, row.url, row.timestamp_ms));
    EXPECT_EQ(ended.exit_status, exit_status::kInvalid) << row.url;
    EXPECT_THAT(ended.diagnostics, HasSubstr(row.message)) << row.url;
  }
  EXPECT_EQ(left_in_caches(), 0U);
}

TEST_F(LocalizeTest, AnEndlessErrorPageHeldAFetcherForEver) {
  config_.fetch_threads = 1;
  start();
  const auto ended = run_to_end(needs(1, web("/endless"), 0));
  EXPECT_THAT(ended.diagnostics, HasSubstr("/endless answered 500"));
  EXPECT_EQ(run_to_end(needs(2, web("/file.txt"), 0)).exit_status, 0);
}

TEST_F(LocalizeTest, AnEndlessDownloadHeldUpTheEndOfTheAgent) {
  start();
  ASSERT_TRUE(run(needs(1, web("/endless-file"), 0)));
  held_.get_future().wait();
  ASSERT_TRUE(stop(id(1)));
  rm_.wait_for_state(id(1), ContainerState::kDone);
  crash();
  EXPECT_EQ(left_in_caches(), 0U);
}

TEST_F(LocalizeTest, LogDisksThatFailedWhileAContainerLocalizedEndedTheAgent) {
  config_.disk_interval = std::chrono::milliseconds(10);
  start();
  ASSERT_TRUE(run(needs(1, web("/waits"), 0)));
  const auto responder = held_.get_future().get();
  std::filesystem::rename(config_.log_dirs[0], dir_.path() + "/gone");
  std::ofstream(config_.log_dirs[0]) << "no directory";
  rm_.wait_until([](const FakeRm& rm) {
    return !rm.requests_.empty() && !rm.requests_.back().health.healthy;
  });
  responder->respond(net::text_response(200, "text/plain", "at last\n"));
  const auto ended = rm_.wait_for_state(id(1), ContainerState::kDone);
  EXPECT_EQ(ended.exit_status, exit_status::kDisksFailed);
  EXPECT_THAT(ended.diagnostics, HasSubstr("is not a directory"));
}

TEST_F(LocalizeTest, ADownloadThatNobodyWaitsForAnyMoreIsGivenUp) {
  config_.fetch_threads = 1;
  start();
  ASSERT_TRUE(run(needs(1, web("/waits"), 0)));
  const auto responder = held_.get_future().get();  // which says nothing
  ASSERT_TRUE(stop(id(1)));
  rm_.wait_for_state(id(1), ContainerState::kDone);
  EXPECT_EQ(run_to_end(needs(2, web("/file.txt"), 0)).exit_status, 0);
}

TEST_F(LocalizeTest, ASilentServerDoesNotHoldUpTheEndOfTheAgent) {
  start();
  ASSERT_TRUE(run(needs(1, web("/waits"), 0)));
  const auto responder = held_.get_future().get();
  crash();
  EXPECT_EQ(left_in_caches(), 0U);
}

TEST_F(LocalizeTest, ASlowUnpackerIsEndedWithTheAgent) {
  const std::string started = dir_.path() + "/started";
  ASSERT_EQ(mkfifo(started.c_str(), 0600), 0);
  config_.unpacker = dir_.path() + "/slow-unpacker";
  std::ofstream(config_.unpacker) << "#!/bin/sh\necho $$ > " << started << "\nexec sleep 1000\n";
  chmod(config_.unpacker.c_str(), 0755);
  start();
  auto unpacks = request(1, "true");
  unpacks.launch.resources["x"] = resource("x.tar", "not looked at", ResourceType::kArchive);
  ASSERT_TRUE(run(unpacks));
  pid_t unpacker = 0;
  std::ifstream(started) >> unpacker;
  ASSERT_GT(unpacker, 1);
  crash();
  EXPECT_EQ(::kill(unpacker, 0), -1) << "process " << unpacker << " lives on";
  EXPECT_EQ(left_in_caches(), 0U);
}

TEST_F(LocalizeTest, LogsThatCannotBeMovedHoldUpNoStartAndNoEndOfTheAgent) {
  config_.worker_threads = 1;
  config_.log_aggregation = true;
  config_.remote_log_dir = "hdfs://nameservice/logs";
  start();
  run_to_end(request(1, "echo hello 1><LOG_DIR>/stdout"));
  rm_.tell([&](HeartbeatAnswer& answer) { answer.apps_to_clean_up.push_back(id(1).attempt.app); });
  const auto responder = held_.get_future().get();  // of a NameNode that says nothing
  auto other = request(2, "true");
  other.grant.id = id(1, 2);
  EXPECT_EQ(run_to_end(other).exit_status, 0);
  crash();
}

TEST_F(LocalizeTest, SlowDownloadsOfOneUserDoNotHoldUpAnother) {
  config_.fetch_threads = 1;
  start();
  ASSERT_TRUE(run(needs(1, web("/waits"), 0)));
  const auto responder = held_.get_future().get();
  auto other = needs(2, web("/file.txt"), 0);
  other.grant.id = id(1, 2);
  other.grant.user = "other";
  EXPECT_EQ(run_to_end(other).exit_status, 0);
}

TEST_F(LocalizeTest, AContainerKilledWhileItLocalizesEndsAtOnce) {
  start();
  ASSERT_TRUE(run(needs(1, web("/waits"), 0)));
  const auto responder = held_.get_future().get();
  ASSERT_TRUE(stop(id(1)));
  const auto ended = rm_.wait_for_state(id(1), ContainerState::kDone);
  EXPECT_EQ(ended.exit_status, exit_status::kKilledByAppMaster);
  responder->respond(net::text_response(200, "text/plain", "too late\n"));
}

}  // namespace
}  // namespace heddle::nm
