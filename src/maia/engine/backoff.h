// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

#include "maia/base/clock.h"

namespace maia::engine {

/// How long to wait before what failed is tried again: 100 ms doubling to 10 s, each between half and all of
/// its nominal length, so that many pipelines do not return to a sick server at the same instant. Beside that
/// a budget of kBudget connections, one of which comes back every kPerAttempt: however often one works for a
/// moment and breaks again, no more than ten a minute are made in the long run.
class Backoff {
 public:
  static constexpr int kBudget = 10;
  static constexpr std::chrono::milliseconds kPerAttempt{6'000};

  explicit Backoff(std::uint64_t seed) : random_(seed) {}
  /// Before the same is tried again on the same connection.
  std::chrono::milliseconds next() {
    const auto nominal = kFirst * (1 << std::min(failures_++, 7));
    const auto longest = std::min<std::chrono::milliseconds>(nominal, kLongest).count();
    return std::chrono::milliseconds(std::uniform_int_distribution<long>(longest / 2, longest)(random_));
  }
  /// From `now` until the next connection is made; spends an attempt.
  std::chrono::milliseconds connect(Clock::Steady now) {
    refill(now);
    budget_ -= kPerAttempt;
    return std::max(next(), std::chrono::ceil<std::chrono::milliseconds>(-budget_));
  }
  void succeeded() { failures_ = 0; }
  int failures() const { return failures_; }
  /// Attempts that may be made at once.
  int left(Clock::Steady now) {
    refill(now);
    return std::max(0, static_cast<int>(budget_ / kPerAttempt));
  }

 private:
  static constexpr std::chrono::milliseconds kFirst{100};
  static constexpr std::chrono::milliseconds kLongest{10'000};

  void refill(Clock::Steady now) {
    if (now > refilled_)
      budget_ = std::min<std::chrono::nanoseconds>(kBudget * kPerAttempt, budget_ + (now - refilled_));
    refilled_ = std::max(now, refilled_);
  }

  std::mt19937_64 random_;
  int failures_ = 0;
  std::chrono::nanoseconds budget_{kBudget * kPerAttempt};
  Clock::Steady refilled_{};
};

}  // namespace maia::engine
