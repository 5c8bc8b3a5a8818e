// SPDX-License-Identifier: Apache-2.0
#include "maia/state/dead_letters.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace maia {
namespace {

constexpr const char* kSchema =
    "create table if not exists dead_letter ("
    " operation_id text not null, destination text not null, source_table text not null, stage text not null,"
    " reason text not null, row text not null, position text not null, attempts integer not null,"
    " first_failed_at integer not null, last_failed_at integer not null,"
    " primary key (destination, source_table, operation_id)) without rowid";

constexpr const char* kRecord =
    "insert into dead_letter values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?8)"
    " on conflict do update set attempts = attempts + 1, last_failed_at = ?8, reason = ?5";

Error sqlite_error(sqlite3* database, std::string_view doing) {
  const int code = sqlite3_errcode(database) & 0xff;
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return Error{damaged ? Error::Code::corruption : Error::Code::storage, Recovery::halt,
               fmt::format("dead letters: {}: {}", doing, sqlite3_errmsg(database)),
               damaged               ? "move the damaged file away; the rows in it are also at the source"
               : code == SQLITE_FULL ? "free some space on the disk of the state directory"
               : code == SQLITE_BUSY ? "another process has the state directory; end it first"
                                     : "look at the state directory's permissions and disk"};
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Result<Statement> prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, nullptr) != SQLITE_OK)
    return sqlite_error(database, "prepare");
  return Statement(statement);
}

void bind(sqlite3_stmt* statement, int index, const std::string& text) {
  sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

std::string column(sqlite3_stmt* statement, int index) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
  return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, index)));
}

}  // namespace

Result<std::unique_ptr<DeadLetterFile>> DeadLetterFile::open(const std::string& path) {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open_v2(
      path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  std::unique_ptr<DeadLetterFile> file(new DeadLetterFile(database));
  if (opened != SQLITE_OK) return sqlite_error(database, "open " + path);
  sqlite3_busy_timeout(database, 2000);
  // Full: what `record` has returned for survives a power cut.
  for (const char* sql : {"pragma journal_mode = wal", "pragma synchronous = full", kSchema}) {
    MAIA_TRY(in(path, file->execute(sql)));
  }
  return file;
}

DeadLetterFile::~DeadLetterFile() { sqlite3_close(database_); }

Status DeadLetterFile::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return sqlite_error(database_, "write");
  return {};
}

Status DeadLetterFile::record(std::span<const DeadLetter> letters) {
  const std::lock_guard lock(mutex_);
  const auto statement = MAIA_TRY(prepare(database_, kRecord));
  MAIA_TRY(execute("begin immediate"));
  for (const auto& letter : letters) {
    const std::string* texts[] = {&letter.operation_id, &letter.destination, &letter.table,   &letter.stage,
                                  &letter.reason,       &letter.row,         &letter.position};
    for (int i = 0; i < 7; ++i) bind(statement.get(), i + 1, *texts[i]);
    sqlite3_bind_int64(statement.get(), 8, letter.failed_at);
    const bool stored = sqlite3_step(statement.get()) == SQLITE_DONE;
    sqlite3_reset(statement.get());
    if (stored) continue;
    auto error = sqlite_error(database_, "record");
    sqlite3_exec(database_, "rollback", nullptr, nullptr, nullptr);
    return error;
  }
  auto committed = execute("commit");
  if (!committed.ok()) sqlite3_exec(database_, "rollback", nullptr, nullptr, nullptr);
  return committed;
}

Result<std::vector<DeadLetterFile::Kept>> DeadLetterFile::list(std::size_t at_most) {
  const std::lock_guard lock(mutex_);
  const auto statement =
      MAIA_TRY(prepare(database_, "select * from dead_letter order by first_failed_at limit ?"));
  sqlite3_bind_int64(statement.get(), 1, static_cast<sqlite3_int64>(at_most));
  std::vector<Kept> kept;
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(statement.get())) == SQLITE_ROW) {
    auto* row = statement.get();
    Kept each;
    each.letter = DeadLetter{.operation_id = column(row, 0),
                             .destination = column(row, 1),
                             .table = column(row, 2),
                             .stage = column(row, 3),
                             .reason = column(row, 4),
                             .row = column(row, 5),
                             .position = column(row, 6),
                             .failed_at = sqlite3_column_int64(row, 8)};
    each.attempts = static_cast<std::uint64_t>(sqlite3_column_int64(row, 7));
    each.last_failed_at = sqlite3_column_int64(row, 9);
    kept.push_back(std::move(each));
  }
  if (step != SQLITE_DONE) return sqlite_error(database_, "read");
  return kept;
}

Result<std::uint64_t> DeadLetterFile::count() {
  const std::lock_guard lock(mutex_);
  const auto statement = MAIA_TRY(prepare(database_, "select count(*) from dead_letter"));
  if (sqlite3_step(statement.get()) != SQLITE_ROW) return sqlite_error(database_, "read");
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement.get(), 0));
}

}  // namespace maia
