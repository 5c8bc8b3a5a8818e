// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/mysql/connection.h"
#include "maia/connectors/mysql/stored_type.h"
#include "maia/types/schema.h"

namespace maia::mysql {

/// A column of a table at the destination, as the server's catalogue has it.
struct StoredColumn {
  std::string name;
  ColumnType type;
  bool not_null = false;
  bool has_default = false;  ///< a default, or the next number
  bool computed = false;     ///< cannot be written

  /// The type for a column of a temporary table that holds the same values.
  std::string sql() const;
};

/// A table at the destination.
struct StoredTable {
  std::string engine;  ///< empty: a view
  std::string comment;
  std::vector<StoredColumn> columns;
  std::vector<std::string> primary_key;
  /// A unique index over whole columns, whose names are sorted.
  struct UniqueKey {
    std::string name;
    std::vector<std::string> columns;
  };
  std::vector<UniqueKey> unique_keys;

  const StoredColumn* find(std::string_view column) const;
  /// The one over exactly these columns; null if there is none.
  const UniqueKey* unique_key(std::vector<std::string> over) const;
};

/// Reads a table from the catalogue; nothing if there is none of that name.
Result<std::optional<StoredTable>> read_stored_table(Connection& connection, const TableName& name);

}  // namespace maia::mysql
