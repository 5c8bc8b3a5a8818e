// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maia::simulation {

/// What happened, as a hash over all of it and, where wanted, in words; and the first promise that was
/// broken.
class Trace {
 public:
  explicit Trace(bool in_words) : in_words_(in_words) {}
  /// `words` makes the line; only called to be kept or hashed.
  void tell(std::string line) {
    for (const char c : line) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    if (in_words_) lines_.push_back(std::move(line));
  }
  void fail(std::string what) {
    if (failure_) return;
    tell("BROKEN: " + what);
    failure_ = std::move(what);
  }
  bool failed() const { return failure_.has_value(); }
  const std::optional<std::string>& failure() const { return failure_; }
  std::uint64_t hash() const { return hash_; }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  bool in_words_;
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
  std::vector<std::string> lines_;
  std::optional<std::string> failure_;
};

}  // namespace maia::simulation
