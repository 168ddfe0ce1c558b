// Whatever is reserved, changed, lost and restarted: the queues of a plan follow it. Invariants are
// checked after every turn.
#include <gtest/gtest.h>

#include <random>

#include "rm/api/reservations.h"
#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testlib::CoreDriver;
using testlib::CoreSetup;

class RandomReservations : public testing::TestWithParam<unsigned> {
 protected:
  RandomReservations() : cluster_(setup(GetParam())) {
    cluster_.auto_commit = true;
    add_nodes();
  }
  static CoreSetup setup(unsigned seed) {
    CoreSetup setup;
    setup.options.reservations.enabled = true;
    setup.options.reservations.max_period_ms = 600'000;
    setup.options.node_expiry = 1000h;
    setup.options.master_expiry = 1000h;
    setup.queues = R"(
        root.default capacity=40 maximum-am-resource-percent=1
        root.plan capacity=60 reservable=true maximum-am-resource-percent=1 user-limit-factor=9
        +root.plan reservation-window=120000 reservation-move-on-expiry=)" +
                   std::string(seed % 2 == 0 ? "true" : "false");
    return setup;
  }
  void add_nodes() {
    for (const char* host : {"n1", "n2", "n3"})
      cluster_.add_node(host, "8GB 8c");
  }
  std::int64_t one_of(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(random_() % static_cast<unsigned>(to - from + 1));
  }
  std::int64_t now() const { return cluster_.clock.now().wall.ms; }
  ReservationId any_id() { return {1, one_of(1, last_id_ + 1)}; }
  ReservationDefinition any_definition() {
    ReservationDefinition out;
    out.arrival_ms = now() + one_of(-20, 60) * 1000;
    out.deadline_ms = out.arrival_ms + one_of(5, 120) * 1000;
    out.interpreter = static_cast<ReservationInterpreter>(one_of(0, 3));
    out.has_requests = true;
    for (std::int64_t i = one_of(1, 2); i > 0; --i) {
      const auto gang = static_cast<std::int32_t>(one_of(1, 3));
      out.requests.push_back({{1024 * one_of(1, 2), 1},
                              gang * static_cast<std::int32_t>(one_of(1, 3)),
                              gang,
                              one_of(1, 40) * 1000});
    }
    if (one_of(0, 3) == 0) out.recurrence = one_of(0, 1) == 0 ? "120000" : "300000";
    return out;
  }
  bool reserve() {
    return cluster_.reserve({ReservationId{1, ++last_id_}, "plan", any_definition()}).ok();
  }
  void submit() {
    Submission job = cluster_.submission();
    job.queue = one_of(0, 4) == 0 ? "default" : "plan";
    if (one_of(0, 3) != 0) job.reservation = any_id();
    (void)cluster_.submit(job);
    jobs_.push_back(job.id);
  }
  void step() {
    switch (one_of(0, 9)) {
      case 0:
      case 1: taken_ += reserve() ? 1 : 0; break;
      case 2: (void)cluster_.update_reservation({any_id(), any_definition()}); break;
      case 3: (void)cluster_.delete_reservation(any_id()); break;
      case 4:
        (void)cluster_.resize_node(NodeId{"n3", 45454}, one_of(0, 1) == 0 ? "1GB 1c" : "8GB 8c");
        break;
      case 5: submit(); break;
      case 6:
        if (!jobs_.empty()) {
          (void)cluster_.kill(jobs_[static_cast<std::size_t>(
              one_of(0, static_cast<std::int64_t>(jobs_.size()) - 1))]);
        }
        break;
      case 7:
        if (one_of(0, 9) == 0) {
          cluster_.restart();
          add_nodes();
        }
        break;
      default: cluster_.advance(std::chrono::milliseconds(one_of(1, 30'000))); break;
    }
  }
  /// What is promised for now is what the queues have, and no more than there is.
  void expect_queues_follow() {
    (void)cluster_.metrics();
    const auto list = *cluster_.list_reservations({"plan", ""});
    const std::int64_t at = (now() + 999) / 1000 * 1000;
    Resources promised;
    for (const Reservation& one : *list)
      promised += one.at(at);
    const auto& scheduler = cluster_.core->scheduler();
    const Resources whole = scheduler.queue(QueuePath("root.plan"))->guaranteed;
    Resources given;
    for (const QueuePath& queue : scheduler.reserved_queues(QueuePath("root.plan")))
      given += scheduler.queue(queue)->guaranteed;
    EXPECT_LE(given.memory_mb(), whole.memory_mb());
    if (promised.fits_in(whole)) {
      EXPECT_EQ(given.memory_mb(), promised.memory_mb());
    }
    for (const Reservation& one : *list) {
      const bool there = scheduler.find_queue("root.plan." + to_string(one.id)).has_value();
      EXPECT_TRUE(there || !one.is_current(at)) << to_string(one.id);
    }
    EXPECT_EQ(cluster_.disk.reservations().size(), list->size());
  }

  std::mt19937 random_{GetParam()};
  CoreDriver cluster_;
  std::int64_t last_id_ = 0;
  int taken_ = 0;
  std::vector<AppId> jobs_;
};

TEST_P(RandomReservations, AreFollowedByTheirQueues) {
  for (int i = 0; i < 150; ++i) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", step " + std::to_string(i));
    step();
    expect_queues_follow();
    if (HasFailure()) return;
  }
  EXPECT_GT(taken_, 5);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomReservations, testing::Range(1U, 9U));

}  // namespace
}  // namespace heddle::rm
