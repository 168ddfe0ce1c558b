// Changes of the queues as transactions: all or nothing, kept before they are answered.
#include <cstdlib>
#include <filesystem>

#include "rm/service/queue_settings.h"
#include "tests/unit/rm_service/service_fixture.h"

namespace heddle::rm {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kPrefix = "yarn.scheduler.capacity.";

QueueSettings two_queues() {
  return {{kPrefix + "root.queues", "a,b"},
          {kPrefix + "root.a.capacity", "40"},
          {kPrefix + "root.b.capacity", "60"}};
}

Result<queues::QueueConfig> parse(const QueueSettings& values) {
  return queues::parse_capacity_config(with_queue_settings(Settings(), values, "test"));
}

/// Copies the files as they are right after each commit, before anybody hears of it: what a crash
/// at that moment leaves.
class CrashingStore final : public Store {
 public:
  CrashingStore(std::unique_ptr<Store> store, std::string folder, std::string image)
      : store_(std::move(store)), folder_(std::move(folder)), image_(std::move(image)) {}
  Result<StoredState> load() override { return store_->load(); }
  Result<void> commit(std::span<const Record> records) override {
    auto committed = store_->commit(records);
    fs::remove_all(image_);
    fs::copy(folder_, image_);
    fs::remove(image_ + "/lock");
    return committed;
  }
  std::string name() const override { return store_->name(); }

 private:
  std::unique_ptr<Store> store_;
  std::string folder_, image_;
};

class QueueChanges : public Service {
 protected:
  QueueChanges() {
    options.queues.store = QueueStore::kKept;
    options.queues.parse = parse;
    options.load_queues = [this]() -> Result<LoadedQueues> {
      auto config = parse(file);
      if (!config) return fail(config.error());
      return LoadedQueues{file, *std::move(config)};
    };
    options.queues.started.number = 1;
    options.queues.started.settings = std::make_shared<const QueueSettings>(two_queues());
    std::string name = testing::TempDir() + "queue_changes_XXXXXX";
    folder = ::mkdtemp(name.data());
  }
  ~QueueChanges() override {
    disk.open();
    if (service) service->stop();
    fs::remove_all(folder);
  }
  void start_with_two_queues() { start(*parse(two_queues()), std::make_unique<GatedStore>(disk)); }
  void start_on_sqlite() {
    auto store = open_sqlite_store(folder);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->load());
    options.queues.save_started = true;
    start(*parse(two_queues()), *std::move(store));
  }
  Awaited<QueueChangeOutcome> change(queues::ConfigChange wanted, bool dry_run = false) {
    QueueChange asked;
    asked.change = std::move(wanted);
    asked.dry_run = dry_run;
    asked.with_diff = true;
    Awaited<QueueChangeOutcome> answer;
    service->change_queues(caller, std::move(asked), answer.taker());
    return answer;
  }
  std::string refusal(queues::ConfigChange wanted) {
    const auto answer = change(std::move(wanted));
    return answer.get() ? "accepted" : answer.get().error().message;
  }
  std::vector<std::string> queues_now() {
    settle();
    std::vector<std::string> names;
    for (const QueueReport& queue : board.queues()->children)
      names.push_back(queue.name);
    return names;
  }
  std::int64_t version() { return service->queue_config().version.number; }

  QueueSettings file = two_queues();
  std::string folder;
};

const queues::ConfigChange kAddC{
    .add = {{"root.c", {{"capacity", "20"}}}},
    .update = {{"root.a", {{"capacity", "20"}}}},
};

TEST_F(QueueChanges, AreInForceAndHaveANumberWhenTheyAreAnswered) {
  start_with_two_queues();
  const auto answer = change(kAddC);
  ASSERT_TRUE(answer.get()) << answer.get().error().message;
  EXPECT_EQ(answer.get()->version, 2);
  EXPECT_EQ(version(), 2);
  EXPECT_THAT(queues_now(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(service->queue_config().version.user, "ann");
  EXPECT_EQ(service->queue_config().version.change,
            "add root.c (capacity=20); update root.a (capacity=20)");
}

TEST_F(QueueChanges, AreNotAnsweredBeforeTheyAreOnDisk) {
  start_with_two_queues();
  ASSERT_TRUE(change({.global = {{"k", "v"}}}).get());  // what came before is on disk
  const int before = disk.attempts();
  disk.shut();
  const auto answer = change(kAddC);
  disk.wait_for_attempts(before + 1);
  EXPECT_FALSE(answer.came());
  disk.open();
  EXPECT_TRUE(answer.get());
}

TEST_F(QueueChanges, WithFaultsChangeNothingAndTellAllOfThem) {
  start_with_two_queues();
  EXPECT_EQ(
      refusal({.remove = {"root.z"},
               .add = {{"root.a", {}}},
               .update = {{"root.b", {{"state", "ASLEEP"}, {"user-limit-factor", "many"}}}}}),
      "Queue root.z not found\n"
      "Can't add existing queue root.a\n"
      "yarn.scheduler.capacity.root.b.user-limit-factor: \"many\" is not a number from -1 to "
      "1000000000\n"
      "queue root.b: yarn.scheduler.capacity.root.b.state: \"ASLEEP\" is not a state; RUNNING "
      "or STOPPED");
  EXPECT_EQ(version(), 1);
  EXPECT_THAT(queues_now(), ElementsAre("a", "b"));
  EXPECT_TRUE(change(kAddC).get());
}

TEST_F(QueueChanges, ThatRemoveAQueueWithApplicationsAreRefused) {
  start_with_two_queues();
  Submission job;
  job.id = service->new_application_id();
  job.queue = "a";
  job.am_resources = {1024, 1};
  Awaited<void> submitted;
  service->submit(caller, job, submitted.taker());
  ASSERT_TRUE(submitted.get());
  settle();
  EXPECT_THAT(refusal({.remove = {"root.a"}, .update = {{"root.b", {{"capacity", "100"}}}}}),
              HasSubstr("queue root.a has 1 applications; stop it first"));
  EXPECT_THAT(queues_now(), ElementsAre("a", "b"));
}

TEST_F(QueueChanges, ThatRemoveAQueueGoAfterItWasStopped) {
  start_with_two_queues();
  const queues::ConfigChange remove{.remove = {"root.a"},
                                    .update = {{"root.b", {{"capacity", "100"}}}}};
  EXPECT_THAT(refusal(remove), HasSubstr("not yet in stopped state"));
  EXPECT_TRUE(change({.update = {{"root.a", {{"state", "STOPPED"}}}}}).get());
  EXPECT_EQ(refusal(remove), "accepted");
  EXPECT_THAT(queues_now(), ElementsAre("b"));
}

TEST_F(QueueChanges, OfManyAtOnceAllComeThroughOneAfterTheOther) {
  start_with_two_queues();
  std::vector<Awaited<QueueChangeOutcome>> answers;
  for (int i = 0; i < 10; ++i) {
    answers.push_back(change({.add = {{"root.n" + std::to_string(i), {{"capacity", "0"}}}}}));
  }
  for (const auto& answer : answers)
    EXPECT_TRUE(answer.get());
  EXPECT_EQ(version(), 11);
  EXPECT_EQ(queues_now().size(), 12u);
}

TEST_F(QueueChanges, DryRunsTellTheDifferenceAndWhatWouldHaveLessThanItUses) {
  start_with_two_queues();
  RegisterNode node;
  node.id = {"n1", 1};
  node.total = {10'240, 10};
  Awaited<NodeRegistered> registered;
  service->register_node(node, registered.taker());
  ASSERT_TRUE(registered.get());
  Submission job;
  job.id = service->new_application_id();
  job.queue = "a";
  job.am_resources = {2048, 1};
  Awaited<void> submitted;
  service->submit(caller, job, submitted.taker());
  ASSERT_TRUE(submitted.get());
  launcher.launched.get_future().wait();
  while (board.queues()->children[0].used.is_zero())  // sums are published now and then
    settle();
  const auto answer = change(
      {.update = {{"root.a", {{"capacity", "10"}}}, {"root.b", {{"capacity", "90"}}}}}, true);
  ASSERT_TRUE(answer.get()) << answer.get().error().message;
  EXPECT_EQ(answer.get()->diff.queues.size(), 2u);
  ASSERT_EQ(answer.get()->shrinks.size(), 1u);
  const QueueShrink& shrink = answer.get()->shrinks[0];
  EXPECT_EQ(shrink.queue, "root.a");
  EXPECT_EQ(shrink.used.memory_mb(), 2048);
  EXPECT_EQ(shrink.guaranteed.memory_mb(), 1024);
  EXPECT_FALSE(shrink.above_maximum);
  EXPECT_EQ(version(), 1) << "nothing has changed";
}

TEST_F(QueueChanges, ReachOrdersParallelApplicationsLabelsAndPreemption) {
  options.queues.store = QueueStore::kFile;
  core_options.preemption.enabled = true;
  start_with_two_queues();
  settle();
  EXPECT_FALSE(board.queues()->children[0].preemption_disabled);
  file[kPrefix + "root.a.ordering-policy"] = "fair";
  file[kPrefix + "root.a.max-parallel-apps"] = "3";
  file[kPrefix + "root.a.accessible-node-labels"] = "gpu";
  file[kPrefix + "root.a.default-node-label-expression"] = "gpu";
  file[kPrefix + "root.a.disable_preemption"] = "true";
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  EXPECT_TRUE(refresh.get());
  settle();
  const QueueReportPtr root = board.queues();
  const QueueReport& a = root->children[0];
  EXPECT_EQ(a.ordering_policy, "fair");
  EXPECT_EQ(a.max_parallel_apps, 3);
  EXPECT_THAT(a.labels, ElementsAre("gpu"));
  EXPECT_EQ(a.default_label, "gpu");
  EXPECT_TRUE(a.preemption_disabled);
}

TEST_F(QueueChanges, AreRefusedWhereTheFileRulesButForDryRuns) {
  options.queues.store = QueueStore::kFile;
  start_with_two_queues();
  EXPECT_EQ(refusal(kAddC), "Configuration change only supported by mutable configuration store.");
  EXPECT_TRUE(change(kAddC, true).get());
  EXPECT_EQ(version(), 1);
}

TEST_F(QueueChanges, OfTheFileAreVersionsToo) {
  options.queues.store = QueueStore::kFile;
  start_with_two_queues();
  file[kPrefix + "root.a.capacity"] = "30";
  file[kPrefix + "root.b.capacity"] = "70";
  for (int i = 0; i < 2; ++i) {
    Awaited<void> refresh;
    service->refresh_queues(caller, refresh.taker());
    EXPECT_TRUE(refresh.get());
  }
  EXPECT_EQ(version(), 2) << "an unchanged file is no new version";
  EXPECT_TRUE(service->queue_config().version.from_file);
}

TEST_F(QueueChanges, ARefreshDoesNotReadTheFileWhereTheStoreRules) {
  start_with_two_queues();
  ASSERT_TRUE(change(kAddC).get());
  file = {};
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  EXPECT_TRUE(refresh.get());
  EXPECT_EQ(version(), 2);
  EXPECT_THAT(queues_now(), ElementsAre("a", "b", "c"));
}

TEST_F(QueueChanges, AResetPutsTheFileIntoForceAgain) {
  start_with_two_queues();
  ASSERT_TRUE(change({.add = {{"root.c", {{"capacity", "0"}, {"state", "STOPPED"}}}}}).get());
  Awaited<void> reset;
  service->reset_queues(caller, reset.taker());
  EXPECT_TRUE(reset.get());
  EXPECT_EQ(version(), 3);
  EXPECT_THAT(queues_now(), ElementsAre("a", "b"));
}

TEST_F(QueueChanges, AGoodFileEndsTheFaultThatABrokenOneWas) {
  options.queues.store = QueueStore::kFile;
  options.queues.fault = "line 3";
  start_with_two_queues();
  EXPECT_EQ(service->queue_config().fault, "line 3");
  Awaited<void> refresh;
  service->refresh_queues(caller, refresh.taker());
  EXPECT_TRUE(refresh.get());
  EXPECT_EQ(service->queue_config().fault, "");
}

TEST_F(QueueChanges, AChangedFileIsReadWithoutAnybodyAsking) {
  options.queues.store = QueueStore::kFile;
  options.admins = security::Acl::parse(" ");
  start_with_two_queues();
  file[kPrefix + "maximum-applications"] = "77";
  Awaited<void> reloaded;
  service->reload_queues("the file has changed", reloaded.taker());
  EXPECT_TRUE(reloaded.get());
  EXPECT_EQ(service->queue_config().version.change, "the file has changed");
}

// --- rights --------------------------------------------------------------------------------------

TEST_F(QueueChanges, AreForAdministratorsOfTheClusterByDefault) {
  options.admins = security::Acl::parse("root");
  start_with_two_queues();
  EXPECT_EQ(refusal(kAddC), "User is not admin of all modified queues.");
  caller.user = "root";
  EXPECT_EQ(refusal(kAddC), "accepted");
}

TEST_F(QueueChanges, AreRefusedByAnotherTextWhereAccessListsAreOn) {
  options.admins = security::Acl::parse("root");
  options.acl_enabled = true;
  start_with_two_queues();
  EXPECT_EQ(refusal(kAddC), "Only admins can carry out this operation.");
}

TEST_F(QueueChanges, OfTheirQueuesAreForQueueAdministratorsWhereThePolicySaysSo) {
  options.admins = security::Acl::parse("root");
  options.queues.queue_admins_may_change = true;
  auto settings = two_queues();
  settings[kPrefix + "root.acl_administer_queue"] = " ";
  settings[kPrefix + "root.a.acl_administer_queue"] = "ann";
  options.queues.started.settings = std::make_shared<const QueueSettings>(settings);
  start(*parse(settings), std::make_unique<GatedStore>(disk));
  settle();
  const std::string no = "User is not admin of all modified queues.";
  EXPECT_EQ(refusal({.update = {{"root.a", {{"user-limit-factor", "2"}}}}}), "accepted");
  EXPECT_EQ(refusal({.update = {{"root.b", {{"user-limit-factor", "2"}}}}}), no);
  EXPECT_EQ(refusal({.update = {{"root.a", {}}, {"root.b", {}}}}), no);
  EXPECT_EQ(refusal({.add = {{"root.c", {{"capacity", "0"}}}}}), no);
  EXPECT_EQ(refusal({.global = {{"k", "v"}}}), no);
  EXPECT_EQ(refusal({.replace = two_queues()}), no);
  EXPECT_THAT(refusal({.add = {{"root.a.x", {{"capacity", "100"}}}}}),
              HasSubstr("Can not convert the leaf queue: root.a"))
      << "allowed, and then refused for another reason";
}

TEST_F(QueueChanges, SettingsAreReadByAdministratorsOnlyWhereAccessListsAreOn) {
  options.admins = security::Acl::parse("root");
  start_with_two_queues();
  Awaited<void> open;
  service->check_may_read_queues(caller, open.taker());
  EXPECT_TRUE(open.get());
  service->stop();
  options.acl_enabled = true;
  start_with_two_queues();
  Awaited<void> shut;
  service->check_may_read_queues(caller, shut.taker());
  EXPECT_FALSE(shut.get());
}

// --- what is kept --------------------------------------------------------------------------------

TEST_F(QueueChanges, AreThereAgainAfterARestart) {
  start_on_sqlite();
  ASSERT_TRUE(change(kAddC).get());
  service->stop();
  service.reset();
  auto store = open_sqlite_store(folder);
  const auto state = (*store)->load();
  ASSERT_TRUE(state) << state.error().message;
  ASSERT_TRUE(state->queues);
  EXPECT_EQ(state->queues->number, 2);
  EXPECT_EQ(state->queues->user, "ann");
  EXPECT_FALSE(state->queues->from_file);
  EXPECT_EQ(state->queues->settings->at(kPrefix + "root.queues"), "a,b,c");
}

TEST_F(QueueChanges, ThatWereCommittedAndNotYetAnsweredAreThereAfterACrash) {
  const std::string image = folder + "-image";
  auto opened = open_sqlite_store(folder);
  ASSERT_TRUE(opened);
  ASSERT_TRUE((*opened)->load());
  options.queues.save_started = true;
  start(*parse(two_queues()), std::make_unique<CrashingStore>(*std::move(opened), folder, image));
  ASSERT_TRUE(change(kAddC).get());
  // The image is of the moment between the commit and the answer.
  auto store = open_sqlite_store(image);
  ASSERT_TRUE(store) << store.error().message;
  const auto state = (*store)->load();
  ASSERT_TRUE(state && state->queues);
  EXPECT_EQ(state->queues->number, 2);
  EXPECT_EQ(state->queues->settings->at(kPrefix + "root.queues"), "a,b,c");
  fs::remove_all(image);
}

TEST_F(QueueChanges, ThatWereNotCommittedAreNotThereAfterACrash) {
  start_on_sqlite();
  EXPECT_NE(refusal({.remove = {"root.a"}}), "accepted");
  service->stop();
  service.reset();
  auto store = open_sqlite_store(folder);
  EXPECT_EQ((*store)->load()->queues->number, 1);
}

TEST_F(QueueChanges, AnEarlierVersionComesIntoForceAgainAsANewOne) {
  start_on_sqlite();
  ASSERT_TRUE(change({.add = {{"root.c", {{"capacity", "0"}, {"state", "STOPPED"}}}}}).get());
  QueueChange back;
  back.to_version = 1;
  Awaited<QueueChangeOutcome> answer;
  service->change_queues(caller, back, answer.taker());
  ASSERT_TRUE(answer.get()) << answer.get().error().message;
  EXPECT_EQ(version(), 3);
  EXPECT_EQ(*service->queue_config().version.settings, two_queues());
  EXPECT_EQ(service->queue_config().version.change, "roll back to version 1");
}

TEST_F(QueueChanges, AVersionThatIsNotKeptIsNamed) {
  start_on_sqlite();
  QueueChange back;
  back.to_version = 77;
  Awaited<QueueChangeOutcome> answer;
  service->change_queues(caller, back, answer.taker());
  ASSERT_FALSE(answer.get());
  EXPECT_EQ(answer.get().error().code, ErrorCode::kNotFound);
  EXPECT_THAT(answer.get().error().message, HasSubstr("version 77"));
}

TEST_F(QueueChanges, AreListedNewestFirstAndOldOnesAreDropped) {
  options.queues.versions_max = 3;
  start_on_sqlite();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(change({.global = {{"k", std::to_string(i)}}}).get());
  Awaited<std::vector<QueueVersion>> history;
  service->queue_history(caller, history.taker());
  ASSERT_TRUE(history.get());
  std::vector<std::int64_t> numbers;
  for (const QueueVersion& version : *history.get())
    numbers.push_back(version.number);
  EXPECT_THAT(numbers, ElementsAre(6, 5, 4));
}

TEST_F(QueueChanges, InMemoryCanBeRolledBackAndAreForgottenByARestart) {
  options.queues.store = QueueStore::kMemory;
  options.queues.started.from_file = true;
  start_on_sqlite();
  ASSERT_TRUE(change({.global = {{"k", "1"}}}).get());
  ASSERT_TRUE(change({.global = {{"k", "2"}}}).get());
  QueueChange back;
  back.to_version = 2;
  Awaited<QueueChangeOutcome> answer;
  service->change_queues(caller, back, answer.taker());
  ASSERT_TRUE(answer.get()) << answer.get().error().message;
  EXPECT_EQ(service->queue_config().version.settings->at("k"), "1");
  Awaited<std::vector<QueueVersion>> history;
  service->queue_history(caller, history.taker());
  EXPECT_EQ(history.get()->size(), 4u);
  service->stop();
  service.reset();
  auto store = open_sqlite_store(folder);
  EXPECT_EQ((*store)->load()->queues->number, 1);
}

// --- the settings of queues among all others -----------------------------------------------------

TEST(QueueSettingsOf, AreThoseOfTheFileAndOfQueuesElsewhereButNotOfTheCommandLine) {
  Settings settings;
  settings.set("yarn.scheduler.capacity.root.queues", {"a", "capacity-scheduler.xml:2", false});
  settings.set("some.other", {"1", "capacity-scheduler.xml:3", false});
  settings.set("yarn.scheduler.capacity.maximum-applications", {"5", "yarn-site.xml:9", false});
  settings.set("yarn.scheduler.capacity.node-locality-delay", {"40", "default", false});
  settings.set("yarn.scheduler.capacity.root.a.state", {"STOPPED", "command line", true});
  settings.set("yarn.acl.enable", {"true", "yarn-site.xml:1", false});
  const QueueSettings queues = queue_settings_of(settings);
  EXPECT_THAT(queues, testing::UnorderedElementsAre(
                          testing::Pair("yarn.scheduler.capacity.root.queues", "a"),
                          testing::Pair("some.other", "1"),
                          testing::Pair("yarn.scheduler.capacity.maximum-applications", "5")));
  const Settings merged = with_queue_settings(
      settings, {{"yarn.scheduler.capacity.root.queues", "b"}, {"yarn.acl.enable", "false"}},
      "version 3");
  EXPECT_EQ(merged.get("yarn.scheduler.capacity.root.queues"), "b");
  EXPECT_EQ(merged.get("yarn.scheduler.capacity.maximum-applications"), std::nullopt);
  EXPECT_EQ(merged.get("yarn.scheduler.capacity.root.a.state"), "STOPPED");
  EXPECT_EQ(merged.get("yarn.acl.enable"), "true") << "not what the store may say";
}

TEST(QueueSettingsOf, NoFileIsOneQueue) {
  EXPECT_EQ(queue_settings_of(Settings()).at("yarn.scheduler.capacity.root.queues"), "default");
}

struct StoreCase {
  const char* value;
  std::optional<QueueStore> store;
};

TEST(QueueOptionsFrom, KnowsTheStoresOfHadoop) {
  for (const StoreCase& c : {StoreCase{"file", QueueStore::kFile},
                             {"memory", QueueStore::kMemory},
                             {"leveldb", QueueStore::kKept},
                             {"zk", QueueStore::kKept},
                             {"fs", QueueStore::kKept},
                             {"etcd", std::nullopt}}) {
    Settings settings;
    settings.set("yarn.scheduler.configuration.store.class", {c.value, "test", false});
    const auto options = service_options_from(settings);
    ASSERT_EQ(options.has_value(), c.store.has_value()) << c.value;
    if (options) {
      EXPECT_EQ(options->queues.store, *c.store);
    } else {
      EXPECT_THAT(options.error().message, HasSubstr("'etcd': must be file, memory"));
    }
  }
}

struct MonitorCase {
  const char* enable;
  const char* policies;  // nullptr: not set
  bool preempts;
};

TEST(MonitorsFrom, PreemptionRunsWhereItsPolicyIsNamedAndMonitorsAreOn) {
  const std::string package = "org.apache.hadoop.yarn.server.resourcemanager.monitor.capacity.";
  const std::string own = package + "ProportionalCapacityPreemptionPolicy";
  const std::string other = package + "QueueConfigurationAutoRefreshPolicy";
  const std::string both = other + " , " + own;
  const std::string longer = own + "Twice";
  for (const MonitorCase& c : {MonitorCase{"true", nullptr, true},
                               {"false", nullptr, false},
                               {"true", own.c_str(), true},
                               {"false", own.c_str(), false},
                               {"true", other.c_str(), false},
                               {"true", both.c_str(), true},
                               {"true", longer.c_str(), false},
                               {"true", "", false}}) {
    Settings settings;
    const std::string prefix = "yarn.resourcemanager.scheduler.monitor.";
    settings.set(prefix + "enable", {c.enable, "test", false});
    if (c.policies != nullptr) settings.set(prefix + "policies", {c.policies, "test", false});
    const auto options = core_options_from(settings, ResourceTypes{});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->preemption.enabled, c.preempts)
        << c.enable << " " << (c.policies != nullptr ? c.policies : "(unset)");
  }
}

TEST(MonitorsFrom, OurOwnPropertySwitchesPreemptionOnByItself) {
  Settings settings;
  settings.set("heddle.preemption.time-to-guarantee", {"10s", "test", false});
  EXPECT_TRUE(core_options_from(settings, ResourceTypes{})->preemption.enabled);
}

TEST(QueueOptionsFrom, KnowsThePoliciesOfHadoop) {
  const std::string package = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.";
  Settings settings;
  settings.set("yarn.scheduler.configuration.mutation.acl-policy.class",
               {package + "capacity.conf.QueueAdminConfigurationMutationACLPolicy", "test", false});
  EXPECT_TRUE(service_options_from(settings)->queues.queue_admins_may_change);
  EXPECT_FALSE(service_options_from(Settings())->queues.queue_admins_may_change);
  Settings wrong;
  wrong.set("yarn.scheduler.configuration.mutation.acl-policy.class", {"Mine", "test", false});
  EXPECT_THAT(service_options_from(wrong).error().message, HasSubstr("'Mine': must end with"));
}

}  // namespace
}  // namespace heddle::rm
