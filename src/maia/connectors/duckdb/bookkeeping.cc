// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/bookkeeping.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "maia/base/this_process.h"
#include "maia/sql/quote.h"

namespace maia::duckdb {
namespace {

constexpr std::string_view kFormat = "2";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::uint64_t number_of(const std::optional<std::string>& text) {
  std::uint64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

Error fenced(std::string_view pipeline, std::string_view by) {
  return {Error::Code::fenced, Recovery::halt,
          fmt::format("a newer run of pipeline {} writes to this DuckDB file: {}", pipeline, by),
          "Only one run of a pipeline may be active. Stop the other one, or leave this one stopped."};
}

}  // namespace

bool same_identifier(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char left, char right) { return lower(left) == lower(right); });
}

TableName with_schema(const TableName& name) {
  return {name.schema.empty() ? "main" : name.schema, name.table};
}

Bookkeeping::Bookkeeping(Connection& connection, std::string_view catalog)
    : connection_(connection),
      // A catalog is named after a file, and no file name holds what cannot be quoted.
      schema_(fmt::format("{}.{}", sql::duckdb_identifier(catalog).value(), kBookkeepingSchema)) {}

std::string Bookkeeping::table(std::string_view name) const { return fmt::format("{}.{}", schema_, name); }

Status Bookkeeping::create() {
  const std::string statements[] = {
      fmt::format("CREATE SCHEMA IF NOT EXISTS {}", schema_),
      fmt::format("CREATE TABLE IF NOT EXISTS {} AS SELECT '{}' AS version", table("format"), kFormat),
      fmt::format("CREATE TABLE IF NOT EXISTS {} (pipeline VARCHAR NOT NULL, epoch UBIGINT NOT NULL, "
                  "sequence UBIGINT NOT NULL, position BLOB NOT NULL, updated_at TIMESTAMPTZ NOT NULL, "
                  "taken_by VARCHAR NOT NULL, seal VARCHAR NOT NULL)",
                  table("pipelines")),
      fmt::format("CREATE TABLE IF NOT EXISTS {} (pipeline VARCHAR NOT NULL, name VARCHAR NOT NULL, "
                  "value BLOB NOT NULL)",
                  table("facts")),
      fmt::format("CREATE TABLE IF NOT EXISTS {} (pipeline VARCHAR NOT NULL, schema_name VARCHAR NOT NULL, "
                  "table_name VARCHAR NOT NULL, key_columns VARCHAR NOT NULL)",
                  table("tables")),
  };
  for (const auto& statement : statements) MAIA_TRY(connection_.run(statement, "open"));
  const auto rows =
      MAIA_TRY(connection_.rows(fmt::format("SELECT version FROM {}", table("format")), {}, "open"));
  if (rows.size() == 1 && rows[0][0] == kFormat) return {};
  return Error{
      Error::Code::unsupported, Recovery::halt,
      fmt::format("the schema {} in the DuckDB file is of another version of MAIA", kBookkeepingSchema),
      "Run the version of MAIA that wrote the file, or a newer one."};
}

Result<Destination::Opened> Bookkeeping::take_epoch(std::string_view pipeline, Epoch held) {
  const std::string name(pipeline);
  Destination::Opened opened;
  const auto rows = MAIA_TRY(connection_.rows(
      fmt::format(
          "SELECT CAST(epoch AS VARCHAR), CAST(sequence AS VARCHAR), position, seal, taken_by FROM {} "
          "WHERE pipeline = ?",
          table("pipelines")),
      {name}, "open"));
  const auto epoch = rows.empty() ? 0 : number_of(rows[0][0]);
  if (held.value != 0 && held.value != epoch) {
    return fenced(pipeline, rows.empty() ? "its checkpoint was removed" : rows[0][4].value_or(""));
  }
  opened.epoch.value = epoch + 1;
  if (rows.empty()) {
    MAIA_TRY(connection_.change(
        fmt::format("INSERT INTO {} VALUES (?, 1, 0, ''::BLOB, now(), ?, '')", table("pipelines")),
        {name, this_process()}, "open"));
    return opened;
  }
  opened.checkpoint.sequence.value = number_of(rows[0][1]);
  opened.checkpoint.position.token = rows[0][2].value_or("");
  opened.checkpoint.seal = rows[0][3].value_or("");
  MAIA_TRY(connection_.change(
      fmt::format("UPDATE {} SET epoch = ?, taken_by = ? WHERE pipeline = ?", table("pipelines")),
      {opened.epoch.value, this_process(), name}, "open"));
  const auto facts = MAIA_TRY(connection_.rows(
      fmt::format("SELECT name, value FROM {} WHERE pipeline = ?", table("facts")), {name}, "open"));
  for (const auto& fact : facts) {
    opened.checkpoint.facts.emplace(fact[0].value_or(""), fact[1].value_or(""));
  }
  return opened;
}

Status Bookkeeping::save(std::string_view pipeline, Epoch epoch, const CheckpointUpdate& update) {
  const std::string name(pipeline);
  // DuckDB lets no second process have the file, so whoever took over is in this one.
  // The epoch is written too: DuckDB sees a conflict with a run that takes a new one only in equal columns.
  const auto changed = connection_.change(
      fmt::format("UPDATE {} SET epoch = ?, sequence = ?, position = ?, updated_at = now(), seal = ? "
                  "WHERE pipeline = ? AND epoch = ?",
                  table("pipelines")),
      {epoch.value, update.sequence.value, Bytes{update.position.token}, update.seal, name, epoch.value},
      "commit");
  if (!changed.ok()) {
    // Only another run of the same pipeline changes this row.
    const bool conflict = changed.error().recovery == Recovery::retry;
    return conflict ? fenced(pipeline, this_process()) : changed.error();
  }
  if (*changed != 1) return fenced(pipeline, this_process());
  for (const auto& [fact, value] : update.facts) {
    MAIA_TRY(connection_.change(fmt::format("DELETE FROM {} WHERE pipeline = ? AND name = ?", table("facts")),
                                {name, fact}, "commit"));
    if (!value) continue;
    MAIA_TRY(connection_.change(fmt::format("INSERT INTO {} VALUES (?, ?, ?)", table("facts")),
                                {name, fact, Bytes{*value}}, "commit"));
  }
  return {};
}

Result<std::optional<Bookkeeping::Owned>> Bookkeeping::find(const TableName& name) {
  const auto rows = MAIA_TRY(connection_.rows(
      fmt::format("SELECT pipeline, schema_name, table_name, key_columns FROM {}", table("tables")), {},
      "prepare"));
  for (const auto& row : rows) {
    Owned owned{row[0].value_or(""), {row[1].value_or(""), row[2].value_or("")}, row[3].value_or("")};
    if (same_identifier(owned.name.schema, name.schema) && same_identifier(owned.name.table, name.table)) {
      return std::optional(std::move(owned));
    }
  }
  return std::optional<Owned>();
}

Status Bookkeeping::own(const Owned& owned) {
  MAIA_TRY(disown(owned.name));
  MAIA_TRY(connection_.change(fmt::format("INSERT INTO {} VALUES (?, ?, ?, ?)", table("tables")),
                              {owned.pipeline, owned.name.schema, owned.name.table, owned.key}, "prepare"));
  return {};
}

Status Bookkeeping::disown(const TableName& name) {
  MAIA_TRY(connection_.change(
      fmt::format("DELETE FROM {} WHERE schema_name = ? AND table_name = ?", table("tables")),
      {name.schema, name.table}, "prepare"));
  return {};
}

Result<std::vector<std::string>> Bookkeeping::schemas() {
  const auto rows = MAIA_TRY(connection_.rows(
      fmt::format("SELECT DISTINCT schema_name FROM {} ORDER BY schema_name", table("tables")), {}, "query"));
  std::vector<std::string> schemas;
  for (const auto& row : rows) schemas.push_back(row[0].value_or(""));
  return schemas;
}

Result<std::vector<std::string>> Bookkeeping::drop(std::string_view pipeline) {
  const std::string name(pipeline);
  std::vector<std::string> removed;
  const auto tables = MAIA_TRY(connection_.rows(
      fmt::format("SELECT schema_name, table_name FROM {} WHERE pipeline = ? ORDER BY ALL", table("tables")),
      {name}, "drop"));
  for (const auto& row : tables) {
    removed.push_back("ownership of " + to_string(TableName{row[0].value_or(""), row[1].value_or("")}));
  }
  for (const auto* each : {"tables", "facts", "pipelines"}) {
    const auto count = MAIA_TRY(
        connection_.change(fmt::format("DELETE FROM {} WHERE pipeline = ?", table(each)), {name}, "drop"));
    if (count > 0 && each == std::string_view("pipelines")) removed.push_back("checkpoint of " + name);
  }
  const auto left = MAIA_TRY(
      connection_.rows(fmt::format("SELECT pipeline FROM {} LIMIT 1", table("pipelines")), {}, "drop"));
  if (left.empty()) {
    MAIA_TRY(connection_.run(fmt::format("DROP SCHEMA {} CASCADE", schema_), "drop"));
    removed.push_back(fmt::format("schema {}", kBookkeepingSchema));
  }
  return removed;
}

}  // namespace maia::duckdb
