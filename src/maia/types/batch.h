// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "maia/types/column_vector.h"
#include "maia/types/schema.h"

namespace maia {

enum class Op : std::uint8_t {
  read,  ///< a row of a snapshot
  insert,
  update,
  remove,  ///< a delete
};

/// A columnar run of changes of one table under one schema version. Move-only: exactly one stage
/// holds it. Rows are in the order in which the source made them.
///
/// | op | after | before |
/// | --- | --- | --- |
/// | read, insert | every column has a value or is null | every column unchanged |
/// | update | as sent; large untouched columns unchanged | old key if the key changed; whole row under
///   Identity::full; otherwise every column unchanged |
/// | remove | every column unchanged | key columns, or the whole row under Identity::full |
class Batch {
 public:
  explicit Batch(SchemaRef schema);
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  /// The one way to copy, for tests and retries.
  Batch clone() const;

  const SchemaRef& schema() const { return schema_; }
  std::size_t rows() const { return ops_.size(); }
  std::size_t columns() const { return after_.size(); }
  std::size_t byte_size() const;

  Op op(std::size_t row) const { return ops_[row]; }
  /// Place of the row in its window's order over all tables; increasing within a batch.
  std::uint64_t ordinal(std::size_t row) const { return ordinals_[row]; }
  const ColumnVector& after(std::size_t column) const { return after_[column]; }
  /// Valid only if has_before().
  const ColumnVector& before(std::size_t column) const { return before_[column]; }
  /// Whether any row has a before image; if not, the before columns do not exist.
  bool has_before() const { return !before_.empty(); }
  /// The vector that holds the row's key value as it was before the change: the before image where it
  /// has the column, otherwise after.
  const ColumnVector& old_key(std::size_t column, std::size_t row) const {
    if (has_before() && before_[column].presence(row) != Presence::unchanged) return before_[column];
    return after_[column];
  }

  /// Building. Call begin_row, then push exactly one value into every after column, and into every
  /// before column if has_before().
  void begin_row(Op op, std::uint64_t ordinal) {
    ops_.push_back(op);
    ordinals_.push_back(ordinal);
  }
  ColumnVector& mutable_after(std::size_t column) { return after_[column]; }
  /// Creates the before columns at first use, unchanged in all rows that are already complete.
  ColumnVector& mutable_before(std::size_t column);
  /// Fills what the current row lacks: after columns (when `after` is absent, as for a remove) and
  /// before columns with `unchanged`.
  void finish_row();
  /// Takes the last row back, complete or not (a value in it could not be decoded).
  void drop_last_row();
  /// Copies a whole row of a batch with the same columns.
  void push_row(const Batch& other, std::size_t row);
  void set_op(std::size_t row, Op op) { ops_[row] = op; }
  void set_ordinal(std::size_t row, std::uint64_t ordinal) { ordinals_[row] = ordinal; }
  void clear();

  std::span<const Op> ops() const { return ops_; }
  std::span<const std::uint64_t> ordinals() const { return ordinals_; }
  /// Puts a batch together from whole columns; `before` is empty or has as many columns as `after`.
  static Batch assemble(SchemaRef schema, std::vector<Op> ops, std::vector<std::uint64_t> ordinals,
                        std::vector<ColumnVector> after, std::vector<ColumnVector> before);

 private:
  SchemaRef schema_;
  std::vector<Op> ops_;
  std::vector<std::uint64_t> ordinals_;
  std::vector<ColumnVector> after_;
  std::vector<ColumnVector> before_;
};

}  // namespace maia
