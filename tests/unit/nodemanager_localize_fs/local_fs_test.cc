#include "nodemanager/localize/local_fs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace heddle::nm {
namespace {

namespace stdfs = std::filesystem;
using ::testing::HasSubstr;

class LocalFsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/localfsXXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    ASSERT_EQ(::chmod(name.c_str(), 0755), 0);
  }
  void TearDown() override { stdfs::remove_all(root_); }
  std::string url(std::string_view path) const { return "file://" + root_ + std::string(path); }
  std::string read(const std::string& path) {
    std::string bytes;
    const auto done = fs_.read(url(path), "root", [&](std::string_view part) -> Result<void> {
      bytes += part;
      return {};
    });
    EXPECT_TRUE(done.has_value()) << done.error().message;
    return bytes;
  }
  Result<void> write(const std::string& path, std::string_view bytes, std::uint32_t mode = 0640) {
    return fs_.write(url(path), mode, "root",
                     [&](const RemoteFs::Sink& sink) { return sink(bytes); });
  }

  std::string root_;
  LocalFs fs_;
};

TEST_F(LocalFsTest, WritesReadsAndTellsAFile) {
  ASSERT_TRUE(write("/a b", "hello").has_value());
  EXPECT_EQ(read("/a b"), "hello");
  const auto status = fs_.stat(url("/a b"), "root");
  ASSERT_TRUE(status.has_value());
  EXPECT_FALSE(status->is_dir);
  EXPECT_EQ(status->length, 5U);
  EXPECT_EQ(status->permission, 0640U);
  EXPECT_GT(status->modified_ms, 1'600'000'000'000);
}

TEST_F(LocalFsTest, MakesDirectoriesWithExactModes) {
  ASSERT_TRUE(fs_.make_dirs(url("/x/y"), 01777, "root").has_value());
  EXPECT_EQ(fs_.stat(url("/x/y"), "root")->permission, 01777U);
  ASSERT_TRUE(fs_.make_dirs(url("/x/y"), 0700, "root").has_value());
  EXPECT_EQ(fs_.stat(url("/x/y"), "root")->permission, 01777U) << "what is there stays";
}

TEST_F(LocalFsTest, ListsNamesWithStatus) {
  ASSERT_TRUE(write("/f", "1").has_value());
  ASSERT_TRUE(fs_.make_dirs(url("/d"), 0755, "root").has_value());
  const auto listing = fs_.list(url("/"), "root");
  ASSERT_TRUE(listing.has_value());
  EXPECT_THAT(*listing, ::testing::UnorderedElementsAre(::testing::Field(&FileStatus::name, "f"),
                                                        ::testing::Field(&FileStatus::name, "d")));
}

TEST_F(LocalFsTest, RenamesButNeverOverAnother) {
  ASSERT_TRUE(write("/a", "1").has_value());
  ASSERT_TRUE(write("/b", "2").has_value());
  EXPECT_EQ(fs_.rename(url("/a"), url("/b"), "root").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(fs_.rename(url("/no"), url("/c"), "root").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(fs_.rename(url("/a"), url("/c"), "root").has_value());
  EXPECT_EQ(read("/c"), "1");
}

TEST_F(LocalFsTest, NamesWhatIsMissing) {
  const auto status = fs_.stat(url("/no"), "root");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(status.error().message, HasSubstr("/no"));
  EXPECT_EQ(fs_.remove(url("/no"), "root", true).error().code, ErrorCode::kNotFound);
}

TEST_F(LocalFsTest, ReadsOnlyRegularFiles) {
  ASSERT_EQ(::mkfifo((root_ + "/pipe").c_str(), 0644), 0);
  EXPECT_FALSE(fs_.read(url("/pipe"), "root", [](auto) { return Result<void>(); }).has_value());
  EXPECT_FALSE(fs_.read(url("/"), "root", [](auto) { return Result<void>(); }).has_value());
}

TEST_F(LocalFsTest, ReplacesALinkInsteadOfWritingThroughIt) {
  ASSERT_TRUE(write("/target", "old").has_value());
  stdfs::create_symlink(root_ + "/target", root_ + "/link");
  ASSERT_TRUE(write("/link", "new").has_value());
  EXPECT_EQ(read("/target"), "old");
  EXPECT_EQ(read("/link"), "new");
}

TEST_F(LocalFsTest, ActsWithTheRightsOfTheUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can act as another user";
  ASSERT_TRUE(write("/secret", "1", 0600).has_value());
  const auto nothing = [](std::string_view) { return Result<void>(); };
  EXPECT_EQ(fs_.read(url("/secret"), "nobody", nothing).error().code, ErrorCode::kPermissionDenied);
  ASSERT_TRUE(write("/group", "1", 0640).has_value());
  EXPECT_EQ(fs_.read(url("/group"), "nobody", nothing).error().code, ErrorCode::kPermissionDenied)
      << "the groups of root must be gone too";
  EXPECT_EQ(fs_.read("file:///etc/shadow", "nobody", nothing).error().code,
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(fs_.make_dirs(url("/d"), 0755, "nobody").error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(read("/secret"), "1") << "the thread has its own rights back";
}

TEST_F(LocalFsTest, DoesNotActForAnUnknownUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can act as another user";
  EXPECT_EQ(fs_.stat(url("/"), "no-such-user-here").error().code, ErrorCode::kPermissionDenied);
}

TEST_F(LocalFsTest, DownloadLeavesNothingBehindOnAnError) {
  EXPECT_FALSE(download(fs_, url("/no"), "root", root_ + "/copy").has_value());
  EXPECT_FALSE(stdfs::exists(root_ + "/copy"));
  ASSERT_TRUE(write("/f", "bytes").has_value());
  ASSERT_TRUE(download(fs_, url("/f"), "root", root_ + "/copy").has_value());
  EXPECT_EQ(read("/copy"), "bytes");
  EXPECT_EQ(download(fs_, url("/f"), "root", root_ + "/copy").error().code,
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(read("/copy"), "bytes") << "what was there before is not ours to remove";
}

TEST(FsUrls, AreTakenApart) {
  EXPECT_EQ(parse_fs_url("hdfs://nn:9000/a b/c%20d")->path, "/a b/c%20d");
  EXPECT_EQ(parse_fs_url("hdfs://nn:9000/a")->authority, "nn:9000");
  EXPECT_EQ(parse_fs_url("HDFS:///a")->scheme, "hdfs");
  EXPECT_EQ(parse_fs_url("file:/a")->path, "/a");
  EXPECT_EQ(parse_fs_url("/a:b")->scheme, "file");
  for (const char* url : {"", "a", "hdfs:a", "hdfs://nn:9000", "hdfs://a@b/c", "hdfs://a?b/c"}) {
    EXPECT_FALSE(parse_fs_url(url).has_value()) << url;
  }
}

}  // namespace
}  // namespace heddle::nm
