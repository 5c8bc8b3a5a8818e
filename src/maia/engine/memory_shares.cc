// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/memory_shares.h"

#include <algorithm>

namespace maia::engine {
namespace {

// The program itself with its libraries, threads and connections, and the waste of the allocator.
constexpr std::uint64_t kProgram = std::uint64_t{112} << 20;

constexpr std::uint64_t kWindowCopies = 4;  // as it came, transformed, encoded, and the next one
constexpr std::uint64_t kSmallest = std::uint64_t{1} << 20;
constexpr std::uint64_t kKeepsUp = 4;  // a destination that keeps up is a few windows behind: a part will do

}  // namespace

MemoryShares share_memory(std::uint64_t limit, std::size_t pipelines, std::size_t destinations) {
  const auto rest = std::max(limit, kLeastMemory) - kProgram;
  const auto share = [&](std::uint64_t sixteenths, std::uint64_t among) {
    return static_cast<std::size_t>(std::max(kSmallest, rest * sixteenths / 16 / among));
  };
  return {.journal = share(1, pipelines * kKeepsUp),
          .copy_queue = share(2, destinations),
          .window = share(5, destinations * kWindowCopies),
          .transforms = share(3, 1),
          .destination = share(5, destinations)};
}

}  // namespace maia::engine
