// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/types/batch.h"

namespace maia::engine {

/// Whether a change of the batch gives a row another key and does not tell all of its values. Where changes
/// meet rows that are newer than they are, the row at the old key may be another one by now, and its values
/// would go to the new key; who replays such changes must read the rows again instead.
bool moves_untold_values(const Batch& batch);

}  // namespace maia::engine
