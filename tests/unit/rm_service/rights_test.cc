// Who may do what, judged before the core hears of it.
#include "tests/unit/rm_service/service_fixture.h"

namespace heddle::rm {
namespace {

TEST_F(Service, CallersWithoutRightsAreRefused) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root");
  start();
  AppId app;
  EXPECT_TRUE(submit(&app).get());
  caller.user = "eve";
  Awaited<KillProgress> kill;
  service->kill(caller, app, "", kill.taker());
  EXPECT_EQ(kill.get().error().message,
            "User eve cannot perform operation MODIFY_APP on " + to_string(app));
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  EXPECT_EQ(refresh.get().error().code, ErrorCode::kPermissionDenied);
}

TEST_F(Service, RightsOfAGroupAreLookedUpWithoutHoldingUpTheCaller) {
  std::promise<void> system_answers;
  std::atomic<int> lookups{0};
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root operators");
  options.user_groups = std::make_shared<security::Groups>(
      clock,
      [&](const std::string&) {
        ++lookups;
        system_answers.get_future().wait();
        return std::vector<std::string>{"operators"};
      },
      security::Groups::Limits{});
  start();
  AppId app;
  EXPECT_TRUE(submit(&app).get()) << "owners and everybody's queues need no groups";
  EXPECT_EQ(lookups, 0);
  caller.user = "olga";
  Awaited<KillProgress> kill;
  service->kill(caller, app, "", kill.taker());
  EXPECT_FALSE(kill.came());
  caller.user = "ann";
  EXPECT_TRUE(submit().get()) << "others go on";
  system_answers.set_value();
  EXPECT_TRUE(kill.get()) << kill.get().error().message;
}

TEST_F(Service, StrangersToAllGroupsAreRefusedAfterTheLookup) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root operators");
  options.user_groups = std::make_shared<security::Groups>(
      clock, [](const std::string&) { return std::vector<std::string>{"users"}; },
      security::Groups::Limits{});
  start();
  AppId app;
  EXPECT_TRUE(submit(&app).get());
  caller.user = "eve";
  Awaited<void> move, admin;
  service->move(caller, app, "default", move.taker());
  service->check_admin(caller, admin.taker());
  EXPECT_EQ(move.get().error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(admin.get().error().code, ErrorCode::kPermissionDenied);
}

TEST_F(Service, NoChangeOfAnApplicationIsOpenToStrangers) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root");
  start();
  AppId app;
  EXPECT_TRUE(submit(&app).get());
  const AttemptId attempt{app, 1};
  const auto refusals = [&](const std::string& user) {
    caller.user = user;
    std::vector<std::string> refused;
    const auto judge = [&](std::string name, const auto& answer) {
      const auto& result = answer.get();
      if (!result && result.error().code == ErrorCode::kPermissionDenied)
        refused.push_back(std::move(name));
    };
    Awaited<void> move, signal, fail;
    Awaited<std::int32_t> priority;
    Awaited<WallTime> lifetime;
    Awaited<KillProgress> kill;
    service->move(caller, app, "default", move.taker());
    judge("move", move);
    service->update_priority(caller, app, 1, priority.taker());
    judge("priority", priority);
    service->update_lifetime(caller, app, WallTime{INT64_MAX}, lifetime.taker());
    judge("lifetime", lifetime);
    service->signal_container(caller, {attempt, 1}, SignalCommand::kThreadDump, signal.taker());
    judge("signal", signal);
    service->fail_attempt(caller, attempt, fail.taker());
    judge("fail", fail);
    service->kill(caller, app, "", kill.taker());
    judge("kill", kill);
    return refused;
  };
  EXPECT_THAT(refusals("eve"),
              testing::ElementsAre("move", "priority", "lifetime", "signal", "fail", "kill"));
  EXPECT_THAT(refusals("ann"), testing::IsEmpty());
}

TEST_F(Service, NothingOfAdministratorsIsOpenToOthers) {
  options.admins = security::Acl::parse("root");
  options.load_queues = []() -> Result<LoadedQueues> {
    return LoadedQueues{{}, queues::default_queue_config()};
  };
  options.load_node_lists = []() -> Result<NodeLists> { return NodeLists{}; };
  options.load_max_priority = []() -> Result<std::int32_t> { return 7; };
  options.load_node_sizes = []() -> Result<NodeSizes> { return NodeSizes{}; };
  start();
  const auto refused = [&](const auto& call) {
    Awaited<void> answer;
    call(answer.taker());
    return !answer.get() && answer.get().error().code == ErrorCode::kPermissionDenied;
  };
  for (const auto& [user, is_admin] : {std::pair("eve", false), std::pair("root", true)}) {
    caller.user = user;
    EXPECT_NE(refused([&](auto reply) { service->refresh_queues(caller, reply); }), is_admin);
    EXPECT_NE(refused([&](auto reply) { service->refresh_nodes(caller, {}, reply); }), is_admin);
    EXPECT_NE(refused([&](auto reply) { service->refresh_max_priority(caller, reply); }), is_admin);
    EXPECT_NE(refused([&](auto reply) { service->refresh_node_sizes(caller, reply); }), is_admin);
    EXPECT_NE(refused([&](auto reply) {
                service->update_node_resources(caller, {"n1", 1}, {1, 1}, reply);
              }),
              is_admin);
    EXPECT_NE(refused([&](auto reply) { service->check_admin(caller, reply); }), is_admin);
  }
}

TEST_F(Service, RightsToSubmitComeFromTheQueueAndThoseAboveIt) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root");
  options.load_queues = []() -> Result<LoadedQueues> {
    Settings settings;
    const auto set = [&](const std::string& name, const std::string& value) {
      settings.set("yarn.scheduler.capacity.root." + name, {value, "test", false});
    };
    set("queues", "prod,dev,default");
    set("default.capacity", "0");
    set("prod.capacity", "50");
    set("dev.capacity", "50");
    set("acl_submit_applications", " ");
    set("acl_administer_queue", " ");
    set("prod.acl_submit_applications", "ann");
    set("dev.acl_administer_queue", "*");
    auto config = queues::parse_capacity_config(settings);
    if (!config) return fail(config.error());
    return LoadedQueues{{}, *std::move(config)};
  };
  start();
  caller.user = "root";
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  ASSERT_TRUE(refresh.get()) << refresh.get().error().message;
  settle();
  const auto submit_to = [&](const std::string& user, const std::string& queue) {
    caller.user = user;
    Submission job;
    job.id = service->new_application_id();
    job.queue = queue;
    job.am_resources = {1024, 1};
    Awaited<void> answer;
    service->submit(caller, std::move(job), answer.taker());
    return answer.get() ? std::string() : answer.get().error().message;
  };
  EXPECT_EQ(submit_to("ann", "prod"), "");
  EXPECT_EQ(submit_to("root", "root.prod"), "") << "administrators may";
  EXPECT_EQ(submit_to("eve", "dev"), "") << "who administers it may";
  EXPECT_THAT(
      submit_to("eve", "root.prod"),
      testing::AllOf(testing::HasSubstr("User eve does not have permission to submit application_"),
                     testing::HasSubstr("to queue root.prod (SUBMIT_APPLICATIONS")));
  EXPECT_THAT(submit_to("eve", "nosuch"), testing::HasSubstr("unknown queue"));
  EXPECT_THAT(submit_to("", "dev"), testing::HasSubstr("names no user"));
}

TEST_F(Service, WhoAdministersTheQueueMayKillItsApplications) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root");
  options.load_queues = []() -> Result<LoadedQueues> {
    auto config = queues::default_queue_config();
    config.root.children[0].acl_administer = "eve";
    return LoadedQueues{{}, std::move(config)};
  };
  start();
  AppId app;
  EXPECT_TRUE(submit(&app).get());
  caller.user = "root";
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  EXPECT_TRUE(refresh.get());
  settle();
  for (const auto& [user, may] : {std::pair("bob", false), std::pair("eve", true)}) {
    caller.user = user;
    Awaited<KillProgress> kill;
    service->kill(caller, app, "", kill.taker());
    EXPECT_EQ(kill.get().has_value(), may) << user;
  }
}

TEST(CoreOptionsFrom, NodesSmallerThanTheSmallestContainerAndOlderOnesAreRefused) {
  Settings settings;
  const auto set = [&](const std::string& name, const std::string& value) {
    settings.set(name, {value, "test", false});
  };
  set("yarn.scheduler.minimum-allocation-mb", "512");
  auto core = core_options_from(settings, ResourceTypes{});
  ASSERT_TRUE(core) << core.error().message;
  EXPECT_EQ(core->node_minimum, Resources(512, 1));
  EXPECT_EQ(core->node_minimum_version, "");
  set("yarn.resourcemanager.nodemanager.minimum.version", "EqualToRM");
  EXPECT_EQ(core_options_from(settings, ResourceTypes{})->node_minimum_version, "3.4.2");
}

}  // namespace
}  // namespace heddle::rm
