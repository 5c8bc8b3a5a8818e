// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "maia/types/window.h"

namespace maia::sql {

/// Collects rows and barriers in their order and hands them out as a window's items: between two barriers one
/// batch per schema version. Used from one thread.
class WindowBuilder {
 public:
  WindowBuilder() = default;
  /// Goes on after these; further rows get batches of their own.
  explicit WindowBuilder(std::vector<Window::Item> items) : items_(std::move(items)) {}

  /// The batch that the next row of this schema goes to; valid until the next call.
  Batch& batch(const SchemaRef& schema);
  void add_barrier(Truncate truncate);
  void add_barrier(SchemaChange change);

  bool empty() const { return items_.empty(); }
  /// The items so far; empty afterwards.
  std::vector<Window::Item> take();

 private:
  std::vector<Window::Item> items_;
  std::unordered_map<const TableSchema*, std::size_t> open_;  ///< batches since the last barrier
};

/// Splits items at an ordinal: what comes before it, and the rest with ordinals counted from it.
std::pair<std::vector<Window::Item>, std::vector<Window::Item>> split(std::vector<Window::Item> items,
                                                                      std::uint64_t ordinal);

}  // namespace maia::sql
