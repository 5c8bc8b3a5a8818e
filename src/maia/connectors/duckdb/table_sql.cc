// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/table_sql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "maia/sql/quote.h"

namespace maia::duckdb {
namespace {

bool has_interval(const Type& type) {
  return type.id == TypeId::interval || (type.element && has_interval(*type.element));
}

}  // namespace

Result<std::string> qualified(const std::string& catalog, const TableName& name) {
  const auto schema = name.schema.empty() ? "main" : name.schema;
  return fmt::format("{}.{}.{}", MAIA_TRY(sql::duckdb_identifier(catalog)),
                     MAIA_TRY(sql::duckdb_identifier(schema)), MAIA_TRY(sql::duckdb_identifier(name.table)));
}

Result<TableSql> TableSql::of(const std::string& catalog, const TableTarget& target) {
  TableSql sql;
  sql.target_ = &target;
  sql.table_ = MAIA_TRY(qualified(catalog, target.name));
  for (const auto& column : target.schema->columns) {
    sql.columns_.push_back(MAIA_TRY(sql::duckdb_identifier(column.name)));
  }
  return sql;
}

std::vector<std::string> TableSql::numbered(char prefix, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(fmt::format("{}{}", prefix, i));
  return names;
}

std::string TableSql::exact(std::size_t column, std::string expression) const {
  // DuckDB takes a month and 30 days for equal.
  if (!has_interval(target_->schema->columns[column].type)) return expression;
  return fmt::format("CAST({} AS VARCHAR)", expression);
}

std::string TableSql::same_key(std::string_view rows, std::span<const std::string> keys) const {
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < target_->key.size(); ++i) {
    const auto column = target_->key[i];
    const auto* equals = target_->schema->columns[column].nullable ? "IS NOT DISTINCT FROM" : "=";
    conditions.push_back(fmt::format("{} {} {}", exact(column, "t." + columns_[column]), equals,
                                     exact(column, fmt::format("{}.{}", rows, keys[i]))));
  }
  return fmt::format("{}", fmt::join(conditions, " AND "));
}

std::string TableSql::delete_by_key(std::string_view rows, std::span<const std::string> keys) const {
  return fmt::format("DELETE FROM {} AS t USING {} WHERE {}", table_, rows, same_key(rows, keys));
}

std::string TableSql::delete_each(std::string_view rows) const {
  std::vector<std::string> values;
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    values.push_back(fmt::format("{} AS k{}", exact(i, fmt::format("c{}", i)), i));
    conditions.push_back(fmt::format("{} IS NOT DISTINCT FROM g.k{}", exact(i, "t." + columns_[i]), i));
  }
  return fmt::format(
      "DELETE FROM {0} WHERE rowid IN (SELECT r FROM (SELECT t.rowid AS r, g.n AS n, row_number() OVER "
      "(PARTITION BY g.i) AS place FROM {0} AS t JOIN (SELECT *, row_number() OVER () AS i FROM (SELECT {1}, "
      "count(*) AS n FROM {2} GROUP BY ALL)) AS g ON {3}) WHERE place <= n)",
      table_, fmt::join(values, ", "), rows, fmt::join(conditions, " AND "));
}

std::string TableSql::update(std::string_view rows, std::span<const std::size_t> columns) const {
  std::vector<std::string> sets;
  std::vector<std::string> keys(target_->key.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto key = std::find(target_->key.begin(), target_->key.end(), columns[i]);
    if (key != target_->key.end()) {
      keys[static_cast<std::size_t>(key - target_->key.begin())] = fmt::format("c{}", i);
    } else {
      sets.push_back(fmt::format("{} = {}.c{}", columns_[columns[i]], rows, i));
    }
  }
  if (sets.empty()) return {};
  return fmt::format("UPDATE {} AS t SET {} FROM {} WHERE {}", table_, fmt::join(sets, ", "), rows,
                     same_key(rows, keys));
}

std::string TableSql::select_moved(std::string_view moves, std::span<const std::size_t> columns) const {
  const auto old_keys = numbered('o', target_->key.size());
  std::vector<std::string> values;
  for (const auto& key : old_keys) values.push_back(fmt::format("{}.{}", moves, key));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto given = std::find(columns.begin(), columns.end(), i);
    values.push_back(given == columns.end() ? "t." + columns_[i]
                                            : fmt::format("{}.n{}", moves, given - columns.begin()));
  }
  return fmt::format("SELECT {} FROM {} AS t JOIN {} ON {}", fmt::join(values, ", "), table_, moves,
                     same_key(moves, old_keys));
}

std::string TableSql::insert_all(std::string_view rows) const {
  return fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}", table_, fmt::join(columns_, ", "),
                     fmt::join(numbered('c', columns_.size()), ", "), rows);
}

}  // namespace maia::duckdb
