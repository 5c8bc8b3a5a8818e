// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.h"
#include "maia/engine/delivery.h"

namespace maia::simulation {

/// Asks something of a delivery that people ask with `maia pause`, `resume`, `resync`, `replay` and
/// `rollback`: whatever the dice say, at a moment that may not suit. The answer goes to the trace.
void ask_something(engine::Delivery& delivery, const Database& database, Dice& dice, Trace& trace);

/// Resumes all that is paused there, unless it has not served yet what it was asked before.
void resume_all(engine::Delivery& delivery);

}  // namespace maia::simulation
