#include "queues/config_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queues/scheduler.h"
#include "tests/testlib/cluster_builder.h"

namespace heddle::queues {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testlib::queue_settings;

SettingValues values(std::string_view lines) {
  SettingValues out;
  const Settings settings = queue_settings(lines);
  for (const auto& [name, setting] : settings.all())
    out.emplace(name, setting.value);
  return out;
}

QueueConfig parsed(const SettingValues& values) {
  Settings settings;
  for (const auto& [name, value] : values)
    settings.set(name, {value, "test", false});
  auto config = parse_capacity_config(settings);
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : QueueConfig{};
}

const SettingValues& start() {
  static const SettingValues kStart = values(R"(
      root.a capacity=40
      root.b capacity=60
      root.b.x capacity=50
      root.b.y capacity=50)");
  return kStart;
}

std::string value_of(const SettingValues& settings, const std::string& name) {
  const auto found = settings.find("yarn.scheduler.capacity." + name);
  return found == settings.end() ? "(unset)" : found->second;
}

struct Fault {
  const char* what;
  ConfigChange change;
  const char* says;
};

class ChangeFaults : public testing::TestWithParam<Fault> {};

TEST_P(ChangeFaults, AreTold) {
  const Changed changed = apply_change(start(), GetParam().change);
  EXPECT_THAT(changed.faults, ElementsAre(HasSubstr(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ChangeFaults,
    testing::Values(
        Fault{"root", {.remove = {"root"}}, "Can't remove queue root"},
        Fault{"name", {.remove = {"a"}}, "Can't remove queue a"},
        Fault{"gone", {.remove = {"root.nope"}}, "Queue root.nope not found"},
        Fault{"twice", {.remove = {"root.a", "root.a"}}, "Queue root.a not found"},
        Fault{"parent", {.remove = {"root.b"}}, "queue root.b has children (x, y)"},
        Fault{"no path", {.add = {{"c", {}}}}, "Can't add invalid queue c"},
        Fault{"blank", {.add = {{"root.c d", {}}}}, "Can't add invalid queue root.c d"},
        Fault{"comma", {.add = {{"root.c,d", {}}}}, "Can't add invalid queue root.c,d"},
        Fault{"end", {.add = {{"root.", {}}}}, "Can't add invalid queue root."},
        Fault{"star", {.add = {{"root.*", {}}}}, "Can't add invalid queue root.*"},
        Fault{"there", {.add = {{"root.a", {}}}}, "Can't add existing queue root.a"},
        Fault{"orphan", {.add = {{"root.n.c", {}}}}, "there is no queue root.n"},
        Fault{"two dots", {.add = {{"root..c", {}}}}, "there is no queue root."},
        Fault{"unknown", {.update = {{"root.n", {{"capacity", "1"}}}}}, "Queue root.n not found"},
        Fault{"no key", {.update = {{"root.a", {{"a b", "1"}}}}}, "blanks, control characters"},
        Fault{"no name", {.global = {{"", "1"}}}, "a name of 1 to 1024 bytes"},
        Fault{"binary", {.global = {{"k", "\xff"}}}, "not UTF-8"},
        Fault{"long name", {.global = {{std::string(2000, 'k'), "1"}}}, "a name of 1 to 1024"},
        Fault{"long value", {.global = {{"k", std::string(70'000, 'v')}}}, "has 70000 bytes"}));

TEST(ConfigChange, AllFaultsAreToldAtOnce) {
  const ConfigChange change{.remove = {"root.nope"},
                            .add = {{"root.a", {}}},
                            .update = {{"root.zero", {{"capacity", "1"}}}}};
  EXPECT_THAT(apply_change(start(), change).faults,
              ElementsAre("Queue root.nope not found", "Can't add existing queue root.a",
                          "Queue root.zero not found"));
}

TEST(ConfigChange, AQueueAndItsParentAreAddedInAnyOrder) {
  const auto changed = apply_change(
      start(), {.add = {{"root.c.d", {{"capacity", "100"}}}, {"root.c", {{"capacity", "0"}}}}});
  EXPECT_THAT(changed.faults, IsEmpty());
  EXPECT_EQ(value_of(changed.settings, "root.queues"), "a,b,c");
  EXPECT_EQ(value_of(changed.settings, "root.c.queues"), "d");
  EXPECT_EQ(value_of(changed.settings, "root.c.d.capacity"), "100");
}

TEST(ConfigChange, AParentGoesWithItsChildrenInOneChangeAndTakesItsSettingsAlong) {
  const auto changed = apply_change(start(), {.remove = {"root.b", "root.b.x", "root.b.y"}});
  EXPECT_THAT(changed.faults, IsEmpty());
  EXPECT_THAT(changed.settings,
              UnorderedElementsAre(testing::Pair("yarn.scheduler.capacity.root.queues", "a"),
                                   testing::Pair("yarn.scheduler.capacity.root.a.capacity", "40")));
}

TEST(ConfigChange, QueuesWhoseNameBeginsTheSameStay) {
  auto settings = start();
  settings["yarn.scheduler.capacity.root.queues"] = "a,b,ab";
  settings["yarn.scheduler.capacity.root.ab.capacity"] = "1";
  const auto changed = apply_change(settings, {.remove = {"root.a"}});
  EXPECT_EQ(value_of(changed.settings, "root.ab.capacity"), "1");
}

TEST(ConfigChange, TheOrderOfALeafIsForgottenWhenItBecomesAParentAndBack) {
  auto settings = start();
  settings["yarn.scheduler.capacity.root.a.ordering-policy"] = "fair";
  auto changed = apply_change(settings, {.add = {{"root.a.c", {}}}});
  EXPECT_EQ(value_of(changed.settings, "root.a.ordering-policy"), "(unset)");
  changed.settings["yarn.scheduler.capacity.root.a.ordering-policy"] = "utilization";
  changed = apply_change(changed.settings, {.remove = {"root.a.c"}});
  EXPECT_EQ(value_of(changed.settings, "root.a.ordering-policy"), "(unset)");
  EXPECT_EQ(value_of(changed.settings, "root.a.queues"), "(unset)");
}

TEST(ConfigChange, ABlankOrMissingValueTakesTheSettingAway) {
  const auto changed = apply_change(start(), {.update = {{"root.a", {{"capacity", std::nullopt}}},
                                                         {"root.b", {{"capacity", ""}}}}});
  EXPECT_EQ(value_of(changed.settings, "root.a.capacity"), "(unset)");
  EXPECT_EQ(value_of(changed.settings, "root.b.capacity"), "(unset)");
}

TEST(ConfigChange, ABlankGlobalValueIsKeptSinceABlankListMeansNobody) {
  const auto changed = apply_change(start(), {.global = {{"k", ""}, {"l", std::nullopt}}});
  EXPECT_EQ(changed.settings.at("k"), "");
  EXPECT_FALSE(changed.settings.contains("l"));
}

TEST(ConfigChange, TemplatesOfQueuesThatMakeThemselvesMayBeUpdated) {
  const auto changed =
      apply_change(start(), {.update = {{"root.a.leaf-queue-template", {{"capacity", "10"}}}}});
  EXPECT_THAT(changed.faults, IsEmpty());
  EXPECT_EQ(value_of(changed.settings, "root.a.leaf-queue-template.capacity"), "10");
}

TEST(ConfigChange, AWholeFileTakesThePlaceOfEverything) {
  const auto changed = apply_change(start(), {.replace = values("root.z capacity=100")});
  EXPECT_EQ(changed.settings, values("root.z capacity=100"));
}

TEST(ConfigChange, SettingsHaveALimitTogether) {
  ConfigChange change;
  for (int i = 0; i < 200; ++i)
    change.global["k" + std::to_string(i)] = std::string(60'000, 'v');
  EXPECT_THAT(apply_change({}, change).faults, ElementsAre(HasSubstr("8388608 are accepted")));
}

TEST(ConfigChange, IsToldInOneLine) {
  EXPECT_EQ(describe({.remove = {"root.a"},
                      .add = {{"root.c", {{"capacity", "5"}}}},
                      .update = {{"root.b", {{"state", "STOPPED"}}}},
                      .global = {{"k", std::nullopt}}}),
            "remove root.a; add root.c (capacity=5); update root.b (state=STOPPED); set k=");
}

// --- against what runs ---------------------------------------------------------------------------

class Transition : public testing::Test {
 protected:
  std::vector<std::string> faults(const SettingValues& next) {
    return transition_faults(cluster.scheduler, parsed(next), next);
  }
  testlib::Cluster cluster = testlib::ClusterBuilder{}
                                 .queues(R"(
      root.a capacity=40
      root.b capacity=40
      root.c capacity=20 state=STOPPED)")
                                 .build();
};

TEST_F(Transition, AStoppedEmptyQueueMayGo) {
  EXPECT_THAT(faults(values("root.a capacity=40\nroot.b capacity=60")), IsEmpty());
}

TEST_F(Transition, ARunningQueueMayNotGoInTheWordsOfHadoop) {
  EXPECT_THAT(faults(values("root.a capacity=60\nroot.c capacity=40")),
              ElementsAre("root.b cannot be deleted from the capacity scheduler configuration, as "
                          "the queue is not yet in stopped state. Current State : RUNNING"));
}

TEST_F(Transition, ARunningQueueMayGoWhenTheNewSettingsStopIt) {
  auto next = values("root.a capacity=60\nroot.c capacity=40");
  next["yarn.scheduler.capacity.root.b.state"] = "STOPPED";
  EXPECT_THAT(faults(next), IsEmpty());
}

TEST_F(Transition, QueuesWithApplicationsAreNamedWithTheirNumberAllAtOnce) {
  cluster.app("a");
  cluster.app("a");
  cluster.app("b");
  EXPECT_THAT(faults(values("root.c capacity=100")),
              ElementsAre(HasSubstr("queue root.a has 2 applications; stop it first"),
                          HasSubstr("queue root.b has 1 applications; stop it first")));
}

TEST_F(Transition, ALeafWithApplicationsMayNotGetChildren) {
  cluster.app("a");
  EXPECT_THAT(faults(values("root.a capacity=60\nroot.a.x capacity=100\nroot.c capacity=40\n"
                            "root.b capacity=0")),
              ElementsAre(HasSubstr("queue root.a has 1 applications")));
}

TEST_F(Transition, ARunningLeafMayNotGetChildrenAStoppedOneMay) {
  EXPECT_THAT(faults(values("root.a capacity=40\nroot.a.x capacity=100\nroot.b capacity=40\n"
                            "root.c capacity=20\nroot.c.x capacity=100")),
              ElementsAre(HasSubstr("Can not convert the leaf queue: root.a to parent queue")));
}

// --- differences ---------------------------------------------------------------------------------

ConfigDiff diff(const SettingValues& before, const SettingValues& after,
                const Resources& cluster = {}) {
  return diff_configs({before, parsed(before)}, {after, parsed(after)}, Limits{}, cluster);
}

TEST(ConfigDiffs, EqualConfigurationsDifferInNothing) {
  EXPECT_TRUE(diff(start(), start()).empty());
}

TEST(ConfigDiffs, TellSettingsByQueueAndSharesOfAllThatMove) {
  auto after = start();
  after["yarn.scheduler.capacity.root.a.capacity"] = "20";
  after["yarn.scheduler.capacity.root.b.capacity"] = "80";
  after["yarn.scheduler.capacity.maximum-applications"] = "5";
  const ConfigDiff found = diff(start(), after, {10'240, 10});
  ASSERT_EQ(found.queues.size(), 4u) << "a, b and the children of b, whose part of it is the same";
  EXPECT_EQ(found.queues[0].path, "root.a");
  ASSERT_EQ(found.queues[0].settings.size(), 1u);
  EXPECT_EQ(found.queues[0].settings[0].name, "capacity");
  EXPECT_EQ(found.queues[0].settings[0].before, "40");
  EXPECT_EQ(found.queues[0].settings[0].after, "20");
  EXPECT_DOUBLE_EQ(found.queues[0].before->share, 0.4);
  EXPECT_DOUBLE_EQ(found.queues[0].after->share, 0.2);
  EXPECT_EQ(found.queues[0].after->guaranteed.memory_mb(), 2048);
  EXPECT_EQ(found.queues[2].path, "root.b.x");
  EXPECT_THAT(found.queues[2].settings, IsEmpty());
  EXPECT_DOUBLE_EQ(found.queues[2].after->share, 0.4);
  ASSERT_EQ(found.global.size(), 1u);
  EXPECT_EQ(found.global[0].name, "yarn.scheduler.capacity.maximum-applications");
  EXPECT_EQ(found.global[0].before, std::nullopt);
}

TEST(ConfigDiffs, NewAndRemovedQueuesHaveOneSide) {
  const auto after = values("root.a capacity=40\nroot.n capacity=60");
  const ConfigDiff found = diff(start(), after);
  std::vector<std::string> told;
  for (const QueueDiff& queue : found.queues)
    told.push_back(queue.path + (queue.before ? "" : " new") + (queue.after ? "" : " gone"));
  EXPECT_THAT(told,
              ElementsAre("root", "root.b gone", "root.b.x gone", "root.b.y gone", "root.n new"));
}

TEST(ConfigDiffs, AStoppedParentStopsItsChildren) {
  auto after = start();
  after["yarn.scheduler.capacity.root.b.state"] = "STOPPED";
  const ConfigDiff found = diff(start(), after);
  ASSERT_EQ(found.queues.size(), 3u);
  EXPECT_EQ(found.queues[1].path, "root.b.x");
  EXPECT_EQ(found.queues[1].after->state, QueueState::kStopped);
}

}  // namespace
}  // namespace heddle::queues
