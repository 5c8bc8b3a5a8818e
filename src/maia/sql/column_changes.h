// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maia/types/window.h"

namespace maia::sql {

/// The column with this id; null if there is none.
const Column* find_by_id(const TableSchema& table, const std::string& id);

/// The steps from one shape of a table to the next, by column id.
std::vector<ColumnChange> column_changes(const TableSchema& before, const TableSchema& after);

}  // namespace maia::sql
