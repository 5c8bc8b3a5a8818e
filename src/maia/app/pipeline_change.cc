// SPDX-License-Identifier: Apache-2.0
#include "maia/app/pipeline_change.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/config/nearest.h"

namespace maia::app {
namespace {

std::vector<std::string> key_of(const TableWay& way) {
  std::vector<std::string> names;
  for (const auto& column : way.columns) {
    if (column.in_key) names.push_back(column.name);
  }
  return names;
}

const ColumnWay* find(const std::vector<ColumnWay>& columns, const std::string& name) {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const ColumnWay& c) { return c.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

void compare_shape(const TableWay& before, const TableWay& after, TableChange& change) {
  if (before.target != after.target)
    change.shape.push_back(fmt::format("rename {} to {}", before.target, after.target));
  for (const auto& column : after.columns) {
    const auto* old = find(before.columns, column.name);
    if (!old) {
      change.shape.push_back(fmt::format("add column {} {}", column.name, column.destination_type));
    } else if (old->destination_type != column.destination_type) {
      change.shape.push_back(fmt::format("change the type of {} from {} to {}", column.name,
                                         old->destination_type, column.destination_type));
    }
    const auto fidelity_before = old ? old->fidelity : column.fidelity;
    if (fidelity_before != column.fidelity)
      change.fidelity.push_back(fmt::format("{}: {} instead of {}", column.name, to_string(column.fidelity),
                                            to_string(fidelity_before)));
  }
  for (const auto& column : before.columns) {
    if (!find(after.columns, column.name)) change.shape.push_back("drop column " + column.name);
  }
}

/// The text of the transforms that a table goes through.
std::string chain_text(const TableWay& way, const config::DestinationSettings& settings) {
  std::string text;
  for (const auto& name : way.transforms) {
    for (const auto& transform : settings.transforms) {
      if (transform.name != name) continue;
      text += fmt::format("{}\n{}\n", transform.script.value_or(""), transform.sql.value_or(""));
    }
  }
  return text;
}

TableChange added(const TableWay& way) {
  TableChange change{.kind = TableChange::Kind::added, .table = way.source, .target = way.target};
  change.reread = "it is new here";
  change.rows = way.rows_estimate;
  change.refused = way.problem;
  change.hint = way.hint;
  return change;
}

const TableWay* find(std::span<const TableWay> ways, const std::string& table) {
  const auto found =
      std::find_if(ways.begin(), ways.end(), [&](const TableWay& way) { return way.source == table; });
  return found == ways.end() ? nullptr : &*found;
}

}  // namespace

std::optional<TableChange> compare(const TableWay& before, const TableWay& after, bool other_transforms) {
  TableChange change{.table = after.source, .target = after.target};
  change.refused = after.problem;
  change.hint = after.hint;
  if (!after.problem.empty()) return before.problem.empty() ? std::optional(change) : std::nullopt;
  if (before.mode != after.mode) {
    change.refused = fmt::format("{} was kept in mode: {}, and its rows do not show what {} would have made",
                                 before.target, before.mode, after.mode);
    change.hint = fmt::format(
        "give it another name with routes: to begin anew beside it, or drop {} and "
        "maia drop --destination",
        before.target);
    return change;
  }
  compare_shape(before, after, change);
  const bool renamed_only = before.target != after.target && change.shape.size() == 1;
  if (other_transforms) {
    change.reread = "its transforms changed";
  } else if (key_of(before) != key_of(after)) {
    change.reread = fmt::format("its key is now {}", config::listed(key_of(after)));
  } else if (!change.shape.empty() && !renamed_only) {
    change.reread = "its columns changed";
  }
  if (after.mode == "append" && !change.reread.empty()) {
    // What was appended is history: it stays as it was.
    change.reread.clear();
  }
  if (!change.reread.empty()) change.rows = after.rows_estimate;
  if (change.shape.empty() && change.reread.empty() && change.fidelity.empty()) return std::nullopt;
  return change;
}

DestinationChange compare(const config::DestinationSettings& before, std::span<const TableWay> ways_before,
                          const config::DestinationSettings& after, std::span<const TableWay> ways_after) {
  DestinationChange out{.name = after.name};
  for (const auto& way : ways_after) {
    const auto* old = find(ways_before, way.source);
    if (!old) {
      out.tables.push_back(added(way));
    } else if (auto change = compare(*old, way, chain_text(*old, before) != chain_text(way, after))) {
      out.tables.push_back(std::move(*change));
    }
  }
  for (const auto& way : ways_before) {
    if (find(ways_after, way.source)) continue;
    out.tables.push_back({.kind = TableChange::Kind::removed, .table = way.source, .target = way.target});
  }
  if (!out.tables.empty()) out.kind = DestinationChange::Kind::changed;
  return out;
}

std::uint64_t DestinationChange::rows_to_read() const {
  std::uint64_t rows = 0;
  for (const auto& table : tables) rows += table.rows;
  return rows;
}

std::optional<std::uint64_t> DestinationChange::seconds() const {
  if (!rows_per_second || *rows_per_second <= 0) return std::nullopt;
  const auto rate = static_cast<std::uint64_t>(*rows_per_second);
  return (rows_to_read() + rate - 1) / rate;
}

bool PipelineChange::needs_consent() const {
  for (const auto& refit : refits()) {
    if (refit.reread) return true;
  }
  return false;
}

const TableChange* PipelineChange::refused() const {
  for (const auto& destination : destinations) {
    for (const auto& table : destination.tables) {
      if (!table.refused.empty()) return &table;
    }
  }
  return nullptr;
}

std::vector<Refit> PipelineChange::refits() const {
  std::vector<Refit> out;
  for (const auto& destination : destinations) {
    if (destination.kind != DestinationChange::Kind::changed) continue;
    for (const auto& table : destination.tables) {
      const bool touched = !table.shape.empty() || !table.reread.empty();
      if (table.kind != TableChange::Kind::changed || !touched) continue;
      out.push_back({destination.name, table.table, !table.reread.empty()});
    }
  }
  return out;
}

}  // namespace maia::app
