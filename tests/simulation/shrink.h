// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan.h"

namespace maia::simulation {

/// Events of a failing plan that can be left out, besides those given, so that it still fails. Tries a few
/// hundred runs.
Dropped shrink(const Plan& plan, Dropped dropped);

}  // namespace maia::simulation
