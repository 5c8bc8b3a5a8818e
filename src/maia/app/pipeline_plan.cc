// SPDX-License-Identifier: Apache-2.0
#include "maia/app/pipeline_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "maia/app/connectors.h"
#include "maia/app/file_history.h"
#include "maia/app/pipelines.h"
#include "maia/app/state_directory.h"
#include "maia/config/difference.h"
#include "maia/config/yaml.h"
#include "maia/state/measurements.h"

namespace maia::app {
namespace {

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

DestinationPlan plan_destination(const config::PipelineSettings& pipeline, std::size_t index,
                                 const std::vector<SourceTable>& tables, const Destination& destination,
                                 std::span<const std::unique_ptr<Transform>> transforms,
                                 Guarantee guarantee) {
  const auto& settings = pipeline.destinations[index];
  const auto options = engine_options(pipeline, settings);
  DestinationPlan plan{pipeline.name, settings.name, std::string(to_string(guarantee)), {}, {}};
  for (const auto& table : tables) plan.tables.push_back(plan_table(table, destination, transforms, options));
  if (!settings.allow_merge) find_meetings(plan.tables);
  for (const auto& transform : transforms) {
    const auto goes_through = [&](const auto& way) {
      return std::find(way.transforms.begin(), way.transforms.end(), transform->name()) !=
             way.transforms.end();
    };
    if (std::none_of(plan.tables.begin(), plan.tables.end(), goes_through))
      plan.idle.push_back(transform->name());
  }
  return plan;
}

Result<std::vector<SourceTable>> tables_of(const config::PipelineSettings& pipeline, const std::string& state,
                                           const Outside& outside) {
  return in("source", MAIA_TRY(open_source(pipeline, state, outside))->tables());
}

Result<std::vector<DestinationPlan>> plan_of(const config::PipelineSettings& pipeline,
                                             const std::vector<SourceTable>& tables, const std::string& state,
                                             const Outside& outside) {
  std::vector<DestinationPlan> plans;
  for (std::size_t i = 0; i < pipeline.destinations.size(); ++i) {
    const auto& settings = pipeline.destinations[i];
    const auto destination = MAIA_TRY(open_destination(pipeline, settings, state, outside));
    const auto transforms = MAIA_TRY(compile_transforms(settings.transforms));
    const auto guarantee = guarantee_of(*find_connector(outside.connectors, pipeline.source.type),
                                        *find_connector(outside.connectors, settings.type));
    plans.push_back(plan_destination(pipeline, i, tables, *destination, transforms, guarantee));
  }
  return plans;
}

const config::DestinationSettings* find(const config::PipelineSettings& pipeline, const std::string& name) {
  for (const auto& each : pipeline.destinations) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

std::vector<TableWay> ways_of(const std::vector<DestinationPlan>& plans, const std::string& destination) {
  for (const auto& plan : plans) {
    if (plan.destination == destination) return plan.tables;
  }
  return {};
}

/// The settings of the version in use; nothing if none has run, or if it can no longer be read.
Result<std::optional<config::PipelineSettings>> settings_in_use(const FileVersion& version,
                                                                const std::string& pipeline,
                                                                const Outside& outside) {
  // A password that is not kept is not needed to compare.
  auto file = MAIA_TRY(config::parse_pipeline_file(
      version.text, version.path, connector_settings(outside.connectors), outside.environment));
  for (auto& each : file.pipelines) {
    if (each.name == pipeline) return std::optional(std::move(each));
  }
  return std::optional<config::PipelineSettings>();
}

/// The source's tables as the version in use selects them. Where it cannot be asked (its password is not
/// kept, say), those that the new settings select.
std::vector<SourceTable> tables_in_use(const config::PipelineSettings& in_use,
                                       const config::PipelineSettings& pipeline,
                                       const std::vector<SourceTable>& tables, const std::string& state,
                                       const Outside& outside) {
  const bool same = in_use.source.type == pipeline.source.type &&
                    config::differences(in_use.source.settings, pipeline.source.settings).empty();
  if (same) return tables;
  auto asked = tables_of(in_use, state, outside);
  return asked.ok() ? std::move(*asked) : tables;
}

DestinationChange new_destination(const DestinationPlan& plan) {
  DestinationChange change{.kind = DestinationChange::Kind::added, .name = plan.destination};
  for (const auto& way : plan.tables) {
    change.tables.push_back({.kind = TableChange::Kind::added,
                             .table = way.source,
                             .target = way.target,
                             .reread = "the destination is new",
                             .rows = way.rows_estimate,
                             .refused = way.problem,
                             .hint = way.hint});
  }
  return change;
}

std::string what_changed(const FileVersion& version, const config::FileText& file) {
  const auto before = config::parse_yaml(version.text, version.path);
  const auto after = config::parse_yaml(file.kept, file.path);
  if (!before.ok() || !after.ok()) return "changed";
  return config::in_words(config::differences(*before, *after));
}

Result<PipelineChange> change_of(const config::PipelineSettings& pipeline,
                                 const std::vector<SourceTable>& tables,
                                 const std::vector<DestinationPlan>& plans, const std::string& state,
                                 const Outside& outside) {
  PipelineChange change;
  const auto directory =
      pipeline_directory(MAIA_TRY(state_directory(state, outside.environment)), pipeline.name);
  if (!pipeline.file || !has_history(directory)) return change;
  const auto versions = MAIA_TRY(open_versions(directory));
  const auto current = MAIA_TRY(versions->current());
  if (!current) return change;
  change.from = short_hash(current->hash);
  change.settings = what_changed(*current, *pipeline.file);
  if (change.settings.empty()) return change;
  const auto in_use =
      MAIA_TRY(in("version " + change.from, settings_in_use(*current, pipeline.name, outside)));
  if (!in_use) return change;
  const auto before =
      MAIA_TRY(plan_of(*in_use, tables_in_use(*in_use, pipeline, tables, state, outside), state, outside));
  const auto measurements = MAIA_TRY(Measurements::open(directory + "/maia.sqlite"));
  for (const auto& plan : plans) {
    const auto* old = find(*in_use, plan.destination);
    change.destinations.push_back(
        old ? compare(*old, ways_of(before, plan.destination), *find(pipeline, plan.destination), plan.tables)
            : new_destination(plan));
    change.destinations.back().rows_per_second = MAIA_TRY(measurements->copy_rate(plan.destination));
  }
  for (const auto& old : in_use->destinations) {
    if (!find(pipeline, old.name))
      change.destinations.push_back({.kind = DestinationChange::Kind::removed, .name = old.name});
  }
  return change;
}

}  // namespace

Guarantee guarantee_of(const Connector& source, const Connector& destination) {
  const auto best = source.can.snapshot ? Guarantee::exactly_once_atomic : Guarantee::exactly_once_row;
  return std::max(best, destination.guarantee);
}

bool DestinationPlan::possible() const {
  return !tables.empty() && idle.empty() &&
         std::all_of(tables.begin(), tables.end(), [](const TableWay& way) { return way.possible(); });
}

bool PipelinePlan::possible() const {
  return std::all_of(destinations.begin(), destinations.end(),
                     [](const DestinationPlan& plan) { return plan.possible(); });
}

Result<PipelinePlan> plan_pipeline(const config::PipelineSettings& pipeline, const std::string& state,
                                   const Outside& outside) {
  PipelinePlan plan;
  const auto tables = MAIA_TRY(tables_of(pipeline, state, outside));
  plan.destinations = MAIA_TRY(plan_of(pipeline, tables, state, outside));
  plan.change = MAIA_TRY(in(pipeline.name, change_of(pipeline, tables, plan.destinations, state, outside)));
  return plan;
}

}  // namespace maia::app
