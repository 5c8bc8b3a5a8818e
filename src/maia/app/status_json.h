// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/config/node.h"
#include "maia/engine/status.h"

namespace maia::app {

/// What `maia status --json` and the API say of a pipeline.
config::Node status_node(const engine::PipelineStatus& status);

}  // namespace maia::app
