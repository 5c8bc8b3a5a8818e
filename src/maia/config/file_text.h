// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "maia/base/result.h"
#include "maia/config/node.h"

namespace maia::config {

/// A pipeline file as it was written.
struct FileText {
  std::string path;  ///< absolute; "" if it was never a file
  std::string text;
  std::string kept;  ///< the text that may be kept: passwords that stand in it are ***
};

/// The text with every secret that is written out in it replaced by ***: the scalars under `secret_names`,
/// of a URI only its password. `${...}` references stay, because they show nothing. `document` is the text,
/// parsed, its references not resolved.
std::string without_written_secrets(const std::string& text, const Node& document,
                                    const std::set<std::string>& secret_names);

/// The path under which a file is found from any working directory.
std::string absolute_path(const std::string& path);

}  // namespace maia::config
