// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/checkpoint.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "maia/base/this_process.h"
#include "maia/sql/quote.h"

namespace maia::postgres {
namespace {

constexpr std::string_view kTables = R"(
create table if not exists maia.checkpoint (
  pipeline text primary key,
  epoch bigint not null,
  sequence bigint not null,
  position bytea not null,
  updated_at timestamptz not null default pg_catalog.now(),
  taken_by text not null default '',
  backend integer not null default 0,
  seal text not null default '');
alter table maia.checkpoint add column if not exists taken_by text not null default '',
  add column if not exists backend integer not null default 0,
  add column if not exists seal text not null default '';
create table if not exists maia.fact (
  pipeline text not null references maia.checkpoint on delete cascade,
  key text not null,
  value bytea not null,
  primary key (pipeline, key));
create table if not exists maia.owner (
  schema_name text not null,
  table_name text not null,
  pipeline text not null,
  primary key (schema_name, table_name));
)";

/// How long the commit of an older run may hold us up.
constexpr std::chrono::seconds kTakeOverPatience{60};

std::string hex(std::string_view bytes) {
  std::string text = "\\x";
  text.reserve(2 + bytes.size() * 2);
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

/// The bytes of a bytea that the server printed in hex.
Result<std::string> unhex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  if (!text.starts_with("\\x") || text.size() % 2 != 0 ||
      text.substr(2).find_first_not_of("0123456789abcdef") != text.npos) {
    return Error{.code = Error::Code::corruption, .message = "a value of MAIA's tables is no bytea in hex"};
  }
  std::string bytes;
  for (std::size_t i = 2; i < text.size(); i += 2) {
    bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  }
  return bytes;
}

Error may_not_create(Connection& connection, const Error& error) {
  const auto user = connection.query("select current_user, pg_catalog.current_database()");
  if (!user.ok()) return error;
  const auto role = sql::postgres_identifier(user->text(0, 0));
  if (!role.ok()) return error;
  return Error{
      .code = Error::Code::check_failed,
      .message =
          "MAIA keeps its checkpoint in a schema `maia` at the destination, which is missing, and "
          "the user " +
          *role + " may not create it in the database " + user->str(0, 1),
      .hint = fmt::format("run there as an administrator: CREATE SCHEMA maia AUTHORIZATION {};", *role)};
}

Status create_tables(Connection& connection) {
  // Two pipelines may come here at the same moment; CREATE ... IF NOT EXISTS alone is not safe against that.
  MAIA_TRY(connection.run("begin; select pg_catalog.pg_advisory_xact_lock(7809538711)"));
  const auto there = MAIA_TRY(connection.query("select pg_catalog.to_regnamespace('maia') is not null"));
  if (!there.boolean(0, 0)) MAIA_TRY(connection.run("create schema maia"));
  MAIA_TRY(connection.run(std::string(kTables)));
  return connection.run("commit");
}

}  // namespace

Status ensure_bookkeeping(Connection& connection) {
  const auto there = MAIA_TRY(connection.query(
      "select pg_catalog.count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = "
      "c.relnamespace "
      "where n.nspname = 'maia' and c.relname in ('checkpoint', 'fact', 'owner') and c.relkind = 'r' "
      "and (c.relname <> 'checkpoint' or exists (select from pg_catalog.pg_attribute a "
      "where a.attrelid = c.oid and a.attname = 'seal'))"));
  if (there.integer(0, 0) == 3) return {};
  auto made = create_tables(connection);
  if (made.ok()) return {};
  const auto error = std::move(made).error();
  const auto state = connection.last_sqlstate();
  MAIA_TRY(connection.run("rollback"));
  if (state != "42501") return error;
  return may_not_create(connection, error);
}

Error not_mine(Connection& connection, const std::string& pipeline, Epoch epoch) {
  const auto row = connection.query("select epoch, taken_by from maia.checkpoint where pipeline = $1",
                                    std::vector<Parameter>{pipeline});
  if (!row.ok()) return row.error();
  if (row->size() == 0) {
    return Error{
        .code = Error::Code::lost_history,
        .message = "the checkpoint of pipeline " + pipeline +
                   " was removed from the destination while the pipeline ran",
        .hint =
            "put the row of maia.checkpoint back from a backup and run again, or run again as it is: "
            "the tables are then copied anew",
        .reason = "checkpoint_removed"};
  }
  if (static_cast<std::uint64_t>(row->integer(0, 0)) == epoch.value) {
    return Error{.code = Error::Code::lost_history,
                 .message = "somebody has changed the checkpoint of pipeline " + pipeline +
                            " at the destination while the pipeline ran",
                 .hint =
                     "put the row of maia.checkpoint back as it was and run again, or copy the tables "
                     "again: `maia drop`, empty them, `maia run`",
                 .reason = "checkpoint_edited"};
  }
  if (static_cast<std::uint64_t>(row->integer(0, 0)) < epoch.value) {
    return Error{.code = Error::Code::lost_history,
                 .message =
                     "the destination has gone back to an earlier state, perhaps restored from a backup, "
                     "while pipeline " +
                     pipeline + " ran",
                 .hint =
                     "run again: it goes on from the checkpoint that the destination now has, if the source "
                     "still holds what came after it",
                 .reason = "destination_restored"};
  }
  return Error{.code = Error::Code::fenced,
               .message = fmt::format("a newer run of pipeline {} has taken over the destination: {}",
                                      pipeline, row->text(0, 1)),
               .hint = "stop one of the two runs"};
}

namespace {

/// The statement that takes the epoch, and reads who had it.
Result<Rows> take(Connection& connection, const std::string& pipeline, Epoch held) {
  const Limits limits{.timeout = kTakeOverPatience, .stop = {}};
  const auto backend = std::to_string(connection.backend_pid());
  if (held.value == 0) {
    return connection.query(
        "with old as (select backend from maia.checkpoint where pipeline = $1) "
        "insert into maia.checkpoint as c (pipeline, epoch, sequence, position, taken_by, backend) "
        "values ($1, 1, 0, '', $2, $3) on conflict (pipeline) do update set epoch = c.epoch + 1, "
        "updated_at = pg_catalog.now(), taken_by = excluded.taken_by, backend = excluded.backend "
        "returning epoch, sequence, position, seal, (select backend from old)",
        std::vector<Parameter>{pipeline, this_process(), backend}, limits);
  }
  // A newer epoch is our own where the answer to an earlier call was lost.
  return connection.query(
      "update maia.checkpoint set epoch = epoch + 1, updated_at = pg_catalog.now(), taken_by = $2, backend = "
      "$3 where pipeline = $1 and (epoch = $4 or epoch > $4 and taken_by = $2) "
      "returning epoch, sequence, position, seal, null",
      std::vector<Parameter>{pipeline, this_process(), backend, std::to_string(held.value)}, limits);
}

/// What cannot be ended for lack of the privilege ends by itself when its owner finds itself fenced.
void end_open_transaction(Connection& connection, const std::string& pipeline, std::string_view backend) {
  static_cast<void>(connection.query(
      "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where pid = $1 and "
      "application_name = $2 and datname = pg_catalog.current_database() and xact_start is not null and "
      "pid <> pg_catalog.pg_backend_pid()",
      std::vector<Parameter>{std::string(backend), "maia/" + pipeline}));
}

}  // namespace

Result<Destination::Opened> take_epoch(Connection& connection, const std::string& pipeline, Epoch held) {
  const auto row = MAIA_TRY(take(connection, pipeline, held));
  if (row.size() == 0) return not_mine(connection, pipeline, held);
  Destination::Opened opened;
  opened.epoch.value = static_cast<std::uint64_t>(row.integer(0, 0));
  opened.checkpoint.sequence.value = static_cast<std::uint64_t>(row.integer(0, 1));
  opened.checkpoint.position.token = MAIA_TRY(unhex(row.text(0, 2)));
  opened.checkpoint.seal = row.str(0, 3);
  if (!row.is_null(0, 4)) end_open_transaction(connection, pipeline, row.text(0, 4));
  const auto facts = MAIA_TRY(connection.query("select key, value from maia.fact where pipeline = $1",
                                               std::vector<Parameter>{pipeline}));
  for (std::size_t i = 0; i < facts.size(); ++i) {
    opened.checkpoint.facts[facts.str(i, 0)] = MAIA_TRY(unhex(facts.text(i, 1)));
  }
  return opened;
}

Status queue_checkpoint(StatementPipeline& pipeline, const std::string& name, Epoch epoch, Sequence held,
                        const CheckpointUpdate& update) {
  const auto position = hex(update.position.token);
  const auto sequence = std::to_string(update.sequence.value);
  const auto mine = std::to_string(epoch.value);
  const auto before = std::to_string(held.value);
  const char* values[] = {name.c_str(), sequence.c_str(), position.c_str(),
                          mine.c_str(), before.c_str(),   update.seal.c_str()};
  MAIA_TRY(
      pipeline.run("with mine as (update maia.checkpoint set sequence = $2, position = $3, "
                   "updated_at = pg_catalog.now(), seal = $6 "
                   "where pipeline = $1 and epoch = $4 and sequence = $5 returning 1) "
                   "select 1 / pg_catalog.count(*) from mine",
                   values));
  for (const auto& [key, value] : update.facts) {
    const auto text = value ? hex(*value) : "";
    const char* fact[] = {name.c_str(), key.c_str(), text.c_str()};
    if (value) {
      MAIA_TRY(
          pipeline.run("insert into maia.fact (pipeline, key, value) values ($1, $2, $3) "
                       "on conflict (pipeline, key) do update set value = excluded.value",
                       fact));
    } else {
      MAIA_TRY(pipeline.run("delete from maia.fact where pipeline = $1 and key = $2", std::span(fact, 2)));
    }
  }
  return {};
}

Status own_table(Connection& connection, const std::string& pipeline, const TableName& table) {
  const auto owner = MAIA_TRY(connection.query(
      "insert into maia.owner as o (schema_name, table_name, pipeline) values ($1, $2, $3) "
      "on conflict (schema_name, table_name) do update set pipeline = o.pipeline returning pipeline",
      std::vector<Parameter>{table.schema, table.table, pipeline}));
  if (owner.text(0, 0) == pipeline) return {};
  return Error{
      .code = Error::Code::invalid_config,
      .message =
          fmt::format("table {} is written by another pipeline, {}", to_string(table), owner.text(0, 0)),
      .hint = "route this pipeline's table to another name, or `maia drop` the other pipeline first"};
}

Status rename_owned_table(Connection& connection, const std::string& pipeline, const TableName& before,
                          const TableName& after) {
  MAIA_TRY(
      connection.query("delete from maia.owner where schema_name = $1 and table_name = $2 and pipeline = $3",
                       std::vector<Parameter>{before.schema, before.table, pipeline}));
  return own_table(connection, pipeline, after);
}

Result<std::vector<TableName>> owned_tables(Connection& connection, const std::string& pipeline) {
  const auto rows = MAIA_TRY(connection.query(
      "select schema_name, table_name from maia.owner where pipeline = $1 order by schema_name, table_name",
      std::vector<Parameter>{pipeline}));
  std::vector<TableName> tables;
  for (std::size_t i = 0; i < rows.size(); ++i) tables.push_back({rows.str(i, 0), rows.str(i, 1)});
  return tables;
}

Result<std::vector<std::string>> forget_pipeline(Connection& connection, const std::string& pipeline) {
  std::vector<std::string> removed;
  const std::vector<Parameter> name{pipeline};
  for (const auto& table : MAIA_TRY(owned_tables(connection, pipeline))) {
    removed.push_back("ownership of " + to_string(table));
  }
  MAIA_TRY(connection.query("delete from maia.owner where pipeline = $1", name));
  MAIA_TRY(connection.query("delete from maia.fact where pipeline = $1", name));
  const auto checkpoint = MAIA_TRY(connection.query("delete from maia.checkpoint where pipeline = $1", name));
  if (checkpoint.affected() > 0) removed.push_back("the checkpoint of " + pipeline);
  return removed;
}

}  // namespace maia::postgres
