// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maia/config/node.h"

namespace maia::config {

/// One place where two documents differ.
struct Difference {
  std::string place;          ///< "destinations.lake.mode"; elements of a list by their `name`
  std::string before, after;  ///< as one line; "" where it is not there
};

/// What is different between two documents, in the order of the newer one, then what only the older one has.
/// Nodes that are on both sides are compared by their parts.
std::vector<Difference> differences(const Node& before, const Node& after);

/// "delivery.max_rows: 10 -> 20, destinations.lake added"; "" for none.
std::string in_words(const std::vector<Difference>& differences);

}  // namespace maia::config
