// Queues that are reservable: their settings, and their children, which come and go with a plan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queues/config_change.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::queue_settings;

constexpr const char* kPlan = R"(
    root.a    capacity=50
    root.plan capacity=50 reservable=true user-limit-factor=3 maximum-applications=7)";

Result<QueueConfig> parsed(std::string_view lines) {
  return parse_capacity_config(queue_settings(lines));
}

PlanSettings plan_of(const std::string& more) {
  const auto config = parsed("root.a capacity=50\nroot.plan capacity=50 reservable=true " + more);
  EXPECT_TRUE(config) << config.error().message;
  return config ? config->root.children[1].plan.value_or(PlanSettings{}) : PlanSettings{};
}

Cluster cluster_of(std::string_view lines) {
  return ClusterBuilder{}.queues(lines).nodes(4, "16GB 16c").build();
}

const QueuePath kPlanPath("root.plan");

/// "name:GB" of the children of the plan queue.
std::vector<std::string> children(const Cluster& cluster) {
  std::vector<std::string> found;
  const auto report = cluster.scheduler.queue(kPlanPath);
  for (const QueuePath& child : report->children) {
    const auto own = cluster.scheduler.queue(child);
    found.push_back(own->name + ":" + std::to_string(own->guaranteed.memory_mb() / 1024));
  }
  return found;
}

void share(Cluster& cluster, const std::vector<PlanShare>& shares) {
  ASSERT_TRUE(cluster.scheduler.set_plan_shares(kPlanPath, shares));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
}

TEST(PlanQueues, HaveADefaultChildWithTheirLimits) {
  const auto config = parsed(kPlan);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->warnings, IsEmpty());
  const QueueSpec& plan = config->root.children[1];
  EXPECT_FALSE(plan.is_leaf());
  ASSERT_EQ(plan.children.size(), 1U);
  EXPECT_EQ(plan.children[0].path.value(), "root.plan.plan-default");
  EXPECT_EQ(plan.children[0].user_limit_factor, 3);
  EXPECT_EQ(plan.children[0].maximum_apps, 7);
  EXPECT_FALSE(parsed("root.a capacity=100 reservable=false")->root.children[0].plan);
}

TEST(PlanQueues, HaveHadoopsDefaults) {
  const PlanSettings plan = plan_of("");
  EXPECT_TRUE(plan.quota.over_time);
  EXPECT_EQ(plan.quota.average, 1.0F);
  EXPECT_EQ(plan.quota.instantaneous, 1.0F);
  EXPECT_EQ(plan.quota.window_ms, 86'400'000);
  EXPECT_EQ(plan.enforcement_window_ms, 3'600'000);
  EXPECT_TRUE(plan.move_on_expiry);
  EXPECT_FALSE(plan.show_as_queues);
  EXPECT_FALSE(plan.acl_submit || plan.acl_administer || plan.acl_list);
}

TEST(PlanQueues, TakeTheSettingsOfTheirPlan) {
  const PlanSettings plan = plan_of(
      "reservation-window=60000 average-capacity=25 instantaneous-max-capacity=80 "
      "reservation-policy=x.NoOverCommitPolicy reservation-agent=x.GreedyReservationAgent "
      "reservation-planner=x.SimpleCapacityReplanner reservation-move-on-expiry=false "
      "reservation-enforcement-window=5000 show-reservations-as-queues=true "
      "acl_submit_reservations=s acl_administer_reservations=a acl_list_reservations=l");
  EXPECT_FALSE(plan.quota.over_time);
  EXPECT_EQ(plan.quota.window_ms, 60'000);
  EXPECT_EQ(plan.quota.average, 0.25F);
  EXPECT_EQ(plan.quota.instantaneous, 0.8F);
  EXPECT_EQ(plan.enforcement_window_ms, 5'000);
  EXPECT_FALSE(plan.move_on_expiry);
  EXPECT_TRUE(plan.show_as_queues);
  EXPECT_EQ(plan.acl_submit, "s");
  EXPECT_EQ(plan.acl_administer, "a");
  EXPECT_EQ(plan.acl_list, "l");
}

TEST(PlanQueues, WithWrongSettingsAreRefusedWithTheQueue) {
  const auto fault = [](const std::string& more) {
    const auto config = parsed("root.a capacity=50\nroot.plan capacity=50 reservable=true " + more);
    return config ? "accepted" : config.error().message;
  };
  EXPECT_THAT(fault("reservation-policy=org.x.Mine"),
              HasSubstr("\"org.x.Mine\" is not known; CapacityOverTimePolicy or "
                        "NoOverCommitPolicy"));
  EXPECT_THAT(fault("reservation-agent=org.x.Mine"), HasSubstr("AlignedPlannerWithGreedy"));
  EXPECT_THAT(fault("reservation-planner=org.x.Mine"), HasSubstr("SimpleCapacityReplanner"));
  EXPECT_THAT(fault("reservation-window=-1"), HasSubstr("reservation-window"));
  EXPECT_THAT(fault("average-capacity=101"), HasSubstr("average-capacity"));
  EXPECT_THAT(fault("instantaneous-max-capacity=x"), HasSubstr("instantaneous-max-capacity"));
  EXPECT_THAT(fault("reservation-enforcement-window=1h"),
              HasSubstr("reservation-enforcement-window"));
  const auto parent = parsed("root.p capacity=100 reservable=true\nroot.p.c capacity=100");
  ASSERT_FALSE(parent);
  EXPECT_THAT(parent.error().message, HasSubstr("Only Leaf Queues can be reservable for root.p"));
}

TEST(PlanQueues, GiveTheirDefaultChildWhatReservationsLeave) {
  Cluster cluster = cluster_of(kPlan);
  EXPECT_THAT(children(cluster), ElementsAre("plan-default:32"));
  share(cluster, {{"r1", {8 * 1024, 4}}, {"r2", {16 * 1024, 20}}});
  EXPECT_THAT(children(cluster), ElementsAre("plan-default:8", "r1:8", "r2:16"));
  share(cluster, {{"r2", {4 * 1024, 4}}, {"r3", {1024, 1}}});
  EXPECT_THAT(children(cluster), ElementsAre("plan-default:27", "r2:4", "r3:1"));
  share(cluster, {});
  EXPECT_THAT(children(cluster), ElementsAre("plan-default:32"));
}

TEST(PlanQueues, ShrinkReservationsInProportionWhereThePlanIsTooSmall) {
  Cluster cluster = cluster_of(kPlan);
  share(cluster, {{"r1", {32 * 1024, 32}}, {"r2", {32 * 1024, 32}}});
  EXPECT_THAT(children(cluster), ElementsAre("plan-default:0", "r1:16", "r2:16"));
}

TEST(PlanQueues, KeepAReservationWithApplicationsAtNothing) {
  Cluster cluster = cluster_of(kPlan);
  share(cluster, {{"r1", {8 * 1024, 8}}});
  const AppId app{1, 1};
  ASSERT_TRUE(cluster.scheduler.add_app(app, "root.plan.r1", UserName("ann"), 0));
  share(cluster, {});
  EXPECT_THAT(children(cluster), ElementsAre("plan-default:32", "r1:0"));
  EXPECT_EQ(cluster.scheduler.move_app(app, "root.plan.plan-default")->value(),
            "root.plan.plan-default");
  share(cluster, {});
  EXPECT_THAT(children(cluster), ElementsAre("plan-default:32"));
}

TEST(PlanQueues, MakeNoQueueForAnApplication) {
  Cluster cluster = cluster_of(kPlan);
  const auto made = cluster.scheduler.make_leaf("root.plan.mine");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
}

TEST(PlanQueues, CarryReservationsIntoANewConfiguration) {
  Cluster cluster = cluster_of(kPlan);
  share(cluster, {{"r1", {8 * 1024, 8}, true}});
  const Limits limits{{1024, 1}, {1 << 20, 1 << 10}, {1024, 1}, 2};
  const auto config =
      parsed("root.a capacity=25\nroot.plan capacity=75 reservable=true user-limit-factor=9");
  ASSERT_TRUE(cluster.scheduler.configure(*config, limits));
  EXPECT_EQ(cluster.scheduler.check_invariants(), "");
  EXPECT_THAT(children(cluster), ElementsAre("plan-default:40", "r1:8"));
  const QueueRules* rules = cluster.scheduler.rules(QueuePath("root.plan.r1"));
  EXPECT_EQ(rules->user_limit_factor, 9);
  EXPECT_EQ(rules->maximum_capacity.absolute.memory_mb(), 8 * 1024);
}

TEST(PlanQueues, AreNotThoseThatNobodyCanReserve) {
  Cluster cluster = cluster_of(kPlan);
  EXPECT_THAT(cluster.scheduler.plan_queues(), ElementsAre(kPlanPath));
  EXPECT_FALSE(cluster.scheduler.set_plan_shares(QueuePath("root.a"), {}));
  EXPECT_FALSE(cluster.scheduler.set_plan_shares(QueuePath("root.nosuch"), {}));
}

}  // namespace
}  // namespace heddle::queues
