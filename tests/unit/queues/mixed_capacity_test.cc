// Each resource type with a capacity of its own kind (legacy-queue-mode.enabled=false), and who may
// give which priority.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::queue_settings;
using testlib::sizes;

Cluster mixed(std::string_view lines) {
  auto cluster = ClusterBuilder{}
                     .queues(lines)
                     .setting("legacy-queue-mode.enabled", "false")
                     .setting("resource-calculator", "DominantResourceCalculator")
                     .nodes(10, "10GB 10c")
                     .build();
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  return cluster;
}

QueueReport report(const Cluster& cluster, std::string_view path) {
  return *cluster.scheduler.queue(QueuePath(std::string(path)));
}

std::string mixed_fault(std::string_view lines, bool legacy = false) {
  Settings settings = queue_settings(lines);
  settings.set("yarn.scheduler.capacity.legacy-queue-mode.enabled",
               {legacy ? "true" : "false", "test", false});
  const auto config = parse_capacity_config(settings);
  return config ? "accepted" : config.error().message;
}

TEST(MixedCapacity, AmountsComeFirstThenPercentagesOfTheRestThenWeights) {
  const auto cluster = mixed(R"(
      root.a capacity=[memory=20480,vcores=20]
      root.b capacity=50
      root.c capacity=3w
      root.d capacity=1w)");
  EXPECT_EQ(report(cluster, "root.a").guaranteed, sizes("20GB 20c"));
  EXPECT_EQ(report(cluster, "root.b").guaranteed, sizes("40GB 40c"));
  EXPECT_EQ(report(cluster, "root.c").guaranteed, sizes("30GB 30c"));
  EXPECT_EQ(report(cluster, "root.d").guaranteed, sizes("10GB 10c"));
  EXPECT_EQ(report(cluster, "root.c").capacity, 0.3);
}

TEST(MixedCapacity, EachResourceTypeHasItsOwnKind) {
  const auto cluster = mixed(R"(
      root.a capacity=[memory=50%,vcores=2w]
      root.b capacity=[memory=10240,vcores=1w]
      root.c capacity=[memory=1w,vcores=40])");
  EXPECT_EQ(report(cluster, "root.b").guaranteed, sizes("10GB 20c"));
  EXPECT_EQ(report(cluster, "root.a").guaranteed, sizes("45GB 40c"));
  EXPECT_EQ(report(cluster, "root.c").guaranteed, sizes("45GB 40c"));
}

TEST(MixedCapacity, AmountsThatDoNotFitShrinkAndLeaveNothing) {
  const auto cluster = mixed(R"(
      root.a capacity=[memory=153600,vcores=50]
      root.b capacity=[memory=51200,vcores=50%]
      root.c capacity=1w)");
  EXPECT_EQ(report(cluster, "root.a").guaranteed, sizes("75GB 50c"));
  EXPECT_EQ(report(cluster, "root.b").guaranteed, sizes("25GB 25c"));
  EXPECT_EQ(report(cluster, "root.c").guaranteed.memory_mb(), 0);
  EXPECT_EQ(report(cluster, "root.c").guaranteed.vcores(), 25);
}

TEST(MixedCapacity, MoreThanAHundredPercentShrinkInProportion) {
  const auto cluster = mixed("root.a capacity=100\nroot.b capacity=[memory=100%,vcores=50%]");
  EXPECT_EQ(report(cluster, "root.a").guaranteed.memory_mb(), 51200);
  EXPECT_EQ(report(cluster, "root.b").guaranteed.memory_mb(), 51200);
  EXPECT_EQ(report(cluster, "root.a").guaranteed.vcores(), 66);
  EXPECT_EQ(report(cluster, "root.b").guaranteed.vcores(), 33);
}

TEST(MixedCapacity, AMaximumIsOfTheMaximumOfTheParent) {
  const auto cluster = mixed(R"(
      root.p capacity=100 maximum-capacity=[memory=50%,vcores=80]
      root.p.q capacity=100 maximum-capacity=[memory=50%,vcores=90])");
  EXPECT_EQ(report(cluster, "root.p").maximum, sizes("50GB 80c"));
  EXPECT_EQ(report(cluster, "root.p.q").maximum, sizes("25GB 80c"));
}

TEST(MixedCapacity, APercentageTooManyIsNoFaultWhereModesMayBeMixed) {
  EXPECT_EQ(mixed_fault("root.a capacity=30\nroot.b capacity=2w"), "accepted");
  EXPECT_THAT(mixed_fault("root.a capacity=30\nroot.b capacity=2w", true),
              HasSubstr("mix percentages, weights and amounts"));
}

TEST(MixedCapacity, WhatIsWrongWithAVectorIsTold) {
  EXPECT_THAT(mixed_fault("root.a capacity=[memory=50%,gpus=2w]"),
              HasSubstr("unknown resource \"gpus\""));
  EXPECT_THAT(mixed_fault("root.a capacity=[memory=150%]"),
              HasSubstr("is not a percentage from 0 to 100"));
  EXPECT_THAT(mixed_fault("root.a capacity=[memory=-1w]"), HasSubstr("is not a weight"));
  EXPECT_THAT(mixed_fault("root.a capacity=[memory=x%]"), HasSubstr("is not a percentage"));
  EXPECT_THAT(mixed_fault("root.a capacity=[50%]"), HasSubstr("is not name=amount"));
  EXPECT_THAT(mixed_fault("root.a capacity=1w maximum-capacity=[memory=2w]"),
              HasSubstr("a maximum has no weight"));
  EXPECT_THAT(mixed_fault("root.a capacity=[memory=50%]", true), HasSubstr("is not an amount"));
}

TEST(MixedCapacity, QueuesAreMadeBesideSiblingsOfOtherModes) {
  auto cluster = mixed(R"(
      root.a capacity=60
      root.u capacity=40 auto-queue-creation-v2.enabled=true
      root.u.listed capacity=[memory=10240,vcores=10])");
  ASSERT_TRUE(cluster.scheduler.make_leaf("root.u.ann"));
  EXPECT_EQ(report(cluster, "root.u.ann").guaranteed, sizes("30GB 30c"));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

std::string refused_acl(std::string_view text) {
  const auto acls = parse_priority_acls(text);
  return acls ? "accepted" : acls.error().message;
}

TEST(PriorityAcls, AreReadWithTheLowestMaximumFirst) {
  const auto acls = parse_priority_acls(
      "[user=ann,bob group=staff max_priority=7 default_priority=4] [group=lab max_priority=2]"
      "[user=* max_priority=1 default_priority=-3]");
  ASSERT_TRUE(acls) << acls.error().message;
  EXPECT_THAT(*acls, ElementsAre(PriorityAcl{"*", 1, 0}, PriorityAcl{" lab", 2, 0},
                                 PriorityAcl{"ann,bob staff", 7, 4}));
}

TEST(PriorityAcls, WhatIsWrongIsToldWithTheQueue) {
  EXPECT_THAT(refused_acl("user=ann max_priority=3"), HasSubstr("is not in brackets"));
  EXPECT_THAT(refused_acl("[user=ann max_priority=3"), HasSubstr("is not in brackets"));
  EXPECT_THAT(refused_acl("[user=ann]"), HasSubstr("has no max_priority"));
  EXPECT_THAT(refused_acl("[user=ann max_priority=high]"), HasSubstr("is not a whole number"));
  EXPECT_THAT(refused_acl("[usr=ann max_priority=1]"), HasSubstr("\"usr\" is not known"));
  EXPECT_THAT(refused_acl("[ann max_priority=1]"), HasSubstr("is not NAME=VALUE"));
  const auto config = parse_capacity_config([] {
    Settings settings = queue_settings("root.a capacity=100");
    settings.set("yarn.scheduler.capacity.root.a.acl_application_max_priority",
                 {"[user=ann]", "test", false});
    return settings;
  }());
  ASSERT_FALSE(config);
  EXPECT_THAT(
      config.error().message,
      HasSubstr("queue root.a: yarn.scheduler.capacity.root.a.acl_application_max_priority"));
}

}  // namespace
}  // namespace heddle::queues
