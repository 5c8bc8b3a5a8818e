// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/engine/options.h"
#include "maia/types/window.h"

namespace maia::engine {

/// How a destination's table follows its source's change of shape.
struct DriftPlan {
  TableSchema target;                  ///< the destination's shape afterwards
  std::vector<ColumnChange> changes;   ///< what the destination must do; empty: nothing
  std::vector<std::string> kept_back;  ///< for people: what the policy did not let through
};

/// `current`: the destination's shape; `wanted`: what the source's new shape asks for; `refused`: kinds that
/// the destination has already failed to do for this table (try_evolve). An error when the policy says stop.
Result<DriftPlan> plan_drift(const TableSchema& current, const TableSchema& wanted,
                             const DriftOptions& options, const std::set<ColumnChange::Kind>& refused);

}  // namespace maia::engine
