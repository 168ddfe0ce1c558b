// Submissions on their way to the core: where rules place them, and what a refresh does to rules.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "rm/service/queue_loading.h"
#include "rm/service/queue_settings.h"
#include "tests/testlib/cluster_builder.h"
#include "tests/unit/rm_service/service_fixture.h"

namespace heddle::rm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kCapacity = "yarn.scheduler.capacity.";
const std::string kTags = "yarn.resourcemanager.application-tag-based-placement.";

class Placing : public Service {
 protected:
  Placing() {
    settings = testlib::queue_settings(R"(
        root.default capacity=40 maximum-am-resource-percent=1
        root.alpha capacity=20 maximum-am-resource-percent=1
        root.users capacity=40
        root.users.ann capacity=50 maximum-am-resource-percent=1
        root.users.bob capacity=50 maximum-am-resource-percent=1 acl_submit_applications=bob)");
    options.load_queues = [this]() -> Result<LoadedQueues> {
      auto config =
          queue_config_from(settings, testlib::CoreSetup{}.options.limits, ResourceTypes{});
      if (!config) return fail(std::move(config).error());
      return LoadedQueues{queue_settings_of(settings), *std::move(config)};
    };
    options.user_groups = std::make_shared<security::Groups>(
        clock,
        [](const std::string& user) -> security::Groups::Names {
          return user == "ann" ? security::Groups::Names{"staff", "alpha"}
                               : security::Groups::Names{};
        },
        security::Groups::Limits{});
  }
  void set(const std::string& name, const std::string& value) {
    settings.set(name, {value, "test", false});
  }
  /// "" when the queues and rules are taken.
  std::string refresh() {
    const auto user = std::exchange(caller.user, "root");
    Awaited<void> answer;
    service->refresh_queues(caller, answer.taker());
    const std::string error = answer.get() ? "" : answer.get().error().message;
    caller.user = user;
    settle();
    return error;
  }
  void start_with(const std::string& mappings) {
    set(kCapacity + "queue-mappings", mappings);
    start();
    ASSERT_EQ(refresh(), "");
  }
  Submission job(const std::string& queue = "default", const std::string& name = "pi") {
    Submission out;
    out.id = service->new_application_id();
    out.queue = queue;
    out.name = name;
    out.am_resources = {1024, 1};
    return out;
  }
  /// Where it is, or why it is not.
  std::string submitted(const Submission& job, const std::string& user = "ann") {
    caller.user = user;
    Awaited<void> answer;
    service->submit(caller, job, answer.taker());
    if (!answer.get()) return answer.get().error().message;
    return board.app(job.id)->queue;
  }

  Settings settings;
};

TEST_F(Placing, ASubmissionIsInTheQueueThatARuleGivesIt) {
  start_with("u:bob:alpha,u:%user:root.users.%user");
  EXPECT_EQ(submitted(job()), "root.users.ann");
  EXPECT_EQ(submitted(job(), "bob"), "root.alpha");
  EXPECT_EQ(submitted(job(), "eve"), "root.default");
  EXPECT_EQ(submitted(job("alpha")), "root.alpha") << "a queue that is named is kept";
}

TEST_F(Placing, RulesOfTheStartHoldBeforeAnyRefresh) {
  set(kCapacity + "mapping-rule-format", "json");
  set(kCapacity + "mapping-rule-json",
      R"({"rules": [{"type": "user", "matches": "eve", "policy": "reject"}]})");
  const auto loaded = options.load_queues();
  ASSERT_TRUE(loaded) << loaded.error().message;
  start(loaded->config);
  EXPECT_EQ(submitted(job()), "root.default");
  EXPECT_THAT(submitted(job(), "eve"),
              HasSubstr("Application submission have been rejected by a mapping rule: rule 1"));
}

TEST_F(Placing, WhatARuleRejectsIsNotKept) {
  set(kCapacity + "mapping-rule-format", "json");
  set(kCapacity + "mapping-rule-json",
      R"({"rules": [{"type": "user", "matches": "*", "policy": "custom",
                     "customPlacement": "root.users.%user", "fallbackResult": "reject"}]})");
  start_with("");
  const Submission refused = job();
  const std::string said = submitted(refused, "eve");
  EXPECT_THAT(said, AllOf(HasSubstr("rule 1"), HasSubstr("eve"), Not(HasSubstr("root.users"))))
      << "what the rules say is not for everybody";
  EXPECT_EQ(board.app(refused.id), nullptr);
}

TEST_F(Placing, GroupsAreThoseOfTheGroupLookup) {
  start_with("g:staff:root.users.%user,u:%user:%secondary_group");
  EXPECT_EQ(submitted(job()), "root.users.ann");
  EXPECT_EQ(submitted(job(), "eve"), "root.default");
}

TEST_F(Placing, ARetryIsTheSameSubmissionWhateverTheRulesSayNow) {
  start_with("u:ann:alpha");
  const Submission first = job();
  EXPECT_EQ(submitted(first), "root.alpha");
  set(kCapacity + "queue-mappings", "u:ann:root.users.ann");
  ASSERT_EQ(refresh(), "");
  EXPECT_EQ(submitted(first), "root.alpha");
  EXPECT_EQ(submitted(job()), "root.users.ann");
  set(kCapacity + "mapping-rule-format", "json");
  set(kCapacity + "mapping-rule-json",
      R"({"rules": [{"type": "user", "matches": "*", "policy": "reject"}]})");
  ASSERT_EQ(refresh(), "");
  EXPECT_EQ(submitted(first), "root.alpha");
}

TEST_F(Placing, ARefreshWithBrokenRulesTellsAllFaultsAndChangesNothing) {
  start_with("u:ann:alpha");
  set(kCapacity + "queue-mappings", "u:ann:root.nosuch,x:ann:alpha");
  set(kCapacity + "root.users.ann.capacity", "10");
  EXPECT_THAT(refresh(), AllOf(HasSubstr("root.nosuch"), HasSubstr("unknown mapping prefix"),
                               HasSubstr("queue root.users: Illegal capacity")));
  EXPECT_EQ(submitted(job()), "root.alpha");
  set(kCapacity + "root.users.ann.capacity", "50");
  EXPECT_THAT(refresh(), HasSubstr("root.nosuch")) << "good queues do not save bad rules";
  EXPECT_EQ(submitted(job()), "root.alpha");
}

TEST_F(Placing, ARefreshThatQueuesRefuseLeavesTheRulesAsWell) {
  start_with("u:ann:alpha");
  EXPECT_EQ(submitted(job()), "root.alpha");
  set(kCapacity + "root.queues", "default,users");
  set(kCapacity + "root.default.capacity", "60");
  set(kCapacity + "queue-mappings", "u:ann:root.users.ann");
  EXPECT_NE(refresh(), "") << "alpha holds an application";
  EXPECT_EQ(submitted(job()), "root.alpha");
}

TEST_F(Placing, TheRightToSubmitIsAskedOfTheQueueItIsPlacedIn) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root");
  set(kCapacity + "root.acl_submit_applications", " ");
  set(kCapacity + "root.acl_administer_queue", " ");
  set(kCapacity + "root.alpha.acl_submit_applications", "*");
  start_with("u:%user:root.users.%user");
  EXPECT_EQ(submitted(job(), "bob"), "root.users.bob");
  EXPECT_THAT(submitted(job()), HasSubstr("to queue root.users.ann"));
  EXPECT_EQ(submitted(job("alpha")), "root.alpha");
}

TEST_F(Placing, ATrustedUsersTagNamesTheUserThatRulesLookAt) {
  set(kTags + "enable", "true");
  set(kTags + "username.whitelist", "hive");
  set(kCapacity + "root.acl_submit_applications", " ");
  set(kCapacity + "root.acl_administer_queue", " ");
  set(kCapacity + "root.users.ann.acl_submit_applications", "ann");
  set(kCapacity + "root.users.bob.acl_submit_applications", "nobody");
  start_with("u:hive:alpha,u:%user:root.users.%user");
  const auto with_tag = [&](const std::string& tag) {
    Submission out = job();
    out.tags = {tag};
    return out;
  };
  EXPECT_EQ(submitted(with_tag("userid=ann"), "hive"), "root.users.ann");
  EXPECT_EQ(submitted(with_tag("userid=bob"), "hive"), "root.alpha") << "bob may not submit there";
  EXPECT_EQ(submitted(with_tag("userid=ann"), "eve"), "root.default") << "eve is not trusted";
  EXPECT_EQ(submitted(job(), "hive"), "root.alpha");
}

TEST_F(Placing, AWorkflowsPriorityWinsWhereItIsTold) {
  options.load_max_priority = []() -> Result<std::int32_t> { return 10; };
  set(kCapacity + "workflow-priority-mappings", "nightly:root.users:3");
  set(kCapacity + "workflow-priority-mappings-override.enable", "true");
  start_with("u:%user:root.users.%user");
  Awaited<void> highest;
  service->refresh_max_priority(caller, highest.taker());
  ASSERT_TRUE(highest.get());
  Submission nightly = job();
  nightly.tags = {"workflowid:nightly"};
  nightly.priority = 5;
  EXPECT_EQ(submitted(nightly), "root.users.ann");
  EXPECT_EQ(board.app(nightly.id)->priority, 3);
  EXPECT_EQ(submitted(nightly), "root.users.ann") << "a retry";
  Submission other = job("alpha");
  other.tags = nightly.tags;
  other.priority = 5;
  EXPECT_EQ(submitted(other), "root.alpha");
  EXPECT_EQ(board.app(other.id)->priority, 5);
}

TEST(QueueConfigFrom, RulesMayStandInAFile) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("heddle-rules-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string file = folder / "rules.json";
  Settings settings = testlib::queue_settings("root.default capacity=100");
  settings.set(kCapacity + "mapping-rule-format", {"json", "test", false});
  settings.set(kCapacity + "mapping-rule-json-file", {file, "test", false});
  const auto setup = [&] { return queue_config_from(settings, {}, ResourceTypes{}); };
  EXPECT_THAT(setup().error().message,
              AllOf(HasSubstr("mapping-rule-json-file: "), HasSubstr("No such file or directory")));
  std::ofstream(file) << R"({"rules": [{"type": "user", "matches": "eve", "policy": "reject"}]})";
  ASSERT_TRUE(setup()) << setup().error().message;
  EXPECT_EQ(setup()->placement->rules.rules.size(), 1u);
  std::ofstream(file) << std::string(queues::rules::kRuleTextMax + 1, ' ');
  EXPECT_THAT(setup().error().message, HasSubstr("1048577 bytes; 1048576 are the most"));
  settings.set(kCapacity + "mapping-rule-json-file", {folder, "test", false});
  EXPECT_THAT(setup().error().message, HasSubstr("is not a file"));
  std::filesystem::remove_all(folder);
}

class MakingQueues : public Placing {
 protected:
  MakingQueues() {
    settings = testlib::queue_settings(R"(
        root.default capacity=1w acl_submit_applications=*
        root.users capacity=1w auto-queue-creation-v2.enabled=true
        +root.users auto-queue-creation-v2.leaf-template.acl_submit_applications=ann
        +root.users auto-queue-creation-v2.parent-template.acl_submit_applications=eve)");
    set(kCapacity + "root.acl_submit_applications", "boss");
    set(kCapacity + "root.acl_administer_queue", "boss");
    options.acl_enabled = true;
    options.admins = security::Acl::parse("root");
  }
};

TEST_F(MakingQueues, ARuleMakesTheQueueThatIsMissing) {
  start_with("u:%user:root.users.%user");
  EXPECT_EQ(submitted(job()), "root.users.ann");
  EXPECT_EQ(submitted(job()), "root.users.ann");
}

TEST_F(MakingQueues, ARuleThatMayMakeNoneFindsOneThatWasMade) {
  set(kCapacity + "mapping-rule-format", "json");
  set(kCapacity + "mapping-rule-json",
      R"({"rules": [{"type": "user", "matches": "*", "policy": "user", "parentQueue": "root.users",
                     "create": false, "fallbackResult": "reject"}]})");
  start_with("");
  EXPECT_THAT(submitted(job()), HasSubstr("rejected by a mapping rule"));
  EXPECT_EQ(submitted(job("root.users.ann")), "root.users.ann");
  EXPECT_EQ(submitted(job()), "root.users.ann");
}

TEST_F(MakingQueues, WhoMaySubmitIsSaidByTheTemplateBeforeThereIsAQueue) {
  start_with("");
  EXPECT_THAT(submitted(job("root.users.x"), "bob"),
              HasSubstr("User bob does not have permission to submit"));
  EXPECT_THAT(submitted(job("users.x"), "bob"),
              HasSubstr("User bob does not have permission to submit"))
      << "a path that begins with a queue's name is the same queue";
  EXPECT_THAT(submitted(job("root.users.x"), "eve"), HasSubstr("does not have permission"));
  EXPECT_EQ(submitted(job("root.users.x"), "ann"), "root.users.x");
  EXPECT_EQ(submitted(job("root.users.y"), "boss"), "root.users.y");
  EXPECT_EQ(submitted(job("root.users.z.z"), "eve"), "root.users.z.z")
      << "its rights come down from the parent that is made";
}

TEST_F(MakingQueues, AndByTheQueueOnceItIsThere) {
  start_with("");
  EXPECT_EQ(submitted(job("root.users.x"), "boss"), "root.users.x");
  EXPECT_THAT(submitted(job("root.users.x"), "bob"), HasSubstr("does not have permission"));
  EXPECT_THAT(submitted(job("users.x"), "bob"), HasSubstr("does not have permission"));
  EXPECT_EQ(submitted(job("root.users.x"), "ann"), "root.users.x");
}

TEST_F(MakingQueues, ARefreshKeepsWhatWasMade) {
  start_with("");
  EXPECT_EQ(submitted(job("root.users.x"), "ann"), "root.users.x");
  set(kCapacity + "root.more.capacity", "1w");
  set(kCapacity + "root.queues", "default,users,more");
  ASSERT_EQ(refresh(), "");
  EXPECT_EQ(submitted(job("root.users.x"), "ann"), "root.users.x");
  EXPECT_EQ(submitted(job("root.more"), "boss"), "root.more");
}

class PriorityRights : public Placing {
 protected:
  PriorityRights() {
    set(kCapacity + "root.alpha.acl_application_max_priority",
        "[user=bob max_priority=2 default_priority=1] "
        "[group=staff max_priority=8 default_priority=5]");
    set(kCapacity + "root.acl_submit_applications", "*");
    set(kCapacity + "root.default.default-application-priority", "4");
    core_options.max_app_priority = 10;
    options.acl_enabled = true;
  }
  std::string submitted_at(std::int32_t priority, const std::string& user,
                           const std::string& queue = "alpha") {
    Submission wanted = job(queue);
    wanted.priority = priority;
    last = wanted.id;
    const std::string where = submitted(wanted, user);
    return where.starts_with("root.") ? std::to_string(board.app(wanted.id)->priority) : where;
  }
  std::string updated(std::int32_t priority) {
    Awaited<std::int32_t> answer;
    service->update_priority(caller, last, priority, answer.taker());
    return answer.get() ? std::to_string(*answer.get()) : answer.get().error().message;
  }
  AppId last;
};

TEST_F(PriorityRights, APriorityAboveThatOfTheListIsRefused) {
  start_with("");
  EXPECT_EQ(submitted_at(2, "bob"), "2");
  EXPECT_THAT(submitted_at(3, "bob"),
              AllOf(HasSubstr("User bob does not have permission to submit/update application_"),
                    HasSubstr(" for 3 ")));
  EXPECT_EQ(submitted_at(8, "ann"), "8") << "by her group";
  EXPECT_THAT(submitted_at(9, "ann"), HasSubstr(" for 9 "));
  EXPECT_THAT(submitted_at(0, "eve"), HasSubstr("User eve does not have permission"));
  EXPECT_EQ(submitted_at(9, "eve", "default"), "9") << "a queue without such a list";
}

TEST_F(PriorityRights, WhoNamesNoneGetsTheDefaultOfTheListThenThatOfTheQueue) {
  start_with("");
  EXPECT_EQ(submitted_at(-1, "bob"), "1");
  EXPECT_EQ(submitted_at(-1, "ann"), "5");
  EXPECT_EQ(submitted_at(-1, "eve", "default"), "4");
}

TEST_F(PriorityRights, AnUpdateIsCheckedAsTheSubmissionWas) {
  start_with("");
  ASSERT_EQ(submitted_at(1, "bob"), "1");
  EXPECT_EQ(updated(2), "2");
  EXPECT_THAT(updated(3), HasSubstr("User bob does not have permission to submit/update"));
}

TEST_F(PriorityRights, WithoutAccessListsNobodyIsAsked) {
  options.acl_enabled = false;
  start_with("");
  EXPECT_EQ(submitted_at(9, "bob"), "9");
}

}  // namespace
}  // namespace heddle::rm
