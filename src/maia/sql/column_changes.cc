// SPDX-License-Identifier: Apache-2.0
#include "maia/sql/column_changes.h"

#include <algorithm>

namespace maia::sql {

const Column* find_by_id(const TableSchema& table, const std::string& id) {
  const auto at = std::ranges::find(table.columns, id, &Column::id);
  return at == table.columns.end() ? nullptr : &*at;
}

std::vector<ColumnChange> column_changes(const TableSchema& before, const TableSchema& after) {
  using Kind = ColumnChange::Kind;
  std::vector<ColumnChange> changes;
  const auto add = [&](Kind kind, const std::string& column, std::string old_name = {}) {
    changes.push_back({.kind = kind, .column = column, .old_name = std::move(old_name), .existing_rows = {}});
  };
  for (const auto& column : before.columns) {
    if (find_by_id(after, column.id) == nullptr) add(Kind::drop, column.name);
  }
  for (const auto& column : after.columns) {
    const auto* old = find_by_id(before, column.id);
    if (old == nullptr) {
      add(Kind::add, column.name);
      continue;
    }
    if (old->name != column.name) add(Kind::rename, column.name, old->name);
    if (!(old->type == column.type)) add(Kind::retype, column.name);
    if (old->nullable != column.nullable) add(Kind::nullability, column.name);
    if (old->in_key != column.in_key) add(Kind::key, column.name);
  }
  return changes;
}

}  // namespace maia::sql
