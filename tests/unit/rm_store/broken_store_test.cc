// The SQLite store: what is broken is refused by name, and a full or failing disk loses nothing.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "rm/store/sqlite.h"
#include "tests/unit/rm_store/store_fixture.h"

namespace heddle::rm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST_F(SqliteStore, SecondOpenIsRefusedNamingTheHolder) {
  const auto holder = open();
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  EXPECT_EQ(refusal(), "state folder " + folder + " is in use: locked by pid " +
                           std::to_string(::getpid()) + " on host " + host.data());
}

TEST_F(SqliteStore, IsFreeAgainOnceClosed) {
  open();
  EXPECT_NE(open(), nullptr);
}

TEST_F(SqliteStore, FileCutToNothingIsRefused) {
  commit({save_app()});
  fs::resize_file(path(), 0);
  fs::remove(path() + "-wal");
  EXPECT_THAT(refusal(), HasSubstr(path() + " is empty: it was cut off. Restore a backup"));
}

TEST_F(SqliteStore, FileOfAnotherProgramIsRefused) {
  commit({save_app()});
  overwrite(68, "\x12\x34\x56\x78");
  EXPECT_THAT(refusal(), HasSubstr(path() + " is not a state database of Heddle (application_id "
                                            "0x12345678); move it away"));
}

TEST_F(SqliteStore, FileOfAnotherProgramIsLeftAsItIs) {
  {
    auto other = Database::open(path());
    ASSERT_TRUE(other);
    ASSERT_TRUE(other->execute("PRAGMA application_id=7; CREATE TABLE t (x)"));
  }
  const auto bytes = [&] {
    std::ifstream file(path(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string before = bytes();
  EXPECT_THAT(refusal(), HasSubstr("is not a state database of Heddle"));
  EXPECT_EQ(bytes(), before);
  EXPECT_FALSE(fs::exists(path() + "-wal"));
}

TEST_F(SqliteStore, FileOfANewerVersionIsRefused) {
  commit({save_app()});
  overwrite(60, std::string("\0\0\0\x63", 4));
  EXPECT_THAT(refusal(), HasSubstr(path() + " has format version 99, this program knows 1"));
}

TEST_F(SqliteStore, GarbageIsRefusedAndLeftAsItIs) {
  { std::ofstream(path()) << std::string(8192, 'x'); }
  EXPECT_THAT(refusal(), HasSubstr("is damaged (file is not a database). Restore a backup"));
  EXPECT_EQ(fs::file_size(path()), 8192u);
}

TEST_F(SqliteStore, RandomPageIsRefusedAtOpenOrAtLoad) {
  std::vector<Record> many;
  for (int i = 1; i <= 200; ++i)
    many.emplace_back(save_app(i));
  commit(many);
  open();  // folds the log into the file
  for (std::uintmax_t page = 4096; page + 4096 <= fs::file_size(path()); page += 4096) {
    overwrite(static_cast<std::streamoff>(page), std::string(4096, '\x5a'));
  }
  auto store = open_sqlite_store(folder);
  const std::string message = [&] {
    if (!store) return store.error().message;
    const auto state = (*store)->load();
    return state ? "(loaded)" : state.error().message;
  }();
  EXPECT_THAT(message, HasSubstr("is damaged"));
  EXPECT_THAT(message, HasSubstr(path()));
}

TEST_F(SqliteStore, FolderThatIsNotThereIsNamed) {
  folder += "/nowhere";
  EXPECT_EQ(refusal(), folder + "/lock: No such file or directory");
}

TEST_F(SqliteStore, ReadOnlyFolderIsNamed) {
  if (::geteuid() == 0) {
    // Root may write anywhere, but not replace a link by a file.
    fs::create_symlink("/nonexistent", folder + "/lock");
    EXPECT_THAT(refusal(), HasSubstr(folder + "/lock: "));
    return;
  }
  ::chmod(folder.c_str(), 0500);
  EXPECT_EQ(refusal(), folder + "/lock: Permission denied");
  ::chmod(folder.c_str(), 0700);
}

TEST_F(SqliteStore, KilledWriterLosesNothingThatItAnswered) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(pipe_ends[0]);
    auto store = open_sqlite_store(folder);
    if (!store || !(*store)->load()) ::_exit(1);
    for (std::int32_t sequence = 1;; ++sequence) {
      const Record records[] = {save_app(sequence)};
      if (!(*store)->commit(records)) ::_exit(2);
      if (::write(pipe_ends[1], &sequence, sizeof sequence) != sizeof sequence) ::_exit(3);
    }
  }
  ::close(pipe_ends[1]);
  std::int32_t answered = 0;
  while (answered < 50 && ::read(pipe_ends[0], &answered, sizeof answered) == sizeof answered) {
  }
  ::kill(child, SIGKILL);
  std::int32_t late = 0;
  while (::read(pipe_ends[0], &late, sizeof late) == sizeof late)
    answered = late;
  ::close(pipe_ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
  const StoredState state = load();
  ASSERT_GE(state.apps.size(), static_cast<std::size_t>(answered));
  EXPECT_LE(state.apps.size(), static_cast<std::size_t>(answered) + 1);
  for (std::size_t i = 0; i < state.apps.size(); ++i) {
    EXPECT_EQ(state.apps[i].app.submission->id.sequence, static_cast<std::int32_t>(i) + 1);
  }
}

TEST_F(SqliteStore, FullDatabaseMayPassAndLeavesTheHandleUsable) {
  auto database = Database::open(path());
  ASSERT_TRUE(database);
  ASSERT_TRUE(database->execute("PRAGMA journal_mode=WAL; CREATE TABLE t (x BLOB)"));
  ASSERT_TRUE(database->execute("PRAGMA max_page_count=16"));
  ASSERT_TRUE(database->execute("BEGIN IMMEDIATE"));
  const auto stored = database->execute("INSERT INTO t VALUES (zeroblob(1000000))");
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(stored.error().message, HasSubstr("state store is full: " + path()));
  EXPECT_THAT(stored.error().message, HasSubstr("bytes free"));
  EXPECT_TRUE(database->roll_back());
  EXPECT_TRUE(database->roll_back()) << "twice is once";
  EXPECT_TRUE(database->execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1); COMMIT"));
}

TEST(NetworkFilesystem, IsKnownByItsType) {
  EXPECT_EQ(network_filesystem(0x6969), "NFS");
  EXPECT_EQ(network_filesystem(static_cast<std::int32_t>(0xFF534D42U)), "SMB");
  EXPECT_EQ(network_filesystem(0xEF53), "") << "ext4";
}

/// Runs the body in a child, so that what it does to the process ends with it.
int exit_code_of(const std::function<int()>& body) {
  const ::pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/// Submissions with a large launch context, until one is refused; "" if none is.
std::string refusal_when_full(Store& store) {
  SaveApp big = save_app();
  auto wanted = std::make_shared<Submission>(*big.submission);
  wanted->launch = std::make_shared<const std::string>(100'000, 'x');
  for (std::int32_t i = 1; i <= 100; ++i) {
    wanted = std::make_shared<Submission>(*wanted);
    wanted->id.sequence = i;
    big.submission = wanted;
    const auto committed = store.commit(std::vector<Record>{big});
    if (committed) continue;
    return committed.error().code == ErrorCode::kUnavailable ? committed.error().message
                                                             : "not kUnavailable";
  }
  return "";
}

bool forget_all_and_commit(Store& store) {
  std::vector<Record> records;
  for (std::int32_t i = 1; i <= 100; ++i)
    records.push_back(ForgetApp{{1'700'000'000'000, i}});
  return store.commit(records) && store.commit(std::vector<Record>{save_app()});
}

TEST_F(SqliteStore, LimitOfTheProcessOnFilesIsAFullDiskAndPasses) {
  const int code = exit_code_of([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    auto store = open();
    if (!store->load()) return 1;
    const ::rlimit little{1U << 20U, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &little) != 0) return 2;
    const std::string refused = refusal_when_full(*store);
    if (!refused.starts_with("state store is full: " + path() + ", ")) return 3;
    if (refused.find(" bytes free, but: File too large; make room") == refused.npos) return 4;
    const ::rlimit much{RLIM_INFINITY, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &much) != 0) return 5;
    return forget_all_and_commit(*store) ? 0 : 6;
  });
  EXPECT_EQ(code, 0);
}

/// A file system of 1 MiB of one's own: as root, or as root of a user namespace.
bool mount_small(const std::string& at) {
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  return ::mount("none", at.c_str(), "tmpfs", 0, "size=1m") == 0;
}

TEST_F(SqliteStore, FullDiskIsToldWithPathAndRoomAndPasses) {
  const int code = exit_code_of([&] {
    const bool small = mount_small(folder);
    if (!small) {  // no right to mount: the other way to run out of room
      ::signal(SIGXFSZ, SIG_IGN);
      const ::rlimit little{1U << 20U, 1U << 20U};
      if (::setrlimit(RLIMIT_FSIZE, &little) != 0) return 1;
    }
    auto store = open();
    if (!store || !store->load()) return 2;
    const std::string refused = refusal_when_full(*store);
    if (!refused.starts_with("state store is full: " + path() + ", ")) return 3;
    if (refused.find(" bytes free") == refused.npos) return 4;
    if (small && ::mount("none", folder.c_str(), "tmpfs", MS_REMOUNT, "size=64m") != 0) return 5;
    if (!small) return 0;
    return forget_all_and_commit(*store) ? 0 : 6;
  });
  EXPECT_EQ(code, 0);
}

/// The default file system layer, with an fsync that fails while `broken` is set.
struct BrokenSync {
  static inline bool broken = false;
  static inline const sqlite3_io_methods* real = nullptr;
  static int sync(sqlite3_file* file, int flags) {
    return broken ? SQLITE_IOERR_FSYNC : real->xSync(file, flags);
  }
  static int open(sqlite3_vfs* layer, const char* name, sqlite3_file* file, int flags, int* out) {
    auto* below = static_cast<sqlite3_vfs*>(layer->pAppData);
    const int code = below->xOpen(below, name, file, flags, out);
    if (code != SQLITE_OK || file->pMethods == nullptr) return code;
    static std::map<const sqlite3_io_methods*, sqlite3_io_methods> wrapped;
    real = file->pMethods;  // there are several kinds; they share their sync
    sqlite3_io_methods& methods = wrapped[real];
    methods = *real;
    methods.xSync = sync;
    file->pMethods = &methods;
    return code;
  }
  BrokenSync() {
    below_ = sqlite3_vfs_find(nullptr);
    layer_ = *below_;
    layer_.zName = "broken-sync";
    layer_.pAppData = below_;
    layer_.xOpen = open;
    sqlite3_vfs_register(&layer_, 1);
  }
  ~BrokenSync() {
    broken = false;
    sqlite3_vfs_unregister(&layer_);
    sqlite3_vfs_register(below_, 1);
  }

 private:
  sqlite3_vfs* below_ = nullptr;
  sqlite3_vfs layer_{};
};

TEST_F(SqliteStore, FsyncThatFailsIsFatalAndWhatWasAcknowledgedBeforeIsThere) {
  {
    const BrokenSync layer;
    auto store = open();
    ASSERT_TRUE(store->load());
    ASSERT_TRUE(store->commit(std::vector<Record>{save_app(1)}));
    BrokenSync::broken = true;
    const auto committed = store->commit(std::vector<Record>{save_app(2)});
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code, ErrorCode::kInternal);
    EXPECT_THAT(committed.error().message, HasSubstr("state store " + path()));
  }
  const StoredState state = load();
  ASSERT_GE(state.apps.size(), 1U);
  EXPECT_EQ(state.apps[0].app.submission->id.sequence, 1);
}

}  // namespace
}  // namespace heddle::rm
