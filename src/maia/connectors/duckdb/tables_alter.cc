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

Status alter_table(Connection& connection, const std::string& table, const std::string& action) {
  auto altered = connection.run(fmt::format("ALTER TABLE {} {}", table, action), "alter table");
  if (altered.ok()) return {};
  auto error = std::move(altered).error();
  if (error.message.find("depend") != error.message.npos) {
    error.hint =
        "DuckDB cannot alter a table that has an index: drop the indexes of the table, then start again.";
  }
  return error;
}

/// Whether DuckDB's cast gives the value that the source would have sent.
bool can_cast(const StoredType& from, const StoredType& to, TypeId from_id) {
  if (from.storage == Storage::list || to.storage == Storage::list) return false;
  if (from.storage == Storage::bytes || to.storage == Storage::bytes) return false;
  const bool to_text = to.storage == Storage::text && from.storage != Storage::text;
  const bool spelled_differently =
      from_id == TypeId::float32 || from_id == TypeId::float64 || from_id == TypeId::interval;
  return !(to_text && spelled_differently);
}

const Column& column_of(const TableTarget& target, const std::string& name) {
  return target.schema->columns[*target.schema->find(name)];
}

std::string temporary(std::size_t number) { return fmt::format("\"maia_column_{}\"", number); }

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
  const auto name = with_schema(after.name);
  if (with_schema(before.name) != name) MAIA_TRY(rename_table(before, name));
  const auto table = MAIA_TRY(qualified(catalog_, name));
  // A dropped column goes last, because a table needs one, but out of the way of a new one of its name.
  std::vector<std::string> drops;
  for (const auto& step : change.columns) {
    if (step.kind != Kind::drop) continue;
    const auto column = MAIA_TRY(sql::duckdb_identifier(step.column));
    drops.push_back(fmt::format("\"maia_dropped_{}\"", drops.size()));
    MAIA_TRY(alter_table(connection_, table, fmt::format("RENAME COLUMN {} TO {}", column, drops.back())));
  }
  MAIA_TRY(rename_columns(table, change));
  for (const auto& step : change.columns) {
    if (step.kind == Kind::add) MAIA_TRY(add_column(table, column_of(after, step.column), step));
    if (step.kind == Kind::retype) MAIA_TRY(retype_column(table, before, after, change, step));
    if (step.kind == Kind::nullability) MAIA_TRY(set_nullable(table, column_of(after, step.column)));
  }
  for (const auto& column : drops) {
    MAIA_TRY(alter_table(connection_, table, fmt::format("DROP COLUMN {}", column)));
  }
  MAIA_TRY(bookkeeping_.disown(with_schema(before.name)));
  const auto key = MAIA_TRY(key_text(after));
  return bookkeeping_.own({pipeline_, name, key});
}

Status Tables::renew(const TableTarget& target) {
  const auto name = with_schema(target.name);
  const TableTarget copy{
      .name = {name.schema, "maia_renewed"}, .schema = target.schema, .mode = target.mode, .key = target.key};
  MAIA_TRY(create(copy));
  const auto from = MAIA_TRY(qualified(catalog_, name));
  const auto to = MAIA_TRY(qualified(catalog_, copy.name));
  MAIA_TRY(connection_.run(fmt::format("INSERT INTO {} BY NAME SELECT * FROM {}", to, from), "alter table"));
  MAIA_TRY(connection_.run(fmt::format("DROP TABLE {}", from), "alter table"));
  const auto table = MAIA_TRY(sql::duckdb_identifier(name.table));
  return alter_table(connection_, to, fmt::format("RENAME TO {}", table));
}

Status Tables::rename_table(const TableTarget& before, const TableName& name) {
  const auto old_name = with_schema(before.name);
  const auto owned = MAIA_TRY(bookkeeping_.find(name));
  const bool only_case =
      same_identifier(old_name.schema, name.schema) && same_identifier(old_name.table, name.table);
  const auto there = MAIA_TRY(existing_columns(name));
  if (!only_case && (owned || !there.empty())) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("table {} is now called {}, which is there already", to_string(old_name),
                             to_string(name)),
                 "Route one of the two tables to another name with routes:."};
  }
  if (old_name.schema != name.schema) return move_to_schema(before, name);
  const auto table = MAIA_TRY(qualified(catalog_, old_name));
  const auto new_name = MAIA_TRY(sql::duckdb_identifier(name.table));
  if (!only_case) return alter_table(connection_, table, fmt::format("RENAME TO {}", new_name));
  const auto between = MAIA_TRY(qualified(catalog_, {name.schema, "maia_renamed"}));
  MAIA_TRY(alter_table(connection_, table, "RENAME TO maia_renamed"));
  return alter_table(connection_, between, fmt::format("RENAME TO {}", new_name));
}

Status Tables::move_to_schema(const TableTarget& before, const TableName& name) {
  const TableTarget moved{.name = name, .schema = before.schema, .mode = before.mode, .key = before.key};
  MAIA_TRY(create(moved));
  const auto from = MAIA_TRY(qualified(catalog_, before.name));
  const auto to = MAIA_TRY(qualified(catalog_, name));
  MAIA_TRY(connection_.run(fmt::format("INSERT INTO {} BY NAME SELECT * FROM {}", to, from), "move table"));
  return connection_.run(fmt::format("DROP TABLE {}", from), "move table");
}

Status Tables::rename_columns(const std::string& table, const SchemaChange& change) {
  std::vector<std::string> names;
  for (const auto& step : change.columns) {
    if (step.kind != Kind::rename) continue;
    const auto old_name = MAIA_TRY(sql::duckdb_identifier(step.old_name));
    names.push_back(MAIA_TRY(sql::duckdb_identifier(step.column)));
    // By way of other names, because two columns may swap theirs.
    MAIA_TRY(alter_table(connection_, table,
                         fmt::format("RENAME COLUMN {} TO {}", old_name, temporary(names.size()))));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    MAIA_TRY(
        alter_table(connection_, table, fmt::format("RENAME COLUMN {} TO {}", temporary(i + 1), names[i])));
  }
  return {};
}

Status Tables::add_column(const std::string& table, const Column& column, const ColumnChange& step) {
  const auto name = MAIA_TRY(sql::duckdb_identifier(column.name));
  const auto type = stored_type(column.type, config_).sql;
  if (!step.existing_rows) {
    MAIA_TRY(alter_table(connection_, table, fmt::format("ADD COLUMN {} {}", name, type)));
  } else {
    const auto value = MAIA_TRY(existing_value(column, *step.existing_rows));
    MAIA_TRY(alter_table(connection_, table, fmt::format("ADD COLUMN {} {} DEFAULT {}", name, type, value)));
    MAIA_TRY(alter_table(connection_, table, fmt::format("ALTER COLUMN {} DROP DEFAULT", name)));
  }
  return column.nullable ? Status{} : set_nullable(table, column);
}

Result<std::string> Tables::existing_value(const Column& column, const std::string& text) {
  // The value takes the way of all values, then DuckDB says how it writes it.
  auto shape = std::make_shared<TableSchema>();
  shape->columns.push_back(column);
  Batch batch(shape);
  batch.begin_row(Op::insert, 0);
  MAIA_TRY(
      in(fmt::format("column {}", column.name), push_value_text(batch.mutable_after(0), column.type, text)));
  batch.finish_row();
  const auto type = stored_type(column.type, config_).sql;
  MAIA_TRY(
      connection_.run(fmt::format("CREATE OR REPLACE TEMP TABLE maia_value (c0 {})", type), "alter table"));
  auto loader =
      MAIA_TRY(Loader::into_staging(connection_, "maia_value", *shape, {LoadColumn{0, false}}, config_));
  MAIA_TRY(loader.add(batch));
  MAIA_TRY(loader.finish());
  const auto rows =
      MAIA_TRY(connection_.rows("SELECT CAST(c0 AS VARCHAR) FROM temp.main.maia_value", {}, "alter table"));
  MAIA_TRY(connection_.run("DROP TABLE temp.main.maia_value", "alter table"));
  if (!rows.at(0).at(0)) return std::string("NULL");
  const auto literal = MAIA_TRY(sql::duckdb_literal(*rows[0][0]));
  return fmt::format("CAST({} AS {})", literal, type);
}

Status Tables::retype_column(const std::string& table, const TableTarget& before, const TableTarget& after,
                             const SchemaChange& change, const ColumnChange& step) {
  auto old_name = step.column;
  for (const auto& other : change.columns) {
    if (other.kind == Kind::rename && other.column == step.column) old_name = other.old_name;
  }
  if (!before.schema->find(old_name)) return unknown_column(old_name);
  const auto& old_type = column_of(before, old_name).type;
  const auto from = stored_type(old_type, config_);
  const auto to = stored_type(column_of(after, step.column).type, config_);
  if (from.sql == to.sql) return {};
  if (!can_cast(from, to, old_type.id)) {
    return Error{
        Error::Code::unsupported, Recovery::halt,
        fmt::format("column {}: the rows that are there cannot be turned from {} to {} without a loss",
                    step.column, from.sql, to.sql),
        kResync};
  }
  const auto name = MAIA_TRY(sql::duckdb_identifier(step.column));
  auto altered = alter_table(connection_, table,
                             fmt::format("ALTER COLUMN {0} TYPE {1} USING CAST({0} AS {1})", name, to.sql));
  if (altered.ok()) return {};
  auto error = std::move(altered).error();
  if (error.hint.empty()) error.hint = kResync;
  return std::move(error).in(fmt::format("column {} to {}", step.column, to.sql));
}

Status Tables::set_nullable(const std::string& table, const Column& column) {
  const auto name = MAIA_TRY(sql::duckdb_identifier(column.name));
  return in(fmt::format("column {}", column.name),
            alter_table(connection_, table,
                        fmt::format("ALTER COLUMN {} {} NOT NULL", name, column.nullable ? "DROP" : "SET")));
}

}  // namespace maia::duckdb
