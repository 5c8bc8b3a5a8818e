// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/untold_values.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace maia::engine {
namespace {

std::string_view bytes_of(const ColumnVector& values, std::size_t row) {
  if (values.physical() == Physical::varlen) return values.text(row);
  const auto& bytes = values.fixed_bytes();
  const auto width = bytes.size() / values.size();
  return {reinterpret_cast<const char*>(bytes.data()) + row * width, width};
}

bool changes_key(const Batch& batch, std::size_t row, const std::vector<std::size_t>& key) {
  return std::any_of(key.begin(), key.end(), [&](std::size_t column) {
    const auto& before = batch.before(column);
    const auto& after = batch.after(column);
    return before.has_value(row) && after.has_value(row) && bytes_of(before, row) != bytes_of(after, row);
  });
}

}  // namespace

bool moves_untold_values(const Batch& batch) {
  if (!batch.has_before()) return false;
  std::vector<std::size_t> untold;
  for (std::size_t column = 0; column < batch.columns(); ++column) {
    if (batch.after(column).any_unchanged()) untold.push_back(column);
  }
  if (untold.empty()) return false;
  const auto key = batch.schema()->key();
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    if (batch.op(row) != Op::update) continue;
    const bool tells_all = std::none_of(untold.begin(), untold.end(), [&](std::size_t column) {
      return batch.after(column).presence(row) == Presence::unchanged;
    });
    if (!tells_all && changes_key(batch, row, key)) return true;
  }
  return false;
}

}  // namespace maia::engine
