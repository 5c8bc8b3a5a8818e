// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/schema_diff.h"

#include <algorithm>

namespace maia::engine {
namespace {

const Column* counterpart(const TableSchema& in, const Column& column) {
  for (const auto& each : in.columns) {
    if (!column.id.empty() && each.id == column.id) return &each;
  }
  for (const auto& each : in.columns) {
    if (each.name == column.name && (each.id.empty() || column.id.empty())) return &each;
  }
  return nullptr;
}

ColumnChange change(ColumnChange::Kind kind, const std::string& column, std::string old_name = {}) {
  return ColumnChange{.kind = kind, .column = column, .old_name = std::move(old_name), .existing_rows = {}};
}

}  // namespace

bool same_shape(const TableSchema& a, const TableSchema& b) {
  return a.name == b.name && a.identity == b.identity && a.columns == b.columns;
}

std::vector<ColumnChange> diff_columns(const TableSchema& before, const TableSchema& after) {
  using Kind = ColumnChange::Kind;
  std::vector<ColumnChange> renames, drops, adds, in_place;
  bool key_changed = false;
  for (const auto& old : before.columns) {
    if (counterpart(after, old) != nullptr) continue;
    drops.push_back(change(Kind::drop, old.name));
    key_changed |= old.in_key;
  }
  for (const auto& now : after.columns) {
    const auto* old = counterpart(before, now);
    if (old == nullptr) {
      adds.push_back(change(Kind::add, now.name));
      key_changed |= now.in_key;
      continue;
    }
    if (old->name != now.name) renames.push_back(change(Kind::rename, now.name, old->name));
    if (!(old->type == now.type)) in_place.push_back(change(Kind::retype, now.name));
    if (old->nullable != now.nullable) in_place.push_back(change(Kind::nullability, now.name));
    key_changed |= old->in_key != now.in_key;
  }
  if (key_changed) in_place.push_back(change(Kind::key, {}));
  std::vector<ColumnChange> all = std::move(renames);
  for (auto* part : {&drops, &adds, &in_place}) {
    std::move(part->begin(), part->end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace maia::engine
