#include "base/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace heddle {
namespace {

TEST(WorkerPool, RunsWhatWasPostedBeforeItStops) {
  std::atomic<int> ran = 0;
  WorkerPool pool("test", 2, 100);
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(pool.post([&] { ++ran; }));
  pool.stop();
  EXPECT_EQ(ran, 50);
}

TEST(WorkerPool, RefusesMoreThanItsQueueHolds) {
  WorkerPool pool("test", 1, 1);
  std::promise<void> started;
  std::promise<void> go_on;
  ASSERT_TRUE(pool.post([&started, told = go_on.get_future().share()] {
    started.set_value();
    told.wait();
  }));
  started.get_future().wait();
  ASSERT_TRUE(pool.post([] {}));
  const auto refused = pool.post([] {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  go_on.set_value();
  pool.stop();
}

TEST(WorkerPool, TakesNothingOnceStopped) {
  WorkerPool pool("test", 1, 1);
  pool.stop();
  EXPECT_EQ(pool.post([] {}).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace heddle
