#include "nodemanager/launch/diagnostics.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "nodemanager/launch/layout.h"
#include "nodemanager/launch/process_tree.h"
#include "nodemanager/localize/fetch.h"

namespace heddle::nm {
namespace {

TEST(Diagnostics, KeepsTheLastTenThousandCharacters) {
  Diagnostics diagnostics;
  for (int i = 0; i < 300; ++i)
    diagnostics.add(WallTime{0}, std::string(100, 'x'));
  EXPECT_EQ(diagnostics.text().size(), kDiagnosticsMax);
  EXPECT_TRUE(diagnostics.text().ends_with("x\n"));
}

TEST(Diagnostics, AreTextWhateverWentIn) {
  Diagnostics diagnostics;
  diagnostics.add(WallTime{0}, "\xffname\xc3\xa9");
  EXPECT_TRUE(is_valid_utf8(diagnostics.text()));
  EXPECT_TRUE(diagnostics.text().ends_with("]?name??\n"));
  diagnostics.add(WallTime{0}, "na\xc3\xafve");
  EXPECT_TRUE(diagnostics.text().ends_with("]na\xc3\xafve\n"));
}

TEST(Diagnostics, ALaunchExceptionReadsAsHadoops) {
  const ContainerId id{{{1795310003435, 2}, 1}, 1};
  EXPECT_EQ(
      launch_exception(id, 3, ""),
      "Exception from container-launch.\nContainer id: container_1795310003435_0002_01_000001\n"
      "Exit code: 3\n");
}

TEST(BinarySize, ReadsAsHadoops) {
  EXPECT_EQ(binary_size(311'386'112), "297.0 MB");
  EXPECT_EQ(binary_size(128 << 20), "128 MB");
  EXPECT_EQ(binary_size(281'857'228), "268.8 MB");
  EXPECT_EQ(binary_size(17), "17 B");
  EXPECT_EQ(binary_size((1 << 20) - 1), "1.0 MB");
}

TEST(IsoTime, ReadsAsHadoops) {
  EXPECT_EQ(iso_time(WallTime{1795309834974}), "2026-11-22T01:10:34.974+0000");
}

TEST(MemoryLimit, IsBrokenAboveTwiceOrByOldProcessesAlone) {
  EXPECT_FALSE(is_over_limit(200, 100, 100));
  EXPECT_TRUE(is_over_limit(201, 0, 100));
  EXPECT_TRUE(is_over_limit(150, 101, 100));
}

TEST(UserName, IsRefusedWhenItCouldLeaveItsPlace) {
  for (const char* bad : {"", "-rf", ".", "..", ".hidden", "a/b", "../x", "a b", "a\n", "é"}) {
    EXPECT_FALSE(check_user_name(bad)) << bad;
  }
  EXPECT_FALSE(check_user_name(std::string(256, 'a')));
  for (const char* good : {"alice", "root", "svc_1-x.y"})
    EXPECT_TRUE(check_user_name(good)) << good;
}

}  // namespace
}  // namespace heddle::nm
