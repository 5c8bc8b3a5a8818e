// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace maia::app {

/// Rows as columns of equal width, two spaces apart, each line indented. The first row is the heading;
/// columns that are empty in all other rows are left out.
void print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows, int indent = 0);

}  // namespace maia::app
