#include "security/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <set>

namespace heddle::security {
namespace {

using ::testing::ElementsAre;

/// A system that answers for a user only when the test says so.
class SlowSystem {
 public:
  Groups::Names groups_of(const std::string& user) {
    std::unique_lock lock(mutex_);
    ++asked_[user];
    changed_.notify_all();
    changed_.wait(lock, [&] { return released_.contains(user); });
    return {"group of " + user};
  }
  void release(const std::string& user) {
    const std::scoped_lock lock(mutex_);
    released_.insert(user);
    changed_.notify_all();
  }
  void wait_until_asked(const std::string& user) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_[user] > 0; });
  }
  int asked(const std::string& user) {
    const std::scoped_lock lock(mutex_);
    return asked_[user];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> asked_;
  std::set<std::string> released_;
};

class GroupsTest : public ::testing::Test {
 protected:
  ~GroupsTest() override {
    for (const char* user : {"ann", "bob", "eve"})
      system_.release(user);
  }
  Groups& groups() {
    if (!groups_) {
      groups_ = std::make_unique<Groups>(
          clock_, [this](const std::string& user) { return system_.groups_of(user); }, limits_);
    }
    return *groups_;
  }
  std::future<Result<Groups::Names>> ask(const std::string& user) {
    const auto promise = std::make_shared<std::promise<Result<Groups::Names>>>();
    groups().find(user, [promise](const auto& names) { promise->set_value(names); });
    return promise->get_future();
  }

  ManualClock clock_;
  SlowSystem system_;
  Groups::Limits limits_;
  std::unique_ptr<Groups> groups_;
};

TEST_F(GroupsTest, CallerGoesOnWhileTheSystemThinks) {
  auto answer = ask("ann");  // returns before the system has been let go on
  system_.release("ann");
  EXPECT_THAT(*answer.get(), ElementsAre("group of ann"));
}

TEST_F(GroupsTest, OneSlowUserHoldsUpNoOther) {
  auto slow = ask("ann");
  system_.wait_until_asked("ann");
  system_.release("bob");
  EXPECT_THAT(*ask("bob").get(), ElementsAre("group of bob"));
  system_.release("ann");
  EXPECT_TRUE(slow.get());
}

TEST_F(GroupsTest, ManyCallsForOneUserAreOneQuestion) {
  auto first = ask("ann");
  system_.wait_until_asked("ann");
  auto second = ask("ann");
  system_.release("ann");
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_EQ(system_.asked("ann"), 1);
}

TEST_F(GroupsTest, AnswerIsRememberedForItsTime) {
  system_.release("ann");
  EXPECT_TRUE(ask("ann").get());
  clock_.advance(std::chrono::seconds(299));
  EXPECT_TRUE(ask("ann").get());
  EXPECT_EQ(system_.asked("ann"), 1);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(ask("ann").get());
  EXPECT_EQ(system_.asked("ann"), 2);
}

TEST_F(GroupsTest, ForgottenOnesAreAskedForAgain) {
  system_.release("ann");
  EXPECT_TRUE(ask("ann").get());
  groups().forget_all();
  EXPECT_TRUE(ask("ann").get());
  EXPECT_EQ(system_.asked("ann"), 2);
}

TEST_F(GroupsTest, AnswerThatWasUnderWayWhenAllWereForgottenIsNotRemembered) {
  auto old = ask("ann");
  system_.wait_until_asked("ann");
  groups().forget_all();
  system_.release("ann");
  EXPECT_TRUE(old.get());
  EXPECT_TRUE(ask("ann").get());
  EXPECT_EQ(system_.asked("ann"), 2);
}

TEST_F(GroupsTest, TooManyThatWaitAreRefused) {
  limits_.waiting_max = 2;
  auto first = ask("ann");
  auto second = ask("ann");
  const auto refused = ask("bob").get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  system_.release("ann");
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
}

TEST_F(GroupsTest, NoMoreUsersThanTheLimitAreRemembered) {
  limits_.users_max = 1;
  system_.release("ann");
  system_.release("bob");
  EXPECT_TRUE(ask("ann").get());
  EXPECT_TRUE(ask("bob").get());
  EXPECT_TRUE(ask("ann").get());
  EXPECT_EQ(system_.asked("ann"), 2);
}

TEST_F(GroupsTest, WhoeverComesAfterTheEndIsToldSo) {
  groups().stop();
  EXPECT_EQ(ask("ann").get().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(system_.asked("ann"), 0);
}

}  // namespace
}  // namespace heddle::security
