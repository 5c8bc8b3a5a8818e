// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "maia/connectors/duckdb/loader.h"
#include "maia/connectors/duckdb/table_sql.h"
#include "maia/connectors/duckdb/tables.h"
#include "maia/connectors/duckdb/type_map.h"
#include "maia/sql/quote.h"
#include "maia/types/value_text.h"

namespace maia::duckdb {
namespace {

using Kind = ColumnChange::Kind;

constexpr const char* kResync = "Resync the table, so that its rows are read again in the new shape.";
constexpr const char* kRebuilt = "maia_rebuilt";

/// Whether DuckDB's cast gives the value that the source would have sent.
bool can_cast(const StoredType& from, const StoredType& to, TypeId from_id) {
  if (from.storage == Storage::list || to.storage == Storage::list) return false;
  if (from.storage == Storage::bytes || to.storage == Storage::bytes) return false;
  const bool to_text = to.storage == Storage::text && from.storage != Storage::text;
  const bool spelled_differently =
      from_id == TypeId::float32 || from_id == TypeId::float64 || from_id == TypeId::interval;
  return !(to_text && spelled_differently);
}

const ColumnChange* find_step(const SchemaChange& change, Kind kind, const std::string& column) {
  const auto step = std::find_if(change.columns.begin(), change.columns.end(), [&](const ColumnChange& each) {
    return each.kind == kind && each.column == column;
  });
  return step == change.columns.end() ? nullptr : &*step;
}

/// DuckDB refuses some transactions at their COMMIT in which a table is altered more than once, or after rows
/// of it were changed (docs/decisions). One of these alone is safe.
bool can_be_in_place(const TableTarget& before, const TableTarget& after, const SchemaChange& change) {
  const bool renamed = with_schema(before.name) != with_schema(after.name);
  if (change.columns.size() + (renamed ? 1 : 0) != 1) return false;
  if (renamed) return with_schema(before.name).schema == with_schema(after.name).schema;
  const auto& step = change.columns[0];
  const auto column = after.schema->find(step.column);
  const bool nullable = column && after.schema->columns[*column].nullable;
  switch (step.kind) {
    case Kind::rename: return !same_identifier(step.column, step.old_name);
    case Kind::drop: return before.schema->columns.size() > 1;
    case Kind::add:
    case Kind::nullability: return nullable;
    case Kind::key:
    case Kind::default_value: return true;
    case Kind::retype: return false;
  }
  return false;
}

Error unknown_column(const std::string& name) {
  return {Error::Code::internal,
          Recovery::halt,
          fmt::format("a schema change names the column {}, which is not in the table", name),
          {}};
}

}  // namespace

Status Tables::alter(const TableTarget& before, const TableTarget& after, const SchemaChange& change) {
  MAIA_TRY(check_names(after));
  for (const auto& step : change.columns) {
    const auto& shape = step.kind == Kind::drop ? before : after;
    if (step.kind != Kind::key && !shape.schema->find(step.column)) return unknown_column(step.column);
  }
  const auto old_name = with_schema(before.name);
  const auto new_name = with_schema(after.name);
  if (old_name != new_name) MAIA_TRY(check_new_name(old_name, new_name));
  MAIA_TRY(check_plain(old_name));
  const bool in_place = !touched_.contains(old_name) && can_be_in_place(before, after, change);
  MAIA_TRY(in_place ? alter_in_place(before, after, change) : rebuild(before, after, change));
  touch(new_name);
  MAIA_TRY(bookkeeping_.disown(old_name));
  const auto key = MAIA_TRY(key_text(after));
  return bookkeeping_.own({pipeline_, new_name, key});
}

Status Tables::check_new_name(const TableName& before, const TableName& after) {
  if (same_identifier(before.schema, after.schema) && same_identifier(before.table, after.table)) return {};
  const auto owned = MAIA_TRY(bookkeeping_.find(after));
  const auto there = MAIA_TRY(existing_columns(after));
  if (!owned && there.empty()) return {};
  return Error{
      Error::Code::invalid_config, Recovery::halt,
      fmt::format("table {} is now called {}, which is there already", to_string(before), to_string(after)),
      "Route one of the two tables to another name with routes:."};
}

Status Tables::check_plain(const TableName& name) {
  const auto rows = MAIA_TRY(connection_.rows(
      "SELECT schema_name, table_name, index_name FROM duckdb_indexes() WHERE database_name = $1 AND "
      "lower(table_name) = lower($2) UNION ALL SELECT schema_name, table_name, constraint_text FROM "
      "duckdb_constraints() WHERE database_name = $1 AND lower(table_name) = lower($2) AND constraint_type "
      "<> "
      "'NOT NULL'",
      {catalog_, name.table}, "alter table"));
  for (const auto& row : rows) {
    if (!same_identifier(row[0].value_or(""), name.schema) ||
        !same_identifier(row[1].value_or(""), name.table)) {
      continue;
    }
    return Error{
        Error::Code::check_failed, Recovery::halt,
        fmt::format("the table has an index or a constraint of its own ({}), with which DuckDB cannot "
                    "alter it",
                    row[2].value_or("")),
        "Drop the index or constraint from the table in the DuckDB file, then start again."};
  }
  return {};
}

Status Tables::alter_in_place(const TableTarget& before, const TableTarget& after,
                              const SchemaChange& change) {
  const auto table = MAIA_TRY(qualified(catalog_, before.name));
  const auto run = [&](const std::string& action) {
    return connection_.run(fmt::format("ALTER TABLE {} {}", table, action), "alter table");
  };
  if (change.columns.empty()) {
    const auto name = MAIA_TRY(sql::duckdb_identifier(after.name.table));
    if (!same_identifier(before.name.table, after.name.table)) return run("RENAME TO " + name);
    MAIA_TRY(run(fmt::format("RENAME TO {}", kRebuilt)));
    const auto between = MAIA_TRY(qualified(catalog_, {with_schema(before.name).schema, kRebuilt}));
    return connection_.run(fmt::format("ALTER TABLE {} RENAME TO {}", between, name), "alter table");
  }
  const auto& step = change.columns[0];
  if (step.kind == Kind::key || step.kind == Kind::default_value) return {};
  const auto name = MAIA_TRY(sql::duckdb_identifier(step.column));
  if (step.kind == Kind::drop) return run("DROP COLUMN " + name);
  if (step.kind == Kind::nullability) return run(fmt::format("ALTER COLUMN {} DROP NOT NULL", name));
  if (step.kind == Kind::rename) {
    const auto old_name = MAIA_TRY(sql::duckdb_identifier(step.old_name));
    return run(fmt::format("RENAME COLUMN {} TO {}", old_name, name));
  }
  const auto& column = after.schema->columns[*after.schema->find(step.column)];
  const auto value = MAIA_TRY(existing_value(column, step.existing_rows));
  const auto type = stored_type(column.type, config_).sql;
  MAIA_TRY(run(fmt::format("ADD COLUMN {} {} DEFAULT {}", name, type, value)));
  return run(fmt::format("ALTER COLUMN {} DROP DEFAULT", name));
}

Status Tables::rebuild(const TableTarget& before, const TableTarget& after, const SchemaChange& change) {
  const auto table = MAIA_TRY(qualified(catalog_, before.name));
  std::vector<std::string> values;
  for (const auto& column : after.schema->columns) {
    values.push_back(
        MAIA_TRY(in(fmt::format("column {}", column.name), column_value(before, column, change))));
  }
  const TableName between{with_schema(after.name).schema, kRebuilt};
  TableTarget rebuilt = after;
  rebuilt.name = between;
  MAIA_TRY(create(rebuilt));
  const auto between_sql = MAIA_TRY(qualified(catalog_, between));
  const auto name = MAIA_TRY(sql::duckdb_identifier(after.name.table));
  const std::string statements[] = {
      fmt::format("INSERT INTO {} SELECT {} FROM {}", between_sql, fmt::join(values, ", "), table),
      fmt::format("DROP TABLE {}", table),
      fmt::format("ALTER TABLE {} RENAME TO {}", between_sql, name),
  };
  for (const auto& statement : statements) MAIA_TRY(connection_.run(statement, "alter table"));
  return {};
}

Result<std::string> Tables::column_value(const TableTarget& before, const Column& column,
                                         const SchemaChange& change) {
  const auto table = MAIA_TRY(qualified(catalog_, before.name));
  if (const auto* added = find_step(change, Kind::add, column.name)) {
    if (!column.nullable && !added->existing_rows) {
      const Error error{Error::Code::data, Recovery::halt, "it must not be NULL, but rows are there",
                        kResync};
      MAIA_TRY(check_none(table, "true", error));
    }
    return existing_value(column, added->existing_rows);
  }
  const auto* renamed = find_step(change, Kind::rename, column.name);
  const auto old = before.schema->find(renamed ? renamed->old_name : column.name);
  if (!old) return unknown_column(column.name);
  const auto& old_column = before.schema->columns[*old];
  const auto name = MAIA_TRY(sql::duckdb_identifier(old_column.name));
  if (!column.nullable && old_column.nullable) {
    const Error error{Error::Code::data, Recovery::halt, "it must not be NULL, but is in some rows", kResync};
    MAIA_TRY(check_none(table, fmt::format("{} IS NULL", name), error));
  }
  const auto from = stored_type(old_column.type, config_);
  const auto to = stored_type(column.type, config_);
  if (from.sql == to.sql) return name;
  if (!can_cast(from, to, old_column.type.id)) {
    return Error{Error::Code::unsupported, Recovery::halt,
                 fmt::format("the rows that are there cannot be turned from {} to {} without a loss",
                             from.sql, to.sql),
                 kResync};
  }
  const Error error{Error::Code::data, Recovery::halt,
                    fmt::format("some rows that are there do not fit into {}", to.sql), kResync};
  MAIA_TRY(check_none(table, fmt::format("{0} IS NOT NULL AND TRY_CAST({0} AS {1}) IS NULL", name, to.sql),
                      error));
  return fmt::format("CAST({} AS {})", name, to.sql);
}

Status Tables::check_none(const std::string& table, const std::string& condition, Error error) {
  const auto rows = MAIA_TRY(connection_.rows(
      fmt::format("SELECT 'some' FROM {} WHERE {} LIMIT 1", table, condition), {}, "alter table"));
  if (rows.empty()) return {};
  return error;
}

Result<std::string> Tables::existing_value(const Column& column, const std::optional<std::string>& text) {
  if (!text) return std::string("NULL");
  // The value takes the way of all values, then DuckDB says how it writes it.
  auto shape = std::make_shared<TableSchema>();
  shape->columns.push_back(column);
  Batch batch(shape);
  batch.begin_row(Op::insert, 0);
  MAIA_TRY(push_value_text(batch.mutable_after(0), column.type, *text));
  batch.finish_row();
  const auto type = stored_type(column.type, config_).sql;
  MAIA_TRY(
      connection_.run(fmt::format("CREATE OR REPLACE TEMP TABLE maia_value (c0 {})", type), "alter table"));
  std::vector<LoadColumn> columns(1);
  auto loader =
      MAIA_TRY(Loader::into_staging(connection_, "maia_value", *shape, std::move(columns), config_));
  MAIA_TRY(loader.add(batch));
  MAIA_TRY(loader.finish());
  const auto rows =
      MAIA_TRY(connection_.rows("SELECT CAST(c0 AS VARCHAR) FROM temp.main.maia_value", {}, "alter table"));
  MAIA_TRY(connection_.run("DROP TABLE temp.main.maia_value", "alter table"));
  if (!rows.at(0).at(0)) return std::string("NULL");
  const auto literal = MAIA_TRY(sql::duckdb_literal(*rows[0][0]));
  return fmt::format("CAST({} AS {})", literal, type);
}

}  // namespace maia::duckdb
