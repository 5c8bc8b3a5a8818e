// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/row_image.h"

#include <algorithm>

namespace maia::engine {
namespace {

template <class T>
void push_as(ColumnVector& column, const std::string& bytes) {
  T value;
  MAIA_ASSERT(bytes.size() == sizeof value);
  std::memcpy(&value, bytes.data(), sizeof value);
  column.push_fixed(value);
}

void push_value(ColumnVector& column, const std::string& bytes) {
  switch (column.physical()) {
    case Physical::u8: return push_as<std::uint8_t>(column, bytes);
    case Physical::i16: return push_as<std::int16_t>(column, bytes);
    case Physical::i32: return push_as<std::int32_t>(column, bytes);
    case Physical::i64: return push_as<std::int64_t>(column, bytes);
    case Physical::f32: return push_as<float>(column, bytes);
    case Physical::f64: return push_as<double>(column, bytes);
    case Physical::i128: return push_as<int128>(column, bytes);
    case Physical::interval: return push_as<Interval>(column, bytes);
    case Physical::uuid: return push_as<Uuid>(column, bytes);
    case Physical::varlen: return column.push_text(bytes);
  }
}

}  // namespace

Cell cell_of(const ColumnVector& column, std::size_t row) {
  Cell cell{.presence = column.presence(row), .bytes = {}};
  if (cell.presence != Presence::value) return cell;
  if (column.physical() == Physical::varlen) {
    cell.bytes = column.text(row);
  } else {
    const auto size = width(column.physical());
    const auto* from = reinterpret_cast<const char*>(column.fixed_bytes().data()) + row * size;
    cell.bytes.assign(from, size);
  }
  return cell;
}

void push_cell(ColumnVector& column, const Cell& cell) {
  switch (cell.presence) {
    case Presence::value: return push_value(column, cell.bytes);
    case Presence::null: return column.push_null();
    case Presence::unchanged: return column.push_unchanged();
  }
}

std::vector<std::optional<std::size_t>> match_columns(const TableSchema& from, const TableSchema& to) {
  std::vector<std::optional<std::size_t>> matches;
  for (const auto& column : to.columns) {
    const auto at = std::find_if(from.columns.begin(), from.columns.end(), [&](const Column& each) {
      const bool same = column.id.empty() ? each.name == column.name : each.id == column.id;
      return same && each.type == column.type;
    });
    matches.push_back(at == from.columns.end()
                          ? std::nullopt
                          : std::optional(static_cast<std::size_t>(at - from.columns.begin())));
  }
  return matches;
}

}  // namespace maia::engine
