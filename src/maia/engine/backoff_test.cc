// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/backoff.h"

#include <gtest/gtest.h>

namespace maia::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

TEST(Backoff, waits_double_up_to_ten_seconds) {
  Backoff backoff(1);
  Clock::Steady now{};
  for (int i = 0; i < 12; ++i) {
    const auto wait = backoff.connect(now);
    const auto nominal = std::min(milliseconds{100} * (1 << std::min(i, 7)), milliseconds{10'000});
    EXPECT_GE(wait, nominal / 2);
    EXPECT_LE(wait, std::max<milliseconds>(nominal, Backoff::kPerAttempt));
    now += wait;
  }
}

TEST(Backoff, what_works_for_a_moment_and_fails_again_is_tried_ten_times_a_minute_at_most) {
  Backoff backoff(2);
  Clock::Steady now{};
  const auto end = now + minutes{10};
  int attempts = 0;
  for (; now < end; ++attempts) {
    now += backoff.connect(now);
    backoff.succeeded();
  }
  EXPECT_LE(attempts, 10 * 10 + Backoff::kBudget);
  EXPECT_GE(attempts, 10 * 10 - 1);
}

TEST(Backoff, a_budget_that_was_not_used_makes_the_first_attempts_quick_and_is_bounded) {
  Backoff backoff(3);
  Clock::Steady now{};
  EXPECT_EQ(backoff.left(now), Backoff::kBudget);
  now += std::chrono::hours{10};
  EXPECT_EQ(backoff.left(now), Backoff::kBudget);
  for (int i = 0; i < Backoff::kBudget; ++i) {
    EXPECT_LE(backoff.connect(now), milliseconds{100});
    backoff.succeeded();
  }
  EXPECT_EQ(backoff.left(now), 0);
  EXPECT_GE(backoff.connect(now), Backoff::kPerAttempt - milliseconds{1});
}

}  // namespace
}  // namespace maia::engine
