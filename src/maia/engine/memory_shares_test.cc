// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/memory_shares.h"

#include <gtest/gtest.h>

namespace maia::engine {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

std::uint64_t sum(const MemoryShares& shares, std::size_t pipelines, std::size_t destinations) {
  return pipelines * shares.journal + shares.transforms +
         destinations * (shares.copy_queue + 4 * shares.window + shares.destination);
}

TEST(MemoryShares, together_they_stay_below_the_limit) {
  for (const std::uint64_t limit : {256 * kMiB, 512 * kMiB, 8192 * kMiB}) {
    for (const std::size_t destinations : {1u, 3u, 8u}) {
      EXPECT_LT(sum(share_memory(limit, 1, destinations), 1, destinations), limit - 100 * kMiB)
          << limit << " for " << destinations;
    }
  }
}

TEST(MemoryShares, more_memory_makes_larger_windows_and_more_destinations_smaller_ones) {
  const auto usual = share_memory(512 * kMiB, 1, 1);
  EXPECT_GT(share_memory(1024 * kMiB, 1, 1).window, usual.window);
  EXPECT_LT(share_memory(512 * kMiB, 1, 3).window, usual.window);
  EXPECT_GE(usual.window, 16 * kMiB);
  EXPECT_GE(usual.destination, 96 * kMiB);
}

TEST(MemoryShares, a_limit_that_is_too_low_counts_as_the_least_one) {
  const auto least = share_memory(kLeastMemory, 1, 1);
  EXPECT_EQ(share_memory(1, 1, 1).window, least.window);
  EXPECT_GE(least.window, kMiB);
}

}  // namespace
}  // namespace maia::engine
