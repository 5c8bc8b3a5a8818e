// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "maia/connector/fidelity.h"
#include "maia/types/schema.h"

namespace maia::mysql {

/// What a canonical type is stored as when MAIA makes the column.
struct StoredType {
  std::string sql;    ///< "DECIMAL(10,2)", without character set
  bool text = false;  ///< has a character set: utf8mb4, compared by its bytes
  Fidelity fidelity = Fidelity::exact;
  std::string note;
};

/// One for each column of the schema. `key` are the columns of the primary key, which have a length because
/// an index does not hold more than 3072 bytes.
std::vector<StoredType> stored_types(const TableSchema& schema, std::span<const std::size_t> key);

/// A column's type as information_schema has it.
struct ColumnType {
  std::string name;            ///< "varchar"
  std::string full;            ///< "varchar(20)"
  std::uint64_t length = 0;    ///< most characters of text, bytes of binary
  std::uint32_t digits = 0;    ///< decimal
  std::uint32_t scale = 0;     ///< decimal
  std::uint32_t fraction = 0;  ///< digits of a second
  std::string charset;         ///< empty: not text
  std::string collation;
};

/// Whether the column takes every value of the type, or refuses one by an error; never rounds, cuts or pads.
bool can_hold(const ColumnType& column, const Type& type);

/// Whether texts are equal exactly if their bytes are.
bool tells_texts_apart(const ColumnType& column);

}  // namespace maia::mysql
