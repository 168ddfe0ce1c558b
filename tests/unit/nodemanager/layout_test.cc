#include "nodemanager/launch/layout.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "nodemanager/launch/process.h"
#include "nodemanager/launch/process_tree.h"
#include "tests/unit/nodemanager/node_fixture.h"

namespace heddle::nm {
namespace {

using testing::ElementsAre;

TEST(RemoveTree, ATreeDeeperThanThereAreDescriptorsCouldNotBeRemoved) {
  const TempDir dir;
  const std::string root = dir.path() + "/root";
  ASSERT_EQ(mkdir(root.c_str(), 0700), 0);
  int at = open(root.c_str(), O_RDONLY | O_DIRECTORY);
  for (int depth = 0; depth < 5000; ++depth) {
    ASSERT_EQ(mkdirat(at, "d", 0700), 0) << depth;
    close(openat(at, "f", O_WRONLY | O_CREAT, 0400));
    const int next = openat(at, "d", O_RDONLY | O_DIRECTORY);
    ASSERT_GE(next, 0);
    fchmod(at, 0500);  // as containers leave them
    close(at);
    at = next;
  }
  close(at);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{100, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto removed = remove_tree(root);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(std::filesystem::exists(root));
}

TEST(RemoveTree, FollowsNoLinkAndTakesWhatIsNotThereForRemoved) {
  const TempDir dir;
  const std::string root = dir.path() + "/root";
  std::filesystem::create_directories(root + "/a");
  std::ofstream(dir.path() + "/kept") << "x";
  std::filesystem::create_symlink(dir.path(), root + "/a/link");
  EXPECT_TRUE(remove_tree(root));
  EXPECT_TRUE(std::filesystem::exists(dir.path() + "/kept"));
  EXPECT_TRUE(remove_tree(root));
}

TEST(ReadNumberFile, APipeInItsPlaceHeldUpTheAgent) {
  const TempDir dir;
  const std::string path = dir.path() + "/pid";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(read_number_file(path));
}

ProcessInfo process(pid_t pid, pid_t parent, pid_t session) {
  ProcessInfo info;
  info.pid = pid;
  info.parent = parent;
  info.session = session;
  return info;
}

std::vector<pid_t> pids_of(const std::vector<ProcessInfo>& tree) {
  std::vector<pid_t> pids;
  pids.reserve(tree.size());
  for (const ProcessInfo& info : tree)
    pids.push_back(info.pid);
  return pids;
}

TEST(ProcessTable, ATreeIsTheRootItsSessionAndAllTheirDescendants) {
  const ProcessTable table({process(1, 0, 1), process(50, 1, 40), process(40, 2, 40),
                            process(41, 40, 40), process(42, 41, 42), process(43, 42, 42),
                            process(60, 1, 60), process(51, 50, 51)});
  EXPECT_THAT(pids_of(table.tree(40)), ElementsAre(40, 50, 41, 51, 42, 43));
  EXPECT_TRUE(table.tree(99).empty());
}

TEST(ProcessTable, AProcessThatIsItsOwnParentEndsTheWalk) {
  const ProcessTable table({process(7, 8, 7), process(8, 7, 7)});
  EXPECT_THAT(pids_of(table.tree(7)), ElementsAre(7, 8));
}

}  // namespace
}  // namespace heddle::nm
