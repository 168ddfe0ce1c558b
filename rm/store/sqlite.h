// Thin wrappers of the SQLite C API: handles that close themselves, errors as values.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heddle::rm {

/// A prepared statement. Bind from 1, step, read columns from 0; reset() makes it ready again.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view value);
  Statement& bind_blob(int index, std::string_view value);
  Statement& bind_null(int index);

  /// True: a row is there. False: done.
  Result<bool> step();
  /// Runs a statement that gives no rows, and resets it.
  Result<void> run();
  void reset();

  std::int64_t integer(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

class Database {
 public:
  static Result<Database> open(const std::string& path);
  Result<void> execute(const char* sql);
  /// Nothing to do when the engine has rolled back by itself, as it does on a full disk.
  Result<void> roll_back();
  Result<Statement> prepare(std::string_view sql);
  Result<std::int64_t> pragma(const char* sql);  // one number
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// The last error of a handle as ours: kUnavailable for a full or read-only disk, kInternal else.
Error sqlite_error(sqlite3* handle, int code, std::string_view doing);

}  // namespace heddle::rm
