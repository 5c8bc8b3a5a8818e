// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia::postgres {

/// Appends one value in the binary form that the type's receive function reads, without its length (the
/// source of each: the server's send functions, as "binary format" is not documented per type). False when
/// the value has no binary form, such as a timestamp beyond the 64 bits from 2000; the bytes appended are
/// then garbage.
using BinaryEncoder = bool (*)(std::string& out, const Type& type, const ColumnVector& column,
                               std::size_t row);

/// The encoder for values of `type` in a column of the type that stored_type() names; null when there is
/// none, and then text has to do.
BinaryEncoder binary_encoder(const Type& type, std::string_view column_type);

}  // namespace maia::postgres
