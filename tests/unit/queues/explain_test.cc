// Why something waits: each reason in one sentence, one number and one action.
#include "queues/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::Cluster;
using testlib::ClusterBuilder;
using testlib::first_attempt;
using testlib::sizes;

Explanation why(const Cluster& cluster, const AppId& app) {
  return *cluster.scheduler.explain(app, ExplainOptions{});
}

Explanation what_if(const Cluster& cluster, const WhatIf& what) {
  auto out = cluster.scheduler.explain(what, ExplainOptions{});
  EXPECT_TRUE(out) << (out ? "" : out.error().message);
  return out ? *out : Explanation{};
}

/// What every verdict must say, whatever it is.
void expect_complete(const Explanation& out, Verdict verdict) {
  EXPECT_EQ(code_of(out.wait.verdict), code_of(verdict)) << out.wait.sentence;
  EXPECT_NE(out.wait.sentence, "");
  EXPECT_NE(out.wait.action, "");
}

std::int64_t nodes_that(const Explanation& out, NodeVerdict verdict) {
  std::int64_t count = 0;
  for (const NodeGroup& group : out.asks.at(0).nodes)
    count += group.verdict == verdict ? group.count : 0;
  return count;
}

WhatIf request(std::string_view queue, std::string_view size, std::int64_t count = 1) {
  WhatIf what;
  what.queue = queue;
  what.user = UserName("ann");
  what.size = sizes(size);
  what.count = count;
  what.am_size = Resources{};
  return what;
}

const LimitUse* blocking(const Explanation& out) {
  for (const LimitUse& limit : out.limits) {
    if (limit.blocks) return &limit;
  }
  return nullptr;
}

TEST(Explain, WhoHasAllWaitsForNothing) {
  auto cluster = ClusterBuilder{}.nodes(1, "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  const Explanation out = why(cluster, app);
  EXPECT_EQ(out.wait.verdict, Verdict::kNothingWaits);
  EXPECT_EQ(out.position, 0);
  EXPECT_FALSE(cluster.scheduler.explain(AppId{1, 99}, ExplainOptions{}));
}

TEST(Explain, BetweenTwoAttempts) {
  auto cluster = ClusterBuilder{}.nodes(1, "8GB 8c").build();
  expect_complete(why(cluster, cluster.app("default")), Verdict::kBetweenAttempts);
}

TEST(Explain, ParallelApplicationsOfAQueueAboveNameThatQueue) {
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=100 max-parallel-apps=1\nroot.a.x capacity=100")
                     .nodes(1, "8GB 8c")
                     .build();
  cluster.app_with_am("x", "1GB 1c");
  const AppId second = cluster.app_with_am("x", "1GB 1c");
  const Explanation out = why(cluster, second);
  expect_complete(out, Verdict::kQueueParallelApps);
  EXPECT_EQ(out.wait.scope, "root.a");
  EXPECT_EQ(out.wait.property, "yarn.scheduler.capacity.root.a.max-parallel-apps");
  EXPECT_THAT(out.wait.action, HasSubstr(out.wait.property));
  EXPECT_EQ(out.wait.missing->amount, 1);
  EXPECT_EQ(out.position, 1);
  EXPECT_EQ(blocking(out)->limit_count, 1);
}

TEST(Explain, ParallelApplicationsOfAUserNameTheSettingOfThatUser) {
  auto cluster =
      ClusterBuilder{}.setting("user.ann.max-parallel-apps", "1").nodes(1, "8GB 8c").build();
  cluster.app_with_am("default", "1GB 1c");
  const Explanation out = why(cluster, cluster.app_with_am("default", "1GB 1c"));
  expect_complete(out, Verdict::kUserParallelApps);
  EXPECT_EQ(out.wait.property, "yarn.scheduler.capacity.user.ann.max-parallel-apps");
}

constexpr const char* kSmallAmShare =
    "root.default capacity=100 maximum-am-resource-percent=0.125 user-limit-factor=-1";

TEST(Explain, TheShareOfMastersOfAQueueAndThePositionAmongThoseThatWait) {
  auto cluster = ClusterBuilder{}.queues(kSmallAmShare).nodes(1, "16GB 16c").build();
  cluster.app_with_am("default", "2GB 1c");
  const AppId second = cluster.app_with_am("default", "2GB 1c");
  const AppId third = cluster.app_with_am("default", "2GB 1c");
  const Explanation out = why(cluster, third);
  expect_complete(out, Verdict::kQueueMasterLimit);
  EXPECT_EQ(out.wait.property, "yarn.scheduler.capacity.root.default.maximum-am-resource-percent");
  EXPECT_EQ(out.wait.missing->amount, 2048);
  EXPECT_EQ(out.position, 2);
  EXPECT_EQ(out.waiting, 2);
  EXPECT_THAT(out.ahead, ElementsAre(second));
  EXPECT_TRUE(out.asks.at(0).is_am);
  EXPECT_EQ(nodes_that(out, NodeVerdict::kFits), 1) << "it is not the nodes that it waits for";
}

TEST(Explain, TheShareOfMastersOfAUser) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.default capacity=100 maximum-am-resource-percent=0.5 "
                         "minimum-user-limit-percent=25")
                     .nodes(1, "16GB 16c")
                     .build();
  cluster.running_app("default", "bob");
  cluster.running_app("default", "cid");
  cluster.running_app("default", "eve");
  cluster.app_with_am("default", "2GB 1c");
  const Explanation out = why(cluster, cluster.app_with_am("default", "2GB 1c"));
  expect_complete(out, Verdict::kUserMasterLimit);
  EXPECT_EQ(out.wait.scope, "ann");
  EXPECT_GT(out.wait.missing->amount, 0);
}

TEST(Explain, TheShareOfMastersOfALabel) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root accessible-node-labels.gpu.capacity=100\n"
                         "root.default capacity=100 accessible-node-labels=gpu "
                         "accessible-node-labels.gpu.capacity=100 "
                         "accessible-node-labels.gpu.maximum-am-resource-percent=0.125 "
                         "default-node-label-expression=gpu user-limit-factor=-1")
                     .build();
  const PartitionSpec gpu{"gpu", true};
  cluster.scheduler.set_partitions({&gpu, 1});
  cluster.scheduler.add_node({"g1", 1}, "/rack", sizes("16GB 16c"), "gpu");
  cluster.app_with_am("default", "2GB 1c");
  const Explanation out = why(cluster, cluster.app_with_am("default", "2GB 1c"));
  expect_complete(out, Verdict::kLabelMasterLimit);
  EXPECT_THAT(out.wait.property,
              HasSubstr("accessible-node-labels.gpu.maximum-am-resource-percent"));
  EXPECT_EQ(out.asks.at(0).label, "gpu");
}

TEST(Explain, TheLimitOfAUser) {
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=50 user-limit-factor=1\nroot.b capacity=50")
                     .nodes(2, "8GB 8c")
                     .build();
  const AppId app = cluster.running_app("a");
  cluster.ask(app, 20, "1GB 1c");
  cluster.schedule();
  const Explanation out = why(cluster, app);
  expect_complete(out, Verdict::kUserLimit);
  EXPECT_EQ(out.wait.scope, "ann");
  EXPECT_EQ(out.wait.property, "yarn.scheduler.capacity.root.a.user-limit-factor");
  EXPECT_EQ(out.wait.missing->amount, 1024) << "so much has to end first";
  EXPECT_EQ(blocking(out)->name, "user-limit");
  EXPECT_EQ(out.position, 1);
}

TEST(Explain, TheMaximumOfAQueueAboveNamesThatQueue) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=25 maximum-capacity=50\n"
                         "root.b capacity=75\n"
                         "root.a.x capacity=100 user-limit-factor=-1")
                     .nodes(1, "8GB 8c")
                     .build();
  const AppId app = cluster.running_app("x");
  cluster.ask(app, 20, "3GB 1c");
  cluster.schedule();
  const Explanation out = why(cluster, app);
  expect_complete(out, Verdict::kQueueMaximum);
  EXPECT_THAT(out.wait.sentence, HasSubstr("uses <memory:3072, vCores:1> of at most"));
  EXPECT_EQ(out.wait.missing->amount, 2048);
  EXPECT_EQ(out.wait.missing->type, std::size_t{kMemory});
  ASSERT_NE(blocking(out), nullptr);
  EXPECT_EQ(blocking(out)->limit.memory_mb(), 4096);
}

TEST(Explain, ContainersToldToGoAndHowLongTheyStillHave) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=50 user-limit-factor=-1\n"
                         "root.b capacity=50 user-limit-factor=-1")
                     .nodes(1, "8GB 8c")
                     .build();
  PreemptionSettings settings;
  settings.enabled = true;
  settings.total_per_round = 1;
  cluster.scheduler.set_preemption(settings);
  const AppId first = cluster.running_app("a");
  const AppId second = cluster.running_app("b");
  cluster.ask(first, 20, "1GB 1c");
  cluster.schedule();
  cluster.ask(second, 1, "1GB 1c");
  cluster.schedule();
  cluster.scheduler.preempt();
  cluster.scheduler.set_time(5'000);
  const Explanation out = why(cluster, second);
  expect_complete(out, Verdict::kPreempting);
  EXPECT_EQ(out.wait.missing->unit, Missing::Unit::kSeconds);
  EXPECT_EQ(out.wait.missing->amount, 10);
  EXPECT_EQ(out.wait.scope, "n1:1");
}

TEST(Explain, RoomThatIsKeptForItAndForAnother) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.a capacity=50 user-limit-factor=-1\n"
                         "root.b capacity=50 user-limit-factor=-1")
                     .nodes(1, "8GB 8c")
                     .build();
  const AppId small = cluster.running_app("a");
  const AppId large = cluster.running_app("b");
  cluster.ask(small, 1000, "1GB 1c");
  auto running = cluster.schedule();
  cluster.ask(large, 1, "4GB 4c");
  for (std::size_t ended = 0; ended < running.size(); ++ended) {
    cluster.release(running[ended]);
    const auto more = cluster.schedule();
    running.insert(running.end(), more.begin(), more.end());
    if (!cluster.scheduler.node({"n1", 1})->reserved.is_zero()) break;
  }
  Explanation out = why(cluster, large);
  expect_complete(out, Verdict::kRoomKept);
  EXPECT_EQ(out.wait.scope, "n1:1");
  EXPECT_EQ(nodes_that(out, NodeVerdict::kKeptForThis), 1);
  out = why(cluster, small);
  expect_complete(out, Verdict::kRoomKeptForOther);
  EXPECT_EQ(nodes_that(out, NodeVerdict::kKept), 1);
}

TEST(Explain, NoNodesAtAll) {
  auto cluster = ClusterBuilder{}.build();
  expect_complete(what_if(cluster, request("default", "1GB 1c")), Verdict::kNoNodes);
}

TEST(Explain, WithoutNodesItIsNotTheShareOfMastersThatIsMissing) {
  auto cluster = ClusterBuilder{}.build();
  cluster.app_with_am("default", "1GB 1c");
  const AppId second = cluster.app_with_am("default", "1GB 1c");
  expect_complete(why(cluster, second), Verdict::kNoNodes);
  EXPECT_THAT(cluster.scheduler.explain(second),
              HasSubstr("not yet activated. Skipping AM assignment as cluster resource is empty."));
}

TEST(Explain, AMasterThatHasItsShareAndNoRoomIsToldInTheWordsOfHadoopFirst) {
  auto cluster = ClusterBuilder{}
                     .queues("root.default capacity=100 maximum-am-resource-percent=1")
                     .nodes(1, "1GB 8c")
                     .build();
  const AppId am = cluster.app_with_am("default", "2GB 1c");
  cluster.schedule();
  EXPECT_THAT(cluster.scheduler.explain(am),
              AllOf(HasSubstr("Application is Activated, waiting for resources to be assigned for "
                              "AM.  Details : AM Partition = <DEFAULT_PARTITION> ; Partition "
                              "Resource = <memory:1024, vCores:8> ; Queue's Absolute capacity = "
                              "100.0 % ; "),
                    HasSubstr("% ; no node has room for <memory:2048, vCores:1>")));
}

TEST(Explain, NoNodeThatIsUsable) {
  auto cluster = ClusterBuilder{}.nodes(2, "8GB 8c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "1GB 1c");
  cluster.scheduler.set_node_usable({"n1", 1}, false);
  cluster.scheduler.set_node_usable({"n2", 1}, false);
  cluster.schedule();
  const Explanation out = why(cluster, app);
  expect_complete(out, Verdict::kNoUsableNode);
  EXPECT_EQ(nodes_that(out, NodeVerdict::kNotUsable), 2);
}

TEST(Explain, StrictLocalityWithoutSuchANodeOrWithoutRoomThere) {
  auto cluster = ClusterBuilder{}.nodes(3, "4GB 4c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "1GB 1c", {.at = "ghost"});
  cluster.ask(app, 1, "1GB 1c", {.relax = false});
  cluster.schedule();
  Explanation out = why(cluster, app);
  expect_complete(out, Verdict::kNoSuchPlace);
  EXPECT_THAT(out.wait.sentence, HasSubstr("no such node: ghost; will wait"));
  EXPECT_EQ(nodes_that(out, NodeVerdict::kNotAmongAsked), 3);

  cluster.ask(app, 0, "1GB 1c", {.at = "ghost"});
  cluster.ask(app, 5, "3GB 1c", {.at = "n2"});
  cluster.ask(app, 5, "3GB 1c", {.relax = false});
  EXPECT_THAT(cluster.schedule(), SizeIs(1));
  out = why(cluster, app);
  expect_complete(out, Verdict::kPlacesFull);
  EXPECT_EQ(nodes_that(out, NodeVerdict::kNoRoom), 1);
  EXPECT_EQ(out.asks.at(0).nodes.at(0).examples.at(0).id.host, "n2");
}

TEST(Explain, NodesThatTheApplicationHasBlacklisted) {
  auto cluster = ClusterBuilder{}.nodes(2, "4GB 4c").build();
  const AppId app = cluster.running_app("default");
  const std::vector<std::string> both = {"n1", "n2"};
  cluster.scheduler.update_blacklist(first_attempt(app), both, {});
  cluster.ask(app, 1, "1GB 1c");
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  const Explanation out = why(cluster, app);
  expect_complete(out, Verdict::kBlacklisted);
  EXPECT_EQ(nodes_that(out, NodeVerdict::kBlacklisted), 2);
}

TEST(Explain, LargerThanAnyNode) {
  auto cluster = ClusterBuilder{}.nodes(2, "4GB 4c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "6GB 1c");
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  const Explanation out = why(cluster, app);
  expect_complete(out, Verdict::kLargerThanNodes);
  EXPECT_EQ(out.wait.missing->amount, 2048);
  EXPECT_EQ(nodes_that(out, NodeVerdict::kTooSmall), 2);
  EXPECT_EQ(out.asks.at(0).nodes.at(0).short_of, 1u << kMemory);
}

TEST(Explain, RoomInPiecesIsToldFromAFullCluster) {
  auto cluster = ClusterBuilder{}.nodes(2, "4GB 4c").build();
  const AppId other = cluster.running_app("default", "bob");
  const AppId app = cluster.running_app("default");
  cluster.ask(other, 2, "2GB 1c");
  EXPECT_THAT(cluster.schedule(), SizeIs(2));
  cluster.ask(app, 1, "3GB 1c");
  EXPECT_THAT(cluster.schedule(), IsEmpty());
  Explanation out = why(cluster, app);
  expect_complete(out, Verdict::kFragmented);
  EXPECT_EQ(out.wait.missing->amount, 1024);
  cluster.ask(other, 2, "1GB 1c", {.priority = 1});
  EXPECT_THAT(cluster.schedule(), SizeIs(2));
  out = why(cluster, app);
  expect_complete(out, Verdict::kClusterFull);
  EXPECT_EQ(out.wait.missing->amount, 2048);
}

TEST(Explain, WhoCameFirstStandsAhead) {
  auto cluster = ClusterBuilder{}.nodes(1, "2GB 2c").build();
  const AppId first = cluster.running_app("default");
  const AppId second = cluster.running_app("default");
  const AppId third = cluster.running_app("default", "ann", 5);
  for (const AppId& app : {first, second, third})
    cluster.ask(app, 3, "1GB 1c");
  cluster.schedule();
  const Explanation out = why(cluster, second);
  expect_complete(out, Verdict::kClusterFull);
  EXPECT_EQ(out.position, 3);
  EXPECT_THAT(out.ahead, ElementsAre(third, first)) << "the higher priority first";
}

TEST(Explain, BeforeItsTurnThereIsRoom) {
  auto cluster = ClusterBuilder{}.nodes(1, "2GB 2c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "1GB 1c");
  expect_complete(why(cluster, app), Verdict::kWaitsTurn);
}

TEST(Explain, OnSharedNodesRequestsForTheirLabelComeFirst) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root accessible-node-labels.gpu.capacity=100\n"
                         "root.default capacity=100 accessible-node-labels=gpu "
                         "accessible-node-labels.gpu.capacity=100 user-limit-factor=-1")
                     .build();
  const PartitionSpec gpu{"gpu", false};
  cluster.scheduler.set_partitions({&gpu, 1});
  cluster.scheduler.add_node({"g1", 1}, "/rack", sizes("4GB 4c"), "gpu");
  const AppId own = cluster.running_app("default");
  const AppId other = cluster.running_app("default", "bob");
  const Ask ask{.capability = sizes("1GB 1c"), .num_containers = 1, .label_expression = "gpu"};
  ASSERT_TRUE(cluster.scheduler.update_asks(first_attempt(own), {&ask, 1}));
  cluster.ask(other, 1, "1GB 1c");
  const Explanation out = why(cluster, other);
  expect_complete(out, Verdict::kLabelBusy);
  EXPECT_EQ(nodes_that(out, NodeVerdict::kLabelBusy), 1);
  EXPECT_THAT(cluster.schedule(), SizeIs(2));
}

TEST(Explain, EveryNodeIsCountedOnceAndOnlySomeAreNamed) {
  auto cluster = ClusterBuilder{}.nodes(20, "2GB 2c").build();
  const AppId app = cluster.running_app("default");
  cluster.ask(app, 1, "4GB 1c");
  const Explanation out = why(cluster, app);
  ASSERT_THAT(out.asks.at(0).nodes, SizeIs(1));
  EXPECT_EQ(out.asks[0].nodes[0].count, 20);
  EXPECT_THAT(out.asks[0].nodes[0].examples, SizeIs(5));
}

TEST(Explain, AsksBeyondTheFirstFewAreCounted) {
  auto cluster = ClusterBuilder{}.nodes(1, "2GB 2c").build();
  const AppId app = cluster.running_app("default");
  for (int priority = 1; priority <= 12; ++priority)
    cluster.ask(app, 1, "4GB 1c", {.priority = priority});
  const Explanation out = why(cluster, app);
  EXPECT_THAT(out.asks, SizeIs(8));
  EXPECT_EQ(out.asks_left_out, 4);
}

// --- a request that is not made yet

TEST(WhatIfAsked, RefusalsOfASubmissionAreVerdicts) {
  auto cluster = ClusterBuilder{}
                     .queues(
                         "root.off capacity=10 state=STOPPED\n"
                         "root.few capacity=10 maximum-applications=1\n"
                         "root.one capacity=10 maximum-applications=10 "
                         "user-limit-factor=1 minimum-user-limit-percent=10\n"
                         "root.bare capacity=10 accessible-node-labels=cpu\n"
                         "root.a capacity=60 accessible-node-labels=gpu")
                     .nodes(1, "8GB 8c")
                     .build();
  const PartitionSpec gpu{"gpu", true};
  cluster.scheduler.set_partitions({&gpu, 1});
  Explanation out = what_if(cluster, request("off", "1GB 1c"));
  expect_complete(out, Verdict::kQueueStopped);
  EXPECT_EQ(out.wait.property, "yarn.scheduler.capacity.root.off.state");
  cluster.running_app("few", "bob");
  expect_complete(what_if(cluster, request("few", "1GB 1c")), Verdict::kQueueApps);
  cluster.running_app("one");
  expect_complete(what_if(cluster, request("one", "1GB 1c")), Verdict::kUserApps);
  WhatIf labelled = request("bare", "1GB 1c");
  labelled.label = "gpu";
  expect_complete(what_if(cluster, labelled), Verdict::kLabelNotAllowed);
  labelled.queue = "a";
  expect_complete(what_if(cluster, labelled), Verdict::kNoNodeOfLabel);
  labelled.label = "tpu";
  expect_complete(what_if(cluster, labelled), Verdict::kLabelNotAllowed);
  out = what_if(cluster, request("a", "2000GB 1c"));
  expect_complete(out, Verdict::kAboveMaximumAllocation);
  EXPECT_EQ(out.wait.property, "yarn.scheduler.maximum-allocation-mb");
}

TEST(WhatIfAsked, ALabelThatIsNotThere) {
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=100 accessible-node-labels=*")
                     .nodes(1, "8GB 8c")
                     .build();
  WhatIf labelled = request("a", "1GB 1c");
  labelled.label = "tpu";
  expect_complete(what_if(cluster, labelled), Verdict::kNoSuchLabel);
}

TEST(WhatIfAsked, TheNumberOfApplicationsOfTheCluster) {
  auto cluster = ClusterBuilder{}.setting("maximum-applications", "1").nodes(1, "8GB 8c").build();
  cluster.running_app("default");
  expect_complete(what_if(cluster, request("default", "1GB 1c")), Verdict::kClusterApps);
}

TEST(WhatIfAsked, WhatMakesNoSenseIsAnError) {
  const auto cluster = ClusterBuilder{}.nodes(1, "8GB 8c").build();
  const auto error = [&](const WhatIf& what) {
    const auto out = cluster.scheduler.explain(what, ExplainOptions{});
    return out ? "none" : out.error().message;
  };
  EXPECT_THAT(error(request("nowhere", "1GB 1c")), HasSubstr("there is no queue nowhere"));
  EXPECT_THAT(error(request(std::string(5000, 'q'), "1GB")), SizeIs(testing::Lt(300u)));
  EXPECT_THAT(error(request("root", "1GB 1c")), HasSubstr("has queues below it"));
  EXPECT_THAT(error(request("default", "-1MB 1c")), HasSubstr("0 or more"));
  EXPECT_THAT(error(request("default", "1GB 1c", 0)), HasSubstr("1 to 10000000"));
  EXPECT_THAT(error(request("default", "1GB 1c", 1LL << 40)), HasSubstr("1 to 10000000"));
}

TEST(WhatIfAsked, TellsHowManyWouldStart) {
  auto cluster = ClusterBuilder{}
                     .queues("root.default capacity=100 user-limit-factor=-1")
                     .nodes(2, "8GB 8c")
                     .build();
  WhatIf what = request("default", "3GB 1c", 3);
  Explanation out = what_if(cluster, what);
  expect_complete(out, Verdict::kStartsNow);
  EXPECT_EQ(out.starts_now, 3);
  what.count = 10;
  out = what_if(cluster, what);
  EXPECT_EQ(out.starts_now, 4);
  EXPECT_EQ(out.wait.missing->amount, 6);
  what.am_size = sizes("4GB 1c");
  out = what_if(cluster, what);
  EXPECT_EQ(out.starts_now, 3) << "its AM takes the room of one of them";
  EXPECT_TRUE(out.asks.at(0).is_am);
}

TEST(WhatIfAsked, LooksAtTheMasterFirst) {
  auto cluster = ClusterBuilder{}.queues(kSmallAmShare).nodes(1, "16GB 16c").build();
  cluster.app_with_am("default", "2GB 1c");
  WhatIf what = request("default", "1GB 1c");
  what.am_size.reset();
  expect_complete(what_if(cluster, what), Verdict::kQueueMasterLimit);
}

TEST(WhatIfAsked, AtStrictPlaces) {
  auto cluster = ClusterBuilder{}.node("n1", "4GB 4c", "/r1").node("n2", "4GB 4c", "/r2").build();
  WhatIf what = request("default", "1GB 1c", 10);
  what.places = {"/r2"};
  EXPECT_EQ(what_if(cluster, what).starts_now, 4);
  what.places = {"nobody"};
  expect_complete(what_if(cluster, what), Verdict::kNoSuchPlace);
}

/// The number that is told is the number that starts: over random clusters that have come to rest.
TEST(WhatIfAsked, WhatIsToldIsWhatHappens) {
  int moved = 0;
  for (std::uint32_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto pick = [&](int from, int to) {
      return from + static_cast<int>(random() % static_cast<std::uint32_t>(to - from + 1));
    };
    auto cluster =
        ClusterBuilder{}
            .queues("root.a capacity=40 maximum-capacity=" + std::to_string(pick(40, 100)) +
                    " user-limit-factor=" + std::to_string(pick(1, 3)) +
                    " minimum-user-limit-percent=" + std::to_string(pick(1, 4) * 25) +
                    " maximum-am-resource-percent=1\n"
                    "root.b capacity=60 user-limit-factor=-1 maximum-am-resource-percent=1")
            .nodes(pick(1, 6), std::to_string(pick(2, 9)) + "GB 8c")
            .build();
    for (int apps = pick(0, 5); apps > 0; --apps) {
      const AppId app =
          cluster.running_app(pick(0, 1) == 0 ? "a" : "b", pick(0, 1) == 0 ? "ann" : "bob");
      cluster.ask(app, pick(1, 6), std::to_string(pick(1, 4)) + "GB 1c");
      cluster.schedule();
    }
    const std::string size = std::to_string(pick(1, 4)) + "GB 1c";
    WhatIf what = request(pick(0, 1) == 0 ? "a" : "b", size, pick(1, 12));
    what.user = UserName(pick(0, 1) == 0 ? "ann" : "cid");
    const bool am = pick(0, 1) == 0;
    if (am) what.am_size = sizes("1GB 1c");
    const Explanation told = what_if(cluster, what);
    const AppId app = cluster.app(what.queue, what.user.value());
    std::size_t before = 0;
    if (am) {
      cluster.scheduler.start_attempt(first_attempt(app), AmAsk{.capability = sizes("1GB 1c")});
      before = testlib::count_for(cluster.schedule(), app);
      EXPECT_EQ(before, told.asks.at(0).wait.verdict == Verdict::kStartsNow ? 1u : 0u);
      if (before == 0) continue;
    } else {
      cluster.scheduler.start_attempt(first_attempt(app), std::nullopt);
    }
    cluster.ask(app, static_cast<std::int32_t>(what.count), size, {.priority = 1});
    const auto grants = cluster.schedule();
    const std::size_t started = testlib::count_for(grants, app);
    // Its coming moved the limit of somebody ahead of it, or room is kept for whom it has passed.
    const bool kept = !cluster.scheduler.queue(QueuePath("root"))->reserved.is_zero();
    if (grants.size() != started || kept) {
      ++moved;
      EXPECT_LE(started, static_cast<std::size_t>(told.starts_now));
      continue;
    }
    EXPECT_EQ(started, static_cast<std::size_t>(told.starts_now)) << told.wait.sentence;
    if (told.starts_now < what.count) {
      const Explanation then = why(cluster, app);
      EXPECT_NE(then.wait.verdict, Verdict::kNothingWaits);
      EXPECT_NE(then.wait.verdict, Verdict::kWaitsTurn) << then.wait.sentence;
    }
  }
  EXPECT_LT(moved, 30);
}

// --- the tree

TEST(Activity, ShowsWhichQueuesWantSomethingAndWhoWaitsInThem) {
  auto cluster = ClusterBuilder{}
                     .queues("root.a capacity=50 user-limit-factor=-1\nroot.b capacity=50")
                     .nodes(1, "2GB 2c")
                     .build();
  const AppId app = cluster.running_app("a");
  cluster.ask(app, 5, "1GB 1c");
  cluster.schedule();
  const QueueActivity root = cluster.scheduler.activity(ExplainOptions{}, 10);
  EXPECT_TRUE(root.wants);
  ASSERT_THAT(root.children, SizeIs(2));
  ASSERT_THAT(root.children[0].apps, SizeIs(1));
  EXPECT_EQ(root.children[0].apps[0].app, app);
  EXPECT_FALSE(root.children[1].wants);
  EXPECT_THAT(cluster.scheduler.activity(ExplainOptions{}, 0).children[0].apps, IsEmpty());
}

}  // namespace
}  // namespace heddle::queues
