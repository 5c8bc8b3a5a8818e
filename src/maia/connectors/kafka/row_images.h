// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maia/types/batch.h"

namespace maia::kafka {

/// Whether the source sent anything of the row before the change.
bool has_before(const Batch& batch, std::size_t row);

/// The fields of the row after the change that the source did not send.
std::vector<std::string> unchanged_fields(const TableSchema& schema, const Batch& batch, std::size_t row);

}  // namespace maia::kafka
