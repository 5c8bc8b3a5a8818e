// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "maia/base/result.h"

namespace maia::testing {

/// Folder with `initdb` and `postgres` of a major version: the system's packages for 15, `$MAIA_DEPS` for
/// others. The error says how to get it.
Result<std::filesystem::path> postgres_binaries(int version);

/// Makes an empty cluster at `data`, owned by the unprivileged user. initdb runs once per version and
/// arguments; its result is kept as a template in `$MAIA_DEPS/templates`, if that can be written, and copied
/// from then on.
Status make_postgres_cluster(int version, const std::vector<std::string>& initdb_arguments,
                             const std::filesystem::path& data);

}  // namespace maia::testing
