// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/retention.h"

namespace maia::engine {

Retention::Decision Retention::decide(std::span<const Journal::Part> parts, std::optional<Sequence> delivered,
                                      WallMicros now) const {
  Decision decision;
  std::uint64_t bytes = 0;
  for (const auto& part : parts) bytes += part.bytes;
  const auto over = [&] { return options_.max_bytes > 0 && bytes >= options_.max_bytes; };
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto& part = parts[i];
    const bool needed = !options_.drop_behind && (!delivered || part.last > *delivered);
    const bool young = now - part.newest < options_.age.count();
    const bool kept = young && bytes <= options_.bytes && !over();
    if (needed || kept) break;
    decision.through = part.last;
    bytes -= part.bytes;
  }
  decision.full = over();
  return decision;
}

}  // namespace maia::engine
