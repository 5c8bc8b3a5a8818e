// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/engine/status.h"
#include "maia/observe/metrics.h"

namespace maia::app {

/// Brings the metrics of a pipeline up to what its status says. Thread-safe.
void publish(observe::Registry& registry, const engine::PipelineStatus& status);

}  // namespace maia::app
