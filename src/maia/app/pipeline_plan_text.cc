// SPDX-License-Identifier: Apache-2.0
// How a plan is shown: to people and as JSON.
#include <fmt/format.h>

#include "maia/app/pipeline_plan.h"
#include "maia/app/text_table.h"
#include "maia/config/json.h"
#include "maia/config/nearest.h"

namespace maia::app {
namespace {

using config::Node;
using config::Object;

std::string key_of(const TableWay& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns) {
    if (column.in_key) names.push_back(column.name);
  }
  if (names.empty()) return table.mode == "append" ? "" : " by all columns";
  return " by " + config::listed(names);
}

void print(std::ostream& out, const TableWay& table) {
  if (!table.problem.empty()) {
    out << "\n  " << table.source << " cannot be synchronized: " << table.problem << '\n';
    if (!table.hint.empty()) out << "    " << table.hint << '\n';
    return;
  }
  out << "\n  " << table.source << " -> " << table.target << ", " << table.mode << key_of(table);
  if (!table.transforms.empty()) out << ", through " << config::listed(table.transforms);
  out << "; created where it is missing\n";
  std::vector<std::vector<std::string>> rows = {
      {"column", "source type", "canonical", "destination type", "fidelity", "note"}};
  for (const auto& c : table.columns)
    rows.push_back({c.name, c.source_type.empty() ? "(made)" : c.source_type, c.canonical, c.destination_type,
                    std::string(to_string(c.fidelity)), c.note});
  print_table(out, rows, 4);
}

Node json_of(const TableWay& table) {
  Node::Sequence columns;
  for (const auto& c : table.columns)
    columns.push_back(Object()
                          .set("name", c.name)
                          .set("source_type", c.source_type)
                          .set("canonical", c.canonical)
                          .set("destination_type", c.destination_type)
                          .set("fidelity", to_string(c.fidelity))
                          .set("note", c.note)
                          .set("key", c.in_key)
                          .node());
  return Object()
      .set("source", table.source)
      .set("target", table.target)
      .set("mode", table.mode)
      .set("transforms", config::text_list(table.transforms))
      .set("problem", table.problem)
      .set("hint", table.hint)
      .set("columns", Node{std::move(columns), {}})
      .node();
}

}  // namespace

Node json_of(const DestinationPlan& plan) {
  Node::Sequence tables;
  for (const auto& table : plan.tables) tables.push_back(json_of(table));
  return Object()
      .set("pipeline", plan.pipeline)
      .set("destination", plan.destination)
      .set("guarantee", plan.guarantee)
      .set("tables", Node{std::move(tables), {}})
      .set("idle_transforms", config::text_list(plan.idle))
      .node();
}

namespace {

/// Columns of one fidelity over the whole plan, as "orders.total".
std::vector<std::string> columns_with(const DestinationPlan& plan, Fidelity fidelity) {
  std::vector<std::string> out;
  for (const auto& table : plan.tables) {
    for (const auto& column : table.columns) {
      if (column.fidelity == fidelity) out.push_back(table.target + "." + column.name);
    }
  }
  return out;
}

}  // namespace

void print(std::ostream& out, const DestinationPlan& plan) {
  out << fmt::format("{} -> {}, {}\n", plan.pipeline, plan.destination, plan.guarantee);
  if (plan.tables.empty()) out << "  the source selects no tables\n";
  for (const auto& table : plan.tables) print(out, table);
  const auto lossy = columns_with(plan, Fidelity::lossy);
  const auto refused = columns_with(plan, Fidelity::unsupported);
  out << '\n';
  if (!lossy.empty()) out << "  lossy, some values will change: " << config::listed(lossy) << '\n';
  for (const auto& name : plan.idle) {
    out << "  the transform " << name << " applies to no table: none has every column that it reads\n";
  }
  if (!refused.empty()) out << "  unsupported, cannot be stored: " << config::listed(refused) << '\n';
}

}  // namespace maia::app
