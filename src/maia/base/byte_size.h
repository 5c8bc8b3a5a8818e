// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace maia {

/// A number of bytes, so that a size can never be taken for a count or a time.
struct ByteSize {
  std::uint64_t bytes = 0;
  static constexpr ByteSize kib(std::uint64_t n) { return {n << 10}; }
  static constexpr ByteSize mib(std::uint64_t n) { return {n << 20}; }
  static constexpr ByteSize gib(std::uint64_t n) { return {n << 30}; }
  static constexpr ByteSize tib(std::uint64_t n) { return {n << 40}; }
  friend auto operator<=>(const ByteSize&, const ByteSize&) = default;
};

}  // namespace maia
