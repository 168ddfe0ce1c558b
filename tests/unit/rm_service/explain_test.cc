// Questions to the core, from any thread.
#include "rm/api/explain.h"

#include "tests/unit/rm_service/service_fixture.h"

namespace heddle::rm {
namespace {

using testing::HasSubstr;

WhatIf one_container(const std::string& user) {
  WhatIf what;
  what.queue = "default";
  what.user = UserName(user);
  what.size = Resources(1024, 1);
  return what;
}

TEST_F(Service, AnApplicationIsExplainedInWhateverStateItIs) {
  start();
  AppId app;
  ASSERT_TRUE(submit(&app).get());
  settle();
  Awaited<Explanation> waits, unknown;
  service->explain_app(app, {}, waits.taker());
  ASSERT_TRUE(waits.get());
  EXPECT_EQ(waits.get()->wait.verdict, Verdict::kNoNodes) << waits.get()->wait.sentence;
  EXPECT_TRUE(waits.get()->asks.at(0).is_am);
  service->explain_app({1, 1}, {}, unknown.taker());
  EXPECT_EQ(unknown.get().error().code, ErrorCode::kNotFound);
  Awaited<KillProgress> kill;
  service->kill(caller, app, "", kill.taker());
  ASSERT_TRUE(kill.get());
  settle();
  Awaited<Explanation> ended;
  service->explain_app(app, {}, ended.taker());
  ASSERT_TRUE(ended.get());
  EXPECT_THAT(std::string(queues::code_of(ended.get()->wait.verdict)),
              testing::AnyOf("ended", "being-saved"));
}

TEST_F(Service, WhoMayNotSubmitIsToldSo) {
  options.acl_enabled = true;
  options.admins = security::Acl::parse("root");
  options.user_groups = std::make_shared<security::Groups>(
      clock, [](const std::string&) { return std::vector<std::string>{"users"}; },
      security::Groups::Limits{});
  auto config = queues::default_queue_config();
  config.root.acl_submit = config.root.acl_administer = " ";
  config.root.children[0].acl_submit = "ann";
  config.root.children[0].acl_administer = " ";
  start(config);
  Awaited<Explanation> ann, eve, nowhere;
  service->explain_request(one_container("ann"), {}, ann.taker());
  ASSERT_TRUE(ann.get());
  EXPECT_EQ(ann.get()->wait.verdict, Verdict::kNoNodes);
  service->explain_request(one_container("eve"), {}, eve.taker());
  ASSERT_TRUE(eve.get());
  EXPECT_EQ(eve.get()->wait.verdict, Verdict::kNotAllowed);
  EXPECT_THAT(eve.get()->wait.action, HasSubstr("root.default.acl_submit_applications"));
  WhatIf lost = one_container("ann");
  lost.queue = "nowhere";
  service->explain_request(lost, {}, nowhere.taker());
  EXPECT_EQ(nowhere.get().error().code, ErrorCode::kNotFound);
}

TEST_F(Service, TheTreeOfQueuesTellsWhoWaits) {
  start();
  AppId app;
  ASSERT_TRUE(submit(&app).get());
  settle();
  Awaited<QueueActivity> tree;
  service->activity({}, tree.taker());
  ASSERT_TRUE(tree.get());
  EXPECT_TRUE(tree.get()->wants);
  EXPECT_EQ(tree.get()->children.at(0).apps.at(0).app, app);
}

TEST_F(Service, TooManyQuestionsAtOnceAreRefused) {
  start();
  std::promise<void> go_on;
  std::promise<void> stopped;
  service->explain_app({1, 1}, {}, [&](const Result<Explanation>&) {
    stopped.set_value();
    go_on.get_future().wait();  // holds the core up
  });
  stopped.get_future().wait();
  std::vector<Awaited<Explanation>> answers(9);
  for (auto& answer : answers)
    service->explain_app({1, 1}, {}, answer.taker());
  EXPECT_EQ(answers.back().get().error().code, ErrorCode::kUnavailable);
  go_on.set_value();
  EXPECT_EQ(answers.front().get().error().code, ErrorCode::kNotFound);
}

TEST_F(Service, BetweenTwoQuestionsTheCoreHasNineTimesAsLongForOthers) {
  start();
  Awaited<Explanation> first, second;
  service->explain_app({1, 1}, {}, [&](const Result<Explanation>& out) {
    clock.forward(std::chrono::hours(1));  // as long as the first one takes
    first.taker()(out);
  });
  EXPECT_EQ(first.get().error().code, ErrorCode::kNotFound);
  service->explain_app({1, 1}, {}, second.taker());
  settle();
  EXPECT_FALSE(second.came());
  clock.forward(std::chrono::hours(9));
  settle();
  EXPECT_EQ(second.get().error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace heddle::rm
