// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "maia/base/result.h"
#include "maia/config/node.h"

namespace maia::config {

/// Where `${env:NAME}` finds its value; nothing if the variable is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

/// Replaces references in every scalar of a parsed document, in place:
///
/// | written | becomes |
/// | --- | --- |
/// | `${env:NAME}` | the environment variable; an error if it is not set |
/// | `${env:NAME:-text}` | the variable, or `text` if it is not set or empty |
/// | `${file:path}` | the file's text without its last line break; relative to the document's folder |
/// | `$${` | a literal `${` |
///
/// A scalar with a reference becomes secret as a whole. Values are never parsed as YAML again. Keys are left
/// as they are. `${vault:path#key}` is known but refused until MAIA has a connection to Vault.
Status resolve_references(Node& node, const Environment& environment);

}  // namespace maia::config
