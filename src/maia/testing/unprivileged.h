// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "maia/base/result.h"

namespace maia::testing {

/// PostgreSQL refuses to run as root, so a test that is root runs it as `nobody`. A no-op for everyone else.

/// `command`, run as the unprivileged user. `paths` are what it must be able to read; where they lie in
/// directories that are closed to others (a checkout in root's home), the process keeps the capability to
/// pass them.
std::vector<std::string> unprivileged(std::vector<std::string> command,
                                      const std::vector<std::filesystem::path>& paths);

/// Makes the unprivileged user the owner of one file or directory.
Status give_to_unprivileged(const std::filesystem::path& path);

}  // namespace maia::testing
