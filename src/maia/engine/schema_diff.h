// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "maia/types/window.h"

namespace maia::engine {

/// Whether rows of one go as rows of the other: same name, identity and columns, whatever the versions.
bool same_shape(const TableSchema& a, const TableSchema& b);

/// What turns `before`'s columns into `after`'s, in an order in which it can be applied: renames, drops,
/// adds, then the changes in place. Columns are the same when their ids are (a rename keeps the id),
/// otherwise when their names are.
std::vector<ColumnChange> diff_columns(const TableSchema& before, const TableSchema& after);

}  // namespace maia::engine
