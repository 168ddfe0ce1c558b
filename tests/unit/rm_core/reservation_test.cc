// Reservations: what users ask for, the queues that follow the plan, what is durable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rm/api/reservations.h"
#include "tests/testlib/core_driver.h"

namespace heddle::rm {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;
using testlib::CoreDriver;
using testlib::CoreSetup;

constexpr std::int64_t kStart = 1'700'000'000'000;

CoreSetup reserving(const std::string& more = "") {
  CoreSetup setup;
  setup.options.reservations.enabled = true;
  setup.options.reservations.replan_pause = 10s;
  setup.options.node_expiry = 100h;  // nobody beats
  setup.queues = R"(
      root.default capacity=50 maximum-am-resource-percent=1
      root.plan capacity=50 reservable=true maximum-am-resource-percent=1 user-limit-factor=4 )" +
                 more;
  return setup;
}

ReservationDefinition wanted(std::int64_t from_s, std::int64_t to_s, std::int32_t containers,
                             std::int64_t seconds, std::int32_t gang = 1) {
  ReservationDefinition definition;
  definition.arrival_ms = kStart + from_s * 1000;
  definition.deadline_ms = kStart + to_s * 1000;
  definition.has_requests = true;
  definition.requests = {{{1024, 1}, containers, gang, seconds * 1000}};
  return definition;
}

SubmitReservation asking(std::int64_t id, ReservationDefinition definition,
                         const std::string& queue = "plan") {
  return {ReservationId{1, id}, queue, std::move(definition)};
}

std::string name_of(std::int64_t id) {
  return to_string(ReservationId{1, id});
}

/// Memory in GB that is guaranteed to each child of the plan queue.
std::vector<std::pair<std::string, std::int64_t>> children(CoreDriver& cluster) {
  (void)cluster.metrics();  // brings the reports up to date
  std::vector<std::pair<std::string, std::int64_t>> found;
  const auto root = cluster.board->queues();
  for (const QueueReport& queue : root->children) {
    for (const QueueReport& child : queue.children)
      found.emplace_back(child.name, child.guaranteed.memory_mb() / 1024);
  }
  return found;
}

/// 16 GB: 8 of them are the plan's.
void add_nodes(CoreDriver& cluster) {
  cluster.auto_commit = true;
  cluster.add_node("n1", "8GB 8c");
  cluster.add_node("n2", "8GB 8c");
}

Submission job_in(CoreDriver& cluster, std::optional<std::int64_t> reservation,
                  const std::string& queue = "plan") {
  Submission job = cluster.submission();
  job.queue = queue;
  if (reservation) job.reservation = ReservationId{1, *reservation};
  return job;
}

TEST(Reservations, AreRefusedWhereTheyAreOff) {
  CoreSetup setup = reserving();
  setup.options.reservations.enabled = false;
  CoreDriver cluster(setup);
  add_nodes(cluster);
  const std::string off = "Reservation is not enabled. Please enable & try again";
  EXPECT_EQ(cluster.reserve(asking(1, wanted(0, 60, 1, 60))).error(), off);
  EXPECT_EQ(cluster.update_reservation({}).error(), off);
  EXPECT_EQ(cluster.delete_reservation({}).error(), off);
  EXPECT_EQ(cluster.list_reservations({}).error().message, off);
  EXPECT_EQ(cluster.submit(job_in(cluster, 1)).error(), off);
  const Submission plain = job_in(cluster, std::nullopt);
  EXPECT_TRUE(cluster.submit(plain).ok()) << "the plan queue itself works";
  EXPECT_EQ(cluster.board->app(plain.id)->queue, "root.plan.plan-default");
}

TEST(Reservations, NameAPlanAnIdAndADefinition) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  const auto definition = wanted(0, 60, 1, 60);
  EXPECT_EQ(cluster.reserve({std::nullopt, "plan", definition}).error(),
            "Reservation id cannot be null. Please try again specifying  a valid reservation id "
            "by creating a new reservation id.");
  EXPECT_EQ(cluster.reserve(asking(1, definition, "")).error(),
            "The queue is not specified. Please try again with a valid reservable queue.");
  for (const char* queue : {"nosuch", "default", "plan-default"}) {
    EXPECT_EQ(cluster.reserve(asking(1, definition, queue)).error(),
              std::string("The specified queue: ") + queue +
                  " is not managed by reservation system. Please try again with a valid "
                  "reservable queue.");
  }
  EXPECT_EQ(cluster.reserve({ReservationId{1, 1}, "plan", std::nullopt}).error(),
            "Missing reservation definition. Please try again by specifying a reservation "
            "definition.");
  EXPECT_EQ(cluster.update_reservation({std::nullopt, definition}).error(),
            "Missing reservation id. Please try again by specifying a reservation id.");
  EXPECT_EQ(cluster.update_reservation({ReservationId{1, 9}, definition}).error(),
            "The specified reservation with ID: reservation_1_0009 is unknown. Please try again "
            "with a valid reservation.");
  EXPECT_THAT(cluster.delete_reservation(ReservationId{1, 9}).error(), HasSubstr("is unknown"));
  EXPECT_TRUE(cluster.reserve(asking(1, definition, "root.plan")).ok()) << "by its path, too";
}

TEST(Reservations, OfTheSameIdAreARetryOrAnError) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 60, 1, 60))).ok());
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 60, 1, 60))).ok());
  EXPECT_EQ(cluster.reserve(asking(1, wanted(0, 60, 2, 60))).error(),
            "Reservation allocation already exists with the reservation id reservation_1_0001, but "
            "a different reservation definition was provided. Please try again with a new "
            "reservation id, or consider updating the reservation instead.");
  EXPECT_EQ(cluster.disk.reservations().size(), 1U);
}

TEST(Reservations, AreAnsweredWhenTheyAreDurable) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  cluster.auto_commit = false;
  const auto answer = cluster.reserve(asking(1, wanted(0, 60, 1, 60)));
  EXPECT_FALSE(answer.came());
  cluster.commit();
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(cluster.disk.reservations().size(), 1U);
}

TEST(ReservationQueues, ComeAndGoWithTheirReservations) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 8)));
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(60, 180, 3, 60))).ok());
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 8))) << "not yet";
  cluster.advance(60s);
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 5), Pair(name_of(1), 3)));
  cluster.advance(60s);
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 8)));
}

TEST(ReservationQueues, OfNowAreThereWhenTheAnswerIs) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 60, 8, 60))).ok());
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 0), Pair(name_of(1), 8)));
  EXPECT_THAT(cluster.reserve(asking(2, wanted(0, 90, 1, 60))).error(),
              HasSubstr("there is not enough room between 1700000000000 and 1700000090000"));
}

TEST(ReservationQueues, FollowUpdatesAndDeletion) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 600, 3, 600))).ok());
  EXPECT_TRUE(cluster.update_reservation({ReservationId{1, 1}, wanted(0, 600, 5, 600)}).ok());
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 3), Pair(name_of(1), 5)));
  EXPECT_FALSE(cluster.update_reservation({ReservationId{1, 1}, wanted(0, 600, 9, 600)}).ok());
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 3), Pair(name_of(1), 5)));
  EXPECT_TRUE(cluster.delete_reservation(ReservationId{1, 1}).ok());
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 8)));
  EXPECT_THAT(cluster.disk.reservations(), IsEmpty());
}

TEST(ReservationQueues, OfWhatComesAgainComeAgain) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  ReservationDefinition hourly = wanted(0, 60, 4, 60);
  hourly.recurrence = "3600000";
  EXPECT_TRUE(cluster.reserve(asking(1, hourly)).ok());
  for (int hour = 0; hour < 3; ++hour) {
    EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 4), Pair(name_of(1), 4)));
    cluster.advance(60s);
    EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 8))) << hour;
    cluster.advance(3540s);
  }
}

TEST(ReservationQueues, GrowBeyondTheirShareUnlessTheyAreOfGangs) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 600, 2, 600))).ok());
  EXPECT_TRUE(cluster.reserve(asking(2, wanted(0, 600, 2, 600, 2))).ok());
  const auto& scheduler = cluster.core->scheduler();
  EXPECT_EQ(scheduler.queue(QueuePath("root.plan." + name_of(1)))->maximum.memory_mb(), 16 * 1024);
  EXPECT_EQ(scheduler.queue(QueuePath("root.plan." + name_of(2)))->maximum.memory_mb(), 2 * 1024);
}

TEST(ReservationQueues, OutliveANewConfiguration) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 600, 3, 600))).ok());
  auto config = std::make_shared<queues::QueueConfig>(cluster.core->queue_config());
  for (queues::QueueSpec& queue : config->root.children) {
    queue.capacity.value = queue.name == "plan" ? 75 : 25;
    std::erase_if(queue.children, [](const queues::QueueSpec& child) {
      return child.origin == queues::Origin::kReserved;
    });
  }
  Turn turn{cluster.clock.now(), {}};
  ASSERT_TRUE(cluster.core->configure_queues(config, turn));
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 9), Pair(name_of(1), 3)));
  EXPECT_EQ(cluster.core->check_invariants(), "");
}

TEST(ReservedApplications, RunInTheQueueOfTheirReservation) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 600, 3, 600))).ok());
  const Submission reserved = job_in(cluster, 1);
  const Submission plain = job_in(cluster, std::nullopt);
  const Submission by_path = job_in(cluster, 1, "root.plan");
  for (const Submission* job : {&reserved, &plain, &by_path})
    EXPECT_TRUE(cluster.submit(*job).ok());
  EXPECT_EQ(cluster.board->app(reserved.id)->queue, "root.plan." + name_of(1));
  EXPECT_EQ(cluster.board->app(by_path.id)->queue, "root.plan." + name_of(1));
  EXPECT_EQ(cluster.board->app(plain.id)->queue, "root.plan.plan-default");
  EXPECT_TRUE(cluster.submit(reserved).ok()) << "a retry";
}

TEST(ReservedApplications, OfAReservationThatIsNotActiveAreRefused) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(60, 600, 3, 60))).ok());
  const Submission early = job_in(cluster, 1);
  EXPECT_EQ(cluster.submit(early).error(),
            "Application " + to_string(early.id) +
                " submitted to a reservation which is not currently active: reservation_1_0001");
  EXPECT_EQ(cluster.state(early.id), AppState::kFailed);
  const Submission elsewhere = job_in(cluster, 1, "default");
  EXPECT_TRUE(cluster.submit(elsewhere).ok()) << "where there is no plan it says nothing";
}

TEST(ReservedApplications, MoveToTheDefaultQueueWhenItEnds) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 60, 3, 60))).ok());
  const AttemptId attempt = cluster.running_app(job_in(cluster, 1));
  cluster.advance(60s);
  EXPECT_EQ(cluster.board->app(attempt.app)->queue, "root.plan.plan-default");
  EXPECT_EQ(cluster.state(attempt.app), AppState::kRunning);
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 8)));
  EXPECT_EQ(cluster.disk.apps().at(attempt.app).app.queue, "root.plan.plan-default");
}

TEST(ReservedApplications, AreStillCountedWhenTheirQueueIsGone) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 60, 3, 60))).ok());
  const Submission job = job_in(cluster, 1);
  EXPECT_TRUE(cluster.submit(job).ok());
  (void)cluster.kill(job.id);
  EXPECT_EQ(cluster.metrics().apps_killed, 1);
  cluster.advance(60s);
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 8)));
  EXPECT_EQ(cluster.metrics().apps_killed, 1);
  EXPECT_EQ(cluster.metrics().apps_submitted, 1);
}

TEST(ReservedApplications, AreKilledWhereTheyMayNotMoveOn) {
  CoreDriver cluster(reserving("reservation-move-on-expiry=false"));
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 60, 3, 60))).ok());
  const AttemptId attempt = cluster.running_app(job_in(cluster, 1));
  cluster.advance(60s);
  EXPECT_EQ(cluster.state(attempt.app), AppState::kKilled);
  EXPECT_EQ(cluster.diagnostics(attempt.app),
            "Application killed due to expiry of reservation queue reservation_1_0001.");
  cluster.advance(1s);
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 8)));
}

TEST(ReservedApplications, MayBeMovedToThePlanQueue) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  const AttemptId attempt = cluster.running_app();
  EXPECT_TRUE(cluster.move(attempt.app, "plan").ok());
  EXPECT_EQ(cluster.board->app(attempt.app)->queue, "root.plan.plan-default");
}

TEST(ReservationLists, SayWhoMayDoWhat) {
  CoreSetup setup = reserving("acl_submit_reservations=ann acl_list_reservations=lis");
  setup.options.reservations.acls = true;
  setup.queues += " acl_administer_reservations=root";
  CoreDriver cluster(setup);
  add_nodes(cluster);
  const auto as = [](const std::string& user) {
    return [user](const std::string& list) { return list == "*" || list == user; };
  };
  const auto denied = [](const std::string& user, const std::string& right) {
    return "java.security.AccessControlException: User " + user + " cannot perform operation " +
           right + " on queue plan";
  };
  const auto ask = asking(1, wanted(0, 60, 1, 60));
  EXPECT_EQ(cluster.reserve(ask, "bob", as("bob")).error(), denied("bob", "SUBMIT_RESERVATIONS"));
  EXPECT_TRUE(cluster.reserve(ask, "ann", as("ann")).ok());
  EXPECT_TRUE(cluster.reserve(asking(2, wanted(0, 60, 1, 60)), "root", as("root")).ok());
  const UpdateReservation update{ReservationId{1, 2}, wanted(0, 60, 2, 60)};
  EXPECT_EQ(cluster.update_reservation(update, "ann", as("ann")).error(),
            denied("ann", "ADMINISTER_RESERVATIONS"));
  EXPECT_EQ(cluster.delete_reservation(ReservationId{1, 1}, "bob", as("bob")).error(),
            denied("bob", "ADMINISTER_RESERVATIONS"));
  EXPECT_EQ(cluster.list_reservations({"plan", ""}, "bob", as("bob")).error().message,
            denied("bob", "LIST_RESERVATIONS"));
  EXPECT_TRUE(cluster.list_reservations({"plan", ""}, "lis", as("lis")));
  EXPECT_TRUE(cluster.list_reservations({"plan", name_of(1)}, "ann", as("ann"))) << "her own";
  EXPECT_TRUE(cluster.delete_reservation(ReservationId{1, 1}, "ann", as("ann")).ok());
}

TEST(ReservationLists, AreOfATimeOrOfOneId) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 60, 1, 60))).ok());
  cluster.advance(1s);
  EXPECT_TRUE(cluster.reserve(asking(2, wanted(100, 160, 1, 60))).ok());
  const auto ids = [&](const ListReservations& request) {
    std::vector<std::int64_t> found;
    const auto list = cluster.list_reservations(request);
    if (!list) return found;
    for (const Reservation& one : **list)
      found.push_back(one.id.sequence);
    return found;
  };
  EXPECT_THAT(ids({"plan", ""}), ElementsAre(2, 1));
  EXPECT_THAT(ids({"plan", "", kStart + 90'000, kStart + 200'000}), ElementsAre(2));
  EXPECT_THAT(ids({"plan", name_of(1), kStart + 90'000, kStart + 200'000}), ElementsAre(1));
  EXPECT_THAT(ids({"plan", name_of(7)}), IsEmpty());
  EXPECT_EQ(cluster.list_reservations({"plan", "", 5, 4}).error().message,
            "The specified end time must be greater than the specified start time.");
  EXPECT_THAT(cluster.list_reservations({"plan", "7"}).error().message,
              HasSubstr("The specified reservation id is invalid: 7"));
}

TEST(ReservationRecovery, BringsBackPlansQueuesAndApplications) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  ReservationDefinition hourly = wanted(0, 60, 2, 60);
  hourly.recurrence = "3600000";
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 600, 3, 600))).ok());
  EXPECT_TRUE(cluster.reserve(asking(2, hourly)).ok());
  EXPECT_TRUE(cluster.reserve(asking(3, wanted(0, 600, 1, 600))).ok());
  EXPECT_TRUE(cluster.delete_reservation(ReservationId{1, 3}).ok());
  const Submission job = job_in(cluster, 1);
  EXPECT_TRUE(cluster.submit(job).ok());
  cluster.restart();
  const auto list = cluster.list_reservations({"plan", ""});
  ASSERT_TRUE(list);
  ASSERT_EQ((*list)->size(), 2U);
  EXPECT_EQ((*list)->at(0).period_ms + (*list)->at(1).period_ms, 3'600'000);
  cluster.add_node("n1", "8GB 8c");
  cluster.add_node("n2", "8GB 8c");
  EXPECT_THAT(children(cluster), UnorderedElementsAre(Pair("plan-default", 3), Pair(name_of(1), 3),
                                                      Pair(name_of(2), 2)));
  EXPECT_EQ(cluster.board->app(job.id)->queue, "root.plan." + name_of(1));
  EXPECT_THAT(cluster.reserve(asking(4, wanted(0, 100, 4, 50, 4))).error(),
              HasSubstr("not enough room"))
      << "what was promised is still promised";
}

TEST(ReservationRecovery, SendsApplicationsOfWhatEndedMeanwhileToTheDefaultQueue) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 60, 3, 60))).ok());
  const Submission job = job_in(cluster, 1);
  EXPECT_TRUE(cluster.submit(job).ok());
  cluster.clock.advance(90s);
  cluster.restart();
  EXPECT_EQ(cluster.board->app(job.id)->queue, "root.plan.plan-default");
  EXPECT_FALSE(is_final(cluster.state(job.id)));
}

TEST(ReservationRecovery, TakesNothingBackBeforeNodesHadTimeToCome) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 600, 6, 600))).ok());
  cluster.restart();
  cluster.add_node("n1", "8GB 8c");
  cluster.advance(5s);
  EXPECT_EQ((*cluster.list_reservations({"plan", ""}))->size(), 1U);
  cluster.advance(6s);
  EXPECT_EQ((*cluster.list_reservations({"plan", ""}))->size(), 0U)
      << "half of the plan did not come back";
}

TEST(Replanning, TakesBackTheLastOnesWhenNodesAreLost) {
  CoreDriver cluster(reserving());
  add_nodes(cluster);
  cluster.advance(11s);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 600, 3, 500))).ok());
  cluster.advance(1s);
  EXPECT_TRUE(cluster.reserve(asking(2, wanted(0, 600, 3, 500))).ok());
  ASSERT_TRUE(cluster.resize_node(NodeId{"n2", 45454}, "1GB 1c"));
  const auto left = *cluster.list_reservations({"plan", ""});
  ASSERT_EQ(left->size(), 1U);
  EXPECT_EQ(left->front().id.sequence, 1);
  EXPECT_EQ(cluster.disk.reservations().size(), 1U);
  EXPECT_THAT(children(cluster), ElementsAre(Pair("plan-default", 1), Pair(name_of(1), 3)));
}

TEST(Replanning, ShrinksTheQueuesOfWhatItMayNotTakeBack) {
  CoreSetup setup = reserving();
  setup.options.reservations.replan_pause = 1000s;
  CoreDriver cluster(setup);
  add_nodes(cluster);
  EXPECT_TRUE(cluster.reserve(asking(1, wanted(0, 600, 8, 600))).ok());
  ASSERT_TRUE(cluster.resize_node(NodeId{"n2", 45454}, "1GB 1c"));
  EXPECT_EQ(children(cluster).back().second, 4);
}

}  // namespace
}  // namespace heddle::rm
