// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/base/result.h"

namespace maia::demo {

/// Prints rows and checksum of every table on both sides, and the answer to a sample query at the
/// destination. False if anything differs.
Result<bool> print_report(const std::string& uri, const std::string& duckdb_path);

}  // namespace maia::demo
