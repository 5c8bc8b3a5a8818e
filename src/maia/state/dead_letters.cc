// SPDX-License-Identifier: Apache-2.0
#include "maia/state/dead_letters.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "maia/state/statement.h"

namespace maia {
namespace {

using state::Statement;

constexpr std::string_view kOf = "dead letters";

constexpr const char* kSchema =
    "create table if not exists letter ("
    " id integer primary key autoincrement, destination text not null, operation_id text not null,"
    " source_table text not null, table_id text not null, stage text not null, reason text not null,"
    " row text not null, change blob not null, key blob not null, moved blob not null, position text not "
    "null,"
    " token text not null, ordinal integer not null, transaction_id text not null, file_version text not "
    "null,"
    " status integer not null, attempts integer not null, first_failed_at integer not null,"
    " last_failed_at integer not null, overtaken integer not null, edited integer not null,"
    " unique (destination, table_id, operation_id));"
    "create index if not exists letter_by_status on letter (status, destination);"
    "create table if not exists unsettled (letter integer primary key, burial text not null);"
    "create table if not exists identity (id text not null)";

constexpr const char* kRecord =
    "insert into letter values (null, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 0, 1,"
    " ?16, ?16, 0, 0)"
    " on conflict do update set attempts = attempts + 1, last_failed_at = ?16, reason = ?6";

// Of a letter that was there before only one that does not stand yet belongs to this burial.
constexpr const char* kBury =
    "insert into unsettled select id, ?4 from letter where destination = ?1 and table_id = ?2 and"
    " operation_id = ?3 and (attempts = 1 or id in (select letter from unsettled))"
    " on conflict do update set burial = excluded.burial";

constexpr const char* kColumns =
    "select id, destination, operation_id, source_table, table_id, stage, reason, row, change, key, moved,"
    " position, token, ordinal, transaction_id, file_version, status, attempts, first_failed_at,"
    " last_failed_at, overtaken, edited from letter";
constexpr const char* kColumnsForOrder =
    "select id, destination, operation_id, source_table, table_id, stage, '', '', x'', key, moved, position,"
    " token, ordinal, '', '', status, attempts, first_failed_at, last_failed_at, overtaken, edited from "
    "letter";

DeadLetter read(const Statement& row) {
  DeadLetter letter;
  letter.id = static_cast<std::uint64_t>(row.number(0));
  letter.destination = row.text(1);
  letter.operation_id = row.text(2);
  letter.table = row.text(3);
  letter.table_id = row.text(4);
  letter.stage = row.text(5);
  letter.reason = row.text(6);
  letter.row = row.text(7);
  letter.change = row.blob(8);
  letter.key = as_text(row.blob(9));
  letter.moved = as_text(row.blob(10));
  letter.position = row.text(11);
  letter.token = row.text(12);
  letter.ordinal = static_cast<std::uint64_t>(row.number(13));
  letter.transaction = row.text(14);
  letter.file_version = row.text(15);
  letter.status = static_cast<DeadLetter::Status>(row.number(16));
  letter.attempts = static_cast<std::uint64_t>(row.number(17));
  letter.failed_at = row.number(18);
  letter.last_failed_at = row.number(19);
  letter.overtaken = row.number(20) != 0;
  letter.edited = row.number(21) != 0;
  return letter;
}

constexpr std::string_view kStands = " where id not in (select letter from unsettled)";

/// The conditions of a filter as SQL; ?1 is its table and ?2 its destination.
std::string where(const LetterFilter& filter) {
  std::string sql(kStands);
  if (!filter.ids.empty()) sql += fmt::format(" and id in ({})", fmt::join(filter.ids, ", "));
  if (!filter.table.empty())
    sql += " and (source_table = ?1 or substr(source_table, -length(?1) - 1) = '.' || ?1)";
  if (!filter.destination.empty()) sql += " and destination = ?2";
  if (filter.status) sql += fmt::format(" and status = {}", static_cast<int>(*filter.status));
  if (filter.failed_before) sql += fmt::format(" and first_failed_at < {}", *filter.failed_before);
  return sql;
}

Result<Statement> prepare(sqlite3* database, const std::string& sql) {
  return Statement::prepare(database, kOf, sql);
}

Result<Statement> prepare(sqlite3* database, const std::string& sql, const LetterFilter& filter) {
  auto statement = MAIA_TRY(prepare(database, sql));
  if (!filter.table.empty()) statement.bind(1, filter.table);
  if (!filter.destination.empty()) statement.bind(2, filter.destination);
  return statement;
}

}  // namespace

std::string_view to_string(DeadLetter::Status status) {
  switch (status) {
    case DeadLetter::Status::waiting: return "waiting";
    case DeadLetter::Status::replayed: return "replayed";
    case DeadLetter::Status::purged: return "purged";
  }
  return "waiting";
}

Result<std::unique_ptr<DeadLetterFile>> DeadLetterFile::open(const std::string& path) {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open_v2(
      path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  std::unique_ptr<DeadLetterFile> file(new DeadLetterFile(database));
  if (opened != SQLITE_OK) return state::sqlite_error(database, kOf, "open " + path);
  sqlite3_busy_timeout(database, 2000);
  // Full: what `record` has returned for survives a power cut.
  for (const char* sql : {"pragma journal_mode = wal", "pragma synchronous = full", kSchema}) {
    MAIA_TRY(in(path, file->execute(sql)));
  }
  MAIA_TRY(in(path, file->read_identity()));
  return file;
}

DeadLetterFile::~DeadLetterFile() { sqlite3_close(database_); }

Status DeadLetterFile::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return state::sqlite_error(database_, kOf, "write");
  return {};
}

Status DeadLetterFile::read_identity() {
  auto statement = MAIA_TRY(prepare(database_, "select id from identity"));
  if (!MAIA_TRY(statement.step())) {
    // Two processes may come here at the same moment.
    MAIA_TRY(
        execute("insert into identity select lower(hex(randomblob(8)))"
                " where not exists (select 1 from identity)"));
    statement = MAIA_TRY(prepare(database_, "select id from identity"));
    MAIA_TRY(statement.step());
  }
  identity_ = statement.text(0);
  return {};
}

Status DeadLetterFile::together(const std::function<Status()>& work) {
  MAIA_TRY(execute("begin immediate"));
  auto done = work();
  if (done.ok()) done = execute("commit");
  if (!done.ok()) sqlite3_exec(database_, "rollback", nullptr, nullptr, nullptr);
  return done;
}

namespace {

Status record_one(Statement& statement, const DeadLetter& letter) {
  int place = 0;
  for (const std::string* text : {&letter.destination, &letter.operation_id, &letter.table, &letter.table_id,
                                  &letter.stage, &letter.reason, &letter.row})
    statement.bind(++place, *text);
  statement.bind(++place, ByteView(letter.change));
  statement.bind(++place, as_bytes(letter.key));
  statement.bind(++place, as_bytes(letter.moved));
  statement.bind(++place, letter.position);
  statement.bind(++place, letter.token);
  statement.bind(++place, static_cast<std::int64_t>(letter.ordinal));
  statement.bind(++place, letter.transaction);
  statement.bind(++place, letter.file_version);
  statement.bind(++place, letter.failed_at);
  return statement.run();
}

}  // namespace

Status DeadLetterFile::record(std::span<const DeadLetter> letters, const std::string& burial) {
  const std::lock_guard lock(mutex_);
  auto statement = MAIA_TRY(prepare(database_, kRecord));
  auto bury = MAIA_TRY(prepare(database_, kBury));
  return together([&]() -> Status {
    for (const auto& letter : letters) {
      MAIA_TRY(record_one(statement, letter));
      if (burial.empty()) continue;
      bury.bind(1, letter.destination);
      bury.bind(2, letter.table_id);
      bury.bind(3, letter.operation_id);
      bury.bind(4, burial);
      MAIA_TRY(bury.run());
    }
    return {};
  });
}

Status DeadLetterFile::settle(const std::string& destination, const std::string& burial) {
  const std::lock_guard lock(mutex_);
  auto undone = MAIA_TRY(prepare(database_,
                                 "delete from letter where destination = ?1 and id in"
                                 " (select letter from unsettled where burial <> ?2)"));
  undone.bind(1, destination);
  undone.bind(2, burial);
  auto settled = MAIA_TRY(prepare(database_,
                                  "delete from unsettled where letter not in"
                                  " (select id from letter where destination <> ?1)"));
  settled.bind(1, destination);
  return together([&]() -> Status {
    MAIA_TRY(undone.run());
    return settled.run();
  });
}

Result<std::vector<DeadLetter>> DeadLetterFile::waiting(const std::string& destination, bool with_changes) {
  const std::lock_guard lock(mutex_);
  auto statement = MAIA_TRY(prepare(database_, std::string(with_changes ? kColumns : kColumnsForOrder) +
                                                   " where status = 0 and destination = ?1 order by id"));
  statement.bind(1, destination);
  std::vector<DeadLetter> letters;
  while (MAIA_TRY(statement.step())) letters.push_back(read(statement));
  return letters;
}

Status DeadLetterFile::mark(const char* sql, const std::string& destination,
                            std::span<const std::string> operation_ids) {
  const std::lock_guard lock(mutex_);
  auto statement = MAIA_TRY(prepare(database_, sql));
  return together([&]() -> Status {
    for (const auto& operation_id : operation_ids) {
      statement.bind(1, destination);
      statement.bind(2, operation_id);
      MAIA_TRY(statement.run());
    }
    return {};
  });
}

Status DeadLetterFile::overtake(const std::string& destination, std::span<const std::string> operation_ids) {
  return mark("update letter set overtaken = 1 where destination = ?1 and operation_id = ?2 and status = 0",
              destination, operation_ids);
}

Status DeadLetterFile::replayed(const std::string& destination, std::span<const std::string> operation_ids) {
  return mark("update letter set status = 1 where destination = ?1 and operation_id = ?2 and status = 0",
              destination, operation_ids);
}

Result<std::vector<DeadLetter>> DeadLetterFile::list(const LetterFilter& filter) {
  const std::lock_guard lock(mutex_);
  const auto limit = filter.at_most == SIZE_MAX ? "" : fmt::format(" limit {}", filter.at_most);
  auto statement = MAIA_TRY(prepare(database_, kColumns + where(filter) + " order by id" + limit, filter));
  std::vector<DeadLetter> letters;
  while (MAIA_TRY(statement.step())) letters.push_back(read(statement));
  return letters;
}

Result<std::uint64_t> DeadLetterFile::count() {
  const std::lock_guard lock(mutex_);
  auto statement =
      MAIA_TRY(prepare(database_, "select count(*) from letter" + std::string(kStands) + " and status = 0"));
  MAIA_TRY(statement.step());
  return static_cast<std::uint64_t>(statement.number(0));
}

Status DeadLetterFile::edit(std::uint64_t id, const std::string& row, ByteView change) {
  const std::lock_guard lock(mutex_);
  auto statement = MAIA_TRY(
      prepare(database_, "update letter set row = ?1, change = ?2, edited = 1 where id = ?3 and status = 0"));
  statement.bind(1, row);
  statement.bind(2, change);
  statement.bind(3, static_cast<std::int64_t>(id));
  MAIA_TRY(statement.run());
  if (sqlite3_changes(database_) > 0) return {};
  return Error{Error::Code::invalid_config, Recovery::halt, fmt::format("no dead letter {} waits", id),
               "`maia dlq list` shows those that do"};
}

Result<std::uint64_t> DeadLetterFile::purge(const LetterFilter& filter) {
  const std::lock_guard lock(mutex_);
  const auto change = [&](const std::string& sql, const std::string& which) -> Result<std::uint64_t> {
    auto statement = MAIA_TRY(prepare(database_, sql + where(filter) + which, filter));
    MAIA_TRY(statement.run());
    return static_cast<std::uint64_t>(sqlite3_changes(database_));
  };
  // Each is atomic by itself, and what a crash leaves of the second the next purge takes.
  const auto given_up =
      MAIA_TRY(change("update letter set status = 2, row = '', change = x''", " and status = 0"));
  const auto gone = MAIA_TRY(change("delete from letter", " and status = 1"));
  return given_up + gone;
}

}  // namespace maia
