// SPDX-License-Identifier: Apache-2.0
// SQLite behind Result: a database file that one process holds alone, statements, and transactions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace repoupdate {

// A file in WAL mode with synchronous=FULL: what was committed is on the disk. One thread at a time.
class SqliteFile {
public:
  // Opens the file, or makes it, readable by this user alone; its directory has to be there. Nobody else may have it
  // open meanwhile. ErrorKind::conflict when somebody has, corrupt when it is no database, or as the system says.
  static Result<SqliteFile> open(const std::string& path);

  SqliteFile(SqliteFile&& other) noexcept;
  SqliteFile& operator=(SqliteFile&&) = delete;
  ~SqliteFile();

  // One or more statements whose rows nobody wants.
  Result<void> run(const std::string& sql);

private:
  friend class SqliteStatement;
  SqliteFile(sqlite3* database, std::string path) : m_database(database), m_path(std::move(path)) {}
  Error error() const;  // of the call that failed last

  sqlite3* m_database;
  std::string m_path;
};

// One statement with parameters. It must not outlive its file, nor texts that were bound.
class SqliteStatement {
public:
  SqliteStatement(SqliteFile& file, std::string_view sql);
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement();

  // For the `?` that comes next.
  SqliteStatement& bind(std::int64_t number);
  SqliteStatement& bind(std::string_view text);

  // True: a row is there to be read. False: there are no more. A failure of preparing or binding comes out here.
  Result<bool> step();
  Result<void> run();  // to the end

  std::int64_t number(int column) const;
  std::string text(int column) const;

private:
  SqliteFile& m_file;
  sqlite3_stmt* m_statement = nullptr;
  int m_code;
  int m_bound = 0;
};

// Rolled back unless committed.
class SqliteTransaction {
public:
  static Result<SqliteTransaction> begin(SqliteFile& file);
  SqliteTransaction(SqliteTransaction&& other) noexcept;
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();

  // On the disk when it succeeds; undone when it fails.
  Result<void> commit();

private:
  explicit SqliteTransaction(SqliteFile& file) : m_file(&file) {}
  SqliteFile* m_file;  // null once committed
};

}  // namespace repoupdate
