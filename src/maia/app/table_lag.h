// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "maia/engine/status.h"

namespace maia::app {

/// How old the source is as one table of a destination shows it, in microseconds: tables that stream are
/// where the destination is, one that is held stays behind. Nothing while rows are copied or caught up with.
std::optional<std::int64_t> lag_of(const engine::TableStatus& table,
                                   const engine::DestinationStatus& destination, WallMicros now);

}  // namespace maia::app
