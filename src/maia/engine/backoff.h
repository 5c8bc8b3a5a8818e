// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace maia::engine {

/// Exponential waiting times with jitter: 100 ms doubling to 10 s, each between half and all of its nominal
/// length, so that many pipelines do not return to a sick server at the same instant.
class Backoff {
 public:
  explicit Backoff(std::uint64_t seed) : random_(seed) {}
  std::chrono::milliseconds next() {
    const auto nominal = kFirst * (1 << std::min(failures_++, 7));
    const auto longest = std::min<std::chrono::milliseconds>(nominal, kLongest).count();
    return std::chrono::milliseconds(std::uniform_int_distribution<long>(longest / 2, longest)(random_));
  }
  void succeeded() { failures_ = 0; }
  int failures() const { return failures_; }

 private:
  static constexpr std::chrono::milliseconds kFirst{100};
  static constexpr std::chrono::milliseconds kLongest{10'000};
  std::mt19937_64 random_;
  int failures_ = 0;
};

}  // namespace maia::engine
