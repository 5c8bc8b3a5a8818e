// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/destination.h"

namespace maia::duckdb {

/// A table's name with its catalog, quoted. "main" stands for an empty schema.
Result<std::string> qualified(const std::string& catalog, const TableName& name);

/// The statements on a target's table. Rows that come in are a table whose columns are named by a letter and
/// a number: those that a Loader feeds are c0, c1 ... in the loader's order.
class TableSql {
 public:
  /// Code::data for a name that cannot be one in DuckDB.
  static Result<TableSql> of(const std::string& catalog, const TableTarget& target);

  const std::string& table() const { return table_; }

  /// Deletes what has the keys in `keys` of the table `rows`; `keys` follows the target's key.
  std::string delete_by_key(std::string_view rows, std::span<const std::string> keys) const;
  /// Deletes one row for each row of `rows` that equals it in all columns, as many as there are.
  std::string delete_each(std::string_view rows) const;
  /// Sets `columns`, whose values are c0, c1 ... of `rows`, by key, which is among them. Empty if there is
  /// nothing but the key.
  std::string update(std::string_view rows, std::span<const std::size_t> columns) const;
  /// Old key (o0, o1 ...) and all columns (c0, c1 ... in the schema's order) of the rows that have the old
  /// keys in `moves`, with `columns` replaced by n0, n1 ... of it.
  std::string select_moved(std::string_view moves, std::span<const std::size_t> columns) const;
  /// Inserts all columns from c0, c1 ... of `rows`.
  std::string insert_all(std::string_view rows) const;

  // Statements that compare the table with `rows`, which has all columns as c0, c1 ... in the schema's order.
  // Without a key rows are compared as a multiset, and there is no condition.
  std::string remove_surplus(std::string_view rows, const std::string& condition) const;
  /// Empty if there is nothing but the key.
  std::string update_changed(std::string_view rows, const std::string& condition) const;
  std::string insert_missing(std::string_view rows, const std::string& condition) const;
  /// The condition on key columns, of the table (t) or of `rows`; starts with " AND", or is empty.
  Result<std::string> condition(const RowCondition& condition, std::string_view rows = {}) const;

  /// {prefix}0, {prefix}1 ...
  static std::vector<std::string> numbered(char prefix, std::size_t count);

 private:
  std::vector<std::string> key_numbers() const;
  std::string same_key(std::string_view rows, std::span<const std::string> keys) const;
  /// An expression that is equal exactly for equal values of the column.
  std::string exact(std::size_t column, std::string expression) const;

  const TableTarget* target_ = nullptr;
  std::string table_;
  std::vector<std::string> columns_;
};

}  // namespace maia::duckdb
