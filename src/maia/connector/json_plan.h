// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "maia/connector/fidelity.h"

namespace maia {

/// How the columns of a table are stored where values are JSON (codec/json_value.h).
std::vector<ColumnMapping> json_plan(const TableSchema& schema);

}  // namespace maia
