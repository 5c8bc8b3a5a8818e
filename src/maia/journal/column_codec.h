// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/base/bytes.h"
#include "maia/types/column_vector.h"

namespace maia::journal {

/// A column's values: docs/reference/journal-format.md, "Columns".
void encode_column(ByteWriter& out, const ColumnVector& column);
/// The reader is bad afterwards if the bytes are not a column of `rows` values.
ColumnVector decode_column(ByteReader& in, Physical physical, std::size_t rows);

}  // namespace maia::journal
