#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rm/service/options.h"

namespace heddle::rm {
namespace {

using testing::HasSubstr;

TEST(PreemptionFrom, ReadsEverySettingUnderItsNameInHadoop) {
  const std::string prefix = "yarn.resourcemanager.monitor.capacity.preemption.";
  Settings settings;
  const auto set = [&](const std::string& name, const std::string& value) {
    settings.set(prefix + name, {value, "test", false});
  };
  const auto none = preemption_from(settings);
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, queues::PreemptionSettings{}) << "the defaults are those of Hadoop";
  set("natural_termination_factor", "0.7");
  set("conservative-drf", "true");
  set("select_based_on_reserved_containers", "true");
  set("additional_res_balance_based_on_reserved_containers", "true");
  set("preemption-to-balance-queue-after-satisfied.enabled", "true");
  set("preemption-to-balance-queue-after-satisfied.max-wait-before-kill", "1000");
  set("intra-queue-preemption.enabled", "true");
  set("intra-queue-preemption.preemption-order-policy", "PRIORITY_FIRST");
  set("intra-queue-preemption.minimum-threshold", "0.6");
  set("intra-queue-preemption.max-allowable-limit", "0.3");
  const auto all = preemption_from(settings);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->natural_termination, 0.7);
  EXPECT_TRUE(all->every_type && all->for_reserved && all->count_reserved && all->balance);
  EXPECT_EQ(all->balance_grace_ms, 1000);
  EXPECT_TRUE(all->inside);
  EXPECT_EQ(all->inside_order, queues::InsideOrder::kPriorityFirst);
  EXPECT_EQ(all->inside_threshold, 0.6);
  EXPECT_EQ(all->inside_per_round, 0.3);
  for (const char* name : {"natural_termination_factor", "intra-queue-preemption.minimum-threshold",
                           "intra-queue-preemption.max-allowable-limit"}) {
    Settings wrong;
    wrong.set(prefix + name, {"-1", "test", false});
    ASSERT_FALSE(preemption_from(wrong)) << name;
    EXPECT_THAT(preemption_from(wrong).error().message, HasSubstr(name));
  }
  Settings wrong;
  wrong.set(prefix + "intra-queue-preemption.preemption-order-policy", {"both", "test", false});
  EXPECT_THAT(preemption_from(wrong).error().message,
              HasSubstr("must be userlimit_first or priority_first"));
}

}  // namespace
}  // namespace heddle::rm
