#include "tools/load/cpu_meter.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace heddle::load {
namespace {

TEST(CpuMeter, AddsUserAndSystemTime) {
  const auto time = cpu_time_in_stat(
      "4711 (java) S 1 4711 4711 0 -1 4194304 100 0 0 0 250 75 0 0 20 0 60 0 12345 1 2 3\n", 100);
  ASSERT_TRUE(time) << time.error().message;
  EXPECT_EQ(*time, std::chrono::milliseconds(3250));
}

TEST(CpuMeter, IsNotMisledByTheNameOfAProcess) {
  const auto time = cpu_time_in_stat(
      "1 (a) S 9 (b c) S 1 1 1 0 -1 0 100 0 0 0 1 2 0 0 20 0 60 0 12345 1 2 3\n", 100);
  ASSERT_TRUE(time) << time.error().message;
  EXPECT_EQ(*time, std::chrono::milliseconds(30));
}

TEST(CpuMeter, TellsWhatIsNoLineOfStat) {
  for (const char* text : {"", "1 (a", "1 (a) S 1 2 3", "1 (a) S 1 1 1 0 -1 0 1 0 0 0 x y 0 0"}) {
    const auto time = cpu_time_in_stat(text, 100);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(CpuMeter, ReadsALivingProcessAndMissesAnother) {
  EXPECT_TRUE(cpu_time_of(::getpid()));
  const auto missing = cpu_time_of(1 << 30);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace heddle::load
