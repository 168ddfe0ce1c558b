#include "compat/shuffle/map_index.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace heddle::compat::shuffle {
namespace {

// Two reducers: (0, 2, 6) and (6, 971, 975); then the CRC-32 of these 48 bytes.
constexpr std::string_view kEntries =
    "000000000000000000000000000000020000000000000006"
    "000000000000000600000000000003cb00000000000003cf";

std::string with_checksum(std::string_view entries_hex, std::string_view checksum_hex) {
  return *hex_decode(std::string(entries_hex) + "00000000" + std::string(checksum_hex));
}

TEST(IndexFile, GivesOnePlaceForEachReducer) {
  const auto segments = parse_index_file(with_checksum(kEntries, "a2d1e3a9"));
  ASSERT_TRUE(segments.has_value()) << segments.error().message;
  ASSERT_EQ(segments->size(), 2U);
  EXPECT_EQ((*segments)[1].start, 6);
  EXPECT_EQ((*segments)[1].raw_length, 971);
  EXPECT_EQ((*segments)[1].part_length, 975);
}

TEST(IndexFile, RefusesAWrongChecksumAndAWrongSize) {
  EXPECT_FALSE(parse_index_file(with_checksum(kEntries, "00000000")).has_value());
  EXPECT_FALSE(parse_index_file("").has_value());
  EXPECT_FALSE(parse_index_file(std::string(7, '\0')).has_value());
  EXPECT_FALSE(parse_index_file(std::string(33, '\0')).has_value());
}

std::shared_ptr<const MapIndex> index_of(std::size_t segments) {
  return std::make_shared<const MapIndex>(
      MapIndex{.segments = std::vector<SegmentPlace>(segments), .data_dir = "/d"});
}

TEST(IndexCache, ForgetsTheLeastRecentlyUsedWhenFull) {
  IndexCache cache(6'000);
  cache.insert("job", "a", index_of(100));  // 2,400 bytes and something each
  cache.insert("job", "b", index_of(100));
  EXPECT_NE(cache.find("job", "a"), nullptr);
  cache.insert("job", "c", index_of(100));
  EXPECT_NE(cache.find("job", "a"), nullptr);
  EXPECT_EQ(cache.find("job", "b"), nullptr);
  EXPECT_LE(cache.bytes(), 6'000U);
}

TEST(IndexCache, DoesNotKeepWhatIsLargerThanItself) {
  IndexCache cache(1'000);
  cache.insert("job", "a", index_of(100));
  EXPECT_EQ(cache.find("job", "a"), nullptr);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(IndexCache, ForgetsAJob) {
  IndexCache cache(100'000);
  cache.insert("job_1", "a", index_of(1));
  cache.insert("job_1", "b", index_of(1));
  cache.insert("job_2", "a", index_of(1));
  cache.erase_job("job_1");
  EXPECT_EQ(cache.find("job_1", "a"), nullptr);
  EXPECT_EQ(cache.find("job_1", "b"), nullptr);
  EXPECT_NE(cache.find("job_2", "a"), nullptr);
  cache.erase_job("job_2");
  EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace
}  // namespace heddle::compat::shuffle
