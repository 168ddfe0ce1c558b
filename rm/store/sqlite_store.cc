// The store on SQLite: WAL, synchronous FULL, one connection, one writer.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "base/text.h"
#include "rm/store/label_rows.h"
#include "rm/store/reservation_rows.h"
#include "rm/store/sqlite.h"
#include "rm/store/store.h"
#include "rm/store/submission_json.h"

namespace heddle::rm {
namespace {

constexpr std::int64_t kApplicationId = 0x4865646C;  // "Hedl"
constexpr std::int64_t kVersion = 1;

constexpr const char* kSchema = R"(
CREATE TABLE app (
  cluster INTEGER NOT NULL, sequence INTEGER NOT NULL,
  user TEXT NOT NULL, queue TEXT NOT NULL, priority INTEGER NOT NULL,
  submitted_ms INTEGER NOT NULL, lifetime_ms INTEGER NOT NULL,
  submission TEXT NOT NULL, launch BLOB,
  end_state INTEGER, final_status INTEGER, diagnostics TEXT, tracking_url TEXT,
  launched_ms INTEGER, finished_ms INTEGER, seconds TEXT,
  PRIMARY KEY (cluster, sequence)) WITHOUT ROWID;
CREATE TABLE attempt (
  cluster INTEGER NOT NULL, sequence INTEGER NOT NULL, number INTEGER NOT NULL,
  container INTEGER, node_host TEXT NOT NULL, node_port INTEGER NOT NULL, node_http TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  end_state INTEGER, final_status INTEGER, tracking_url TEXT, diagnostics TEXT,
  host TEXT, rpc_port INTEGER, exit_status INTEGER, finished_ms INTEGER,
  PRIMARY KEY (cluster, sequence, number)) WITHOUT ROWID;
CREATE TABLE token_key (slot TEXT PRIMARY KEY, id INTEGER NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
)";

// Came after the first databases were made, and older programs leave it alone: no new version.
constexpr const char* kLaterTables = R"(
CREATE TABLE IF NOT EXISTS queue_config (
  version INTEGER PRIMARY KEY, since_ms INTEGER NOT NULL, user TEXT NOT NULL,
  change TEXT NOT NULL, from_file INTEGER NOT NULL, settings TEXT NOT NULL);
)";

// Written into the file: only into one that is ours.
constexpr const char* kWriteAhead = "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=1000";

/// Holds `<folder>/lock` for the life of the process; the file names the holder.
class FolderLock {
 public:
  FolderLock() = default;
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  static Result<FolderLock> take(const std::string& folder) {
    const std::string path = folder + "/lock";
    FolderLock lock;
    lock.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock.descriptor_ < 0) {
      return fail(ErrorCode::kInternal, fmt::format("{}: {}", path, std::strerror(errno)));
    }
    std::array<char, 300> holder{};
    if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const auto got = ::read(lock.descriptor_, holder.data(), holder.size() - 1);
      return fail(ErrorCode::kUnavailable,
                  fmt::format("state folder {} is in use: locked by pid {}", folder,
                              got > 0 ? std::string(trim(holder.data())) : "unknown"));
    }
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    const std::string self = fmt::format("{} on host {}\n", ::getpid(), host.data());
    if (::ftruncate(lock.descriptor_, 0) != 0 ||
        ::write(lock.descriptor_, self.data(), self.size()) < 0) {
      return fail(ErrorCode::kInternal, fmt::format("{}: {}", path, std::strerror(errno)));
    }
    return lock;
  }

 private:
  int descriptor_ = -1;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(Database database, FolderLock lock)
      : lock_(std::move(lock)), database_(std::move(database)) {}

  Result<void> prepare();
  Result<StoredState> load() override;
  Result<void> commit(std::span<const Record> records) override;
  Result<std::vector<QueueVersion>> queue_versions() override;
  Result<QueueVersion> queue_version(std::int64_t number) override;
  std::string name() const override { return "SQLiteStore"; }

 private:
  Result<void> apply(const Record& record);
  Result<void> apply(const SaveApp& record);
  Result<void> apply(const UpdateApp& record);
  Result<void> apply(const SaveAttempt& record);
  Result<void> apply(const FinishAttempt& record);
  Result<void> apply(const FinishApp& record);
  Result<void> apply(const ForgetApp& record);
  Result<void> apply(const SaveKeys& record);
  Result<void> apply(const LabelChange& record) { return label_rows_.apply(record); }
  Result<void> apply(const AttributeChange& record) { return label_rows_.apply(record); }
  Result<void> apply(const SaveQueues& record);
  Result<void> apply(const SaveReservation& record) { return reservation_rows_.apply(record); }
  Result<void> apply(const DropReservation& record) { return reservation_rows_.apply(record); }
  Result<void> load_apps(std::map<AppId, StoredApp>& apps);
  Result<void> load_attempts(std::map<AppId, StoredApp>& apps);
  Result<void> load_keys(StoredState& state);
  Result<void> load_queues(StoredState& state);

  FolderLock lock_;
  Database database_;
  Statement save_app_, update_app_, save_attempt_, finish_attempt_, finish_app_, forget_app_,
      forget_attempts_, save_key_, drop_key_, save_queues_, drop_queues_;
  LabelRows label_rows_;
  ReservationRows reservation_rows_;
};

Result<void> SqliteStore::prepare() {
  const std::pair<Statement*, std::string_view> statements[] = {
      {&save_app_,
       "INSERT OR REPLACE INTO app (cluster, sequence, user, queue, priority, "
       "submitted_ms, lifetime_ms, submission, launch) VALUES (?,?,?,?,?,?,?,?,?)"},
      {&update_app_,
       "UPDATE app SET queue=?, priority=?, lifetime_ms=? WHERE cluster=? AND sequence=?"},
      {&save_attempt_,
       "INSERT OR REPLACE INTO attempt (cluster, sequence, number, container, "
       "node_host, node_port, node_http, started_ms) VALUES (?,?,?,?,?,?,?,?)"},
      {&finish_attempt_,
       "INSERT INTO attempt (cluster, sequence, number, node_host, node_port, node_http, "
       "started_ms, end_state, final_status, tracking_url, diagnostics, host, rpc_port, "
       "exit_status, finished_ms) VALUES (?1,?2,?3,'',0,'',?11,?4,?5,?6,?7,?8,?9,?10,?11) "
       "ON CONFLICT DO UPDATE SET end_state=?4, final_status=?5, tracking_url=?6, diagnostics=?7, "
       "host=?8, rpc_port=?9, exit_status=?10, finished_ms=?11"},
      {&finish_app_,
       "UPDATE app SET end_state=?, final_status=?, diagnostics=?, tracking_url=?, "
       "launched_ms=?, finished_ms=?, seconds=?, launch=NULL "
       "WHERE cluster=? AND sequence=?"},
      {&forget_app_, "DELETE FROM app WHERE cluster=? AND sequence=?"},
      {&forget_attempts_, "DELETE FROM attempt WHERE cluster=? AND sequence=?"},
      {&save_key_, "INSERT OR REPLACE INTO token_key (slot, id, bytes) VALUES (?,?,?)"},
      {&drop_key_, "DELETE FROM token_key WHERE slot=?"},
      {&save_queues_,
       "INSERT OR REPLACE INTO queue_config (version, since_ms, user, change, from_file, settings) "
       "VALUES (?,?,?,?,?,?)"},
      {&drop_queues_, "DELETE FROM queue_config WHERE version <= ?"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = database_.prepare(sql);
    if (!prepared) return fail(prepared.error());
    *statement = *std::move(prepared);
  }
  RETURN_IF_ERROR(label_rows_.prepare(database_));
  return reservation_rows_.prepare(database_);
}

Result<void> SqliteStore::commit(std::span<const Record> records) {
  RETURN_IF_ERROR(database_.execute("BEGIN IMMEDIATE"));
  for (const Record& record : records) {
    if (auto applied = apply(record); !applied) {
      const auto rolled_back = database_.roll_back();
      if (!rolled_back) return fail(rolled_back.error());
      return applied;
    }
  }
  if (auto committed = database_.execute("COMMIT"); !committed) {
    const auto rolled_back = database_.roll_back();
    if (!rolled_back) return fail(rolled_back.error());
    return committed;
  }
  return {};
}

Result<void> SqliteStore::apply(const Record& record) {
  return std::visit([this](const auto& one) { return apply(one); }, record);
}

Result<void> SqliteStore::apply(const SaveApp& record) {
  const Submission& submission = *record.submission;
  save_app_.bind(1, submission.id.cluster_start_ms)
      .bind(2, std::int64_t{submission.id.sequence})
      .bind(3, record.user)
      .bind(4, record.queue)
      .bind(5, std::int64_t{record.priority})
      .bind(6, record.submitted.ms)
      .bind(7, record.lifetime_expiry.ms)
      .bind(8, to_json(submission));
  if (submission.launch) save_app_.bind_blob(9, *submission.launch);
  return save_app_.run();
}

Result<void> SqliteStore::apply(const UpdateApp& record) {
  return update_app_.bind(1, record.queue)
      .bind(2, std::int64_t{record.priority})
      .bind(3, record.lifetime_expiry.ms)
      .bind(4, record.id.cluster_start_ms)
      .bind(5, std::int64_t{record.id.sequence})
      .run();
}

Result<void> SqliteStore::apply(const SaveAttempt& record) {
  save_attempt_.bind(1, record.id.app.cluster_start_ms)
      .bind(2, std::int64_t{record.id.app.sequence})
      .bind(3, std::int64_t{record.id.number})
      .bind(5, record.master_node.host)
      .bind(6, std::int64_t{record.master_node.port})
      .bind(7, record.master_node_http)
      .bind(8, record.started.ms);
  if (record.master_container) save_attempt_.bind(4, record.master_container->id);
  return save_attempt_.run();
}

Result<void> SqliteStore::apply(const FinishAttempt& record) {
  return finish_attempt_.bind(1, record.id.app.cluster_start_ms)
      .bind(2, std::int64_t{record.id.app.sequence})
      .bind(3, std::int64_t{record.id.number})
      .bind(4, static_cast<std::int64_t>(record.state))
      .bind(5, static_cast<std::int64_t>(record.final_status))
      .bind(6, record.tracking_url)
      .bind(7, record.diagnostics)
      .bind(8, record.host)
      .bind(9, std::int64_t{record.rpc_port})
      .bind(10, std::int64_t{record.exit_status})
      .bind(11, record.finished.ms)
      .run();
}

Result<void> SqliteStore::apply(const FinishApp& record) {
  return finish_app_.bind(1, static_cast<std::int64_t>(record.state))
      .bind(2, static_cast<std::int64_t>(record.final_status))
      .bind(3, record.diagnostics)
      .bind(4, record.tracking_url)
      .bind(5, record.launched.ms)
      .bind(6, record.finished.ms)
      .bind(7, to_json(record.seconds))
      .bind(8, record.id.cluster_start_ms)
      .bind(9, std::int64_t{record.id.sequence})
      .run();
}

Result<void> SqliteStore::apply(const ForgetApp& record) {
  for (Statement* statement : {&forget_attempts_, &forget_app_}) {
    RETURN_IF_ERROR(statement->bind(1, record.id.cluster_start_ms)
                        .bind(2, std::int64_t{record.id.sequence})
                        .run());
  }
  return {};
}

Result<void> SqliteStore::apply(const SaveKeys& record) {
  const auto save = [&](std::string_view slot, const security::MasterKey& key) {
    return save_key_.bind(1, slot)
        .bind(2, std::int64_t{key.id})
        .bind_blob(3, key.bytes.reveal_bytes())
        .run();
  };
  RETURN_IF_ERROR(save("amrm.current", record.amrm_current));
  if (record.amrm_next) return save("amrm.next", *record.amrm_next);
  return drop_key_.bind(1, std::string_view("amrm.next")).run();
}

Result<void> SqliteStore::apply(const SaveQueues& record) {
  const QueueVersion& version = record.version;
  RETURN_IF_ERROR(save_queues_.bind(1, version.number)
                      .bind(2, version.since.ms)
                      .bind(3, version.user)
                      .bind(4, version.change)
                      .bind(5, std::int64_t{version.from_file ? 1 : 0})
                      .bind(6, to_json(*version.settings))
                      .run());
  return drop_queues_.bind(1, version.number - std::max<std::int64_t>(record.versions_max, 1))
      .run();
}

constexpr std::string_view kQueueColumns = "version, since_ms, user, change, from_file";

QueueVersion queue_version_of(const Statement& row) {
  QueueVersion version;
  version.number = row.integer(0);
  version.since = WallTime{row.integer(1)};
  version.user = row.text(2);
  version.change = row.text(3);
  version.from_file = row.integer(4) != 0;
  return version;
}

Result<std::vector<QueueVersion>> SqliteStore::queue_versions() {
  auto rows = database_.prepare(
      fmt::format("SELECT {} FROM queue_config ORDER BY version DESC", kQueueColumns));
  if (!rows) return fail(rows.error());
  std::vector<QueueVersion> versions;
  while (true) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return versions;
    versions.push_back(queue_version_of(*rows));
  }
}

Result<QueueVersion> SqliteStore::queue_version(std::int64_t number) {
  auto rows = database_.prepare(
      fmt::format("SELECT {}, settings FROM queue_config WHERE version=?", kQueueColumns));
  if (!rows) return fail(rows.error());
  const auto row = rows->bind(1, number).step();
  if (!row) return fail(row.error());
  if (!*row) {
    return fail(ErrorCode::kNotFound,
                fmt::format("version {} of the queues is not kept; `heddle queue history` shows "
                            "those that are",
                            number));
  }
  QueueVersion version = queue_version_of(*rows);
  auto settings = queue_settings_from_json(rows->text(5));
  if (!settings) return fail(std::move(settings).error().within(fmt::format("version {}", number)));
  version.settings = std::make_shared<const QueueSettings>(*std::move(settings));
  return version;
}

Result<void> SqliteStore::load_queues(StoredState& state) {
  const auto last = database_.pragma("SELECT max(version) FROM queue_config");
  if (!last) return fail(last.error());
  if (*last == 0) return {};
  auto version = queue_version(*last);
  if (!version) return fail(version.error());
  state.queues = *std::move(version);
  return {};
}

Result<StoredState> SqliteStore::load() {
  std::map<AppId, StoredApp> apps;
  StoredState state;
  RETURN_IF_ERROR(load_apps(apps));
  RETURN_IF_ERROR(load_attempts(apps));
  RETURN_IF_ERROR(load_keys(state));
  RETURN_IF_ERROR(LabelRows::load(database_, state));
  RETURN_IF_ERROR(ReservationRows::load(database_, state));
  RETURN_IF_ERROR(load_queues(state));
  for (auto& [id, app] : apps)
    state.apps.push_back(std::move(app));
  const auto epoch = database_.pragma("SELECT value FROM counter WHERE name='epoch'");
  if (!epoch) return fail(epoch.error());
  state.epoch = static_cast<std::int32_t>(*epoch);
  RETURN_IF_ERROR(database_.execute(
      "INSERT INTO counter VALUES ('epoch', 1) ON CONFLICT DO UPDATE SET value = value + 1"));
  return state;
}

Result<void> SqliteStore::load_apps(std::map<AppId, StoredApp>& apps) {
  auto rows = database_.prepare(
      "SELECT cluster, sequence, user, queue, priority, submitted_ms, lifetime_ms, submission, "
      "launch, end_state, final_status, diagnostics, tracking_url, launched_ms, finished_ms, "
      "seconds FROM app");
  if (!rows) return fail(rows.error());
  while (true) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    const AppId id{rows->integer(0), static_cast<std::int32_t>(rows->integer(1))};
    auto submission = submission_from_json(rows->text(7));
    if (!submission) return fail(std::move(submission).error().within(to_string(id)));
    if (!rows->is_null(8)) submission->launch = std::make_shared<const std::string>(rows->text(8));
    StoredApp& app = apps[id];
    app.app = SaveApp{std::make_shared<const Submission>(*std::move(submission)),
                      rows->text(2),
                      rows->text(3),
                      static_cast<std::int32_t>(rows->integer(4)),
                      WallTime{rows->integer(5)},
                      WallTime{rows->integer(6)}};
    if (rows->is_null(9)) continue;
    const auto seconds = seconds_from_json(rows->text(15));
    if (!seconds) return fail(seconds.error());
    const std::int64_t state = rows->integer(9);
    const std::int64_t final_status = rows->integer(10);
    if (state < 0 || state > static_cast<int>(AppState::kKilled) || final_status < 0 ||
        final_status > static_cast<int>(FinalStatus::kEnded)) {
      return fail(ErrorCode::kInternal, to_string(id) + ": stored state is out of range");
    }
    app.end = FinishApp{id,
                        static_cast<AppState>(state),
                        static_cast<FinalStatus>(final_status),
                        rows->text(11),
                        rows->text(12),
                        WallTime{rows->integer(13)},
                        WallTime{rows->integer(14)},
                        *seconds};
  }
}

Result<void> SqliteStore::load_attempts(std::map<AppId, StoredApp>& apps) {
  auto rows = database_.prepare(
      "SELECT cluster, sequence, number, container, node_host, node_port, node_http, started_ms, "
      "end_state, final_status, tracking_url, diagnostics, host, rpc_port, exit_status, "
      "finished_ms FROM attempt ORDER BY cluster, sequence, number");
  if (!rows) return fail(rows.error());
  while (true) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    const AppId app{rows->integer(0), static_cast<std::int32_t>(rows->integer(1))};
    const auto found = apps.find(app);
    if (found == apps.end()) continue;
    const AttemptId id{app, static_cast<std::int32_t>(rows->integer(2))};
    StoredAttempt attempt;
    attempt.start.id = id;
    if (!rows->is_null(3)) attempt.start.master_container = ContainerId{id, rows->integer(3)};
    attempt.start.master_node = {rows->text(4), static_cast<std::int32_t>(rows->integer(5))};
    attempt.start.master_node_http = rows->text(6);
    attempt.start.started = WallTime{rows->integer(7)};
    if (!rows->is_null(8)) {
      const std::int64_t state = rows->integer(8);
      const std::int64_t final_status = rows->integer(9);
      if (state < 0 || state > static_cast<int>(AttemptState::kKilled) || final_status < 0 ||
          final_status > static_cast<int>(FinalStatus::kEnded)) {
        return fail(ErrorCode::kInternal, to_string(id) + ": stored state is out of range");
      }
      attempt.end = FinishAttempt{id,
                                  static_cast<AttemptState>(state),
                                  static_cast<FinalStatus>(final_status),
                                  rows->text(10),
                                  rows->text(11),
                                  rows->text(12),
                                  static_cast<std::int32_t>(rows->integer(13)),
                                  static_cast<std::int32_t>(rows->integer(14)),
                                  WallTime{rows->integer(15)}};
    }
    found->second.attempts.push_back(std::move(attempt));
  }
}

Result<void> SqliteStore::load_keys(StoredState& state) {
  auto rows = database_.prepare("SELECT slot, id, bytes FROM token_key ORDER BY slot");
  if (!rows) return fail(rows.error());
  while (true) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    security::MasterKey key{static_cast<std::int32_t>(rows->integer(1)),
                            security::Secret(rows->text(2))};
    if (rows->text(0) == "amrm.current")
      state.keys = SaveKeys{std::move(key), std::nullopt};
    else if (state.keys)
      state.keys->amrm_next = std::move(key);
  }
}

Result<void> execute_all(Database& database, std::initializer_list<const char*> statements) {
  for (const char* sql : statements)
    RETURN_IF_ERROR(database.execute(sql));
  return {};
}

Result<void> check_or_create(Database& database) {
  RETURN_IF_ERROR(execute_all(database, {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA synchronous=FULL",
                                         "PRAGMA trusted_schema=OFF"}));
  const auto application = database.pragma("PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto version = database.pragma("PRAGMA user_version");
  if (!version) return fail(version.error());
  const auto tables = database.pragma("SELECT count(*) FROM sqlite_schema");
  if (!tables) return fail(tables.error());
  if (*application == 0 && *version == 0 && *tables == 0) {
    const std::string sql =
        fmt::format("BEGIN; {} PRAGMA application_id={}; PRAGMA user_version={}; COMMIT;", kSchema,
                    kApplicationId, kVersion);
    return execute_all(database, {kWriteAhead, sql.c_str(), kLaterTables});
  }
  if (*application != kApplicationId) {
    return fail(ErrorCode::kInternal,
                fmt::format("{} is not a state database of Heddle (application_id {:#x}); move it "
                            "away, or point heddle.state.dir elsewhere",
                            database.path(), *application));
  }
  if (*version != kVersion) {
    return fail(ErrorCode::kInternal,
                fmt::format("{} has format version {}, this program knows {}; start a version of "
                            "Heddle that is not older",
                            database.path(), *version, kVersion));
  }
  return execute_all(database, {kWriteAhead, kLaterTables});
}

}  // namespace

std::string_view network_filesystem(std::int64_t magic) {
  switch (static_cast<std::uint32_t>(magic)) {
    case 0x6969U: return "NFS";
    case 0x517BU:
    case 0xFE534D42U:
    case 0xFF534D42U: return "SMB";
    case 0x5346414FU:
    case 0x6B414653U: return "AFS";
    default: return "";
  }
}

Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& folder,
                                                 const StoreOptions& options) {
  struct statfs place {};
  if (::statfs(folder.c_str(), &place) == 0 && !options.allow_network_filesystem) {
    if (const auto kind = network_filesystem(place.f_type); !kind.empty()) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("state folder {} is on {}, where locks and fsync cannot be relied "
                              "on; use a local disk, or set "
                              "heddle.state.allow-network-filesystem=true",
                              folder, kind));
    }
  }
  auto lock = FolderLock::take(folder);
  if (!lock) return fail(lock.error());
  const std::string path = folder + "/state.db";
  struct stat facts {};
  const bool exists = ::stat(path.c_str(), &facts) == 0;
  if (exists && facts.st_size == 0) {
    return fail(ErrorCode::kInternal,
                fmt::format("{} is empty: it was cut off. Restore a backup, or remove the file to "
                            "start without history",
                            path));
  }
  const ::mode_t old_mask = ::umask(0077);
  auto database = Database::open(path);
  ::umask(old_mask);
  if (!database) return fail(database.error());
  if (auto checked = check_or_create(*database); !checked) {
    return fail(std::move(checked).error().within(path));
  }
  auto store = std::make_unique<SqliteStore>(*std::move(database), *std::move(lock));
  RETURN_IF_ERROR(store->prepare());
  return store;
}

}  // namespace heddle::rm
