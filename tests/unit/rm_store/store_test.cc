// The SQLite store: what goes in comes out.
#include "rm/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "rm/store/sqlite.h"
#include "rm/store/submission_json.h"
#include "tests/unit/rm_store/store_fixture.h"

namespace heddle::rm {
namespace {

using testing::HasSubstr;

TEST_F(SqliteStore, GivesBackASubmissionAsItWas) {
  commit({save_app()});
  const StoredState state = load();
  ASSERT_EQ(state.apps.size(), 1u);
  const SaveApp& app = state.apps[0].app;
  EXPECT_EQ(app.user, "ann");
  EXPECT_EQ(app.queue, "root.prod");
  EXPECT_EQ(app.priority, 3);
  EXPECT_EQ(app.submitted.ms, 11);
  EXPECT_EQ(app.lifetime_expiry.ms, 22);
  EXPECT_EQ(to_json(*app.submission), to_json(submission()));
  EXPECT_EQ(app.submission->id, submission().id);
  EXPECT_EQ(app.submission->tags, submission().tags);
  EXPECT_EQ(app.submission->am_asks.at(0).resource_name, "/rack1");
  EXPECT_EQ(app.submission->log_aggregation_context, submission().log_aggregation_context);
  EXPECT_EQ(*app.submission->launch, *submission().launch);
  EXPECT_FALSE(state.apps[0].end);
}

SaveReservation reservation(std::int64_t sequence) {
  SaveReservation out{"root.plan", {}};
  out.reservation.id = {17, sequence};
  out.reservation.user = "ann";
  out.reservation.definition.arrival_ms = -5;
  out.reservation.definition.deadline_ms = INT64_MAX;
  out.reservation.definition.interpreter = ReservationInterpreter::kOrderNoGap;
  out.reservation.definition.has_requests = true;
  out.reservation.definition.requests = {{{2048, 3}, 8, 4, 60}, {{1024, 1}, 1, 1, 7}};
  out.reservation.definition.name =
      "n\xC3\xA4"
      "chtlich";
  out.reservation.definition.recurrence = "86400000";
  out.reservation.definition.priority = -1;
  out.reservation.steps = {{1000, 2000, {8192, 12}}, {3000, 4000, {1024, 1}}};
  out.reservation.gangs = true;
  out.reservation.period_ms = 86'400'000;
  out.reservation.accepted_ms = 99;
  return out;
}

TEST_F(SqliteStore, GivesBackReservationsAsTheyWere) {
  SaveReservation changed = reservation(2);
  changed.reservation.user = "bob";
  commit({reservation(2), reservation(10), reservation(3), changed,
          DropReservation{ReservationId{17, 3}}});
  const StoredState state = load();
  ASSERT_EQ(state.reservations.size(), 2U);
  const Reservation& second = state.reservations[1].reservation;
  const Reservation wanted = reservation(10).reservation;
  EXPECT_EQ(state.reservations[0].reservation.user, "bob");
  EXPECT_EQ(state.reservations[1].queue, "root.plan");
  EXPECT_EQ(second.id, wanted.id);
  EXPECT_EQ(second.definition, wanted.definition);
  EXPECT_EQ(second.steps, wanted.steps);
  EXPECT_EQ(second.gangs, wanted.gangs);
  EXPECT_EQ(second.period_ms, wanted.period_ms);
  EXPECT_EQ(second.accepted_ms, wanted.accepted_ms);
}

TEST_F(SqliteStore, AReservationThatDoesNotParseIsTold) {
  commit({reservation(2)});
  {
    auto database = Database::open(folder + "/state.db");
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("UPDATE reservation SET steps = '[[1]]'"));
  }
  auto store = open();
  const auto state = store->load();
  ASSERT_FALSE(state);
  EXPECT_THAT(state.error().message, HasSubstr("reservation_17_0002: stored record"));
}

TEST(SubmissionJson, KeepsTheReservation) {
  Submission submission;
  EXPECT_FALSE(submission_from_json(to_json(submission))->reservation);
  submission.reservation = ReservationId{17, 4};
  EXPECT_EQ(submission_from_json(to_json(submission))->reservation, submission.reservation);
}

TEST(SubmissionJson, AnEmptyLabelIsNotTheSameAsNone) {
  for (const std::optional<std::string>& label :
       {std::optional<std::string>{}, std::optional<std::string>{""},
        std::optional<std::string>{"gpu"}}) {
    Submission one = submission();
    one.label_expression = label;
    EXPECT_EQ(submission_from_json(to_json(one))->label_expression, label);
  }
}

TEST(SubmissionJson, OfAProgramThatDidNotTellThemApartAnEmptyLabelIsNone) {
  Submission one = submission();
  one.label_expression = "";
  std::string text = to_json(one);
  const std::string_view mark = "\"default_partition\":true,";
  text.erase(text.find(mark), mark.size());
  EXPECT_EQ(submission_from_json(text)->label_expression, std::nullopt);
}

TEST_F(SqliteStore, GivesBackAttemptsWithTheirEnds) {
  const AttemptId first{submission().id, 1};
  const AttemptId second{submission().id, 2};
  const FinishAttempt end{
      first, AttemptState::kFailed, FinalStatus::kFailed, "http://t", "boom", "amhost", 4711,
      7,     WallTime{33}};
  commit({save_app(),
          SaveAttempt{
              first, ContainerId{first, (1LL << 40) | 1}, {"n1", 45454}, "n1:8042", WallTime{12}},
          end, SaveAttempt{second, std::nullopt, {}, "", WallTime{34}}});
  const StoredState state = load();
  ASSERT_EQ(state.apps.at(0).attempts.size(), 2u);
  const StoredAttempt& one = state.apps[0].attempts[0];
  EXPECT_EQ(one.start.id, first);
  EXPECT_EQ(one.start.master_container, (ContainerId{first, (1LL << 40) | 1}));
  EXPECT_EQ(one.start.master_node, (NodeId{"n1", 45454}));
  EXPECT_EQ(one.start.master_node_http, "n1:8042");
  EXPECT_EQ(one.start.started.ms, 12);
  ASSERT_TRUE(one.end);
  EXPECT_EQ(one.end->state, end.state);
  EXPECT_EQ(one.end->final_status, end.final_status);
  EXPECT_EQ(one.end->tracking_url, end.tracking_url);
  EXPECT_EQ(one.end->diagnostics, end.diagnostics);
  EXPECT_EQ(one.end->host, end.host);
  EXPECT_EQ(one.end->rpc_port, end.rpc_port);
  EXPECT_EQ(one.end->exit_status, end.exit_status);
  EXPECT_EQ(one.end->finished, end.finished);
  const StoredAttempt& two = state.apps[0].attempts[1];
  EXPECT_FALSE(two.start.master_container);
  EXPECT_FALSE(two.end);
}

TEST_F(SqliteStore, KeepsTheEndOfAnAttemptThatNeverHadAPlace) {
  const AttemptId id{submission().id, 1};
  FinishAttempt end;
  end.id = id;
  end.state = AttemptState::kKilled;
  commit({save_app(), end});
  const StoredState state = load();
  ASSERT_EQ(state.apps.at(0).attempts.size(), 1u);
  EXPECT_EQ(state.apps[0].attempts[0].end->state, AttemptState::kKilled);
}

TEST_F(SqliteStore, GivesBackTheEndOfAnApplicationAndDropsItsLaunchContext) {
  FinishApp end{submission().id,
                AppState::kFinished,
                FinalStatus::kSucceeded,
                "all well",
                "http://h",
                WallTime{13},
                WallTime{44},
                {}};
  end.seconds.amount = {10, 20, 0, 0, 0, 0, 0, INT64_MAX};
  commit({save_app(), UpdateApp{submission().id, "root.dev", 9, WallTime{55}}, end});
  const StoredState state = load();
  const StoredApp& app = state.apps.at(0);
  EXPECT_EQ(app.app.queue, "root.dev");
  EXPECT_EQ(app.app.priority, 9);
  EXPECT_EQ(app.app.lifetime_expiry.ms, 55);
  EXPECT_EQ(app.app.submission->launch, nullptr);
  ASSERT_TRUE(app.end);
  EXPECT_EQ(app.end->state, end.state);
  EXPECT_EQ(app.end->final_status, end.final_status);
  EXPECT_EQ(app.end->diagnostics, end.diagnostics);
  EXPECT_EQ(app.end->tracking_url, end.tracking_url);
  EXPECT_EQ(app.end->launched, end.launched);
  EXPECT_EQ(app.end->finished, end.finished);
  EXPECT_EQ(app.end->seconds.amount, end.seconds.amount);
}

TEST_F(SqliteStore, ForgetsAnApplicationWithItsAttempts) {
  const AttemptId id{submission(1).id, 1};
  commit({save_app(1), save_app(2), SaveAttempt{id, {}, {}, "", {}}, ForgetApp{submission(1).id}});
  const StoredState state = load();
  ASSERT_EQ(state.apps.size(), 1u);
  EXPECT_EQ(state.apps[0].app.submission->id.sequence, 2);
}

QueueVersion queue_version(std::int64_t number) {
  QueueVersion version;
  version.number = number;
  version.since = WallTime{1'700'000'000'000 + number};
  version.user = "ann";
  version.change = "set \"k\" \xc3\xa9";
  version.from_file = number % 2 == 1;
  version.settings = std::make_shared<const QueueSettings>(
      QueueSettings{{"yarn.scheduler.capacity.root.queues", "a,b"},
                    {"yarn.scheduler.capacity.root.a.acl_submit_applications", " "},
                    {"number", std::to_string(number)}});
  return version;
}

TEST_F(SqliteStore, TheLastConfigurationOfTheQueuesComesBackWithItsSettings) {
  EXPECT_EQ(load().queues, std::nullopt);
  commit({SaveQueues{queue_version(1)}, SaveQueues{queue_version(2)}});
  const auto queues = load().queues;
  ASSERT_TRUE(queues);
  EXPECT_EQ(queues->number, 2);
  EXPECT_EQ(queues->since.ms, 1'700'000'000'002);
  EXPECT_EQ(queues->user, "ann");
  EXPECT_EQ(queues->change, "set \"k\" \xc3\xa9");
  EXPECT_FALSE(queues->from_file);
  EXPECT_EQ(*queues->settings, *queue_version(2).settings);
}

TEST_F(SqliteStore, OldConfigurationsOfTheQueuesAreDroppedBeyondTheNumberThatIsKept) {
  std::vector<Record> records;
  for (int i = 1; i <= 9; ++i)
    records.push_back(SaveQueues{queue_version(i), 4});
  commit(std::move(records));
  auto store = open();
  ASSERT_TRUE(store->load());
  const auto versions = store->queue_versions();
  ASSERT_TRUE(versions);
  std::vector<std::int64_t> numbers;
  for (const QueueVersion& version : *versions) {
    numbers.push_back(version.number);
    EXPECT_EQ(version.settings, nullptr);
  }
  EXPECT_THAT(numbers, testing::ElementsAre(9, 8, 7, 6));
  EXPECT_EQ(store->queue_version(7)->settings->at("number"), "7");
  const auto dropped = store->queue_version(5);
  ASSERT_FALSE(dropped);
  EXPECT_EQ(dropped.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(dropped.error().message, HasSubstr("version 5 of the queues is not kept"));
}

TEST_F(SqliteStore, ADatabaseFromBeforeQueuesWereKeptGetsTheirTable) {
  commit({});
  {
    auto database = Database::open(path());
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("DROP TABLE queue_config"));
  }
  EXPECT_EQ(load().queues, std::nullopt);
  commit({SaveQueues{queue_version(1)}});
  EXPECT_EQ(load().queues->number, 1);
}

TEST_F(SqliteStore, GivesBackKeysAndForgetsTheNextOneOnceItServes) {
  const security::MasterKey one{17, security::Secret(std::string("\0key", 4))};
  const security::MasterKey two{-5, security::Secret("other")};
  commit({SaveKeys{one, two}});
  StoredState state = load();
  ASSERT_TRUE(state.keys && state.keys->amrm_next);
  EXPECT_EQ(state.keys->amrm_current.id, 17);
  EXPECT_EQ(state.keys->amrm_current.bytes.reveal_bytes(), one.bytes.reveal_bytes());
  EXPECT_EQ(state.keys->amrm_next->id, -5);
  commit({SaveKeys{two, std::nullopt}});
  state = load();
  EXPECT_EQ(state.keys->amrm_current.id, -5);
  EXPECT_FALSE(state.keys->amrm_next);
}

TEST_F(SqliteStore, GivesBackLabelsAndAttributesAsTheLastChangeLeftThem) {
  const NodeId host{"n1", 0}, node{"n1", 8041};
  commit(
      {LabelChange{{{"gpu", true}, {"big", false}, {"old", true}},
                   {},
                   {{host, "gpu"}, {node, ""}, {NodeId{"n2", 0}, "old"}},
                   {}},
       AttributeChange{{{"n1", "rm.yarn.io", "os", "debian"}, {"n1", "rm.yarn.io", "disk", ""}}}});
  commit({LabelChange{{}, {"old"}, {{NodeId{"n2", 0}, std::nullopt}, {host, "big"}}, {}},
          AttributeChange{
              {{"n1", "rm.yarn.io", "os", "bsd"}, {"n1", "rm.yarn.io", "disk", std::nullopt}}}});
  const StoredState state = load();
  EXPECT_THAT(state.labels, testing::ElementsAre(NodeLabel{"big", false}, NodeLabel{"gpu", true}));
  EXPECT_THAT(state.node_labels,
              testing::ElementsAre(testing::Pair(host, "big"), testing::Pair(node, "")));
  ASSERT_EQ(state.attributes.size(), 1u);
  EXPECT_EQ(state.attributes[0].name, "os");
  EXPECT_EQ(state.attributes[0].value, "bsd");
}

TEST_F(SqliteStore, OfAProgramWithoutLabelsGetsTheirTables) {
  commit({save_app()});
  {
    auto database = Database::open(path());
    ASSERT_TRUE(database);
    for (const char* sql :
         {"DROP TABLE node_label", "DROP TABLE labelled_node", "DROP TABLE node_attribute"}) {
      ASSERT_TRUE(database->execute(sql));
    }
  }
  EXPECT_EQ(load().apps.size(), 1u);
  commit({LabelChange{{{"gpu", true}}, {}, {}, {}}});
  EXPECT_EQ(load().labels.size(), 1u);
}

TEST_F(SqliteStore, CountsItsStarts) {
  for (std::int32_t start = 0; start < 4; ++start)
    EXPECT_EQ(load().epoch, start);
}

TEST_F(SqliteStore, IsReadableByItsOwnerOnly) {
  open();
  struct stat facts {};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0077, 0u);
}

TEST(SubmissionJson, TextThatIsNotOursIsAnError) {
  EXPECT_FALSE(submission_from_json("{\"cluster\": 1"));
  EXPECT_FALSE(submission_from_json("{}"));
  EXPECT_FALSE(submission_from_json("[1,2]"));
  EXPECT_FALSE(seconds_from_json("\"x\""));
}

TEST(MemoryStore, TakesEverythingAndKeepsNothing) {
  const auto store = make_memory_store();
  EXPECT_TRUE(store->load());
  EXPECT_TRUE(store->commit(std::vector<Record>{ForgetApp{}}));
  EXPECT_EQ(store->name(), "MemoryStore");
}

}  // namespace
}  // namespace heddle::rm
