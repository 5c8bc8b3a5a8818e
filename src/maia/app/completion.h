// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "maia/app/command_line.h"

namespace maia::app {

/// A completion script for "bash", "zsh" or "fish", made from what the parser knows.
std::string completion_script(std::string_view shell, std::span<const CommandDoc> commands);

}  // namespace maia::app
