// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "maia/connector/destination.h"
#include "maia/engine/table_fact.h"
#include "maia/engine/table_route.h"

namespace maia::engine {

/// One table at one destination while the pipeline runs.
struct TableEntry {
  TableFact fact;
  TableRoute route;
  bool dirty = false;  ///< the fact differs from what the destination's checkpoint says
  /// The rows to compare with are staged, as of here; they are compared once the table is exactly there too.
  std::optional<Position> staged_at;
  bool joining = false;                               ///< it is on its way to where the others are
  std::optional<Destination::Reconciled> reconciled;  ///< what the last resync of this run changed
  std::uint64_t rows_estimate = 0;
  std::uint64_t changes = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t skipped = 0;  ///< rows given up by errors: skip

  /// Its changes up to now are here and those to come will be.
  bool takes_part() const { return !fact.held && fact.state != TableState::removed; }
  /// Its rows are to be read, or are being read.
  bool lacks_rows() const {
    return (fact.state == TableState::waiting || fact.state == TableState::snapshot) && !staged_at;
  }
};

}  // namespace maia::engine
