// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "maia/base/clock.h"
#include "maia/engine/inverse.h"

namespace maia::engine {

/// A place in the source's history as people name it: a time, or else a position in the source's words.
struct Moment {
  std::optional<WallMicros> time;
  std::string position;
};

/// What it takes to bring one destination back to an earlier place, or what was done.
struct Rollback {
  struct Table {
    std::string table;    ///< at the source
    std::string refused;  ///< why nothing of it can be taken back; empty if it can
    InverseCounts counts;
  };
  std::string destination;
  std::string position;  ///< the place, in words
  std::vector<Table> tables;
};

}  // namespace maia::engine
