// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "maia/types/schema.h"

namespace maia::mysql {

/// What a statement of the binary log means for a reader of rows. Statements are read by their first words
/// only; how a table looks after it is told by the log and the catalogue, never by the statement.
struct Statement {
  enum class Kind : std::uint8_t {
    other,
    begin,
    commit,
    rollback,
    savepoint,
    rollback_to,
    xa_start,
    xa_end,
    xa_commit,
    xa_rollback,
    truncate,
    create_table,
    drop_table,
    drop_database,
    rename_table,
    alter_table,
  };
  Kind kind = Kind::other;
  std::string name;               ///< of the savepoint or database, or the XID as XaPrepare has it
  std::vector<TableName> tables;  ///< that it names; of a rename each old one
  std::vector<TableName> to;      ///< rename: the new names, in the same order
  /// The words name what was not understood; never so for other kinds than those with tables.
  bool unclear = false;
  bool if_not_exists = false;    ///< create: nothing happens where the table is there
  bool renames_columns = false;  ///< alter: CHANGE or RENAME COLUMN is among its words
};

Statement read_statement(std::string_view text, std::string_view database);

}  // namespace maia::mysql
