// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "maia/base/this_process.h"
#include "maia/connectors/mysql/value_literal.h"

namespace maia::mysql {
namespace {

/// How long an older session may take to end.
constexpr int kTakeOverSeconds = 10;

// Names of tables compare by their bytes, as everything else here.
constexpr std::string_view kTables[] = {
    "create table if not exists maia.checkpoint ("
    "pipeline varchar(255) character set utf8mb4 collate utf8mb4_bin primary key, "
    "epoch bigint unsigned not null, sequence bigint unsigned not null, position longblob not null, "
    "updated_at datetime(6) not null, taken_by text character set utf8mb4 not null, "
    "seal text character set utf8mb4 not null, "
    "altering text character set utf8mb4 not null) engine = InnoDB",
    "create table if not exists maia.fact ("
    "pipeline varchar(255) character set utf8mb4 collate utf8mb4_bin, "
    "name varchar(500) character set utf8mb4 collate utf8mb4_bin, value longblob not null, "
    "primary key (pipeline, name)) engine = InnoDB",
    "create table if not exists maia.owner ("
    "schema_name varchar(64) character set utf8mb4 collate utf8mb4_bin, "
    "table_name varchar(64) character set utf8mb4 collate utf8mb4_bin, "
    "pipeline varchar(255) character set utf8mb4 collate utf8mb4_bin not null, "
    "applied_window bigint unsigned not null default 0, applied_ordinal bigint unsigned not null default 0, "
    "primary key (schema_name, table_name)) engine = InnoDB",
    "create table if not exists maia.making ("
    "schema_name varchar(64) character set utf8mb4 collate utf8mb4_bin, "
    "table_name varchar(64) character set utf8mb4 collate utf8mb4_bin, "
    "pipeline varchar(255) character set utf8mb4 collate utf8mb4_bin not null, "
    "epoch bigint unsigned not null, primary key (schema_name, table_name)) engine = InnoDB",
};

std::string text(std::string_view value) {
  std::string sql;
  append_text_literal(sql, value);
  return sql;
}
std::string bytes(std::string_view value) {
  std::string sql;
  append_binary_literal(sql, value);
  return sql;
}

std::uint64_t number(const Rows& rows, std::size_t column) {
  return static_cast<std::uint64_t>(rows.integer(0, column));
}

Error may_not_create(Connection& connection, const Error& error) {
  const auto user = connection.query("select current_user()");
  if (!user.ok()) return error;
  return Error{.code = Error::Code::check_failed,
               .message = "MAIA keeps its checkpoint in a database `maia` at the destination, and the user " +
                          user->str(0, 0) + " may not make its tables there",
               .hint = "run `maia check`, which prints the statements for an administrator"};
}

Error lost(std::string message, std::string hint, std::string_view reason) {
  return {.code = Error::Code::lost_history,
          .message = std::move(message),
          .hint = std::move(hint),
          .reason = reason};
}

std::string is_table(const TableName& name) {
  return fmt::format("schema_name = {} and table_name = {}", text(name.schema), text(name.table));
}

}  // namespace

Result<bool> has_bookkeeping(Connection& connection) {
  const auto there = MAIA_TRY(
      connection.query("select count(*) from information_schema.tables where table_schema = 'maia' and "
                       "table_name in ('checkpoint', 'fact', 'owner', 'making')"));
  return there.integer(0, 0) == std::ssize(kTables);
}

Status ensure_bookkeeping(Connection& connection) {
  if (MAIA_TRY(has_bookkeeping(connection))) return {};
  const auto database =
      MAIA_TRY(connection.query("select 1 from information_schema.schemata where schema_name = 'maia'"));
  auto made = database.size() > 0 ? Status() : connection.run("create database if not exists maia");
  for (const auto& table : kTables) {
    if (made.ok()) made = connection.run(table);
  }
  if (made.ok() || made.error().code != Error::Code::check_failed) return made;
  return may_not_create(connection, made.error());
}

Error not_mine(Connection& connection, const Hold& held) {
  const auto row =
      connection.query("select epoch, taken_by from maia.checkpoint where pipeline = " + text(held.pipeline));
  if (!row.ok()) return row.error();
  if (row->size() == 0) {
    return lost("the checkpoint of pipeline " + held.pipeline +
                    " was removed from the destination while the pipeline ran",
                "put the row of maia.checkpoint back from a backup and run again, or run again as it is: the "
                "tables are then copied anew",
                "checkpoint_removed");
  }
  const auto epoch = number(*row, 0);
  if (epoch == held.epoch.value) {
    return lost(
        "somebody has changed the checkpoint of pipeline " + held.pipeline +
            " at the destination while the pipeline ran",
        "put the row of maia.checkpoint back as it was and run again, or copy the tables again: `maia "
        "drop`, empty them, `maia run`",
        "checkpoint_edited");
  }
  if (epoch < held.epoch.value) {
    return lost(
        "the destination has gone back to an earlier state, perhaps restored from a backup, while "
        "pipeline " +
            held.pipeline + " ran",
        "run again: it goes on from the checkpoint that the destination now has, if the source still "
        "holds what came after it",
        "destination_restored");
  }
  return Error{.code = Error::Code::fenced,
               .message = fmt::format("a newer run of pipeline {} has taken over the destination: {}",
                                      held.pipeline, row->str(0, 1)),
               .hint = "stop one of the two runs"};
}

namespace {

/// Ends the session of an older run, which it can be told by a lock that each run has while its session
/// lasts, and takes that lock. A session that may not be ended ends by itself when its run finds itself
/// fenced.
Status replace_session(Connection& connection, const std::string& pipeline) {
  // Names of locks have at most 64 characters.
  const auto name = fmt::format("concat('maia.', left(sha2({}, 256), 40))", text(pipeline));
  const auto older = MAIA_TRY(connection.query(fmt::format("select is_used_lock({})", name)));
  const auto id = older.integer(0, 0);
  if (id != 0 && id != static_cast<std::int64_t>(connection.id())) {
    static_cast<void>(connection.run(fmt::format("kill {}", id)));
    if (connection.broken())
      return Error{Error::Code::unavailable, Recovery::reconnect, "the session broke", ""};
  }
  return connection.run(fmt::format("do get_lock({}, {})", name, kTakeOverSeconds));
}

Result<HalfDone> read_half_done(Connection& connection, const std::string& pipeline, std::string altering) {
  HalfDone half_done{.tables = {}, .altering = std::move(altering)};
  const auto rows =
      MAIA_TRY(connection.query("select schema_name, table_name, applied_window, applied_ordinal from "
                                "maia.owner where applied_window > "
                                "0 and pipeline = " +
                                text(pipeline)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    half_done.tables[{rows.str(i, 0), rows.str(i, 1)}] = {static_cast<std::uint64_t>(rows.integer(i, 2)),
                                                          static_cast<std::uint64_t>(rows.integer(i, 3))};
  }
  return half_done;
}

/// Inside of a transaction. Nothing if the epoch is not ours to take.
Result<std::optional<Taken>> take(Connection& connection, const std::string& pipeline, Epoch held) {
  const auto name = text(pipeline);
  if (held.value == 0) {
    MAIA_TRY(connection.run(fmt::format(
        "insert into maia.checkpoint (pipeline, epoch, sequence, position, updated_at, taken_by, "
        "seal, altering) values ({}, 0, 0, '', utc_timestamp(6), '', '', '') on duplicate key update "
        "pipeline = pipeline",
        name)));
  }
  const auto row = MAIA_TRY(connection.query(
      "select epoch, sequence, position, seal, taken_by, altering from maia.checkpoint where "
      "pipeline = " +
      name + " for update"));
  if (row.size() == 0) return std::optional<Taken>{};
  Taken taken;
  const auto epoch = number(row, 0);
  // A newer epoch is our own where the answer to an earlier call was lost.
  const bool ours =
      held.value == 0 || epoch == held.value || (epoch > held.value && row.str(0, 4) == this_process());
  if (!ours) return std::optional<Taken>{};
  taken.opened.epoch.value = epoch + 1;
  taken.opened.checkpoint.sequence.value = number(row, 1);
  taken.opened.checkpoint.position.token = row.str(0, 2);
  taken.opened.checkpoint.seal = row.str(0, 3);
  MAIA_TRY(
      connection.run(fmt::format("update maia.checkpoint set epoch = {}, updated_at = utc_timestamp(6), "
                                 "taken_by = {} where pipeline = {}",
                                 epoch + 1, text(this_process()), name)));
  const auto facts = MAIA_TRY(connection.query("select name, value from maia.fact where pipeline = " + name));
  for (std::size_t i = 0; i < facts.size(); ++i)
    taken.opened.checkpoint.facts[facts.str(i, 0)] = facts.str(i, 1);
  taken.half_done = MAIA_TRY(read_half_done(connection, pipeline, row.str(0, 5)));
  return std::optional(std::move(taken));
}

}  // namespace

Result<Taken> take_epoch(Connection& connection, const std::string& pipeline, Epoch held) {
  MAIA_TRY(connection.run("start transaction"));
  auto taken = MAIA_TRY(take(connection, pipeline, held));
  MAIA_TRY(connection.run("commit"));
  if (!taken) return not_mine(connection, {pipeline, held, {}});
  MAIA_TRY(replace_session(connection, pipeline));
  return *std::move(taken);
}

Result<bool> update_checkpoint(Connection& connection, const Hold& held, const CheckpointUpdate& update) {
  const auto name = text(held.pipeline);
  const auto updated =
      MAIA_TRY(connection.query(fmt::format("update maia.checkpoint set sequence = {}, position = {}, "
                                            "updated_at = utc_timestamp(6), seal = {} where "
                                            "pipeline = {} and epoch = {} and sequence = {}",
                                            update.sequence.value, bytes(update.position.token),
                                            text(update.seal), name, held.epoch.value, held.sequence.value)));
  if (updated.affected != 1) return false;
  std::string set, unset;
  for (const auto& [key, value] : update.facts) {
    if (value) {
      set += fmt::format("{}({}, {}, {})", set.empty() ? "" : ", ", name, text(key), bytes(*value));
    } else {
      unset += (unset.empty() ? "" : ", ") + text(key);
    }
  }
  if (!set.empty()) MAIA_TRY(connection.run("replace into maia.fact (pipeline, name, value) values " + set));
  if (!unset.empty()) {
    MAIA_TRY(connection.run(
        fmt::format("delete from maia.fact where pipeline = {} and name in ({})", name, unset)));
  }
  return true;
}

Result<bool> note_half_done(Connection& connection, const Hold& held, const HalfDone& half_done) {
  const auto updated = MAIA_TRY(connection.query(fmt::format(
      "update maia.checkpoint set altering = {} where pipeline = {} and epoch = {} and sequence = {}",
      text(half_done.altering), text(held.pipeline), held.epoch.value, held.sequence.value)));
  if (updated.affected != 1) return false;
  for (const auto& [table, place] : half_done.tables) {
    MAIA_TRY(connection.run(fmt::format(
        "update maia.owner set applied_window = {}, applied_ordinal = {} where {} and pipeline = {}",
        place.window, place.ordinal, is_table(table), text(held.pipeline))));
  }
  return true;
}

Status forget_half_done(Connection& connection, const std::string& pipeline) {
  MAIA_TRY(
      connection.run("update maia.owner set applied_window = 0, applied_ordinal = 0 where applied_window > 0 "
                     "and pipeline = " +
                     text(pipeline)));
  return connection.run("update maia.checkpoint set altering = '' where pipeline = " + text(pipeline));
}

Status own_table(Connection& connection, const std::string& pipeline, const TableName& table) {
  MAIA_TRY(
      connection.run(fmt::format("insert into maia.owner (schema_name, table_name, pipeline) values ({}, {}, "
                                 "{}) on duplicate key update "
                                 "pipeline = pipeline",
                                 text(table.schema), text(table.table), text(pipeline))));
  const auto owner = MAIA_TRY(connection.query("select pipeline from maia.owner where " + is_table(table)));
  if (owner.size() == 1 && owner.str(0, 0) == pipeline) return {};
  return Error{
      .code = Error::Code::invalid_config,
      .message = fmt::format("table {} is written by another pipeline, {}", to_string(table),
                             owner.size() == 1 ? owner.str(0, 0) : ""),
      .hint = "route this pipeline's table to another name, or `maia drop` the other pipeline first"};
}

Status rename_owned_table(Connection& connection, const std::string& pipeline, const TableName& before,
                          const TableName& after) {
  MAIA_TRY(connection.run(
      fmt::format("delete from maia.owner where {} and pipeline = {}", is_table(before), text(pipeline))));
  return own_table(connection, pipeline, after);
}

Status note_making(Connection& connection, const Hold& held, const TableName& table) {
  return connection.run(fmt::format(
      "replace into maia.making (schema_name, table_name, pipeline, epoch) values ({}, {}, {}, {})",
      text(table.schema), text(table.table), text(held.pipeline), held.epoch.value));
}

Result<std::optional<Epoch>> read_making(Connection& connection, const std::string& pipeline,
                                         const TableName& table) {
  const auto row = MAIA_TRY(connection.query(fmt::format(
      "select epoch from maia.making where {} and pipeline = {}", is_table(table), text(pipeline))));
  if (row.size() == 0) return std::optional<Epoch>();
  return std::optional(Epoch{number(row, 0)});
}

Status forget_making(Connection& connection, const std::string& pipeline) {
  return connection.run("delete from maia.making where pipeline = " + text(pipeline));
}

std::string made_by(const std::string& pipeline, Epoch epoch) {
  return fmt::format("maia: made by run {} of {}", epoch.value, pipeline);
}

Result<std::vector<std::string>> forget_pipeline(Connection& connection, const std::string& pipeline) {
  const auto name = text(pipeline);
  std::vector<std::string> removed;
  const auto tables =
      MAIA_TRY(connection.query("select schema_name, table_name from maia.owner where pipeline = " + name));
  for (std::size_t i = 0; i < tables.size(); ++i)
    removed.push_back("ownership of " + to_string(TableName{tables.str(i, 0), tables.str(i, 1)}));
  MAIA_TRY(connection.run("delete from maia.owner where pipeline = " + name));
  MAIA_TRY(forget_making(connection, pipeline));
  MAIA_TRY(connection.run("delete from maia.fact where pipeline = " + name));
  const auto checkpoint = MAIA_TRY(connection.query("delete from maia.checkpoint where pipeline = " + name));
  if (checkpoint.affected > 0) removed.push_back("the checkpoint of " + pipeline);
  return removed;
}

}  // namespace maia::mysql
