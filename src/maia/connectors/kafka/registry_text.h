// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia::kafka {

/// The text of a value whose type neither Avro nor Protocol Buffers has: an array as JSON, all others as
/// types/value_text.h.
std::string registry_text(const Type& type, const ColumnVector& column, std::size_t row);

}  // namespace maia::kafka
