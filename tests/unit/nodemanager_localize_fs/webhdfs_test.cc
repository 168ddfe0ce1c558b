#include "nodemanager/localize/webhdfs.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "base/net/http.h"

namespace heddle::nm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Answers of a real 3.4.2 NameNode.
constexpr const char* kListing =
    R"({"FileStatuses":{"FileStatus":[
{"accessTime":1795320923105,"blockSize":134217728,"childrenNum":0,"fileId":16388,"group":"supergroup","length":3,"modificationTime":1795320924390,"owner":"alice","pathSuffix":"f x","permission":"640","replication":1,"storagePolicy":0,"type":"FILE"}
]}})";
constexpr const char* kMissing =
    R"({"RemoteException":{"exception":"FileNotFoundException","javaClassName":"java.io.FileNotFoundException","message":"File does not exist: /nope"}})";
constexpr const char* kDenied =
    R"({"RemoteException":{"exception":"AccessControlException","javaClassName":"org.apache.hadoop.security.AccessControlException","message":"Permission denied: user=bob, access=EXECUTE, inode=\"/a\":alice:supergroup:drwxrwx---"}})";
constexpr const char* kStandby =
    R"({"RemoteException":{"exception":"StandbyException","javaClassName":"org.apache.hadoop.ipc.StandbyException","message":"Operation category READ is not supported in state standby"}})";

TEST(WebHdfsAnswers, ListingOfARealNameNode) {
  const auto listing = parse_file_statuses(kListing);
  ASSERT_TRUE(listing.has_value()) << listing.error().message;
  ASSERT_EQ(listing->size(), 1U);
  const FileStatus& file = listing->front();
  EXPECT_EQ(file.name, "f x");
  EXPECT_EQ(file.length, 3U);
  EXPECT_EQ(file.permission, 0640U);
  EXPECT_EQ(file.owner, "alice");
  EXPECT_EQ(file.modified_ms, 1795320924390);
  EXPECT_FALSE(file.is_dir);
}

TEST(WebHdfsAnswers, ErrorsOfARealNameNode) {
  EXPECT_EQ(parse_remote_exception(404, kMissing).code, ErrorCode::kNotFound);
  EXPECT_EQ(parse_remote_exception(403, kDenied).code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(parse_remote_exception(403, kStandby).code, ErrorCode::kUnavailable);
  EXPECT_EQ(parse_remote_exception(401, "<html>").code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(parse_remote_exception(500, "").code, ErrorCode::kUnavailable);
  EXPECT_EQ(parse_remote_exception(404, kMissing).message,
            "FileNotFoundException: File does not exist: /nope");
}

TEST(WebHdfsAnswers, NonsenseIsRefused) {
  for (const char* text :
       {"", "[]", "{", R"({"FileStatus":1})", R"({"FileStatus":{"type":"FILE"}})",
        R"({"FileStatus":{"type":"FILE","length":-1,"permission":"644"}})",
        R"({"FileStatus":{"type":"FILE","length":1,"permission":"abc"}})",
        R"({"FileStatus":{"type":"FILE","length":"1","permission":"644"}})",
        R"({"FileStatus":{"type":"FILE","length":1,"permission":"644","pathSuffix":"../x"}})"}) {
    EXPECT_FALSE(parse_file_status(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_file_statuses(R"({"FileStatuses":{"FileStatus":{}}})").has_value());
  EXPECT_FALSE(parse_boolean(R"({"boolean":1})").has_value());
  EXPECT_FALSE(parse_file_status(std::string(1'000'000, '[')).has_value());
}

/// Two addresses: a NameNode in standby and an active one that redirects to itself.
class WebHdfsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "spoolXXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    spool_ = name;
    active_ = serve([this](const net::HttpRequest& request) { return active(request); });
    standby_ = serve([](const net::HttpRequest&) {
      return net::text_response(403, "application/json", kStandby);
    });
    WebHdfsOptions options;
    options.web_addresses["nameservice"] = {net::to_string(standby_->endpoint()),
                                            net::to_string(active_->endpoint())};
    options.default_authority = "nameservice";
    options.spool_dir = spool_;
    fs_ = std::make_unique<WebHdfs>(options);
  }
  void TearDown() override { std::filesystem::remove_all(spool_); }
  std::unique_ptr<net::HttpServer> serve(
      std::function<net::HttpResponse(const net::HttpRequest&)> answer) {
    auto server = net::HttpServer::listen(
        loops_, "127.0.0.1", 0, {},
        [answer = std::move(answer)](const net::HttpRequest& request, const auto& responder) {
          responder->respond(answer(request));
        });
    EXPECT_TRUE(server.has_value());
    return *std::move(server);
  }
  net::HttpResponse active(const net::HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(request.method + " " + request.target);
    if (request.path == "/data") {
      if (request.method == "PUT") {
        for (const auto& entry : std::filesystem::directory_iterator(spool_))
          spooled_.push_back(entry.path().filename());
        stored_ = request.body;
        return net::text_response(201, "text/plain", "");
      }
      return stored_.empty() ? net::text_response(404, "application/json", kMissing)
                             : net::text_response(200, "application/octet-stream", stored_);
    }
    const std::string* operation = request.query_value("op");
    if (operation != nullptr && (*operation == "OPEN" || *operation == "CREATE")) {
      net::HttpResponse response;
      response.status = 307;
      response.headers.set("Location", "http://" + net::to_string(active_->endpoint()) + "/data");
      return response;
    }
    if (operation != nullptr && *operation == "LISTSTATUS") {
      return net::text_response(200, "application/json", kListing);
    }
    return net::text_response(200, "application/json", R"({"boolean":false})");
  }

  net::EventLoops loops_{1};
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::string stored_;
  std::string spool_;
  std::vector<std::string> spooled_;
  std::unique_ptr<net::HttpServer> active_;
  std::unique_ptr<net::HttpServer> standby_;
  std::unique_ptr<WebHdfs> fs_;
};

TEST_F(WebHdfsTest, AsksTheNextNameNodeWhenOneIsInStandby) {
  ASSERT_TRUE(fs_->list("hdfs://nameservice/a b/c", "alice").has_value());
  EXPECT_THAT(asked_, ElementsAre("GET /webhdfs/v1/a%20b/c?op=LISTSTATUS&user.name=alice"));
}

TEST_F(WebHdfsTest, WritesAndReadsThroughTheDataNode) {
  const auto written =
      fs_->write("hdfs:///f", 0640, "alice", [](const RemoteFs::Sink& sink) -> Result<void> {
        RETURN_IF_ERROR(sink("two "));
        return sink("pieces");
      });
  ASSERT_TRUE(written.has_value()) << written.error().message;
  EXPECT_EQ(stored_, "two pieces");
  EXPECT_THAT(asked_, ElementsAre("PUT /webhdfs/v1/f?op=CREATE&overwrite=true&createparent=false"
                                  "&permission=640&user.name=alice",
                                  "PUT /data"));
  std::string read;
  ASSERT_TRUE(fs_->read("hdfs:///f", "alice",
                        [&](std::string_view bytes) -> Result<void> {
                          read += bytes;
                          return {};
                        })
                  .has_value());
  EXPECT_EQ(read, "two pieces");
}

TEST_F(WebHdfsTest, AKilledAgentLeftWhatItWasUploading) {
  ASSERT_TRUE(fs_->write("hdfs:///f", 0640, "alice",
                         [](const RemoteFs::Sink& sink) { return sink("bytes"); })
                  .has_value());
  EXPECT_EQ(stored_, "bytes");
  EXPECT_TRUE(spooled_.empty()) << "a file with a name outlives its process";
}

TEST_F(WebHdfsTest, ANameServiceIsTheSameForWebhdfs) {
  stored_ = "bytes";
  std::string read;
  const auto done =
      fs_->read("webhdfs://nameservice/f", "alice", [&](std::string_view bytes) -> Result<void> {
        read += bytes;
        return {};
      });
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(read, "bytes");
}

TEST_F(WebHdfsTest, GivesTheReadersErrorBack) {
  stored_ = "bytes";
  const auto done = fs_->read("hdfs:///f", "alice", [](std::string_view) -> Result<void> {
    return fail(ErrorCode::kLimitExceeded, "disk full");
  });
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::kLimitExceeded);
}

TEST_F(WebHdfsTest, AnErrorOfTheDataNodeIsNotTheFilesBytes) {
  bool called = false;
  const auto done = fs_->read("hdfs:///f", "alice", [&](std::string_view) -> Result<void> {
    called = true;
    return {};
  });
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(called);
}

TEST_F(WebHdfsTest, WritesNothingWhenTheProducerFails) {
  const auto written =
      fs_->write("hdfs:///f", 0640, "alice", [](const RemoteFs::Sink& sink) -> Result<void> {
        RETURN_IF_ERROR(sink("half"));
        return Result<void>(fail(ErrorCode::kInternal, "broke"));
      });
  EXPECT_FALSE(written.has_value());
  EXPECT_TRUE(asked_.empty());
}

TEST_F(WebHdfsTest, AFalseAnswerIsAnError) {
  EXPECT_EQ(fs_->rename("hdfs:///a", "hdfs:///b", "alice").error().code, ErrorCode::kWrongState);
  EXPECT_EQ(fs_->remove("hdfs:///a", "alice", true).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs_->make_dirs("hdfs:///a", 0770, "alice").has_value());
}

TEST_F(WebHdfsTest, NamesOfUsersAndFilesCannotAddParameters) {
  ASSERT_TRUE(fs_->list("hdfs:///a?op=DELETE&x=", "bob&user.name=hdfs").has_value());
  EXPECT_THAT(asked_.front(),
              StartsWith("GET /webhdfs/v1/a%3Fop%3DDELETE%26x%3D?op=LISTSTATUS&user.name=bob%26"));
}

TEST_F(WebHdfsTest, RefusesOtherSchemesAndAMissingHost) {
  EXPECT_EQ(fs_->stat("s3a://b/k", "alice").error().code, ErrorCode::kInvalidArgument);
  WebHdfs without_default(WebHdfsOptions{});
  EXPECT_EQ(without_default.stat("hdfs:///a", "alice").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace heddle::nm
