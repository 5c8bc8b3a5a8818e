// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/connectors/postgres/value_decoder.h"

namespace maia::postgres {

/// The function that reads the binary form (the server's typsend) of a mapped type; null where there is none.
ValueDecoder::BinaryFunction binary_function(const MappedType& mapped);

}  // namespace maia::postgres
