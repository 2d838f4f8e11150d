// SPDX-License-Identifier: Apache-2.0
#include "io/sqlite.hpp"

#include <fcntl.h>
#include <sqlite3.h>

#include <utility>

#include "io/posix_file.hpp"

namespace repoupdate {
namespace {

ErrorKind kind_of(int code) {
  switch (code & 0xff) {  // the rest of an extended code says where it happened
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorKind::conflict;
    case SQLITE_FULL: return ErrorKind::no_space;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorKind::corrupt;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: return ErrorKind::denied;
    default: return ErrorKind::io;
  }
}

}  // namespace

Result<SqliteFile> SqliteFile::open(const std::string& path) {
  // SQLite would make it readable by everybody. Closed again before SQLite locks it: closing drops all locks.
  if (auto made = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, path, 0600); !made) return std::move(made).error();
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteFile file(database, path);
  if (database == nullptr) return Error{ErrorKind::io, path + ": no memory", {}};
  if (code != SQLITE_OK) return file.error();
  sqlite3_extended_result_codes(database, 1);
  // Exclusive before WAL: then the index of the log lives in memory, and the lock is held until the file is closed.
  auto ready = file.run(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
      "PRAGMA journal_size_limit = 4194304; BEGIN IMMEDIATE; COMMIT");
  if (!ready) return std::move(ready).error();
  return file;
}

SqliteFile::SqliteFile(SqliteFile&& other) noexcept
    : m_database(std::exchange(other.m_database, nullptr)), m_path(std::move(other.m_path)) {}

SqliteFile::~SqliteFile() {
  sqlite3_close_v2(m_database);
}

Error SqliteFile::error() const {
  const ErrorKind kind = kind_of(sqlite3_extended_errcode(m_database));
  if (kind == ErrorKind::conflict) return {kind, m_path + " is in use by another process", {}};
  return {kind, m_path + ": " + sqlite3_errmsg(m_database), {}};
}

Result<void> SqliteFile::run(const std::string& sql) {
  if (sqlite3_exec(m_database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return {};
}

SqliteStatement::SqliteStatement(SqliteFile& file, std::string_view sql)
    : m_file(file),
      m_code(sqlite3_prepare_v2(file.m_database, sql.data(), static_cast<int>(sql.size()), &m_statement, nullptr)) {}

SqliteStatement::~SqliteStatement() {
  sqlite3_finalize(m_statement);
}

SqliteStatement& SqliteStatement::bind(std::int64_t number) {
  if (m_code == SQLITE_OK) m_code = sqlite3_bind_int64(m_statement, ++m_bound, number);
  return *this;
}

SqliteStatement& SqliteStatement::bind(std::string_view text) {
  if (m_code == SQLITE_OK)
    m_code = sqlite3_bind_blob64(m_statement, ++m_bound, text.data(), text.size(), SQLITE_STATIC);
  return *this;
}

Result<bool> SqliteStatement::step() {
  if (m_code != SQLITE_OK) return m_file.error();
  switch (sqlite3_step(m_statement)) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: return false;
    default: return m_file.error();
  }
}

Result<void> SqliteStatement::run() {
  while (true) {
    const auto row = step();
    if (!row) return row.error();
    if (!*row) return {};
  }
}

std::int64_t SqliteStatement::number(int column) const {
  return sqlite3_column_int64(m_statement, column);
}

std::string SqliteStatement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(m_statement, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_statement, column))};
}

Result<SqliteTransaction> SqliteTransaction::begin(SqliteFile& file) {
  if (auto begun = file.run("BEGIN IMMEDIATE"); !begun) return std::move(begun).error();
  return SqliteTransaction(file);
}

SqliteTransaction::SqliteTransaction(SqliteTransaction&& other) noexcept
    : m_file(std::exchange(other.m_file, nullptr)) {}

SqliteTransaction::~SqliteTransaction() {
  // It may have been undone already by the failure itself; then there is nothing to roll back.
  if (m_file != nullptr) static_cast<void>(m_file->run("ROLLBACK").ok());
}

Result<void> SqliteTransaction::commit() {
  auto done = m_file->run("COMMIT");
  if (done) m_file = nullptr;
  return done;
}

}  // namespace repoupdate
