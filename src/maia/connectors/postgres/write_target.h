// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/destination.h"
#include "maia/connectors/postgres/copy_encoder.h"
#include "maia/connectors/postgres/stored_table.h"

namespace maia::postgres {

/// The statements that are prepared once per target and set of columns.
enum class Statement : std::uint8_t {
  // For one row, given as values:
  insert,         ///< a whole row
  insert_absent,  ///< a whole row, unless its key is there
  upsert,         ///< a whole row, in place of what has its key
  update,         ///< some columns of the row of a key
  move,           ///< the same, key columns among them
  make_room,      ///< removes the row of the new key, if a row has the old key
  remove,         ///< the row of a key
  remove_one,     ///< one of the rows that equal a whole row
  // For many rows, given as one array per column:
  insert_many,
  upsert_many,
  update_many,
  remove_many,
  remove_each,  ///< remove_one for every row of a multiset
};

/// One table that is written to in this session: how its columns are encoded, and the SQL of every statement
/// on it. Column numbers are those of the target's schema.
class WriteTarget {
 public:
  /// `number` is unique in the session and names what the target has there.
  static Result<WriteTarget> bind(const TableTarget& target, StoredTable stored, std::size_t number);

  const TableTarget& target() const { return target_; }
  const StoredTable& stored() const { return stored_; }
  bool by_key() const { return !target_.key.empty() && target_.mode == TableTarget::Mode::upsert; }
  bool appends() const { return target_.mode == TableTarget::Mode::append; }
  bool in_key(std::size_t column) const;
  /// The columns that can be written: all but those which the destination computes.
  const std::vector<std::size_t>& written() const { return written_; }
  /// Whether rows may be deleted and put back without losing what only the destination has.
  bool has_columns_of_its_own() const { return has_columns_of_its_own_; }

  /// Parameters for one row, in this order: the values of `columns` (whole rows: of written()), then for
  /// update and move those of the old key. remove has only the key, make_room the new key and then the old
  /// one. Parameters for many rows: an array for each of `columns` (whole rows: of written(); remove_many: of
  /// the key).
  std::string sql(Statement statement, std::span<const std::size_t> columns) const;

  /// COPY of whole rows into the table; fields: written().
  std::string copy_sql() const;
  CopyEncoder& copy_encoder() { return copy_encoder_; }

  // The staging table holds what is to be done, in groups by number. Its fields: the group, written(), the
  // old key of a move.
  std::string stage_create_sql() const;
  std::string stage_copy_sql() const;
  CopyEncoder& stage_encoder() { return stage_encoder_; }
  bool staged = false;  ///< the staging table is there
  /// Inserts may meet rows of their key, since some have: they are not loaded without a look-up any more.
  bool meets_rows = false;

  // Statements on groups; parameter $1 is the group.
  std::string group_remove_sql() const { return remove_sql(group_rows()); }
  std::string group_remove_each_sql() const { return remove_each_sql(group_rows()); }
  std::string group_update_sql(std::span<const std::size_t> columns) const {
    return update_sql(columns, group_rows());
  }
  std::string group_insert_sql() const { return insert_sql(group_rows()); }
  std::string group_upsert_sql() const { return insert_sql(group_rows()) + on_conflict(); }
  // Rows to compare the table with are in a temporary table, whose fields are written(). Each statement
  // yields how many rows it changed. Without a key rows are compared as a multiset, and there is no
  // condition.
  std::string compare_create_sql() const;
  std::string compare_copy_sql() const;
  const std::string& compare_table() const { return compare_; }
  std::string remove_surplus_sql(const std::string& condition) const;
  /// Empty if there is nothing but the key.
  std::string update_changed_sql(const std::string& condition) const;
  std::string insert_missing_sql(const std::string& condition) const;
  /// The condition on key columns, each as `prefix.column`; starts with " and", or is empty.
  Result<std::string> condition_sql(const RowCondition& rows, std::string_view prefix) const;

  /// Deletes the rows of a group from the table and puts them, with the group's values over theirs, into the
  /// group $2. `moved`: found by the old key.
  std::string group_take_sql(std::span<const std::size_t> columns, bool moved) const;

 private:
  WriteTarget(TableTarget target, StoredTable stored)
      : target_(std::move(target)), stored_(std::move(stored)) {}
  Status quote_names(std::size_t number);
  std::vector<CopyField> fields() const;
  std::string list(std::span<const std::size_t> columns, std::string_view prefix = {}) const;
  /// `a = $1, b = $2`, or with a prefix `a = s.a`; nothing for key columns unless wanted.
  std::string assignments(std::span<const std::size_t> columns, std::string_view prefix, bool key_too) const;
  std::string key_equals(std::size_t first_parameter) const;
  std::string key_joins(std::string_view stage, bool old) const;
  std::string on_conflict() const;
  std::string identity(std::string_view prefix) const;
  std::string cast_type(std::size_t column) const;
  std::string row_insert_sql() const;
  std::string row_remove_one_sql() const;
  /// Rows in a FROM clause, as `s` with the columns' names.
  std::string group_rows() const;
  std::string array_rows(std::span<const std::size_t> columns) const;
  std::string remove_sql(const std::string& rows) const;
  std::string remove_each_sql(const std::string& rows) const;
  std::string update_sql(std::span<const std::size_t> columns, const std::string& rows) const;
  std::string insert_sql(const std::string& rows) const;

  TableTarget target_;
  StoredTable stored_;
  std::vector<std::size_t> written_;
  bool has_columns_of_its_own_ = false;
  std::string table_;  ///< quoted
  std::string stage_;
  std::string compare_;
  std::string group_column_;
  std::vector<std::string> names_;  ///< quoted, by column
  std::vector<std::string> old_key_names_;
  std::vector<std::string> types_;  ///< that the columns have at the destination, without domains
  CopyEncoder copy_encoder_{{}};
  CopyEncoder stage_encoder_{{}};
};

}  // namespace maia::postgres
