// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/window_size.h"

#include <gtest/gtest.h>

namespace maia::engine {
namespace {

using Duration = WindowSize::Duration;
using std::chrono::milliseconds;

/// A destination whose transactions have a price of their own and one for each row.
struct PretendedDestination {
  Duration price;
  Duration per_thousand_rows;
  Duration takes(std::size_t rows) const {
    return price + Duration(per_thousand_rows.count() * static_cast<std::int64_t>(rows) / 1000);
  }
};

constexpr std::size_t kRowBytes = 100;

/// Delivers `waiting` rows of a backlog; the time that it took, and the longest transaction of it.
struct Outcome {
  Duration total{0};
  Duration longest{0};
  std::size_t transactions = 0;
  std::size_t largest = 0;  ///< in rows
  std::size_t last = 0;     ///< the cut before the last transaction
};
Outcome deliver(WindowSize& size, const PretendedDestination& destination, std::size_t waiting) {
  Outcome out;
  while (waiting > 0) {
    const auto rows = std::min({waiting, size.rows(), size.bytes() / kRowBytes});
    out.largest = std::max(out.largest, rows);
    out.last = std::min(size.rows(), size.bytes() / kRowBytes);
    const auto took = destination.takes(rows);
    size.committed(rows, rows * kRowBytes, took);
    waiting -= rows;
    out.total += took;
    out.longest = std::max(out.longest, took);
    ++out.transactions;
  }
  return out;
}

TEST(WindowSize, a_backlog_is_delivered_in_transactions_of_about_the_target) {
  WindowSize size({});
  const PretendedDestination destination{milliseconds{5}, milliseconds{10}};
  deliver(size, destination, 500'000);
  const auto settled = deliver(size, destination, 500'000);
  const auto each = settled.total / static_cast<std::int64_t>(settled.transactions);
  EXPECT_GT(each, milliseconds{140});
  EXPECT_LT(each, milliseconds{230});
  EXPECT_LT(settled.longest, milliseconds{260});
}

TEST(WindowSize, the_first_transaction_of_a_burst_is_short) {
  WindowSize size({});
  const PretendedDestination destination{milliseconds{5}, milliseconds{10}};
  deliver(size, destination, 1'000'000);
  for (int i = 0; i < 20; ++i) size.committed(3, 300, destination.takes(3));
  EXPECT_LT(destination.takes(size.rows()), milliseconds{100});
}

TEST(WindowSize, a_fast_destination_gets_the_largest_transactions_that_are_allowed) {
  WindowSize size({});
  EXPECT_EQ(deliver(size, {Duration{100}, Duration{200}}, 2'000'000).largest, 100'000u);
}

TEST(WindowSize, a_slow_destination_gets_small_ones_but_not_single_rows) {
  WindowSize size({});
  const auto out = deliver(size, {milliseconds{1}, milliseconds{5'000}}, 50'000);
  EXPECT_GE(out.last, 100u);
  EXPECT_LE(out.last, 1'000u);
}

TEST(WindowSize, where_a_transaction_is_dear_in_itself_there_are_few_of_them) {
  // Two seconds for each transaction, whatever is in it: cut at 200 ms, it would never get anywhere.
  WindowSize size({});
  const PretendedDestination destination{milliseconds{2'000}, Duration{100}};
  const auto out = deliver(size, destination, 2'000'000);
  EXPECT_LT(out.transactions, 40u);
  EXPECT_EQ(out.largest, 100'000u);
}

TEST(WindowSize, it_shrinks_when_the_destination_becomes_slow_and_recovers) {
  WindowSize size({});
  const PretendedDestination fast{milliseconds{2}, milliseconds{2}};
  const PretendedDestination slow{milliseconds{2}, milliseconds{100}};
  const auto large = deliver(size, fast, 2'000'000).largest;
  const auto small = deliver(size, slow, 200'000).last;
  EXPECT_LT(small, large / 10);
  EXPECT_LT(slow.takes(small), milliseconds{300});
  EXPECT_GT(deliver(size, fast, 2'000'000).largest, large / 2);
}

TEST(WindowSize, limits_are_never_passed) {
  WindowSize size({.max_rows = 50, .max_bytes = 4096, .target = milliseconds{200}});
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(size.rows(), 50u);
    EXPECT_LE(size.bytes(), 4096u);
    EXPECT_GT(size.rows(), 0u);
    size.committed(size.rows(), size.bytes(), Duration{i % 2 == 0 ? 1 : 10'000'000});
  }
}

}  // namespace
}  // namespace maia::engine
