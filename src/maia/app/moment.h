// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "maia/base/result.h"
#include "maia/engine/rollback.h"

namespace maia::app {

/// What people write for a place in the source's history: `10m` (ago), `2026-11-25T10:00:00Z`, `2026-11-25
/// 10:00:00+01`, or else a position in the source's words. A time without an offset is refused, because
/// nobody could tell which clock it is of. `now` is for the first form.
Result<engine::Moment> parse_moment(std::string_view text, WallMicros now);

}  // namespace maia::app
