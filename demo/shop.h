// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/base/result.h"

namespace maia::demo {

/// Makes the tables of the shop and fills them: about a million rows of realistic types, with a few large
/// texts.
Status make_shop(const std::string& uri);

/// The pipeline file that mirrors the shop into a DuckDB file, with the mapping script of the guide.
std::string pipeline_file(const std::string& uri, const std::string& duckdb_path);

}  // namespace maia::demo
