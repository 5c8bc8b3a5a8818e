// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "maia/app/commands.h"
#include "maia/app/pipelines.h"
#include "maia/app/table_plan.h"
#include "maia/app/text_table.h"
#include "maia/config/json.h"
#include "maia/config/nearest.h"

namespace maia::app {
namespace {

using config::Node;
using config::Object;

struct DestinationPlan {
  std::string pipeline, destination;
  std::vector<TableWay> tables;
  std::vector<std::string> idle;  ///< transforms that apply to no table
};

/// Two tables that would meet in one, unless that was asked for.
void find_meetings(std::vector<TableWay>& tables) {
  std::map<std::string, std::string> taken;
  for (auto& table : tables) {
    if (!table.problem.empty()) continue;
    const auto [first, fresh] = taken.emplace(table.target, table.source);
    if (fresh) continue;
    table.problem =
        fmt::format("{} and {} would both be written to {}", first->second, table.source, table.target);
    table.hint = "give one another name with `routes:`, or write allow_merge: true";
  }
}

Result<std::vector<DestinationPlan>> plan_of(const config::PipelineSettings& pipeline,
                                             const std::string& state, const Outside& outside) {
  const auto ends = MAIA_TRY(open_ends(pipeline, state, outside));
  const auto transforms = MAIA_TRY(compile_transforms(pipeline.transforms));
  const auto tables = MAIA_TRY(in("source", ends.source->tables()));
  std::vector<DestinationPlan> plans;
  for (std::size_t i = 0; i < ends.destinations.size(); ++i) {
    const auto& settings = pipeline.destinations[i];
    const auto options = engine_options(pipeline, settings);
    DestinationPlan plan{pipeline.name, settings.name, {}, {}};
    for (const auto& table : tables)
      plan.tables.push_back(plan_table(table, *ends.destinations[i], transforms, options));
    if (!settings.allow_merge) find_meetings(plan.tables);
    for (const auto& transform : transforms) {
      const auto goes_through = [&](const auto& way) {
        return std::find(way.transforms.begin(), way.transforms.end(), transform->name()) !=
               way.transforms.end();
      };
      if (std::none_of(plan.tables.begin(), plan.tables.end(), goes_through)) {
        plan.idle.push_back(transform->name());
      }
    }
    plans.push_back(std::move(plan));
  }
  return plans;
}

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

Node json_of(const DestinationPlan& plan) {
  Node::Sequence tables;
  for (const auto& table : plan.tables) tables.push_back(json_of(table));
  return Object()
      .set("pipeline", plan.pipeline)
      .set("destination", plan.destination)
      .set("tables", Node{std::move(tables), {}})
      .set("idle_transforms", config::text_list(plan.idle))
      .node();
}

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

void print(std::ostream& out, const DestinationPlan& plan) {
  out << plan.pipeline << " -> " << plan.destination << '\n';
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

}  // namespace

Result<ExitCode> execute(const PlanArguments& arguments, Outside& outside) {
  auto code = ExitCode::done;
  Node::Sequence all;
  for (const auto& pipeline : MAIA_TRY(load_pipelines(arguments.files, outside))) {
    for (const auto& plan : MAIA_TRY(plan_of(pipeline, arguments.state, outside))) {
      for (const auto& table : plan.tables) {
        if (!table.possible()) code = ExitCode::check_failed;
      }
      if (plan.tables.empty() || !plan.idle.empty()) code = ExitCode::check_failed;
      all.push_back(json_of(plan));
      if (!arguments.json) print(outside.out, plan);
    }
  }
  if (arguments.json) outside.out << to_json(Node{std::move(all), {}}, 2) << '\n';
  return code;
}

}  // namespace maia::app
