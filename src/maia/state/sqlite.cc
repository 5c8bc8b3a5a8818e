// SPDX-License-Identifier: Apache-2.0
#include "maia/state/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

namespace maia {
namespace {

constexpr int kBusyMillis = 5000;

const char* hint_for(int code) {
  switch (code) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return "move the damaged file away; a new one is made";
    case SQLITE_FULL: return "free some space on the disk of the state directory";
    case SQLITE_BUSY: return "another process has the state directory; end it first";
    default: return "look at the state directory's permissions and disk";
  }
}

}  // namespace

void Sqlite::Close::operator()(sqlite3* database) const { sqlite3_close(database); }
void Sqlite::Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Error Sqlite::error() const {
  const int code = sqlite3_errcode(database_.get()) & 0xff;
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return Error{damaged ? Error::Code::corruption : Error::Code::storage, Recovery::halt,
               fmt::format("{}: {}", path_, sqlite3_errmsg(database_.get())), hint_for(code)};
}

Result<Sqlite> Sqlite::open(const std::string& path) {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open_v2(
      path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  Sqlite file(database, path);
  if (opened != SQLITE_OK) return file.error();
  ::chmod(path.c_str(), S_IRUSR | S_IWUSR);
  sqlite3_busy_timeout(database, kBusyMillis);
  for (const char* sql : {"pragma journal_mode = wal", "pragma synchronous = full"}) {
    MAIA_TRY(file.execute(sql));
  }
  return file;
}

Status Sqlite::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return {};
}

void Sqlite::abandon() { sqlite3_exec(database_.get(), "rollback", nullptr, nullptr, nullptr); }

Result<Sqlite::Statement> Sqlite::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) return error();
  return Statement(statement, this);
}

Sqlite::Statement& Sqlite::Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Sqlite::Statement& Sqlite::Statement::bind(int index, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), index, number);
  return *this;
}

Result<bool> Sqlite::Statement::step() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: return false;
    default: return file_->error();
  }
}

std::string Sqlite::Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (!text) return "";
  return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

std::int64_t Sqlite::Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

}  // namespace maia
