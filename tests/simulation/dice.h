// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace maia::simulation {

/// Everything that is random follows from a seed; the same on every machine and library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  /// Uniform in [0, sides).
  std::uint64_t roll(std::uint64_t sides) { return engine_() % sides; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + roll(high - low + 1); }
  bool percent(std::uint64_t chance) { return roll(100) < chance; }
  template <class List>
  auto& one_of(List& list) {
    return list[roll(list.size())];
  }
  std::uint64_t seed() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace maia::simulation
