#include "tools/load/fake_master.h"

#include <gtest/gtest.h>

namespace heddle::load {
namespace {

/// An answer with containers `first` to `first + granted - 1`, and so many finished ones.
pb::AllocateResponseProto answer(std::int32_t response_id, int granted, std::int64_t first = 1,
                                 int finished = 0) {
  pb::AllocateResponseProto out;
  out.set_response_id(response_id);
  for (int i = 0; i < granted; ++i)
    out.add_allocated_containers()->mutable_id()->set_id(first + i);
  for (int i = 0; i < finished; ++i)
    out.add_completed_container_statuses();
  return out;
}

TEST(FakeMaster, AsksForAllAtFirstAndThenWaits) {
  FakeMaster master(10, Life::kRelease);
  pb::AllocateRequestProto call;
  master.fill(call);
  ASSERT_EQ(call.ask_size(), 1);
  EXPECT_EQ(call.ask(0).num_containers(), 10);
  EXPECT_EQ(call.ask(0).resource_name(), "*");
  EXPECT_EQ(call.response_id(), 0);
  ASSERT_TRUE(master.take(answer(1, 0)));
  master.fill(call);
  EXPECT_EQ(call.ask_size(), 0) << "what is owed need not be asked for again";
  EXPECT_EQ(call.response_id(), 1);
}

TEST(FakeMaster, GivesBackWhatItGotAndAsksForAsMany) {
  FakeMaster master(10, Life::kRelease);
  pb::AllocateRequestProto call;
  master.fill(call);
  ASSERT_TRUE(master.take(answer(1, 4, 100)));
  master.fill(call);
  ASSERT_EQ(call.release_size(), 4);
  EXPECT_EQ(call.release(0).id(), 100);
  EXPECT_EQ(call.release(3).id(), 103);
  ASSERT_EQ(call.ask_size(), 1);
  EXPECT_EQ(call.ask(0).num_containers(), 10) << "in all, with the 6 that are owed";
  EXPECT_EQ(master.granted(), 4U);
  EXPECT_EQ(master.released(), 4U);
}

TEST(FakeMaster, DoesNotCountTheEndOfWhatItGaveBack) {
  FakeMaster master(2, Life::kRelease);
  pb::AllocateRequestProto call;
  master.fill(call);
  ASSERT_TRUE(master.take(answer(1, 2)));
  master.fill(call);
  const auto news = master.take(answer(2, 0, 0, 2));
  ASSERT_TRUE(news);
  EXPECT_EQ(news->finished, 0);
  EXPECT_EQ(master.finished(), 0U);
}

TEST(FakeMaster, KeepsWhatRunsAndAsksAgainWhenItHasEnded) {
  FakeMaster master(10, Life::kRun);
  pb::AllocateRequestProto call;
  master.fill(call);
  ASSERT_TRUE(master.take(answer(1, 10)));
  master.fill(call);
  EXPECT_EQ(call.release_size(), 0);
  EXPECT_EQ(call.ask_size(), 0) << "all it wants is in use";
  const auto news = master.take(answer(2, 0, 0, 3));
  ASSERT_TRUE(news);
  EXPECT_EQ(news->finished, 3);
  master.fill(call);
  ASSERT_EQ(call.ask_size(), 1);
  EXPECT_EQ(call.ask(0).num_containers(), 3);
}

TEST(FakeMaster, ACommandOfTheResourceManagerIsAnError) {
  FakeMaster master(1, Life::kRelease);
  pb::AllocateResponseProto command;
  command.set_a_m_command(pb::AM_SHUTDOWN);
  const auto news = master.take(command);
  ASSERT_FALSE(news);
  EXPECT_NE(news.error().message.find("AM_SHUTDOWN"), std::string::npos);
}

}  // namespace
}  // namespace heddle::load
