#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <mutex>
#include <utility>

#include "nodemanager/store/store.h"

namespace heddle::nm {
namespace {

constexpr std::int64_t kApplicationId = 0x4865644E;  // "HedN"
constexpr std::int64_t kVersion = 1;

constexpr const char* kSchema = R"(
CREATE TABLE app (
  cluster INTEGER NOT NULL, sequence INTEGER NOT NULL,
  user TEXT NOT NULL, view_acl TEXT NOT NULL, modify_acl TEXT NOT NULL,
  log_include TEXT NOT NULL, log_exclude TEXT NOT NULL,
  log_policy TEXT NOT NULL, log_parameters TEXT NOT NULL,
  PRIMARY KEY (cluster, sequence)) WITHOUT ROWID;
CREATE TABLE container (
  cluster INTEGER NOT NULL, sequence INTEGER NOT NULL,
  attempt INTEGER NOT NULL, number INTEGER NOT NULL,
  is_master INTEGER NOT NULL, exit_status INTEGER, forgotten INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (cluster, sequence, attempt, number),
  FOREIGN KEY (cluster, sequence) REFERENCES app ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE shuffle_job (
  cluster INTEGER NOT NULL, sequence INTEGER NOT NULL,
  user TEXT NOT NULL, secret BLOB NOT NULL,
  PRIMARY KEY (cluster, sequence),
  FOREIGN KEY (cluster, sequence) REFERENCES app ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE port (property TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
)";

struct Finalize {
  void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
};
struct Close {
  void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
};

Error error_of(sqlite3* handle, const std::string& path, int code, std::string_view doing) {
  struct statvfs room {};
  switch (code & 0xFF) {
    case SQLITE_FULL:
      if (::statvfs(path.c_str(), &room) != 0) break;
      return {
          ErrorCode::kUnavailable,
          fmt::format("state store is full: {}, {} bytes free; make room there, it goes on then",
                      path, std::uint64_t{room.f_bavail} * room.f_frsize)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kUnavailable,
              fmt::format("state store {} is in use by another process; give each agent a "
                          "heddle.state.dir of its own",
                          path)};
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return {ErrorCode::kInternal,
              fmt::format("state store {} is damaged ({}); move it away to start the agent without "
                          "what it knew of running applications",
                          path, sqlite3_errstr(code))};
    default: break;
  }
  return {(code & 0xFF) == SQLITE_READONLY ? ErrorCode::kUnavailable : ErrorCode::kInternal,
          fmt::format("state store {}: {} failed: {}", path, doing,
                      handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle))};
}

/// A prepared statement. Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3_stmt* handle, const std::string* path) : handle_(handle), path_(path) {}

  Statement& bind(int index, std::int64_t value) {
    sqlite3_bind_int64(handle_.get(), index, value);
    return *this;
  }
  Statement& bind(int index, std::string_view value) {
    sqlite3_bind_text64(handle_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT,
                        SQLITE_UTF8);
    return *this;
  }
  Statement& bind_blob(int index, std::string_view value) {
    sqlite3_bind_blob64(handle_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& bind(const AppId& app) {
    return bind(1, app.cluster_start_ms).bind(2, std::int64_t{app.sequence});
  }
  Statement& bind(const ContainerId& id) {
    return bind(id.attempt.app).bind(3, std::int64_t{id.attempt.number}).bind(4, id.id);
  }

  /// True: a row is there.
  Result<bool> step() {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return fail(
        error_of(sqlite3_db_handle(handle_.get()), *path_, code, sqlite3_sql(handle_.get())));
  }
  Result<void> run() {
    const auto stepped = step();
    sqlite3_reset(handle_.get());
    sqlite3_clear_bindings(handle_.get());  // secrets among them
    if (!stepped) return fail(stepped.error());
    return {};
  }

  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  bool is_null(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
  }
  std::string text(int column) const {
    const void* bytes = sqlite3_column_blob(handle_.get(), column);
    const int size = sqlite3_column_bytes(handle_.get(), column);
    if (bytes == nullptr) return {};
    return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
  }
  AppId app(int column) const {
    return {integer(column), static_cast<std::int32_t>(integer(column + 1))};
  }

 private:
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  const std::string* path_ = nullptr;
};

class SqliteNodeStore final : public NodeStore {
 public:
  explicit SqliteNodeStore(std::string path) : path_(std::move(path)) {}

  Result<void> open();

  Result<StoredNode> load() override;
  Result<void> save_app(const StoredApp& app) override;
  Result<void> forget_app(const AppId& app) override;
  Result<void> save_container(const ContainerId& id, bool is_master) override;
  Result<void> container_ended(const ContainerId& id, std::int32_t exit_status) override;
  Result<void> container_forgotten(const ContainerId& id) override;
  Result<void> save_shuffle_job(const StoredShuffleJob& job) override;
  Result<void> forget_shuffle_job(const AppId& app) override;
  Result<void> save_port(const std::string& property, std::uint16_t port) override;

 private:
  Result<void> execute(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  Result<std::int64_t> number(std::string_view sql);
  Result<void> check_or_create();
  Result<void> prepare_all();

  const std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::mutex mutex_;  // guards the statements and the connection
  Statement save_app_, forget_app_, save_container_, container_ended_, container_forgotten_,
      save_job_, forget_job_, save_port_;
};

Result<void> SqliteNodeStore::execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error_of(handle_.get(), path_, code, sql));
  return {};
}

Result<Statement> SqliteNodeStore::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return fail(error_of(handle_.get(), path_, code, sql));
  return Statement(statement, &path_);
}

Result<std::int64_t> SqliteNodeStore::number(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(statement.error());
  const auto row = statement->step();
  if (!row) return fail(row.error());
  return *row ? statement->integer(0) : 0;
}

Result<void> SqliteNodeStore::open() {
  struct stat facts {};
  if (::stat(path_.c_str(), &facts) == 0 && facts.st_size == 0) {
    return fail(ErrorCode::kInternal,
                fmt::format("{} is empty: it was cut off. Remove the file to start the agent "
                            "without what it knew of running applications",
                            path_));
  }
  sqlite3* handle = nullptr;
  const ::mode_t old_mask = ::umask(0077);
  const int code = sqlite3_open_v2(
      path_.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  handle_.reset(handle);
  Result<void> opened;
  if (code == SQLITE_OK) {
    opened = check_or_create();
  } else {
    opened = fail(error_of(handle, path_, code, "opening"));
  }
  ::umask(old_mask);
  if (!opened) return opened;
  ::chmod(path_.c_str(), 0600);  // one that was put there with other rights
  return prepare_all();
}

Result<void> SqliteNodeStore::check_or_create() {
  for (const char* sql :
       {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL",
        "PRAGMA trusted_schema=OFF", "PRAGMA foreign_keys=ON", "PRAGMA secure_delete=ON"}) {
    RETURN_IF_ERROR(execute(sql));
  }
  const auto application = number("PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto version = number("PRAGMA user_version");
  if (!version) return fail(version.error());
  const auto tables = number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return fail(tables.error());
  if (*application == 0 && *version == 0 && *tables == 0) {
    const std::string sql =
        fmt::format("BEGIN; {} PRAGMA application_id={}; PRAGMA user_version={}; COMMIT;", kSchema,
                    kApplicationId, kVersion);
    return execute(sql.c_str());
  }
  if (*application != kApplicationId) {
    return fail(
        ErrorCode::kInternal,
        fmt::format("{} is not the state of an agent of Heddle (application_id {:#x}); move "
                    "it away, or point heddle.state.dir elsewhere",
                    path_, *application));
  }
  if (*version != kVersion) {
    return fail(ErrorCode::kInternal,
                fmt::format("{} has format version {}, this program knows {}; start a version of "
                            "Heddle that is not older",
                            path_, *version, kVersion));
  }
  return {};
}

Result<void> SqliteNodeStore::prepare_all() {
  const std::pair<Statement*, std::string_view> statements[] = {
      {&save_app_,
       "INSERT INTO app VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT DO UPDATE SET user=?3, "
       "view_acl=?4, modify_acl=?5, log_include=?6, log_exclude=?7, log_policy=?8, "
       "log_parameters=?9"},
      {&forget_app_, "DELETE FROM app WHERE cluster=? AND sequence=?"},
      {&save_container_,
       "INSERT OR REPLACE INTO container (cluster, sequence, attempt, number, is_master) "
       "VALUES (?,?,?,?,?)"},
      {&container_ended_,
       "UPDATE container SET exit_status=?5 "
       "WHERE cluster=?1 AND sequence=?2 AND attempt=?3 AND number=?4"},
      {&container_forgotten_,
       "UPDATE container SET forgotten=1 "
       "WHERE cluster=? AND sequence=? AND attempt=? AND number=?"},
      {&save_job_, "INSERT OR REPLACE INTO shuffle_job VALUES (?,?,?,?)"},
      {&forget_job_, "DELETE FROM shuffle_job WHERE cluster=? AND sequence=?"},
      {&save_port_, "INSERT OR REPLACE INTO port VALUES (?,?)"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = prepare(sql);
    if (!prepared) return fail(prepared.error());
    *statement = *std::move(prepared);
  }
  return {};
}

Result<StoredNode> SqliteNodeStore::load() {
  const std::lock_guard lock(mutex_);
  StoredNode node;
  std::map<AppId, std::size_t> places;
  const auto each = [this](std::string_view sql, const auto& take) -> Result<void> {
    auto rows = prepare(sql);
    if (!rows) return fail(rows.error());
    while (true) {
      const auto row = rows->step();
      if (!row) return fail(row.error());
      if (!*row) return {};
      take(*rows);
    }
  };
  RETURN_IF_ERROR(each("SELECT * FROM app ORDER BY 1, 2", [&](const Statement& row) {
    places[row.app(0)] = node.apps.size();
    node.apps.push_back({row.app(0),
                         row.text(2),
                         row.text(3),
                         row.text(4),
                         {row.text(5), row.text(6), row.text(7), row.text(8)},
                         {}});
  }));
  RETURN_IF_ERROR(each("SELECT * FROM container ORDER BY 1, 2, 3, 4", [&](const Statement& row) {
    StoredContainer container;
    container.id = {{row.app(0), static_cast<std::int32_t>(row.integer(2))}, row.integer(3)};
    container.is_master = row.integer(4) != 0;
    if (!row.is_null(5)) container.exit_status = static_cast<std::int32_t>(row.integer(5));
    container.forgotten = row.integer(6) != 0;
    const auto place = places.find(row.app(0));
    if (place != places.end()) node.apps[place->second].containers.push_back(container);
  }));
  RETURN_IF_ERROR(each("SELECT * FROM shuffle_job ORDER BY 1, 2", [&](const Statement& row) {
    node.shuffle_jobs.push_back({row.app(0), row.text(2), security::Secret(row.text(3))});
  }));
  RETURN_IF_ERROR(each("SELECT * FROM port", [&](const Statement& row) {
    const std::int64_t port = row.integer(1);
    if (port > 0 && port <= UINT16_MAX) node.ports[row.text(0)] = static_cast<std::uint16_t>(port);
  }));
  return node;
}

Result<void> SqliteNodeStore::save_app(const StoredApp& app) {
  const std::lock_guard lock(mutex_);
  return save_app_.bind(app.id)
      .bind(3, app.user)
      .bind(4, app.view_acl)
      .bind(5, app.modify_acl)
      .bind(6, app.log_rules.include_pattern)
      .bind(7, app.log_rules.exclude_pattern)
      .bind(8, app.log_rules.policy_class)
      .bind(9, app.log_rules.policy_parameters)
      .run();
}

Result<void> SqliteNodeStore::forget_app(const AppId& app) {
  const std::lock_guard lock(mutex_);
  return forget_app_.bind(app).run();
}

Result<void> SqliteNodeStore::save_container(const ContainerId& id, bool is_master) {
  const std::lock_guard lock(mutex_);
  return save_container_.bind(id).bind(5, std::int64_t{is_master}).run();
}

Result<void> SqliteNodeStore::container_ended(const ContainerId& id, std::int32_t exit_status) {
  const std::lock_guard lock(mutex_);
  return container_ended_.bind(id).bind(5, std::int64_t{exit_status}).run();
}

Result<void> SqliteNodeStore::container_forgotten(const ContainerId& id) {
  const std::lock_guard lock(mutex_);
  return container_forgotten_.bind(id).run();
}

Result<void> SqliteNodeStore::save_shuffle_job(const StoredShuffleJob& job) {
  const std::lock_guard lock(mutex_);
  return save_job_.bind(job.app).bind(3, job.user).bind_blob(4, job.secret.reveal_bytes()).run();
}

Result<void> SqliteNodeStore::forget_shuffle_job(const AppId& app) {
  const std::lock_guard lock(mutex_);
  return forget_job_.bind(app).run();
}

Result<void> SqliteNodeStore::save_port(const std::string& property, std::uint16_t port) {
  const std::lock_guard lock(mutex_);
  return save_port_.bind(1, property).bind(2, std::int64_t{port}).run();
}

}  // namespace

Result<std::unique_ptr<NodeStore>> open_node_store(const std::string& folder) {
  auto store = std::make_unique<SqliteNodeStore>(folder + "/state.db");
  RETURN_IF_ERROR(store->open());
  return store;
}

}  // namespace heddle::nm
