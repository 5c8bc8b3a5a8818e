// SPDX-License-Identifier: Apache-2.0
#include "maia/types/batch.h"

namespace maia {
namespace {

std::vector<ColumnVector> columns_of(const TableSchema& schema) {
  std::vector<ColumnVector> columns;
  columns.reserve(schema.columns.size());
  for (const auto& column : schema.columns) columns.emplace_back(physical(column.type));
  return columns;
}

}  // namespace

Batch::Batch(SchemaRef schema) : schema_(std::move(schema)), after_(columns_of(*schema_)) {}

Batch Batch::clone() const {
  Batch copy(schema_);
  copy.ops_ = ops_;
  copy.ordinals_ = ordinals_;
  copy.after_ = after_;
  copy.before_ = before_;
  return copy;
}

std::size_t Batch::byte_size() const {
  // Of a batch of one row nearly all is the columns themselves and the least that an allocation takes.
  constexpr std::size_t kColumn = sizeof(ColumnVector) + 3 * 32;
  std::size_t size = sizeof(Batch) + ops_.size() * (sizeof(Op) + sizeof(std::uint64_t));
  for (const auto& column : after_) size += kColumn + column.byte_size();
  for (const auto& column : before_) size += kColumn + column.byte_size();
  return size;
}

ColumnVector& Batch::mutable_before(std::size_t column) {
  if (before_.empty()) {
    before_ = columns_of(*schema_);
    for (auto& each : before_) {
      for (std::size_t row = 0; row + 1 < rows(); ++row) each.push_unchanged();
    }
  }
  return before_[column];
}

void Batch::finish_row() {
  for (auto& column : after_) {
    if (column.size() < rows()) column.push_unchanged();
    MAIA_ASSERT(column.size() == rows());
  }
  for (auto& column : before_) {
    if (column.size() < rows()) column.push_unchanged();
    MAIA_ASSERT(column.size() == rows());
  }
}

void Batch::drop_last_row() {
  MAIA_ASSERT(!ops_.empty());
  ops_.pop_back();
  ordinals_.pop_back();
  for (auto& column : after_) column.truncate(rows());
  for (auto& column : before_) column.truncate(rows());
}

void Batch::push_row(const Batch& other, std::size_t row) {
  MAIA_ASSERT(other.columns() == columns());
  begin_row(other.op(row), other.ordinal(row));
  for (std::size_t i = 0; i < columns(); ++i) after_[i].push_from(other.after_[i], row);
  if (other.has_before()) {
    for (std::size_t i = 0; i < columns(); ++i) mutable_before(i).push_from(other.before_[i], row);
  }
  finish_row();
}

void Batch::clear() {
  ops_.clear();
  ordinals_.clear();
  for (auto& column : after_) column.clear();
  before_.clear();
}

Batch Batch::assemble(SchemaRef schema, std::vector<Op> ops, std::vector<std::uint64_t> ordinals,
                      std::vector<ColumnVector> after, std::vector<ColumnVector> before) {
  Batch batch(std::move(schema));
  MAIA_ASSERT(after.size() == batch.after_.size());
  MAIA_ASSERT(before.empty() || before.size() == after.size());
  MAIA_ASSERT(ops.size() == ordinals.size());
  batch.ops_ = std::move(ops);
  batch.ordinals_ = std::move(ordinals);
  batch.after_ = std::move(after);
  batch.before_ = std::move(before);
  for (const auto& column : batch.after_) MAIA_ASSERT(column.size() == batch.rows());
  for (const auto& column : batch.before_) MAIA_ASSERT(column.size() == batch.rows());
  return batch;
}

}  // namespace maia
