// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maia/connector/fidelity.h"
#include "maia/connectors/duckdb/config.h"
#include "maia/connectors/duckdb/handle.h"
#include "maia/types/schema.h"

namespace maia::duckdb {

/// How the values of a canonical type lie in DuckDB.
enum class Storage : std::uint8_t {
  same,     ///< as they lie in our columns
  uuid,     ///< 128 bits with the first bit flipped, so that they sort as numbers
  decimal,  ///< an integer as wide as the precision needs
  text,     ///< checked UTF-8
  bytes,    ///< BLOB
  number,   ///< DOUBLE, from canonical text
  list,     ///< LIST of the element's storage, from an array literal
};

/// A column's type in DuckDB.
struct StoredType {
  Storage storage = Storage::same;
  std::string sql;  ///< as DuckDB itself prints it
  Fidelity fidelity = Fidelity::exact;
  std::string note;
  std::uint8_t width = 0;  ///< decimal only: digits
  std::uint8_t scale = 0;
};

StoredType stored_type(const Type& type, const Config& config);
/// The same type for data chunks.
LogicalType logical_type(const Type& type, const Config& config);

std::vector<ColumnMapping> map_columns(const TableSchema& schema, const Config& config);

}  // namespace maia::duckdb
