// SPDX-License-Identifier: Apache-2.0
#include "maia/sql/row_index.h"

#include <xxhash.h>

#include <algorithm>
#include <string_view>

namespace maia::sql {
namespace {

constexpr std::size_t kFirstSlots = 1024;

/// The value's bytes; only where there is one.
std::string_view bytes(const ColumnVector& column, std::uint32_t row) {
  const auto size = width(column.physical());
  if (size == 0) return column.text(row);
  return {reinterpret_cast<const char*>(column.fixed_bytes().data()) + row * size, size};
}

}  // namespace

bool RowRef::complete(std::span<const std::size_t> columns) const {
  return std::none_of(columns.begin(), columns.end(),
                      [&](std::size_t i) { return presence(i) == Presence::unchanged; });
}

bool find_present(const RowRef& row, std::span<const std::size_t> columns,
                  std::vector<std::size_t>& present) {
  present.clear();
  for (const auto i : columns) {
    if (row.presence(i) != Presence::unchanged) present.push_back(i);
  }
  return present.size() == columns.size();
}

bool same_values(const RowRef& a, const RowRef& b, std::span<const std::size_t> columns) {
  for (const auto i : columns) {
    const auto& left = a.column(i);
    const auto& right = b.column(i);
    const auto presence = left.presence(a.row);
    if (presence != right.presence(b.row)) return false;
    if (presence == Presence::value && bytes(left, a.row) != bytes(right, b.row)) return false;
  }
  return true;
}

void RowIndex::start(std::span<const std::size_t> columns) {
  columns_ = columns;
  rows_.clear();
  hashes_.clear();
  if (slots_.empty()) slots_.resize(kFirstSlots);
  std::fill(slots_.begin(), slots_.end(), kNone);
}

std::uint64_t RowIndex::hash(const RowRef& row) {
  if (columns_.size() == 1 && row.presence(columns_[0]) == Presence::value) {
    const auto key = bytes(row.column(columns_[0]), row.row);
    return XXH3_64bits(key.data(), key.size());
  }
  bytes_.clear();
  for (const auto i : columns_) {
    const auto& column = row.column(i);
    const bool valid = column.has_value(row.row);
    bytes_.push_back(valid ? 1 : 0);
    if (!valid) continue;
    const auto value = bytes(column, row.row);
    const auto size = static_cast<std::uint32_t>(value.size());
    const auto* prefix = reinterpret_cast<const char*>(&size);
    bytes_.insert(bytes_.end(), prefix, prefix + sizeof(size));
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  return XXH3_64bits(bytes_.data(), bytes_.size());
}

std::uint32_t RowIndex::number(const RowRef& row) {
  if ((rows_.size() + 1) * 2 > slots_.size()) grow();
  const auto wanted = hash(row);
  const auto mask = slots_.size() - 1;
  for (auto slot = wanted & mask;; slot = (slot + 1) & mask) {
    auto& number = slots_[slot];
    if (number == kNone) {
      number = static_cast<std::uint32_t>(rows_.size());
      rows_.push_back(row);
      hashes_.push_back(wanted);
      return number;
    }
    if (hashes_[number] == wanted && same_values(rows_[number], row, columns_)) return number;
  }
}

void RowIndex::grow() {
  slots_.assign(slots_.size() * 2, kNone);
  const auto mask = slots_.size() - 1;
  for (std::uint32_t number = 0; number < hashes_.size(); ++number) {
    auto slot = hashes_[number] & mask;
    while (slots_[slot] != kNone) slot = (slot + 1) & mask;
    slots_[slot] = number;
  }
}

}  // namespace maia::sql
