// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "maia/types/batch.h"

namespace maia::simulation {

/// NULL, a number (int32, int64, or a decimal times 10^scale), or a text.
using Value = std::variant<std::monostate, std::int64_t, std::string>;
using Row = std::vector<Value>;

struct Table {
  SchemaRef schema;
  std::vector<Row> rows;
  std::uint64_t file = 0;  ///< another one after each truncate or rewrite
  // Of a log at its destination:
  std::set<std::string> earlier;  ///< operations that were there when it was copied anew
  bool out_of_order = false;      ///< operations were taken away, to be sent again
};

std::string in_words(const Row& row);
Row key_of(const TableSchema& schema, const Row& row);

/// What the value becomes under another type of the column.
Value converted(const Value& value, const Type& from, const Type& to);
/// A value in the text that SchemaChange's `existing_rows` has.
Value from_text(const std::string& text, const Type& type);
std::string to_text(const Value& value, const Type& type);

void push(ColumnVector& column, const Type& type, const Value& value);
/// Nothing if it is `unchanged`.
std::optional<Value> value_at(const ColumnVector& column, const Type& type, std::size_t row);

/// Makes `rows` of one shape into rows of another: by column id, with `fill` for columns that are new.
std::vector<Row> reshaped(const std::vector<Row>& rows, const TableSchema& from, const TableSchema& to,
                          const std::vector<std::pair<std::string, Value>>& fill);
/// The rows in an order that does not depend on history.
std::vector<Row> sorted(std::vector<Row> rows);

}  // namespace maia::simulation
