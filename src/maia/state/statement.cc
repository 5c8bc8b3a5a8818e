// SPDX-License-Identifier: Apache-2.0
#include "maia/state/statement.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace maia::state {

Error sqlite_error(sqlite3* database, std::string_view of, std::string_view doing) {
  const int code = sqlite3_errcode(database) & 0xff;
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return Error{damaged ? Error::Code::corruption : Error::Code::storage, Recovery::halt,
               fmt::format("{}: {}: {}", of, doing, sqlite3_errmsg(database)),
               damaged               ? "move the damaged file away; the rows in it are also at the source"
               : code == SQLITE_FULL ? "free some space on the disk of the state directory"
               : code == SQLITE_BUSY ? "another process has the state directory; end it first"
                                     : "look at the state directory's permissions and disk"};
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Statement> Statement::prepare(sqlite3* database, std::string_view of, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK)
    return sqlite_error(database, of, "prepare");
  Statement statement;
  statement.database_ = database;
  statement.of_ = of;
  statement.statement_.reset(raw);
  return statement;
}

void Statement::bind(int index, std::string_view text) {
  // An empty view may have no address, which SQLite takes for NULL.
  const char* from = text.empty() ? "" : text.data();
  sqlite3_bind_text64(statement_.get(), index, from, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind(int index, ByteView blob) {
  if (blob.empty()) {
    sqlite3_bind_zeroblob(statement_.get(), index, 0);
  } else {
    sqlite3_bind_blob64(statement_.get(), index, blob.data(), blob.size(), SQLITE_STATIC);
  }
}

void Statement::bind(int index, std::int64_t number) { sqlite3_bind_int64(statement_.get(), index, number); }

Result<bool> Statement::step() {
  const int outcome = sqlite3_step(statement_.get());
  if (outcome == SQLITE_ROW) return true;
  if (outcome == SQLITE_DONE) return false;
  auto error = sqlite_error(database_, of_, "read or write");
  sqlite3_reset(statement_.get());
  return error;
}

Status Statement::run() {
  while (MAIA_TRY(step())) {
  }
  sqlite3_reset(statement_.get());
  return {};
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

Bytes Statement::blob(int column) const {
  const auto* from = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return Bytes(from, from + sqlite3_column_bytes(statement_.get(), column));
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

}  // namespace maia::state
