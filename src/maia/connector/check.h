// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace maia {

/// One thing that `maia check` looked at.
struct Finding {
  enum class Level : std::uint8_t { ok, warning, error };
  Level level = Level::ok;
  std::string what;  ///< "wal_level is replica; logical replication needs logical"
  std::string why;   ///< what goes wrong otherwise; may be empty
  std::string fix;   ///< the exact statement or setting that mends it; may be empty
};
using Findings = std::vector<Finding>;

}  // namespace maia
