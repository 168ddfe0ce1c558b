#include "compat/logfile/tfile.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "base/text.h"
#include "compat/logfile/aggregated_log.h"
#include "compat/logfile/tfile_format.h"
#include "compat/logfile/tv.h"

namespace heddle::compat::logfile {
namespace {

using namespace std::string_view_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A small file that the unmodified `yarn logs` has read.
constexpr std::string_view kDemo =
    "d111d36891b5d7b639df414092bae15009000756455253494f4e04000000011300114150504c4943"
    "4154494f4e5f4f574e4552070005616c69636511000f4150504c49434154494f4e5f41434c0d0008"
    "564945575f41505000012a280026636f6e7461696e65725f313739353331303030333433355f3030"
    "30325f30315f3030303030311c00067374646f757400013668656c6c6f0a00067374646572720001"
    "300001000004000a09000756455253494f4e2a280026636f6e7461696e65725f3137393533313030"
    "30333433355f303030325f30315f30303030303104046e6f6e650110cc91cc910311646174613a42"
    "4346696c652e696e646578046e6f6e65ccdd0b0b10646174613a5446696c652e696e646578046e6f"
    "6e65cca736360f646174613a5446696c652e6d657461046e6f6e65cca1060600000000000000e800"
    "010000d111d36891b5d7b639df414092bae150";

std::string utf(std::string_view text) {
  return *encode_java_utf(text);
}

ByteSink sink_to(std::string& out) {
  return [&out](std::string_view bytes) -> Result<void> {
    out += bytes;
    return {};
  };
}

TEST(TFile, WritesTheRecordedFileByteForByte) {
  std::string out;
  TFileWriter writer(sink_to(out), Compression::kNone);
  ASSERT_TRUE(writer.write_record(utf("VERSION"), "\0\0\0\1"sv).has_value());
  ASSERT_TRUE(writer.write_record(utf("APPLICATION_OWNER"), utf("alice")).has_value());
  ASSERT_TRUE(writer.write_record(utf("APPLICATION_ACL"), utf("VIEW_APP") + utf("*")).has_value());
  ASSERT_TRUE(writer.begin_record(utf("container_1795310003435_0002_01_000001")).has_value());
  ASSERT_TRUE(writer.write_value(utf("stdout") + utf("6") + "hello\n").has_value());
  ASSERT_TRUE(writer.write_value(utf("stderr") + utf("0")).has_value());
  ASSERT_TRUE(writer.end_record().has_value());
  ASSERT_TRUE(writer.finish().has_value());
  EXPECT_EQ(hex_encode(out), kDemo);
}

TEST(TFile, ReadsTheRecordedFile) {
  const auto records = read_tfile(*hex_decode(kDemo), 1 << 20);
  ASSERT_TRUE(records.has_value()) << records.error().message;
  ASSERT_EQ(records->size(), 4U);
  EXPECT_EQ((*records)[3].key, utf("container_1795310003435_0002_01_000001"));
  const auto logs = read_container_value((*records)[3].value);
  ASSERT_TRUE(logs.has_value());
  ASSERT_EQ(logs->size(), 2U);
  EXPECT_EQ((*logs)[0].name, "stdout");
  EXPECT_EQ((*logs)[0].bytes, "hello\n");
}

class TFileCompression : public ::testing::TestWithParam<Compression> {};
INSTANTIATE_TEST_SUITE_P(TFile, TFileCompression,
                         ::testing::Values(Compression::kNone, Compression::kGz));

TEST_P(TFileCompression, GivesBackValuesAroundTheChunkAndBlockSizes) {
  std::string out;
  TFileWriter writer(sink_to(out), GetParam());
  std::vector<std::size_t> sizes = {
      0, 1, 256_KiB - 1, 256_KiB, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20};
  for (const std::size_t size : sizes) {
    std::string value(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
      value[i] = static_cast<char>(i * 2654435761U >> 13);
    ASSERT_TRUE(writer.write_record(std::to_string(size), value).has_value());
  }
  ASSERT_TRUE(writer.finish().has_value());
  EXPECT_EQ(writer.bytes_written(), out.size());
  const auto records = read_tfile(out, 64 << 20);
  ASSERT_TRUE(records.has_value()) << records.error().message;
  ASSERT_EQ(records->size(), sizes.size());
  for (std::size_t r = 0; r < sizes.size(); ++r) {
    const std::string& value = (*records)[r].value;
    ASSERT_EQ(value.size(), sizes[r]);
    for (std::size_t i = 0; i < value.size(); ++i) {
      ASSERT_EQ(value[i], static_cast<char>(i * 2654435761U >> 13)) << r << " at " << i;
    }
  }
}

TEST(TFile, StopsAtTheSinksError) {
  TFileWriter writer(
      [](std::string_view) { return Result<void>(fail(ErrorCode::kUnavailable, "x")); },
      Compression::kNone);
  EXPECT_EQ(writer.write_record("k", "v").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(writer.finish().error().code, ErrorCode::kWrongState);
}

TEST(TFile, RefusesToReadBrokenFiles) {
  const std::string good = *hex_decode(kDemo);
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(read_tfile(good.substr(0, length), 1 << 20).has_value()) << length;
  }
  for (std::size_t at = 0; at < good.size(); ++at) {  // no crash, whatever the result
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    static_cast<void>(read_tfile(bad, 1 << 20));
  }
  EXPECT_FALSE(read_tfile(good, 10).has_value()) << "more than may be unpacked";
}

TEST(Tv, HasTheDocumentedSizesAtItsLimits) {
  const std::vector<std::pair<std::int64_t, std::size_t>> cases = {
      {0, 1},           {127, 1},
      {-32, 1},         {128, 2},
      {-33, 2},         {5119, 2},
      {-5120, 2},       {5120, 3},
      {-5121, 3},       {1048575, 3},
      {-1048576, 3},    {1048576, 4},
      {-1048577, 4},    {134217727, 4},
      {-134217728, 4},  {134217728, 5},
      {2147483647, 5},  {2147483648, 6},
      {-2147483648, 5}, {INT64_MAX, 9},
      {INT64_MIN, 9},   {(1LL << 39) - 1, 6},
      {1LL << 39, 7}};
  for (const auto& [value, size] : cases) {
    std::string out;
    append_tv(out, value);
    EXPECT_EQ(out.size(), size) << value;
    TvReader reader(out);
    EXPECT_EQ(reader.tv().value(), value);
    EXPECT_TRUE(reader.rest().empty());
  }
}

TEST(JavaUtf, WritesNulAndHighCharactersTheJavaWay) {
  EXPECT_EQ(hex_encode(utf("\0"sv)), "0002c080");
  EXPECT_EQ(hex_encode(utf("\xf0\x9f\x98\x80")), "0006eda0bdedb880");
  EXPECT_EQ(hex_encode(utf("\xff")), "0003efbfbd");
  EXPECT_FALSE(encode_java_utf(std::string(65536, 'a')).has_value());
}

class AggregatedLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "logsXXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  LogSource source(const char* name, std::string_view bytes) const {
    std::ofstream(dir_ + "/" + name, std::ios::binary) << bytes;
    return {name, dir_ + "/" + name};
  }
  std::string dir_;
  std::string out_;
  const ContainerId id_ = *parse_container_id("container_1795310003435_0002_01_000001");
};

TEST_F(AggregatedLogTest, BeginsAsDocumented) {
  AggregatedLogWriter writer(sink_to(out_), Compression::kNone);
  ASSERT_TRUE(writer.begin({.user = "alice", .acls = {}}).has_value());
  ASSERT_TRUE(writer.finish().has_value());
  EXPECT_THAT(hex_encode(out_),
              ::testing::StartsWith("d111d36891b5d7b639df414092bae150"
                                    "09000756455253494f4e0400000001"
                                    "11000f4150504c49434154494f4e5f41434c00"
                                    "1300114150504c49434154494f4e5f4f574e4552070005616c696365"));
}

TEST_F(AggregatedLogTest, HoldsTheFilesSortedByName) {
  AggregatedLogWriter writer(sink_to(out_), Compression::kNone);
  ASSERT_TRUE(writer.begin({.user = "alice", .acls = {{"VIEW_APP", "*"}}}).has_value());
  const auto left_out = writer.add_container(
      id_, {source("stdout", "out"), source("prelaunch.out", ""), source("stderr", "err")});
  ASSERT_TRUE(left_out.has_value());
  EXPECT_THAT(*left_out, IsEmpty());
  ASSERT_TRUE(writer.finish().has_value());
  const auto records = read_tfile(out_, 1 << 20);
  ASSERT_TRUE(records.has_value());
  const auto logs = read_container_value(records->back().value);
  std::vector<std::string> seen;
  for (const auto& log : *logs)
    seen.push_back(log.name + "=" + log.bytes);
  EXPECT_THAT(seen, ElementsAre("prelaunch.out=", "stderr=err", "stdout=out"));
}

TEST_F(AggregatedLogTest, LeavesOutWhatIsNoRegularFileAndSaysSo) {
  AggregatedLogWriter writer(sink_to(out_), Compression::kNone);
  ASSERT_TRUE(writer.begin({.user = "alice", .acls = {}}).has_value());
  std::filesystem::create_symlink("/etc/passwd", dir_ + "/link");
  ASSERT_EQ(::mkfifo((dir_ + "/pipe").c_str(), 0644), 0);
  const auto left_out = writer.add_container(
      id_, {{"link", dir_ + "/link"}, {"missing", dir_ + "/missing"}, {"pipe", dir_ + "/pipe"}});
  ASSERT_TRUE(left_out.has_value());
  EXPECT_THAT(*left_out, ElementsAre(HasSubstr("/link: "), HasSubstr("/missing: "),
                                     HasSubstr("/pipe: not a regular file")));
}

TEST_F(AggregatedLogTest, TheAgentsFormatWritesAWholeUpload) {
  const LogSource log = source("stdout", "hello\n");
  nm::LogUpload upload;
  upload.user = "alice";
  upload.view_acl = "*";
  upload.containers.push_back({id_, {}});
  upload.containers.back().files.push_back(
      {.name = log.name, .size = 6, .modified = {}, .path = log.path});
  const TFileLogFormat format(Compression::kGz);
  EXPECT_EQ(format.folder_suffix(), "tfile");
  ASSERT_TRUE(format.write(upload, sink_to(out_)).has_value());
  const auto records = read_tfile(out_, 1 << 20);
  ASSERT_TRUE(records.has_value()) << records.error().message;
  EXPECT_EQ(records->size(), 4U);
}

TEST(LogCompression, NamesTheSettingOfAnUnknownOne) {
  EXPECT_EQ(*parse_compression("none"), Compression::kNone);
  EXPECT_EQ(*parse_compression("gz"), Compression::kGz);
  EXPECT_THAT(parse_compression("lzo").error().message, HasSubstr("compression-type"));
}

}  // namespace
}  // namespace heddle::compat::logfile
