#include "nodemanager/store/store.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

namespace heddle::nm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr AppId kApp{1795310003435, 12};

ContainerId container(std::int64_t number) {
  return {{kApp, 1}, number};
}

class NodeStoreTest : public testing::Test {
 protected:
  NodeStoreTest() {
    std::string name = testing::TempDir() + "nodestoreXXXXXX";
    folder_ = mkdtemp(name.data());
    store_ = open();
  }
  ~NodeStoreTest() override {
    store_.reset();
    fs::remove_all(folder_);
  }
  std::unique_ptr<NodeStore> open() {
    auto opened = open_node_store(folder_);
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  StoredNode reopened() {
    store_.reset();
    store_ = open();
    auto loaded = store_->load();
    EXPECT_TRUE(loaded) << loaded.error().message;
    return *std::move(loaded);
  }
  std::string path() const { return folder_ + "/state.db"; }
  std::string why_not_open() {
    const auto opened = open_node_store(folder_);
    return opened ? "it opened" : opened.error().message;
  }
  /// Bytes of the file's header, where SQLite keeps the numbers that tell whose file it is.
  void overwrite(std::streamoff at, const std::string& bytes) {
    store_.reset();
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << bytes;
  }

  std::string folder_;
  std::unique_ptr<NodeStore> store_;
};

TEST_F(NodeStoreTest, KeepsAnApplicationWithAllThatItsLogsNeed) {
  const LogRules rules{"std.*", ".*secret", "a.b.SomePolicy", "x=1"};
  ASSERT_TRUE(store_->save_app({kApp, "alice", "bob", "carol ops", rules, {}}));
  const StoredNode node = reopened();
  ASSERT_EQ(node.apps.size(), 1U);
  const StoredApp& app = node.apps[0];
  EXPECT_EQ(app.id, kApp);
  EXPECT_EQ(app.user, "alice");
  EXPECT_EQ(app.view_acl, "bob");
  EXPECT_EQ(app.modify_acl, "carol ops");
  EXPECT_EQ(app.log_rules.include_pattern, "std.*");
  EXPECT_EQ(app.log_rules.exclude_pattern, ".*secret");
  EXPECT_EQ(app.log_rules.policy_class, "a.b.SomePolicy");
  EXPECT_EQ(app.log_rules.policy_parameters, "x=1");
}

TEST_F(NodeStoreTest, TellsContainersThatRanFromThoseThatEnded) {
  ASSERT_TRUE(store_->save_app({kApp, "alice", "", "", {}, {}}));
  ASSERT_TRUE(store_->save_container(container(1), true));
  ASSERT_TRUE(store_->save_container(container(2), false));
  ASSERT_TRUE(store_->save_container({{kApp, 2}, (std::int64_t{1} << 40) + 3}, false));
  ASSERT_TRUE(store_->container_ended(container(2), -105));
  ASSERT_TRUE(store_->container_forgotten(container(2)));
  const StoredNode node = reopened();
  const auto& containers = node.apps.at(0).containers;
  ASSERT_EQ(containers.size(), 3U);
  EXPECT_EQ(containers[0].id, container(1));
  EXPECT_TRUE(containers[0].is_master);
  EXPECT_FALSE(containers[0].exit_status);
  EXPECT_FALSE(containers[0].forgotten);
  EXPECT_EQ(containers[1].exit_status, -105);
  EXPECT_TRUE(containers[1].forgotten);
  EXPECT_EQ(to_string(containers[2].id), "container_e01_1795310003435_0012_02_000003");
}

TEST_F(NodeStoreTest, AFinishedApplicationTakesEverythingWithIt) {
  ASSERT_TRUE(store_->save_app({kApp, "alice", "", "", {}, {}}));
  ASSERT_TRUE(store_->save_container(container(1), true));
  ASSERT_TRUE(store_->save_shuffle_job({kApp, "alice", security::Secret("hidden")}));
  ASSERT_TRUE(store_->forget_app(kApp));
  const StoredNode node = reopened();
  EXPECT_TRUE(node.apps.empty());
  EXPECT_TRUE(node.shuffle_jobs.empty());
}

TEST_F(NodeStoreTest, AJobKeepsItsSecretByteForByte) {
  const std::string secret("\0\xff\n8 bytes", 10);
  ASSERT_TRUE(store_->save_app({kApp, "alice", "", "", {}, {}}));
  ASSERT_TRUE(store_->save_shuffle_job({kApp, "alice", security::Secret(secret)}));
  const StoredNode node = reopened();
  ASSERT_EQ(node.shuffle_jobs.size(), 1U);
  EXPECT_EQ(node.shuffle_jobs[0].app, kApp);
  EXPECT_EQ(node.shuffle_jobs[0].user, "alice");
  EXPECT_TRUE(node.shuffle_jobs[0].secret.equals(secret));
  ASSERT_TRUE(store_->forget_shuffle_job(kApp));
  EXPECT_TRUE(reopened().shuffle_jobs.empty());
}

TEST_F(NodeStoreTest, AJobOfNoApplicationIsRefused) {
  EXPECT_FALSE(store_->save_shuffle_job({kApp, "alice", security::Secret("x")}));
}

TEST_F(NodeStoreTest, SavingAgainReplaces) {
  ASSERT_TRUE(store_->save_app({kApp, "alice", "one", "", {}, {}}));
  ASSERT_TRUE(store_->save_container(container(1), true));
  ASSERT_TRUE(store_->save_app({kApp, "alice", "two", "", {}, {}}));
  ASSERT_TRUE(store_->save_port("a.port", 1));
  ASSERT_TRUE(store_->save_port("a.port", 65535));
  const StoredNode node = reopened();
  EXPECT_EQ(node.apps.at(0).view_acl, "two");
  EXPECT_EQ(node.apps.at(0).containers.size(), 1U) << "its containers stay";
  EXPECT_EQ(node.ports.at("a.port"), 65535);
}

TEST_F(NodeStoreTest, NobodyElseMayReadTheSecrets) {
  for (const auto& entry : fs::directory_iterator(folder_)) {
    EXPECT_EQ(entry.status().permissions() & fs::perms::mask, fs::perms(0600)) << entry.path();
  }
}

TEST_F(NodeStoreTest, ASecondAgentOnTheSameFolderIsRefused) {
  EXPECT_THAT(why_not_open(), HasSubstr(path() + " is in use by another process"));
}

TEST_F(NodeStoreTest, AFileThatIsNotOursOrNotWholeIsRefusedAndNamed) {
  struct Row {
    const char* name;
    std::function<void()> spoil;
    const char* message;
  };
  const Row table[] = {
      {"other application", [&] { overwrite(68, "Heth"); }, "is not the state of an agent"},
      {"newer version", [&] { overwrite(60, std::string("\0\0\0\x63", 4)); },
       "has format version 99, this program knows 1"},
      {"no database", [&] { overwrite(0, "hello, world, hello"); }, "is damaged"},
      {"random page", [&] { overwrite(4096, std::string(4096, '\x5a')); }, "is damaged"},
      {"cut off",
       [&] {
         store_.reset();
         fs::resize_file(path(), 0);
       },
       "is empty: it was cut off"},
  };
  for (const Row& row : table) {
    store_.reset();
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    store_ = open();
    ASSERT_TRUE(store_->save_app({kApp, "alice", "", "", {}, {}}));
    row.spoil();
    auto opened = open_node_store(folder_);
    std::string message = opened ? "" : opened.error().message;
    if (opened) {  // what the opening does not look at, loading does
      const auto loaded = (*opened)->load();
      message = loaded ? "it was loaded" : loaded.error().message;
    }
    EXPECT_THAT(message, HasSubstr(row.message)) << row.name;
    EXPECT_THAT(message, HasSubstr(path())) << row.name;
  }
}

}  // namespace
}  // namespace heddle::nm
