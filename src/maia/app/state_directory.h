// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/base/result.h"
#include "maia/config/references.h"

namespace maia::app {

/// Where state lives: `given` (--state or MAIA_STATE_DIR) if not empty, else $XDG_STATE_HOME/maia, else
/// ~/.local/state/maia. Nothing is created.
Result<std::string> state_directory(const std::string& given, const config::Environment& environment);

/// The directory of one pipeline in it.
std::string pipeline_directory(const std::string& state, const std::string& pipeline);

}  // namespace maia::app
