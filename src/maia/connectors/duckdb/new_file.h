// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/base/result.h"

namespace maia::duckdb {

/// Makes an empty database at `path` if nothing is there, whole or not at all. DuckDB itself writes a new
/// file piece by piece, and never opens one again that a crash left unfinished. What DuckDB says if it fails.
Status make_new_file(const std::string& path);

}  // namespace maia::duckdb
