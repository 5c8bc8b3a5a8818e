// SPDX-License-Identifier: Apache-2.0
#include "maia/types/column_vector.h"

namespace maia {

void ColumnVector::push_from(const ColumnVector& other, std::size_t row) {
  MAIA_ASSERT(physical_ == other.physical_);
  const auto presence = other.presence(row);
  if (presence != Presence::value) return push_absent(presence);
  if (width_ == 0) return push_text(other.text(row));
  const auto* from = other.fixed_.data() + row * width_;
  fixed_.insert(fixed_.end(), from, from + width_);
  push_presence(Presence::value);
}

void ColumnVector::clear() {
  fixed_.clear();
  ends_.clear();
  chars_.clear();
  valid_.clear();
  unchanged_.clear();
  any_unchanged_ = false;
}

void ColumnVector::truncate(std::size_t rows) {
  if (rows >= size()) return;
  if (width_ == 0) {
    ends_.resize(rows);
    chars_.resize(rows == 0 ? 0 : ends_.back());
  } else {
    fixed_.resize(rows * width_);
  }
  valid_.resize(rows);
  if (any_unchanged_) unchanged_.resize(rows);
}

ColumnVector ColumnVector::assemble(Physical physical, std::vector<std::uint8_t> fixed,
                                    std::vector<std::uint32_t> ends, std::vector<char> chars, Bitmap valid,
                                    Bitmap unchanged) {
  ColumnVector column(physical);
  MAIA_ASSERT(column.width_ == 0 ? ends.size() == valid.size()
                                 : fixed.size() == valid.size() * column.width_);
  MAIA_ASSERT(unchanged.size() == 0 || unchanged.size() == valid.size());
  column.fixed_ = std::move(fixed);
  column.ends_ = std::move(ends);
  column.chars_ = std::move(chars);
  column.valid_ = std::move(valid);
  column.any_unchanged_ = unchanged.size() > 0;
  column.unchanged_ = std::move(unchanged);
  return column;
}

}  // namespace maia
