// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "maia/connectors/mysql/catalog.h"
#include "maia/connectors/mysql/table_map.h"
#include "maia/types/window.h"

namespace maia::mysql {

// How a table looks by what the log says of it, and how it differs from what we knew. Pure.

/// Whether rows of this map can be read by this schema: as many columns, of types that fit, of the same names
/// where the log has names.
bool fits(const TableMap& map, const TableSchema& schema);

/// A column of the log, which has names: as it is known, or as the catalogue has it, where that fits;
/// otherwise by what the log says alone. `known` and `now` may be null.
Result<Column> column_from_log(const WireColumn& wire, const TableSchema* known, const TableSchema* now,
                               const std::map<std::uint32_t, std::string>& collations);

/// Gives each column the id that the column of its name has, and new ones an id that no other has.
void adopt_ids(const TableSchema& before, TableSchema& after);

/// After a statement that has renamed columns: a column at its old place with its old type and a new name is
/// the same column, and keeps its id.
void keep_renamed(const TableSchema& before, TableSchema& after);

/// What rows that were there have in a column that is new: its default. Code::unsupported where that is no
/// constant, because the log does not tell it then.
Status fill_existing_rows(ColumnChange& step, const TableSchema& table,
                          const std::optional<CatalogTable>& now);

}  // namespace maia::mysql
