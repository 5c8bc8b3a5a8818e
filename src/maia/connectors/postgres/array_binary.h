// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/connectors/postgres/value_decoder.h"

namespace maia::postgres {

/// Prints a binary array as the literal that the server prints. `decoder` is the array's; its elements are of
/// a type with a binary form and no arrays themselves. An element beyond the range of its canonical type is
/// refused here; the text form of the array would carry it as it is.
ValueDecoder::Outcome push_binary_array(ColumnVector& column, const ValueDecoder& decoder,
                                        std::span<const std::byte> value);

}  // namespace maia::postgres
