// SPDX-License-Identifier: Apache-2.0
#include "maia/app/table_lag.h"

#include <algorithm>

namespace maia::app {

std::optional<std::int64_t> lag_of(const engine::TableStatus& table,
                                   const engine::DestinationStatus& destination, WallMicros now) {
  switch (table.state) {
    case engine::TableState::streaming: return destination.lag_micros;
    case engine::TableState::paused:
    case engine::TableState::quarantined: return std::max<std::int64_t>(0, now - table.left_at);
    case engine::TableState::waiting:
    case engine::TableState::snapshot:
    case engine::TableState::catching_up:
    case engine::TableState::removed: break;
  }
  return std::nullopt;
}

}  // namespace maia::app
