// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace maia {

/// Place in a source's log: everything up to here has been seen. Minted and compared only by the
/// source that made it; everyone else stores it and hands it back. Empty means "from the beginning".
struct Position {
  std::string token;
  bool empty() const { return token.empty(); }
  friend bool operator==(const Position&, const Position&) = default;
};

/// Place in our journal. Dense and increasing; the only order that the core knows. 0 is before all.
struct Sequence {
  std::uint64_t value = 0;
  friend auto operator<=>(const Sequence&, const Sequence&) = default;
};

/// Number of a run of a pipeline, handed out by the destination; fences older runs.
struct Epoch {
  std::uint64_t value = 0;
  friend auto operator<=>(const Epoch&, const Epoch&) = default;
};

}  // namespace maia
