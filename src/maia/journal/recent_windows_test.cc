// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/recent_windows.h"

#include <gtest/gtest.h>

namespace maia::journal {
namespace {

RecentWindows::Entry window() { return {{1, 8}, std::make_shared<const Window>()}; }

RecentWindows of(std::uint64_t last, std::uint64_t limit_bytes = 1 << 20) {
  RecentWindows recent(limit_bytes);
  for (std::uint64_t i = 1; i <= last; ++i) recent.push({i}, window());
  return recent;
}

TEST(RecentWindows, are_dropped_when_the_slowest_cursor_has_read_them) {
  auto recent = of(5);
  const auto fast = recent.enter({0});
  const auto slow = recent.enter({0});
  recent.advance(fast, {4});
  EXPECT_TRUE(recent.find({1}));
  recent.advance(slow, {2});
  EXPECT_FALSE(recent.find({2}));
  EXPECT_TRUE(recent.find({3}));
  recent.leave(slow);
  recent.advance(fast, {5});
  EXPECT_FALSE(recent.find({5}));
  recent.push({6}, window());
  EXPECT_TRUE(recent.find({6})) << "the next one is kept after all were dropped";
}

TEST(RecentWindows, are_bounded_where_a_cursor_stands_still_or_none_is_there) {
  auto recent = of(1);
  const auto still = recent.enter({0});
  for (std::uint64_t i = 2; i <= 100'000; ++i) recent.push({i}, window());
  EXPECT_FALSE(recent.find({1}));
  EXPECT_TRUE(recent.find({100'000}));
  recent.leave(still);
}

}  // namespace
}  // namespace maia::journal
