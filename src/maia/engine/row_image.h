// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maia/types/batch.h"

namespace maia::engine {

/// One value of a row apart from any batch, as the bytes that a column holds.
struct Cell {
  Presence presence = Presence::unchanged;  ///< unchanged: not known
  std::string bytes;
  bool known() const { return presence != Presence::unchanged; }
  friend bool operator==(const Cell&, const Cell&) = default;
};
using RowImage = std::vector<Cell>;

Cell cell_of(const ColumnVector& column, std::size_t row);
void push_cell(ColumnVector& column, const Cell& cell);

/// For each column of `to` the column of `from` that holds its values: the same by id, or by name where the
/// source has no ids, and of the same type. Nothing where there is none.
std::vector<std::optional<std::size_t>> match_columns(const TableSchema& from, const TableSchema& to);

}  // namespace maia::engine
