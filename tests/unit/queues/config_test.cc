#include "queues/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::queue_settings;

QueueConfig parsed(std::string_view lines) {
  auto config = parse_capacity_config(queue_settings(lines));
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : QueueConfig{};
}

std::string refused(std::string_view lines, const Limits& limits = {}) {
  const auto config = parse_capacity_config(queue_settings(lines), limits);
  if (config) return "accepted";
  EXPECT_EQ(config.error().code, ErrorCode::kInvalidArgument);
  return config.error().message;
}

Settings with(std::string_view lines, std::string name, std::string value) {
  Settings settings = queue_settings(lines);
  settings.set("yarn.scheduler.capacity." + std::move(name), {std::move(value), "test", false});
  return settings;
}

TEST(CapacityConfig, ReadsATreeOfAnyDepth) {
  const QueueConfig config = parsed(R"(
      root.a capacity=40
      root.a.b capacity=100
      root.a.b.c capacity=12.5 maximum-capacity=50
      root.a.b.d capacity=87.5
      root.e capacity=60)");
  const QueueSpec& leaf = config.root.children[0].children[0].children[0];
  EXPECT_EQ(leaf.path.value(), "root.a.b.c");
  EXPECT_EQ(leaf.name, "c");
  EXPECT_EQ(leaf.capacity.value, 12.5);
  EXPECT_EQ(leaf.maximum_capacity.value, 50);
  EXPECT_EQ(config.root.children[1].maximum_capacity.value, 100);
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(CapacityConfig, HasHadoopsDefaults) {
  const QueueConfig config = parsed("root.default capacity=100");
  const QueueSpec& leaf = config.root.children[0];
  EXPECT_EQ(config.maximum_apps, 10000);
  EXPECT_EQ(config.calculator, Calculator::kMemory);
  EXPECT_EQ(leaf.maximum_am_share, 0.1);
  EXPECT_EQ(leaf.user_limit_factor, 1);
  EXPECT_EQ(leaf.minimum_user_limit_percent, 100);
  EXPECT_EQ(leaf.state, QueueState::kRunning);
  EXPECT_EQ(leaf.maximum_apps, std::nullopt);
  EXPECT_EQ(leaf.maximum_allocation, Resources(8192, 4));
}

TEST(CapacityConfig, ReadsTheLimitsOfALeaf) {
  const QueueConfig config = parsed(
      "root.q capacity=100 state=STOPPED maximum-applications=7 user-limit-factor=-1 "
      "minimum-user-limit-percent=25 maximum-am-resource-percent=0.5 maximum-allocation-mb=4096 "
      "default-application-priority=3 maximum-application-lifetime=60 "
      "user-settings.ann.weight=2.5 acl_submit_applications=ann,bob");
  const QueueSpec& leaf = config.root.children[0];
  EXPECT_EQ(leaf.state, QueueState::kStopped);
  EXPECT_EQ(leaf.maximum_apps, 7);
  EXPECT_EQ(leaf.user_limit_factor, -1);
  EXPECT_EQ(leaf.minimum_user_limit_percent, 25);
  EXPECT_EQ(leaf.maximum_am_share, 0.5);
  EXPECT_EQ(leaf.maximum_allocation, Resources(4096, 4));
  EXPECT_EQ(leaf.default_app_priority, 3);
  EXPECT_EQ(leaf.maximum_app_lifetime_s, 60);
  EXPECT_EQ(leaf.user_weights.at("ann"), 2.5);
  EXPECT_EQ(leaf.acl_submit, "ann,bob");
}

TEST(CapacityConfig, TheLargestContainerIsGivenByTypeOrAsAList) {
  EXPECT_EQ(
      parsed("root.q capacity=100 maximum-allocation-vcores=2").root.children[0].maximum_allocation,
      Resources(8192, 2));
  EXPECT_EQ(parsed("root.q capacity=100 maximum-allocation=memory-mb=2048,vcores=3")
                .root.children[0]
                .maximum_allocation,
            Resources(2048, 3));
}

TEST(CapacityConfig, TakesTheClustersValueWhereAQueueHasNone) {
  Settings settings = with("root.q capacity=100", "maximum-am-resource-percent", "0.4");
  settings.set("yarn.scheduler.capacity.global-queue-max-application", {"11", "test", false});
  const auto config = parse_capacity_config(settings);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->root.children[0].maximum_am_share, 0.4);
  EXPECT_EQ(config->root.children[0].maximum_apps, 11);
}

TEST(CapacityConfig, ReadsWeightsAndAmounts) {
  const QueueConfig weights = parsed("root.a capacity=2w\nroot.b capacity=0.5w");
  EXPECT_EQ(weights.root.children[0].capacity.mode, CapacityMode::kWeight);
  EXPECT_EQ(weights.root.children[1].capacity.value, 0.5);
  const QueueConfig amounts = parsed("root.a capacity=[memory=10Gi,vcores=12]");
  EXPECT_EQ(amounts.root.children[0].capacity.mode, CapacityMode::kAbsolute);
  EXPECT_EQ(amounts.root.children[0].capacity.absolute, Resources(10240, 12));
}

TEST(CapacityConfig, AcceptsSiblingsThatMissAHundredByRounding) {
  parsed("root.a capacity=33.33\nroot.b capacity=33.33\nroot.c capacity=33.34");
  parsed("root.a capacity=33.33\nroot.b capacity=33.33\nroot.c capacity=33.33");
}

TEST(CapacityConfig, ListsEveryFaultAtOnce) {
  const std::string faults = refused(R"(
      root.a capacity=60
      root.a.x capacity=30
      root.a.y
      root.b capacity=50 maximum-capacity=40 state=OPEN
      root.b.z capacity=100 user-limit-factor=-3)");
  EXPECT_THAT(faults, HasSubstr("queue root: Illegal capacity of 1.1 for children of queue root"));
  EXPECT_THAT(faults, HasSubstr("a 60, b 50 add to 110 %"));
  EXPECT_THAT(faults, HasSubstr("queue root.b: yarn.scheduler.capacity.root.b.maximum-capacity: 40 "
                                "is below the capacity 50"));
  EXPECT_THAT(faults, HasSubstr("\"OPEN\" is not a state; RUNNING or STOPPED"));
  EXPECT_THAT(faults, HasSubstr("root.b.z.user-limit-factor"));
}

struct BadCase {
  const char* lines;
  const char* says;
};
class BadCapacityConfig : public testing::TestWithParam<BadCase> {};

TEST_P(BadCapacityConfig, IsRefusedByName) {
  EXPECT_THAT(refused(GetParam().lines), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadCapacityConfig,
    testing::Values(
        BadCase{"", "root.queues: is not set"},
        BadCase{"root.a capacity=x", "\"x\" is not a capacity"},
        BadCase{"root.a capacity=-5", "\"-5\" is not a capacity"},
        BadCase{"root.a capacity=nan", "\"nan\" is not a capacity"},
        BadCase{"root.a capacity=1e400", "is not a capacity"},
        BadCase{"root.a state=RUNNING", "root.a.capacity: is not set"},
        BadCase{"root.a capacity=50\nroot.b capacity=2w", "mix percentages, weights and amounts"},
        BadCase{"root.a capacity=[memory=abc]", "\"abc\" is not an amount of memory-mb"},
        BadCase{"root.a capacity=[gpu=1]", "unknown resource \"gpu\""},
        BadCase{"root.a capacity=[memory=10]\nroot.a.b capacity=[memory=11]",
                "more than its own <memory:10, vCores:0>"},
        BadCase{"root.a capacity=100 maximum-allocation-mb=9000",
                "cannot be larger than the cluster setting"},
        BadCase{"root.a capacity=100 maximum-applications=many", "\"many\" is not a whole number"},
        BadCase{"root.a capacity=100\nroot.a capacity=100", "\"a\" is listed twice"},
        BadCase{"root.a capacity=100 maximum-am-resource-percent=2", "not a number from 0 to 1"},
        BadCase{"root.a capacity=100 maximum-capacity=2w", "\"2w\" is not a capacity"},
        BadCase{"root.a capacity=100 ordering-policy=fairest",
                "\"fairest\" is not known; fifo, fair, fifo-for-pending-apps"},
        BadCase{"root.a capacity=100 ordering-policy=fifo\nroot.a.b capacity=100",
                "\"fifo\" is not known; utilization or priority-utilization"},
        BadCase{"root.a capacity=100 max-parallel-apps=0", "\"0\" is not a whole number from 1"}));

TEST(CapacityConfig, RefusesAnUnknownCalculator) {
  const auto config =
      parse_capacity_config(with("root.a capacity=100", "resource-calculator", "org.x.Mine"));
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("\"org.x.Mine\" is not known"));
}

TEST(CapacityConfig, AParentHandsItsOrderingPolicyToTheParentsBelow) {
  const auto config = parsed(R"(root.a     capacity=100 ordering-policy=priority-utilization
                                root.a.b   capacity=100
                                root.a.b.c capacity=100)");
  const QueueSpec& a = config.root.children[0];
  EXPECT_FALSE(config.root.children_by_priority);
  EXPECT_TRUE(a.children[0].children_by_priority);
  EXPECT_EQ(a.children[0].children[0].ordering_policy, "fifo") << "a leaf has its own";
}

TEST(CapacityConfig, ParallelApplicationsComeFromTheQueueOrFromTheCommonSetting) {
  auto settings = testlib::queue_settings(
      "root.a capacity=50 max-parallel-apps=3\n"
      "root.b capacity=50");
  const auto set = [&](const std::string& name, const std::string& value) {
    settings.set("yarn.scheduler.capacity." + name, {value, "test", false});
  };
  set("max-parallel-apps", "7");
  set("user.max-parallel-apps", "5");
  set("user.ann.lee.max-parallel-apps", "2");
  const auto config = parse_capacity_config(settings);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->root.maximum_parallel_apps, 7);
  EXPECT_EQ(config->root.children[0].maximum_parallel_apps, 3);
  EXPECT_EQ(config->root.children[1].maximum_parallel_apps, 7);
  EXPECT_EQ(config->maximum_parallel_apps_per_user, 5);
  EXPECT_EQ(config->maximum_parallel_apps_of_user.at("ann.lee"), 2);
}

TEST(CapacityConfig, WarnsOfAQueueThatNoListNames) {
  const auto config = parse_capacity_config(with("root.a capacity=100", "root.b.capacity", "5"));
  ASSERT_TRUE(config);
  EXPECT_THAT(config->warnings, ElementsAre(HasSubstr("there is no queue root.b")));
}

TEST(CapacityConfig, AccessListsKeepTheirBlanksBecauseABlankOneIsNobody) {
  auto settings = testlib::queue_settings("root.a capacity=100");
  const auto set = [&](const std::string& name, const std::string& value) {
    settings.set("yarn.scheduler.capacity." + name, {value, "test", false});
  };
  set("root.acl_submit_applications", " ");
  set("root.a.acl_submit_applications", " staff");
  const auto config = parse_capacity_config(settings);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->root.acl_submit, " ");
  EXPECT_EQ(config->root.children[0].acl_submit, " staff");
  EXPECT_FALSE(config->root.acl_administer) << "not configured";
}

}  // namespace
}  // namespace heddle::queues
