#include "compat/ipc/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/compat_ipc/session_testing.h"

namespace heddle::compat::ipc::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CallTest : public SessionTest {
 protected:
  void start() { feed(connection_header() + context_frame()); }
  std::vector<std::uint32_t> answered_ids() const {
    std::vector<std::uint32_t> ids;
    for (const auto& answer : answers())
      ids.push_back(answer.header.callid());
    return ids;
  }
};

TEST_F(CallTest, AnswersGoOutInTheOrderInWhichTheyAreGiven) {
  start();
  hold_ = true;
  feed(call_frame(1) + call_frame(2) + call_frame(3));
  held_[2](response_);
  held_[0](response_);
  held_[1](response_);
  EXPECT_THAT(answered_ids(), ElementsAre(3, 1, 2));
}

TEST_F(CallTest, AnApplicationErrorCarriesTheClassOfTheProtocolAndKeepsTheConnection) {
  start();
  feed(call_frame(1, 0, "getApplicationReport") + call_frame(2));
  ASSERT_EQ(answers().size(), 2U);
  const auto header = answers().at(0).header;
  EXPECT_EQ(header.exceptionclassname(),
            "org.apache.hadoop.yarn.exceptions.ApplicationNotFoundException");
  EXPECT_EQ(header.errordetail(), hc::RpcResponseHeaderProto::ERROR_APPLICATION);
  EXPECT_EQ(header.errormsg(), "no such application");
  EXPECT_FALSE(host_.closed.has_value());
}

TEST_F(CallTest, ADroppedReplyIsAnsweredWithAnError) {
  start();
  hold_ = true;
  feed(call_frame(1));
  held_.clear();
  ASSERT_EQ(answers().size(), 1U);
  EXPECT_THAT(answers()[0].header.errormsg(), HasSubstr("dropped"));
}

TEST_F(CallTest, AnAnswerWithoutARequiredFieldIsAnError) {
  service_->on<hadoop::yarn::GetNewApplicationRequestProto, hc::TokenProto>(
      "broken", [](const CallContext&, const auto&, Reply<hc::TokenProto> reply) {
        reply(hc::TokenProto{});
      });
  start();
  feed(call_frame(1, 0, "broken"));
  ASSERT_EQ(answers().size(), 1U);
  EXPECT_EQ(answers()[0].header.errordetail(),
            hc::RpcResponseHeaderProto::ERROR_SERIALIZING_RESPONSE);
}

TEST_F(CallTest, AProxyUserIsSeenWithTheRealOne) {
  hc::IpcConnectionContextProto context;
  context.mutable_userinfo()->set_effectiveuser("bob");
  context.mutable_userinfo()->set_realuser("oozie");
  feed(connection_header() + encode_frame(rpc_header(kContextCallId, -1), &context) +
       call_frame(1));
  EXPECT_EQ(last_caller_.user, "bob");
  EXPECT_EQ(last_caller_.real_user, "oozie");
  EXPECT_EQ(last_caller_.address, "127.0.0.1");
}

TEST_F(CallTest, AnAnswerAfterTheConnectionIsGoneIsDropped) {
  start();
  hold_ = true;
  feed(call_frame(1));
  session_->on_closed();
  session_.reset();
  held_[0](response_);
  EXPECT_EQ(host_.sent, "");
}

// ---- retries

TEST_F(CallTest, ARetryIsAnsweredFromTheCacheAndNotExecuted) {
  start();
  feed(call_frame(1));
  feed(call_frame(1, 1));
  EXPECT_EQ(executed_, 1);
  const auto all = answers();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].header.retrycount(), 1);
  EXPECT_EQ(all[1].body, all[0].body);
}

TEST_F(CallTest, ARetryOnAnotherConnectionWaitsForTheFirst) {
  start();
  hold_ = true;
  feed(call_frame(1));
  const auto first = session_;
  open();
  feed(connection_header() + context_frame() + call_frame(1, 1));
  EXPECT_EQ(executed_, 1);
  EXPECT_EQ(host_.sent, "");
  held_[0](response_);
  EXPECT_THAT(answered_ids(), ElementsAre(1, 1));
}

TEST_F(CallTest, ARetryAfterAnErrorIsExecutedAgain) {
  start();
  hold_ = true;
  feed(call_frame(1));
  held_[0](fail(ErrorCode::kUnavailable, "standby"));
  feed(call_frame(1, 1));
  EXPECT_EQ(executed_, 2);
}

TEST_F(CallTest, ARetryOfAnotherUserIsExecuted) {
  start();
  feed(call_frame(1));
  open();
  feed(connection_header() + context_frame("mallory") + call_frame(1, 1));
  EXPECT_EQ(executed_, 2);
}

TEST_F(CallTest, TheSameIdWithoutRetryCountIsAnotherCall) {
  start();
  feed(call_frame(1) + call_frame(1));
  EXPECT_EQ(executed_, 2);
}

TEST_F(CallTest, ARetryOfAMethodThatTellsRepeatsApartIsExecutedAndNothingIsKept) {
  service_->on<hadoop::yarn::GetNewApplicationRequestProto,
               hadoop::yarn::GetNewApplicationResponseProto>(
      "heartbeat",
      [this](const CallContext&, const auto&, NewAppReply reply) {
        ++executed_;
        reply(response_);
      },
      Repeats::kRunAgain);
  start();
  feed(call_frame(1, 0, "heartbeat") + call_frame(1, 1, "heartbeat"));
  EXPECT_EQ(executed_, 2);
  EXPECT_EQ(rules_->retry_cache.size(), 0U);
  EXPECT_EQ(answers().size(), 2U);
}

TEST_F(CallTest, AnAnswerThatIsMadeIsMadeOnTheLoop) {
  start();
  hold_ = true;
  feed(call_frame(1));
  busy_loop_ = true;
  bool made = false;
  held_[0].make([&]() -> Result<hadoop::yarn::GetNewApplicationResponseProto> {
    made = true;
    return response_;
  });
  EXPECT_FALSE(made) << "whoever answers does not wait for it";
  ASSERT_EQ(loop_tasks_.size(), 1U);
  busy_loop_ = false;
  loop_tasks_[0]();
  EXPECT_TRUE(made);
  EXPECT_EQ(answers().size(), 1U);
}

TEST_F(CallTest, AMadeErrorIsAnsweredAsOne) {
  start();
  hold_ = true;
  feed(call_frame(1));
  held_[0].make([]() -> Result<hadoop::yarn::GetNewApplicationResponseProto> {
    return fail(ErrorCode::kNotFound, "gone meanwhile");
  });
  ASSERT_EQ(answers().size(), 1U);
  EXPECT_EQ(answers()[0].header.errormsg(), "gone meanwhile");
}

TEST_F(CallTest, TheRetryCacheKeepsNoMoreThanItsLimit) {
  options_.retry_cache_max = 80;
  start();
  for (int i = 0; i < 1000; ++i)
    feed(call_frame(i));
  EXPECT_LE(rules_->retry_cache.size(), 80U);
}

// ---- back pressure

TEST_F(CallTest, ReadingStopsAtTheLimitOfUnansweredCalls) {
  options_.queued_calls_max = 4;
  start();
  hold_ = true;
  std::string calls;
  for (int i = 0; i < 10; ++i)
    calls += call_frame(i);
  feed(calls);
  EXPECT_EQ(executed_, 4);
  EXPECT_TRUE(host_.paused);
  held_[0](response_);
  EXPECT_EQ(executed_, 4) << "goes on at half the limit";
  held_[1](response_);
  EXPECT_EQ(executed_, 6);
  for (std::size_t i = 2; i < 10; ++i)
    held_[i](response_);
  EXPECT_EQ(executed_, 10);
  EXPECT_FALSE(host_.paused);
  EXPECT_EQ(answers().size(), 10U);
}

TEST_F(CallTest, ReadingStopsAtTheLimitOfUnansweredBytes) {
  const std::string call = call_frame(0);
  options_.queued_bytes_max = 2 * call.size();
  start();
  hold_ = true;
  std::string calls;
  for (int i = 0; i < 9; ++i)
    calls += call_frame(i);
  feed(calls);
  EXPECT_EQ(executed_, 3) << "the call that breaks the limit is the last one";
  EXPECT_TRUE(host_.paused);
  for (std::size_t i = 0; i < 9; ++i)
    held_.at(i)(response_);
  EXPECT_EQ(executed_, 9);
  EXPECT_FALSE(host_.paused);
}

TEST_F(CallTest, AConnectionWaitsForItsOwnCallsWhileAllTogetherHoldTooMuch) {
  options_.queued_bytes_of_all_max = 3 * call_frame(0).size();
  start();
  hold_ = true;
  feed(call_frame(1) + call_frame(2) + call_frame(3) + call_frame(4));
  const auto first = session_;
  EXPECT_EQ(executed_, 4);
  open();
  feed(connection_header() + context_frame("bob") + call_frame(5) + call_frame(6));
  EXPECT_EQ(executed_, 5) << "one call of each connection gets through";
  EXPECT_TRUE(host_.paused);
  held_.at(4)(response_);
  EXPECT_EQ(executed_, 6) << "nobody waits without having one under way";
  for (const std::size_t i : {0U, 1U, 2U, 3U, 5U})
    held_.at(i)(response_);
  EXPECT_EQ(rules_->running_bytes, 0U);
}

TEST_F(CallTest, CallsOfAConnectionThatIsGoneCountUntilTheyEnd) {
  start();
  hold_ = true;
  feed(call_frame(1));
  session_->on_closed();
  session_.reset();
  EXPECT_GT(rules_->running_bytes, 0U);
  held_.at(0)(response_);
  EXPECT_EQ(rules_->running_bytes, 0U);
}

TEST_F(CallTest, ReadingStopsWhileThePeerDoesNotTakeItsAnswers) {
  start();
  host_.pending = Session::kUnsentMax;
  feed(call_frame(1) + call_frame(2));
  EXPECT_EQ(executed_, 0);
  EXPECT_TRUE(host_.paused);
  host_.pending = 0;
  session_->on_drained();
  EXPECT_EQ(executed_, 2);
  EXPECT_FALSE(host_.paused);
}

// ---- what is counted

TEST_F(CallTest, CallsAreCountedWithTheirTimeAndTheirEnd) {
  ManualClock clock;
  options_.clock = &clock;
  start();
  hold_ = true;
  feed(call_frame(1) + call_frame(2, 0, "getApplicationReport"));
  const ServerMetrics& metrics = rules_->metrics();
  EXPECT_EQ(metrics.calls, 2U);
  EXPECT_EQ(metrics.answered, 1U);
  clock.advance(std::chrono::milliseconds(5));
  held_[0](response_);
  EXPECT_EQ(metrics.answered, 2U);
  EXPECT_EQ(metrics.successes, 1U) << "the other was an exception";
  EXPECT_EQ(metrics.processing_us, 5000U);
  EXPECT_EQ(metrics.contexts, 1U);
  EXPECT_EQ(metrics.sent_bytes, host_.sent.size());
  EXPECT_GT(metrics.received_bytes, 100U);
}

}  // namespace
}  // namespace heddle::compat::ipc::testing
