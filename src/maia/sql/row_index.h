// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "maia/types/batch.h"

namespace maia::sql {

enum class Image : std::uint8_t { before, after };

/// One image of one row of a batch, without copying it. Valid as long as the batch.
struct RowRef {
  const Batch* batch = nullptr;
  std::uint32_t row = 0;
  Image image = Image::after;

  /// The vector that holds the image's value of `column` at index `row`. A value that one image lacks is
  /// taken from the other: what an update did not touch is equal in both.
  const ColumnVector& column(std::size_t column) const {
    if (image == Image::before) return batch->old_key(column, row);
    const auto& after = batch->after(column);
    if (!batch->has_before() || after.presence(row) != Presence::unchanged) return after;
    return batch->before(column);
  }
  Presence presence(std::size_t i) const { return column(i).presence(row); }
  /// Whether neither of the images has any of `columns` missing.
  bool complete(std::span<const std::size_t> columns) const;
};

/// Lists in `present` those of `columns` whose value the row has; whether these are all.
bool find_present(const RowRef& row, std::span<const std::size_t> columns, std::vector<std::size_t>& present);

/// Whether both hold the same bytes (or both NULL) in `columns`.
bool same_values(const RowRef& a, const RowRef& b, std::span<const std::size_t> columns);

/// Numbers the distinct values of a set of columns, 0, 1, 2 ... in the order in which they come. Equality is
/// that of the bytes; NULL equals NULL. Keeps its memory between uses. Not thread-safe.
class RowIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// Forgets everything; `columns` must outlive the use.
  void start(std::span<const std::size_t> columns);
  /// The number of the row's value. All of `columns` must be present in it.
  std::uint32_t number(const RowRef& row);
  /// A row that has the value of this number.
  const RowRef& row(std::uint32_t number) const { return rows_[number]; }
  std::size_t size() const { return rows_.size(); }

 private:
  std::uint64_t hash(const RowRef& row);
  void grow();

  std::span<const std::size_t> columns_;
  std::vector<RowRef> rows_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;  ///< open addressing, linear probing; a power of two
  std::vector<char> bytes_;           ///< of the key at hand, kept for its memory
};

}  // namespace maia::sql
