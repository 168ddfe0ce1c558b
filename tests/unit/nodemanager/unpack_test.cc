#include "nodemanager/localize/unpack.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include "base/text.h"
#include "nodemanager/localize/fetch.h"
#include "nodemanager/localize/name_pattern.h"
#include "tests/unit/nodemanager/archives.h"
#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

using testing::HasSubstr;

class Unpack : public testing::Test {
 protected:
  Result<void> run(const std::string& bytes, ArchiveKind kind, const std::string& pattern = "") {
    const std::string path = dir_.path() + "/archive";
    std::ofstream(path, std::ios::binary) << bytes;
    request_.archive = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::filesystem::create_directory(dir_.path() + "/out");
    request_.destination = open((dir_.path() + "/out").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    request_.kind = kind;
    request_.pattern = pattern;
    auto result = unpack(request_);
    close(request_.archive);
    close(request_.destination);
    return result;
  }
  std::string out(const std::string& name) const { return dir_.path() + "/out/" + name; }

  TempDir dir_;
  UnpackRequest request_;
};

TEST_F(Unpack, WritesFilesFoldersAndLinksThatStayInside) {
  const auto result =
      run(tar_entry("d/", '5', "", "", 0755) + tar_entry("d/run", '0', "x", "", 0755) +
              tar_entry("d/e/same", '2', "", "../run") + tar_entry("hard", '1', "", "d/run") +
              tar_end(),
          ArchiveKind::kTar);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(read_file(out("d/e/same")), "x");
  EXPECT_EQ(read_file(out("hard")), "x");
}

TEST_F(Unpack, WritesOnlyEntriesThatMatchThePattern) {
  const auto jar =
      ZipBuilder{}.add("classes/A.class", "a").add("lib/b.jar", "b").add("other", "c").done();
  ASSERT_TRUE(run(jar, ArchiveKind::kZip, "(?:classes/|lib/).*"));
  EXPECT_EQ(read_file(out("classes/A.class")), "a");
  EXPECT_EQ(read_file(out("lib/b.jar")), "b");
  EXPECT_FALSE(std::filesystem::exists(out("other")));
}

TEST_F(Unpack, TakesALaterEntryOfTheSameName) {
  ASSERT_TRUE(
      run(tar_entry("f", '0', "old") + tar_entry("f", '0', "new") + tar_end(), ArchiveKind::kTar));
  EXPECT_EQ(read_file(out("f")), "new");
}

struct Hostile {
  const char* name;
  std::string archive;
  const char* entry;
  const char* rule;
};

TEST_F(Unpack, RefusesWhatCouldReachOutsideNamingTheEntryAndTheRule) {
  const Hostile table[] = {
      {"dots", tar_entry("../../x", '0', "x"), "../../x", "must not contain '..'"},
      {"dots inside", tar_entry("a/../../x", '0', "x"), "a/../../x", "must not contain '..'"},
      {"absolute", tar_entry("/etc/x", '0', "x"), "/etc/x", "must not be absolute"},
      {"link out", tar_entry("l", '2', "", "../x"), "l", "must not point out of the archive"},
      {"link out later", tar_entry("a/l", '2', "", "b/../../../x"), "a/l", "must not point out"},
      {"absolute link", tar_entry("l", '2', "", "/etc/passwd"), "l",
       "must not point to an absolute"},
      {"hard link out", tar_entry("h", '1', "", "../x"), "h",
       "must point to an entry of the archive"},
      {"hard link to nothing", tar_entry("h", '1', "", "nosuch"), "h",
       "an earlier file of the archive"},
      {"hard link to a link", tar_entry("l", '2', "", "f") + tar_entry("h", '1', "", "l"), "h",
       "an earlier file of the archive"},
      {"below a link",
       tar_entry("d", '5') + tar_entry("l", '2', "", "d") + tar_entry("l/x", '0', "x"), "l/x",
       "below an entry that is not a folder"},
      {"device", tar_entry("dev", '3'), "dev", "devices, pipes and sockets"},
      {"block device", tar_entry("dev", '4'), "dev", "devices, pipes and sockets"},
      {"pipe", tar_entry("p", '6'), "p", "devices, pipes and sockets"},
      {"setuid", tar_entry("s", '0', "x", "", 04755), "s", "setuid and setgid"},
      {"setgid", tar_entry("s", '0', "x", "", 02755), "s", "setuid and setgid"},
      {"long name", long_tar_entry(std::string(256, 'n'), "x"), "nnn", "must not exceed 255 bytes"},
      {"control characters", tar_entry("a\nb", '0', "x"), "a\\x0ab", "must not contain control"},
      {"file over folder", tar_entry("d/x", '0', "x") + tar_entry("d", '0', "x"), "d",
       "a folder has the same name"},
  };
  for (const Hostile& row : table) {
    std::filesystem::remove_all(dir_.path() + "/out");
    const auto result = run(row.archive + tar_end(), ArchiveKind::kTar);
    ASSERT_FALSE(result) << row.name;
    EXPECT_THAT(result.error().message, HasSubstr(row.entry)) << row.name;
    EXPECT_THAT(result.error().message, HasSubstr(row.rule)) << row.name;
  }
}

TEST_F(Unpack, RefusesTheSameInZipFiles) {
  EXPECT_FALSE(run(ZipBuilder{}.add("../x", "x").done(), ArchiveKind::kZip));
  EXPECT_FALSE(run(ZipBuilder{}.add("l", "/etc/passwd", 0120777).done(), ArchiveKind::kZip));
  EXPECT_FALSE(run(ZipBuilder{}.add("s", "x", 0104755).done(), ArchiveKind::kZip));
}

TEST_F(Unpack, RefusesTooManyEntries) {
  request_.limits.entries_max = 2;
  const auto result =
      run(tar_entry("a", '0') + tar_entry("b", '0') + tar_entry("c", '0') + tar_end(),
          ArchiveKind::kTar);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("more than 2 entries"));
}

TEST_F(Unpack, RefusesToGrowBeyondItsLimit) {
  request_.limits.bytes_max = 1000;
  const auto result =
      run(tar_entry("big", '0', std::string(2000, 'x')) + tar_end(), ArchiveKind::kTar);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("'big': unpacked, the archive exceeds 1000 bytes"));
}

// A tar file with 400,000 zeros in it, compressed to 481 bytes.
std::string zeros_tar_gz() {
  const auto start = hex_decode(
      "1f8b0800000000000203edcdbb0980300045d18ce20851139dc7c25af0d338bd41047100c5e2"
      "9ce6c26bde3eced312de158b2ea5b3c5a375aa73736fd7dec736872a860f6ccb3acce532");
  return *start + std::string(396, '\0') + *hex_decode("c0ff1c980c067600400600");
}

TEST_F(Unpack, RefusesAnArchiveThatGrowsTooManyTimes) {
  request_.limits.ratio_max = 500;
  request_.limits.ratio_free_bytes = 0;
  const auto result = run(zeros_tar_gz(), ArchiveKind::kTar);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message,
              HasSubstr("'zeros': unpacked, it is more than 500 times as large as the archive"));
}

TEST_F(Unpack, TakesAnArchiveThatGrowsAsMuchAsOneMay) {
  request_.limits.ratio_max = 500;
  EXPECT_TRUE(run(zeros_tar_gz(), ArchiveKind::kTar)) << "a small one may";
  request_.limits.ratio_max = 1'100;
  request_.limits.ratio_free_bytes = 0;
  EXPECT_TRUE(run(zeros_tar_gz(), ArchiveKind::kTar));
  EXPECT_EQ(std::filesystem::file_size(out("zeros")), 400'000U);
}

TEST_F(Unpack, SaysThatGarbageIsNoArchive) {
  EXPECT_FALSE(run("this is not a zip file at all", ArchiveKind::kZip));
  EXPECT_TRUE(run("", ArchiveKind::kZip)) << "Hadoop unpacks an empty file to nothing as well";
}

TEST(NamePattern, RefusesWhatCouldTakeForEver) {
  for (const char* bad : {"(a)\\1", "a{1000}", "(?=a)", "(", "["}) {
    EXPECT_FALSE(NamePattern::compile(bad)) << bad;
  }
  EXPECT_FALSE(NamePattern::compile(std::string(513, 'a')));
}

TEST(NamePattern, MatchesAsJavaDoes) {
  const auto pattern = NamePattern::compile("std(?:out|err)\\.\\d+");
  ASSERT_TRUE(pattern);
  EXPECT_TRUE(pattern->matches_whole("stdout.12"));
  EXPECT_FALSE(pattern->matches_whole("xstdout.12"));
  EXPECT_TRUE(pattern->found_in("xstdout.12y"));
}

TEST(NamePattern, ReadsASetInBracketsAsJavaDoes) {
  struct Row {
    const char* pattern;
    const char* matches;
    const char* not_these;  // each character alone
  };
  const Row table[] = {
      {"[\\w.-]+", "std-out.12_x", "\\+ ["},
      {"[^\\d]", "a", "0123456789"},
      {"[\\d\\s]", "7", "ds\\"},
      {"[\\]a]+", "]a", "\\[^"},
      {"[]a]+", "a]", "["},
      {"[\\^a-c]+", "^abc", "-d"},
      {"[\\^]", "^", "a\\"},
      {"[\\^-]+", "^-", "a\\"},
      {"[a\\-z]+", "a-z", "bm"},
      {"[\\\\/]", "/", "ab"},
      {"[a-c-]+", "a-", "d"},
      {"[^\\]]", "a", "]"},
  };
  for (const Row& row : table) {
    const auto pattern = NamePattern::compile(row.pattern);
    ASSERT_TRUE(pattern) << row.pattern << ": " << pattern.error().message;
    EXPECT_TRUE(pattern->matches_whole(row.matches)) << row.pattern << " " << row.matches;
    for (const char other : std::string_view(row.not_these)) {
      EXPECT_FALSE(pattern->matches_whole(std::string(1, other))) << row.pattern << " " << other;
    }
  }
  for (const char* bad : {"[a", "[", "[a\\", "[\\p]", "[a[b]]", "[a&&b]", "[\\b]", "[a-\\]]"}) {
    EXPECT_FALSE(NamePattern::compile(bad)) << bad;
  }
  EXPECT_FALSE(NamePattern::compile(std::string_view("[a\0]", 4)));
}

TEST_F(NodeTest, AnArchiveIsUnpackedByTheConfinedProgramWithTheModesOfTheCache) {
  start();
  auto uses = request(
      1, "stat -Lc %a lib lib/run lib/plain 1><LOG_DIR>/stdout; cat lib/plain 1>><LOG_DIR>/stdout");
  uses.launch.resources["lib"] = resource(
      "lib.tar",
      tar_entry("run", '0', "r", "", 0755) + tar_entry("plain", '0', "p", "", 0664) + tar_end(),
      ResourceType::kArchive);
  const auto ended = run_to_end(uses);
  EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
  EXPECT_EQ(read_file(log_file(id(1), "stdout")), "700\n500\n500\np");
}

TEST_F(NodeTest, APatternKeepsTheJarBesideWhatMatches) {
  start();
  auto uses = request(1, "ls job.jar 1><LOG_DIR>/stdout");
  uses.launch.resources["job.jar"] = resource(
      "job.jar", ZipBuilder{}.add("lib/x", "x").add("y", "y").done(), ResourceType::kPattern);
  uses.launch.resources["job.jar"].pattern = "(?:classes/|lib/).*";
  const auto ended = run_to_end(uses);
  EXPECT_EQ(ended.exit_status, 0) << ended.diagnostics;
  EXPECT_EQ(read_file(log_file(id(1), "stdout")), "job.jar\nlib\n");
}

TEST_F(NodeTest, AHostileArchiveFailsTheContainerAndLeavesNothing) {
  start();
  auto uses = request(1, "true");
  uses.launch.resources["x"] =
      resource("x.tar", tar_entry("good", '0', "x") + tar_entry("../evil", '0', "x") + tar_end(),
               ResourceType::kArchive);
  const auto ended = run_to_end(uses);
  EXPECT_EQ(ended.exit_status, exit_status::kInvalid);
  EXPECT_THAT(ended.diagnostics,
              HasSubstr("archive refused: entry '../evil': the name must not contain '..'"));
  const std::string cache =
      app_cache_dir(config_.local_dirs[0], config_.own_user, id(1).attempt.app);
  EXPECT_TRUE(list_dir(cache).empty());
}

}  // namespace
}  // namespace heddle::nm
