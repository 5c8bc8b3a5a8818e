// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "maia/engine/table_fact.h"
#include "maia/engine/table_route.h"

namespace maia::engine {

/// One table at one destination while the pipeline runs.
struct TableEntry {
  TableFact fact;
  TableRoute route;
  bool dirty = false;  ///< the fact differs from what the destination's checkpoint says
  std::uint64_t rows_estimate = 0;
  std::uint64_t changes = 0;
  std::uint64_t schema_changes = 0;
  std::string last_schema_change;
  std::uint64_t dead_letters = 0;
  std::uint64_t skipped = 0;  ///< rows given up by errors: skip
};

}  // namespace maia::engine
