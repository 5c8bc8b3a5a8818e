// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/drift.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/engine/schema_diff.h"

namespace maia::engine {
namespace {

using Kind = ColumnChange::Kind;

std::string describe(const ColumnChange& change) {
  switch (change.kind) {
    case Kind::add: return "add column " + change.column;
    case Kind::drop: return "drop column " + change.column;
    case Kind::rename: return fmt::format("rename column {} to {}", change.old_name, change.column);
    case Kind::retype: return "change the type of column " + change.column;
    case Kind::nullability: return "change whether column " + change.column + " may be null";
    case Kind::key: return "change the key";
    case Kind::default_value: return "change the default of column " + change.column;
  }
  return "change";
}

bool applies(const ColumnChange& change, Drift policy) {
  switch (policy) {
    case Drift::evolve:
    case Drift::try_evolve: return true;
    case Drift::lenient: return change.kind != Kind::drop && change.kind != Kind::rename;
    case Drift::ignore:
    case Drift::stop: return false;
  }
  return false;
}

Column* find(TableSchema& schema, std::string_view name) {
  const auto at = schema.find(name);
  return at ? &schema.columns[*at] : nullptr;
}

/// Makes a column that no longer gets values able to stay.
void keep_without_values(DriftPlan& plan, std::string_view name) {
  Column* column = find(plan.target, name);
  column->id.clear();
  if (column->nullable || column->in_key) return;
  column->nullable = true;
  plan.changes.push_back(
      {.kind = Kind::nullability, .column = std::string(name), .old_name = {}, .existing_rows = {}});
}

void add(DriftPlan& plan, const Column& column, std::optional<std::string> existing_rows) {
  plan.target.columns.push_back(column);
  plan.changes.push_back(
      {.kind = Kind::add, .column = column.name, .old_name = {}, .existing_rows = std::move(existing_rows)});
}

void apply(DriftPlan& plan, const TableSchema& wanted, const ColumnChange& change) {
  auto& columns = plan.target.columns;
  switch (change.kind) {
    case Kind::rename: find(plan.target, change.old_name)->name = change.column; break;
    case Kind::drop:
      std::erase_if(columns, [&](const Column& column) { return column.name == change.column; });
      break;
    case Kind::add: return add(plan, wanted.columns[*wanted.find(change.column)], change.existing_rows);
    case Kind::retype:
      find(plan.target, change.column)->type = wanted.columns[*wanted.find(change.column)].type;
      break;
    case Kind::nullability:
      find(plan.target, change.column)->nullable = wanted.columns[*wanted.find(change.column)].nullable;
      break;
    case Kind::key:
      for (auto& column : columns) {
        const auto at = wanted.find(column.name);
        column.in_key = at && wanted.columns[*at].in_key;
      }
      break;
    case Kind::default_value: break;
  }
  plan.changes.push_back(change);
}

Error stopped(const TableSchema& table, std::string_view change) {
  return Error{
      Error::Code::unsupported, Recovery::halt,
      fmt::format("{} changed at the source ({}) and schema.on_drift is stop", to_string(table.name), change),
      "set schema.on_drift to evolve, or change the destination by hand and start again"};
}

}  // namespace

Result<DriftPlan> plan_drift(const TableSchema& current, const TableSchema& wanted,
                             const DriftOptions& options, const std::set<ColumnChange::Kind>& refused) {
  DriftPlan plan{.target = current, .changes = {}, .kept_back = {}};
  if (current.name != wanted.name) {
    const auto policy = options.of(Kind::rename);
    if (policy == Drift::stop) return stopped(wanted, "the table was renamed");
    const bool follows = policy == Drift::evolve || policy == Drift::try_evolve;
    if (follows && !refused.contains(Kind::rename)) plan.target.name = wanted.name;
    if (plan.target.name != wanted.name) plan.kept_back.push_back("rename the table");
  }
  plan.target.version = wanted.version;
  plan.target.identity = wanted.identity;
  for (const auto& change : diff_columns(current, wanted)) {
    const auto policy = options.of(change.kind);
    if (policy == Drift::stop) return stopped(wanted, describe(change));
    if (applies(change, policy) && !refused.contains(change.kind)) {
      apply(plan, wanted, change);
      continue;
    }
    plan.kept_back.push_back(describe(change));
    if (change.kind == Kind::drop) keep_without_values(plan, change.column);
    if (change.kind == Kind::rename) {
      keep_without_values(plan, change.old_name);
      if (policy == Drift::lenient) add(plan, wanted.columns[*wanted.find(change.column)], std::nullopt);
    }
  }
  return plan;
}

}  // namespace maia::engine
