// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/types/type.h"

namespace maia {

/// A table's name at one end. `schema` may be empty where the system has none.
struct TableName {
  std::string schema;
  std::string table;
  friend auto operator<=>(const TableName&, const TableName&) = default;
};
/// "schema.table"; for people only, never for SQL.
std::string to_string(const TableName& name);

struct Column {
  std::string name;
  Type type;
  bool nullable = true;
  bool in_key = false;      ///< part of the primary key, or of the replica identity that stands in
  bool generated = false;   ///< computed by the source from other columns
  std::string native_type;  ///< as the source spells it; for people, not for code
  std::string id;           ///< stable within the table across renames, "" when the source has none
  friend bool operator==(const Column&, const Column&) = default;
};

/// What a source tells about the row before an update or delete.
enum class Identity : std::uint8_t {
  key,   ///< the key columns
  full,  ///< the whole row
  none,  ///< nothing: only inserts and truncates are possible
};

/// One version of a table's shape. Immutable once shared. Key columns are marked in the columns; the
/// order of the key is the order of the columns.
struct TableSchema {
  std::string id;  ///< stable at the source across renames (an object id); the core only compares it
  TableName name;
  std::uint32_t version = 1;  ///< grows by one with every schema change that we see
  Identity identity = Identity::key;
  std::vector<Column> columns;

  std::vector<std::size_t> key() const;  ///< indexes of the key columns
  std::optional<std::size_t> find(std::string_view column) const;
  friend bool operator==(const TableSchema&, const TableSchema&) = default;
};
using SchemaRef = std::shared_ptr<const TableSchema>;

}  // namespace maia
