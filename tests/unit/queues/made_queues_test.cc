#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::queue_settings;
using testlib::sizes;

constexpr const char* kFlexible = R"(
    root.a capacity=3w
    root.users capacity=1w auto-queue-creation-v2.enabled=true)";

constexpr const char* kManaged = R"(
    root.a capacity=60
    root.m capacity=40 auto-create-child-queue.enabled=true leaf-queue-template.capacity=40 leaf-queue-template.maximum-capacity=80 leaf-queue-template.user-limit-factor=4)";

std::string made(Cluster& cluster, std::string_view queue) {
  const auto path = cluster.scheduler.make_leaf(queue);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  return path ? path->value() : path.error().message;
}

std::string config_fault(std::string_view lines) {
  const auto config = parse_capacity_config(queue_settings(lines));
  return config ? "accepted" : config.error().message;
}

Cluster cluster_of(std::string_view lines) {
  return ClusterBuilder{}.queues(lines).nodes(4, "16GB 16c").build();
}

Result<void> configure(Cluster& cluster, std::string_view lines) {
  const auto config = parse_capacity_config(queue_settings(lines));
  EXPECT_TRUE(config) << (config ? "" : config.error().message);
  const Limits limits{{1024, 1}, {1 << 20, 1 << 10}, {1024, 1}, 2};
  return cluster.scheduler.configure(*config, limits);
}

const QueueRules& rules_of(const Cluster& cluster, std::string_view path) {
  return *cluster.scheduler.rules(QueuePath(std::string(path)));
}

TEST(MadeQueues, ALeafComesWithWeightOneAndTakesItsShareOfTheParent) {
  auto cluster = cluster_of(kFlexible);
  EXPECT_EQ(made(cluster, "root.users.ann"), "root.users.ann");
  EXPECT_EQ(made(cluster, "root.users.bob"), "root.users.bob");
  const auto ann = cluster.scheduler.queue(QueuePath("root.users.ann"));
  ASSERT_TRUE(ann);
  EXPECT_TRUE(ann->is_leaf);
  EXPECT_EQ(ann->weight, 1);
  EXPECT_EQ(ann->normalized_weight, 0.5);
  EXPECT_EQ(ann->guaranteed, sizes("8GB 8c"));
  EXPECT_EQ(ann->user_limit_factor, -1);
  EXPECT_EQ(ann->maximum_am_share, 1);
  const AppId app = cluster.running_app("root.users.ann");
  cluster.ask(app, 64, "1GB 1c");
  EXPECT_EQ(cluster.schedule().size(), 64U);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(MadeQueues, AParentThatMakesQueuesIsNoLeafWithoutThem) {
  auto cluster = cluster_of(kFlexible);
  EXPECT_FALSE(cluster.scheduler.queue(QueuePath("root.users"))->is_leaf);
  EXPECT_FALSE(cluster.scheduler.add_app({1, 7}, "root.users", UserName("ann"), 0));
}

TEST(MadeQueues, ParentsOnTheWayAreMadeToo) {
  auto cluster = cluster_of(kFlexible);
  EXPECT_EQ(made(cluster, "users.sales.ann"), "root.users.sales.ann");
  EXPECT_FALSE(cluster.scheduler.queue(QueuePath("root.users.sales"))->is_leaf);
  EXPECT_EQ(made(cluster, "root.users.sales.bob"), "root.users.sales.bob");
  EXPECT_THAT(cluster.scheduler.made_queues(),
              ElementsAre(QueuePath("root.users.sales"), QueuePath("root.users.sales.ann"),
                          QueuePath("root.users.sales.bob")));
}

TEST(MadeQueues, TheDepthIsCountedFromTheNearestListedQueue) {
  auto cluster = cluster_of(kFlexible);
  EXPECT_THAT(made(cluster, "root.users.x.y.z"),
              HasSubstr("The distance of the LeafQueue from the first static ParentQueue is 3"));
  EXPECT_EQ(made(cluster, "root.users.x.y"), "root.users.x.y");
  EXPECT_THAT(made(cluster, "root.users.x.y2.z"), HasSubstr("is above the limit"));
  auto deep = cluster_of(R"(
      root.a capacity=1w
      root.users capacity=1w auto-queue-creation-v2.enabled=true auto-queue-creation-v2.maximum-queue-depth=4)");
  EXPECT_EQ(made(deep, "root.users.1.2.3.4"), "root.users.1.2.3.4");
}

TEST(MadeQueues, TheDepthMayBeSaidForAllQueues) {
  auto cluster = ClusterBuilder{}
                     .queues(kFlexible)
                     .setting("auto-queue-creation-v2.maximum-queue-depth", "1")
                     .build();
  EXPECT_THAT(made(cluster, "root.users.x.y"), HasSubstr("is above the limit"));
  EXPECT_EQ(made(cluster, "root.users.x"), "root.users.x");
}

TEST(MadeQueues, NobodyMakesThemWhereItIsNotEnabled) {
  auto cluster = cluster_of(kFlexible);
  EXPECT_THAT(made(cluster, "root.x"), HasSubstr("is not enabled under parent root"));
  EXPECT_THAT(made(cluster, "root.a.x"), HasSubstr("Queue root.a is not a ParentQueue"));
  EXPECT_THAT(made(cluster, "nothing.x"), HasSubstr("does not exist"));
  EXPECT_THAT(made(cluster, "ann"), HasSubstr("does not exist"));
  EXPECT_THAT(made(cluster, "root.users..x"), HasSubstr("cannot name a queue"));
  EXPECT_THAT(made(cluster, "root.users.*"), HasSubstr("cannot name a queue"));
  EXPECT_THAT(cluster.scheduler.made_queues(), IsEmpty());
}

TEST(MadeQueues, MoreThanMaxQueuesAreRefused) {
  auto cluster = cluster_of(R"(
      root.a capacity=1w
      root.users capacity=1w auto-queue-creation-v2.enabled=true auto-queue-creation-v2.max-queues=2)");
  made(cluster, "root.users.ann");
  made(cluster, "root.users.bob");
  EXPECT_THAT(made(cluster, "root.users.eve"),
              HasSubstr("Max Child Queue limit exceeded which is configured as : 2"));
  EXPECT_EQ(made(cluster, "root.users.ann"), "root.users.ann") << "it is there";
}

TEST(MadeQueues, SiblingsHaveToUseWeights) {
  auto cluster = cluster_of(R"(
      root.p capacity=100 auto-queue-creation-v2.enabled=true
      root.p.x capacity=100)");
  EXPECT_THAT(made(cluster, "root.p.y"),
              HasSubstr("not all the queues under parent=root.p are using weight-based capacity"));
}

TEST(MadeQueues, NoneComesBelowAStoppedQueue) {
  auto cluster = cluster_of(R"(
      root.a capacity=1w
      root.users capacity=1w state=STOPPED auto-queue-creation-v2.enabled=true)");
  EXPECT_THAT(made(cluster, "root.users.ann"), HasSubstr("queue root.users is STOPPED"));
}

TEST(MadeQueues, TheMostExactTemplateWinsAndThatOfTheKindBeforeTheCommonOne) {
  const std::string lines = std::string(kFlexible) + R"(
      +root.users auto-queue-creation-v2.template.maximum-applications=11
      +root.users auto-queue-creation-v2.template.capacity=5w
      +root.users auto-queue-creation-v2.leaf-template.capacity=7w
      +root.users auto-queue-creation-v2.parent-template.priority=3)";
  Settings settings = queue_settings(lines);
  const auto set = [&](std::string name, std::string value) {
    settings.set("yarn.scheduler.capacity." + std::move(name), {std::move(value), "test", false});
  };
  set("root.*.auto-queue-creation-v2.template.maximum-applications", "99");
  set("root.*.auto-queue-creation-v2.leaf-template.user-limit-factor", "9");
  set("root.users.*.auto-queue-creation-v2.template.capacity", "13w");
  set("root.users.sales.fixed.user-limit-factor", "2");
  auto config = parse_capacity_config(settings);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->warnings, IsEmpty());
  Cluster cluster;
  ASSERT_TRUE(cluster.scheduler.configure(*config, Limits{}));
  made(cluster, "root.users.ann");
  EXPECT_EQ(rules_of(cluster, "root.users.ann").capacity.value, 7);
  EXPECT_EQ(rules_of(cluster, "root.users.ann").maximum_apps, 11);
  EXPECT_EQ(rules_of(cluster, "root.users.ann").user_limit_factor, 9);
  EXPECT_EQ(rules_of(cluster, "root.users.ann").priority, 0);
  made(cluster, "root.users.sales.fixed");
  EXPECT_EQ(rules_of(cluster, "root.users.sales").priority, 3);
  EXPECT_EQ(rules_of(cluster, "root.users.sales").capacity.value, 5);
  EXPECT_EQ(rules_of(cluster, "root.users.sales.fixed").capacity.value, 13);
  EXPECT_EQ(rules_of(cluster, "root.users.sales.fixed").user_limit_factor, 2) << "its own";
}

TEST(MadeQueues, AccessListsComeFromTheTemplates) {
  const std::string lines = std::string(kFlexible) + R"(
      +root.users auto-queue-creation-v2.template.acl_submit_applications=ann
      +root.users auto-queue-creation-v2.leaf-template.acl_administer_queue=boss)";
  auto cluster = cluster_of(lines);
  made(cluster, "root.users.x.y");
  EXPECT_EQ(rules_of(cluster, "root.users.x").acl_submit, "ann");
  EXPECT_EQ(rules_of(cluster, "root.users.x").acl_administer, std::nullopt);
  made(cluster, "root.users.z");
  EXPECT_EQ(rules_of(cluster, "root.users.z").acl_administer, "boss");
}

TEST(MadeQueues, AWrongTemplateIsToldWhenTheSettingsAreRead) {
  EXPECT_THAT(config_fault(std::string(kFlexible) + R"(
      +root.users auto-queue-creation-v2.leaf-template.capacity=many)"),
              HasSubstr("queue root.users: its template for leaves"));
  EXPECT_THAT(config_fault(std::string(kFlexible) + R"(
      +root.users auto-queue-creation-v2.parent-template.priority=high)"),
              HasSubstr("queue root.users: its template for parents"));
  EXPECT_THAT(config_fault("root.a capacity=40\n"
                           "root.m capacity=60 auto-create-child-queue.enabled=true"),
              HasSubstr("capacity: is not set"));
  EXPECT_THAT(config_fault("root.a capacity=40\n"
                           "root.m capacity=60 auto-create-child-queue.enabled=true "
                           "leaf-queue-template.capacity=2w"),
              HasSubstr("is a weight"));
  EXPECT_THAT(config_fault("root.m capacity=100 auto-create-child-queue.enabled=true "
                           "leaf-queue-template.capacity=10\n"
                           "root.m.x capacity=100"),
              HasSubstr("root.m.auto-create-child-queue.enabled"));
  EXPECT_THAT(config_fault("root.m capacity=100 auto-create-child-queue.enabled=true "
                           "leaf-queue-template.capacity=10 "
                           "auto-create-child-queue.management-policy=Mine"),
              HasSubstr("\"Mine\" is not known"));
}

TEST(MadeQueues, GoOnceTheyWereIdleForTheExpiration) {
  auto cluster = cluster_of(kFlexible);
  cluster.scheduler.set_time(1'000);
  made(cluster, "root.users.sales.ann");
  const AppId app = cluster.app("root.users.sales.ann");
  EXPECT_EQ(cluster.scheduler.next_idle_ms(), std::nullopt);
  cluster.scheduler.set_time(1'000'000);
  EXPECT_THAT(cluster.scheduler.remove_idle_queues(), IsEmpty()) << "it holds an application";
  cluster.scheduler.remove_app(app);
  EXPECT_EQ(cluster.scheduler.next_idle_ms(), 1'300'000);
  cluster.scheduler.set_time(1'299'999);
  EXPECT_THAT(cluster.scheduler.remove_idle_queues(), IsEmpty());
  cluster.scheduler.set_time(1'300'000);
  EXPECT_THAT(cluster.scheduler.remove_idle_queues(),
              ElementsAre(QueuePath("root.users.sales.ann")));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  EXPECT_EQ(cluster.scheduler.next_idle_ms(), 1'600'000) << "its parent, which is idle from now";
  cluster.scheduler.set_time(1'600'000);
  EXPECT_THAT(cluster.scheduler.remove_idle_queues(), ElementsAre(QueuePath("root.users.sales")));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  EXPECT_EQ(cluster.scheduler.find_queue("root.users.sales.ann"), std::nullopt);
  EXPECT_EQ(made(cluster, "root.users.sales.ann"), "root.users.sales.ann") << "it comes again";
}

TEST(MadeQueues, StayWhereAutoRemovalIsOff) {
  const std::string lines = std::string(kFlexible) + R"(
      +root.users auto-queue-creation-v2.template.auto-queue-creation-v2.queue-auto-removal.enable=false)";
  auto cluster = cluster_of(lines);
  made(cluster, "root.users.ann");
  cluster.scheduler.set_time(1'000'000'000);
  EXPECT_THAT(cluster.scheduler.remove_idle_queues(), IsEmpty());
}

TEST(MadeQueues, TheExpirationIsASetting) {
  auto cluster = ClusterBuilder{}
                     .queues(kFlexible)
                     .setting("auto-queue-creation-v2.queue-expiration-time", "5")
                     .build();
  made(cluster, "root.users.ann");
  cluster.scheduler.set_time(5'000);
  EXPECT_EQ(cluster.scheduler.remove_idle_queues().size(), 1U);
}

TEST(MadeQueues, SurviveNewSettingsAndTakeTheTemplateOfThese) {
  auto cluster = cluster_of(kFlexible);
  made(cluster, "root.users.ann");
  const AppId app = cluster.running_app("root.users.ann");
  cluster.ask(app, 3, "1GB 1c");
  cluster.schedule();
  ASSERT_TRUE(configure(cluster, std::string(kFlexible) + R"(
      +root.users auto-queue-creation-v2.template.capacity=4w
      root.more capacity=1w)"));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  EXPECT_EQ(rules_of(cluster, "root.users.ann").capacity.value, 4);
  EXPECT_EQ(cluster.containers(app), 3U);
  EXPECT_THAT(cluster.scheduler.made_queues(), ElementsAre(QueuePath("root.users.ann")));
}

TEST(MadeQueues, StayWhenTheirParentMakesNoMoreAsLongAsItIsAParent) {
  auto cluster = cluster_of(R"(
      root.users capacity=1w auto-queue-creation-v2.enabled=true
      root.users.listed capacity=1w)");
  made(cluster, "root.users.ann");
  const AppId app = cluster.app("root.users.ann");
  ASSERT_TRUE(configure(cluster, "root.users capacity=1w\nroot.users.listed capacity=1w"));
  EXPECT_EQ(cluster.scheduler.app(app)->queue, QueuePath("root.users.ann"));
  EXPECT_THAT(made(cluster, "root.users.bob"), HasSubstr("is not enabled"));
}

TEST(MadeQueues, NewSettingsThatLeaveNoPlaceForOneWithWorkAreRefused) {
  auto cluster = cluster_of(kFlexible);
  made(cluster, "root.users.ann");
  const AppId app = cluster.app("root.users.ann");
  const auto refused = configure(cluster, "root.a capacity=3w\nroot.users capacity=1w");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("queue root.users.ann has 1 applications"));
  cluster.scheduler.remove_app(app);
  EXPECT_TRUE(configure(cluster, "root.a capacity=3w\nroot.users capacity=1w"));
  EXPECT_THAT(cluster.scheduler.made_queues(), IsEmpty());
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(MadeQueues, OneThatIsListedLaterIsAnOrdinaryQueue) {
  auto cluster = cluster_of(kFlexible);
  made(cluster, "root.users.ann");
  const AppId app = cluster.app("root.users.ann");
  ASSERT_TRUE(configure(cluster, std::string(kFlexible) + "\nroot.users.ann capacity=9w"));
  EXPECT_EQ(rules_of(cluster, "root.users.ann").capacity.value, 9);
  EXPECT_THAT(cluster.scheduler.made_queues(), IsEmpty());
  EXPECT_EQ(cluster.scheduler.app(app)->queue, QueuePath("root.users.ann"));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(MadeQueues, RecoveryMakesThemWhateverTheLimitsSayNow) {
  auto cluster = cluster_of(R"(
      root.a capacity=1w
      root.users capacity=1w auto-queue-creation-v2.enabled=true auto-queue-creation-v2.max-queues=0)");
  EXPECT_THAT(made(cluster, "root.users.ann"), HasSubstr("limit exceeded"));
  EXPECT_TRUE(cluster.scheduler.make_leaf("root.users.ann", true));
}

TEST(MadeQueues, LeavesOfAManagedParentAreGuaranteedTheTemplateWhileItHasAsMuch) {
  auto cluster = cluster_of(kManaged);
  for (const char* name : {"root.m.1", "root.m.2", "root.m.3"})
    EXPECT_EQ(made(cluster, name), name);
  EXPECT_EQ(rules_of(cluster, "root.m.1").user_limit_factor, 4);
  const auto share = [&](const char* path) {
    return cluster.scheduler.queue(QueuePath(path))->capacity;
  };
  EXPECT_EQ(share("root.m.1"), 0.4);
  EXPECT_EQ(share("root.m.2"), 0.4);
  EXPECT_EQ(share("root.m.3"), 0) << "the parent has 20 % left";
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.m.3"))->maximum_capacity, 0.8);
}

TEST(MadeQueues, AManagedLeafWithWorkGetsTheGuaranteeOfAnIdleOne) {
  auto cluster = cluster_of(kManaged);
  made(cluster, "root.m.1");
  made(cluster, "root.m.2");
  const AppId one = cluster.running_app("root.m.1");
  const AppId two = cluster.running_app("root.m.2");
  made(cluster, "root.m.3");
  const AppId three = cluster.running_app("root.m.3");
  EXPECT_TRUE(rules_of(cluster, "root.m.3").at_zero);
  cluster.ask(three, 2, "1GB 1c");
  EXPECT_EQ(cluster.schedule().size(), 2U) << "without a guarantee, from what is free";
  cluster.scheduler.remove_app(one);
  EXPECT_TRUE(rules_of(cluster, "root.m.1").at_zero);
  EXPECT_FALSE(rules_of(cluster, "root.m.3").at_zero);
  EXPECT_EQ(cluster.scheduler.queue(QueuePath("root.m.3"))->guaranteed, Resources(10485, 10));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  ASSERT_TRUE(configure(cluster, kManaged));
  EXPECT_TRUE(rules_of(cluster, "root.m.1").at_zero);
  EXPECT_FALSE(rules_of(cluster, "root.m.2").at_zero);
  EXPECT_FALSE(rules_of(cluster, "root.m.3").at_zero);
  cluster.scheduler.remove_app(two);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(MadeQueues, AManagedParentMakesNoParents) {
  auto cluster = cluster_of(kManaged);
  EXPECT_THAT(made(cluster, "root.m.x.y"), HasSubstr("only leaves are made below root.m"));
}

TEST(MadeQueues, AManagedParentMayRefuseMoreThanItGuarantees) {
  const std::string lines =
      std::string(kManaged) +
      "\n+root.m auto-create-child-queue.fail-on-exceeding-parent-capacity=true";
  auto cluster = cluster_of(lines);
  made(cluster, "root.m.1");
  made(cluster, "root.m.2");
  EXPECT_THAT(made(cluster, "root.m.3"),
              HasSubstr("Child queues capacities have reached parent queue : root.m's guaranteed"));
}

TEST(MadeQueues, AManagedParentHasItsOwnMaxQueues) {
  auto cluster =
      cluster_of(std::string(kManaged) + "\n+root.m auto-create-child-queue.max-queues=1");
  made(cluster, "root.m.1");
  EXPECT_THAT(made(cluster, "root.m.2"), HasSubstr("configured as : 1"));
}

TEST(MadeQueues, ManagedLeavesStay) {
  auto cluster = cluster_of(kManaged);
  made(cluster, "root.m.1");
  cluster.scheduler.set_time(1'000'000'000);
  EXPECT_THAT(cluster.scheduler.remove_idle_queues(), IsEmpty());
}

TEST(MadeQueues, WeightsThatStayBesidePercentagesShareWhatTheseLeaveAndSaySo) {
  Cluster cluster = ClusterBuilder{}
                        .queues(
                            "root.a capacity=1w auto-queue-creation-v2.enabled=true\n"
                            "root.b capacity=1w")
                        .nodes(1, "8GB 8c")
                        .build();
  ASSERT_TRUE(cluster.scheduler.make_leaf("root.a.x"));
  const auto next = parse_capacity_config(
      testlib::queue_settings("root.a capacity=50\nroot.a.y capacity=100\nroot.b capacity=50"));
  ASSERT_TRUE(next);
  const Limits limits{
      .minimum = {1024, 1}, .maximum = {8192, 8}, .increment = {1024, 1}, .type_count = 2};
  ASSERT_TRUE(cluster.scheduler.configure(*next, limits));
  const auto made = cluster.scheduler.queue(QueuePath("root.a.x"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->guaranteed, Resources());
  EXPECT_EQ(made->absolute_capacity, 0);
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

}  // namespace
}  // namespace heddle::queues
