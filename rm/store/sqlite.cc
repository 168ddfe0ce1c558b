#include "rm/store/sqlite.h"

#include <fmt/core.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

namespace heddle::rm {

Error sqlite_error(sqlite3* handle, int code, std::string_view doing) {
  const int primary = code & 0xFF;
  // A quota or a limit of the process is as good as a full disk; the engine calls it an I/O error.
  // The engine does not keep the cause of every write that fails; errno was 0 before the call.
  const int kept = handle == nullptr ? 0 : sqlite3_system_errno(handle);
  const int cause = kept != 0 ? kept : errno;
  const bool is_full =
      primary == SQLITE_FULL ||
      (primary == SQLITE_IOERR && (cause == ENOSPC || cause == EDQUOT || cause == EFBIG));
  const bool may_pass =
      is_full || primary == SQLITE_READONLY || primary == SQLITE_BUSY || primary == SQLITE_LOCKED;
  const char* file = handle == nullptr ? nullptr : sqlite3_db_filename(handle, "main");
  struct statvfs room {};
  if (is_full && file != nullptr && ::statvfs(file, &room) == 0) {
    const bool limited = cause == EDQUOT || cause == EFBIG;
    return {
        ErrorCode::kUnavailable,
        fmt::format("state store is full: {}, {} bytes free{}; make room there, it goes on then",
                    file, std::uint64_t{room.f_bavail} * room.f_frsize,
                    limited ? fmt::format(", but: {}", std::strerror(cause)) : "")};
  }
  if (primary == SQLITE_NOTADB || primary == SQLITE_CORRUPT) {
    return {ErrorCode::kInternal,
            fmt::format("state store {} is damaged ({}). Restore a backup, or move the file away "
                        "to start without history",
                        file == nullptr ? "?" : file, sqlite3_errstr(code))};
  }
  return {may_pass ? ErrorCode::kUnavailable : ErrorCode::kInternal,
          fmt::format("state store {}: {} failed: {}", file == nullptr ? "?" : file, doing,
                      handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle))};
}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(handle_.get(), index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view value) {
  sqlite3_bind_text64(handle_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view value) {
  sqlite3_bind_blob64(handle_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(handle_.get(), index);
  return *this;
}

Result<bool> Statement::step() {
  errno = 0;
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(sqlite_error(sqlite3_db_handle(handle_.get()), code, sqlite3_sql(handle_.get())));
}

Result<void> Statement::run() {
  const auto stepped = step();
  reset();
  if (!stepped) return fail(stepped.error());
  return {};
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return bytes == nullptr
             ? std::string()
             : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

Result<Database> Database::open(const std::string& path) {
  Database database;
  database.path_ = path;
  sqlite3* handle = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  database.handle_.reset(handle);
  if (code != SQLITE_OK) return fail(sqlite_error(handle, code, "opening"));
  return database;
}

Result<void> Database::execute(const char* sql) {
  errno = 0;
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(sqlite_error(handle_.get(), code, sql));
  return {};
}

Result<void> Database::roll_back() {
  if (sqlite3_get_autocommit(handle_.get()) != 0) return {};
  return execute("ROLLBACK");
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return fail(sqlite_error(handle_.get(), code, sql));
  return Statement(statement);
}

Result<std::int64_t> Database::pragma(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(statement.error());
  const auto row = statement->step();
  if (!row) return fail(row.error());
  return *row ? statement->integer(0) : 0;
}

}  // namespace heddle::rm
