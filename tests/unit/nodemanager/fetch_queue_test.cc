#include "nodemanager/localize/fetch_queue.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <future>

namespace heddle::nm {
namespace {

/// Tasks that run until the gate is opened.
class Gate {
 public:
  std::function<void()> task() {
    return [this] {
      std::unique_lock lock(mutex_);
      most_ = std::max(most_, ++running_);
      changed_.notify_all();
      changed_.wait(lock, [this] { return open_; });
      --running_;
    };
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait_for_running(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return running_ >= count; });
  }
  int most() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int running_ = 0;
  int most_ = 0;  // that ran at the same time
};

std::future<void> done_after_post(FetchQueue& queue, const std::string& user) {
  auto done = std::make_shared<std::promise<void>>();
  EXPECT_TRUE(queue.post(user, [done] { done->set_value(); }));
  return done->get_future();
}

TEST(FetchQueue, SlowFetchesOfOneUserDoNotHoldUpAnother) {
  Gate gate;
  FetchQueue queue({.running_per_user = 4, .running = 16});
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(queue.post("slow", gate.task()));
  gate.wait_for_running(4);
  done_after_post(queue, "other").wait();
  EXPECT_EQ(gate.most(), 4) << "its share";
  gate.open();
}

TEST(FetchQueue, ManyUsersShareWhatThereIs) {
  Gate gate;
  FetchQueue queue({.running_per_user = 4, .running = 16});
  for (const char* user : {"a", "b", "c", "d", "e"}) {
    for (int i = 0; i < 10; ++i)
      ASSERT_TRUE(queue.post(user, gate.task()));
  }
  gate.wait_for_running(5);  // each has one, whoever was first
  done_after_post(queue, "f").wait();
  EXPECT_LE(gate.most(), 11) << "beyond half of it only the first of each";
  gate.open();
}

TEST(FetchQueue, ThoseThatWaitTakeTurns) {
  Gate gate;
  std::vector<std::string> order;
  {
    FetchQueue queue({.running_per_user = 1, .running = 1});
    ASSERT_TRUE(queue.post("first", gate.task()));
    gate.wait_for_running(1);
    for (const char* user : {"a", "a", "a", "b", "b"})
      ASSERT_TRUE(queue.post(user, [&order, user] { order.emplace_back(user); }));
    gate.open();
  }
  EXPECT_THAT(order, testing::ElementsAre("a", "b", "a", "b", "a"));
}

TEST(FetchQueue, OneUserCannotFillItForAll) {
  Gate gate;
  FetchQueue queue({.running_per_user = 1, .running = 4, .waiting_per_user = 2});
  ASSERT_TRUE(queue.post("greedy", gate.task()));
  gate.wait_for_running(1);
  ASSERT_TRUE(queue.post("greedy", gate.task()));
  ASSERT_TRUE(queue.post("greedy", gate.task()));
  const auto refused = queue.post("greedy", gate.task());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  done_after_post(queue, "modest").wait();
  gate.open();
}

TEST(FetchQueue, AStopRunsWhatWaitsAndTakesNoMore) {
  int ran = 0;
  FetchQueue queue({.running_per_user = 1});
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(queue.post("a", [&ran] { ++ran; }));
  queue.stop();
  EXPECT_EQ(ran, 20);
  EXPECT_FALSE(queue.post("a", [] {}));
}

}  // namespace
}  // namespace heddle::nm
