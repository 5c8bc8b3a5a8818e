// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "maia/connectors/duckdb/table_sql.h"
#include "maia/connectors/duckdb/type_map.h"
#include "maia/sql/quote.h"

namespace maia::duckdb {
namespace {

Error wrong(const TableTarget& target, std::string_view what, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt,
          fmt::format("table {}: {}", to_string(target.name), what), std::move(hint)};
}

constexpr const char* kOtherTable =
    "Route the table to another name with routes:, or rename or drop the table in the DuckDB file.";

}  // namespace

Result<std::string> key_text(const TableTarget& target) {
  std::vector<std::string> names;
  for (const auto column : target.key) {
    names.push_back(MAIA_TRY(sql::duckdb_identifier(target.schema->columns[column].name)));
  }
  return fmt::format("{}", fmt::join(names, ","));
}

Result<std::string> column_definition(const Column& column, const Config& config) {
  const auto name = MAIA_TRY(sql::duckdb_identifier(column.name));
  return fmt::format("{} {}{}", name, stored_type(column.type, config).sql,
                     column.nullable ? "" : " NOT NULL");
}

Status Tables::prepare(const TableTarget& target) {
  MAIA_TRY(check_names(target));
  const auto name = with_schema(target.name);
  const auto key = MAIA_TRY(key_text(target));
  const auto owned = MAIA_TRY(bookkeeping_.find(name));
  if (owned && owned->pipeline != pipeline_) {
    return wrong(target, fmt::format("pipeline {} writes to it", owned->pipeline),
                 "Route the table to another name, or let go of that pipeline with `maia drop`.");
  }
  if (owned && owned->name != name) {
    return wrong(target,
                 fmt::format("{} is there, and DuckDB takes names that differ only in case for the same",
                             to_string(owned->name)),
                 "Route one of the two tables to another name with routes:.");
  }
  const auto existing = MAIA_TRY(existing_columns(name));
  if (existing.empty()) {
    if (owned) {
      return Error{Error::Code::check_failed, Recovery::halt,
                   fmt::format("table {}: it was dropped from the DuckDB file", to_string(target.name)),
                   "Resync it after `maia drop`, or bring the file back from a copy."};
    }
    MAIA_TRY(create(target));
    return bookkeeping_.own({pipeline_, name, key});
  }
  MAIA_TRY(verify(target, existing));
  if (!owned) {
    MAIA_TRY(verify_unique_key(target));
    return bookkeeping_.own({pipeline_, name, key});
  }
  if (owned->key == key) return {};
  return wrong(target, fmt::format("its rows are kept by the key ({}), not by ({})", owned->key, key),
               "Route the table to another name, or resync it after `maia drop`.");
}

Status Tables::check_names(const TableTarget& target) const {
  if (same_identifier(target.name.schema, kBookkeepingSchema)) {
    return wrong(target, "the schema maia is for MAIA's own tables",
                 "Route the table to another schema with routes:.");
  }
  const auto& columns = target.schema->columns;
  if (columns.empty()) return wrong(target, "it has no columns, which DuckDB cannot hold", "Leave it out.");
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (target.key.empty() && same_identifier(columns[i].name, "rowid")) {
      return wrong(target, "a table without a key cannot have a column rowid in DuckDB",
                   "Rename the column with a transform, or give the table a key.");
    }
    for (std::size_t other = 0; other < i; ++other) {
      if (!same_identifier(columns[i].name, columns[other].name)) continue;
      return wrong(target,
                   fmt::format("DuckDB takes the columns {} and {}, which differ only in case, for the same",
                               columns[other].name, columns[i].name),
                   "Rename one of the two with a transform.");
    }
  }
  return {};
}

Status Tables::create(const TableTarget& target) {
  const auto name = with_schema(target.name);
  touch(name);
  const auto catalog = MAIA_TRY(sql::duckdb_identifier(catalog_));
  const auto schema = MAIA_TRY(sql::duckdb_identifier(name.schema));
  MAIA_TRY(
      connection_.run(fmt::format("CREATE SCHEMA IF NOT EXISTS {}.{}", catalog, schema), "create schema"));
  std::vector<std::string> columns;
  for (const auto& column : target.schema->columns) {
    columns.push_back(MAIA_TRY(column_definition(column, config_)));
  }
  const auto table = MAIA_TRY(qualified(catalog_, name));
  return connection_.run(fmt::format("CREATE TABLE {} ({})", table, fmt::join(columns, ", ")),
                         "create table");
}

Result<TextRows> Tables::existing_columns(const TableName& name) {
  auto rows = MAIA_TRY(connection_.rows(
      "SELECT schema_name, table_name, column_name, data_type, CASE WHEN is_nullable THEN 'yes' ELSE 'no' "
      "END "
      "FROM duckdb_columns() WHERE database_name = ? AND lower(table_name) = lower(?) ORDER BY column_index",
      {catalog_, name.table}, "prepare"));
  std::erase_if(rows, [&](const auto& row) {
    return !same_identifier(*row[0], name.schema) || !same_identifier(*row[1], name.table);
  });
  return rows;
}

Status Tables::verify(const TableTarget& target, const TextRows& existing) const {
  const auto& columns = target.schema->columns;
  if (existing.size() != columns.size()) {
    return wrong(target,
                 fmt::format("the one in the DuckDB file has {} columns, the pipeline brings {}",
                             existing.size(), columns.size()),
                 kOtherTable);
  }
  for (const auto& row : existing) {
    const auto column = target.schema->find(*row[2]);
    if (!column) {
      return wrong(
          target,
          fmt::format("the one in the DuckDB file has a column {} that the pipeline does not bring", *row[2]),
          kOtherTable);
    }
    const auto wanted = stored_type(columns[*column].type, config_).sql;
    if (*row[3] != wanted) {
      return wrong(
          target,
          fmt::format("its column {} is {} in the DuckDB file and must be {}", *row[2], *row[3], wanted),
          kOtherTable);
    }
    if (*row[4] == "no" && columns[*column].nullable) {
      return wrong(target,
                   fmt::format("its column {} is NOT NULL in the DuckDB file, but NULL may come", *row[2]),
                   kOtherTable);
    }
  }
  return {};
}

Status Tables::verify_unique_key(const TableTarget& target) {
  if (target.key.empty() || target.mode == TableTarget::Mode::append) return {};
  const auto table = MAIA_TRY(qualified(catalog_, target.name));
  const auto key = MAIA_TRY(key_text(target));
  const auto rows = MAIA_TRY(connection_.rows(
      fmt::format("SELECT 'twice' FROM {} GROUP BY {} HAVING count(*) > 1 LIMIT 1", table, key), {},
      "prepare"));
  if (rows.empty()) return {};
  return wrong(target, fmt::format("the one in the DuckDB file has several rows with the same key ({})", key),
               kOtherTable);
}

Status Tables::truncate(const TableTarget& target) {
  const auto table = MAIA_TRY(qualified(catalog_, target.name));
  touch(target.name);
  return connection_.run(fmt::format("DELETE FROM {}", table), "truncate");
}

}  // namespace maia::duckdb
