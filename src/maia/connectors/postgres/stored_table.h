// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/destination_types.h"
#include "maia/types/schema.h"

namespace maia::postgres {

/// A column of a table at the destination, as the server's catalogue has it.
struct StoredColumn {
  std::string name;
  std::string declared;  ///< its type as format_type spells it, domains and modifiers included
  ColumnType type;
  bool not_null = false;
  bool has_default = false;      ///< a default, a sequence, or computed
  bool computed = false;         ///< GENERATED ALWAYS AS (...): cannot be written
  bool always_identity = false;  ///< GENERATED ALWAYS AS IDENTITY
};

/// A table at the destination.
struct StoredTable {
  std::uint32_t oid = 0;
  char kind = 'r';  ///< pg_class.relkind
  std::vector<StoredColumn> columns;
  std::vector<std::string> primary_key;
  /// Column names, sorted, of each unique index that can find a row by key: complete, valid, checked at once.
  std::vector<std::vector<std::string>> unique_keys;
  std::vector<std::uint32_t> parents;  ///< oids of the tables that its foreign keys refer to
  bool is_referenced = false;          ///< foreign keys point here
  bool has_triggers = false;           ///< of the user's own
  bool lacks_key = false;              ///< MAIA has made it to be loaded, and its key is made after that

  const StoredColumn* find(std::string_view column) const;
};

/// The comment of a table that `lacks_key`.
inline constexpr std::string_view kKeyComes =
    "MAIA copies rows into this table; its key is made once all are there";

/// Reads a table from the catalogue; nothing if there is no relation of that name.
Result<std::optional<StoredTable>> read_stored_table(Connection& connection, const TableName& name);

/// Which of the types that are no part of PostgreSQL itself the database has.
Result<ServerTypes> read_server_types(Connection& connection);

}  // namespace maia::postgres
