// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace maia::engine {

/// The least that a process can be given.
inline constexpr std::uint64_t kLeastMemory = std::uint64_t{192} << 20;

/// What each part of one pipeline may hold of the process's memory, in bytes. Every queue of the engine is
/// bounded by one of these, so their sum stays below the limit whatever a destination does.
struct MemoryShares {
  std::size_t journal;      ///< windows kept for destinations that keep up
  std::size_t copy_queue;   ///< rows read by a snapshot and not written yet, of each destination
  std::size_t window;       ///< of one destination's transaction; in the work it is there up to four times
  std::size_t transforms;   ///< of the engine that runs the transforms
  std::size_t destination;  ///< what one destination may use for buffers of its own
};

/// Cuts `limit` bytes in shares for `pipelines` of one process with `destinations` altogether (each at least
/// 1). A limit below kLeastMemory counts as that.
MemoryShares share_memory(std::uint64_t limit, std::size_t pipelines, std::size_t destinations);

}  // namespace maia::engine
