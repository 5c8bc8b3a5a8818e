// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace maia {

/// Lets at most `per_second` equal things pass within a second. Thread-safe; remembers a bounded number of
/// different things.
class RepeatLimit {
 public:
  explicit RepeatLimit(unsigned per_second) : per_second_(per_second) {}

  /// Nothing: hold it back. Otherwise how many of its kind were held back since the last that passed.
  /// `now_micros` never goes back.
  std::optional<std::uint64_t> admit(std::uint64_t kind, std::int64_t now_micros);

 private:
  struct Seen {
    std::int64_t since_micros = 0;
    unsigned passed = 0;
    std::uint64_t held_back = 0;
  };
  void forget_old(std::int64_t now_micros);

  const unsigned per_second_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Seen> seen_;  // guarded by mutex_
};

}  // namespace maia
