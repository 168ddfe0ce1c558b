#include "compat/shuffle/shuffle_service.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "base/net/http.h"
#include "base/text.h"
#include "compat/shuffle/shuffle_request.h"

namespace heddle::compat::shuffle {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr AppId kApp{1795310003435, 12};
constexpr const char* kMap0 = "attempt_1795310003435_0012_m_000000_0";
constexpr const char* kMap1 = "attempt_1795310003435_0012_m_000001_0";
// The service data that a real MapReduce AM sent: identifier, password, kind, service.
constexpr std::string_view kServiceData =
    "17166a6f625f313739353331303030333433355f30303132"
    "08fffb407861c5e98d"
    "0d6d61707265647563652e6a6f62"
    "166a6f625f313739353331303030333433355f30303132";

void append_number(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out += static_cast<char>((value >> shift) & 0xFFU);
}

std::vector<std::string> recorded_segments() {
  std::ifstream file(HEDDLE_TEST_DATA "/segments.hex");
  std::vector<std::string> segments;
  for (std::string line; std::getline(file, line);)
    segments.push_back(*hex_decode(line));
  return segments;
}

class ShuffleServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "shuffleXXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    for (const char* dir : {"1", "2"}) {
      fs::create_directories(root_ / dir);
      dirs_.push_back((root_ / dir).string());
    }
    listen({});
  }
  void listen(std::vector<ShuffleJob> jobs) {
    ShuffleOptions options;
    options.host = "127.0.0.1";
    options.port = 0;
    ShuffleCallbacks callbacks;
    callbacks.local_dirs = [this] { return dirs_; };
    callbacks.job_added = [this](const ShuffleJob& job) -> Result<void> {
      if (add_error_) return fail(*add_error_);
      added_.push_back(to_string(job.app) + " " + job.user);
      return {};
    };
    callbacks.job_removed = [this](const AppId& app) { removed_.push_back(to_string(app)); };
    auto service = ShuffleService::listen(loops_, options, std::move(callbacks), std::move(jobs));
    ASSERT_TRUE(service.has_value()) << service.error().message;
    service_ = *std::move(service);
  }
  void TearDown() override {
    service_.reset();
    loops_.stop();
    fs::remove_all(root_);
  }

  void start_job() {
    const auto started = service_->init_app("alice", kApp, *hex_decode(kServiceData));
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }
  fs::path folder(const char* dir, std::string_view attempt) const {
    return root_ / dir / "usercache/alice/appcache/application_1795310003435_0012/output" / attempt;
  }
  static void write(const fs::path& path, std::string_view bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
  /// A map output with these segments; index and data may lie in different local dirs.
  void write_map(const char* attempt, const std::vector<std::string>& segments,
                 const char* data_dir = "1", const char* index_dir = "1") {
    std::string data;
    std::string index;
    for (const std::string& segment : segments) {
      append_number(index, data.size());
      append_number(index, segment.size() < 4 ? 0 : segment.size() - 4);
      append_number(index, segment.size());
      data += segment;
    }
    append_number(index, crc32_z(0, reinterpret_cast<const Bytef*>(index.data()), index.size()));
    write(folder(data_dir, attempt) / "file.out", data);
    write(folder(index_dir, attempt) / "file.out.index", index);
  }

  net::HttpCall call_for(const std::string& target) const {
    net::HttpCall call;
    call.url = fmt::format("http://127.0.0.1:{}{}", service_->port(), target);
    call.headers.add("name", "mapreduce");
    call.headers.add("version", "1.0.0");
    const security::Secret secret(*hex_decode("fffb407861c5e98d"));
    call.headers.add("UrlHash", expected_url_hash(secret, service_->port(), target));
    return call;
  }
  net::HttpResponse fetch(const net::HttpCall& call) const {
    auto answer = net::http_call(call);
    EXPECT_TRUE(answer.has_value()) << answer.error().message;
    return answer.value_or(net::HttpResponse{});
  }
  net::HttpResponse fetch(const std::string& target) const { return fetch(call_for(target)); }
  static std::string target(std::string_view maps, int reduce = 1) {
    return fmt::format("/mapOutput?job=job_1795310003435_0012&reduce={}&map={}", reduce, maps);
  }

  net::EventLoops loops_{2};
  fs::path root_;
  std::vector<std::string> dirs_;
  std::optional<Error> add_error_;
  std::vector<std::string> added_;
  std::vector<std::string> removed_;
  std::unique_ptr<ShuffleService> service_;
};

TEST_F(ShuffleServiceTest, AnswersTheRecordedRequestWithTheRecordedBytes) {
  start_job();
  const auto segments = recorded_segments();
  ASSERT_EQ(segments.size(), 2U);
  write_map(kMap0, {"first partition", segments[0]});
  write_map(kMap1, {"first partition", segments[1]}, "2", "1");
  const auto call = call_for(target(fmt::format("{},{}", kMap0, kMap1)));
  const auto answer = fetch(call);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.headers.get("content-length"), "2040");
  EXPECT_EQ(answer.headers.get("name"), "mapreduce");
  EXPECT_EQ(answer.headers.get("version"), "1.0.0");
  EXPECT_EQ(answer.headers.get("Connection"), "close");
  const security::Secret secret(*hex_decode("fffb407861c5e98d"));
  EXPECT_EQ(answer.headers.get("ReplyHash"), reply_hash(secret, call.headers.get("UrlHash")));
  EXPECT_EQ(answer.body, shuffle_header(kMap0, 975, 971, 1) + segments[0] +
                             shuffle_header(kMap1, 975, 971, 1) + segments[1]);
}

TEST_F(ShuffleServiceTest, SendsLargeAndEmptySegmentsMixed) {
  start_job();
  const std::string large(3'000'000, 'L');
  write_map(kMap0, {large, ""});
  write_map(kMap1, {"small"}, "2", "2");
  const auto answer = fetch(target(fmt::format("{0},{1},{0},{1}", kMap0, kMap1), 0));
  const std::string both = shuffle_header(kMap0, 3'000'000, 2'999'996, 0) + large +
                           shuffle_header(kMap1, 5, 1, 0) + "small";
  EXPECT_TRUE(answer.body == both + both);
  EXPECT_EQ(fetch(target(kMap0, 1)).body, shuffle_header(kMap0, 0, 0, 1));
}

TEST_F(ShuffleServiceTest, KeepsTheConnectionWhenTheRequestAsks) {
  start_job();
  write_map(kMap0, {"segment"});
  const auto answer = fetch(target(kMap0, 0) + "&keepAlive=true");
  EXPECT_EQ(answer.headers.get("Connection"), "Keep-Alive");
  EXPECT_EQ(answer.headers.get("Keep-Alive"), "timeout=5");
}

TEST_F(ShuffleServiceTest, RefusesARequestWithoutHash) {
  start_job();
  auto call = call_for(target(kMap0));
  call.headers.set("UrlHash", "");
  const auto answer = fetch(call);
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.body, "fetcher cannot be authenticated");
  EXPECT_EQ(answer.headers.get("name"), "mapreduce");
  EXPECT_EQ(answer.headers.get("version"), "1.0.0");
  EXPECT_EQ(answer.headers.get("content-type"), "text/plain; charset=UTF-8");
}

TEST_F(ShuffleServiceTest, RefusesAWrongHash) {
  start_job();
  auto call = call_for(target(kMap0));
  call.headers.set("UrlHash", "yPoa5bXJOrVu77O6pxeBzG7CPfI=");
  const auto answer = fetch(call);
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.body, "Verification of the hashReply failed");
}

TEST_F(ShuffleServiceTest, RefusesAHashOfAnotherTarget) {
  start_job();
  auto call = call_for(target(kMap0, 0));
  call.url = call_for(target(kMap0, 1)).url;
  EXPECT_EQ(fetch(call).status, 401);
}

TEST_F(ShuffleServiceTest, RefusesAnUnknownJob) {
  const auto answer =
      fetch("/mapOutput?job=job_1_0001&reduce=0&map=attempt_1795310003435_0012_m_000000_0");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.body, "Can't find job token for job job_1_0001 !!");
}

TEST_F(ShuffleServiceTest, NamesAMapOutputThatIsNotThere) {
  start_job();
  write_map(kMap0, {"segment"});
  const auto answer =
      fetch(target(fmt::format("{},attempt_1795310003435_0012_m_000077_0", kMap0), 0));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body,
            "Could not find usercache/alice/appcache/application_1795310003435_0012/output/"
            "attempt_1795310003435_0012_m_000077_0/file.out.index in any of the directories");
}

TEST_F(ShuffleServiceTest, RefusesAReducerThatTheMapDoesNotKnow) {
  start_job();
  write_map(kMap0, {"segment"});
  EXPECT_EQ(fetch(target(kMap0, 1)).status, 500);
}

TEST_F(ShuffleServiceTest, RefusesABrokenIndex) {
  start_job();
  write_map(kMap0, {"segment"});
  write(folder("1", kMap0) / "file.out.index", std::string(56, 'x'));
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 500);
}

TEST_F(ShuffleServiceTest, RefusesAnIndexThatPointsBehindTheData) {
  start_job();
  write_map(kMap0, {"a longer segment"});
  write(folder("1", kMap0) / "file.out", "short");
  const auto answer = fetch(target(kMap0, 0));
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("ends behind the end of file.out"));
}

TEST_F(ShuffleServiceTest, FollowsNoLinkOutOfTheFolder) {
  start_job();
  write_map(kMap0, {"segment"});
  write(root_ / "secret", "segment");
  fs::remove(folder("1", kMap0) / "file.out");
  fs::create_symlink(root_ / "secret", folder("1", kMap0) / "file.out");
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 500);

  write_map(kMap1, {"segment"});
  fs::rename(folder("1", kMap1), root_ / "elsewhere");
  fs::create_directory_symlink(root_ / "elsewhere", folder("1", kMap1));
  EXPECT_EQ(fetch(target(kMap1, 0)).status, 500);
}

TEST_F(ShuffleServiceTest, ServesNoFileOfAnotherOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  start_job();
  write_map(kMap0, {"segment"});
  ASSERT_EQ(::chown((folder("1", kMap0) / "file.out").c_str(), 12345, 12345), 0);
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 500);
}

TEST_F(ShuffleServiceTest, IsNotHeldUpByAPipe) {
  start_job();
  write_map(kMap0, {"segment"});
  fs::remove(folder("1", kMap0) / "file.out");
  ASSERT_EQ(::mkfifo((folder("1", kMap0) / "file.out").c_str(), 0644), 0);
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 500);
}

TEST_F(ShuffleServiceTest, BreaksOffWhenACachedMapOutputIsGoneAndSaysSoNextTime) {
  start_job();
  write_map(kMap0, {"segment"});
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 200);
  fs::remove_all(folder("1", kMap0));
  EXPECT_FALSE(net::http_call(call_for(target(kMap0, 0))).has_value());
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 500);
}

TEST_F(ShuffleServiceTest, ForgetsAJobThatEnded) {
  start_job();
  write_map(kMap0, {"segment"});
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 200);
  service_->stop_app(kApp);
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 401);
  service_->stop_app(kApp);
  EXPECT_THAT(added_, ::testing::ElementsAre("application_1795310003435_0012 alice"));
  EXPECT_THAT(removed_, ::testing::ElementsAre("application_1795310003435_0012"));
}

TEST_F(ShuffleServiceTest, ServesAJobOfAnEarlierLifeUntilItEnds) {
  write_map(kMap0, {"segment"});
  listen({{kApp, "alice", security::Secret(*hex_decode("fffb407861c5e98d"))}});
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 200);
  EXPECT_TRUE(added_.empty()) << "it is recorded already";
  service_->stop_app(kApp);
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 401);
  EXPECT_THAT(removed_, ::testing::ElementsAre("application_1795310003435_0012"));
}

TEST_F(ShuffleServiceTest, AJobThatCannotBeRecordedIsNotServed) {
  add_error_ = Error{ErrorCode::kUnavailable, "state store is full", ErrorSubject::kNone};
  write_map(kMap0, {"segment"});
  const auto started = service_->init_app("alice", kApp, *hex_decode(kServiceData));
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().message, "state store is full");
  EXPECT_EQ(fetch(target(kMap0, 0)).status, 401);
}

TEST_F(ShuffleServiceTest, MetadataIsThePort) {
  const std::string metadata = service_->metadata();
  ASSERT_EQ(metadata.size(), 4U);
  EXPECT_EQ(
      (static_cast<unsigned char>(metadata[2]) << 8) | static_cast<unsigned char>(metadata[3]),
      service_->port());
}

TEST_F(ShuffleServiceTest, RefusesServiceDataThatIsNoToken) {
  EXPECT_FALSE(service_->init_app("alice", kApp, "garbage").has_value());
  EXPECT_FALSE(service_->init_app("../bob", kApp, *hex_decode(kServiceData)).has_value());
  EXPECT_TRUE(added_.empty());
}

TEST(ShuffleOptions, ComeFromHadoopsProperties) {
  Settings settings;
  settings.set("mapreduce.shuffle.port", {"41562", "test"});
  settings.set("mapreduce.shuffle.connection-keep-alive.enable", {"true", "test"});
  settings.set("mapreduce.shuffle.connection-keep-alive.timeout", {"7", "test"});
  settings.set("mapreduce.shuffle.max.connections", {"9", "test"});
  settings.set("mapreduce.shuffle.indexcache.mb", {"2", "test"});
  const auto options = read_shuffle_options(settings);
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_EQ(options->port, 41562);
  EXPECT_TRUE(options->keep_alive);
  EXPECT_EQ(options->keep_alive_timeout.count(), 7);
  EXPECT_EQ(options->connections_max, 9U);
  EXPECT_EQ(options->index_cache_bytes, 2U * 1024 * 1024);
  EXPECT_EQ(read_shuffle_options(Settings{})->port, 13562);
}

}  // namespace
}  // namespace heddle::compat::shuffle
