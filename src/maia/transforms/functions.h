// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "maia/base/result.h"
#include "maia/transforms/handle.h"

namespace maia::transforms {

/// The functions that the mapping language has besides DuckDB's own (docs/reference/mapping-language.md):
/// hmac here, the others as macros on top.
Status register_functions(duckdb_connection connection);
std::span<const char* const> macros();

}  // namespace maia::transforms
