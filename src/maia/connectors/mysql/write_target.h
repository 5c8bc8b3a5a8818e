// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/destination.h"
#include "maia/connectors/mysql/stored_table.h"
#include "maia/sql/row_index.h"

namespace maia::mysql {

/// One table that is written to in this session: how its rows are spelled, and the SQL of every statement on
/// it. Column numbers are those of the target's schema.
class WriteTarget {
 public:
  using Columns = std::span<const std::size_t>;

  /// `number` is unique in the session and names what the target has there.
  static Result<WriteTarget> bind(const TableTarget& target, StoredTable stored, std::size_t number);

  const TableTarget& target() const { return target_; }
  bool by_key() const { return !target_.key.empty() && target_.mode == TableTarget::Mode::upsert; }
  bool appends() const { return target_.mode == TableTarget::Mode::append; }
  bool in_key(std::size_t column) const;
  /// The columns that can be written: all but those which the destination computes.
  const std::vector<std::size_t>& written() const { return written_; }
  bool has_columns_of_its_own() const { return !own_names_.empty(); }
  /// Inserts may meet rows of their key, since some have: they are not written without a look-up any more.
  bool meets_rows = false;

  /// Appends a value as SQL. Code::data, with the column, if MySQL or the column does not hold it, or it is
  /// unchanged.
  Status append_value(std::string& sql, std::size_t column, const sql::RowRef& row) const;
  /// "(1, 'a')": the values of `columns`.
  Status append_values(std::string& sql, Columns columns, const sql::RowRef& row) const;

  // For one row, given as values.
  std::string insert_head() const;  ///< "insert into t (...) values "
  Result<std::string> update_row(Columns columns, const sql::RowRef& values, const sql::RowRef& old) const;
  Result<std::string> remove_row(const sql::RowRef& old) const;
  Result<std::string> exists_row(const sql::RowRef& row) const;

  // For many rows: a temporary table holds what is to be done, in groups by number. It has the group,
  // written() and the old key of a move.
  std::string stage_create() const;
  std::string stage_drop() const { return drop(stage_); }
  std::string stage_head() const;
  Status append_staged(std::string& sql, int group, Columns columns, const sql::RowRef& row,
                       const sql::RowRef* old) const;
  // A second one holds rows of the table that are put back after all others have gone out of the way.
  std::string keep_create() const;
  std::string keep_drop() const { return drop(keep_); }
  /// Copies rows of the table, with the group's values over theirs. `moved`: found by the old key.
  std::string keep_rows(int group, Columns columns, bool moved) const;
  std::string remove_kept() const;  ///< what has the keys of the kept rows
  std::string put_kept_back() const;
  std::string remove_group(int group, bool moved) const;
  /// Empty if there is nothing but the key.
  std::string update_group(int group, Columns columns) const;
  std::string insert_missing(int group) const;

  // A third one holds the rows to compare the table with. `condition`: of condition_sql, on `t` or `s`.
  std::string compare_create() const;
  std::string compare_drop() const { return drop(compare_); }
  std::string compare_head() const;
  std::string remove_surplus(const std::string& condition) const;
  std::string update_different(const std::string& condition) const;
  std::string remove_different(const std::string& condition) const;
  std::string insert_absent(const std::string& condition) const;
  std::string remove_all() const;
  /// On key columns, each as `prefix.column`; starts with " and", or is empty.
  Result<std::string> condition_sql(const RowCondition& rows, std::string_view prefix) const;

 private:
  WriteTarget(TableTarget target, StoredTable stored)
      : target_(std::move(target)), stored_(std::move(stored)) {}
  Status quote_names(std::size_t number);
  static std::string drop(const std::string& table) { return "drop temporary table if exists " + table; }
  std::string list(Columns columns, std::string_view prefix = {}) const;
  std::string assignments(Columns columns, std::string_view from) const;
  std::string key_joins(std::string_view other, bool old) const;
  std::string definitions(bool not_null_key) const;
  std::string differs() const;
  Result<std::string> key_equals(const sql::RowRef& row) const;

  TableTarget target_;
  StoredTable stored_;
  std::vector<std::size_t> written_;
  std::string table_;  ///< quoted, as those that follow
  /// The table as `t`, to be looked up by its key. The server would rather read all of it as long as its
  /// statistics call it empty, which they do for seconds after a load, and after a crash until it has changed
  /// much.
  std::string sought_;
  std::string stage_;
  std::string keep_;
  std::string compare_;
  std::string group_;
  std::vector<std::string> names_;          ///< by column
  std::vector<const StoredColumn*> there_;  ///< by column
  std::vector<std::string> old_key_names_;
  std::vector<std::string> own_names_;  ///< of columns that only the destination has
};

/// The batches of one target within one write, in order.
struct TargetDeliveries {
  WriteTarget* target = nullptr;
  std::vector<const Delivery*> deliveries;
};

}  // namespace maia::mysql
