// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <string>

#include "maia/types/window.h"

namespace maia::testing {

/// Random schemas, batches and windows that follow the contracts of types/, for property tests. All choices
/// follow from the seed. Used from one thread.
class RandomWindows {
 public:
  explicit RandomWindows(std::uint64_t seed) : random_(seed) {}

  /// 1 to 12 columns of any canonical types, arrays included; the first is the key.
  SchemaRef schema(std::uint32_t version = 1);
  /// All operations, nulls, unchanged values and before images; ordinals rise from `first_ordinal`.
  Batch batch(const SchemaRef& schema, std::size_t rows, std::uint64_t first_ordinal = 0);
  /// Batches with truncates and schema changes between them, in the order of their ordinals.
  Window window(const SchemaRef& schema, std::size_t rows, std::uint64_t first_ordinal = 0);
  /// A number in [0, below).
  std::uint64_t below(std::uint64_t below) { return random_() % below; }
  std::string text(std::size_t longest);

 private:
  Type type(bool element = false);
  void push(ColumnVector& column, Presence presence);

  std::mt19937_64 random_;
};

/// Everything that a window holds, a line each: two windows are equal when their dumps are.
std::string dump(const Window& window);
std::string dump(const Batch& batch);

}  // namespace maia::testing
