// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/journal_state.h"

#include <algorithm>

namespace maia::journal {

std::optional<std::uint64_t> JournalState::segment_of(Sequence wanted) const {
  const auto next = std::find_if(segments.begin(), segments.end(),
                                 [&](const SegmentEntry& segment) { return segment.base >= wanted; });
  if (next == segments.begin()) return std::nullopt;
  return std::prev(next)->number;
}

void JournalState::settle_ahead(const WindowRef& end) {
  if (!ahead) return;
  ahead->end = end;
  ahead->taken_back = !end;
  ahead.reset();
}

}  // namespace maia::journal
